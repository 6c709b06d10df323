//! What forms and provider hooks share: reading a push whole, handing it to the connector, and
//! answering only after the commit.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{OriginalUri, Request},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use switchboard_sdk::{Batch, Connector, Receipt, Rejection, WebhookRequest};

use super::{problem::Problem, telephone};
use crate::{
    app::App,
    connector::{Served, intake::tell_typing, pushes::Verdict},
};

/// What a request has around its files: field names, boundaries, headers of parts.
const AROUND_FILES: u64 = 2 << 20;
/// How much beyond the limit is read and thrown away, so that a sender that reads only after it has
/// written learns why it is refused, rather than of a broken pipe.
const DRAIN: u64 = 64 << 20;
/// Larger bodies are parsed on a thread of their own.
const LARGE: usize = 128 << 10;
/// Seconds after which a push to a paused channel is worth repeating.
const PAUSED_RETRY_SECS: u64 = 300;

/// Where connectors find the caller's address, for what they weigh.
const PEER_HEADER: &str = "x-switchboard-peer";

/// A request as a connector takes it: the body raw, the target exact, all headers, and the caller's
/// address in [`PEER_HEADER`].
pub async fn read(app: &App, address: IpAddr, request: Request) -> Result<WebhookRequest, Problem> {
    let (parts, body) = request.into_parts();
    let body = read_body(body, app.config.limits.upload_bytes()).await?;
    let target = parts
        .extensions
        .get::<OriginalUri>()
        .map_or_else(|| parts.uri.clone(), |uri| uri.0.clone());
    let mut whole = WebhookRequest::new(body);
    *whole.method_mut() = parts.method;
    *whole.uri_mut() = target;
    *whole.version_mut() = parts.version;
    *whole.headers_mut() = parts.headers;
    if let Ok(address) = HeaderValue::from_str(&address.to_string()) {
        // Overwrites what the caller may have written there.
        whole.headers_mut().insert(PEER_HEADER, address);
    }
    Ok(whole)
}

/// What announces its size was judged before this (see [`super::limits`]); what does not is counted here.
async fn read_body(body: Body, upload_bytes: u64) -> Result<Bytes, Problem> {
    let limit = upload_bytes + AROUND_FILES;
    let too_large = || Problem::too_large(format!("at most {} MB are taken", upload_bytes >> 20));
    let mut stream = body.into_data_stream();
    let mut whole = BytesMut::new();
    let mut seen = 0_u64;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_request("the body broke off"))?;
        seen += chunk.len() as u64;
        if seen <= limit {
            whole.extend_from_slice(&chunk);
        } else if seen <= limit + DRAIN {
            whole = BytesMut::new();
        } else {
            break;
        }
    }
    if seen > limit {
        Err(too_large())
    } else {
        Ok(whole.freeze())
    }
}

/// Takes a push: the connector verifies and parses it, ingest commits it, the connector answers.
pub async fn take(app: &App, served: &Served, request: WebhookRequest) -> Response {
    let Some(connector) = served.active().filter(|connector| connector.webhook().is_some()) else {
        return paused().into_response();
    };
    let request = Arc::new(request);
    let mut batch = match accept(app, connector, &request).await {
        Ok(batch) => batch,
        Err(Refusal::Rejected(rejection)) => {
            watch(
                app,
                served,
                connector,
                &request,
                Verdict::Refused(words(&rejection)),
            );
            return refuse(connector, &request, &rejection);
        }
        Err(Refusal::Crashed) => {
            tracing::error!(channel.id = served.channel.id, "the connector crashed on a push");
            return Problem::unavailable("this could not be taken; it is worth trying again").into_response();
        }
    };
    batch = match complete(connector, &request, batch).await {
        Ok(batch) => batch,
        Err(reason) => {
            tracing::warn!(
                channel.id = served.channel.id,
                reason,
                "a push could not be completed"
            );
            return Problem::unavailable("this cannot be taken now; it is worth trying again")
                .into_response();
        }
    };
    if let Some(hint) = connector.webhook().and_then(|webhook| webhook.typing(&request)) {
        tell_typing(&app.db, &app.live, &served.channel.id, hint).await;
    }
    app.outgoing
        .fetch_files(&mut batch, app.config.limits.upload_bytes())
        .await;
    let receipt = if batch.events.is_empty() && batch.cursor.is_none() {
        Receipt::default()
    } else {
        match app.ingest.deliver(&served.channel.id, batch).await {
            Ok(receipt) => {
                app.host.reached(&served.channel.id);
                receipt
            }
            Err(error) => {
                tracing::error!(channel.id = served.channel.id, %error, "a push could not be stored");
                watch(
                    app,
                    served,
                    connector,
                    &request,
                    Verdict::Failed(error.to_string()),
                );
                return Problem::unavailable("this could not be stored; try again").into_response();
            }
        }
    };
    watch(app, served, connector, &request, Verdict::of(&receipt));
    if let Err(problem) = telephone::go_on(served, connector, &request).await {
        return problem.into_response();
    }
    if let Some(response) = telephone::answered(app, served, connector, &request).await {
        return response;
    }
    match connector.webhook() {
        Some(webhook) => answer(webhook.reply(&request, &receipt)),
        None => paused().into_response(),
    }
}

