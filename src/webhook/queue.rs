//! Deliveries on their way: made, claimed by lease, put back when who sent them is no more.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, IntoActiveModel,
    PaginatorTrait, QueryFilter, Set, Statement, Value,
    sea_query::{Expr, ExprTrait},
};

use super::TEST;
use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{webhook, webhook_attempt, webhook_delivery},
        fixed::is,
    },
    id::{self, Kind},
};

/// How long a delivery that is being sent is nobody else's: longer than any attempt may take.
pub const LEASE: Duration = Duration::from_secs(60);

/// A delivery about to be made.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Whom it is for.
    pub webhook_id: String,
    /// Told once under this word.
    pub dedupe: String,
    /// Its order among those of the same key.
    pub seq: i64,
    /// What happened.
    pub kind: String,
    /// To which object.
    pub object_id: String,
    /// Those of one key go out one after the other.
    pub order_key: String,
    /// What is sent.
    pub body: String,
    /// Not sooner.
    pub due_at: DateTime<Utc>,
}

/// Adds deliveries; those that are there already stay as they are.
pub async fn add(write: &WriteTx, deliveries: Vec<NewDelivery>, now: DateTime<Utc>) -> Result<(), DbErr> {
    const COLUMNS: [&str; 11] = [
        "id",
        "webhook_id",
        "dedupe",
        "seq",
        "type",
        "object_id",
        "order_key",
        "body",
        "state",
        "due_at",
        "created_at",
    ];
    let rows: Vec<Vec<Value>> = deliveries
        .into_iter()
        .map(|new| {
            vec![
                id::new(Kind::WebhookDelivery, now).into(),
                new.webhook_id.into(),
                new.dedupe.into(),
                new.seq.into(),
                new.kind.into(),
                new.object_id.into(),
                new.order_key.into(),
                new.body.into(),
                "queued".into(),
                new.due_at.into(),
                now.into(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    bulk::insert(
        write.tx(),
        "webhook_delivery",
        &COLUMNS,
        rows,
        "ON CONFLICT (webhook_id, dedupe) DO NOTHING",
    )
    .await
}

/// Adds a delivery that only tries the way.
pub async fn add_test(
    write: &WriteTx,
    webhook_id: &str,
    body: String,
    now: DateTime<Utc>,
) -> Result<webhook_delivery::Model, DbErr> {
    let id = id::new(Kind::WebhookDelivery, now);
    let row = webhook_delivery::Model {
        webhook_id: webhook_id.to_owned(),
        dedupe: id.clone(),
        seq: 0,
        r#type: TEST.to_owned(),
        object_id: webhook_id.to_owned(),
        order_key: id.clone(),
        id,
        body,
        state: "queued".to_owned(),
        attempts: 0,
        attempts_before: 0,
        due_at: Some(now),
        claimed_by: None,
        status: None,
        error: None,
        created_at: now,
        finished_at: None,
    };
    webhook_delivery::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(row)
}

#[derive(FromQueryResult)]
struct Blocked {
    webhook_id: String,
    order_key: String,
    due_at: Option<DateTime<Utc>>,
}

/// Until when the deliveries of these keys wait for one before them, by webhook and key. A hint: who is sent in
/// spite of it waits at the claim.
pub async fn held_back(
    db: &impl ConnectionTrait,
    keys: Vec<String>,
    now: DateTime<Utc>,
) -> Result<HashMap<(String, String), DateTime<Utc>>, DbErr> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, values) = bulk::in_list(2, keys.into_iter().map(Value::from).collect());
    let sql = format!(
        "SELECT webhook_id, order_key, MAX(due_at) AS due_at FROM webhook_delivery \
         WHERE order_key IN {list} AND state = 'queued' AND due_at > $1 GROUP BY webhook_id, order_key"
    );
    let values: Vec<Value> = std::iter::once(now.into()).chain(values).collect();
    let rows = Blocked::find_by_statement(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        values,
    ))
    .all(db)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some(((row.webhook_id, row.order_key), row.due_at?)))
        .collect())
}

