//! What people see of a mail: pictures, quotations, invitations, protection, cards, packed files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;

use bytes::Bytes;
use serde_json::json;
use switchboard_email::{
    Settings,
    map::{Raw, map},
    settings::example,
};
use switchboard_sdk::{InboundBody, InboundMessage, MailFacts, ProtectionKind, ProtectionMeans, Verdict};

fn settings() -> Settings {
    let mut value = example();
    value["authserv_id"] = json!("mx.shop.example");
    Settings::parse(value).unwrap()
}

fn message(mail: impl AsRef<[u8]>) -> (InboundMessage, MailFacts) {
    let raw = Raw {
        bytes: Bytes::copy_from_slice(mail.as_ref()),
        arrived: "2026-11-20T05:00:05Z".parse().unwrap(),
        cut_from: None,
        large: None,
    };
    let InboundBody::Message(mut message) = map(&raw, &settings()).event().unwrap().body else {
        panic!("not a message")
    };
    let facts = *message.mail.take().unwrap();
    assert_eq!(
        facts.original.as_ref().unwrap().data.read_all().unwrap(),
        raw.bytes,
        "the original is kept"
    );
    (message, facts)
}

fn of_file(name: &str) -> (InboundMessage, MailFacts) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(format!("{name}.eml"));
    message(std::fs::read(path).unwrap())
}

fn with(headers: &str, body: &str) -> String {
    format!("From: Ann <ann@client.example>\r\nMessage-ID: <a@client.example>\r\n{headers}\r\n\r\n{body}")
}

#[test]
fn a_picture_in_the_text_is_told_from_a_file_by_who_refers_to_it() {
    let mail = with(
        "Content-Type: multipart/related; boundary=r",
        "--r\r\nContent-Type: text/html\r\n\r\n<p>a<img src=\"CID:Pic%31@x\"><img src='scan.png'></p>\r\n\
         --r\r\nContent-Type: image/png\r\nContent-ID: <pic1@X>\r\nContent-Disposition: attachment; filename=one.png\r\n\r\n1\r\n\
         --r\r\nContent-Type: image/png\r\nContent-Location: scan.png\r\n\r\n2\r\n\
         --r\r\nContent-Type: image/png; name=three.png\r\nContent-ID: <pic3@x>\r\nContent-Disposition: inline\r\n\r\n3\r\n--r--\r\n",
    );
    let (message, _) = message(mail);
    let ids: Vec<Option<&str>> = message
        .attachments
        .iter()
        .map(|file| file.content_id.as_deref())
        .collect();
    assert_eq!(ids, [Some("pic1@X"), Some("part-3"), None]);
    assert!(
        message
            .html
            .unwrap()
            .starts_with("<p>a<img src=\"cid:pic1@X\"><img src='cid:part-3'>")
    );
}

