use base64::Engine as _;
use proptest::prelude::*;
use serde_json::json;

use super::Needles;

fn anna() -> Needles {
    let mut needles = Needles::default();
    needles.add("email", "Anna@Example.com");
    needles.add("phone", "+998901234567");
    needles.add("telegram", "7700112233");
    needles
}

#[test]
fn an_address_is_found_in_any_writing() {
    for text in [
        "anna@example.com",
        "write to ANNA@example.COM.",
        "<mailto:anna@example.com>",
        "anna@example.com.csv",
        "?to=anna%40example.com&x=1",
        "anna&#64;example.com",
        "+998901234567",
        "tel:998901234567",
        "+998 (90) 123-45-67",
        "00998901234567",
        "my number 90 123 45 67, call",
        "8 90 123 45 67",
    ] {
        let redacted = anna().redact(text);
        assert!(redacted.is_some_and(|text| text.contains("[erased]")), "{text}");
    }
}

#[test]
fn other_peoples_addresses_are_left_alone() {
    for text in [
        "joanna@example.com",
        "anna@example.company",
        "anna@example.com.uk",
        "anna@sub.example.com",
        "+99890123456",
        "1901234567",
        "901234567890",
        "sess_90abc1234567",
        "",
    ] {
        assert_eq!(anna().redact(text), None, "{text}");
    }
}

#[test]
fn what_stands_around_an_address_stays() {
    assert_eq!(
        anna().redact("A: anna@example.com, +998 90 123 45 67!").unwrap(),
        "A: [erased], [erased]!"
    );
}

#[test]
fn json_stays_json_and_lists_lose_the_address() {
    let value = json!({"emails": ["anna@example.com", "other@example.com"], "n": 5, "text": "\nanna@example.com",
        "anna@example.com": true, "phone": 998901234567_i64});
    assert_eq!(
        anna().redact_json(&value).unwrap(),
        json!({"emails": ["other@example.com"], "n": 5, "text": "\n[erased]", "[erased]": true, "phone": "[erased]"})
    );
    let text = r#"{"a":"x\nanna@example.com"}"#;
    assert_eq!(anna().redact(text).unwrap(), r#"{"a":"x\n[erased]"}"#);
}

#[test]
fn raw_mails_are_looked_through_in_their_codings() {
    let coded = base64::engine::general_purpose::STANDARD
        .encode("Hello\r\nfrom anna@example.com and more of it, much more");
    let (one, two) = coded.split_at(24);
    let mail = format!("Content-Transfer-Encoding: base64\r\n\r\n{one}\r\n{two}\r\n");
    assert!(anna().in_bytes(mail.as_bytes()));
    assert!(anna().in_bytes(b"ann=\r\na=40example.com"));
    let wide: Vec<u8> = "anna@example.com"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(anna().in_bytes(&wide));
    assert!(!anna().in_bytes(b"nothing of hers"));
}

#[test]
fn a_provider_knows_people_by_other_names() {
    assert!(anna().named("7700112233:15"));
    assert!(anna().named("<20261123.anna@example.com>"));
    assert!(!anna().named("7700112234:15"));
}

proptest! {
    #[test]
    fn what_is_redacted_holds_nothing_any_more(before in ".{0,40}", after in ".{0,40}", phone in prop::bool::ANY) {
        let address = if phone { "+998901234567" } else { "anna@example.com" };
        let text = format!("{before} {address} {after}");
        let redacted = anna().redact(&text).unwrap();
        prop_assert!(anna().redact(&redacted).is_none());
        prop_assert!(!redacted.contains("+998901234567"));
    }

    #[test]
    fn any_bytes_are_looked_through(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = anna().in_bytes(&bytes);
    }
}
