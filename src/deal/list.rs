//! Lists of deals: the newest first, or in a stage the last moved first. They are read as those of leads are.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};

use crate::{
    db::{
        bulk,
        entity::{contact, deal},
        keyset,
        text::contains,
    },
    operator::rights::{self, Extent, Scope},
    search::{
        find::{self, Candidates, List, Search, Walked},
        record::{AT_ONCE, Kind},
    },
};

/// What a list of deals is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One pipeline.
    pub pipeline_id: Option<String>,
    /// One stage; the list then stands by when deals came into it.
    pub stage_id: Option<String>,
    /// `open`, `won` or `lost`.
    pub state: Option<String>,
    /// One responsible operator.
    pub operator_id: Option<String>,
    /// One contact.
    pub contact_id: Option<String>,
    /// One company.
    pub company_id: Option<String>,
    /// Those of one lead.
    pub lead_id: Option<String>,
    /// One line.
    pub line_id: Option<String>,
    /// Words of the title or of the contact's name, each a part of one.
    pub text: Option<String>,
}

/// A place in the list: newest first, or in a stage the last moved first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the last row was made, or moved.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: String,
}

type Key = Reverse<(DateTime<Utc>, String)>;

/// One page of deals and the place after which the next begins.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<deal::Model>, Option<Place>), DbErr> {
    let search = Search::read(db, Kind::Deal, filter.text.as_deref()).await?;
    let list = Deals {
        db,
        extent: scope.view(rights::Object::Deal),
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
    let next = keys.last().filter(|_| more).map(|Reverse((at, id))| Place {
        at: *at,
        id: id.clone(),
    });
    let ids: Vec<String> = keys.into_iter().map(|Reverse((_, id))| id).collect();
    Ok((rows(db, &ids).await?, next))
}

/// Deals by id, in this order.
async fn rows(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<deal::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = deal::Entity::find()
        .filter(deal::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    let mut found: HashMap<String, deal::Model> =
        found.into_iter().map(|row| (row.id.clone(), row)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The text as it stands in the tables, for as long as not all records are kept.
pub(super) fn scanned(db: &impl ConnectionTrait, text: &str) -> Condition {
    let backend = db.get_database_backend();
    let named = Query::select()
        .column(contact::Column::Id)
        .from(contact::Entity)
        .and_where(contains(backend, Expr::col(contact::Column::Name), text))
        .to_owned();
    let title = Expr::col((deal::Entity, deal::Column::Title));
    Condition::any()
        .add(contains(backend, title, text))
        .add(deal::Column::ContactId.in_subquery(named))
}

impl Filter {
    /// Whether a deal fits, whatever the text. Pure.
    pub(super) fn fits(&self, row: &deal::Model) -> bool {
        let is = |asked: &Option<String>, has: Option<&String>| asked.is_none() || asked.as_ref() == has;
        is(&self.pipeline_id, Some(&row.pipeline_id))
            && is(&self.stage_id, Some(&row.stage_id))
            && is(&self.state, Some(&row.state))
            && is(&self.operator_id, row.operator_id.as_ref())
            && is(&self.contact_id, row.contact_id.as_ref())
            && is(&self.company_id, row.company_id.as_ref())
            && is(&self.lead_id, row.lead_id.as_ref())
            && is(&self.line_id, row.line_id.as_ref())
    }
}

struct Deals<'a, C> {
    db: &'a C,
    extent: Extent<'a>,
    filter: &'a Filter,
    search: Option<&'a Search>,
    after: Option<&'a Place>,
    limit: u64,
}

/// One way in which deals are seen: by their owner, by their line, or all of them.
#[derive(Clone, Copy)]
struct Way<'a> {
    owner: Option<&'a str>,
    line: Option<&'a str>,
}

impl<C: ConnectionTrait> Deals<'_, C> {
    fn order(&self) -> deal::Column {
        if self.filter.stage_id.is_some() {
            deal::Column::StageSince
        } else {
            deal::Column::CreatedAt
        }
    }

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

    /// Deals after the place that are seen in a way and fit the filters, whatever the text.
    fn narrowed(&self, way: Way<'_>) -> Select<deal::Entity> {
        let given =
            |seen: Option<&str>, asked: &Option<String>| seen.map(str::to_owned).or_else(|| asked.clone());
        let filter = self.filter;
        let backend = self.db.get_database_backend();
        let owner = (deal::Column::OperatorId, given(way.owner, &filter.operator_id));
        let line = (deal::Column::LineId, given(way.line, &filter.line_id));
        let of_one = [
            (deal::Column::LeadId, filter.lead_id.clone()),
            (deal::Column::ContactId, filter.contact_id.clone()),
            (deal::Column::CompanyId, filter.company_id.clone()),
        ];
        let rest = [
            (deal::Column::PipelineId, filter.pipeline_id.clone()),
            (deal::Column::State, filter.state.clone()),
        ];
        let few = of_one.iter().any(|(_, value)| value.is_some());
        let mut query = deal::Entity::find();
        // Columns of the board have an index of their stage with the owner or the line.
        if let Some(stage) = filter.stage_id.as_ref().filter(|_| !few) {
            query = query.filter(deal::Column::StageId.eq(stage));
            let mut others = [owner, line].into_iter().filter(|(_, value)| value.is_some());
            if let Some((column, Some(value))) = others.next() {
                query = query.filter(column.eq(value));
            }
            for (column, value) in others.chain(rest) {
                if let Some(value) = value {
                    query = query.filter(keyset::holds(backend, column, value));
                }
            }
        } else {
            let stage = (deal::Column::StageId, filter.stage_id.clone());
            let columns = of_one.into_iter().chain([owner, line]).chain(rest).chain([stage]);
            query = query.filter(keyset::led(backend, columns));
        }
        match self.after {
            Some(place) => query.filter(keyset::below(self.order(), deal::Column::Id, place.at, &place.id)),
            None => query,
        }
    }
}

