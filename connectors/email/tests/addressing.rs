//! To whom a mail goes, what becomes of it for each of them, and what is left of it in the mailbox.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use mail_parser::{Message, MessageParser};
use serde_json::json;
use support::{
    answer, connector,
    fake_imap::{FakeImap, Habits},
    fake_smtp::{FakeSmtp, Mode},
    file, settings,
};
use switchboard_sdk::{Connector, OutboundMessage, Recipient, RecipientRole, SendError, Sent};

async fn send(connector: &Arc<dyn Connector>, message: &OutboundMessage) -> Result<Sent, SendError> {
    connector.sender().unwrap().send(message).await
}

fn recipient(role: RecipientRole, name: Option<&str>, address: &str) -> Recipient {
    Recipient {
        role,
        name: name.map(str::to_owned),
        address: address.to_owned(),
    }
}

/// An answer to a customer, two more people, and one nobody sees.
fn to_all() -> OutboundMessage {
    let mut message = answer("ivan@client.example", "Hello all");
    message.recipients = vec![
        recipient(RecipientRole::To, Some("Иван"), "ivan@client.example"),
        recipient(RecipientRole::Cc, Some("Olga B."), "olga@client.example"),
        recipient(RecipientRole::Cc, None, "Ivan@client.example"),
        recipient(RecipientRole::Bcc, None, "archive@shop.example"),
    ];
    message
}

fn addresses(found: Option<&mail_parser::Address<'_>>) -> Vec<String> {
    found
        .into_iter()
        .flat_map(|addresses| addresses.iter())
        .filter_map(|one| one.address().map(str::to_owned))
        .collect()
}

fn parsed(raw: &[u8]) -> Message<'_> {
    MessageParser::default().parse(raw).unwrap()
}

fn rcpt(server: &FakeSmtp) -> Vec<String> {
    server
        .commands()
        .into_iter()
        .filter(|line| line.starts_with("RCPT"))
        .collect()
}

#[tokio::test]
async fn everybody_gets_it_once_and_nobody_sees_the_blind_copy() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let connector = connector(settings(1, server.port));
    let sent = send(&connector, &to_all()).await.unwrap();
    assert!(sent.refused.is_empty());
    let raw = server.mails().remove(0);
    let mail = parsed(&raw);
    assert_eq!(addresses(mail.to()), ["ivan@client.example"]);
    assert_eq!(addresses(mail.cc()), ["olga@client.example"]);
    assert!(!String::from_utf8_lossy(&raw).contains("archive@"));
    assert_eq!(
        rcpt(&server),
        [
            "RCPT TO:<ivan@client.example>",
            "RCPT TO:<olga@client.example>",
            "RCPT TO:<archive@shop.example>"
        ]
    );
}

#[tokio::test]
async fn a_forward_is_marked_as_one_and_answers_nothing() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let mut message = answer("ivan@client.example", "Please look");
    message.recipients = vec![recipient(RecipientRole::To, None, "expert@works.example")];
    message.forward = true;
    send(&connector(settings(1, server.port)), &message)
        .await
        .unwrap();
    let raw = server.mails().remove(0);
    let mail = parsed(&raw);
    assert_eq!(mail.subject(), Some("Fwd: Заказ № 5"));
    assert!(mail.in_reply_to().is_empty() && !mail.references().is_empty());
    assert_eq!(addresses(mail.to()), ["expert@works.example"]);
}

