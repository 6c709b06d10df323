//! Offers: operators are asked to take a session, until a deadline.
//!
//! A session that is `offered` has at least one open offer, and any other has none:
//! [`super::session::Held::write`] ends what is open when the session leaves that stage. An offer to one
//! operator keeps room for the session; one of a broadcast does not, or a single session would fill
//! everybody.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::session::Held;
use crate::{
    db::{WriteTx, bulk, entity::offer},
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// Offers read at once.
const PAGE: u64 = 200;

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The operator has the session.
    Accepted,
    /// The operator said no.
    Declined,
    /// The deadline passed.
    Lapsed,
    /// The session went elsewhere, or the operator left.
    Withdrawn,
}

impl Ending {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// An offer as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Offer)]
pub struct OfferView {
    /// `ofr_…`
    pub id: String,
    /// `cnv_…`
    pub conversation_id: String,
    /// `ses_…`
    pub session_id: String,
    /// `lin_…`
    pub line_id: String,
    /// Who is asked.
    pub operator_id: String,
    /// The channel's kind.
    pub channel_kind: String,
    /// Others are asked too; the first to accept gets it.
    pub broadcast: bool,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// `accepted`, `declined`, `lapsed` or `withdrawn`; none while it stands.
    pub outcome: Option<String>,
    /// What the operator said when they declined.
    pub reason: Option<String>,
}

impl From<offer::Model> for OfferView {
    fn from(row: offer::Model) -> Self {
        Self {
            id: row.id,
            conversation_id: row.conversation_id,
            session_id: row.session_id,
            line_id: row.line_id,
            operator_id: row.operator_id,
            channel_kind: row.channel_kind,
            broadcast: row.broadcast,
            offered_at: row.offered_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            outcome: row.outcome,
            reason: row.reason,
        }
    }
}

/// Asks these operators until `expires_at`. The session's stage is the caller's to write.
pub async fn open(
    write: &mut WriteTx,
    held: &Held,
    to: &[String],
    broadcast: bool,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rows: Vec<offer::Model> = to
        .iter()
        .map(|operator_id| offer::Model {
            id: id::new(Kind::Offer, now),
            session_id: held.session.id.clone(),
            conversation_id: held.conversation.id.clone(),
            line_id: held.session.line_id.clone(),
            operator_id: operator_id.clone(),
            channel_kind: held.session.channel_kind.clone(),
            broadcast,
            offered_at: now,
            expires_at,
            ended_at: None,
            outcome: None,
            reason: None,
        })
        .collect();
    for row in &rows {
        tell(write, EventType::OfferCreated, row, now);
    }
    offer::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// Ends these offers.
pub async fn end(
    write: &mut WriteTx,
    offers: &[offer::Model],
    how: Ending,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    for row in offers {
        offer::ActiveModel {
            id: Set(row.id.clone()),
            ended_at: Set(Some(now)),
            outcome: Set(Some(how.as_str().to_owned())),
            reason: Set(reason.map(str::to_owned)),
            ..Default::default()
        }
        .update_without_returning(write.tx())
        .await?;
        tell(write, EventType::OfferEnded, row, now);
    }
    Ok(())
}

/// Ends what is still open of a session that has an owner now, or none and nobody to ask.
pub async fn end_all(
    write: &mut WriteTx,
    session_id: &str,
    owner: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let offers = of_session(write.tx(), session_id).await?;
    let (accepted, withdrawn): (Vec<_>, Vec<_>) = offers
        .into_iter()
        .partition(|row| Some(row.operator_id.as_str()) == owner);
    end(write, &accepted, Ending::Accepted, None, now).await?;
    end(write, &withdrawn, Ending::Withdrawn, None, now).await
}

fn tell(write: &mut WriteTx, what: EventType, row: &offer::Model, now: DateTime<Utc>) {
    write.record(NewEvent::new(what, &row.id, now));
    if !row.broadcast {
        write.record(NewEvent::new(EventType::OperatorUpdated, &row.operator_id, now));
    }
}

/// The open offers of a session.
pub async fn of_session(db: &impl ConnectionTrait, session_id: &str) -> Result<Vec<offer::Model>, DbErr> {
    of_sessions(db, [session_id]).await
}

/// The open offers of these sessions, in the order they were made.
pub async fn of_sessions<'a>(
    db: &impl ConnectionTrait,
    session_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<offer::Model>, DbErr> {
    offer::Entity::find()
        .filter(offer::Column::SessionId.is_in(bulk::padded(session_ids)))
        .filter(offer::Column::EndedAt.is_null())
        .order_by_asc(offer::Column::Id)
        .all(db)
        .await
}

/// The open offers of this operator, or of all of these; the oldest first.
pub async fn of_operators<'a>(
    db: &impl ConnectionTrait,
    operator_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<offer::Model>, DbErr> {
    offer::Entity::find()
        .filter(offer::Column::OperatorId.is_in(bulk::padded(operator_ids)))
        .filter(offer::Column::EndedAt.is_null())
        .order_by_asc(offer::Column::Id)
        .all(db)
        .await
}

/// Open offers, a page of them in the order of their ids, after this id.
pub async fn standing(db: &impl ConnectionTrait, after: Option<&str>) -> Result<Vec<offer::Model>, DbErr> {
    let mut query = offer::Entity::find()
        .filter(offer::Column::EndedAt.is_null())
        .order_by_asc(offer::Column::Id)
        .limit(PAGE);
    if let Some(after) = after {
        query = query.filter(offer::Column::Id.gt(after));
    }
    query.all(db).await
}

/// Open offers whose deadline has passed, the longest ago first; a page of them.
pub async fn due(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<offer::Model>, DbErr> {
    offer::Entity::find()
        .filter(offer::Column::EndedAt.is_null())
        .filter(offer::Column::ExpiresAt.lte(now))
        .order_by_asc(offer::Column::ExpiresAt)
        .limit(PAGE)
        .all(db)
        .await
}

/// The next deadline of an open offer.
pub async fn next_deadline(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    offer::Entity::find()
        .select_only()
        .column(offer::Column::ExpiresAt)
        .filter(offer::Column::EndedAt.is_null())
        .order_by_asc(offer::Column::ExpiresAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
}

/// Offers by id, open or ended.
pub async fn by_id(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<offer::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    offer::Entity::find()
        .filter(offer::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await
}
