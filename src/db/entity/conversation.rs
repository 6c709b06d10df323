//! Table `conversation`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "conversation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub number: i64,
    pub channel_id: String,
    pub channel_kind: String,
    pub line_id: String,
    pub contact_id: String,
    pub address: String,
    pub claimed: bool,
    pub lead_id: Option<String>,
    pub session_id: String,
    pub thread_key: String,
    pub subject: Option<String>,
    pub priority: i64,
    pub tags: Json,
    pub last_seq: i64,
    pub last_inbound_seq: i64,
    pub unread: i64,
    pub read_seq: i64,
    pub client_read_seq: i64,
    pub client_delivered_seq: i64,
    pub last_message_id: Option<String>,
    pub last_message_kind: Option<String>,
    pub last_message_text: Option<String>,
    pub last_message_at: Option<DateTimeUtc>,
    pub snoozed_until: Option<DateTimeUtc>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub unreachable_since: Option<DateTimeUtc>,
    pub unreachable_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
