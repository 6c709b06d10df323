//! Lead ads of Meta: a handshake, signed pushes that only name leads, and the Graph API that has their answers.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use switchboard_sdk::{
    Batch, Content, Fault, Http, InboundBody, InboundEvent, Rejection, SettingsError, Submission,
    WebhookRequest, WebhookResponse,
};

use crate::{
    foreign::{Lead, words},
    proof,
};

/// Where leads are asked for.
const GRAPH: &str = "https://graph.facebook.com/v23.0";
/// How long the Graph API may take for one lead.
const LIMIT: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const MAX_ANSWER: usize = 1 << 20;
/// Most leads of one push: Meta's own limit.
const MOST: usize = 1_000;
/// The Graph API's word for what is not there.
const GONE: i64 = 100;
/// Longest challenge that is said back.
const MAX_CHALLENGE: usize = 200;

/// A page's lead ads.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetaSettings {
    /// The word that you also write into the webhook's settings at Meta.
    #[schemars(title = "Verify token", length(min = 1, max = 500), extend("x-secret" = true))]
    pub verify_token: String,
    /// The app's secret: it signs what Meta pushes.
    #[schemars(title = "App secret", length(min = 1, max = 500), extend("x-secret" = true))]
    pub app_secret: String,
    /// A token of the page that may read its leads.
    #[schemars(title = "Page token", length(min = 1, max = 1000), extend("x-secret" = true))]
    pub page_token: String,
    /// Another address of the Graph API, with its version.
    #[serde(default)]
    #[schemars(title = "Graph API", length(max = 1000))]
    pub graph_url: Option<String>,
}

impl std::fmt::Debug for MetaSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetaSettings")
    }
}

impl MetaSettings {
    fn graph(&self) -> &str {
        let own = self
            .graph_url
            .as_deref()
            .map(str::trim)
            .filter(|url| !url.is_empty());
        own.unwrap_or(GRAPH).trim_end_matches('/')
    }

    /// Refuses what cannot work.
    pub fn check(&self) -> Result<(), SettingsError> {
        for (name, value) in [
            ("leads.meta.verify_token", &self.verify_token),
            ("leads.meta.app_secret", &self.app_secret),
            ("leads.meta.page_token", &self.page_token),
        ] {
            if value.trim().is_empty() {
                return Err(SettingsError::new(name, "is required"));
            }
        }
        if !self.graph().starts_with("https://") && !self.graph().starts_with("http://") {
            return Err(SettingsError::new("leads.meta.graph_url", "write https://…"));
        }
        Ok(())
    }
}

/// The challenge of Meta's handshake, when this is one that knows the token.
pub fn challenge(settings: Option<&MetaSettings>, request: &WebhookRequest) -> Result<String, Rejection> {
    let query = request.uri().query().unwrap_or_default();
    let asked = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    };
    let refused = || Rejection::Forbidden("this is no handshake of this channel".to_owned());
    let settings = settings.ok_or_else(refused)?;
    let token = asked("hub.verify_token").unwrap_or_default();
    let known = proof::is_secret(settings.verify_token.trim(), token.trim());
    let challenge = asked("hub.challenge").filter(|word| {
        (1..=MAX_CHALLENGE).contains(&word.len())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    });
    match challenge {
        Some(challenge) if known && asked("hub.mode").as_deref() == Some("subscribe") => Ok(challenge),
        _ => Err(refused()),
    }
}

/// The answer to a handshake.
pub fn welcome(settings: Option<&MetaSettings>, request: &WebhookRequest) -> Option<WebhookResponse> {
    if request.method() != Method::GET {
        return None;
    }
    let challenge = challenge(settings, request).ok()?;
    http::Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header("x-content-type-options", "nosniff")
        .body(Bytes::from(challenge))
        .ok()
}

/// Whether a body is a push of lead ads.
pub fn is_push(body: &Value) -> bool {
    body.get("object").and_then(Value::as_str) == Some("page")
        && body.get("entry").is_some_and(Value::is_array)
}

