//! Leads in the words of Pipedrive: its leads and its deals, which share their custom fields. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::settings::Record;
use crate::{
    FieldKind, LeadSnapshot, RemoteField, RemoteStatus, Stage, SyncError,
    shared::{
        text,
        value::{self, put},
    },
};

/// The name of the field with our id: its key is a hash that differs in each company.
pub(super) const ORIGIN: &str = "Switchboard ID";

/// The fields of deals.
pub(super) struct Fields {
    fields: BTreeMap<String, RemoteField>,
    origin: Option<String>,
    labels: Vec<(String, String)>,
}

impl Fields {
    pub(super) fn read(all: &[Value]) -> Self {
        let mut read = Self {
            fields: BTreeMap::new(),
            origin: None,
            labels: Vec::new(),
        };
        for field in all {
            // Names of v2, then of v1.
            let of = |names: [&str; 2]| {
                names
                    .map(|name| value::text(field, name))
                    .into_iter()
                    .find(|text| !text.is_empty())
            };
            let (Some(key), Some(label)) = (of(["field_code", "key"]), of(["field_name", "name"])) else {
                continue;
            };
            let options: Vec<(String, String)> = field
                .get("options")
                .map(value::items)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|option| {
                    Some((
                        value::id(option.get("id")?)?,
                        value::text(option, "label").to_owned(),
                    ))
                })
                .collect();
            if matches!(key, "label" | "label_ids") {
                read.labels = options;
                continue;
            }
            let custom = key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
            if custom && label == ORIGIN {
                read.origin = Some(key.to_owned());
                continue;
            }
            if !custom && !matches!(key, "title" | "expected_close_date") {
                continue;
            }
            let Some(kind) = kind(value::text(field, "field_type")) else {
                continue;
            };
            let field = RemoteField {
                id: key.to_owned(),
                label: label.to_owned(),
                kind,
                required: key == "title",
                options,
            };
            read.fields.insert(key.to_owned(), field);
        }
        read
    }

    /// The key of the field with our id.
    pub(super) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    pub(super) fn list(&self) -> Vec<RemoteField> {
        self.fields.values().cloned().collect()
    }

    pub(super) fn deal_labels(&self) -> Vec<(String, String)> {
        self.labels.clone()
    }

    pub(super) fn unknown<'a>(&self, lead: &'a LeadSnapshot) -> Option<&'a str> {
        lead.fields
            .keys()
            .map(String::as_str)
            .find(|id| !self.fields.contains_key(*id))
    }

    /// A new record without its person.
    pub(super) fn filled(
        &self,
        record: Record,
        lead: &LeadSnapshot,
        origin: &str,
    ) -> Result<Map<String, Value>, SyncError> {
        let mut body = Map::new();
        put(&mut body, "title", text::cut(&lead.title, 255));
        self.map(record, lead, &mut body)?;
        insert(record, &mut body, origin, lead.id.as_str().into());
        Ok(body)
    }

    /// What an existing record gets.
    pub(super) fn changed(
        &self,
        record: Record,
        lead: &LeadSnapshot,
    ) -> Result<Map<String, Value>, SyncError> {
        let mut body = Map::new();
        self.map(record, lead, &mut body)?;
        Ok(body)
    }

    fn map(
        &self,
        record: Record,
        lead: &LeadSnapshot,
        body: &mut Map<String, Value>,
    ) -> Result<(), SyncError> {
        if let Some(status) = &lead.status_id {
            match (record, status.as_str()) {
                (Record::Lead, archived) => {
                    body.insert("is_archived".to_owned(), (archived == "archived").into());
                }
                (Record::Deal, "won" | "lost") => {
                    body.insert("status".to_owned(), status.as_str().into());
                }
                (Record::Deal, stage) => {
                    let stage: i64 = stage.parse().map_err(|_| SyncError::Refused {
                        message: "the mapping of statuses names none of Pipedrive: choose it anew".to_owned(),
                        field: Some("stage_id".to_owned()),
                    })?;
                    body.insert("stage_id".to_owned(), stage.into());
                    body.insert("status".to_owned(), "open".into());
                }
            }
        }
        for (key, given) in &lead.fields {
            let Some(field) = self.fields.get(key) else {
                continue;
            };
            let written = written(record, field, given)?;
            if key.len() == 40 {
                insert(record, body, key, written);
            } else {
                body.insert(key.clone(), written);
            }
        }
        Ok(())
    }
}

