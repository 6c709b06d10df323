//! Table `call`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "call")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub channel_id: String,
    pub line_id: String,
    pub key: String,
    pub shown: bool,
    pub merged_into: Option<String>,
    pub contact_id: Option<String>,
    pub conversation_id: Option<String>,
    pub lead_id: Option<String>,
    pub message_id: Option<String>,
    pub direction: Option<String>,
    pub client_kind: Option<String>,
    pub client: Option<String>,
    pub own_number: Option<String>,
    pub own_label: Option<String>,
    pub touch: Json,
    pub caller_name: Option<String>,
    pub state: String,
    pub disposition: Option<String>,
    pub reason: Option<String>,
    pub cause: Option<String>,
    pub started_at: DateTimeUtc,
    pub answered_at: Option<DateTimeUtc>,
    pub ended_at: Option<DateTimeUtc>,
    pub ring_secs: Option<i64>,
    pub talk_secs: Option<i64>,
    pub operator_id: Option<String>,
    pub extension: Option<String>,
    pub ringing: Json,
    pub legs: Json,
    pub transcript: Option<String>,
    pub stale: bool,
    pub session_id: Option<String>,
    pub opened: bool,
    pub attempt: i64,
    pub missed_at: Option<DateTimeUtc>,
    pub withdrawn_at: Option<DateTimeUtc>,
    pub check_at: Option<DateTimeUtc>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
