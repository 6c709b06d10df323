//! A lead of ours with all that a CRM is told of it, mapped.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use switchboard_crm::{Company, LeadSnapshot, Person, Stage};

use super::mapping::{self, Mapping};
use crate::db::entity::{channel, company, contact, crm_link, identity, lead, lead_outcome, line, operator};

/// Everything of ours that a mapping may draw on.
#[derive(Debug, Clone)]
pub struct Ours {
    /// The lead.
    pub lead: lead::Model,
    contact: Option<contact::Model>,
    identities: Vec<identity::Model>,
    company: Option<company::Model>,
    owner: Option<operator::Model>,
    line: Option<line::Model>,
    channel: Option<channel::Model>,
    loss_reason: Option<String>,
}

/// Reads a lead and what belongs to it.
pub async fn read(db: &impl ConnectionTrait, lead: lead::Model) -> Result<Ours, DbErr> {
    let contact = contact::Entity::find_by_id(&lead.contact_id).one(db).await?;
    // Proven ones first, then the oldest.
    let identities = identity::Entity::find()
        .filter(identity::Column::ContactId.eq(&lead.contact_id))
        .order_by_desc(identity::Column::Verified)
        .order_by_asc(identity::Column::CreatedAt)
        .order_by_asc(identity::Column::Value)
        .all(db)
        .await?;
    let company = match contact.as_ref().and_then(|row| row.company_id.clone()) {
        Some(id) => company::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    let owner = match &lead.operator_id {
        Some(id) => operator::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    let line = match &lead.line_id {
        Some(id) => line::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    let channel = match &lead.channel_id {
        Some(id) => channel::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    let loss_reason = if lead.status == "junk" {
        let outcome = lead_outcome::Entity::find_by_id(&lead.id).one(db).await?;
        outcome.and_then(|row| row.loss_reason)
    } else {
        None
    };
    Ok(Ours {
        lead,
        contact,
        identities,
        company,
        owner,
        line,
        channel,
        loss_reason,
    })
}

impl Ours {
    /// What the CRM is told. Their state is said when both sides are not of one mind about the status, and else left
    /// as it is: several states there may be one status here.
    pub fn snapshot(
        &self,
        mapping: &Mapping,
        link: Option<&crm_link::Model>,
        public_url: &str,
    ) -> LeadSnapshot {
        let lead = &self.lead;
        let agreed = link.and_then(|link| link.agreed_status.as_deref()) == Some(lead.status.as_str());
        let owner = self.owner.as_ref();
        LeadSnapshot {
            id: lead.id.clone(),
            title: lead.title.clone(),
            created_at: lead.created_at,
            stage: mapping::stage(&lead.status),
            status_id: mapping
                .status_id(&lead.status)
                .filter(|_| !agreed)
                .map(str::to_owned),
            source: self.source(),
            attribution: self.attribution(),
            person: self.person(),
            company: self.company.as_ref().map(|row| Company {
                id: row.id.clone(),
                name: row.name.clone(),
            }),
            owner_email: owner.and_then(|row| row.email.clone()),
            owner_id: owner.and_then(|row| mapping.owners.get(&row.id).cloned()),
            fields: mapping.fill(&self.facts(public_url)),
            url: format!("{public_url}/leads/{}", lead.id),
        }
    }

    fn source(&self) -> String {
        let lead = &self.lead;
        let kind = lead.channel_kind.as_deref();
        let called = touch(&lead.attribution, "last").get("called_number").cloned();
        match (kind, &self.channel) {
            (Some("voip"), Some(channel)) => match called.as_ref().and_then(Value::as_str) {
                Some(number) => format!("voip: {}, {number}", channel.name),
                None => format!("voip: {}", channel.name),
            },
            (Some(kind), Some(channel)) => format!("{kind}: {}", channel.name),
            _ => lead.source.clone(),
        }
    }

    /// The last touch, and where it says nothing the first.
    fn attribution(&self) -> BTreeMap<String, String> {
        let mut touches = touch(&self.lead.attribution, "first");
        touches.extend(touch(&self.lead.attribution, "last"));
        touches
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
            .collect()
    }

    fn person(&self) -> Person {
        let contact = self.contact.as_ref();
        Person {
            id: self.lead.contact_id.clone(),
            name: contact.and_then(|row| row.name.clone()).unwrap_or_default(),
            phones: self.of_kind("phone"),
            emails: self.of_kind("email"),
            language: contact.and_then(|row| row.language.clone()),
        }
    }

    fn of_kind(&self, kind: &str) -> Vec<String> {
        let of_kind = self.identities.iter().filter(|row| row.kind == kind);
        of_kind.map(|row| row.value.clone()).collect()
    }

    fn facts(&self, public_url: &str) -> BTreeMap<String, Value> {
        let lead = &self.lead;
        let person = self.person();
        let company = self.company.as_ref();
        let owner = self.owner.as_ref();
        let mut facts = BTreeMap::new();
        for (key, value) in [
            ("lead.title", json!(lead.title)),
            ("lead.status", json!(lead.status)),
            ("lead.source", json!(lead.source)),
            ("lead.created_at", json!(lead.created_at)),
            ("lead.loss_reason", json!(self.loss_reason)),
            ("lead.id", json!(lead.id)),
            ("lead.url", json!(format!("{public_url}/leads/{}", lead.id))),
            ("contact.name", json!(person.name)),
            ("contact.phone", json!(person.phones.first())),
            ("contact.email", json!(person.emails.first())),
            ("contact.language", json!(person.language)),
            ("company.name", json!(company.map(|row| &row.name))),
            (
                "company.website",
                json!(company.and_then(|row| row.website.as_ref())),
            ),
            (
                "company.tax_number",
                json!(company.and_then(|row| row.tax_number.as_ref())),
            ),
            ("line.name", json!(self.line.as_ref().map(|row| &row.name))),
            ("channel.name", json!(self.channel.as_ref().map(|row| &row.name))),
            ("channel.kind", json!(lead.channel_kind)),
            ("owner.name", json!(owner.map(|row| &row.name))),
            ("owner.email", json!(owner.and_then(|row| row.email.as_ref()))),
            ("owner.id", json!(lead.operator_id)),
        ] {
            facts.insert(key.to_owned(), value);
        }
        let contact_fields = self.contact.as_ref().map(|row| &row.fields);
        for (begin, fields) in [
            ("lead.fields", Some(&lead.fields)),
            ("contact.fields", contact_fields),
            ("company.fields", company.map(|row| &row.fields)),
        ] {
            for (key, value) in fields.and_then(Value::as_object).into_iter().flatten() {
                facts.insert(format!("{begin}.{key}"), value.clone());
            }
        }
        for (key, value) in self.attribution() {
            facts.insert(format!("attribution.{key}"), json!(value));
        }
        for (key, value) in touch(&lead.attribution, "first") {
            facts.insert(format!("first.{key}"), value);
        }
        facts
    }
}

fn touch(attribution: &Value, which: &str) -> Map<String, Value> {
    let touch = attribution.get(which).and_then(Value::as_object);
    touch.cloned().unwrap_or_default()
}

/// A digest of what a snapshot says beside the status: what did not change is not sent.
pub fn fingerprint(snapshot: &LeadSnapshot) -> String {
    let bare = LeadSnapshot {
        stage: Stage::Open,
        status_id: None,
        ..snapshot.clone()
    };
    hex::encode(Sha256::digest(serde_json::to_vec(&bare).unwrap_or_default()))
}
