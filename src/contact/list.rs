//! Lists of contacts.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement},
};
use serde::{Deserialize, Serialize};

use super::sight;
use crate::{
    db::{
        bulk,
        entity::{contact, contact_distinct, contact_suggestion, identity},
        keyset,
        text::contains,
    },
    operator::rights::{self, Scope},
    search::{
        find::{self, Fit, Ids, List, Search, Walked},
        record::Kind,
    },
    tag,
};

/// What a list of contacts is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words of the name or of addresses, each a part of one.
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

type Key = Reverse<(DateTime<Utc>, String)>;

/// Contacts that this scope sees, the last changed first.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<contact::Model>, Option<Place>), DbErr> {
    let search = Search::read(db, Kind::Contact, filter.text.as_deref()).await?;
    let indexed = search.as_ref().is_none_or(Search::is_indexed);
    let narrowed = search.is_some() || filter.tag.is_some() || !scope.view(rights::Object::Contact).is_all();
    let list = Contacts {
        db,
        scope,
        filter,
        search: search.as_ref(),
        after,
        limit,
    };
    // Of those who may be somebody else too there are few, and any question begins with them.
    let mut keys = if indexed && narrowed && !filter.duplicates {
        find::page(db, &list, limit).await?
    } else {
        list.walk(None).await?.keys
    };
    let more = keys.len() as u64 > limit;
    keys.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = keys.last().filter(|_| more).map(|Reverse((at, id))| Place {
        at: *at,
        id: id.clone(),
    });
    let ids: Vec<String> = keys.into_iter().map(|Reverse((_, id))| id).collect();
    Ok((rows(db, &ids).await?, next))
}

/// Contacts by id, in this order.
async fn rows(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<contact::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = contact::Entity::find()
        .filter(contact::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    let mut found: HashMap<String, contact::Model> =
        found.into_iter().map(|row| (row.id.clone(), row)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

struct Contacts<'a, C> {
    db: &'a C,
    scope: &'a Scope,
    filter: &'a Filter,
    search: Option<&'a Search>,
    after: Option<&'a Place>,
    limit: u64,
}

impl<C: ConnectionTrait> Contacts<'_, C> {
    /// Contacts after the place of the filters that an index of the list knows; without `leads` those are only
    /// compared.
    fn filtered(&self, leads: bool) -> Select<contact::Entity> {
        let backend = self.db.get_database_backend();
        let mut query = contact::Entity::find().filter(contact::Column::MergedInto.is_null());
        let mut first = leads;
        let company = self.filter.company_id.clone().map(Some);
        for (column, value) in [
            (contact::Column::CompanyId, company),
            (contact::Column::OperatorId, self.filter.operator_id.clone()),
        ] {
            let Some(value) = value else { continue };
            query = query.filter(match (std::mem::take(&mut first), value) {
                (true, Some(value)) => column.eq(value),
                (true, None) => column.is_null(),
                (false, Some(value)) => keyset::aside(backend, column).eq(value),
                (false, None) => keyset::aside(backend, column).is_null(),
            });
        }
        let (at, id) = (contact::Column::UpdatedAt, contact::Column::Id);
        match self.after {
            Some(place) if leads => query.filter(keyset::below(at, id, place.at, &place.id)),
            Some(place) => query.filter(keyset::below_aside(backend, at, id, place.at, &place.id)),
            None => query,
        }
    }

    /// What the list is narrowed to otherwise, and does not fit already.
    fn narrowed(&self, fit: Option<Fit>) -> Condition {
        let mut all = Condition::all();
        if let Some(tag) = &self.filter.tag {
            let id = Expr::col((contact::Entity, contact::Column::Id));
            all = all.add(Expr::exists(tag::has(tag, id)));
        }
        if self.filter.duplicates {
            all = all.add(
                Condition::any()
                    .add(contact::Column::Id.in_subquery(suggested(contact_suggestion::Column::ContactId)))
                    .add(contact::Column::Id.in_subquery(suggested(contact_suggestion::Column::OtherId))),
            );
        }
        if let Some(search) = self.search.filter(|_| fit != Some(Fit::Text)) {
            let id = Expr::col((contact::Entity, contact::Column::Id));
            all = all.add(if search.is_indexed() {
                search.condition(self.db.get_database_backend(), id)
            } else {
                self.scanned()
            });
        }
        // Last: it costs the most.
        if fit == Some(Fit::Scope) {
            all
        } else {
            all.add(sight::contacts(self.scope))
        }
    }

    /// The text as it stands in the tables, for as long as not all records are kept.
    fn scanned(&self) -> Condition {
        let backend = self.db.get_database_backend();
        let text = self.filter.text.as_deref().unwrap_or_default();
        let by_address = Query::select()
            .column(identity::Column::ContactId)
            .from(identity::Entity)
            .and_where(identity::Column::Kind.ne("webchat"))
            .and_where(contains(backend, Expr::col(identity::Column::Value), text))
            .to_owned();
        let name = Expr::col((contact::Entity, contact::Column::Name));
        Condition::any()
            .add(contains(backend, name, text))
            .add(contact::Column::Id.in_subquery(by_address))
    }
}

#[async_trait]
impl<C: ConnectionTrait> List for Contacts<'_, C> {
    type Key = Key;

    async fn walk(&self, rows: Option<u64>) -> Result<Walked<Key>, DbErr> {
        let (at, id) = (contact::Column::UpdatedAt, contact::Column::Id);
        let mut query = self.filtered(true);
        let mut whole = true;
        if let Some(rows) = rows {
            let last: Option<DateTime<Utc>> = keyset::nth(query.clone(), at, id, rows)
                .into_tuple()
                .one(self.db)
                .await?;
            if let Some(last) = last {
                whole = false;
                query = query.filter(at.gte(last));
            }
        }
        let found: Vec<(DateTime<Utc>, String)> = query
            .filter(self.narrowed(None))
            .select_only()
            .columns([at, id])
            .order_by_desc(at)
            .order_by_desc(id)
            .limit(self.limit + 1)
            .into_tuple()
            .all(self.db)
            .await?;
        let keys = found.into_iter().map(Reverse).collect();
        Ok(Walked { keys, whole })
    }

    fn known(&self) -> Vec<Ids> {
        let backend = self.db.get_database_backend();
        let extent = self.scope.view(rights::Object::Contact);
        let text = self.search.map(|search| search.ids(backend));
        let tagged = self
            .filter
            .tag
            .as_ref()
            .map(|tag| tag::tagged(backend, tag, "cnt_"));
        let reached = (!extent.is_all()).then(|| sight::reached(backend, &extent));
        [text, tagged, reached].into_iter().flatten().collect()
    }

    async fn probe(&self, ids: &Ids) -> Result<Vec<Key>, DbErr> {
        let (at, id) = (contact::Column::UpdatedAt, contact::Column::Id);
        let found: Vec<(DateTime<Utc>, String)> = self
            .filtered(false)
            .filter(ids.hold(id, None))
            .filter(self.narrowed(Some(ids.fit)))
            .select_only()
            .columns([at, id])
            .order_by_desc(keyset::sorted(self.db.get_database_backend(), at))
            .order_by_desc(id)
            .limit(self.limit + 1)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(found.into_iter().map(Reverse).collect())
    }
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
        .expr(Expr::cust("1"))
        .from(contact_distinct::Entity)
        .cond_where(Condition::any().add(same(one, other)).add(same(other, one)))
        .to_owned();
    let merged = |column| {
        Query::select()
            .expr(Expr::cust("1"))
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
