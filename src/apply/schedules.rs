//! Schedules of operators in a file: read, and compared with what is there. Pure.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    format::Operator,
    plan::{Checks, Planned, What, planned},
    read::{Fields, Reader},
    source::join,
};
use crate::{
    line::hours::{Day, Weekly},
    operator::schedule::{Absence, Plan, Schedule},
};

/// When an operator works, as the file wants it: whole, but for absences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shifts {
    /// An IANA name.
    pub time_zone: String,
    /// The shifts of each day of the week; none: no shifts.
    pub weekly: Option<Weekly>,
    /// The breaks of each day of the week.
    pub breaks: Weekly,
    /// Holidays, illness. Kept, when the file does not say: people enter them from day to day.
    pub absences: Option<Vec<Absence>>,
}

impl Shifts {
    /// The schedule that this makes of the present one.
    pub fn beside(&self, present: Option<&Schedule>) -> Schedule {
        let kept = || present.map_or_else(Vec::new, |present| present.absences.clone());
        Schedule {
            time_zone: self.time_zone.clone(),
            weekly: self.weekly.clone(),
            breaks: self.breaks.clone(),
            absences: self.absences.clone().unwrap_or_else(kept),
        }
    }

    /// As a simulation asks for it.
    pub fn plan(&self, present: Option<&Schedule>) -> Plan {
        self.beside(present).plan(DateTime::<Utc>::UNIX_EPOCH)
    }
}

/// A schedule that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentSchedule {
    /// What it says.
    pub schedule: Schedule,
    /// Its version.
    pub version: i64,
}

/// The words of a schedule.
pub(super) fn shape() -> Value {
    let week = json!({"mon": [], "tue": [], "wed": [], "thu": [], "fri": [], "sat": [], "sun": []});
    json!({
        "time_zone": null, "weekly": week, "breaks": week,
        "absences": [{"from": null, "to": null, "kind": null, "note": null}],
    })
}

impl Reader<'_> {
    /// The schedule of an operator.
    pub(super) fn schedule(&mut self, path: &str, given: &Value) -> Option<Shifts> {
        let Value::Object(fields) = given else {
            self.wrong(path, "must be a table");
            return None;
        };
        let wrong_before = self.troubles.len();
        let time_zone = self.text(path, fields, "time_zone");
        let shifts = Shifts {
            weekly: self.week(path, fields, "weekly"),
            breaks: self.week(path, fields, "breaks").unwrap_or_default(),
            absences: self.absences(path, fields),
            time_zone: time_zone?,
        };
        if self.troubles.len() > wrong_before {
            return None;
        }
        for (field, message) in shifts.beside(None).errors() {
            // `absences[0].to` stands at `absences.0.to` here.
            let field = field.replace('[', ".").replace(']', "");
            self.wrong(join(path, &field), message);
        }
        Some(shifts)
    }

    fn week(&mut self, path: &str, fields: &Fields, name: &str) -> Option<Weekly> {
        let given = fields.get(name)?;
        let path = join(path, name);
        let Value::Object(days) = given else {
            self.wrong(path, "must be a table: { mon = [[\"09:00\", \"18:00\"]] }");
            return None;
        };
        let mut week = Weekly::new();
        for (name, intervals) in days {
            // A word that is no day was named already.
            let Ok(day) = serde_json::from_value::<Day>(json!(name)) else {
                continue;
            };
            match serde_json::from_value(intervals.clone()) {
                Ok(intervals) => drop(week.insert(day, intervals)),
                Err(_) => self.wrong(join(&path, name), "must be a list of [\"HH:MM\", \"HH:MM\"]"),
            }
        }
        Some(week)
    }

    fn absences(&mut self, path: &str, fields: &Fields) -> Option<Vec<Absence>> {
        let given = fields.get("absences")?;
        let path = join(path, "absences");
        let Value::Array(items) = given else {
            self.wrong(path, "must be a list of { from = 2027-01-01, to = 2027-01-10 }");
            return None;
        };
        let mut absences = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = join(&path, &index.to_string());
            match item {
                Value::Object(fields) => absences.extend(self.absence(&path, fields)),
                _ => self.wrong(path, "must be { from = 2027-01-01, to = 2027-01-10 }"),
            }
        }
        Some(absences)
    }

    fn absence(&mut self, path: &str, fields: &Fields) -> Option<Absence> {
        if !fields.contains_key("from") {
            self.wrong(path, "`from` is missing");
        }
        let from = self.value(path, fields, "from");
        Some(Absence {
            to: self.value(path, fields, "to"),
            kind: self.value(path, fields, "kind").unwrap_or_default(),
            note: self.value(path, fields, "note"),
            from: from?,
        })
    }

    fn value<T: DeserializeOwned>(&mut self, path: &str, fields: &Fields, name: &str) -> Option<T> {
        match serde_json::from_value(fields.get(name)?.clone()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(join(path, name), error.to_string());
                None
            }
        }
    }
}

impl Checks<'_> {
    /// The schedule of an operator who has one in the file: who it is about must be there.
    pub(super) fn schedule(&mut self, operator: &Operator) -> Option<Planned> {
        let shifts = operator.schedule.as_ref()?;
        let path = format!("operator.{}", operator.email);
        let word = self.operator(path, &operator.email);
        let present = self.present.schedule(&operator.email);
        let present = present.map(|present| &present.schedule);
        let new = words(&shifts.beside(present));
        Some(planned(
            What::Schedule,
            &word,
            present.map(words),
            &json!({}),
            &new,
            &[],
        ))
    }
}

/// What is not said is left out, so that it reads alike; a week without shifts is not the same as none.
fn words(schedule: &Schedule) -> Value {
    let Value::Object(mut words) = schedule.to_stored() else {
        return Value::Object(Map::new());
    };
    if schedule.weekly.as_ref().is_some_and(Weekly::is_empty) {
        words.insert("weekly".to_owned(), json!([]));
    }
    if schedule.absences.is_empty() {
        words.remove("absences");
    }
    Value::Object(words)
}

#[cfg(test)]
#[path = "schedules_tests.rs"]
mod tests;
