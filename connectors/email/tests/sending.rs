//! What goes out, and what is known about it afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use mail_parser::{HeaderName, MessageParser, MimeHeaders};
use serde_json::json;
use support::{
    answer, connector,
    fake_smtp::{FakeSmtp, Mode},
    file, settings,
};
use switchboard_sdk::{Connector, Fault, OutboundMessage, SendError, Sent};

async fn send(connector: &Arc<dyn Connector>, message: &OutboundMessage) -> Result<Sent, SendError> {
    connector.sender().unwrap().send(message).await
}

async fn result_of(mode: Mode, text: &str) -> (Result<Sent, SendError>, FakeSmtp) {
    let server = FakeSmtp::start(mode).await;
    let result = send(
        &connector(settings(1, server.port)),
        &answer("ivan@client.example", text),
    )
    .await;
    (result, server)
}

#[tokio::test]
async fn the_mail_carries_thread_names_and_files() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let mut message = answer("ivan@client.example", "Здравствуйте!\n.\nЗаказ в пути.");
    message.html = Some("<p>Здравствуйте!</p>".to_owned());
    message.attachments = vec![file()];
    let connector = connector(settings(1, server.port));
    let sent = send(&connector, &message).await.unwrap();
    let id = "msg_0198aaaabbbbccccddddeeeeffff0001@shop.example";
    assert_eq!(sent.external_id.as_deref(), Some(id));
    assert_eq!(
        connector.sender().unwrap().external_id(&message).as_deref(),
        Some(id)
    );

    let raw = server.mails().remove(0);
    assert!(
        raw.is_ascii() && raw.split(|b| *b == b'\n').all(|line| line.len() <= 998),
        "7 bit, no overlong line"
    );
    let mail = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(mail.message_id(), Some(id));
    assert_eq!(mail.in_reply_to().as_text(), Some("second@client.example"));
    assert_eq!(
        mail.references().as_text_list().unwrap(),
        ["first@client.example", "second@client.example"]
    );
    assert_eq!(mail.subject(), Some("Re: Заказ № 5"));
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name(), from.address()),
        (Some("Анна via Example Shop"), Some("support@shop.example"))
    );
    assert_eq!(mail.to().unwrap().first().unwrap().name(), Some("Иван Петров"));
    assert_eq!(
        mail.date().unwrap().to_timestamp(),
        message.created_at.timestamp()
    );
    assert_eq!(
        mail.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
        "Здравствуйте!\n.\nЗаказ в пути."
    );
    assert!(mail.body_html(0).unwrap().contains("<p>Здравствуйте!</p>"));
    let attached = mail.attachment(0).unwrap();
    assert_eq!(
        attached.attachment_name(),
        Some(message.attachments[0].name.as_str())
    );
    assert_eq!(attached.contents(), &message.attachments[0].data[..]);
    assert!(
        mail.header(HeaderName::AutoSubmitted).is_none(),
        "an operator is no machine"
    );
}

#[tokio::test]
async fn what_a_line_says_by_itself_tells_answering_machines_so() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let connector = connector(settings(1, server.port));
    let mut message = answer("ivan@client.example", "We are closed and open tomorrow at 09:00.");
    message.automatic = true;
    send(&connector, &message).await.unwrap();
    let raw = server.mails().remove(0);
    let mail = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(
        mail.header(HeaderName::AutoSubmitted)
            .and_then(|value| value.as_text()),
        Some("auto-replied")
    );
}

#[tokio::test]
async fn a_repeated_attempt_is_the_same_mail_to_everybody() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let connector = connector(settings(1, server.port));
    let mut message = answer("ivan@client.example", "Hello");
    let first = send(&connector, &message).await.unwrap();
    message.attempt = 2;
    assert_eq!(send(&connector, &message).await.unwrap(), first);
    assert_eq!(server.mails()[0], server.mails()[1]);
    assert_eq!(server.connections(), 1, "the connection is used again");
}

