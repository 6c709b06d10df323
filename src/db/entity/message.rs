//! Table `message`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub conversation_id: String,
    pub session_id: Option<String>,
    pub seq: i64,
    pub kind: String,
    pub author_type: String,
    pub author_id: Option<String>,
    pub author_name: Option<String>,
    pub body: String,
    pub html: Option<String>,
    pub external_id: Option<String>,
    pub client_id: Option<String>,
    pub has_attachments: bool,
    pub hidden: bool,
    pub delivery_state: Option<String>,
    pub delivery_attempts: i64,
    pub delivery_error: Option<String>,
    pub created_at: DateTimeUtc,
    pub mail: Option<Json>,
    pub original_key: Option<String>,
    pub recipients: Option<Json>,
    pub mode: Option<String>,
    pub automatic: bool,
    pub new_participant: bool,
    pub no_auto_reply: bool,
    pub extra: Option<Json>,
    pub reply_to: Option<String>,
    pub edited_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    pub deleted_by: Option<String>,
    pub reactions: Option<Json>,
    pub parts: Option<Json>,
    pub revision: i64,
    pub change_state: Option<String>,
    pub change_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
