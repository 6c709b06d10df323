//! Table `submission`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "submission")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub channel_id: String,
    pub state: String,
    pub contact_id: Option<String>,
    pub lead_id: Option<String>,
    pub conversation_id: Option<String>,
    pub body: Json,
    pub consent: Option<Json>,
    pub spam_score: f64,
    pub spam_reasons: Json,
    pub held: Option<Json>,
    pub created_at: DateTimeUtc,
    pub extra: Option<Json>,
    pub verdict: Option<String>,
    pub judged_by: Option<String>,
    pub judged_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
