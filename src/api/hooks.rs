//! `/hooks/{kind}/{key}`: where providers push.
//!
//! 2xx only after the commit; a wrong signature is 401; our outage or a paused channel is 503 with
//! `Retry-After`, never 404 or 410, at which some providers drop the hook for good.

use axum::{
    Router,
    extract::{Path, Request, State},
    http::Method,
    response::{IntoResponse, Response},
    routing::any,
};
use serde::Deserialize;

use super::{limits::ClientAddress, problem::Problem, push, telephone};
use crate::{app::App, connector::Served};

/// The kinds of hooks whose word differs from the channel kind they belong to.
const ALIASES: [(&str, &str); 1] = [("lead", "webform")];

/// All hooks.
pub fn router() -> Router<App> {
    Router::new()
        .route("/hooks/{kind}/{key}", any(take))
        .route("/hooks/{kind}/{key}/{*rest}", any(take))
}

#[derive(Deserialize)]
struct Place {
    kind: String,
    key: String,
}

async fn take(
    State(app): State<App>,
    Path(place): Path<Place>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Response {
    let kind = ALIASES
        .iter()
        .find(|(word, _)| *word == place.kind)
        .map_or(place.kind.as_str(), |(_, kind)| kind);
    let served = match app.host.served_by_key(&place.key).await {
        Ok(served) => served.filter(|served| served.channel.kind == kind),
        Err(error) => {
            tracing::error!(%error, "a hook's channel could not be read");
            return Problem::unavailable("the store is away; try again").into_response();
        }
    };
    let Some(served) = served else {
        return Problem::not_found("hook").into_response();
    };
    // A connector without this half is no hook; one whose settings are broken is our outage.
    if served
        .connector
        .as_ref()
        .is_ok_and(|connector| connector.webhook().is_none())
    {
        return Problem::not_found("hook").into_response();
    }
    match push::read(&app, address, request).await {
        Ok(request)
            if request.method() == Method::GET
                && telephone::is_route(request.uri().path())
                && asks(&served) =>
        {
            telephone::route(&app, &served, request).await
        }
        Ok(request) => push::take(&app, &served, request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Whether questions can be asked of this channel; one that is paused says so when it is asked.
fn asks(served: &Served) -> bool {
    served
        .connector
        .as_ref()
        .is_ok_and(|connector| connector.telephony().is_some())
}
