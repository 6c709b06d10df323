//! Asking Telegram, by teloxide's calls.
//!
//! What is asked without types (updates above all) comes as it was sent, so that nothing of it is lost and nothing
//! new in it fails. The token stands in the address of every request: no address is ever shown, and whatever is
//! shown passes through [`Api::clean`] all the same.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use teloxide_core::{
    Bot, RequestError,
    errors::DownloadError,
    net::{self, Download},
    requests::{JsonRequest, Payload},
};
use tokio::time::timeout;

use crate::{
    map,
    settings::Settings,
    trouble::{self, Answered, Trouble},
};

/// How long Telegram holds a question for updates open when there are none.
pub const LONG_POLL: Duration = Duration::from_secs(25);
/// How long a short question may take.
const SHORT: Duration = Duration::from_secs(20);
/// How long anything may take with a file in it.
const BULKY: Duration = Duration::from_secs(480);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest file the cloud gives to bots: the smaller of what its server and its documentation say.
pub const CLOUD_DOWNLOAD: u64 = 20_000_000;
/// The largest file it takes of them.
pub const CLOUD_UPLOAD: u64 = 50_000_000;

/// A call without types: its name and what comes of it.
macro_rules! calls {
    ($($call:ident -> $output:ty),* $(,)?) => {
        $(
            #[derive(Serialize)]
            struct $call(Value);

            impl Payload for $call {
                type Output = $output;
                const NAME: &'static str = stringify!($call);
            }
        )*
    };
}

calls! {
    GetMe -> Value,
    GetUpdates -> Vec<Value>,
    GetWebhookInfo -> Value,
    SetWebhook -> Value,
    DeleteWebhook -> Value,
    GetFile -> Value,
    AnswerCallbackQuery -> Value,
    SetMyCommands -> Value,
    DeleteMessages -> Value,
    DeleteBusinessMessages -> Value,
    SendChatAction -> Value,
}

/// The bot as it sees itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Me {
    /// Its number.
    pub id: i64,
    /// Its public name.
    pub username: String,
    /// Its name.
    pub first_name: String,
    /// It reads everything in groups, rather than only what is said to it ("privacy mode" is off).
    pub can_read_all_group_messages: bool,
    /// It may be added to groups.
    pub can_join_groups: bool,
}

/// What Telegram knows of the bot's webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WebhookInfo {
    /// Where updates are brought; empty when nowhere.
    pub url: String,
    /// How many wait.
    pub pending_update_count: u64,
    /// When bringing one failed last,
    pub last_error_date: Option<i64>,
    /// and why.
    pub last_error_message: Option<String>,
}

/// One bot at one server. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    bot: Bot,
    settings: Arc<Settings>,
    me: Arc<OnceLock<Me>>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api") // the bot holds the token
    }
}

/// One for the whole process: it holds connections and the certificates of this machine.
fn client() -> Result<&'static Bot, Trouble> {
    static CLIENT: OnceLock<Option<Bot>> = OnceLock::new();
    let made = CLIENT.get_or_init(|| {
        let client = net::default_reqwest_settings()
            .connect_timeout(CONNECT)
            .timeout(BULKY)
            .build();
        client.ok().map(|client| Bot::with_client("", client))
    });
    made.as_ref()
        .ok_or_else(|| Trouble::NotSent("this machine has no certificates to know Telegram by".to_owned()))
}

impl Api {
    /// Of these settings. Asks nobody.
    pub fn new(settings: Arc<Settings>) -> Result<Self, Trouble> {
        let url = settings
            .api_url
            .parse()
            .map_err(|_| Trouble::Refused("the Bot API address is none".to_owned()))?;
        let bot = Bot::with_client(settings.token.clone(), client()?.client().clone()).set_api_url(url);
        Ok(Self {
            bot,
            settings,
            me: Arc::default(),
        })
    }

    /// Who the bot is; asked once.
    pub async fn me(&self) -> Result<Me, Trouble> {
        if let Some(me) = self.me.get() {
            return Ok(me.clone());
        }
        let me = self.ask_me().await?;
        Ok(self.me.get_or_init(|| me).clone())
    }

    /// Who the bot is now.
    pub async fn ask_me(&self) -> Result<Me, Trouble> {
        let answer = self.ask(GetMe(json!({})), SHORT).await?;
        Ok(serde_json::from_value(answer).unwrap_or_default())
    }

