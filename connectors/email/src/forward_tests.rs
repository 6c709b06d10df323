//! Forwards as mail programs write them.

use mail_parser::MessageParser;
use proptest::prelude::*;
use switchboard_sdk::ForwardedMail;

use super::{mailbox, of, quoted};

/// The subject says `Fwd:` as well.
const FORWARD: bool = true;
const UNSAID: bool = false;

fn said(text: &str, said: bool) -> (String, Option<String>, Option<String>, String, String) {
    let ForwardedMail {
        from,
        subject,
        text,
        note,
        ..
    } = quoted(text, said).unwrap_or_else(|| panic!("not seen as a forward: {text}"));
    let address = from.identities[0].value.clone();
    assert!(!from.identities[0].verified);
    (address, from.name, subject, text, note)
}

fn expect(text: &str, name: &str, subject: &str, words: &str, note: &str) {
    expect_if(UNSAID, text, name, subject, words, note);
}

fn expect_if(known: bool, text: &str, name: &str, subject: &str, words: &str, note: &str) {
    let (address, who, what, body, above) = said(text, known);
    assert_eq!(address, "ivan.petrov@client.example", "{text}");
    assert_eq!(
        (who.as_deref(), what.as_deref()),
        (Some(name), Some(subject)),
        "{text}"
    );
    assert_eq!((body.as_str(), above.as_str()), (words, note), "{text}");
}

#[test]
fn gmail() {
    expect(
        "Please look.\n\n---------- Forwarded message ---------\nFrom: Ivan Petrov <ivan.petrov@client.example>\nDate: Thu, 19 Nov 2026 at 10:15\nSubject: Order 5\nTo: <anna@shop.example>\nCc: Kate <kate@client.example>\n\n\nWhere is it?\n\nIvan",
        "Ivan Petrov",
        "Order 5",
        "Where is it?\n\nIvan",
        "Please look.",
    );
    expect(
        "---------- Forwarded message ---------\nОт: Иван Петров <ivan.petrov@client.example>\nDate: чт, 19 нояб. 2026 г. в 10:15\nSubject: Заказ 5\nTo: <anna@shop.example>\n\n\nГде он?",
        "Иван Петров",
        "Заказ 5",
        "Где он?",
        "",
    );
    expect(
        "---------- Пересылаемое сообщение ---------\nОт кого: Иван Петров <ivan.petrov@client.example>\nДата: чт, 19 нояб. 2026 г. в 10:15\nТема: Заказ 5\nКому: Анна <anna@shop.example>\n\nГде он?",
        "Иван Петров",
        "Заказ 5",
        "Где он?",
        "",
    );
    expect(
        "---------- Forwarded message ---------\nVon: Ivan Petrov <ivan.petrov@client.example>\nDate: Do., 19. Nov. 2026 um 10:15 Uhr\nSubject: Bestellung\nTo: <anna@shop.example>\n\nWo ist sie?",
        "Ivan Petrov",
        "Bestellung",
        "Wo ist sie?",
        "",
    );
    expect(
        "---------- Forwarded message ---------\nDe : Ivan Petrov <ivan.petrov@client.example>\nDate: jeu. 19 nov. 2026 à 10:15\nSubject: Commande\nTo: <anna@shop.example>\n\nOù ?",
        "Ivan Petrov",
        "Commande",
        "Où ?",
        "",
    );
}

