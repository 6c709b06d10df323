//! Connections, what waits for them and where leads are, as the API shows them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::Value;
use switchboard_crm::Descriptor;
use utoipa::ToSchema;

use super::{Options, mapping::Mapping, queue, state};
use crate::db::{
    bulk,
    entity::{crm_connection, crm_job, crm_link, lead},
};

/// A kind of CRM that leads can be sent to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CrmAdapter)]
pub struct AdapterView {
    /// The word for it.
    pub kind: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// JSON Schema of the settings; a field with `x-secret` is never read back.
    #[schema(value_type = Object)]
    pub settings_schema: Value,
    /// Settings that pass it.
    #[schema(value_type = Object)]
    pub example: Value,
    /// It tells what becomes of leads there.
    pub two_way: bool,
    /// How many requests a second it takes.
    pub per_second: f64,
}

impl From<&'static Descriptor> for AdapterView {
    fn from(descriptor: &'static Descriptor) -> Self {
        Self {
            kind: descriptor.kind,
            label: descriptor.label,
            settings_schema: (descriptor.settings_schema)(),
            example: (descriptor.example)(),
            two_way: descriptor.two_way,
            per_second: descriptor.pace.per_second,
        }
    }
}

/// A connection to a CRM.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CrmConnection)]
pub struct ConnectionView {
    /// `crm_…`
    pub id: String,
    /// Which adapter.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// By the adapter's `settings_schema`; secrets read as null.
    #[schema(value_type = Object)]
    pub settings: Value,
    /// Which of our fields fill which of theirs.
    pub mapping: Mapping,
    /// What goes there, and what comes back.
    pub options: Options,
    /// `running`, `paused` by an admin, or `stopped`: the CRM refuses it until its settings change.
    pub state: String,
    /// Why it stopped, in words.
    pub stopped_because: Option<String>,
    /// When.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Steps that failed since the last success.
    pub failures: i64,
    /// Nothing is asked before: the CRM said so, or fails again and again.
    pub blocked_until: Option<DateTime<Utc>>,
    /// When the CRM last did what it was asked.
    pub last_success_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When.
    pub last_error_at: Option<DateTime<Utc>>,
    /// Leads made from then on go by themselves.
    pub since_at: DateTime<Utc>,
    /// Earlier leads that are being taken; null when none are.
    pub backfill: Option<Backfill>,
    /// Steps that wait or are being done.
    pub waiting: i64,
    /// When the oldest of them was asked for.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Steps that a person must look at.
    pub dead: i64,
    /// Grows with each change of what an admin sets.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When an admin changed it last.
    pub updated_at: DateTime<Utc>,
}

/// How far earlier leads are taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CrmBackfill)]
pub struct Backfill {
    /// Made since.
    pub from: DateTime<Utc>,
    /// Leads there are.
    pub total: i64,
    /// Of those, how many were looked at.
    pub done: i64,
}

/// What supervisors may know of a connection.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionNotice {
    /// `crm_…`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `running`, `paused` or `stopped`.
    pub state: String,
    /// Why it stopped.
    pub stopped_because: Option<String>,
}

impl From<crm_connection::Model> for ConnectionNotice {
    fn from(row: crm_connection::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            state: row.state,
            stopped_because: row.stopped_because,
        }
    }
}

/// Something that waits to be told, or was.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CrmJob)]
pub struct JobView {
    /// `crj_…`
    pub id: String,
    /// The connection.
    pub connection_id: String,
    /// Of which lead.
    pub lead_id: String,
    /// What that lead is about.
    pub lead_title: Option<String>,
    /// `lead`: made or brought up to date; or a note: `conversation`, `call`, `remark`.
    pub kind: String,
    /// `queued`, `sending`, `done`, `dead` (a person must look) or `skipped` (there is nothing to do any more).
    pub state: String,
    /// Attempts begun.
    pub attempts: i64,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// `refused`, `limited`, `temporary`, `unknown` (it may have been done and is looked for) or `crashed`.
    pub reason: Option<String>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// The CRM's name of the field it is about.
    pub field: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was done or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Where a lead is in a CRM.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CrmLink)]
pub struct LinkView {
    /// `crm_…`
    pub connection_id: String,
    /// What people call it.
    pub connection_name: String,
    /// Which adapter.
    pub kind: String,
    /// The CRM's id of the record; null while there is none.
    pub remote_id: Option<String>,
    /// Where a person opens it.
    pub url: Option<String>,
    /// The CRM joined it to a record that was there before.
    pub merged: bool,
    /// `ok`, `waiting`, `failed` (a person must look) or `gone` (deleted there, and not made again).
    pub state: String,
    /// What went wrong, for supervisors.
    pub error: Option<String>,
    /// When it was last written there.
    pub synced_at: Option<DateTime<Utc>>,
}

