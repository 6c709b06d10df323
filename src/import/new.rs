//! A file that was uploaded: recognised, counted, as the row of an import.

use std::ops::ControlFlow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use switchboard_exchange::{
    Field, Head, Layout, Mapping, Unreadable,
    guess::{is_deals, plain},
    record::Target,
};

use super::{Counts, Kind, Options, State};
use crate::{db::entity::import, id, storage};

/// Rows that are looked at to guess.
const HEAD: usize = 20;

/// A file that can be read.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// How it is read.
    pub layout: Layout,
    /// Its beginning.
    pub head: Head,
    /// Its rows.
    pub total: i64,
    size: i64,
    hash: String,
}

impl File {
    /// Recognises a file.
    ///
    /// # Errors
    /// When it is none that we read.
    pub async fn read(name: String, bytes: Bytes) -> Result<Self, Unreadable> {
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let work = tokio::task::spawn_blocking(move || {
            let hash = hex::encode(Sha256::digest(&bytes));
            let layout = Layout::of(&bytes)?;
            let (head, total) = count(&bytes, &layout)?;
            Ok::<_, Unreadable>((hash, layout, head, total))
        });
        let (hash, layout, head, total) = work
            .await
            .map_err(|error| Unreadable::Broken(error.to_string()))??;
        Ok(Self {
            name,
            layout,
            head,
            total,
            size,
            hash,
        })
    }

    /// What its rows may be.
    pub fn suggested_kind(&self) -> Kind {
        if is_deals(&self.head.columns) {
            Kind::Deals
        } else {
            Kind::Leads
        }
    }

    /// The import of this file, with what its columns suggest.
    pub fn row(&self, kind: Kind, own: &[Own], now: DateTime<Utc>) -> import::Model {
        let id = id::new(id::Kind::Import, now);
        import::Model {
            storage_key: Some(storage::key(&id)),
            id,
            kind: kind.as_str().to_owned(),
            state: State::Draft.as_str().to_owned(),
            file_name: self.name.clone(),
            size: self.size,
            hash: self.hash.clone(),
            total: self.total,
            layout: json!(self.layout),
            columns: json!(self.head.columns),
            mapping: json!(guess(kind, &self.head.columns, own)),
            options: json!(Options::default()),
            cursor: 0,
            counts: json!(Counts::default()),
            error: None,
            operator_id: None,
            version: 1,
            created_at: now,
            updated_at: now,
            started_at: None,
            ended_at: None,
        }
    }
}

/// A custom field that an admin defined, with what its columns may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The field.
    pub field: Field,
    /// Its key and its label, plain.
    pub names: [String; 2],
}

impl Own {
    /// Out of the word of its object, its key and its label.
    pub fn new(object: &str, key: &str, label: &str) -> Option<Self> {
        Some(Self {
            field: Field::parse(&format!("{object}.fields.{key}"))?,
            names: [plain(key), plain(label)],
        })
    }
}

/// What the names of columns suggest, by what rows become. What an admin defined comes before what is only usual, and
/// after what every contact, lead and deal has.
pub fn guess(kind: Kind, columns: &[String], own: &[Own]) -> Mapping {
    let mut mapping = match kind {
        Kind::Deals => Mapping::guess_deals(columns),
        Kind::Leads | Kind::Contacts => Mapping::guess(columns),
    };
    let objects: &[&str] = match kind {
        Kind::Deals => &["deal", "contact", "company"],
        Kind::Leads => &["lead", "contact", "company"],
        Kind::Contacts => &["contact", "company"],
    };
    let is_custom = |field: &Field| {
        matches!(
            field,
            Field::Contact(_) | Field::CompanyField(_) | Field::Lead(_) | Field::Deal(_)
        )
    };
    for column in columns {
        let name = plain(column);
        let of = |object: &&str| {
            own.iter()
                .find(|one| one.names.contains(&name) && one.field.to_string().starts_with(*object))
        };
        let Some(found) = objects.iter().find_map(of) else {
            continue;
        };
        if mapping.0.iter().any(|target| target.field == found.field) {
            continue;
        }
        match mapping.0.iter_mut().find(|target| target.column == *column) {
            Some(target) if is_custom(&target.field) => target.field = found.field.clone(),
            Some(_) => {}
            None => mapping.0.push(Target {
                column: column.clone(),
                field: found.field.clone(),
            }),
        }
    }
    mapping
}

