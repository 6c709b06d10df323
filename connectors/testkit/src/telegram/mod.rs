//! A small Bot API server for tests: what Telegram's does to a bot that matters to whoever must lose nothing.
//!
//! No faithful one is to be had. This one follows the server's own source (`tdlib/telegram-bot-api`) where that says
//! what happens: an offset confirms what lies before it, a second poller ends the first with 409 and a webhook ends
//! both, a webhook is brought the updates of one chat one after the other and again until it answers 2xx, a call in
//! a webhook's answer is carried out. Texts, captions, special parts and files are held to Telegram's limits, and
//! so is the pace when [`BotApi::enforce_limits`] says so. It fails where a test tells it to ([`BotApi::fail_next`]).
//!
//! `connectors/telegram/tests/clients` lets client libraries nobody here wrote use it, so that it is not only as
//! Switchboard believes Telegram to be.

mod http;
mod method;
mod pace;
mod state;
mod webhook;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use self::state::State;
use crate::PATIENCE;

/// The token of the bot.
pub const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/// The bot's number.
pub const BOT: i64 = 110_201_543;

/// What happens to the next call of a method instead of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trick {
    /// It is refused, with this code and these words.
    Refuse(u16, &'static str),
    /// It is refused with 429 and so many seconds.
    TooMany(u64),
    /// A proxy answers in Telegram's place.
    Page(u16),
    /// No answer, and the connection stays.
    Hang,
    /// Nothing is done and the connection ends.
    Cut,
    /// All is done and the connection ends before the answer.
    LoseAnswer,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method, in lower case.
    pub method: String,
    /// Its parameters.
    pub fields: Value,
    /// Its files: field, name, bytes.
    pub files: Vec<(String, String, Bytes)>,
}

/// The server. Ends when it is dropped.
#[derive(Debug)]
pub struct BotApi {
    /// Where it is.
    pub port: u16,
    inner: Arc<Inner>,
    listening: Mutex<Option<JoinHandle<()>>>,
    bringing: JoinHandle<()>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    state: Mutex<State>,
    /// Moves with everything that happens.
    changed: watch::Sender<u64>,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

impl Drop for BotApi {
    fn drop(&mut self) {
        self.close();
        self.bringing.abort();
    }
}

impl BotApi {
    /// Starts one on a port of loopback.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap_or_else(|error| panic!("no port on loopback: {error}"));
        let port = listener.local_addr().map_or(0, |address| address.port());
        let inner = Arc::new(Inner {
            state: Mutex::new(State::default()),
            changed: watch::Sender::new(0),
        });
        let listening = tokio::spawn(listen(listener, Arc::clone(&inner)));
        let bringing = tokio::spawn(webhook::run(Arc::clone(&inner)));
        Self {
            port,
            inner,
            listening: Mutex::new(Some(listening)),
            bringing,
        }
    }

    /// Its address, as a channel's `api_url`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it: from now on nobody is there.
    pub fn close(&self) {
        let listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(listening) = listening {
            listening.abort();
        }
    }

    /// An update of the bot, such as `{"message": {…}}`; answers its number.
    pub fn push(&self, body: Value) -> i64 {
        let number = self.inner.lock().push(body);
        self.inner.tell();
        number
    }

    /// A text of a person in their chat with the bot; answers the message's number.
    pub fn write(&self, chat: i64, text: &str) -> i64 {
        self.write_more(chat, json!({"text": text}))
    }

    /// A message of a person with these fields; answers its number.
    pub fn write_more(&self, chat: i64, fields: Value) -> i64 {
        let message = self.message(chat, fields);
        let number = message
            .get("message_id")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        self.push(json!({"message": message}));
        number
    }

    /// A message as it would arrive, with a number of its own.
    pub fn message(&self, chat: i64, fields: Value) -> Value {
        self.inner.lock().message(chat, fields)
    }

    /// A file that can be got; answers its `file_id`.
    pub fn file(&self, name: &str, data: &[u8]) -> String {
        self.inner.lock().add_file(name, Bytes::copy_from_slice(data))
    }

    /// Numbers of updates are left out.
    pub fn skip_numbers(&self, count: i64) {
        self.inner.lock().next_update += count;
    }

