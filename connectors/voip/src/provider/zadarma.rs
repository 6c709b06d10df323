//! Zadarma: two or three fields of each report are signed, and no more.
//!
//! Neither the name of the event nor what came of the call is covered: a signature of "it rings" is good for a
//! forged "it is over". Nothing here can mend that; the channel's key in the address is a secret for this
//! provider, and the handbook tells to let its addresses in alone.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, header};
use serde_json::{Value, json};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallRecording, Fault, HookAddress, Http,
    HttpError, HttpRequest, InboundEvent, LegRole, RecordingState, Rejection, RouteAnswer, RouteQuestion,
    WebhookResponse,
};

use super::{Bodies, Dial, Dialect, Proof, address, get, stranger, typed};
use crate::{
    number::{self, Written},
    proof,
    push::{Params, Push, text},
    settings::Secret,
};

/// How long a link to a recording works, in seconds: Zadarma's own default.
const LIFETIME: &str = "1800";
/// How much of an answer is read.
const MAX_ANSWER: usize = 64 << 10;
const LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// With its secrets.
pub struct Zadarma {
    pub key: Secret,
    pub secret: Secret,
    pub api: String,
}

/// What of an event is signed.
fn signed_fields(event: &str) -> &'static [&'static str] {
    match event {
        "NOTIFY_ANSWER" => &["caller_id", "destination", "call_start"],
        "NOTIFY_OUT_START" | "NOTIFY_OUT_END" => &["internal", "destination", "call_start"],
        "NOTIFY_RECORD" => &["pbx_call_id", "call_id_with_rec"],
        "SMS" | "NUMBER_LOOKUP" | "CALL_TRACKING" | "DOCUMENT" | "SPEECH_RECOGNITION" => &["result"],
        _ => &["caller_id", "called_did", "call_start"],
    }
}

impl Zadarma {
    /// base64 of the hex of an HMAC: as its libraries do it.
    fn sign(secret: &str, text: &str) -> String {
        proof::base64(hex::encode(proof::hmac_sha1(
            secret.as_bytes(),
            &[text.as_bytes()],
        )))
    }

    /// A request to its interface.
    fn ask(&self, path: &str, params: &[(&str, &str)]) -> Option<Result<HttpRequest, String>> {
        let (key, secret) = (self.key.first()?, self.secret.first()?);
        let mut params = params.to_vec();
        params.sort_unstable();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&params);
        let query = query.finish();
        let sign = Self::sign(secret, &format!("{path}{query}{}", proof::md5_hex(&query)));
        let request = http::Request::get(format!("{}{path}?{query}", self.api))
            .header(header::AUTHORIZATION, format!("{key}:{sign}"))
            .body(Bytes::new());
        Some(request.map_err(|_| "the address of Zadarma's interface is none".to_owned()))
    }
}

/// The fields, of a form of either kind.
fn fields(push: &Push<'_>) -> Result<Params, Rejection> {
    if push.media_type().as_deref() == Some("multipart/form-data") {
        return Ok(multipart(push.body()));
    }
    push.form(false)
}

/// A multipart form by the boundary its body has: the header's has been seen to lack dashes.
fn multipart(body: &Bytes) -> Params {
    let text = String::from_utf8_lossy(body);
    let boundary = text.lines().next().unwrap_or_default().trim_end();
    if !boundary.starts_with("--") || boundary.len() < 4 {
        return Params::default();
    }
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        let (name, _) = name.split_once('"')?;
        Some((
            name.to_owned(),
            value.strip_suffix("\r\n").unwrap_or(value).to_owned(),
        ))
    };
    Params(text.split(boundary).filter_map(part).take(100).collect())
}

/// What Zadarma says to see whether somebody is there.
fn echo(push: &Push<'_>) -> Option<String> {
    if push.request.method() != Method::GET {
        return None;
    }
    let word = push.query().get("zd_echo")?.to_owned();
    let plain = word.len() <= 100
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plain.then_some(word)
}

#[async_trait]
impl Dialect for Zadarma {
    fn bodies(&self) -> Bodies {
        Bodies::Forms
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        if echo(push).is_some() {
            return Ok(Proof::default());
        }
        let given = push.header("signature").ok_or_else(|| {
            stranger("the header Signature is missing: choose notifications with a signature at Zadarma")
        })?;
        let form = fields(push)?;
        let event = form.get("event").unwrap_or_default();
        let text: String = signed_fields(event).iter().map(|name| form.raw(name)).collect();
        // Without these fields the signature would be that of nothing, which anybody may have overheard.
        if text.is_empty() {
            return Err(stranger("the fields that Zadarma signs are missing"));
        }
        let good = self.secret.all().fold(false, |good, secret| {
            good | proof::same(given, &Self::sign(secret, &text))
        });
        if good {
            Ok(Proof::default())
        } else {
            Err(stranger(
                "the header Signature does not fit: look at the secret of the API key",
            ))
        }
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if echo(push).is_some() {
            return Ok(Vec::new());
        }
        let form = fields(push)?;
        Ok(Report { push, form: &form }.events())
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        let form = fields(push).ok()?;
        matches!(form.get("event"), Some("NOTIFY_START" | "NOTIFY_IVR")).then(|| RouteQuestion {
            from: push.rules.party(form.raw("caller_id"), Written::International),
            own_number: push.rules.own(form.raw("called_did"), Written::International),
        })
    }

