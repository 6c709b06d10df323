//! 3CX: its CRM integration tells of a call once it is over, once for each operator who had a part in it.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header;
use serde_json::Value;
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, HookAddress, HttpRequest, InboundEvent,
    LegRole, PartyKind, Rejection, RouteAnswer, RouteQuestion, WebhookResponse,
};

use super::{Bodies, Dial, Dialect, Proof, address, generic, json, post_json, stranger, token};
use crate::{
    number::{self, Written},
    proof,
    push::{Params, Push, text, whole},
    settings::Secret,
};

/// With its token.
pub struct ThreeCx {
    pub token: Secret,
    pub client_id: Secret,
    pub client_secret: Secret,
    /// The PBX's own address (`https://pbx.example`), without which it cannot be asked anything.
    pub api: Option<String>,
}

impl Dialect for ThreeCx {
    fn bodies(&self) -> Bodies {
        Bodies::Any
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        token::verify(push, &self.token)
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        // A lookup is a question.
        if !push.is_post() || push.rest.split('/').any(|part| part == "route") {
            return Ok(Vec::new());
        }
        if push.body().is_empty() {
            return Err(stranger("there is nothing in it"));
        }
        let said = Said::read(push)?;
        Ok(report(push, &said))
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        generic::question(push)
    }

    fn answer(&self, _: &Push<'_>, answer: &RouteAnswer) -> WebhookResponse {
        let mut value = super::generic_answer(answer);
        // What the template's lookup reads.
        if let (Some(fields), Some(name)) = (value.as_object_mut(), &answer.caller_name) {
            fields.insert("contacts".to_owned(), serde_json::json!([{"name": name}]));
        }
        json(&value)
    }

    fn is_outside(&self) -> bool {
        false
    }

    fn sign_in(&self) -> Option<HttpRequest> {
        let (api, id, secret) = (
            self.api.as_deref()?,
            self.client_id.first()?,
            self.client_secret.first()?,
        );
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", id)
            .append_pair("client_secret", secret);
        http::Request::post(format!("{api}/connect/token"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body.finish()))
            .ok()
    }

    /// Call Control API of version 20: it rings the telephones of the extension, then the number. The client is shown
    /// what the PBX's outbound rules say.
    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        self.sign_in()?;
        let api = self.api.as_deref()?;
        let own = dial.extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !own {
            return Some(Err(format!("{} is no extension of 3CX", dial.extension)));
        }
        Some(post_json(
            &format!("{api}/callcontrol/{}/makecall", dial.extension),
            &format!("Bearer {}", dial.ticket),
            &serde_json::json!({"reason": "None", "destination": dial.number, "timeout": 30}),
        ))
    }

    fn dialled(&self, answer: &[u8]) -> Result<(), String> {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        match text(&answer, "/finalstatus") {
            Some(status) if !status.eq_ignore_ascii_case("success") => Err(text(&answer, "/reasontext")
                .or_else(|| text(&answer, "/reason"))
                .map_or_else(
                    || format!("3CX says {}", number::clean(&status)),
                    |why| number::clean(&why),
                )),
            _ => Ok(()),
        }
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![address(
            "Server of the CRM template (connectors/voip/examples/3cx/switchboard.xml)",
            "POST",
            hook.to_owned(),
        )]
    }
}

/// The fields by their names in small letters without underscores; a variable nobody filled is nothing.
struct Said(Params);

impl Said {
    fn read(push: &Push<'_>) -> Result<Self, Rejection> {
        let fields = if push.media_type().as_deref() == Some("application/x-www-form-urlencoded") {
            push.form(false)?.0
        } else {
            let body = push.json()?;
            let Some(fields) = body.as_object() else {
                return Err(Rejection::Malformed("the body is no object".to_owned()));
            };
            let plain =
                |value: &Value| text(&serde_json::json!([value]), "/0").map(std::borrow::Cow::into_owned);
            fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), plain(value)?)))
                .collect()
        };
        let tidy = |name: String| name.to_ascii_lowercase().replace(['_', '-'], "");
        Ok(Self(Params(
            fields
                .into_iter()
                .map(|(name, value)| (tidy(name), value))
                .filter(|(_, value)| !is_variable(value))
                .collect(),
        )))
    }

    fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(name))
    }
}

