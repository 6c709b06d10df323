//! Vonage Voice: a JWT that holds the hash of the body; a conversation has legs.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http::header;
use serde_json::{Value, json};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallParty, CallRecording, Fault, HookAddress,
    Http, HttpRequest, InboundEvent, LegRole, PartyKind, Rejection, RouteAnswer, RouteQuestion,
    WebhookResponse,
};
use url::Url;

use super::{Bodies, Dial, Dialect, Proof, address, get, stranger};
use crate::{
    jwt,
    number::{self, Written},
    proof,
    push::{LEG, Push, external_id, leg_query, secs, text},
    settings::Secret,
    window,
};

/// With its secrets.
pub struct Vonage {
    pub signature_secret: Secret,
    pub api_key: Secret,
    pub application_id: Secret,
    pub private_key: Secret,
    pub api: String,
}

impl Vonage {
    /// The claims of a JWT that Vonage signed with HS256, and with nothing else.
    fn claims(&self, token: &str) -> Result<Value, Rejection> {
        let wrong = || stranger("the Authorization header holds no JWT of Vonage");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(wrong)?;
        let (head, body) = signed.split_once('.').ok_or_else(wrong)?;
        let read = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        if text(&read(head).ok_or_else(wrong)?, "/alg").as_deref() != Some("HS256") {
            return Err(stranger("the JWT is not signed with HS256"));
        }
        let good = self.signature_secret.all().fold(false, |good, secret| {
            let expected =
                URL_SAFE_NO_PAD.encode(proof::hmac_sha256(secret.as_bytes(), &[signed.as_bytes()]));
            good | proof::same(signature, &expected)
        });
        if !good {
            return Err(stranger(
                "the JWT's signature does not fit: look at the signature secret, and that signed webhooks are switched on",
            ));
        }
        read(body).ok_or_else(wrong)
    }

    /// A token of the application, for asking Vonage.
    fn app_token(&self, about: &str, now: DateTime<Utc>) -> Option<Result<String, String>> {
        let (application, key) = (self.application_id.first()?, self.private_key.first()?);
        let claims = json!({
            "application_id": application,
            "iat": now.timestamp(),
            "exp": now.timestamp() + 300,
            "jti": proof::sha256_hex(&[about.as_bytes(), &now.timestamp_micros().to_be_bytes()]),
        });
        Some(
            jwt::signed(&json!({"alg": "RS256", "typ": "JWT"}), &claims, key)
                .map(|jwt| format!("Bearer {jwt}")),
        )
    }

    fn is_theirs(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        ["nexmo.com", "vonage.com"]
            .iter()
            .any(|known| host == *known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')))
            || url.as_str().starts_with(&format!("{}/", self.api))
    }
}

#[async_trait]
impl Dialect for Vonage {
    fn bodies(&self) -> Bodies {
        Bodies::Json
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        let header = push.header("authorization").ok_or_else(|| {
            stranger("the Authorization header is missing: switch on signed webhooks in the application's settings")
        })?;
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(stranger("the Authorization header holds no Bearer token"));
        }
        let claims = self.claims(token)?;
        let iat = claims
            .get("iat")
            .and_then(Value::as_i64)
            .and_then(|secs| DateTime::from_timestamp(secs, 0));
        let iat = iat.ok_or_else(|| stranger("the JWT does not say when it was made (iat)"))?;
        window::near(iat, push.now).map_err(|why| stranger(format!("the JWT {why}")))?;
        let jti = text(&claims, "/jti").ok_or_else(|| stranger("the JWT has no number (jti)"))?;
        if !self.api_key.is_empty()
            && let Some(claimed) = text(&claims, "/api_key")
            && !self.api_key.all().any(|known| proof::same(known, &claimed))
        {
            return Err(stranger("the JWT is of another account (api_key)"));
        }
        let hash = text(&claims, "/payload_hash");
        let is_empty = push.body().is_empty() && !push.is_post();
        match hash {
            Some(hash) if proof::same(&hash, &proof::sha256_hex(&[push.body()])) => {}
            // A question by GET has nothing to hash; what it asks is read and never stored.
            None if is_empty && push.rest == "route" => {}
            _ => {
                return Err(stranger(
                    "payload_hash is not that of the body: choose POST in the application's settings",
                ));
            }
        }
        Ok(Proof {
            nonce: Some(jti.into_owned()),
        })
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if !push.is_post() {
            return Ok(Vec::new());
        }
        let body = push.json()?;
        Ok(event(push, &body))
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        let body = push.json().unwrap_or(Value::Null);
        let query = push.query();
        let said = |name: &str| {
            query
                .get(name)
                .map(str::to_owned)
                .or_else(|| text(&body, &format!("/{name}")).map(std::borrow::Cow::into_owned))
        };
        said("uuid").or_else(|| said("conversation_uuid"))?;
        Some(RouteQuestion {
            from: push
                .rules
                .party(&said("from").unwrap_or_default(), Written::International),
            own_number: said("to").and_then(|to| push.rules.own(&to, Written::International)),
        })
    }

