//! Around every request: its id, a span and metrics by route, safe headers, and errors in one form.
//!
//! The query string is never logged: sockets carry tokens in it.

use std::{any::Any, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{assets, problem::Problem};
use crate::{
    app::App,
    id,
    telemetry::metrics::{Counter, Timer},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id and records what became of it.
pub async fn requests(State(_app): State<App>, mut request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .filter(|value| is_plain_id(value))
        .cloned();
    let request_id = match given {
        Some(given) => given,
        None => HeaderValue::from_str(&id::word()).unwrap_or(HeaderValue::from_static("unknown")),
    };
    request.headers_mut().insert(REQUEST_ID, request_id.clone());
    let method = request.method().to_string();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!(
        "request",
        request.id = request_id.to_str().unwrap_or_default(),
        http.method = method,
        http.route = route
    );
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status();
    span.in_scope(|| {
        let duration_ms = took.as_secs_f64() * 1000.0;
        if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(
                http.status = status.as_u16(),
                duration_ms,
                "a request ended in an error of ours"
            );
        } else {
            tracing::debug!(http.status = status.as_u16(), duration_ms, "request");
        }
    });
    let labels = [("method", method), ("route", route)];
    Timer::HttpRequest.record(took, &labels);
    let [method, route] = labels;
    Counter::HttpRequests.add(1, &[method, route, ("status", status.as_u16().to_string())]);
    response.headers_mut().insert(REQUEST_ID, request_id);
    response
}

/// Headers that every answer has unless its owner said otherwise.
pub async fn headers(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    set_default(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set_default(headers, header::REFERRER_POLICY, "same-origin");
    set_default(headers, header::CONTENT_SECURITY_POLICY, assets::APP_CSP);
    if is_api {
        set_default(headers, header::CACHE_CONTROL, "no-store");
    }
    response
}

/// Turns bare answers of the libraries below (404, 405, 413, 415, …) into problem+json.
pub async fn problems(request: Request, next: Next) -> Response {
    let is_ours = ["/api/", "/health/", "/metrics"]
        .iter()
        .any(|start| request.uri().path().starts_with(start));
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_bare = kind.is_none_or(|kind| kind.starts_with("text/plain"));
    let is_librarys = matches!(
        status,
        StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
    ) && kind.is_none();
    let is_to_say_more = is_librarys || (is_ours && is_bare);
    if !is_to_say_more {
        return response;
    }
    let mut problem = Problem::of_status(status).into_response();
    for (name, value) in response.headers() {
        if !problem.headers().contains_key(name) && name != header::CONTENT_LENGTH {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}

/// A handler that panicked.
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let words = words
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = words, "a handler panicked");
    Problem::internal().into_response()
}

fn set_default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// Ids from outside are taken into the log: only short plain words are.
fn is_plain_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=64).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
