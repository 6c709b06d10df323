//! Who is at an end of a call, from how providers write it. Pure.
//!
//! Nobody who hides their number becomes somebody: every way in which providers write "hidden" is nobody, and
//! what is no number of the public network never looks like one.

use switchboard_sdk::{CallParty, PartyKind, fields};

/// Longest address that is kept, in characters.
const LONGEST: usize = 120;
/// The most digits of a number that is nobody's own.
const SHORT: usize = 6;

/// How a provider writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// With the country code, often without its plus.
    International,
    /// As they are dialled, or with the country code.
    Either,
}

/// Words for "does not show their number", in lower case; Twilio's are spelled on a telephone's keys.
const HIDDEN: [&str; 29] = [
    "",
    "0",
    "00",
    "-",
    "null",
    "none",
    "nil",
    "undefined",
    "anonymous",
    "anon",
    "restricted",
    "unknown",
    "<unknown>",
    "unavailable",
    "private",
    "blocked",
    "withheld",
    "hidden",
    "number withheld",
    "no caller id",
    "asterisk",
    "s",
    "unidentified",
    "266696687",
    "7378742833",
    "2562533",
    "8656696",
    "86282452253",
    "номер скрыт",
];

/// Without control characters and too much of anything.
pub fn clean(raw: &str) -> String {
    let kept: String = raw
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    kept.trim().to_owned()
}

/// Whether a text stands for somebody who does not show their number.
pub fn is_hidden(raw: &str) -> bool {
    let text = raw.trim().trim_matches('"').to_lowercase();
    let text = text.strip_prefix('+').unwrap_or(&text);
    let name = user(text);
    HIDDEN.contains(&text) || HIDDEN.contains(&name) || text.contains("anonymous.invalid")
}

/// The user part of `sip:user@host;x=y`, `client:user`, `"Name" <sip:user@host>`; the text itself else.
pub fn user(address: &str) -> &str {
    let address = address.trim();
    let inner = match (address.find('<'), address.rfind('>')) {
        (Some(from), Some(to)) if from < to => address.get(from + 1..to).unwrap_or(address),
        _ => address,
    };
    let bare = scheme(inner).map_or(inner, |(_, rest)| rest);
    let bare = bare.split(['@', ';']).next().unwrap_or(bare);
    bare.split(':').next().unwrap_or(bare).trim()
}

