//! A plan in words. Pure.

use super::plan::{Action, Plan};

impl Plan {
    /// How many objects are made, changed, and left as they are.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |action| self.entries.iter().filter(|entry| entry.action == action).count();
        (
            count(Action::Create),
            count(Action::Change),
            count(Action::Nothing),
        )
    }

    /// The plan for people; `done` when it was carried out.
    pub fn render(&self, done: bool) -> String {
        let mut lines = Vec::new();
        for entry in &self.entries {
            let (sign, ending) = match entry.action {
                Action::Create => ('+', ""),
                Action::Change => ('~', ""),
                Action::Nothing => (' ', " (unchanged)"),
            };
            lines.push(format!("{sign} {} {}{ending}", entry.what.as_str(), entry.key));
            for field in &entry.fields {
                lines.push(if entry.action == Action::Create {
                    format!("    {}: {}", field.path, field.new)
                } else {
                    format!("    {}: {} → {}", field.path, field.old, field.new)
                });
            }
        }
        if !self.left_alone.is_empty() {
            lines.push(format!(
                "left alone, for the file does not name them: {}",
                self.left_alone.join(", ")
            ));
        }
        if self.operators > 0 {
            lines.push(format!(
                "capacity, languages and skills of operators in the file are read by simulate only: {}",
                self.operators
            ));
        }
        let (created, changed, unchanged) = self.counts();
        lines.push(if created + changed == 0 {
            "nothing to change".to_owned()
        } else if done {
            format!("{created} made, {changed} changed, {unchanged} unchanged")
        } else {
            format!("{created} to make, {changed} to change, {unchanged} unchanged; nothing was written")
        });
        lines.join("\n")
    }
}
