//! Who may see and do what. Every list starts from a [`Scope`], so an unscoped query stands out.

use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, Statement,
};
use serde::{Deserialize, Serialize};

use crate::db::entity::{conversation, operator, participant, session};

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
    /// What they may do.
    pub role: Role,
    /// The lines whose queue they stand in, directly or through a team.
    pub line_ids: BTreeSet<String>,
}

#[derive(FromQueryResult)]
struct LineRow {
    line_id: String,
}

impl Scope {
    /// Reads the scope of a user as it is now.
    pub async fn load(db: &impl ConnectionTrait, user: &operator::Model) -> Result<Self, DbErr> {
        let sql = "SELECT q.line_id FROM line_queue q WHERE q.operator_id = $1 \
                   UNION SELECT q.line_id FROM line_queue q JOIN team_member m ON m.team_id = q.team_id WHERE m.operator_id = $2";
        let values = [user.id.clone().into(), user.id.clone().into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        let rows = LineRow::find_by_statement(statement).all(db).await?;
        Ok(Self {
            operator_id: user.id.clone(),
            role: Role::parse(&user.role),
            line_ids: rows.into_iter().map(|row| row.line_id).collect(),
        })
    }

    /// Whether everything is visible.
    pub fn sees_all(&self) -> bool {
        self.role >= Role::Supervisor
    }

    /// Whether a conversation on this line, with this owner and these participants, is visible.
    pub fn sees<'a>(
        &self,
        line_id: &str,
        owner: Option<&str>,
        mut participants: impl Iterator<Item = &'a str>,
    ) -> bool {
        self.sees_all()
            || self.line_ids.contains(line_id)
            || owner == Some(self.operator_id.as_str())
            || participants.any(|id| id == self.operator_id)
    }

    /// The same as a condition on a query that joins `conversation` with its current `session`.
    pub fn condition(&self) -> Condition {
        if self.sees_all() {
            return Condition::all();
        }
        let participates = sea_orm::sea_query::Query::select()
            .column(participant::Column::ConversationId)
            .from(participant::Entity)
            .and_where(participant::Column::OperatorId.eq(&self.operator_id))
            .to_owned();
        Condition::any()
            .add(conversation::Column::LineId.is_in(&self.line_ids))
            .add(session::Column::OperatorId.eq(&self.operator_id))
            .add(conversation::Column::Id.in_subquery(participates))
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
        Ok(self.sees(
            &conversation.line_id,
            session.and_then(|session| session.operator_id).as_deref(),
            people.iter().map(|row| row.operator_id.as_str()),
        ))
    }
}
