//! Against a real Dovecot and a real Postfix, which `tests/servers/up` starts and describes in the environment.
//! Without them these tests fail and say so: a promise about mail that was not tried on mail servers is none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};
use support::{
    answer, connector, file,
    real::{Channel, Mailbox, address_of, alive, message, texts},
};
use switchboard_sdk::{CancellationToken, Fault, InboundBody, SendError, Thread};
use switchboard_testkit::{MemoryIntake, Step};

#[tokio::test]
async fn a_large_mail_goes_through_files_and_comes_out_whole() {
    let mailbox = Mailbox::new("large");
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let body = line.repeat(80_000); // 6 MB: six pieces, the last not whole
    let large = format!(
        "From: Ann <ann@client.test>\r\nMessage-ID: <large@client.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b--\r\n"
    );
    mailbox.save_all(std::slice::from_ref(&large), "INBOX").await;
    mailbox.mail("after it").await;
    let intake = MemoryIntake::new().patient_for(Duration::from_secs(60));
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(2).await;
    assert!(channel.stop().await.is_empty());
    let mut events = intake.events();
    let message = message(events.remove(0));
    assert_eq!(message.text, "hello");
    let film = &message.attachments[0].data;
    assert!(film.in_memory().is_none(), "it was never whole in memory");
    assert_eq!(film.read_all().unwrap(), "ABC".repeat(19 * 80_000));
    let original = message.mail.unwrap().original.unwrap();
    assert!(original.complete && original.data.read_all().unwrap() == large);
    assert_eq!(texts(&intake).last().map(String::as_str), Some("after it"));
}

#[tokio::test]
async fn a_mail_is_announced_by_idle_within_seconds() {
    let mailbox = Mailbox::new("idle");
    let intake = MemoryIntake::new();
    let channel = Channel::start(mailbox.connector(), &intake);
    alive(&intake).await;
    mailbox.mail("hello").await;
    mailbox.admin("wait", &["1"]).await;
    let there = std::time::Instant::now();
    intake.wait_stored(1).await;
    assert!(
        there.elapsed() < Duration::from_secs(2),
        "IDLE took {:?}",
        there.elapsed()
    );
    assert!(channel.stop().await.is_empty());
    let message = message(intake.events().remove(0));
    assert_eq!(
        (message.text.as_str(), message.subject.as_deref()),
        ("hello", Some("Заказ"))
    );
    assert_eq!(
        (
            message.from.name.as_deref(),
            message.from.identities[0].value.as_str()
        ),
        (Some("Иван"), "ivan@client.test")
    );
    assert!(
        mailbox.admin("rawlog", &[]).await.contains(" IDLE"),
        "it was announced, not polled"
    );
}

#[tokio::test]
async fn what_came_while_the_channel_was_stopped_is_fetched_and_nothing_twice() {
    let mailbox = Mailbox::new("backlog");
    let intake = MemoryIntake::new();
    mailbox.mail("one").await;
    mailbox.admin("wait", &["1"]).await;
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(1).await;
    channel.stop().await;
    for count in 2..=30 {
        mailbox.mail(&format!("mail{count}")).await;
    }
    mailbox.admin("wait", &["30"]).await;
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(30).await;
    channel.stop().await;
    let duplicates = intake
        .steps()
        .iter()
        .filter(|step| matches!(step, Step::Delivering(ids) if ids.iter().any(|id| id.starts_with("one@"))))
        .count();
    assert_eq!((intake.events().len(), duplicates), (30, 1));
}

#[tokio::test]
async fn a_changed_uidvalidity_doubles_nothing() {
    let mailbox = Mailbox::new("uidvalidity");
    let intake = MemoryIntake::new();
    for count in 1..=3 {
        mailbox.mail(&format!("mail{count}")).await;
    }
    mailbox.admin("wait", &["3"]).await;
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(3).await;
    channel.stop().await;
    mailbox.admin("uidvalidity", &["777"]).await;
    mailbox.mail("after").await;
    mailbox.admin("wait", &["4"]).await;
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(4).await;
    channel.stop().await;
    let mut texts = texts(&intake);
    texts.sort();
    assert_eq!(texts, ["after", "mail1", "mail2", "mail3"]);
    assert_eq!(intake.stored_cursor("INBOX").unwrap()["uid_validity"], json!(777));
    let again = intake
        .steps()
        .iter()
        .filter(|step| matches!(step, Step::Delivering(ids) if ids.iter().any(|id| id.starts_with("mail1@"))))
        .count();
    assert_eq!(again, 2, "they were read again and recognised by the same key");
}