    fn asks(&self, push: &Push<'_>) -> bool {
        push.rest == "route" && push.json().is_ok_and(|body| is_answer_url(&body))
    }

    fn answer(&self, push: &Push<'_>, answer: &RouteAnswer) -> WebhookResponse {
        let Some(extension) = answer.extensions.first() else {
            return super::json(&json!([]));
        };
        let hook = push
            .url
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .trim_end_matches("/route")
            .to_owned();
        let mut connect = json!({
            "action": "connect",
            "timeout": answer.ring_secs.clamp(5, 600),
            "eventUrl": [hook],
            "endpoint": [endpoint(push.rules.telephone(extension), extension)],
        });
        if let Some(own) = push.rules.shown_number()
            && let Some(connect) = connect.as_object_mut()
        {
            connect.insert("from".to_owned(), json!(own.trim_start_matches('+')));
        }
        super::json(&json!([connect]))
    }

    fn reply(&self, push: &Push<'_>) -> WebhookResponse {
        if push.json().is_ok_and(|body| is_answer_url(&body)) {
            super::json(&json!([]))
        } else {
            WebhookResponse::default()
        }
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address("Application, Voice: Event URL", "POST", hook.to_owned()),
            address(
                "Application, Voice: Answer URL (rings the first operator of the line)",
                "POST",
                format!("{hook}/route"),
            ),
        ]
    }

    fn missing(&self) -> Vec<&'static str> {
        if self.application_id.is_empty() || self.private_key.is_empty() {
            vec![
                "Without the application id and its private key, recordings cannot be fetched and clients cannot be called back by a click.",
            ]
        } else {
            Vec::new()
        }
    }

    async fn recording(
        &self,
        recording: &CallRecording,
        _: &dyn Http,
        now: DateTime<Utc>,
    ) -> Result<HttpRequest, Fault> {
        let url = recording
            .url
            .as_deref()
            .ok_or_else(|| Fault::permanent("Vonage gave no address of the recording"))?;
        let mut request = get(url)?;
        // The application's token goes to Vonage alone.
        if Url::parse(url).is_ok_and(|url| self.is_theirs(&url)) {
            let token = self.app_token(url, now).ok_or_else(|| {
                Fault::permanent("recordings of Vonage need the application id and its private key in the channel's settings")
            })?;
            let token = token.map_err(Fault::permanent)?;
            if let Ok(token) = token.parse() {
                request.headers_mut().insert(header::AUTHORIZATION, token);
            }
        }
        Ok(request)
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        let token = match self.app_token(dial.id, dial.now)? {
            Ok(token) => token,
            Err(reason) => return Some(Err(reason)),
        };
        let Some(shown) = dial.rules.shown_number() else {
            return Some(Err("set an own number to show to the client".to_owned()));
        };
        let (shown, hook) = (shown.trim_start_matches('+'), dial.hook);
        let body = json!({
            "to": [endpoint(dial.rules.telephone(dial.extension), dial.extension)],
            "from": {"type": "phone", "number": shown},
            "event_url": [format!("{hook}?{}", leg_query("operator", dial.extension))],
            "event_method": "POST",
            "ncco": [{
                "action": "connect",
                "from": shown,
                "eventUrl": [format!("{hook}?{}", leg_query("client", dial.extension))],
                "endpoint": [{"type": "phone", "number": dial.number.trim_start_matches('+')}],
            }],
        });
        let request = http::Request::post(format!("{}/v1/calls", self.api))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, token)
            .body(Bytes::from(body.to_string()));
        Some(request.map_err(|_| "the address of Vonage's interface is none".to_owned()))
    }
}

