//! What the handbook gives to admins of Asterisk and Voximplant does what it says: run here as it stands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use bytes::Bytes;
use serde_json::json;
use support::{TOKEN, WHSEC, built, settings};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, Clock, InboundBody, SystemClock, WebhookRequest,
};

/// A server that answers each request with the next of these, and hands the requests over.
fn server(answers: &'static [u16]) -> (u16, mpsc::Receiver<WebhookRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut request = http::Request::post(first.split(' ').nth(1).unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let Some((name, value)) = line.trim().split_once(": ") else {
                    break;
                };
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.parse().unwrap();
                }
                request = request.header(name, value);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let mut stream = reader.into_inner();
            write!(
                stream,
                "HTTP/1.1 {answer} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            .unwrap();
            tell.send(request.body(Bytes::from(body)).unwrap()).unwrap();
        }
    });
    (port, told)
}

struct Script {
    folder: PathBuf,
}

impl Script {
    fn new(name: &str, port: u16) -> Self {
        let folder = std::env::temp_dir().join(format!("switchboard-push-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let conf = format!(
            "SWITCHBOARD_URL=http://127.0.0.1:{port}/hooks/voip/test-channel\nSWITCHBOARD_SECRET={WHSEC}\nSWITCHBOARD_SPOOL={}/spool\n",
            folder.display()
        );
        std::fs::write(folder.join("conf"), conf).unwrap();
        Self { folder }
    }

    fn run(&self, arguments: &[&str], input: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/asterisk/switchboard-push");
        let mut child = Command::new(script)
            .args(arguments)
            .env("SWITCHBOARD_CONF", self.folder.join("conf"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn waiting(&self) -> usize {
        let spool = std::fs::read_dir(self.folder.join("spool")).unwrap();
        spool
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|kind| kind == "json")
            })
            .count()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn understood(request: &WebhookRequest) -> CallEvent {
    let connector = built(settings("asterisk", json!({"token": WHSEC})));
    let batch = connector
        .webhook()
        .unwrap()
        .accept(request, SystemClock.now())
        .unwrap();
    let mut events = batch.events;
    match events.remove(0).body {
        InboundBody::Call(call) => *call,
        other => panic!("{other:?}"),
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_script_for_asterisk_signs_what_it_reports_whatever_a_caller_is_called() {
    let (port, told) = server(&[200]);
    let script = Script::new("signs", port);
    let variables =
        "agi_request: switchboard-push\nagi_channel: PJSIP/trunk-00000001\nagi_callerid: 79161234567\n\n";
    script.run(
        &[
            "event=ringing",
            "linkedid=1767607190.1",
            "uniqueid=1767607191.2",
            "from=+79161234567",
            "did=+74951234567",
            "agent_ext=PJSIP/101-0000002a",
            "caller_name=$(reboot) \"O'Neil\" \\ Анна",
            "disposition=",
        ],
        variables,
    );
    let call = understood(&told.recv_timeout(PATIENCE).unwrap());
    assert_eq!(
        (call.kind, call.call.as_str()),
        (CallEventKind::Ringing, "1767607190.1")
    );
    assert_eq!(call.from.unwrap().address, "+79161234567");
    assert_eq!(call.own_number.as_deref(), Some("+74951234567"));
    assert_eq!(call.leg.unwrap().extension.as_deref(), Some("101"));
    assert_eq!(call.caller_name.as_deref(), Some("$(reboot) \"O'Neil\" \\ Анна"));
}

#[test]
fn what_could_not_be_sent_waits_on_disk_and_is_sent_again_under_the_same_id() {
    let (port, told) = server(&[503, 200]);
    let script = Script::new("again", port);
    script.run(&["event=started", "linkedid=1.1", "from=+79161234567"], "\n");
    let first = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(script.waiting(), 1, "not taken, so still there");
    script.run(&["--flush"], "");
    let second = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(first.headers()["webhook-id"], second.headers()["webhook-id"]);
    assert_eq!(first.body(), second.body());
    understood(&second);
    // The flush ends when the file is gone.
    assert_eq!(script.waiting(), 0);
}

/// What the scenario for Voximplant reports, as the channel understands it.
fn scenario(act: &str) -> Vec<CallEvent> {
    let stage = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/voxengine.mjs");
    let played = Command::new("node")
        .arg(stage)
        .args([act, TOKEN])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(played.status.success());
    let connector = built(settings("voximplant", json!({"token": TOKEN})));
    let lines = String::from_utf8(played.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            let report: serde_json::Value = serde_json::from_str(line).unwrap();
            let mut request = http::Request::post("/hooks/voip/test-channel");
            for (name, value) in report["headers"].as_object().unwrap() {
                request = request.header(name, value.as_str().unwrap());
            }
            let body = Bytes::from(report["body"].as_str().unwrap().to_owned());
            let request = request.body(body).unwrap();
            let batch = connector.webhook().unwrap().accept(&request, SystemClock.now());
            match batch.unwrap().events.remove(0).body {
                InboundBody::Call(call) => *call,
                other => panic!("{other:?}"),
            }
        })
        .collect()
}

#[test]
fn the_scenario_for_voximplant_rings_the_operators_in_order_and_reports_the_call() {
    let events = scenario("inbound");
    let kinds: Vec<CallEventKind> = events.iter().map(|event| event.kind).collect();
    use CallEventKind::{Answered, Ended, Recording, Ringing, Started};
    assert_eq!(kinds, [Started, Ringing, Ringing, Recording, Answered, Ended]);
    assert!(events.iter().all(|event| event.call == "4711"));
    assert_eq!(events[0].from.as_ref().unwrap().address, "+79161234567");
    assert_eq!(events[4].leg.as_ref().unwrap().extension.as_deref(), Some("102"));
    assert_eq!(events[5].end, Some(CallEnd::Answered));
}

#[test]
fn the_scenario_for_voximplant_calls_a_client_back_when_it_is_asked_to() {
    let events = scenario("click");
    let kinds: Vec<CallEventKind> = events.iter().map(|event| event.kind).collect();
    use CallEventKind::{Answered, Ended, Recording, Ringing, Started};
    assert_eq!(kinds, [Started, Ringing, Recording, Answered, Ended]);
    assert_eq!(events[0].direction, Some(CallDirection::Outbound));
    assert_eq!(events[0].to.as_ref().unwrap().address, "+79161234567");
    assert_eq!(events[3].leg.as_ref().unwrap().extension.as_deref(), Some("101"));
}
