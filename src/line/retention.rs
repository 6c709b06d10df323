//! How long a line keeps what is over. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longer is for ever.
const DAYS_LIMIT: u32 = 36_500;

/// What goes how many days after it is over; null keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Retention {
    /// Files of conversations, and the originals of mails, days after closing.
    pub attachments_days: Option<u32>,
    /// Recordings of calls, days after the call.
    pub recordings_days: Option<u32>,
    /// Conversations with their messages, days after closing.
    pub conversations_days: Option<u32>,
    /// Contacts who came by this line, days after the last thing that happened with them on any line: they are erased.
    pub contacts_days: Option<u32>,
}

/// What is older goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    /// Of files.
    pub attachments: Option<DateTime<Utc>>,
    /// Of recordings.
    pub recordings: Option<DateTime<Utc>>,
    /// Of conversations.
    pub conversations: Option<DateTime<Utc>>,
    /// Of contacts.
    pub contacts: Option<DateTime<Utc>>,
}

impl Retention {
    /// Each time with its name.
    fn fields(&self) -> [(&'static str, Option<u32>); 4] {
        [
            ("retention.attachments_days", self.attachments_days),
            ("retention.recordings_days", self.recordings_days),
            ("retention.conversations_days", self.conversations_days),
            ("retention.contacts_days", self.contacts_days),
        ]
    }

    /// What is wrong, as `(field, message)`.
    pub fn errors(&self) -> Vec<(String, String)> {
        self.fields()
            .into_iter()
            .filter(|(_, days)| days.is_some_and(|days| !(1..=DAYS_LIMIT).contains(&days)))
            .map(|(field, _)| {
                let message = format!("must be from 1 to {DAYS_LIMIT} days, or null to keep it");
                (field.to_owned(), message)
            })
            .collect()
    }

    /// Whether everything is kept.
    pub fn keeps_all(&self) -> bool {
        self.fields().iter().all(|(_, days)| days.is_none())
    }

    /// From when on things are kept.
    pub fn before(&self, now: DateTime<Utc>) -> Before {
        let ago = |days: Option<u32>| days.map(|days| now - TimeDelta::days(i64::from(days.min(DAYS_LIMIT))));
        Before {
            attachments: ago(self.attachments_days),
            recordings: ago(self.recordings_days),
            conversations: ago(self.conversations_days),
            contacts: ago(self.contacts_days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Retention;

    #[test]
    fn days_are_counted_back_from_now_and_none_keeps() {
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        let rule = Retention {
            attachments_days: Some(10),
            ..Retention::default()
        };
        let before = rule.before(now);
        assert_eq!(before.attachments, Some("2026-11-13T08:00:00Z".parse().unwrap()));
        assert_eq!((before.conversations, before.contacts), (None, None));
        assert!(!rule.keeps_all() && Retention::default().keeps_all());
    }

    #[test]
    fn no_day_and_more_than_a_century_are_refused() {
        let rule = Retention {
            recordings_days: Some(0),
            contacts_days: Some(40_000),
            ..Retention::default()
        };
        let fields: Vec<String> = rule.errors().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["retention.recordings_days", "retention.contacts_days"]);
    }
}
