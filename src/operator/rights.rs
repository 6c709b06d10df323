//! Who may see and do what. Every list starts from a [`Scope`], so an unscoped query stands out.
//!
//! How far a role reaches stands in [`rule`]; a scope adds who asks, on which lines and in whose company.

pub mod rule;
mod way;

use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, Statement,
    Value,
    sea_query::{Expr, ExprTrait, Query},
};
use serde::{Deserialize, Serialize};

pub use self::{
    rule::{Action, Extent, Object, Reach, Rights},
    way::Way,
};
use super::role;
use crate::db::entity::{conversation, offer, operator, participant, session};

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees own conversations, those of lines whose queue they stand in, and what they participate in.
    Operator,
    /// Sees and moves everything, changes nobody's settings.
    Supervisor,
    /// Everything.
    Admin,
}

impl Role {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }

    /// Reads the word; an unknown one has the fewest rights.
    pub fn parse(word: &str) -> Self {
        match word {
            "admin" => Self::Admin,
            "supervisor" => Self::Supervisor,
            _ => Self::Operator,
        }
    }
}

/// Whose eyes a query looks through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The user.
    pub operator_id: String,
    /// Their built-in role; who has one that an admin defined is an operator.
    pub role: Role,
    rights: Rights,
    line_ids: BTreeSet<String>,
    mates: BTreeSet<String>,
}

#[derive(FromQueryResult)]
struct LineRow {
    line_id: String,
}

#[derive(FromQueryResult)]
struct MateRow {
    operator_id: String,
}

impl Scope {
    /// The scope of somebody with a built-in role who stands in the queues of these lines.
    pub fn new(operator_id: &str, role: Role, line_ids: BTreeSet<String>) -> Self {
        Self {
            operator_id: operator_id.to_owned(),
            role,
            rights: Rights::of(role),
            line_ids,
            mates: BTreeSet::new(),
        }
    }

    /// Reads the scope of a user as it is now.
    pub async fn load(db: &impl ConnectionTrait, user: &operator::Model) -> Result<Self, DbErr> {
        let sql = "SELECT q.line_id FROM line_queue q WHERE q.operator_id = $1 \
                   UNION SELECT q.line_id FROM line_queue q JOIN team_member m ON m.team_id = q.team_id WHERE m.operator_id = $2";
        let me = || Value::from(user.id.clone());
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [me(), me()]);
        let rows = LineRow::find_by_statement(statement).all(db).await?;
        let line_ids = rows.into_iter().map(|row| row.line_id).collect();
        let mut scope = Self::new(&user.id, Role::parse(&user.role), line_ids);
        if let Some(role_id) = &user.role_id {
            scope.rights = role::rights(db, role_id).await?;
            // No built-in role reaches as far as a team, and short of everything.
            let sql = "SELECT o.operator_id FROM team_member m JOIN team_member o ON o.team_id = m.team_id \
                       WHERE m.operator_id = $1 AND o.operator_id <> $2";
            let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [me(), me()]);
            let rows = MateRow::find_by_statement(statement).all(db).await?;
            scope.mates = rows.into_iter().map(|row| row.operator_id).collect();
        }
        Ok(scope)
    }

    /// All rights.
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// How far this goes.
    pub fn may(&self, object: Object, action: Action) -> Reach {
        self.rights.may(object, action)
    }

    /// What is reached by an action.
    pub fn extent(&self, object: Object, action: Action) -> Extent<'_> {
        let reach = self.may(object, action);
        Extent::new(reach, &self.operator_id, &self.line_ids, &self.mates)
    }

    /// What is seen.
    pub fn view(&self, object: Object) -> Extent<'_> {
        self.extent(object, Action::View)
    }

    /// Eyes that see of a kind of object only what an action reaches: what a query finds through them may be acted on.
    #[must_use]
    pub fn narrowed(&self, object: Object, action: Action) -> Self {
        Self {
            rights: self.rights.narrowed(object, action),
            ..self.clone()
        }
    }

    /// Whether somebody stands in the queue of a line, directly or through a team.
    pub fn stands_in(&self, line_id: &str) -> bool {
        self.line_ids.contains(line_id)
    }

    /// The lines whose queue they stand in, directly or through a team.
    pub fn line_ids(&self) -> &BTreeSet<String> {
        &self.line_ids
    }

    /// Whether they supervise: a built-in role above operators.
    pub fn supervises(&self) -> bool {
        self.role >= Role::Supervisor
    }

    /// Whether a conversation on this line, with this owner and these who take part or are asked to take it, is visible.
    pub fn sees<'a>(
        &self,
        line_id: &str,
        owner: Option<&str>,
        participants: impl Iterator<Item = &'a str>,
    ) -> bool {
        self.view(Object::Conversation)
            .holds(Some(line_id), owner, participants)
    }

    /// The same as a condition on a query that joins `conversation` with its current `session`.
    pub fn condition(&self) -> Condition {
        conversations(&self.view(Object::Conversation))
    }

    /// Whether one conversation is visible, by its id.
    pub async fn sees_conversation(&self, db: &impl ConnectionTrait, id: &str) -> Result<bool, DbErr> {
        // Out of a socket's frame anything may come: PostgreSQL takes a NUL for an error.
        if id.contains('\0') {
            return Ok(false);
        }
        let Some(conversation) = conversation::Entity::find_by_id(id).one(db).await? else {
            return Ok(false);
        };
        if self.sees(&conversation.line_id, None, std::iter::empty()) {
            return Ok(true);
        }
        let session = session::Entity::find_by_id(&conversation.session_id)
            .one(db)
            .await?;
        let people = participant::Entity::find()
            .filter(participant::Column::ConversationId.eq(id))
            .all(db)
            .await?;
        let asked = offer::Entity::find()
            .filter(offer::Column::SessionId.eq(&conversation.session_id))
            .filter(offer::Column::EndedAt.is_null())
            .all(db)
            .await?;
        let people = people.iter().map(|row| row.operator_id.as_str());
        Ok(self.sees(
            &conversation.line_id,
            session.and_then(|session| session.operator_id).as_deref(),
            people.chain(asked.iter().map(|row| row.operator_id.as_str())),
        ))
    }
}

