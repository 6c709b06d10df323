//! Zammad's generic CTI: what many telephone systems can push already.

use serde_json::Value;
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, HookAddress, InboundEvent, LegRole, Rejection,
    RouteQuestion, WebhookResponse,
};

use super::{Bodies, Dialect, Proof, address, generic, json, stranger, token};
use crate::{
    number::{self, Written},
    push::{Params, Push, text},
    settings::Secret,
};

/// With its token.
pub struct Zammad {
    pub token: Secret,
}

impl Dialect for Zammad {
    fn bodies(&self) -> Bodies {
        Bodies::Any
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        token::verify(push, &self.token)
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if !push.is_post() {
            return Ok(Vec::new());
        }
        if push.body().is_empty() {
            return Err(stranger("there is nothing in it"));
        }
        Ok(event(push, &fields(push)?))
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        generic::question(push)
    }

    fn reply(&self, _: &Push<'_>) -> WebhookResponse {
        json(&serde_json::json!({}))
    }

    fn is_outside(&self) -> bool {
        false
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address(
                "CTI endpoint (put the token in the place of TOKEN)",
                "POST",
                format!("{hook}/TOKEN"),
            ),
            address(
                "Who should get a caller (add ?token=…&from=…&to=…)",
                "GET",
                format!("{hook}/route"),
            ),
        ]
    }
}

fn fields(push: &Push<'_>) -> Result<Params, Rejection> {
    if push.media_type().as_deref() == Some("application/x-www-form-urlencoded") {
        return push.form(false);
    }
    let body = push.json()?;
    let Some(object) = body.as_object() else {
        return Err(Rejection::Malformed("the body is no object".to_owned()));
    };
    let plain = |value: &Value| {
        // The users of a group are a list.
        let first = value.as_array().and_then(|all| all.first()).unwrap_or(value);
        text(&serde_json::json!([first]), "/0").map(std::borrow::Cow::into_owned)
    };
    Ok(Params(
        object
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), plain(value)?)))
            .collect(),
    ))
}

fn event(push: &Push<'_>, form: &Params) -> Vec<InboundEvent> {
    let Some(name) = form.get("event") else {
        return vec![push.unknown("it names no event")];
    };
    let Some(call) = form
        .get("callId")
        .or_else(|| form.get("call_id"))
        .or_else(|| form.get("callid"))
    else {
        return vec![push.unknown("it names no call (callId)")];
    };
    let rules = push.rules;
    let direction = match form.get("direction") {
        Some("in") => CallDirection::Inbound,
        Some("out") => CallDirection::Outbound,
        _ => return vec![push.unknown("the direction is neither in nor out")],
    };
    let inbound = direction == CallDirection::Inbound;
    let cause = form.get("cause");
    let (kind, end) = match name {
        "newCall" if inbound => (CallEventKind::Ringing, None),
        "newCall" => (CallEventKind::Started, None),
        "answer" => (CallEventKind::Answered, None),
        "hangup" => (CallEventKind::Ended, cause.and_then(end)),
        other => return vec![push.unknown(format!("the event {:?} is not known", number::clean(other)))],
    };
    let (from, to) = (form.raw("from"), form.raw("to"));
    let mut event = CallEvent {
        call: number::clean(call),
        kind,
        end,
        direction: Some(direction),
        from: Some(rules.party(from, Written::International)),
        to: Some(rules.party(to, Written::International)),
        own_number: rules.own(if inbound { to } else { from }, Written::International),
        cause: cause.map(number::clean),
        ..CallEvent::default()
    };
    let telephone = form
        .get("answeringNumber")
        .or_else(|| form.get("extension"))
        .or_else(|| form.get("user"))
        .or_else(|| form.get("user[]"));
    // A user's name is theirs, and no extension, unless it is set as one.
    let extension = telephone.and_then(|raw| match form.get("answeringNumber") {
        // On an outbound call it is the client who answers.
        Some(number) if inbound => rules.said_extension(number),
        Some(_) => rules
            .extension(form.raw("user"))
            .or_else(|| rules.extension(from)),
        None => rules.extension(raw),
    });
    event.leg = extension.map(|extension| CallLeg {
        key: extension.clone(),
        role: LegRole::Operator,
        extension: Some(extension),
    });
    let mark = event.leg.as_ref().map_or("-", |leg| leg.key.as_str()).to_owned();
    vec![push.event(&["event", call, name, cause.unwrap_or("-"), &mark], None, event)]
}

fn end(cause: &str) -> Option<CallEnd> {
    Some(match cause {
        // Who hung up normally may have talked to a robot.
        "normalClearing" | "forwarded" => return None,
        "busy" => CallEnd::Busy,
        "cancel" => CallEnd::Canceled,
        "noAnswer" => CallEnd::NoAnswer,
        "rejected" => CallEnd::Rejected,
        _ => CallEnd::Failed,
    })
}
