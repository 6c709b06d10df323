//! What goes wrong between a channel and a real mail server: nothing is lost, and nothing is doubled.
//!
//! `SWITCHBOARD_TEST_BACKLOG=10000` runs the backlog with that many mails instead of 500.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};
use support::{
    connector,
    proxy::{Line, Proxy},
    real::{Channel, Mailbox, address_of, alive, texts},
};
use switchboard_sdk::{Backfill, BackfillOrder, InboundBody};
use switchboard_testkit::{MemoryIntake, Step};
use tokio::sync::RwLock;

/// One test stops the server that the others use.
static SERVER: RwLock<()> = RwLock::const_new(());

/// A mailbox behind a line that can break.
async fn behind_a_proxy(mailbox: &Mailbox) -> (Proxy, Value) {
    let (host, port) = address_of("SWITCHBOARD_TEST_IMAP");
    let proxy = Proxy::to(host, port).await;
    let mut settings = mailbox.settings();
    settings["imap"]["host"] = json!("127.0.0.1");
    settings["imap"]["port"] = json!(proxy.port);
    (proxy, settings)
}

/// `count` mails at once, put there behind SMTP's back: `name-1`, `name-2`, …
async fn fill(mailbox: &Mailbox, name: &str, count: usize, folder: &str) {
    let mut all = Vec::new();
    for number in 1..=count {
        all.push(raw(&format!("{name}-{number}"), ""));
    }
    mailbox.save_all(&all, folder).await;
}

fn raw(name: &str, more: &str) -> String {
    format!(
        "From: Ann <ann@client.test>\r\nTo: support@shop.example\r\nMessage-ID: <{name}@client.test>\r\n{more}Subject: {name}\r\n\r\n{name}\r\n"
    )
}

/// Every mail of `name` came, and each once.
fn complete(intake: &MemoryIntake, name: &str, count: usize) {
    let came: Vec<String> = texts(intake)
        .into_iter()
        .filter(|text| text.starts_with(name))
        .collect();
    let different: BTreeSet<&String> = came.iter().collect();
    assert_eq!((came.len(), different.len()), (count, count), "{name}");
}

#[tokio::test]
async fn a_server_that_restarts_loses_and_doubles_nothing() {
    let _alone = SERVER.write().await;
    let mailbox = Mailbox::new("restart");
    let intake = MemoryIntake::new();
    let channel = Channel::start(mailbox.connector(), &intake);
    alive(&intake).await;
    mailbox.mail("before").await;
    intake.wait_stored(1).await;
    mailbox.servers("stop", &["imap"]).await;
    mailbox.servers("start", &["imap"]).await;
    mailbox.mail("after").await;
    intake.wait_stored(2).await;
    channel.stop().await;
    assert_eq!(texts(&intake), ["before", "after"]);
}

#[tokio::test]
async fn a_line_cut_anywhere_in_a_backlog_loses_and_doubles_nothing() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("line");
    fill(&mailbox, "mail", 120, "INBOX").await;
    let (proxy, settings) = behind_a_proxy(&mailbox).await;
    let intake = MemoryIntake::new();
    let connector = connector(settings);
    // In the greeting, in the login, in a listing, in the midst of mails.
    for bytes in [20, 300, 1500, 6000, 14_000, 25_000] {
        proxy.cut_next_after(bytes);
        let fault = connector
            .receiver()
            .unwrap()
            .run(intake.shared(), switchboard_sdk::CancellationToken::new())
            .await;
        assert!(
            matches!(fault, Err(switchboard_sdk::Fault::Temporary(_))),
            "after {bytes} bytes: {fault:?}"
        );
    }
    let channel = Channel::start(connector, &intake);
    intake.wait_stored(120).await;
    alive(&intake).await;
    // And while it waits for more.
    proxy.set(Line::Cut);
    fill(&mailbox, "later", 3, "INBOX").await;
    proxy.set(Line::Up);
    intake.wait_stored(123).await;
    channel.stop().await;
    complete(&intake, "mail", 120);
    complete(&intake, "later", 3);
}

#[tokio::test]
async fn a_half_open_line_is_noticed_and_made_anew() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("silent");
    let (proxy, settings) = behind_a_proxy(&mailbox).await;
    let intake = MemoryIntake::new().patient_for(Duration::from_secs(60));
    let run = async |connector: Arc<dyn switchboard_sdk::Connector>, intake: &MemoryIntake| {
        Channel::start(connector, intake)
    };
    let channel = run(connector(settings), &intake).await;
    alive(&intake).await;
    proxy.forget();
    mailbox.mail("unheard").await;
    mailbox.admin("wait", &["1"]).await;
    // The announcement is lost. Time passes until IDLE is renewed and its answer is missed: no real server
    // can be asked to make that quicker, so the clock of the waiting is.
    tokio::time::pause();
    let noticed = tokio::time::timeout(Duration::from_secs(400), async {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if channel.faults() > 0 {
                break;
            }
        }
    })
    .await;
    tokio::time::resume();
    assert!(noticed.is_ok(), "a dead connection was taken for a quiet one");
    intake.wait_stored(1).await;
    channel.stop().await;
    assert_eq!(texts(&intake), ["unheard"]);
}