#[test]
fn outlook() {
    let forward = "________________________________\nFrom: Ivan Petrov <ivan.petrov@client.example>\nSent: Thursday, November 19, 2026 10:15 AM\nTo: Anna <anna@shop.example>\nSubject: Order 5\n\nWhere is it?";
    expect(forward, "Ivan Petrov", "Order 5", "Where is it?", "");
    expect_if(
        FORWARD,
        &format!("FYI\n\n{forward}"),
        "Ivan Petrov",
        "Order 5",
        "Where is it?",
        "FYI",
    );
    expect(
        "\nОт: Иван Петров [mailto:ivan.petrov@client.example]\nОтправлено: 19 ноября 2026 г. 10:15\nКому: Анна\nТема: Заказ 5\nВажность: Высокая\n\nГде он?",
        "Иван Петров",
        "Заказ 5",
        "Где он?",
        "",
    );
    expect(
        "-----Original Message-----\nFrom: Ivan Petrov <ivan.petrov@client.example> \nSent: Thursday, November 19, 2026 10:15 AM\nTo: Anna <anna@shop.example>; Boris\n <boris@shop.example>\nSubject: Order 5\n\nWhere is it?",
        "Ivan Petrov",
        "Order 5",
        "Where is it?",
        "",
    );
    expect(
        "Von: Ivan Petrov <ivan.petrov@client.example>\nGesendet: Donnerstag, 19. November 2026 10:15\nAn: Anna <anna@shop.example>\nBetreff: Bestellung\n\nWo?",
        "Ivan Petrov",
        "Bestellung",
        "Wo?",
        "",
    );
    expect(
        "*De :* Ivan Petrov <ivan.petrov@client.example>\n*Envoyé :* jeudi 19 novembre 2026 10:15\n*À :* Anna\n*Objet :* Commande\n\nOù ?",
        "Ivan Petrov",
        "Commande",
        "Où ?",
        "",
    );
    expect(
        "De: Ivan Petrov <ivan.petrov@client.example>\nEnviado el: jueves, 19 de noviembre de 2026 10:15\nPara: Anna\nAsunto: Pedido\n\n¿Dónde?",
        "Ivan Petrov",
        "Pedido",
        "¿Dónde?",
        "",
    );
    expect(
        "发件人: Ivan Petrov <ivan.petrov@client.example>\n发送时间: 2026年11月19日 10:15\n收件人: Anna\n主题: 订单\n\n在哪里？",
        "Ivan Petrov",
        "订单",
        "在哪里？",
        "",
    );
}

#[test]
fn apple_mail() {
    expect(
        "Anna, yours?\n\nBegin forwarded message:\n\n> From: Ivan Petrov <ivan.petrov@client.example>\n> Subject: Order 5\n> Date: 19 November 2026 at 10:15:00 GMT+3\n> To: anna@shop.example\n> \n> Where is it?\n> Ivan",
        "Ivan Petrov",
        "Order 5",
        "Where is it?\nIvan",
        "Anna, yours?",
    );
    expect(
        "Начало переадресованного сообщения:\n\nОт: Иван Петров <ivan.petrov@client.example>\nТема: Заказ 5\nДата: 19 ноября 2026 г., 10:15:00 GMT+3\nКому: anna@shop.example\n\nГде он?",
        "Иван Петров",
        "Заказ 5",
        "Где он?",
        "",
    );
    expect(
        "Anfang der weitergeleiteten Nachricht:\n\nVon: Ivan Petrov <ivan.petrov@client.example>\nBetreff: Bestellung\nDatum: 19. November 2026 um 10:15:00 MEZ\nAn: anna@shop.example\n\nWo?",
        "Ivan Petrov",
        "Bestellung",
        "Wo?",
        "",
    );
    expect(
        "Début du message réexpédié :\n\nDe: Ivan Petrov <ivan.petrov@client.example>\nObjet: Commande\nDate: 19 novembre 2026 à 10:15:00 UTC+1\nÀ: anna@shop.example\n\nOù ?",
        "Ivan Petrov",
        "Commande",
        "Où ?",
        "",
    );
}

#[test]
fn thunderbird() {
    expect(
        "see below\n\n-------- Forwarded Message --------\nSubject: \tOrder 5\nDate: \tThu, 19 Nov 2026 10:15:00 +0300\nFrom: \tIvan Petrov <ivan.petrov@client.example>\nTo: \tanna@shop.example\n\n\n\nWhere is it?",
        "Ivan Petrov",
        "Order 5",
        "Where is it?",
        "see below",
    );
    expect(
        "-------- Перенаправленное сообщение --------\nТема: \tЗаказ 5\nДата: \tThu, 19 Nov 2026 10:15:00 +0300\nОт: \tИван Петров <ivan.petrov@client.example>\nКому: \tanna@shop.example\n\nГде он?",
        "Иван Петров",
        "Заказ 5",
        "Где он?",
        "",
    );
    expect(
        "-------- Weitergeleitete Nachricht --------\nBetreff: \tBestellung\nDatum: \tThu, 19 Nov 2026 10:15:00 +0100\nVon: \tIvan Petrov <ivan.petrov@client.example>\nAn: \tanna@shop.example\n\nWo?",
        "Ivan Petrov",
        "Bestellung",
        "Wo?",
        "",
    );
    expect(
        "-------- Message transféré --------\nSujet : \tCommande\nDate : \tThu, 19 Nov 2026 10:15:00 +0100\nDe : \tIvan Petrov <ivan.petrov@client.example>\nPour : \tanna@shop.example\n\nOù ?",
        "Ivan Petrov",
        "Commande",
        "Où ?",
        "",
    );
}

