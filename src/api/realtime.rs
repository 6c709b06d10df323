//! The operators' socket: everything they may see, in order, without gaps, from where they left.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    },
    response::Response,
};
use sea_orm::{DbErr, EntityTrait};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Query,
    auth::{Caller, Staff},
    problem::Result,
};
use crate::{
    app::App,
    db::entity::operator,
    event::{self, EventType},
    id,
    live::{Audience, Item, LiveEvent, Typing},
    operator::{
        presence::{self, Presence},
        rights::{Action, Object, Scope},
    },
    telemetry::metrics::Counter,
};

/// How long one look at a socket proves that somebody is there.
const LEASE: Duration = Duration::from_secs(50);
/// How often the proof is renewed and the other side is pinged.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// A socket that says nothing for this long is dead.
const SILENCE: Duration = Duration::from_secs(65);
/// Presence lasts this long after a socket closed, so that a reload of the page is no absence.
const GRACE: Duration = Duration::from_secs(12);
/// A frame that cannot be written for this long means that the client does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// Largest frame a client may send, in bytes.
const MAX_FRAME: usize = 16 * 1024;
/// Events further back than this are not replayed: the client loads its lists again.
const MAX_REPLAY: i64 = 20_000;

/// Signed out, or the user was disabled.
const CLOSE_SIGNED_OUT: u16 = 4401;
/// The client reads too slowly; it may come back with `since`.
const CLOSE_TOO_SLOW: u16 = 4408;
/// The server restarts (RFC 6455, registered as "Service Restart").
const CLOSE_RESTART: u16 = 1012;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(open_realtime))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct SinceQuery {
    /// The number of the last event the client has seen; absent for "from now on".
    since: Option<i64>,
}

/// Opens the socket (WebSocket). Frames are described in docs/realtime.md.
#[utoipa::path(get, path = "/api/v1/realtime", tag = "realtime", params(SinceQuery),
    responses((status = 101, description = "the socket is open")))]
async fn open_realtime(
    State(app): State<App>,
    Staff(caller): Staff,
    Query(query): Query<SinceQuery>,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    Ok(upgrade
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(move |socket| async move {
            let operator_id = caller.operator.id.clone();
            if let Err(error) = Connection::new(app, caller, socket).serve(query.since).await {
                tracing::warn!(operator.id = operator_id, %error, "a realtime socket ended with an error");
            }
        }))
}

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Ping,
    Typing {
        conversation_id: String,
    },
    /// Wants to know where the visitor of this conversation is; of none, without an id.
    Watch {
        conversation_id: Option<String>,
    },
    Away,
    Active,
}

/// Why a connection ends.
enum End {
    Gone,
    Close(u16, &'static str),
}

struct Connection {
    app: App,
    caller: Caller,
    socket: WebSocket,
    /// The name of this socket's presence lease.
    source: String,
    state: Presence,
    /// The number of the last event that was sent or passed over.
    seq: i64,
    /// The conversation whose visitor is watched.
    watched: Option<String>,
}

impl Connection {
    fn new(app: App, caller: Caller, socket: WebSocket) -> Self {
        Self {
            app,
            caller,
            socket,
            source: format!("socket:{}", id::word()),
            state: Presence::Online,
            seq: 0,
            watched: None,
        }
    }

    async fn serve(mut self, since: Option<i64>) -> std::result::Result<(), DbErr> {
        let who = [("end", "operator".to_owned())];
        Counter::SocketsOpened.add(1, &who);
        let end = self.run(since).await;
        Counter::SocketsClosed.add(1, &who);
        if let Ok(End::Close(code, reason)) = &end {
            let frame = CloseFrame {
                code: *code,
                reason: Utf8Bytes::from_static(reason),
            };
            drop(timeout(WRITE_TIMEOUT, self.socket.send(Message::Close(Some(frame)))).await);
        }
        let now = self.app.clock.now();
        presence::leave(&self.app.db, &self.caller.operator.id, &self.source, GRACE, now).await?;
        end.map(|_| ())
    }

    async fn run(&mut self, since: Option<i64>) -> std::result::Result<End, DbErr> {
        // Listening begins before the log is read, so that nothing falls between the two.
        let mut live = self.app.live.subscribe();
        let head = *self.app.db.head().borrow();
        let resumed = match since {
            Some(since) => self.can_resume(since, head).await?,
            None => true,
        };
        self.seq = since.filter(|_| resumed).unwrap_or(head);
        let hello = json!({"type": "hello", "seq": self.seq, "resumed": resumed}).to_string();
        if self.send(hello.into()).await.is_err() {
            return Ok(End::Gone);
        }
        self.renew().await?;
        if since.is_some()
            && resumed
            && let Some(end) = self.replay().await?
        {
            return Ok(end);
        }
        self.follow(&mut live).await
    }

