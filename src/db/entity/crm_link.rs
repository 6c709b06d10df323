//! Table `crm_link`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "crm_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub lead_id: String,
    pub remote_id: String,
    pub person_id: Option<String>,
    pub company_id: Option<String>,
    pub url: Option<String>,
    pub merged: bool,
    pub fingerprint: Option<String>,
    pub agreed_status: Option<String>,
    pub status_id: Option<String>,
    pub synced_at: Option<DateTimeUtc>,
    pub gone_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
