//! Any system that posts the events of the handbook (API.md, "Generic VoIP event"), signed by Standard Webhooks.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header;
use serde_json::{Value, json};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallRecording, HookAddress, HttpRequest,
    InboundEvent, LegRole, RecordingKind, Rejection, RouteQuestion,
};

use super::{Bodies, Dial, Dialect, Proof, address, stranger};
use crate::{
    number::{self, Written},
    proof,
    push::{self, Push, text},
    settings::Secret,
    standard,
};

/// Longest text of a recording that is kept, in characters.
const MAX_TRANSCRIPT: usize = 100_000;

/// With its secret.
pub struct Generic {
    pub secret: Secret,
    /// Where it is asked to dial, if it can be.
    pub api: Option<String>,
}

impl Dialect for Generic {
    fn bodies(&self) -> Bodies {
        Bodies::Json
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        let verified = standard::verify(self.secret.all(), push.headers(), push.body(), push.now);
        let (id, _) = verified.map_err(stranger)?;
        Ok(Proof { nonce: Some(id) })
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if !push.is_post() {
            return Ok(Vec::new());
        }
        events(push, &push.json()?)
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        question(push)
    }

    fn is_outside(&self) -> bool {
        false
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        let url = self.api.as_deref()?;
        let body = json!({
            "type": "call.dial",
            "id": dial.id,
            "operator": dial.extension,
            "to": dial.number,
            "from": dial.rules.shown_number(),
        })
        .to_string();
        let signed = standard::sign(self.secret.first()?, dial.id, dial.now, body.as_bytes());
        Some(signed.and_then(|signed| {
            let request = http::Request::post(url)
                .header(header::CONTENT_TYPE, "application/json")
                .header("webhook-id", dial.id)
                .header("webhook-timestamp", dial.now.timestamp().to_string())
                .header("webhook-signature", signed);
            request
                .body(Bytes::from(body))
                .map_err(|_| "the address of the telephone system's interface is none".to_owned())
        }))
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address("Events", "POST", hook.to_owned()),
            address(
                "Who should get a caller (add ?from=…&to=…)",
                "GET",
                format!("{hook}/route"),
            ),
        ]
    }
}

/// `?from=…&to=…`, in the query or as JSON.
pub fn question(push: &Push<'_>) -> Option<RouteQuestion> {
    let query = push.query();
    let body = push.json().unwrap_or(Value::Null);
    let said = |name: &str| {
        let in_body = text(&body, &format!("/{name}")).map(std::borrow::Cow::into_owned);
        query.get(name).map(str::to_owned).or(in_body)
    };
    let from = said("from")
        .or_else(|| said("caller"))
        .or_else(|| said("number"))?;
    // A plus that nobody escaped is a space.
    let from = from.trim().to_owned();
    Some(RouteQuestion {
        from: push.rules.party(&from, Written::Either),
        own_number: said("to").and_then(|to| push.rules.own(&to, Written::Either)),
    })
}

fn wrong(field: &str, message: &str) -> Rejection {
    Rejection::Invalid(vec![(field.to_owned(), message.to_owned())])
}

/// The events of one body.
pub fn events(push: &Push<'_>, body: &Value) -> Result<Vec<InboundEvent>, Rejection> {
    if !body.is_object() {
        return Err(wrong("", "is an object"));
    }
    let kind = text(body, "/event")
        .ok_or_else(|| wrong("event", "is required: ringing, answered, ended or recording"))?;
    let kind = match kind.as_ref() {
        "started" => CallEventKind::Started,
        "queued" => CallEventKind::Queued,
        "ringing" => CallEventKind::Ringing,
        "answered" => CallEventKind::Answered,
        "ended" => CallEventKind::Ended,
        "recording" => CallEventKind::Recording,
        "transcript" => CallEventKind::Transcript,
        other => return Ok(vec![push.unknown(format!("the event {other:?} is not known"))]),
    };
    let call = text(body, "/call_id").ok_or_else(|| wrong("call_id", "is required"))?;
    if call.len() > 200 || call.contains(char::is_control) {
        return Err(wrong("call_id", "is one line of at most 200 bytes"));
    }
    let at = time(body, "at")?;
    let direction = direction(body)?;
    let end = end(body)?;
    let mut event = CallEvent {
        call: call.clone().into_owned(),
        kind,
        direction,
        caller_name: text(body, "/caller_name").map(|name| number::clean(&name)),
        started_at: time(body, "started_at")?,
        answered_at: time(body, "answered_at")?,
        ended_at: time(body, "ended_at")?,
        talk_secs: push::secs(body, "/duration_secs").or_else(|| push::secs(body, "/duration")),
        end,
        cause: text(body, "/cause").map(|cause| number::clean(&cause)),
        sequence: body.get("sequence").and_then(Value::as_i64),
        aliases: body
            .get("aliases")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(number::clean)
            .take(8)
            .collect(),
        ..CallEvent::default()
    };
    parties(push, body, &mut event);
    match kind {
        CallEventKind::Answered => event.answered_at = event.answered_at.or(at),
        CallEventKind::Ended => event.ended_at = event.ended_at.or(at),
        CallEventKind::Recording => event.recording = Some(recording(body, &call)?),
        CallEventKind::Transcript => {
            let words = text(body, "/transcript").or_else(|| text(body, "/text"));
            let words = words.ok_or_else(|| wrong("transcript", "is required"))?;
            event.transcript = Some(words.chars().take(MAX_TRANSCRIPT).collect());
        }
        _ => {}
    }
    // The same report has the same content, whatever webhook-id a repeat has; two telephones may ring in one second.
    let content = proof::sha256_hex(&[body.to_string().as_bytes()]);
    let key = [
        event_name(kind),
        call.as_ref(),
        content.get(..32).unwrap_or(&content),
    ];
    let mut events = vec![push.event(&key, at, event.clone())];
    if kind != CallEventKind::Recording && text(body, "/recording_url").is_some() {
        let mut recorded = CallEvent {
            kind: CallEventKind::Recording,
            leg: None,
            end: None,
            talk_secs: None,
            ..event
        };
        (recorded.started_at, recorded.answered_at, recorded.ended_at) = (None, None, None);
        recorded.recording = Some(recording(body, &call)?);
        let key = recorded
            .recording
            .as_ref()
            .map(|recording| recording.key.clone())
            .unwrap_or_default();
        events.push(push.event(&["recording", &call, &key], at, recorded));
    }
    Ok(events)
}

