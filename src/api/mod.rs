//! The HTTP side: thin. Handlers read, call a concept, and answer.

pub mod assets;
mod audited;
pub mod auth;
pub mod budget;
pub mod commerce;
pub mod extract;
pub(crate) mod file;
pub mod files;
pub mod forms;
pub mod health;
pub mod hooks;
pub mod limits;
mod linger;
pub mod observe;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod push;
pub mod realtime;
pub mod right;
pub mod telephone;
pub mod v1;
pub mod widget;

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, http::HeaderMap, middleware, routing::get};
pub use extract::{Json, Path, Query};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{Predicate, SizeAbove},
    },
};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Everything the document describes.
fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(v1::router()).merge(health::router())
}

/// The API's document.
pub fn document() -> OpenApi {
    openapi::complete(documented().into_openapi())
}

/// The document as it is committed for the web client: pretty, its keys in order.
pub fn document_text() -> String {
    let document = serde_json::to_value(document()).unwrap_or_default();
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// All that is served.
pub fn router(app: App) -> Router {
    let (api, document) = documented().split_for_parts();
    let document: Arc<str> = openapi::complete(document).to_json().unwrap_or_default().into();
    let json_limit = usize::try_from(limits::JSON_BYTES).unwrap_or(usize::MAX);
    Router::new()
        .merge(api.route_layer(middleware::from_fn_with_state(app.clone(), audited::note)))
        .route(
            "/api/openapi.json",
            get(move || async move { ([("content-type", "application/json")], document.to_string()) }),
        )
        .merge(health::metrics_router())
        .merge(hooks::router())
        .merge(commerce::router())
        .merge(forms::router())
        .merge(files::router())
        .merge(widget::router(&app))
        .route("/demo/{key}", get(assets::demo))
        .route("/mail-frame", get(assets::mail_frame))
        .fallback(assets::fallback)
        .layer(DefaultBodyLimit::max(json_limit))
        .layer(middleware::from_fn_with_state(app.clone(), limits::bodies))
        .layer(middleware::from_fn_with_state(app.clone(), limits::times))
        .layer(middleware::from_fn(linger::rests))
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(middleware::from_fn(observe::problems))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(WORTH_COMPRESSING).and(is_text)))
        .layer(middleware::from_fn(observe::headers))
        .layer(middleware::from_fn_with_state(app.clone(), observe::requests))
        .with_state(app)
}

/// Bytes from which an answer is compressed: a smaller one costs more than it saves.
const WORTH_COMPRESSING: u16 = 1024;

/// Texts are compressed; files mostly are already.
fn is_text(
    _status: http::StatusCode,
    _version: http::Version,
    headers: &HeaderMap,
    _extensions: &http::Extensions,
) -> bool {
    let kind = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    [
        "text/",
        "application/json",
        "application/problem+json",
        "application/javascript",
        "image/svg+xml",
    ]
    .iter()
    .any(|start| kind.starts_with(start))
}
