//! Asterisk and FreePBX: a script posts what the dialplan knows; the manager interface is in `ami`.

use serde_json::Value;
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallRecording, HookAddress, InboundEvent,
    LegRole, Rejection, RouteQuestion,
};

use super::{Bodies, Dialect, Proof, address, generic, token};
use crate::{
    number::{self, Written},
    proof,
    push::{Push, secs, text},
    settings::Secret,
};

/// With its token, and where recordings are.
pub struct Asterisk {
    pub token: Secret,
    pub recordings: Option<String>,
}

impl Dialect for Asterisk {
    fn bodies(&self) -> Bodies {
        Bodies::Json
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        token::verify(push, &self.token)
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if !push.is_post() {
            return Ok(Vec::new());
        }
        let body = push.json()?;
        if text(&body, "/linkedid").is_none() {
            return generic::events(push, &body);
        }
        Ok(events(push, &body, self.recordings.as_deref()))
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        generic::question(push)
    }

    fn is_outside(&self) -> bool {
        false
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address(
                "SWITCHBOARD_URL of the script (docs/voip.md)",
                "POST",
                hook.to_owned(),
            ),
            address(
                "Who should get a caller (add ?from=…&to=…)",
                "GET",
                format!("{hook}/route"),
            ),
        ]
    }

    fn missing(&self) -> Vec<&'static str> {
        if self.recordings.is_none() {
            vec![
                "Recordings are fetched when the script names an address, or when api_url says where /monitor is served.",
            ]
        } else {
            Vec::new()
        }
    }
}

/// `ANSWERED` of a call record, `ANSWER` of a dial.
pub fn end(word: &str) -> Option<CallEnd> {
    Some(match word.trim().to_ascii_uppercase().replace(' ', "").as_str() {
        "ANSWERED" | "ANSWER" => CallEnd::Answered,
        "NOANSWER" => CallEnd::NoAnswer,
        "BUSY" => CallEnd::Busy,
        "CANCEL" => CallEnd::Canceled,
        "DONTCALL" | "TORTURE" | "REJECTED" => CallEnd::Rejected,
        "CHANUNAVAIL" | "CONGESTION" | "FAILED" | "INVALIDARGS" => CallEnd::Failed,
        "VOICEMAIL" => CallEnd::Voicemail,
        _ => return None,
    })
}

