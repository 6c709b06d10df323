//! Table `deal`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "deal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub title: String,
    pub amount: Option<i64>,
    pub currency: String,
    pub pipeline_id: String,
    pub stage_id: String,
    pub state: String,
    pub stage_since: DateTimeUtc,
    pub contact_id: Option<String>,
    pub company_id: Option<String>,
    pub lead_id: Option<String>,
    pub line_id: Option<String>,
    pub operator_id: Option<String>,
    pub loss_reason: Option<String>,
    pub fields: Json,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
    pub external_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
