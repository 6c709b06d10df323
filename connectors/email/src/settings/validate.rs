//! What of the settings can work.

use switchboard_sdk::SettingsError;

use super::Settings;
use crate::{tag, who::Glob};

/// More folders than this would be more connections than providers like to give one account.
const MAX_FOLDERS: usize = 10;
/// More tags than this nobody can look over.
const MAX_TAGS: usize = 100;

impl Settings {
    /// Refuses what cannot work, naming the field.
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        let wrong = |field: &str, message: &str| Err(SettingsError::new(field, message));
        if self.address.parse::<lettre::Address>().is_err() {
            return wrong(
                "address",
                "is not an e-mail address, such as support@shop.example",
            );
        }
        for (field, host) in [("imap.host", &self.imap.host), ("smtp.host", &self.smtp.host)] {
            // A bare IPv6 address is a host too; anything else with a colon carries a port or a scheme.
            let is_address = host.parse::<std::net::IpAddr>().is_ok();
            if host.is_empty()
                || (!is_address
                    && host
                        .chars()
                        .any(|c| c.is_whitespace() || c.is_control() || ":/@".contains(c)))
            {
                return wrong(
                    field,
                    "is a server name alone, such as mail.shop.example: no scheme, no port",
                );
            }
        }
        for (field, port) in [("imap.port", self.imap.port), ("smtp.port", self.smtp.port)] {
            if port == Some(0) {
                return wrong(field, "is a number from 1 to 65535, or empty");
            }
        }
        self.auth.validate()?;
        if self.imap.password.is_none() && !self.auth.is_oauth() {
            return wrong("imap.password", "is needed to log in");
        }
        let named_alone = self.smtp.username.is_some() && self.auth.is_oauth();
        if self.smtp.username.is_some() != self.smtp.password.is_some() && !named_alone {
            return wrong(
                if self.smtp.username.is_some() {
                    "smtp.password"
                } else {
                    "smtp.username"
                },
                "user name and password are given both, or neither for a relay without login",
            );
        }
        if self.imap.mailbox.trim().is_empty() || self.imap.mailbox.chars().any(char::is_control) {
            return wrong("imap.mailbox", "is the name of a folder, such as INBOX");
        }
        if self
            .authserv_id
            .as_ref()
            .is_some_and(|id| id.len() > 253 || id.contains(|c: char| c.is_whitespace() || c == ';'))
        {
            return wrong("authserv_id", "is one word, such as mx.shop.example");
        }
        for (field, limit) in [
            ("smtp.max_per_minute", self.smtp.max_per_minute),
            ("smtp.max_per_hour", self.smtp.max_per_hour),
        ] {
            if limit.is_some_and(|limit| !(1..=100_000).contains(&limit)) {
                return wrong(field, "is a number from 1 to 100000, or empty for no limit");
            }
        }
        if !(1..=10).contains(&self.smtp.max_connections) {
            return wrong("smtp.max_connections", "is a number from 1 to 10");
        }
        if !(1..=150).contains(&self.max_message_mb) {
            return wrong("max_message_mb", "is a number from 1 to 150");
        }
        let wrong_folder = |folder: &String| folder.len() > 255 || folder.chars().any(char::is_control);
        if self.imap.mailboxes.iter().any(wrong_folder) {
            return wrong("imap.mailboxes", "are names of folders, such as INBOX");
        }
        if self.imap.folders().len() > MAX_FOLDERS {
            return wrong(
                "imap.mailboxes",
                "are too many: a channel reads at most ten folders",
            );
        }
        if self.tags.len() > MAX_TAGS {
            return wrong("tags", "are too many: at most a hundred");
        }
        if let Some((tag, _)) = self
            .tags
            .iter()
            .find(|(tag, line)| !tag::is_tag(tag) || line.is_empty())
        {
            return Err(SettingsError::new(
                "tags",
                format!("\"{tag}\" must be letters, digits, dots, hyphens and underscores, and have a line"),
            ));
        }
        if self.backfill_days > 3650 {
            return wrong("backfill_days", "is at most 3650 (ten years)");
        }
        self.validate_threads()?;
        if let Some(pattern) = self
            .ignore_senders
            .iter()
            .find(|pattern| Glob::new(pattern).is_none())
        {
            return Err(SettingsError::new(
                "ignore_senders",
                format!(
                    "\"{pattern}\" would match everybody or nobody: write an address, *@domain or name@*"
                ),
            ));
        }
        Ok(())
    }

    fn validate_threads(&self) -> Result<(), SettingsError> {
        let wrong = |field: &str, message: &str| Err(SettingsError::new(field, message));
        let delimiter = &self.threads.delimiter;
        if !(1..=3).contains(&delimiter.len()) || !delimiter.bytes().all(|byte| b"+-_=.#~".contains(&byte)) {
            return wrong("threads.delimiter", "is one to three of + - _ = . # ~");
        }
        if self.threads.new_after_days > 3650 {
            return wrong("threads.new_after_days", "is at most 3650 (ten years)");
        }
        let address = self.capture.address.as_deref();
        if address.is_some_and(|address| address.parse::<lettre::Address>().is_err()) {
            return wrong(
                "capture.address",
                "is not an e-mail address, such as archive@shop.example",
            );
        }
        if address.is_some_and(|address| address.eq_ignore_ascii_case(&self.address)) {
            return wrong(
                "capture.address",
                "is another address than the one customers write to",
            );
        }
        if self.capture.enabled && address.is_none() && !self.threads.signed_addresses {
            return wrong(
                "capture.address",
                "is needed where signed reply addresses are off",
            );
        }
        Ok(())
    }
}
