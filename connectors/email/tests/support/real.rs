//! The real servers of tests/servers, as people, admins and channels use them.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, address::Envelope};
use serde_json::{Value, json};
use switchboard_sdk::{CancellationToken, Connector, Fault, InboundBody, InboundMessage};
use switchboard_testkit::{MemoryIntake, Step};
use tokio::{task::JoinHandle, time::timeout};

use super::connector;

/// What tests/servers/up exported.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: start the mail servers of the tests with `eval \"$(tests/servers/up)\"` (make test does it)")
    })
}

pub fn address_of(name: &str) -> (String, u16) {
    let value = variable(name);
    let (host, port) = value.rsplit_once(':').unwrap();
    (host.to_owned(), port.parse().unwrap())
}

/// A mailbox of its own for each test.
pub struct Mailbox {
    pub address: String,
}

impl Mailbox {
    pub fn new(test: &str) -> Self {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        Self {
            address: format!("{test}-{now}@example.test"),
        }
    }

    pub fn settings(&self) -> Value {
        let ((imap_host, imap), (smtp_host, smtp)) = (
            address_of("SWITCHBOARD_TEST_IMAP"),
            address_of("SWITCHBOARD_TEST_SMTP"),
        );
        json!({
            "address": self.address,
            "from_name": "Example Shop",
            "imap": {"host": imap_host, "port": imap, "tls": "none", "password": "secret"},
            "smtp": {"host": smtp_host, "port": smtp, "tls": "none"},
        })
    }

    pub fn connector(&self) -> Arc<dyn Connector> {
        connector(self.settings())
    }

    /// Looks into the servers behind the connector's back.
    pub async fn admin(&self, command: &str, more: &[&str]) -> String {
        self.admin_with(command, more, Vec::new()).await
    }

    /// Puts bytes into the mailbox that no mail server would take.
    pub async fn save(&self, raw: &[u8]) {
        self.admin_with("save", &[], raw.to_vec()).await;
    }

    pub async fn admin_with(&self, command: &str, more: &[&str], input: Vec<u8>) -> String {
        let mut program = Command::new(variable("SWITCHBOARD_TEST_MAIL_ADMIN"));
        program.arg(command).arg(&self.address).args(more);
        program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let run = move || {
            let mut child = program.spawn().unwrap();
            child.stdin.take().unwrap().write_all(&input).ok();
            child.wait_with_output().unwrap()
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Puts many mails into a folder at once, in this order.
    pub async fn save_all(&self, mails: &[String], folder: &str) {
        let (host, port) = address_of("SWITCHBOARD_TEST_IMAP");
        // Folder names are written in an alphabet of their own.
        let folder = folder.replace("Отдел", "&BB4EQgQ0BDUEOw-");
        let login = format!("a LOGIN {} secret\r\n", self.address).into_bytes();
        let mut lines = Vec::new();
        for mail in mails {
            lines.extend(format!("b APPEND \"{folder}\" {{{}+}}\r\n{mail}\r\n", mail.len()).into_bytes());
        }
        lines.extend(b"c LOGOUT\r\n");
        let count = mails.len();
        let talk = move || {
            let mut stream = std::net::TcpStream::connect((host, port)).unwrap();
            let mut answers = stream.try_clone().unwrap();
            let mut said = Vec::new();
            stream.write_all(&login).unwrap();
            // A server that still asks whether the password is right takes only so much meanwhile.
            while !String::from_utf8_lossy(&said).contains("\na OK") {
                let mut piece = [0; 512];
                let read = answers.read(&mut piece).unwrap();
                assert!(read > 0, "the login is answered");
                said.extend(piece.get(..read).unwrap());
            }
            let reading = std::thread::spawn(move || {
                answers.read_to_end(&mut said).ok();
                String::from_utf8_lossy(&said).into_owned()
            });
            stream.write_all(&lines).ok();
            reading.join().unwrap()
        };
        let said = tokio::task::spawn_blocking(talk).await.unwrap();
        let end: String = said
            .chars()
            .rev()
            .take(300)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        assert_eq!(said.matches("\r\nb OK").count(), count, "{end}");
    }

    /// Does something to the servers themselves.
    pub async fn servers(&self, command: &str, more: &[&str]) {
        let mut program = Command::new(variable("SWITCHBOARD_TEST_MAIL_ADMIN"));
        program.arg(command).args(more);
        let output = tokio::task::spawn_blocking(move || program.output().unwrap())
            .await
            .unwrap();
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Sends a mail to the mailbox, as a stranger does.
    pub async fn mail(&self, text: &str) {
        let raw = format!(
            "From: =?UTF-8?B?0JjQstCw0L0=?= <ivan@client.test>\r\nTo: {}\r\nMessage-ID: <{text}@client.test>\r\nSubject: =?UTF-8?B?0JfQsNC60LDQtw==?=\r\n\r\n{text}\r\n",
            self.address
        );
        let (host, port) = address_of("SWITCHBOARD_TEST_SMTP");
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .build();
        let envelope = Envelope::new(
            Some("ivan@client.test".parse().unwrap()),
            vec![self.address.parse().unwrap()],
        )
        .unwrap();
        transport.send_raw(&envelope, raw.as_bytes()).await.unwrap();
    }
}

/// A channel that is started again when it fails.
pub struct Channel {
    stop: CancellationToken,
    task: JoinHandle<Vec<Fault>>,
    faults: Arc<AtomicUsize>,
}

impl Channel {
    pub fn start(connector: Arc<dyn Connector>, intake: &MemoryIntake) -> Self {
        let (stop, intake) = (CancellationToken::new(), intake.clone());
        let stopping = stop.clone();
        let failed = Arc::new(AtomicUsize::new(0));
        let failing = Arc::clone(&failed);
        let task = tokio::spawn(async move {
            let mut faults = Vec::new();
            while let Err(fault) = connector
                .receiver()
                .unwrap()
                .run(intake.shared(), stopping.clone())
                .await
            {
                faults.push(fault);
                failing.fetch_add(1, Ordering::SeqCst);
                // As the supervisor does, only sooner: a server that is down is not asked without pause.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            faults
        });
        Self {
            stop,
            task,
            faults: failed,
        }
    }

    /// How often it failed so far.
    pub fn faults(&self) -> usize {
        self.faults.load(Ordering::SeqCst)
    }

    pub async fn stop(self) -> Vec<Fault> {
        self.stop.cancel();
        timeout(Duration::from_secs(1), self.task)
            .await
            .expect("it did not stop within a second")
            .unwrap()
    }
}

pub fn message(event: switchboard_sdk::InboundEvent) -> InboundMessage {
    match event.body {
        InboundBody::Message(message) => message,
        other => panic!("not a message: {other:?}"),
    }
}

pub fn texts(intake: &MemoryIntake) -> Vec<String> {
    intake
        .events()
        .into_iter()
        .map(|event| message(event).text)
        .collect()
}

pub async fn alive(intake: &MemoryIntake) {
    assert!(
        intake
            .wait_for(Duration::from_secs(20), |steps| steps.contains(&Step::Alive))
            .await,
        "{:?}",
        intake.steps()
    );
}
