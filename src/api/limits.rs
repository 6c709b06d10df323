//! Sizes and times of requests, and whose they are.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;

use super::problem::Problem;
use crate::{app::App, config::Config};

/// Largest JSON body, in bytes.
pub const JSON_BYTES: u64 = 2 << 20;
/// What a form may have beside its file, in bytes.
const FORM_SLACK: u64 = 2 << 20;
/// Uploads may take this long.
const UPLOAD_TIME: Duration = Duration::from_secs(15 * 60);

/// The address the request came from, behind proxies that are trusted.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok(Self(client_address(
            peer,
            &parts.headers,
            &app.config.server.trusted_proxies,
        )))
    }
}

/// The last address of `X-Forwarded-For` that no trusted proxy has; each proxy appends the one it saw.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let lists: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let mut nearest = peer;
    for address in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Ok(address) = address.trim().parse::<IpAddr>() else {
            break;
        };
        nearest = address;
        if !is_trusted(&address) {
            break;
        }
    }
    nearest
}

/// Refuses bodies that are too large by what they say of themselves; extractors hold those that do not say.
pub async fn bodies(State(app): State<App>, request: Request, next: Next) -> Response {
    let limit = body_limit(&app.config, request.uri().path(), request.headers());
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if length.is_none_or(|length| length <= limit) {
        return next.run(request).await;
    }
    Problem::too_large(format!("the body may have at most {limit} bytes here")).into_response()
}

/// Ends what takes too long.
pub async fn times(State(app): State<App>, request: Request, next: Next) -> Response {
    let limit = if is_multipart(request.headers()) {
        UPLOAD_TIME
    } else {
        Duration::from_secs(app.config.server.request_timeout_secs)
    };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timed_out().into_response(),
    }
}

fn body_limit(config: &Config, path: &str, headers: &HeaderMap) -> u64 {
    let takes_files = ["/f/", "/hooks/"].iter().any(|start| path.starts_with(start)) || is_multipart(headers);
    if takes_files {
        config.limits.upload_bytes() + FORM_SLACK
    } else {
        JSON_BYTES
    }
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/"))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::{HeaderMap, HeaderValue};

    use super::client_address;

    fn seen_as(peer: &str, forwarded: &str) -> Option<IpAddr> {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).ok()?);
        let trusted = ["10.0.0.0/8".parse().ok()?];
        Some(client_address(peer.parse().ok()?, &headers, &trusted))
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let address = |text: &str| text.parse::<IpAddr>().ok();
        assert_eq!(seen_as("203.0.113.9", "198.51.100.1"), address("203.0.113.9"));
        assert_eq!(seen_as("10.0.0.1", "198.51.100.1"), address("198.51.100.1"));
        assert_eq!(
            seen_as("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2"),
            address("198.51.100.1")
        );
        assert_eq!(seen_as("10.0.0.1", "rubbish"), address("10.0.0.1"));
    }
}
