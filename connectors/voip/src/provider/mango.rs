//! Mango Office: one text of JSON in a form is signed; an entry has many calls.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header;
use serde_json::{Value, json};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallRecording, Fault, HookAddress, Http,
    HttpRequest, InboundEvent, LegRole, RecordingState, Rejection,
};

use super::{Bodies, Dial, Dialect, Proof, address, get, stranger};
use crate::{
    number::{self, Written},
    proof,
    push::{Push, text, unix},
    settings::Secret,
};

/// How long a link to a recording works, in seconds.
const LIFETIME: i64 = 3600;

/// With its secrets.
pub struct Mango {
    pub api_key: Secret,
    pub salt: Secret,
    pub api: String,
}

impl Mango {
    fn sign(key: &str, middle: &str, salt: &str) -> String {
        proof::sha256_hex(&[key.as_bytes(), middle.as_bytes(), salt.as_bytes()])
    }
}

/// Mango adds paths to the address it is given: what a request is about is told by its end.
fn is_about(push: &Push<'_>, what: &str) -> bool {
    let path = push.rest.trim_end_matches('/');
    path == what
        || path
            .strip_suffix(what)
            .is_some_and(|before| before.ends_with('/'))
}

#[async_trait]
impl Dialect for Mango {
    fn bodies(&self) -> Bodies {
        Bodies::Form
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        // Says nothing and gets nothing.
        if is_about(push, "ping") {
            return Ok(Proof::default());
        }
        let form = push.form(false)?;
        let (key, sign, json) = (form.raw("vpbx_api_key"), form.raw("sign"), form.raw("json"));
        if sign.is_empty() {
            return Err(stranger("the field sign is missing"));
        }
        let mut good = false;
        for known in self.api_key.all() {
            for salt in self.salt.all() {
                good |= proof::same(key, known) & proof::same(sign, &Self::sign(known, json, salt));
            }
        }
        if good {
            Ok(Proof::default())
        } else {
            Err(stranger(
                "the field sign does not fit: look at the unique code and the key for the signature",
            ))
        }
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if is_about(push, "ping") {
            return Ok(Vec::new());
        }
        let form = push.form(false)?;
        let body: Value = serde_json::from_str(form.raw("json"))
            .map_err(|error| Rejection::Malformed(format!("the field json is not JSON: {error}")))?;
        let report = Report { push, body: &body };
        if is_about(push, "events/call") {
            return Ok(report.call());
        }
        if is_about(push, "events/summary") {
            return Ok(report.summary());
        }
        if is_about(push, "events/recording") {
            return Ok(report.recording(None));
        }
        if is_about(push, "events/record/added") {
            return Ok(report.recording(Some(RecordingState::Ready)));
        }
        // Keys that were pressed, and what became of what others asked for.
        if is_about(push, "events/dtmf") || push.rest.split('/').any(|part| part == "result") {
            return Ok(Vec::new());
        }
        Ok(vec![push.unknown(format!(
            "nothing is known of Mango's /{}",
            number::clean(&push.rest)
        ))])
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![address(
            "API connector: Address of the external system (Mango adds /events/call and so on)",
            "POST",
            hook.to_owned(),
        )]
    }

