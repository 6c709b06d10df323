//! amoCRM and Kommo, API v4.
//!
//! Leads have no place for an origin there, so our id stands in a text field of its own, which the first lead
//! makes. A person whom the account does not know is made together with the lead (`leads/complex`): one request,
//! nothing half done. One whom it knows is joined by id.

mod api;
mod lead;
mod people;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::Method;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use self::lead::Fields;
use crate::{
    Adapter, BuildContext, Changes, Descriptor, LeadSnapshot, Note, Pace, RemoteField, RemoteLead,
    RemoteStatus, RemoteUser, Stage, SyncError,
    shared::{
        client::Effect,
        kept::{Kept, Written},
        poll,
        rest::Rest,
        text, users, value,
    },
};

/// The adapter, described.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "amocrm",
    label: "amoCRM / Kommo",
    settings_schema: settings::schema,
    example: settings::example,
    build,
    // More than seven a second are refused, and whoever goes on is blocked.
    pace: Pace {
        burst: 5,
        per_second: 5.0,
    },
    two_way: true,
};

/// Leads in an answer.
const PAGE: usize = 250;
/// A note; the rest is behind its link.
const MAX_NOTE: usize = 20_000;

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Adapter>, SettingsError> {
    Ok(Arc::new(settings::build(settings, &context)?))
}

/// One account.
#[derive(Debug)]
pub(crate) struct Amo {
    rest: Rest,
    account: Url,
    pipeline_id: Option<i64>,
    tags: Vec<String>,
    fields: Kept<Fields>,
    written: Written,
}

impl Amo {
    async fn known_fields(&self) -> Result<Arc<Fields>, SyncError> {
        let load = async {
            let mut all = Vec::new();
            for page in 1..=10_usize {
                let page = page.to_string();
                let found = self
                    .read("leads/custom_fields", &[("limit", "250"), ("page", &page)])
                    .await?;
                let found = api::embedded(&found, "custom_fields");
                let count = found.len();
                all.extend(found);
                if count < PAGE {
                    break;
                }
            }
            Ok(Fields::read(&all))
        };
        self.fields.get(self.rest.client.now(), load).await
    }

    /// The fields, with the one for our id among them.
    async fn fields_with_origin(&self) -> Result<(Arc<Fields>, i64), SyncError> {
        let fields = self.known_fields().await?;
        if let Some(origin) = fields.origin() {
            return Ok((fields, origin));
        }
        let body = json!([{"name": "Switchboard", "type": "text", "code": lead::ORIGIN}]);
        let made = self.write(Method::POST, "leads/custom_fields", &body).await;
        self.fields.forget();
        if let Err(error) = made {
            return Err(match error {
                SyncError::Refused { message, .. } | SyncError::Auth(message) => SyncError::Auth(format!(
                    "amoCRM lets only administrators make the field that our leads are found by again: sign in as one, or make a text field with the code {} for leads there ({message})",
                    lead::ORIGIN
                )),
                // Whether there are two of them now shows when it is looked for; only one can have the code.
                SyncError::Unknown(message) => SyncError::Temporary(message),
                other => other,
            });
        }
        let fields = self.known_fields().await?;
        match fields.origin() {
            Some(origin) => Ok((fields, origin)),
            None => Err(SyncError::Temporary(
                "amoCRM does not show the new field for our id yet".to_owned(),
            )),
        }
    }

    /// A lead that exists, with its contacts.
    async fn lead(&self, id: &str) -> Result<Value, SyncError> {
        let answer = self.get(&format!("leads/{id}"), &[("with", "contacts")]).await?;
        let gone = || SyncError::Gone("the lead was deleted in amoCRM".to_owned());
        // Both are seen for an id that is no more; one in the bin still answers.
        if matches!(answer.status.as_u16(), 204 | 404) {
            return Err(gone());
        }
        let lead = self.good(answer)?;
        if lead.get("is_deleted").is_some_and(value::truth) {
            return Err(gone());
        }
        Ok(lead)
    }

    async fn leads(&self, query: &[(&str, &str)]) -> Result<Vec<Value>, SyncError> {
        let found = self.read("leads", query).await?;
        Ok(api::embedded(&found, "leads"))
    }

    fn remote(&self, lead: &Value) -> Option<RemoteLead> {
        let id = lead.get("id").and_then(value::reference)?;
        let first = |what: &str| {
            api::embedded(lead, what)
                .first()
                .and_then(|one| one.get("id"))
                .and_then(value::reference)
        };
        Some(self.named(id, first("contacts"), first("companies"), false))
    }

    fn named(&self, id: String, person: Option<String>, company: Option<String>, merged: bool) -> RemoteLead {
        RemoteLead {
            url: self
                .account
                .join(&format!("/leads/detail/{id}"))
                .ok()
                .map(String::from),
            person_id: person,
            company_id: company,
            merged,
            id,
        }
    }

