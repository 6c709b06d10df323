//! Telnyx Call Control: Ed25519 over time and body; a session has legs, and order is nowhere promised.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallParty, CallRecording, HookAddress,
    HttpRequest, InboundEvent, LegRole, PartyKind, RecordingState, Rejection, RouteQuestion,
};

use super::{
    Bodies, Dial, Dialect, Proof, address, generic, stranger,
    telnyx_commands::{self, Commands},
};
use crate::{
    number::{self, Written},
    proof,
    push::{self, Push, moment, text},
    settings::Secret,
    window,
};

const SIGNATURE: &str = "telnyx-signature-ed25519";
const TIMESTAMP: &str = "telnyx-timestamp";
/// How long the addresses of a recording work.
const URL_LIVES: TimeDelta = TimeDelta::minutes(10);

/// With the account's public keys.
pub struct Telnyx {
    pub public_key: Secret,
    pub commands: Option<Commands>,
}

impl Dialect for Telnyx {
    fn bodies(&self) -> Bodies {
        Bodies::Json
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        let header = |name: &str| {
            push.header(name)
                .ok_or_else(|| stranger(format!("the header {name} is missing")))
        };
        let (signature, timestamp) = (header(SIGNATURE)?, header(TIMESTAMP)?);
        window::seconds(timestamp, push.now).map_err(|why| stranger(format!("{TIMESTAMP} {why}")))?;
        let message = [timestamp.as_bytes(), b"|", push.body()].concat();
        let keys = self.public_key.all().filter_map(proof::ed25519_key);
        if keys.fold(false, |good, key| {
            good | proof::ed25519(&key, &message, signature)
        }) {
            Ok(Proof::default())
        } else {
            Err(stranger(format!(
                "{SIGNATURE} does not fit: the public key is that of another account, or the body was changed on its way"
            )))
        }
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        let body = push.json()?;
        Ok(event(push, &body))
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        let body = push.json().ok()?;
        match text(&body, "/data/payload/from") {
            Some(from) => Some(RouteQuestion {
                from: push.rules.party(&from, Written::Either),
                own_number: text(&body, "/data/payload/to")
                    .and_then(|to| push.rules.own(&to, Written::Either)),
            }),
            None => generic::question(push),
        }
    }

    fn missing(&self) -> Vec<&'static str> {
        if self.commands.is_some() {
            return Vec::new();
        }
        vec!["Without an API key and the application id, clients cannot be called back by a click."]
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        Some(self.commands.as_ref()?.dial(dial))
    }

    fn next_step(&self, push: &Push<'_>) -> Option<Result<HttpRequest, String>> {
        let body = push.json().ok()?;
        self.commands.as_ref()?.next(&body)
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![address(
            "Voice API application: Send a webhook to the URL (API version 2)",
            "POST",
            hook.to_owned(),
        )]
    }
}

fn event(push: &Push<'_>, body: &Value) -> Vec<InboundEvent> {
    let payload = body.pointer("/data/payload").unwrap_or(&Value::Null);
    let (Some(kind), Some(id)) = (text(body, "/data/event_type"), text(body, "/data/id")) else {
        return vec![
            push.unknown(
                "this is no event of Telnyx's API version 2: choose it in the application's settings",
            ),
        ];
    };
    let Some(call) = text(payload, "/call_session_id") else {
        return match kind.starts_with("call.") {
            true => vec![push.unknown(format!("{kind} names no call (call_session_id)"))],
            false => vec![push.unknown(format!("{kind} is not about a call"))],
        };
    };
    let report = Report { push, payload };
    let at = moment(body, "/data/occurred_at");
    let mut event = CallEvent {
        call: number::clean(&call),
        caller_name: text(payload, "/caller_id_name")
            .map(|name| number::clean(&name))
            .filter(|name| !name.is_empty()),
        ..CallEvent::default()
    };
    let leg = report.leg();
    let inbound = leg.as_ref().is_some_and(|leg| leg.role == LegRole::Client) && !report.is_outgoing();
    let operator = leg.as_ref().is_some_and(|leg| leg.role == LegRole::Operator);
    match kind.as_ref() {
        "call.initiated" if inbound => event.kind = CallEventKind::Started,
        "call.initiated" => event.kind = CallEventKind::Ringing,
        // Inbound, the application itself picks up; an operator's telephone may be picked up by a greeting.
        "call.answered" if inbound || operator => event.kind = CallEventKind::Linked,
        "call.answered" => event.kind = CallEventKind::Answered,
        "call.bridged" => event.kind = CallEventKind::Answered,
        "call.enqueued" => event.kind = CallEventKind::Queued,
        "call.dequeued" => event.kind = CallEventKind::Linked,
        "call.hangup" => {
            event.kind = if operator {
                CallEventKind::LegEnded
            } else {
                CallEventKind::Ended
            };
            event.end = text(payload, "/hangup_cause").and_then(|cause| end(&cause));
            event.cause = text(payload, "/hangup_cause").map(|cause| number::clean(&cause));
            event.ended_at = moment(payload, "/end_time").filter(|_| !operator);
        }
        "call.recording.saved" => {
            event.kind = CallEventKind::Recording;
            event.recording = Some(recording(payload, &id, at.unwrap_or(push.now)));
        }
        "call.recording.error" => {
            event.kind = CallEventKind::Recording;
            let key = text(payload, "/recording_id").unwrap_or_else(|| id.clone());
            event.recording = Some(CallRecording {
                key: key.into_owned(),
                state: RecordingState::Absent,
                ..CallRecording::default()
            });
        }
        "call.recording.transcription.saved" => {
            let Some(words) = text(payload, "/transcription_text") else {
                return Vec::new();
            };
            event.kind = CallEventKind::Transcript;
            event.transcript = Some(words.into_owned());
        }
        // Robots that speak, keys that are pressed, what it costs: nothing that a call is folded from.
        known if MINOR.iter().any(|minor| known.starts_with(minor)) => return Vec::new(),
        other => return vec![push.unknown(format!("the event {other:?} is not known"))],
    }
    if !matches!(event.kind, CallEventKind::Recording | CallEventKind::Transcript) {
        report.ends(&mut event, leg);
    }
    vec![push.event(&["event", &id], at, event)]
}

