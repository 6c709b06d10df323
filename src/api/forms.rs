//! `/f/{key}`: a form's page, its script for other pages, and what people send with it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use switchboard_sdk::{Page, PageRequest};

use super::{
    budget::{Budget, Origin},
    limits::ClientAddress,
    problem::Problem,
    push,
    v1::form_previews::unsaved,
};
use crate::{app::App, connector::Served, form::usage::What};

/// Seconds after which a paused form is worth another look.
const PAUSED_RETRY_SECS: u64 = 300;

/// Posts of one address to one form.
struct Posts(Budget<(Origin, String)>);

/// What pages of one address tell of their visitors.
struct Told(Budget<Origin>);

/// The mark of a form that was drawn by us, in what it sends.
const DRAWN: &[u8] = b"sb_id";
/// Longest word of a page about its visitor, in bytes.
const WORD_BYTES: usize = 300;

/// All form paths.
pub fn router() -> Router<App> {
    Router::new()
        .route("/f/{key}", get(page).post(submit).options(preflight))
        .route("/f/{key}/use", get(sub_page_of_use).post(told))
        .route("/f/{key}/{*path}", get(sub_page))
        .route("/form-preview/{page}", get(preview))
        .layer(Extension(Arc::new(Posts(Budget::new(120, 240)))))
        .layer(Extension(Arc::new(Told(Budget::new(600, 600)))))
}

/// How far a visitor came, as `track.js` tells it.
#[derive(Deserialize)]
struct Word {
    what: What,
    #[serde(default)]
    field: Option<String>,
}

/// Counts what a page tells. It is never answered with a complaint: no page waits for the answer.
async fn told(
    State(app): State<App>,
    Path(key): Path<String>,
    Extension(budget): Extension<Arc<Told>>,
    ClientAddress(address): ClientAddress,
    body: Bytes,
) -> StatusCode {
    let spent = app.config.limits.enabled && budget.0.take(&Origin::from(address)).is_err();
    let word = Some(&body).filter(|body| body.len() <= WORD_BYTES && !spent);
    let word: Option<Word> = word.and_then(|body| serde_json::from_slice(body).ok());
    // What was sent is counted when it is taken.
    if let Some(word) = word.filter(|word| word.what != What::Done)
        && let Ok(Some(served)) = find(&app, &key).await
        && served.active().is_some()
    {
        let now = app.clock.now();
        app.form_usage
            .count(&served.channel, word.what, word.field.as_deref(), now);
    }
    StatusCode::NO_CONTENT
}

async fn sub_page_of_use(headers: HeaderMap) -> Response {
    missing(&headers)
}

async fn page(app: State<App>, Path(key): Path<String>, query: RawQuery, headers: HeaderMap) -> Response {
    draw(&app, &key, String::new(), query, &headers).await
}

async fn sub_page(
    app: State<App>,
    Path((key, path)): Path<(String, String)>,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    draw(&app, &key, path, query, &headers).await
}

/// The page in which editors of forms show what they make, and its script. The same for every form: what is shown
/// comes from the page around it.
async fn preview(State(app): State<App>, Path(page): Path<String>) -> Response {
    let path = match page.as_str() {
        "frame" => "preview",
        "preview.js" => "preview.js",
        _ => return Problem::not_found("page").into_response(),
    };
    let request = PageRequest {
        path: path.to_owned(),
        now: app.clock.now(),
        ..PageRequest::default()
    };
    let form = app.host.build(&unsaved(&app), serde_json::json!({}));
    let page = form.ok().and_then(|form| form.page()?.page(&request));
    page.map_or_else(|| Problem::not_found("page").into_response(), page_response)
}

async fn draw(
    app: &App,
    key: &str,
    path: String,
    RawQuery(query): RawQuery,
    headers: &HeaderMap,
) -> Response {
    let served = match find(app, key).await {
        Ok(Some(served)) => served,
        Ok(None) => return missing(headers),
        Err(problem) => return problem.into_response(),
    };
    match drawn(app, &served, path, query.as_deref(), headers) {
        Some(page) => page_response(page),
        None => missing(headers),
    }
}

