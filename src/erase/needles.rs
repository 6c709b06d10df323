//! Somebody's addresses, and finding them in other people's texts. Pure.

use std::{collections::BTreeSet, ops::Range};

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands where an address stood.
pub const GAP: &str = "[erased]";
/// A phone without its country code has this many digits; fewer could be any number.
const NATIONAL: usize = 9;
/// Identities of other kinds that are shorter could be anything.
const SHORTEST_NAME: usize = 6;
/// Base64 that is shorter holds no address worth decoding.
const SHORTEST_CODED: usize = 8;
/// How an at sign is written in addresses of pages and in HTML.
const AT: [&str; 4] = ["@", "%40", "&#64;", "&#x40;"];
/// What stands between the digits of a phone, at most two in a row.
const BETWEEN: [char; 9] = [' ', '-', '.', '(', ')', '/', '\u{a0}', '\u{2011}', '\u{202f}'];

/// The addresses of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needles {
    /// E-mail addresses in small letters.
    pub emails: BTreeSet<String>,
    /// Phones: their digits, with the country code.
    pub phones: BTreeSet<String>,
    /// What other providers know them by; looked for in providers' ids alone.
    pub names: BTreeSet<String>,
}

impl Needles {
    /// There is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.phones.is_empty()
    }

    /// Takes in an identity.
    pub fn add(&mut self, kind: &str, value: &str) {
        match kind {
            "email" => drop(self.emails.insert(value.trim().to_lowercase())),
            "phone" => {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                // An extension of the house is nobody's phone.
                if digits.len() >= 7 {
                    self.phones.insert(digits);
                }
            }
            _ if value.len() >= SHORTEST_NAME => drop(self.names.insert(value.to_owned())),
            _ => {}
        }
    }

    /// Patterns for `LIKE` that match every text in which [`Needles::redact`] finds something, and some others.
    pub fn patterns(&self, with_names: bool) -> Vec<String> {
        // A backslash would escape what follows it; an underscore stands for any one character.
        let plain = |text: &str| text.replace('\\', "_");
        let mut patterns: Vec<String> = Vec::new();
        for email in &self.emails {
            patterns.push(format!("%{}%", plain(&email.replacen('@', "%", 1))));
        }
        for phone in &self.phones {
            let tail = phone.get(phone.len().saturating_sub(NATIONAL)..).unwrap_or(phone);
            let mut pattern = String::from("%");
            for digit in tail.chars() {
                pattern.push(digit);
                pattern.push('%');
            }
            patterns.push(pattern);
        }
        if with_names {
            patterns.extend(self.names.iter().map(|name| format!("%{}%", plain(name))));
        }
        patterns
    }

    /// The text without the addresses; none when it holds none.
    pub fn redact(&self, text: &str) -> Option<String> {
        // What is JSON is redacted as JSON: what stands before an address may be half of an escaped sign.
        if text.starts_with(['{', '['])
            && let Ok(value) = serde_json::from_str::<Value>(text)
        {
            return self.redact_json(&value).map(|value| value.to_string());
        }
        let places = self.places(text);
        if places.is_empty() {
            return None;
        }
        let mut redacted = String::with_capacity(text.len());
        let mut at = 0;
        for place in places {
            redacted.push_str(text.get(at..place.start).unwrap_or_default());
            redacted.push_str(GAP);
            at = place.end;
        }
        redacted.push_str(text.get(at..).unwrap_or_default());
        Some(redacted)
    }

    /// The value without the addresses; none when it holds none. In lists they are left out.
    pub fn redact_json(&self, value: &Value) -> Option<Value> {
        match value {
            Value::String(text) => self.redact(text).map(Value::String),
            Value::Number(number) => self.redact(&number.to_string()).map(Value::String),
            Value::Array(items) => {
                let mut changed = false;
                let mut kept = Vec::with_capacity(items.len());
                for item in items {
                    match self.redact_json(item) {
                        Some(Value::String(text)) if text == GAP => changed = true,
                        Some(item) => {
                            changed = true;
                            kept.push(item);
                        }
                        None => kept.push(item.clone()),
                    }
                }
                changed.then_some(Value::Array(kept))
            }
            Value::Object(members) => {
                let mut changed = false;
                let mut kept = serde_json::Map::with_capacity(members.len());
                for (key, item) in members {
                    let redacted = self.redact_json(item);
                    let renamed = self.redact(key);
                    changed |= redacted.is_some() || renamed.is_some();
                    kept.insert(
                        renamed.unwrap_or_else(|| key.clone()),
                        redacted.unwrap_or_else(|| item.clone()),
                    );
                }
                changed.then_some(Value::Object(kept))
            }
            Value::Null | Value::Bool(_) => None,
        }
    }

    /// Whether the text holds an address.
    pub fn mentioned(&self, text: &str) -> bool {
        self.redact(text).is_some()
    }

    /// Whether a provider's id holds an address, or what the provider knows them by. Ids are made of anything: what
    /// stands around the address does not matter.
    pub fn named(&self, id: &str) -> bool {
        let lower = id.to_lowercase();
        let known = self.emails.iter().chain(&self.phones);
        known.into_iter().any(|address| lower.contains(address.as_str()))
            || self.mentioned(id)
            || self.names.iter().any(|name| id.contains(name.as_str()))
    }

    /// Whether bytes hold an address: as they are, in UTF-16, or in a mail's quoted-printable or base64.
    pub fn in_bytes(&self, bytes: &[u8]) -> bool {
        let found = |bytes: &[u8]| self.mentioned(&String::from_utf8_lossy(bytes));
        if found(bytes) {
            return true;
        }
        if bytes.contains(&0) {
            let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
            if found(&narrow) {
                return true;
            }
        }
        found(&quoted_printable(bytes)) || base64_runs(bytes).iter().any(|decoded| found(decoded))
    }

    /// Where addresses stand, in order and apart from each other.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let lower = lowered(text);
        let mut places: Vec<Range<usize>> = Vec::new();
        for email in &self.emails {
            places.extend(email_places(&lower, email));
        }
        for phone in &self.phones {
            places.extend(phone_places(text, phone));
        }
        places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
        let mut end = 0;
        places.retain(|place| {
            let apart = place.start >= end;
            if apart {
                end = place.end;
            }
            apart
        });
        places
    }
}

