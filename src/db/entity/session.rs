//! Table `session`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub conversation_id: String,
    pub line_id: String,
    pub channel_kind: String,
    pub state: String,
    pub operator_id: Option<String>,
    pub opened_at: DateTimeUtc,
    pub waiting_since: DateTimeUtc,
    pub assigned_at: Option<DateTimeUtc>,
    pub first_reply_at: Option<DateTimeUtc>,
    pub closed_at: Option<DateTimeUtc>,
    pub close_reason: Option<String>,
    pub rating: Option<i64>,
    pub version: i64,
    pub queued_at: Option<DateTimeUtc>,
    pub owed_since: Option<DateTimeUtc>,
    pub answered_at: Option<DateTimeUtc>,
    pub due_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
