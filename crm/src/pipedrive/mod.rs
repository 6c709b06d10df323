//! Pipedrive: a lead in the leads inbox, or a deal; in both cases its person first.
//!
//! Our id stands in a custom field of deals, which leads share. The search that knows custom fields lags, so the
//! newest records are looked through first: an answer that was lost is a moment old.

mod api;
mod changes;
mod people;
mod record;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::{Map, Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use self::{record::Fields, settings::Record};
use crate::{
    Adapter, BuildContext, Changes, Descriptor, LeadSnapshot, Note, Pace, RemoteField, RemoteLead,
    RemoteStatus, RemoteUser, SyncError,
    shared::{
        client::{Effect, segment},
        kept::{Kept, Written},
        origin::SOURCE,
        poll,
        rest::Rest,
        text, users, value,
    },
};

/// The adapter, described.
pub static DESCRIPTOR: Descriptor = Descriptor {
    kind: "pipedrive",
    label: "Pipedrive",
    settings_schema: settings::schema,
    example: settings::example,
    build,
    // 20 in two seconds in the smallest plan; the budget of a day is spent by tokens, of which a search takes 40.
    pace: Pace {
        burst: 10,
        per_second: 5.0,
    },
    two_way: true,
};

/// A note; the rest is behind its link.
const MAX_NOTE: usize = 50_000;

fn build(settings: Value, context: BuildContext) -> Result<Arc<dyn Adapter>, SettingsError> {
    Ok(Arc::new(settings::build(settings, &context)?))
}

/// One company.
#[derive(Debug)]
pub(crate) struct Pipedrive {
    rest: Rest,
    company: Url,
    record: Record,
    stage_id: Option<i64>,
    labels: Vec<String>,
    fields: Kept<Fields>,
    written: Written,
}

impl Pipedrive {
    async fn known_fields(&self) -> Result<Arc<Fields>, SyncError> {
        let load = async {
            let (mut all, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let mut query = vec![("limit", "500")];
                if let Some(cursor) = &cursor {
                    query.push(("cursor", cursor));
                }
                let found = self.read("api/v2/dealFields", &query).await?;
                all.extend(api::data(&found));
                cursor = api::next(&found);
                if cursor.is_none() || all.len() > 2000 {
                    return Ok(Fields::read(&all));
                }
            }
        };
        self.fields.get(self.rest.client.now(), load).await
    }

    /// The fields, with the one for our id among them.
    async fn fields_with_origin(&self) -> Result<(Arc<Fields>, String), SyncError> {
        let fields = self.known_fields().await?;
        if let Some(origin) = fields.origin() {
            let origin = origin.to_owned();
            return Ok((fields, origin));
        }
        let body = json!({"field_name": record::ORIGIN, "field_type": "varchar"});
        let made = self.write(Method::POST, "api/v2/dealFields", &body).await;
        self.fields.forget();
        match made {
            Ok(_) => {}
            Err(SyncError::Auth(message) | SyncError::Refused { message, .. }) => {
                return Err(SyncError::Auth(format!(
                    "Pipedrive does not let us make the field that our leads are found by again: make a text field \"{}\" for deals there, or sign in as an administrator ({message})",
                    record::ORIGIN
                )));
            }
            Err(SyncError::Unknown(message)) => return Err(SyncError::Temporary(message)),
            Err(error) => return Err(error),
        }
        let fields = self.known_fields().await?;
        match fields.origin().map(str::to_owned) {
            Some(origin) => Ok((fields, origin)),
            None => Err(SyncError::Temporary(
                "Pipedrive does not show the new field for our id yet".to_owned(),
            )),
        }
    }