/// The text in small letters, each as long as it was: places in the one are places in the other.
fn lowered(text: &str) -> String {
    text.chars()
        .map(|char| {
            let mut lower = char.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(one), None) if one.len_utf8() == char.len_utf8() => one,
                _ => char,
            }
        })
        .collect()
}

fn email_places(lower: &str, email: &str) -> Vec<Range<usize>> {
    let Some((local, domain)) = email.split_once('@') else {
        return Vec::new();
    };
    let mut places = Vec::new();
    for at in AT {
        let written = format!("{local}{at}{domain}");
        for (start, found) in lower.match_indices(&written) {
            let end = start + found.len();
            let before = lower.get(..start).and_then(|text| text.chars().next_back());
            // joanna@… is somebody else than anna@….
            let begins = !before.is_some_and(|char| char.is_alphanumeric() || "._+-".contains(char));
            let ends = is_end(lower.get(end..).unwrap_or_default());
            if begins && ends {
                places.push(start..end);
            }
        }
    }
    places
}

/// Whether an address ends before this text: a country's two letters go on with it (`….com.uk`), what else stands behind
/// a dot is the end of a sentence or of a file's name (`….com.csv`).
fn is_end(after: &str) -> bool {
    let mut chars = after.chars();
    match chars.next() {
        Some('.') => {
            let label = chars.take_while(|char| char.is_alphanumeric() || *char == '-');
            label.count() != 2
        }
        Some(char) => !(char.is_alphanumeric() || char == '-'),
        None => true,
    }
}

