//! Table `lead`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "lead")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub title: String,
    pub status: String,
    pub contact_id: String,
    pub conversation_id: Option<String>,
    pub line_id: Option<String>,
    pub channel_id: Option<String>,
    pub channel_kind: Option<String>,
    pub operator_id: Option<String>,
    pub source: String,
    pub attribution: Json,
    pub fields: Json,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
