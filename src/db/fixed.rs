//! Values that are part of a statement's text, and rows read without a bound limit.
//!
//! SQLite plans a statement anew on each run when a bound value decides how it is planned: a `LIMIT ?`, or
//! a `state = ?` beside an index of some states only
//! (<https://sqlite.org/c3ref/prepare.html>, of `sqlite3_prepare_v3`). Planning costs more than most of
//! our statements do, so what is asked hundreds of times a second says such values in its text.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Select,
    sea_query::{Expr, ExprTrait},
};

/// That a column holds a word of ours, which stands in the statement's text.
pub fn is(column: impl ColumnTrait, word: &'static str) -> Expr {
    Expr::col(column.as_column_ref()).eq(Expr::Constant(word.into()))
}

/// The row of a query that a unique index lets find one at most.
pub async fn the_one<E: EntityTrait>(
    query: Select<E>,
    db: &impl ConnectionTrait,
) -> Result<Option<E::Model>, DbErr> {
    Ok(query.all(db).await?.pop())
}
