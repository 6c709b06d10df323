//! Table `company`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "company")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    pub name_key: String,
    pub created_at: DateTimeUtc,
    pub phones: Json,
    pub emails: Json,
    pub website: Option<String>,
    pub tax_number: Option<String>,
    pub fields: Json,
    pub operator_id: Option<String>,
    pub version: i64,
    pub updated_at: DateTimeUtc,
    pub keyed_version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
