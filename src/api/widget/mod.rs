//! `/widget/v1/{key}/…`: the web chat, for visitors of other sites (API.md, "Visitors").
//!
//! Every request is admitted by the channel's list of sites before anything else, and every answer
//! carries the headers by which a page of such a site may read it.

mod files;
mod messages;
mod sessions;
mod socket;

pub(crate) use files::file_response;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, FromRequestParts, RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use switchboard_sdk::{Connector, VisitorDesk};

use super::{
    budget::{Budget, Origin},
    limits::ClientAddress,
    problem::{Problem, Result},
    push,
};
use crate::{
    app::App,
    connector::Served,
    db::entity::{conversation, visitor},
    visitor::{
        self as visitors, block, mail,
        standing::{self, Standing},
        store,
        view::Mask,
        work::Spent,
    },
};

/// Largest JSON body: the longest message, four bytes a character, and what is around it.
const JSON_BYTES: usize = 64 << 10;
/// What an upload has around its file.
const AROUND_FILE: u64 = 1 << 20;
/// Seconds for which a browser remembers a preflight.
const PREFLIGHT_SECS: &str = "600";

/// All paths of the widget, but its scripts.
pub fn router(app: &App) -> Router<App> {
    let upload = usize::try_from(app.config.limits.upload_bytes() + AROUND_FILE).unwrap_or(usize::MAX);
    Router::new()
        .route("/widget/v1/{key}/sessions", post(sessions::open))
        .route(
            "/widget/v1/{key}/messages",
            get(messages::list).post(messages::create),
        )
        .route("/widget/v1/{key}/invitations", get(sessions::invitations))
        .route("/widget/v1/{key}/end", post(messages::end))
        .route("/widget/v1/{key}/typing", post(messages::typing))
        .route("/widget/v1/{key}/read", post(messages::read))
        .route("/widget/v1/{key}/rating", post(messages::rate))
        .route("/widget/v1/{key}/transcript", post(messages::transcript))
        .route("/widget/v1/{key}/socket", get(socket::open))
        .route("/widget/v1/{key}/attachments/{id}", get(files::download))
        .layer(DefaultBodyLimit::max(JSON_BYTES))
        .route(
            "/widget/v1/{key}/attachments",
            post(files::upload).layer(DefaultBodyLimit::max(upload)),
        )
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(Extension(Arc::new(Shared::new(app))))
}

/// What all requests share.
struct Shared {
    /// Above these, strangers solve a puzzle first: for a channel, and for an address, which may be an office.
    strangers: Budget<String>,
    neighbours: Budget<Origin>,
    spent: Spent,
    /// Of a channel as a whole: what no site writes unless it is flooded.
    channel_messages: Budget<String>,
    sessions: Budget<Origin>,
    messages: Budget<Origin>,
    uploads: Budget<Origin>,
    sockets: Budget<Origin>,
    /// Mails to addresses that strangers name: few, and for a channel as a whole.
    transcripts: Budget<Origin>,
    channel_transcripts: Budget<String>,
    visitor_messages: Budget<String>,
    visitor_uploads: Budget<String>,
    visitor_reads: Budget<String>,
    visitor_hints: Budget<String>,
}

impl Shared {
    fn new(app: &App) -> Self {
        let strangers = app.config.limits.chat_strangers_per_minute;
        Self {
            strangers: Budget::new(strangers, strangers),
            neighbours: Budget::new(strangers.div_ceil(4), strangers.div_ceil(4)),
            spent: Spent::default(),
            channel_messages: Budget::new(12_000, 6_000),
            // An office of a hundred behind one address stays far below these.
            sessions: Budget::new(300, 300),
            messages: Budget::new(1200, 600),
            uploads: Budget::new(300, 150),
            sockets: Budget::new(600, 300),
            transcripts: Budget::new(20, 5),
            channel_transcripts: Budget::new(200, 60),
            visitor_messages: Budget::new(60, 30),
            visitor_uploads: Budget::new(30, 20),
            visitor_reads: Budget::new(600, 200),
            visitor_hints: Budget::new(240, 120),
        }
    }
}

/// The channel a request is for: enabled, and a web chat.
#[derive(Clone)]
struct Chat {
    served: Arc<Served>,
    connector: Arc<dyn Connector>,
    address: IpAddr,
}

impl Chat {
    fn channel_id(&self) -> &str {
        &self.served.channel.id
    }

    fn key(&self) -> &str {
        &self.served.channel.key
    }

    /// The rules. Present since [`admit`] looked.
    fn desk(&self) -> Result<&dyn VisitorDesk> {
        self.connector.visitor_desk().ok_or_else(push::paused)
    }

    /// Takes one of a budget of the caller's address, when budgets are on.
    fn spend(&self, app: &App, budget: &Budget<Origin>) -> Result<()> {
        if app.config.limits.enabled {
            budget.take(&Origin::from(self.address))
        } else {
            Ok(())
        }
    }

    /// Takes one of the channel's budget, when budgets are on.
    fn spend_of_channel(&self, app: &App, budget: &Budget<String>) -> Result<()> {
        if app.config.limits.enabled {
            budget.take(&self.served.channel.id)
        } else {
            Ok(())
        }
    }

    /// Where the request comes from, as blocks name it.
    fn origin(&self) -> String {
        Origin::from(self.address).to_string()
    }

