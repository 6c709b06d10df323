//! Ids and tokens: the only place that makes them.
//!
//! An id is a prefix and a UUIDv7 as text (`cnv_0198…`): one form on both databases, ordered by time,
//! and self-describing in a log.

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

/// What an id is of; gives the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person inside.
    Operator,
    /// A group of them.
    Team,
    /// An API key.
    ApiKey,
    /// An open line.
    Line,
    /// A configured connector.
    Channel,
    /// A person outside.
    Contact,
    /// Where such a person works.
    Company,
    /// A browser in the web chat.
    Visitor,
    /// A thread.
    Conversation,
    /// Its life from opened to closed.
    Session,
    /// A message.
    Message,
    /// A file.
    Attachment,
    /// A sales interest.
    Lead,
    /// A filled form.
    Submission,
    /// What could not be understood.
    Quarantine,
    /// Why the router did what it did.
    Decision,
    /// A session that waits for an operator's yes.
    Offer,
    /// A text to write again.
    Template,
    /// How two conversations hang together.
    Link,
    /// Who may not use a chat.
    Block,
    /// A telephone call.
    Call,
    /// A report about one.
    CallEvent,
    /// What was recorded of one.
    CallRecording,
    /// A program elsewhere that is told of events.
    Webhook,
    /// What it is told.
    WebhookDelivery,
    /// What a form tells of a submission.
    FormNotification,
    /// A field that admins define.
    CustomField,
    /// One contact taken into another.
    Merge,
    /// What somebody changed.
    FieldChange,
    /// The stages deals go through.
    Pipeline,
    /// One of them.
    Stage,
    /// Why deals are lost.
    LossReason,
    /// A sale in the making.
    Deal,
    /// A deal that came into a stage.
    Move,
    /// What an operator has to do.
    Task,
    /// A file that is taken in.
    Import,
    /// Which columns fill which fields.
    ImportMapping,
    /// A connection to a CRM.
    CrmConnection,
    /// What it is to be told.
    CrmJob,
    /// A person who is erased.
    Erasure,
    /// Everything of a person as a file.
    PersonExport,
    /// What somebody agreed to.
    Consent,
    /// What somebody did.
    Audit,
    /// What a group of users may do.
    Role,
    /// A 1C that sends orders.
    CommerceExchange,
    /// A file it sends.
    CommerceFile,
    /// Which deal is which order.
    CommerceLink,
}

impl Kind {
    /// The prefix, with its underscore.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Operator => "opr_",
            Self::Team => "tem_",
            Self::ApiKey => "key_",
            Self::Line => "lin_",
            Self::Channel => "chn_",
            Self::Contact => "cnt_",
            Self::Company => "cmp_",
            Self::Visitor => "vis_",
            Self::Conversation => "cnv_",
            Self::Session => "ses_",
            Self::Message => "msg_",
            Self::Attachment => "att_",
            Self::Lead => "led_",
            Self::Submission => "sub_",
            Self::Quarantine => "qrt_",
            Self::Decision => "dcs_",
            Self::Offer => "ofr_",
            Self::Template => "tpl_",
            Self::Link => "lnk_",
            Self::Block => "blk_",
            Self::Call => "cal_",
            Self::CallEvent => "cle_",
            Self::CallRecording => "rec_",
            Self::Webhook => "whk_",
            Self::WebhookDelivery => "dlv_",
            Self::FormNotification => "ntf_",
            Self::CustomField => "cfd_",
            Self::Merge => "mrg_",
            Self::FieldChange => "fch_",
            Self::Pipeline => "pip_",
            Self::Stage => "stg_",
            Self::LossReason => "rsn_",
            Self::Deal => "dea_",
            Self::Move => "mov_",
            Self::Task => "tsk_",
            Self::Import => "imp_",
            Self::ImportMapping => "imm_",
            Self::CrmConnection => "crm_",
            Self::CrmJob => "crj_",
            Self::Erasure => "ers_",
            Self::PersonExport => "pex_",
            Self::Consent => "cns_",
            Self::Audit => "aud_",
            Self::Role => "rol_",
            Self::CommerceExchange => "exc_",
            Self::CommerceFile => "exf_",
            Self::CommerceLink => "exl_",
        }
    }
}

/// A new id. Its order follows `now`, to the millisecond.
pub fn new(kind: Kind, now: DateTime<Utc>) -> String {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let random = Uuid::new_v4().into_bytes();
    let mut tail = [0_u8; 10];
    tail.copy_from_slice(&random[6..]);
    // The version and variant bits of the random bytes are fixed ones: replace them by random ones first.
    tail[0] = random[0];
    tail[2] = random[1];
    let uuid = Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
    format!("{}{}", kind.prefix(), uuid.simple())
}

/// A secret of 256 random bits in hex: sessions, visitors, keys, set-up links.
pub fn token() -> String {
    let mut bytes = [0_u8; 32];
    fill_random(&mut bytes);
    hex::encode(bytes)
}

/// A short random word for keys in URLs: ten characters without look-alikes.
pub fn word() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 10];
    fill_random(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

/// Fills a buffer from the machine's random source.
///
/// # Panics
/// When the machine has no random source: nothing secret can be made then.
#[expect(
    clippy::expect_used,
    reason = "a machine without randomness must not run this"
)]
pub fn fill_random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the machine's random source works");
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::{Kind, new};

    #[test]
    fn ids_order_by_time_and_do_not_repeat() {
        #[expect(clippy::disallowed_methods, reason = "any moment will do")]
        let now = Utc::now();
        let first = new(Kind::Message, now);
        let second = new(Kind::Message, now + TimeDelta::milliseconds(1));
        assert!(first < second);
        assert!(first.starts_with("msg_") && first.len() == 36);
        assert_ne!(new(Kind::Message, now), new(Kind::Message, now));
    }
}