#[tokio::test]
async fn a_folder_made_anew_doubles_nothing() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("anew");
    mailbox.admin("recreate", &["Support"]).await;
    fill(&mailbox, "old", 5, "Support").await;
    let mut settings = mailbox.settings();
    settings["imap"]["mailbox"] = json!("Support");
    let intake = MemoryIntake::new();
    let channel = Channel::start(connector(settings.clone()), &intake);
    intake.wait_stored(5).await;
    channel.stop().await;
    let before = intake.stored_cursor("Support").unwrap()["uid_validity"].clone();
    mailbox.admin("recreate", &["Support"]).await;
    // The old mail was put back, as from a backup, and there is new mail.
    fill(&mailbox, "old", 5, "Support").await;
    fill(&mailbox, "new", 2, "Support").await;
    let channel = Channel::start(connector(settings), &intake);
    intake.wait_stored(7).await;
    alive(&intake).await;
    channel.stop().await;
    complete(&intake, "old", 5);
    complete(&intake, "new", 2);
    assert_ne!(intake.stored_cursor("Support").unwrap()["uid_validity"], before);
}

#[tokio::test]
async fn a_backlog_is_taken_in_whole_while_new_mail_comes() {
    let _shared = SERVER.read().await;
    let count = std::env::var("SWITCHBOARD_TEST_BACKLOG")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(500);
    let mailbox = Mailbox::new("backlog10k");
    fill(&mailbox, "mail", count, "INBOX").await;
    let intake = MemoryIntake::new().patient_for(Duration::from_secs(600));
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(1).await;
    mailbox.mail("meanwhile").await;
    let began = std::time::Instant::now();
    intake.wait_stored(count + 1).await;
    channel.stop().await;
    complete(&intake, "mail", count);
    complete(&intake, "meanwhile", 1);
    let most = intake.steps().iter().fold(0, |most, step| match step {
        Step::Delivering(ids) => most.max(ids.len()),
        _ => most,
    });
    assert!(most <= 25, "a batch of {most}");
    // Seen with --nocapture.
    #[allow(clippy::print_stderr, reason = "a measurement")]
    {
        eprintln!("{count} mails in {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn two_channels_on_one_mailbox_each_take_everything_once() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("two");
    fill(&mailbox, "mail", 30, "INBOX").await;
    let (one, two) = (MemoryIntake::new(), MemoryIntake::new());
    let channels = [&one, &two].map(|intake| Channel::start(mailbox.connector(), intake));
    for intake in [&one, &two] {
        intake.wait_stored(30).await;
    }
    mailbox.mail("later").await;
    for intake in [&one, &two] {
        intake.wait_stored(31).await;
    }
    for channel in channels {
        assert!(channel.stop().await.is_empty());
    }
    for intake in [&one, &two] {
        complete(intake, "mail", 30);
        complete(intake, "later", 1);
    }
}

#[tokio::test]
async fn mail_expunged_while_it_is_fetched_keeps_nothing_else() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("expunge");
    fill(&mailbox, "mail", 200, "INBOX").await;
    let intake = MemoryIntake::new();
    let hold = intake.hold();
    let channel = Channel::start(mailbox.connector(), &intake);
    let began = |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Delivering(_)));
    assert!(intake.wait_for(Duration::from_secs(20), began).await);
    // All were listed, the first were fetched: somebody tidies up the rest of the first hundred.
    mailbox.admin("expunge", &["50:100"]).await;
    drop(hold);
    intake.wait_stored(149).await;
    mailbox.mail("after").await;
    intake.wait_stored(150).await;
    channel.stop().await;
    let came: BTreeSet<String> = texts(&intake).into_iter().collect();
    let expected: BTreeSet<String> = (1..=200)
        .filter(|number| !(50..=100).contains(number))
        .map(|number| format!("mail-{number}"))
        .chain(["after".to_owned()])
        .collect();
    assert_eq!(came, expected);
    assert_eq!(intake.events().len(), 150);
}

