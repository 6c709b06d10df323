//! The server's side of the boundary, in memory.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use switchboard_sdk::{Batch, Fault, InboundBody, InboundEvent, Intake, Outcome, Receipt, Typing};
use tokio::sync::watch;

use crate::PATIENCE;

/// Stores, de-duplicates and keeps cursors as the server does; fails when told to. Clones share one store.
///
/// De-duplication is on `external_id`, inside a batch too. The order of everything that happened is
/// kept in [`Self::steps`]; a fake provider adds its own with [`Self::note`], so that "the provider was
/// told only after the commit" can be read off.
#[derive(Debug, Clone)]
pub struct MemoryIntake {
    state: Arc<Mutex<State>>,
    changed: Arc<watch::Sender<u64>>,
    gate: Arc<watch::Sender<usize>>,
    patience: Duration,
}

/// One thing that happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `deliver` was called with these external ids.
    Delivering(Vec<String>),
    /// `deliver` is about to say yes; these were new.
    Committed(Vec<String>),
    /// `deliver` is about to say no; nothing was stored.
    Refused,
    /// `deliver` is about to say no although all was stored.
    AnswerLost,
    /// The provider was reached and nothing was new.
    Alive,
    /// A customer was said to be typing.
    Typing(Typing),
    /// The connector warned.
    Warned(String),
    /// Something a test noted.
    Noted(String),
}

#[derive(Debug, Default)]
struct State {
    events: Vec<InboundEvent>,
    outcomes: HashMap<String, Outcome>,
    cursors: BTreeMap<String, Value>,
    failures: VecDeque<Failure>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy)]
enum Failure {
    Refuse,
    LoseAnswer,
}

/// Keeps `deliver` from returning while it lives; see [`MemoryIntake::hold`].
#[derive(Debug)]
#[must_use = "delivery goes on as soon as this is dropped"]
pub struct Hold(Arc<watch::Sender<usize>>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.send_modify(|holds| *holds = holds.saturating_sub(1));
    }
}

impl Default for MemoryIntake {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            changed: Arc::new(watch::Sender::new(0)),
            gate: Arc::new(watch::Sender::new(0)),
            patience: PATIENCE,
        }
    }
}

