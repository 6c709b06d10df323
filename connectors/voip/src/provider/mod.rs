//! What is peculiar to each provider: how it signs, what it says, what it can be asked. One file each.

pub mod asterisk;
mod generic;
mod mango;
mod plivo;
mod telnyx;
mod telnyx_commands;
mod threecx;
mod token;
mod twilio;
mod twilio_report;
mod vonage;
mod voximplant;
mod zadarma;
mod zammad;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use switchboard_sdk::{
    CallRecording, Fault, HookAddress, Http, HttpRequest, InboundEvent, Rejection, RouteAnswer,
    RouteQuestion, WebhookResponse,
};

use crate::{push::Push, rules::Rules, settings};

/// What a request proved.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The number it is to be used once under, where the provider signs one.
    pub nonce: Option<String>,
}

/// What bodies a provider sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// JSON.
    Json,
    /// Either.
    Any,
    /// Forms of both kinds.
    Forms,
}

/// A request to make, of the operator's telephone and the client's number.
pub struct Dial<'a> {
    /// The operator's extension.
    pub extension: &'a str,
    /// The client, in E.164.
    pub number: &'a str,
    /// Stable over repeats.
    pub id: &'a str,
    /// What the channel says of numbers.
    pub rules: &'a Rules,
    /// This channel's own address.
    pub hook: &'a str,
    /// Now.
    pub now: chrono::DateTime<chrono::Utc>,
    /// What [`Dialect::sign_in`] was answered, where it asks anything.
    pub ticket: &'a str,
}

/// One provider with its secrets.
#[async_trait]
pub trait Dialect: Send + Sync {
    /// What bodies it sends.
    fn bodies(&self) -> Bodies;

    /// Whether the request is the provider's.
    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection>;

    /// What it says. Nothing: it was a question or a sign of life.
    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection>;

    /// Who rings, when it asks who should get the caller.
    fn question(&self, _push: &Push<'_>) -> Option<RouteQuestion> {
        None
    }

    /// Whether a push that reports a call also waits to be told who gets it.
    fn asks(&self, _push: &Push<'_>) -> bool {
        false
    }

    /// The answer in its words.
    fn answer(&self, _push: &Push<'_>, answer: &RouteAnswer) -> WebhookResponse {
        json(&generic_answer(answer))
    }

    /// What it gets for a report.
    fn reply(&self, _push: &Push<'_>) -> WebhookResponse {
        WebhookResponse::default()
    }

    /// What to enter there; `hook` is the channel's own address.
    fn addresses(&self, hook: &str) -> Vec<HookAddress>;

    /// Whether it comes from the Internet, rather than from a machine that may be this one.
    fn is_outside(&self) -> bool {
        true
    }