fn events(push: &Push<'_>, body: &Value, recordings: Option<&str>) -> Vec<InboundEvent> {
    let said = |name: &str| text(body, &format!("/{name}"));
    let time = |name: &str| {
        said(name).and_then(|text| {
            crate::push::unix(&text)
                .filter(|_| !text.contains(['-', ':']))
                .or_else(|| push.rules.local_time(&text))
        })
    };
    let rules = push.rules;
    let word = said("event").unwrap_or_default();
    let mut event = CallEvent {
        call: said("linkedid").map(|id| number::clean(&id)).unwrap_or_default(),
        caller_name: said("caller_name")
            .map(|name| number::clean(&name))
            .filter(|name| !number::is_hidden(name)),
        ..CallEvent::default()
    };
    event.kind = match word.as_ref() {
        "started" => CallEventKind::Started,
        "queued" => CallEventKind::Queued,
        "ringing" => CallEventKind::Ringing,
        "answered" => CallEventKind::Answered,
        "leg_ended" => CallEventKind::LegEnded,
        "ended" => CallEventKind::Ended,
        "recording" => CallEventKind::Recording,
        other => return vec![push.unknown(format!("the event {:?} is not known", number::clean(other)))],
    };
    let extension = said("agent_ext").and_then(|raw| rules.said_extension(&channel_name(&raw)));
    let from = said("from").map(|raw| rules.party(&raw, Written::Either));
    let to = said("to").map(|raw| rules.party(&raw, Written::Either));
    event.direction = match said("direction").as_deref() {
        Some("inbound" | "in") => Some(CallDirection::Inbound),
        Some("outbound" | "out") => Some(CallDirection::Outbound),
        Some("internal") => Some(CallDirection::Internal),
        _ => from.as_ref().map(|from| {
            rules.direction(
                from,
                to.as_ref().unwrap_or(&switchboard_sdk::CallParty::default()),
            )
        }),
    };
    (event.from, event.to) = (from, to);
    event.own_number = said("did").and_then(|did| rules.own(&did, Written::Either));
    event.started_at = time("start");
    event.answered_at = time("answer").filter(|_| {
        matches!(event.kind, CallEventKind::Answered | CallEventKind::Ended) && extension.is_some()
    });
    event.ended_at = time("end").filter(|_| event.kind == CallEventKind::Ended);
    event.talk_secs = secs(body, "/billsec").filter(|secs| *secs > 0 && extension.is_some());
    let disposition = said("disposition");
    // A robot and a mailbox are "ANSWERED" too: only with an operator did people talk.
    event.end = disposition
        .as_deref()
        .and_then(end)
        .filter(|end| *end != CallEnd::Answered || extension.is_some());
    event.cause = disposition.map(|cause| number::clean(&cause));
    let unique = said("uniqueid").map(|id| number::clean(&id)).unwrap_or_default();
    event.leg = extension.clone().map(|extension| CallLeg {
        key: if unique.is_empty() || unique == event.call {
            extension.clone()
        } else {
            unique.clone()
        },
        role: LegRole::Operator,
        extension: Some(extension),
    });
    let call = event.call.clone();
    let recording = recording(body, &call, recordings);
    let moment = match event.kind {
        CallEventKind::Ended => event.ended_at,
        CallEventKind::Started => event.started_at,
        _ => None,
    };
    let at = time("at").or(moment);
    if event.kind == CallEventKind::Recording {
        let Some(recording) = recording else {
            return vec![push.unknown("the recording has neither an address nor a known place")];
        };
        return vec![recorded(push, &call, recording)];
    }
    let content = proof::sha256_hex(&[push.body()]);
    let key = [
        "event",
        &call,
        &word,
        &unique,
        content.get(..32).unwrap_or_default(),
    ];
    let mut events = vec![push.event(&key, at, event)];
    events.extend(recording.map(|recording| recorded(push, &call, recording)));
    events
}

/// `101` of `PJSIP/101-0000002a`.
pub fn channel_name(channel: &str) -> String {
    let Some((technology, rest)) = channel.split_once('/') else {
        return channel.to_owned();
    };
    if technology.contains(['@', ':']) {
        return channel.to_owned();
    }
    let name = rest.rsplit_once('-').map_or(rest, |(name, _)| name);
    name.split('@').next().unwrap_or(name).to_owned()
}

fn recording(body: &Value, call: &str, base: Option<&str>) -> Option<CallRecording> {
    let url = match text(body, "/recording_url") {
        Some(url) => url.into_owned(),
        None => {
            let path = text(body, "/recording_path")?;
            let inside = path
                .rsplit_once("/monitor/")
                .map_or(path.as_ref(), |(_, inside)| inside);
            let parts: Vec<String> = inside
                .split('/')
                .filter(|part| !part.is_empty() && *part != "." && *part != "..")
                .map(|part| {
                    url::form_urlencoded::byte_serialize(part.as_bytes())
                        .collect::<String>()
                        .replace('+', "%20")
                })
                .collect();
            format!("{}/{}", base?, parts.join("/"))
        }
    };
    Some(CallRecording {
        key: crate::push::external_id(&[call, &proof::sha256_hex(&[url.as_bytes()])]),
        url: Some(url),
        ..CallRecording::default()
    })
}

fn recorded(push: &Push<'_>, call: &str, recording: CallRecording) -> InboundEvent {
    let key = recording.key.clone();
    let event = CallEvent {
        call: call.to_owned(),
        kind: CallEventKind::Recording,
        recording: Some(recording),
        ..CallEvent::default()
    };
    push.event(&["recording", &key], None, event)
}
