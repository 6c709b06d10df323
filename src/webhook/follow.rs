//! From the log to deliveries.
//!
//! Deliveries are made in the transaction that moves the cursor. Several nodes may follow at once and a crash may
//! make one begin again: that an event is told once is the promise of the unique index, not of the cursor.

use std::collections::HashSet;

use async_trait::async_trait;
use sea_orm::DbErr;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Bell,
    payload::{self, Telling},
    queue::{self, NewDelivery},
    select, store,
};
use crate::{
    clock::SharedClock,
    conversation::view::strings,
    db::{Db, WriteTx, entity::webhook},
    event::{Event, EventType, consumer::Consumer},
    live::{Hydrator, LiveEvent},
};

/// Makes deliveries of events.
pub struct Follower {
    hydrator: Hydrator,
    clock: SharedClock,
    bell: Bell,
    /// The server's address as the world sees it, without a trailing slash.
    public_url: String,
}

impl Follower {
    /// Tells of objects as the sockets show them to an admin.
    pub fn new(hydrator: Hydrator, clock: SharedClock, bell: Bell, public_url: &str) -> Self {
        Self {
            hydrator,
            clock,
            bell,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }
}

#[async_trait]
impl Consumer for Follower {
    type Work = Vec<NewDelivery>;

    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn wants(&self, event: &Event) -> bool {
        !event.hush.outside
            && event
                .kind
                .is_some_and(|kind| EventType::outgoing().any(|known| known == kind))
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Vec<NewDelivery>>, DbErr> {
        let webhooks: Vec<(webhook::Model, Vec<String>)> = store::all(db.read())
            .await?
            .into_iter()
            .filter(|row| row.enabled)
            .map(|row| {
                let chosen = strings(&row.events);
                (row, chosen)
            })
            .collect();
        let wanted: Vec<Event> = events
            .iter()
            .filter(|event| webhooks.iter().any(|webhook| is_for(webhook, event)))
            .cloned()
            .collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let now = self.clock.now();
        let keys: HashSet<String> = wanted.iter().map(order_key).collect();
        let held_back = queue::held_back(db.read(), keys.into_iter().collect(), now).await?;
        let loaded = self.hydrator.load(db, wanted.clone()).await?;
        let mut deliveries = Vec::new();
        for live in loaded {
            let Some(event) = wanted.iter().find(|event| event.seq == live.seq) else {
                continue;
            };
            let body = self.body(event, &live);
            for (webhook, _) in webhooks.iter().filter(|webhook| is_for(webhook, event)) {
                let key = order_key(event);
                let place = (webhook.id.clone(), key.clone());
                deliveries.push(NewDelivery {
                    webhook_id: webhook.id.clone(),
                    dedupe: format!("event {}", event.seq),
                    seq: event.seq,
                    kind: live.kind.as_str().to_owned(),
                    object_id: event.object_id.clone(),
                    order_key: key,
                    body: body.clone(),
                    due_at: held_back.get(&place).copied().unwrap_or(now),
                });
            }
        }
        Ok((!deliveries.is_empty()).then_some(deliveries))
    }

    async fn handle(&self, write: &mut WriteTx, deliveries: Vec<NewDelivery>) -> Result<(), DbErr> {
        queue::add(write, deliveries, self.clock.now()).await
    }

    fn handled(&self) {
        self.bell.ring();
    }
}

impl Follower {
    fn body(&self, event: &Event, live: &LiveEvent) -> String {
        #[derive(Deserialize)]
        struct Frame {
            data: Value,
        }
        let frame: Option<Frame> = serde_json::from_str(&live.frame).ok();
        payload::body(Telling {
            kind: live.kind.as_str(),
            at: event.at,
            seq: Some(event.seq),
            object: frame.map(|frame| frame.data).unwrap_or_default(),
            url: address(&self.public_url, live.kind.as_str(), event),
        })
    }
}

/// What happened before it was switched on is not for it.
fn is_for((webhook, chosen): &(webhook::Model, Vec<String>), event: &Event) -> bool {
    event.seq > webhook.since_seq
        && event
            .kind
            .is_some_and(|kind| select::chooses(chosen, kind.as_str()))
}

/// Whose order it is sent in: a conversation's with its messages, else the object's own.
fn order_key(event: &Event) -> String {
    event
        .conversation_id
        .clone()
        .unwrap_or_else(|| event.object_id.clone())
}

/// Where the API has the object whole.
fn address(public_url: &str, word: &str, event: &Event) -> Option<String> {
    let (noun, _) = word.split_once('.')?;
    let path = match noun {
        "message" => format!("conversations/{}/messages", event.conversation_id.as_ref()?),
        "operator" => format!("users/{}", event.object_id),
        "offer" | "quarantine" => return None,
        noun => match noun.strip_suffix('y') {
            Some(stem) => format!("{stem}ies/{}", event.object_id),
            None => format!("{noun}s/{}", event.object_id),
        },
    };
    Some(format!("{public_url}/api/v1/{path}"))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::event::Hush;

    fn event(conversation_id: Option<&str>) -> Event {
        Event {
            seq: 5,
            kind: Some(EventType::LeadCreated),
            object_id: "x_1".to_owned(),
            conversation_id: conversation_id.map(str::to_owned),
            was: None,
            hush: Hush::NONE,
            at: DateTime::default(),
        }
    }

    #[test]
    fn each_object_is_named_where_the_api_has_it() {
        let of = |word: &str, conversation| address("https://c.example", word, &event(conversation));
        for (word, conversation, path) in [
            ("lead.created", None, "leads/x_1"),
            ("operator.updated", None, "users/x_1"),
            ("message.created", Some("cnv_1"), "conversations/cnv_1/messages"),
            ("company.updated", None, "companies/x_1"),
        ] {
            assert_eq!(
                of(word, conversation),
                Some(format!("https://c.example/api/v1/{path}"))
            );
        }
        assert_eq!(of("offer.created", None), None);
    }

    #[test]
    fn a_message_stands_in_its_conversations_order_and_anything_else_in_its_own() {
        assert_eq!(order_key(&event(Some("cnv_1"))), "cnv_1");
        assert_eq!(order_key(&event(None)), "x_1");
    }
}
