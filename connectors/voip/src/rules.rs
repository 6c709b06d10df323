//! What a channel says of numbers and people: pure, and the same for every provider.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use switchboard_sdk::{CallDirection, CallParty, OwnNumber, PartyKind};

use crate::number::{self, Written};

/// A channel's numbers, operators and habits.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Country of numbers without a country code.
    pub region: Option<String>,
    /// Own numbers by E.164.
    pub numbers: BTreeMap<String, OwnNumber>,
    /// Operators by extension.
    pub operators: BTreeMap<String, String>,
    /// Of times without a zone.
    pub time_zone: Tz,
    /// The address of an operator's telephone, with `{extension}` in it.
    pub telephone: Option<String>,
    /// The own number shown when a client is called back.
    pub caller_id: Option<String>,
}

impl Rules {
    /// An end of a call, from how the provider writes it.
    pub fn party(&self, raw: &str, written: Written) -> CallParty {
        let party = number::party(raw, self.region.as_deref(), written);
        match party.kind {
            PartyKind::ShortCode | PartyKind::Client | PartyKind::Sip | PartyKind::Number => {
                match self.extension(raw) {
                    Some(extension) => CallParty {
                        kind: PartyKind::Extension,
                        address: extension,
                    },
                    None => party,
                }
            }
            PartyKind::Extension | PartyKind::Hidden => party,
        }
    }

    /// An own number: E.164, or as it is written where it is none.
    pub fn own(&self, raw: &str, written: Written) -> Option<String> {
        let party = number::party(raw, self.region.as_deref(), written);
        (party.kind != PartyKind::Hidden && !party.address.is_empty()).then_some(party.address)
    }

    /// Whether this is one of the company's own numbers.
    pub fn is_own(&self, raw: &str, written: Written) -> bool {
        self.own(raw, written)
            .is_some_and(|number| self.numbers.contains_key(&number))
    }

    /// The extension that an address belongs to: `101`, `client:101`, `sip:101@pbx.example`, an operator's own number.
    pub fn extension(&self, address: &str) -> Option<String> {
        let known = |text: &str| self.operators.contains_key(text).then(|| text.to_owned());
        let address = address.trim();
        let name = number::user(address);
        known(address)
            .or_else(|| known(name))
            .or_else(|| {
                let (before, after) = self.telephone.as_deref()?.split_once("{extension}")?;
                let inside = address.strip_prefix(before)?.strip_suffix(after)?;
                known(inside)
            })
            .or_else(|| known(&number::e164(name, self.region.as_deref(), Written::Either)?))
    }

    /// An extension as the provider says it, whoever it belongs to; nothing when it says nothing.
    pub fn said_extension(&self, raw: &str) -> Option<String> {
        let raw = number::clean(raw);
        if raw.is_empty() || number::is_hidden(&raw) {
            return None;
        }
        Some(
            self.extension(&raw)
                .unwrap_or_else(|| number::user(&raw).to_owned()),
        )
    }

    /// The address of an operator's telephone; `None` leaves it to how the provider names its own.
    pub fn telephone(&self, extension: &str) -> Option<String> {
        self.telephone
            .as_deref()
            .map(|template| template.replace("{extension}", extension))
    }

    /// The own number to show to a client.
    pub fn shown_number(&self) -> Option<&str> {
        self.caller_id
            .as_deref()
            .or_else(|| self.numbers.keys().next().map(String::as_str))
    }

    /// A moment the provider writes by its own clock: `2026-01-02 03:04:05`.
    pub fn local_time(&self, text: &str) -> Option<DateTime<Utc>> {
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(time.to_utc());
        }
        let formats = [
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%dT%H:%M:%S%.f",
            "%m/%d/%Y %H:%M:%S",
            "%d.%m.%Y %H:%M:%S",
        ];
        let naive = formats
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
        // An hour that comes twice is its first, one that does not exist is nothing.
        self.time_zone
            .from_local_datetime(&naive)
            .earliest()
            .map(|time| time.to_utc())
    }

    /// Who rang whom, from both ends, where the provider does not say.
    pub fn direction(&self, from: &CallParty, to: &CallParty) -> CallDirection {
        match (from.kind == PartyKind::Extension, to.kind == PartyKind::Extension) {
            (true, true) => CallDirection::Internal,
            (true, false) => CallDirection::Outbound,
            _ if self.numbers.contains_key(&from.address) && !self.numbers.contains_key(&to.address) => {
                CallDirection::Outbound
            }
            _ => CallDirection::Inbound,
        }
    }
}