    fn asks(&self, push: &Push<'_>) -> bool {
        push.is_post() && self.question(push).is_some()
    }

    fn answer(&self, _: &Push<'_>, answer: &RouteAnswer) -> WebhookResponse {
        let mut said = serde_json::Map::new();
        if let Some(extension) = answer.extensions.first() {
            said.insert("redirect".to_owned(), json!(extension));
            // Then the call goes on as the PBX is set.
            said.insert("return_timeout".to_owned(), json!(answer.ring_secs.clamp(3, 600)));
        }
        if let Some(name) = &answer.caller_name {
            said.insert("caller_name".to_owned(), json!(name));
        }
        super::json(&Value::Object(said))
    }

    fn reply(&self, push: &Push<'_>) -> WebhookResponse {
        match echo(push) {
            Some(word) => typed("text/plain; charset=utf-8", word),
            None => WebhookResponse::default(),
        }
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![address(
            "Integrations and API: Notifications about PBX calls (keep this address secret)",
            "POST",
            hook.to_owned(),
        )]
    }

    fn missing(&self) -> Vec<&'static str> {
        if self.key.is_empty() {
            vec![
                "Without the key, recordings cannot be fetched and clients cannot be called back by a click.",
            ]
        } else {
            Vec::new()
        }
    }

    async fn recording(
        &self,
        recording: &CallRecording,
        http: &dyn Http,
        _: DateTime<Utc>,
    ) -> Result<HttpRequest, Fault> {
        let request = self
            .ask(
                "/v1/pbx/record/request/",
                &[("call_id", &recording.key), ("lifetime", LIFETIME)],
            )
            .ok_or_else(|| {
                Fault::permanent(
                    "recordings of Zadarma need the key of its interface in the channel's settings",
                )
            })?;
        let request = request.map_err(Fault::permanent)?;
        let answer = http
            .ask(request, LIMIT, MAX_ANSWER)
            .await
            .map_err(|error| match error {
                HttpError::Forbidden(reason) => Fault::permanent(reason),
                HttpError::NotSent(reason) | HttpError::Unknown(reason) => Fault::temporary(reason),
            })?;
        let said: Value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        let link = text(&said, "/link").or_else(|| text(&said, "/links/0"));
        match link {
            Some(link) if answer.status().is_success() => get(&link),
            _ if matches!(answer.status().as_u16(), 401 | 403) => Err(Fault::permanent(
                "Zadarma refuses the key and the secret of its interface",
            )),
            // The file is there some 40 seconds after the call.
            _ => Err(Fault::temporary(format!(
                "Zadarma has no link to the recording yet ({})",
                answer.status()
            ))),
        }
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        self.ask(
            "/v1/request/callback/",
            &[
                ("from", dial.extension),
                ("to", dial.number),
                ("sip", dial.extension),
            ],
        )
    }

    fn dialled(&self, answer: &[u8]) -> Result<(), String> {
        let said: Value = serde_json::from_slice(answer).unwrap_or(Value::Null);
        match text(&said, "/status").as_deref() {
            Some("error") => Err(format!(
                "Zadarma: {}",
                number::clean(&text(&said, "/message").unwrap_or_default())
            )),
            _ => Ok(()),
        }
    }
}

struct Report<'a> {
    push: &'a Push<'a>,
    form: &'a Params,
}

