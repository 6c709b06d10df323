//! How fast mails are read, and how much memory a large one takes: `cargo bench -p switchboard-email --bench mapping`.
//!
//! From the bytes to the event, without a mailbox and without a store. The mails are those of `testdata` over and over;
//! the large one is measured in a process of its own, because a process never gives back its peak.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measuring program"
)]

use std::{path::Path, process::Command, time::Instant};

use bytes::Bytes;
use switchboard_email::{
    Settings,
    map::{Raw, map},
    settings::example,
};
use switchboard_sdk::{InboundBody, Spool};

const LARGE: u64 = 50 * 1024 * 1024;
const HEAD: &str = "From: a@client.example\r\nMessage-ID: <large@client.example>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee the film.\r\n--x\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n";
/// Set in the process that reads one large mail.
const ONE: &str = "SWITCHBOARD_BENCH_LARGE";

fn raw(bytes: Vec<u8>) -> Raw {
    Raw {
        bytes: Bytes::from(bytes),
        arrived: "2026-11-20T05:00:05Z".parse().unwrap(),
        cut_from: None,
        large: None,
    }
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn one_large(settings: &Settings) {
    // As it lies in its temporary file after it was fetched; the mail made here is gone before.
    let whole = {
        let mut spool = Spool::new(&std::env::temp_dir()).unwrap();
        let line = [b"QUJD".repeat(19), b"\r\n".to_vec()].concat();
        spool.write(HEAD.as_bytes()).unwrap();
        while spool.len() < LARGE {
            spool.write(&line.repeat(1000)).unwrap();
        }
        spool.write(b"--x--\r\n").unwrap();
        spool.finish()
    };
    let size = whole.len();
    let before = peak_kib();
    let begun = Instant::now();
    let arrived = "2026-11-20T05:00:05Z".parse().unwrap();
    let mail = Raw::of(whole, arrived, &std::env::temp_dir()).unwrap();
    let event = map(&mail, settings).event().unwrap();
    let took = begun.elapsed();
    let InboundBody::Message(message) = event.body else {
        panic!("not a message")
    };
    let file = message.attachments[0].data.len();
    println!(
        "a mail of {} MiB in a file: {} ms; peak {} MiB, {} MiB of it the program ({} MiB of file come out)",
        size >> 20,
        took.as_millis(),
        peak_kib() >> 10,
        before >> 10,
        file >> 20,
    );
}

fn main() {
    let settings = Settings::parse(example()).unwrap();
    if std::env::var_os(ONE).is_some() {
        one_large(&settings);
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mails: Vec<Raw> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| raw(std::fs::read(entry.unwrap().path()).unwrap()))
        .collect();
    let bytes: usize = mails.iter().map(|mail| mail.bytes.len()).sum();
    let begun = Instant::now();
    let mut rounds = 0;
    while begun.elapsed().as_secs() < 5 {
        for mail in &mails {
            std::hint::black_box(map(mail, &settings));
        }
        rounds += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "mails read on one core: {:.0} a second, {:.1} MB/s ({} different ones, {} bytes on average)",
        f64::from(rounds) * mails.len() as f64 / seconds,
        f64::from(rounds) * bytes as f64 / seconds / 1e6,
        mails.len(),
        bytes / mails.len()
    );
    let me = std::env::current_exe().unwrap();
    let status = Command::new(me).env(ONE, "1").status().unwrap();
    assert!(status.success());
}