#[async_trait]
impl<C: ConnectionTrait> List for Deals<'_, C> {
    type Key = Key;

    async fn walk(&self, rows: Option<u64>) -> Result<Walked<Key>, DbErr> {
        let (ways, order) = (self.ways(), self.order());
        let each = rows.map(|rows| rows / (ways.len() as u64).max(1));
        let (mut keys, mut seen_to) = (Vec::new(), None);
        for way in ways {
            let mut query = self.narrowed(way);
            if let Some(each) = each {
                let last: Option<DateTime<Utc>> = keyset::nth(query.clone(), order, deal::Column::Id, each)
                    .into_tuple()
                    .one(self.db)
                    .await?;
                if let Some(last) = last {
                    seen_to = seen_to.max(Some(last));
                    query = query.filter(order.gte(last));
                }
            }
            if let Some(search) = self.search {
                query = query.filter(if search.is_indexed() {
                    search.condition(
                        self.db.get_database_backend(),
                        Expr::col((deal::Entity, deal::Column::Id)),
                    )
                } else {
                    scanned(self.db, self.filter.text.as_deref().unwrap_or_default())
                });
            }
            let found: Vec<(DateTime<Utc>, String)> = query
                .select_only()
                .columns([order, deal::Column::Id])
                .order_by_desc(order)
                .order_by_desc(deal::Column::Id)
                .limit(self.limit + 1)
                .into_tuple()
                .all(self.db)
                .await?;
            keys.extend(found.into_iter().map(Reverse));
        }
        // Below it deals of another way may be missing.
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
            let rows = deal::Entity::find()
                .filter(deal::Column::Id.is_in(bulk::padded(ids)))
                .all(self.db)
                .await?;
            let in_stage = self.filter.stage_id.is_some();
            keys.extend(rows.into_iter().filter_map(|row| {
                let at = if in_stage { row.stage_since } else { row.created_at };
                let fits = self.filter.fits(&row)
                    && (self.extent).holds(
                        row.line_id.as_deref(),
                        row.operator_id.as_deref(),
                        std::iter::empty(),
                    )
                    && self
                        .after
                        .is_none_or(|place| (at, &row.id) < (place.at, &place.id));
                fits.then_some(Reverse((at, row.id)))
            }));
        }
        Ok(keys)
    }
}