    async fn recording(
        &self,
        recording: &CallRecording,
        _: &dyn Http,
        now: DateTime<Utc>,
    ) -> Result<HttpRequest, Fault> {
        let (Some(key), Some(salt)) = (self.api_key.first(), self.salt.first()) else {
            return Err(Fault::permanent("recordings of Mango need its key and salt"));
        };
        let expires = (now.timestamp() + LIFETIME).to_string();
        let sign = Self::sign(key, &format!("{expires}{}", recording.key), salt);
        // An id is put into a path.
        let id: String = url::form_urlencoded::byte_serialize(recording.key.as_bytes()).collect();
        get(&format!(
            "{}/vpbx/queries/recording/link/{id}/download/{key}/{expires}/{sign}",
            self.api
        ))
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        let (key, salt) = (self.api_key.first()?, self.salt.first()?);
        let mut command = json!({
            "command_id": dial.id,
            "from": {"extension": dial.extension},
            "to_number": dial.number.trim_start_matches('+'),
        });
        if let (Some(own), Some(command)) = (dial.rules.caller_id.as_deref(), command.as_object_mut()) {
            command.insert("line_number".to_owned(), json!(own.trim_start_matches('+')));
        }
        let command = command.to_string();
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("vpbx_api_key", key)
            .append_pair("sign", &Self::sign(key, &command, salt))
            .append_pair("json", &command);
        let request = http::Request::post(format!("{}/vpbx/commands/callback", self.api))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body.finish()));
        Some(request.map_err(|_| "the address of Mango's interface is none".to_owned()))
    }

    fn dialled(&self, answer: &[u8]) -> Result<(), String> {
        let said: Value = serde_json::from_slice(answer).unwrap_or(Value::Null);
        match text(&said, "/result").as_deref() {
            None | Some("1000") => Ok(()),
            Some(code) => Err(format!("Mango refused with the code {}", number::clean(code))),
        }
    }
}

struct Report<'a> {
    push: &'a Push<'a>,
    body: &'a Value,
}