/// Leads that a push names, once its signature is found good. Their answers come with [`complete`].
pub fn named(
    settings: Option<&MetaSettings>,
    request: &WebhookRequest,
    body: &Value,
    now: DateTime<Utc>,
) -> Result<Batch, Rejection> {
    let signature = request
        .headers()
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok()?.strip_prefix("sha256="));
    let good = settings.zip(signature).is_some_and(|(settings, signature)| {
        proof::signed_hex(settings.app_secret.trim(), &[request.body()], signature)
    });
    if !good {
        return Err(Rejection::Unauthenticated(
            "the signature is missing or wrong: the app's secret is set in the channel".to_owned(),
        ));
    }
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let changes = list(body.get("entry"))
        .into_iter()
        .flat_map(|entry| list(entry.get("changes")));
    let leads = changes
        .filter(|change| change.get("field").and_then(Value::as_str) == Some("leadgen"))
        .filter_map(|change| Some(change.get("value")?.clone()))
        .filter_map(|value| Some((id(value.get("leadgen_id")?)?, value)));
    let events = leads.take(MOST).map(|(id, value)| InboundEvent {
        external_id: format!("{PREFIX}{id}"),
        at: now,
        body: InboundBody::Submission(Submission {
            values: [(NAMED.to_owned(), value)].into(),
            ..Submission::default()
        }),
    });
    Ok(Batch {
        events: events.collect(),
        ..Batch::default()
    })
}

/// Begins the id of an event whose answers are at Meta.
const PREFIX: &str = "lead:meta:";
/// What the push said, until the answers are there.
const NAMED: &str = "named";

/// Ids are numbers, sometimes as text. They go into an address.
fn id(value: &Value) -> Option<String> {
    let id = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    ((1..=32).contains(&id.len()) && id.bytes().all(|digit| digit.is_ascii_digit())).then_some(id)
}

/// What the Graph API says of a lead.
enum Answer {
    Lead(Lead),
    /// There is none, or this token may not read it.
    Gone(String),
}

/// Asks for the answers of every lead, and reads each by `read`. What Meta says is not there goes to quarantine, with
/// what was pushed of it; anything else is an outage: Meta brings it again for a day and a half.
pub async fn complete(
    settings: &MetaSettings,
    web: &dyn Http,
    mut batch: Batch,
    read: impl Fn(Lead) -> Option<InboundEvent>,
) -> Result<Batch, Fault> {
    for event in &mut batch.events {
        let (Some(id), InboundBody::Submission(submission)) =
            (event.external_id.strip_prefix(PREFIX), &event.body)
        else {
            continue;
        };
        let pushed = submission.values.get(NAMED).cloned().unwrap_or_default();
        match answers(settings, web, id, &pushed).await? {
            Answer::Lead(lead) => {
                if let Some(whole) = read(lead) {
                    event.body = whole.body;
                }
            }
            Answer::Gone(reason) => {
                event.body = InboundBody::Poison {
                    reason,
                    raw: Content::from(pushed.to_string()),
                };
            }
        }
    }
    Ok(batch)
}

async fn answers(settings: &MetaSettings, web: &dyn Http, id: &str, pushed: &Value) -> Result<Answer, Fault> {
    let token = settings.page_token.trim();
    let proof = proof::sign_hex(settings.app_secret.trim(), &[token.as_bytes()]);
    let request = http::Request::get(format!("{}/{id}?appsecret_proof={proof}", settings.graph()))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Bytes::new())
        .map_err(|error| Fault::permanent(format!("the Graph API cannot be asked: {error}")))?;
    let answer = web
        .ask(request, LIMIT, MAX_ANSWER)
        .await
        .map_err(|error| Fault::temporary(format!("Meta does not answer: {error}")))?;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if answer.status().is_success() && body.get("field_data").is_some() {
        return Ok(Answer::Lead(lead(id, &body, pushed)));
    }
    let error = |part: &str| body.pointer(&format!("/error/{part}"));
    let said = error("message").and_then(Value::as_str).unwrap_or("no reason");
    let reason = format!("Meta answers {}: {said}", answer.status().as_u16());
    if error("code").and_then(Value::as_i64) == Some(GONE) {
        return Ok(Answer::Gone(reason));
    }
    Err(Fault::temporary(reason))
}

fn lead(id: &str, body: &Value, pushed: &Value) -> Lead {
    let answers = body
        .get("field_data")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let answer = |answer: &Value| {
        let name = answer.get("name")?.as_str()?.to_owned();
        Some((name, words(answer.get("values")?, 0)))
    };
    let mut values: Vec<(String, String)> = answers.filter_map(answer).take(crate::foreign::MOST).collect();
    values.push(("utm_source".to_owned(), "facebook".to_owned()));
    for (name, known) in [
        ("utm_content", "ad_id"),
        ("meta_form_id", "form_id"),
        ("meta_page_id", "page_id"),
    ] {
        let said = pushed.get(known).map(|value| words(value, 0)).unwrap_or_default();
        if !said.is_empty() {
            values.push((name.to_owned(), said));
        }
    }
    Lead {
        service: "meta",
        id: Some(id.to_owned()),
        is_test: false,
        values,
    }
}
