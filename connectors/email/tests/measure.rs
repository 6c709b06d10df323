//! Measurements with the servers of tests/servers, which hold the mail in processes of their own:
//! `cargo test -p switchboard-email --test measure -- --ignored --nocapture --test-threads 1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a measurement"
)]

mod support;

use std::time::{Duration, Instant};

use support::real::{Channel, Mailbox, message};
use switchboard_testkit::MemoryIntake;

/// A line of `/proc/self/status`, in MB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
#[ignore = "a measurement"]
async fn a_mail_of_50_mb_is_taken_in_with_bounded_memory() {
    let mailbox = Mailbox::new("large");
    let size = 49 * 1024 * 1024;
    {
        let line = format!("{}\r\n", "QUJD".repeat(19));
        let body = line.repeat(size / line.len());
        let mail = format!(
            "From: Ann <ann@client.test>\r\nMessage-ID: <large@client.test>\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=x.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b--\r\n"
        );
        mailbox.save_all(&[mail], "INBOX").await;
    }
    // The peak is counted from here (proc(5), clear_refs).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, began) = (memory("VmRSS"), Instant::now());
    let intake = MemoryIntake::new().patient_for(Duration::from_secs(120));
    let channel = Channel::start(mailbox.connector(), &intake);
    intake.wait_stored(1).await;
    let (took, peak) = (began.elapsed(), memory("VmHWM"));
    channel.stop().await;
    let file = message(intake.events().remove(0)).attachments.remove(0);
    let cost = peak - before;
    eprintln!(
        "a mail of {} MB with a file of {} MB: {took:?}, at most {cost} MB more than before",
        size / 1024 / 1024,
        file.data.len() / 1024 / 1024
    );
    assert!(cost < 200, "{cost} MB");
}

#[tokio::test]
#[ignore = "a measurement"]
async fn mail_is_delivered_by_idle_in_less_than_two_seconds() {
    let mailbox = Mailbox::new("idle");
    let intake = MemoryIntake::new();
    let channel = Channel::start(mailbox.connector(), &intake);
    support::real::alive(&intake).await;
    let mut slowest = Duration::ZERO;
    for count in 1..=20 {
        let sent = Instant::now();
        mailbox.mail(&format!("mail-{count}")).await;
        intake.wait_stored(count).await;
        slowest = slowest.max(sent.elapsed());
    }
    channel.stop().await;
    eprintln!("from SMTP's 250 to stored, the slowest of 20: {slowest:?}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}
