//! axum's extractors with answers in problem+json.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::problem::{FieldError, Problem};

/// A JSON body, in or out. What cannot be read is 400, 413, 415 or, with the field named, 422.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// The query string; 400 when it cannot be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

/// Parts of the path; 404 when they cannot be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Problem::from_cause(&error).into_response(),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media_type(
                "send a body of `Content-Type: application/json`",
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| body_problem(&rejection))?;
        read_json(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if holds_nul(parts.uri.query().unwrap_or_default()) {
            return Err(Problem::bad_request(
                "the query holds a NUL character, which no text here has",
            ));
        }
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::bad_request(rejection.body_text())),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if holds_nul(parts.uri.path()) {
            return Err(Problem::no_such_path());
        }
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(_) => Err(Problem::no_such_path()),
        }
    }
}

/// PostgreSQL holds no NUL in a text and takes the whole statement for an error.
fn holds_nul(part: &str) -> bool {
    part.contains("%00")
}

/// Why a body could not be read, as a problem.
pub fn body_problem(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => Problem::bad_request("the body broke off"),
    }
}

/// Reads JSON; what does not fit is 422 with the field's path, what is no JSON at all is 400.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        return Err(Problem::bad_request("the body is empty; JSON is expected"));
    }
    refuse_nul(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let cause = error.inner();
        if cause.is_data() {
            let field = field_of(&error.path().to_string(), &cause.to_string());
            return Problem::invalid(field.field, field.message);
        }
        Problem::bad_request(format!("the body is no JSON: {cause}"))
    })?;
    reader
        .end()
        .map_err(|error| Problem::bad_request(format!("the body is no JSON: {error}")))?;
    Ok(value)
}

/// No text here holds a NUL character: see [`holds_nul`]. In JSON it can only be written as an escape,
/// which nearly no body has.
fn refuse_nul(bytes: &[u8]) -> Result<(), Problem> {
    const ESCAPE: &[u8] = br"\u0000";
    if !bytes.windows(ESCAPE.len()).any(|window| window == ESCAPE) {
        return Ok(());
    }
    // What is no JSON is told by the reading that follows.
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return Ok(());
    };
    match place_of_nul(&value) {
        Some(field) => Err(Problem::invalid(
            field,
            "holds a NUL character, which no text here has",
        )),
        None => Ok(()),
    }
}

/// The path of the first text with a NUL.
fn place_of_nul(value: &Value) -> Option<String> {
    let inside = |name: String, value: &Value| {
        let rest = place_of_nul(value)?;
        Some(if rest.is_empty() {
            name
        } else {
            format!("{name}.{rest}")
        })
    };
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| inside(at.to_string(), item)),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') {
                Some(name.replace('\0', "\u{fffd}"))
            } else {
                inside(name.clone(), value)
            }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Names the field: serde says "missing field `name`" about the object that lacks it.
fn field_of(path: &str, message: &str) -> FieldError {
    let path = if path == "." { "" } else { path };
    // "… at line 1 column 7" helps nobody who sent a program's JSON.
    let message = message.split(" at line ").next().unwrap_or(message);
    let named = ["missing field `", "unknown field `"].iter().find_map(|start| {
        let rest = message.strip_prefix(start)?;
        rest.split('`').next()
    });
    let field = match named {
        Some(name) if path.is_empty() => name.to_owned(),
        // For an unknown field the path already ends in it.
        Some(name) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    };
    let message = if message.starts_with("missing field") {
        "is required".to_owned()
    } else {
        message.to_owned()
    };
    FieldError { field, message }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{Problem, read_json};

    #[derive(Debug, Deserialize)]
    struct Outer {
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        count: u8,
    }

    fn refusal(body: &str) -> (u16, String) {
        match read_json::<Outer>(body.as_bytes()) {
            Ok(outer) => (200, outer.inner.count.to_string()),
            Err(Problem { status, errors, .. }) => (
                status,
                errors
                    .first()
                    .map(|error| error.field.clone())
                    .unwrap_or_default(),
            ),
        }
    }

    #[test]
    fn the_field_that_does_not_fit_is_named_by_its_path() {
        assert_eq!(
            refusal(r#"{"inner":{"count":"x"}}"#),
            (422, "inner.count".to_owned())
        );
        assert_eq!(refusal(r#"{"inner":{}}"#), (422, "inner.count".to_owned()));
        assert_eq!(refusal(r"{}"), (422, "inner".to_owned()));
        assert_eq!(
            refusal(r#"{"inner":{"count":1,"more":2}}"#),
            (422, "inner.more".to_owned())
        );
    }

    #[test]
    fn a_nul_is_refused_where_it_stands_and_a_backslash_before_its_name_is_none() {
        assert_eq!(
            refusal(r#"{"inner":{"count":1,"more":["a","b\u0000"]}}"#),
            (422, "inner.more.1".to_owned())
        );
        assert_eq!(refusal(r#"{"inner":{"count":1},"note":"\\u0000"}"#).0, 200);
    }

    #[test]
    fn what_is_no_json_is_400() {
        assert_eq!(refusal("{").0, 400);
        assert_eq!(refusal("").0, 400);
        assert_eq!(refusal(r#"{"inner":{"count":1}} x"#).0, 400);
        assert_eq!(refusal(r#"{"inner":{"count":1}}"#).0, 200);
    }
}