    /// The visitor of a token, unless they are blocked.
    async fn visitor(&self, app: &App, token: &str) -> Result<visitor::Model> {
        let known = store::by_token(app.db.read(), self.channel_id(), token).await?;
        let visitor = known.ok_or_else(|| {
            Problem::unauthenticated_because("this visitor token is not known here; open a session")
        })?;
        self.judge(app, Some(&visitor)).await?;
        Ok(visitor)
    }

    /// Refuses who is blocked.
    async fn judge(&self, app: &App, visitor: Option<&visitor::Model>) -> Result<()> {
        let (origin, now) = (self.origin(), app.clock.now());
        if block::is_blocked(app.db.read(), self.channel_id(), visitor, Some(&origin), now).await? {
            return Err(Problem::forbidden("this chat is not available to you"));
        }
        Ok(())
    }

    /// How the session of a visitor's conversation stands.
    async fn standing(
        &self,
        app: &App,
        visitor: &visitor::Model,
        conversation: &conversation::Model,
        now: DateTime<Utc>,
    ) -> Result<Standing> {
        let mut standing = standing::of(&app.db, &app.board, &app.voice, conversation, now).await?;
        if standing.ended {
            standing.transcript = app.chat_mail.offered(visitor, conversation).await?;
        }
        Ok(standing)
    }

    /// How the staff is called here.
    async fn mask(&self, app: &App) -> Result<Mask> {
        Ok(match self.desk()?.staff_name() {
            Some(name) => Mask::new(name.to_owned(), store::staff_names(app.db.read()).await?),
            None => Mask::default(),
        })
    }
}

/// A visitor who showed their token.
struct Visitor(visitor::Model);

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let chat = parts.extensions.get::<Chat>().ok_or_else(Problem::no_such_path)?;
        let token = bearer(&parts.headers).ok_or_else(|| {
            Problem::unauthenticated_because("send `Authorization: Bearer <visitor_token>`")
        })?;
        chat.visitor(app, token).await.map(Self)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Takes one of a visitor's budget, when budgets are on.
fn spend(app: &App, budget: &Budget<String>, visitor: &visitor::Model) -> Result<()> {
    if app.config.limits.enabled {
        budget.take(&visitor.id)
    } else {
        Ok(())
    }
}

/// Finds the channel, judges where the request comes from, and lets the page there read the answer.
async fn admit(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let key = params
        .iter()
        .find(|(name, _)| *name == "key")
        .map(|(_, key)| key.to_owned())
        .unwrap_or_default();
    let served = match app.host.served_by_key(&key).await {
        Ok(served) => served.filter(|served| {
            served
                .connector
                .as_ref()
                .map_or(true, |it| it.visitor_desk().is_some())
        }),
        Err(error) => {
            tracing::error!(%error, "a chat's channel could not be read");
            return Problem::unavailable("the store is away; try again").into_response();
        }
    };
    let Some(served) = served else {
        return Problem::not_found("chat").into_response();
    };
    let Ok(connector) = &served.connector else {
        return push::paused().into_response();
    };
    let Some(desk) = connector.visitor_desk() else {
        return Problem::not_found("chat").into_response();
    };
    let origin = request.headers().get(header::ORIGIN).cloned();
    let text = origin
        .as_ref()
        .map(|origin| origin.to_str().unwrap_or("unreadable"));
    if let Err(rejection) = desk.admit(text) {
        return push::rejected(&rejection).into_response();
    }
    let response = if request.method() == Method::OPTIONS {
        preflight()
    } else if served.active().is_none() {
        push::paused().into_response()
    } else {
        let connector = Arc::clone(connector);
        request.extensions_mut().insert(Chat {
            served: Arc::clone(&served),
            connector,
            address,
        });
        next.run(request).await
    };
    readable(response, origin)
}

fn preflight() -> Response {
    let answer = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECS),
    ];
    (StatusCode::NO_CONTENT, answer).into_response()
}

/// The page that was admitted may read the answer; never with credentials, the widget has its token.
fn readable(mut response: Response, origin: Option<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after"),
        );
    }
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("cross-origin"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

impl From<mail::Error> for Problem {
    fn from(error: mail::Error) -> Self {
        match error {
            mail::Error::Address(message) => Problem::invalid("email", message),
            mail::Error::Spent => Problem {
                detail: error.to_string(),
                ..Problem::rate_limited(3_600)
            },
            mail::Error::Db(error) => error.into(),
            mail::Error::NoChannel
            | mail::Error::NoConversation
            | mail::Error::NotEnded
            | mail::Error::NotAnswered
            | mail::Error::Asked => Problem::conflict(error.to_string()),
        }
    }
}

impl From<visitors::Error> for Problem {
    fn from(error: visitors::Error) -> Self {
        match error {
            visitors::Error::Rejected(rejection) => push::rejected(&rejection),
            visitors::Error::NoConversation => {
                Problem::conflict("there is no conversation yet: nothing was written")
            }
            visitors::Error::Rated => {
                Problem::conflict("this conversation was rated a while ago, and that stands")
            }
            visitors::Error::Ingest(error) => {
                tracing::error!(%error, "a visitor's message could not be stored");
                Problem::unavailable("this could not be stored; send it again with the same client_id")
            }
            visitors::Error::Db(error) => error.into(),
        }
    }
}
