//! How far deals come: how many reach each stage, what share goes on to the next, how long they stay. Computed from
//! the journal of moves; computing is pure, reading goes page by page.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use switchboard_exchange::sheet;
use utoipa::ToSchema;

use super::{
    list::{Filter, compared},
    pipeline::{Pipeline, Stage},
    stages::StageKind,
};
use crate::{
    db::{
        bulk,
        entity::{deal, deal_move},
        keyset,
    },
    operator::rights::{Object, Scope},
};

/// Deals that are read at once.
const PAGE: u64 = 1_000;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Deals made from this moment on,
    pub from: DateTime<Utc>,
    /// until before this one.
    pub to: DateTime<Utc>,
    /// Of one operator.
    pub operator_id: Option<String>,
    /// Of one line.
    pub line_id: Option<String>,
}

/// A deal that came into a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The stage.
    pub stage_id: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of deals at one stage.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = FunnelRow)]
pub struct Row {
    /// The stage.
    pub stage_id: String,
    /// Its name.
    pub name: String,
    /// What being in it means.
    pub kind: StageKind,
    /// Deals that came this far: into this stage, or past it.
    pub reached: u64,
    /// Of all deals, the share that came this far, from 0 to 1; null when there are none.
    pub of_all: Option<f64>,
    /// Of those that came to the stage before, the share that came this far.
    pub of_previous: Option<f64>,
    /// Deals that are in it now.
    pub now: u64,
    /// Deals that were lost out of it.
    pub lost: u64,
    /// How long deals stayed in it in the middle (half of them longer); those still in it count until now.
    pub median_secs: Option<i64>,
    /// How long on the average.
    pub mean_secs: Option<i64>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Funnel)]
pub struct Report {
    /// The pipeline.
    pub pipeline_id: String,
    /// Deals made in the time.
    pub deals: u64,
    /// Of them won by now.
    pub won: u64,
    /// Of them lost by now.
    pub lost: u64,
    /// From made to won in the middle.
    pub median_won_secs: Option<i64>,
    /// The stages in their order; lost ones come last.
    pub rows: Vec<Row>,
}

/// Counts deals as they are read.
#[derive(Debug)]
pub struct Tally<'a> {
    stages: Vec<&'a Stage>,
    place: BTreeMap<&'a str, usize>,
    now: DateTime<Utc>,
    deals: u64,
    reached: Vec<u64>,
    in_it: Vec<u64>,
    lost_from: Vec<u64>,
    stays: Vec<Vec<i64>>,
    won_after: Vec<i64>,
    ended: (u64, u64),
}

impl<'a> Tally<'a> {
    /// Nothing counted yet.
    pub fn new(stages: &'a [Stage], now: DateTime<Utc>) -> Self {
        // On the way to being won nobody passes a lost stage.
        let mut ordered: Vec<&Stage> = stages
            .iter()
            .filter(|stage| stage.kind != StageKind::Lost)
            .collect();
        ordered.extend(stages.iter().filter(|stage| stage.kind == StageKind::Lost));
        let size = ordered.len();
        Self {
            place: ordered
                .iter()
                .enumerate()
                .map(|(at, stage)| (stage.id.as_str(), at))
                .collect(),
            stages: ordered,
            now,
            deals: 0,
            reached: vec![0; size],
            in_it: vec![0; size],
            lost_from: vec![0; size],
            stays: vec![Vec::new(); size],
            won_after: Vec::new(),
            ended: (0, 0),
        }
    }

    /// Counts one deal by the steps it made through this pipeline, in their order. Steps into stages that are gone
    /// end the stay before them and count as nothing else.
    pub fn count(&mut self, steps: &[Step]) {
        let Some(first) = steps.first() else { return };
        self.deals += 1;
        let mut furthest = None;
        let mut lost_stages = BTreeSet::new();
        for (at, step) in steps.iter().enumerate() {
            let next = steps.get(at + 1);
            let Some(&place) = self.place.get(step.stage_id.as_str()) else {
                continue;
            };
            let kind = self.stages.get(place).map_or(StageKind::Open, |stage| stage.kind);
            if kind == StageKind::Lost {
                lost_stages.insert(place);
                let before = at.checked_sub(1).and_then(|before| steps.get(before));
                let from = before.and_then(|before| self.place.get(before.stage_id.as_str()));
                if let Some(count) = from.and_then(|from| self.lost_from.get_mut(*from)) {
                    *count += 1;
                }
            } else {
                furthest = furthest.max(Some(place));
            }
            if kind == StageKind::Open
                && let Some(stays) = self.stays.get_mut(place)
            {
                let until = next.map_or(self.now, |next| next.at);
                stays.push((until - step.at).num_seconds().max(0));
            }
            if next.is_none() {
                if let Some(count) = self.in_it.get_mut(place) {
                    *count += 1;
                }
                match kind {
                    StageKind::Won => {
                        self.ended.0 += 1;
                        self.won_after.push((step.at - first.at).num_seconds().max(0));
                    }
                    StageKind::Lost => self.ended.1 += 1,
                    StageKind::Open => {}
                }
            }
        }
        let passed = furthest.map_or(0..0, |furthest| 0..furthest + 1);
        for place in passed.chain(lost_stages) {
            if let Some(count) = self.reached.get_mut(place) {
                *count += 1;
            }
        }
    }

