//! Contacts and companies that the account knows.

use http::Method;
use serde_json::{Map, Value, json};

use super::{HubSpot, api};
use crate::{
    LeadSnapshot, SyncError,
    shared::{
        client::{Effect, segment},
        origin::{COMPANY_FIELD, CONTACT_FIELD},
        text::{self, same_phone},
        value::{self, put},
    },
};

/// So many mails and numbers of a person are looked for.
const LOOKED_FOR: usize = 2;

impl HubSpot {
    /// The person's contact: the one with our id, one with the mail, one with the number, else a new one.
    ///
    /// What was made a moment ago is not in the search yet, but is read by our id and by mail.
    pub(super) async fn contact(&self, lead: &LeadSnapshot) -> Result<String, SyncError> {
        if let Some(id) = self.by_unique("contacts", CONTACT_FIELD, &lead.person.id).await? {
            return Ok(id);
        }
        for email in lead.person.emails.iter().take(LOOKED_FOR) {
            if let Some(id) = self.by_unique("contacts", "email", email).await? {
                return Ok(id);
            }
        }
        if let Some(id) = self.search_contact(lead).await? {
            return Ok(id);
        }
        let (first, last) = text::names(&lead.person.name);
        let mut properties = Map::new();
        put(&mut properties, CONTACT_FIELD, lead.person.id.as_str());
        put(&mut properties, "firstname", first);
        put(&mut properties, "lastname", last);
        if let Some(email) = lead.person.emails.first() {
            put(&mut properties, "email", email.as_str());
        }
        if let Some(phone) = lead.person.phones.first() {
            put(&mut properties, "phone", phone.as_str());
        }
        if let Some(phone) = lead.person.phones.get(1) {
            put(&mut properties, "mobilephone", phone.as_str());
        }
        self.upsert("contacts", CONTACT_FIELD, &lead.person.id, properties)
            .await
    }

    /// The company with our id or of this very name, else a new one.
    pub(super) async fn company(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        let Some(company) = lead
            .company
            .as_ref()
            .filter(|company| !company.name.trim().is_empty())
        else {
            return Ok(None);
        };
        if let Some(id) = self.by_unique("companies", COMPANY_FIELD, &company.id).await? {
            return Ok(Some(id));
        }
        let body = json!({
            "filterGroups": [{"filters": [{"propertyName": "name", "operator": "EQ", "value": company.name}]}],
            "properties": ["name"],
            "limit": 1,
        });
        let found = self.ask_for("crm/v3/objects/companies/search", &body).await?;
        if let Some(id) = found.pointer("/results/0/id").and_then(value::reference) {
            return Ok(Some(id));
        }
        let mut properties = Map::new();
        put(&mut properties, COMPANY_FIELD, company.id.as_str());
        put(&mut properties, "name", company.name.as_str());
        self.upsert("companies", COMPANY_FIELD, &company.id, properties)
            .await
            .map(Some)
    }

    async fn by_unique(
        &self,
        object: &str,
        property: &str,
        value: &str,
    ) -> Result<Option<String>, SyncError> {
        let path = format!("crm/v3/objects/{object}/{}", segment(value));
        let answer = self.get(&path, &[("idProperty", property)]).await?;
        if answer.status.as_u16() == 404 {
            return Ok(None);
        }
        Ok(self.good(&answer)?.get("id").and_then(value::reference))
    }

    /// By number, and by mails that are not a contact's first: reading by mail knows only that one.
    async fn search_contact(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        let one = |property: &str, operator: &str, value: &str| json!({"filters": [{"propertyName": property, "operator": operator, "value": value}]});
        let mut groups = Vec::new();
        for email in lead.person.emails.iter().take(1) {
            groups.push(one("hs_additional_emails", "CONTAINS_TOKEN", email));
        }
        for phone in lead.person.phones.iter().take(LOOKED_FOR) {
            groups.push(one("phone", "EQ", phone));
            groups.push(one("mobilephone", "EQ", phone));
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let body = json!({
            "filterGroups": groups,
            "properties": ["phone", "mobilephone", "hs_additional_emails"],
            "limit": 20,
        });
        let found = self.ask_for("crm/v3/objects/contacts/search", &body).await?;
        let same = |contact: &&Value| {
            let of = |name: &str| {
                contact
                    .pointer(&format!("/properties/{name}"))
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let phones = [of("phone"), of("mobilephone")];
            let by_phone = lead
                .person
                .phones
                .iter()
                .any(|ours| phones.iter().any(|theirs| same_phone(ours, theirs)));
            let more = of("hs_additional_emails");
            by_phone
                || lead
                    .person
                    .emails
                    .iter()
                    .any(|email| more.split(';').any(|one| one.trim().eq_ignore_ascii_case(email)))
        };
        let results = found.get("results").map(value::items).unwrap_or_default();
        Ok(results
            .into_iter()
            .find(same)
            .and_then(|contact| value::id(contact.get("id")?)))
    }

    /// Made once however often it is asked for. A batch is answered with 207 when a part failed.
    async fn upsert(
        &self,
        object: &str,
        property: &str,
        id: &str,
        properties: Map<String, Value>,
    ) -> Result<String, SyncError> {
        let path = format!("crm/v3/objects/{object}/batch/upsert");
        let body = json!({"inputs": [{
            "idProperty": property,
            "id": id,
            "objectWriteTraceId": id,
            "properties": properties,
        }]});
        let answer = self.send(Method::POST, &path, &body).await?;
        let said = answer.json();
        if let Some(made) = said.pointer("/results/0/id").and_then(value::reference) {
            return Ok(made);
        }
        // A mail may be another contact's second one.
        let words = [said.pointer("/errors/0/message"), said.get("message")];
        let existing = words
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .find_map(api::existing);
        if let Some(existing) = existing {
            return Ok(existing);
        }
        if answer.status.is_success() {
            let Some(first) = said.pointer("/errors/0") else {
                return Err(self.rest.client.strange(Effect::Writes));
            };
            return Err(SyncError::Refused {
                message: text::said(&format!("HubSpot refuses: {}", value::text(first, "message"))),
                field: api::field(&said),
            });
        }
        Err(self.failure(&answer))
    }
}
