//! The visitor's socket: their conversation live, without gaps from the number they have.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::{
    Chat, Shared,
    messages::{mark, page, tell_typing},
};
use crate::{
    api::{
        extract::Query,
        problem::{Problem, Result},
    },
    app::App,
    conversation::{
        read::ClientMarks,
        view::{MessageView, Views},
    },
    db::entity::{conversation, visitor},
    routing::place::InQueue,
    telemetry::metrics::Counter,
    visitor::{
        hub::{Listener, OnPage, SOCKETS_PER_VISITOR, Signal},
        mail::transcript::Offered,
        standing::{Asked, Standing},
        store,
        view::{self, Mask, VisitorMessage},
    },
};

/// How often the server pings: proxies cut what is silent for a minute.
const PING_EVERY: Duration = Duration::from_secs(25);
/// A browser that has not answered two pings is gone.
const SILENT_PINGS: u32 = 3;
/// A frame that cannot be written within this long has a reader that is gone or too slow.
const WRITE_LIMIT: Duration = Duration::from_secs(15);
/// Largest frame a visitor sends.
const FRAME_BYTES: usize = 32 << 10;
/// Messages read from the store at once.
const PAGE: u64 = 100;
/// The least time between two hints that are passed on (what is typed, which page is open); the last one of a burst
/// is passed on at its end.
const HINTS_EVERY: Duration = Duration::from_millis(500);
/// Bytes read from a connection at once. Visitors write little, and there are thousands of them.
const READ_BYTES: usize = 2 << 10;

/// Close codes beyond the standard's, see API.md.
mod code {
    pub const RESTARTING: u16 = 1012;
    pub const ERROR: u16 = 1011;
    pub const SLOW: u16 = 4408;
}

#[derive(Debug, Deserialize)]
pub(super) struct SocketQuery {
    token: String,
    after: Option<i64>,
}

/// What the visitor sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Ping,
    Delivered {
        seq: i64,
    },
    Read {
        seq: i64,
    },
    Typing {
        text: Option<String>,
    },
    Page(OnPage),
    #[serde(other)]
    Other,
}

/// What the visitor gets.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Hello {
        seq: i64,
    },
    Message {
        message: &'a VisitorMessage,
    },
    Updated {
        message: &'a VisitorMessage,
    },
    Typing {
        author: Typist<'a>,
    },
    Receipt {
        delivered_seq: i64,
        read_seq: i64,
    },
    Queue {
        queue: Option<InQueue>,
    },
    Rating {
        rating: Option<&'a Asked>,
        transcript: Option<&'a Offered>,
    },
    Pong,
}

#[derive(Debug, Serialize)]
struct Typist<'a> {
    name: Option<&'a str>,
}

pub(super) async fn open(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    Query(query): Query<SocketQuery>,
    upgrade: std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    chat.spend(&app, &shared.sockets)?;
    let visitor = chat.visitor(&app, &query.token).await?;
    let upgrade = upgrade.map_err(|_| Problem::bad_request("this path is a WebSocket"))?;
    let listener = app.visitors.listen(&visitor).ok_or_else(|| Problem {
        detail: format!("one visitor may have {SOCKETS_PER_VISITOR} sockets"),
        ..Problem::rate_limited(30)
    })?;
    // A socket asks neither for the page of the last session nor for how its visitor came, and there are thousands of them.
    let visitor = visitor::Model {
        page: Value::Null,
        attribution: Value::Null,
        ..visitor
    };
    let upgrade = upgrade
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES);
    // In a box: what a closure takes along has room in the task twice, and the session a third time.
    let begun = Box::new((app, chat, visitor, listener));
    Ok(upgrade.on_upgrade(move |socket| async move {
        let (mut session, mut stream) = Session::new(socket, begun, query.after);
        let who = [("end", "visitor".to_owned())];
        Counter::SocketsOpened.add(1, &who);
        let end = session.serve(&mut stream).await;
        session.close(end).await;
        Counter::SocketsClosed.add(1, &who);
    }))
}

