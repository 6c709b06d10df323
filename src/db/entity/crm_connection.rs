//! Table `crm_connection`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "crm_connection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub kind: String,
    pub name: String,
    pub settings: Json,
    pub secrets: Option<Vec<u8>>,
    pub mapping: Json,
    pub options: Json,
    pub state: String,
    pub stopped_because: Option<String>,
    pub stopped_at: Option<DateTimeUtc>,
    pub failures: i64,
    pub blocked_until: Option<DateTimeUtc>,
    pub last_success_at: Option<DateTimeUtc>,
    pub last_error: Option<String>,
    pub last_error_at: Option<DateTimeUtc>,
    pub since_at: DateTimeUtc,
    pub backfill_from: Option<DateTimeUtc>,
    pub backfill_after: Option<String>,
    pub backfill_total: i64,
    pub backfill_done: i64,
    pub change_cursor: Option<Json>,
    pub looked_at: Option<DateTimeUtc>,
    pub created_by: Option<String>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