impl Report<'_> {
    fn begun(&self) -> Option<CallEvent> {
        let entry = text(self.body, "/entry_id")?;
        Some(CallEvent {
            call: number::clean(&entry),
            ..CallEvent::default()
        })
    }

    fn nameless(&self) -> Vec<InboundEvent> {
        vec![self.push.unknown("Mango names no call (entry_id)")]
    }

    /// Direction, both ends and the own number, from who has an extension.
    fn ends(&self, event: &mut CallEvent, direction: Option<CallDirection>) {
        let rules = self.push.rules;
        let said = |pointer: &str| text(self.body, pointer);
        let (from_ext, to_ext) = (said("/from/extension"), said("/to/extension"));
        let direction = direction.unwrap_or(match (&from_ext, &to_ext, said("/from/number").is_some()) {
            (Some(_), Some(_), _) => CallDirection::Internal,
            (Some(_), None, _) => CallDirection::Outbound,
            _ => CallDirection::Inbound,
        });
        event.direction = Some(direction);
        let number = |pointer: &str| said(pointer).map(|raw| rules.party(&raw, Written::International));
        let own = said("/line_number")
            .or_else(|| said("/to/line_number"))
            .or_else(|| said("/from/line_number"))
            .or_else(|| said("/dct/number"));
        event.own_number = own.and_then(|own| rules.own(&own, Written::International));
        match direction {
            CallDirection::Outbound => event.to = number("/to/number"),
            _ => event.from = Some(number("/from/number").unwrap_or_default()),
        }
    }

    fn extension(&self, direction: Option<CallDirection>) -> Option<String> {
        let pointer = if direction == Some(CallDirection::Outbound) {
            "/from/extension"
        } else {
            "/to/extension"
        };
        self.push.rules.said_extension(&text(self.body, pointer)?)
    }

    fn call(&self) -> Vec<InboundEvent> {
        let (Some(mut event), Some(call)) = (self.begun(), text(self.body, "/call_id")) else {
            return self.nameless();
        };
        let sequence = text(self.body, "/seq").unwrap_or_default();
        let state = text(self.body, "/call_state").unwrap_or_default();
        let location = text(self.body, "/location").unwrap_or_default();
        self.ends(&mut event, None);
        let outbound = event.direction == Some(CallDirection::Outbound);
        event.kind = match (state.as_ref(), location.as_ref()) {
            ("Appeared", "abonent") => CallEventKind::Ringing,
            ("Appeared" | "Connected", "queue") => CallEventKind::Queued,
            // A robot: only at "abonent" is a person.
            ("Appeared" | "Connected", "ivr") => CallEventKind::Started,
            ("Connected", "abonent") => CallEventKind::Answered,
            ("Appeared" | "Connected", _) => CallEventKind::Started,
            ("OnHold", _) => CallEventKind::Linked,
            ("Disconnected", _) => CallEventKind::LegEnded,
            (other, _) => {
                return vec![
                    self.push
                        .unknown(format!("Mango's call_state {other:?} is not known")),
                ];
            }
        };
        let extension = self.extension(event.direction);
        let role = match location.as_ref() {
            "ivr" => LegRole::Ivr,
            "queue" => LegRole::Queue,
            "abonent" if outbound && extension.is_none() => LegRole::Client,
            "abonent" => LegRole::Operator,
            _ => LegRole::Other,
        };
        event.leg = Some(CallLeg {
            key: number::clean(&call),
            role,
            extension: extension.filter(|_| role == LegRole::Operator),
        });
        event.sequence = sequence.parse().ok();
        event.cause = text(self.body, "/disconnect_reason")
            .map(|cause| number::clean(&cause))
            .filter(|cause| cause != "0");
        let at = text(self.body, "/timestamp").and_then(|secs| unix(&secs));
        let entry = event.call.clone();
        vec![self.push.event(&["call", &entry, &call, &sequence], at, event)]
    }

    fn summary(&self) -> Vec<InboundEvent> {
        let Some(mut event) = self.begun() else {
            return self.nameless();
        };
        let direction = match text(self.body, "/call_direction").as_deref() {
            Some("1") => Some(CallDirection::Inbound),
            Some("2") => Some(CallDirection::Outbound),
            Some("0") => Some(CallDirection::Internal),
            _ => None,
        };
        self.ends(&mut event, direction);
        let time = |name: &str| text(self.body, &format!("/{name}")).and_then(|secs| unix(&secs));
        let (talk, end) = (time("talk_time"), time("end_time"));
        event.kind = CallEventKind::Ended;
        (event.started_at, event.answered_at, event.ended_at) = (time("create_time"), talk, end);
        event.talk_secs = talk
            .zip(end)
            .and_then(|(talk, end)| u32::try_from((end - talk).num_seconds()).ok());
        event.end = Some(if talk.is_some() {
            CallEnd::Answered
        } else {
            CallEnd::NoAnswer
        });
        event.cause = text(self.body, "/disconnect_reason").map(|cause| number::clean(&cause));
        event.leg = self.extension(event.direction).map(|extension| CallLeg {
            key: extension.clone(),
            role: LegRole::Operator,
            extension: Some(extension),
        });
        let entry = event.call.clone();
        vec![self.push.event(&["summary", &entry], end, event)]
    }

    fn recording(&self, known: Option<RecordingState>) -> Vec<InboundEvent> {
        let Some(key) = text(self.body, "/recording_id") else {
            return vec![self.push.unknown("Mango names no recording (recording_id)")];
        };
        // Without an entry it is kept by its leg, and attached when that is told of.
        let call = text(self.body, "/entry_id").or_else(|| text(self.body, "/call_id"));
        let Some(call) = call else { return self.nameless() };
        let word = text(self.body, "/recording_state").unwrap_or_default();
        let state = known.unwrap_or(match word.as_ref() {
            "Completed" => RecordingState::Ready,
            _ => RecordingState::Announced,
        });
        let event = CallEvent {
            call: number::clean(&call),
            kind: CallEventKind::Recording,
            recording: Some(CallRecording {
                key: number::clean(&key),
                state,
                ..CallRecording::default()
            }),
            ..CallEvent::default()
        };
        let at = text(self.body, "/timestamp").and_then(|secs| unix(&secs));
        let word = if state == RecordingState::Ready {
            "Completed"
        } else {
            word.as_ref()
        };
        vec![self.push.event(&["recording", &key, word], at, event)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formulas_vector_holds() {
        assert_eq!(
            Mango::sign("key", r#"{"a":1}"#, "salt"),
            "0a14249b7c9fe83386698debbe9dd7e4a3c0adca8a825e1b5b6d2ed4dfb58f00"
        );
    }
}