/// Why a push was refused, with the fields that are to blame.
pub(super) fn words(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Invalid(errors) => {
            let errors: Vec<String> = errors
                .iter()
                .map(|(field, message)| format!("{field}: {message}"))
                .collect();
            errors.join("; ")
        }
        other => other.to_string(),
    }
}

/// Keeps a push for admins to look at, on channels that are watched.
pub(super) fn watch(
    app: &App,
    served: &Served,
    connector: &Arc<dyn Connector>,
    request: &WebhookRequest,
    verdict: Verdict,
) {
    if connector
        .webhook()
        .is_some_and(|webhook| webhook.is_watched(request))
    {
        let path = request.uri().path().to_owned();
        app.host
            .pushes()
            .note(&served.channel.id, path, request.body(), verdict, app.clock.now());
    }
}

enum Refusal {
    Rejected(Rejection),
    Crashed,
}

async fn accept(
    app: &App,
    connector: &Arc<dyn Connector>,
    request: &Arc<WebhookRequest>,
) -> Result<Batch, Refusal> {
    let now = app.clock.now();
    let (connector, request) = (Arc::clone(connector), Arc::clone(request));
    let large = request.body().len() > LARGE;
    let parse = move || match connector.webhook() {
        Some(webhook) => webhook.accept(&request, now),
        None => Err(Rejection::Malformed("this channel takes no pushes".to_owned())),
    };
    // A connector that crashes on a body must answer 503, not cut the connection.
    let parsed = if large {
        tokio::task::spawn_blocking(parse)
            .await
            .map_err(|_panic| Refusal::Crashed)?
    } else {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(parse)).map_err(|_panic| Refusal::Crashed)?
    };
    parsed.map_err(Refusal::Rejected)
}

/// Lets the connector get what the push only names. Spawned, so that a crash is an answer here too.
async fn complete(
    connector: &Arc<dyn Connector>,
    request: &Arc<WebhookRequest>,
    batch: Batch,
) -> Result<Batch, String> {
    let (connector, request) = (Arc::clone(connector), Arc::clone(request));
    let task = tokio::spawn(async move {
        match connector.webhook() {
            Some(webhook) => webhook.complete(&request, batch).await,
            None => Ok(batch),
        }
    });
    match task.await {
        Ok(completed) => completed.map_err(|fault| fault.to_string()),
        Err(_panic) => Err("the connector crashed over it".to_owned()),
    }
}

pub(super) fn refuse(
    connector: &Arc<dyn Connector>,
    request: &WebhookRequest,
    rejection: &Rejection,
) -> Response {
    let own = connector
        .webhook()
        .and_then(|webhook| webhook.refuse(request, rejection));
    own.map_or_else(|| rejected(rejection).into_response(), answer)
}

/// A connector's answer as ours.
pub fn answer(response: switchboard_sdk::WebhookResponse) -> Response {
    response.map(Body::from)
}

/// A rejection as a problem.
pub fn rejected(rejection: &Rejection) -> Problem {
    match rejection {
        Rejection::Unauthenticated(detail) => Problem::unauthenticated_because(detail.clone()),
        Rejection::Forbidden(detail) => Problem::forbidden(detail.clone()),
        Rejection::Malformed(detail) => Problem::bad_request(detail.clone()),
        Rejection::UnsupportedMediaType(detail) => Problem::unsupported_media_type(detail.clone()),
        Rejection::TooLarge(detail) => Problem::too_large(detail.clone()),
        Rejection::Invalid(errors) => Problem::validation(errors.clone()),
    }
}

/// The channel takes nothing now: worth repeating later, and never "gone", at which providers forget us.
pub fn paused() -> Problem {
    let problem = Problem::unavailable("this channel is switched off at the moment");
    Problem {
        retry_after_secs: Some(PAUSED_RETRY_SECS),
        ..problem
    }
}

/// Lets the pages that may use a channel read an answer of ours, too; never with credentials.
pub fn readable(mut response: Response, served: &Served, origin: Option<&HeaderValue>) -> Response {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let webhook = served
        .connector
        .as_ref()
        .ok()
        .and_then(|connector| connector.webhook());
    let origin = origin.and_then(|origin| origin.to_str().ok());
    let allowed = webhook
        .zip(origin)
        .and_then(|(webhook, origin)| webhook.allow_origin(origin));
    if let Some(allowed) = allowed.and_then(|allowed| HeaderValue::from_str(&allowed).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }
    response
}
