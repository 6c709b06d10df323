//! When a field is asked: fields that depend on what was answered before them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Field;

/// Holds when an earlier field has one of these values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Name of a field that stands before this one.
    #[schemars(title = "Field", length(min = 1, max = 64))]
    pub field: String,
    /// Values it may have; any value, when there are none here. A ticked box has the value `true`.
    #[serde(default)]
    #[schemars(title = "Is")]
    pub is: Vec<String>,
    /// The other way round: shown unless it has one of these values.
    #[serde(default)]
    #[schemars(title = "Not")]
    pub not: bool,
}

impl Condition {
    /// Whether it holds for what was filled in so far (as [`Field::read`] gave it, by field name). A field that
    /// was not asked has no value.
    pub fn holds(&self, values: &BTreeMap<String, Value>) -> bool {
        let value = match values.get(&self.field) {
            None | Some(Value::Null | Value::Bool(false)) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let meets = if self.is.is_empty() {
            !value.is_empty()
        } else {
            self.is.iter().any(|wanted| wanted.trim() == value)
        };
        meets != self.not
    }
}

impl Field {
    /// Whether it is asked, after what was filled in so far.
    pub fn is_asked(&self, values: &BTreeMap<String, Value>) -> bool {
        self.show_when
            .as_ref()
            .is_none_or(|condition| condition.holds(values))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_looks_at_what_was_answered() {
        let values = BTreeMap::from([
            ("topic".to_owned(), json!("Prices")),
            ("count".to_owned(), json!(3)),
            ("urgent".to_owned(), json!(true)),
            ("news".to_owned(), json!(false)),
        ]);
        for (field, is, not, wanted) in [
            ("topic", &["Prices", "Delivery"][..], false, true),
            ("topic", &["Delivery"], false, false),
            ("topic", &["Delivery"], true, true),
            ("topic", &[], false, true),
            ("count", &["3"], false, true),
            ("urgent", &["true"], false, true),
            ("news", &[], false, false),
            ("news", &["true"], true, true),
            ("nothing", &[], false, false),
            ("nothing", &[], true, true),
        ] {
            let condition = Condition {
                field: field.to_owned(),
                is: is.iter().map(|word| (*word).to_owned()).collect(),
                not,
            };
            assert_eq!(condition.holds(&values), wanted, "{condition:?}");
        }
    }
}
