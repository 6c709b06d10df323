//! HubSpot: a lead of ours is a deal with its contact.
//!
//! A deal and not HubSpot's own "lead": leads there need a paid seat of Sales Hub, and have no pipeline of their
//! own below that; deals are in every plan and in every report. Each record carries our id in a property with unique
//! values: records are read by it without the search, whose index lags, and HubSpot itself refuses a second one.

mod api;
mod deal;
mod people;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::Method;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use self::deal::Pipelines;
use crate::{
    Adapter, BuildContext, Changes, Descriptor, LeadSnapshot, Note, Pace, RemoteField, RemoteLead,
    RemoteStatus, RemoteUser, SyncError,
    shared::{
        client::{Effect, segment},
        kept::{Kept, Written},
        origin::{COMPANY_FIELD, CONTACT_FIELD, LEAD_FIELD},
        poll,
        rest::Rest,
        text, users, value,
    },
};

/// The adapter, described.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "hubspot",
    label: "HubSpot",
    settings_schema: settings::schema,
    example: settings::example,
    build,
    // 100 in ten seconds in the smallest plan, shared with all private apps; its search takes five a second.
    pace: Pace {
        burst: 10,
        per_second: 5.0,
    },
    two_way: true,
};

/// Kinds of connections between records that HubSpot defines.
const DEAL_TO_CONTACT: u32 = 3;
const DEAL_TO_COMPANY: u32 = 5;
const NOTE_TO_DEAL: u32 = 214;
/// Deals in an answer of the search.
const PAGE: usize = 100;
/// A note holds 65,536 characters of HTML.
const MAX_NOTE: usize = 30_000;

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Adapter>, SettingsError> {
    Ok(Arc::new(settings::build(settings, &context)?))
}

/// One account.
#[derive(Debug)]
pub(crate) struct HubSpot {
    rest: Rest,
    api: Url,
    pipeline: Option<String>,
    pipelines: Kept<Pipelines>,
    /// The properties for our ids are there.
    origins: Kept<()>,
    account: Kept<Option<String>>,
    written: Written,
}

impl HubSpot {
    async fn pipelines(&self) -> Result<Arc<Pipelines>, SyncError> {
        let load = async { Ok(Pipelines::read(&self.read("crm/v3/pipelines/deals", &[]).await?)) };
        self.pipelines.get(self.rest.client.now(), load).await
    }

    /// Makes the properties for our ids where they are missing.
    async fn ensure_origins(&self) -> Result<(), SyncError> {
        let load = async {
            for (object, name, group) in [
                ("deals", LEAD_FIELD, "dealinformation"),
                ("contacts", CONTACT_FIELD, "contactinformation"),
                ("companies", COMPANY_FIELD, "companyinformation"),
            ] {
                let answer = self
                    .get(&format!("crm/v3/properties/{object}/{name}"), &[])
                    .await?;
                if answer.status.as_u16() == 404 {
                    self.make_property(object, name, group).await?;
                } else {
                    self.good(&answer)?;
                }
            }
            Ok(())
        };
        self.origins.get(self.rest.client.now(), load).await.map(drop)
    }

    async fn make_property(&self, object: &str, name: &str, group: &str) -> Result<(), SyncError> {
        let body = json!({
            "name": name,
            "label": format!("Switchboard id of {object}"),
            "description": "Which record of Switchboard this is. Please leave it as it is.",
            "groupName": group,
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": true,
        });
        match self
            .write(Method::POST, &format!("crm/v3/properties/{object}"), &body)
            .await
        {
            Ok(_) => Ok(()),
            Err(SyncError::Auth(message) | SyncError::Refused { message, .. }) => {
                Err(SyncError::Auth(format!(
                    "HubSpot does not let us make the property {name} of {object}: give the app the scope crm.schemas.{object}.write, or make a text property of this name with unique values ({message})"
                )))
            }
            // Its name is taken once it is made; the next look shows it.
            Err(SyncError::Unknown(message)) => Err(SyncError::Temporary(message)),
            Err(error) => Err(error),
        }
    }

    /// Where people see a deal.
    async fn page(&self, id: &str) -> Option<String> {
        let load = async {
            let details = match self.read("account-info/v3/details", &[]).await {
                Ok(details) => details,
                Err(_) => return Ok(None),
            };
            let portal = details.get("portalId").and_then(value::id);
            let domain = match value::text(&details, "uiDomain") {
                "" => "app.hubspot.com",
                domain => domain,
            };
            Ok(portal.map(|portal| format!("https://{domain}/contacts/{portal}/deal/")))
        };
        let base = self.account.get(self.rest.client.now(), load).await.ok()?;
        base.as_ref().as_ref().map(|base| format!("{base}{id}"))
    }