/// Where an operator's telephone is, for Vonage.
fn endpoint(configured: Option<String>, extension: &str) -> Value {
    let address = configured.unwrap_or_else(|| extension.to_owned());
    if address.starts_with("sip:") {
        json!({"type": "sip", "uri": address})
    } else if let Some(number) = address.strip_prefix('+') {
        json!({"type": "phone", "number": number})
    } else {
        json!({"type": "app", "user": address})
    }
}

/// What to do with a call, rather than what became of it.
fn is_answer_url(body: &Value) -> bool {
    text(body, "/uuid").is_some()
        && text(body, "/conversation_uuid").is_some()
        && text(body, "/from").is_some()
        && ["/status", "/recording_url", "/dtmf", "/speech", "/reason"]
            .iter()
            .all(|pointer| body.pointer(pointer).is_none())
}

fn time(body: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    let text = text(body, pointer)?;
    let zoned = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc());
    zoned.or_else(|| {
        NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S")
            .ok()
            .map(|time| time.and_utc())
    })
}

fn event(push: &Push<'_>, body: &Value) -> Vec<InboundEvent> {
    let conversation = text(body, "/conversation_uuid");
    if let (Some(from), Some(to)) = (
        text(body, "/conversation_uuid_from"),
        text(body, "/conversation_uuid_to"),
    ) {
        let linked = CallEvent {
            call: number::clean(&from),
            aliases: vec![number::clean(&to)],
            kind: CallEventKind::Linked,
            ..CallEvent::default()
        };
        return vec![push.event(&["transfer", &from, &to], time(body, "/timestamp"), linked)];
    }
    let Some(conversation) = conversation else {
        return vec![push.unknown(match text(body, "/reason") {
            Some(reason) => format!("Vonage reports an error: {}", number::clean(&reason)),
            None => "Vonage names no conversation".to_owned(),
        })];
    };
    if let Some(url) = text(body, "/recording_url") {
        return recording(push, body, &conversation, &url);
    }
    let Some(uuid) = text(body, "/uuid").or_else(|| text(body, "/call_uuid")) else {
        return vec![push.unknown("Vonage names no leg (uuid)")];
    };
    let report = Report { push, body };
    let status = text(body, "/status");
    let Some(status) = status.as_deref() else {
        if is_answer_url(body) {
            let event = report.inbound(&conversation, &uuid, CallEventKind::Started);
            return vec![push.event(&["answer", &uuid], None, event)];
        }
        if ["/dtmf", "/speech"]
            .iter()
            .any(|pointer| body.pointer(pointer).is_some())
        {
            return Vec::new(); // keys and words that a robot asked for
        }
        return vec![push.unknown("Vonage gives no status")];
    };
    let at = time(body, "/timestamp");
    let key = match text(body, "/timestamp") {
        Some(timestamp) => vec![
            "status".to_owned(),
            uuid.to_string(),
            status.to_owned(),
            timestamp.into_owned(),
        ],
        None => vec!["status".to_owned(), uuid.to_string(), status.to_owned()],
    };
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    if matches!(
        status,
        "human"
            | "machine"
            | "input"
            | "transfer"
            | "record"
            | "hold"
            | "disconnected"
            | "payment"
            | "mute"
            | "unmute"
            | "earmuff"
            | "unearmuff"
    ) {
        return Vec::new();
    }
    match report.status(&conversation, &uuid, status) {
        Some(event) => vec![push.event(&key, at, event)],
        None => vec![push.unknown(format!("the status {status:?} is not known"))],
    }
}

fn recording(push: &Push<'_>, body: &Value, conversation: &str, url: &str) -> Vec<InboundEvent> {
    let key = text(body, "/recording_uuid").map_or_else(
        || external_id(&[conversation, &proof::sha256_hex(&[url.as_bytes()])]),
        std::borrow::Cow::into_owned,
    );
    let secs = match (time(body, "/start_time"), time(body, "/end_time")) {
        (Some(from), Some(to)) => u32::try_from((to - from).num_seconds()).ok(),
        _ => None,
    };
    let event = CallEvent {
        call: number::clean(conversation),
        kind: CallEventKind::Recording,
        recording: Some(CallRecording {
            key: key.clone(),
            url: Some(url.to_owned()),
            secs,
            ..CallRecording::default()
        }),
        ..CallEvent::default()
    };
    vec![push.event(
        &["recording", &key],
        time(body, "/timestamp").or_else(|| time(body, "/end_time")),
        event,
    )]
}

