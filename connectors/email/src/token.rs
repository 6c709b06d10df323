//! What we write into addresses of our own, `support+c.<token>@…`, and know again. Pure.
//!
//! A token names a message of ours and is signed: nobody can make one for a conversation they were never
//! written to. It is the surest way back, because some relays replace the ids of mails, and it follows its
//! message when operators split or merge conversations.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::settings::Settings;

/// Bytes of the id, and of the signature behind it.
const ID: usize = 16;
const SIGNATURE: usize = 8;
/// The longest local part of an address (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Base32 (RFC 4648) in lower case: some servers fold addresses.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Answers go there.
    Reply,
    /// Bounces go there.
    Bounce,
}

impl Purpose {
    fn letter(self) -> char {
        match self {
            Self::Reply => 'c',
            Self::Bounce => 'b',
        }
    }
}

/// What stands behind the delimiter of one of our addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A message of ours (`msg_…`), for this purpose.
    Message(Purpose, String),
    /// The capture address.
    Capture,
}

/// Our address with a token for this message. None when the mailbox takes no such addresses, there is no
/// key, or the address would become longer than mail servers take.
pub fn address(purpose: Purpose, message_id: &str, settings: &Settings) -> Option<String> {
    let key = key(settings)?;
    let id = id_bytes(message_id)?;
    let signature = sign(key, purpose, &id);
    let token = encode(&[id.as_slice(), &signature].concat());
    with_tag(settings, &format!("{}.{token}", purpose.letter()))
}

/// The secret address that colleagues put in copy. None as in [`address`].
pub fn capture_address(settings: &Settings) -> Option<String> {
    if !settings.capture.enabled {
        return None;
    }
    if let Some(configured) = &settings.capture.address {
        return Some(configured.to_lowercase());
    }
    let token = encode(&mac(key(settings)?, &[b"save"]));
    with_tag(settings, &format!("save.{token}"))
}

/// Reads one recipient.
pub fn read(recipient: &str, settings: &Settings) -> Option<Found> {
    let recipient = recipient.to_lowercase();
    if capture_address(settings).as_ref() == Some(&recipient) {
        return Some(Found::Capture);
    }
    let key = key(settings)?;
    let tag = tag(&recipient, settings)?;
    let (letter, token) = tag.split_once('.')?;
    let purpose = [Purpose::Reply, Purpose::Bounce]
        .into_iter()
        .find(|purpose| letter.chars().eq([purpose.letter()]))?;
    let bytes = decode(token)?;
    let (id, signature) = bytes.split_at_checked(ID)?;
    let ours = Hmac::<Sha256>::new_from_slice(key).ok()?;
    let holds = updated(ours, purpose, id)
        .verify_truncated_left(signature)
        .is_ok();
    (signature.len() == SIGNATURE && holds)
        .then(|| Found::Message(purpose, format!("msg_{}", hex::encode(id))))
}

/// Whether an address is ours, with or without something behind the delimiter.
pub fn is_ours(address: &str, settings: &Settings) -> bool {
    let address = address.to_lowercase();
    address == settings.address.to_lowercase()
        || tag(&address, settings).is_some()
        || capture_address(settings).as_ref() == Some(&address)
}

fn key(settings: &Settings) -> Option<&[u8; 32]> {
    settings
        .signing_key
        .expose()
        .filter(|_| settings.threads.signed_addresses)
}

fn with_tag(settings: &Settings, tag: &str) -> Option<String> {
    let (local, domain) = settings.address.rsplit_once('@')?;
    let local = format!("{local}{}{tag}", settings.threads.delimiter);
    (local.len() <= MAX_LOCAL).then(|| format!("{local}@{domain}"))
}

/// What stands behind our local part and the delimiter, in lower case.
fn tag<'a>(address: &'a str, settings: &Settings) -> Option<&'a str> {
    if !settings.threads.signed_addresses {
        return None;
    }
    let ours = settings.address.to_lowercase();
    let (our_local, our_domain) = ours.rsplit_once('@')?;
    let (local, domain) = address.rsplit_once('@')?;
    local
        .strip_prefix(our_local)
        .filter(|_| domain == our_domain)?
        .strip_prefix(settings.threads.delimiter.as_str())
}

fn id_bytes(message_id: &str) -> Option<[u8; ID]> {
    let mut id = [0; ID];
    hex::decode_to_slice(message_id.strip_prefix("msg_")?, &mut id).ok()?;
    Some(id)
}

fn sign(key: &[u8; 32], purpose: Purpose, id: &[u8]) -> [u8; SIGNATURE] {
    let mut letter = [0; 4];
    mac(
        key,
        &[purpose.letter().encode_utf8(&mut letter).as_bytes(), &[0], id],
    )
}

