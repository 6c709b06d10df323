//! Who changed what of a contact, a company, a lead or a deal.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde_json::{Map, Value};

use crate::{
    db::{WriteTx, bulk},
    id::{self, Kind},
};

/// A field with what it was and what it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field: a name, or `fields.KEY`.
    pub field: String,
    /// What it was.
    pub old: Value,
    /// What it became.
    pub new: Value,
}

/// What a change of several fields comes to: those that differ, those of `fields` each on its own. Pure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Vec<FieldChange>);

impl Changes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A field was `old` and is `new`.
    pub fn note(&mut self, field: impl Into<String>, old: impl Into<Value>, new: impl Into<Value>) {
        let (old, new) = (old.into(), new.into());
        if old != new {
            self.0.push(FieldChange {
                field: field.into(),
                old,
                new,
            });
        }
    }

    /// Custom fields were `old` and are `new`.
    pub fn note_fields(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        let none = Value::Null;
        let gone = old.keys().filter(|key| !new.contains_key(*key));
        for key in new.keys().chain(gone) {
            let (was, is) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
            self.note(format!("fields.{key}"), was.clone(), is.clone());
        }
    }

    /// Nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that differ.
    pub fn all(&self) -> &[FieldChange] {
        &self.0
    }
}

/// Writes down what somebody changed; `by` is none for what nobody did by hand.
pub async fn record(
    write: &WriteTx,
    object_id: &str,
    by: Option<&str>,
    changes: &Changes,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    const COLUMNS: [&str; 7] = ["id", "object_id", "field", "old", "new", "operator_id", "at"];
    let kept = |value: &Value| {
        let json = (*value != Value::Null).then(|| Box::new(value.clone()));
        sea_orm::Value::Json(json)
    };
    let rows = changes
        .all()
        .iter()
        .map(|change| {
            vec![
                id::new(Kind::FieldChange, now).into(),
                object_id.to_owned().into(),
                change.field.clone().into(),
                kept(&change.old),
                kept(&change.new),
                by.map(str::to_owned).into(),
                now.into(),
            ]
        })
        .collect();
    bulk::insert(write.tx(), "field_change", &COLUMNS, rows, "").await
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::Changes;

    #[test]
    fn only_what_differs_is_noted_and_each_custom_field_on_its_own() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
        let mut changes = Changes::new();
        changes.note("name", "Anna", "Anna");
        changes.note("company_id", Value::Null, "cmp_1");
        changes.note_fields(&map(json!({"a": 1, "b": 2})), &map(json!({"b": 3, "c": [4]})));
        let seen: Vec<(&str, &Value, &Value)> = changes
            .all()
            .iter()
            .map(|one| (one.field.as_str(), &one.old, &one.new))
            .collect();
        assert_eq!(
            seen,
            [
                ("company_id", &Value::Null, &json!("cmp_1")),
                ("fields.b", &json!(2), &json!(3)),
                ("fields.c", &Value::Null, &json!([4])),
                ("fields.a", &json!(1), &Value::Null),
            ]
        );
    }
}
