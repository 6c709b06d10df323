//! A world for adapters: a CRM in memory behind the way out over HTTP, faults on that way, a keeper of secrets, time.

pub mod amocrm;
pub mod bitrix24;
pub mod hubspot;
pub mod pipedrive;
pub mod rules;
pub mod salesforce;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use switchboard_crm::{
    Adapter, AtOnce, BuildContext, Descriptor, LeadSnapshot, Note, NoteKind, Person, Stage,
};
use switchboard_sdk::{Clock, Fault, Http, HttpError, HttpRequest, HttpResponse, SecretKeeper};
use switchboard_testkit::ManualClock;

/// What happens in which order, on the wire and in the keeper.
pub type Journal = Arc<Mutex<Vec<String>>>;

/// A request, taken apart.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub host: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HashMap<String, String>,
    pub body: Value,
    pub now: DateTime<Utc>,
}

impl Request {
    pub fn q(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    pub fn bearer(&self) -> String {
        let value = self.headers.get("authorization").cloned().unwrap_or_default();
        value.strip_prefix("Bearer ").unwrap_or_default().to_owned()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

pub fn reply(status: u16, body: Value) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.to_string(),
    }
}

pub fn empty(status: u16) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: String::new(),
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Token,
    /// Makes the lead.
    Create,
    /// Changes a lead that is there.
    Change,
    /// Makes a person.
    Person,
    Note,
    Other,
}

/// A CRM in memory, as its documentation says that it behaves.
pub trait Fake: Send {
    fn kind(&self, request: &Request) -> Kind;
    fn handle(&mut self, request: &Request) -> Reply;
    fn auth(&mut self) -> &mut Auth;
    /// Living leads: id, our id.
    fn leads(&self) -> Vec<(String, String)>;
    fn people(&self) -> usize;
    /// Somebody with this number was there before us.
    fn plant_person(&mut self, phone: &str) -> String;
    fn notes(&self) -> usize;
    /// A person there moves a lead.
    fn move_lead(&mut self, id: &str, status: &str, now: DateTime<Utc>);
    fn delete_lead(&mut self, id: &str, now: DateTime<Utc>);
    /// The search does not see what was made from now on.
    fn lag(&mut self);
    /// Sets fields of a record as they are.
    fn set(&mut self, _id: &str, _fields: &Value) {}
}

/// Tokens, of which the refreshing ones work once.
pub struct Auth {
    pub access: String,
    pub refresh: String,
    pub code: String,
    pub count: u32,
    pub revoked: bool,
    pub journal: Journal,
}

impl Auth {
    pub fn new(journal: Journal) -> Self {
        Self {
            access: "access-0-secret".to_owned(),
            refresh: "refresh-0-secret".to_owned(),
            code: "code-secret".to_owned(),
            count: 0,
            revoked: false,
            journal,
        }
    }

    /// The access token ends before its time.
    pub fn expire(&mut self) {
        self.access = format!("ended-{}", self.count);
    }

    /// What a token endpoint answers; the caller adds its own fields.
    pub fn token(&mut self, fields: &Value) -> Result<Value, Value> {
        let given = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        let good = match given("grant_type").as_str() {
            "refresh_token" => given("refresh_token") == self.refresh,
            "authorization_code" => given("code") == self.code,
            "client_credentials" => true,
            _ => false,
        };
        if self.revoked || !good {
            // Careless servers say what they were given.
            return Err(
                json!({"error": "invalid_grant", "error_description": format!("bad {} {}", given("refresh_token"), given("client_secret"))}),
            );
        }
        self.count += 1;
        self.access = format!("access-{}-secret", self.count);
        self.refresh = format!("refresh-{}-secret", self.count);
        self.journal
            .lock()
            .unwrap()
            .push(format!("issued {}", self.refresh));
        Ok(
            json!({"access_token": self.access, "refresh_token": self.refresh, "expires_in": 3600, "token_type": "Bearer"}),
        )
    }

