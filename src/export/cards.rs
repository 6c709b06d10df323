//! Contacts as cards.

use bytes::Bytes;
use chrono::SecondsFormat;
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;
use switchboard_exchange::sheet::{self, Person};

use super::{Contacts, Error};
use crate::contact::store::ContactView;

/// Contacts on their way into an address book.
#[derive(Debug)]
pub struct Cards(Contacts);

impl Cards {
    /// The contacts of a list.
    pub fn new(contacts: Contacts) -> Self {
        Self(contacts)
    }

    /// vCard 3.0, one after the other.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        stream::try_unfold(self.0, |mut contacts| async move {
            let page = contacts.page().await?;
            Ok(page.map(|page| {
                let cards: String = page.iter().map(card).collect();
                (Bytes::from(cards), contacts)
            }))
        })
        .fuse()
    }
}

fn card(one: &ContactView) -> String {
    sheet::card(&Person {
        id: &one.id,
        name: one.name.as_deref().unwrap_or_default(),
        emails: &one.emails,
        phones: &one.phones,
        company: one.company_name.as_deref().unwrap_or_default(),
        position: one
            .fields
            .get("position")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        revised: &one.updated_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    })
}