/// Places of a phone in any writing: with its country code wherever it stands, without it where no other digits touch
/// it.
fn phone_places(text: &str, phone: &str) -> Vec<Range<usize>> {
    let digits: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, char)| char.is_ascii_digit())
        .collect();
    let wanted: Vec<char> = phone.chars().collect();
    let mut places = Vec::new();
    let mut at = 0;
    while at < digits.len() {
        let whole = run(text, &digits, at, &wanted);
        let national = (wanted.len() > NATIONAL)
            .then(|| &wanted[wanted.len() - NATIONAL..])
            .and_then(|wanted| run(text, &digits, at, wanted))
            .filter(|place| stands_alone(text, place));
        let Some(mut place) = whole.or(national) else {
            at += 1;
            continue;
        };
        if text
            .get(..place.start)
            .is_some_and(|before| before.ends_with('+'))
        {
            place.start -= 1;
        }
        while digits.get(at).is_some_and(|(position, _)| *position < place.end) {
            at += 1;
        }
        places.push(place);
    }
    places
}

/// The place of these digits beginning with the one at `at`, when nothing but separators stands between them.
fn run(text: &str, digits: &[(usize, char)], at: usize, wanted: &[char]) -> Option<Range<usize>> {
    let found = digits.get(at..at + wanted.len())?;
    let same = found
        .iter()
        .zip(wanted)
        .all(|((_, found), wanted)| found == wanted);
    let close = found.windows(2).all(|pair| {
        let between = text.get(pair[0].0 + 1..pair[1].0).unwrap_or_default();
        between.chars().count() <= 2 && between.chars().all(|char| BETWEEN.contains(&char))
    });
    let (first, last) = (found.first()?.0, found.last()?.0);
    (same && close).then_some(first..last + 1)
}

/// No digit touches the place, but for the one or two that are dialled before a number.
fn stands_alone(text: &str, place: &Range<usize>) -> bool {
    let after = text.get(place.end..).and_then(|text| text.chars().next());
    let before = text.get(..place.start).unwrap_or_default();
    let dialled: String = before
        .chars()
        .rev()
        .take_while(|char| char.is_ascii_alphanumeric())
        .collect();
    !after.is_some_and(|char| char.is_ascii_alphanumeric())
        && matches!(dialled.as_str(), "" | "0" | "8" | "00")
}

fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'=' {
            match (bytes.get(at + 1), bytes.get(at + 2)) {
                (Some(b'\r'), Some(b'\n')) => {
                    at += 3;
                    continue;
                }
                (Some(b'\n'), _) => {
                    at += 2;
                    continue;
                }
                (Some(high), Some(low)) => {
                    if let Some(one) = hex_pair(*high, *low) {
                        decoded.push(one);
                        at += 3;
                        continue;
                    }
                }
                _ => {}
            }
        }
        decoded.push(*byte);
        at += 1;
    }
    decoded
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? * 16 + digit(low)?)
}

/// What the stretches of base64 hold, their line ends left out.
fn base64_runs(bytes: &[u8]) -> Vec<Vec<u8>> {
    use base64::{
        alphabet,
        engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    };
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let coded = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut runs = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    let mut end = |run: &mut Vec<u8>| {
        if run.len() >= SHORTEST_CODED {
            run.truncate(run.len() - usize::from(run.len() % 4 == 1));
            runs.extend(LENIENT.decode(&*run).ok());
        }
        run.clear();
    };
    let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let whole = !line.is_empty() && line.iter().all(|byte| coded(*byte));
        if whole {
            // The line goes on in the next one.
            run.extend_from_slice(line);
            if lines.peek().is_some() {
                continue;
            }
        }
        let mut word: Vec<u8> = std::mem::take(&mut run);
        if !whole {
            for byte in line {
                if coded(*byte) {
                    word.push(*byte);
                } else {
                    end(&mut word);
                }
            }
        }
        end(&mut word);
    }
    runs
}

#[cfg(test)]
#[path = "needles_tests.rs"]
mod tests;
