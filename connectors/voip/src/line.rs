//! One channel: a telephone system with its settings.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use switchboard_sdk::{
    Batch, BuildContext, CallRecording, CancellationToken, CheckStep, Connector, Fault, HookAddress,
    HttpError, HttpRequest, Intake, OwnNumber, Receipt, Receiver, Rejection, RouteAnswer, RouteQuestion,
    SendError, Telephony, Webhook, WebhookRequest, WebhookResponse,
};

use crate::{
    ami::Manager,
    provider::{self, Bodies, Dial, Dialect},
    push::Push,
    settings::{Config, Provider},
    window::Nonces,
};

/// Longest report: none of a provider's is nearly as large.
const LONGEST: usize = 1 << 20;
/// How long a provider may take to begin a call.
const LIMIT: Duration = Duration::from_secs(20);
/// How much of its answer is read.
const MAX_ANSWER: usize = 64 << 10;

/// A channel with its settings.
pub struct Line {
    pub config: Config,
    pub context: BuildContext,
    pub dialect: Box<dyn Dialect>,
    nonces: Nonces,
}

impl Line {
    pub fn new(config: Config, context: BuildContext) -> Self {
        Self {
            dialect: provider::of(&config),
            config,
            context,
            nonces: Nonces::default(),
        }
    }

    /// Asterisk's manager interface, where it is to be read.
    pub fn manager(&self) -> Option<Manager<'_>> {
        let ami = self
            .config
            .ami
            .as_ref()
            .filter(|_| self.config.provider == Provider::Asterisk)?;
        Some(Manager {
            ami,
            secret: &self.config.secrets.ami_secret,
            rules: &self.config.rules,
            recordings: self.config.api_url.as_deref(),
            clock: self.context.clock.as_ref(),
        })
    }

    /// The channel's own address.
    pub fn hook(&self) -> String {
        format!(
            "{}/hooks/voip/{}",
            self.context.public_url, self.context.channel_key
        )
    }

    /// Asks the provider for something; its answer of 2xx.
    async fn ask(&self, request: HttpRequest) -> Result<Bytes, SendError> {
        match self.context.http.ask(request, LIMIT, MAX_ANSWER).await {
            Ok(answer) if answer.status().is_success() => Ok(answer.into_body()),
            Ok(answer) if is_passing(answer.status()) => Err(SendError::Retry {
                after: None,
                reason: self.complaint(&answer),
            }),
            Ok(answer) => Err(refused(self.complaint(&answer))),
            Err(HttpError::Forbidden(reason)) => Err(refused(reason)),
            Err(HttpError::NotSent(reason)) => Err(SendError::Retry { after: None, reason }),
            Err(HttpError::Unknown(reason)) => Err(SendError::Unknown { reason }),
        }
    }

    fn complaint(&self, answer: &http::Response<Bytes>) -> String {
        let label = self.config.provider.label();
        format!("{label} answered {}: {}", answer.status(), said(answer.body()))
    }

    /// The token that a request to dial needs.
    async fn ticket(&self, request: HttpRequest) -> Result<String, SendError> {
        let answer = self.ask(request).await?;
        let token = serde_json::from_slice::<serde_json::Value>(&answer)
            .ok()
            .and_then(|answer| Some(answer.get("access_token")?.as_str()?.to_owned()));
        token.ok_or_else(|| refused("the telephone system gave no access token"))
    }

    fn push<'a>(&'a self, request: &'a WebhookRequest, now: DateTime<Utc>) -> Push<'a> {
        Push::new(request, &self.config.rules, &self.context.public_url, now)
    }

    /// Verified, or refused.
    fn proven<'a>(&'a self, request: &'a WebhookRequest, now: DateTime<Utc>) -> Result<Push<'a>, Rejection> {
        if request.body().len() > LONGEST {
            return Err(Rejection::TooLarge(
                "a report of a call has at most 1 MB".to_owned(),
            ));
        }
        if !matches!(*request.method(), Method::POST | Method::GET) {
            return Err(Rejection::Malformed("reports of calls are posted".to_owned()));
        }
        let push = self.push(request, now);
        if push.is_post() {
            readable(self.dialect.bodies(), push.media_type().as_deref())?;
        }
        let proof = self.dialect.verify(&push)?;
        if let Some(nonce) = proof.nonce {
            let target = push.url.as_bytes();
            let method = request.method().as_str().as_bytes();
            if !self.nonces.allow(&nonce, &[method, target, push.body()]) {
                return Err(Rejection::Unauthenticated(
                    "this number was used before, for something else".to_owned(),
                ));
            }
        }
        Ok(push)
    }
}