#[tokio::test]
async fn several_folders_are_read_each_from_its_own_place_and_a_copy_counts_once() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("folders");
    mailbox.admin("recreate", &["Support/Отдел"]).await;
    fill(&mailbox, "inbox", 3, "INBOX").await;
    fill(&mailbox, "other", 3, "Support/Отдел").await;
    fill(&mailbox, "both", 2, "INBOX").await;
    fill(&mailbox, "both", 2, "Support/Отдел").await;
    let mut settings = mailbox.settings();
    settings["imap"]["mailboxes"] = json!(["Support/Отдел"]);
    let intake = MemoryIntake::new();
    let channel = Channel::start(connector(settings.clone()), &intake);
    intake.wait_stored(8).await;
    fill(&mailbox, "late", 1, "Support/Отдел").await;
    intake.wait_stored(9).await;
    channel.stop().await;
    for (name, count) in [("inbox", 3), ("other", 3), ("both", 2), ("late", 1)] {
        complete(&intake, name, count);
    }
    assert_eq!(intake.stored_cursor("INBOX").unwrap()["last_uid"], json!(5));
    assert_eq!(
        intake.stored_cursor("Support/Отдел").unwrap()["last_uid"],
        json!(6)
    );
    settings["imap"]["mailboxes"] = json!(["Nowhere"]);
    let steps = connector(settings).check_steps().await;
    let failed = steps.iter().find(|step| step.outcome.is_err()).unwrap();
    assert_eq!(failed.step, "imap_folder");
    assert!(
        steps
            .iter()
            .any(|step| step.step == "smtp_login" && step.outcome.is_ok())
    );
}

#[tokio::test]
async fn earlier_mail_is_taken_in_when_ordered_over_a_restart_and_as_history() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("earlier");
    fill(&mailbox, "old", 80, "INBOX").await;
    let mut settings = mailbox.settings();
    settings["backfill_days"] = json!(0);
    let intake = MemoryIntake::new();
    let channel = Channel::start(connector(settings.clone()), &intake);
    alive(&intake).await;
    mailbox.mail("live").await;
    intake.wait_stored(1).await;
    channel.stop().await;
    let order = json!({"since": "2020-01-01", "asked_at": "2026-11-22T12:00:00Z", "history": true});
    intake.set_cursor(BackfillOrder::CURSOR, order);
    // The second batch is not stored before the channel is stopped.
    let channel = Channel::start(connector(settings.clone()), &intake);
    intake.wait_stored(26).await;
    channel.stop().await;
    let progress = |intake: &MemoryIntake| -> Backfill {
        serde_json::from_value(intake.stored_cursor(&Backfill::cursor("INBOX")).unwrap()).unwrap()
    };
    assert_eq!(
        progress(&intake).total,
        81,
        "of the live mail it is known that it is known"
    );
    let channel = Channel::start(connector(settings), &intake);
    intake.wait_stored(81).await;
    mailbox.mail("later").await;
    intake.wait_stored(82).await;
    channel.stop().await;
    let done = progress(&intake);
    assert_eq!((done.done, done.total, done.finished), (81, 81, true));
    complete(&intake, "old", 80);
    for event in intake.events() {
        let InboundBody::Message(message) = event.body else {
            panic!()
        };
        assert_eq!(
            message.history,
            message.text.starts_with("old"),
            "{}",
            message.text
        );
    }
}

#[tokio::test]
async fn what_is_stored_is_marked_as_seen_only_where_the_admin_chose_so() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("seen");
    fill(&mailbox, "mail", 3, "INBOX").await;
    mailbox
        .save_all(
            &[raw("ignored", "Reply-To: x@y.test\r\n").replace("ann@client", "noreply@client")],
            "INBOX",
        )
        .await;
    let mut settings = mailbox.settings();
    settings["imap"]["mark_seen"] = json!(true);
    settings["ignore_senders"] = json!(["noreply@*"]);
    let intake = MemoryIntake::new();
    intake.refuse_next(1);
    let channel = Channel::start(connector(settings), &intake);
    intake.wait_stored(3).await;
    alive(&intake).await;
    channel.stop().await;
    let flags = mailbox.admin("flags", &[]).await;
    let seen = flags.lines().filter(|line| line.contains("Seen")).count();
    assert_eq!((flags.lines().count(), seen), (4, 3), "{flags}");
    assert!(!flags.contains("Deleted"));
}

#[tokio::test]
async fn a_tagged_address_names_its_line() {
    let _shared = SERVER.read().await;
    let mailbox = Mailbox::new("tags");
    let mut settings = mailbox.settings();
    settings["tags"] = json!({"billing": "money"});
    let (local, domain) = mailbox.address.split_once('@').unwrap();
    let tagged = raw("one", "").replace("support@shop.example", &format!("{local}+billing@{domain}"));
    let plain = raw("two", "").replace("support@shop.example", &mailbox.address);
    mailbox.save_all(&[tagged, plain], "INBOX").await;
    let intake = MemoryIntake::new();
    let channel = Channel::start(connector(settings), &intake);
    intake.wait_stored(2).await;
    channel.stop().await;
    let lines: Vec<Option<String>> = intake
        .events()
        .into_iter()
        .map(|event| support::real::message(event).line)
        .collect();
    assert_eq!(lines, [Some("money".to_owned()), None]);
}
