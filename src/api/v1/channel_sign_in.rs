//! Signing a channel in at its provider, in the admin's browser.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use switchboard_sdk::SignInRequest;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::channels::{channel_problem, descriptor_of, find, try_build};
use crate::{
    api::{Json, Path, auth::Admin, problem::Problem},
    app::App,
    channel::{
        self, Changes,
        sign_in::{self, Pending},
        view::Channel,
    },
};

/// The page of the app that the provider sends the browser back to.
const RETURN_PATH: &str = "/admin/channels/signed-in";

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in_address, finish_sign_in))
        .routes(routes!(begin_sign_in))
}

/// What an admin registers with a provider.
#[derive(Debug, Serialize, ToSchema)]
struct SignInAddress {
    /// Where the provider sends the browser back to (the redirect URI of the application).
    redirect_uri: String,
}

/// A sign-in that began.
#[derive(Debug, Serialize, ToSchema)]
struct SignInBegun {
    /// Where the browser goes now.
    url: String,
    /// Where it comes back to.
    redirect_uri: String,
}

/// What the provider gave the browser along.
#[derive(Debug, Deserialize, ToSchema)]
struct SignInAnswer {
    /// As it was given.
    #[schema(max_length = 2000)]
    state: String,
    /// The authorization code.
    #[schema(max_length = 8000)]
    code: String,
}

/// Says what is to be registered with a provider before anybody can sign in there.
#[utoipa::path(get, path = "/api/v1/channels/sign-in", tag = "channels", operation_id = "channel_sign_in_address",
    responses((status = 200, body = SignInAddress)))]
async fn sign_in_address(State(app): State<App>, Admin(_caller): Admin) -> Json<SignInAddress> {
    Json(SignInAddress {
        redirect_uri: redirect_uri(&app),
    })
}

/// Begins to sign a channel in (OAuth 2.0 with PKCE). Whoever begins must end it, within a quarter of an hour.
#[utoipa::path(post, path = "/api/v1/channels/{id}/sign-in", tag = "channels", operation_id = "begin_channel_sign_in",
    params(("id" = String, Path, description = "`chn_…` or the key")),
    responses((status = 200, body = SignInBegun),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Its settings ask for no sign-in")))]
async fn begin_sign_in(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
) -> Result<Json<SignInBegun>, Problem> {
    let row = find(&app, &id).await?;
    app.host.reload(&row.id).await?;
    let connector = app.host.connector(&row.id);
    let provider = connector.as_ref().and_then(|connector| connector.sign_in());
    let provider = provider.ok_or_else(no_sign_in)?;
    let pending = Pending::new(&row.id, &caller.operator.id, redirect_uri(&app), app.clock.now());
    let state = pending
        .state(&app.vault)
        .map_err(|error| Problem::from_cause(&error))?;
    let request = SignInRequest {
        redirect_uri: pending.redirect_uri.clone(),
        state,
        code_challenge: pending.challenge(),
    };
    let url = provider
        .authorize_url(&request)
        .map_err(|fault| Problem::conflict(fault.to_string()))?;
    Ok(Json(SignInBegun {
        url,
        redirect_uri: pending.redirect_uri,
    }))
}

/// Ends it: trades the code for what the channel needs, stores that sealed, and starts the channel anew.
#[utoipa::path(post, path = "/api/v1/channels/sign-in", tag = "channels", operation_id = "finish_channel_sign_in",
    request_body = SignInAnswer, responses((status = 200, body = Channel),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The provider refused, or the sign-in was not begun by this user")))]
async fn finish_sign_in(
    State(app): State<App>,
    Admin(caller): Admin,
    Json(answer): Json<SignInAnswer>,
) -> Result<Json<Channel>, Problem> {
    let pending = Pending::of_state(&app.vault, &answer.state, &caller.operator.id, app.clock.now());
    let pending = pending.map_err(|refused| Problem::conflict(refused.to_string()))?;
    if answer.code.is_empty() || answer.code.len() > 8000 {
        return Err(Problem::invalid(
            "code",
            "is what the provider gave the browser along",
        ));
    }
    let row = find(&app, &pending.channel_id).await?;
    let descriptor = descriptor_of(&app, &row.kind)?;
    let connector = app.host.connector(&row.id);
    let provider = connector.as_ref().and_then(|connector| connector.sign_in());
    let provider = provider.ok_or_else(no_sign_in)?;
    let gained = provider
        .finish(&answer.code, &pending.verifier, &pending.redirect_uri)
        .await
        .map_err(|fault| Problem::conflict(fault.to_string()))?;
    let changes = Changes {
        settings: Some(sign_in::patch(gained)),
        ..Changes::default()
    };
    let now = app.clock.now();
    let mut write = app.db.write().await?;
    let build = try_build(&app);
    let row = channel::update(&mut write, &app.vault, descriptor, &build, &row.id, changes, now).await;
    let row = row.map_err(channel_problem)?;
    write.commit().await?;
    app.host.reload(&row.id).await?;
    Ok(Json(Channel::at(row, now)))
}

fn no_sign_in() -> Problem {
    Problem::conflict("the settings of this channel ask for no sign-in at a provider: save them first")
}

fn redirect_uri(app: &App) -> String {
    format!("{}{RETURN_PATH}", app.config.server.public_url)
}