    /// Fields that Pipedrive does not know are an error here, not a surprise there.
    async fn checked(&self, lead: &LeadSnapshot) -> Result<(Arc<Fields>, String), SyncError> {
        let (fields, origin) = self.fields_with_origin().await?;
        if fields.unknown(lead).is_none() {
            return Ok((fields, origin));
        }
        self.fields.forget();
        let (fields, origin) = self.fields_with_origin().await?;
        match fields.unknown(lead) {
            None => Ok((fields, origin)),
            Some(field) => Err(SyncError::Refused {
                message: format!(
                    "Pipedrive has no field {field} that can be filled: choose another one in the mapping"
                ),
                field: Some(field.to_owned()),
            }),
        }
    }

    async fn label_ids(&self, fields: &Fields) -> Result<Vec<Value>, SyncError> {
        if self.labels.is_empty() {
            return Ok(Vec::new());
        }
        let known: Vec<(String, String)> = match self.record {
            Record::Lead => {
                let found = self.read("api/v1/leadLabels", &[]).await?;
                api::data(&found)
                    .iter()
                    .filter_map(|label| {
                        Some((
                            value::id(label.get("id")?)?,
                            value::text(label, "name").to_owned(),
                        ))
                    })
                    .collect()
            }
            Record::Deal => fields.deal_labels(),
        };
        let mut ids = Vec::new();
        for label in &self.labels {
            let found = known.iter().find(|(_, name)| name.eq_ignore_ascii_case(label));
            let Some((id, _)) = found else {
                return Err(SyncError::Refused {
                    message: format!(
                        "Pipedrive has no label \"{label}\": make it there, or correct the settings"
                    ),
                    field: Some("labels".to_owned()),
                });
            };
            ids.push(match self.record {
                Record::Lead => Value::from(id.as_str()),
                Record::Deal => value::number(id),
            });
        }
        Ok(ids)
    }

