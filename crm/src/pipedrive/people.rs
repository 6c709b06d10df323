//! Persons and organizations that the company knows.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Pipedrive, api};
use crate::{
    LeadSnapshot, SyncError,
    shared::{
        client::Effect,
        text::{self, same_phone},
        value::{self, put},
    },
};

/// So many numbers and mails of a person are looked for; a search is dear.
const LOOKED_FOR: usize = 2;

impl Pipedrive {
    /// The person of a lead, made when nobody has its mail or number.
    pub(super) async fn person(
        &self,
        lead: &LeadSnapshot,
        organization: Option<&str>,
    ) -> Result<String, SyncError> {
        if let Some(id) = self.known_person(lead).await? {
            return Ok(id);
        }
        let multi = |values: &[String]| -> Vec<Value> {
            values
                .iter()
                .enumerate()
                .map(|(at, value)| json!({"value": value, "primary": at == 0, "label": "work"}))
                .collect()
        };
        let mut body = Map::new();
        put(
            &mut body,
            "name",
            text::cut(&text::called(&lead.person, lead), 255),
        );
        if !lead.person.phones.is_empty() {
            put(&mut body, "phones", multi(&lead.person.phones));
        }
        if !lead.person.emails.is_empty() {
            put(&mut body, "emails", multi(&lead.person.emails));
        }
        if let Some(organization) = organization {
            put(&mut body, "org_id", value::number(organization));
        }
        self.made("api/v2/persons", body).await
    }

    async fn known_person(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        let emails = lead
            .person
            .emails
            .iter()
            .take(LOOKED_FOR)
            .map(|email| ("email", email));
        let phones = lead
            .person
            .phones
            .iter()
            .take(LOOKED_FOR)
            .map(|phone| ("phone", phone));
        let wanted: Vec<(&str, &String)> = emails.chain(phones).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        for (field, term) in &wanted {
            let query = [
                ("term", term.as_str()),
                ("fields", *field),
                ("exact_match", "true"),
                ("limit", "10"),
            ];
            let found = self.read("api/v2/persons/search", &query).await?;
            let items = found.pointer("/data/items").map(value::items).unwrap_or_default();
            let same = items
                .into_iter()
                .filter_map(|item| item.get("item"))
                .find(|person| is_same(person, lead));
            if let Some(id) = same
                .and_then(|person| person.get("id"))
                .and_then(value::reference)
            {
                return Ok(Some(id));
            }
        }
        // Who was made a moment ago is not in the search yet.
        let query = [
            ("sort_by", "add_time"),
            ("sort_direction", "desc"),
            ("limit", "100"),
        ];
        let newest = self.read("api/v2/persons", &query).await?;
        let newest = api::data(&newest);
        let same = newest.iter().find(|person| is_same(person, lead));
        Ok(same
            .and_then(|person| person.get("id"))
            .and_then(value::reference))
    }

    pub(super) async fn organization(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        let Some(company) = lead
            .company
            .as_ref()
            .filter(|company| company.name.trim().chars().count() > 1)
        else {
            return Ok(None);
        };
        let same = |found: &Value| {
            value::text(found, "name").trim().to_lowercase() == company.name.trim().to_lowercase()
        };
        let query = [
            ("term", company.name.as_str()),
            ("fields", "name"),
            ("exact_match", "true"),
            ("limit", "10"),
        ];
        let found = self.read("api/v2/organizations/search", &query).await?;
        let items = found.pointer("/data/items").map(value::items).unwrap_or_default();
        let known = items
            .into_iter()
            .filter_map(|item| item.get("item"))
            .find(|found| same(found));
        if let Some(id) = known.and_then(|found| found.get("id")).and_then(value::reference) {
            return Ok(Some(id));
        }
        let query = [
            ("sort_by", "add_time"),
            ("sort_direction", "desc"),
            ("limit", "100"),
        ];
        let newest = self.read("api/v2/organizations", &query).await?;
        let newest = api::data(&newest);
        if let Some(id) = newest
            .iter()
            .find(|found| same(found))
            .and_then(|found| value::reference(found.get("id")?))
        {
            return Ok(Some(id));
        }
        let mut body = Map::new();
        put(&mut body, "name", text::cut(&company.name, 255));
        self.made("api/v2/organizations", body).await.map(Some)
    }

    async fn made(&self, path: &str, body: Map<String, Value>) -> Result<String, SyncError> {
        let made = self.write(Method::POST, path, &Value::Object(body)).await?;
        made.get("id")
            .and_then(value::reference)
            .ok_or_else(|| self.rest.client.strange(Effect::Writes))
    }
}

/// Searches answer with plain values, lists with objects.
fn is_same(person: &Value, lead: &LeadSnapshot) -> bool {
    let values = |name: &str| -> Vec<String> {
        let all = person.get(name).map(value::items).unwrap_or_default();
        all.into_iter()
            .map(|one| one.get("value").unwrap_or(one))
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect()
    };
    let (phones, emails) = (values("phones"), values("emails"));
    let by_mail = lead
        .person
        .emails
        .iter()
        .any(|ours| emails.iter().any(|theirs| theirs.eq_ignore_ascii_case(ours)));
    by_mail
        || lead
            .person
            .phones
            .iter()
            .any(|ours| phones.iter().any(|theirs| same_phone(ours, theirs)))
}
