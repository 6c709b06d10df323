//! Leads in the words of amoCRM. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

use crate::{
    FieldKind, LeadSnapshot, RemoteField, RemoteStatus, Stage, SyncError,
    shared::{text, value},
};

/// The code of the field with our id.
pub(super) const ORIGIN: &str = "SWITCHBOARD_LEAD_ID";
/// The last two statuses of each pipeline have the same ids everywhere.
pub(super) const WON: &str = "142";
pub(super) const LOST: &str = "143";

/// The account's fields of leads.
pub(super) struct Fields {
    fields: BTreeMap<String, Field>,
    origin: Option<i64>,
}

struct Field {
    id: i64,
    kind: String,
    code: String,
    shown: RemoteField,
}

impl Fields {
    pub(super) fn read(all: &[Value]) -> Self {
        let mut fields = BTreeMap::new();
        let mut origin = None;
        for field in all {
            let Some(id) = field.get("id").and_then(Value::as_i64) else {
                continue;
            };
            let code = value::text(field, "code").to_owned();
            if code == ORIGIN {
                origin = Some(id);
                continue;
            }
            let kind = value::text(field, "type").to_owned();
            let Some(shown) = kind_of(&kind) else { continue };
            let options = field.get("enums").map(value::items).unwrap_or_default();
            let options = options.into_iter().filter_map(|option| {
                let id = option.get("id").and_then(value::id)?;
                Some((id, value::text(option, "value").to_owned()))
            });
            let required = field
                .get("required_statuses")
                .map(value::items)
                .unwrap_or_default();
            let shown = RemoteField {
                id: id.to_string(),
                label: value::text(field, "name").to_owned(),
                kind: shown,
                required: !required.is_empty(),
                options: options.collect(),
            };
            fields.insert(
                id.to_string(),
                Field {
                    id,
                    kind,
                    code,
                    shown,
                },
            );
        }
        Self { fields, origin }
    }

    pub(super) fn origin(&self) -> Option<i64> {
        self.origin
    }

    pub(super) fn list(&self) -> Vec<RemoteField> {
        let own = |id: &str, label: &str, kind| RemoteField {
            id: id.to_owned(),
            label: label.to_owned(),
            kind,
            required: false,
            options: Vec::new(),
        };
        let mut list = vec![
            own("name", "Name", FieldKind::Text),
            own("price", "Price", FieldKind::Number),
        ];
        list.extend(self.fields.values().map(|field| field.shown.clone()));
        list
    }

    /// A new lead, without its person.
    pub(super) fn filled(&self, lead: &LeadSnapshot) -> Result<Map<String, Value>, SyncError> {
        let mut body = Map::new();
        body.insert("name".to_owned(), text::cut(&lead.title, 255).into());
        let mut custom = Vec::new();
        // Fields for the marks of advertising are in each account, under codes like UTM_SOURCE.
        for field in self.fields.values().filter(|field| field.kind == "tracking_data") {
            let ours = lead.attribution.get(&field.code.to_lowercase());
            if let Some(ours) = ours.filter(|_| !lead.fields.contains_key(&field.shown.id)) {
                custom.push(json!({"field_id": field.id, "values": [{"value": text::cut(ours, 255)}]}));
            }
        }
        if !custom.is_empty() {
            body.insert("custom_fields_values".to_owned(), custom.into());
        }
        self.map(lead, &mut body)?;
        Ok(body)
    }

    /// What an existing lead gets.
    pub(super) fn changed(&self, lead: &LeadSnapshot) -> Result<Map<String, Value>, SyncError> {
        let mut body = Map::new();
        self.map(lead, &mut body)?;
        Ok(body)
    }

    fn map(&self, lead: &LeadSnapshot, body: &mut Map<String, Value>) -> Result<(), SyncError> {
        if let Some(status) = &lead.status_id {
            let ids = status.split_once(':').and_then(|(pipeline, status)| {
                Some((pipeline.parse::<i64>().ok()?, status.parse::<i64>().ok()?))
            });
            let Some((pipeline, status)) = ids else {
                return Err(refused(
                    "status_id",
                    "the mapping of statuses names none of amoCRM: choose it anew",
                ));
            };
            body.insert("pipeline_id".to_owned(), pipeline.into());
            body.insert("status_id".to_owned(), status.into());
        }
        let mut custom = Vec::new();
        for (name, value) in &lead.fields {
            match name.as_str() {
                "name" => {
                    body.insert("name".to_owned(), value::plain(value, ", ").into());
                }
                "price" => {
                    let number = value::plain(value, "").trim().parse::<f64>();
                    let number = number.map_err(|_| refused("price", "the price is no number"))?;
                    #[expect(clippy::cast_possible_truncation, reason = "amoCRM takes whole prices")]
                    body.insert("price".to_owned(), (number.round() as i64).into());
                }
                _ => {
                    let Some(field) = self.fields.get(name) else {
                        return Err(refused(
                            name,
                            "amoCRM has no such field on leads: choose another one in the mapping",
                        ));
                    };
                    custom.push(json!({"field_id": field.id, "values": values(field, value)?}));
                }
            }
        }
        if !custom.is_empty() {
            let all = body
                .entry("custom_fields_values")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(all) = all {
                all.extend(custom);
            }
        }
        Ok(())
    }
}

