//! Reading conversations and messages. Every list starts from a [`Scope`].

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, JoinType, Order, QueryFilter,
    QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Func, SimpleExpr},
};
use serde::{Deserialize, Serialize};
use switchboard_sdk::{Identity, Thread};
use utoipa::ToSchema;

use crate::{
    db::{
        entity::{contact, conversation, identity, message, session},
        text::contains,
    },
    line::due,
    operator::rights::Scope,
};

/// Which conversations a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Assigned to me.
    Mine,
    /// Waiting for an operator, the longest first.
    Queue,
    /// Open.
    #[default]
    All,
    /// Closed.
    Closed,
    /// Open and closed; nobody asks for it by name.
    #[serde(skip)]
    Any,
}

/// What a list is narrowed to. Ids, except `line` and `channel`, which take keys too (resolved by the caller).
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Which view.
    pub view: View,
    /// One line.
    pub line_id: Option<String>,
    /// One channel.
    pub channel_id: Option<String>,
    /// One owner.
    pub operator_id: Option<String>,
    /// One session state.
    pub status: Option<String>,
    /// One contact.
    pub contact_id: Option<String>,
    /// Part of the contact's name, the subject or the address.
    pub text: Option<String>,
}

/// A place in a list: the sort key and the id of the last row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Priority, in the queue.
    pub priority: i64,
    /// When the answer is due, in the queue.
    pub due: Option<DateTime<Utc>>,
    /// Waiting since in the queue, last change elsewhere.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

/// One page of a list and the place after which the next begins.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<conversation::Model>, Option<Place>), DbErr> {
    let mut query = visible_to(scope).select_also(session::Entity).filter(condition(
        db.get_database_backend(),
        scope,
        filter,
    ));
    let queue = filter.view == View::Queue;
    if let Some(place) = after {
        query = query.filter(if queue {
            after_in_queue(place)
        } else {
            after_by_change(place)
        });
    }
    query = if queue {
        query
            .order_by(conversation::Column::Priority, Order::Desc)
            .order_by(due_or_never(), Order::Asc)
            .order_by(session::Column::WaitingSince, Order::Asc)
            .order_by(conversation::Column::Id, Order::Asc)
    } else {
        query
            .order_by(conversation::Column::UpdatedAt, Order::Desc)
            .order_by(conversation::Column::Id, Order::Desc)
    };
    let mut rows = query.limit(limit + 1).all(db).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|(row, session)| {
        let session = session.as_ref().filter(|_| queue);
        Place {
            priority: row.priority,
            due: session.and_then(|session| session.due_at),
            at: session.map_or(row.updated_at, |session| session.waiting_since),
            id: row.id.clone(),
        }
    });
    Ok((rows.into_iter().map(|(row, _)| row).collect(), next))
}

/// How many conversations each view holds for this scope.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct Counts {
    /// Assigned to me.
    pub mine: i64,
    /// Waiting.
    pub queue: i64,
    /// Open.
    pub all: i64,
    /// Mine with unread messages.
    pub unread_mine: i64,
}

/// Counts of the open views, in one pass over the open sessions this scope sees.
pub async fn counts(db: &impl ConnectionTrait, scope: &Scope) -> Result<Counts, DbErr> {
    // Without a parameter: PostgreSQL takes two parameters for two expressions, and the grouping for another one.
    let unread = || Expr::cust("conversation.unread > 0");
    let snoozed = || Expr::col((conversation::Entity, conversation::Column::SnoozedUntil)).is_not_null();
    let rows: Vec<(String, Option<String>, bool, bool, i64)> = visible_to(scope)
        .select_only()
        .column(session::Column::State)
        .expr(Expr::col((session::Entity, session::Column::OperatorId)))
        .expr(unread())
        .expr(snoozed())
        .expr(Func::count(Expr::col((
            conversation::Entity,
            conversation::Column::Id,
        ))))
        .filter(session::Column::State.ne("closed"))
        .group_by(session::Column::State)
        .group_by(session::Column::OperatorId)
        .group_by(snoozed())
        .group_by(unread())
        .into_tuple()
        .all(db)
        .await?;
    let mut counts = Counts::default();
    for (state, owner, unread, snoozed, count) in rows {
        counts.all += count;
        if state == "waiting" || state == "offered" {
            counts.queue += count;
        }
        if owner.as_deref() == Some(&scope.operator_id) && !snoozed {
            counts.mine += count;
            if unread {
                counts.unread_mine += count;
            }
        }
    }
    Ok(counts)
}

/// Conversations this scope sees, joined with their current session and contact.
pub fn visible_to(scope: &Scope) -> Select<conversation::Entity> {
    conversation::Entity::find()
        .join(JoinType::InnerJoin, current_session())
        .filter(scope.condition())
}

fn current_session() -> sea_orm::RelationDef {
    conversation::Entity::belongs_to(session::Entity)
        .from(conversation::Column::SessionId)
        .to(session::Column::Id)
        .into()
}

