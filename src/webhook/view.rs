//! Webhooks and their deliveries as the API shows them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::store::{self, Waiting};
use crate::{
    channel::view::ChannelHealth,
    conversation::view::strings,
    db::entity::{webhook, webhook_attempt, webhook_delivery},
};

/// A program elsewhere that is told of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    /// `whk_…`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it is told.
    pub url: String,
    /// Words of events, `lead.*` or `*`.
    pub events: Vec<String>,
    /// Whether it is told of anything.
    pub enabled: bool,
    /// What its requests are signed with: shown when it is made or changed, null ever after.
    pub secret: Option<String>,
    /// Why the server switched it off: `gone` (it answered 410) or `failing` (nothing came through for days); null when it did not.
    pub disabled_because: Option<String>,
    /// When it was switched off.
    pub disabled_at: Option<DateTime<Utc>>,
    /// How it is doing; `lag_secs` is the age of the oldest delivery that waits.
    pub health: ChannelHealth,
    /// Failed attempts since the last success.
    pub failures: i64,
    /// When the first of them was.
    pub failing_since: Option<DateTime<Utc>>,
    /// Deliveries that wait or are on their way.
    pub waiting: i64,
    /// Grows with each change of what an admin sets.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// What everybody may know of a webhook: its address may hold secrets.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookNotice {
    /// `whk_…`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it is told of anything.
    pub enabled: bool,
    /// Why the server switched it off: `gone` or `failing`; null when it did not.
    pub disabled_because: Option<String>,
}

impl From<webhook::Model> for WebhookNotice {
    fn from(row: webhook::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            enabled: row.enabled,
            disabled_because: row.disabled_because,
        }
    }
}

/// One thing a webhook is told.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView {
    /// `dlv_…`: the `webhook-id` of each attempt.
    pub id: String,
    /// The webhook.
    pub webhook_id: String,
    /// What happened; `webhook.test` for a trial.
    pub r#type: String,
    /// To which object.
    pub object_id: String,
    /// `queued`, `sending`, `delivered` or `failed`.
    pub state: String,
    /// Attempts begun.
    pub attempts: i64,
    /// The status of the last answer.
    pub status: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<webhook_delivery::Model> for DeliveryView {
    fn from(row: webhook_delivery::Model) -> Self {
        Self {
            next_attempt_at: row.due_at.filter(|_| row.state == "queued"),
            id: row.id,
            webhook_id: row.webhook_id,
            r#type: row.r#type,
            object_id: row.object_id,
            state: row.state,
            attempts: row.attempts,
            status: row.status,
            error: row.error,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// A delivery with what was sent and what was answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDeliveryWhole)]
pub struct DeliveryWhole {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// The body, as it is sent each time.
    #[schema(value_type = Object)]
    pub body: Value,
    /// Each attempt, the newest first.
    pub log: Vec<AttemptView>,
}

/// One attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
pub struct AttemptView {
    /// 1 for the first.
    pub number: i64,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took; null when it never came to an end, or is on its way.
    pub millis: Option<i64>,
    /// The status of the answer.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub answer: Option<String>,
}

impl From<webhook_attempt::Model> for AttemptView {
    fn from(row: webhook_attempt::Model) -> Self {
        Self {
            number: row.number,
            at: row.at,
            millis: row.millis,
            status: row.status,
            error: row.error,
            answer: row.answer,
        }
    }
}

/// Webhooks as they are now.
pub async fn views(
    db: &impl ConnectionTrait,
    rows: Vec<webhook::Model>,
    now: DateTime<Utc>,
) -> Result<Vec<WebhookView>, DbErr> {
    let waiting: HashMap<String, Waiting> = store::waiting(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let waiting = waiting.get(&row.id);
            view(row, waiting, now)
        })
        .collect())
}

fn view(row: webhook::Model, waiting: Option<&Waiting>, now: DateTime<Utc>) -> WebhookView {
    let lag = waiting
        .filter(|_| row.enabled)
        .map(|waiting| (now - waiting.oldest).num_seconds().max(0));
    WebhookView {
        health: ChannelHealth {
            state: state(&row).to_owned(),
            last_success_at: row.last_success_at,
            last_error: row.last_error,
            last_error_at: row.last_error_at,
            lag_secs: lag,
        },
        waiting: waiting.map_or(0, |waiting| waiting.count),
        events: strings(&row.events),
        id: row.id,
        name: row.name,
        url: row.url,
        enabled: row.enabled,
        secret: None,
        disabled_because: row.disabled_because,
        disabled_at: row.disabled_at,
        failures: row.failures,
        failing_since: row.failing_since,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn state(row: &webhook::Model) -> &'static str {
    match (row.enabled, &row.disabled_because) {
        (false, Some(_)) => "failed",
        (false, None) => "disabled",
        (true, _) if row.failures > 0 => "degraded",
        (true, _) if row.last_success_at.is_none() => "starting",
        (true, _) => "ok",
    }
}
