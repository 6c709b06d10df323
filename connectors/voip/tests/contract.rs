//! The contract every connector keeps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

#[path = "support/ami.rs"]
mod server;
mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use serde_json::json;
use server::{Asterisk, SECRET};
use support::{PATH, standard};
use switchboard_sdk::Connector;
use switchboard_testkit::{
    contract,
    contract::{Options, PullProvider, WebhookSample},
};
use switchboard_voip::{DESCRIPTOR, Settings};

/// A manager interface: each thing is a channel that comes, and stays.
struct Manager(Asterisk, AtomicUsize);

#[async_trait]
impl PullProvider for Manager {
    fn connector(&self) -> Arc<dyn Connector> {
        let mut settings = support::settings("asterisk", json!({"ami_secret": SECRET}));
        settings["ami"] = json!({"host": "127.0.0.1", "port": self.0.port, "username": "switchboard"});
        support::built(settings)
    }

    async fn put(&self, _text: &str) {
        let number = self.1.fetch_add(1, Ordering::SeqCst);
        let unique = format!("1767607200.{number}");
        let fields = [
            ("Channel", "PJSIP/trunk-00000001"),
            ("CallerIDNum", "+79161234567"),
            ("Exten", "+74951234567"),
            ("Uniqueid", unique.as_str()),
            ("Linkedid", unique.as_str()),
        ];
        self.0.add(&fields);
        self.0.event("Newchannel", &fields);
    }

    async fn acknowledged(&self) -> Option<usize> {
        None
    }
}

fn options() -> Options {
    let sample = |name, event: serde_json::Value| {
        let mut body = json!({"call_id": "c1", "direction": "inbound", "from": "+79161234567", "to": "+74951234567", "at": "2026-01-05T10:00:00Z"});
        body.as_object_mut()
            .unwrap()
            .extend(event.as_object().unwrap().clone());
        let request = standard(PATH, &body);
        let mut unproven = request.clone();
        unproven.headers_mut().remove("webhook-signature");
        WebhookSample {
            name,
            request,
            // Two days later its signature is too old; what makes its ids is in src/provider/generic.rs.
            keyed: false,
            unproven: Some(unproven),
        }
    };
    Options::default()
        .debug(|value| format!("{:?}", serde_json::from_value::<Settings>(value)))
        .webhook(sample(
            "a ringing call",
            json!({"event": "ringing", "operator": "101"}),
        ))
        .webhook(sample(
            "a recording",
            json!({"event": "recording", "recording_url": "https://pbx.example/1.mp3"}),
        ))
        .webhook(sample("an event nobody knows", json!({"event": "danced"})))
        .receiver(|| async {
            Box::new(Manager(Asterisk::start().await, AtomicUsize::new(0))) as Box<dyn PullProvider>
        })
}

contract!(DESCRIPTOR, options());
