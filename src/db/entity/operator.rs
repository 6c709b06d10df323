//! Table `operator`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "operator")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub email: Option<String>,
    pub name: String,
    pub role: String,
    pub password_hash: Option<String>,
    pub languages: Json,
    pub skills: Json,
    pub capacity: f64,
    pub enabled: bool,
    pub availability: String,
    pub availability_reason: Option<String>,
    pub availability_since: Option<DateTimeUtc>,
    pub presence: String,
    pub service: bool,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub said_at: Option<DateTimeUtc>,
    pub unavailable_since: Option<DateTimeUtc>,
    pub changes_at: Option<DateTimeUtc>,
    pub role_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
