//! Salesforce: leads, written by an external id of their own.
//!
//! A new lead is an upsert by that id, so asking twice makes one lead. A lead that exists is changed by its own id
//! alone: an upsert would make a deleted one anew.

mod api;
mod lead;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use http::Method;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use self::{api::quoted, settings::OnDuplicate};
use crate::{
    Adapter, BuildContext, Changes, Descriptor, LeadSnapshot, Note, Pace, RemoteField, RemoteLead,
    RemoteStatus, RemoteUser, Stage, SyncError,
    shared::{
        client::{Effect, segment},
        kept::{Kept, Written},
        poll,
        rest::Rest,
        text, users, value,
    },
};

/// The adapter, described.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "salesforce",
    label: "Salesforce",
    settings_schema: settings::schema,
    example: settings::example,
    build,
    // There is no limit by the second; the one of a day is shared with all that works on the org.
    pace: Pace {
        burst: 10,
        per_second: 5.0,
    },
    two_way: true,
};

/// Hosts of orgs end in one of these.
const DOMAINS: [&str; 3] = ["salesforce.com", "force.com", "salesforce.mil"];
/// Leads in an answer, and the most that can be passed over.
const PAGE: usize = 2000;
/// `Task.Description`.
const MAX_NOTE: usize = 32_000;

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Adapter>, SettingsError> {
    Ok(Arc::new(settings::build(settings, &context)?))
}

/// One org.
#[derive(Debug)]
pub(crate) struct Salesforce {
    rest: Rest,
    domain: Url,
    /// The API name of the field for our id.
    external: String,
    on_duplicate: OnDuplicate,
    no_company: String,
    fields: Kept<Vec<RemoteField>>,
    written: Written,
}

impl Salesforce {
    async fn known_fields(&self) -> Result<Arc<Vec<RemoteField>>, SyncError> {
        let load = async {
            let described = self.read("sobjects/Lead/describe", &[]).await?;
            lead::has_external(&described, &self.external)?;
            Ok(lead::fields(&described, &self.external))
        };
        self.fields.get(self.rest.client.now(), load).await
    }

    fn remote(&self, id: &str, merged: bool) -> RemoteLead {
        RemoteLead {
            id: id.to_owned(),
            // A lead there is its own person and company.
            person_id: None,
            company_id: None,
            url: self
                .domain
                .join(&format!("/lightning/r/Lead/{id}/view"))
                .ok()
                .map(String::from),
            merged,
        }
    }