struct Report<'a> {
    push: &'a Push<'a>,
    body: &'a Value,
}

impl Report<'_> {
    fn party(&self, name: &str) -> CallParty {
        let raw = text(self.body, &format!("/{name}")).unwrap_or_default();
        self.push.rules.party(&raw, Written::International)
    }

    fn own(&self, name: &str) -> Option<String> {
        self.push
            .rules
            .own(&text(self.body, &format!("/{name}"))?, Written::International)
    }

    fn inbound(&self, conversation: &str, uuid: &str, kind: CallEventKind) -> CallEvent {
        CallEvent {
            call: number::clean(conversation),
            kind,
            direction: Some(CallDirection::Inbound),
            from: Some(self.party("from")),
            to: Some(self.party("to")),
            own_number: self.own("to"),
            leg: Some(CallLeg {
                key: number::clean(uuid),
                role: LegRole::Client,
                extension: None,
            }),
            ..CallEvent::default()
        }
    }

    fn status(&self, conversation: &str, uuid: &str, status: &str) -> Option<CallEvent> {
        let end = match status {
            "busy" => Some(CallEnd::Busy),
            "cancelled" => Some(CallEnd::Canceled),
            "timeout" | "unanswered" => Some(CallEnd::NoAnswer),
            "rejected" => Some(CallEnd::Rejected),
            "failed" => Some(CallEnd::Failed),
            "completed" | "started" | "ringing" | "answered" => None,
            _ => return None,
        };
        let over = end.is_some() || status == "completed";
        let mut event = if text(self.body, "/direction").as_deref() == Some("outbound") {
            self.outbound(conversation, uuid, status, over)
        } else {
            // A robot answers what comes in; whether a person did is told by the leg that goes out.
            let kind = if over {
                CallEventKind::Ended
            } else {
                CallEventKind::Started
            };
            self.inbound(conversation, uuid, kind)
        };
        event.end = end.or(event.end);
        event.cause = text(self.body, "/detail").map(|detail| number::clean(&detail));
        if over && event.kind == CallEventKind::Ended {
            event.started_at = None;
            event.ended_at = time(self.body, "/end_time");
        }
        Some(event)
    }

    /// A leg that goes out: to an operator, or to the client.
    fn outbound(&self, conversation: &str, uuid: &str, status: &str, over: bool) -> CallEvent {
        let to = self.party("to");
        let marked = self.push.query().get(LEG).map(str::to_owned);
        let client = match marked.as_deref() {
            Some("client") => true,
            Some("operator") => false,
            _ => to.kind == PartyKind::Number,
        };
        let kind = match status {
            _ if over && client => CallEventKind::Ended,
            _ if over => CallEventKind::LegEnded,
            "ringing" => CallEventKind::Ringing,
            // On a call back the operator picks up first, and talks to nobody yet.
            "answered" if client || marked.is_none() => CallEventKind::Answered,
            _ => CallEventKind::Started,
        };
        // An operator who calls back waits for the client for as long as it takes: that is no talk.
        let waits = marked.is_some() && !client;
        let talk = secs(self.body, "/duration").filter(|secs| *secs > 0 && status == "completed" && !waits);
        let mut event = CallEvent {
            call: number::clean(conversation),
            kind,
            end: talk.filter(|_| client).map(|_| CallEnd::Answered),
            talk_secs: talk,
            leg: Some(CallLeg {
                key: number::clean(uuid),
                role: if client {
                    LegRole::Client
                } else {
                    LegRole::Operator
                },
                extension: (!client)
                    .then(|| self.push.rules.said_extension(&text(self.body, "/to")?))
                    .flatten(),
            }),
            ..CallEvent::default()
        };
        if client {
            event.direction = Some(CallDirection::Outbound);
            event.from = self.push.caller();
            event.to = Some(to);
            event.own_number = self.own("from");
        }
        event
    }
}
