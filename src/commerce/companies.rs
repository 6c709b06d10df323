//! Companies among the counterparties: found by their number, by an address of theirs or by their name, else made.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use switchboard_exchange::commerce::Party;

use super::parties::{Fault, Step};
use crate::{
    company,
    conversation::view::strings,
    custom_field::{self, Object, Type},
    db::entity::company as companies,
};

impl Step<'_> {
    pub(super) async fn company(&mut self, party: &Party, known: Option<String>) -> Result<String, Fault> {
        let registration = party.registration();
        let found = match known {
            Some(id) => Some(id),
            None => self.find_company(party, registration.as_deref()).await?,
        };
        let row = match &found {
            Some(id) => companies::Entity::find_by_id(id).one(self.write.tx()).await?,
            None => None,
        };
        let address = self.address(party, row.as_ref().map(|row| &row.fields)).await?;
        let Some(row) = row else {
            let said = company::store::Change {
                name: Some(self.free_name(party).await?),
                phones: Some(party.phones.clone()),
                emails: Some(party.emails.clone()),
                website: Some(party.website.clone()),
                tax_number: Some(registration),
                operator_id: Some(self.options.operator_id.clone()),
                fields: address,
                ..company::store::Change::default()
            };
            let id = company::store::create(self.write, said, self.now).await?;
            self.counts.companies += 1;
            self.remember(party, &id);
            return Ok(id);
        };
        // What people wrote stays: 1C fills what is empty, and adds addresses.
        let more = |has: Vec<String>, said: &[String]| {
            let new: Vec<String> = said.iter().filter(|one| !has.contains(one)).cloned().collect();
            (!new.is_empty()).then(|| has.into_iter().chain(new).collect::<Vec<_>>())
        };
        let change = company::store::Change {
            phones: more(strings(&row.phones), &party.phones),
            emails: more(strings(&row.emails), &party.emails),
            website: party.website.clone().filter(|_| row.website.is_none()).map(Some),
            tax_number: registration.filter(|_| row.tax_number.is_none()).map(Some),
            fields: address,
            ..company::store::Change::default()
        };
        let says_something = change.phones.is_some()
            || change.emails.is_some()
            || change.website.is_some()
            || change.tax_number.is_some()
            || change.fields.is_some();
        let id = row.id;
        if says_something {
            company::store::change(self.write, &id, change, self.now).await?;
            self.remember(party, &id);
        }
        Ok(id)
    }

    /// The address, where admins defined a text field `address` for companies and nobody filled it.
    async fn address(
        &self,
        party: &Party,
        fields: Option<&serde_json::Value>,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, DbErr> {
        let Some(address) = &party.address else {
            return Ok(None);
        };
        if fields.is_some_and(|fields| fields.get("address").is_some_and(|value| !value.is_null())) {
            return Ok(None);
        }
        let defined = custom_field::store::definitions(self.write.tx(), Object::Company).await?;
        let takes = defined
            .iter()
            .any(|field| field.key == "address" && matches!(field.kind, Type::Text | Type::LongText));
        Ok(takes.then(|| [("address".to_owned(), json!(address))].into_iter().collect()))
    }

    /// By its number and branch, by an address of its, by its name; never one with another number.
    async fn find_company(
        &mut self,
        party: &Party,
        registration: Option<&str>,
    ) -> Result<Option<String>, DbErr> {
        let fits = |row: &companies::Model| same_registration(row.tax_number.as_deref(), registration);
        if let (Some(registration), Some(number)) = (registration, &party.tax_number) {
            let rows = companies::Entity::find()
                .filter(
                    Condition::any()
                        .add(companies::Column::TaxNumber.eq(registration))
                        .add(companies::Column::TaxNumber.eq(number)),
                )
                .order_by_asc(companies::Column::Id)
                .limit(20)
                .all(self.write.tx())
                .await?;
            let exact = rows
                .iter()
                .find(|row| row.tax_number.as_deref() == Some(registration));
            if let Some(row) = exact.or_else(|| rows.iter().find(|row| fits(row))) {
                return Ok(Some(row.id.clone()));
            }
        }
        if self.addresses.is_none() {
            self.addresses = Some(self.load_addresses().await?);
        }
        let by_address = self.addresses.as_ref().and_then(|known| {
            party
                .emails
                .iter()
                .chain(&party.phones)
                .find_map(|address| known.get(address).cloned())
        });
        if let Some(id) = by_address {
            let row = companies::Entity::find_by_id(&id).one(self.write.tx()).await?;
            if row.is_some_and(|row| fits(&row)) {
                return Ok(Some(id));
            }
        }
        let named = companies::Entity::find()
            .filter(companies::Column::NameKey.eq(party.name.to_lowercase()))
            .one(self.write.tx())
            .await?;
        Ok(named.filter(fits).map(|row| row.id))
    }

    async fn load_addresses(&self) -> Result<HashMap<String, String>, DbErr> {
        let rows: Vec<(String, serde_json::Value, serde_json::Value)> = companies::Entity::find()
            .select_only()
            .columns([
                companies::Column::Id,
                companies::Column::Phones,
                companies::Column::Emails,
            ])
            .filter(
                Condition::any()
                    .add(companies::Column::Phones.ne(json!([])))
                    .add(companies::Column::Emails.ne(json!([]))),
            )
            .into_tuple()
            .all(self.write.tx())
            .await?;
        let mut known = HashMap::new();
        for (id, phones, emails) in rows {
            for address in strings(&phones).into_iter().chain(strings(&emails)) {
                known.entry(address).or_insert_with(|| id.clone());
            }
        }
        Ok(known)
    }

    fn remember(&mut self, party: &Party, id: &str) {
        if let Some(known) = &mut self.addresses {
            for address in party.phones.iter().chain(&party.emails) {
                known.entry(address.clone()).or_insert_with(|| id.to_owned());
            }
        }
    }

    /// No two companies are called the same: a second one is told apart by its number, or counted.
    async fn free_name(&self, party: &Party) -> Result<String, DbErr> {
        let number = party
            .registration()
            .map(|number| format!("{} ({number})", party.name));
        let counted = (2..100).map(|count| format!("{} ({count})", party.name));
        for name in std::iter::once(party.name.clone()).chain(number).chain(counted) {
            let taken = companies::Entity::find()
                .filter(companies::Column::NameKey.eq(name.to_lowercase()))
                .one(self.write.tx())
                .await?;
            if taken.is_none() {
                return Ok(name);
            }
        }
        Ok(party.name.clone())
    }
}

/// Whether two numbers can be one company's: the branch counts where both say one.
fn same_registration(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return true;
    };
    let split = |text: &str| match text.split_once('/') {
        Some((number, branch)) => (number.trim().to_owned(), Some(branch.trim().to_owned())),
        None => (text.trim().to_owned(), None),
    };
    let ((one, one_branch), (other, other_branch)) = (split(one), split(other));
    one == other && (one_branch.is_none() || other_branch.is_none() || one_branch == other_branch)
}