fn condition(backend: DbBackend, scope: &Scope, filter: &Filter) -> Condition {
    let mut all = Condition::all();
    all = match filter.view {
        // The router wakes a snoozed conversation when its time has come or the customer writes.
        View::Mine => all
            .add(conversation::Column::SnoozedUntil.is_null())
            .add(session::Column::OperatorId.eq(&scope.operator_id))
            .add(session::Column::State.ne("closed")),
        View::Queue => all.add(session::Column::State.is_in(["waiting", "offered"])),
        View::All => all.add(session::Column::State.ne("closed")),
        // What was merged into another conversation is empty.
        View::Closed => all
            .add(session::Column::State.eq("closed"))
            .add(Expr::cust("NOT EXISTS (SELECT 1 FROM conversation_link WHERE from_id = conversation.id AND kind = 'merged' AND undone_at IS NULL)")),
        View::Any => all,
    };
    if let Some(id) = &filter.line_id {
        all = all.add(conversation::Column::LineId.eq(id));
    }
    if let Some(id) = &filter.channel_id {
        all = all.add(conversation::Column::ChannelId.eq(id));
    }
    if let Some(id) = &filter.operator_id {
        all = all.add(session::Column::OperatorId.eq(id));
    }
    if let Some(status) = &filter.status {
        all = all.add(session::Column::State.eq(status));
    }
    if let Some(id) = &filter.contact_id {
        all = all.add(conversation::Column::ContactId.eq(id));
    }
    if let Some(text) = &filter.text {
        let column = |column: conversation::Column| Expr::col((conversation::Entity, column));
        let named = sea_orm::sea_query::Query::select()
            .column(contact::Column::Id)
            .from(contact::Entity)
            .and_where(contains(backend, Expr::col(contact::Column::Name), text))
            .to_owned();
        all = all.add(
            Condition::any()
                .add(conversation::Column::ContactId.in_subquery(named))
                .add(contains(backend, column(conversation::Column::Subject), text))
                .add(contains(backend, column(conversation::Column::Address), text)),
        );
    }
    all
}

/// The due time of a session as it counts in [`crate::routing::world::order`].
pub fn due_or_never() -> SimpleExpr {
    let due_at = Expr::col((session::Entity, session::Column::DueAt));
    Func::coalesce([due_at, Expr::value(due::never())]).into()
}

fn after_in_queue(place: &Place) -> Condition {
    let due = place.due.unwrap_or_else(due::never);
    let same_due = Condition::any()
        .add(session::Column::WaitingSince.gt(place.at))
        .add(
            Condition::all()
                .add(session::Column::WaitingSince.eq(place.at))
                .add(conversation::Column::Id.gt(&place.id)),
        );
    let same_priority = Condition::any()
        .add(due_or_never().gt(due))
        .add(Condition::all().add(due_or_never().eq(due)).add(same_due));
    Condition::any()
        .add(conversation::Column::Priority.lt(place.priority))
        .add(
            Condition::all()
                .add(conversation::Column::Priority.eq(place.priority))
                .add(same_priority),
        )
}

fn after_by_change(place: &Place) -> Condition {
    Condition::any()
        .add(conversation::Column::UpdatedAt.lt(place.at))
        .add(
            Condition::all()
                .add(conversation::Column::UpdatedAt.eq(place.at))
                .add(conversation::Column::Id.lt(&place.id)),
        )
}

/// Which messages of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// After this number.
    After(i64),
    /// Before this number.
    Before(i64),
    /// The newest.
    Newest,
}

/// Messages of a conversation, oldest first, and whether there are more in the range's direction.
pub async fn messages(
    db: &impl ConnectionTrait,
    conversation_id: &str,
    range: Range,
    limit: u64,
) -> Result<(Vec<message::Model>, bool), DbErr> {
    let mut query = message::Entity::find().filter(message::Column::ConversationId.eq(conversation_id));
    query = match range {
        Range::After(seq) => query
            .filter(message::Column::Seq.gt(seq))
            .order_by_asc(message::Column::Seq),
        Range::Before(seq) => query
            .filter(message::Column::Seq.lt(seq))
            .order_by_desc(message::Column::Seq),
        Range::Newest => query.order_by_desc(message::Column::Seq),
    };
    let mut rows = query.limit(limit + 1).all(db).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if !matches!(range, Range::After(_)) {
        rows.reverse();
    }
    Ok((rows, more))
}

/// What begins the key of a conversation that its provider has a name for.
pub const NAMED: &str = "n:";

/// The provider's name of a conversation, when it has one.
pub fn thread_name(row: &conversation::Model) -> Option<String> {
    row.thread_key.strip_prefix(NAMED).map(str::to_owned)
}

/// The conversation in which messages of this sender arrive: the named one, else that of their contact or
/// their own.
pub async fn of_sender(
    db: &impl ConnectionTrait,
    channel_id: &str,
    sender: &Identity,
    thread: &Thread,
) -> Result<Option<conversation::Model>, DbErr> {
    let keys = if let Thread::Named(name) = thread {
        vec![format!("{NAMED}{name}")]
    } else {
        let known = (sender.kind.as_str().to_owned(), sender.value.clone());
        let known = identity::Entity::find_by_id(known).one(db).await?;
        let of_contact = known.map(|row| format!("c:{}", row.contact_id));
        let own = format!("i:{}:{}", sender.kind.as_str(), sender.value);
        of_contact.into_iter().chain([own]).collect()
    };
    conversation::Entity::find()
        .filter(conversation::Column::ChannelId.eq(channel_id))
        .filter(conversation::Column::ThreadKey.is_in(keys))
        .order_by_desc(conversation::Column::UpdatedAt)
        .one(db)
        .await
}