    /// The bot as mapping has to know it, without asking.
    pub fn known(&self) -> map::Bot {
        let username = self.me.get().map(|me| me.username.clone());
        map::Bot {
            id: self.settings.bot_id(),
            username: username.unwrap_or_default(),
        }
    }

    /// What came since `offset`, which says that everything before it is taken.
    pub async fn updates(&self, offset: Option<i64>, wait: Duration) -> Result<Vec<Value>, Trouble> {
        let mut question = json!({"timeout": wait.as_secs(), "limit": 100, "allowed_updates": map::KINDS});
        if let (Some(offset), Some(fields)) = (offset, question.as_object_mut()) {
            fields.insert("offset".to_owned(), json!(offset));
        }
        self.ask(GetUpdates(question), wait + SHORT).await
    }

    /// The state of the webhook.
    pub async fn webhook(&self) -> Result<WebhookInfo, Trouble> {
        let answer = self.ask(GetWebhookInfo(json!({})), SHORT).await?;
        Ok(serde_json::from_value(answer).unwrap_or_default())
    }

    /// Has updates brought.
    pub async fn set_webhook(&self, url: &str, secret: &str) -> Result<(), Trouble> {
        let question =
            json!({"url": url, "secret_token": secret, "allowed_updates": map::KINDS, "max_connections": 40});
        self.ask(SetWebhook(question), SHORT).await.map(drop)
    }

    /// Has them kept until they are asked for.
    pub async fn delete_webhook(&self) -> Result<(), Trouble> {
        self.ask(DeleteWebhook(json!({"drop_pending_updates": false})), SHORT)
            .await
            .map(drop)
    }

    /// Says that the press of a button was heard.
    pub async fn answer_press(&self, id: &str) -> Result<(), Trouble> {
        self.ask(AnswerCallbackQuery(json!({"callback_query_id": id})), SHORT)
            .await
            .map(drop)
    }

    /// Sets the commands that are offered behind a slash.
    pub async fn set_commands(&self) -> Result<(), Trouble> {
        let commands: Vec<Value> = self
            .settings
            .commands
            .iter()
            .map(|(command, words)| json!({"command": command, "description": words}))
            .collect();
        self.ask(SetMyCommands(json!({"commands": commands})), SHORT)
            .await
            .map(drop)
    }

    /// Takes messages back.
    pub async fn delete(&self, business: Option<&str>, chat: i64, messages: &[i32]) -> Result<(), Trouble> {
        match business {
            Some(business) => {
                let question = json!({"business_connection_id": business, "message_ids": messages});
                self.ask(DeleteBusinessMessages(question), SHORT).await
            }
            None => {
                self.ask(
                    DeleteMessages(json!({"chat_id": chat, "message_ids": messages})),
                    SHORT,
                )
                .await
            }
        }
        .map(drop)
    }

    /// Shows that somebody types.
    pub async fn typing(&self, question: Value) -> Result<(), Trouble> {
        self.ask(SendChatAction(question), SHORT).await.map(drop)
    }

