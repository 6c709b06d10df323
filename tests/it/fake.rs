//! A connector that does what a test says.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_sdk::{
    Addressee, Batch, BuildContext, CancellationToken, Capabilities, Clock, Connector, Content, Descriptor,
    Fault, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage, Intake, OutboundDeletion,
    OutboundEdit, OutboundMessage, Person, Receiver, SendError, Sender, Sent, SettingsError, SystemClock,
};
use tokio::sync::watch;

const CAPABILITIES: Capabilities = Capabilities {
    inbound: true,
    outbound: true,
    attachments: true,
    max_text_chars: None,
    max_attachment_bytes: None,
    typing: false,
    receipts: true,
    idempotent_send: false,
    hosted: false,
    threads: false,
    recipients: false,
    rich_text: false,
    max_message_bytes: None,
    ..Capabilities::NONE
};

/// An answer with this reason crashes the sender instead.
pub const CRASH: &str = "crash";

/// Its provider cannot tell a repeat.
pub static FAKE: Descriptor = Descriptor {
    kind: "fake",
    label: "Fake",
    capabilities: CAPABILITIES,
    settings_schema: schema,
    example: || json!({"script": "example"}),
    build,
};

/// Writes letters rather than chats.
pub static LETTERS: Descriptor = Descriptor {
    kind: "letters",
    label: "Letters",
    capabilities: Capabilities {
        threads: true,
        recipients: true,
        rich_text: true,
        max_message_bytes: Some(1024 * 1024),
        ..CAPABILITIES
    },
    settings_schema: schema,
    example: || json!({"script": "example"}),
    build,
};

/// Its provider drops repeats.
pub static IDEMPOTENT: Descriptor = Descriptor {
    kind: "idempotent",
    label: "Idempotent fake",
    capabilities: Capabilities {
        idempotent_send: true,
        ..CAPABILITIES
    },
    settings_schema: schema,
    example: || json!({"script": "example"}),
    build,
};

/// A live messenger: what was sent can be changed.
pub static LIVE: Descriptor = Descriptor {
    kind: "live",
    label: "Live",
    capabilities: Capabilities {
        typing: true,
        edit: true,
        delete: true,
        reply_to: true,
        buttons: true,
        closings: true,
        ..CAPABILITIES
    },
    settings_schema: schema,
    example: || json!({"script": "example"}),
    build,
};

fn schema() -> Value {
    json!({"type": "object", "properties": {"script": {"type": "string"}, "note": {"type": "string"}}})
}

/// What a run of the receiver does.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    Panic,
    Temporary,
    Permanent,
    /// Says that it is alive and runs until it is stopped.
    Serve,
}

/// What tests say and see. One for each `script` of the settings.
pub struct Script {
    pub name: String,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

#[derive(Default)]
struct State {
    runs: VecDeque<Run>,
    answers: VecDeque<Result<Sent, SendError>>,
    starts: usize,
    sent: Vec<OutboundMessage>,
    changes: Vec<String>,
    change_answers: VecDeque<Result<(), SendError>>,
    intake: Option<Arc<dyn Intake>>,
    readable: bool,
    slow: Option<Duration>,
}

static SCRIPTS: LazyLock<Mutex<HashMap<String, Arc<Script>>>> = LazyLock::new(Mutex::default);

impl Script {
    pub fn new() -> Arc<Self> {
        let name = uuid::Uuid::new_v4().to_string();
        let script = Arc::new(Self {
            name: name.clone(),
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        });
        SCRIPTS.lock().unwrap().insert(name, Arc::clone(&script));
        script
    }

    pub fn settings(&self) -> Value {
        json!({"script": self.name})
    }

    /// The next runs; after them, and without any, it serves.
    pub fn will_run(&self, runs: &[Run]) {
        self.state.lock().unwrap().runs.extend(runs);
    }

    /// The answers to the next sends; after them each is sent.
    pub fn will_answer(&self, answers: impl IntoIterator<Item = Result<Sent, SendError>>) {
        self.state.lock().unwrap().answers.extend(answers);
    }

    /// Each send takes this long.
    pub fn is_slow(&self, by: Duration) {
        self.state.lock().unwrap().slow = Some(by);
    }

    /// From now on it understands what it called poison.
    pub fn learns_to_read(&self) {
        self.state.lock().unwrap().readable = true;
    }

    pub fn starts(&self) -> usize {
        self.state.lock().unwrap().starts
    }

    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Most receivers that ever ran at the same time.
    pub fn most_running(&self) -> usize {
        self.most_running.load(Ordering::SeqCst)
    }

    pub fn sent(&self) -> Vec<OutboundMessage> {
        self.state.lock().unwrap().sent.clone()
    }

    pub fn sent_texts(&self) -> Vec<String> {
        self.sent().into_iter().map(|message| message.text).collect()
    }

    /// The answers to the next edits and deletions; after them each is done.
    pub fn will_change(&self, answers: impl IntoIterator<Item = Result<(), SendError>>) {
        self.state.lock().unwrap().change_answers.extend(answers);
    }

    /// What was done beside sending, in words.
    pub fn changes(&self) -> Vec<String> {
        self.state.lock().unwrap().changes.clone()
    }

