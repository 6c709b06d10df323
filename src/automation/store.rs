//! What was told already.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use crate::db::{
    WriteTx,
    entity::{channel, session, session_notice},
};

/// What a line tells once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The greeting.
    Welcome,
    /// That it is closed, once for each time it is.
    OffHours,
    /// That nobody answered, once for each wait.
    NoAnswer,
    /// The question for a rating, where it is a message.
    Rating,
}

impl Notice {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::OffHours => "off_hours",
            Self::NoAnswer => "no_answer",
            Self::Rating => "rating",
        }
    }
}

/// Writes down that something is told in this write, to a session that is held. False when it was told
/// before: then it must not be told again.
pub async fn once(
    write: &WriteTx,
    session_id: &str,
    notice: Notice,
    round: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let key = (
        session_id.to_owned(),
        notice.as_str().to_owned(),
        round.to_owned(),
    );
    let known = session_notice::Entity::find_by_id(key.clone())
        .count(write.tx())
        .await?;
    if known > 0 {
        return Ok(false);
    }
    let (session_id, kind, round) = key;
    let row = session_notice::Model {
        session_id,
        kind,
        round,
        at: now,
    };
    session_notice::Entity::insert(row.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(true)
}

/// Whether this was told in any session of a conversation since then.
pub async fn told_since(
    db: &impl ConnectionTrait,
    conversation_id: &str,
    notice: Notice,
    since: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let sessions = Query::select()
        .column(session::Column::Id)
        .from(session::Entity)
        .and_where(session::Column::ConversationId.eq(conversation_id))
        .to_owned();
    let told = session_notice::Entity::find()
        .filter(session_notice::Column::SessionId.in_subquery(sessions))
        .filter(session_notice::Column::Kind.eq(notice.as_str()))
        .filter(session_notice::Column::At.gte(since))
        .count(db)
        .await?;
    Ok(told > 0)
}

/// Told to the session of the query around it: in this round, or, without one, since the session waits.
pub fn told(notice: Notice, round: Option<&str>) -> SelectStatement {
    let column = |column| Expr::col((session_notice::Entity, column));
    let mut query = Query::select()
        .expr(Expr::val(1))
        .from(session_notice::Entity)
        .and_where(column(session_notice::Column::SessionId).equals((session::Entity, session::Column::Id)))
        .and_where(column(session_notice::Column::Kind).eq(notice.as_str()))
        .to_owned();
    match round {
        Some(round) => query.and_where(column(session_notice::Column::Round).eq(round)),
        None => query.and_where(
            column(session_notice::Column::At)
                .gte(Expr::col((session::Entity, session::Column::WaitingSince))),
        ),
    };
    query
}

/// The key of the line's form: its oldest web form that is switched on.
pub async fn form_key(db: &impl ConnectionTrait, line_id: &str) -> Result<Option<String>, DbErr> {
    use sea_orm::QueryOrder;
    let row = channel::Entity::find()
        .filter(channel::Column::LineId.eq(line_id))
        .filter(channel::Column::Kind.eq("webform"))
        .filter(channel::Column::Enabled.eq(true))
        .order_by_asc(channel::Column::Id)
        .one(db)
        .await?;
    Ok(row.map(|row| row.key))
}
