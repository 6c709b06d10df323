//! What ids are called.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use crate::db::entity::{channel, custom_field, line, operator};

/// Names by id.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Those of operators (their e-mail, by which they are recognised again), lines and channels.
    pub async fn read(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let mut names = HashMap::new();
        for row in operator::Entity::find().all(db).await? {
            names.insert(row.id, row.email.unwrap_or(row.name));
        }
        for row in line::Entity::find().all(db).await? {
            names.insert(row.id, row.name);
        }
        for row in channel::Entity::find().all(db).await? {
            names.insert(row.id, row.name);
        }
        Ok(Self(names))
    }

    /// The name of an id; the id where nothing has it any more.
    pub fn of(&self, id: Option<&String>) -> String {
        id.map_or_else(String::new, |id| self.0.get(id).unwrap_or(id).clone())
    }
}

/// The fields that admins defined for a kind of object, in their order.
pub(super) async fn defined(db: &impl ConnectionTrait, object: &str) -> Result<Vec<String>, DbErr> {
    let rows = custom_field::Entity::find()
        .filter(custom_field::Column::Object.eq(object))
        .order_by_asc(custom_field::Column::Position)
        .order_by_asc(custom_field::Column::Key)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// The values of the fields of these keys, and at the end all others together.
pub(super) fn cells(fields: &Value, keys: &[String]) -> Vec<String> {
    let mut rest = fields.as_object().cloned().unwrap_or_default();
    let mut cells: Vec<String> = keys.iter().map(|key| text(rest.remove(key))).collect();
    cells.push(if rest.is_empty() {
        String::new()
    } else {
        Value::Object(rest).to_string()
    });
    cells
}

/// A value as a person would type it.
pub(super) fn text(value: Option<Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.into_iter().map(|item| text(Some(item))).collect();
            items.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cells;

    #[test]
    fn what_is_defined_has_a_column_and_the_rest_stands_together() {
        let keys = ["city".to_owned(), "size".to_owned()];
        assert_eq!(
            cells(&json!({"city": "Riga", "x": 1}), &keys),
            ["Riga", "", "{\"x\":1}"]
        );
        assert_eq!(cells(&json!({"size": ["a", "b"]}), &keys), ["", "a, b", ""]);
    }
}
