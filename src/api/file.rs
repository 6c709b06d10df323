//! Kept files as bodies of answers: read piece by piece, never whole in memory.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
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

/// The file of a key, or the part of it that was asked for (RFC 9110, section 14): a player seeks by asking for parts.
/// Several parts at once are answered with the whole, as the RFC allows.
pub(crate) async fn asked(storage: &Storage, key: &str, what: &str, asking: &HeaderMap) -> Result<Response> {
    let range = asking.get(header::RANGE).and_then(|range| range.to_str().ok());
    let Some(range) = range else {
        return stored(storage, key, what).await.map(divisible);
    };
    let size = storage.size(key).await.map_err(|error| problem(error, what))?;
    match part_of(range, size) {
        Part::Whole => stored(storage, key, what).await.map(divisible),
        Part::None => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            put(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            Ok(response)
        }
        Part::Of(part) => {
            let pieces = storage.part(key, part.clone()).await;
            let pieces = pieces.map_err(|error| problem(error, what))?;
            let mut response = Body::from_stream(pieces).into_response();
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let shown = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            put(&mut response, header::CONTENT_RANGE, &shown);
            put(
                &mut response,
                header::CONTENT_LENGTH,
                &(part.end - part.start).to_string(),
            );
            Ok(divisible(response))
        }
    }
}

fn divisible(mut response: Response) -> Response {
    put(&mut response, header::ACCEPT_RANGES, "bytes");
    response
}

fn put(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// What a `Range` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Everything: it is no range we know, or several.
    Whole,
    /// Nothing that is there.
    None,
    /// These bytes.
    Of(Range<u64>),
}

/// Reads a `Range` header of a file of this size. Pure.
fn part_of(range: &str, size: u64) -> Part {
    let Some((first, last)) = range
        .trim()
        .strip_prefix("bytes=")
        .and_then(|one| one.trim().split_once('-'))
    else {
        return Part::Whole;
    };
    let part = match (first.trim(), last.trim()) {
        ("", last) => {
            let Ok(count) = last.parse::<u64>() else {
                return Part::Whole;
            };
            size.saturating_sub(count)..size
        }
        (first, "") => {
            let Ok(first) = first.parse::<u64>() else {
                return Part::Whole;
            };
            first..size
        }
        (first, last) => {
            let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
                return Part::Whole;
            };
            if last < first {
                return Part::Whole;
            }
            first..size.min(last.saturating_add(1))
        }
    };
    if part.start < part.end {
        Part::Of(part)
    } else {
        Part::None
    }
}

/// What to answer when a file cannot be read.
pub(crate) fn problem(error: Error, what: &str) -> Problem {
    match error {
        Error::Missing => Problem::not_found(what),
        other => Problem::from_cause(&other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, part_of};

    #[test]
    fn a_range_is_the_bytes_that_are_there() {
        let table = [
            ("bytes=0-9", Part::Of(0..10)),
            ("bytes=90-", Part::Of(90..100)),
            ("bytes=-10", Part::Of(90..100)),
            ("bytes=-1000", Part::Of(0..100)),
            ("bytes=50-1000", Part::Of(50..100)),
            ("bytes=0-18446744073709551615", Part::Of(0..100)),
            ("bytes=100-", Part::None),
            ("bytes=-0", Part::None),
            ("bytes=9-0", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("items=0-1", Part::Whole),
            ("bytes=a-b", Part::Whole),
        ];
        for (range, expected) in table {
            assert_eq!(part_of(range, 100), expected, "{range}");
        }
        assert_eq!(part_of("bytes=0-", 0), Part::None);
    }
}