    pub fn knows(&self, token: &str) -> bool {
        let good = token == self.access && !self.revoked;
        if good {
            self.journal.lock().unwrap().push(format!("used {token}"));
        }
        good
    }
}

/// What happens to a request on its way.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// It arrives and is done; the answer is lost.
    LostAnswer,
    /// It never leaves.
    NotSent,
    /// Something else answers.
    Says(Reply),
}

/// What the faults of this test are about.
struct State {
    fake: Box<dyn Fake>,
    troubles: VecDeque<(Kind, Trouble)>,
    asked: Vec<Request>,
    stored: HashMap<String, String>,
    store_fails: bool,
}

/// All of it. Clones share one world.
#[derive(Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
    pub journal: Journal,
    pub clock: ManualClock,
}

impl World {
    pub fn new(make: fn(Journal) -> Box<dyn Fake>) -> Self {
        let journal = Journal::default();
        let stored = HashMap::from([("auth.refresh_token".to_owned(), "refresh-0-secret".to_owned())]);
        Self {
            state: Arc::new(Mutex::new(State {
                fake: make(journal.clone()),
                troubles: VecDeque::new(),
                asked: Vec::new(),
                stored,
                store_fails: false,
            })),
            journal,
            clock: ManualClock::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn crm<T>(&self, with: impl FnOnce(&mut dyn Fake) -> T) -> T {
        with(&mut *self.lock().fake)
    }

    /// The next request of this kind gets into trouble.
    pub fn trouble(&self, kind: Kind, trouble: Trouble) {
        self.lock().troubles.push_back((kind, trouble));
    }

    pub fn store_fails(&self, fails: bool) {
        self.lock().store_fails = fails;
    }

    pub fn stored(&self, path: &str) -> Option<String> {
        self.lock().stored.get(path).cloned()
    }

    pub fn forget_stored(&self, path: &str) {
        self.lock().stored.remove(path);
    }

    pub fn asked(&self) -> Vec<Request> {
        self.lock().asked.clone()
    }

    pub fn context(&self) -> BuildContext {
        BuildContext {
            connection_id: "crm_1".to_owned(),
            public_url: "https://desk.example".to_owned(),
            clock: Arc::new(self.clock.clone()),
            secrets: Arc::new(self.clone()),
            http: Arc::new(self.clone()),
            turn: Arc::new(AtOnce),
        }
    }

    pub fn build(&self, descriptor: &'static Descriptor, settings: Value) -> Arc<dyn Adapter> {
        match (descriptor.build)(settings, self.context()) {
            Ok(adapter) => adapter,
            Err(error) => panic!("{error}"),
        }
    }
}

#[async_trait]
impl Http for World {
    async fn ask(&self, request: HttpRequest, _: Duration, _: usize) -> Result<HttpResponse, HttpError> {
        let request = taken_apart(&request, self.clock.now());
        let mut state = self.lock();
        state.asked.push(request.clone());
        let kind = state.fake.kind(&request);
        let place = state.troubles.iter().position(|(of, _)| *of == kind);
        let trouble = place.and_then(|place| state.troubles.remove(place));
        match trouble {
            Some((_, Trouble::NotSent)) => Err(HttpError::NotSent("connection refused".to_owned())),
            Some((_, Trouble::LostAnswer)) => {
                state.fake.handle(&request);
                Err(HttpError::Unknown("no answer in time".to_owned()))
            }
            Some((_, Trouble::Says(reply))) => Ok(put_together(reply)),
            None => Ok(put_together(state.fake.handle(&request))),
        }
    }
}

#[async_trait]
impl SecretKeeper for World {
    async fn load(&self, path: &[&str]) -> Result<Option<String>, Fault> {
        Ok(self.stored(&path.join(".")))
    }

    async fn replace(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Fault> {
        let mut state = self.lock();
        if state.store_fails {
            return Err(Fault::temporary("the disk is full"));
        }
        let path = path.join(".");
        if state.stored.get(&path).map(String::as_str) != old {
            return Ok(false);
        }
        self.journal.lock().unwrap().push(format!("stored {new}"));
        state.stored.insert(path, new.to_owned());
        Ok(true)
    }
}

fn taken_apart(request: &HttpRequest, now: DateTime<Utc>) -> Request {
    let uri = request.uri();
    assert_eq!(
        uri.scheme_str(),
        Some("https"),
        "secrets are sent in the open to {uri}"
    );
    let pairs = |text: &str| -> BTreeMap<String, String> {
        url::form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect()
    };
    let kind = request
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    let text = String::from_utf8(request.body().to_vec()).unwrap();
    let body = match kind.as_deref() {
        Some("application/x-www-form-urlencoded") => json!(pairs(&text)),
        _ if text.is_empty() => Value::Null,
        _ => serde_json::from_str(&text).unwrap(),
    };
    Request {
        method: request.method().to_string(),
        host: uri.host().unwrap().to_owned(),
        path: uri.path().to_owned(),
        query: pairs(uri.query().unwrap_or_default()),
        headers: request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body,
        now,
    }
}

fn put_together(reply: Reply) -> HttpResponse {
    let mut made = http::Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        made = made.header(name, value);
    }
    made.body(Bytes::from(reply.body)).unwrap()
}

/// Ivan, who called.
pub fn lead(id: &str) -> LeadSnapshot {
    LeadSnapshot {
        id: id.to_owned(),
        title: "Call from +7 916 123-45-67".to_owned(),
        created_at: DateTime::UNIX_EPOCH,
        stage: Stage::Open,
        status_id: None,
        source: "Telephone".to_owned(),
        attribution: BTreeMap::from([("utm_source".to_owned(), "newsletter".to_owned())]),
        person: Person {
            id: "con_1".to_owned(),
            name: "Ivan Petrov".to_owned(),
            phones: vec!["+79161234567".to_owned()],
            emails: vec!["ivan@client.example".to_owned()],
            language: Some("ru".to_owned()),
        },
        company: None,
        owner_email: None,
        owner_id: None,
        fields: BTreeMap::new(),
        url: format!("https://desk.example/leads/{id}"),
    }
}

pub fn note(id: &str) -> Note {
    Note {
        id: id.to_owned(),
        at: DateTime::UNIX_EPOCH,
        kind: NoteKind::Conversation,
        text: "Ivan: is it <b>open</b> & free?\nAnna: yes".to_owned(),
        url: Some("https://desk.example/conversations/1".to_owned()),
    }
}

/// Only digits, as searches compare numbers.
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// How one adapter is tried.
pub struct Fixture {
    pub kind: &'static str,
    pub fake: fn(Journal) -> Box<dyn Fake>,
    /// Settings that sign in by OAuth.
    pub settings: fn() -> Value,
    /// Where people move a lead to.
    pub moved: &'static str,
    /// An answer that says "too much", and how long it lasts at least, in seconds.
    pub limited: fn() -> (Reply, u64),
    /// A settings field with the account's host, and a host that is not the CRM's, when it has own domains.
    pub foreign: Option<(&'static str, &'static str)>,
    /// People are records of their own there, which we make.
    pub makes_people: bool,
}

impl Fixture {
    pub fn descriptor(&self) -> &'static Descriptor {
        let all = switchboard_crm::ADAPTERS;
        all.iter()
            .find(|one| one.kind == self.kind)
            .expect("an adapter of this kind")
    }

    pub fn world(&self) -> (World, Arc<dyn Adapter>) {
        let world = World::new(self.fake);
        let adapter = world.build(self.descriptor(), (self.settings)());
        (world, adapter)
    }
}

/// The texts of a list, or of an object in a list's place.
pub fn values(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Object(items) => items.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether a number is the one of this id.
pub fn number_is(value: &Value, id: &str) -> bool {
    value.as_i64() == id.parse().ok()
}