/// Custom fields stand beside the others in leads (v1), and apart in deals (v2).
fn insert(record: Record, body: &mut Map<String, Value>, key: &str, value: Value) {
    match record {
        Record::Lead => {
            body.insert(key.to_owned(), value);
        }
        Record::Deal => {
            let custom = body.entry("custom_fields").or_insert_with(|| json!({}));
            custom[key] = value;
        }
    }
}

fn written(record: Record, field: &RemoteField, given: &Value) -> Result<Value, SyncError> {
    let plain = value::plain(given, ", ");
    if plain.is_empty() {
        return Ok(Value::Null);
    }
    let refused = |message: &str| SyncError::Refused {
        message: format!("{}: {message}", field.label),
        field: Some(field.id.clone()),
    };
    Ok(match field.kind {
        // v2 takes no number in quotation marks.
        FieldKind::Number => match given {
            Value::Number(number) => Value::Number(number.clone()),
            _ => {
                let number: f64 = plain.trim().parse().map_err(|_| refused("is no number"))?;
                json!(number)
            }
        },
        FieldKind::Choice | FieldKind::Choices => {
            let chosen: Vec<Value> = match given {
                Value::Array(items) => items.clone(),
                one => vec![one.clone()],
            };
            let mut ids = Vec::new();
            for one in chosen {
                let one = value::plain(&one, "");
                let known = field
                    .options
                    .iter()
                    .find(|(id, label)| *id == one || label.eq_ignore_ascii_case(&one));
                let (id, _) = known.ok_or_else(|| refused("the list in Pipedrive has no such value"))?;
                ids.push(value::number(id));
            }
            match (field.kind, record) {
                (FieldKind::Choice, _) => ids.into_iter().next().unwrap_or_default(),
                (_, Record::Lead) => value::plain(&Value::Array(ids), ",").into(),
                (_, Record::Deal) => ids.into(),
            }
        }
        FieldKind::Date => plain.chars().take(10).collect::<String>().into(),
        _ => plain.into(),
    })
}

fn kind(kind: &str) -> Option<FieldKind> {
    Some(match kind {
        "varchar" | "varchar_auto" | "text" | "phone" | "address" => FieldKind::Text,
        "double" | "int" => FieldKind::Number,
        "date" => FieldKind::Date,
        "enum" => FieldKind::Choice,
        "set" => FieldKind::Choices,
        // Money has a currency beside it; the rest refers to other records.
        _ => return None,
    })
}

/// Our id in a record.
pub(super) fn origin_of<'a>(found: &'a Value, origin: &str) -> &'a str {
    let beside = found.get(origin);
    let apart = found.get("custom_fields").and_then(|fields| fields.get(origin));
    let value = beside.or(apart).unwrap_or(&Value::Null);
    value
        .as_str()
        .or_else(|| value.get("value").and_then(Value::as_str))
        .unwrap_or_default()
}

/// The state of a record.
pub(super) fn status(record: Record, found: &Value) -> Option<String> {
    match record {
        Record::Lead => {
            let archived = found.get("is_archived").is_some_and(value::truth);
            Some(if archived { "archived" } else { "open" }.to_owned())
        }
        Record::Deal => match value::text(found, "status") {
            closed @ ("won" | "lost") => Some(closed.to_owned()),
            _ => found.get("stage_id").and_then(value::reference),
        },
    }
}

/// A lead in the inbox knows two states.
pub(super) fn lead_statuses() -> Vec<RemoteStatus> {
    [
        ("open", "In the inbox", Stage::Open),
        ("archived", "Archived", Stage::Lost),
    ]
    .map(|(id, label, stage)| RemoteStatus {
        id: id.to_owned(),
        label: label.to_owned(),
        stage: Some(stage),
    })
    .into()
}

pub(super) fn deal_statuses(pipelines: &[Value], stages: &[Value]) -> Vec<RemoteStatus> {
    let mut all: Vec<RemoteStatus> = stages
        .iter()
        .filter(|stage| !stage.get("is_deleted").is_some_and(value::truth))
        .filter_map(|stage| {
            let pipeline = pipelines
                .iter()
                .find(|pipeline| pipeline.get("id") == stage.get("pipeline_id"))
                .map(|pipeline| format!("{} / ", value::text(pipeline, "name")))
                .unwrap_or_default();
            Some(RemoteStatus {
                id: value::id(stage.get("id")?)?,
                label: format!("{pipeline}{}", value::text(stage, "name")),
                stage: Some(Stage::Open),
            })
        })
        .collect();
    for (id, label, stage) in [("won", "Won", Stage::Won), ("lost", "Lost", Stage::Lost)] {
        all.push(RemoteStatus {
            id: id.to_owned(),
            label: label.to_owned(),
            stage: Some(stage),
        });
    }
    all
}
