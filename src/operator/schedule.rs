//! When an operator works, and what that makes of what they say. Pure.
//!
//! The schedule only ever takes away: it makes nobody accept who said that they do not. Outside a shift
//! and in an absence an operator is off, in a break paused, otherwise what they said. Who says
//! `accepting` while the schedule says otherwise (overtime, a break cut short) is believed until the
//! schedule's next change: the end of that break, the beginning of the next shift or absence. What was
//! said before the schedule was last changed overrules nothing.

use chrono::{DateTime, Days, NaiveDate, SubsecRound, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Availability;
use crate::line::hours::{self, Hours, Weekly};

/// Absences a schedule may hold.
const ABSENCE_LIMIT: usize = 500;
/// Characters of an absence's note.
const NOTE_CHARS: usize = 200;
/// Changes of the schedule looked at for one that changes something for others.
const LOOK_AHEAD: usize = 16;

/// Why somebody is away for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceKind {
    /// A holiday.
    #[default]
    Holiday,
    /// Ill.
    Sick,
    /// Learning.
    Training,
    /// Something else.
    Other,
}

/// A whole day in the schedule's time zone, or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "is neither a date (2026-12-24) nor a time (2026-12-24T12:00:00Z)"
)]
pub enum When {
    /// The whole day.
    Day(NaiveDate),
    /// This moment.
    At(DateTime<Utc>),
}

/// A time without work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Absence {
    /// The first day (`2026-12-24`), or the moment it begins.
    #[schema(value_type = String)]
    pub from: When,
    /// The last day, which is part of it, or the moment it ends; null: until further notice.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub to: Option<When>,
    /// What for.
    #[serde(default)]
    pub kind: AbsenceKind,
    /// A note for those who may read the schedule.
    #[serde(default)]
    pub note: Option<String>,
}

/// When an operator works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// An IANA name: `Asia/Tashkent`.
    pub time_zone: String,
    /// The shifts of each day of the week, as a line's hours; null: no shifts, the operator says when
    /// they work.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Vec<Vec<String>>>>)]
    pub weekly: Option<Weekly>,
    /// The breaks of each day of the week; outside a shift they mean nothing.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Vec<String>>>)]
    pub breaks: Weekly,
    /// Holidays, illness.
    #[serde(default)]
    pub absences: Vec<Absence>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            weekly: None,
            breaks: Weekly::new(),
            absences: Vec::new(),
        }
    }
}

impl Schedule {
    /// Reads the stored form; one that cannot be read at all is an error of the database's content.
    pub fn from_stored(stored: &Value) -> Result<Self, sea_orm::DbErr> {
        Self::deserialize(stored).map_err(|error| sea_orm::DbErr::Json(error.to_string()))
    }

    /// The stored form.
    pub fn to_stored(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What is wrong, as `(field, message)`.
    pub fn errors(&self) -> Vec<(String, String)> {
        let mut errors = Vec::new();
        if let Err(message) = hours::zone(&self.time_zone) {
            errors.push(("time_zone".to_owned(), message.to_owned()));
        }
        if let Some(weekly) = &self.weekly {
            errors.extend(hours::weekly_errors("weekly", weekly));
        }
        errors.extend(hours::weekly_errors("breaks", &self.breaks));
        if self.absences.len() > ABSENCE_LIMIT {
            errors.push(("absences".to_owned(), format!("at most {ABSENCE_LIMIT}")));
        }
        for (at, absence) in self.absences.iter().enumerate() {
            let ends_first = match (self.begins(absence), self.ends(absence)) {
                (Some(from), Some(to)) => to <= from,
                (None, _) | (_, None) => false,
            };
            if ends_first {
                let message = "must be after the beginning".to_owned();
                errors.push((format!("absences[{at}].to"), message));
            }
            let note = absence.note.as_deref().unwrap_or_default();
            if note.chars().count() > NOTE_CHARS {
                let message = format!("at most {NOTE_CHARS} characters");
                errors.push((format!("absences[{at}].note"), message));
            }
        }
        errors
    }

    /// One that is not known is refused before it is stored.
    fn zone(&self) -> Tz {
        hours::zone(&self.time_zone).unwrap_or(Tz::UTC)
    }

    // To the microsecond, as the databases keep times.
    fn begins(&self, absence: &Absence) -> Option<DateTime<Utc>> {
        match absence.from {
            When::At(at) => Some(at.trunc_subsecs(6)),
            When::Day(day) => hours::beginning(self.zone(), day),
        }
    }

    fn ends(&self, absence: &Absence) -> Option<DateTime<Utc>> {
        match absence.to? {
            When::At(at) => Some(at.trunc_subsecs(6)),
            When::Day(day) => {
                let next = day.checked_add_days(Days::new(1))?;
                hours::beginning(self.zone(), next)
            }
        }
    }

    /// The schedule as it is asked for; `made_at`: when it was last changed.
    pub fn plan(self, made_at: DateTime<Utc>) -> Plan {
        let absences = self.absences.iter();
        let absences = absences
            .filter_map(|absence| Some((self.begins(absence)?, self.ends(absence))))
            .collect();
        let hours = |weekly| Hours {
            time_zone: self.time_zone.clone(),
            weekly,
            exceptions: Vec::new(),
        };
        Plan {
            made_at,
            shifts: self.weekly.map(hours),
            breaks: (!self.breaks.is_empty()).then(|| hours(self.breaks)),
            absences,
        }
    }
}

/// What the schedule says of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// In a shift, or without shifts.
    Working,
    /// In a break.
    Break,
    /// Outside the shifts.
    OffShift,
    /// Away for longer.
    Absent,
}

/// A schedule as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    made_at: DateTime<Utc>,
    shifts: Option<Hours>,
    breaks: Option<Hours>,
    absences: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
}

