//! Bitrix24: leads by `crm.item.*` (the methods `crm.lead.*` are frozen), through an incoming webhook or as an
//! application.
//!
//! A lead carries its person itself (`fm`), and is joined to the contact and company that have the same phone or
//! mail. Nothing but the lead is made, so a lost answer leaves nothing half done.

mod api;
mod changes;
mod lead;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;

use self::{
    api::{Api, Failure},
    lead::Fields,
};
use crate::{
    Adapter, BuildContext, Changes, Descriptor, LeadSnapshot, Note, Pace, RemoteField, RemoteLead,
    RemoteStatus, RemoteUser, SyncError,
    shared::{
        client::Effect,
        kept::{Kept, Written},
        origin::SOURCE,
        text, users, value,
    },
};

/// The adapter, described.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "bitrix24",
    label: "Bitrix24",
    settings_schema: settings::schema,
    example: settings::example,
    build,
    // The bucket of all plans but Enterprise: 50, and 2 a second flow out.
    pace: Pace {
        burst: 50,
        per_second: 2.0,
    },
    two_way: true,
};

/// `entityTypeId` of leads.
const LEAD: u32 = 1;
/// What `findbycomm` takes.
const MAX_VALUES: usize = 20;
/// A comment in the timeline; longer ones are stored, but hide everything else there.
const MAX_NOTE: usize = 60_000;

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Adapter>, SettingsError> {
    Ok(Arc::new(settings::build(settings, &context)?))
}

/// One portal.
#[derive(Debug)]
pub(crate) struct Bitrix {
    api: Api,
    source_id: Option<String>,
    fields: Kept<Fields>,
    written: Written,
}

impl Bitrix {
    async fn known_fields(&self) -> Result<Arc<Fields>, SyncError> {
        let load = async {
            let answer = self
                .api
                .call("crm.item.fields", &json!({"entityTypeId": LEAD}), Effect::Reads)
                .await?;
            let statuses = self.all_statuses().await?;
            Ok(Fields::read(&answer, &statuses))
        };
        self.fields.get(self.api.client.now(), load).await
    }

    /// Each list of words of the portal: `crm.status.list` answers 50 at a time.
    async fn all_statuses(&self) -> Result<Vec<Value>, SyncError> {
        let mut all = Vec::new();
        loop {
            let start = all.len();
            let asked = json!({"order": {"ENTITY_ID": "ASC", "SORT": "ASC"}, "start": start});
            let page = self.api.call("crm.status.list", &asked, Effect::Reads).await?;
            let page = value::items(&page);
            let count = page.len();
            all.extend(page.into_iter().cloned());
            if count < 50 || all.len() > 2000 {
                return Ok(all);
            }
        }
    }

    /// Fields that the portal does not know are dropped there without a word; here they are an error.
    async fn checked(&self, lead: &LeadSnapshot) -> Result<Arc<Fields>, SyncError> {
        let fields = self.known_fields().await?;
        if fields.unknown(lead).is_none() {
            return Ok(fields);
        }
        // It may have been made since.
        self.fields.forget();
        let fields = self.known_fields().await?;
        match fields.unknown(lead) {
            None => Ok(fields),
            Some(field) => Err(SyncError::Refused {
                message: format!(
                    "Bitrix24 has no field {field} on leads that can be filled: choose another one in the mapping"
                ),
                field: Some(field.to_owned()),
            }),
        }
    }

    /// Contact and company with one of these phones or mails.
    async fn known(&self, lead: &LeadSnapshot) -> Result<(Option<String>, Option<String>), SyncError> {
        let mut commands = Vec::new();
        for (kind, values) in [("PHONE", &lead.person.phones), ("EMAIL", &lead.person.emails)] {
            if values.is_empty() {
                continue;
            }
            // For each kind of record apart: twenty hits of one hide the next.
            for entity in ["CONTACT", "COMPANY"] {
                let values: Vec<&String> = values.iter().take(MAX_VALUES).collect();
                let asked = json!({"type": kind, "entity_type": entity, "values": values});
                commands.push((format!("{entity}_{kind}"), "crm.duplicate.findbycomm", asked));
            }
        }
        if commands.is_empty() {
            return Ok((None, None));
        }
        let results = self.api.batch(&commands).await?;
        let first = |entity: &str| {
            results.iter().find_map(|(key, found)| {
                let ids = key.starts_with(entity).then(|| found.get(entity))??;
                value::items(ids).into_iter().find_map(value::reference)
            })
        };
        Ok((first("CONTACT"), first("COMPANY")))
    }

