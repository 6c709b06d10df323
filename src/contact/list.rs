//! Lists of contacts.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement},
};
use serde::{Deserialize, Serialize};

use super::sight;
use crate::{
    db::{
        entity::{contact, contact_distinct, contact_suggestion, identity},
        text::contains,
    },
    operator::rights::Scope,
    tag,
};

/// What a list of contacts is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of a name or of an address.
    pub text: Option<String>,
    /// One responsible operator; the inner `None` is nobody.
    pub operator_id: Option<Option<String>>,
    /// One company.
    pub company_id: Option<String>,
    /// One tag.
    pub tag: Option<String>,
    /// Only those that may be somebody else too.
    pub duplicates: bool,
}

/// A place in the list of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Last change.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

/// Contacts that this scope sees, the last changed first.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<contact::Model>, Option<Place>), DbErr> {
    let mut query = contact::Entity::find()
        .filter(contact::Column::MergedInto.is_null())
        .filter(sight::contacts(scope));
    if let Some(text) = filter
        .text
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let backend = db.get_database_backend();
        let by_address = Query::select()
            .column(identity::Column::ContactId)
            .from(identity::Entity)
            .and_where(identity::Column::Kind.ne("webchat"))
            .and_where(contains(backend, Expr::col(identity::Column::Value), text))
            .to_owned();
        query = query.filter(
            Condition::any()
                .add(contains(
                    backend,
                    Expr::col((contact::Entity, contact::Column::Name)),
                    text,
                ))
                .add(contact::Column::Id.in_subquery(by_address)),
        );
    }
    match &filter.operator_id {
        None => {}
        Some(None) => query = query.filter(contact::Column::OperatorId.is_null()),
        Some(Some(id)) => query = query.filter(contact::Column::OperatorId.eq(id)),
    }
    if let Some(id) = &filter.company_id {
        query = query.filter(contact::Column::CompanyId.eq(id));
    }
    if let Some(tag) = &filter.tag {
        query = query.filter(contact::Column::Id.in_subquery(tag::tagged(tag)));
    }
    if filter.duplicates {
        query = query.filter(
            Condition::any()
                .add(contact::Column::Id.in_subquery(suggested(contact_suggestion::Column::ContactId)))
                .add(contact::Column::Id.in_subquery(suggested(contact_suggestion::Column::OtherId))),
        );
    }
    if let Some(place) = after {
        query = query.filter(
            Condition::any().add(contact::Column::UpdatedAt.lt(place.at)).add(
                Condition::all()
                    .add(contact::Column::UpdatedAt.eq(place.at))
                    .add(contact::Column::Id.lt(&place.id)),
            ),
        );
    }
    let mut rows = query
        .order_by_desc(contact::Column::UpdatedAt)
        .order_by_desc(contact::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| Place {
        at: row.updated_at,
        id: row.id.clone(),
    });
    Ok((rows, next))
}

/// One side of the pairs that may be one person and that nobody said are not.
fn suggested(side: contact_suggestion::Column) -> SelectStatement {
    let pair = |column: contact_suggestion::Column| Expr::col((contact_suggestion::Entity, column));
    let known = |column: contact_distinct::Column| Expr::col((contact_distinct::Entity, column));
    let (one, other) = (
        contact_suggestion::Column::ContactId,
        contact_suggestion::Column::OtherId,
    );
    let same = |first, second| {
        Condition::all()
            .add(known(contact_distinct::Column::ContactId).eq(pair(first)))
            .add(known(contact_distinct::Column::OtherId).eq(pair(second)))
    };
    let distinct = Query::select()
        .expr(Expr::val(1))
        .from(contact_distinct::Entity)
        .cond_where(Condition::any().add(same(one, other)).add(same(other, one)))
        .to_owned();
    let merged = |column| {
        Query::select()
            .expr(Expr::val(1))
            .from_as(contact::Entity, Alias::new("other"))
            .and_where(Expr::col((Alias::new("other"), contact::Column::Id)).eq(pair(column)))
            .and_where(Expr::col((Alias::new("other"), contact::Column::MergedInto)).is_not_null())
            .to_owned()
    };
    Query::select()
        .expr(pair(side))
        .from(contact_suggestion::Entity)
        .and_where(Expr::exists(distinct).not())
        .and_where(Expr::exists(merged(one)).not())
        .and_where(Expr::exists(merged(other)).not())
        .to_owned()
}
