//! Lists of deals: the newest first, or in a stage the last moved first. They are read as those of leads are.

use std::{cmp::Reverse, collections::HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};

use crate::{
    db::{
        bulk,
        entity::{company, contact, deal},
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
    /// One tag.
    pub tag: Option<String>,
    /// Words of the title, or of the contact's or the company's name, each a part of one.
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
    let indexed = search.as_ref().is_none_or(Search::is_indexed);
    let mut keys = if indexed && (search.is_some() || filter.tag.is_some()) {
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
    let firms = Query::select()
        .column(company::Column::Id)
        .from(company::Entity)
        .and_where(contains(backend, Expr::col(company::Column::Name), text))
        .to_owned();
    let title = Expr::col((deal::Entity, deal::Column::Title));
    Condition::any()
        .add(contains(backend, title, text))
        .add(deal::Column::ContactId.in_subquery(named))
        .add(deal::Column::CompanyId.in_subquery(firms))
}

struct Deals<'a, C> {
    db: &'a C,
    extent: Extent<'a>,
    filter: &'a Filter,
    search: Option<&'a Search>,
    after: Option<&'a Place>,
    limit: u64,
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
        let (owner, line) = (&self.filter.operator_id, &self.filter.line_id);
        self.extent.ways(owner.as_deref(), line.as_deref())
    }

    /// Deals after the place that are seen in a way and fit the filters, whatever the text.
    fn narrowed(&self, way: Way<'_>) -> Select<deal::Entity> {
        let filter = self.filter;
        let backend = self.db.get_database_backend();
        let owner = (deal::Column::OperatorId, way.owner(filter.operator_id.as_deref()));
        let line = (deal::Column::LineId, way.line(filter.line_id.as_deref()));
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
            query = query.filter(tagged(self.filter));
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
        Ok(Walked::of(keys, seen_to, self.limit))
    }

    fn known(&self) -> Vec<Ids> {
        let backend = self.db.get_database_backend();
        let text = self.search.map(|search| search.ids(backend));
        let tag = self.filter.tag.as_ref();
        let tagged = tag.map(|tag| tag::tagged(backend, tag, "dea_"));
        [text, tagged].into_iter().flatten().collect()
    }

    async fn probe(&self, ids: &Ids) -> Result<Vec<Key>, DbErr> {
        let (backend, order) = (self.db.get_database_backend(), self.order());
        let mut query = deal::Entity::find()
            .filter(ids.hold(deal::Column::Id, None))
            .filter(compared(backend, self.filter, &self.extent));
        // Found by its tag, the text is still to be compared.
        if let Some(search) = self.search.filter(|_| ids.fit != Fit::Text) {
            let id = Expr::col((deal::Entity, deal::Column::Id));
            query = query.filter(search.condition(backend, id));
        }
        if let Some(place) = self.after {
            query = query.filter(keyset::below_aside(
                backend,
                order,
                deal::Column::Id,
                place.at,
                &place.id,
            ));
        }
        let found: Vec<(DateTime<Utc>, String)> = query
            .select_only()
            .columns([order, deal::Column::Id])
            .order_by_desc(keyset::sorted(backend, order))
            .order_by_desc(deal::Column::Id)
            .limit(self.limit + 1)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(found.into_iter().map(Reverse).collect())
    }
}

/// That a deal has the tag, if one is asked for.
pub(super) fn tagged(filter: &Filter) -> Condition {
    let id = || Expr::col((deal::Entity, deal::Column::Id));
    let tag = filter.tag.iter();
    tag.fold(Condition::all(), |all, tag| {
        all.add(Expr::exists(tag::has(tag, id())))
    })
}

/// What deals are narrowed to and as far as they are seen, for those that are found otherwise.
pub(super) fn compared(backend: DbBackend, filter: &Filter, extent: &Extent<'_>) -> Condition {
    let mut all = Condition::all().add(tagged(filter));
    for (column, value) in [
        (deal::Column::PipelineId, &filter.pipeline_id),
        (deal::Column::StageId, &filter.stage_id),
        (deal::Column::State, &filter.state),
        (deal::Column::OperatorId, &filter.operator_id),
        (deal::Column::ContactId, &filter.contact_id),
        (deal::Column::CompanyId, &filter.company_id),
        (deal::Column::LeadId, &filter.lead_id),
        (deal::Column::LineId, &filter.line_id),
    ] {
        if let Some(value) = value {
            all = all.add(keyset::holds(backend, column, value.clone()));
        }
    }
    if extent.is_all() {
        return all;
    }
    all.add(
        Condition::any()
            .add(keyset::holds_one(
                backend,
                deal::Column::OperatorId,
                extent.owners(),
            ))
            .add(keyset::holds_one(backend, deal::Column::LineId, extent.lines())),
    )
}
