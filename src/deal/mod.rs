//! Deals: sales in the making, and the pipelines of stages they go through.

pub mod funnel;
pub mod list;
pub mod money;
pub mod pipeline;
pub mod reason;
pub mod stages;
pub mod store;
pub mod totals;
pub mod view;

use sea_orm::DbErr;

/// Why something about deals was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it is out of sight.
    #[error("not found")]
    NotFound,
    /// It was changed since the caller read it.
    #[error("somebody else changed this meanwhile; load it again")]
    Stale,
    /// It is not in the state this needs.
    #[error("{0}")]
    Conflict(&'static str),
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the fields are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// One field that cannot be.
pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Error {
    Error::Invalid(vec![(field.to_owned(), message.into())])
}