    async fn owner(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        if let Some(id) = &lead.owner_id {
            return Ok(Some(id.clone()));
        }
        let Some(email) = &lead.owner_email else {
            return Ok(None);
        };
        let soql = format!(
            "SELECT Id FROM User WHERE IsActive = true AND Email = {} LIMIT 1",
            quoted(email)
        );
        match self.query(&soql).await {
            Ok(users) => Ok(users.first().and_then(|user| user.get("Id")).and_then(value::id)),
            Err(SyncError::Auth(_) | SyncError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn all_users(&self) -> Result<Vec<RemoteUser>, SyncError> {
        let soql = "SELECT Id, Name, Email FROM User WHERE IsActive = true AND UserType = 'Standard' \
                    ORDER BY Name LIMIT 1000";
        let found = self.query(soql).await?;
        let people = found.iter();
        Ok(people
            .filter_map(|one| users::user(one, "Id", &["Name"], "Email"))
            .collect())
    }

    async fn upsert(
        &self,
        lead: &LeadSnapshot,
        body: &Value,
        allow: bool,
        assign: bool,
    ) -> Result<String, api::Failure> {
        let path = format!("sobjects/Lead/{}/{}", self.external, segment(&lead.id));
        let mut headers = vec![("sforce-auto-assign", if assign { "TRUE" } else { "FALSE" })];
        if allow {
            headers.push(("sforce-duplicate-rule-header", "allowSave=true"));
        }
        let answer = self.send(Method::PATCH, &path, body, &headers).await?;
        // A changed one is answered with nothing by older versions.
        if answer.status.as_u16() == 204 {
            let found = self.find(&lead.id).await?;
            return found
                .map(|found| found.id)
                .ok_or_else(|| self.rest.client.strange(Effect::Writes).into());
        }
        if answer.status.as_u16() == 300 {
            return Err(SyncError::Refused {
                message: format!(
                    "Salesforce has several leads with our id: make {} unique",
                    self.external
                ),
                field: Some(self.external.clone()),
            }
            .into());
        }
        let said = self.try_good(&answer)?;
        said.get("id")
            .and_then(value::id)
            .ok_or_else(|| self.rest.client.strange(Effect::Writes).into())
    }

    /// A lead that a duplicate rule named and that is none of ours yet gets our id.
    async fn join(&self, ids: &[String], lead: &LeadSnapshot) -> Result<Option<RemoteLead>, SyncError> {
        for id in ids {
            let soql = format!(
                "SELECT Id, {} FROM Lead WHERE Id = {} AND IsConverted = false LIMIT 1",
                self.external,
                quoted(id)
            );
            let found = self.query(&soql).await?;
            let Some(found) = found.first() else { continue };
            if value::text(found, &self.external).is_empty() {
                let mut body = json!({});
                body[self.external.as_str()] = json!(lead.id);
                let path = format!("sobjects/Lead/{}", segment(id));
                let headers = [("sforce-duplicate-rule-header", "allowSave=true")];
                let answer = self.send(Method::PATCH, &path, &body, &headers).await?;
                self.good(&answer)?;
            }
            return Ok(Some(self.remote(id, true)));
        }
        Ok(None)
    }
}

#[async_trait]
impl Adapter for Salesforce {
    async fn check(&self) -> Result<String, SyncError> {
        let limits = self.read("limits", &[]).await?;
        self.fields.forget();
        let fields = self.known_fields().await?;
        let of = |name: &str| {
            limits
                .pointer(&format!("/DailyApiRequests/{name}"))
                .and_then(Value::as_i64)
                .unwrap_or_default()
        };
        Ok(format!(
            "{} answers. Leads can be written with {} fields, ours among them ({}). {} of {} requests of these 24 hours are left.",
            self.domain.host_str().unwrap_or_default(),
            fields.len(),
            self.external,
            of("Remaining"),
            of("Max"),
        ))
    }

    async fn fields(&self) -> Result<Vec<RemoteField>, SyncError> {
        self.fields.forget();
        Ok(self.known_fields().await?.as_ref().clone())
    }

    async fn statuses(&self) -> Result<Vec<RemoteStatus>, SyncError> {
        let found = self
            .query("SELECT ApiName, MasterLabel, IsConverted FROM LeadStatus ORDER BY SortOrder")
            .await?;
        Ok(lead::statuses(&found))
    }

    async fn users(&self) -> Result<Option<Vec<RemoteUser>>, SyncError> {
        users::listed(self.all_users().await)
    }

    async fn find(&self, lead_id: &str) -> Result<Option<RemoteLead>, SyncError> {
        let path = format!("sobjects/Lead/{}/{}", self.external, segment(lead_id));
        let answer = self.get(&path, &[("fields", "Id")]).await?;
        match self.try_good(&answer) {
            Ok(found) => Ok(found
                .get("Id")
                .and_then(value::id)
                .map(|id| self.remote(&id, false))),
            Err(failure) if failure.is_gone() => Ok(None),
            Err(failure) => Err(failure.error),
        }
    }

    async fn create(&self, lead: &LeadSnapshot) -> Result<RemoteLead, SyncError> {
        let fields = self.known_fields().await?;
        let mut body = lead::filled(lead, &fields, &self.no_company)?;
        let owner = self.owner(lead).await?;
        if let Some(owner) = &owner {
            body.insert("OwnerId".to_owned(), owner.as_str().into());
        }
        let body = Value::Object(body);
        let assign = owner.is_none();
        let allow = self.on_duplicate == OnDuplicate::Allow;
        let made = match self.upsert(lead, &body, allow, assign).await {
            Err(failure) if failure.code == "DUPLICATES_DETECTED" => {
                if let Some(joined) = self.join(&failure.duplicates, lead).await? {
                    return Ok(joined);
                }
                // A contact, or a lead that was converted: nothing to join, so it is made where the rule allows it.
                self.upsert(lead, &body, true, assign).await.map_err(|failure| match failure.code.as_str() {
                    "DUPLICATES_DETECTED" => SyncError::Refused {
                        message: "a duplicate rule in Salesforce blocks this lead: let it report instead of block, or join the records there".to_owned(),
                        field: None,
                    },
                    _ => failure.error,
                })?
            }
            made => made.map_err(|failure| failure.error)?,
        };
        if let Some(status) = &lead.status_id {
            self.written.note(&made, status);
        }
        Ok(self.remote(&made, false))
    }

    async fn update(&self, remote: &RemoteLead, lead: &LeadSnapshot) -> Result<(), SyncError> {
        let fields = self.known_fields().await?;
        let mut body = lead::changed(lead, &fields)?;
        if let Some(owner) = &lead.owner_id {
            body.insert("OwnerId".to_owned(), owner.as_str().into());
        }
        if body.is_empty() {
            return Ok(());
        }
        let path = format!("sobjects/Lead/{}", segment(&remote.id));
        let headers = [
            ("sforce-duplicate-rule-header", "allowSave=true"),
            ("sforce-auto-assign", "FALSE"),
        ];
        let answer = self
            .send(Method::PATCH, &path, &Value::Object(body), &headers)
            .await?;
        match self.try_good(&answer) {
            Ok(_) => {
                if let Some(status) = &lead.status_id {
                    self.written.note(&remote.id, status);
                }
                Ok(())
            }
            // It became a contact and an opportunity, which belong to the people there.
            Err(failure) if failure.code == "CANNOT_UPDATE_CONVERTED_LEAD" => Ok(()),
            Err(failure) if failure.is_gone() => Err(gone()),
            Err(failure) => Err(failure.error),
        }
    }

    async fn note(&self, remote: &RemoteLead, note: &Note) -> Result<String, SyncError> {
        let mark = text::mark(&note.id);
        let soql = format!(
            "SELECT Id, IsConverted, ConvertedContactId FROM Lead WHERE Id = {} LIMIT 1",
            quoted(&remote.id)
        );
        let found = self.query(&soql).await?;
        let Some(lead) = found.first() else {
            return Err(gone());
        };
        // The notes of a converted lead are with the contact that it became.
        let who = match lead.get("ConvertedContactId").and_then(value::id) {
            Some(contact) if lead.get("IsConverted").is_some_and(value::truth) => contact,
            _ => remote.id.clone(),
        };
        let soql = format!(
            "SELECT Id FROM Task WHERE WhoId = {} AND Subject LIKE {} LIMIT 1",
            quoted(&who),
            api::containing(&mark)
        );
        if let Some(there) = self
            .query(&soql)
            .await?
            .first()
            .and_then(|task| value::id(task.get("Id")?))
        {
            return Ok(there);
        }
        let body = json!({
            "WhoId": who,
            "Subject": format!("{} {mark}", text::heading(note.kind)),
            "Description": text::note(note, MAX_NOTE),
            "Status": "Completed",
            "ActivityDate": note.at.format("%Y-%m-%d").to_string(),
        });
        let answer = self.send(Method::POST, "sobjects/Task", &body, &[]).await?;
        self.good(&answer)?
            .get("id")
            .and_then(value::id)
            .ok_or_else(|| self.rest.client.strange(Effect::Writes))
    }

    async fn changes(&self, cursor: Option<Value>) -> Result<Changes, SyncError> {
        let place = match poll::place(cursor, self.rest.client.now())? {
            Ok(place) => place,
            Err(first) => return Ok(first),
        };
        let soql = format!(
            "SELECT Id, Status, IsConverted, IsDeleted, SystemModstamp, CreatedDate, LastModifiedDate FROM Lead WHERE {} != null AND SystemModstamp >= {} ORDER BY SystemModstamp, Id LIMIT {PAGE} OFFSET {}",
            self.external,
            place.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            place.start.min(PAGE),
        );
        // Deleted ones too, while they are in the bin.
        let found = self.query_all(&soql).await?;
        let full = found.len() >= PAGE && place.start < PAGE;
        let rows = found.iter().filter_map(row).collect();
        Ok(poll::step(place, rows, full, &self.written))
    }
}

fn gone() -> SyncError {
    SyncError::Gone("the lead was deleted in Salesforce".to_owned())
}

fn row(found: &Value) -> Option<poll::Row> {
    let time = |name: &str| time(value::text(found, name));
    let converted = found.get("IsConverted").is_some_and(value::truth);
    let status = value::text(found, "Status");
    Some(poll::Row {
        id: found.get("Id").and_then(value::id)?,
        modified: time("SystemModstamp")?,
        status: (!status.is_empty()).then(|| status.to_owned()),
        // Which statuses mean lost nobody says there.
        stage: converted.then_some(Stage::Won),
        gone: found.get("IsDeleted").is_some_and(value::truth),
        untouched: !found.get("IsDeleted").is_some_and(value::truth)
            && time("CreatedDate").is_some()
            && time("CreatedDate") == time("LastModifiedDate"),
    })
}

/// `2026-11-23T05:00:00.000+0000`.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let parsed = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z");
    parsed
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .ok()
        .map(|time| time.with_timezone(&Utc))
}
