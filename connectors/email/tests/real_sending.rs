//! Sending to several by a real Postfix, and the copy that a real Dovecot keeps. `tests/servers/up` starts them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{process::Command, sync::Arc, time::Duration};

use mail_parser::MessageParser;
use serde_json::{Value, json};
use support::{answer, connector};
use switchboard_sdk::{Connector, Recipient, RecipientRole, SendError};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: start the mail servers of the tests with `eval \"$(tests/servers/up)\"` (make test does it)")
    })
}

fn server(name: &str) -> Value {
    let value = variable(name);
    let (host, port) = value.rsplit_once(':').unwrap();
    json!({"host": host, "port": port.parse::<u16>().unwrap(), "tls": "none"})
}

fn address(name: &str) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    format!("{name}-{now}@example.test")
}

fn channel(address: &str) -> Arc<dyn Connector> {
    let mut imap = server("SWITCHBOARD_TEST_IMAP");
    imap["password"] = json!("secret");
    connector(json!({"address": address, "imap": imap, "smtp": server("SWITCHBOARD_TEST_SMTP")}))
}

async fn admin(arguments: &[&str]) -> String {
    let mut program = Command::new(variable("SWITCHBOARD_TEST_MAIL_ADMIN"));
    program.args(arguments);
    let output = tokio::task::spawn_blocking(move || program.output().unwrap())
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn to(role: RecipientRole, address: &str) -> Recipient {
    Recipient {
        role,
        name: None,
        address: address.to_owned(),
    }
}

#[tokio::test]
async fn a_mail_to_several_reaches_them_and_names_who_was_refused_and_a_copy_is_kept_as_read() {
    let (shop, ivan, hidden) = (address("shop"), address("ivan"), address("hidden"));
    let mut message = answer(&ivan, "Hello all");
    message.recipients = vec![
        to(RecipientRole::To, &ivan),
        to(RecipientRole::Cc, "nobody@reject.test"),
        to(RecipientRole::Bcc, &hidden),
    ];
    let sent = channel(&shop).sender().unwrap().send(&message).await.unwrap();
    assert_eq!(sent.refused.len(), 1);
    assert!(
        sent.refused[0].starts_with("nobody@reject.test: ") && sent.refused[0].contains("no such user"),
        "{:?}",
        sent.refused
    );
    for reader in [&ivan, &hidden] {
        admin(&["wait", reader, "1"]).await;
        let mails = admin(&["mails", reader]).await;
        let (_, raw) = mails.split_once('\n').unwrap();
        let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
        assert_eq!(mail.message_id(), sent.external_id.as_deref());
        assert!(!raw.contains(&format!("To: {hidden}")) && !raw.to_lowercase().contains("\nbcc:"));
    }
    // Dovecot announces nothing to us here: it is looked at until the copy is there.
    let copy = async {
        loop {
            let flags = admin(&["flags", &shop, "Sent"]).await;
            if flags.contains("\\Seen") {
                return flags;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let flags = tokio::time::timeout(Duration::from_secs(20), copy)
        .await
        .expect("no copy was kept");
    assert_eq!(flags.trim().lines().count(), 1, "{flags}");
    let kept = admin(&["mails", &shop, "Sent"]).await;
    assert!(
        kept.contains(sent.external_id.as_deref().unwrap()) && kept.contains("Hello all"),
        "{kept}"
    );
}

#[tokio::test]
async fn nobody_gets_a_mail_while_one_of_them_is_told_to_wait() {
    let (shop, ivan) = (address("shop"), address("ivan"));
    let mut message = answer(&ivan, "Hello all");
    message.recipients = vec![
        to(RecipientRole::To, &ivan),
        to(RecipientRole::Cc, "anyone@later.test"),
    ];
    let result = channel(&shop).sender().unwrap().send(&message).await;
    let Err(SendError::Retry { reason, .. }) = result else {
        panic!("{result:?}")
    };
    assert!(reason.contains("anyone@later.test"), "{reason}");
    assert_eq!(admin(&["count", &ivan]).await.trim(), "0");
    message.attempt = 9;
    let sent = channel(&shop).sender().unwrap().send(&message).await.unwrap();
    assert!(
        sent.refused[0].starts_with("anyone@later.test: "),
        "{:?}",
        sent.refused
    );
    admin(&["wait", &ivan, "1"]).await;
}
