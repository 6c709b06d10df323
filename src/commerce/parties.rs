//! Counterparties: found again by what 1C knows them by, then by their numbers and addresses, else made.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use switchboard_exchange::commerce::Party;
use switchboard_sdk::{Identity, IdentityKind, Person};

use super::{Counts, Language, Options, kind, orders::digest_of, store};
use crate::{
    company,
    contact::{
        change,
        identify::{self, Known},
    },
    db::{
        WriteTx, bulk,
        entity::{commerce_link, contact, contact_suggestion, identity},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
    tag,
};

/// How an address came to be known.
const VIA: &str = "1c";

/// Why a thing of a file was not taken in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It cannot be, and why.
    #[error("{0}")]
    Unfit(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Fault {
    /// Fields that cannot be, in words.
    pub fn of_fields(fields: Vec<(String, String)>) -> Self {
        let said: Vec<String> = fields
            .into_iter()
            .map(|(field, message)| format!("{field}: {message}"))
            .collect();
        Self::Unfit(said.join("; "))
    }
}

impl From<company::store::Error> for Fault {
    fn from(error: company::store::Error) -> Self {
        match error {
            company::store::Error::Db(error) => Self::Db(error),
            company::store::Error::Invalid(fields) => Self::of_fields(fields),
            other => Self::Unfit(other.to_string()),
        }
    }
}

impl From<change::ChangeError> for Fault {
    fn from(error: change::ChangeError) -> Self {
        match error {
            change::ChangeError::Db(error) => Self::Db(error),
            change::ChangeError::Invalid(fields) => Self::of_fields(fields),
            other => Self::Unfit(other.to_string()),
        }
    }
}

/// Who a counterparty is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// A company.
    Company(String),
    /// A contact.
    Contact(String),
    /// Somebody who was removed here, and is not made again.
    Removed,
}

/// Some things of a file, being taken in within one transaction.
pub(super) struct Step<'a> {
    pub write: &'a mut WriteTx,
    pub exchange_id: &'a str,
    pub options: &'a Options,
    pub now: chrono::DateTime<chrono::Utc>,
    pub counts: Counts,
    /// Companies by their phones and e-mail addresses, once somebody asked.
    pub addresses: Option<HashMap<String, String>>,
}

