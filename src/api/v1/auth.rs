//! Signing in and out.

use axum::{extract::State, http::StatusCode};
use axum_extra::extract::{CookieJar, cookie::Cookie};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json,
        auth::{COOKIE, Staff},
        limits::ClientAddress,
        problem::Problem,
    },
    app::App,
    auth::{password::MAX_BYTES, session},
    operator::{
        store::find_by_email,
        view::{self, User},
    },
    telemetry::metrics::Counter,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_login))
        .routes(routes!(create_logout))
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LoginIn {
    /// The user's address.
    pub email: String,
    /// Their password.
    #[schema(format = Password)]
    pub password: String,
    /// A one-time code. No user of this version has a second factor: one that is sent is refused.
    pub totp: Option<String>,
}

/// Signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginDone {
    /// Who.
    pub user: User,
    /// For the header X-CSRF-Token of everything that changes something.
    pub csrf_token: String,
}

/// Signs in and sets the cookie.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", operation_id = "create_login", security(()),
    request_body = LoginIn,
    responses(
        (status = 200, body = LoginDone),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "Address or password is wrong"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many attempts"),
    ))]
async fn create_login(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    jar: CookieJar,
    Json(input): Json<LoginIn>,
) -> Result<(CookieJar, Json<LoginDone>), Problem> {
    if input.totp.as_deref().is_some_and(|code| !code.is_empty()) {
        return Err(Problem::invalid(
            "totp",
            "no user has a second factor here; leave it out",
        ));
    }
    app.sign_ins.check(address, &input.email).map_err(|seconds| {
        Counter::SignIns.add(1, &[("outcome", "limited".to_owned())]);
        Problem::rate_limited(seconds)
    })?;
    let user = find_by_email(app.db.read(), &input.email)
        .await?
        .filter(|user| user.enabled);
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    // A password too long to be anybody's is not worth the hashing.
    let fits = input.password.len() <= MAX_BYTES;
    let right = fits
        && app
            .passwords
            .verify(&input.password, stored)
            .await
            .map_err(|error| Problem::from_cause(&error))?;
    let Some(user) = user.filter(|_| right) else {
        Counter::SignIns.add(1, &[("outcome", "refused".to_owned())]);
        return Err(Problem::unauthenticated_because(
            "the e-mail address or the password is wrong",
        ));
    };
    let now = app.clock.now();
    let write = app.db.write().await?;
    let new = session::create(&write, &user.id, now).await?;
    write.commit().await?;
    Counter::SignIns.add(1, &[("outcome", "accepted".to_owned())]);
    let user = view::view(app.db.read(), user, &app.counting.get(), now).await?;
    let jar = jar.add(sign_in_cookie(&app, &new.token)?);
    Ok((
        jar,
        Json(LoginDone {
            user,
            csrf_token: new.csrf_token,
        }),
    ))
}

/// Signs this session out and removes the cookie.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", operation_id = "create_logout",
    responses((status = 204, description = "Signed out")))]
async fn create_logout(
    State(app): State<App>,
    Staff(caller): Staff,
    jar: CookieJar,
) -> Result<(StatusCode, CookieJar), Problem> {
    if let Some(session) = &caller.session {
        let write = app.db.write().await?;
        session::delete(&write, &session.token_hash).await?;
        write.commit().await?;
    }
    let mut gone = Cookie::from(COOKIE);
    gone.set_path("/");
    Ok((StatusCode::NO_CONTENT, jar.remove(gone)))
}

/// The cookie of a new session. It lasts as long as browsers let it; how long the session lives is
/// decided here, each time it is used.
pub(super) fn sign_in_cookie(app: &App, token: &str) -> Result<Cookie<'static>, Problem> {
    const BROWSERS_LIMIT_SECS: u32 = 400 * 24 * 60 * 60;
    let secure = if app.config.is_https() { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={BROWSERS_LIMIT_SECS}{secure}");
    Cookie::parse(text).map_err(|error| Problem::from_cause(&error))
}
