//! What a mail says beside its text, on channels that carry mail.

use serde::{Deserialize, Serialize};

use crate::Content;

/// What is known of one mail beside its words and files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailFacts {
    /// Where in the text the quoted rest and the signature begin, in bytes; none: all of it is new.
    pub quoted_text_at: Option<usize>,
    /// The same in the HTML as it came; there a tag begins.
    pub quoted_html_at: Option<usize>,
    /// The mail is encrypted or signed.
    pub protection: Option<Protection>,
    /// What our own mail server found out about the sender; none when nobody said which server that is.
    pub authentication: Option<Authentication>,
    /// The invitation it brings.
    pub calendar: Option<Invitation>,
    /// The mail as it came, byte for byte.
    pub original: Option<Original>,
}

/// A message as the provider handed it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// The bytes, or the beginning of them.
    pub data: Content,
    /// False when only the beginning was fetched.
    pub complete: bool,
}

/// How a mail is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// What was done to it.
    pub kind: ProtectionKind,
    /// By which means.
    pub by: ProtectionMeans,
}

/// What was done to a protected mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionKind {
    /// Its words can be read by whoever has the key only.
    Encrypted,
    /// It carries a signature; nobody has checked it.
    Signed,
}

/// The two families of mail protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionMeans {
    /// RFC 8551.
    Smime,
    /// RFC 3156 and armour in the text.
    Pgp,
}

/// The sender as our own mail server judged it (RFC 8601).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// What follows from the three below.
    pub verdict: Verdict,
    /// The result of SPF, such as `pass` or `softfail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<String>,
    /// The result of DKIM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim: Option<String>,
    /// The result of DMARC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<String>,
}

/// Whether the address in From is the writer's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Proven.
    Pass,
    /// Disproved: somebody else wrote in this name, or a server on the way broke the proof.
    Fail,
    /// Neither.
    #[default]
    None,
}

/// A calendar invitation (RFC 5546), in the few words people need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// `request`, `reply`, `cancel`, `publish` and so on.
    pub method: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// When it begins, as a time in UTC, a time of no zone or a date: `2026-11-25T09:00:00Z`, `2026-11-25T09:00:00`, `2026-11-25`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    /// When it ends, in the same forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// The time zone the times are in, when they are of no zone by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Who invites, by name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizer: Option<String>,
    /// It happens again and again.
    #[serde(default)]
    pub repeats: bool,
    /// What the answer says: `accepted`, `declined`, `tentative`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}
