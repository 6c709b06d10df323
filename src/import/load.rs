//! Reading what some rows are about: a fixed number of questions, however many rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use switchboard_exchange::{Mapping, Record};

use super::{
    Kind, Options,
    judge::Rules,
    plan::{self, World, company_key},
    read::Read,
};
use crate::{
    contact::identify::Known,
    custom_field::{self, Object},
    db::{
        BatchTx, bulk,
        entity::{company, contact, deal, identity, lead, operator},
    },
    deal::pipeline,
    tag,
};

/// Operators by their e-mail and by their name; of two with one name neither is meant.
async fn operators(db: &impl ConnectionTrait) -> Result<HashMap<String, String>, DbErr> {
    let rows = operator::Entity::find()
        .filter(operator::Column::Enabled.eq(true))
        .all(db)
        .await?;
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        names
            .entry(row.name.to_lowercase())
            .or_default()
            .push(row.id.clone());
    }
    let by_name = names.into_iter().filter_map(|(name, mut ids)| match ids.len() {
        1 => ids.pop().map(|id| (name, id)),
        _ => None,
    });
    let mut all: HashMap<String, String> = by_name.collect();
    for row in rows {
        if let Some(email) = row.email {
            all.insert(email.to_lowercase(), row.id.clone());
        }
        all.insert(row.id.to_lowercase(), row.id);
    }
    Ok(all)
}

impl Rules {
    /// What the rows of an import are judged by.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(
        db: &impl ConnectionTrait,
        kind: Kind,
        options: &Options,
        mapping: &Mapping,
    ) -> Result<Self, DbErr> {
        let operators = operators(db).await?;
        let mut definitions = BTreeMap::new();
        for object in [Object::Contact, Object::Company, Object::Lead, Object::Deal] {
            let known = custom_field::store::definitions(db, object).await?;
            definitions.insert(object.as_str(), known);
        }
        Ok(Self {
            kind,
            date_order: options.date_order,
            pipeline_id: options.pipeline_id.clone(),
            users: operators.values().cloned().collect(),
            operators,
            pipelines: pipeline::list(db).await?,
            definitions,
            columns: Self::columns_of(mapping),
        })
    }
}

impl World {
    /// Reads what is known of the people of these rows and not in here yet.
    pub async fn load(&mut self, write: &BatchTx, rows: &[Read]) -> Result<(), DbErr> {
        let good = rows.iter().filter(|row| row.wrong.is_empty());
        let records: Vec<&Record> = good.map(|row| &row.record).collect();
        self.load_identities(write, &records).await?;
        let known: BTreeSet<String> = records
            .iter()
            .flat_map(|record| plan::identities(record))
            .filter_map(|one| self.identities.get(&(one.kind.as_str().to_owned(), one.value)))
            .map(|known| known.contact_id.clone())
            .filter(|id| !self.contacts.contains_key(id))
            .collect();
        self.load_contacts(write, &known).await?;
        self.load_companies(write, &records).await?;
        self.load_deals(write, &records).await
    }

    async fn load_identities(&mut self, write: &BatchTx, records: &[&Record]) -> Result<(), DbErr> {
        let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for one in records.iter().flat_map(|record| plan::identities(record)) {
            if !self
                .identities
                .contains_key(&(one.kind.as_str().to_owned(), one.value.clone()))
            {
                wanted.entry(one.kind.as_str()).or_default().insert(one.value);
            }
        }
        for (kind, values) in wanted {
            let rows = identity::Entity::find()
                .filter(identity::Column::Kind.eq(kind))
                .filter(identity::Column::Value.is_in(bulk::padded(values)))
                .all(&write.read())
                .await?;
            for row in rows {
                let known = Known {
                    contact_id: row.contact_id,
                    verified: row.verified,
                };
                self.identities.insert((row.kind, row.value), known);
            }
        }
        Ok(())
    }

    async fn load_contacts(&mut self, write: &BatchTx, ids: &BTreeSet<String>) -> Result<(), DbErr> {
        if ids.is_empty() {
            return Ok(());
        }
        // Locked: an operator may be changing or merging them at this moment.
        let contacts = contact::Entity::find()
            .filter(contact::Column::Id.is_in(bulk::padded(ids)))
            .order_by_asc(contact::Column::Id)
            .lock_exclusive()
            .all(&write.read())
            .await?;
        self.contacts
            .extend(contacts.into_iter().map(|row| (row.id.clone(), row)));
        let leads = lead::Entity::find()
            .filter(lead::Column::ContactId.is_in(bulk::padded(ids)))
            .order_by_asc(lead::Column::CreatedAt)
            .order_by_asc(lead::Column::Id)
            .lock_exclusive()
            .all(&write.read())
            .await?;
        for row in leads {
            let open = self.leads.get(&row.contact_id).is_some_and(plan::is_open);
            if !open {
                self.leads.insert(row.contact_id.clone(), row);
            }
        }
        Ok(())
    }

    async fn load_companies(&mut self, write: &BatchTx, records: &[&Record]) -> Result<(), DbErr> {
        let keys: BTreeSet<String> = records
            .iter()
            .filter_map(|record| record.company.as_deref())
            .map(company_key)
            .filter(|key| !self.companies.contains_key(key))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let rows = company::Entity::find()
            .filter(company::Column::NameKey.is_in(bulk::padded(keys)))
            .all(&write.read())
            .await?;
        self.companies
            .extend(rows.into_iter().map(|row| (row.name_key.clone(), row)));
        Ok(())
    }

    async fn load_deals(&mut self, write: &BatchTx, records: &[&Record]) -> Result<(), DbErr> {
        let numbers: BTreeSet<String> = records
            .iter()
            .filter_map(|record| record.deal.number.clone())
            .filter(|number| !self.deals.contains_key(number))
            .collect();
        if self.rules.kind != Kind::Deals || numbers.is_empty() {
            return Ok(());
        }
        let rows = deal::Entity::find()
            .filter(deal::Column::ExternalId.is_in(bulk::padded(numbers)))
            .order_by_asc(deal::Column::Id)
            .lock_exclusive()
            .all(&write.read())
            .await?;
        for row in rows {
            if let Some(number) = row.external_id.clone() {
                self.deals.insert(number, row);
            }
        }
        let ids: Vec<String> = self.deals.values().map(|row| row.id.clone()).collect();
        self.tags.extend(tag::of(&write.read(), &ids).await?);
        Ok(())
    }
}
