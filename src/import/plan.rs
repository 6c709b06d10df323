//! Which row becomes what. Pure.

mod interest;
mod sale;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use switchboard_exchange::Record;
use switchboard_sdk::{Identity, IdentityKind, Person};

use super::{
    Counts, Kind, OnDuplicate, Options,
    judge::{Fields, Judged, Rules},
    read::Read,
};
use crate::{
    company::keys::NO_KEYS,
    contact::identify::{self, Known},
    db::entity::{company, contact, contact_suggestion, deal, deal_move, identity, import_row, lead},
    id,
};

/// What identities that come by a file are told by.
const VIA: &str = "import";

/// What is known of the people of some rows, and what the rows make of it.
#[derive(Debug, Default)]
pub struct World {
    /// By kind and value.
    pub identities: HashMap<(String, String), Known>,
    /// Contacts that are known or made.
    pub contacts: HashMap<String, contact::Model>,
    /// The lead of a contact that a row is about: the open one, else the newest.
    pub leads: HashMap<String, lead::Model>,
    /// Companies, by the key of their name.
    pub companies: HashMap<String, company::Model>,
    /// Deals, by their number in another system.
    pub deals: HashMap<String, deal::Model>,
    /// Tags of those deals.
    pub tags: HashMap<String, Vec<String>>,
    /// What rows are judged by.
    pub rules: Rules,
}

/// What is to be written.
#[derive(Debug, Default)]
pub struct Changes {
    /// Contacts that are new, in order.
    pub new_contacts: Vec<String>,
    /// Contacts that changed.
    pub changed_contacts: Vec<String>,
    /// Companies that are new, by the key of their name.
    pub new_companies: Vec<String>,
    /// Companies that changed.
    pub changed_companies: HashSet<String>,
    /// Leads that are new.
    pub new_leads: Vec<lead::Model>,
    /// Leads that changed, by id.
    pub changed_leads: BTreeMap<String, lead::Model>,
    /// Deals that are new.
    pub new_deals: Vec<deal::Model>,
    /// Deals that changed, by id.
    pub changed_deals: BTreeMap<String, deal::Model>,
    /// All tags of deals whose tags are new, by id.
    pub tags: BTreeMap<String, Vec<String>>,
    /// How deals came into their stages.
    pub moves: Vec<deal_move::Model>,
    /// Identities that are new.
    pub identities: Vec<identity::Model>,
    /// Who may be the same person.
    pub suggestions: Vec<contact_suggestion::Model>,
    /// What became of the rows.
    pub rows: Vec<import_row::Model>,
    /// The same, counted.
    pub counts: Counts,
}

/// How rows are taken in.
#[derive(Debug, Clone)]
pub struct How<'a> {
    /// The import.
    pub import_id: &'a str,
    /// How they are taken in.
    pub options: &'a Options,
    /// The moment.
    pub now: DateTime<Utc>,
}

/// The identities a record names, the surest first.
pub fn identities(record: &Record) -> Vec<Identity> {
    let claim = |kind: IdentityKind, value: &String| Identity {
        kind,
        value: value.clone(),
        verified: false,
    };
    let external = record
        .external_id
        .iter()
        .map(|id| claim(IdentityKind::External, id));
    let emails = record
        .emails
        .iter()
        .map(|email| claim(IdentityKind::Email, email));
    let phones = record
        .phones
        .iter()
        .map(|phone| claim(IdentityKind::Phone, phone));
    external.chain(emails).chain(phones).collect()
}

/// The key companies are found by.
pub fn company_key(name: &str) -> String {
    name.to_lowercase()
}

impl World {
    /// Takes in some rows.
    pub fn take(&mut self, rows: Vec<Read>, how: &How<'_>) -> Changes {
        let mut step = Step {
            world: self,
            changes: Changes::default(),
            how,
        };
        for row in rows {
            step.row(row);
        }
        step.changes
    }
}

/// What a row did.
#[derive(Debug, Default)]
struct Done {
    contact_id: Option<String>,
    lead_id: Option<String>,
    company_id: Option<String>,
    deal_id: Option<String>,
    made: Vec<&'static str>,
    changed: bool,
}

struct Step<'a> {
    world: &'a mut World,
    changes: Changes,
    how: &'a How<'a>,
}