    async fn user(&self, lead: &LeadSnapshot) -> Result<Option<String>, SyncError> {
        if let Some(id) = &lead.owner_id {
            return Ok(Some(id.clone()));
        }
        let Some(email) = &lead.owner_email else {
            return Ok(None);
        };
        let found = self
            .read("api/v1/users/find", &[("term", email), ("search_by_email", "1")])
            .await;
        match found {
            Ok(found) => Ok(api::data(&found)
                .iter()
                .find(|user| value::text(user, "email").eq_ignore_ascii_case(email))
                .and_then(|user| user.get("id"))
                .and_then(value::reference)),
            Err(SyncError::Auth(_) | SyncError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn all_users(&self) -> Result<Vec<RemoteUser>, SyncError> {
        let found = self.read("api/v1/users", &[]).await?;
        let there = |user: &Value| user.get("active_flag").is_none_or(value::truth);
        let people = api::data(&found).into_iter().filter(there);
        Ok(people
            .filter_map(|one| users::user(&one, "id", &["name"], "email"))
            .collect())
    }

    fn path(&self, id: Option<&str>) -> String {
        let base = match self.record {
            Record::Lead => "api/v1/leads",
            Record::Deal => "api/v2/deals",
        };
        match id {
            Some(id) => format!("{base}/{}", segment(id)),
            None => base.to_owned(),
        }
    }

    fn remote(&self, found: &Value) -> Option<RemoteLead> {
        let id = found.get("id").and_then(value::reference)?;
        let page = match self.record {
            Record::Lead => format!("/leads/inbox/{id}"),
            Record::Deal => format!("/deal/{id}"),
        };
        let of = |names: [&str; 2]| {
            names
                .iter()
                .find_map(|name| found.get(*name).and_then(value::reference))
        };
        Some(RemoteLead {
            url: self.company.join(&page).ok().map(String::from),
            person_id: of(["person_id", "person"]),
            company_id: of(["organization_id", "org_id"]),
            merged: false,
            id,
        })
    }

    fn note_status(&self, found: &Value) {
        if let (Some(id), Some(status)) = (
            found.get("id").and_then(value::id),
            record::status(self.record, found),
        ) {
            self.written.note(&id, &status);
        }
    }

    /// The record, unless somebody deleted it. A lead that became a deal is no lead any more.
    async fn existing(&self, id: &str) -> Result<Value, SyncError> {
        let answer = self.get(&self.path(Some(id)), &[]).await?;
        if matches!(answer.status.as_u16(), 404 | 410) {
            return Err(gone());
        }
        let found = self.good(&answer)?;
        let found = found.get("data").cloned().unwrap_or_default();
        let deleted =
            found.get("is_deleted").is_some_and(value::truth) || value::text(&found, "status") == "deleted";
        if found.is_null() || deleted {
            return Err(gone());
        }
        Ok(found)
    }
}

#[async_trait]
impl Adapter for Pipedrive {
    async fn check(&self) -> Result<String, SyncError> {
        let me = self.read("api/v1/users/me", &[]).await?;
        let me = me.get("data").cloned().unwrap_or_default();
        let fields = self.known_fields().await?;
        if self.record == Record::Lead {
            self.read("api/v1/leads", &[("limit", "1")]).await?;
        } else {
            self.read("api/v2/deals", &[("limit", "1")]).await?;
        }
        self.label_ids(&fields).await?;
        let what = match self.record {
            Record::Lead => "leads in the leads inbox",
            Record::Deal => "deals",
        };
        let origin = match fields.origin() {
            Some(_) => "The field for our id is there.",
            None => "The first lead will make the field \"Switchboard ID\".",
        };
        Ok(format!(
            "{} answers. We work there as {}; our leads become {what}. {origin}",
            value::text(&me, "company_name"),
            value::text(&me, "name"),
        ))
    }

    async fn fields(&self) -> Result<Vec<RemoteField>, SyncError> {
        self.fields.forget();
        Ok(self.known_fields().await?.list())
    }

    async fn statuses(&self) -> Result<Vec<RemoteStatus>, SyncError> {
        if self.record == Record::Lead {
            return Ok(record::lead_statuses());
        }
        let pipelines = self.read("api/v2/pipelines", &[("limit", "500")]).await?;
        let stages = self.read("api/v2/stages", &[("limit", "500")]).await?;
        Ok(record::deal_statuses(&api::data(&pipelines), &api::data(&stages)))
    }

    async fn users(&self) -> Result<Option<Vec<RemoteUser>>, SyncError> {
        users::listed(self.all_users().await)
    }

    async fn find(&self, lead_id: &str) -> Result<Option<RemoteLead>, SyncError> {
        let Some(origin) = self.known_fields().await?.origin().map(str::to_owned) else {
            return Ok(None);
        };
        let newest = match self.record {
            Record::Lead => vec![("sort", "add_time DESC"), ("limit", "100")],
            Record::Deal => vec![
                ("sort_by", "add_time"),
                ("sort_direction", "desc"),
                ("limit", "100"),
            ],
        };
        let newest = self.read(&self.path(None), &newest).await?;
        let newest = api::data(&newest);
        if let Some(found) = newest
            .iter()
            .find(|found| record::origin_of(found, &origin) == lead_id)
        {
            return Ok(self.remote(found));
        }
        let search = match self.record {
            Record::Lead => "api/v2/leads/search",
            Record::Deal => "api/v2/deals/search",
        };
        let query = [
            ("term", lead_id),
            ("fields", "custom_fields"),
            ("exact_match", "true"),
            ("limit", "10"),
        ];
        let found = self.read(search, &query).await?;
        let items = found.pointer("/data/items").map(value::items).unwrap_or_default();
        for item in items {
            let Some(id) = item.pointer("/item/id").and_then(value::reference) else {
                continue;
            };
            // The index also shows what is no more.
            match self.existing(&id).await {
                Ok(found) if record::origin_of(&found, &origin) == lead_id => return Ok(self.remote(&found)),
                Ok(_) | Err(SyncError::Gone(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn create(&self, lead: &LeadSnapshot) -> Result<RemoteLead, SyncError> {
        let (fields, origin) = self.checked(lead).await?;
        let labels = self.label_ids(&fields).await?;
        let owner = self.user(lead).await?;
        let mut body = fields.filled(self.record, lead, &origin)?;
        let organization = self.organization(lead).await?;
        let person = self.person(lead, organization.as_deref()).await?;
        body.insert("person_id".to_owned(), value::number(&person));
        if let Some(organization) = &organization {
            let name = match self.record {
                Record::Lead => "organization_id",
                Record::Deal => "org_id",
            };
            body.insert(name.to_owned(), value::number(organization));
        }
        if let Some(owner) = &owner {
            body.insert("owner_id".to_owned(), value::number(owner));
        }
        if !labels.is_empty() {
            body.insert("label_ids".to_owned(), labels.into());
        }
        match self.record {
            Record::Lead => {
                body.insert("origin_id".to_owned(), SOURCE.into());
            }
            Record::Deal => {
                if let (None, Some(stage)) = (&lead.status_id, self.stage_id) {
                    body.insert("stage_id".to_owned(), stage.into());
                }
            }
        }
        let made = self
            .write(Method::POST, &self.path(None), &Value::Object(body))
            .await?;
        self.note_status(&made);
        self.remote(&made)
            .map(|made| RemoteLead {
                person_id: Some(person),
                company_id: organization,
                ..made
            })
            .ok_or_else(|| self.rest.client.strange(Effect::Writes))
    }

    async fn update(&self, remote: &RemoteLead, lead: &LeadSnapshot) -> Result<(), SyncError> {
        let (fields, _) = self.checked(lead).await?;
        let mut body = fields.changed(self.record, lead)?;
        if let Some(owner) = &lead.owner_id {
            body.insert("owner_id".to_owned(), value::number(owner));
        }
        self.existing(&remote.id).await?;
        if body.is_empty() {
            return Ok(());
        }
        let made = self
            .write(Method::PATCH, &self.path(Some(&remote.id)), &Value::Object(body))
            .await?;
        self.note_status(&made);
        Ok(())
    }

    async fn note(&self, remote: &RemoteLead, note: &Note) -> Result<String, SyncError> {
        self.existing(&remote.id).await?;
        let (name, of) = match self.record {
            Record::Lead => ("lead_id", Value::from(remote.id.as_str())),
            Record::Deal => ("deal_id", value::number(&remote.id)),
        };
        let query = [
            (name, remote.id.as_str()),
            ("sort", "add_time DESC"),
            ("limit", "100"),
        ];
        let found = self.read("api/v1/notes", &query).await?;
        let mark = text::mark(&note.id);
        let there = api::data(&found).iter().find_map(|one| {
            let ours = value::text(one, "content").contains(&mark);
            one.get("id").filter(|_| ours).and_then(value::id)
        });
        if let Some(there) = there {
            return Ok(there);
        }
        let mut body = Map::new();
        body.insert(
            "content".to_owned(),
            text::html(&text::note(note, MAX_NOTE)).into(),
        );
        body.insert(name.to_owned(), of);
        let made = self
            .write(Method::POST, "api/v1/notes", &Value::Object(body))
            .await?;
        made.get("id")
            .and_then(value::reference)
            .ok_or_else(|| self.rest.client.strange(Effect::Writes))
    }

    async fn changes(&self, cursor: Option<Value>) -> Result<Changes, SyncError> {
        let place = match poll::place(cursor, self.rest.client.now())? {
            Ok(place) => place,
            Err(first) => return Ok(first),
        };
        let (rows, full) = match self.record {
            Record::Lead => self.changed_leads(place.at).await?,
            Record::Deal => self.changed_deals(place.at).await?,
        };
        Ok(poll::step(place, rows, full, &self.written))
    }
}

fn gone() -> SyncError {
    SyncError::Gone("the record is no more in Pipedrive: it was deleted, or became a deal".to_owned())
}
