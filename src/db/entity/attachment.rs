//! Table `attachment`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attachment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub message_id: Option<String>,
    pub owner: String,
    pub position: i64,
    pub name: String,
    pub content_type: String,
    pub size: i64,
    pub storage_key: String,
    pub content_id: Option<String>,
    pub created_at: DateTimeUtc,
    pub replaced: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
