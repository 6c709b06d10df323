//! Notifications in the database.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Set, Statement, Value,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::ACCEPTED;
use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{form_notification, webhook, webhook_delivery},
    },
    id::{self, Kind},
};

/// How long one that is being sent is nobody else's: longer than any attempt may take.
pub const LEASE: Duration = Duration::from_secs(180);

/// A notification about to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// Of which submission.
    pub submission_id: String,
    /// `mail` or `telegram`.
    pub kind: &'static str,
    /// An address, or a chat.
    pub target: String,
    /// The channel it goes out by.
    pub channel_id: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// Adds notifications; those that are there already stay as they are.
pub async fn add(write: &WriteTx, list: Vec<New>, now: DateTime<Utc>) -> Result<(), DbErr> {
    const COLUMNS: [&str; 10] = [
        "id",
        "submission_id",
        "kind",
        "target",
        "channel_id",
        "subject",
        "body",
        "state",
        "due_at",
        "created_at",
    ];
    if list.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<Value>> = list
        .into_iter()
        .map(|new| {
            vec![
                id::new(Kind::FormNotification, now).into(),
                new.submission_id.into(),
                new.kind.into(),
                new.target.into(),
                new.channel_id.into(),
                new.subject.into(),
                new.body.into(),
                "queued".into(),
                now.into(),
                now.into(),
            ]
        })
        .collect();
    let once = "ON CONFLICT (submission_id, kind, target) DO NOTHING";
    bulk::insert(write.tx(), "form_notification", &COLUMNS, rows, once).await
}

/// Claims up to `limit` that are due, for `node`.
pub async fn claim(
    write: &WriteTx,
    limit: usize,
    node: &str,
    now: DateTime<Utc>,
) -> Result<Vec<form_notification::Model>, DbErr> {
    let skip = if write.backend() == DbBackend::Postgres {
        " FOR UPDATE SKIP LOCKED"
    } else {
        ""
    };
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT id FROM form_notification WHERE due_at IS NOT NULL AND state = 'queued' \
         AND due_at <= $1 ORDER BY due_at LIMIT {limit}{skip}) \
         UPDATE form_notification SET state = 'sending', claimed_by = $2, due_at = $3, attempts = attempts + 1 \
         WHERE id IN (SELECT id FROM due) RETURNING *"
    );
    let values: [Value; 3] = [now.into(), node.into(), (now + LEASE).into()];
    let statement = Statement::from_sql_and_values(write.backend(), sql, values);
    form_notification::Model::find_by_statement(statement)
        .all(write.tx())
        .await
}

