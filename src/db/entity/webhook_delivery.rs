//! Table `webhook_delivery`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub webhook_id: String,
    pub dedupe: String,
    pub seq: i64,
    pub r#type: String,
    pub object_id: String,
    pub order_key: String,
    pub body: String,
    pub state: String,
    pub attempts: i64,
    pub attempts_before: i64,
    pub due_at: Option<DateTimeUtc>,
    pub claimed_by: Option<String>,
    pub status: Option<i64>,
    pub error: Option<String>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
