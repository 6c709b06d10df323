//! Changes of messages that were stored before: cleaned, in a form that can wait for its message.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use switchboard_sdk::{InboundDeletion, InboundEdit, InboundReaction, Location};

use super::{
    Error, html,
    prepare::{KeptFile, clean_external_id, clean_line, clean_person, clean_text, keep_files, missing_files},
};
use crate::{
    conversation::extra::{MissingFile, Place},
    storage::Storage,
};

/// Longest reaction, in characters: an emoji of several parts, or a custom one's id.
const MAX_EMOJI_CHARS: usize = 40;

/// A change of one message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PreparedChange {
    /// The provider's id of the message.
    pub message: String,
    /// What happened to it.
    pub change: Change,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Change {
    /// It says something else.
    Edit {
        text: String,
        html: Option<String>,
        /// All files now, when they were replaced.
        files: Option<Vec<KeptFile>>,
        missing: Vec<MissingFile>,
        location: Option<Place>,
    },
    /// It was taken back.
    Deletion,
    /// Somebody feels something about it.
    Reaction {
        who: String,
        name: Option<String>,
        emoji: Vec<String>,
    },
}

impl Change {
    /// For the admin who finds it in quarantine.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Edit { .. } => "an edit",
            Self::Deletion => "a deletion",
            Self::Reaction { .. } => "a reaction",
        }
    }
}

pub(super) async fn edit(
    storage: &Storage,
    edit: InboundEdit,
    now: DateTime<Utc>,
) -> Result<PreparedChange, Error> {
    let (mut files, mut missing) = (None, Vec::new());
    if let Some(mut attachments) = edit.attachments {
        missing = missing_files(&mut attachments);
        files = Some(keep_files(storage, attachments, now).await?);
    }
    let html = edit
        .html
        .map(|html| html::sanitise(&html, None, files.as_deref().unwrap_or_default()).page)
        .filter(|page| !page.trim().is_empty());
    Ok(PreparedChange {
        message: clean_external_id(&edit.message),
        change: Change::Edit {
            text: clean_text(&edit.text),
            html,
            files,
            missing,
            location: edit.location.map(clean_location),
        },
    })
}

pub(super) fn deletion(deletion: &InboundDeletion) -> PreparedChange {
    PreparedChange {
        message: clean_external_id(&deletion.message),
        change: Change::Deletion,
    }
}

pub(super) fn reaction(reaction: InboundReaction) -> PreparedChange {
    let from = clean_person(reaction.from);
    let who = from.identities.first().map_or_else(String::new, |identity| {
        format!("{}:{}", identity.kind.as_str(), identity.value)
    });
    let mut emoji: Vec<String> = reaction
        .emoji
        .iter()
        .map(|one| clean_line(one, MAX_EMOJI_CHARS))
        .filter(|one| !one.is_empty())
        .collect();
    emoji.sort();
    emoji.dedup();
    PreparedChange {
        message: clean_external_id(&reaction.message),
        change: Change::Reaction {
            who,
            name: from.name,
            emoji,
        },
    }
}

/// A place whose words a database and a screen can hold.
pub(super) fn clean_location(location: Location) -> Place {
    let line = |text: Option<String>| {
        text.map(|text| clean_line(&text, 300))
            .filter(|text| !text.is_empty())
    };
    let degrees = |value: f64, most: f64| {
        if value.is_finite() {
            value.clamp(-most, most)
        } else {
            0.0
        }
    };
    Place {
        lat: degrees(location.lat, 90.0),
        lon: degrees(location.lon, 180.0),
        title: line(location.title),
        address: line(location.address),
    }
}
