//! Lists of leads, the newest first.
//!
//! First the keys of a page are found, then its rows are read. Each way in which leads are seen is a question of its
//! own, for it has an index in the order of the list; those indexes hold what lists are narrowed to as well, so that
//! going through many leads that do not fit reads none of them.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};

use super::store::MERGED;
use crate::{
    db::{
        bulk,
        entity::{contact, lead},
        keyset,
        text::contains,
    },
    operator::rights::{self, Extent, Scope, Way},
    search::{
        find::{self, Fit, Ids, List, Search, Walked},
        record::Kind,
    },
    tag,
};

/// What a list of leads is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One status.
    pub status: Option<String>,
    /// One source.
    pub source: Option<String>,
    /// One line.
    pub line_id: Option<String>,
    /// One responsible operator.
    pub operator_id: Option<String>,
    /// One contact.
    pub contact_id: Option<String>,
    /// One tag.
    pub tag: Option<String>,
    /// Words of the title or of the contact's name, each a part of one.
    pub text: Option<String>,
}

/// A place in the list: leads stand newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the last row was made.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

type Key = Reverse<(DateTime<Utc>, String)>;

/// One page of leads and the place after which the next begins.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<lead::Model>, Option<Place>), DbErr> {
    let search = Search::read(db, Kind::Lead, filter.text.as_deref()).await?;
    let list = Leads {
        db,
        extent: scope.view(rights::Object::Lead),
        filter,
        search: search.as_ref(),
        after,
        limit,
    };
    let indexed = search.as_ref().is_none_or(Search::is_indexed);
    let mut keys = if indexed && (search.is_some() || filter.tag.is_some()) {
        find::page(db, &list, limit).await?
    } else {
        list.walk(None).await?.keys
    };
    let more = keys.len() as u64 > limit;
    keys.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let ids = keys.into_iter().map(|Reverse((_, id))| id).collect();
    let rows = rows(db, ids).await?;
    let next = rows.last().filter(|_| more).map(|row| Place {
        at: row.created_at,
        id: row.id.clone(),
    });
    Ok((rows, next))
}

/// Leads by id, in this order.
async fn rows(db: &impl ConnectionTrait, ids: Vec<String>) -> Result<Vec<lead::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = lead::Entity::find()
        .filter(lead::Column::Id.is_in(bulk::padded(&ids)))
        .all(db)
        .await?;
    let mut found: HashMap<String, lead::Model> =
        found.into_iter().map(|row| (row.id.clone(), row)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

struct Leads<'a, C> {
    db: &'a C,
    extent: Extent<'a>,
    filter: &'a Filter,
    search: Option<&'a Search>,
    after: Option<&'a Place>,
    limit: u64,
}

impl<C: ConnectionTrait> Leads<'_, C> {
    /// That it has the tag, if one is asked for.
    fn tagged(&self) -> Condition {
        let id = || Expr::col((lead::Entity, lead::Column::Id));
        let tag = self.filter.tag.iter();
        tag.fold(Condition::all(), |all, tag| {
            all.add(Expr::exists(tag::has(tag, id())))
        })
    }

    fn ways(&self) -> Vec<Way<'_>> {
        let (owner, line) = (&self.filter.operator_id, &self.filter.line_id);
        self.extent.ways(owner.as_deref(), line.as_deref())
    }

    /// Leads after the place that are seen in a way and fit the filters, whatever the text.
    fn narrowed(&self, way: Way<'_>) -> Select<lead::Entity> {
        let filter = self.filter;
        let source = (lead::Column::Source, filter.source.clone());
        let status = (lead::Column::Status, filter.status.clone());
        // Most leads have ended: of those that have not there are fewer than of a source.
        let ended = filter
            .status
            .as_deref()
            .is_some_and(|word| matches!(word, "converted" | "junk"));
        let [first, second] = if ended { [source, status] } else { [status, source] };
        let columns = [
            (lead::Column::ContactId, filter.contact_id.clone()),
            (lead::Column::OperatorId, way.owner(filter.operator_id.as_deref())),
            (lead::Column::LineId, way.line(filter.line_id.as_deref())),
            first,
            second,
        ];
        let backend = self.db.get_database_backend();
        let query = lead::Entity::find()
            .filter(keyset::led(backend, columns))
            .filter(keyset::holds_not(backend, lead::Column::Status, MERGED));
        match self.after {
            Some(place) => query.filter(keyset::below(
                lead::Column::CreatedAt,
                lead::Column::Id,
                place.at,
                &place.id,
            )),
            None => query,
        }
    }

    /// The text as it stands in the tables, for as long as not all records are kept.
    fn scanned(&self) -> Condition {
        let backend = self.db.get_database_backend();
        let text = self.filter.text.as_deref().unwrap_or_default();
        let named = Query::select()
            .column(contact::Column::Id)
            .from(contact::Entity)
            .and_where(contains(backend, Expr::col(contact::Column::Name), text))
            .to_owned();
        let title = Expr::col((lead::Entity, lead::Column::Title));
        Condition::any()
            .add(contains(backend, title, text))
            .add(lead::Column::ContactId.in_subquery(named))
    }
}

