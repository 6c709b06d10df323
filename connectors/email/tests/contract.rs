//! The rules every connector keeps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use switchboard_sdk::Connector;
use switchboard_testkit::contract::{Answer, Options, PullProvider, SendProvider};

use support::{
    fake_imap::{FakeImap, Habits},
    fake_smtp::{FakeSmtp, Mode},
};

struct Mailbox(FakeImap);

#[async_trait]
impl PullProvider for Mailbox {
    fn connector(&self) -> Arc<dyn Connector> {
        support::connector(support::settings(self.0.port, 1))
    }

    async fn put(&self, text: &str) {
        self.0.put(
            format!(
                "From: Ann <ann@client.example>\r\nMessage-ID: <{text}@client.example>\r\n\r\n{text}\r\n"
            )
            .as_bytes(),
        );
    }

    async fn acknowledged(&self) -> Option<usize> {
        None // the mailbox is only read
    }
}

struct Relay(FakeSmtp);

#[async_trait]
impl SendProvider for Relay {
    fn connector(&self) -> Arc<dyn Connector> {
        support::connector(support::settings(1, self.0.port))
    }

    async fn program(&self, answer: Answer) -> bool {
        match answer {
            Answer::Accept => self.0.set(Mode::Accept),
            Answer::Busy => self.0.set(Mode::AtRcpt("451 4.7.1 later")),
            Answer::Refuse => self.0.set(Mode::AtRcpt("550 5.1.1 no such user")),
            Answer::Cut => self.0.set(Mode::CutAfterDot),
            Answer::Away => self.0.close(),
        }
        true
    }

    async fn taken(&self) -> Vec<String> {
        let parser = mail_parser::MessageParser::default();
        self.0
            .mails()
            .iter()
            .map(|mail| parser.parse(mail).unwrap().body_text(0).unwrap().into_owned())
            .collect()
    }
}

fn options() -> Options {
    Options::default()
        .debug(|value| format!("{:?}", switchboard_email::Settings::parse(value)))
        .receiver(|| async {
            Box::new(Mailbox(FakeImap::start(Habits::default()).await)) as Box<dyn PullProvider>
        })
        .sender(|| async { Box::new(Relay(FakeSmtp::start(Mode::Accept).await)) as Box<dyn SendProvider> })
}

switchboard_testkit::contract!(switchboard_email::DESCRIPTOR, options());