    async fn can_resume(&mut self, since: i64, head: i64) -> std::result::Result<bool, DbErr> {
        if since < 0 || since > head || head - since > MAX_REPLAY {
            return Ok(false);
        }
        let oldest = event::oldest(self.app.db.read()).await?;
        Ok(oldest.is_none_or(|oldest| since + 1 >= oldest))
    }

    /// Sends what the log has after `self.seq`, to its end.
    async fn replay(&mut self) -> std::result::Result<Option<End>, DbErr> {
        loop {
            let (events, last) = self.app.live.replay(&self.app.db, self.seq).await?;
            for event in events {
                if let Some(end) = self.forward(&event).await? {
                    return Ok(Some(end));
                }
            }
            if last == self.seq && self.app.db.head().borrow().le(&self.seq) {
                return Ok(None);
            }
            if last == self.seq {
                // The head names a number that is not readable yet; the bus will bring it.
                return Ok(None);
            }
            self.seq = last;
        }
    }

    async fn follow(&mut self, live: &mut broadcast::Receiver<Item>) -> std::result::Result<End, DbErr> {
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let mut moves = self.app.visitors.moves();
        let stop = self.app.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(End::Close(CLOSE_RESTART, "the server restarts")),
                item = live.recv() => match item {
                    Ok(Item::Event(event)) => {
                        if event.seq <= self.seq {
                            continue;
                        }
                        if let Some(end) = self.forward(&event).await? {
                            return Ok(end);
                        }
                        self.seq = event.seq;
                    }
                    Ok(Item::Typing(typing)) => {
                        if self.forward_typing(&typing).await? {
                            return Ok(End::Gone);
                        }
                    }
                    // Behind by more than the buffer: the log has it all.
                    Err(RecvError::Lagged(_)) => if let Some(end) = self.replay().await? {
                        return Ok(end);
                    },
                    Err(RecvError::Closed) => return Ok(End::Close(CLOSE_RESTART, "the server restarts")),
                },
                moved = moves.recv() => {
                    // Behind by more than the buffer: the one that is watched may have been among them.
                    let concerns = match &moved {
                        Ok(id) => self.watched.as_deref() == Some(&**id),
                        Err(RecvError::Lagged(_)) => true,
                        Err(RecvError::Closed) => return Ok(End::Close(CLOSE_RESTART, "the server restarts")),
                    };
                    if concerns && self.tell_whereabouts().await.is_err() {
                        return Ok(End::Close(CLOSE_TOO_SLOW, "too slow"));
                    }
                }
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => {
                        heard = Instant::now();
                        if let Some(end) = self.hear(message).await? {
                            return Ok(end);
                        }
                    }
                    Some(Err(_)) | None => return Ok(End::Gone),
                },
                _ = heartbeat.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Ok(End::Gone);
                    }
                    if !self.still_welcome().await? {
                        return Ok(End::Close(CLOSE_SIGNED_OUT, "signed out"));
                    }
                    self.renew().await?;
                    if self.write(Message::Ping(axum::body::Bytes::new())).await.is_err() {
                        return Ok(End::Close(CLOSE_TOO_SLOW, "too slow"));
                    }
                }
            }
        }
    }

    /// Sends an event if the caller may see it, and notices what changes the caller's own rights.
    async fn forward(&mut self, event: &Arc<LiveEvent>) -> std::result::Result<Option<End>, DbErr> {
        let own = event.kind == EventType::OperatorUpdated
            && matches!(&event.object, crate::live::Object::Other(id) if *id == self.caller.operator.id);
        if own || event.kind == EventType::LineUpdated {
            let Some(user) = operator::Entity::find_by_id(&self.caller.operator.id)
                .one(self.app.db.read())
                .await?
            else {
                return Ok(Some(End::Close(CLOSE_SIGNED_OUT, "the user is gone")));
            };
            if !user.enabled {
                return Ok(Some(End::Close(CLOSE_SIGNED_OUT, "the user was disabled")));
            }
            self.caller.scope = Scope::load(self.app.db.read(), &user).await?;
            self.caller.operator = user;
            // Whoever may not see the conversation any more does not watch its visitor either.
            if let Some(id) = &self.watched
                && !self
                    .caller
                    .scope
                    .sees_conversation(self.app.db.read(), id)
                    .await?
            {
                self.watched = None;
            }
        }
        let sent = if event.audience.includes(&self.caller.scope) {
            self.send(Arc::clone(&event.frame)).await
        } else if let Some(removed) = self.removed(event) {
            self.send(removed.into()).await
        } else {
            Ok(())
        };
        Ok(sent.is_err().then_some(End::Close(CLOSE_TOO_SLOW, "too slow")))
    }

    /// The frame for a conversation that has just left the caller's sight.
    fn removed(&self, event: &LiveEvent) -> Option<String> {
        let (Some(was), Audience::Conversation(view)) = (&event.was, &event.audience) else {
            return None;
        };
        let saw = self
            .caller
            .scope
            .sees(&was.line_id, was.operator_id.as_deref(), std::iter::empty());
        let frame = || json!({"seq": event.seq, "type": "conversation.removed", "at": view.updated_at, "data": {"id": view.id}});
        (saw && event.kind == EventType::ConversationUpdated).then(|| frame().to_string())
    }

    async fn forward_typing(&mut self, typing: &Typing) -> std::result::Result<bool, DbErr> {
        if typing.author_id == self.caller.operator.id {
            return Ok(false);
        }
        if !self
            .caller
            .scope
            .sees_conversation(self.app.db.read(), &typing.conversation_id)
            .await?
        {
            return Ok(false);
        }
        let author = json!({"type": typing.author_type, "id": typing.author_id, "name": typing.author_name});
        let data = json!({"conversation_id": typing.conversation_id, "author": author, "text": typing.text});
        Ok(self
            .send(json!({"type": "typing", "data": data}).to_string().into())
            .await
            .is_err())
    }

    /// Says where the visitor is who is watched.
    async fn tell_whereabouts(&mut self) -> std::result::Result<(), ()> {
        let Some(id) = &self.watched else {
            return Ok(());
        };
        let now = self.app.visitors.whereabouts(id);
        let data = json!({"conversation_id": id, "online": now.online, "page": now.page});
        self.send(json!({"type": "visitor", "data": data}).to_string().into())
            .await
    }

    async fn hear(&mut self, message: Message) -> std::result::Result<Option<End>, DbErr> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Ok(Some(End::Gone)),
            Message::Ping(_) | Message::Pong(_) | Message::Binary(_) => return Ok(None),
        };
        // What a newer client says and this server does not know is no reason to hang up.
        let Ok(said) = serde_json::from_str::<Said>(&text) else {
            return Ok(None);
        };
        match said {
            Said::Ping => {
                if self.send(r#"{"type":"pong"}"#.to_owned().into()).await.is_err() {
                    return Ok(Some(End::Close(CLOSE_TOO_SLOW, "too slow")));
                }
            }
            Said::Typing { conversation_id } => {
                if self
                    .caller
                    .scope
                    .narrowed(Object::Conversation, Action::Edit)
                    .sees_conversation(self.app.db.read(), &conversation_id)
                    .await?
                {
                    self.app.live.typing(Typing {
                        conversation_id,
                        author_type: "operator",
                        author_id: self.caller.operator.id.clone(),
                        author_name: Some(self.caller.operator.name.clone()),
                        text: None,
                    });
                }
            }
            Said::Watch { conversation_id } => {
                let sees = match &conversation_id {
                    Some(id) => {
                        self.caller
                            .scope
                            .sees_conversation(self.app.db.read(), id)
                            .await?
                    }
                    None => false,
                };
                self.watched = conversation_id.filter(|_| sees);
                if self.tell_whereabouts().await.is_err() {
                    return Ok(Some(End::Close(CLOSE_TOO_SLOW, "too slow")));
                }
            }
            Said::Away => self.change_presence(Presence::Away).await?,
            Said::Active => self.change_presence(Presence::Online).await?,
        }
        Ok(None)
    }

    async fn change_presence(&mut self, state: Presence) -> std::result::Result<(), DbErr> {
        if self.state == state {
            return Ok(());
        }
        self.state = state;
        self.renew().await
    }

    async fn renew(&mut self) -> std::result::Result<(), DbErr> {
        let now = self.app.clock.now();
        presence::touch(
            &self.app.db,
            &self.caller.operator.id,
            &self.source,
            self.state,
            LEASE,
            now,
        )
        .await
    }

    /// Whether the sign-in that opened this socket still holds.
    async fn still_welcome(&mut self) -> std::result::Result<bool, DbErr> {
        use crate::db::entity::auth_session;
        let Some(session) = &self.caller.session else {
            return Ok(true);
        };
        let row = auth_session::Entity::find_by_id(&session.token_hash)
            .one(self.app.db.read())
            .await?;
        Ok(row.is_some())
    }

    async fn send(&mut self, frame: Arc<str>) -> std::result::Result<(), ()> {
        self.write(Message::Text(Utf8Bytes::from(&*frame))).await
    }

    async fn write(&mut self, message: Message) -> std::result::Result<(), ()> {
        match timeout(WRITE_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(()),
        }
    }
}
