//! Table `import_row`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import_row")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_no: i64,
    pub line: i64,
    pub outcome: String,
    pub contact_id: Option<String>,
    pub lead_id: Option<String>,
    pub company_id: Option<String>,
    pub deal_id: Option<String>,
    pub made: String,
    pub errors: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
