//! Writes down who did what, when it was done.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, header, request::Parts},
    middleware::Next,
    response::Response,
};

use super::auth;
use crate::{
    app::App,
    audit::{self, Action},
};

/// Passes a request on and notes it when it succeeded. The note is written before the answer goes out.
pub(super) async fn note(State(app): State<App>, request: Request, next: Next) -> Response {
    let judged = request.extensions().get::<MatchedPath>().and_then(|template| {
        audit::judge::judge(request.method().as_str(), template.as_str(), request.uri().path())
    });
    let Some(judged) = judged else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    // Who they were when they asked: an admin who takes their own rights away did it as one.
    let before = if judged.action == Action::SignedIn {
        None
    } else {
        auth::identify(&asked, &app).await.ok()
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    if !response.status().is_success() {
        return response;
    }
    let caller = match before {
        Some(caller) => Some(caller),
        None => auth::identify(&signed_in(asked, &response), &app).await.ok(),
    };
    let Some(caller) = caller else { return response };
    if let Err(error) = audit::store::note(&app.db, &caller.operator.id, judged, app.clock.now()).await {
        tracing::error!(operator.id = caller.operator.id, %error, "the audit log could not be written");
    }
    response
}

/// The request as its next one will be: with the cookies of the answer.
fn signed_in(mut asked: Parts, response: &Response) -> Parts {
    let cookies: Vec<&str> = response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .collect();
    asked.headers.remove(header::AUTHORIZATION);
    asked.method = http::Method::GET;
    if let Ok(value) = HeaderValue::from_str(&cookies.join("; ")) {
        asked.headers.insert(header::COOKIE, value);
    }
    asked
}