#[tokio::test]
async fn the_others_get_a_mail_that_one_of_them_is_refused() {
    let server = FakeSmtp::start(Mode::AtRcptOf("olga", "550 5.1.1 no such user")).await;
    let connector = connector(settings(1, server.port));
    let sent = send(&connector, &to_all()).await.unwrap();
    assert_eq!(sent.refused.len(), 1);
    assert!(
        sent.refused[0].starts_with("olga@client.example: ") && sent.refused[0].contains("no such user"),
        "{:?}",
        sent.refused
    );
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn nobody_gets_a_mail_whose_customer_is_refused() {
    let server = FakeSmtp::start(Mode::AtRcptOf("ivan", "550 5.1.1 no such user")).await;
    let result = send(&connector(settings(1, server.port)), &to_all()).await;
    let Err(SendError::Refused { reason }) = result else {
        panic!("{result:?}")
    };
    assert!(
        reason.contains("nobody got it") && reason.contains("ivan@client.example"),
        "{reason}"
    );
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn who_cannot_get_it_now_holds_the_others_back_for_a_while_so_that_nobody_gets_it_twice() {
    let server = FakeSmtp::start(Mode::AtRcptOf("olga", "450 4.2.0 greylisted")).await;
    let connector = connector(settings(1, server.port));
    let mut message = to_all();
    let result = send(&connector, &message).await;
    assert!(matches!(result, Err(SendError::Retry { .. })), "{result:?}");
    assert!(server.mails().is_empty());
    message.attempt = 9;
    let sent = send(&connector, &message).await.unwrap();
    assert!(sent.refused[0].contains("greylisted"), "{:?}", sent.refused);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_quota_waits_an_hour_whatever_its_code_says() {
    let server = FakeSmtp::start(Mode::AfterDot("550 5.4.5 Daily user sending quota exceeded")).await;
    let result = send(
        &connector(settings(1, server.port)),
        &answer("ivan@client.example", "x"),
    )
    .await;
    let Err(SendError::Retry { after, .. }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(after, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_before_a_byte_of_it_goes_out() {
    let server = FakeSmtp::start(Mode::Sized(2_000)).await;
    let connector = connector(settings(1, server.port));
    send(&connector, &answer("ivan@client.example", "short"))
        .await
        .unwrap();
    assert!(
        server
            .commands()
            .iter()
            .any(|line| line.starts_with("MAIL") && line.contains("SIZE=")),
        "{:?}",
        server.commands()
    );
    let mut message = answer("ivan@client.example", "long");
    message.attachments = vec![file()];
    message.attachments[0].data = vec![7; 3_000].into();
    let result = send(&connector, &message).await;
    let Err(SendError::Refused { reason }) = result else {
        panic!("{result:?}")
    };
    assert!(reason.contains("0.1 MB"), "{reason}");
    assert!(
        server
            .commands()
            .iter()
            .filter(|line| line.starts_with("DATA"))
            .count()
            == 1
    );
}

#[tokio::test]
async fn what_is_over_the_limit_waits_and_is_not_tried() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let mut settings = settings(1, server.port);
    settings["smtp"]["max_per_minute"] = json!(2);
    let connector = connector(settings);
    for _ in 0..2 {
        send(&connector, &answer("ivan@client.example", "x"))
            .await
            .unwrap();
    }
    let result = send(&connector, &answer("ivan@client.example", "x")).await;
    let Err(SendError::Wait { after, reason }) = result else {
        panic!("{result:?}")
    };
    assert!(
        after > Duration::from_secs(50) && after <= Duration::from_secs(60),
        "{after:?}"
    );
    assert!(reason.contains("2 mails a minute"), "{reason}");
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test]
async fn there_are_never_more_connections_than_the_admin_allows() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let mut settings = settings(1, server.port);
    settings["smtp"]["max_connections"] = json!(2);
    let connector = connector(settings);
    let message = answer("ivan@client.example", "x");
    let all = futures_util::future::join_all((0..12).map(|_| send(&connector, &message))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.mails().len(), 12);
    assert!(server.most_open() <= 2, "{}", server.most_open());
}

#[tokio::test]
async fn a_kill_between_two_attempts_leaves_the_same_mail_with_the_same_id() {
    let server = FakeSmtp::start(Mode::CutAfterDot).await;
    let message = answer("ivan@client.example", "Hello");
    let first = send(&connector(settings(1, server.port)), &message).await;
    assert!(matches!(first, Err(SendError::Unknown { .. })), "{first:?}");
    // Another process, another connector: nothing is left of the first but the message.
    server.set(Mode::Accept);
    let mut again = message.clone();
    again.attempt = 2;
    let second = send(&connector(settings(1, server.port)), &again).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails[0], mails[1]);
    assert_eq!(parsed(&mails[0]).message_id(), second.external_id.as_deref());
}

#[tokio::test]
async fn a_copy_of_what_was_sent_is_put_into_the_marked_folder_as_read() {
    let imap = FakeImap::start(Habits {
        folders: vec![
            r#"(\HasNoChildren) "/" "INBOX""#,
            r#"(\HasNoChildren) "/" "Sent""#,
            r#"(\HasNoChildren \Sent) "/" "Gesendete Objekte""#,
        ],
        ..Habits::default()
    })
    .await;
    let server = FakeSmtp::start(Mode::Accept).await;
    let connector = connector(settings(imap.port, server.port));
    let mut message = answer("ivan@client.example", "one");
    send(&connector, &message).await.unwrap();
    message.id = "msg_0198aaaabbbbccccddddeeeeffff0002".to_owned();
    send(&connector, &message).await.unwrap();
    let appended = imap.appended(2).await;
    let mails = server.mails();
    for ((command, copy), mail) in appended.iter().zip(&mails) {
        assert!(
            command.starts_with(r#"APPEND "Gesendete Objekte" (\Seen) {"#),
            "{command}"
        );
        // The fake server keeps the line break before the dot as well.
        assert_eq!(copy.trim_ascii_end(), mail.trim_ascii_end());
    }
}

#[tokio::test]
async fn a_mailbox_that_takes_no_copy_fails_no_answer() {
    let imap = FakeImap::start(Habits {
        refuses_append: true,
        ..Habits::default()
    })
    .await;
    let server = FakeSmtp::start(Mode::Accept).await;
    let connector = connector(settings(imap.port, server.port));
    send(&connector, &answer("ivan@client.example", "one"))
        .await
        .unwrap();
    // Nor does one that is away.
    let away = support::connector(settings(1, server.port));
    send(&away, &answer("ivan@client.example", "two")).await.unwrap();
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test]
async fn never_is_never() {
    let imap = FakeImap::start(Habits::default()).await;
    let server = FakeSmtp::start(Mode::Accept).await;
    let mut settings = settings(imap.port, server.port);
    settings["save_sent"] = json!("never");
    send(&connector(settings), &answer("ivan@client.example", "one"))
        .await
        .unwrap();
    assert!(imap.commands().is_empty(), "{:?}", imap.commands());
}
