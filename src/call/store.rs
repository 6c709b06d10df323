//! Reading and writing calls.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LikeExpr, OnConflict},
};
use serde::{Deserialize, Serialize};

use super::fold::Report;
use crate::{
    db::{
        WriteTx, bulk,
        entity::{call, call_event, call_name, call_recording},
    },
    operator::rights::{Extent, Object, Scope},
};

/// Reports of one call that are read; a call has far fewer than a hundred.
const MAX_REPORTS: u64 = 2_000;

/// Reports that belong to no call yet, in the order they came.
pub async fn pending(
    db: &impl ConnectionTrait,
    after: Option<&call_event::Model>,
    limit: u64,
) -> Result<Vec<call_event::Model>, DbErr> {
    let mut query = call_event::Entity::find().filter(call_event::Column::CallId.is_null());
    if let Some(last) = after {
        query = query.filter(
            Condition::any()
                .add(call_event::Column::ReceivedAt.gt(last.received_at))
                .add(
                    Condition::all()
                        .add(call_event::Column::ReceivedAt.eq(last.received_at))
                        .add(call_event::Column::Id.gt(&last.id)),
                ),
        );
    }
    query
        .order_by_asc(call_event::Column::ReceivedAt)
        .order_by_asc(call_event::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Which of these belong to no call yet.
pub async fn still_pending(
    db: &impl ConnectionTrait,
    ids: &[String],
) -> Result<Vec<call_event::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    call_event::Entity::find()
        .filter(call_event::Column::Id.is_in(bulk::padded(ids)))
        .filter(call_event::Column::CallId.is_null())
        .order_by_asc(call_event::Column::Id)
        .all(db)
        .await
}

/// The calls that have any of these names, the oldest first.
pub async fn named(
    db: &impl ConnectionTrait,
    channel_id: &str,
    names: &BTreeSet<String>,
) -> Result<Vec<call::Model>, DbErr> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = call_name::Entity::find()
        .filter(call_name::Column::ChannelId.eq(channel_id))
        .filter(call_name::Column::Name.is_in(bulk::padded(names)))
        .all(db)
        .await?
        .into_iter()
        .map(|row| row.call_id)
        .collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    call::Entity::find()
        .filter(call::Column::Id.is_in(bulk::padded(ids)))
        .order_by_asc(call::Column::Id)
        .all(db)
        .await
}

/// Gives a call names that it has not yet.
pub async fn name(
    write: &WriteTx,
    channel_id: &str,
    call_id: &str,
    names: &BTreeSet<String>,
) -> Result<(), DbErr> {
    for name in names {
        let row = call_name::Model {
            channel_id: channel_id.to_owned(),
            name: name.clone(),
            call_id: call_id.to_owned(),
        };
        let known = OnConflict::columns([call_name::Column::ChannelId, call_name::Column::Name])
            .do_nothing()
            .to_owned();
        call_name::Entity::insert(row.into_active_model())
            .on_conflict(known)
            .exec_without_returning(write.tx())
            .await?;
    }
    Ok(())
}

/// Takes reports to their call.
pub async fn adopt(write: &WriteTx, call_id: &str, reports: &[String]) -> Result<(), DbErr> {
    if reports.is_empty() {
        return Ok(());
    }
    call_event::Entity::update_many()
        .col_expr(call_event::Column::CallId, Expr::value(call_id))
        .filter(call_event::Column::Id.is_in(bulk::padded(reports)))
        .exec(write.tx())
        .await?;
    Ok(())
}

/// Everything that belonged to one call belongs to another.
pub async fn move_all(write: &WriteTx, from: &str, to: &str) -> Result<(), DbErr> {
    call_event::Entity::update_many()
        .col_expr(call_event::Column::CallId, Expr::value(to))
        .filter(call_event::Column::CallId.eq(from))
        .exec(write.tx())
        .await?;
    call_name::Entity::update_many()
        .col_expr(call_name::Column::CallId, Expr::value(to))
        .filter(call_name::Column::CallId.eq(from))
        .exec(write.tx())
        .await?;
    call_recording::Entity::update_many()
        .col_expr(call_recording::Column::CallId, Expr::value(to))
        .filter(call_recording::Column::CallId.eq(from))
        .exec(write.tx())
        .await?;
    Ok(())
}

/// All reports of a call. One that a newer version wrote otherwise is left out.
pub async fn reports(db: &impl ConnectionTrait, call_id: &str) -> Result<Vec<Report>, DbErr> {
    let rows = events(db, call_id).await?;
    let reports = rows.into_iter().filter_map(|row| {
        let event = serde_json::from_value(row.event).ok()?;
        Some(Report {
            id: row.external_id,
            at: row.at,
            received_at: row.received_at,
            event,
        })
    });
    Ok(reports.collect())
}

/// The same as rows, in the order they came.
pub async fn events(db: &impl ConnectionTrait, call_id: &str) -> Result<Vec<call_event::Model>, DbErr> {
    call_event::Entity::find()
        .filter(call_event::Column::CallId.eq(call_id))
        .order_by_asc(call_event::Column::ReceivedAt)
        .order_by_asc(call_event::Column::Id)
        .limit(MAX_REPORTS)
        .all(db)
        .await
}

/// Locks a call.
pub async fn lock(write: &WriteTx, id: &str) -> Result<Option<call::Model>, DbErr> {
    call::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await
}

