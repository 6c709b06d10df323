//! The contract every connector keeps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use switchboard_custom::{DESCRIPTOR, Secret, Settings, sign};
use switchboard_sdk::{Clock, Connector, Http, HttpError, HttpRequest, HttpResponse, WebhookRequest};
use switchboard_testkit::{
    FakeHttp, ManualClock, context, contract,
    contract::{Answer, Options, SendProvider, WebhookSample},
};

fn pushed(path: &str, body: &serde_json::Value) -> WebhookRequest {
    let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let at = ManualClock::default().now().timestamp();
    let body = body.to_string();
    http::Request::post(format!("/hooks/custom/test-channel/{path}"))
        .header("content-type", "application/json")
        .header("webhook-id", "wh_1")
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", sign(&[&secret], "wh_1", at, body.as_bytes()))
        .body(Bytes::from(body))
        .unwrap()
}

fn sample(name: &'static str, request: WebhookRequest) -> WebhookSample {
    let mut unproven = request.clone();
    unproven.headers_mut().remove("webhook-signature");
    WebhookSample {
        name,
        request,
        // Two days later its signature is too old; what makes its ids is in src/push.rs.
        keyed: false,
        unproven: Some(unproven),
    }
}

/// A program behind a callback address.
#[derive(Clone, Default)]
struct Program {
    http: FakeHttp,
}

struct Remembers(Program, std::sync::Mutex<Answer>);

#[async_trait]
impl Http for Remembers {
    async fn ask(
        &self,
        request: HttpRequest,
        limit: std::time::Duration,
        max: usize,
    ) -> Result<HttpResponse, HttpError> {
        let answer = *self.1.lock().unwrap();
        match answer {
            Answer::Accept => self.0.http.will_say(200, r#"{"external_id":"x1"}"#),
            Answer::Busy => self.0.http.will_say(429, ""),
            Answer::Refuse => self.0.http.will_say(404, "no such room"),
            Answer::Cut => self
                .0
                .http
                .will_answer(Err(HttpError::Unknown("cut off".to_owned()))),
            Answer::Away => self
                .0
                .http
                .will_answer(Err(HttpError::NotSent("nobody there".to_owned()))),
        }
        self.0.http.ask(request, limit, max).await
    }
}

struct Provider {
    program: Program,
    http: Arc<Remembers>,
}

#[async_trait]
impl SendProvider for Provider {
    fn connector(&self) -> Arc<dyn Connector> {
        let mut context = context();
        context.http = Arc::clone(&self.http) as Arc<dyn Http>;
        (DESCRIPTOR.build)((DESCRIPTOR.example)(), context).unwrap()
    }

    async fn program(&self, answer: Answer) -> bool {
        *self.http.1.lock().unwrap() = answer;
        true
    }

    async fn taken(&self) -> Vec<String> {
        let text = |request: &HttpRequest| {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            body["text"].as_str().unwrap_or_default().to_owned()
        };
        self.program.http.asked().iter().map(text).collect()
    }
}

fn options() -> Options {
    let message = serde_json::json!({"id": "m1", "conversation": {"external_id": "r1"}, "from": {"id": "u1"}, "text": "Salom"});
    let edit = serde_json::json!({"id": "m1", "text": "Salom!", "edited": true});
    let status = serde_json::json!({"message_id": "msg_1", "state": "read"});
    Options::default()
        .debug(|value| format!("{:?}", serde_json::from_value::<Settings>(value)))
        .webhook(sample("a message", pushed("messages", &message)))
        .webhook(sample("an edit", pushed("messages", &edit)))
        .webhook(sample("a state", pushed("status", &status)))
        .sender(|| async {
            let program = Program::default();
            let http = Arc::new(Remembers(program.clone(), std::sync::Mutex::new(Answer::Accept)));
            Box::new(Provider { program, http }) as Box<dyn SendProvider>
        })
}

contract!(DESCRIPTOR, options());