fn scheme(address: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = address.split_once(':')?;
    ["sip", "sips", "tel", "client", "user"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        .then_some((scheme, rest))
}

/// The number in E.164, when it is one.
pub fn e164(raw: &str, region: Option<&str>, written: Written) -> Option<String> {
    let raw = raw.trim();
    let digits = raw.chars().filter(char::is_ascii_digit).count();
    if digits <= SHORT {
        return None;
    }
    let bare = !raw.starts_with('+') && !raw.starts_with("00");
    // 8 495 123-45-67 is how Russia and Kazakhstan dial themselves, and a number of Vietnam without its plus.
    let trunk = matches!(region, Some("RU" | "KZ")) && digits == 11 && raw.starts_with('8');
    if bare && written == Written::International && !trunk {
        let with_plus = fields::phone(&format!("+{raw}"), None).ok();
        return with_plus
            .filter(|_| digits >= 10 || region.is_none())
            .or_else(|| fields::phone(raw, region).ok());
    }
    fields::phone(raw, region).ok()
}

/// Who it is.
pub fn party(raw: &str, region: Option<&str>, written: Written) -> CallParty {
    let made = |kind, address: &str| CallParty {
        kind,
        address: clean(address),
    };
    let raw = clean(raw);
    if is_hidden(&raw) {
        return CallParty::default();
    }
    let is_client = scheme(&raw).is_some_and(|(scheme, _)| {
        ["client", "user"]
            .iter()
            .any(|word| scheme.eq_ignore_ascii_case(word))
    });
    if is_client {
        return made(PartyKind::Client, user(&raw));
    }
    let name = user(&raw);
    if name.is_empty() || is_hidden(name) {
        return CallParty::default();
    }
    let is_sip = raw.contains('@')
        || scheme(&raw).is_some_and(|(scheme, _)| scheme.to_ascii_lowercase().starts_with("sip"));
    // A SIP name of a few digits is a telephone of some PBX, not a number of the country.
    if let Some(number) = e164(name, region, written) {
        return made(PartyKind::Number, &number);
    }
    if is_sip {
        let address = raw.rsplit('<').next().unwrap_or(&raw).trim_end_matches('>');
        let address = scheme(address).map_or(address, |(_, rest)| rest);
        let address = address.split(';').next().unwrap_or(address).trim();
        // Brackets with nothing in them: the name is all there is.
        return made(PartyKind::Sip, if address.is_empty() { name } else { address });
    }
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let dialled = name.chars().all(|c| c.is_ascii_digit() || "*#+-() ".contains(c));
    if dialled && (1..=SHORT).contains(&digits) {
        return made(PartyKind::ShortCode, name);
    }
    made(PartyKind::Sip, name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_way_of_writing_somebody_is_read() {
        use PartyKind::{Client, Hidden, Number, ShortCode, Sip};
        use Written::{Either, International};
        for (raw, region, written, kind, address) in [
            ("+74951234567", None, Either, Number, "+74951234567"),
            ("+7 (495) 123-45-67", None, Either, Number, "+74951234567"),
            ("0074951234567", None, Either, Number, "+74951234567"),
            ("84951234567", Some("RU"), Either, Number, "+74951234567"),
            ("84951234567", Some("RU"), International, Number, "+74951234567"),
            ("74951234567", Some("RU"), International, Number, "+74951234567"),
            ("442037691880", Some("RU"), International, Number, "+442037691880"),
            ("442037691880", Some("RU"), Either, Number, "+442037691880"),
            ("442037691880", None, International, Number, "+442037691880"),
            ("4951234567", Some("RU"), Either, Number, "+74951234567"),
            ("901234567", Some("UZ"), International, Number, "+998901234567"),
            ("14155550123", Some("DE"), International, Number, "+14155550123"),
            ("tel:+442079460958", None, Either, Number, "+442079460958"),
            (
                "sip:+14155550123@carrier.example;user=phone",
                None,
                Either,
                Number,
                "+14155550123",
            ),
            (
                "\"Ann\" <sip:14155550123@carrier.example>",
                None,
                International,
                Number,
                "+14155550123",
            ),
            ("sip:ann@shop.example", None, Either, Sip, "ann@shop.example"),
            ("sip:101@pbx.example", Some("RU"), Either, Sip, "101@pbx.example"),
            ("!@<", None, Either, Sip, "!"),
            ("client:ann", None, Either, Client, "ann"),
            ("client:", None, Either, Hidden, ""),
            ("101", Some("RU"), Either, ShortCode, "101"),
            ("*43", None, Either, ShortCode, "*43"),
            ("112", Some("DE"), International, ShortCode, "112"),
            ("88002", Some("RU"), Either, ShortCode, "88002"),
            ("1234567", None, Either, Sip, "1234567"),
            ("reception", None, Either, Sip, "reception"),
            ("anonymous", None, Either, Hidden, ""),
            ("Anonymous", None, Either, Hidden, ""),
            ("<unknown>", None, Either, Hidden, ""),
            ("sip:anonymous@anonymous.invalid", None, Either, Hidden, ""),
            (
                "\"Anonymous\" <sip:c8@anonymous.invalid>",
                None,
                Either,
                Hidden,
                "",
            ),
            ("restricted", None, Either, Hidden, ""),
            ("0", Some("RU"), International, Hidden, ""),
            ("", Some("RU"), Either, Hidden, ""),
            ("+266696687", None, Either, Hidden, ""),
            ("+7378742833", None, Either, Hidden, ""),
            ("+2562533", None, Either, Hidden, ""),
            ("+8656696", None, Either, Hidden, ""),
            ("+86282452253", None, Either, Hidden, ""),
        ] {
            let found = party(raw, region, written);
            assert_eq!(
                (found.kind, found.address.as_str()),
                (kind, address),
                "{raw:?} {region:?} {written:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn whoever_it_is_only_numbers_look_like_numbers(raw in ".{0,60}", region in prop::option::of(prop::sample::select(vec!["RU", "UZ", "DE", "US"])), international: bool) {
            let written = if international { Written::International } else { Written::Either };
            let found = party(&raw, region, written);
            prop_assert_eq!(found.kind == PartyKind::Hidden, found.address.is_empty());
            prop_assert!(found.address.chars().count() <= LONGEST);
            prop_assert!(!found.address.chars().any(char::is_control));
            if found.kind == PartyKind::Number {
                let digits = found.address.strip_prefix('+').unwrap();
                prop_assert!((8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
                // Read again, it is the same: identities are compared by it.
                prop_assert_eq!(party(&found.address, region, written), found);
            }
        }

        #[test]
        fn a_number_is_the_same_however_it_is_written(digits in "[2-9][0-9]{9}", spaced: bool) {
            let plain = format!("+1{digits}");
            let other = if spaced { { let (area, rest) = digits.split_at(3); format!("+1 ({area}) {rest}") } } else { format!("1{digits}") };
            let (one, two) = (party(&plain, Some("US"), Written::International), party(&other, Some("US"), Written::International));
            if one.kind == PartyKind::Number {
                prop_assert_eq!(one, two);
            }
        }
    }
}
