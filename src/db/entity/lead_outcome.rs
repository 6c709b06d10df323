//! Table `lead_outcome`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "lead_outcome")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub lead_id: String,
    pub deal_id: Option<String>,
    pub company_id: Option<String>,
    pub was: Option<String>,
    pub operator_id: Option<String>,
    pub loss_reason: Option<String>,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
