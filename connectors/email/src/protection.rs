//! Encrypted and signed mails: recognised, marked, and handed on as they are. Pure.
//!
//! Nothing is decrypted and no signature is checked: the keys are not ours. The protected parts stay among the
//! files, and the original is kept, so that whoever has the key can open it.

use mail_parser::{Message, MessagePart, MimeHeaders};
use switchboard_sdk::{Protection, ProtectionKind, ProtectionMeans};

/// Parts looked at.
const MAX_PARTS: usize = 50;

/// How the mail is protected, by its parts and the armour in its text.
pub fn of(message: &Message<'_>, text: &str) -> Option<Protection> {
    message
        .parts
        .iter()
        .take(MAX_PARTS)
        .find_map(of_part)
        .or_else(|| armour(text))
}

fn of_part(part: &MessagePart<'_>) -> Option<Protection> {
    use ProtectionKind::{Encrypted, Signed};
    use ProtectionMeans::{Pgp, Smime};
    let kind = part.content_type()?;
    let attribute = |name: &str| kind.attribute(name).unwrap_or_default().to_ascii_lowercase();
    let full = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase();
    let (what, by) = match full.as_str() {
        "multipart/encrypted" => (Encrypted, Pgp),
        "multipart/signed" if attribute("protocol").contains("pkcs7") => (Signed, Smime),
        "multipart/signed" if attribute("protocol").contains("pgp") => (Signed, Pgp),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            let signed = ["signed-data", "certs-only"].contains(&attribute("smime-type").as_str());
            (if signed { Signed } else { Encrypted }, Smime)
        }
        "application/pgp-encrypted" => (Encrypted, Pgp),
        _ => return None,
    };
    Some(Protection { kind: what, by })
}

/// Armour that begins a line of the text (RFC 9580 §6.2).
fn armour(text: &str) -> Option<Protection> {
    let kind = text.lines().take(200).find_map(|line| match line.trim_end() {
        "-----BEGIN PGP MESSAGE-----" => Some(ProtectionKind::Encrypted),
        "-----BEGIN PGP SIGNED MESSAGE-----" => Some(ProtectionKind::Signed),
        _ => None,
    })?;
    Some(Protection {
        kind,
        by: ProtectionMeans::Pgp,
    })
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use switchboard_sdk::{
        Protection,
        ProtectionKind::{Encrypted, Signed},
        ProtectionMeans::{Pgp, Smime},
    };

    #[test]
    fn each_way_to_protect_a_mail_is_told_by_its_type() {
        let of = |kind: &str| {
            let mail =
                format!("From: a@b.example\r\nContent-Type: {kind}\r\n\r\n--x\r\n\r\ntext\r\n--x--\r\n");
            let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
            super::of(&message, "text")
        };
        let is = |kind, by| Some(Protection { kind, by });
        assert_eq!(
            of("multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=x"),
            is(Encrypted, Pgp)
        );
        assert_eq!(
            of("multipart/signed; protocol=\"application/pgp-signature\"; boundary=x"),
            is(Signed, Pgp)
        );
        assert_eq!(
            of("multipart/signed; protocol=\"application/x-pkcs7-signature\"; boundary=x"),
            is(Signed, Smime)
        );
        assert_eq!(
            of("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"),
            is(Encrypted, Smime)
        );
        assert_eq!(
            of("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m"),
            is(Signed, Smime)
        );
        assert_eq!(of("text/plain"), None);
    }

    #[test]
    fn armour_in_the_text_is_seen_and_words_about_it_are_not() {
        assert_eq!(
            super::armour("Hi\n-----BEGIN PGP MESSAGE-----\nabc")
                .unwrap()
                .kind,
            Encrypted
        );
        assert_eq!(
            super::armour("-----BEGIN PGP SIGNED MESSAGE-----\nHash: x")
                .unwrap()
                .kind,
            Signed
        );
        assert_eq!(super::armour("what is -----BEGIN PGP MESSAGE----- for?"), None);
    }
}
