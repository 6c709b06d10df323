//! What the deals of a board are worth, by stage.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    list::{Filter, compared, scanned, tagged},
    money,
    store::visible_to,
};
use crate::{
    db::{
        entity::{deal, pipeline},
        keyset,
    },
    operator::rights::{self, Scope},
    search::{find::Search, record::Kind},
    tag,
};

/// How many deals are in a stage and what they are worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DealTotal)]
pub struct Total {
    /// The stage.
    pub stage_id: String,
    /// How many deals.
    pub count: i64,
    /// What they are worth, by currency; deals whose amount is not known add nothing.
    pub sums: Vec<Sum>,
    /// Whether there are more: of a text that very many deals have not all are counted.
    pub at_least: bool,
}

/// A sum in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DealSum)]
pub struct Sum {
    /// The currency.
    pub currency: String,
    /// The sum as a decimal text.
    pub amount: String,
}

/// Deals that a text finds and that are counted.
const MOST: usize = 10_000;

/// What of the totals is read: a stage and currency, how many, and the sum in two parts that cannot overflow.
type Counted = (String, String, i64, Option<i64>, Option<i64>);

/// The totals of the stages that have deals.
pub async fn totals(db: &impl ConnectionTrait, scope: &Scope, filter: &Filter) -> Result<Vec<Total>, DbErr> {
    let backend = db.get_database_backend();
    match Search::read(db, Kind::Deal, filter.text.as_deref()).await? {
        Some(search) if search.is_indexed() => {
            let ids = search.ids(backend);
            let at_least = ids.count(db, MOST).await?.is_none();
            let query = deal::Entity::find()
                .filter(ids.hold(deal::Column::Id, at_least.then_some(MOST)))
                .filter(compared(backend, filter, &scope.view(rights::Object::Deal)));
            counted(db, query, at_least).await
        }
        Some(_) => {
            let text = filter.text.as_deref().unwrap_or_default();
            let query = narrowed(db, filter).filter(visible_to(scope));
            let query = query.filter(scanned(db, text)).filter(tagged(filter));
            counted(db, query, false).await
        }
        None if let Some(asked) = &filter.tag => {
            let ids = tag::tagged(backend, asked, "dea_");
            let query = deal::Entity::find()
                .filter(ids.hold(deal::Column::Id, None))
                .filter(compared(backend, filter, &scope.view(rights::Object::Deal)));
            counted(db, query, false).await
        }
        None if filter.pipeline_id.is_some() || of_one(filter) => {
            counted(db, narrowed(db, filter).filter(visible_to(scope)), false).await
        }
        // One after the other: together they would be sorted first.
        None => {
            let pipelines: Vec<String> = pipeline::Entity::find()
                .select_only()
                .column(pipeline::Column::Id)
                .into_tuple()
                .all(db)
                .await?;
            let mut totals = Vec::new();
            for pipeline_id in pipelines {
                let filter = Filter {
                    pipeline_id: Some(pipeline_id),
                    ..filter.clone()
                };
                totals.extend(counted(db, narrowed(db, &filter).filter(visible_to(scope)), false).await?);
            }
            totals.sort_by(|one, other| one.stage_id.cmp(&other.stage_id));
            Ok(totals)
        }
    }
}

/// Those of some deals, in one question.
async fn counted(
    db: &impl ConnectionTrait,
    query: Select<deal::Entity>,
    at_least: bool,
) -> Result<Vec<Total>, DbErr> {
    const PART: i64 = 1_000_000_000;
    let amount = || Expr::col((deal::Entity, deal::Column::Amount));
    // PostgreSQL sums large integers to another type.
    let rows: Vec<Counted> = query
        .select_only()
        .columns([deal::Column::StageId, deal::Column::Currency])
        // Of the index alone: it does not hold the ids.
        .column_as(Expr::cust("COUNT(*)"), "deals")
        .column_as(Expr::expr(amount().div(PART)).sum().cast_as("bigint"), "high")
        .column_as(Expr::expr(amount().modulo(PART)).sum().cast_as("bigint"), "low")
        .group_by(deal::Column::StageId)
        .group_by(deal::Column::Currency)
        .order_by_asc(deal::Column::StageId)
        .order_by_asc(deal::Column::Currency)
        .into_tuple()
        .all(db)
        .await?;
    let rows = rows.into_iter().map(|(stage, currency, count, high, low)| {
        let sum = high
            .zip(low)
            .map(|(high, low)| i128::from(high) * i128::from(PART) + i128::from(low));
        (stage, currency, count, sum)
    });
    Ok(shown(rows, at_least))
}

/// Whether they are the deals of one person, company or lead: few.
fn of_one(filter: &Filter) -> bool {
    filter.lead_id.is_some() || filter.contact_id.is_some() || filter.company_id.is_some()
}

fn narrowed(db: &impl ConnectionTrait, filter: &Filter) -> Select<deal::Entity> {
    let backend = db.get_database_backend();
    let of_one = [
        (deal::Column::LeadId, &filter.lead_id),
        (deal::Column::ContactId, &filter.contact_id),
        (deal::Column::CompanyId, &filter.company_id),
    ];
    let mut query = deal::Entity::find();
    // All others stand in the index of the totals.
    let rest = [
        (deal::Column::OperatorId, &filter.operator_id),
        (deal::Column::LineId, &filter.line_id),
        (deal::Column::State, &filter.state),
    ];
    let places = [
        (deal::Column::PipelineId, &filter.pipeline_id),
        (deal::Column::StageId, &filter.stage_id),
    ];
    if self::of_one(filter) {
        let columns = of_one.into_iter().chain(places);
        query = query.filter(keyset::led(
            backend,
            columns.map(|(column, value)| (column, value.clone())),
        ));
    } else {
        for (column, value) in places {
            if let Some(value) = value {
                query = query.filter(column.eq(value));
            }
        }
    }
    for (column, value) in rest {
        if let Some(value) = value {
            query = query.filter(keyset::aside(backend, column).eq(value));
        }
    }
    query
}

/// Totals out of sums that stand by stage and currency. Pure.
fn shown(rows: impl Iterator<Item = (String, String, i64, Option<i128>)>, at_least: bool) -> Vec<Total> {
    let mut totals: Vec<Total> = Vec::new();
    for (stage_id, currency, count, sum) in rows {
        if totals.last().is_none_or(|total| total.stage_id != stage_id) {
            totals.push(Total {
                stage_id,
                count: 0,
                sums: Vec::new(),
                at_least,
            });
        }
        let Some(total) = totals.last_mut() else { continue };
        total.count += count;
        if let Some(sum) = sum {
            total.sums.push(Sum {
                amount: money::show(sum, &currency),
                currency,
            });
        }
    }
    totals
}