/// Why a socket ends.
enum End {
    /// The visitor's side went away.
    Gone,
    /// It could not keep up.
    Slow,
    /// The server stops.
    Restarting,
    /// Our fault.
    Failed(Problem),
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

struct Session {
    app: App,
    chat: Chat,
    visitor: visitor::Model,
    listener: Listener,
    sink: SplitSink<WebSocket, Message>,
    conversation: Option<Box<conversation::Model>>,
    /// The number of the last message that the visitor has; `None` until the first look without `after`.
    sent_seq: Option<i64>,
    /// What the last receipt said.
    told: (i64, i64),
    /// What the last signal said of the session.
    stands: u64,
    /// What the visitor was told of it.
    standing: Standing,
    /// When hints were last passed on, and what is to be passed on next.
    hinted_at: Option<Instant>,
    typing: Option<Option<String>>,
    page: Option<OnPage>,
}

type Step = std::result::Result<(), End>;
type Begun = (App, Chat, visitor::Model, Listener);

impl Session {
    fn new(socket: WebSocket, begun: Box<Begun>, after: Option<i64>) -> (Box<Self>, SplitStream<WebSocket>) {
        let (sink, stream) = socket.split();
        let (app, chat, visitor, listener) = *begun;
        let session = Self {
            app,
            chat,
            visitor,
            listener,
            sink,
            conversation: None,
            sent_seq: after,
            told: (0, 0),
            stands: 0,
            standing: Standing::default(),
            hinted_at: None,
            typing: None,
            page: None,
        };
        (Box::new(session), stream)
    }