fn updated(mut mac: Hmac<Sha256>, purpose: Purpose, id: &[u8]) -> Hmac<Sha256> {
    let mut letter = [0; 4];
    mac.update(purpose.letter().encode_utf8(&mut letter).as_bytes());
    mac.update(&[0]);
    mac.update(id);
    mac
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; SIGNATURE] {
    let mut short = [0; SIGNATURE];
    // HMAC takes keys of any length, so this does not fail.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        for part in parts {
            mac.update(part);
        }
        short.copy_from_slice(&mac.finalize().into_bytes()[..SIGNATURE]);
    }
    short
}

fn encode(bytes: &[u8]) -> String {
    let bit = |at: usize| {
        bytes
            .get(at / 8)
            .is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
    };
    (0..(bytes.len() * 8).div_ceil(5))
        .map(|word| (0..5).fold(0, |value, n| value << 1 | usize::from(bit(word * 5 + n))))
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}

fn decode(token: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(token.len() * 5 / 8);
    let (mut held, mut bits) = (0_u16, 0);
    for byte in token.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        held = held << 5 | u16::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits).to_le_bytes()[0]);
            held &= (1 << bits) - 1;
        }
    }
    // What is left over are the zeros of the padding.
    (held == 0 && bits < 5).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use switchboard_sdk::SigningKey;

    use super::*;
    use crate::settings::example;

    const MESSAGE: &str = "msg_0198aaaabbbbccccddddeeeeffff0001";

    fn settings(key: u8) -> Settings {
        let mut settings = Settings::parse(example()).unwrap();
        settings.threads.signed_addresses = true;
        settings.capture.enabled = true;
        settings.signing_key = SigningKey::new([key; 32]);
        settings
    }

    #[test]
    fn an_address_leads_back_to_its_message_for_its_purpose_in_any_case() {
        let settings = settings(1);
        for purpose in [Purpose::Reply, Purpose::Bounce] {
            let address = address(purpose, MESSAGE, &settings).unwrap();
            assert!(address.len() < 80 && address.starts_with("support+"), "{address}");
            let found = Some(Found::Message(purpose, MESSAGE.to_owned()));
            assert_eq!(read(&address, &settings), found);
            assert_eq!(read(&address.to_uppercase(), &settings), found);
            assert!(is_ours(&address, &settings));
        }
    }

    #[test]
    fn another_key_another_purpose_or_another_address_is_no_token() {
        let settings = settings(1);
        let address = address(Purpose::Reply, MESSAGE, &settings).unwrap();
        assert_eq!(read(&address, &self::settings(2)), None);
        assert_eq!(read(&address.replace("+c.", "+b."), &settings), None);
        assert_eq!(read(&address.replace("support+", "sales+"), &settings), None);
        assert_eq!(
            read(&address.replace("shop.example", "evil.example"), &settings),
            None
        );
        let mut off = self::settings(1);
        off.threads.signed_addresses = false;
        assert_eq!((read(&address, &off), is_ours(&address, &off)), (None, false));
        assert_eq!(self::address(Purpose::Reply, MESSAGE, &off), None);
    }

    #[test]
    fn an_address_too_long_for_mail_servers_is_not_made() {
        let mut settings = settings(1);
        settings.address = format!("{}@shop.example", "a".repeat(40));
        assert_eq!(address(Purpose::Reply, MESSAGE, &settings), None);
    }

    #[test]
    fn the_capture_address_is_secret_unless_configured() {
        let first = settings(1);
        let address = capture_address(&first).unwrap();
        assert!(address.starts_with("support+save."), "{address}");
        assert_eq!(read(&address, &first), Some(Found::Capture));
        assert_ne!(capture_address(&settings(2)), Some(address));
        let mut configured = settings(1);
        configured.threads.signed_addresses = false;
        assert_eq!(capture_address(&configured), None);
        configured.capture.address = Some("Archive@shop.example".to_owned());
        assert_eq!(read("archive@shop.example", &configured), Some(Found::Capture));
        assert!(is_ours("ARCHIVE@shop.example", &configured));
    }

    proptest! {
        #[test]
        fn base32_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn no_text_is_a_token_and_none_panics(tag in "\\PC{0,60}", at in 0_usize..39, letter in 0_usize..32) {
            let settings = settings(1);
            prop_assert_eq!(read(&format!("support+c.{tag}@shop.example"), &settings), None);
            let address = address(Purpose::Reply, MESSAGE, &settings).unwrap();
            let mut changed = address.clone().into_bytes();
            let place = "support+c.".len() + at;
            changed[place] = ALPHABET[letter];
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(read(&changed, &settings).is_some(), changed == address);
        }
    }
}
