//! Table `commerce_link`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "commerce_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub exchange_id: String,
    pub kind: String,
    pub external_id: String,
    pub deal_id: Option<String>,
    pub company_id: Option<String>,
    pub contact_id: Option<String>,
    pub digest: Option<String>,
    pub document: Option<Json>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
