//! Counting what became of sessions, recorded or played. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Periods longer than this are counted by days.
const HOURLY_DAYS: i64 = 32;

/// What became of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// When it came.
    pub at: DateTime<Utc>,
    /// When it had its first reply.
    pub answered: Option<DateTime<Utc>>,
    /// When its client went without one.
    pub abandoned: Option<DateTime<Utc>>,
    /// When the line closed it without one.
    pub closed: Option<DateTime<Utc>>,
}

/// How long clients waited for the first reply, in seconds; null when nobody was answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = SimulationWaits)]
pub struct Waits {
    /// Half of them waited at most this long.
    pub p50: Option<f64>,
    /// Nine of ten.
    pub p90: Option<f64>,
    /// 99 of 100.
    pub p99: Option<f64>,
    /// All of them.
    pub max: Option<f64>,
}

/// What one operator had.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SimulationOperator)]
pub struct OperatorFigures {
    /// Who.
    pub operator_id: String,
    /// What people call them.
    pub name: String,
    /// Sessions they were given.
    pub sessions: u64,
    /// The highest weighted load they had at once.
    pub peak: f64,
    /// How much of their capacity was taken while they were on shift, 0 to 1; null when that is not known.
    pub busy_share: Option<f64>,
    /// How long they were on shift; null when that is not known.
    pub shift_secs: Option<f64>,
}

/// One hour or day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SimulationSlot)]
pub struct Slot {
    /// Its beginning.
    pub at: DateTime<Utc>,
    /// Sessions that came in it.
    pub arrivals: u64,
    /// The most that were without a reply at once.
    pub waiting: u64,
}

/// What became of the sessions of a period. Each ends once: `arrivals` = `answered` + `unanswered`, and `unanswered` =
/// `abandoned` + `closed` + `waiting`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SimulationFigures)]
pub struct Figures {
    /// Sessions that came.
    pub arrivals: u64,
    /// Those that had a reply.
    pub answered: u64,
    /// Those that had none.
    pub unanswered: u64,
    /// Those whose client went without one.
    pub abandoned: u64,
    /// Those that the line closed without one, by its no-answer action.
    pub closed: u64,
    /// Those without a reply at the end.
    pub waiting: u64,
    /// Those answered within the target, as a share of all, 0 to 1.
    pub answered_in_target: f64,
    /// How long those who were answered waited.
    pub wait_secs: Waits,
    /// Sessions that moved to the overflow line.
    pub overflowed: u64,
    /// Times a session went back to the queue.
    pub returned: u64,
    /// Offers made to operators.
    pub offers: u64,
    /// Those that lapsed: nobody said yes in time.
    pub offers_lapsed: u64,
    /// Times the no-answer action was done.
    pub no_answer_actions: u64,
    /// Times a client was told that the line is closed.
    pub off_hours_actions: u64,
    /// What each operator had.
    pub operators: Vec<OperatorFigures>,
    /// Seconds of a slot: 3600 or 86400.
    pub slot_secs: i64,
    /// The period, slot by slot.
    pub slots: Vec<Slot>,
}

/// Counts.
pub fn figures(fates: &[Fate], from: DateTime<Utc>, to: DateTime<Utc>, target_secs: u32) -> Figures {
    let mut waits: Vec<f64> = fates
        .iter()
        .filter_map(|fate| Some(secs(fate.answered? - fate.at)))
        .collect();
    waits.sort_by(f64::total_cmp);
    let target = f64::from(target_secs);
    let in_target = waits.iter().filter(|wait| **wait <= target).count();
    let unanswered = || fates.iter().filter(|fate| fate.answered.is_none());
    let closed = unanswered().filter(|fate| fate.closed.is_some()).count();
    let abandoned = unanswered()
        .filter(|fate| fate.closed.is_none() && fate.abandoned.is_some())
        .count();
    let (arrivals, answered) = (fates.len(), waits.len());
    let (slot_secs, slots) = slots(fates, from, to);
    Figures {
        arrivals: arrivals as u64,
        answered: answered as u64,
        unanswered: (arrivals - answered) as u64,
        abandoned: abandoned as u64,
        closed: closed as u64,
        waiting: (arrivals - answered - abandoned - closed) as u64,
        answered_in_target: if arrivals == 0 {
            0.0
        } else {
            in_target as f64 / arrivals as f64
        },
        wait_secs: Waits {
            p50: percentile(&waits, 50),
            p90: percentile(&waits, 90),
            p99: percentile(&waits, 99),
            max: waits.last().copied(),
        },
        overflowed: 0,
        returned: 0,
        offers: 0,
        offers_lapsed: 0,
        no_answer_actions: 0,
        off_hours_actions: 0,
        operators: Vec::new(),
        slot_secs,
        slots,
    }
}