    /// The report.
    pub fn report(self, pipeline_id: &str) -> Report {
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let mut stays = self.stays.into_iter();
        let mut before = self.deals;
        let mut rows = Vec::new();
        for (at, stage) in self.stages.iter().enumerate() {
            let reached = self.reached.get(at).copied().unwrap_or_default();
            let stayed = stays.next().unwrap_or_default();
            let lost = stage.kind == StageKind::Lost;
            rows.push(Row {
                stage_id: stage.id.clone(),
                name: stage.name.clone(),
                kind: stage.kind,
                reached,
                of_all: share(reached, self.deals),
                of_previous: if lost { None } else { share(reached, before) },
                now: self.in_it.get(at).copied().unwrap_or_default(),
                lost: self.lost_from.get(at).copied().unwrap_or_default(),
                mean_secs: mean(&stayed),
                median_secs: median(stayed),
            });
            before = reached;
        }
        Report {
            pipeline_id: pipeline_id.to_owned(),
            deals: self.deals,
            won: self.ended.0,
            lost: self.ended.1,
            median_won_secs: median(self.won_after),
            rows,
        }
    }
}

fn mean(values: &[i64]) -> Option<i64> {
    let count = i64::try_from(values.len()).ok().filter(|count| *count > 0)?;
    Some(values.iter().sum::<i64>() / count)
}

/// The middle one; of two in the middle the smaller.
fn median(mut values: Vec<i64>) -> Option<i64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable(middle).1)
}

