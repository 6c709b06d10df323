//! `/hooks/1c/{key}`: where 1C exchanges orders and counterparties with us, as CommerceML has it.
//!
//! `success` only after the commit. What 1C shows its user is the text of an answer, so refusals say why in it too.

use std::time::Duration;

use axum::{
    Router,
    body::to_bytes,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use crate::{
    app::App,
    commerce::{
        self, Counts, Options, State as FileState,
        answer::{self, Why},
        receive::{self, COOKIE, Error, PART_BYTES},
        store,
    },
    db::entity::commerce_exchange,
};

/// How long a request waits for a file to be taken in before 1C is asked to look again; it gives up after a minute.
const PATIENCE: Duration = Duration::from_secs(20);
/// Another node may be at the file: look this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The hook of all exchanges.
pub fn router() -> Router<App> {
    Router::new()
        .route("/hooks/1c/{key}", any(take))
        .route("/hooks/1c/{key}/{*rest}", any(take_below))
}

/// What 1C asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    mode: String,
    filename: Option<String>,
}

async fn take_below(
    state: State<App>,
    Path((key, _rest)): Path<(String, String)>,
    asked: Query<Asked>,
    request: Request,
) -> Response {
    take(state, Path(key), asked, request).await
}

async fn take(
    State(app): State<App>,
    Path(key): Path<String>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    let exchange = match store::by_key(app.db.read(), &key).await {
        Ok(Some(exchange)) => exchange,
        Ok(None) => return Problem::not_found("hook").into_response(),
        Err(error) => {
            tracing::error!(%error, "an exchange could not be read");
            return Problem::unavailable("the store is away; try again").into_response();
        }
    };
    let language = Options::read(&exchange.options).language;
    match serve(&app, &exchange, &asked, request).await {
        Ok(bytes) => said(StatusCode::OK, bytes),
        Err(Error::Told(why)) => said(status_of(why), answer::failure(&why, language)),
        Err(error) => {
            tracing::error!(exchange.id, %error, "1C could not be served");
            said(
                StatusCode::SERVICE_UNAVAILABLE,
                answer::failure(&Why::Away, language),
            )
        }
    }
}

fn status_of(why: Why) -> StatusCode {
    match why {
        Why::Password | Why::NotSignedIn => StatusCode::UNAUTHORIZED,
        Why::Disabled | Why::Away => StatusCode::SERVICE_UNAVAILABLE,
        Why::PartTooLarge | Why::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        // What 1C shows of any other status is the status alone.
        Why::NoName | Why::NoFile | Why::Busy | Why::Mode => StatusCode::OK,
    }
}

fn said(status: StatusCode, bytes: Vec<u8>) -> Response {
    let content_type = if bytes.starts_with(b"<?xml") {
        "text/xml; charset=utf-8"
    } else {
        answer::CONTENT_TYPE
    };
    let mut response = (
        status,
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "no-store"),
        ],
        bytes,
    )
        .into_response();
    if status == StatusCode::UNAUTHORIZED {
        let ask = header::HeaderValue::from_static("Basic realm=\"1C\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    }
    response
}

async fn serve(
    app: &App,
    exchange: &commerce_exchange::Model,
    asked: &Asked,
    request: Request,
) -> Result<Vec<u8>, Error> {
    let now = app.clock.now();
    if asked.mode == "checkauth" {
        if !is_signed(exchange, request.headers()) {
            return Err(Error::Told(Why::Password));
        }
        if !exchange.enabled {
            return Err(Error::Told(Why::Disabled));
        }
        let token = receive::begin(&app.vault, exchange, now);
        commerce::seen(&app.db, &exchange.id, now).await?;
        return Ok(answer::signed_in(COOKIE, &token, now.timestamp()));
    }
    let sitting = cookie(request.headers())
        .and_then(|token| receive::sitting(&app.vault, exchange, token, now))
        // Some versions send the password each time, and no cookie.
        .or_else(|| is_signed(exchange, request.headers()).then(|| "password".to_owned()))
        .ok_or(Error::Told(Why::NotSignedIn))?;
    if !exchange.enabled {
        return Err(Error::Told(Why::Disabled));
    }
    let name = asked.filename.as_deref().and_then(receive::bare_name);
    match asked.mode.as_str() {
        "init" => Ok(answer::limits(PART_BYTES)),
        "query" => Ok(answer::nothing_of_ours(
            &now.format("%Y-%m-%dT%H:%M:%S").to_string(),
        )),
        // What is told at the end of an exchange; nothing is left to do then.
        "success" | "complete" | "deactivate" => Ok(answer::success()),
        "file" if request.method() == Method::POST || request.method() == Method::PUT => {
            let name = name.ok_or(Error::Told(Why::NoName))?;
            let limit = usize::try_from(PART_BYTES).unwrap_or(usize::MAX);
            let bytes = to_bytes(request.into_body(), limit)
                .await
                .map_err(|_| Error::Told(Why::PartTooLarge))?;
            receive::part(&app.commerce_tools(), &exchange.id, &sitting, &name, bytes).await?;
            Ok(answer::success())
        }
        "import" => {
            let name = name.ok_or(Error::Told(Why::NoName))?;
            take_in(app, exchange, &sitting, &name).await
        }
        _ => Err(Error::Told(Why::Mode)),
    }
}

/// Has a file taken in and answers how far it is.
async fn take_in(
    app: &App,
    exchange: &commerce_exchange::Model,
    sitting: &str,
    name: &str,
) -> Result<Vec<u8>, Error> {
    let language = Options::read(&exchange.options).language;
    let tools = app.commerce_tools();
    let until = Instant::now() + PATIENCE;
    loop {
        // Asked for before the look, so that what happens in between is not missed.
        let moved = tools.bell.until_moved();
        tokio::pin!(moved);
        let row = receive::whole(&tools, &exchange.id, sitting, name).await?;
        let state = FileState::parse(&row.state);
        // An archive that was unpacked has given way to the file itself.
        let is_over = state.is_over() && (row.name == name || state != FileState::Unpacked);
        if is_over || Instant::now() >= until {
            let counts = Counts::read(&row.counts);
            return Ok(answer::of_file(
                state,
                row.cursor,
                &counts,
                row.error.as_deref(),
                language,
            ));
        }
        drop(timeout_at(until.min(Instant::now() + LOOK_EVERY), moved).await);
    }
}

fn is_signed(exchange: &commerce_exchange::Model, headers: &HeaderMap) -> bool {
    let Some((user_name, password)) = basic(headers) else {
        return false;
    };
    receive::is_allowed(exchange, &user_name, &password)
}

/// Name and password of RFC 7617.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user_name, password) = decoded.split_once(':')?;
    Some((user_name.to_owned(), password.to_owned()))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