impl MemoryIntake {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits this long instead of [`PATIENCE`] in [`Self::wait_stored`].
    #[must_use]
    pub fn patient_for(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// The same store as a connector takes it.
    pub fn shared(&self) -> Arc<dyn Intake> {
        Arc::new(self.clone())
    }

    /// The next `times` deliveries fail with [`Fault::Temporary`] and store nothing.
    pub fn refuse_next(&self, times: usize) {
        self.lock()
            .failures
            .extend(std::iter::repeat_n(Failure::Refuse, times));
    }

    /// The next delivery (after failures asked for before) is stored, cursor included, and fails all the same.
    pub fn lose_next_answer(&self) {
        self.lock().failures.push_back(Failure::LoseAnswer);
    }

    /// From now on `deliver` does not return (and stores nothing) until the answer is dropped.
    pub fn hold(&self) -> Hold {
        self.gate.send_modify(|holds| *holds += 1);
        Hold(Arc::clone(&self.gate))
    }

    /// Sets a cursor as an earlier run would have left it.
    pub fn set_cursor(&self, name: &str, value: Value) {
        self.lock().cursors.insert(name.to_owned(), value);
    }

    /// The cursor of this name, as of the last commit.
    pub fn stored_cursor(&self, name: &str) -> Option<Value> {
        self.lock().cursors.get(name).cloned()
    }

    /// Every stored event, once, in the order of the commits.
    pub fn events(&self) -> Vec<InboundEvent> {
        self.lock().events.clone()
    }

    /// The external ids of [`Self::events`].
    pub fn external_ids(&self) -> Vec<String> {
        self.lock()
            .events
            .iter()
            .map(|event| event.external_id.clone())
            .collect()
    }

    /// Everything that happened, in order.
    pub fn steps(&self) -> Vec<Step> {
        self.lock().steps.clone()
    }

    /// What the connector warned of.
    pub fn warnings(&self) -> Vec<String> {
        let warned = |step: &Step| {
            if let Step::Warned(text) = step {
                Some(text.clone())
            } else {
                None
            }
        };
        self.lock().steps.iter().filter_map(warned).collect()
    }

    /// Adds a step of your own (a fake provider that was told "done").
    pub fn note(&self, what: impl Into<String>) {
        self.step(Step::Noted(what.into()));
    }

    /// Waits until `done` holds of the steps, woken by each step; false when it does not within `limit`.
    pub async fn wait_for(&self, limit: Duration, mut done: impl FnMut(&[Step]) -> bool) -> bool {
        let mut changes = self.changed.subscribe();
        let wait = async {
            loop {
                let met = done(&self.lock().steps);
                if met || changes.changed().await.is_err() {
                    return met;
                }
            }
        };
        tokio::time::timeout(limit, wait).await.unwrap_or(false)
    }

    /// Waits until `count` events are stored.
    ///
    /// # Panics
    /// When they are not in time, with what was stored instead.
    pub async fn wait_stored(&self, count: usize) {
        let stored = |steps: &[Step]| {
            let news = |step: &Step| {
                if let Step::Committed(ids) = step {
                    ids.len()
                } else {
                    0
                }
            };
            steps.iter().map(news).sum::<usize>() >= count
        };
        let met = self.wait_for(self.patience, stored).await;
        assert!(
            met,
            "waited for {count} stored events; this happened instead: {:?}",
            self.steps()
        );
    }

    fn step(&self, step: Step) {
        self.lock().steps.push(step);
        self.changed.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, batch: Batch) -> Result<Receipt, Fault> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let failure = state.failures.pop_front();
        if matches!(failure, Some(Failure::Refuse)) {
            state.steps.push(Step::Refused);
            return Err(Fault::temporary("the store is away"));
        }
        let mut news = Vec::new();
        let mut outcomes = Vec::new();
        for event in batch.events {
            if let Some(known) = state.outcomes.get(&event.external_id) {
                outcomes.push(as_duplicate(known));
                continue;
            }
            let outcome = first_outcome(&event, state.events.len() + 1);
            news.push(event.external_id.clone());
            state.outcomes.insert(event.external_id.clone(), outcome.clone());
            state.events.push(event);
            outcomes.push(outcome);
        }
        if let Some(cursor) = batch.cursor {
            state.cursors.insert(cursor.name, cursor.value);
        }
        state.steps.push(Step::Committed(news));
        if matches!(failure, Some(Failure::LoseAnswer)) {
            state.steps.push(Step::AnswerLost);
            return Err(Fault::temporary("the answer of the store was lost"));
        }
        Ok(Receipt { outcomes })
    }
}

/// What the server would say of an event it sees for the first time, as its `number`th.
fn first_outcome(event: &InboundEvent, number: usize) -> Outcome {
    let stored = |message: bool, submission: bool| Outcome::Stored {
        message_id: message.then(|| format!("msg_{number}")),
        seq: message.then(|| i64::try_from(number).unwrap_or(i64::MAX)),
        conversation_id: message.then(|| "cnv_1".to_owned()),
        submission_id: submission.then(|| format!("sub_{number}")),
    };
    match &event.body {
        InboundBody::Message(_) => stored(true, false),
        InboundBody::Submission(_) => stored(true, true),
        InboundBody::Receipt(_) | InboundBody::Reachability(_) | InboundBody::Call(_) => stored(false, false),
        InboundBody::Edit(_) | InboundBody::Deletion(_) | InboundBody::Reaction(_) => stored(true, false),
        InboundBody::Poison { .. } => Outcome::Quarantined {
            id: format!("qrt_{number}"),
        },
    }
}

