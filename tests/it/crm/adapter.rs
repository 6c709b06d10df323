//! A CRM that does what a test says: it keeps records as a real one does, and fails as told.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use switchboard_crm::{
    Adapter, BuildContext, Changes, Descriptor, FieldKind, LeadSnapshot, Note, Pace, RemoteChange,
    RemoteField, RemoteLead, RemoteStatus, RemoteUser, Stage, SyncError,
};
use switchboard_sdk::{Clock, SettingsError};
use tokio::sync::watch;

pub static SCRIPTED: Descriptor = Descriptor {
    kind: "scripted",
    label: "Scripted CRM",
    settings_schema: schema,
    example: || json!({"script": "example", "token": "right"}),
    build,
    pace: Pace {
        burst: 1_000,
        per_second: 1_000.0,
    },
    two_way: true,
};

fn schema() -> Value {
    json!({
        "type": "object", "required": ["script", "token"],
        "properties": {"script": {"type": "string", "title": "Script"}, "token": {"type": "string", "title": "Token", "x-secret": true}}
    })
}

/// A record there.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: String,
    pub lead: LeadSnapshot,
    pub status: String,
    pub notes: BTreeMap<String, Note>,
    /// The states that updates said.
    pub said: Vec<Option<String>>,
}

/// One question to the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub what: &'static str,
    pub lead: String,
    pub at: DateTime<Utc>,
}

/// How a question goes wrong.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// Nothing is done.
    Refuses(SyncError),
    /// It is done all the same.
    DoesAndSays(SyncError),
    /// It is done, and no answer comes, ever.
    DoesAndHangs,
    /// The adapter falls over.
    Crashes,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    asked: Vec<Asked>,
    down: bool,
    token: String,
    next: HashMap<&'static str, VecDeque<Trouble>>,
    news: Vec<RemoteChange>,
    slow: Option<Duration>,
    together: HashMap<String, usize>,
    overlapped: bool,
}

/// What tests say and see.
pub struct Script {
    pub name: String,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

static SCRIPTS: LazyLock<Mutex<HashMap<String, Arc<Script>>>> = LazyLock::new(Mutex::default);

impl Script {
    pub fn new() -> Arc<Self> {
        let name = uuid::Uuid::new_v4().to_string();
        let script = Arc::new(Self {
            name: name.clone(),
            state: Mutex::new(State {
                token: "right".to_owned(),
                ..State::default()
            }),
            changed: watch::Sender::new(0),
        });
        SCRIPTS.lock().unwrap().insert(name, Arc::clone(&script));
        script
    }

    pub fn settings(&self) -> Value {
        json!({"script": self.name, "token": "right"})
    }

    pub fn is_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    /// Each question takes this long.
    pub fn is_slow(&self, by: Duration) {
        self.state.lock().unwrap().slow = Some(by);
    }

    /// The token that is right from now on.
    pub fn wants_token(&self, token: &str) {
        self.state.lock().unwrap().token = token.to_owned();
    }

    /// The next question of this kind goes wrong so.
    pub fn will(&self, what: &'static str, trouble: Trouble) {
        let mut state = self.state.lock().unwrap();
        state.next.entry(what).or_default().push_back(trouble);
    }

    /// Somebody there moves a record into a state.
    pub fn moves(&self, remote_id: &str, status: &str, stage: Option<Stage>) {
        let mut state = self.state.lock().unwrap();
        if let Some(record) = state.records.iter_mut().find(|record| record.id == remote_id) {
            record.status = status.to_owned();
        }
        state.news.push(RemoteChange {
            id: remote_id.to_owned(),
            status_id: Some(status.to_owned()),
            stage,
            gone: false,
        });
    }

    /// Somebody there deletes a record; `told` in the news.
    pub fn deletes(&self, remote_id: &str, told: bool) {
        let mut state = self.state.lock().unwrap();
        state.records.retain(|record| record.id != remote_id);
        if told {
            state.news.push(RemoteChange {
                id: remote_id.to_owned(),
                status_id: None,
                stage: None,
                gone: true,
            });
        }
    }

    pub fn records(&self) -> Vec<Record> {
        self.state.lock().unwrap().records.clone()
    }