fn event_name(kind: CallEventKind) -> &'static str {
    match kind {
        CallEventKind::Started => "started",
        CallEventKind::Queued => "queued",
        CallEventKind::Ringing => "ringing",
        CallEventKind::Answered => "answered",
        CallEventKind::LegEnded => "leg_ended",
        CallEventKind::Ended => "ended",
        CallEventKind::Recording => "recording",
        CallEventKind::Transcript => "transcript",
        CallEventKind::Linked => "linked",
    }
}

fn time(body: &Value, name: &str) -> Result<Option<DateTime<Utc>>, Rejection> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(_)) => Ok(text(body, &format!("/{name}")).and_then(|text| push::unix(&text))),
        Some(_) => push::moment(body, &format!("/{name}"))
            .map(Some)
            .ok_or_else(|| wrong(name, "is a time in RFC 3339")),
    }
}

fn direction(body: &Value) -> Result<Option<CallDirection>, Rejection> {
    match text(body, "/direction").as_deref() {
        None => Ok(None),
        Some("inbound" | "incoming" | "in") => Ok(Some(CallDirection::Inbound)),
        Some("outbound" | "outgoing" | "out") => Ok(Some(CallDirection::Outbound)),
        Some("internal") => Ok(Some(CallDirection::Internal)),
        Some(_) => Err(wrong("direction", "is inbound, outbound or internal")),
    }
}

fn end(body: &Value) -> Result<Option<CallEnd>, Rejection> {
    Ok(Some(match text(body, "/disposition").as_deref() {
        None => return Ok(None),
        Some("answered") => CallEnd::Answered,
        Some("missed" | "no_answer" | "no-answer" | "no answer") => CallEnd::NoAnswer,
        Some("busy") => CallEnd::Busy,
        Some("canceled" | "cancelled") => CallEnd::Canceled,
        Some("rejected") => CallEnd::Rejected,
        Some("failed") => CallEnd::Failed,
        Some("voicemail") => CallEnd::Voicemail,
        Some(_) => {
            return Err(wrong(
                "disposition",
                "is answered, missed, voicemail, busy, failed, canceled or rejected",
            ));
        }
    }))
}

/// Who is at the ends. `from` and `to` are as the network has them: inbound the client is `from`, outbound `to`.
fn parties(push: &Push<'_>, body: &Value, event: &mut CallEvent) {
    let (from, to) = (text(body, "/from"), text(body, "/to"));
    let rules = push.rules;
    event.from = from.as_deref().map(|from| rules.party(from, Written::Either));
    if body
        .get("from")
        .is_some_and(|from| from.is_null() || from.as_str() == Some(""))
    {
        event.from = Some(switchboard_sdk::CallParty::default());
    }
    event.to = to.as_deref().map(|to| rules.party(to, Written::Either));
    let own = match event.direction {
        Some(CallDirection::Outbound) => from.as_deref(),
        Some(CallDirection::Internal) => None,
        _ => to.as_deref(),
    };
    let named = text(body, "/own_number");
    event.own_number = named
        .as_deref()
        .or(own)
        .and_then(|own| rules.own(own, Written::Either));
    if let Some(operator) = text(body, "/operator").or_else(|| text(body, "/extension")) {
        let extension = rules.said_extension(&operator);
        event.leg = extension.map(|extension| CallLeg {
            key: text(body, "/leg_id").map_or_else(|| extension.clone(), std::borrow::Cow::into_owned),
            role: LegRole::Operator,
            extension: Some(extension),
        });
    }
}

fn recording(body: &Value, call: &str) -> Result<CallRecording, Rejection> {
    let url = text(body, "/recording_url").ok_or_else(|| wrong("recording_url", "is required"))?;
    if !(url.starts_with("https://") || url.starts_with("http://")) || url.len() > 2000 {
        return Err(wrong(
            "recording_url",
            "is an address that begins with https:// or http://",
        ));
    }
    let voicemail = text(body, "/disposition").as_deref() == Some("voicemail");
    Ok(CallRecording {
        key: text(body, "/recording_id").map_or_else(
            || push::external_id(&[call, &proof::sha256_hex(&[url.as_bytes()])]),
            std::borrow::Cow::into_owned,
        ),
        url: Some(url.into_owned()),
        kind: if voicemail {
            RecordingKind::Voicemail
        } else {
            RecordingKind::Conversation
        },
        secs: push::secs(body, "/recording_secs"),
        expires_at: time(body, "recording_expires_at")?,
        ..CallRecording::default()
    })
}