#[async_trait]
impl<C: ConnectionTrait> List for Leads<'_, C> {
    type Key = Key;

    async fn walk(&self, rows: Option<u64>) -> Result<Walked<Key>, DbErr> {
        let ways = self.ways();
        let each = rows.map(|rows| rows / (ways.len() as u64).max(1));
        let (mut keys, mut seen_to) = (Vec::new(), None);
        for way in ways {
            let mut query = self.narrowed(way);
            if let Some(each) = each {
                let last: Option<DateTime<Utc>> =
                    keyset::nth(query.clone(), lead::Column::CreatedAt, lead::Column::Id, each)
                        .into_tuple()
                        .one(self.db)
                        .await?;
                if let Some(last) = last {
                    seen_to = seen_to.max(Some(last));
                    query = query.filter(lead::Column::CreatedAt.gte(last));
                }
            }
            query = query.filter(self.tagged());
            if let Some(search) = self.search {
                query = query.filter(if search.is_indexed() {
                    search.condition(
                        self.db.get_database_backend(),
                        Expr::col((lead::Entity, lead::Column::Id)),
                    )
                } else {
                    self.scanned()
                });
            }
            let found: Vec<(DateTime<Utc>, String)> = query
                .select_only()
                .columns([lead::Column::CreatedAt, lead::Column::Id])
                .order_by_desc(lead::Column::CreatedAt)
                .order_by_desc(lead::Column::Id)
                .limit(self.limit + 1)
                .into_tuple()
                .all(self.db)
                .await?;
            keys.extend(found.into_iter().map(Reverse));
        }
        Ok(Walked::of(keys, seen_to, self.limit))
    }

    fn known(&self) -> Vec<Ids> {
        let backend = self.db.get_database_backend();
        let text = self.search.map(|search| search.ids(backend));
        let tag = self.filter.tag.as_ref();
        let tagged = tag.map(|tag| tag::tagged(backend, tag, "led_"));
        [text, tagged].into_iter().flatten().collect()
    }

    async fn probe(&self, ids: &Ids) -> Result<Vec<Key>, DbErr> {
        let backend = self.db.get_database_backend();
        let filter = self.filter;
        let mut query = lead::Entity::find()
            .filter(ids.hold(lead::Column::Id, None))
            .filter(self.tagged())
            .filter(compared(backend, &self.extent));
        for (column, value) in [
            (lead::Column::Status, &filter.status),
            (lead::Column::Source, &filter.source),
            (lead::Column::LineId, &filter.line_id),
            (lead::Column::OperatorId, &filter.operator_id),
            (lead::Column::ContactId, &filter.contact_id),
        ] {
            if let Some(value) = value {
                query = query.filter(keyset::holds(backend, column, value.clone()));
            }
        }
        // Found by its tag, the text is still to be compared.
        if let Some(search) = self.search.filter(|_| ids.fit != Fit::Text) {
            let id = Expr::col((lead::Entity, lead::Column::Id));
            query = query.filter(search.condition(backend, id));
        }
        if let Some(place) = self.after {
            let (at, id) = (lead::Column::CreatedAt, lead::Column::Id);
            query = query.filter(keyset::below_aside(backend, at, id, place.at, &place.id));
        }
        let found: Vec<(DateTime<Utc>, String)> = query
            .select_only()
            .columns([lead::Column::CreatedAt, lead::Column::Id])
            .order_by_desc(keyset::sorted(backend, lead::Column::CreatedAt))
            .order_by_desc(lead::Column::Id)
            .limit(self.limit + 1)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(found.into_iter().map(Reverse).collect())
    }
}

/// Leads that are reached and were not taken in by another, of those that are found otherwise.
pub(super) fn compared(backend: DbBackend, extent: &Extent<'_>) -> Condition {
    let standing = Condition::all().add(keyset::holds_not(backend, lead::Column::Status, MERGED));
    if extent.is_all() {
        return standing;
    }
    standing.add(
        Condition::any()
            .add(keyset::holds_one(
                backend,
                lead::Column::OperatorId,
                extent.owners(),
            ))
            .add(keyset::holds_one(backend, lead::Column::LineId, extent.lines())),
    )
}