/// Conversations that are reached, as a condition on a query that joins `conversation` with its current `session`.
pub fn conversations(extent: &Extent<'_>) -> Condition {
    if extent.is_all() {
        return Condition::all();
    }
    let participates = Query::select()
        .column(participant::Column::ConversationId)
        .from(participant::Entity)
        .and_where(participant::Column::OperatorId.is_in(extent.me()))
        .to_owned();
    let asked = Query::select()
        .column(offer::Column::ConversationId)
        .from(offer::Entity)
        .and_where(offer::Column::OperatorId.is_in(extent.me()))
        .and_where(offer::Column::EndedAt.is_null())
        .to_owned();
    Condition::any()
        .add(conversation::Column::LineId.is_in(extent.lines()))
        .add(session::Column::OperatorId.is_in(extent.owners()))
        .add(conversation::Column::Id.in_subquery(participates))
        .add(conversation::Column::Id.in_subquery(asked))
}

/// As [`conversations`], for a question about one conversation after the other: what somebody takes part in is asked of
/// each, because to gather all of it first takes longer than a page.
pub fn each_conversation(extent: &Extent<'_>) -> Condition {
    if extent.is_all() {
        return Condition::all();
    }
    let this = || Expr::col((conversation::Entity, conversation::Column::Id));
    let participates = Query::select()
        .expr(Expr::val(1))
        .from(participant::Entity)
        .and_where(Expr::col((participant::Entity, participant::Column::ConversationId)).eq(this()))
        .and_where(participant::Column::OperatorId.is_in(extent.me()))
        .to_owned();
    let asked = Query::select()
        .expr(Expr::val(1))
        .from(offer::Entity)
        .and_where(Expr::col((offer::Entity, offer::Column::ConversationId)).eq(this()))
        .and_where(offer::Column::OperatorId.is_in(extent.me()))
        .and_where(offer::Column::EndedAt.is_null())
        .to_owned();
    Condition::any()
        .add(conversation::Column::LineId.is_in(extent.lines()))
        .add(session::Column::OperatorId.is_in(extent.owners()))
        .add(Expr::exists(participates))
        .add(Expr::exists(asked))
}
