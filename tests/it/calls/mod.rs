//! Telephone calls: from signed reports to conversations, work and recordings.

mod crash;
mod dialling;
mod journeys;
mod missed;
mod recordings;
mod route;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use switchboard_custom::{Secret, sign};

use crate::support::{Answer, TestApp};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OURS: &str = "+74951234567";
const CLIENT: &str = "+998901234567";

/// A telephone channel of the generic provider on a line of its own.
pub struct Phone {
    pub line: Value,
    pub channel: Value,
}

impl Phone {
    /// With operators by extension, and the fields of its line.
    pub async fn on(app: &TestApp, operators: Value, line: Value) -> Self {
        let line = app.line("Calls", line).await;
        let settings = json!({
            "provider": "generic", "secrets": {"signing_secret": SECRET}, "settle_secs": 10,
            "numbers": {OURS: {"label": "Ad: search", "source": "yandex", "medium": "cpc"}},
            "operators": operators,
        });
        let channel = app.channel("voip", &line, settings).await;
        Self { line, channel }
    }

    fn url(&self, base: &str) -> String {
        format!("{base}/hooks/voip/{}", self.channel["key"].as_str().unwrap())
    }

    /// Reports something; `fields` over an inbound call of [`CLIENT`] named `call`.
    pub async fn says(
        &self,
        app: &TestApp,
        event: &str,
        call: &str,
        at: DateTime<Utc>,
        fields: Value,
    ) -> Answer {
        let mut body = json!({
            "event": event, "call_id": call, "direction": "inbound", "from": CLIENT, "to": OURS, "at": at,
        });
        let fields = fields.as_object().cloned().unwrap_or_default();
        body.as_object_mut().unwrap().extend(fields);
        self.push(app, &body).await
    }

    pub async fn push(&self, app: &TestApp, body: &Value) -> Answer {
        app.ask(signed(
            &app.client,
            &self.url(&app.base),
            body,
            app.app.clock.now(),
        ))
        .await
    }

    /// The conversations of this channel.
    pub async fn conversations(&self, app: &TestApp) -> Vec<Value> {
        let id = self.channel["id"].as_str().unwrap();
        let mut all = Vec::new();
        for view in ["all", "closed"] {
            let found = app.get(&format!("/conversations?view={view}&channel={id}")).await;
            all.extend(found["items"].as_array().unwrap().clone());
        }
        all
    }
}

/// A post signed by Standard Webhooks.
pub fn signed(
    client: &reqwest::Client,
    url: &str,
    body: &Value,
    now: DateTime<Utc>,
) -> reqwest::RequestBuilder {
    let (body, at) = (body.to_string(), now.timestamp());
    let id = format!("msg_{}", uuid::Uuid::new_v4().simple());
    let secret = Secret::read(SECRET).unwrap();
    let signature = sign(&[&secret], &id, at, body.as_bytes());
    client
        .post(url)
        .header("webhook-id", id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", signature)
        .header("content-type", "application/json")
        .body(body)
}

/// The newest call, once it fits.
pub async fn call_that(app: &TestApp, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let fits = &fits;
    app.until(what, || async move {
        let calls = app.get("/calls").await;
        calls["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|call| fits(call))
            .cloned()
    })
    .await
}

pub fn is(call: &Value, field: &str, value: &str) -> bool {
    call[field] == json!(value)
}

/// The entries of a conversation that stand for calls.
pub async fn entries(app: &TestApp, conversation: &Value) -> Vec<Value> {
    let id = conversation.as_str().unwrap();
    let messages = app.get(&format!("/conversations/{id}/messages")).await;
    let all = messages["items"].as_array().unwrap();
    all.iter()
        .filter(|message| !message["call"].is_null())
        .cloned()
        .collect()
}

/// The conversation, as it is now.
pub async fn conversation(app: &TestApp, id: &Value) -> Value {
    app.get(&format!("/conversations/{}", id.as_str().unwrap())).await
}
