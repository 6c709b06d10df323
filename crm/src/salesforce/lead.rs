//! Leads in the words of Salesforce. Pure.

use serde_json::{Map, Value};

use crate::{
    FieldKind, LeadSnapshot, RemoteField, RemoteStatus, Stage, SyncError,
    shared::{
        text,
        value::{self, put},
    },
};

/// The field for our id is there and fit.
pub(super) fn has_external(described: &Value, external: &str) -> Result<(), SyncError> {
    let all = described.get("fields").map(value::items).unwrap_or_default();
    let field = all
        .into_iter()
        .find(|field| value::text(field, "name").eq_ignore_ascii_case(external));
    let fit = field.is_some_and(|field| {
        field.get("externalId").is_some_and(value::truth) && field.get("unique").is_none_or(value::truth)
    });
    if fit {
        return Ok(());
    }
    Err(SyncError::Auth(format!(
        "Salesforce has no field {external} on leads that is a unique external id, or the user may not see it: make it in Setup, Object Manager, Lead (text, 64 characters, unique, external id)"
    )))
}

/// What the mapping can fill.
pub(super) fn fields(described: &Value, external: &str) -> Vec<RemoteField> {
    let all = described.get("fields").map(value::items).unwrap_or_default();
    all.into_iter()
        .filter(|field| {
            let name = value::text(field, "name");
            let may = |right: &str| field.get(right).is_some_and(value::truth);
            may("createable")
                && may("updateable")
                && !name.eq_ignore_ascii_case(external)
                && !["OwnerId", "Status"].contains(&name)
        })
        .filter_map(|field| {
            let name = value::text(field, "name");
            let options = field.get("picklistValues").map(value::items).unwrap_or_default();
            let options = options
                .into_iter()
                .filter(|option| option.get("active").is_none_or(value::truth))
                .map(|option| {
                    (
                        value::text(option, "value").to_owned(),
                        value::text(option, "label").to_owned(),
                    )
                });
            let needed = !field.get("nillable").is_none_or(value::truth)
                && !field.get("defaultedOnCreate").is_some_and(value::truth)
                && !["LastName", "Company"].contains(&name);
            Some(RemoteField {
                id: name.to_owned(),
                label: value::text(field, "label").to_owned(),
                kind: kind(value::text(field, "type"))?,
                required: needed,
                options: options.collect(),
            })
        })
        .collect()
}

fn kind(kind: &str) -> Option<FieldKind> {
    Some(match kind {
        "string" | "textarea" | "phone" | "email" | "combobox" => FieldKind::Text,
        "double" | "currency" | "int" | "percent" => FieldKind::Number,
        "boolean" => FieldKind::Boolean,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::DateTime,
        "picklist" => FieldKind::Choice,
        "multipicklist" => FieldKind::Choices,
        "url" => FieldKind::Url,
        _ => return None,
    })
}

/// The fields of a new lead. A person without a last name and one without a company get what is known of them:
/// Salesforce takes no lead without both.
pub(super) fn filled(
    lead: &LeadSnapshot,
    known: &[RemoteField],
    no_company: &str,
) -> Result<Map<String, Value>, SyncError> {
    let mut body = Map::new();
    let (first, last) = text::names(&lead.person.name);
    let (first, last) = match (first, last) {
        (only, last) if last.is_empty() && !only.is_empty() => (String::new(), only),
        (first, last) if last.is_empty() => (first, text::called(&lead.person, lead)),
        both => both,
    };
    put(&mut body, "FirstName", text::cut(&first, 40));
    put(&mut body, "LastName", text::cut(&last, 80));
    let company = lead.company.as_ref().map(|company| company.name.trim());
    let company = company
        .filter(|company| !company.is_empty())
        .unwrap_or(no_company);
    put(&mut body, "Company", text::cut(company, 255));
    if let Some(email) = lead.person.emails.first() {
        put(&mut body, "Email", email.as_str());
    }
    if let Some(phone) = lead.person.phones.first() {
        put(&mut body, "Phone", phone.as_str());
    }
    if let Some(phone) = lead.person.phones.get(1) {
        put(&mut body, "MobilePhone", phone.as_str());
    }
    put(
        &mut body,
        "Description",
        format!("{}\n{}", lead.title, text::about(lead)),
    );
    body.extend(changed(lead, known)?);
    Ok(body)
}

/// What an existing lead gets.
pub(super) fn changed(lead: &LeadSnapshot, known: &[RemoteField]) -> Result<Map<String, Value>, SyncError> {
    let mut body = Map::new();
    if let Some(status) = &lead.status_id {
        put(&mut body, "Status", status.as_str());
    }
    for (name, given) in &lead.fields {
        let Some(field) = known.iter().find(|field| field.id == *name) else {
            return Err(SyncError::Refused {
                message: format!(
                    "Salesforce has no field {name} on leads that the user may write: choose another one in the mapping"
                ),
                field: Some(name.clone()),
            });
        };
        let written = match (field.kind, given) {
            (FieldKind::Choices, given) => value::plain(given, ";").into(),
            (FieldKind::Boolean, given) => value::truth(given).into(),
            (FieldKind::Number, given) if !given.is_null() && !given.is_number() => {
                let number = value::plain(given, "").trim().parse::<f64>().ok();
                let number = number.and_then(serde_json::Number::from_f64);
                number.map(Value::Number).ok_or_else(|| SyncError::Refused {
                    message: format!("{} takes a number", field.label),
                    field: Some(name.clone()),
                })?
            }
            (_, Value::Array(_)) => value::plain(given, ", ").into(),
            (_, given) => given.clone(),
        };
        body.insert(name.clone(), written);
    }
    Ok(body)
}

/// The states of leads.
pub(super) fn statuses(found: &[Value]) -> Vec<RemoteStatus> {
    found
        .iter()
        .map(|status| {
            let converted = status.get("IsConverted").is_some_and(value::truth);
            RemoteStatus {
                id: value::text(status, "ApiName").to_owned(),
                label: value::text(status, "MasterLabel").to_owned(),
                stage: converted.then_some(Stage::Won),
            }
        })
        .collect()
}