fn refused(field: &str, message: &str) -> SyncError {
    SyncError::Refused {
        message: message.to_owned(),
        field: Some(field.to_owned()),
    }
}

fn values(field: &Field, given: &Value) -> Result<Value, SyncError> {
    let one = |value: Value| json!([{"value": value}]);
    let plain = value::plain(given, ", ");
    // An empty value clears the field.
    if plain.is_empty() {
        return Ok(Value::Null);
    }
    let moment = || {
        let moment = DateTime::parse_from_rfc3339(&plain)
            .ok()
            .map(|time| time.timestamp());
        // Noon is the same day in nearly each account's time zone.
        let day = || {
            let day = NaiveDate::parse_from_str(&plain, "%Y-%m-%d").ok()?;
            let noon = NaiveTime::from_hms_opt(12, 0, 0)?;
            Some(day.and_time(noon).and_utc().timestamp())
        };
        moment
            .or_else(day)
            .ok_or_else(|| refused(&field.shown.id, "the field takes a date"))
    };
    Ok(match field.shown.kind {
        FieldKind::Boolean => one(Value::Bool(value::truth(given))),
        FieldKind::Date | FieldKind::DateTime => one(moment()?.into()),
        FieldKind::Choice | FieldKind::Choices => {
            let chosen: Vec<Value> = match given {
                Value::Array(items) => items.clone(),
                other => vec![other.clone()],
            };
            let mut values = Vec::new();
            for chosen in chosen {
                let chosen = value::plain(&chosen, "");
                let known = field
                    .shown
                    .options
                    .iter()
                    .find(|(id, label)| *id == chosen || label.eq_ignore_ascii_case(&chosen));
                let Some((id, _)) = known else {
                    return Err(refused(&field.shown.id, "the list in amoCRM has no such value"));
                };
                values.push(json!({"enum_id": value::number(id)}));
            }
            Value::Array(values)
        }
        _ => one(plain.into()),
    })
}

fn kind_of(kind: &str) -> Option<FieldKind> {
    Some(match kind {
        "text" | "textarea" | "streetaddress" | "tracking_data" => FieldKind::Text,
        "numeric" | "price" | "monetary" => FieldKind::Number,
        "checkbox" => FieldKind::Boolean,
        "select" | "radiobutton" => FieldKind::Choice,
        "multiselect" => FieldKind::Choices,
        "date" | "birthday" => FieldKind::Date,
        "date_time" => FieldKind::DateTime,
        "url" => FieldKind::Url,
        _ => return None,
    })
}

/// Puts our id into its field.
pub(super) fn add(body: &mut Map<String, Value>, origin: i64, lead_id: &str) {
    let all = body
        .entry("custom_fields_values")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(all) = all {
        all.push(json!({"field_id": origin, "values": [{"value": lead_id}]}));
    }
}

/// The ids of ours that a lead carries, with spaces between.
pub(super) fn origins(lead: &Value, origin: i64) -> String {
    let fields = lead
        .get("custom_fields_values")
        .map(value::items)
        .unwrap_or_default();
    fields
        .into_iter()
        .find(|field| field.get("field_id").and_then(Value::as_i64) == Some(origin))
        .and_then(|field| field.pointer("/values/0/value"))
        .map(|value| value::plain(value, " "))
        .unwrap_or_default()
}

/// A status is known by its pipeline too: the last two have the same ids in all.
pub(super) fn status_id(pipeline: &str, status: &str) -> String {
    format!("{pipeline}:{status}")
}

/// The statuses of all pipelines that are in use.
pub(super) fn statuses(pipelines: &[Value]) -> Vec<RemoteStatus> {
    let mut all = Vec::new();
    for pipeline in pipelines {
        if pipeline.get("is_archive").is_some_and(value::truth) {
            continue;
        }
        let Some(pipeline_id) = pipeline.get("id").and_then(value::id) else {
            continue;
        };
        for status in super::api::embedded(pipeline, "statuses") {
            // 1: incoming leads, which people accept; nothing can be put there.
            if status.get("type").and_then(Value::as_i64) == Some(1) {
                continue;
            }
            let Some(id) = status.get("id").and_then(value::id) else {
                continue;
            };
            all.push(RemoteStatus {
                label: format!(
                    "{} / {}",
                    value::text(pipeline, "name"),
                    value::text(&status, "name")
                ),
                stage: Some(match id.as_str() {
                    WON => Stage::Won,
                    LOST => Stage::Lost,
                    _ => Stage::Open,
                }),
                id: status_id(&pipeline_id, &id),
            });
        }
    }
    all
}