/// Whether a field can be filled where rows become this. Fields of leads are passed over where rows become contacts.
pub fn suits(field: &Field, kind: Kind) -> bool {
    match kind {
        Kind::Deals => !field.is_of_lead(),
        Kind::Leads | Kind::Contacts => !field.is_of_deal(),
    }
}

/// The mapping after rows were to become something else: what nobody touched is guessed anew, else what still suits
/// stays.
pub fn remapped(mapping: Mapping, was: Kind, kind: Kind, columns: &[String], own: &[Own]) -> Mapping {
    if mapping == guess(was, columns, own) {
        return guess(kind, columns, own);
    }
    let stays = mapping.0.into_iter();
    Mapping(stays.filter(|target| suits(&target.field, kind)).collect())
}

/// The beginning of a file under another layout, and the number of its rows.
///
/// # Errors
/// When it cannot be read so.
pub async fn look(bytes: Bytes, layout: Layout) -> Result<(Head, i64), Unreadable> {
    let work = tokio::task::spawn_blocking(move || count(&bytes, &layout));
    work.await
        .map_err(|error| Unreadable::Broken(error.to_string()))?
}

fn count(bytes: &[u8], layout: &Layout) -> Result<(Head, i64), Unreadable> {
    let mut total = 0;
    layout.rows(bytes, &mut |_| {
        total += 1;
        ControlFlow::Continue(())
    })?;
    Ok((layout.head(bytes, HEAD)?, total))
}

/// Whether telephone numbers can be of this country.
pub fn is_region(word: &str) -> bool {
    word.parse::<phonenumber::country::Id>().is_ok()
}

#[cfg(test)]
mod tests {
    use switchboard_exchange::Field;

    use super::{Own, guess, remapped};
    use crate::import::Kind;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn fields(kind: Kind, names: &[&str], own: &[Own]) -> Vec<String> {
        let mapping = guess(kind, &columns(names), own);
        mapping
            .0
            .iter()
            .map(|target| format!("{} {}", target.column, target.field))
            .collect()
    }

    #[test]
    fn a_column_called_as_a_field_of_an_admins_own_fills_it() {
        let own = [
            Own::new("lead", "rooms", "Комнат всего").unwrap(),
            Own::new("deal", "rooms", "Комнат всего").unwrap(),
            Own::new("contact", "town", "City").unwrap(),
            Own::new("contact", "mail", "Email").unwrap(),
        ];
        let names = ["Email", "City", "комнат  всего", "Colour"];
        assert_eq!(
            fields(Kind::Leads, &names, &own),
            [
                "Email contact.email",
                "City contact.fields.town",
                "комнат  всего lead.fields.rooms"
            ]
        );
        assert_eq!(fields(Kind::Deals, &["rooms"], &own), ["rooms deal.fields.rooms"]);
        assert_eq!(fields(Kind::Contacts, &["rooms"], &own), Vec::<String>::new());
    }

    #[test]
    fn a_mapping_that_somebody_touched_keeps_what_suits_what_rows_become_now() {
        let columns = columns(&["Deal name", "Stage", "Email"]);
        let guessed = guess(Kind::Deals, &columns, &[]);
        let leads = remapped(guessed.clone(), Kind::Deals, Kind::Leads, &columns, &[]);
        assert_eq!(leads, guess(Kind::Leads, &columns, &[]));
        let mut touched = guessed;
        touched.0.remove(1);
        let leads = remapped(touched, Kind::Deals, Kind::Leads, &columns, &[]);
        assert_eq!(
            leads.0.iter().map(|one| &one.field).collect::<Vec<_>>(),
            [&Field::Email]
        );
    }
}