#[derive(FromQueryResult)]
struct Due {
    id: String,
    due_at: Option<DateTime<Utc>>,
}

/// When the next delivery of each webhook is due, of those that have any; of one that is off only trials count.
pub async fn due(db: &impl ConnectionTrait) -> Result<HashMap<String, DateTime<Utc>>, DbErr> {
    let sql = format!(
        "SELECT w.id, (SELECT MIN(d.due_at) FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'queued' \
         AND (w.enabled OR d.type = '{TEST}')) AS due_at FROM webhook w"
    );
    let rows = Due::find_by_statement(Statement::from_string(db.get_database_backend(), sql))
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((row.id, row.due_at?)))
        .collect())
}

/// Claims up to `limit` deliveries of a webhook for `node`: those that are due and the first of their key. Of a
/// webhook that is off only trials go out.
pub async fn claim(
    write: &WriteTx,
    webhook: &webhook::Model,
    limit: usize,
    node: &str,
    now: DateTime<Utc>,
) -> Result<Vec<webhook_delivery::Model>, DbErr> {
    let skip = if write.backend() == DbBackend::Postgres {
        " FOR UPDATE OF d SKIP LOCKED"
    } else {
        ""
    };
    let trials = if webhook.enabled {
        String::new()
    } else {
        format!("AND d.type = '{TEST}' ")
    };
    let sql = format!(
        "WITH due AS MATERIALIZED (SELECT d.id FROM webhook_delivery d WHERE d.webhook_id = $1 AND d.state = 'queued' \
         AND d.due_at <= $2 {trials}AND NOT EXISTS (SELECT 1 FROM webhook_delivery b WHERE b.webhook_id = d.webhook_id \
         AND b.order_key = d.order_key AND b.due_at IS NOT NULL AND b.seq < d.seq) \
         ORDER BY d.due_at, d.seq LIMIT {limit}{skip}) \
         UPDATE webhook_delivery SET state = 'sending', claimed_by = $3, due_at = $4, attempts = attempts + 1 \
         WHERE id IN (SELECT id FROM due) RETURNING *"
    );
    let values: [Value; 4] = [
        webhook.id.clone().into(),
        now.into(),
        node.into(),
        (now + LEASE).into(),
    ];
    let rows = webhook_delivery::Model::find_by_statement(Statement::from_sql_and_values(
        write.backend(),
        sql,
        values,
    ))
    .all(write.tx())
    .await?;
    let attempts = rows.iter().map(|row| webhook_attempt::ActiveModel {
        delivery_id: Set(row.id.clone()),
        number: Set(row.attempts),
        at: Set(now),
        ..Default::default()
    });
    let attempts: Vec<_> = attempts.collect();
    if !attempts.is_empty() {
        webhook_attempt::Entity::insert_many(attempts)
            .exec_without_returning(write.tx())
            .await?;
    }
    Ok(rows)
}

/// Puts back what somebody was sending who is no more: the lease has ended, or it carries the name of this process
/// from before it started (`own`). It may have arrived; its id tells the receiver.
pub async fn recover(db: &Db, own: Option<&str>, now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut ended = webhook_delivery::Column::DueAt.lte(now);
    if let Some(node) = own {
        ended = ended.or(webhook_delivery::Column::ClaimedBy.eq(node));
    }
    let lost = webhook_delivery::Entity::find()
        .filter(is(webhook_delivery::Column::State, "sending"))
        .filter(ended.clone())
        .count(db.read())
        .await?;
    if lost == 0 {
        return Ok(());
    }
    let write = db.write().await?;
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, Expr::value("queued"))
        .col_expr(webhook_delivery::Column::DueAt, Expr::value(Some(now)))
        .col_expr(
            webhook_delivery::Column::ClaimedBy,
            Expr::value(Option::<String>::None),
        )
        .filter(webhook_delivery::Column::State.eq("sending"))
        .filter(ended)
        .exec(write.tx())
        .await?;
    write.commit().await
}