#[tokio::test]
async fn nothing_in_the_mailbox_is_marked_moved_or_deleted() {
    let mailbox = Mailbox::new("untouched");
    let intake = MemoryIntake::new();
    mailbox.mail("one").await;
    mailbox.admin("wait", &["1"]).await;
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(1).await;
    mailbox.mail("two").await;
    intake.wait_stored(2).await;
    channel.stop().await;
    let flags = mailbox.admin("flags", &[]).await;
    assert_eq!(flags.lines().count(), 2, "{flags}");
    assert!(!flags.contains("Seen") && !flags.contains("Deleted"), "{flags}");
    let log = mailbox.admin("maillog", &[]).await;
    let touched: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("flag_change") || line.contains("expunge") || line.contains("delete"))
        .collect();
    assert!(touched.is_empty(), "{touched:?}");
}

#[tokio::test]
async fn a_failure_between_fetch_and_commit_is_delivered_again() {
    let mailbox = Mailbox::new("commit");
    let intake = MemoryIntake::new();
    intake.refuse_next(1);
    mailbox.mail("one").await;
    mailbox.admin("wait", &["1"]).await;
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(1).await;
    intake.lose_next_answer();
    mailbox.mail("two").await;
    intake.wait_stored(2).await;
    alive(&intake).await;
    let faults = channel.stop().await;
    assert!(
        !faults.is_empty() && faults.iter().all(|fault| matches!(fault, Fault::Temporary(_))),
        "{faults:?}"
    );
    assert_eq!(texts(&intake), ["one", "two"]);
}

#[tokio::test]
async fn an_answer_with_a_file_lands_in_the_customers_thread() {
    let (ours, theirs) = (Mailbox::new("shop"), Mailbox::new("customer"));
    let mut message_out = answer(&theirs.address, "Здравствуйте! Заказ в пути.");
    message_out.attachments = vec![file()];
    message_out.references = vec!["first@client.test".to_owned()];
    let sent = ours
        .connector()
        .sender()
        .unwrap()
        .send(&message_out)
        .await
        .unwrap();
    theirs.admin("wait", &["1"]).await;
    let arrived = theirs.admin("mails", &[]).await;
    let (_, raw) = arrived.split_once('\n').unwrap();
    let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
    assert_eq!(mail.message_id(), sent.external_id.as_deref());
    assert_eq!(mail.in_reply_to().as_text(), Some("first@client.test"));
    assert_eq!(
        (mail.subject(), mail.from().unwrap().first().unwrap().name()),
        (Some("Re: Заказ № 5"), Some("Анна via Example Shop"))
    );
    assert_eq!(
        mail.body_text(0).unwrap().trim_end(),
        "Здравствуйте! Заказ в пути."
    );
    let attached = mail.attachment(0).unwrap();
    assert_eq!(
        (attached.attachment_name().unwrap(), attached.contents()),
        (
            message_out.attachments[0].name.as_str(),
            &message_out.attachments[0].data[..]
        )
    );

    // The customer's own channel reads it as part of the thread, and the customer's answer comes back to ours.
    let intake = MemoryIntake::new();
    let channel = Channel::start(theirs.connector(), &intake);
    intake.wait_stored(1).await;
    channel.stop().await;
    let Thread::Messages { own, earlier } = message(intake.events().remove(0)).thread else {
        panic!()
    };
    assert_eq!(
        (Some(own), earlier),
        (sent.external_id.clone(), vec!["first@client.test".to_owned()])
    );
    let mut reply = answer(&ours.address, "Спасибо");
    reply.id = "msg_0198aaaabbbbccccddddeeeeffff0002".to_owned();
    reply.references = vec!["first@client.test".to_owned(), sent.external_id.clone().unwrap()];
    // Another domain than ours, else it would be taken for our own mail.
    let mut settings = theirs.settings();
    settings["address"] = json!("customer@elsewhere.test");
    connector(settings).sender().unwrap().send(&reply).await.unwrap();
    let intake = MemoryIntake::new();
    let channel = Channel::start(ours.connector(), &intake);
    intake.wait_stored(1).await;
    channel.stop().await;
    let Thread::Messages { earlier, .. } = message(intake.events().remove(0)).thread else {
        panic!()
    };
    assert_eq!(
        earlier.first(),
        sent.external_id.as_ref(),
        "the answer names what we sent, nearest first"
    );
}

