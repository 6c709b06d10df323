//! Pages of long lists: where the next one begins, and which index leads to it.

use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, QueryOrder, QuerySelect, Select, Value,
    sea_query::{Expr, ExprTrait},
};

/// Rows after a place in a list that stands by `at` and then `id`, the greatest first.
///
/// The first half says nothing new; but it is a range of an index, which the second is not.
pub fn below<C: ColumnTrait>(at: C, id: C, place: impl Into<Value> + Clone, place_id: &str) -> Condition {
    Condition::all()
        .add(at.lte(place.clone()))
        .add(Condition::any().add(at.lt(place)).add(id.lt(place_id)))
}

/// A column that SQLite is to compare but not to look up: it keeps no figures about the data, and takes any of two
/// indexes for as good as the other. PostgreSQL knows better than we do.
pub fn aside(backend: DbBackend, column: impl ColumnTrait) -> Expr {
    match backend {
        DbBackend::Sqlite => Expr::cust_with_expr("+?", Expr::col(column.as_column_ref())),
        _ => Expr::col(column.as_column_ref()),
    }
}

/// That a column holds a value, compared [`aside`].
pub fn holds(backend: DbBackend, column: impl ColumnTrait, value: impl Into<Expr>) -> Expr {
    aside(backend, column).eq(value)
}

/// That it holds another.
pub fn holds_not(backend: DbBackend, column: impl ColumnTrait, value: impl Into<Expr>) -> Expr {
    aside(backend, column).ne(value)
}

/// That it holds one of some values.
pub fn holds_one<V: Into<Expr>>(
    backend: DbBackend,
    column: impl ColumnTrait,
    values: impl IntoIterator<Item = V>,
) -> Expr {
    aside(backend, column).is_in(values)
}

/// A time to sort by that no index is to be taken for: few rows, found otherwise.
pub fn sorted(backend: DbBackend, column: impl ColumnTrait) -> Expr {
    match backend {
        DbBackend::Sqlite => aside(backend, column),
        _ => Expr::cust_with_expr("$1 AT TIME ZONE 'UTC'", Expr::col(column.as_column_ref())),
    }
}

/// [`below`], compared [`aside`].
pub fn below_aside<C: ColumnTrait>(
    backend: DbBackend,
    at: C,
    id: C,
    place: impl Into<Expr> + Clone,
    place_id: &str,
) -> Condition {
    let at = || aside(backend, at);
    let same = Condition::all()
        .add(at().eq(place.clone()))
        .add(aside(backend, id).lt(place_id));
    Condition::any().add(at().lt(place)).add(same)
}

/// Conditions that columns hold values; the first that is given leads, the others are compared.
pub fn led<C: ColumnTrait>(
    backend: DbBackend,
    columns: impl IntoIterator<Item = (C, Option<String>)>,
) -> Condition {
    let mut led = false;
    let mut all = Condition::all();
    for (column, value) in columns {
        let Some(value) = value else { continue };
        all = if std::mem::replace(&mut led, true) {
            all.add(holds(backend, column, value))
        } else {
            all.add(column.eq(value))
        };
    }
    all
}

/// The column `at` of the row so many rows into a list, if it is so long.
pub fn nth<E: EntityTrait>(query: Select<E>, at: E::Column, id: E::Column, rows: u64) -> Select<E> {
    query
        .select_only()
        .column(at)
        .order_by_desc(at)
        .order_by_desc(id)
        .offset(rows.saturating_sub(1))
        .limit(1)
}