impl Plan {
    /// What the schedule says of `now`.
    pub fn duty(&self, now: DateTime<Utc>) -> Duty {
        let away = |&(from, to): &(DateTime<Utc>, Option<DateTime<Utc>>)| {
            from <= now && to.is_none_or(|to| now < to)
        };
        let open = |hours: &Hours| hours.opening(now).open;
        if self.absences.iter().any(away) {
            Duty::Absent
        } else if !self.shifts.as_ref().is_none_or(open) {
            Duty::OffShift
        } else if self.breaks.as_ref().is_some_and(open) {
            Duty::Break
        } else {
            Duty::Working
        }
    }

    /// The first moment after `now` at which the schedule says something else.
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let duty = self.duty(now);
        let mut at = now;
        // Each absence begins and ends once, and nothing else changes what is said to the same again.
        for _ in 0..2 * self.absences.len() + 2 {
            at = self.boundary(duty, at)?;
            if self.duty(at) != duty {
                break;
            }
        }
        Some(at)
    }

    /// When the operator works, from `from` to `to`: without breaks and absences.
    pub fn working_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut spans = Vec::new();
        let mut at = from;
        while at < to {
            let next = self
                .next(at)
                .filter(|next| *next > at)
                .map_or(to, |next| next.min(to));
            if self.duty(at) == Duty::Working {
                spans.push((at, next));
            }
            at = next;
        }
        spans
    }

    /// The next moment after `now` at which what the schedule says could change.
    fn boundary(&self, duty: Duty, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let edges = self.absences.iter().flat_map(|(from, to)| [Some(*from), *to]);
        let edge = edges.flatten().filter(|edge| *edge > now).min();
        let until = |hours: &Option<Hours>| hours.as_ref().and_then(|hours| hours.stretch(now).until);
        let (shift, pause) = match duty {
            Duty::Absent => (None, None),
            Duty::OffShift => (until(&self.shifts), None),
            Duty::Working | Duty::Break => (until(&self.shifts), until(&self.breaks)),
        };
        [edge, shift, pause].into_iter().flatten().min()
    }

    /// Whether `accepting`, said at `at`, still stands against what the schedule says `now`.
    fn overruled(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        at >= self.made_at && self.next(at).is_none_or(|next| now < next)
    }

    /// The schedule from `now` on, in short.
    pub fn outlook(&self, now: DateTime<Utc>) -> Outlook {
        Outlook {
            duty: self.duty(now),
            until: self.next(now),
            next_shift: self.next_shift(now),
        }
    }

    fn next_shift(&self, now: DateTime<Utc>) -> Option<Shift> {
        let on = |duty: Duty| matches!(duty, Duty::Working | Duty::Break);
        let shifts = self.shifts.as_ref()?;
        let mut at = now;
        let mut was_on = on(self.duty(now));
        for _ in 0..LOOK_AHEAD.max(2 * self.absences.len()) {
            at = self.next(at)?;
            let is_on = on(self.duty(at));
            if is_on && !was_on {
                return Some(Shift {
                    from: at,
                    to: shifts.stretch(at).until,
                });
            }
            was_on = is_on;
        }
        None
    }
}

/// A shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Shift {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends; null: it does not.
    pub to: Option<DateTime<Utc>>,
}

/// A schedule from now on, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Outlook {
    /// What it says now.
    pub duty: Duty,
    /// When it says something else; null: never.
    pub until: Option<DateTime<Utc>>,
    /// The next shift to begin.
    pub next_shift: Option<Shift>,
}

/// What an operator said of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// What.
    pub state: Availability,
    /// When; none: it is what they were made with.
    pub at: Option<DateTime<Utc>>,
}

/// What made the availability what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AvailabilityWhy)]
pub enum Why {
    /// The operator said so.
    Said,
    /// Outside the shifts.
    OffShift,
    /// An absence.
    Absence,
    /// A break of the schedule.
    Break,
    /// The operator said so although the schedule says otherwise.
    Overtime,
}

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effective {
    /// What the router and colleagues see.
    pub availability: Availability,
    /// By what.
    pub why: Why,
    /// When the schedule alone changes either.
    pub changes_at: Option<DateTime<Utc>>,
}

/// What counts at `now` of what was said, and by what.
pub fn standing(said: Said, plan: Option<&Plan>, now: DateTime<Utc>) -> (Availability, Why) {
    let by_word = (said.state, Why::Said);
    let Some(plan) = plan.filter(|_| said.state != Availability::Off) else {
        return by_word;
    };
    let by_schedule = match plan.duty(now) {
        Duty::Working => return by_word,
        Duty::Break if said.state == Availability::Paused => return by_word,
        Duty::Break => (Availability::Paused, Why::Break),
        Duty::OffShift => (Availability::Off, Why::OffShift),
        Duty::Absent => (Availability::Off, Why::Absence),
    };
    let accepting = said.state == Availability::Accepting;
    if accepting && said.at.is_some_and(|at| plan.overruled(at, now)) {
        return (Availability::Accepting, Why::Overtime);
    }
    by_schedule
}

/// What counts at `now`, and until when.
pub fn effective(said: Said, plan: Option<&Plan>, now: DateTime<Utc>) -> Effective {
    let (availability, why) = standing(said, plan, now);
    Effective {
        availability,
        why,
        changes_at: plan.and_then(|plan| changes_at(said, plan, now)),
    }
}

fn changes_at(said: Said, plan: &Plan, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if said.state == Availability::Off {
        return None;
    }
    let present = standing(said, Some(plan), now);
    let mut at = now;
    for _ in 0..LOOK_AHEAD {
        at = plan.next(at)?;
        if standing(said, Some(plan), at) != present {
            break;
        }
    }
    Some(at)
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
