//! What a mail says beside its text, as it is stored and shown.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_sdk::{Invitation, MailFacts, ProtectionKind, ProtectionMeans, Verdict};
use utoipa::ToSchema;

/// A mail beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Mail)]
#[serde(default)]
pub struct MailView {
    /// Where in `text` the quoted rest and the signature begin, in characters (Unicode code points); null: all of it is new.
    pub quoted_text_at: Option<usize>,
    /// The same in `html`: what stands before is whole by itself.
    pub quoted_html_at: Option<usize>,
    /// Encrypted or signed.
    pub protection: Option<ProtectionView>,
    /// What the channel's own mail server found out about the sender; null when the channel names none.
    pub authentication: Option<AuthenticationView>,
    /// The invitation it brings.
    pub calendar: Option<InvitationView>,
    /// The mail as it came, at `/api/v1/messages/{id}/original`; null when it was not kept.
    pub original: Option<OriginalView>,
}

/// How a mail is protected. Nothing is decrypted, no signature is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MailProtection)]
pub struct ProtectionView {
    /// `encrypted` or `signed`.
    pub kind: String,
    /// `smime` or `pgp`.
    pub by: String,
}

/// The sender, as our own mail server judged it (RFC 8601).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MailAuthentication)]
pub struct AuthenticationView {
    /// `pass`: the address is the writer's; `fail`: it is not; `none`: nobody knows.
    pub verdict: String,
    /// The result of SPF, such as `pass` or `softfail`.
    pub spf: Option<String>,
    /// The result of DKIM.
    pub dkim: Option<String>,
    /// The result of DMARC.
    pub dmarc: Option<String>,
}

/// An invitation to a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MailInvitation)]
pub struct InvitationView {
    /// `request`, `reply`, `cancel`, `publish`, `counter`.
    pub method: String,
    /// What it is about.
    pub summary: Option<String>,
    /// When it begins: a time in UTC (`2026-11-25T09:00:00Z`), a time in `time_zone` (no `Z`), or a day.
    pub starts: Option<String>,
    /// When it ends, in the same forms.
    pub ends: Option<String>,
    /// The zone of times without `Z`, in the sender's words.
    pub time_zone: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// Who invites.
    pub organizer: Option<String>,
    /// It happens again and again.
    pub repeats: bool,
    /// Of a `reply`: `accepted`, `declined` or `tentative`.
    pub answer: Option<String>,
}

/// The mail as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MailOriginal)]
pub struct OriginalView {
    /// Bytes that are kept.
    pub size: usize,
    /// False when only the beginning was fetched, because the mail is too large.
    pub complete: bool,
}

impl MailView {
    /// What a connector says; the places of quotations are found later, in the text as it is stored.
    pub fn of(facts: &MailFacts) -> Self {
        Self {
            quoted_text_at: None,
            quoted_html_at: None,
            protection: facts.protection.map(|found| ProtectionView {
                kind: match found.kind {
                    ProtectionKind::Encrypted => "encrypted",
                    ProtectionKind::Signed => "signed",
                }
                .to_owned(),
                by: match found.by {
                    ProtectionMeans::Smime => "smime",
                    ProtectionMeans::Pgp => "pgp",
                }
                .to_owned(),
            }),
            authentication: facts.authentication.clone().map(|found| AuthenticationView {
                verdict: match found.verdict {
                    Verdict::Pass => "pass",
                    Verdict::Fail => "fail",
                    Verdict::None => "none",
                }
                .to_owned(),
                spf: found.spf,
                dkim: found.dkim,
                dmarc: found.dmarc,
            }),
            calendar: facts.calendar.clone().map(InvitationView::from),
            original: facts.original.as_ref().map(|original| OriginalView {
                size: usize::try_from(original.data.len()).unwrap_or(usize::MAX),
                complete: original.complete,
            }),
        }
    }

    /// With the places of its quotations.
    pub fn quoted(self, text_at: Option<usize>, html_at: Option<usize>) -> Self {
        Self {
            quoted_text_at: text_at,
            quoted_html_at: html_at,
            ..self
        }
    }

    /// Out of the column. What an older version wrote differently is no reason to hide a message.
    pub fn read(stored: Value) -> Option<Self> {
        serde_json::from_value(stored).ok()
    }
}

impl From<Invitation> for InvitationView {
    fn from(found: Invitation) -> Self {
        let clean = |text: Option<String>| text.map(|text| text.replace('\0', ""));
        Self {
            method: found.method,
            summary: clean(found.summary),
            starts: found.starts,
            ends: found.ends,
            time_zone: clean(found.time_zone),
            location: clean(found.location),
            organizer: clean(found.organizer),
            repeats: found.repeats,
            answer: clean(found.answer),
        }
    }
}
