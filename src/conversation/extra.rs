//! What a message says beside its text, kept small in one column. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_sdk::{Button, Forwarded, Location};
use utoipa::ToSchema;

use super::call::CallEntry;

/// All of it; empty parts are not stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// Words of an earlier message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// Where it was first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The place it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Place>,
    /// Files that were not taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_files: Vec<MissingFile>,
    /// Rows of buttons under it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
    /// The telephone call it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<CallEntry>>,
    /// It asks for the phone number.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub request_phone: bool,
}

/// Where a message was first, before it was passed on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = MessageOrigin)]
pub struct Origin {
    /// Who wrote it, when known.
    pub from: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// A place on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = MessagePlace)]
pub struct Place {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// What is there.
    #[serde(default)]
    pub title: Option<String>,
    /// Its address.
    #[serde(default)]
    pub address: Option<String>,
}

/// A file that came and was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingFile {
    /// Its name.
    pub name: String,
    /// Why it is not here: too large, not to be had.
    pub reason: String,
}

impl From<Forwarded> for Origin {
    fn from(from: Forwarded) -> Self {
        Self {
            from: from.from,
            at: from.at,
        }
    }
}

impl From<Location> for Place {
    fn from(place: Location) -> Self {
        Self {
            lat: place.lat,
            lon: place.lon,
            title: place.title,
            address: place.address,
        }
    }
}

impl Extra {
    /// As it is stored; nothing when it says nothing.
    pub fn stored(&self) -> Option<Value> {
        (*self != Self::default()).then(|| json!(self))
    }

    /// Reads it back; what an older or newer version wrote otherwise is passed over.
    pub fn read(stored: Option<&Value>) -> Self {
        stored
            .and_then(|value| serde_json::from_value(value.clone()).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use switchboard_sdk::{Button, ButtonAction};

    use super::*;

    #[test]
    fn what_is_stored_is_read_back_and_nothing_takes_no_place() {
        assert_eq!(Extra::default().stored(), None);
        let extra = Extra {
            quote: Some("Tuesday".to_owned()),
            buttons: vec![vec![Button {
                label: "Shop".to_owned(),
                action: ButtonAction::Url("https://shop.example".to_owned()),
            }]],
            ..Extra::default()
        };
        let stored = extra.stored();
        assert_eq!(
            stored,
            Some(
                json!({"quote": "Tuesday", "buttons": [[{"label": "Shop", "url": "https://shop.example"}]]})
            )
        );
        assert_eq!(Extra::read(stored.as_ref()), extra);
        assert_eq!(Extra::read(Some(&json!("a newer form"))), Extra::default());
    }
}
