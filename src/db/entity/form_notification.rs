//! Table `form_notification`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "form_notification")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub submission_id: String,
    pub kind: String,
    pub target: String,
    pub channel_id: Option<String>,
    pub subject: String,
    pub body: String,
    pub state: String,
    pub attempts: i64,
    pub due_at: Option<DateTimeUtc>,
    pub claimed_by: Option<String>,
    pub error: Option<String>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