impl Step<'_> {
    fn row(&mut self, row: Read) {
        let Read {
            row_no,
            line,
            record,
            wrong,
        } = row;
        let done = self
            .world
            .rules
            .judge(&record, wrong)
            .map(|judged| self.record(&record, &judged));
        let counts = &mut self.changes.counts;
        counts.rows += 1;
        let (outcome, done, errors) = match done {
            Err(wrong) => {
                counts.failed += 1;
                ("failed", Done::default(), Some(json!(wrong)))
            }
            Ok(done) if !done.made.is_empty() => {
                counts.created += 1;
                ("created", done, None)
            }
            Ok(done) if done.changed => {
                counts.updated += 1;
                ("updated", done, None)
            }
            Ok(done) => {
                counts.skipped += 1;
                ("skipped", done, None)
            }
        };
        self.changes.rows.push(import_row::Model {
            import_id: self.how.import_id.to_owned(),
            row_no,
            line,
            outcome: outcome.to_owned(),
            contact_id: done.contact_id,
            lead_id: done.lead_id,
            company_id: done.company_id,
            deal_id: done.deal_id,
            made: done.made.join(" "),
            errors,
        });
    }

    fn record(&mut self, record: &Record, judged: &Judged) -> Done {
        if self.world.rules.kind == Kind::Deals {
            return self.sale(record, judged);
        }
        self.person(record, judged)
    }

    /// The person of a row and, where rows are leads, their lead.
    fn person(&mut self, record: &Record, judged: &Judged) -> Done {
        let person = Person {
            identities: identities(record),
            ..Person::default()
        };
        let resolution = identify::resolve(&person, |identity| {
            let key = (identity.kind.as_str().to_owned(), identity.value.clone());
            self.world.identities.get(&key).cloned()
        });
        let rule = self.how.options.on_duplicate;
        let mut done = Done::default();
        let leads = self.world.rules.kind == Kind::Leads;
        match resolution.contact_id {
            Some(contact_id) if rule == OnDuplicate::Skip => {
                done.contact_id = Some(contact_id);
                return done;
            }
            Some(contact_id) if rule == OnDuplicate::Create => {
                let opens = matches!(record.status, None | Some("new" | "in_progress"));
                let busy = leads && opens && self.world.leads.get(&contact_id).is_some_and(is_open);
                if self.world.rules.kind != Kind::Contacts && !busy {
                    self.add(&contact_id, resolution.add);
                    done.contact_id = Some(contact_id);
                } else {
                    // The addresses stay whose they are; the new contact keeps what the row said.
                    let new = self.contact(record, judged, &mut done);
                    self.keep_words(&new, record, &person);
                    self.add(&new, resolution.add);
                    let sign = person
                        .identities
                        .iter()
                        .find(|one| self.owner(one) == Some(&contact_id));
                    if let Some(sign) = sign.cloned() {
                        self.suggest(&new, &contact_id, &sign);
                    }
                    done.contact_id = Some(new);
                }
            }
            Some(contact_id) => {
                let added = !resolution.add.is_empty();
                self.add(&contact_id, resolution.add);
                let changed = self.refresh(&contact_id, record, judged, &mut done);
                done.changed |= added || changed;
                done.contact_id = Some(contact_id);
            }
            None => {
                let new = self.contact(record, judged, &mut done);
                self.add(&new, resolution.add);
                done.contact_id = Some(new);
            }
        }
        let Some(contact_id) = done.contact_id.clone() else {
            return done;
        };
        for (other, sign) in &resolution.suggest {
            self.suggest(&contact_id, other, sign);
        }
        if leads {
            self.lead(&contact_id, record, judged, &mut done);
        }
        done
    }

    fn owner(&self, identity: &Identity) -> Option<&String> {
        let key = (identity.kind.as_str().to_owned(), identity.value.clone());
        self.world.identities.get(&key).map(|known| &known.contact_id)
    }

    /// A contact of its own.
    fn contact(&mut self, record: &Record, judged: &Judged, done: &mut Done) -> String {
        let now = self.how.now;
        let row = contact::Model {
            id: id::new(id::Kind::Contact, now),
            name: record.name.clone(),
            language: record.language.clone(),
            company_id: self.company(record, judged, done),
            operator_id: judged.contact_operator.clone(),
            fields: Value::Object(judged.contact_fields.clone()),
            merged_into: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let id = row.id.clone();
        self.world.contacts.insert(id.clone(), row);
        self.changes.new_contacts.push(id.clone());
        self.changes.counts.contacts += 1;
        done.made.push("contact");
        id
    }

    /// Keeps addresses that belong to somebody else as words.
    fn keep_words(&mut self, contact_id: &str, record: &Record, person: &Person) {
        let taken = |kind: IdentityKind, values: &[String]| -> Vec<String> {
            let is_taken = |value: &&String| {
                person
                    .identities
                    .iter()
                    .any(|one| one.kind == kind && one.value == **value && self.owner(one).is_some())
            };
            values.iter().filter(is_taken).cloned().collect()
        };
        let words = [
            ("email", taken(IdentityKind::Email, &record.emails)),
            ("phone", taken(IdentityKind::Phone, &record.phones)),
        ];
        let Some(fields) = self
            .world
            .contacts
            .get_mut(contact_id)
            .and_then(|row| row.fields.as_object_mut())
        else {
            return;
        };
        for (name, values) in words.into_iter().filter(|(_, values)| !values.is_empty()) {
            fields.entry(name).or_insert_with(|| values.join(", ").into());
        }
    }

    fn add(&mut self, contact_id: &str, identities: Vec<Identity>) {
        for one in identities {
            let key = (one.kind.as_str().to_owned(), one.value);
            self.changes.identities.push(identity::Model {
                kind: key.0.clone(),
                value: key.1.clone(),
                contact_id: contact_id.to_owned(),
                verified: false,
                created_at: self.how.now,
                unreachable_since: None,
                unreachable_reason: None,
                via: Some(VIA.to_owned()),
                added_by: None,
            });
            let known = Known {
                contact_id: contact_id.to_owned(),
                verified: false,
            };
            self.world.identities.insert(key, known);
        }
    }

    fn suggest(&mut self, contact_id: &str, other_id: &str, sign: &Identity) {
        if contact_id == other_id {
            return;
        }
        // Each of the two is shown the other.
        for (one, other) in [(contact_id, other_id), (other_id, contact_id)] {
            self.changes.suggestions.push(contact_suggestion::Model {
                contact_id: one.to_owned(),
                other_id: other.to_owned(),
                reason: identify::reason(sign),
                created_at: self.how.now,
            });
        }
    }

    /// Brings a known contact to what the row says; answers whether anything changed.
    fn refresh(&mut self, contact_id: &str, record: &Record, judged: &Judged, done: &mut Done) -> bool {
        let company_id = self.company(record, judged, done);
        let over = self.how.options.on_duplicate == OnDuplicate::Update;
        let now = self.how.now;
        let Some(row) = self.world.contacts.get_mut(contact_id) else {
            return false;
        };
        let before = row.clone();
        replace(&mut row.name, record.name.clone(), over);
        replace(&mut row.language, record.language.clone(), over);
        replace(&mut row.company_id, company_id, over);
        replace(&mut row.operator_id, judged.contact_operator.clone(), over);
        merge(&mut row.fields, &judged.contact_fields, over);
        if *row == before {
            return false;
        }
        self.touch_contact(contact_id, now);
        true
    }

    fn touch_contact(&mut self, contact_id: &str, now: DateTime<Utc>) {
        // One that this batch made is written as it is in the end.
        if self.changes.new_contacts.iter().any(|id| id == contact_id) {
            return;
        }
        if !self.changes.changed_contacts.iter().any(|id| id == contact_id) {
            self.changes.changed_contacts.push(contact_id.to_owned());
        }
        if let Some(row) = self.world.contacts.get_mut(contact_id) {
            row.version += 1;
            row.updated_at = now;
        }
    }

    /// The company a row names: the known one of that name, or a new one.
    fn company(&mut self, record: &Record, judged: &Judged, done: &mut Done) -> Option<String> {
        let name = record.company.as_ref().filter(|name| !name.is_empty())?;
        let key = company_key(name);
        let now = self.how.now;
        if let Some(row) = self.world.companies.get_mut(&key) {
            let over = self.how.options.on_duplicate == OnDuplicate::Update;
            let before = row.fields.clone();
            merge(&mut row.fields, &judged.company_fields, over);
            if row.fields != before && !self.changes.new_companies.contains(&key) {
                row.version += 1;
                row.updated_at = now;
                self.changes.changed_companies.insert(key);
            }
            done.company_id = Some(row.id.clone());
            return Some(row.id.clone());
        }
        let row = company::Model {
            id: id::new(id::Kind::Company, now),
            name: name.clone(),
            name_key: key.clone(),
            created_at: now,
            phones: json!([]),
            emails: json!([]),
            website: None,
            tax_number: None,
            fields: Value::Object(judged.company_fields.clone()),
            operator_id: None,
            version: 1,
            updated_at: now,
            keyed_version: NO_KEYS,
        };
        let id = row.id.clone();
        self.world.companies.insert(key.clone(), row);
        self.changes.new_companies.push(key);
        self.changes.counts.companies += 1;
        done.made.push("company");
        done.company_id = Some(id.clone());
        Some(id)
    }
}

/// Whether a contact can have no second one beside it.
pub fn is_open(lead: &lead::Model) -> bool {
    matches!(lead.status.as_str(), "new" | "in_progress")
}

fn replace<T: PartialEq>(place: &mut Option<T>, value: Option<T>, over: bool) {
    if value.is_some() && (over || place.is_none()) {
        *place = value;
    }
}

fn merge(fields: &mut Value, more: &Fields, over: bool) {
    if !fields.is_object() {
        *fields = Value::Object(Map::new());
    }
    let Some(fields) = fields.as_object_mut() else {
        return;
    };
    for (key, value) in more {
        if over || !fields.contains_key(key) {
            fields.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
