//! Open lines: what an admin defines. One line is one queue with its rules, hours and texts.
//!
//! [`rules`], [`hours`], [`due`], [`text`], [`language`] and [`check`] are pure; [`store`] keeps lines with their history of
//! versions; [`queue`] resolves who stands in a queue; [`view`] is the line as the API shows it, [`warnings`] what
//! is wrong with it.

pub mod check;
pub mod due;
pub mod hours;
pub mod language;
pub mod queue;
pub mod retention;
pub mod rules;
pub mod store;
pub mod text;
pub mod view;
pub mod warnings;

use sea_orm::DbErr;

pub use hours::Hours;
pub use retention::Retention;
pub use rules::Rules;

/// Why a line could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such line.
    #[error("no such line")]
    NotFound,
    /// It was changed since the caller read it.
    #[error("the line was changed meanwhile")]
    Stale,
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the line's fields are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}
