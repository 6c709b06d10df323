//! How mails find their conversation, what is held back, and what colleagues file.

use schemars::JsonSchema;
use serde::Deserialize;

/// How mails find their conversation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Threads {
    /// Answers go to support+c.…@ with a signed word that leads back to the conversation, whatever a relay does to the mail. Only when the mailbox takes mail for such addresses: send one to support+test@ first.
    #[schemars(title = "Signed reply addresses")]
    pub signed_addresses: bool,
    /// What stands between the address and the word: + at most providers, - at some.
    #[schemars(title = "Delimiter", length(min = 1, max = 3))]
    pub delimiter: String,
    /// An answer to a conversation closed for more days than this begins a new one, with a link to it; 0 never does.
    #[schemars(title = "New conversation after days", range(min = 0, max = 3650))]
    pub new_after_days: u32,
    /// What an answer under another subject does.
    #[schemars(title = "Changed subject")]
    pub changed_subject: ChangedSubject,
}

/// What an answer under another subject does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangedSubject {
    /// It stays in its conversation.
    #[default]
    Keep,
    /// It begins a new one, with a link.
    New,
}

impl Default for Threads {
    fn default() -> Self {
        Self {
            signed_addresses: false,
            delimiter: "+".to_owned(),
            new_after_days: 90,
            changed_subject: ChangedSubject::Keep,
        }
    }
}

/// What is held back because it looks like two machines writing to each other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Loops {
    /// More mails than this from one address within ten minutes go to the quarantine; 0 never.
    #[schemars(title = "Mails of one sender in ten minutes", range(min = 0, max = 10000))]
    pub max_per_sender: u32,
    /// The same text from one address more often than this within an hour goes to the quarantine; 0 never.
    #[schemars(title = "Repeats of one text in an hour", range(min = 0, max = 10000))]
    pub max_repeats: u32,
}

impl Default for Loops {
    fn default() -> Self {
        Self {
            max_per_sender: 30,
            max_repeats: 3,
        }
    }
}

/// Mail of colleagues that is filed with the contact it was sent to.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureSettings {
    /// A colleague who puts the capture address in copy files the mail here.
    #[schemars(title = "On")]
    pub enabled: bool,
    /// An address whose mail arrives in this mailbox. Empty makes a secret one, which needs signed reply addresses.
    #[schemars(title = "Capture address", length(max = 254))]
    pub address: Option<String>,
    /// Believe the sender's address without authentication results. Only where nobody outside can write to the mailbox in a colleague's name.
    #[schemars(title = "Trust the sender's address")]
    pub trust_senders: bool,
}
