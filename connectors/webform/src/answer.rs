//! What the caller of a post gets: JSON for programs, pages for people.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use switchboard_sdk::{Outcome, Page, Receipt, Rejection, WebhookRequest, WebhookResponse};

use crate::{
    accept::{accept_language, spoken},
    body,
    form::Form,
    next, page, words,
};

/// 201 with the submission's id (200 when it was known) for programs; 303 to the thanks for people.
pub fn reply(form: &Form, request: &WebhookRequest, receipt: &Receipt) -> WebhookResponse {
    let outcome = receipt.outcomes.first();
    let mut response = if wants_json(request) {
        // Nothing is made of a service's trial.
        let status = if outcome.is_none_or(Outcome::is_duplicate) {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        let body = serde_json::json!({"submission_id": outcome.and_then(Outcome::submission_id)});
        answer(status, "application/json", body.to_string())
    } else {
        let posted = body::read(request, form.context.max_upload_bytes).unwrap_or_default();
        let asked_in_address = asked_next(request);
        let asked = posted.last(next::NAME).or(asked_in_address.as_deref());
        let target = next::page(&form.settings, asked).map_or_else(
            || {
                // The language is told only where there was a drawing in it: a plain post keeps its plain address.
                let drawn = posted
                    .last(crate::accept::LANGUAGE)
                    .map(|_| spoken(form, request, &posted));
                let language = drawn
                    .map(|tongue| format!("?lang={}", tongue.language))
                    .unwrap_or_default();
                format!("{}/thanks{language}", form.path())
            },
            str::to_owned,
        );
        let mut response = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
        // A target that is no header value (letters outside ASCII) is written as a URL is.
        let target = HeaderValue::from_str(&target)
            .ok()
            .filter(|target| target.to_str().is_ok())
            .or_else(|| ascii(&target));
        if let Some(target) = target {
            response.headers_mut().insert(header::LOCATION, target);
        }
        response
    };
    allow_reading(form, request, &mut response);
    response
}

/// The page that the address posted to asks for.
fn asked_next(request: &WebhookRequest) -> Option<String> {
    let query = request.uri().query()?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name == next::NAME)
        .map(|(_, value)| value.into_owned())
}

/// A page for people: the form again with what was typed, or a plain word. Programs get the server's problem+json.
pub fn refuse(form: &Form, request: &WebhookRequest, rejection: &Rejection) -> Option<WebhookResponse> {
    if wants_json(request) {
        return None;
    }
    let language = &words::wanted(accept_language(request));
    let page = match rejection {
        Rejection::Invalid(problems) => {
            let posted = body::read(request, form.context.max_upload_bytes).unwrap_or_default();
            page::again(form, &posted, problems, &spoken(form, request, &posted))
        }
        // Programs that did not say what they want are served better by problem+json.
        _ if !accepts(request, "text/html") => return None,
        Rejection::Unauthenticated(_) | Rejection::Forbidden(_) => page::refused(form, 403, language),
        Rejection::Malformed(_) => page::refused(form, 400, language),
        Rejection::UnsupportedMediaType(_) => page::refused(form, 415, language),
        Rejection::TooLarge(_) => page::refused(form, 413, language),
    };
    Some(of_page(page))
}

/// Whether the caller is a program: it says so, or it posts what no HTML form can.
pub fn wants_json(request: &WebhookRequest) -> bool {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let posts_json = kind.ends_with("/json") || kind.ends_with("+json");
    accepts(request, "application/json")
        || accepts(request, "application/problem+json")
        || request.headers().contains_key("x-requested-with")
        || (posts_json && !accepts(request, "text/html"))
        || request.uri().path().starts_with("/hooks/")
}

/// Whether `Accept` names this type (`*/*` names nothing).
fn accepts(request: &WebhookRequest, kind: &str) -> bool {
    let accepted = request
        .headers()
        .get_all(header::ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let mut entries = accepted.flat_map(|value| value.split(','));
    entries.any(|entry| {
        entry
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case(kind)
    })
}

/// Lets a page of an allowed site read the answer; never with credentials, the form knows none.
fn allow_reading(form: &Form, request: &WebhookRequest, response: &mut WebhookResponse) {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin, Accept"));
    let origin = request.headers().get(header::ORIGIN);
    if let Some(origin) = origin.filter(|origin| origin.to_str().is_ok_and(|origin| form.is_allowed(origin)))
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

fn of_page(page: Page) -> WebhookResponse {
    let mut response = answer(
        StatusCode::from_u16(page.status).unwrap_or(StatusCode::BAD_REQUEST),
        page.content_type,
        page.body,
    );
    if let Some(csp) = page.csp.and_then(|csp| HeaderValue::from_str(&csp).ok()) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, csp);
    }
    response
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> WebhookResponse {
    let mut response = WebhookResponse::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Percent-encodes what is not ASCII.
fn ascii(target: &str) -> Option<HeaderValue> {
    let written: String = target
        .bytes()
        .map(|byte| {
            if byte.is_ascii_graphic() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    HeaderValue::from_str(&written).ok()
}

/// The values of a post by name, for the form that is shown again.
pub fn typed(posted: &body::Posted) -> BTreeMap<&str, &str> {
    posted
        .values
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
