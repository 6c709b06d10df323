//! The user who asks.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{Json, auth::Staff, limits::ClientAddress, problem::Problem},
    app::App,
    auth::{password, session},
    operator::{
        rights::rule::{Grid, Reach},
        store::{self, Patch},
        view::{self, User},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_me))
        .routes(routes!(update_my_password))
}

/// The user who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// How far each action reaches, by object: what the role gives.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Reach>>)]
    pub rights: Grid,
    /// For the header X-CSRF-Token; null for a caller with an API key, who needs none.
    pub csrf_token: Option<String>,
    /// What is offered to who pauses; any other text is a reason as well.
    pub pause_reasons: Vec<String>,
    /// Seconds without a key or a mouse after which a window says `away`.
    pub away_after_secs: u32,
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PasswordIn {
    /// The one until now.
    #[schema(format = Password)]
    pub current: String,
    /// The one from now on, eight characters or more.
    #[schema(format = Password, min_length = 8)]
    pub new: String,
}

/// Tells who the caller is.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", operation_id = "get_me", responses((status = 200, body = Me)))]
async fn get_me(State(app): State<App>, Staff(caller): Staff) -> Result<Json<Me>, Problem> {
    let user = view::view(
        app.db.read(),
        caller.operator,
        &app.counting.get(),
        app.clock.now(),
    )
    .await?;
    Ok(Json(Me {
        user,
        rights: caller.scope.rights().grid(),
        csrf_token: caller.session.map(|session| session.csrf_token),
        pause_reasons: app.config.operators.pause_reasons.clone(),
        away_after_secs: app.config.operators.away_after_secs,
    }))
}

/// Changes the caller's password and signs them out everywhere else.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "me", operation_id = "update_my_password",
    request_body = PasswordIn, responses((status = 204, description = "Changed")))]
async fn update_my_password(
    State(app): State<App>,
    Staff(caller): Staff,
    ClientAddress(address): ClientAddress,
    Json(input): Json<PasswordIn>,
) -> Result<StatusCode, Problem> {
    let Some(stored) = caller.operator.password_hash.clone() else {
        return Err(Problem::conflict(
            "this user signs in with an API key and has no password",
        ));
    };
    if let Some(message) = password::refusal(&input.new) {
        return Err(Problem::invalid("new", message));
    }
    // A stolen session must not try passwords either.
    app.sign_ins
        .check(address, &caller.operator.id)
        .map_err(Problem::rate_limited)?;
    let hashing = |error: password::Error| Problem::from_cause(&error);
    if !app
        .passwords
        .verify(&input.current, Some(stored))
        .await
        .map_err(hashing)?
    {
        return Err(Problem::invalid("current", "is not the present password"));
    }
    let hash = app.passwords.hash(&input.new).await.map_err(hashing)?;
    let mut write = app.db.write().await?;
    let patch = Patch {
        password_hash: Some(hash),
        ..Patch::default()
    };
    store::update(&mut write, &caller.operator.id, patch, app.clock.now()).await?;
    let keep = caller.session.as_ref().map(|session| session.token_hash.as_str());
    session::delete_others(&write, &caller.operator.id, keep).await?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
