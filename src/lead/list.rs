//! Lists of leads, the newest first.
//!
//! First the keys of a page are found, then its rows are read. Each way in which leads are seen is a question of its
//! own, for it has an index in the order of the list; those indexes hold what lists are narrowed to as well, so that
//! going through many leads that do not fit reads none of them.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
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
    operator::rights::{self, Extent, Scope},
    search::{
        find::{self, Candidates, List, Search, Walked},
        record::{AT_ONCE, Kind},
    },
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

/// What of a lead decides whether it fits.
type Judged = (
    String,
    DateTime<Utc>,
    String,
    String,
    Option<String>,
    Option<String>,
    String,
);

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
    let mut keys = match &search {
        Some(search) if search.is_indexed() => find::page(&list, limit).await?,
        _ => list.walk(None).await?.keys,
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

/// One way in which leads are seen: by their owner, by their line, or all of them.
#[derive(Clone, Copy)]
struct Way<'a> {
    owner: Option<&'a str>,
    line: Option<&'a str>,
}

impl<C: ConnectionTrait> Leads<'_, C> {
    fn ways(&self) -> Vec<Way<'_>> {
        if self.extent.is_all() {
            return vec![Way {
                owner: None,
                line: None,
            }];
        }
        let own = self.extent.owners().into_iter().map(|owner| Way {
            owner: Some(owner),
            line: None,
        });
        let lines = self.extent.lines().iter().map(|line| Way {
            owner: None,
            line: Some(line),
        });
        // What is seen in this way and narrowed to another owner or line is nothing.
        let fits = |way: &Way<'_>| {
            let is = |seen: Option<&str>, asked: &Option<String>| {
                seen.is_none_or(|seen| asked.as_ref().is_none_or(|asked| asked == seen))
            };
            is(way.owner, &self.filter.operator_id) && is(way.line, &self.filter.line_id)
        };
        own.chain(lines).filter(fits).collect()
    }

    /// Leads after the place that are seen in a way and fit the filters, whatever the text.
    fn narrowed(&self, way: Way<'_>) -> Select<lead::Entity> {
        let given =
            |seen: Option<&str>, asked: &Option<String>| seen.map(str::to_owned).or_else(|| asked.clone());
        let filter = self.filter;
        let columns = [
            (lead::Column::ContactId, filter.contact_id.clone()),
            (lead::Column::OperatorId, given(way.owner, &filter.operator_id)),
            (lead::Column::LineId, given(way.line, &filter.line_id)),
            (lead::Column::Source, filter.source.clone()),
            (lead::Column::Status, filter.status.clone()),
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
        // Below it leads of another way may be missing.
        keys.retain(|Reverse((at, _))| seen_to.is_none_or(|seen_to| *at >= seen_to));
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(
            usize::try_from(self.limit)
                .unwrap_or(usize::MAX)
                .saturating_add(1),
        );
        Ok(Walked {
            keys,
            whole: seen_to.is_none(),
        })
    }

    async fn few(&self, most: usize) -> Result<Option<Candidates>, DbErr> {
        match self.search {
            Some(search) => search.few(self.db, most).await,
            None => Ok(None),
        }
    }

    async fn probe(&self, some: Candidates) -> Result<Vec<Key>, DbErr> {
        let mut keys = Vec::new();
        for ids in some.ids.chunks(AT_ONCE) {
            let rows: Vec<Judged> = lead::Entity::find()
                .select_only()
                .columns([
                    lead::Column::Id,
                    lead::Column::CreatedAt,
                    lead::Column::Status,
                    lead::Column::Source,
                    lead::Column::LineId,
                    lead::Column::OperatorId,
                    lead::Column::ContactId,
                ])
                .filter(lead::Column::Id.is_in(bulk::padded(ids)))
                .into_tuple()
                .all(self.db)
                .await?;
            keys.extend(rows.into_iter().filter_map(|row| self.judged(row)));
        }
        Ok(keys)
    }
}

impl<C> Leads<'_, C> {
    /// The key of a lead, when it fits everything but the text.
    fn judged(&self, row: Judged) -> Option<Key> {
        let (id, at, status, source, line_id, operator_id, contact_id) = row;
        let filter = self.filter;
        let is = |asked: &Option<String>, has: Option<&str>| {
            asked.as_ref().is_none_or(|asked| Some(asked.as_str()) == has)
        };
        let fits = status != MERGED
            && is(&filter.status, Some(&status))
            && is(&filter.source, Some(&source))
            && is(&filter.line_id, line_id.as_deref())
            && is(&filter.operator_id, operator_id.as_deref())
            && is(&filter.contact_id, Some(&contact_id))
            && self
                .extent
                .holds(line_id.as_deref(), operator_id.as_deref(), std::iter::empty())
            && self.after.is_none_or(|place| (at, &id) < (place.at, &place.id));
        fits.then_some(Reverse((at, id)))
    }
}