/// Whether the same question may be answered differently in a moment.
fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// Whether anybody here reads such a body. One without a type is read as what it ought to be.
fn readable(bodies: Bodies, media_type: Option<&str>) -> Result<(), Rejection> {
    let Some(kind) = media_type else {
        return Ok(());
    };
    let json = kind == "application/json" || kind.ends_with("+json");
    let form = kind == "application/x-www-form-urlencoded";
    let (good, wanted) = match bodies {
        Bodies::Form => (form, "application/x-www-form-urlencoded"),
        Bodies::Json => (json, "application/json"),
        Bodies::Any => (
            json || form,
            "application/x-www-form-urlencoded or application/json",
        ),
        Bodies::Forms => (
            form || kind == "multipart/form-data",
            "application/x-www-form-urlencoded or multipart/form-data",
        ),
    };
    if good {
        return Ok(());
    }
    Err(Rejection::UnsupportedMediaType(format!(
        "reports come as {wanted}"
    )))
}

#[async_trait]
impl Connector for Line {
    async fn check(&self) -> Result<String, Fault> {
        CheckStep::summary(self.check_steps().await)
    }

    async fn check_steps(&self) -> Vec<CheckStep> {
        crate::check::steps(self).await
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        self.manager().map(|_| self as &dyn Receiver)
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn telephony(&self) -> Option<&dyn Telephony> {
        Some(self)
    }
}

#[async_trait]
impl Receiver for Line {
    async fn run(&self, intake: Arc<dyn Intake>, stop: CancellationToken) -> Result<(), Fault> {
        match self.manager() {
            Some(manager) => manager.run(&intake, &stop).await,
            None => Err(Fault::permanent("no manager interface is set")),
        }
    }
}

impl Webhook for Line {
    fn accept(&self, request: &WebhookRequest, now: DateTime<Utc>) -> Result<Batch, Rejection> {
        let push = self.proven(request, now)?;
        Ok(Batch {
            events: self.dialect.map(&push)?,
            cursor: None,
        })
    }

    fn is_watched(&self, _request: &WebhookRequest) -> bool {
        true
    }

    fn reply(&self, request: &WebhookRequest, _receipt: &Receipt) -> WebhookResponse {
        self.dialect.reply(&self.push(request, self.context.clock.now()))
    }
}

#[async_trait]
impl Telephony for Line {
    fn settle(&self) -> Duration {
        self.config.settle
    }

    fn numbers(&self) -> &BTreeMap<String, OwnNumber> {
        &self.config.rules.numbers
    }

    fn operators(&self) -> &BTreeMap<String, String> {
        &self.config.rules.operators
    }

    async fn recording(&self, recording: &CallRecording) -> Result<HttpRequest, Fault> {
        let now = self.context.clock.now();
        self.dialect
            .recording(recording, self.context.http.as_ref(), now)
            .await
    }

    fn question(&self, request: &WebhookRequest, now: DateTime<Utc>) -> Result<RouteQuestion, Rejection> {
        let push = self.proven(request, now)?;
        self.dialect.question(&push).ok_or_else(|| {
            Rejection::Malformed("this does not ask who should get a caller: say who rings (from)".to_owned())
        })
    }

    fn asks(&self, request: &WebhookRequest) -> bool {
        self.dialect.asks(&self.push(request, self.context.clock.now()))
    }

    fn addresses(&self) -> Vec<HookAddress> {
        self.dialect.addresses(&self.hook())
    }

    fn answer(&self, request: &WebhookRequest, answer: &RouteAnswer) -> WebhookResponse {
        self.dialect
            .answer(&self.push(request, self.context.clock.now()), answer)
    }

    fn dials(&self) -> bool {
        if self.manager().is_some() {
            return true;
        }
        let hook = self.hook();
        let question = Dial {
            extension: "0",
            number: "+10000000000",
            id: "0",
            rules: &self.config.rules,
            hook: &hook,
            now: self.context.clock.now(),
            ticket: "",
        };
        matches!(self.dialect.dial(&question), Some(Ok(_)))
    }

    async fn dial(&self, extension: &str, number: &str, id: &str) -> Result<(), SendError> {
        let dialable = number.strip_prefix('+').is_some_and(|digits| {
            (6..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
        });
        if !dialable {
            return Err(refused(format!("{number} is no number that can be dialled")));
        }
        if let Some(manager) = self.manager() {
            return manager.dial(extension, number, id).await;
        }
        let ticket = match self.dialect.sign_in() {
            Some(request) => self.ticket(request).await?,
            None => String::new(),
        };
        let hook = self.hook();
        let dial = Dial {
            extension,
            number,
            id,
            rules: &self.config.rules,
            hook: &hook,
            now: self.context.clock.now(),
            ticket: &ticket,
        };
        let request = match self.dialect.dial(&dial) {
            None => return Err(refused("this telephone system cannot be asked to dial")),
            Some(request) => request.map_err(refused)?,
        };
        let answer = self.ask(request).await?;
        self.dialect.dialled(&answer).map_err(refused)
    }

    async fn go_on(&self, request: &WebhookRequest) -> Result<(), SendError> {
        let push = self.push(request, self.context.clock.now());
        match self.dialect.next_step(&push) {
            None => Ok(()),
            Some(step) => self.ask(step.map_err(refused)?).await.map(|_| ()),
        }
    }
}

fn refused(reason: impl Into<String>) -> SendError {
    SendError::Refused {
        reason: reason.into(),
    }
}

/// The beginning of what a provider said, on one line.
pub fn said(body: &Bytes) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(300)
        .collect()
}