    /// The records of one lead.
    pub fn of(&self, lead_id: &str) -> Vec<Record> {
        let mut records = self.records();
        records.retain(|record| record.lead.id == lead_id);
        records
    }

    pub fn asked(&self, what: &str) -> Vec<Asked> {
        let mut asked = self.state.lock().unwrap().asked.clone();
        asked.retain(|one| one.what == what);
        asked
    }

    /// Whether two questions about one person were ever on their way at once.
    pub fn overlapped(&self) -> bool {
        self.state.lock().unwrap().overlapped
    }

    /// Waits until something holds of it.
    #[track_caller]
    pub fn until<'a>(
        self: &'a Arc<Self>,
        what: &'a str,
        mut holds: impl FnMut(&Script) -> bool + 'a,
    ) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let mut changes = self.changed.subscribe();
            let wait = async {
                while !holds(self) {
                    changes.changed().await.unwrap();
                }
            };
            let met = tokio::time::timeout(Duration::from_secs(20), wait).await;
            met.unwrap_or_else(|_| panic!("{what}: not in time, {place}"));
        }
    }

    fn change(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Adapter>, SettingsError> {
    let name = settings["script"].as_str().unwrap_or_default();
    let script = SCRIPTS.lock().unwrap().get(name).cloned();
    let script = script.ok_or_else(|| SettingsError::new("script", "nobody wrote this script"))?;
    let token = settings["token"].as_str().unwrap_or_default().to_owned();
    if token.is_empty() {
        return Err(SettingsError::new("token", "must not be empty"));
    }
    Ok(Arc::new(Crm {
        script,
        token,
        clock: context.clock.clone(),
        context,
    }))
}

struct Crm {
    script: Arc<Script>,
    token: String,
    clock: Arc<dyn Clock>,
    context: BuildContext,
}

impl Crm {
    /// A question as it goes over the wire: `does` is what the CRM does unless it refuses.
    async fn ask<T>(
        &self,
        what: &'static str,
        lead: &str,
        person: &str,
        does: impl FnOnce(&mut State) -> Result<T, SyncError>,
    ) -> Result<T, SyncError> {
        self.context.turn.wait().await;
        let slow = {
            let mut state = self.script.state.lock().unwrap();
            let with = state.together.entry(person.to_owned()).or_default();
            *with += 1;
            let overlaps = *with > 1 && !person.is_empty();
            state.overlapped |= overlaps;
            state.slow
        };
        if let Some(slow) = slow {
            tokio::time::sleep(slow).await;
        }
        let (answer, hangs) = {
            let mut state = self.script.state.lock().unwrap();
            *state.together.entry(person.to_owned()).or_default() -= 1;
            state.asked.push(Asked {
                what,
                lead: lead.to_owned(),
                at: self.clock.now(),
            });
            let trouble = state.next.get_mut(what).and_then(VecDeque::pop_front);
            if state.down {
                (Err(SyncError::Temporary("nobody answers".to_owned())), false)
            } else if state.token != self.token {
                (
                    Err(SyncError::Auth(
                        "the token is not valid any more: sign in anew".to_owned(),
                    )),
                    false,
                )
            } else {
                match trouble {
                    None => (does(&mut state), false),
                    Some(Trouble::Refuses(error)) => (Err(error), false),
                    Some(Trouble::DoesAndSays(error)) => (does(&mut state).and(Err(error)), false),
                    Some(Trouble::DoesAndHangs) => (does(&mut state), true),
                    Some(Trouble::Crashes) => {
                        drop(state);
                        self.script.change();
                        panic!("the adapter fell over");
                    }
                }
            }
        };
        self.script.change();
        if hangs {
            std::future::pending::<()>().await;
        }
        answer
    }
}

fn remote(record: &Record) -> RemoteLead {
    RemoteLead {
        id: record.id.clone(),
        person_id: Some(format!("p-{}", record.lead.person.id)),
        company_id: None,
        url: Some(format!("https://crm.example/lead/{}", record.id)),
        merged: false,
    }
}

fn gone() -> SyncError {
    SyncError::Gone("the lead was deleted".to_owned())
}

#[async_trait]
impl Adapter for Crm {
    async fn check(&self) -> Result<String, SyncError> {
        self.ask("check", "", "", |_| {
            Ok("Signed in as Ann; leads may be written".to_owned())
        })
        .await
    }

    async fn fields(&self) -> Result<Vec<RemoteField>, SyncError> {
        let field = |id: &str, kind, options: &[(&str, &str)]| RemoteField {
            id: id.to_owned(),
            label: format!("{id} there"),
            kind,
            required: false,
            options: options
                .iter()
                .map(|(id, label)| ((*id).to_owned(), (*label).to_owned()))
                .collect(),
        };
        self.ask("fields", "", "", |_| {
            Ok(vec![
                field("BUDGET", FieldKind::Number, &[]),
                field(
                    "SOURCE",
                    FieldKind::Choice,
                    &[("WEB", "Web site"), ("OTHER", "Other")],
                ),
            ])
        })
        .await
    }

    async fn statuses(&self) -> Result<Vec<RemoteStatus>, SyncError> {
        let status = |id: &str, stage| RemoteStatus {
            id: id.to_owned(),
            label: format!("{id} there"),
            stage: Some(stage),
        };
        self.ask("statuses", "", "", |_| {
            Ok(vec![
                status("NEW", Stage::Open),
                status("WORK", Stage::Open),
                status("SOLD", Stage::Won),
                status("TRASH", Stage::Lost),
            ])
        })
        .await
    }

    async fn users(&self) -> Result<Option<Vec<RemoteUser>>, SyncError> {
        self.ask("users", "", "", |_| {
            Ok(Some(vec![RemoteUser {
                id: "77".to_owned(),
                name: "Olga there".to_owned(),
                email: None,
            }]))
        })
        .await
    }

    async fn find(&self, lead_id: &str) -> Result<Option<RemoteLead>, SyncError> {
        self.ask("find", lead_id, "", |state| {
            Ok(state
                .records
                .iter()
                .find(|record| record.lead.id == lead_id)
                .map(remote))
        })
        .await
    }

    async fn create(&self, lead: &LeadSnapshot) -> Result<RemoteLead, SyncError> {
        self.ask("create", &lead.id, &lead.person.id, |state| {
            let record = Record {
                id: format!("r{}", state.records.len() + 1),
                lead: lead.clone(),
                status: lead.status_id.clone().unwrap_or_else(|| "NEW".to_owned()),
                notes: BTreeMap::new(),
                said: vec![lead.status_id.clone()],
            };
            state.records.push(record.clone());
            Ok(remote(&record))
        })
        .await
    }

    async fn update(&self, known: &RemoteLead, lead: &LeadSnapshot) -> Result<(), SyncError> {
        self.ask("update", &lead.id, &lead.person.id, |state| {
            let record = state
                .records
                .iter_mut()
                .find(|record| record.id == known.id)
                .ok_or_else(gone)?;
            if let Some(status) = &lead.status_id {
                record.status.clone_from(status);
            }
            record.said.push(lead.status_id.clone());
            record.lead = lead.clone();
            Ok(())
        })
        .await
    }

    async fn note(&self, known: &RemoteLead, note: &Note) -> Result<String, SyncError> {
        self.ask("note", &note.id, "", |state| {
            let record = state
                .records
                .iter_mut()
                .find(|record| record.id == known.id)
                .ok_or_else(gone)?;
            record.notes.insert(note.id.clone(), note.clone());
            Ok(format!("n-{}", note.id))
        })
        .await
    }

    async fn changes(&self, cursor: Option<Value>) -> Result<Changes, SyncError> {
        self.ask("changes", "", "", |state| {
            let Some(from) = cursor.as_ref().and_then(Value::as_u64) else {
                return Ok(Changes {
                    cursor: Some(json!(state.news.len())),
                    ..Changes::default()
                });
            };
            let from = usize::try_from(from).unwrap();
            // One at a time, so that "more" is asked for.
            let next = (from + 1).min(state.news.len());
            Ok(Changes {
                changes: state.news[from..next].to_vec(),
                cursor: Some(json!(next)),
                more: next < state.news.len(),
            })
        })
        .await
    }
}
