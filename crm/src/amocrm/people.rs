//! Contacts and companies that the account knows.

use serde_json::{Value, json};

use super::{Amo, api};
use crate::{
    LeadSnapshot, SyncError,
    shared::{
        text::{self, same_phone},
        value,
    },
};

/// So many numbers and mails of a person are looked for: each is a request.
const LOOKED_FOR: usize = 3;

impl Amo {
    /// A contact with one of the person's phones or mails. The search is for words anywhere in a contact, so what
    /// it finds is looked at.
    pub(super) async fn contact(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        let phones = lead.person.phones.iter().take(LOOKED_FOR).map(|phone| {
            let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
            let tail: String = digits.iter().skip(digits.len().saturating_sub(10)).collect();
            ("PHONE", phone, tail)
        });
        let emails = lead.person.emails.iter().take(LOOKED_FOR);
        let emails = emails.map(|email| ("EMAIL", email, email.clone()));
        for (code, wanted, query) in phones.chain(emails) {
            let found = self
                .read("contacts", &[("query", &query), ("limit", "50")])
                .await?;
            let found = api::embedded(&found, "contacts");
            let known = found.iter().find(|contact| {
                values(contact, code).any(|value| match code {
                    "PHONE" => same_phone(value, wanted),
                    _ => value.eq_ignore_ascii_case(wanted),
                })
            });
            if let Some(id) = known
                .and_then(|contact| contact.get("id"))
                .and_then(value::reference)
            {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// A company of this very name.
    pub(super) async fn company(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        let Some(company) = lead
            .company
            .as_ref()
            .filter(|company| !company.name.trim().is_empty())
        else {
            return Ok(None);
        };
        let found = self
            .read("companies", &[("query", &company.name), ("limit", "50")])
            .await?;
        let same = |found: &&Value| {
            value::text(found, "name").trim().to_lowercase() == company.name.trim().to_lowercase()
        };
        Ok(api::embedded(&found, "companies")
            .iter()
            .find(same)
            .and_then(|found| found.get("id"))
            .and_then(value::reference))
    }
}

fn values<'a>(contact: &'a Value, code: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = contact.get("custom_fields_values").and_then(Value::as_array);
    fields
        .into_iter()
        .flatten()
        .filter(move |field| value::text(field, "field_code") == code)
        .flat_map(|field| {
            field
                .get("values")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        })
        .filter_map(|value| value.get("value").and_then(Value::as_str))
}

/// The person as a new contact.
pub(super) fn contact(lead: &LeadSnapshot) -> Value {
    let multi = |code: &str, values: &[String]| {
        let values: Vec<Value> = values
            .iter()
            .map(|value| json!({"value": value, "enum_code": "WORK"}))
            .collect();
        (!values.is_empty()).then(|| json!({"field_code": code, "values": values}))
    };
    let fields: Vec<Value> = [
        multi("PHONE", &lead.person.phones),
        multi("EMAIL", &lead.person.emails),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut contact = json!({"name": text::cut(&text::called(&lead.person, lead), 255)});
    if !fields.is_empty() {
        contact["custom_fields_values"] = json!(fields);
    }
    contact
}