/// Reads and counts the deals that the reader's right to figures reaches.
pub async fn read(
    db: &impl ConnectionTrait,
    scope: &Scope,
    pipeline: &Pipeline,
    question: &Question,
    now: DateTime<Utc>,
) -> Result<Report, DbErr> {
    let mut tally = Tally::new(&pipeline.stages, now);
    let mut after: Option<(DateTime<Utc>, String)> = None;
    let backend = db.get_database_backend();
    // The index of a pipeline holds whose they are and of which line.
    let whose = Filter {
        operator_id: question.operator_id.clone(),
        line_id: question.line_id.clone(),
        ..Filter::default()
    };
    loop {
        let from = after.as_ref().map_or(question.from, |(at, _)| *at);
        let mut query = deal::Entity::find()
            .select_only()
            .columns([deal::Column::CreatedAt, deal::Column::Id])
            .filter(compared(backend, &whose, &scope.view(Object::Report)))
            .filter(deal::Column::PipelineId.eq(&pipeline.id))
            .filter(deal::Column::CreatedAt.gte(from))
            .filter(deal::Column::CreatedAt.lt(question.to));
        if let Some((at, id)) = &after {
            query = query.filter(
                Condition::any().add(deal::Column::CreatedAt.gt(*at)).add(
                    Condition::all()
                        .add(deal::Column::CreatedAt.eq(*at))
                        .add(deal::Column::Id.gt(id)),
                ),
            );
        }
        let page: Vec<(DateTime<Utc>, String)> = query
            .order_by_asc(deal::Column::CreatedAt)
            .order_by_asc(deal::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(db)
            .await?;
        if page.is_empty() {
            return Ok(tally.report(&pipeline.id));
        }
        let moves = deal_move::Entity::find()
            .filter(deal_move::Column::DealId.is_in(bulk::padded(page.iter().map(|(_, id)| id))))
            .filter(keyset::holds(
                backend,
                deal_move::Column::PipelineId,
                pipeline.id.as_str(),
            ))
            .order_by_asc(keyset::sorted(backend, deal_move::Column::At))
            .order_by_asc(deal_move::Column::Id)
            .all(db)
            .await?;
        let mut steps: BTreeMap<String, Vec<Step>> = BTreeMap::new();
        for row in moves {
            steps.entry(row.deal_id).or_default().push(Step {
                stage_id: row.stage_id,
                at: row.at,
            });
        }
        for made in steps.values() {
            tally.count(made);
        }
        match page.last() {
            Some(last) if page.len() as u64 == PAGE => after = Some(last.clone()),
            _ => return Ok(tally.report(&pipeline.id)),
        }
    }
}

/// The rows as CSV (RFC 4180).
pub fn csv(report: &Report) -> String {
    let share = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{share:.4}"));
    let secs = |secs: Option<i64>| secs.map_or_else(String::new, |secs| secs.to_string());
    let mut table = sheet::line([
        "stage",
        "kind",
        "reached",
        "share_of_all",
        "share_of_previous",
        "now",
        "lost",
        "median_secs",
        "mean_secs",
    ]);
    for row in &report.rows {
        table.push_str(&sheet::line([
            row.name.clone(),
            row.kind.as_str().to_owned(),
            row.reached.to_string(),
            share(row.of_all),
            share(row.of_previous),
            row.now.to_string(),
            row.lost.to_string(),
            secs(row.median_secs),
            secs(row.mean_secs),
        ]));
    }
    table
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn stages() -> Vec<Stage> {
        [
            ("new", StageKind::Open),
            ("lost", StageKind::Lost),
            ("offer", StageKind::Open),
            ("won", StageKind::Won),
        ]
        .map(|(id, kind)| Stage {
            id: id.to_owned(),
            name: id.to_owned(),
            kind,
            color: None,
        })
        .to_vec()
    }

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn steps(steps: &[(&str, i64)]) -> Vec<Step> {
        steps
            .iter()
            .map(|(stage, hour)| Step {
                stage_id: (*stage).to_owned(),
                at: at(*hour),
            })
            .collect()
    }

    #[test]
    fn each_stage_says_who_came_so_far_who_left_and_how_long_they_stayed() {
        let stages = stages();
        let mut tally = Tally::new(&stages, at(100));
        tally.count(&steps(&[("new", 0), ("offer", 10), ("won", 30)]));
        tally.count(&steps(&[("new", 0), ("lost", 20)]));
        // Past the offer in one step.
        tally.count(&steps(&[("new", 0), ("won", 30)]));
        tally.count(&steps(&[("new", 90)]));
        let report = tally.report("pip");
        assert_eq!((report.deals, report.won, report.lost), (4, 2, 1));
        assert_eq!(report.median_won_secs, Some(30 * 3600));
        let rows: Vec<_> = report
            .rows
            .iter()
            .map(|row| (row.name.as_str(), row.reached, row.now, row.lost))
            .collect();
        assert_eq!(
            rows,
            [
                ("new", 4, 1, 1),
                ("offer", 2, 0, 0),
                ("won", 2, 2, 0),
                ("lost", 1, 1, 0)
            ]
        );
        let shares: Vec<_> = report
            .rows
            .iter()
            .map(|row| (row.of_all, row.of_previous))
            .collect();
        assert_eq!(
            shares,
            [
                (Some(1.0), Some(1.0)),
                (Some(0.5), Some(0.5)),
                (Some(0.5), Some(1.0)),
                (Some(0.25), None)
            ]
        );
        let times: Vec<_> = report
            .rows
            .iter()
            .map(|row| (row.median_secs, row.mean_secs))
            .collect();
        let hours = |hours: i64| Some(hours * 3600);
        assert_eq!(
            times,
            [
                (hours(10), Some((10 + 20 + 30 + 10) * 3600 / 4)),
                (hours(20), hours(20)),
                (None, None),
                (None, None)
            ]
        );
    }

    #[test]
    fn a_deal_that_goes_back_is_counted_once_a_stage_and_each_stay_counts() {
        let stages = stages();
        let mut tally = Tally::new(&stages, at(10));
        tally.count(&steps(&[
            ("new", 0),
            ("offer", 1),
            ("gone", 2),
            ("new", 3),
            ("offer", 5),
        ]));
        let report = tally.report("pip");
        let reached: Vec<u64> = report.rows.iter().map(|row| row.reached).collect();
        assert_eq!(reached, [1, 1, 0, 0]);
        let means: Vec<_> = report.rows.iter().map(|row| row.mean_secs).collect();
        assert_eq!(means, [Some(3600 + 1800), Some(3 * 3600), None, None]);
    }

    #[test]
    fn the_table_is_one_line_a_stage() {
        let stages = stages();
        let mut tally = Tally::new(&stages, at(10));
        tally.count(&steps(&[("new", 0)]));
        let table = csv(&tally.report("pip"));
        assert_eq!(table.lines().count(), 5);
        assert_eq!(
            table.lines().nth(1),
            Some("new,open,1,1.0000,1.0000,1,0,36000,36000")
        );
    }

    proptest! {
        #[test]
        fn a_funnel_never_widens_and_everybody_is_somewhere(
            deals in proptest::collection::vec(proptest::collection::vec(0..4_usize, 1..8), 0..40)
        ) {
            let stages = stages();
            let mut tally = Tally::new(&stages, at(100));
            for deal in &deals {
                let made: Vec<Step> = (0..)
                    .zip(deal)
                    .map(|(hour, stage)| Step { stage_id: stages[*stage].id.clone(), at: at(hour) })
                    .collect();
                tally.count(&made);
            }
            let report = tally.report("pip");
            let way: Vec<u64> =
                report.rows.iter().filter(|row| row.kind != StageKind::Lost).map(|row| row.reached).collect();
            prop_assert!(way.is_sorted_by(|a, b| a >= b));
            prop_assert_eq!(report.rows.iter().map(|row| row.now).sum::<u64>(), deals.len() as u64);
            prop_assert!(report.rows.iter().all(|row| row.reached <= report.deals));
        }
    }
}
