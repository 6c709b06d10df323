//! Leads in the words of Bitrix24. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::api::Failure;
use crate::{
    FieldKind, LeadSnapshot, RemoteField, RemoteStatus, Stage, SyncError,
    shared::{
        origin::SOURCE,
        text,
        value::{self, put},
    },
};

/// What a lead is joined to.
pub(super) struct Joined<'a> {
    pub(super) contact: Option<&'a str>,
    pub(super) company: Option<&'a str>,
    pub(super) owner: Option<&'a str>,
    pub(super) source_id: Option<&'a str>,
}

/// Our words for where a visitor came from, and theirs.
const UTM: [(&str, &str); 5] = [
    ("utm_source", "utmSource"),
    ("utm_medium", "utmMedium"),
    ("utm_campaign", "utmCampaign"),
    ("utm_content", "utmContent"),
    ("utm_term", "utmTerm"),
];

/// All of a new lead; what the mapping fills goes before what we fill.
pub(super) fn filled(lead: &LeadSnapshot, joined: &Joined<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    let (first, last) = text::names(&lead.person.name);
    put(&mut fields, "title", text::cut(&lead.title, 255));
    put(&mut fields, "name", first);
    put(&mut fields, "lastName", last);
    if let Some(company) = &lead.company {
        put(&mut fields, "companyTitle", company.name.as_str());
    }
    let multi = |kind: &str, values: &[String]| -> Vec<Value> {
        values
            .iter()
            .map(|value| json!({"typeId": kind, "valueType": "WORK", "value": value}))
            .collect()
    };
    let mut fm = multi("PHONE", &lead.person.phones);
    fm.extend(multi("EMAIL", &lead.person.emails));
    if !fm.is_empty() {
        put(&mut fields, "fm", fm);
    }
    put(&mut fields, "sourceDescription", text::about(lead));
    if let Some(source) = joined.source_id {
        put(&mut fields, "sourceId", source);
    }
    for (ours, theirs) in UTM {
        if let Some(value) = lead.attribution.get(ours) {
            put(&mut fields, theirs, text::cut(value, 255));
        }
    }
    if let Some(contact) = joined.contact {
        put(&mut fields, "contactIds", json!([value::number(contact)]));
    }
    if let Some(company) = joined.company {
        put(&mut fields, "companyId", value::number(company));
    }
    if let Some(owner) = joined.owner {
        put(&mut fields, "assignedById", value::number(owner));
    }
    if let Some(status) = &lead.status_id {
        put(&mut fields, "stageId", status.as_str());
    }
    fields.extend(lead.fields.clone());
    fields.insert("originatorId".to_owned(), SOURCE.into());
    fields.insert("originId".to_owned(), lead.id.as_str().into());
    fields
}

/// What an existing lead gets.
pub(super) fn changed(lead: &LeadSnapshot) -> Map<String, Value> {
    let mut fields = Map::new();
    if let Some(status) = &lead.status_id {
        put(&mut fields, "stageId", status.as_str());
    }
    if let Some(owner) = &lead.owner_id {
        put(&mut fields, "assignedById", value::number(owner));
    }
    fields.extend(lead.fields.clone());
    fields
}

/// The states of leads.
pub(super) fn statuses(all: &[Value]) -> Vec<RemoteStatus> {
    all.iter()
        .filter(|status| value::text(status, "ENTITY_ID") == "STATUS")
        .map(|status| RemoteStatus {
            id: value::text(status, "STATUS_ID").to_owned(),
            label: value::text(status, "NAME").to_owned(),
            stage: Some(stage(semantics(status))),
        })
        .collect()
}

fn semantics(status: &Value) -> &str {
    let short = value::text(status, "SEMANTICS");
    match short {
        "" => status
            .pointer("/EXTRA/SEMANTICS")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        short => short,
    }
}

/// What `stageSemanticId` says.
pub(super) fn stage(semantics: &str) -> Stage {
    match semantics {
        "S" | "success" => Stage::Won,
        "F" | "failure" | "apology" => Stage::Lost,
        _ => Stage::Open,
    }
}