fn as_duplicate(known: &Outcome) -> Outcome {
    match known.clone() {
        Outcome::Stored {
            message_id,
            seq,
            conversation_id,
            submission_id,
        } => Outcome::Duplicate {
            message_id,
            seq,
            conversation_id,
            submission_id,
        },
        Outcome::Duplicate { .. } | Outcome::Quarantined { .. } => known.clone(),
    }
}

#[async_trait]
impl Intake for MemoryIntake {
    async fn cursor(&self, name: &str) -> Result<Option<Value>, Fault> {
        Ok(self.stored_cursor(name))
    }

    async fn deliver(&self, batch: Batch) -> Result<Receipt, Fault> {
        self.step(Step::Delivering(
            batch
                .events
                .iter()
                .map(|event| event.external_id.clone())
                .collect(),
        ));
        let mut gate = self.gate.subscribe();
        if gate.wait_for(|holds| *holds == 0).await.is_err() {
            return Err(Fault::temporary("the store went away"));
        }
        let answer = self.commit(batch);
        self.changed.send_modify(|version| *version += 1);
        answer
    }

    fn alive(&self) {
        self.step(Step::Alive);
    }

    fn typing(&self, hint: Typing) {
        self.step(Step::Typing(hint));
    }

    fn warn(&self, message: String) {
        self.step(Step::Warned(message));
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use serde_json::json;
    use switchboard_sdk::{Cursor, InboundMessage};

    use super::*;

    fn message(id: &str) -> InboundEvent {
        let at = chrono::DateTime::<Utc>::UNIX_EPOCH;
        InboundEvent {
            external_id: id.to_owned(),
            at,
            body: InboundBody::Message(InboundMessage::default()),
        }
    }

    fn batch(ids: &[&str], uid: u32) -> Batch {
        let cursor = Some(Cursor {
            name: "INBOX".to_owned(),
            value: json!(uid),
        });
        Batch {
            events: ids.iter().map(|id| message(id)).collect(),
            cursor,
        }
    }

    #[tokio::test]
    async fn an_event_is_stored_once_and_its_repeat_gets_the_first_ids() -> Result<(), Fault> {
        let intake = MemoryIntake::new();
        let first = intake.deliver(batch(&["a", "b", "a"], 2)).await?;
        let again = intake.deliver(batch(&["b"], 2)).await?;
        assert_eq!(intake.external_ids(), ["a", "b"]);
        assert!(first.outcomes[2].is_duplicate() && again.outcomes[0].is_duplicate());
        assert_eq!(first.outcomes[1].message(), again.outcomes[0].message());
        Ok(())
    }

    #[tokio::test]
    async fn a_refused_delivery_stores_neither_events_nor_cursor_and_a_lost_answer_stores_both()
    -> Result<(), Fault> {
        let intake = MemoryIntake::new();
        intake.refuse_next(1);
        intake.lose_next_answer();
        assert!(intake.deliver(batch(&["a"], 1)).await.is_err());
        assert_eq!(
            (intake.external_ids().len(), intake.stored_cursor("INBOX")),
            (0, None)
        );
        assert!(intake.deliver(batch(&["a"], 1)).await.is_err());
        assert_eq!(
            (intake.external_ids().len(), intake.stored_cursor("INBOX")),
            (1, Some(json!(1)))
        );
        assert!(intake.deliver(batch(&["a"], 1)).await?.outcomes[0].is_duplicate());
        Ok(())
    }

    #[tokio::test]
    async fn a_held_delivery_commits_only_when_let_go() -> Result<(), Box<dyn std::error::Error>> {
        let intake = MemoryIntake::new();
        let hold = intake.hold();
        let task = tokio::spawn({
            let intake = intake.clone();
            async move { intake.deliver(batch(&["a"], 1)).await }
        });
        assert!(
            intake
                .wait_for(PATIENCE, |steps| steps
                    == [Step::Delivering(vec!["a".to_owned()])])
                .await
        );
        assert!(intake.external_ids().is_empty());
        drop(hold);
        task.await??;
        intake.wait_stored(1).await;
        Ok(())
    }
}
