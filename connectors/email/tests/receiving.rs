//! Servers with bad habits, and mail that gets through all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use support::{
    connector,
    fake_imap::{FakeImap, Habits},
    settings,
};
use switchboard_sdk::{CancellationToken, Connector, Fault, InboundBody};
use switchboard_testkit::{MemoryIntake, PATIENCE, Step};
use tokio::{task::JoinHandle, time::timeout};

fn mail(name: &str) -> Vec<u8> {
    format!("From: Ann <ann@client.example>\r\nMessage-ID: <{name}@client.example>\r\n\r\n{name}\r\n")
        .into_bytes()
}

/// A channel that is started again when it fails, as the server does it, only sooner.
struct Channel {
    stop: CancellationToken,
    task: JoinHandle<Vec<Fault>>,
}

impl Channel {
    fn start(connector: Arc<dyn Connector>, intake: &MemoryIntake) -> Self {
        let (stop, intake) = (CancellationToken::new(), intake.clone());
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            let mut faults = Vec::new();
            while let Err(fault) = connector
                .receiver()
                .unwrap()
                .run(intake.shared(), stopping.clone())
                .await
            {
                faults.push(fault);
            }
            faults
        });
        Self { stop, task }
    }

    async fn stop(self) -> Vec<Fault> {
        self.stop.cancel();
        timeout(Duration::from_secs(1), self.task)
            .await
            .expect("it did not stop within a second")
            .unwrap()
    }
}

fn texts(intake: &MemoryIntake) -> Vec<String> {
    let text = |body| match body {
        InboundBody::Message(message) => message.text,
        InboundBody::Poison { reason, .. } => format!("poison: {reason}"),
        other => panic!("{other:?}"),
    };
    intake
        .events()
        .into_iter()
        .map(|event| text(event.body))
        .collect()
}

async fn alive(intake: &MemoryIntake, times: usize) {
    let came = intake
        .wait_for(PATIENCE, |steps| {
            steps.iter().filter(|step| **step == Step::Alive).count() >= times
        })
        .await;
    assert!(came, "{:?}", intake.steps());
}

#[tokio::test]
async fn without_backfill_only_what_arrives_later_counts_even_over_a_restart() {
    let server = FakeImap::start(Habits::default()).await;
    server.put(&mail("old"));
    let mut settings = settings(server.port, 1);
    settings["backfill_days"] = json!(0);
    let intake = MemoryIntake::new();
    let channel = Channel::start(connector(settings.clone()), &intake);
    alive(&intake, 1).await;
    channel.stop().await;
    server.put(&mail("while away"));
    let channel = Channel::start(connector(settings), &intake);
    intake.wait_stored(1).await;
    assert!(channel.stop().await.is_empty());
    assert_eq!(texts(&intake), ["while away"]);
}

