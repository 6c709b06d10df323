//! The web app, the widget's scripts and the demo page, from inside the binary.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{Path, problem::Problem};
use crate::{app::App, channel, id};

/// What `npm run build` in `web/` made.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Web;

/// What pages of the app may load: nothing from elsewhere, no inline script or style.
pub const APP_CSP: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     media-src 'self' blob:; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; object-src 'none'; \
     base-uri 'none'; form-action 'self'";

/// Paths that are never pages of the app.
const NOT_PAGES: [&str; 8] = [
    "/api", "/hooks", "/widget", "/f", "/health", "/metrics", "/assets", "/demo",
];

/// Served when the app was not built.
const PLACEHOLDER: &str = include_str!("placeholder.html");

/// A file, or the app for a navigation, or 404. Stands behind all routes.
pub async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read && let Some(file) = file_at(path) {
        return serve(path, request.uri().query(), request.headers(), file);
    }
    if !is_page(path) {
        return Problem::no_such_path().into_response();
    }
    if !is_read {
        return Problem::method_not_allowed().into_response();
    }
    match Web::get("index.html") {
        Some(index) => serve("/index.html", None, request.headers(), index),
        None => (
            StatusCode::OK,
            [(header::CACHE_CONTROL, "no-cache")],
            Html(PLACEHOLDER),
        )
            .into_response(),
    }
}

/// `/demo/{key}`: an empty page of "some site" with the widget on it.
pub async fn demo(State(app): State<App>, Path(key): Path<String>) -> Result<Response, Problem> {
    let channel = channel::store::by_key(app.db.read(), &key)
        .await?
        .filter(|channel| channel.kind == "webchat");
    let channel = channel.ok_or_else(|| Problem::not_found("web chat"))?;
    let nonce = id::word();
    let page = minijinja::Environment::new()
        .render_named_str(
            "demo.html",
            include_str!("demo.html"),
            minijinja::context! { name => channel.name, key => channel.key, nonce => &nonce },
        )
        .map_err(|error| Problem::from_cause(&error))?;
    let csp = APP_CSP.replace("style-src 'self'", &format!("style-src 'self' 'nonce-{nonce}'"));
    let csp = HeaderValue::from_str(&csp).map_err(|error| Problem::from_cause(&error))?;
    let cache = HeaderValue::from_static("no-store");
    Ok((
        [
            (header::CONTENT_SECURITY_POLICY, csp),
            (header::CACHE_CONTROL, cache),
        ],
        Html(page),
    )
        .into_response())
}

/// What the empty page may load into which the app puts a mail whose remote images an operator asked for: images
/// from anywhere, and nothing else. The app's own pages may not, and a frame made of text would inherit that.
const MAIL_CSP: &str = "default-src 'none'; img-src 'self' data: https: http:; style-src 'unsafe-inline'; \
     frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

/// `/mail-frame`: an empty page, framed without scripts.
pub async fn mail_frame() -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, MAIL_CSP),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (
        headers,
        Html("<!doctype html><meta charset=\"utf-8\"><title></title><body></body>"),
    )
        .into_response()
}

fn file_at(path: &str) -> Option<EmbeddedFile> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() || path.split('/').any(|part| part.starts_with('.')) {
        return None;
    }
    Web::get(path)
}

/// A path somebody may type or reload: not one of a machine's, and no missing file.
fn is_page(path: &str) -> bool {
    let is_machines = NOT_PAGES.iter().any(|start| {
        path.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let last = path.rsplit('/').next().unwrap_or_default();
    !is_machines && !last.contains('.')
}

fn serve(path: &str, query: Option<&str>, asked: &HeaderMap, file: EmbeddedFile) -> Response {
    let etag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    // The app's build writes hashes into names below /assets, the loader asks for the panel with ?v=hash.
    let is_versioned = path.starts_with("/assets/") || query.is_some_and(|query| query.starts_with("v="));
    let cache = if is_versioned {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = if is_known(asked, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let kind = if kind.type_() == "text" {
            format!("{kind}; charset=utf-8")
        } else {
            kind.to_string()
        };
        ([(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    if path.starts_with("/widget/") {
        // Sites everywhere load these, the panel as a module, which browsers fetch with CORS.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            "cross-origin-resource-policy",
            HeaderValue::from_static("cross-origin"),
        );
    }
    response
}

fn is_known(asked: &HeaderMap, etag: &str) -> bool {
    let known = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    known.is_some_and(|known| {
        known
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    })
}

#[cfg(test)]
mod tests {
    use super::is_page;

    #[test]
    fn pages_are_what_people_type() {
        for page in ["/", "/inbox/mine/cnv_1", "/setup", "/form-editor", "/widgets"] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "/api/v1/nothing",
            "/api",
            "/assets/gone-1a2b.js",
            "/favicon.ico",
            "/f/x",
            "/hooks/x",
            "/widget/v1/x",
        ] {
            assert!(!is_page(other), "{other}");
        }
    }
}
