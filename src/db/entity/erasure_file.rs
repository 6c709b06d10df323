//! Table `erasure_file`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure_file")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub erasure_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub storage_key: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