/// When the next one is due.
pub async fn next_due(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    let first: Vec<Option<DateTime<Utc>>> = form_notification::Entity::find()
        .select_only()
        .column_as(form_notification::Column::DueAt.min(), "due_at")
        .filter(form_notification::Column::DueAt.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(first.into_iter().flatten().next())
}

/// What somebody was sending who is no more may have gone out or not: it is `uncertain`, and never sent twice by
/// itself.
pub async fn recover(db: &Db, own: Option<&str>, now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut ended = form_notification::Column::DueAt.lte(now);
    if let Some(node) = own {
        ended = ended.or(form_notification::Column::ClaimedBy.eq(node));
    }
    let ids: Vec<String> = form_notification::Entity::find()
        .select_only()
        .column(form_notification::Column::Id)
        .filter(form_notification::Column::DueAt.is_not_null())
        .filter(form_notification::Column::State.eq("sending"))
        .filter(ended)
        .limit(500)
        .into_tuple()
        .all(db.read())
        .await?;
    if ids.is_empty() {
        return Ok(());
    }
    let write = db.write().await?;
    for id in ids {
        let reason = "the server ended in the middle of sending it";
        ended_as(&write, &id, "uncertain", Some(reason), None, now).await?;
    }
    write.commit().await
}

/// Writes what became of one that is being sent: when it is tried again, or that it is over. `uncounted`: it was not
/// tried at all.
pub async fn ended_as(
    write: &WriteTx,
    id: &str,
    state: &str,
    error: Option<&str>,
    again: Option<(DateTime<Utc>, bool)>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let change = form_notification::ActiveModel {
        state: Set(state.to_owned()),
        error: Set(error.map(|text| text.replace('\0', "").chars().take(500).collect())),
        due_at: Set(again.map(|(at, _)| at)),
        claimed_by: Set(None),
        finished_at: Set(again.is_none().then_some(now)),
        ..Default::default()
    };
    let mut update = form_notification::Entity::update_many()
        .set(change)
        .filter(form_notification::Column::Id.eq(id))
        .filter(form_notification::Column::State.eq("sending"));
    if again.is_some_and(|(_, uncounted)| uncounted) {
        update = update.col_expr(
            form_notification::Column::Attempts,
            Expr::col(form_notification::Column::Attempts).sub(1),
        );
    }
    update.exec(write.tx()).await.map(drop)
}

/// Sends one again that failed or of which nobody knows. Answers whether there was one.
pub async fn again(
    write: &WriteTx,
    submission_id: &str,
    id: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    // Out of an address anything may come: PostgreSQL takes a NUL for an error.
    if id.contains('\0') {
        return Ok(false);
    }
    let change = form_notification::ActiveModel {
        state: Set("queued".to_owned()),
        attempts: Set(0),
        due_at: Set(Some(now)),
        finished_at: Set(None),
        ..Default::default()
    };
    let done = form_notification::Entity::update_many()
        .set(change)
        .filter(form_notification::Column::Id.eq(id))
        .filter(form_notification::Column::SubmissionId.eq(submission_id))
        .filter(form_notification::Column::State.is_in(["failed", "uncertain"]))
        .exec(write.tx())
        .await?;
    Ok(done.rows_affected > 0)
}

/// Whom a submission was told.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = FormNotification)]
pub struct NotificationView {
    /// `ntf_…`, or `dlv_…` of a webhook.
    pub id: String,
    /// `mail`, `telegram` or `webhook`.
    pub kind: String,
    /// An address, a chat, or the name of a webhook.
    pub target: String,
    /// `queued`, `sending`, `sent`, `failed` or `uncertain`: it may have gone out.
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was sent or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<form_notification::Model> for NotificationView {
    fn from(row: form_notification::Model) -> Self {
        Self {
            next_attempt_at: row.due_at.filter(|_| row.state == "queued"),
            id: row.id,
            kind: row.kind,
            target: row.target,
            state: row.state,
            attempts: row.attempts,
            error: row.error,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// Whom a submission was told, by whatever way.
pub async fn of_submission(
    db: &impl ConnectionTrait,
    submission_id: &str,
) -> Result<Vec<NotificationView>, DbErr> {
    let own = form_notification::Entity::find()
        .filter(form_notification::Column::SubmissionId.eq(submission_id))
        .order_by_asc(form_notification::Column::Kind)
        .order_by_asc(form_notification::Column::Id)
        .all(db)
        .await?;
    let mut views: Vec<NotificationView> = own.into_iter().map(NotificationView::from).collect();
    let deliveries = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::ObjectId.eq(submission_id))
        .filter(webhook_delivery::Column::Type.eq(ACCEPTED))
        .order_by_asc(webhook_delivery::Column::Id)
        .all(db)
        .await?;
    for row in deliveries {
        let webhook = webhook::Entity::find_by_id(&row.webhook_id).one(db).await?;
        let state = if row.state == "delivered" {
            "sent"
        } else {
            row.state.as_str()
        };
        views.push(NotificationView {
            kind: "webhook".to_owned(),
            target: webhook.map_or_else(String::new, |webhook| webhook.name),
            state: state.to_owned(),
            next_attempt_at: row.due_at.filter(|_| row.state == "queued"),
            id: row.id,
            attempts: row.attempts,
            error: row.error,
            created_at: row.created_at,
            finished_at: row.finished_at,
        });
    }
    Ok(views)
}
