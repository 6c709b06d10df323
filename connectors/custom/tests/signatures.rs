//! Signatures against an implementation nobody here wrote: the library of the specification's authors.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use standardwebhooks::Webhook;
use switchboard_custom::DESCRIPTOR;
use switchboard_sdk::{Connector, OutboundMessage, Rejection, SystemClock, WebhookRequest};
use switchboard_testkit::{FakeHttp, context_at};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn connector(http: &FakeHttp) -> Arc<dyn Connector> {
    let mut context = context_at(Arc::new(SystemClock));
    context.http = Arc::new(http.clone());
    let settings = serde_json::json!({
        "callback_url": "https://bridge.example/switchboard", "secret": SECRET,
        "previous_secret": OLD, "previous_until": now() + chrono::TimeDelta::hours(1),
    });
    (DESCRIPTOR.build)(settings, context).unwrap()
}

fn now() -> DateTime<Utc> {
    switchboard_sdk::Clock::now(&SystemClock)
}

fn signed_by_them(secret: &str, at: i64, body: &str) -> WebhookRequest {
    let signature = Webhook::new(secret)
        .unwrap()
        .sign("wh_1", at, body.as_bytes())
        .unwrap();
    http::Request::post("/hooks/custom/test-channel/messages")
        .header("webhook-id", "wh_1")
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", signature)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

#[test]
fn what_they_sign_we_take_under_the_new_and_the_old_secret() {
    let connector = connector(&FakeHttp::default());
    let webhook = connector.webhook().unwrap();
    let body = r#"{"id":"m1","from":{"id":"u1"},"text":"Grüße, 🦀"}"#;
    for secret in [SECRET, OLD] {
        let request = signed_by_them(secret, now().timestamp(), body);
        assert_eq!(webhook.accept(&request, now()).unwrap().events.len(), 1);
    }
    for (case, request) in [
        (
            "a stranger's",
            signed_by_them(
                "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
                now().timestamp(),
                body,
            ),
        ),
        (
            "an old one",
            signed_by_them(SECRET, now().timestamp() - 301, body),
        ),
        (
            "one from the future",
            signed_by_them(SECRET, now().timestamp() + 310, body),
        ),
    ] {
        let answer = webhook.accept(&request, now());
        assert!(
            matches!(answer, Err(Rejection::Unauthenticated(_))),
            "{case}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn what_we_sign_they_take_under_the_new_and_the_old_secret() {
    let http = FakeHttp::default();
    let message = OutboundMessage {
        id: "msg_1".to_owned(),
        text: "Grüße, 🦀".to_owned(),
        ..OutboundMessage::default()
    };
    connector(&http).sender().unwrap().send(&message).await.unwrap();
    let asked = http.asked().remove(0);
    for secret in [SECRET, OLD] {
        let theirs = Webhook::new(secret).unwrap();
        theirs.verify(asked.body(), asked.headers()).unwrap();
    }
    let stranger = Webhook::new("whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB").unwrap();
    assert!(stranger.verify(asked.body(), asked.headers()).is_err());
    assert_eq!(asked.headers()["webhook-id"], "msg_1");
}
