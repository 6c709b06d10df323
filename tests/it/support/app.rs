//! The server, served on a port of its own, and a client that is an admin.

use std::{
    future::IntoFuture,
    net::SocketAddr,
    sync::{Arc, Once},
    time::Duration,
};

use serde_json::{Value, json};
use switchboard::{
    api,
    app::{App, Running},
    auth::apikey,
    clock::{ManualClock, SharedClock, SystemClock},
    config,
    connector::registry,
    operator::rights::Role,
};
use switchboard_sdk::{
    Batch, Descriptor, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage, Outcome, Person,
};

use super::{Database, Socket};

/// How long anything that should happen may take before the test gives up. Nothing waits this long
/// when it works.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server under test.
pub struct TestApp {
    pub app: App,
    pub base: String,
    pub key: String,
    pub client: reqwest::Client,
    running: Option<Running>,
    http: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
    // Last: dropped after everything that uses it.
    pub database: Database,
}

/// A status with its JSON body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The body, when the status is the one expected.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl TestApp {
    /// Starts a server with the product's connectors.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, registry::ALL.to_vec()).await
    }

    /// Starts a server with other connectors.
    pub async fn start_with(database: Database, descriptors: Vec<&'static Descriptor>) -> Self {
        Self::start_on(database, descriptors, Arc::new(SystemClock), &[]).await
    }

    /// Starts a server with further settings.
    pub async fn start_set(database: Database, settings: &[(&'static str, &str)]) -> Self {
        Self::start_on(database, registry::ALL.to_vec(), Arc::new(SystemClock), settings).await
    }

    /// Starts a server whose time is the test's.
    pub async fn start_at(database: Database, clock: Arc<ManualClock>) -> Self {
        Self::start_on(database, registry::ALL.to_vec(), clock, &[]).await
    }

    /// Starts a server with an adapter to a CRM of the test's own, whose time is the test's.
    pub async fn start_crm(
        database: Database,
        clock: Arc<ManualClock>,
        adapter: &'static switchboard_crm::Descriptor,
    ) -> Self {
        Self::start_beside(database, registry::ALL.to_vec(), vec![adapter], clock, &[]).await
    }

    async fn start_on(
        database: Database,
        descriptors: Vec<&'static Descriptor>,
        clock: SharedClock,
        settings: &[(&'static str, &str)],
    ) -> Self {
        let adapters = switchboard_crm::ADAPTERS.to_vec();
        Self::start_beside(database, descriptors, adapters, clock, settings).await
    }

    async fn start_beside(
        database: Database,
        descriptors: Vec<&'static Descriptor>,
        adapters: Vec<&'static switchboard_crm::Descriptor>,
        clock: SharedClock,
        settings: &[(&'static str, &str)],
    ) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let folder = database.folder.path().display().to_string();
        let environment = [
            ("SWITCHBOARD__SERVER__PUBLIC_URL", base.clone()),
            ("SWITCHBOARD__DATABASE__URL", database.url.clone()),
            (
                "SWITCHBOARD__STORAGE__URL",
                format!("file://{folder}/attachments"),
            ),
            ("SWITCHBOARD__SECURITY__MASTER_KEY", "11".repeat(32)),
            ("SWITCHBOARD__LIMITS__ENABLED", "false".to_owned()),
            // Files of other programs under test.
            (
                "SWITCHBOARD__SECURITY__ALLOWED_PRIVATE_NETWORKS",
                "[\"127.0.0.0/8\"]".to_owned(),
            ),
        ];
        let further = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let environment = environment.into_iter().chain(further);
        let config = config::load(None, environment.map(|(name, value)| (name.to_owned(), value))).unwrap();
        let db = switchboard::db::Db::connect(&database.url).await.unwrap();
        let assembly = App::assemble_beside(config, clock, db, descriptors, adapters)
            .await
            .unwrap();
        let app = assembly.app.clone();
        let running = assembly.start();
        let service = api::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let stop = app.stop.clone();
        let http = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
        let http = tokio::spawn(http.into_future());
        let mut write = app.db.write().await.unwrap();
        let key = apikey::create(&mut write, "test", Some(Role::Admin), None, app.clock.now())
            .await
            .unwrap();
        write.commit().await.unwrap();
        Self {
            app,
            base,
            key: key.key,
            client: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            running: Some(running),
            http: Some(http),
            database,
        }
    }

    /// Stops in order, as SIGTERM does, and hands the database over for another start.
    pub async fn stop(mut self) -> Database {
        let http = self.http.take().unwrap();
        let running = self.running.take().unwrap();
        let ended = async { drop(http.await) };
        running.stop(ended, PATIENCE).await.unwrap();
        let replacement = Database::sqlite().await;
        std::mem::replace(&mut self.database, replacement)
    }

    /// A request as the admin.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_as(&self.key, method, path, body).await
    }

    /// A request with another API key.
    pub async fn call_as(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .client
            .request(method, format!("{}/api/v1{path}", self.base))
            .bearer_auth(key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).await.expect(200)
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", path, Some(body)).await
    }

    /// A line; `fields` are added to the name.
    pub async fn line(&self, name: &str, fields: Value) -> Value {
        let mut body = json!({"name": name});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().cloned().unwrap_or_default());
        self.post("/lines", body).await.expect(201)
    }

    /// A channel on a line.
    pub async fn channel(&self, kind: &str, line: &Value, settings: Value) -> Value {
        let body =
            json!({"kind": kind, "line_id": line["id"], "name": format!("Our {kind}"), "settings": settings});
        self.post("/channels", body).await.expect(201)
    }

    /// A service user with an API key: its user and the key.
    pub async fn operator(&self, name: &str, role: &str) -> (Value, String) {
        let made = self
            .post("/apikeys", json!({"name": name, "role": role}))
            .await
            .expect(201);
        let key = made["key"].as_str().unwrap().to_owned();
        let me = self.call_as(&key, "GET", "/me", None).await.expect(200);
        (me, key)
    }

    /// Puts somebody online and accepting, for an hour.
    pub async fn go_online(&self, key: &str) {
        let presence = json!({"state": "online", "ttl_secs": 3600});
        self.call_as(key, "PUT", "/me/presence", Some(presence))
            .await
            .expect(200);
        self.call_as(
            key,
            "PUT",
            "/me/availability",
            Some(json!({"state": "accepting"})),
        )
        .await
        .expect(200);
    }

    /// A form post as a program makes it.
    pub async fn submit(&self, channel: &Value, fields: Value, idempotency_key: Option<&str>) -> Answer {
        let url = format!("{}/f/{}", self.base, channel["key"].as_str().unwrap());
        let mut request = self
            .client
            .post(url)
            .header("accept", "application/json")
            .json(&fields);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        answer(request).await
    }

    /// A visitor of a web chat: the token.
    pub async fn visitor(&self, channel: &Value) -> String {
        let answer = self.widget(channel, "sessions", None, json!({})).await;
        answer.expect(200)["visitor_token"].as_str().unwrap().to_owned()
    }

    /// A post to the visitors' side.
    pub async fn widget(&self, channel: &Value, path: &str, token: Option<&str>, body: Value) -> Answer {
        let url = format!(
            "{}/widget/v1/{}/{path}",
            self.base,
            channel["key"].as_str().unwrap()
        );
        let mut request = self.client.post(url).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(request).await
    }

    /// What a visitor says.
    pub async fn says(&self, channel: &Value, token: &str, text: &str) -> Value {
        let body = json!({"client_id": uuid::Uuid::new_v4().to_string(), "text": text});
        self.widget(channel, "messages", Some(token), body)
            .await
            .expect(201)
    }

    /// Any request; what is no JSON is answered as text.
    pub async fn ask(&self, request: reqwest::RequestBuilder) -> Answer {
        answer(request).await
    }

    /// Somebody outside writes, as a connector hands it over: the conversation.
    pub async fn writes(&self, channel: &Value, from: &str, text: &str) -> String {
        let external_id = uuid::Uuid::new_v4().to_string();
        let identity = Identity {
            kind: IdentityKind::External,
            value: from.to_owned(),
            verified: true,
        };
        let from = Person {
            identities: vec![identity],
            name: Some(from.to_owned()),
            ..Person::default()
        };
        let body = InboundMessage {
            from,
            text: text.to_owned(),
            ..InboundMessage::default()
        };
        let event = InboundEvent {
            external_id,
            at: self.app.clock.now(),
            body: InboundBody::Message(body),
        };
        let receipt = self
            .app
            .ingest
            .deliver(channel["id"].as_str().unwrap(), Batch::one(event))
            .await
            .unwrap();
        match &receipt.outcomes[0] {
            Outcome::Stored {
                conversation_id: Some(id),
                ..
            } => id.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The operators' socket.
    pub async fn socket(&self, key: &str, since: Option<i64>) -> Socket {
        Socket::open(&self.base, key, since).await
    }

    /// Asks again and again until the answer is there.
    #[track_caller]
    pub fn until<'a, T, F>(
        &'a self,
        what: &'a str,
        mut look: impl FnMut() -> F + 'a,
    ) -> impl Future<Output = T> + 'a
    where
        F: Future<Output = Option<T>> + 'a,
        T: 'a,
    {
        let place = std::panic::Location::caller();
        async move {
            let look = async {
                let mut head = self.app.db.head();
                loop {
                    if let Some(found) = look().await {
                        return found;
                    }
                    // Woken by whatever is written; the pause is for what is not.
                    drop(tokio::time::timeout(Duration::from_millis(200), head.changed()).await);
                }
            };
            tokio::time::timeout(PATIENCE, look)
                .await
                .unwrap_or_else(|_| panic!("{what} did not happen in time, {place}"))
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, body }
}