impl Report<'_> {
    fn events(&self) -> Vec<InboundEvent> {
        let form = self.form;
        let Some(name) = form.get("event") else {
            return vec![self.push.unknown("Zadarma names no event")];
        };
        let Some(call) = form.get("pbx_call_id").or_else(|| form.get("call_id_with_rec")) else {
            return vec![
                self.push
                    .unknown(format!("{} is not about a call", number::clean(name))),
            ];
        };
        let mut event = CallEvent {
            call: number::clean(call),
            ..CallEvent::default()
        };
        let started = form
            .get("call_start")
            .and_then(|text| self.push.rules.local_time(text));
        let inbound = !name.starts_with("NOTIFY_OUT");
        match name {
            "NOTIFY_START" | "NOTIFY_IVR" | "NOTIFY_OUT_START" => {
                event.kind = CallEventKind::Started;
                event.started_at = started;
            }
            "NOTIFY_INTERNAL" => event.kind = CallEventKind::Ringing,
            "NOTIFY_INTERNAL_END" => {
                event.kind = CallEventKind::LegEnded;
                event.end = form.get("disposition").map(end);
            }
            "NOTIFY_ANSWER" => event.kind = CallEventKind::Answered,
            "NOTIFY_END" | "NOTIFY_OUT_END" => {
                event.kind = CallEventKind::Ended;
                event.started_at = started;
                event.end = form.get("disposition").map(end);
                event.talk_secs = form
                    .number("duration")
                    .filter(|_| event.end == Some(CallEnd::Answered));
                event.cause = form.get("disposition").map(number::clean);
            }
            "NOTIFY_RECORD" => return self.recording(event, RecordingState::Ready).into_iter().collect(),
            other => {
                return vec![
                    self.push
                        .unknown(format!("the event {} is not known", number::clean(other))),
                ];
            }
        }
        self.ends(&mut event, name, inbound);
        let at = started.filter(|_| event.kind == CallEventKind::Started);
        let (internal, start) = (
            form.get("internal").unwrap_or("-"),
            form.get("call_start").unwrap_or("-"),
        );
        let over = event.kind == CallEventKind::Ended;
        let mut events = vec![
            self.push
                .event(&["event", call, name, internal, start], at, event),
        ];
        if over && form.get("is_recorded") == Some("1") {
            let event = CallEvent {
                call: number::clean(call),
                ..CallEvent::default()
            };
            events.extend(self.recording(event, RecordingState::Announced));
        }
        events
    }

    fn ends(&self, event: &mut CallEvent, name: &str, inbound: bool) {
        let (form, rules) = (self.form, self.push.rules);
        let party = |field: &str| rules.party(form.raw(field), Written::International);
        let own = |field: &str| rules.own(form.raw(field), Written::International);
        match name {
            "NOTIFY_OUT_START" | "NOTIFY_OUT_END" => {
                event.direction = Some(CallDirection::Outbound);
                event.to = Some(party("destination"));
                event.own_number = own("caller_id");
            }
            // Told of calls in both directions: an own number that rings somebody goes out.
            "NOTIFY_ANSWER" => {
                if !rules.is_own(form.raw("caller_id"), Written::International)
                    && rules
                        .said_extension(form.raw("caller_id"))
                        .is_none_or(|caller| !rules.operators.contains_key(&caller))
                {
                    event.direction = form.get("internal").map(|_| CallDirection::Inbound);
                    event.from = Some(party("caller_id"));
                }
            }
            _ => {
                event.direction = Some(CallDirection::Inbound);
                event.from = Some(party("caller_id"));
                event.own_number = own("called_did");
            }
        }
        let extension = form
            .get("internal")
            .or_else(|| form.get("last_internal"))
            .or_else(|| {
                form.get("destination")
                    .filter(|_| name == "NOTIFY_ANSWER" && inbound)
            })
            .and_then(|raw| rules.said_extension(raw))
            .filter(|extension| extension.len() <= 6 || rules.operators.contains_key(extension));
        // An outbound call is answered by the client, of whom there is no leg.
        event.leg = extension.map(|extension| CallLeg {
            key: extension.clone(),
            role: LegRole::Operator,
            extension: Some(extension),
        });
    }

    fn recording(&self, mut event: CallEvent, state: RecordingState) -> Option<InboundEvent> {
        let key = self.form.get("call_id_with_rec")?;
        event.kind = CallEventKind::Recording;
        event.recording = Some(CallRecording {
            key: number::clean(key),
            state,
            ..CallRecording::default()
        });
        let word = if state == RecordingState::Ready {
            "ready"
        } else {
            "announced"
        };
        Some(self.push.event(&["recording", key, word], None, event))
    }
}

fn end(disposition: &str) -> CallEnd {
    match disposition {
        "answered" => CallEnd::Answered,
        "busy" => CallEnd::Busy,
        "cancel" => CallEnd::Canceled,
        "no answer" => CallEnd::NoAnswer,
        _ => CallEnd::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulas_vector_holds() {
        assert_eq!(
            Zadarma::sign("secret", "712300011224420376918802026-01-02 03:04:05"),
            "ZjE0NjQ1MmM3MDYzNjY1ODcwNDkwMjhlZWYyNzAzODdmNjYzMTAwOA=="
        );
    }

    #[test]
    fn a_multipart_form_is_read_by_the_boundary_of_its_body() {
        let body = Bytes::from(
            "----x\r\nContent-Disposition: form-data; name=\"event\"\r\n\r\nNOTIFY_START\r\n----x\r\nContent-Disposition: form-data; name=\"caller_id\"\r\n\r\n712\r\n----x--\r\n",
        );
        let form = multipart(&body);
        assert_eq!(
            (form.get("event"), form.get("caller_id")),
            (Some("NOTIFY_START"), Some("712"))
        );
    }
}
