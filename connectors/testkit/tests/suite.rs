//! The suite passes a connector that keeps the contract, and catches one that breaks it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use switchboard_sdk::{
    Batch, BuildContext, CancellationToken, Capabilities, Connector, Cursor, Descriptor, Fault, InboundBody,
    InboundEvent, InboundMessage, Intake, OutboundMessage, Receiver, SendError, Sender, Sent, SettingsError,
};
use switchboard_testkit::{
    contract,
    contract::{Answer, Options, PullProvider, Rule, SendProvider, receiving, sending, settings},
};

static DESCRIPTOR: Descriptor = describe(schema, build);
static CARELESS: Descriptor = describe(careless_schema, build_anything);

const fn describe(
    settings_schema: fn() -> Value,
    build: fn(Value, BuildContext) -> Result<Arc<dyn Connector>, SettingsError>,
) -> Descriptor {
    let capabilities = Capabilities {
        inbound: true,
        outbound: true,
        attachments: false,
        max_text_chars: Some(100),
        max_attachment_bytes: None,
        typing: false,
        receipts: false,
        idempotent_send: false,
        hosted: false,
        threads: false,
        recipients: false,
        rich_text: false,
        max_message_bytes: None,
        ..Capabilities::NONE
    };
    Descriptor {
        kind: "shelf",
        label: "Shelf",
        capabilities,
        settings_schema,
        example: || json!({"row": 1}),
        build,
    }
}

fn schema() -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": {"row": {"type": "integer", "title": "Row"}}})
}

fn careless_schema() -> Value {
    json!({"type": "object", "properties": {"row": {"type": "integer"}, "password": {"type": "string", "title": "Password"}}})
}

fn build(settings: Value, _: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let unknown = settings
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| *name != "row");
    match (unknown, settings.get("row").is_none_or(Value::is_i64)) {
        (Some((name, _)), _) => Err(SettingsError::new(name, "is unknown")),
        (None, false) => Err(SettingsError::new("row", "is no number")),
        (None, true) => Ok(Arc::new(Shelf::default())),
    }
}

fn build_anything(_: Value, _: BuildContext) -> Result<Arc<dyn Connector>, SettingsError> {
    Ok(Arc::new(Shelf::default()))
}

/// How a connector may break the contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Fails {
    #[default]
    Never,
    AcknowledgesEarly,
    ForgetsWhatWasRefused,
    MakesUpIds,
    IgnoresStop,
    TakesPerhapsForLater,
    TakesNeverForLater,
}

/// A provider: things on a shelf, and how many were ticked off; and a tray for what is sent.
#[derive(Debug, Clone, Default)]
struct Shelf {
    fails: Fails,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    things: Vec<String>,
    ticked: usize,
    answer: Option<Answer>,
    tray: Vec<String>,
    made_up: usize,
}

impl Shelf {
    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn id(&self, place: usize) -> String {
        if self.fails != Fails::MakesUpIds {
            return format!("thing-{place}");
        }
        self.state(|state| {
            state.made_up += 1;
            format!("made-up-{}", state.made_up)
        })
    }

    fn batch(&self, from: usize) -> Option<Batch> {
        let things = self.state(|state| state.things.clone());
        let event = |(place, text): (usize, String)| InboundEvent {
            external_id: self.id(place),
            at: DateTime::<Utc>::UNIX_EPOCH,
            body: InboundBody::Message(InboundMessage {
                text,
                ..InboundMessage::default()
            }),
        };
        let events: Vec<_> = things.into_iter().enumerate().skip(from).map(event).collect();
        // Made-up ids do harm only where the provider repeats what it was not told of.
        let end = if self.fails == Fails::MakesUpIds {
            0
        } else {
            from + events.len()
        };
        let cursor = Cursor {
            name: "shelf".to_owned(),
            value: json!(end),
        };
        (!events.is_empty()).then_some(Batch {
            events,
            cursor: Some(cursor),
        })
    }
}

#[async_trait]
impl Connector for Shelf {
    async fn check(&self) -> Result<String, Fault> {
        Ok("The shelf stands.".to_owned())
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        Some(self)
    }

    fn sender(&self) -> Option<&dyn Sender> {
        Some(self)
    }
}