/// Calls to which time has something to do.
pub async fn due(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<(String, String)>, DbErr> {
    call::Entity::find()
        .select_only()
        .column(call::Column::Id)
        .column(call::Column::ChannelId)
        .filter(call::Column::CheckAt.is_not_null())
        .filter(call::Column::CheckAt.lte(now))
        .order_by_asc(call::Column::CheckAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Missed calls that wait in this session and were not answered after all.
pub async fn missed_in(
    db: &impl ConnectionTrait,
    session_id: &str,
    but: &str,
) -> Result<Vec<call::Model>, DbErr> {
    call::Entity::find()
        .filter(call::Column::SessionId.eq(session_id))
        .filter(call::Column::Id.ne(but))
        .filter(call::Column::WithdrawnAt.is_null())
        .filter(call::Column::MergedInto.is_null())
        .all(db)
        .await
}

/// Whether this session was opened for a missed call.
pub async fn opened(db: &impl ConnectionTrait, session_id: &str) -> Result<bool, DbErr> {
    let found = call::Entity::find()
        .filter(call::Column::SessionId.eq(session_id))
        .filter(call::Column::Opened.eq(true))
        .count(db)
        .await?;
    Ok(found > 0)
}

/// The recordings of calls.
pub async fn recordings(
    db: &impl ConnectionTrait,
    call_ids: &[String],
) -> Result<Vec<call_recording::Model>, DbErr> {
    if call_ids.is_empty() {
        return Ok(Vec::new());
    }
    call_recording::Entity::find()
        .filter(call_recording::Column::CallId.is_in(bulk::padded(call_ids)))
        .order_by_asc(call_recording::Column::Id)
        .all(db)
        .await
}

/// What a list of calls is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// `inbound`, `outbound` or `internal`.
    pub direction: Option<String>,
    /// A disposition.
    pub disposition: Option<String>,
    /// `ringing`, `answered` or `ended`.
    pub state: Option<String>,
    /// Who answered.
    pub operator_id: Option<String>,
    /// A line.
    pub line_id: Option<String>,
    /// A channel.
    pub channel_id: Option<String>,
    /// A contact.
    pub contact_id: Option<String>,
    /// A conversation.
    pub conversation_id: Option<String>,
    /// Part of the client's number.
    pub number: Option<String>,
    /// The company's number.
    pub own_number: Option<String>,
    /// Begun at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Begun before.
    pub to: Option<DateTime<Utc>>,
}

/// A place in the list: calls stand newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the last row began.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

/// Calls this scope sees, as far as the role reaches; those that ring for them are theirs.
pub fn visible_to(scope: &Scope) -> Condition {
    reached(&scope.view(Object::Call))
}

/// Calls that are reached, as a condition on a query of them.
pub fn reached(extent: &Extent<'_>) -> Condition {
    if extent.is_all() {
        return Condition::all();
    }
    let owned = Condition::any()
        .add(call::Column::LineId.is_in(extent.lines()))
        .add(call::Column::OperatorId.is_in(extent.owners()));
    let Some(me) = extent.me() else { return owned };
    // Whoever it rings for need not stand in the line's queue.
    let rings_here = Condition::all().add(call::Column::State.eq("ringing")).add(
        Expr::col(call::Column::Ringing)
            .cast_as("TEXT")
            .like(format!("%\"{me}\"%")),
    );
    owned.add(rings_here)
}

/// One page of calls, and one row more when there is one.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<Vec<call::Model>, DbErr> {
    let mut query = call::Entity::find()
        .filter(call::Column::Shown.eq(true))
        .filter(visible_to(scope));
    for (column, value) in [
        (call::Column::Direction, &filter.direction),
        (call::Column::Disposition, &filter.disposition),
        (call::Column::State, &filter.state),
        (call::Column::OperatorId, &filter.operator_id),
        (call::Column::LineId, &filter.line_id),
        (call::Column::ChannelId, &filter.channel_id),
        (call::Column::ContactId, &filter.contact_id),
        (call::Column::ConversationId, &filter.conversation_id),
        (call::Column::OwnNumber, &filter.own_number),
    ] {
        if let Some(value) = value {
            query = query.filter(column.eq(value));
        }
    }
    if let Some(digits) = filter
        .number
        .as_deref()
        .map(digits)
        .filter(|digits| !digits.is_empty())
    {
        let like = LikeExpr::new(format!("%{digits}%"));
        query = query.filter(Expr::col(call::Column::Client).like(like));
    }
    if let Some(from) = filter.from {
        query = query.filter(call::Column::StartedAt.gte(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(call::Column::StartedAt.lt(to));
    }
    if let Some(place) = after {
        query = query.filter(
            Condition::any().add(call::Column::StartedAt.lt(place.at)).add(
                Condition::all()
                    .add(call::Column::StartedAt.eq(place.at))
                    .add(call::Column::Id.lt(&place.id)),
            ),
        );
    }
    query
        .order_by_desc(call::Column::StartedAt)
        .order_by_desc(call::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await
}

/// People write numbers with spaces and brackets.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// One call, when this scope sees it. Whoever it rings for sees it too.
pub async fn find(db: &impl ConnectionTrait, scope: &Scope, id: &str) -> Result<Option<call::Model>, DbErr> {
    let row = call::Entity::find_by_id(id).one(db).await?;
    let extent = scope.view(Object::Call);
    Ok(row.filter(|row| {
        let rings_for = super::view::rings_for(&row.ringing);
        let rings_for = rings_for.iter().map(String::as_str);
        extent.holds(Some(&row.line_id), row.operator_id.as_deref(), rings_for)
    }))
}
