//! Table `routing_decision`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "routing_decision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub conversation_id: String,
    pub session_id: String,
    pub line_id: String,
    pub line_version: i64,
    pub trigger: String,
    pub algorithm: String,
    pub outcome: String,
    pub operator_id: Option<String>,
    pub candidates: Json,
    pub at: DateTimeUtc,
    pub reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