#[tokio::test]
async fn a_renumbered_mailbox_is_read_again_and_doubles_nothing() {
    let server = FakeImap::start(Habits::default()).await;
    let connector = connector(settings(server.port, 1));
    let intake = MemoryIntake::new();
    for name in ["one", "two", "three"] {
        server.put(&mail(name));
    }
    let channel = Channel::start(Arc::clone(&connector), &intake);
    intake.wait_stored(3).await;
    channel.stop().await;
    server.renumber(9);
    server.put(&mail("four"));
    let channel = Channel::start(connector, &intake);
    intake.wait_stored(4).await;
    channel.stop().await;
    assert_eq!(texts(&intake), ["one", "two", "three", "four"]);
    let cursor = intake.stored_cursor("INBOX").unwrap();
    assert_eq!(
        (cursor["uid_validity"].clone(), cursor["last_uid"].clone()),
        (json!(9), json!(4))
    );
    assert!(
        intake
            .warnings()
            .iter()
            .any(|warning| warning.contains("renumbered")),
        "{:?}",
        intake.warnings()
    );
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_fetch_loses_nothing() {
    let server = FakeImap::start(Habits {
        cut_fetches: 3,
        ..Habits::default()
    })
    .await;
    let intake = MemoryIntake::new();
    for number in 0..40 {
        server.put(&mail(&format!("mail {number}")));
    }
    let channel = Channel::start(connector(settings(server.port, 1)), &intake);
    intake.wait_stored(40).await;
    let faults = channel.stop().await;
    assert!(
        faults.len() == 3 && faults.iter().all(|fault| matches!(fault, Fault::Temporary(_))),
        "{faults:?}"
    );
    let expected: Vec<String> = (0..40).map(|number| format!("mail {number}")).collect();
    assert_eq!(texts(&intake), expected, "each once, in order");
}

#[tokio::test]
async fn a_mail_the_server_never_gives_does_not_keep_the_others() {
    let server = FakeImap::start(Habits {
        unreadable: vec![2],
        ..Habits::default()
    })
    .await;
    let intake = MemoryIntake::new();
    for name in ["one", "two", "three"] {
        server.put(&mail(name));
    }
    let channel = Channel::start(connector(settings(server.port, 1)), &intake);
    intake.wait_stored(3).await;
    channel.stop().await;
    let texts = texts(&intake);
    assert_eq!((texts[0].as_str(), texts[2].as_str()), ("one", "three"));
    assert!(
        texts[1].starts_with("poison: mail number 2 cannot be fetched"),
        "{texts:?}"
    );
}

#[tokio::test]
async fn other_clients_chatter_is_not_taken_for_mail() {
    let server = FakeImap::start(Habits {
        chatty: true,
        ..Habits::default()
    })
    .await;
    let intake = MemoryIntake::new();
    server.put(&mail("one"));
    let channel = Channel::start(connector(settings(server.port, 1)), &intake);
    intake.wait_stored(1).await;
    server.put(&mail("two"));
    intake.wait_stored(2).await;
    assert!(channel.stop().await.is_empty());
    assert_eq!(texts(&intake), ["one", "two"]);
}

#[tokio::test]
async fn of_a_mail_beyond_all_measure_only_the_beginning_is_fetched() {
    let server = FakeImap::start(Habits {
        sizes: [(1, 900 << 20)].into(),
        ..Habits::default()
    })
    .await;
    let intake = MemoryIntake::new();
    server.put(&mail(&"long ".repeat(100_000)));
    server.put(&mail("two"));
    let channel = Channel::start(connector(settings(server.port, 1)), &intake);
    intake.wait_stored(2).await;
    channel.stop().await;
    let texts = texts(&intake);
    assert!(texts[0].len() < 300_000 && texts[0].contains("too large (900 MB)"));
    assert_eq!(texts[1], "two");
}

#[tokio::test]
async fn nothing_is_marked_and_idle_and_poll_are_chosen_by_what_is_offered() {
    // A refused IDLE costs one more connection.
    for (habits, warns, connections) in [
        (Habits::default(), false, 1),
        (
            Habits {
                idle: false,
                ..Habits::default()
            },
            true,
            1,
        ),
        (
            Habits {
                refuses_idle: true,
                ..Habits::default()
            },
            true,
            2,
        ),
    ] {
        let server = FakeImap::start(habits).await;
        let intake = MemoryIntake::new();
        server.put(&mail("one"));
        let channel = Channel::start(connector(settings(server.port, 1)), &intake);
        intake.wait_stored(1).await;
        alive(&intake, connections).await;
        channel.stop().await;
        assert_eq!(
            intake
                .warnings()
                .iter()
                .any(|warning| warning.contains("no IDLE")),
            warns
        );
        let forbidden = [
            "SELECT", "STORE", "EXPUNGE", "MOVE", "COPY", "APPEND", "CLOSE", "BODY[]", "RFC822)",
        ];
        let broken: Vec<String> = server
            .commands()
            .into_iter()
            .filter(|c| forbidden.iter().any(|word| c.contains(word)))
            .collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

#[tokio::test]
async fn a_refused_login_parks_the_channel_and_a_busy_server_does_not() {
    let fault = |login: &'static str| async move {
        let server = FakeImap::start(Habits {
            login,
            ..Habits::default()
        })
        .await;
        let connector = connector(settings(server.port, 1));
        connector
            .receiver()
            .unwrap()
            .run(MemoryIntake::new().shared(), CancellationToken::new())
            .await
            .unwrap_err()
    };
    let Fault::Permanent(reason) = fault("NO [AUTHENTICATIONFAILED] wrong").await else {
        panic!("tried again: a lock-out")
    };
    assert!(
        reason.contains("refused the login of support@shop.example") && reason.contains("app password"),
        "{reason}"
    );
    assert!(!reason.contains("secret"), "{reason}");
    assert!(matches!(
        fault("NO [UNAVAILABLE] come back later").await,
        Fault::Temporary(_)
    ));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_what_to_check() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let channel = connector(settings(closed, 1));
    let Err(Fault::Temporary(reason)) = channel.check().await else {
        panic!("the check passed")
    };
    assert!(
        reason.contains(&format!("127.0.0.1:{closed}")) && reason.contains("check server name, port"),
        "{reason}"
    );
    let mut wrong: Value = settings(closed, 1);
    wrong["imap"]["tls"] = json!("implicit");
    let plain = FakeImap::start(Habits::default()).await;
    wrong["imap"]["port"] = json!(plain.port);
    let Err(Fault::Temporary(_)) = connector(wrong).check().await else {
        panic!("the check passed")
    };
}

#[tokio::test]
async fn a_quarantined_mail_can_be_read_again_apart_from_its_mailbox() {
    let channel = connector(settings(1, 1));
    let reread = |raw: &[u8]| channel.reparse("any", raw.to_vec().into()).unwrap().body;
    assert!(matches!(reread(&mail("one")), InboundBody::Message(message) if message.text == "one"));
    assert!(matches!(reread(b""), InboundBody::Poison { .. }));
    assert!(
        matches!(reread(b"From: support@shop.example\r\n\r\nx"), InboundBody::Poison { reason, .. } if reason.contains("our own mail"))
    );
}
