//! What was recorded: as arrivals for a simulation, and as figures beside it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    Arrival,
    figures::{Fate, Figures, OperatorFigures, figures, secs},
};
use crate::operator::Counting;

/// A session that was.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The line it came on.
    pub line_id: String,
    /// On which kind of channel.
    pub channel_kind: String,
    /// When it came.
    pub opened_at: DateTime<Utc>,
    /// The contact's language.
    pub language: Option<String>,
    /// Its priority.
    pub priority: i64,
    /// Who was responsible before it came.
    pub responsible: Option<String>,
    /// Who owned it last.
    pub operator_id: Option<String>,
    /// Since when.
    pub assigned_at: Option<DateTime<Utc>>,
    /// When it had its first reply.
    pub first_reply_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// The line closed it without an answer: its client did not go by themselves.
    pub closed_by_line: bool,
    /// How often it moved to an overflow line.
    pub overflowed: u64,
    /// How often it went back to the queue.
    pub returned: u64,
    /// Offers that were made.
    pub offers: u64,
    /// Those that lapsed.
    pub offers_lapsed: u64,
    /// How often the no-answer action was done.
    pub no_answer_actions: u64,
    /// How often its client was told that the line is closed.
    pub off_hours_actions: u64,
}

impl Recorded {
    /// The same session, to come again.
    pub fn arrival(&self) -> Arrival {
        // Who owned it when it was answered; somebody who got it later replied to something else.
        let owned = self
            .assigned_at
            .filter(|assigned| self.first_reply_at.is_some_and(|reply| *assigned <= reply));
        let between =
            |from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>| Some(secs(to? - from?).max(0.0));
        let patience = match self.first_reply_at {
            Some(_) => None,
            None if self.closed_by_line => None,
            None => between(Some(self.opened_at), self.closed_at),
        };
        Arrival {
            at: self.opened_at,
            line: self.line_id.clone(),
            channel_kind: self.channel_kind.clone(),
            language: self.language.clone(),
            priority: self.priority,
            responsible: self.responsible.clone(),
            reply_secs: between(owned, self.first_reply_at),
            handle_secs: between(owned.or(self.first_reply_at), self.closed_at),
            patience_secs: patience,
        }
    }
}

/// The figures of what was recorded, as far as the end of the period.
pub fn recorded_figures(
    records: &[Recorded],
    period: (DateTime<Utc>, DateTime<Utc>),
    target_secs: u32,
    counting: &Counting,
    names: &BTreeMap<String, String>,
) -> Figures {
    let (from, to) = period;
    let until = |at: Option<DateTime<Utc>>| at.filter(|at| *at < to);
    let unanswered = |record: &Recorded| record.closed_at.filter(|_| record.first_reply_at.is_none());
    let sum = |count: fn(&Recorded) -> u64| records.iter().map(count).sum();
    let fates: Vec<Fate> = records
        .iter()
        .map(|record| Fate {
            at: record.opened_at,
            answered: until(record.first_reply_at),
            abandoned: until(unanswered(record).filter(|_| !record.closed_by_line)),
            closed: until(unanswered(record).filter(|_| record.closed_by_line)),
        })
        .collect();
    Figures {
        overflowed: sum(|record| record.overflowed),
        returned: sum(|record| record.returned),
        offers: sum(|record| record.offers),
        offers_lapsed: sum(|record| record.offers_lapsed),
        no_answer_actions: sum(|record| record.no_answer_actions),
        off_hours_actions: sum(|record| record.off_hours_actions),
        operators: operators(records, to, counting, names),
        ..figures(&fates, from, to, target_secs)
    }
}

/// When an operator took a session or was done with it, and what it weighs.
type Step = (DateTime<Utc>, bool, f64);

fn operators(
    records: &[Recorded],
    to: DateTime<Utc>,
    counting: &Counting,
    names: &BTreeMap<String, String>,
) -> Vec<OperatorFigures> {
    // What each took and gave back, in the order of time; what ends makes room before what begins.
    let mut steps: BTreeMap<&String, Vec<Step>> = BTreeMap::new();
    for record in records {
        let (Some(operator), Some(begin)) =
            (&record.operator_id, record.assigned_at.or(record.first_reply_at))
        else {
            continue;
        };
        let weight = counting.weight_of(&record.channel_kind);
        let steps = steps.entry(operator).or_default();
        if begin < to {
            steps.push((begin, true, weight));
            steps.push((record.closed_at.unwrap_or(to).clamp(begin, to), false, weight));
        }
    }
    let everybody: BTreeSet<&String> = names.keys().chain(steps.keys().copied()).collect();
    everybody
        .into_iter()
        .map(|id| {
            let mut steps = steps.remove(id).unwrap_or_default();
            steps.sort_by_key(|(at, begins, _)| (*at, *begins));
            let (mut load, mut peak) = (0.0_f64, 0.0_f64);
            for (_, begins, weight) in &steps {
                load += if *begins { *weight } else { -weight };
                peak = peak.max(load);
            }
            OperatorFigures {
                operator_id: id.clone(),
                name: names.get(id).unwrap_or(id).clone(),
                sessions: steps.iter().filter(|(_, begins, _)| *begins).count() as u64,
                peak,
                busy_share: None,
                shift_secs: None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Recorded, recorded_figures};
    use crate::operator::Counting;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
    }

    fn record() -> Recorded {
        Recorded {
            line_id: "lin_1".to_owned(),
            channel_kind: "webchat".to_owned(),
            opened_at: at(0),
            language: None,
            priority: 0,
            responsible: None,
            operator_id: Some("opr_1".to_owned()),
            assigned_at: Some(at(10)),
            first_reply_at: Some(at(40)),
            closed_at: Some(at(100)),
            closed_by_line: false,
            overflowed: 0,
            returned: 0,
            offers: 0,
            offers_lapsed: 0,
            no_answer_actions: 0,
            off_hours_actions: 0,
        }
    }

    #[test]
    fn a_recorded_session_comes_again_as_it_was() {
        let arrival = record().arrival();
        assert_eq!(
            (arrival.reply_secs, arrival.handle_secs, arrival.patience_secs),
            (Some(30.0), Some(90.0), None)
        );
        let given_on = Recorded {
            assigned_at: Some(at(60)),
            ..record()
        }
        .arrival();
        assert_eq!((given_on.reply_secs, given_on.handle_secs), (None, Some(60.0)));
        let gone = Recorded {
            first_reply_at: None,
            ..record()
        }
        .arrival();
        assert_eq!((gone.handle_secs, gone.patience_secs), (None, Some(100.0)));
        let closed = Recorded {
            first_reply_at: None,
            closed_by_line: true,
            ..record()
        };
        assert_eq!(
            closed.arrival().patience_secs,
            None,
            "the line ended it, not the client"
        );
        let open = Recorded {
            closed_at: None,
            first_reply_at: None,
            ..record()
        }
        .arrival();
        assert_eq!((open.handle_secs, open.patience_secs), (None, None));
    }

    #[test]
    fn what_comes_after_the_period_has_not_happened_yet() {
        let late = Recorded {
            opened_at: at(5),
            first_reply_at: Some(at(200)),
            ..record()
        };
        let figures = recorded_figures(
            &[record(), late],
            (at(0), at(120)),
            60,
            &Counting::default(),
            &BTreeMap::new(),
        );
        assert_eq!((figures.arrivals, figures.answered, figures.waiting), (2, 1, 1));
        assert_eq!(figures.operators[0].sessions, 2);
        assert!((figures.operators[0].peak - 2.0).abs() < 1e-9);
    }
}
