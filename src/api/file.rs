//! Kept files as bodies of answers: read piece by piece, never whole in memory.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::problem::{Problem, Result};
use crate::storage::{Error, Storage};

/// The file of a key; `what` names it when it is gone.
pub(crate) async fn stored(storage: &Storage, key: &str, what: &str) -> Result<Response> {
    let (size, pieces) = storage.stream(key).await.map_err(|error| problem(error, what))?;
    let mut response = Body::from_stream(pieces).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    Ok(response)
}

/// What to answer when a file cannot be read.
pub(crate) fn problem(error: Error, what: &str) -> Problem {
    match error {
        Error::Missing => Problem::not_found(what),
        other => Problem::from_cause(&other),
    }
}
