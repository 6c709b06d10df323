//! Mail end to end: from a mailbox on a real IMAP server into SQLite; and what one mail of 49 MB costs in memory.
//!
//! The servers are those of tests/servers; the mails lie in the mailbox before the channel is made.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::load::Server;

/// Mails of the measurement of speed.
const MAILS: usize = 5_000;
/// The large one, as it comes over the wire.
const LARGE: usize = 49 * 1024 * 1024;

fn server(name: &str) -> (String, u16) {
    let value = std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: `make bench ARGS=mail` starts the mail servers"));
    let (host, port) = value.rsplit_once(':').unwrap();
    (host.to_owned(), port.parse().unwrap())
}

/// Mails a second end to end, and the memory of a large one.
pub async fn measure() {
    let mails: Vec<String> = (0..MAILS).map(mail).collect();
    let bytes: usize = mails.iter().map(String::len).sum();
    let (took, _) = taken_in("many", &mails).await;
    println!(
        "mails from Dovecot into SQLite: {:.0} a second ({MAILS} mails of {} bytes in {:.1} s, each a conversation of its own)",
        MAILS as f64 / took.as_secs_f64(),
        bytes / MAILS,
        took.as_secs_f64()
    );
    let (took, cost) = taken_in("large", &[large()]).await;
    println!(
        "a mail of {} MiB with one file: {:.1} s, at most {} MiB more memory than before",
        LARGE >> 20,
        took.as_secs_f64(),
        cost >> 10
    );
}

/// How long it takes until all of them are committed, and how many KiB the program grew meanwhile.
async fn taken_in(name: &str, mails: &[String]) -> (Duration, u64) {
    let address = format!("{name}-{}@example.test", uuid::Uuid::new_v4().simple());
    append(&address, mails);
    let mut server = Server::start().await;
    let line = server.post("/lines", json!({"name": "Mail"})).await;
    let before = memory(&server, "VmRSS");
    // The peak is counted from here (proc(5), clear_refs).
    std::fs::write(format!("/proc/{}/clear_refs", server.child.id()), "5").unwrap();
    let begun = Instant::now();
    let channel = json!({
        "kind": "email", "line_id": line["id"], "name": "mail", "settings": settings(&address),
    });
    server.post("/channels", channel).await;
    let database = rusqlite::Connection::open(server.folder.path().join("data/switchboard.db")).unwrap();
    loop {
        let count: i64 = database
            .query_row("SELECT count(*) FROM message", [], |row| row.get(0))
            .unwrap();
        if usize::try_from(count).unwrap() >= mails.len() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "{count} came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = begun.elapsed();
    let peak = memory(&server, "VmHWM");
    server.stop();
    (took, peak.saturating_sub(before))
}

fn settings(address: &str) -> Value {
    let ((imap_host, imap), (smtp_host, smtp)) =
        (server("SWITCHBOARD_TEST_IMAP"), server("SWITCHBOARD_TEST_SMTP"));
    json!({
        "address": address,
        "imap": {"host": imap_host, "port": imap, "tls": "none", "password": "secret"},
        "smtp": {"host": smtp_host, "port": smtp, "tls": "none"},
        "backfill_days": 3,
        "loops": {"max_per_sender": 0},
    })
}

/// A letter as people write it: a few lines, HTML beside them, and a small picture.
fn mail(n: usize) -> String {
    let words =
        "Good day, I ordered the blue one and was sent the red one. Could you have a look?\r\n".repeat(6);
    let picture = format!("{}\r\n", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1".repeat(2)).repeat(12);
    format!(
        "From: Customer {n} <customer{n}@client.test>\r\nTo: support@example.test\r\nMessage-ID: <{n}@client.test>\r\nSubject: Order {n}\r\n\
        Date: Thu, 19 Nov 2026 10:15:00 +0300\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
        --m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n\
        --a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>{words}</p>\r\n--a--\r\n\
        --m\r\nContent-Type: image/png; name=red.png\r\nContent-Transfer-Encoding: base64\r\n\r\n{picture}\r\n--m--\r\n"
    )
}

fn large() -> String {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let body = line.repeat(LARGE / line.len());
    format!(
        "From: Ann <ann@client.test>\r\nMessage-ID: <large@client.test>\r\nSubject: large\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream\r\n\
        Content-Disposition: attachment; filename=x.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b--\r\n"
    )
}

/// Puts mails into the inbox, waiting for the server's word on each.
fn append(address: &str, mails: &[String]) {
    let mut stream = TcpStream::connect(server("SWITCHBOARD_TEST_IMAP")).unwrap();
    let mut answers = std::io::BufReader::new(stream.try_clone().unwrap());
    let mut until = |tag: &str| {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(
                std::io::BufRead::read_line(&mut answers, &mut line).unwrap() > 0,
                "{tag}"
            );
            if line.starts_with(tag) {
                assert!(line.contains(" OK"), "{line}");
                return;
            }
        }
    };
    stream
        .write_all(format!("a LOGIN {address} secret\r\n").as_bytes())
        .unwrap();
    until("a ");
    for mail in mails {
        stream
            .write_all(format!("b APPEND INBOX {{{}+}}\r\n{mail}\r\n", mail.len()).as_bytes())
            .unwrap();
        until("b ");
    }
    stream.write_all(b"c LOGOUT\r\n").unwrap();
    drop(stream.read(&mut [0; 256]));
}

/// A line of the program's `/proc/PID/status`, in KiB.
fn memory(server: &Server, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
