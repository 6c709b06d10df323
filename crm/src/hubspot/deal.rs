//! Leads in the words of HubSpot: deals. Pure.

use serde_json::{Map, Value};

use crate::{
    FieldKind, LeadSnapshot, RemoteField, RemoteStatus, Stage, SyncError,
    shared::{
        origin::LEAD_FIELD,
        text,
        value::{self, put},
    },
};

/// The account's pipelines of deals.
pub(super) struct Pipelines(Vec<Pipeline>);

pub(super) struct Pipeline {
    pub(super) id: String,
    pub(super) label: String,
    stages: Vec<RemoteStatus>,
}

impl Pipelines {
    pub(super) fn read(answer: &Value) -> Self {
        let order = |one: &&Value| {
            one.get("displayOrder")
                .and_then(Value::as_i64)
                .unwrap_or_default()
        };
        let mut pipelines: Vec<&Value> = answer.get("results").map(value::items).unwrap_or_default();
        pipelines.retain(|pipeline| !pipeline.get("archived").is_some_and(value::truth));
        pipelines.sort_by_key(order);
        let read = |pipeline: &Value| {
            let id = value::text(pipeline, "id").to_owned();
            let label = value::text(pipeline, "label").to_owned();
            let mut stages: Vec<&Value> = pipeline.get("stages").map(value::items).unwrap_or_default();
            stages.sort_by_key(order);
            let stages = stages.into_iter().map(|stage| RemoteStatus {
                id: status_id(&id, value::text(stage, "id")),
                label: format!("{label} / {}", value::text(stage, "label")),
                stage: Some(meaning(stage)),
            });
            Pipeline {
                stages: stages.collect(),
                id,
                label,
            }
        };
        Self(pipelines.into_iter().map(read).collect())
    }

    pub(super) fn statuses(&self) -> Vec<RemoteStatus> {
        self.0
            .iter()
            .flat_map(|pipeline| pipeline.stages.clone())
            .collect()
    }

    pub(super) fn stage(&self, status: &str) -> Option<Stage> {
        self.0
            .iter()
            .flat_map(|pipeline| &pipeline.stages)
            .find(|stage| stage.id == status)
            .and_then(|stage| stage.stage)
    }

    /// The pipeline of new deals.
    pub(super) fn chosen(&self, setting: Option<&str>) -> Result<&Pipeline, SyncError> {
        let found = match setting {
            Some(id) => self
                .0
                .iter()
                .find(|pipeline| pipeline.id == id || pipeline.label == id),
            None => self.0.first(),
        };
        found.ok_or_else(|| {
            refused(
                "pipeline",
                "HubSpot has no such pipeline of deals: correct it in the settings",
            )
        })
    }
}

fn meaning(stage: &Value) -> Stage {
    let of = |name: &str| stage.pointer(&format!("/metadata/{name}"));
    let probability = of("probability").and_then(|value| value::plain(value, "").parse::<f64>().ok());
    let closed = of("isClosed").is_some_and(value::truth);
    match probability {
        Some(probability) if closed && probability >= 1.0 => Stage::Won,
        Some(probability) if closed && probability <= 0.0 => Stage::Lost,
        _ => Stage::Open,
    }
}

/// A stage is known together with its pipeline: both have to be written.
pub(super) fn status_id(pipeline: &str, stage: &str) -> String {
    format!("{pipeline}:{stage}")
}

fn refused(field: &str, message: &str) -> SyncError {
    SyncError::Refused {
        message: message.to_owned(),
        field: Some(field.to_owned()),
    }
}

/// The properties of a new deal.
pub(super) fn filled(
    lead: &LeadSnapshot,
    pipelines: &Pipelines,
    setting: Option<&str>,
) -> Result<Map<String, Value>, SyncError> {
    let mut properties = Map::new();
    put(&mut properties, "dealname", text::cut(&lead.title, 255));
    put(&mut properties, "description", text::about(lead));
    if lead.status_id.is_none() {
        let pipeline = pipelines.chosen(setting)?;
        let first = pipeline.stages.first().and_then(|stage| stage.id.split_once(':'));
        let Some((pipeline, stage)) = first else {
            return Err(refused(
                "pipeline",
                "the pipeline has no stages in HubSpot: choose another one",
            ));
        };
        put(&mut properties, "pipeline", pipeline);
        put(&mut properties, "dealstage", stage);
    }
    properties.extend(changed(lead)?);
    put(&mut properties, LEAD_FIELD, lead.id.as_str());
    Ok(properties)
}

/// What an existing deal gets.
pub(super) fn changed(lead: &LeadSnapshot) -> Result<Map<String, Value>, SyncError> {
    let mut properties = Map::new();
    if let Some(status) = &lead.status_id {
        let Some((pipeline, stage)) = status.split_once(':') else {
            return Err(refused(
                "dealstage",
                "the mapping of statuses names none of HubSpot: choose it anew",
            ));
        };
        put(&mut properties, "pipeline", pipeline);
        put(&mut properties, "dealstage", stage);
    }
    for (name, value) in &lead.fields {
        // All properties are texts; an empty one clears.
        properties.insert(name.clone(), value::plain(value, ";").into());
    }
    Ok(properties)
}

/// What the mapping can fill.
pub(super) fn fields(answer: &Value) -> Vec<RemoteField> {
    let all = answer.get("results").map(value::items).unwrap_or_default();
    all.into_iter()
        .filter(|property| {
            let hidden = property.get("hidden").is_some_and(value::truth);
            let fixed = property
                .pointer("/modificationMetadata/readOnlyValue")
                .is_some_and(value::truth);
            let computed = property.get("calculated").is_some_and(value::truth);
            let ours = [LEAD_FIELD, "pipeline", "dealstage", "hubspot_owner_id"];
            !hidden && !fixed && !computed && !ours.contains(&value::text(property, "name"))
        })
        .map(|property| {
            let options = property.get("options").map(value::items).unwrap_or_default();
            let options = options.into_iter().map(|option| {
                (
                    value::text(option, "value").to_owned(),
                    value::text(option, "label").to_owned(),
                )
            });
            let name = value::text(property, "name");
            RemoteField {
                id: name.to_owned(),
                label: value::text(property, "label").to_owned(),
                kind: kind(value::text(property, "type"), value::text(property, "fieldType")),
                required: name == "dealname",
                options: options.collect(),
            }
        })
        .collect()
}

fn kind(kind: &str, shown: &str) -> FieldKind {
    match (kind, shown) {
        ("number", _) => FieldKind::Number,
        ("bool", _) | (_, "booleancheckbox") => FieldKind::Boolean,
        ("date", _) => FieldKind::Date,
        ("datetime", _) => FieldKind::DateTime,
        ("enumeration", "checkbox") => FieldKind::Choices,
        ("enumeration", _) => FieldKind::Choice,
        _ => FieldKind::Text,
    }
}
