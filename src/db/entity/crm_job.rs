//! Table `crm_job`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "crm_job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub connection_id: String,
    pub lead_id: String,
    pub kind: String,
    pub subject: String,
    pub state: String,
    pub rank: i64,
    pub wanted: i64,
    pub attempts: i64,
    pub uncertain: bool,
    pub due_at: Option<DateTimeUtc>,
    pub claimed_by: Option<String>,
    pub reason: Option<String>,
    pub error: Option<String>,
    pub field: Option<String>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
