//! The mail servers of the tests (tests/servers), as people and postmen use them.

use std::process::Command;

use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, address::Envelope};
use serde_json::{Value, json};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `make test-rust`, or start the servers: eval \"$(make -s servers)\"")
    })
}

fn server(name: &str) -> (String, u16) {
    let value = variable(name);
    let (host, port) = value.rsplit_once(':').unwrap();
    (host.to_owned(), port.parse().unwrap())
}

/// A mailbox of its own.
pub struct Mailbox {
    pub address: String,
}

impl Mailbox {
    /// `name` with something unique, at a domain.
    pub fn new(name: &str, domain: &str) -> Self {
        Self {
            address: format!("{name}-{}@{domain}", uuid::Uuid::new_v4().simple()),
        }
    }

    /// The settings of an e-mail channel on this mailbox.
    pub fn settings(&self) -> Value {
        let ((imap_host, imap), (smtp_host, smtp)) =
            (server("SWITCHBOARD_TEST_IMAP"), server("SWITCHBOARD_TEST_SMTP"));
        json!({
            "address": self.address, "from_name": "Example Shop",
            "imap": {"host": imap_host, "port": imap, "tls": "none", "password": "secret"},
            "smtp": {"host": smtp_host, "port": smtp, "tls": "none"},
        })
    }

    /// Sends a mail from this address, as it stands, by SMTP.
    pub async fn send(&self, to: &Mailbox, raw: &str) {
        let (host, port) = server("SWITCHBOARD_TEST_SMTP");
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .build();
        let (from, to) = (self.address.parse().unwrap(), to.address.parse().unwrap());
        let envelope = Envelope::new(Some(from), vec![to]).unwrap();
        transport
            .send_raw(&envelope, raw.replace('\n', "\r\n").as_bytes())
            .await
            .unwrap();
    }

    /// The source of each mail in the inbox, once there are so many.
    pub async fn mails(&self, count: usize) -> Vec<String> {
        self.admin(&["wait".to_owned(), self.address.clone(), count.to_string()])
            .await;
        let all = self.admin(&["mails".to_owned(), self.address.clone()]).await;
        let mails = all
            .split("==== UID ")
            .skip(1)
            .filter_map(|mail| mail.split_once('\n'));
        mails.map(|(_, raw)| raw.to_owned()).collect()
    }

    /// Cuts the connections of whoever reads it.
    pub async fn kick(&self) {
        self.admin(&["kick".to_owned(), self.address.clone()]).await;
    }

    async fn admin(&self, arguments: &[String]) -> String {
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
}
