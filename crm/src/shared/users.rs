//! The people of a CRM who may be responsible for leads.

use serde_json::Value;

use super::value;
use crate::{RemoteUser, SyncError};

/// Pages that are read at most: a list that people choose from is no phone book.
pub(crate) const PAGES: usize = 20;

/// A user out of the CRM's names of an id, parts of a name and an address.
pub(crate) fn user(found: &Value, id: &str, names: &[&str], email: &str) -> Option<RemoteUser> {
    let id = found.get(id).and_then(value::reference)?;
    let parts = names.iter().map(|name| value::text(found, name).trim());
    let name = parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let email = value::text(found, email).trim().to_lowercase();
    let email = (!email.is_empty()).then_some(email);
    Some(RemoteUser {
        name: match (&name, &email) {
            (name, Some(email)) if name.is_empty() => email.clone(),
            (name, None) if name.is_empty() => id.clone(),
            _ => name,
        },
        id,
        email,
    })
}

/// Those who were found, by name; none where the connection may not list people, so that ids are typed.
pub(crate) fn listed(
    found: Result<Vec<RemoteUser>, SyncError>,
) -> Result<Option<Vec<RemoteUser>>, SyncError> {
    match found {
        Ok(mut users) => {
            users.sort_by(|a, b| (a.name.to_lowercase(), &a.id).cmp(&(b.name.to_lowercase(), &b.id)));
            users.dedup_by(|a, b| a.id == b.id);
            Ok(Some(users))
        }
        Err(SyncError::Auth(_) | SyncError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
