//! Reading submissions and rejecting them; approving is ingest's ([`crate::ingest::approve`]).

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
    sea_query::{Expr, ExprTrait, Query},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    conversation::view::strings,
    db::{
        WriteTx, bulk,
        entity::{channel, conversation, session, submission},
    },
    event::{EventType, NewEvent},
    operator::rights::{self, Object, Scope},
};

/// A submission as the world sees it (API.md).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Submission)]
pub struct SubmissionView {
    /// `sub_…`
    pub id: String,
    /// The form it came by.
    pub channel_id: String,
    /// `accepted`, `held` or `spam`.
    pub state: String,
    /// What was filled in, by field name.
    pub values: Value,
    /// The lead it made or joined.
    pub lead_id: Option<String>,
    /// The conversation it is in.
    pub conversation_id: Option<String>,
    /// The contact it is from.
    pub contact_id: Option<String>,
    /// The consent given.
    pub consent: Option<Value>,
    /// 0 (surely a person) to 1 (surely a machine).
    pub spam_score: f64,
    /// Why.
    pub spam_reasons: Vec<String>,
    /// What was sent beside the form's fields: by a page that was made when the form had others.
    #[schema(value_type = Object)]
    pub extra: Value,
    /// What a moderator decided: `approved`, `rejected` or `spam`.
    pub verdict: Option<String>,
    /// The operator who did.
    pub judged_by: Option<String>,
    /// When they did.
    pub judged_at: Option<DateTime<Utc>>,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

impl From<submission::Model> for SubmissionView {
    fn from(row: submission::Model) -> Self {
        Self {
            spam_reasons: strings(&row.spam_reasons),
            id: row.id,
            channel_id: row.channel_id,
            state: row.state,
            values: row.body,
            lead_id: row.lead_id,
            conversation_id: row.conversation_id,
            contact_id: row.contact_id,
            consent: row.consent,
            spam_score: row.spam_score,
            extra: row.extra.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            verdict: row.verdict,
            judged_by: row.judged_by,
            judged_at: row.judged_at,
            created_at: row.created_at,
        }
    }
}

/// A place in the list: submissions stand newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the last row came.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

/// Submissions of these ids.
pub async fn by_id(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<submission::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    submission::Entity::find()
        .filter(submission::Column::Id.is_in(bulk::padded(ids.iter().cloned())))
        .all(db)
        .await
}

/// What narrows a list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One form.
    pub channel_id: Option<String>,
    /// `accepted`, `held` or `spam`.
    pub state: Option<String>,
}

/// Submissions this scope sees, as a condition on a query of them: those of the forms of lines that are reached, and
/// those in conversations that are.
pub fn visible_to(scope: &Scope) -> Condition {
    let extent = scope.view(Object::Submission);
    if extent.is_all() {
        return Condition::all();
    }
    let forms = Query::select()
        .column(channel::Column::Id)
        .from(channel::Entity)
        .and_where(channel::Column::LineId.is_in(extent.lines()))
        .to_owned();
    let thread = Query::select()
        .column((conversation::Entity, conversation::Column::Id))
        .from(conversation::Entity)
        .inner_join(
            session::Entity,
            Expr::col((session::Entity, session::Column::Id))
                .equals((conversation::Entity, conversation::Column::SessionId)),
        )
        .and_where(
            Expr::col((conversation::Entity, conversation::Column::Id))
                .equals((submission::Entity, submission::Column::ConversationId)),
        )
        .cond_where(rights::conversations(&extent))
        .to_owned();
    Condition::any()
        .add(submission::Column::ChannelId.in_subquery(forms))
        .add(Expr::exists(thread))
}

/// One submission, when this scope sees it.
pub async fn find(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: &str,
) -> Result<Option<submission::Model>, DbErr> {
    submission::Entity::find_by_id(id)
        .filter(visible_to(scope))
        .one(db)
        .await
}

/// One page of submissions. `limit + 1` rows when there are more.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<Vec<submission::Model>, DbErr> {
    let mut query = submission::Entity::find().filter(visible_to(scope));
    if let Some(id) = &filter.channel_id {
        query = query.filter(submission::Column::ChannelId.eq(id));
    }
    if let Some(state) = &filter.state {
        query = query.filter(submission::Column::State.eq(state));
    }
    if let Some(place) = after {
        query = query.filter(
            Condition::any()
                .add(submission::Column::CreatedAt.lt(place.at))
                .add(
                    Condition::all()
                        .add(submission::Column::CreatedAt.eq(place.at))
                        .add(submission::Column::Id.lt(&place.id)),
                ),
        );
    }
    query
        .order_by_desc(submission::Column::CreatedAt)
        .order_by_desc(submission::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await
}

/// What a moderator decides about a submission that makes nothing (yet).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not wanted.
    Rejected,
    /// Not wanted, and made by a machine.
    Spam,
    /// To be decided anew: an earlier verdict is taken back.
    None,
}

impl Verdict {
    /// The state a submission has after it, and the verdict's own word.
    fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Rejected => ("spam", Some("rejected")),
            Self::Spam => ("spam", Some("spam")),
            Self::None => ("held", None),
        }
    }
}

/// Judges a submission that was not accepted. Answers whether anything changed: a verdict given twice is given once.
pub async fn judge(
    write: &mut WriteTx,
    id: &str,
    verdict: Verdict,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = submission::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let (state, word) = verdict.words();
    // What was stored as accepted has no way back from here: it is a conversation.
    let Some(row) = row.filter(|row| row.state != "accepted" && row.held.is_some()) else {
        return Ok(false);
    };
    if row.state == state && row.verdict.as_deref() == word {
        return Ok(false);
    }
    let change = submission::ActiveModel {
        id: Set(row.id),
        state: Set(state.to_owned()),
        verdict: Set(word.map(str::to_owned)),
        judged_by: Set(word.map(|_| by.to_owned())),
        judged_at: Set(word.map(|_| now)),
        ..Default::default()
    };
    change.update_without_returning(write.tx()).await?;
    write.record(NewEvent::new(EventType::SubmissionUpdated, id, now));
    Ok(true)
}
