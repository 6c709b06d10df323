//! The address fields of a message, on channels that have them.

use serde::{Deserialize, Serialize};

/// Which field an address stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientRole {
    /// Who wrote it.
    From,
    /// Who wants the answer, when that is somebody else.
    ReplyTo,
    /// Whom it is for.
    To,
    /// Who is to know of it.
    Cc,
    /// Who gets it without the others knowing.
    Bcc,
}

/// Somebody in an address field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// In which one.
    pub role: RecipientRole,
    /// The name beside the address, when there is one.
    #[serde(default)]
    pub name: Option<String>,
    /// The address, in lower case.
    pub address: String,
}
