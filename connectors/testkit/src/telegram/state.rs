//! What the server knows.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{BOT, Call, TOKEN, Trick, pace::Pace};

/// Where updates are brought.
#[derive(Debug, Clone)]
pub struct Hook {
    pub url: String,
    pub secret: Option<String>,
    /// The last failure.
    pub error: Option<String>,
}

/// Everything.
#[derive(Debug)]
pub struct State {
    pub token: &'static str,
    pub next_update: i64,
    pub updates: BTreeMap<i64, Value>,
    /// Updates that are on their way to a webhook now.
    pub brought: HashSet<i64>,
    pub confirmed: usize,
    /// Which question for updates is the last one.
    pub poller: u64,
    pub allowed: Option<Vec<String>>,
    pub webhook: Option<Hook>,
    pub numbers: HashMap<i64, i64>,
    pub sent: Vec<Value>,
    pub moments: Vec<Duration>,
    pub calls: Vec<Call>,
    pub files: HashMap<String, (String, Bytes)>,
    pub blocked: HashSet<i64>,
    pub tricks: HashMap<String, VecDeque<Trick>>,
    pub always: HashMap<String, Trick>,
    pub pace: Option<Pace>,
    pub too_many: usize,
    pub since: Instant,
}

impl Default for State {
    fn default() -> Self {
        Self {
            token: TOKEN,
            next_update: 700_000_001,
            updates: BTreeMap::new(),
            brought: HashSet::new(),
            confirmed: 0,
            poller: 0,
            allowed: None,
            webhook: None,
            numbers: HashMap::new(),
            sent: Vec::new(),
            moments: Vec::new(),
            calls: Vec::new(),
            files: HashMap::new(),
            blocked: HashSet::new(),
            tricks: HashMap::new(),
            always: HashMap::new(),
            pace: None,
            too_many: 0,
            since: Instant::now(),
        }
    }
}

/// Kinds that are sent only to those who ask for them by name.
const BY_NAME: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

impl State {
    pub fn push(&mut self, body: Value) -> i64 {
        let number = self.next_update;
        let kind = body
            .as_object()
            .and_then(|fields| fields.keys().next().cloned())
            .unwrap_or_default();
        let wanted = match &self.allowed {
            Some(kinds) if !kinds.is_empty() => kinds.contains(&kind) || !KNOWN.contains(&kind.as_str()),
            _ => !BY_NAME.contains(&kind.as_str()),
        };
        if wanted {
            self.next_update += 1;
            let mut update = Map::new();
            update.insert("update_id".to_owned(), json!(number));
            update.extend(body.as_object().cloned().unwrap_or_default());
            self.updates.insert(number, Value::Object(update));
        }
        number
    }

    pub fn number(&mut self, chat: i64) -> i64 {
        let number = self.numbers.entry(chat).or_insert(0);
        *number += 1;
        *number
    }

    pub fn message(&mut self, chat: i64, fields: Value) -> Value {
        let number = self.number(chat);
        let mut message = json!({
            "message_id": number,
            "date": 1_767_607_200 + number,
            "chat": chat_of(chat),
            "from": {
                "id": chat.abs(), "is_bot": false, "first_name": "Ann", "last_name": format!("No. {chat}"),
                "username": format!("ann{}", chat.abs()), "language_code": "ru"
            },
        });
        if let (Some(message), Value::Object(fields)) = (message.as_object_mut(), fields) {
            message.extend(fields);
        }
        message
    }

    pub fn add_file(&mut self, name: &str, data: Bytes) -> String {
        let id = format!("FILE{}", self.files.len() + 1);
        self.files.insert(id.clone(), (name.to_owned(), data));
        id
    }

    /// A message of the bot.
    pub fn outgoing(&mut self, chat: i64, fields: Map<String, Value>) -> Value {
        let number = self.number(chat);
        let mut message = json!({
            "message_id": number,
            "date": 1_767_607_200 + number,
            "chat": chat_of(chat),
            "from": {"id": BOT, "is_bot": true, "first_name": "Shop", "username": "shop_bot"},
        });
        if let Some(message) = message.as_object_mut() {
            message.extend(fields);
        }
        self.sent.push(message.clone());
        self.moments.push(self.since.elapsed());
        message
    }
}

/// Kinds that exist.
const KNOWN: [&str; 12] = [
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "message_reaction",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "poll",
];

fn chat_of(chat: i64) -> Value {
    if chat < 0 {
        json!({"id": chat, "type": "supergroup", "title": "The group"})
    } else {
        json!({"id": chat, "type": "private", "first_name": "Ann", "last_name": format!("No. {chat}")})
    }
}
