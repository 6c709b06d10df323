//! Extractors that carry rights: a handler's signature says who may call it.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};
use axum_extra::extract::CookieJar;
use subtle::ConstantTimeEq;

use super::problem::Problem;
use crate::{
    app::App,
    auth::{apikey, session},
    db::entity::{auth_session, operator},
    operator::rights::{Role, Scope},
};

/// The sign-in cookie.
pub const COOKIE: &str = "sb_session";
/// The header by which our pages show that a request is theirs.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Who is calling.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user, as of this request.
    pub operator: operator::Model,
    /// What they may see.
    pub scope: Scope,
    /// The sign-in session; none for an API key.
    pub session: Option<auth_session::Model>,
}

impl Caller {
    /// What they may do.
    pub fn role(&self) -> Role {
        self.scope.role
    }
}

/// Anybody signed in.
#[derive(Debug, Clone)]
pub struct Staff(pub Caller);

/// A supervisor or an admin.
#[derive(Debug, Clone)]
pub struct Supervisor(pub Caller);

/// An admin.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

impl FromRequestParts<App> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        identify(parts, app).await.map(Self)
    }
}

impl FromRequestParts<App> for Supervisor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        at_least(Role::Supervisor, parts, app).await.map(Self)
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        at_least(Role::Admin, parts, app).await.map(Self)
    }
}

async fn at_least(role: Role, parts: &Parts, app: &App) -> Result<Caller, Problem> {
    let caller = identify(parts, app).await?;
    if caller.role() < role {
        return Err(Problem::forbidden(format!(
            "this needs the role {}",
            role.as_str()
        )));
    }
    Ok(caller)
}

/// Finds out who is calling: an API key, or the cookie with its CSRF header.
pub async fn identify(parts: &Parts, app: &App) -> Result<Caller, Problem> {
    let db = app.db.read();
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let key = value.to_str().ok().and_then(bearer).ok_or_else(|| {
            Problem::unauthenticated_because("the header Authorization must be `Bearer sb_…`")
        })?;
        let operator = apikey::find(db, key).await?.ok_or_else(|| {
            Problem::unauthenticated_because(
                "this API key is not known, was revoked, or its user is disabled",
            )
        })?;
        let scope = Scope::load(db, &operator).await?;
        return Ok(Caller {
            operator,
            scope,
            session: None,
        });
    }
    let jar = CookieJar::from_headers(&parts.headers);
    let token = jar
        .get(COOKIE)
        .map(|cookie| cookie.value().to_owned())
        .ok_or_else(Problem::unauthenticated)?;
    let now = app.clock.now();
    let (session, operator) = session::find(db, &token, now)
        .await?
        .ok_or_else(Problem::unauthenticated)?;
    guard_cookie(parts, &session, &app.config.server.public_url)?;
    session::prolong(&app.db, &session, now).await?;
    let scope = Scope::load(db, &operator).await?;
    Ok(Caller {
        operator,
        scope,
        session: Some(session),
    })
}

/// A browser sends the cookie along with whatever any page asks of it: what changes something must
/// carry the token that only our page knows, and a socket must come from our page.
fn guard_cookie(parts: &Parts, session: &auth_session::Model, public_url: &str) -> Result<(), Problem> {
    if parts.headers.contains_key(header::UPGRADE) {
        return if is_own_origin(&parts.headers, public_url) {
            Ok(())
        } else {
            Err(Problem::forbidden(
                "a socket with the sign-in cookie is opened from our own pages only",
            ))
        };
    }
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let given = parts
        .headers
        .get(CSRF_HEADER)
        .map(|value| value.as_bytes())
        .unwrap_or_default();
    if bool::from(given.ct_eq(session.csrf_token.as_bytes())) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "the header X-CSRF-Token is missing or wrong; GET /api/v1/me tells the right one",
    ))
}

/// Whether `Origin` is this server, by its public address or by the host the request was sent to.
/// A caller without `Origin` is no browser.
fn is_own_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else { return false };
    if url::Url::parse(public_url).is_ok_and(|url| url.origin().ascii_serialization() == origin) {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let bare = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    host.is_some() && host == bare
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{bearer, is_own_origin};

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(bearer("bearer sb_1"), Some("sb_1"));
        assert_eq!(bearer("Basic sb_1"), None);
    }

    #[test]
    fn a_socket_from_another_site_is_not_ours() {
        let mut headers = HeaderMap::new();
        assert!(is_own_origin(&headers, "https://chat.example.org"));
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://evil.example"));
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8080"));
        assert!(!is_own_origin(&headers, "https://chat.example.org"));
        headers.insert(
            header::ORIGIN,
            HeaderValue::from_static("https://chat.example.org"),
        );
        assert!(is_own_origin(&headers, "https://chat.example.org"));
        headers.insert(header::ORIGIN, HeaderValue::from_static("http://127.0.0.1:8080"));
        assert!(is_own_origin(&headers, "https://chat.example.org"));
    }
}