    async fn user(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        if let Some(id) = &lead.owner_id {
            return Ok(Some(id.clone()));
        }
        let Some(email) = &lead.owner_email else {
            return Ok(None);
        };
        match self.read("users", &[("limit", "250")]).await {
            Ok(found) => Ok(api::embedded(&found, "users")
                .iter()
                .find(|user| value::text(user, "email").eq_ignore_ascii_case(email))
                .and_then(|user| user.get("id"))
                .and_then(value::id)),
            // Only administrators see users; the lead is worth more.
            Err(SyncError::Auth(_) | SyncError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn all_users(&self) -> Result<Vec<RemoteUser>, SyncError> {
        const PAGE: usize = 250;
        let mut all = Vec::new();
        for page in 1..=users::PAGES {
            let (limit, page) = (PAGE.to_string(), page.to_string());
            let found = self.read("users", &[("limit", &limit), ("page", &page)]).await?;
            let found = api::embedded(&found, "users");
            let people = found.iter();
            all.extend(people.filter_map(|one| users::user(one, "id", &["name"], "email")));
            if found.len() < PAGE {
                break;
            }
        }
        Ok(all)
    }

    /// The lead was joined to one that was there: our id is added to what stands in its field. Should that fail,
    /// the engine knows the lead all the same.
    async fn add_origin(&self, id: &str, origin: i64, lead_id: &str) {
        let Ok(lead) = self.lead(id).await else {
            return;
        };
        let before = lead::origins(&lead, origin);
        if before.split_whitespace().any(|one| one == lead_id) {
            return;
        }
        let after = text::cut(format!("{before} {lead_id}").trim(), 255);
        let body = json!({"custom_fields_values": [{"field_id": origin, "values": [{"value": after}]}]});
        drop(self.write(Method::PATCH, &format!("leads/{id}"), &body).await);
    }
}

#[async_trait]
impl Adapter for Amo {
    async fn check(&self) -> Result<String, SyncError> {
        let account = self.read("account", &[]).await?;
        self.leads(&[("limit", "1")]).await?;
        let fields = self.known_fields().await?;
        let origin = match fields.origin() {
            Some(_) => "The field for our id is there.",
            None => {
                "The first lead will make a text field \"Switchboard\", for which an administrator's right is needed."
            }
        };
        Ok(format!(
            "The account \"{}\" answers and lets us read leads. {origin}",
            value::text(&account, "name")
        ))
    }

    async fn fields(&self) -> Result<Vec<RemoteField>, SyncError> {
        self.fields.forget();
        Ok(self.known_fields().await?.list())
    }

    async fn statuses(&self) -> Result<Vec<RemoteStatus>, SyncError> {
        let found = self.read("leads/pipelines", &[]).await?;
        Ok(lead::statuses(&api::embedded(&found, "pipelines")))
    }

    async fn users(&self) -> Result<Option<Vec<RemoteUser>>, SyncError> {
        users::listed(self.all_users().await)
    }

    async fn find(&self, lead_id: &str) -> Result<Option<RemoteLead>, SyncError> {
        let Some(origin) = self.known_fields().await?.origin() else {
            return Ok(None);
        };
        let ours = |lead: &&Value| {
            !lead.get("is_deleted").is_some_and(value::truth)
                && lead::origins(lead, origin)
                    .split_whitespace()
                    .any(|one| one == lead_id)
        };
        // What was made a moment ago may not be in the search yet, but is among the newest.
        let newest = [
            ("order[created_at]", "desc"),
            ("limit", "250"),
            ("with", "contacts"),
        ];
        let newest = self.leads(&newest).await?;
        if let Some(lead) = newest.iter().find(ours) {
            return Ok(self.remote(lead));
        }
        let found = self
            .leads(&[("query", lead_id), ("limit", "50"), ("with", "contacts")])
            .await?;
        Ok(found.iter().find(ours).and_then(|lead| self.remote(lead)))
    }

    async fn create(&self, lead: &LeadSnapshot) -> Result<RemoteLead, SyncError> {
        let (fields, origin) = self.fields_with_origin().await?;
        let mut body = fields.filled(lead)?;
        lead::add(&mut body, origin, &lead.id);
        if let Some(owner) = self.user(lead).await? {
            body.insert("responsible_user_id".to_owned(), value::number(&owner));
        }
        if let (None, Some(pipeline)) = (&lead.status_id, self.pipeline_id) {
            body.insert("pipeline_id".to_owned(), pipeline.into());
        }
        let contact = self.contact(lead).await?;
        let company = self.company(lead).await?;
        let tags: Vec<Value> = self.tags.iter().map(|tag| json!({"name": tag})).collect();
        let mut embedded = json!({});
        if !tags.is_empty() {
            embedded["tags"] = json!(tags);
        }
        if contact.is_none() && company.is_none() {
            embedded["contacts"] = json!([people::contact(lead)]);
            if let Some(company) = &lead.company {
                embedded["companies"] = json!([{"name": company.name}]);
            }
            body.insert("_embedded".to_owned(), embedded);
            return self.complex(lead, body, origin).await;
        }
        // The two that exist are joined by id, which `complex` does not do; the missing one is made first, and is
        // found by its phone, mail or name when this has to be done again.
        let contact = match contact {
            Some(contact) => contact,
            None => self.make("contacts", &people::contact(lead)).await?,
        };
        let company = match (company, &lead.company) {
            (None, Some(company)) => Some(self.make("companies", &json!({"name": company.name})).await?),
            (known, _) => known,
        };
        embedded["contacts"] = json!([{"id": value::number(&contact), "is_main": true}]);
        if let Some(company) = &company {
            embedded["companies"] = json!([{"id": value::number(company)}]);
        }
        body.insert("_embedded".to_owned(), embedded);
        let id = self.make("leads", &Value::Object(body)).await?;
        self.note_status(&id, lead);
        Ok(self.named(id, Some(contact), company, false))
    }

    async fn update(&self, remote: &RemoteLead, lead: &LeadSnapshot) -> Result<(), SyncError> {
        let fields = self.known_fields().await?;
        let mut body = fields.changed(lead)?;
        if let Some(owner) = &lead.owner_id {
            body.insert("responsible_user_id".to_owned(), value::number(owner));
        }
        // A lead in the bin takes changes without a word.
        self.lead(&remote.id).await?;
        if body.is_empty() {
            return Ok(());
        }
        self.write(
            Method::PATCH,
            &format!("leads/{}", remote.id),
            &Value::Object(body),
        )
        .await?;
        self.note_status(&remote.id, lead);
        Ok(())
    }

    async fn note(&self, remote: &RemoteLead, note: &Note) -> Result<String, SyncError> {
        self.lead(&remote.id).await?;
        let path = format!("leads/{}/notes", remote.id);
        let found = self
            .read(&path, &[("limit", "250"), ("order[id]", "desc")])
            .await?;
        let mark = text::mark(&note.id);
        let there = api::embedded(&found, "notes").into_iter().find_map(|one| {
            let words = one.pointer("/params/text").and_then(Value::as_str)?;
            words.contains(&mark).then(|| one.get("id").and_then(value::id))?
        });
        if let Some(there) = there {
            return Ok(there);
        }
        let body = json!({"note_type": "common", "params": {"text": text::note(note, MAX_NOTE)}});
        self.make(&path, &body).await
    }

    async fn changes(&self, cursor: Option<Value>) -> Result<Changes, SyncError> {
        let place = match poll::place(cursor, self.rest.client.now())? {
            Ok(place) => place,
            Err(first) => return Ok(first),
        };
        let from = place.at.timestamp().to_string();
        let page = (place.start / PAGE + 1).to_string();
        let mut query = vec![
            ("filter[updated_at][from]", from.as_str()),
            ("order[updated_at]", "asc"),
            ("limit", "250"),
            ("page", page.as_str()),
        ];
        let found = self.leads(&query).await?;
        let full = found.len() >= PAGE;
        let mut rows: Vec<poll::Row> = found.iter().filter_map(row).collect();
        if !full {
            // Deleted ones are shown only alone.
            query.push(("with", "only_deleted"));
            let deleted = self.leads(&query).await?;
            rows.extend(
                deleted
                    .iter()
                    .filter_map(row)
                    .map(|row| poll::Row { gone: true, ..row }),
            );
            rows.sort_by_key(|row| row.modified);
        }
        Ok(poll::step(place, rows, full, &self.written))
    }
}

impl Amo {
    async fn complex(
        &self,
        lead: &LeadSnapshot,
        body: serde_json::Map<String, Value>,
        origin: i64,
    ) -> Result<RemoteLead, SyncError> {
        let made = self.write(Method::POST, "leads/complex", &json!([body])).await?;
        let made = made.get(0).unwrap_or(&Value::Null);
        let Some(id) = made.get("id").and_then(value::reference) else {
            return Err(self.rest.client.strange(Effect::Writes));
        };
        let merged = made.get("merged").is_some_and(value::truth);
        if merged {
            self.add_origin(&id, origin, &lead.id).await;
        } else {
            self.note_status(&id, lead);
        }
        let other = |name: &str| made.get(name).and_then(value::reference);
        Ok(self.named(id, other("contact_id"), other("company_id"), merged))
    }

    fn note_status(&self, id: &str, lead: &LeadSnapshot) {
        if let Some(status) = &lead.status_id {
            self.written.note(id, status);
        }
    }
}

fn row(lead: &Value) -> Option<poll::Row> {
    let time = |name: &str| -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(lead.get(name).and_then(Value::as_i64)?, 0)
    };
    let number = |name: &str| lead.get(name).and_then(value::reference);
    let modified = time("updated_at")?;
    Some(poll::Row {
        id: number("id")?,
        modified,
        status: Some(lead::status_id(&number("pipeline_id")?, &number("status_id")?)),
        stage: Some(match number("status_id")?.as_str() {
            lead::WON => Stage::Won,
            lead::LOST => Stage::Lost,
            _ => Stage::Open,
        }),
        gone: lead.get("is_deleted").is_some_and(value::truth),
        untouched: time("created_at") == Some(modified),
    })
}