    async fn remote(&self, deal: &Value) -> Result<RemoteLead, SyncError> {
        let id = deal
            .get("id")
            .and_then(value::reference)
            .ok_or_else(|| self.rest.client.strange(Effect::Reads))?;
        let first = |what: &str| {
            deal.pointer(&format!("/associations/{what}/results/0/id"))
                .and_then(value::reference)
        };
        Ok(RemoteLead {
            url: self.page(&id).await,
            person_id: first("contacts"),
            company_id: first("companies"),
            merged: false,
            id,
        })
    }

    async fn owner(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        if let Some(id) = &lead.owner_id {
            return Ok(Some(id.clone()));
        }
        let Some(email) = &lead.owner_email else {
            return Ok(None);
        };
        match self
            .read("crm/v3/owners", &[("email", email), ("limit", "1")])
            .await
        {
            Ok(owners) => Ok(owners.pointer("/results/0/id").and_then(value::reference)),
            // The scope for owners is not worth a lead.
            Err(SyncError::Auth(_) | SyncError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn all_owners(&self) -> Result<Vec<RemoteUser>, SyncError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..users::PAGES {
            let mut query = vec![("limit", "500")];
            if let Some(after) = &after {
                query.push(("after", after));
            }
            let found = self.read("crm/v3/owners", &query).await?;
            let people = found.get("results").map(value::items).unwrap_or_default();
            let people = people.into_iter();
            all.extend(people.filter_map(|one| users::user(one, "id", &["firstName", "lastName"], "email")));
            after = found.pointer("/paging/next/after").and_then(value::id);
            if after.is_none() {
                break;
            }
        }
        Ok(all)
    }

    fn note_status(&self, id: &str, properties: &serde_json::Map<String, Value>) {
        let of = |name: &str| properties.get(name).and_then(Value::as_str);
        if let (Some(pipeline), Some(stage)) = (of("pipeline"), of("dealstage")) {
            self.written.note(id, &deal::status_id(pipeline, stage));
        }
    }
}

#[async_trait]
impl Adapter for HubSpot {
    async fn check(&self) -> Result<String, SyncError> {
        let pipelines = self.pipelines().await?;
        self.read("crm/v3/objects/deals", &[("limit", "1")]).await?;
        self.read("crm/v3/objects/contacts", &[("limit", "1")]).await?;
        let pipeline = pipelines.chosen(self.pipeline.as_deref())?;
        let details = self.read("account-info/v3/details", &[]).await;
        let account = details
            .ok()
            .and_then(|details| details.get("portalId").and_then(value::id))
            .map(|portal| format!("Account {portal}"))
            .unwrap_or_else(|| "HubSpot".to_owned());
        Ok(format!(
            "{account} answers and lets us read deals and contacts. Leads become deals in the pipeline \"{}\".",
            pipeline.label
        ))
    }

    async fn fields(&self) -> Result<Vec<RemoteField>, SyncError> {
        let found = self
            .read("crm/v3/properties/deals", &[("archived", "false")])
            .await?;
        Ok(deal::fields(&found))
    }

    async fn statuses(&self) -> Result<Vec<RemoteStatus>, SyncError> {
        self.pipelines.forget();
        Ok(self.pipelines().await?.statuses())
    }

    async fn users(&self) -> Result<Option<Vec<RemoteUser>>, SyncError> {
        users::listed(self.all_owners().await)
    }

    async fn find(&self, lead_id: &str) -> Result<Option<RemoteLead>, SyncError> {
        let path = format!("crm/v3/objects/deals/{}", segment(lead_id));
        let query = [("idProperty", LEAD_FIELD), ("associations", "contacts,companies")];
        let answer = self.get(&path, &query).await?;
        if answer.status.as_u16() == 404 || (answer.status.as_u16() == 400 && api::names(&answer, LEAD_FIELD))
        {
            // Without the property there is no deal of ours.
            return Ok(None);
        }
        let deal = self.good(&answer)?;
        self.remote(&deal).await.map(Some)
    }

    async fn create(&self, lead: &LeadSnapshot) -> Result<RemoteLead, SyncError> {
        self.ensure_origins().await?;
        let pipelines = self.pipelines().await?;
        let mut properties = deal::filled(lead, &pipelines, self.pipeline.as_deref())?;
        if let Some(owner) = self.owner(lead).await? {
            properties.insert("hubspot_owner_id".to_owned(), owner.into());
        }
        let person = self.contact(lead).await?;
        let company = self.company(lead).await?;
        let mut associations = vec![api::association(&person, DEAL_TO_CONTACT)];
        associations.extend(
            company
                .iter()
                .map(|company| api::association(company, DEAL_TO_COMPANY)),
        );
        let body = json!({"properties": properties, "associations": associations});
        match self.write(Method::POST, "crm/v3/objects/deals", &body).await {
            Ok(made) => {
                let id = made
                    .get("id")
                    .and_then(value::reference)
                    .ok_or_else(|| self.rest.client.strange(Effect::Writes))?;
                self.note_status(&id, &properties);
                Ok(RemoteLead {
                    url: self.page(&id).await,
                    id,
                    person_id: Some(person),
                    company_id: company,
                    merged: false,
                })
            }
            // Another deal has our id: the one of an answer that was lost.
            Err(SyncError::Refused { message, field }) if field.as_deref() == Some(LEAD_FIELD) => self
                .find(&lead.id)
                .await?
                .ok_or(SyncError::Refused { message, field }),
            Err(error) => Err(error),
        }
    }

    async fn update(&self, remote: &RemoteLead, lead: &LeadSnapshot) -> Result<(), SyncError> {
        let mut properties = deal::changed(lead)?;
        if let Some(owner) = &lead.owner_id {
            properties.insert("hubspot_owner_id".to_owned(), owner.as_str().into());
        }
        if properties.is_empty() {
            return Ok(());
        }
        let path = format!("crm/v3/objects/deals/{}", segment(&remote.id));
        let body = json!({"properties": properties});
        let answer = self.send(Method::PATCH, &path, &body).await?;
        if answer.status.as_u16() == 404 {
            return Err(gone());
        }
        self.good(&answer)?;
        self.note_status(&remote.id, &properties);
        Ok(())
    }

    async fn note(&self, remote: &RemoteLead, note: &Note) -> Result<String, SyncError> {
        let path = format!("crm/v3/objects/deals/{}", segment(&remote.id));
        let answer = self.get(&path, &[("associations", "notes")]).await?;
        if answer.status.as_u16() == 404 {
            return Err(gone());
        }
        let deal = self.good(&answer)?;
        let ids: Vec<Value> = deal
            .pointer("/associations/notes/results")
            .map(value::items)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|note| note.get("id").and_then(value::id))
            .map(|id| json!({"id": id}))
            .collect();
        let mark = text::mark(&note.id);
        for ids in ids.chunks(100) {
            let body = json!({"properties": ["hs_note_body"], "inputs": ids});
            let found = self.ask_for("crm/v3/objects/notes/batch/read", &body).await?;
            let ours = |note: &&Value| {
                note.pointer("/properties/hs_note_body")
                    .and_then(Value::as_str)
                    .is_some_and(|words| words.contains(&mark))
            };
            let results = found.get("results").map(value::items).unwrap_or_default();
            if let Some(id) = results
                .into_iter()
                .find(ours)
                .and_then(|note| value::id(note.get("id")?))
            {
                return Ok(id);
            }
        }
        let body = json!({
            "properties": {
                "hs_timestamp": note.at.timestamp_millis().to_string(),
                "hs_note_body": text::html(&text::note(note, MAX_NOTE)),
            },
            "associations": [api::association(&remote.id, NOTE_TO_DEAL)],
        });
        let made = self.write(Method::POST, "crm/v3/objects/notes", &body).await?;
        made.get("id")
            .and_then(value::reference)
            .ok_or_else(|| self.rest.client.strange(Effect::Writes))
    }

    async fn changes(&self, cursor: Option<Value>) -> Result<Changes, SyncError> {
        let place = match poll::place(cursor, self.rest.client.now())? {
            Ok(place) => place,
            Err(first) => return Ok(first),
        };
        let pipelines = self.pipelines().await?;
        let mut body = json!({
            "filterGroups": [{"filters": [
                {"propertyName": LEAD_FIELD, "operator": "HAS_PROPERTY"},
                {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": place.at.timestamp_millis().to_string()},
            ]}],
            "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
            "properties": ["dealstage", "pipeline", "hs_lastmodifieddate"],
            "limit": PAGE,
        });
        if place.start > 0 {
            body["after"] = place.start.to_string().into();
        }
        let found = match self.ask_for("crm/v3/objects/deals/search", &body).await {
            // Nothing was brought there yet.
            Err(SyncError::Refused { field, .. }) if field.as_deref() == Some(LEAD_FIELD) => json!({}),
            found => found?,
        };
        let results = found.get("results").map(value::items).unwrap_or_default();
        let full = results.len() >= PAGE;
        let rows = results
            .into_iter()
            .filter_map(|deal| row(deal, &pipelines))
            .collect();
        Ok(poll::step(place, rows, full, &self.written))
    }
}

fn gone() -> SyncError {
    SyncError::Gone("the deal was deleted in HubSpot".to_owned())
}

fn row(found: &Value, pipelines: &Pipelines) -> Option<poll::Row> {
    let properties = found.get("properties")?;
    let modified = DateTime::parse_from_rfc3339(value::text(properties, "hs_lastmodifieddate")).ok()?;
    let status = deal::status_id(
        value::text(properties, "pipeline"),
        value::text(properties, "dealstage"),
    );
    Some(poll::Row {
        id: found.get("id").and_then(value::id)?,
        modified: modified.with_timezone(&Utc),
        stage: pipelines.stage(&status),
        status: Some(status),
        gone: false,
        untouched: false,
    })
}
