//! From accepted submissions to notifications.
//!
//! What is to be told is written in the transaction that moves the cursor, once by unique indexes. Every step with a
//! submission in it stores the cursor, so that a notification which an admin adds later tells nothing of before.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DbErr, EntityTrait};
use serde_json::{Map, Value, json};

use super::{
    ACCEPTED, Notification, Way,
    store::{self, New},
    text::{self, Language, Told},
};
use crate::{
    channel,
    clock::SharedClock,
    db::{
        Db, WriteTx,
        entity::{channel as form_row, lead, submission},
    },
    event::{Event, EventType, consumer::Consumer},
    form::store::{self as forms, SubmissionView},
    webhook::{
        self, Bell,
        payload::{self, Telling},
        queue::{self, NewDelivery},
    },
};

/// Makes notifications of accepted submissions.
pub struct Follower {
    clock: SharedClock,
    webhooks: Bell,
    own: Bell,
    /// The server's address as the world sees it, without a trailing slash.
    public_url: String,
}

/// What there is to tell.
#[derive(Debug, Default)]
pub struct Work {
    letters: Vec<New>,
    deliveries: Vec<NewDelivery>,
}

impl Follower {
    /// Rings the bell of the webhooks and of the notifications.
    pub fn new(clock: SharedClock, webhooks: Bell, own: Bell, public_url: &str) -> Self {
        Self {
            clock,
            webhooks,
            own,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }
}

#[async_trait]
impl Consumer for Follower {
    type Work = Work;

    fn name(&self) -> &'static str {
        "forms.notifications"
    }

    fn wants(&self, event: &Event) -> bool {
        matches!(
            event.kind,
            Some(EventType::SubmissionCreated | EventType::SubmissionUpdated)
        )
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Work>, DbErr> {
        let seqs: HashMap<&String, i64> = events.iter().map(|event| (&event.object_id, event.seq)).collect();
        let ids: Vec<String> = seqs.keys().map(|id| (*id).clone()).collect();
        let mut work = Work::default();
        for row in forms::by_id(db.read(), &ids).await? {
            if row.state != "accepted" {
                continue;
            }
            let Some(form) = channel::store::load(db.read(), &row.channel_id).await? else {
                continue;
            };
            let list = super::of(&form.settings);
            if list.is_empty() {
                continue;
            }
            let attribution = match &row.lead_id {
                Some(id) => lead::Entity::find_by_id(id)
                    .one(db.read())
                    .await?
                    .map(|lead| lead.attribution),
                None => None,
            };
            let seq = seqs.get(&row.id).copied().unwrap_or_default();
            let now = self.clock.now();
            self.add(&mut work, (&row, &form), &list, attribution, seq, now);
        }
        work.deliveries = existing(db, work.deliveries).await?;
        Ok(Some(work))
    }

    async fn handle(&self, write: &mut WriteTx, work: Work) -> Result<(), DbErr> {
        let now = self.clock.now();
        store::add(write, work.letters, now).await?;
        queue::add(write, work.deliveries, now).await
    }

    fn handled(&self) {
        self.webhooks.ring();
        self.own.ring();
    }
}

/// Without those for webhooks that were removed since the form named them.
async fn existing(db: &Db, deliveries: Vec<NewDelivery>) -> Result<Vec<NewDelivery>, DbErr> {
    if deliveries.is_empty() {
        return Ok(deliveries);
    }
    let known = webhook::store::all(db.read()).await?;
    Ok(deliveries
        .into_iter()
        .filter(|one| known.iter().any(|webhook| webhook.id == one.webhook_id))
        .collect())
}

impl Follower {
    fn add(
        &self,
        work: &mut Work,
        (row, form): (&submission::Model, &form_row::Model),
        list: &[Notification],
        attribution: Option<Value>,
        seq: i64,
        now: DateTime<Utc>,
    ) {
        let link = match &row.conversation_id {
            Some(id) => format!("{}/inbox/all/{id}", self.public_url),
            None => format!("{}/submissions", self.public_url),
        };
        let told = Told {
            form: &form.name,
            labels: labels(&form.settings),
            values: row.body.as_object().cloned().unwrap_or_default(),
            touch: last_touch(attribution.as_ref()),
            link: Some(link),
        };
        let locale = form.settings.get("locale").and_then(Value::as_str);
        for one in list {
            let language = one.language.unwrap_or_else(|| Language::of_locale(locale));
            let (subject, body) = text::compose(&told, language);
            match (one.kind, &one.channel_id, &one.webhook_id) {
                (Way::Mail | Way::Telegram, Some(channel_id), _) => {
                    work.letters.extend(one.to.iter().map(|target| New {
                        submission_id: row.id.clone(),
                        kind: one.kind.as_str(),
                        target: target.trim().to_owned(),
                        channel_id: channel_id.clone(),
                        subject: subject.clone(),
                        body: body.clone(),
                    }));
                }
                (Way::Webhook, _, Some(webhook_id)) => work.deliveries.push(NewDelivery {
                    webhook_id: webhook_id.clone(),
                    dedupe: format!("accepted {}", row.id),
                    seq,
                    kind: ACCEPTED.to_owned(),
                    object_id: row.id.clone(),
                    order_key: row.id.clone(),
                    body: self.body(row, form, attribution.as_ref(), seq),
                    due_at: now,
                }),
                _ => {}
            }
        }
    }

    fn body(
        &self,
        row: &submission::Model,
        form: &form_row::Model,
        attribution: Option<&Value>,
        seq: i64,
    ) -> String {
        let mut object = json!(SubmissionView::from(row.clone()));
        if let Some(object) = object.as_object_mut() {
            object.insert(
                "form".to_owned(),
                json!({"id": form.id, "key": form.key, "name": form.name}),
            );
            object.insert("attribution".to_owned(), json!(attribution));
        }
        payload::body(Telling {
            kind: ACCEPTED,
            at: row.created_at,
            seq: Some(seq),
            object,
            url: Some(format!("{}/api/v1/submissions/{}", self.public_url, row.id)),
        })
    }
}

/// The names of a form's fields, with what stands beside each.
fn labels(settings: &Value) -> Vec<(String, String)> {
    let fields = settings.get("fields").and_then(Value::as_array);
    fields
        .into_iter()
        .flatten()
        .filter_map(|field| {
            let name = field.get("name")?.as_str()?;
            let label = field.get("label").and_then(Value::as_str).map(str::trim);
            let label = label.filter(|label| !label.is_empty()).unwrap_or(name);
            Some((name.to_owned(), label.to_owned()))
        })
        .collect()
}

fn last_touch(attribution: Option<&Value>) -> Map<String, Value> {
    attribution
        .and_then(|attribution| attribution.get("last"))
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}