#[tokio::test]
async fn a_connection_the_server_closed_meanwhile_is_replaced() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let connector = connector(settings(1, server.port));
    send(&connector, &answer("ivan@client.example", "one"))
        .await
        .unwrap();
    server.set(Mode::CutAfterDot);
    assert!(matches!(
        send(&connector, &answer("ivan@client.example", "two")).await,
        Err(SendError::Unknown { .. })
    ));
    server.set(Mode::Accept);
    send(&connector, &answer("ivan@client.example", "three"))
        .await
        .unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_451_waits_and_a_550_is_refused_with_the_servers_words() {
    for mode in [
        Mode::AtRcpt("451 4.7.1 greylisted"),
        Mode::AfterDot("452 4.2.2 full"),
    ] {
        assert!(
            matches!(result_of(mode, "x").await.0, Err(SendError::Retry { .. })),
            "{mode:?}"
        );
    }
    for mode in [
        Mode::AtRcpt("550 5.1.1 no such user"),
        Mode::AfterDot("554 5.6.0 no such user"),
    ] {
        let (result, _) = result_of(mode, "x").await;
        let Err(SendError::Refused { reason }) = result else {
            panic!("{mode:?}: {result:?}")
        };
        assert!(
            reason.contains("no such user") && reason.contains("55"),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn only_a_cut_after_the_whole_mail_is_uncertain() {
    let (result, server) = result_of(Mode::CutAfterDot, "x").await;
    assert!(matches!(result, Err(SendError::Unknown { .. })), "{result:?}");
    assert_eq!(server.mails().len(), 1, "it may have arrived, and here it did");
    let large = "слово ".repeat(2_000_000);
    assert!(
        matches!(
            result_of(Mode::CutInData, &large).await.0,
            Err(SendError::Retry { .. })
        ),
        "half a mail is no mail"
    );
    assert!(matches!(
        result_of(Mode::CutAtData, "x").await.0,
        Err(SendError::Retry { .. })
    ));
}

#[tokio::test]
async fn a_server_that_is_away_or_wants_nobody_is_tried_again() {
    let (port, server) = {
        let server = FakeSmtp::start(Mode::Accept).await;
        (server.port, server)
    };
    server.close();
    let away = send(&connector(settings(1, port)), &answer("ivan@client.example", "x")).await;
    let Err(SendError::Retry { reason, .. }) = away else {
        panic!("{away:?}")
    };
    assert!(
        reason.contains("cannot be reached") && reason.contains("check"),
        "{reason}"
    );
    let (closed, _server) = result_of(Mode::Greeting("554 5.3.2 not you"), "x").await;
    assert!(matches!(closed, Err(SendError::Retry { .. })), "{closed:?}");
}

#[tokio::test]
async fn a_wrong_password_waits_for_the_admin_and_the_check_names_it() {
    let server = FakeSmtp::start(Mode::AtLogin("535 5.7.8 bad credentials")).await;
    let mut settings = settings(1, server.port);
    settings["smtp"]["username"] = json!("support@shop.example");
    settings["smtp"]["password"] = json!("wrong-horse");
    let result = send(&connector(settings.clone()), &answer("ivan@client.example", "x")).await;
    let Err(SendError::Retry { after, reason }) = result else {
        panic!("{result:?}")
    };
    assert!(
        after >= Some(Duration::from_secs(60)),
        "no hammering: that locks accounts"
    );
    assert!(
        reason.contains("password") && reason.contains("bad credentials") && !reason.contains("wrong-horse"),
        "{reason}"
    );

    let imap = support::fake_imap::FakeImap::start(support::fake_imap::Habits::default()).await;
    settings["imap"]["port"] = json!(imap.port);
    let Err(Fault::Permanent(reason)) = connector(settings).check().await else {
        panic!("the check passed")
    };
    assert!(
        reason.starts_with("the SMTP server") && reason.contains("app password"),
        "{reason}"
    );
}

#[tokio::test]
async fn nothing_in_a_name_or_subject_becomes_a_header() {
    let server = FakeSmtp::start(Mode::Accept).await;
    let mut message = answer("ivan@client.example", "x");
    message.subject = Some("Hi\r\nBcc: thief@evil.example".to_owned());
    message.author_name = Some("Anna\nX-Evil: 1".to_owned());
    message.to_name = Some("Ivan\r\n\r\nbody".to_owned());
    message.references = vec!["a@b>\r\nX-Evil: 2".to_owned()];
    message.attachments = vec![file()];
    message.attachments[0].name = "a\r\nX-Evil: 3.pdf".to_owned();
    message.attachments[0].content_type = "message/rfc822".to_owned();
    send(&connector(settings(1, server.port)), &message)
        .await
        .unwrap();
    let raw = String::from_utf8(server.mails().remove(0)).unwrap();
    assert!(
        raw.lines()
            .all(|line| !line.starts_with("X-Evil") && !line.starts_with("Bcc")),
        "{raw}"
    );
    let refused = send(
        &connector(settings(1, server.port)),
        &answer("not an address", "x"),
    )
    .await;
    assert!(matches!(refused, Err(SendError::Refused { .. })), "{refused:?}");
}