#[test]
fn yandex_and_mail_ru() {
    expect(
        "-------- Пересылаемое сообщение --------\nОт: Иван Петров <ivan.petrov@client.example>\nКому: anna@shop.example\nТема: Заказ 5\n\nГде он?\n\n-------- Конец пересылаемого сообщения --------\n-- \nАнна",
        "Иван Петров",
        "Заказ 5",
        "Где он?",
        "",
    );
    expect(
        "-------- Пересылаемое сообщение --------\nОт кого: Иван Петров <ivan.petrov@client.example>\nКому: anna@shop.example\nДата: Четверг, 19 ноября 2026, 10:15 +03:00\nТема: Заказ 5\n\nГде он?",
        "Иван Петров",
        "Заказ 5",
        "Где он?",
        "",
    );
}

#[test]
fn an_answer_and_a_letter_that_only_looks_alike_are_no_forward() {
    for text in [
        "Thanks!\n\nFrom: Ivan Petrov <ivan.petrov@client.example>\nSent: Thursday\nTo: Anna\nSubject: Order 5\n\nWhere is it?",
        "Thanks!\n\n-----Original Message-----\nFrom: Ivan Petrov <ivan.petrov@client.example>\nSent: Thursday\nTo: Anna\nSubject: Order 5\n\nWhere?",
        "On Thu, 19 Nov 2026 at 10:15, Ivan <ivan.petrov@client.example> wrote:\n> Where is it?",
        "From: Berlin\nTo: Paris\nDate: tomorrow\n\nNeed a ticket.",
        "---------- Forwarded message ---------\n\nnothing else",
        "",
    ] {
        assert!(quoted(text, UNSAID).is_none(), "{text}");
    }
}

#[test]
fn an_attached_mail_says_more_than_a_quoted_one() {
    let mail = "From: anna@shop.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nWhat do we answer?\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: =?utf-8?b?0JjQstCw0L0=?= <Ivan.Petrov@client.example>\r\nDate: Thu, 19 Nov 2026 10:15:00 +0300\r\nSubject: Order 5\r\nMessage-ID: <5@client.example>\r\nIn-Reply-To: <msg_1@shop.example>\r\n\r\nWhere is it?\r\n--b--\r\n";
    let message = MessageParser::default().parse(mail).unwrap();
    let found = of(&message, "What do we answer?\n").unwrap();
    assert_eq!(found.from.identities[0].value, "ivan.petrov@client.example");
    assert_eq!(found.from.name.as_deref(), Some("Иван"));
    assert_eq!(
        (found.id.as_deref(), found.earlier.as_slice()),
        (
            Some("5@client.example"),
            ["msg_1@shop.example".to_owned()].as_slice()
        )
    );
    assert_eq!(
        (found.text.trim(), found.note.as_str()),
        ("Where is it?", "What do we answer?")
    );
    assert_eq!(found.at.unwrap().to_rfc3339(), "2026-11-19T07:15:00+00:00");
    let two = mail.replace(
        "\r\n--b--",
        "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@y.example\r\n\r\nx\r\n--b--",
    );
    assert!(of(&MessageParser::default().parse(&two).unwrap(), "two").is_none());
}

#[test]
fn addresses_are_read_however_they_are_written() {
    for (value, name, address) in [
        ("Ivan <i@x.example>", Some("Ivan"), "i@x.example"),
        ("\"Ivan, CEO\" <i@x.example>", Some("Ivan, CEO"), "i@x.example"),
        ("Ivan [mailto:i@x.example]", Some("Ivan"), "i@x.example"),
        (
            "Ivan <i@x.example <mailto:i@x.example>>",
            Some("Ivan"),
            "i@x.example",
        ),
        ("<mailto:i@x.example>", None, "i@x.example"),
        ("i@x.example", None, "i@x.example"),
        ("'i@x.example' <I@X.example>", None, "i@x.example"),
    ] {
        let found = mailbox(value).unwrap_or_else(|| panic!("{value}"));
        assert_eq!(
            (found.name.as_deref(), found.address.as_str()),
            (name, address),
            "{value}"
        );
    }
    assert!(mailbox("Ivan Petrov").is_none() && mailbox("@").is_none());
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "(?s)(.|From: |Subject: |To: |-+ ?Forwarded message ?-+|\n|> |@x.example|<|>|:){0,80}") {
        if let Some(found) = quoted(&text, FORWARD) {
            prop_assert!(found.from.identities[0].value.contains('@'));
            prop_assert!(found.text.len() + found.note.len() <= text.len() + 1);
        }
    }
}
