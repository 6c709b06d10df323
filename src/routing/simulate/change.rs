//! "What if": a scenario with other rules and other people. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Scenario, Staff};
use crate::line::Rules;

/// What changes of one operator.
#[derive(Debug, Clone, PartialEq)]
pub struct StaffChange {
    /// Who. One who does not stand in the queue is added at its end.
    pub operator_id: String,
    /// Another capacity.
    pub capacity: Option<f64>,
    /// They are not there at all.
    pub away: bool,
}

/// The rules with a patch, as the line would take it.
///
/// # Errors
/// Each field that cannot be, as `rules.field`.
pub fn rules(rules: &Rules, patch: &Map<String, Value>) -> Result<Rules, Vec<(String, String)>> {
    let inside = |(field, message): (String, String)| (format!("rules.{field}"), message);
    rules
        .patched(patch)
        .map_err(|errors| errors.into_iter().map(inside).collect())
}

impl Scenario {
    /// The same with other rules on a line and other people in its queue. `known` are people who may be added.
    ///
    /// # Errors
    /// Each field that cannot be, by its path.
    pub fn changed(
        &self,
        line: &str,
        rules: Rules,
        staff: &[StaffChange],
        known: &BTreeMap<String, Staff>,
    ) -> Result<Self, Vec<(String, String)>> {
        let mut changed = self.clone();
        let mut errors = Vec::new();
        let other = rules.overflow.line_id.as_ref();
        if other.is_some_and(|other| other == line || !self.lines.contains_key(other)) {
            errors.push((
                "rules.overflow.line_id".to_owned(),
                "there is no such other line".to_owned(),
            ));
        }
        let Some(changed_line) = changed.lines.get_mut(line) else {
            return Ok(changed);
        };
        changed_line.rules = rules;
        for (index, change) in staff.iter().enumerate() {
            let id = &change.operator_id;
            let Some(person) = self.staff.get(id).or_else(|| known.get(id)) else {
                let field = format!("staff.{index}.operator_id");
                errors.push((field, format!("there is no operator {id}")));
                continue;
            };
            let capacity = change.capacity.unwrap_or(person.capacity);
            if !(0.0..=1_000.0).contains(&capacity) {
                errors.push((
                    format!("staff.{index}.capacity"),
                    "must be from 0 to 1000".to_owned(),
                ));
            }
            if change.away {
                changed.staff.remove(id);
                changed_line.queue.retain(|member| member != id);
                continue;
            }
            let person = Staff {
                capacity,
                ..person.clone()
            };
            changed.staff.insert(id.clone(), person);
            if !changed_line.queue.contains(id) {
                changed_line.queue.push(id.clone());
            }
        }
        if errors.is_empty() {
            Ok(changed)
        } else {
            Err(errors)
        }
    }
}