/// The fields of leads in one portal.
pub(super) struct Fields(BTreeMap<String, RemoteField>);

/// What we fill ourselves, or what is no field for words.
const NOT_MAPPED: [&str; 9] = [
    "originId",
    "originatorId",
    "fm",
    "stageId",
    "contactId",
    "contactIds",
    "contacts",
    "companyId",
    "webformId",
];

impl Fields {
    pub(super) fn read(answer: &Value, statuses: &[Value]) -> Self {
        let fields = answer.get("fields").and_then(Value::as_object);
        let known = fields.into_iter().flatten().filter_map(|(id, field)| {
            let writable =
                !field.get("isReadOnly").is_some_and(value::truth) && !NOT_MAPPED.contains(&id.as_str());
            let (kind, options) = kind(field, statuses)?;
            writable.then(|| {
                let label = match value::text(field, "title") {
                    "" => id.clone(),
                    title => title.to_owned(),
                };
                let required = field.get("isRequired").is_some_and(value::truth);
                let field = RemoteField {
                    id: id.clone(),
                    label,
                    kind,
                    required,
                    options,
                };
                (id.clone(), field)
            })
        });
        Self(known.collect())
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn list(&self) -> Vec<RemoteField> {
        self.0.values().cloned().collect()
    }

    /// A field of the mapping that the portal does not have.
    pub(super) fn unknown<'a>(&self, lead: &'a LeadSnapshot) -> Option<&'a str> {
        lead.fields
            .keys()
            .map(String::as_str)
            .find(|id| !self.0.contains_key(*id))
    }

    /// Adds which field was refused: the portal tells it by id or by its name, in quotation marks.
    pub(super) fn named(&self, failure: Failure) -> SyncError {
        let SyncError::Refused { message, .. } = failure.error else {
            return failure.error;
        };
        let words = failure
            .words
            .replace("&quot;", "\"")
            .replace(['«', '»', '“', '”'], "\"");
        let quoted = words.split('"').skip(1).step_by(2).map(str::trim);
        let field = quoted.filter(|name| !name.is_empty()).find_map(|name| {
            let known = self
                .0
                .values()
                .find(|field| field.id == name || field.label == name);
            known.map(|field| field.id.clone())
        });
        let field = field.or_else(|| {
            let named = words
                .split('"')
                .nth(1)
                .filter(|_| failure.code.starts_with("CRM_FIELD_ERROR"));
            named.map(str::to_owned)
        });
        SyncError::Refused { message, field }
    }
}

fn kind(field: &Value, statuses: &[Value]) -> Option<(FieldKind, Vec<(String, String)>)> {
    let many = field.get("isMultiple").is_some_and(value::truth);
    let choice = if many {
        FieldKind::Choices
    } else {
        FieldKind::Choice
    };
    let kind = match value::text(field, "type") {
        "crm_status" => {
            let list = value::text(field, "statusType");
            let options = statuses
                .iter()
                .filter(|status| value::text(status, "ENTITY_ID") == list)
                .map(|status| {
                    (
                        value::text(status, "STATUS_ID").to_owned(),
                        value::text(status, "NAME").to_owned(),
                    )
                });
            return Some((choice, options.collect()));
        }
        "enumeration" => {
            let items = field.get("items").map(value::items).unwrap_or_default();
            let options = items.into_iter().filter_map(|item| {
                let id = item.get("ID").and_then(value::id)?;
                Some((id, value::text(item, "VALUE").to_owned()))
            });
            return Some((choice, options.collect()));
        }
        "integer" | "double" => FieldKind::Number,
        "boolean" | "char" => FieldKind::Boolean,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::DateTime,
        "url" => FieldKind::Url,
        "string" | "text" | "money" | "address" | "crm_currency" | "user" => FieldKind::Text,
        // Files, and references to other records.
        _ => return None,
    };
    Some((kind, Vec::new()))
}