    async fn serve(&mut self, stream: &mut SplitStream<WebSocket>) -> End {
        if let Err(end) = Box::pin(self.begin()).await {
            return end;
        }
        let mut pings = tokio::time::interval(PING_EVERY);
        pings.reset();
        let mut unanswered = 0;
        let stop = self.app.stop.clone();
        loop {
            let hints = self.hints_due();
            let step = tokio::select! {
                () = stop.cancelled() => return End::Restarting,
                signal = self.listener.next() => match signal {
                    // In boxes: ten thousand sockets that wait must not each hold the room of what they seldom do.
                    Some(signal) => Box::pin(self.hear(signal)).await,
                    None => return End::Slow,
                },
                frame = stream.next() => {
                    unanswered = 0;
                    match frame {
                        Some(Ok(Message::Text(text))) => Box::pin(self.said(text.as_str())).await,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Gone,
                        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    }
                }
                () = sleep_until(hints.unwrap_or_else(Instant::now)), if hints.is_some() => {
                    self.pass_hints();
                    Ok(())
                }
                _ = pings.tick() => {
                    unanswered += 1;
                    if unanswered >= SILENT_PINGS {
                        return End::Gone;
                    }
                    self.write(Message::Ping(axum::body::Bytes::new())).await
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Says hello and sends what the visitor has missed.
    async fn begin(&mut self) -> Step {
        let conversation = store::conversation(self.app.db.read(), &self.visitor)
            .await
            .map_err(Problem::from)?;
        let seq = self
            .sent_seq
            .unwrap_or_else(|| conversation.as_ref().map_or(0, |row| row.last_seq));
        self.sent_seq = Some(seq);
        self.send(&Frame::Hello { seq }).await?;
        if let Some(conversation) = conversation {
            self.missed_changes(&conversation.id, seq).await?;
            self.follow(&conversation.id).await?;
        }
        Ok(())
    }

    /// Tells what became of messages that the visitor has: a change leaves no number behind by which they
    /// could ask for it, so all that were ever changed are told as they are.
    async fn missed_changes(&mut self, conversation_id: &str, upto: i64) -> Step {
        let db = self.app.db.read();
        let rows = store::changed_messages(db, conversation_id, upto)
            .await
            .map_err(Problem::from)?;
        let views = Views::new(std::iter::empty()).messages(db, rows).await;
        for message in views.map_err(Problem::from)? {
            self.changed(&message).await?;
        }
        Ok(())
    }

    /// Tells how a message is now, when the visitor has it.
    async fn changed(&mut self, message: &MessageView) -> Step {
        if message.seq > self.sent_seq.unwrap_or(0) {
            return Ok(());
        }
        let (now, mask) = (self.app.clock.now(), self.chat.mask(&self.app).await?);
        match view::message(
            message,
            self.told.1,
            &mask,
            self.proven(),
            &self.app.vault,
            self.chat.key(),
            now,
        ) {
            Some(message) => self.send(&Frame::Updated { message: &message }).await,
            None => Ok(()),
        }
    }

    fn proven(&self) -> bool {
        store::is_proven(&self.visitor)
    }

    /// Listens to a conversation and catches up with it.
    async fn follow(&mut self, conversation_id: &str) -> Step {
        // In this order: what is stored after the look below is signalled.
        self.listener.bind(conversation_id);
        let found = store::conversation_by_id(self.app.db.read(), conversation_id).await;
        let Some(conversation) = found.map_err(Problem::from)? else {
            self.conversation = None;
            return Ok(());
        };
        self.conversation = Some(Box::new(kept(&conversation)));
        self.catch_up(&conversation).await
    }

    async fn catch_up(&mut self, conversation: &conversation::Model) -> Step {
        loop {
            let after = self.sent_seq.unwrap_or(0);
            let (messages, more) =
                page(&self.app, &self.chat, &self.visitor, conversation, after, PAGE).await?;
            for message in &messages {
                self.send(&Frame::Message { message }).await?;
                self.sent_seq = Some(message.seq);
            }
            if !more {
                self.stand_in(conversation).await?;
                return self.receipt(conversation.last_seq, conversation.read_seq).await;
            }
        }
    }

    async fn hear(&mut self, signal: Signal) -> Step {
        match signal {
            Signal::Message(message) => {
                if message.kind == "inbound" {
                    // What they were typing has come: told after it, it would look like the next message.
                    self.typing = None;
                }
                if message.seq <= self.sent_seq.unwrap_or(0) {
                    return Ok(());
                }
                self.sent_seq = Some(message.seq);
                if !view::is_visible(&message) {
                    return Ok(());
                }
                let read_seq = self.told.1;
                // Their own words name nobody of the staff, and most of what is written is theirs.
                let mask = match message.kind == "inbound" && message.reply_to.is_none() {
                    true => Mask::default(),
                    false => self.chat.mask(&self.app).await?,
                };
                let now = self.app.clock.now();
                match view::message(
                    &message,
                    read_seq,
                    &mask,
                    self.proven(),
                    &self.app.vault,
                    self.chat.key(),
                    now,
                ) {
                    Some(message) => self.send(&Frame::Message { message: &message }).await,
                    None => Ok(()),
                }
            }
            Signal::Changed(message) => self.changed(&message).await,
            Signal::Progress {
                last_seq,
                read_seq,
                stands,
            } => {
                if let Some(conversation) = &mut self.conversation {
                    conversation.last_seq = conversation.last_seq.max(last_seq);
                    conversation.read_seq = conversation.read_seq.max(read_seq);
                }
                if stands != self.stands {
                    self.stands = stands;
                    self.stand().await?;
                }
                self.receipt(last_seq, read_seq).await
            }
            Signal::Typing { name } => {
                let masked = self.chat.desk()?.staff_name().map(str::to_owned);
                let name = masked.or(name);
                self.send(&Frame::Typing {
                    author: Typist {
                        name: name.as_deref(),
                    },
                })
                .await
            }
            Signal::Queue(queue) => {
                let before = std::mem::replace(&mut self.standing.queue, queue);
                self.queue(before, queue).await
            }
            Signal::Found(conversation_id) => self.follow(&conversation_id).await,
            Signal::Resync => {
                let known = self.conversation.as_ref().map(|row| row.id.clone());
                let id = match known {
                    Some(id) => Some(id),
                    None => {
                        let found = store::conversation(self.app.db.read(), &self.visitor).await;
                        found.map_err(Problem::from)?.map(|row| row.id)
                    }
                };
                match id {
                    Some(id) => self.follow(&id).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Tells how far the staff is, when that changed. What is stored has arrived.
    async fn receipt(&mut self, delivered_seq: i64, read_seq: i64) -> Step {
        let now = (self.told.0.max(delivered_seq), self.told.1.max(read_seq));
        if now == self.told {
            return Ok(());
        }
        self.told = now;
        self.send(&Frame::Receipt {
            delivered_seq: now.0,
            read_seq: now.1,
        })
        .await
    }

    /// Tells how the session stands, as far as that changed.
    async fn stand(&mut self) -> Step {
        let Some(conversation) = &self.conversation else {
            return Ok(());
        };
        // The session may be a new one since.
        let found = store::conversation_by_id(self.app.db.read(), &conversation.id).await;
        match found.map_err(Problem::from)? {
            Some(conversation) => self.stand_in(&conversation).await,
            None => Ok(()),
        }
    }

    /// The same by a row that was read just now.
    async fn stand_in(&mut self, conversation: &conversation::Model) -> Step {
        let (app, now) = (&self.app, self.app.clock.now());
        let standing = self.chat.standing(app, &self.visitor, conversation, now).await?;
        if standing.rating != self.standing.rating || standing.transcript != self.standing.transcript {
            let (rating, transcript) = (standing.rating.as_ref(), standing.transcript.as_ref());
            self.send(&Frame::Rating { rating, transcript }).await?;
        }
        let queue = standing.queue;
        self.listener.wait_for(standing.waits.as_ref(), queue);
        let before = std::mem::replace(&mut self.standing, standing).queue;
        self.queue(before, queue).await
    }

    /// Tells the place in the queue, when it is a new one.
    async fn queue(&mut self, before: Option<InQueue>, queue: Option<InQueue>) -> Step {
        if queue == before {
            return Ok(());
        }
        self.send(&Frame::Queue { queue }).await
    }

    async fn said(&mut self, text: &str) -> Step {
        let Ok(said) = serde_json::from_str::<Said>(text) else {
            return Ok(());
        };
        match said {
            Said::Ping => self.send(&Frame::Pong).await,
            Said::Delivered { seq } => {
                self.mark(ClientMarks {
                    delivered: Some(seq),
                    read: None,
                })
                .await
            }
            Said::Read { seq } => {
                self.mark(ClientMarks {
                    delivered: None,
                    read: Some(seq),
                })
                .await
            }
            Said::Typing { text } => {
                self.typing = Some(text);
                Ok(())
            }
            Said::Page(page) => {
                self.page = Some(page);
                Ok(())
            }
            Said::Other => Ok(()),
        }
    }

    /// When hints are to be passed on, if there are some.
    fn hints_due(&self) -> Option<Instant> {
        (self.typing.is_some() || self.page.is_some())
            .then(|| self.hinted_at.map_or_else(Instant::now, |at| at + HINTS_EVERY))
    }

    /// Passes on what the visitor typed last, and the page they are on.
    fn pass_hints(&mut self) {
        self.hinted_at = Some(Instant::now());
        if let Some(page) = self.page.take() {
            self.listener.on_page(page);
        }
        // The first message makes the conversation; before it there is nobody to tell.
        if let (Some(text), Some(conversation)) = (self.typing.take(), &self.conversation) {
            tell_typing(&self.app, &self.chat, &self.visitor, conversation, text);
        }
    }

    async fn mark(&mut self, marks: ClientMarks) -> Step {
        let Some(conversation) = &mut self.conversation else {
            return Ok(());
        };
        mark(&self.app, conversation, marks).await?;
        let upto =
            |known: i64, seq: Option<i64>| seq.map_or(known, |seq| known.max(seq.min(conversation.last_seq)));
        let read = upto(conversation.client_read_seq, marks.read);
        let delivered = upto(conversation.client_delivered_seq, marks.delivered).max(read);
        (conversation.client_read_seq, conversation.client_delivered_seq) = (read, delivered);
        Ok(())
    }

    async fn send(&mut self, frame: &Frame<'_>) -> Step {
        let text = serde_json::to_string(frame).map_err(|error| Problem::from_cause(&error))?;
        self.write(Message::Text(text.into())).await
    }

    async fn write(&mut self, message: Message) -> Step {
        match tokio::time::timeout(WRITE_LIMIT, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }

    async fn close(mut self: Box<Self>, end: End) {
        let (code, reason) = match end {
            End::Gone => return,
            End::Slow => (code::SLOW, "too slow: reconnect with after"),
            End::Restarting => (code::RESTARTING, "restarting: reconnect with after"),
            End::Failed(problem) => {
                tracing::error!(detail = problem.detail, "a visitor's socket failed");
                (code::ERROR, "something went wrong: reconnect with after")
            }
        };
        let close = Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }));
        // A visitor who is too slow will not read this either.
        drop(tokio::time::timeout(Duration::from_secs(1), self.sink.send(close)).await);
    }
}

/// What a socket asks of its conversation's row later.
fn kept(row: &conversation::Model) -> conversation::Model {
    conversation::Model {
        id: row.id.clone(),
        contact_id: row.contact_id.clone(),
        last_seq: row.last_seq,
        read_seq: row.read_seq,
        client_read_seq: row.client_read_seq,
        client_delivered_seq: row.client_delivered_seq,
        ..conversation::Model::default()
    }
}