    /// What does not work for want of a secret, in words of an admin.
    fn missing(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// How to ask for a recording. `http` is for providers that must be asked for the address first.
    async fn recording(
        &self,
        recording: &CallRecording,
        _http: &dyn Http,
        _now: chrono::DateTime<chrono::Utc>,
    ) -> Result<HttpRequest, Fault> {
        plain(recording)
    }

    /// What to ask first where a request to dial needs a token that lives for minutes (OAuth's client credentials); the
    /// answer's `access_token` is the ticket of [`Self::dial`].
    fn sign_in(&self) -> Option<HttpRequest> {
        None
    }

    /// The next step of a dialogue that a push is part of, once what it reports is stored; see
    /// [`Telephony::go_on`](switchboard_sdk::Telephony::go_on).
    fn next_step(&self, _push: &Push<'_>) -> Option<Result<HttpRequest, String>> {
        None
    }

    /// How to ask it to ring an operator and then the client; `None`: it cannot be asked.
    fn dial(&self, _dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        None
    }

    /// Whether an answer of 2xx to that says that it was not done.
    fn dialled(&self, _answer: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// The dialect of a configured channel.
pub fn of(config: &settings::Config) -> Box<dyn Dialect> {
    use settings::Provider;
    let secrets = &config.secrets;
    let api = |usual: &str| config.api_url.clone().unwrap_or_else(|| usual.to_owned());
    match config.provider {
        Provider::Twilio => Box::new(twilio::Twilio {
            account_sid: secrets.account_sid.clone(),
            auth_token: secrets.auth_token.clone(),
            shared_key: secrets.shared_key.clone(),
            api: api("https://api.twilio.com"),
        }),
        Provider::Telnyx => Box::new(telnyx::Telnyx {
            public_key: secrets.public_key.clone(),
            commands: telnyx_commands::Commands::of(secrets, api("https://api.telnyx.com")),
        }),
        Provider::Vonage => Box::new(vonage::Vonage {
            signature_secret: secrets.signature_secret.clone(),
            api_key: secrets.api_key.clone(),
            application_id: secrets.application_id.clone(),
            private_key: secrets.private_key.clone(),
            api: api("https://api.nexmo.com"),
        }),
        Provider::Plivo => Box::new(plivo::Plivo {
            auth_id: secrets.auth_id.clone(),
            auth_token: secrets.auth_token.clone(),
            api: api("https://api.plivo.com"),
        }),
        Provider::Zadarma => Box::new(zadarma::Zadarma {
            key: secrets.key.clone(),
            secret: secrets.secret.clone(),
            api: api("https://api.zadarma.com"),
        }),
        Provider::Mango => Box::new(mango::Mango {
            api_key: secrets.api_key.clone(),
            salt: secrets.salt.clone(),
            api: api("https://app.mango-office.ru"),
        }),
        Provider::Voximplant => Box::new(voximplant::Voximplant {
            token: secrets.token.clone(),
            service_account: secrets.service_account.clone(),
            rule_id: secrets.rule_id.clone(),
            api: api("https://api.voximplant.com"),
        }),
        Provider::Asterisk => Box::new(asterisk::Asterisk {
            token: secrets.token.clone(),
            recordings: config.api_url.clone(),
        }),
        Provider::ThreeCx => Box::new(threecx::ThreeCx {
            token: secrets.token.clone(),
            client_id: secrets.client_id.clone(),
            client_secret: secrets.client_secret.clone(),
            api: config.api_url.clone(),
        }),
        Provider::ZammadCti => Box::new(zammad::Zammad {
            token: secrets.token.clone(),
        }),
        Provider::Generic => Box::new(generic::Generic {
            secret: secrets.signing_secret.clone(),
            api: config.api_url.clone(),
        }),
    }
}

/// A recording whose address is enough.
pub fn plain(recording: &CallRecording) -> Result<HttpRequest, Fault> {
    let url = recording
        .url
        .as_deref()
        .ok_or_else(|| Fault::permanent("the telephone system gave no address of the recording"))?;
    get(url)
}

/// A question by GET.
pub fn get(url: &str) -> Result<HttpRequest, Fault> {
    http::Request::get(url)
        .body(Bytes::new())
        .map_err(|_| Fault::permanent("the address of the recording is none"))
}

/// A question in JSON, with what proves who asks.
pub fn post_json(url: &str, authorization: &str, body: &Value) -> Result<HttpRequest, String> {
    http::Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, authorization)
        .body(Bytes::from(body.to_string()))
        .map_err(|_| "the address of the provider's interface, or what proves who asks, is none".to_owned())
}

/// An answer of a media type.
pub fn typed(kind: &'static str, body: impl Into<Bytes>) -> WebhookResponse {
    let mut response = WebhookResponse::new(body.into());
    *response.status_mut() = StatusCode::OK;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An answer in JSON.
pub fn json(value: &Value) -> WebhookResponse {
    typed("application/json", value.to_string())
}

/// An answer in XML.
pub fn xml(body: String) -> WebhookResponse {
    typed("application/xml; charset=utf-8", body)
}

/// Text inside XML, in an element or an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The answer for whoever has no words of their own.
pub fn generic_answer(answer: &RouteAnswer) -> Value {
    serde_json::json!({
        "extension": answer.extensions.first(),
        "extensions": answer.extensions,
        "caller_name": answer.caller_name,
        "ring_secs": answer.ring_secs,
    })
}

/// An address to enter.
pub fn address(label: &str, method: &str, url: String) -> HookAddress {
    HookAddress {
        label: label.to_owned(),
        method: method.to_owned(),
        url,
    }
}

/// A refusal of somebody who is not the provider.
pub fn stranger(why: impl Into<String>) -> Rejection {
    Rejection::Unauthenticated(why.into())
}