impl Step<'_> {
    /// Takes a counterparty in. Answers who it is, and whether anything was made or changed.
    pub async fn party(&mut self, party: &Party) -> Result<(Who, bool), Fault> {
        let external_id = party.id.as_deref().map(known_by);
        let link = match &external_id {
            Some(id) => store::link(self.write, self.exchange_id, kind::PARTY, id).await?,
            None => None,
        };
        let digest = digest_of(party);
        if let Some(link) = &link {
            let who = match (&link.company_id, &link.contact_id) {
                (Some(id), _) => Who::Company(id.clone()),
                (None, Some(id)) => Who::Contact(id.clone()),
                (None, None) => return Ok((Who::Removed, false)),
            };
            if link.digest.as_deref() == Some(&digest) {
                return Ok((who, false));
            }
        }
        let known = link
            .as_ref()
            .and_then(|link| link.company_id.clone().or_else(|| link.contact_id.clone()));
        // Nobody is made for being deleted.
        if party.deleted && known.is_none() && external_id.is_some() {
            return Ok((Who::Removed, false));
        }
        let is_company = link
            .as_ref()
            .map_or(party.is_company, |link| link.company_id.is_some());
        let who = if is_company {
            let id = self.company(party, known).await?;
            for person in &party.people {
                self.person_of(person, &id).await?;
            }
            self.mark(&id, party.deleted).await?;
            Who::Company(id)
        } else {
            let id = self.contact(party, known, None).await?;
            if self.mark(&id, party.deleted).await? {
                self.write
                    .record(NewEvent::new(EventType::ContactUpdated, &id, self.now));
            }
            Who::Contact(id)
        };
        if let Some(external_id) = external_id {
            self.keep_link(link, &external_id, &who, digest).await?;
        }
        Ok((who, true))
    }

    async fn keep_link(
        &mut self,
        link: Option<commerce_link::Model>,
        external_id: &str,
        who: &Who,
        digest: String,
    ) -> Result<(), DbErr> {
        let is_new = link.is_none();
        let mut row = link.unwrap_or_else(|| commerce_link::Model {
            id: id::new(Kind::CommerceLink, self.now),
            exchange_id: self.exchange_id.to_owned(),
            kind: kind::PARTY.to_owned(),
            external_id: external_id.to_owned(),
            deal_id: None,
            company_id: None,
            contact_id: None,
            digest: None,
            document: None,
            created_at: self.now,
            updated_at: self.now,
        });
        match who {
            Who::Company(id) => row.company_id = Some(id.clone()),
            Who::Contact(id) => row.contact_id = Some(id.clone()),
            Who::Removed => {}
        }
        row.digest = Some(digest);
        row.updated_at = self.now;
        store::put_link(self.write, row, is_new).await
    }

    /// Who speaks for a company.
    async fn person_of(&mut self, person: &Party, company_id: &str) -> Result<(), Fault> {
        let external_id = person.id.as_deref().map(known_by);
        let link = match &external_id {
            Some(id) => store::link(self.write, self.exchange_id, kind::PARTY, id).await?,
            None => None,
        };
        let digest = digest_of(person);
        let known = match &link {
            Some(link) if link.contact_id.is_none() || link.digest.as_deref() == Some(&digest) => {
                return Ok(());
            }
            Some(link) => link.contact_id.clone(),
            None => None,
        };
        let id = self.contact(person, known, Some(company_id)).await?;
        if let Some(external_id) = external_id {
            self.keep_link(link, &external_id, &Who::Contact(id), digest)
                .await?;
        }
        Ok(())
    }

    /// The mark of what was deleted in 1C: here nothing is removed for that. Answers whether it changed.
    async fn mark(&mut self, id: &str, deleted: bool) -> Result<bool, DbErr> {
        let mark = match self.options.language {
            Language::Ru => "удалён в 1с",
            Language::En => "deleted in 1c",
        };
        let marked = tag::of(self.write.tx(), &[id.to_owned()])
            .await?
            .remove(id)
            .is_some_and(|tags| tags.iter().any(|tag| tag == mark));
        if marked == deleted {
            return Ok(false);
        }
        let mark = [mark.to_owned()];
        if deleted {
            tag::add(self.write, id, &mark).await?;
        } else {
            tag::remove(self.write, id, &mark).await?;
        }
        Ok(true)
    }

    async fn contact(
        &mut self,
        party: &Party,
        known: Option<String>,
        company_id: Option<&str>,
    ) -> Result<String, Fault> {
        let claim = |kind: IdentityKind| {
            move |value: &String| Identity {
                kind,
                value: value.clone(),
                verified: false,
            }
        };
        let emails = party.emails.iter().map(claim(IdentityKind::Email));
        let phones = party.phones.iter().map(claim(IdentityKind::Phone));
        let person = Person {
            identities: emails.chain(phones).collect(),
            ..Person::default()
        };
        let owners = self.owners(&person.identities).await?;
        let resolution = identify::resolve(&person, |identity| {
            owners
                .get(&(identity.kind.as_str().to_owned(), identity.value.clone()))
                .cloned()
        });
        let known = known.or_else(|| resolution.contact_id.clone());
        let row = match &known {
            Some(id) => contact::Entity::find_by_id(id).one(self.write.tx()).await?,
            None => None,
        };
        let id = match row {
            None => {
                let said = change::Change {
                    name: Some(Some(party.name.clone())),
                    operator_id: Some(self.options.operator_id.clone()),
                    company_id: Some(company_id.map(str::to_owned)),
                    ..change::Change::default()
                };
                self.counts.contacts += 1;
                change::create(self.write, said, self.now).await?
            }
            Some(row) => {
                let name = row.name.is_none().then(|| Some(party.name.clone()));
                let employer = company_id
                    .filter(|_| row.company_id.is_none())
                    .map(|id| Some(id.to_owned()));
                if name.is_some() || employer.is_some() {
                    let said = change::Change {
                        name,
                        company_id: employer,
                        ..change::Change::default()
                    };
                    change::change(self.write, &row.id, said, self.now).await?;
                }
                row.id
            }
        };
        self.add_identities(&id, &person.identities, &owners).await?;
        Ok(id)
    }

    async fn owners(&self, identities: &[Identity]) -> Result<HashMap<(String, String), Known>, DbErr> {
        let values = identities.iter().map(|one| one.value.clone());
        if identities.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = identity::Entity::find()
            .filter(identity::Column::Kind.is_in(["email", "phone"]))
            .filter(identity::Column::Value.is_in(bulk::padded(values)))
            .all(self.write.tx())
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let known = Known {
                    contact_id: row.contact_id,
                    verified: row.verified,
                };
                ((row.kind, row.value), known)
            })
            .collect())
    }

    /// Those that are nobody's become theirs; those that are somebody else's say who they may also be.
    async fn add_identities(
        &mut self,
        contact_id: &str,
        identities: &[Identity],
        owners: &HashMap<(String, String), Known>,
    ) -> Result<(), DbErr> {
        for one in identities {
            let owner = owners.get(&(one.kind.as_str().to_owned(), one.value.clone()));
            match owner {
                None => {
                    let row = identity::Model {
                        kind: one.kind.as_str().to_owned(),
                        value: one.value.clone(),
                        contact_id: contact_id.to_owned(),
                        verified: false,
                        created_at: self.now,
                        unreachable_since: None,
                        unreachable_reason: None,
                        via: Some(VIA.to_owned()),
                        added_by: None,
                    };
                    identity::Entity::insert(sea_orm::IntoActiveModel::into_active_model(row))
                        .exec_without_returning(self.write.tx())
                        .await?;
                }
                Some(owner) if owner.contact_id != contact_id => {
                    let (one_id, other_id) = crate::contact::store::pair(contact_id, &owner.contact_id);
                    let row = contact_suggestion::Model {
                        contact_id: one_id,
                        other_id,
                        reason: identify::reason(one),
                        created_at: self.now,
                    };
                    contact_suggestion::Entity::insert(sea_orm::IntoActiveModel::into_active_model(row))
                        .on_conflict_do_nothing()
                        .exec_without_returning(self.write.tx())
                        .await?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// What something of theirs is remembered by. 1C's own ids are; those of shops hold names and addresses (`3#a@b.c#Ann`),
/// of which a digest is enough.
pub(super) fn known_by(external_id: &str) -> String {
    let plain = external_id.len() <= 100
        && external_id
            .chars()
            .all(|char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | '/' | ' '));
    if plain {
        external_id.to_owned()
    } else {
        format!("sha256:{}", digest_of(&external_id))
    }
}