    /// The next calls of this method go wrong so, each of them once; the tricks of one method wait for each other.
    pub fn fail_next(&self, method: &str, trick: Trick) {
        let mut state = self.inner.lock();
        let tricks: &mut VecDeque<Trick> = state.tricks.entry(method.to_lowercase()).or_default();
        tricks.push_back(trick);
    }

    /// Every call of this method goes wrong so, until [`BotApi::heal`].
    pub fn fail_always(&self, method: &str, trick: Trick) {
        self.inner.lock().always.insert(method.to_lowercase(), trick);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        let mut state = self.inner.lock();
        state.always.clear();
        state.tricks.clear();
    }

    /// A person blocks the bot.
    pub fn block(&self, chat: i64) {
        self.inner.lock().blocked.insert(chat);
    }

    /// From now on who sends too fast gets 429.
    pub fn enforce_limits(&self) {
        self.inner.lock().pace = Some(pace::Pace::default());
    }

    /// How often that was said.
    pub fn refused_for_pace(&self) -> usize {
        self.inner.lock().too_many
    }

    /// How many updates the bot confirmed by its offset or by 2xx.
    pub fn confirmed(&self) -> usize {
        self.inner.lock().confirmed
    }

    /// How many updates wait.
    pub fn pending(&self) -> usize {
        self.inner.lock().updates.len()
    }

    /// Calls of this method so far.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        let method = method.to_lowercase();
        let state = self.inner.lock();
        state
            .calls
            .iter()
            .filter(|call| call.method == method)
            .cloned()
            .collect()
    }

    /// Messages in a chat that the bot sent, in order, as they are now.
    pub fn sent(&self, chat: i64) -> Vec<Value> {
        let state = self.inner.lock();
        state
            .sent
            .iter()
            .filter(|message| message["chat"]["id"] == chat)
            .cloned()
            .collect()
    }

    /// All messages the bot sent, in order.
    pub fn all_sent(&self) -> Vec<Value> {
        self.inner.lock().sent.clone()
    }

    /// When each message was taken, since the server began.
    pub fn moments(&self) -> Vec<Duration> {
        self.inner.lock().moments.clone()
    }

    /// The webhook's address; empty when there is none.
    pub fn webhook_url(&self) -> String {
        self.inner
            .lock()
            .webhook
            .as_ref()
            .map(|hook| hook.url.clone())
            .unwrap_or_default()
    }

    /// Waits until `done` holds; woken by everything that happens.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn wait_until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let mut changes = self.inner.changed.subscribe();
        let wait = async {
            while !done(self) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(PATIENCE * 3, wait).await.is_err() {
            panic!("waited in vain until {what}");
        }
    }
}

async fn listen(listener: TcpListener, inner: Arc<Inner>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                connections.spawn(serve(stream, Arc::clone(&inner)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What goes back.
pub(crate) enum Answer {
    /// Data.
    Json(u16, Value),
    /// A file.
    File(Bytes),
    /// A page.
    Page(u16),
    /// Nothing; the connection ends.
    Cut,
}

async fn serve(stream: TcpStream, inner: Arc<Inner>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    while let Some(asked) = http::read(&mut reading).await {
        let answer = tokio::select! {
            answer = method::run(&inner, asked) => answer,
            // Who hangs up while a question waits has taken it back.
            () = gone(&mut reading) => return,
        };
        let done = match answer {
            Answer::Json(status, value) => {
                http::answer(
                    &mut writing,
                    status,
                    "application/json",
                    value.to_string().as_bytes(),
                )
                .await
            }
            Answer::File(data) => http::answer(&mut writing, 200, "application/octet-stream", &data).await,
            Answer::Page(status) => {
                http::answer(&mut writing, status, "text/html", b"<html>not Telegram</html>").await
            }
            Answer::Cut => return,
        };
        if done.is_err() {
            return;
        }
    }
}

async fn gone(stream: &mut BufReader<tokio::net::tcp::OwnedReadHalf>) {
    use tokio::io::AsyncBufReadExt;
    // What comes before the answer is the next request, and stays where it is.
    let more = stream.fill_buf().await.is_ok_and(|bytes| !bytes.is_empty());
    if more {
        std::future::pending::<()>().await;
    }
}