#[tokio::test]
async fn what_postfix_refuses_now_or_for_good_is_told_apart() {
    let ours = Mailbox::new("refused");
    let connector = ours.connector();
    let send = |to: &'static str| {
        let connector = Arc::clone(&connector);
        async move { connector.sender().unwrap().send(&answer(to, "x")).await }
    };
    let Err(SendError::Refused { reason }) = send("anyone@reject.test").await else {
        panic!("not refused")
    };
    assert!(
        reason.contains("550") && reason.contains("no such user"),
        "{reason}"
    );
    let Err(SendError::Retry { reason, .. }) = send("anyone@later.test").await else {
        panic!("not put off")
    };
    assert!(
        reason.contains("451") && reason.contains("come back later"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_real_bounce_comes_back_as_the_failure_of_what_we_sent() {
    let ours = Mailbox::new("bounce");
    let intake = MemoryIntake::new();
    let channel = Channel::start(ours.connector(), &intake);
    let sent = ours
        .connector()
        .sender()
        .unwrap()
        .send(&answer("anyone@bounce.test", "x"))
        .await
        .unwrap();
    intake.wait_stored(1).await;
    channel.stop().await;
    let InboundBody::Receipt(receipt) = intake.events().remove(0).body else {
        panic!("{:?}", intake.events())
    };
    assert_eq!(Some(receipt.external_id), sent.external_id);
    assert!(receipt.error.is_some_and(|error| error.contains("5.1.1")));
}

#[tokio::test]
async fn a_wrong_password_is_permanent_and_says_what_to_do() {
    let mailbox = Mailbox::new("password");
    let mut settings = mailbox.settings();
    settings["imap"]["password"] = json!("guess");
    let wrong = connector(settings);
    for fault in [
        wrong
            .receiver()
            .unwrap()
            .run(MemoryIntake::new().shared(), CancellationToken::new())
            .await
            .unwrap_err(),
        wrong.check().await.unwrap_err(),
    ] {
        let Fault::Permanent(reason) = fault else {
            panic!("it would try again and lock the account: {fault:?}")
        };
        assert!(
            reason.contains("refused the login") && reason.contains("password"),
            "{reason}"
        );
    }
    let mut settings = mailbox.settings();
    settings["imap"]["mailbox"] = json!("Нет такой");
    let Err(Fault::Permanent(reason)) = connector(settings).check().await else {
        panic!("no such folder passed")
    };
    assert!(reason.contains("Нет такой"), "{reason}");
}

#[tokio::test]
async fn a_connection_cut_in_idle_is_made_anew() {
    let mailbox = Mailbox::new("cut");
    let intake = MemoryIntake::new();
    let channel = Channel::start(mailbox.connector(), &intake);
    alive(&intake).await;
    mailbox.admin("kick", &[]).await;
    mailbox.mail("after the cut").await;
    intake.wait_stored(1).await;
    let faults = channel.stop().await;
    assert!(
        faults.iter().all(|fault| matches!(fault, Fault::Temporary(_))),
        "{faults:?}"
    );
    assert_eq!(texts(&intake), ["after the cut"]);
}

#[tokio::test]
async fn poison_goes_to_quarantine_and_the_next_mail_arrives() {
    let mailbox = Mailbox::new("poison");
    let intake = MemoryIntake::new();
    mailbox.save(b"Subject: nobody wrote this\r\n\r\nx\r\n").await;
    mailbox.save(b"\x00\xff\xfe garbage\r\n\r\n\x00\r\n").await;
    mailbox.mail("fine").await;
    mailbox.admin("wait", &["3"]).await;
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(3).await;
    assert!(channel.stop().await.is_empty());
    let events = intake.events();
    for event in &events[..2] {
        let InboundBody::Poison { reason, raw } = &event.body else {
            panic!("{event:?}")
        };
        assert!(!reason.is_empty() && !raw.is_empty());
    }
    assert_eq!(message(events[2].clone()).text, "fine");
}

#[tokio::test]
async fn the_check_speaks_over_every_kind_of_connection() {
    let mailbox = Mailbox::new("check");
    mailbox.mail("one").await;
    mailbox.admin("wait", &["1"]).await;
    let login = |settings: &mut Value| {
        settings["smtp"]["username"] = json!(mailbox.address);
        settings["smtp"]["password"] = json!("secret");
    };
    for (tls, imap, smtp) in [
        ("none", "IMAP", "SMTP"),
        ("starttls", "IMAP", "SMTP"),
        ("implicit", "IMAPS", "SMTPS"),
    ]
    .map(|(tls, i, s)| {
        (
            tls,
            format!("SWITCHBOARD_TEST_{i}"),
            format!("SWITCHBOARD_TEST_{s}"),
        )
    }) {
        let mut settings = mailbox.settings();
        login(&mut settings);
        for (part, variable) in [("imap", imap), ("smtp", smtp)] {
            settings[part]["tls"] = json!(tls);
            settings[part]["port"] = json!(address_of(&variable).1);
        }
        if tls != "none" {
            let Err(Fault::Temporary(reason)) = connector(settings.clone()).check().await else {
                panic!("an unknown authority passed")
            };
            assert!(reason.contains("certificate"), "{reason}");
            settings["accept_invalid_certs"] = json!(true);
        }
        let said = connector(settings)
            .check()
            .await
            .unwrap_or_else(|fault| panic!("{tls}: {fault}"));
        assert!(
            said.contains("INBOX holds 1 mail;") && said.contains("SMTP: connected to 127.0.0.1"),
            "{said}"
        );
    }
}
