//! Table `import`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub kind: String,
    pub state: String,
    pub file_name: String,
    pub size: i64,
    pub hash: String,
    pub storage_key: Option<String>,
    pub total: i64,
    pub layout: Json,
    pub columns: Json,
    pub mapping: Json,
    pub options: Json,
    pub cursor: i64,
    pub counts: Json,
    pub error: Option<String>,
    pub operator_id: Option<String>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