/// The smallest value that `percent` of all do not exceed.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn slots(fates: &[Fate], from: DateTime<Utc>, to: DateTime<Utc>) -> (i64, Vec<Slot>) {
    let hourly = to - from <= TimeDelta::days(HOURLY_DAYS);
    let size: i64 = if hourly { 3_600 } else { 86_400 };
    let first = from.timestamp().div_euclid(size);
    let last = (to.timestamp() - 1).div_euclid(size).max(first);
    let mut slots: Vec<Slot> = (first..=last)
        .filter_map(|number| DateTime::from_timestamp(number * size, 0))
        .map(|at| Slot {
            at,
            arrivals: 0,
            waiting: 0,
        })
        .collect();
    let slot_of = |at: DateTime<Utc>| usize::try_from(at.timestamp().div_euclid(size) - first).ok();
    // Who begins to wait and who ends, in the order of time; an end comes before a beginning.
    let mut steps: Vec<(DateTime<Utc>, i64)> = Vec::with_capacity(fates.len() * 2);
    for fate in fates {
        if let Some(slot) = slot_of(fate.at).and_then(|slot| slots.get_mut(slot)) {
            slot.arrivals += 1;
        }
        let end = fate.answered.or(fate.closed).or(fate.abandoned).unwrap_or(to);
        if end > fate.at {
            steps.push((fate.at, 1));
            steps.push((end, -1));
        }
    }
    steps.sort_unstable();
    let (mut waiting, mut reached) = (0_i64, 0_usize);
    for (at, change) in steps {
        let Some(slot) = slot_of(at) else { continue };
        // Nothing happens in between: each slot sees at least what waited when it began.
        for between in slots.iter_mut().take(slot + 1).skip(reached) {
            between.waiting = between.waiting.max(waiting.unsigned_abs());
        }
        reached = slot;
        waiting += change;
        if let Some(slot) = slots.get_mut(slot) {
            slot.waiting = slot.waiting.max(waiting.unsigned_abs());
        }
    }
    (size, slots)
}

/// Seconds, with their parts.
pub fn secs(time: TimeDelta) -> f64 {
    time.as_seconds_f64()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Fate, figures, percentile};

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
    }

    #[test]
    fn percentiles_are_values_that_occur() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(percentile(&values, 50), Some(5.0));
        assert_eq!(percentile(&values, 90), Some(9.0));
        assert_eq!(percentile(&values, 99), Some(10.0));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn each_session_is_counted_once_and_waits_in_each_slot_it_spans() {
        let fates = [
            Fate {
                at: at(0),
                answered: Some(at(1)),
                abandoned: None,
                closed: None,
            },
            Fate {
                at: at(10),
                answered: None,
                abandoned: Some(at(130)),
                closed: None,
            },
            Fate {
                at: at(70),
                answered: None,
                abandoned: None,
                closed: None,
            },
        ];
        let figures = figures(&fates, at(0), at(240), 60);
        assert_eq!(
            (
                figures.arrivals,
                figures.answered,
                figures.abandoned,
                figures.waiting
            ),
            (3, 1, 1, 1)
        );
        assert_eq!(figures.wait_secs.max, Some(60.0));
        assert!((figures.answered_in_target - 1.0 / 3.0).abs() < 1e-9);
        let seen: Vec<(u64, u64)> = figures
            .slots
            .iter()
            .map(|slot| (slot.arrivals, slot.waiting))
            .collect();
        assert_eq!(seen, [(2, 1), (1, 2), (0, 2), (0, 1)]);
    }
}
