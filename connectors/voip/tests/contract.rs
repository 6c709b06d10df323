//! The contract every connector keeps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod support;

use serde_json::json;
use support::{PATH, standard};
use switchboard_testkit::{
    contract,
    contract::{Options, WebhookSample},
};
use switchboard_voip::{DESCRIPTOR, Settings};

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
}

contract!(DESCRIPTOR, options());
