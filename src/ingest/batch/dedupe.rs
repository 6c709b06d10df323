//! Telling what is new from what came before.

use std::collections::{HashMap, hash_map::Entry};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use switchboard_sdk::Outcome;

use super::{Work, world::World};
use crate::{
    db::{BatchTx, bulk},
    ingest::prepare::PreparedBody,
};

/// An event's place: the number of the job, and of the event in it.
pub(super) type Place = (usize, usize);

/// The columns of `inbound_event`.
const LEDGER: [&str; 5] = [
    "channel_id",
    "external_id",
    "message_id",
    "submission_id",
    "received_at",
];

/// The events of a batch, each told once.
pub(super) struct Told<'a> {
    works: &'a [Work],
    /// First occurrences, in their order.
    pub first: Vec<Place>,
    /// What the batch itself holds a second time, with its first occurrence.
    repeats: Vec<(Place, Place)>,
}

impl<'a> Told<'a> {
    pub fn of(works: &'a [Work]) -> Self {
        let mut places: HashMap<(&str, &str), Place> = HashMap::new();
        let (mut first, mut repeats) = (Vec::new(), Vec::new());
        for (w, work) in works.iter().enumerate() {
            for (e, event) in work.events.iter().enumerate() {
                match places.entry((&work.channel_id, &event.external_id)) {
                    Entry::Vacant(slot) => {
                        slot.insert((w, e));
                        first.push((w, e));
                    }
                    Entry::Occupied(slot) => repeats.push(((w, e), *slot.get())),
                }
            }
        }
        Self {
            works,
            first,
            repeats,
        }
    }

    /// What became of those that were stored before. Nobody else stores events while the batch lasts,
    /// so what is not found is new; the unique index stands behind it.
    pub async fn known(&self, write: &BatchTx) -> Result<HashMap<Place, Outcome>, DbErr> {
        let mut channels: HashMap<&str, HashMap<&str, Place>> = HashMap::new();
        for &(w, e) in &self.first {
            let work = &self.works[w];
            channels
                .entry(&work.channel_id)
                .or_default()
                .insert(&work.events[e].external_id, (w, e));
        }
        let mut known = HashMap::new();
        for (channel_id, places) in channels {
            let ids = places.keys().copied().map(Value::from).collect();
            let (list, mut values) = bulk::in_list(2, ids);
            values.insert(0, channel_id.into());
            let sql = format!(
                "SELECT i.external_id, i.message_id, i.submission_id, m.seq, m.conversation_id \
                 FROM inbound_event i LEFT JOIN message m ON m.id = i.message_id \
                 WHERE i.channel_id = $1 AND i.external_id IN {list}"
            );
            let rows = write
                .read()
                .query_all_raw(Statement::from_sql_and_values(write.backend(), sql, values))
                .await?;
            for row in rows {
                let external_id: String = row.try_get("", "external_id")?;
                let Some(place) = places.get(external_id.as_str()) else {
                    continue;
                };
                let outcome = Outcome::Duplicate {
                    message_id: row.try_get("", "message_id")?,
                    seq: row.try_get("", "seq")?,
                    conversation_id: row.try_get("", "conversation_id")?,
                    submission_id: row.try_get("", "submission_id")?,
                };
                known.insert(*place, outcome);
            }
        }
        Ok(known)
    }

    /// The ledger's rows of new events.
    pub async fn claim(
        &self,
        write: &mut BatchTx,
        fresh: &[Place],
        world: &World,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        // Albums that begin in this batch, by channel and name: what their first part is stored as.
        let mut albums: HashMap<(&str, &str), String> = HashMap::new();
        let rows = fresh.iter().map(|&(w, e)| {
            let (channel_id, body) = (self.works[w].channel_id.as_str(), &self.works[w].events[e].body);
            let (mut message_id, submission_id) = own_ids(body);
            if let PreparedBody::Message(part) = body
                && let Some(album) = &part.album
            {
                let first = albums.entry((channel_id, album)).or_insert_with(|| {
                    let stored = world.album_message(channel_id, album);
                    stored.unwrap_or_else(|| part.id.clone())
                });
                message_id = Some(first.clone());
            }
            let message_id = message_id.or_else(|| world.changed_message(&self.works[w].channel_id, body));
            vec![
                self.works[w].channel_id.clone().into(),
                self.works[w].events[e].external_id.clone().into(),
                message_id.into(),
                submission_id.into(),
                now.into(),
            ]
        });
        write.insert("inbound_event", &LEDGER, rows, "").await
    }

    /// A repeat inside the batch is a duplicate of its first occurrence, whose ids are known now.
    pub fn answer_repeats(&self, known: &HashMap<Place, Outcome>, outcomes: &mut [Vec<Option<Outcome>>]) {
        for &((w, e), first) in &self.repeats {
            let outcome = known.get(&first).cloned().unwrap_or_else(|| {
                let (message_id, submission_id) = own_ids(&self.works[first.0].events[first.1].body);
                Outcome::Duplicate {
                    message_id,
                    seq: None,
                    conversation_id: None,
                    submission_id,
                }
            });
            outcomes[w][e] = Some(outcome);
        }
    }
}

fn own_ids(body: &PreparedBody) -> (Option<String>, Option<String>) {
    match body {
        PreparedBody::Message(message) => (Some(message.id.clone()), None),
        PreparedBody::Submission(submission) if submission.held => (None, Some(submission.id.clone())),
        PreparedBody::Submission(submission) => {
            (Some(submission.message_id.clone()), Some(submission.id.clone()))
        }
        PreparedBody::Receipt(_)
        | PreparedBody::Change(_)
        | PreparedBody::Reachability(_)
        | PreparedBody::Call(_)
        | PreparedBody::Poison { .. } => (None, None),
    }
}
