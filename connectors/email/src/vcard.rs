//! Business cards (RFC 6350, and 2.1 and 3.0 before it) that come as files. Pure.
//!
//! A card is a claim, and anybody can mail anybody's. So a card counts only when it is the sender's own, which is
//! when it names the very address the mail came from; it fills what nobody knows yet, proves nothing and
//! recognises nobody. Other cards stay files.

use mail_parser::{Message, MimeHeaders, PartType};
use switchboard_sdk::{Identity, IdentityKind, Person};

use crate::{
    card_lines::{self, Property},
    charset, headers,
};

/// Card files looked at, and cards in one.
const MAX_FILES: usize = 5;
const MAX_CARDS: usize = 20;
/// Addresses and numbers taken from a card.
const MAX_IDENTITIES: usize = 6;

/// What the sender says of themselves on a card of their own.
pub fn of_sender(message: &Message<'_>, sender: &str) -> Option<Person> {
    message
        .parts
        .iter()
        .filter(|part| {
            part.content_type().is_some_and(|kind| {
                let subtype = kind.subtype().unwrap_or_default().to_ascii_lowercase();
                kind.ctype().eq_ignore_ascii_case("text")
                    && ["vcard", "x-vcard", "directory"].contains(&subtype.as_str())
            }) || part
                .attachment_name()
                .is_some_and(|name| name.to_ascii_lowercase().ends_with(".vcf"))
        })
        .take(MAX_FILES)
        .find_map(|part| match &part.body {
            PartType::Text(text) => of_text(text, sender),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                of_text(&charset::decode(bytes, None), sender)
            }
            _ => None,
        })
}

fn of_text(text: &str, sender: &str) -> Option<Person> {
    let lines = card_lines::read(text);
    lines
        .split(|line| line.name == "END")
        .take(MAX_CARDS)
        .filter(|card| {
            card.iter()
                .any(|line| line.name == "BEGIN" && line.value.trim().eq_ignore_ascii_case("VCARD"))
        })
        .find(|card| emails(card).any(|address| address == sender))
        .map(|card| person(card, sender))
}

fn emails(card: &[Property]) -> impl Iterator<Item = String> + '_ {
    card.iter()
        .filter(|line| line.name == "EMAIL")
        .map(|line| line.text().to_lowercase())
        .filter(|address| {
            address.len() <= 254
                && address
                    .rsplit_once('@')
                    .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
                && !address.contains([' ', '<', '>', ','])
        })
}

fn person(card: &[Property], sender: &str) -> Person {
    let find = |name: &str| card.iter().find(|line| line.name == name);
    let text =
        |line: &Property| Some(line.text()).filter(|text| !text.is_empty() && text.chars().count() <= 200);
    let name = find("FN").and_then(text).or_else(|| {
        let parts = card_lines::components(&find("N")?.value);
        let whole = [parts.get(1), parts.get(2), parts.first()]
            .into_iter()
            .flatten()
            .map(|part| headers::one_line(part))
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        Some(whole).filter(|name| !name.is_empty() && name.chars().count() <= 200)
    });
    let company = find("ORG")
        .and_then(|line| card_lines::components(&line.value).into_iter().next())
        .map(|company| headers::one_line(&company))
        .filter(|company| !company.is_empty() && company.chars().count() <= 200);
    let claimed = |kind, value| Identity {
        kind,
        value,
        verified: false,
    };
    let phones = card
        .iter()
        .filter(|line| line.name == "TEL" && !is_fax(line))
        .filter_map(|line| e164(&line.text()))
        .map(|number| claimed(IdentityKind::Phone, number));
    let others = emails(card)
        .filter(|address| address != sender)
        .map(|address| claimed(IdentityKind::Email, address));
    let mut identities: Vec<Identity> = Vec::new();
    for identity in phones.chain(others) {
        if identities.len() < MAX_IDENTITIES && !identities.contains(&identity) {
            identities.push(identity);
        }
    }
    Person {
        name,
        identities,
        company,
        ..Person::default()
    }
}

fn is_fax(line: &Property) -> bool {
    line.parameters
        .iter()
        .any(|(_, value)| value.to_ascii_lowercase().contains("fax"))
}

/// A number with its country. One without could be anywhere in the world and is left on the card.
fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let number = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    let number = number.split([';', 'x', ',']).next().unwrap_or_default();
    let number = number.replace("(0)", "");
    if !number
        .chars()
        .all(|c| c.is_ascii_digit() || " ()-./\u{a0}".contains(c))
    {
        return None;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    ((8..=15).contains(&digits.len()) && !digits.starts_with('0')).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use switchboard_sdk::IdentityKind;

    use super::{e164, of_text};

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Doe\r\nORG:Client\\, Ltd;Sales\r\nEMAIL;TYPE=work:Ann@Client.example\r\n\
        EMAIL:ann@home.example\r\nTEL;TYPE=cell:+49 (0)30 1234-567\r\nTEL;TYPE=fax:+49 30 999999\r\nTEL:030 5\r\nEND:VCARD\r\n";

    #[test]
    fn the_senders_own_card_says_name_company_and_numbers_as_claims() {
        let person = of_text(CARD, "ann@client.example").unwrap();
        assert_eq!(
            (person.name.as_deref(), person.company.as_deref()),
            (Some("Ann Doe"), Some("Client, Ltd"))
        );
        let said: Vec<_> = person
            .identities
            .iter()
            .map(|identity| (identity.kind, identity.value.as_str(), identity.verified))
            .collect();
        assert_eq!(
            said,
            [
                (IdentityKind::Phone, "+49301234567", false),
                (IdentityKind::Email, "ann@home.example", false)
            ]
        );
    }

    #[test]
    fn somebody_elses_card_says_nothing() {
        assert_eq!(of_text(CARD, "bob@client.example"), None);
        assert_eq!(
            of_text("EMAIL:bob@client.example", "bob@client.example"),
            None,
            "no card at all"
        );
        let two = format!(
            "{CARD}{}",
            CARD.replace("Ann@Client", "bob@client").replace("Ann Doe", "Bob")
        );
        assert_eq!(
            of_text(&two, "bob@client.example").unwrap().name.as_deref(),
            Some("Bob")
        );
    }

    #[test]
    fn only_numbers_with_a_country_are_numbers() {
        assert_eq!(e164("0049 30 1234567").as_deref(), Some("+49301234567"));
        assert_eq!(e164("tel:+1-201-555-0123;ext=5").as_deref(), Some("+12015550123"));
        assert_eq!(
            (e164("030 1234567"), e164("+49 call me"), e164("+1")),
            (None, None, None)
        );
    }
}