    async fn user(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        if let Some(id) = &lead.owner_id {
            return Ok(Some(id.clone()));
        }
        let Some(email) = &lead.owner_email else {
            return Ok(None);
        };
        let asked = json!({"FILTER": {"EMAIL": email, "ACTIVE": true}});
        match self.api.call("user.get", &asked, Effect::Reads).await {
            Ok(users) => Ok(value::items(&users)
                .into_iter()
                .find(|user| value::text(user, "EMAIL").eq_ignore_ascii_case(email))
                .and_then(|user| user.get("ID"))
                .and_then(value::reference)),
            // The right to read users is not worth a lead.
            Err(SyncError::Auth(_) | SyncError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn all_users(&self) -> Result<Vec<RemoteUser>, SyncError> {
        // The size of a page is Bitrix24's own.
        const PAGE: usize = 50;
        let mut all = Vec::new();
        for page in 0..users::PAGES {
            let asked = json!({"FILTER": {"ACTIVE": true, "USER_TYPE": "employee"}, "start": page * PAGE});
            let found = self.api.call("user.get", &asked, Effect::Reads).await?;
            let found = value::items(&found);
            let people = found.iter();
            all.extend(people.filter_map(|one| users::user(one, "ID", &["NAME", "LAST_NAME"], "EMAIL")));
            if found.len() < PAGE {
                break;
            }
        }
        Ok(all)
    }

    fn remote(&self, item: &Value) -> Option<RemoteLead> {
        let id = item.get("id").and_then(value::reference)?;
        Some(RemoteLead {
            url: self.api.page(&format!("crm/lead/details/{id}/")),
            person_id: item.get("contactId").and_then(value::reference),
            company_id: item.get("companyId").and_then(value::reference),
            merged: false,
            id,
        })
    }

    fn note_status(&self, item: &Value) {
        if let Some(id) = item.get("id").and_then(value::id) {
            self.written.note(&id, value::text(item, "stageId"));
        }
    }
}

#[async_trait]
impl Adapter for Bitrix {
    async fn check(&self) -> Result<String, SyncError> {
        let profile = self.api.call("profile", &json!({}), Effect::Reads).await?;
        let asked = json!({"entityTypeId": LEAD, "select": ["id"], "start": -1});
        self.api.call("crm.item.list", &asked, Effect::Reads).await?;
        let fields = self.known_fields().await?;
        let name = format!(
            "{} {}",
            value::text(&profile, "NAME"),
            value::text(&profile, "LAST_NAME")
        );
        let name = match name.trim() {
            "" => value::text(&profile, "ID").to_owned(),
            name => name.to_owned(),
        };
        Ok(format!(
            "{} answers. We work there as {name}, who may read leads; {} fields of leads can be filled. Whether leads may be made shows with the first one.",
            self.api.host(),
            fields.count(),
        ))
    }

    async fn fields(&self) -> Result<Vec<RemoteField>, SyncError> {
        self.fields.forget();
        Ok(self.known_fields().await?.list())
    }

    async fn statuses(&self) -> Result<Vec<RemoteStatus>, SyncError> {
        let all = self.all_statuses().await?;
        Ok(lead::statuses(&all))
    }

    async fn users(&self) -> Result<Option<Vec<RemoteUser>>, SyncError> {
        users::listed(self.all_users().await)
    }

    async fn find(&self, lead_id: &str) -> Result<Option<RemoteLead>, SyncError> {
        let asked = json!({
            "entityTypeId": LEAD,
            "filter": {"=originatorId": SOURCE, "=originId": lead_id},
            "select": ["id", "contactId", "companyId", "stageId", "originId"],
            "order": {"id": "ASC"},
        });
        let found = self.api.call("crm.item.list", &asked, Effect::Reads).await?;
        let items = found.get("items").map(value::items).unwrap_or_default();
        // A filter by a field that a portal does not know is ignored like one that is filled: look.
        let item = items
            .into_iter()
            .find(|item| value::text(item, "originId") == lead_id);
        if let Some(item) = item {
            self.note_status(item);
        }
        Ok(item.and_then(|item| self.remote(item)))
    }

    async fn create(&self, lead: &LeadSnapshot) -> Result<RemoteLead, SyncError> {
        let fields = self.checked(lead).await?;
        let (contact, company) = self.known(lead).await?;
        let owner = self.user(lead).await?;
        let filled = lead::filled(
            lead,
            &lead::Joined {
                contact: contact.as_deref(),
                company: company.as_deref(),
                owner: owner.as_deref(),
                source_id: self.source_id.as_deref(),
            },
        );
        let asked = json!({"entityTypeId": LEAD, "fields": filled});
        let made = self.api.try_call("crm.item.add", &asked, Effect::Writes).await;
        let made = made.map_err(|failure| fields.named(failure))?;
        let item = made.get("item").unwrap_or(&Value::Null);
        self.note_status(item);
        self.remote(item)
            .ok_or_else(|| self.api.client.strange(Effect::Writes))
    }

    async fn update(&self, remote: &RemoteLead, lead: &LeadSnapshot) -> Result<(), SyncError> {
        let fields = self.checked(lead).await?;
        let filled = lead::changed(lead);
        if filled.is_empty() {
            return Ok(());
        }
        let asked = json!({"entityTypeId": LEAD, "id": value::number(&remote.id), "fields": filled});
        match self.api.try_call("crm.item.update", &asked, Effect::Writes).await {
            Ok(updated) => {
                if let Some(item) = updated.get("item") {
                    self.note_status(item);
                }
                Ok(())
            }
            Err(failure) if failure.code == "NOT_FOUND" => Err(gone()),
            Err(failure) => Err(fields.named(failure)),
        }
    }

    async fn note(&self, remote: &RemoteLead, note: &Note) -> Result<String, SyncError> {
        let id = value::number(&remote.id);
        let of_lead = json!({"ENTITY_ID": id, "ENTITY_TYPE": "lead"});
        let look = [
            (
                "lead".to_owned(),
                "crm.item.get",
                json!({"entityTypeId": LEAD, "id": id}),
            ),
            (
                "comments".to_owned(),
                "crm.timeline.comment.list",
                json!({"filter": of_lead, "order": {"ID": "DESC"}, "select": ["ID", "COMMENT"]}),
            ),
        ];
        let found = match self.api.try_batch(&look).await {
            Ok(found) => found,
            Err(Failure { code, .. }) if code == "NOT_FOUND" => return Err(gone()),
            Err(failure) => return Err(failure.error),
        };
        let mark = text::mark(&note.id);
        let comments = found
            .iter()
            .find(|(key, _)| key == "comments")
            .map(|(_, found)| found);
        let there = comments
            .map(value::items)
            .unwrap_or_default()
            .into_iter()
            .find_map(|comment| {
                let ours = value::text(comment, "COMMENT").contains(&mark);
                comment.get("ID").filter(|_| ours).and_then(value::id)
            });
        if let Some(there) = there {
            return Ok(there);
        }
        // A comment is read as BB code, and what a customer wrote is to stay what they wrote: no link under
        // other words, no picture from elsewhere.
        let plain = Note {
            text: note.text.replace('[', "［"),
            ..note.clone()
        };
        let asked = json!({"fields": {
            "ENTITY_ID": id,
            "ENTITY_TYPE": "lead",
            "COMMENT": text::note(&plain, MAX_NOTE),
        }});
        let made = self
            .api
            .call("crm.timeline.comment.add", &asked, Effect::Writes)
            .await?;
        value::reference(&made).ok_or_else(|| self.api.client.strange(Effect::Writes))
    }

    async fn changes(&self, cursor: Option<Value>) -> Result<Changes, SyncError> {
        changes::poll(self, cursor).await
    }
}

fn gone() -> SyncError {
    SyncError::Gone("the lead was deleted in Bitrix24".to_owned())
}