    fn does(&self, what: String) -> Result<(), SendError> {
        let answer = {
            let mut state = self.state.lock().unwrap();
            let answer = state.change_answers.pop_front().unwrap_or(Ok(()));
            if answer.is_ok() {
                state.changes.push(what);
            }
            answer
        };
        self.change();
        answer
    }

    pub fn intake(&self) -> Option<Arc<dyn Intake>> {
        self.state.lock().unwrap().intake.clone()
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

/// A customer's message.
pub fn message(external_id: &str, from: &str, text: &str) -> InboundEvent {
    let identity = Identity {
        kind: IdentityKind::Email,
        value: from.to_owned(),
        verified: true,
    };
    let body = InboundMessage {
        from: Person {
            identities: vec![identity],
            ..Person::default()
        },
        text: text.to_owned(),
        ..InboundMessage::default()
    };
    InboundEvent {
        external_id: external_id.to_owned(),
        at: SystemClock.now(),
        body: InboundBody::Message(body),
    }
}

/// Something nobody understands yet.
pub fn poison(external_id: &str, raw: &str) -> Batch {
    let body = InboundBody::Poison {
        reason: "rubbish".to_owned(),
        raw: Bytes::copy_from_slice(raw.as_bytes()).into(),
    };
    Batch::one(InboundEvent {
        external_id: external_id.to_owned(),
        at: SystemClock.now(),
        body,
    })
}

fn build(settings: Value, _context: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let name = settings["script"].as_str().unwrap_or_default();
    let script = SCRIPTS.lock().unwrap().get(name).cloned();
    let script = script.ok_or_else(|| SettingsError::new("script", "nobody wrote this script"))?;
    Ok(Arc::new(Fake(script)))
}

struct Fake(Arc<Script>);

#[async_trait]
impl Connector for Fake {
    async fn check(&self) -> Result<String, Fault> {
        match self.0.state.lock().unwrap().runs.front() {
            Some(Run::Panic) => panic!("checking crashed"),
            Some(Run::Permanent) => Err(Fault::permanent("wrong password")),
            Some(Run::Temporary) => Err(Fault::temporary("no answer")),
            Some(Run::Serve) | None => Ok("it would work".to_owned()),
        }
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        Some(self)
    }

    fn sender(&self) -> Option<&dyn Sender> {
        Some(self)
    }

    fn reparse(&self, external_id: &str, raw: Content) -> Option<InboundEvent> {
        let raw = raw.read_all().unwrap();
        if self.0.state.lock().unwrap().readable {
            return Some(message(
                external_id,
                "replayed@shop.example",
                &String::from_utf8_lossy(&raw),
            ));
        }
        poison(external_id, &String::from_utf8_lossy(&raw)).events.pop()
    }
}

#[async_trait]
impl Receiver for Fake {
    async fn run(&self, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), Fault> {
        struct Here<'a>(&'a Script);
        impl Drop for Here<'_> {
            fn drop(&mut self) {
                self.0.running.fetch_sub(1, Ordering::SeqCst);
                self.0.change();
            }
        }
        let run = {
            let mut state = self.0.state.lock().unwrap();
            state.starts += 1;
            state.intake = Some(Arc::clone(&intake));
            state.runs.pop_front().unwrap_or(Run::Serve)
        };
        let now = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_running.fetch_max(now, Ordering::SeqCst);
        let _here = Here(&self.0);
        self.0.change();
        match run {
            Run::Panic => panic!("the fake fell over"),
            Run::Temporary => Err(Fault::temporary("the provider is away")),
            Run::Permanent => Err(Fault::permanent("wrong password")),
            Run::Serve => {
                intake.alive();
                stop.cancelled().await;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Sender for Fake {
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let (answer, slow) = {
            let mut state = self.0.state.lock().unwrap();
            (state.answers.pop_front(), state.slow)
        };
        if let Some(slow) = slow {
            tokio::time::sleep(slow).await;
        }
        assert!(
            !matches!(&answer, Some(Err(SendError::Unknown { reason })) if reason == CRASH),
            "sending crashed"
        );
        let answer = answer.unwrap_or_else(|| {
            Ok(Sent {
                external_id: Some(format!("provider:{}", message.id)),
                ..Sent::default()
            })
        });
        if answer.is_ok() {
            self.0.state.lock().unwrap().sent.push(message.clone());
        }
        self.0.change();
        answer
    }

    fn external_id(&self, message: &OutboundMessage) -> Option<String> {
        Some(format!("own:{}", message.id))
    }

    async fn edit(&self, edit: &OutboundEdit) -> Result<(), SendError> {
        self.0
            .does(format!("edit {} to {}", edit.external_ids[0], edit.message.text))
    }

    async fn delete(&self, deletion: &OutboundDeletion) -> Result<(), SendError> {
        self.0.does(format!("delete {}", deletion.external_ids[0]))
    }

    async fn typing(&self, to: &Addressee) -> Result<(), SendError> {
        self.0.does(format!("typing to {}", to.to))
    }

    async fn closed(&self, to: &Addressee) -> Result<(), SendError> {
        self.0.does(format!("closed for {}", to.to))
    }
}
