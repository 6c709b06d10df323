//! The server as its clients see it: addresses, keys and channels, and how a request is sent to a server that may die.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{from_environment, random::Random, server::Server};

/// How long a client keeps trying; far longer than any start of the server takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// The place of all this: addresses, keys, channels.
#[derive(Debug)]
pub struct World {
    /// A client with a time-out.
    pub http: reqwest::Client,
    /// Where the server answers, without a slash at the end.
    pub base: String,
    /// API key of an administrator.
    pub key: String,
    /// The chat channel, as the API shows it.
    pub webchat: Value,
    /// The form channel.
    pub webform: Value,
    /// The mail channel.
    pub email: Value,
    /// Address that the mail channel reads.
    pub mailbox: String,
    /// Told each time the server has accepted a reply.
    pub reply_accepted: Notify,
    /// A word in all addresses of this run.
    pub run: String,
}

/// How a request ended.
#[derive(Debug)]
pub enum Ending {
    /// Answered with 2xx and this body.
    Accepted(Value),
    /// Without an answer, and not tried again.
    Abandoned,
    /// Answered with something that is neither success nor "later".
    Wrong(String),
}

impl World {
    /// Creates a line and one channel of each kind.
    pub async fn set_up(server: &Server, key: String, random: &mut Random) -> Arc<Self> {
        let run = format!(
            "{:08x}",
            random.below(1 << 32) ^ uuid::Uuid::new_v4().as_u64_pair().1 >> 32
        );
        let mut world = Self {
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(10))
                .build()
                .expect("a client"),
            base: server.base_url(),
            key,
            webchat: Value::Null,
            webform: Value::Null,
            email: Value::Null,
            mailbox: format!("support-{run}@shop.test"),
            reply_accepted: Notify::new(),
            run,
        };
        let host_and_port = |variable: &str| {
            let address = from_environment(variable);
            let (host, port) = address.rsplit_once(':').expect("host:port");
            (host.to_owned(), port.parse::<u16>().expect("a port"))
        };
        let (imap_host, imap_port) = host_and_port("SWITCHBOARD_TEST_IMAP");
        let (smtp_host, smtp_port) = host_and_port("SWITCHBOARD_TEST_SMTP");
        let line = world.create("lines", &json!({"name": "Support"})).await;
        let channel = |kind: &str, settings: Value| json!({"kind": kind, "line_id": line["id"], "name": kind, "settings": settings});
        world.webchat = world
            .create("channels", &channel("webchat", json!({"allowed_origins": ["*"]})))
            .await;
        let fields = json!([
            {"name": "name", "label": "Name", "type": "text", "required": true, "maps_to": "contact.name"},
            {"name": "email", "label": "E-mail", "type": "email", "required": true, "maps_to": "contact.email"},
            {"name": "comment", "label": "Comment", "type": "textarea", "required": true, "maps_to": "lead.comment"},
        ]);
        world.webform = world
            .create(
                "channels",
                &channel("webform", json!({"title": "Write to us", "fields": fields})),
            )
            .await;
        let settings = json!({
            "address": world.mailbox, "from_name": "Support",
            "imap": {"host": imap_host, "port": imap_port, "tls": "none", "username": world.mailbox, "password": "secret", "mailbox": "INBOX"},
            "smtp": {"host": smtp_host, "port": smtp_port, "tls": "none", "username": world.mailbox, "password": "secret"},
        });
        world.email = world.create("channels", &channel("email", settings)).await;
        Arc::new(world)
    }

    async fn create(&self, kind: &str, body: &Value) -> Value {
        let answer = self
            .api(reqwest::Method::POST, kind)
            .json(body)
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert_eq!(status, StatusCode::CREATED, "POST {kind}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// A request to the operators' API.
    pub fn api(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1/{path}", self.base))
            .bearer_auth(&self.key)
    }

    /// Address of something below the chat channel.
    pub fn widget(&self, path: &str) -> String {
        format!(
            "{}/widget/v1/{}/{path}",
            self.base,
            self.webchat["key"].as_str().expect("a key")
        )
    }

    /// Waits until the mail channel says of itself that it works.
    pub async fn mailbox_is_read(&self) {
        let path = format!("channels/{}", self.email["id"].as_str().expect("an id"));
        let begun = Instant::now();
        loop {
            if let Ok(answer) = self.api(reqwest::Method::GET, &path).send().await
                && let Ok(channel) = answer.json::<Value>().await
            {
                if channel["health"]["state"] == "ok" {
                    return;
                }
                assert!(
                    begun.elapsed() < PATIENCE,
                    "the mail channel does not come back: {}",
                    channel["health"]
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends until there is an answer. `gives_up`: the first silence ends it.
    pub async fn deliver(&self, gives_up: bool, request: impl Fn() -> RequestBuilder) -> Ending {
        let begun = Instant::now();
        loop {
            match request().send().await {
                Ok(answer) if answer.status().is_success() => {
                    // A body that was cut off: the same again tells what had been answered.
                    if let Ok(body) = answer.json().await {
                        return Ending::Accepted(body);
                    }
                }
                // "Later" is a fair answer while it starts.
                Ok(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {}
                Ok(answer) => {
                    let (status, url) = (answer.status(), answer.url().path().to_owned());
                    return Ending::Wrong(format!(
                        "{url} answered {status}: {}",
                        answer.text().await.unwrap_or_default()
                    ));
                }
                Err(_) if gives_up => return Ending::Abandoned,
                Err(_) => {}
            }
            if begun.elapsed() > PATIENCE {
                return Ending::Wrong(format!("no answer for {} s", PATIENCE.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}