#[async_trait]
impl Receiver for Shelf {
    async fn run(&self, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), Fault> {
        let cursor = intake.cursor("shelf").await?.and_then(|value| value.as_u64());
        let mut at = usize::try_from(cursor.unwrap_or_default()).unwrap_or_default();
        loop {
            if let Some(batch) = self.batch(at) {
                let next = at + batch.events.len();
                if self.fails == Fails::AcknowledgesEarly {
                    self.state(|state| state.ticked = next);
                }
                match intake.deliver(batch).await {
                    Err(_) if self.fails == Fails::ForgetsWhatWasRefused => {}
                    answer => drop(answer?),
                }
                self.state(|state| state.ticked = next);
                at = next;
            }
            tokio::select! {
                () = stop.cancelled(), if self.fails != Fails::IgnoresStop => return Ok(()),
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
            }
        }
    }
}

#[async_trait]
impl Sender for Shelf {
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let answer = self.state(|state| state.answer);
        let later = || {
            Err(SendError::Retry {
                after: None,
                reason: "later".to_owned(),
            })
        };
        match answer {
            Some(Answer::Refuse) if self.fails == Fails::TakesNeverForLater => later(),
            Some(Answer::Cut) if self.fails == Fails::TakesPerhapsForLater => later(),
            Some(Answer::Busy | Answer::Away) => later(),
            Some(Answer::Refuse) => Err(SendError::Refused {
                reason: "never".to_owned(),
            }),
            Some(Answer::Cut) => Err(SendError::Unknown {
                reason: "cut off".to_owned(),
            }),
            Some(Answer::Accept) | None => {
                self.state(|state| state.tray.push(message.text.clone()));
                Ok(Sent {
                    external_id: Some(message.id.clone()),
                    ..Sent::default()
                })
            }
        }
    }
}

#[async_trait]
impl PullProvider for Shelf {
    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(self.clone())
    }

    async fn put(&self, text: &str) {
        self.state(|state| state.things.push(text.to_owned()));
    }

    async fn acknowledged(&self) -> Option<usize> {
        Some(self.state(|state| state.ticked))
    }
}

#[async_trait]
impl SendProvider for Shelf {
    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(self.clone())
    }

    async fn program(&self, answer: Answer) -> bool {
        self.state(|state| state.answer = Some(answer));
        true
    }

    async fn taken(&self) -> Vec<String> {
        self.state(|state| state.tray.clone())
    }
}

fn options(fails: Fails) -> Options {
    let shelf = move || Shelf {
        fails,
        ..Shelf::default()
    };
    Options::default()
        .patience(Duration::from_secs(2))
        .receiver(move || async move { Box::new(shelf()) as Box<dyn PullProvider> })
        .sender(move || async move { Box::new(shelf()) as Box<dyn SendProvider> })
}

mod a_connector_that_keeps_the_contract {
    use super::{DESCRIPTOR, Fails, contract, options};

    contract!(DESCRIPTOR, options(Fails::Never));
}

fn catches(rule: Rule, descriptor: &'static Descriptor, options: &Options) -> bool {
    catch_unwind(AssertUnwindSafe(|| rule(descriptor, options))).is_err()
}

#[test]
fn each_broken_duty_is_caught_by_its_rule() {
    let rules: [(Fails, Rule); 6] = [
        (
            Fails::AcknowledgesEarly,
            receiving::nothing_is_acknowledged_before_the_commit,
        ),
        (
            Fails::ForgetsWhatWasRefused,
            receiving::a_refused_delivery_is_delivered_again,
        ),
        (Fails::MakesUpIds, receiving::a_lost_answer_stores_nothing_twice),
        (Fails::IgnoresStop, receiving::stop_ends_it_within_a_second),
        (Fails::TakesPerhapsForLater, sending::failures_are_told_apart),
        (Fails::TakesNeverForLater, sending::failures_are_told_apart),
    ];
    for (fails, rule) in rules {
        assert!(
            !catches(rule, &DESCRIPTOR, &options(Fails::Never)),
            "the rule for {fails:?} fails without it"
        );
        assert!(catches(rule, &DESCRIPTOR, &options(fails)), "{fails:?} passes");
    }
}

#[test]
fn careless_settings_are_caught() {
    let rules: [Rule; 4] = [
        settings::an_unknown_field_is_an_error_that_names_it,
        settings::a_field_of_the_wrong_type_is_an_error,
        settings::every_property_is_described,
        settings::secrets_are_marked_and_addressable,
    ];
    for (i, rule) in rules.into_iter().enumerate() {
        assert!(catches(rule, &CARELESS, &Options::default()), "rule {i} passes");
    }
}