    /// Fetches a file of at most `limit` bytes.
    pub async fn file(&self, file_id: &str, limit: u64) -> Result<Bytes, Trouble> {
        let answer = self.ask(GetFile(json!({"file_id": file_id})), SHORT).await?;
        let path = answer.get("file_path").and_then(Value::as_str);
        let path =
            path.ok_or_else(|| Trouble::Refused("Telegram does not say where the file is".to_owned()))?;
        if path.starts_with('/') {
            return self.local_file(path, limit).await;
        }
        let mut stream = std::pin::pin!(self.bot.download_file_stream(path));
        let mut whole = BytesMut::new();
        let reading = async {
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(|error| of_download(error.into()))?;
                if (whole.len() + chunk.len()) as u64 > limit {
                    return Err(too_large(limit));
                }
                whole.extend_from_slice(&chunk);
            }
            Ok(())
        };
        reading.await.map_err(|trouble| self.clean(trouble))?;
        Ok(whole.freeze())
    }

    /// A file of a server of the company's own, which says where on the disk it is.
    async fn local_file(&self, path: &str, limit: u64) -> Result<Bytes, Trouble> {
        if !self.settings.local_files {
            return Err(Trouble::Refused(
                "the Bot API server keeps files on its own disk (--local): switch on \"Read files of a local server\" if that is this machine's".to_owned(),
            ));
        }
        let failed = |error: std::io::Error| {
            Trouble::Refused(format!("the file cannot be read from the disk: {error}"))
        };
        let size = tokio::fs::metadata(path).await.map_err(failed)?.len();
        if size > limit {
            return Err(too_large(limit));
        }
        Ok(Bytes::from(tokio::fs::read(path).await.map_err(failed)?))
    }

    /// A call with types, for what goes out; answers the numbers of the messages that came of it.
    pub async fn send<F>(&self, call: impl FnOnce(Bot) -> F, bulky: bool) -> Result<Vec<i32>, Trouble>
    where
        F: IntoFuture,
        F::IntoFuture: Send,
        F::Output: Numbers,
    {
        let limit = if bulky { BULKY } else { SHORT };
        let answer = match timeout(limit, call(self.bot.clone()).into_future()).await {
            Ok(answer) => answer.numbers(),
            Err(_late) => Err(Trouble::Unknown("Telegram did not answer in time".to_owned())),
        };
        answer.map_err(|trouble| self.clean(trouble))
    }

    async fn ask<P>(&self, call: P, limit: Duration) -> Result<P::Output, Trouble>
    where
        P: Payload + Serialize + Send + 'static,
        P::Output: DeserializeOwned + Send + 'static,
    {
        let request = JsonRequest::new(self.bot.clone(), call);
        let answer = match timeout(limit, request.into_future()).await {
            Ok(answer) => answer.or_else(|error| match trouble::of(error) {
                Answered::Well(result) => serde_json::from_value(result).map_err(|_| {
                    Trouble::Unknown("Telegram answered something else than what was asked".to_owned())
                }),
                Answered::Badly(trouble) => Err(trouble),
            }),
            Err(_late) => Err(Trouble::Unknown("Telegram did not answer in time".to_owned())),
        };
        answer.map_err(|trouble| self.clean(trouble))
    }

    /// Without the token, whatever a provider or a library put into its words.
    fn clean(&self, trouble: Trouble) -> Trouble {
        let clean = |words: String| {
            let secret = self
                .settings
                .token
                .split_once(':')
                .map_or("", |(_, secret)| secret);
            words.replace(&self.settings.token, "…").replace(secret, "…")
        };
        match trouble {
            Trouble::Unreachable(words) => Trouble::Unreachable(clean(words)),
            Trouble::Refused(words) => Trouble::Refused(clean(words)),
            Trouble::Markup(words) => Trouble::Markup(clean(words)),
            Trouble::NotSent(words) => Trouble::NotSent(clean(words)),
            Trouble::Unknown(words) => Trouble::Unknown(clean(words)),
            other => other,
        }
    }
}

/// What a call that sends comes to.
pub trait Numbers {
    /// The numbers of the messages.
    fn numbers(self) -> Result<Vec<i32>, Trouble>;
}

impl Numbers for Result<teloxide_core::types::Message, RequestError> {
    fn numbers(self) -> Result<Vec<i32>, Trouble> {
        self.map(|message| vec![message.id.0]).or_else(sent)
    }
}

impl Numbers for Result<Vec<teloxide_core::types::Message>, RequestError> {
    fn numbers(self) -> Result<Vec<i32>, Trouble> {
        self.map(|messages| messages.iter().map(|message| message.id.0).collect())
            .or_else(sent)
    }
}

/// A message of a new kind comes back: it is sent, whether teloxide can read it or not.
fn sent(error: RequestError) -> Result<Vec<i32>, Trouble> {
    let number = |message: &Value| {
        let number = message.get("message_id").and_then(Value::as_i64)?;
        i32::try_from(number).ok()
    };
    match trouble::of(error) {
        Answered::Well(Value::Array(messages)) => Ok(messages.iter().filter_map(number).collect()),
        Answered::Well(message) => Ok(number(&message).into_iter().collect()),
        Answered::Badly(trouble) => Err(trouble),
    }
}

fn of_download(error: DownloadError) -> Trouble {
    match error {
        DownloadError::Network(error) => match error.status() {
            Some(status) if status.is_server_error() || status.as_u16() == 429 => Trouble::Unknown(format!(
                "Telegram does not give the file now ({})",
                status.as_u16()
            )),
            Some(status) => {
                Trouble::Refused(format!("Telegram does not give the file ({})", status.as_u16()))
            }
            None => trouble::of_network(error.as_ref(), error.is_connect(), error.is_timeout()),
        },
        DownloadError::Io(error) => Trouble::Unknown(error.to_string()),
    }
}

fn too_large(limit: u64) -> Trouble {
    Trouble::Refused(format!("larger than {} MB", limit / 1_000_000))
}