fn drawn(app: &App, served: &Served, path: String, query: Option<&str>, headers: &HeaderMap) -> Option<Page> {
    let query = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let request = PageRequest {
        path,
        query: query
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
        accept_language: text(headers, header::ACCEPT_LANGUAGE).map(str::to_owned),
        paused: !served.channel.enabled,
        now: app.clock.now(),
    };
    served.connector.as_ref().ok()?.page()?.page(&request)
}

fn page_response(page: Page) -> Response {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::OK);
    let script = page.content_type.contains("javascript");
    let mut response = (status, Body::from(page.body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Other sites load the script and show the page in a frame.
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("cross-origin"),
    );
    let cache = if script && status.is_success() {
        "public, max-age=300"
    } else {
        "no-store"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(csp) = page.csp.and_then(|csp| HeaderValue::from_str(&csp).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, csp);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(PAUSED_RETRY_SECS));
    }
    response
}

async fn submit(
    State(app): State<App>,
    Path(key): Path<String>,
    Extension(posts): Extension<Arc<Posts>>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Response {
    let served = match find(&app, &key).await {
        Ok(Some(served)) => served,
        Ok(None) => return missing(request.headers()),
        Err(problem) => return problem.into_response(),
    };
    let origin = request.headers().get(header::ORIGIN).cloned();
    let response = taken(&app, &served, &posts, address, request).await;
    if response
        .headers()
        .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    {
        return response;
    }
    push::readable(response, &served, origin.as_ref())
}

async fn taken(app: &App, served: &Served, posts: &Posts, address: IpAddr, request: Request) -> Response {
    if app.config.limits.enabled
        && let Err(problem) = posts.0.take(&(Origin::from(address), served.channel.id.clone()))
    {
        return problem.into_response();
    }
    if served.active().is_none() {
        let page = Some(request.headers()).filter(|headers| wants_page(headers));
        let page = page.and_then(|headers| drawn(app, served, String::new(), None, headers));
        return page.map_or_else(|| push::paused().into_response(), page_response);
    }
    match push::read(app, address, request).await {
        Ok(request) => {
            let body = request.body().clone();
            let response = push::take(app, served, request).await;
            if matches!(response.status(), StatusCode::CREATED | StatusCode::SEE_OTHER)
                && body.windows(DRAWN.len()).any(|part| part == DRAWN)
            {
                app.form_usage
                    .count(&served.channel, What::Done, None, app.clock.now());
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// May a page of another site post here? The connector knows which.
async fn preflight(State(app): State<App>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    let served = match find(&app, &key).await {
        Ok(Some(served)) => served,
        Ok(None) => return missing(&headers),
        Err(problem) => return problem.into_response(),
    };
    let answer = [
        (header::ALLOW, "GET, HEAD, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "content-type, accept, idempotency-key, x-requested-with",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    push::readable(
        (StatusCode::NO_CONTENT, answer).into_response(),
        &served,
        headers.get(header::ORIGIN),
    )
}

/// The channel of a key, when it is one with a page.
async fn find(app: &App, key: &str) -> Result<Option<Arc<Served>>, Problem> {
    let served = app.host.served_by_key(key).await.map_err(|error| {
        tracing::error!(%error, "a form's channel could not be read");
        Problem::unavailable("the store is away; try again")
    })?;
    let Some(served) = served else { return Ok(None) };
    match &served.connector {
        Ok(connector) => Ok(Some(Arc::clone(&served)).filter(|_| connector.page().is_some())),
        Err(_) => Err(push::paused()),
    }
}

fn missing(headers: &HeaderMap) -> Response {
    if !wants_page(headers) {
        return Problem::not_found("form").into_response();
    }
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
        <title>No such form</title><body><h1>There is no form here</h1><p>The link may be old. Please ask whoever gave it to you.</p>";
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

/// A browser that navigates names HTML before anything else it would take.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = text(headers, header::ACCEPT).unwrap_or_default();
    accept.contains("text/html") && !accept.trim_start().starts_with("application/json")
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