#[test]
fn an_invitation_is_read_and_speaks_for_itself_when_nothing_else_does() {
    let calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Tasting\r\nDTSTART:20261125T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let (beside, facts) = message(with(
        "Content-Type: multipart/alternative; boundary=a",
        &format!(
            "--a\r\n\r\nLet us meet\r\n--a\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n{calendar}--a--\r\n"
        ),
    ));
    assert_eq!((beside.text.as_str(), beside.automatic), ("Let us meet", false));
    assert_eq!(
        facts.calendar.unwrap().starts.as_deref(),
        Some("2026-11-25T09:00:00Z")
    );
    assert_eq!(beside.attachments.len(), 1, "and it is there to be opened");
    let reply = calendar
        .replace("REQUEST", "REPLY")
        .replace("DTSTART", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b\r\nDTSTART");
    let (reply, _) = message(with("Content-Type: text/calendar; method=REPLY", &reply));
    assert_eq!(
        (reply.text.as_str(), reply.automatic),
        ("Accepted: Tasting", true)
    );
}

#[test]
fn protected_mails_are_marked_and_stay_as_they_are() {
    let encrypted = with(
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=e",
        "--e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\
         --e\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nabc\r\n--e--\r\n",
    );
    let (message_, facts) = message(&encrypted);
    let protection = facts.protection.unwrap();
    assert_eq!(
        (protection.kind, protection.by),
        (ProtectionKind::Encrypted, ProtectionMeans::Pgp)
    );
    assert_eq!(message_.text, "");
    let kept = message_
        .attachments
        .iter()
        .find(|file| file.name == "encrypted.asc")
        .unwrap();
    assert_eq!(
        kept.data.read_all().unwrap().trim_ascii_end(),
        b"-----BEGIN PGP MESSAGE-----\r\nabc"
    );
    let (signed, facts) = message(with(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s",
        "--s\r\nContent-Type: text/plain\r\n\r\nHello\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nx\r\n--s--\r\n",
    ));
    assert_eq!(
        (signed.text.as_str(), facts.protection.unwrap().kind),
        ("Hello", ProtectionKind::Signed)
    );
}

#[test]
fn the_quoted_rest_is_found_in_text_and_html_of_one_mail() {
    let (message, facts) = message(with(
        "Content-Type: multipart/alternative; boundary=a",
        "--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nДа!\r\n\r\n16.11.2026 10:00, Shop пишет:\r\n> Hello\r\n\
         --a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Да!</p><blockquote type=\"cite\">Hello</blockquote>\r\n--a--\r\n",
    ));
    assert_eq!(
        message.text.split_at(facts.quoted_text_at.unwrap()).0.trim(),
        "Да!"
    );
    assert_eq!(
        message.html.unwrap().split_at(facts.quoted_html_at.unwrap()).0,
        "<p>Да!</p>"
    );
}

#[test]
fn what_outlook_packed_is_unpacked() {
    let (message, _) = of_file("winmail-with-a-file-and-the-text");
    assert_eq!(message.text, "Hello");
    let files: Vec<(&str, &[u8])> = message
        .attachments
        .iter()
        .map(|file| (file.name.as_str(), file.data.in_memory().unwrap().as_ref()))
        .collect();
    assert_eq!(files, [("a long name.txt", b"12345".as_slice())]);
    let broken = with(
        "Content-Type: application/ms-tnef; name=winmail.dat",
        "this is not packed at all",
    );
    let (message, _) = self::message(broken);
    assert_eq!(
        message.attachments[0].name, "winmail.dat",
        "what cannot be unpacked stays a file"
    );
}

#[test]
fn a_senders_own_card_comes_along_as_claims_unless_the_sender_is_forged() {
    let card = "BEGIN:VCARD\r\nFN:Ann Doe\r\nEMAIL:ann@client.example\r\nTEL:+49 30 1234567\r\nEND:VCARD\r\n";
    let (own, _) = message(with("Content-Type: text/vcard; name=me.vcf", card));
    let said = own.card.unwrap();
    assert_eq!(
        (said.name.as_deref(), said.identities.len()),
        (Some("Ann Doe"), 1)
    );
    assert!(!said.identities[0].verified && own.from.identities.len() == 1);
    assert_eq!(own.attachments[0].name, "me.vcf", "and stays a file");
    let forged = with(
        "Authentication-Results: mx.shop.example; dmarc=fail\r\nContent-Type: text/vcard",
        card,
    );
    assert_eq!(message(forged).0.card, None);
    let others = with("Content-Type: text/vcard", &card.replace("ann@", "bob@"));
    assert_eq!(message(others).0.card, None);
}

#[test]
fn an_address_is_proven_by_our_own_server_and_never_that_of_a_form_in_our_name() {
    let results = "Authentication-Results: mx.shop.example; dmarc=pass header.from=";
    let (own, facts) = message(with(&format!("{results}client.example"), "Hello"));
    assert!(own.from.identities[0].verified);
    assert_eq!(facts.authentication.unwrap().verdict, Verdict::Pass);
    let form = format!(
        "From: support@shop.example\r\nReply-To: ann@client.example\r\n{results}shop.example\r\n\r\nHello"
    );
    let (form, _) = message(form);
    assert_eq!(form.from.identities[0].value, "ann@client.example");
    assert!(
        !form.from.identities[0].verified,
        "our site proves itself, not whom it speaks of"
    );
}

#[test]
fn encodings_of_all_kinds_are_read_declared_in_the_header_the_page_or_nowhere() {
    let with_charset = |charset: &str, body: &[u8]| {
        let head = with(&format!("Content-Type: text/plain; charset={charset}"), "");
        message([head.as_bytes(), body].concat()).0.text
    };
    assert_eq!(with_charset("gb2312", b"\xc4\xe3\xba\xc3"), "你好");
    assert_eq!(with_charset("big5", b"\xa7A\xa6n"), "你好");
    assert_eq!(with_charset("shift_jis", b"\x82\xb1\x82\xf1"), "こん");
    assert_eq!(with_charset("iso-2022-jp", b"\x1b$B$3$s\x1b(B"), "こん");
    assert_eq!(with_charset("euc-kr", b"\xbe\xc8\xb3\xe7"), "안녕");
    assert_eq!(with_charset("iso-8859-8", b"\xf9\xec\xe5\xed"), "שלום");
    assert_eq!(with_charset("windows-1256", b"\xe3\xd1\xcd\xc8\xc7"), "مرحبا");
    assert_eq!(with_charset("tis-620", b"\xca\xc7\xd1\xca\xb4\xd5"), "สวัสดี");
    assert_eq!(with_charset("utf-7", b"+BB8EQAQ4BDIENQRC-"), "Привет");
    assert_eq!(with_charset("nobody-knows", "уже".as_bytes()), "уже");
    let page =
        b"<html><head><meta charset=\"koi8-r\"></head><body>\xf0\xd2\xc9\xd7\xc5\xd4, Ann</body></html>";
    let head = with("Content-Type: text/html", "");
    assert_eq!(
        message([head.as_bytes(), page.as_slice()].concat()).0.text,
        "Привет, Ann"
    );
}