/// Connections as they are now.
pub async fn connections(
    db: &impl ConnectionTrait,
    rows: Vec<crm_connection::Model>,
) -> Result<Vec<ConnectionView>, DbErr> {
    let mut waiting: HashMap<String, (i64, Option<DateTime<Utc>>)> = HashMap::new();
    let mut dead: HashMap<String, i64> = HashMap::new();
    for count in queue::counts(db).await? {
        if count.state == "dead" {
            dead.insert(count.connection_id, count.steps);
        } else {
            let known = waiting.entry(count.connection_id).or_default();
            known.0 += count.steps;
            known.1 = match (known.1, count.oldest) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let (steps, since) = waiting.get(&row.id).copied().unwrap_or_default();
            ConnectionView {
                mapping: Mapping::read(&row.mapping),
                options: Options::read(&row.options),
                backfill: row
                    .backfill_from
                    .filter(|from| *from < row.since_at)
                    .map(|from| Backfill {
                        from,
                        total: row.backfill_total,
                        done: row.backfill_done,
                    }),
                waiting: steps,
                waiting_since: since,
                dead: dead.get(&row.id).copied().unwrap_or_default(),
                id: row.id,
                kind: row.kind,
                name: row.name,
                settings: row.settings,
                state: row.state,
                stopped_because: row.stopped_because,
                stopped_at: row.stopped_at,
                failures: row.failures,
                blocked_until: row.blocked_until,
                last_success_at: row.last_success_at,
                last_error: row.last_error,
                last_error_at: row.last_error_at,
                since_at: row.since_at,
                version: row.version,
                created_at: row.created_at,
                updated_at: row.updated_at,
            }
        })
        .collect())
}

/// Steps, in their order.
pub async fn jobs(db: &impl ConnectionTrait, rows: Vec<crm_job::Model>) -> Result<Vec<JobView>, DbErr> {
    let ids = bulk::padded(rows.iter().map(|row| row.lead_id.clone()));
    let titles: HashMap<String, String> = if ids.is_empty() {
        HashMap::new()
    } else {
        let found = lead::Entity::find()
            .filter(lead::Column::Id.is_in(ids))
            .all(db)
            .await?;
        found.into_iter().map(|row| (row.id, row.title)).collect()
    };
    Ok(rows
        .into_iter()
        .map(|row| JobView {
            lead_title: titles.get(&row.lead_id).cloned(),
            next_attempt_at: row.due_at.filter(|_| row.state == "queued"),
            id: row.id,
            connection_id: row.connection_id,
            lead_id: row.lead_id,
            kind: row.kind,
            state: row.state,
            attempts: row.attempts,
            reason: row.reason,
            error: row.error,
            field: row.field,
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
        .collect())
}

/// Where a lead is, and what is being done about it.
pub async fn links(db: &impl ConnectionTrait, lead_id: &str, sees_all: bool) -> Result<Vec<LinkView>, DbErr> {
    let links = super::store::links_of_lead(db, lead_id).await?;
    let jobs = crm_job::Entity::find()
        .filter(crm_job::Column::LeadId.eq(lead_id))
        .filter(crm_job::Column::Kind.eq("lead"))
        .all(db)
        .await?;
    let mut views: Vec<LinkView> = links
        .into_iter()
        .map(|(link, connection)| of_link(link, &connection))
        .collect();
    for job in jobs {
        let known = views
            .iter_mut()
            .find(|view| view.connection_id == job.connection_id);
        let word = match (job.state.as_str(), &job.reason) {
            ("dead", _) => "failed",
            ("queued" | "sending", _) => "waiting",
            _ => continue,
        };
        let error = job.error.filter(|_| sees_all);
        match known {
            Some(view) if view.state != "gone" => {
                view.state = word.to_owned();
                view.error = error;
            }
            Some(_) => {}
            None => {
                let Some(connection) = super::store::find(db, &job.connection_id).await? else {
                    continue;
                };
                views.push(LinkView {
                    connection_id: connection.id,
                    connection_name: connection.name,
                    kind: connection.kind,
                    remote_id: None,
                    url: None,
                    merged: false,
                    state: if connection.state == state::STOPPED {
                        "failed"
                    } else {
                        word
                    }
                    .to_owned(),
                    error: error.or(connection.stopped_because.filter(|_| sees_all)),
                    synced_at: None,
                });
            }
        }
    }
    Ok(views)
}

fn of_link(link: crm_link::Model, connection: &crm_connection::Model) -> LinkView {
    LinkView {
        connection_id: connection.id.clone(),
        connection_name: connection.name.clone(),
        kind: connection.kind.clone(),
        remote_id: Some(link.remote_id),
        url: link
            .url
            .filter(|url| url.starts_with("https://") || url.starts_with("http://")),
        merged: link.merged,
        state: if link.gone_at.is_some() { "gone" } else { "ok" }.to_owned(),
        error: None,
        synced_at: link.synced_at,
    }
}