const MINOR: [&str; 19] = [
    "call.machine.",
    "call.dtmf.",
    "call.playback.",
    "call.speak.",
    "call.gather.",
    "call.ai_gather.",
    "call.fork.",
    "call.streaming.",
    "call.refer.",
    "call.siprec.",
    "call.cost",
    "call.transcription",
    "call.conversation",
    "call.hold",
    "call.unhold",
    "call.deepfake_detection.",
    "call.enhanced_",
    "conference.",
    "call.client_state",
];

fn end(cause: &str) -> Option<CallEnd> {
    Some(match cause {
        // Robots hang up normally, too.
        "normal_clearing" | "time_limit" => return None,
        "originator_cancel" => CallEnd::Canceled,
        "timeout" | "no_answer" => CallEnd::NoAnswer,
        "user_busy" => CallEnd::Busy,
        "call_rejected" => CallEnd::Rejected,
        _ => CallEnd::Failed,
    })
}

fn recording(payload: &Value, id: &str, at: DateTime<Utc>) -> CallRecording {
    let address = |pointer: &str| text(payload, pointer).map(std::borrow::Cow::into_owned);
    let lasting = address("/public_recording_urls/mp3").or_else(|| address("/public_recording_urls/wav"));
    let url = lasting
        .clone()
        .or_else(|| address("/recording_urls/mp3"))
        .or_else(|| address("/recording_urls/wav"));
    let secs = match (
        moment(payload, "/recording_started_at"),
        moment(payload, "/recording_ended_at"),
    ) {
        (Some(from), Some(to)) => u32::try_from((to - from).num_seconds()).ok(),
        _ => None,
    };
    CallRecording {
        key: text(payload, "/recording_id").map_or_else(|| id.to_owned(), std::borrow::Cow::into_owned),
        state: if url.is_some() {
            RecordingState::Ready
        } else {
            RecordingState::Absent
        },
        expires_at: (url.is_some() && lasting.is_none()).then_some(at + URL_LIVES),
        url,
        secs,
        ..CallRecording::default()
    }
}

struct Report<'a> {
    push: &'a Push<'a>,
    payload: &'a Value,
}

impl Report<'_> {
    fn is_outgoing(&self) -> bool {
        text(self.payload, "/direction").as_deref() == Some("outgoing")
    }

    fn party(&self, name: &str) -> Option<CallParty> {
        let raw = text(self.payload, &format!("/{name}"))?;
        Some(self.push.rules.party(&raw, Written::Either))
    }

    /// Whose telephone this leg is. One that goes out to a number of the public network that is no operator's is
    /// a client's.
    fn leg(&self) -> Option<CallLeg> {
        let key = text(self.payload, "/call_leg_id").or_else(|| text(self.payload, "/call_control_id"))?;
        let to = self.party("to");
        let direction = text(self.payload, "/direction");
        let role = match (direction.as_deref(), to.as_ref().map(|to| to.kind)) {
            (Some("incoming"), _) => LegRole::Client,
            (_, Some(PartyKind::Number)) if self.is_outgoing() => LegRole::Client,
            (_, Some(PartyKind::Extension | PartyKind::Sip | PartyKind::Client)) => LegRole::Operator,
            _ => LegRole::Other,
        };
        let extension = (role == LegRole::Operator)
            .then(|| self.push.rules.said_extension(&text(self.payload, "/to")?))
            .flatten();
        Some(CallLeg {
            key: key.into_owned(),
            role,
            extension,
        })
    }

    fn ends(&self, event: &mut CallEvent, leg: Option<CallLeg>) {
        let rules = self.push.rules;
        // A click: the operator's telephone rings first, and the call is the client's from the beginning.
        if let Some((to, from)) = telnyx_commands::clicked(self.payload) {
            event.direction = Some(CallDirection::Outbound);
            event.to = Some(rules.party(&to, Written::Either));
            event.from = Some(rules.party(&from, Written::Either));
            event.own_number = rules.own(&from, Written::Either);
        }
        if let Some(leg) = &leg
            && leg.role == LegRole::Client
        {
            let outgoing = self.is_outgoing();
            event.direction = Some(if outgoing {
                CallDirection::Outbound
            } else {
                CallDirection::Inbound
            });
            (event.from, event.to) = (self.party("from"), self.party("to"));
            let own = if outgoing { "/from" } else { "/to" };
            event.own_number = text(self.payload, own).and_then(|own| rules.own(&own, Written::Either));
            if event.kind == CallEventKind::Started {
                event.started_at = moment(self.payload, "/start_time");
            }
        }
        event.leg = leg;
        if event.kind == CallEventKind::Queued {
            event.leg = Some(CallLeg {
                key: text(self.payload, "/queue")
                    .map_or_else(|| "queue".to_owned(), |queue| number::clean(&queue)),
                role: LegRole::Queue,
                extension: None,
            });
        }
        event.ring_secs = push::secs(self.payload, "/ring_secs");
    }
}