/// `[Name]`: the template's word where 3CX had no value.
fn is_variable(text: &str) -> bool {
    let inner = text
        .trim()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

fn report(push: &Push<'_>, said: &Said) -> Vec<InboundEvent> {
    let Some(kind) = said.get(&["calltype", "type"]) else {
        return vec![push.unknown("3CX says nothing of the kind of call (call_type)")];
    };
    let (direction, answered) = match kind.to_ascii_lowercase().as_str() {
        "inbound" => (CallDirection::Inbound, true),
        "missed" => (CallDirection::Inbound, false),
        "outbound" => (CallDirection::Outbound, true),
        "notanswered" => (CallDirection::Outbound, false),
        _ => return vec![push.unknown(format!("the kind of call {:?} is not known", number::clean(kind)))],
    };
    let rules = push.rules;
    let client = rules.party(
        said.get(&["number", "from", "callernumber"]).unwrap_or_default(),
        Written::Either,
    );
    let agent = said
        .get(&["agent", "agentextension", "extension"])
        .and_then(|raw| rules.said_extension(raw));
    let own = said
        .get(&["did", "line", "inboundnumber"])
        .and_then(|raw| rules.own(raw, Written::Either));
    let duration = said.get(&["duration"]).and_then(duration);
    let local = said
        .get(&["callstarttimelocal", "start", "callstarttime"])
        .and_then(|raw| rules.local_time(raw));
    let utc = said.get(&["callstarttimeutc", "startutc"]).and_then(utc);
    let started = utc.or(local);
    // 3CX names no call: who rang when, to the minute, is as near as one gets. Hidden callers are never the same.
    let minute = started.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%dT%H:%M").to_string());
    let way = if direction == CallDirection::Inbound {
        "in"
    } else {
        "out"
    };
    let whole = [
        client.address.as_str(),
        agent.as_deref().unwrap_or("-"),
        &minute,
        kind,
        &duration.unwrap_or_default().to_string(),
    ]
    .join("|");
    let single = client.kind == PartyKind::Hidden || started.is_none();
    let call = if single {
        proof::sha256_hex(&[b"3cx", push.body()])
    } else {
        proof::sha256_hex(&[
            b"3cx",
            client.address.as_bytes(),
            b"|",
            way.as_bytes(),
            b"|",
            minute.as_bytes(),
        ])
    };
    let ended = started
        .zip(duration)
        .map(|(at, secs)| at + TimeDelta::seconds(i64::from(secs)));
    let mut event = CallEvent {
        call: call.get(..40).unwrap_or(&call).to_owned(),
        kind: CallEventKind::Ended,
        direction: Some(direction),
        own_number: own,
        caller_name: said.get(&["name"]).map(number::clean),
        started_at: started,
        answered_at: started.filter(|_| answered),
        ended_at: ended,
        talk_secs: duration.filter(|_| answered),
        end: Some(if answered {
            CallEnd::Answered
        } else {
            CallEnd::NoAnswer
        }),
        cause: Some(number::clean(kind)),
        leg: agent.map(|extension| CallLeg {
            key: extension.clone(),
            role: LegRole::Operator,
            extension: Some(extension),
        }),
        ..CallEvent::default()
    };
    match direction {
        CallDirection::Outbound => event.to = Some(client),
        _ => event.from = Some(client),
    }
    let mark = proof::sha256_hex(&[whole.as_bytes(), if single { push.body() } else { b"" }]);
    vec![push.event(
        &["report", mark.get(..40).unwrap_or(&mark)],
        ended.or(started),
        event,
    )]
}

/// Seconds, or `00:01:30`.
fn duration(text: &str) -> Option<u32> {
    if !text.contains(':') {
        return whole(text);
    }
    text.split(':').try_fold(0_u32, |secs, part| {
        secs.checked_mul(60)?.checked_add(whole(part)?)
    })
}

fn utc(text: &str) -> Option<DateTime<Utc>> {
    let none = crate::rules::Rules::default();
    none.local_time(text)
}
