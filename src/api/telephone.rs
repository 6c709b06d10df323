//! Questions of telephone systems: who should get this caller? Answered while the caller hears it ring, so by one look
//! at the present and nothing else.

use std::sync::Arc;

use axum::{
    http::Method,
    response::{IntoResponse, Response},
};
use switchboard_sdk::{Connector, RouteAnswer, RouteQuestion, SendError, Telephony, WebhookRequest};

use super::{problem::Problem, push};
use crate::{
    app::App,
    call::{self, Setup},
    connector::{Served, pushes::Verdict},
};

/// The last part of the address at which is asked.
pub const ROUTE: &str = "route";

/// `GET /hooks/voip/{key}/route`: verified like a push, stores nothing.
pub async fn route(app: &App, served: &Served, request: WebhookRequest) -> Response {
    let Some(connector) = served.active() else {
        return push::paused().into_response();
    };
    let Some(telephony) = connector.telephony() else {
        return Problem::not_found("hook").into_response();
    };
    let question = match telephony.question(&request, app.clock.now()) {
        Ok(question) => question,
        Err(rejection) => {
            let verdict = Verdict::Refused(push::words(&rejection));
            push::watch(app, served, connector, &request, verdict);
            return push::refuse(connector, &request, &rejection);
        }
    };
    push::watch(app, served, connector, &request, Verdict::Taken);
    match decided(app, served, &question).await {
        Ok(answer) => push::answer(telephony.answer(&request, &answer)),
        Err(problem) => problem.into_response(),
    }
}

/// The answer to a push that is a question at the same time, after it was stored. When nothing can be decided the
/// telephone system goes on by itself: a caller must never be lost because of us.
pub async fn answered(
    app: &App,
    served: &Served,
    connector: &Arc<dyn Connector>,
    request: &WebhookRequest,
) -> Option<Response> {
    let telephony: &dyn Telephony = connector.telephony()?;
    let at_route = request.method() == Method::POST && is_route(request.uri().path());
    if !at_route && !telephony.asks(request) {
        return None;
    }
    let question = telephony.question(request, app.clock.now()).ok()?;
    let answer = decided(app, served, &question).await.unwrap_or_default();
    Some(push::answer(telephony.answer(request, &answer)))
}

/// The next step of a dialogue with the provider that a stored push is part of. One that did not arrive is told as our outage, so
/// that the provider repeats the push and the step with it; one that was refused will not do better the next time.
pub async fn go_on(
    served: &Served,
    connector: &Arc<dyn Connector>,
    request: &WebhookRequest,
) -> Result<(), Problem> {
    let Some(telephony) = connector.telephony() else {
        return Ok(());
    };
    match telephony.go_on(request).await {
        Ok(()) => Ok(()),
        Err(SendError::Refused { reason }) => {
            tracing::warn!(
                channel.id = served.channel.id,
                reason,
                "a telephone system refused the next step of a call"
            );
            Ok(())
        }
        Err(error) => {
            tracing::warn!(channel.id = served.channel.id, %error, "the next step of a call did not reach its telephone system");
            Err(Problem::unavailable(
                "the call could not be taken further; it is worth trying again",
            ))
        }
    }
}

/// Whether an address asks.
pub fn is_route(path: &str) -> bool {
    path.rsplit('/').next() == Some(ROUTE)
}

async fn decided(app: &App, served: &Served, question: &RouteQuestion) -> Result<RouteAnswer, Problem> {
    let setup = Setup::of_served(served);
    let counting = app.counting.get();
    let now = app.clock.now();
    let line = &served.channel.line_id;
    let answer = call::route::answer(app.db.read(), &setup, line, question, &counting, now).await;
    answer.map_err(|error| {
        tracing::error!(channel.id = served.channel.id, %error, "a telephone system's question could not be answered");
        Problem::unavailable("the store is away; try again")
    })
}
