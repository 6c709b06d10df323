//! Plivo Voice: URL, fields and a number used once are signed.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http::{Method, header};
use serde_json::json;
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallRecording, HookAddress, HttpRequest,
    InboundEvent, LegRole, PartyKind, Rejection, RouteAnswer, RouteQuestion, WebhookResponse,
};

use super::{Bodies, Dial, Dialect, Proof, address, escaped, stranger, xml};
use crate::{
    number::{self, Written},
    proof,
    push::{CALLER, LEG, Params, Push, leg_query},
    settings::Secret,
};

const SIGNATURES: [&str; 2] = ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"];
const NONCE: &str = "x-plivo-signature-v3-nonce";
/// Most signatures of one request that are looked at.
const MAX_SIGNATURES: usize = 8;
const EMPTY: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#;

/// With its secrets.
pub struct Plivo {
    pub auth_id: Secret,
    pub auth_token: Secret,
    pub api: String,
}

/// The text that is signed, without the number: as Plivo's libraries make it.
fn signed_text(method: &Method, url: &str, body: &Params) -> Option<String> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut query = Params::read(query.as_bytes(), true)?.0;
    query.sort();
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut text = base.to_owned();
    let posted = method == Method::POST && !body.0.is_empty();
    if !pairs.is_empty() || posted {
        text.push('?');
        text.push_str(&pairs.join("&"));
    }
    if posted {
        if !pairs.is_empty() {
            text.push('.');
        }
        let mut fields = body.0.clone();
        fields.sort();
        fields.iter().for_each(|(name, value)| {
            text.push_str(name);
            text.push_str(value);
        });
    }
    Some(text)
}

#[async_trait]
impl Dialect for Plivo {
    fn bodies(&self) -> Bodies {
        Bodies::Form
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        let nonce = push
            .header(NONCE)
            .ok_or_else(|| stranger("the header X-Plivo-Signature-V3-Nonce is missing"))?;
        let given: Vec<&str> = SIGNATURES
            .iter()
            .filter_map(|name| push.header(name))
            .flat_map(|text| text.split(','))
            .take(MAX_SIGNATURES)
            .collect();
        if given.is_empty() {
            return Err(stranger("the header X-Plivo-Signature-V3 is missing"));
        }
        let body = if push.is_post() {
            Params::read(push.body(), true)
        } else {
            Some(Params::default())
        };
        let wrong = || stranger("the request is not written as Plivo writes it");
        if !push.is_post() && !push.body().is_empty() {
            return Err(wrong());
        }
        let text =
            signed_text(push.request.method(), &push.url, &body.ok_or_else(wrong)?).ok_or_else(wrong)?;
        let mut good = false;
        for token in self.auth_token.all() {
            let expected = proof::base64(proof::hmac_sha256(
                token.as_bytes(),
                &[text.as_bytes(), b".", nonce.as_bytes()],
            ));
            good |= given
                .iter()
                .fold(false, |good, one| good | proof::same(one, &expected));
        }
        if good {
            Ok(Proof {
                nonce: Some(nonce.to_owned()),
            })
        } else {
            Err(stranger(format!(
                "X-Plivo-Signature-V3 does not fit {}: this address must be exactly the one entered at Plivo",
                push.url.split('?').next().unwrap_or_default()
            )))
        }
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        let form = push.form(true)?;
        Ok(Report { push, form: &form }.events())
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        let form = push.form(true).ok()?;
        form.get("CallUUID")?;
        Some(RouteQuestion {
            from: push.rules.party(form.raw("From"), Written::International),
            own_number: form
                .get("To")
                .and_then(|to| push.rules.own(to, Written::International)),
        })
    }

    fn asks(&self, push: &Push<'_>) -> bool {
        push.rest == "route" && push.form(true).is_ok_and(|form| is_answer_url(&form))
    }

    fn answer(&self, push: &Push<'_>, answer: &RouteAnswer) -> WebhookResponse {
        if answer.extensions.is_empty() {
            return xml(EMPTY.to_owned());
        }
        let hook = escaped(
            push.url
                .split(['?', '#'])
                .next()
                .unwrap_or_default()
                .trim_end_matches("/route"),
        );
        let ends: String = answer
            .extensions
            .iter()
            .map(|extension| {
                let address = telephone(push.rules.telephone(extension), extension);
                let verb = if address.starts_with("sip:") {
                    "User"
                } else {
                    "Number"
                };
                format!("<{verb}>{}</{verb}>", escaped(&address))
            })
            .collect();
        xml(format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial timeout="{}" callbackUrl="{hook}" callbackMethod="POST" action="{hook}?after=dial" method="POST" redirect="true">{ends}</Dial></Response>"#,
            answer.ring_secs.clamp(5, 600)
        ))
    }

    fn reply(&self, push: &Push<'_>) -> WebhookResponse {
        if let Some(dial) = client_verb(push) {
            return xml(dial);
        }
        let wants =
            !push.query().raw("after").is_empty() || push.form(true).is_ok_and(|form| is_answer_url(&form));
        if wants {
            xml(EMPTY.to_owned())
        } else {
            WebhookResponse::default()
        }
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address(
                "Application: Answer URL (rings the operators of the line)",
                "POST",
                format!("{hook}/route"),
            ),
            address("Application: Hangup URL", "POST", hook.to_owned()),
            address(
                "Your own XML: callbackUrl and action of <Dial>, callbackUrl of <Record>",
                "POST",
                hook.to_owned(),
            ),
        ]
    }

    fn missing(&self) -> Vec<&'static str> {
        if self.auth_id.is_empty() {
            vec!["Without the auth id, clients cannot be called back by a click."]
        } else {
            Vec::new()
        }
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        let (id, token) = (self.auth_id.first()?, self.auth_token.first()?);
        let Some(shown) = dial.rules.shown_number() else {
            return Some(Err("set an own number to show to the client".to_owned()));
        };
        let hook = dial.hook;
        // The client is dialled by the answer of this server, when the operator has picked up: see `reply`.
        let about = leg_query("operator", dial.extension);
        let after = format!("{hook}/dial/{}?{about}", dial.number.trim_start_matches('+'));
        let body = json!({
            "from": shown.trim_start_matches('+'),
            "to": telephone(dial.rules.telephone(dial.extension), dial.extension),
            "answer_url": after,
            "answer_method": "POST",
            "hangup_url": format!("{hook}?{about}"),
            "hangup_method": "POST",
        });
        let request = http::Request::post(format!("{}/v1/Account/{id}/Call/", self.api))
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::AUTHORIZATION,
                format!("Basic {}", proof::base64(format!("{id}:{token}"))),
            )
            .body(Bytes::from(body.to_string()));
        Some(request.map_err(|_| "the address of Plivo's interface is none".to_owned()))
    }
}

/// Where an operator's telephone is, for Plivo.
fn telephone(configured: Option<String>, extension: &str) -> String {
    let address = configured.unwrap_or_else(|| extension.to_owned());
    if address.starts_with("sip:") {
        address
    } else if let Some(number) = address.strip_prefix('+') {
        number.to_owned()
    } else {
        format!("sip:{address}@phone.plivo.com")
    }
}

/// What to do with a call, rather than what became of it.
fn is_answer_url(form: &Params) -> bool {
    let begins = matches!(form.get("Event"), None | Some("StartApp"))
        && matches!(form.get("CallStatus"), Some("ringing" | "in-progress"));
    begins
        && form.get("DialAction").is_none()
        && form.get("DialStatus").is_none()
        && form.get("RecordUrl").is_none()
}

struct Report<'a> {
    push: &'a Push<'a>,
    form: &'a Params,
}

impl Report<'_> {
    fn events(&self) -> Vec<InboundEvent> {
        let form = self.form;
        let Some(call) = form
            .get("CallUUID")
            .or_else(|| form.get("ALegUUID"))
            .or_else(|| form.get("DialALegUUID"))
        else {
            return vec![self.push.unknown("Plivo names no call (CallUUID)")];
        };
        let recording = self.recording(call);
        let main = if form.get("DialAction").is_some() || form.get("DialStatus").is_some() {
            self.dialled(call)
        } else if recording.is_some() {
            None
        } else {
            self.status(call)
        };
        match (main, recording) {
            (None, None) => vec![self.push.unknown("what Plivo says of this call is not known")],
            (main, recording) => main.into_iter().chain(recording).collect(),
        }
    }

    fn event(&self, call: &str, kind: CallEventKind) -> CallEvent {
        let names = ["ALegUUID", "DialALegUUID", "ALegRequestUUID", "RequestUUID"];
        let mut aliases: Vec<String> = names
            .iter()
            .filter_map(|name| self.form.get(name))
            .filter(|name| *name != call)
            .map(number::clean)
            .collect();
        aliases.dedup();
        CallEvent {
            call: number::clean(call),
            aliases,
            kind,
            ..CallEvent::default()
        }
    }

    fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.form.get(name)?;
        let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .ok()
            .map(|time| time.and_utc());
        naive.or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()))
    }

    fn status(&self, call: &str) -> Option<InboundEvent> {
        let status = self.form.get("CallStatus")?;
        let outbound = self.form.get("Direction") == Some("outbound");
        let operator_first =
            self.push.query().get(LEG) == Some("operator") || self.push.rest.starts_with("dial/");
        let end = match status {
            "busy" => Some(CallEnd::Busy),
            "failed" => Some(CallEnd::Failed),
            "timeout" | "no-answer" => Some(CallEnd::NoAnswer),
            "cancel" | "canceled" => Some(CallEnd::Canceled),
            "rejected" => Some(CallEnd::Rejected),
            _ => None,
        };
        let kind = match status {
            "completed" => CallEventKind::Ended,
            _ if end.is_some() => CallEventKind::Ended,
            "ringing" if outbound && !operator_first => CallEventKind::Ringing,
            "in-progress" if outbound && !operator_first => CallEventKind::Answered,
            "ringing" | "in-progress" | "queued" | "initiated" => CallEventKind::Started,
            _ => return None,
        };
        let rules = self.push.rules;
        let mut event = self.event(call, kind);
        event.direction = Some(if outbound {
            CallDirection::Outbound
        } else {
            CallDirection::Inbound
        });
        event.end = end;
        event.cause = self.form.get("HangupCause").map(number::clean);
        event.own_number = rules.own(
            self.form.raw(if outbound { "From" } else { "To" }),
            Written::International,
        );
        event.caller_name = self
            .form
            .get("CallerName")
            .map(number::clean)
            .filter(|name| !number::is_hidden(name) && !name.starts_with('+'));
        if operator_first {
            event.leg = Some(CallLeg {
                key: number::clean(call),
                role: LegRole::Operator,
                extension: rules.said_extension(self.form.raw("To")),
            });
        } else {
            event.from = Some(rules.party(self.form.raw("From"), Written::International));
            event.to = Some(rules.party(self.form.raw("To"), Written::International));
        }
        if kind == CallEventKind::Ended {
            event.ended_at = self.time("EndTime");
            // Plivo answers an inbound call before anybody does.
            let talked = outbound && !operator_first && end.is_none();
            event.talk_secs = self.form.number("Duration").filter(|secs| talked && *secs > 0);
            event.end = end.or(event.talk_secs.map(|_| CallEnd::Answered));
        }
        event.started_at = self.time("StartTime");
        let word = self.form.get("Event").unwrap_or(status);
        Some(
            self.push.event(
                &["status", call, word, status],
                self.time("EndTime")
                    .or_else(|| self.time("StartTime"))
                    .filter(|_| kind == CallEventKind::Ended),
                event,
            ),
        )
    }

    /// What a `<Dial>` does: `callbackUrl` tells of each telephone, `action` what came of all.
    fn dialled(&self, call: &str) -> Option<InboundEvent> {
        let form = self.form;
        let leg = form.get("DialBLegUUID").unwrap_or("dial");
        let status = form.get("DialBLegStatus").or_else(|| form.get("DialStatus"));
        let action = form.get("DialAction").unwrap_or("ended");
        let end = match form.get("DialStatus").or(status) {
            Some("completed" | "answer") => Some(CallEnd::Answered),
            // A leg that was never answered hangs up, too.
            Some("hangup") => form
                .number("DialBLegDuration")
                .filter(|secs| *secs > 0)
                .map(|_| CallEnd::Answered),
            Some("busy") => Some(CallEnd::Busy),
            Some("no-answer" | "timeout") => Some(CallEnd::NoAnswer),
            Some("cancel" | "canceled") => Some(CallEnd::Canceled),
            Some("failed" | "rejected") => Some(CallEnd::Failed),
            _ => None,
        };
        let kind = match (action, status) {
            ("answer" | "connected", _) => CallEventKind::Answered,
            ("hangup" | "ended", _) => CallEventKind::LegEnded,
            ("ring" | "ringing", _) => CallEventKind::Ringing,
            ("digits", _) => CallEventKind::Linked,
            _ => return None,
        };
        let client = self.push.query().get(LEG) == Some("client");
        let to = form.raw("DialBLegTo");
        let mut event = self.event(call, kind);
        event.end = if kind == CallEventKind::LegEnded {
            end
        } else {
            None
        };
        event.talk_secs = form
            .number("DialBLegDuration")
            .filter(|_| kind == CallEventKind::LegEnded);
        event.cause = form
            .get("DialHangupCause")
            .or_else(|| form.get("DialBLegHangupCauseName"))
            .map(number::clean);
        event.leg = Some(CallLeg {
            key: number::clean(leg),
            role: if client {
                LegRole::Client
            } else {
                LegRole::Operator
            },
            extension: (!client).then(|| self.push.rules.said_extension(to)).flatten(),
        });
        if client {
            event.direction = Some(CallDirection::Outbound);
            event.from = self.push.caller();
            let party = self.push.rules.party(to, Written::International);
            event.to = Some(party).filter(|party| party.kind != PartyKind::Hidden);
        }
        Some(
            self.push
                .event(&["dial", call, leg, action, status.unwrap_or("-")], None, event),
        )
    }

    fn recording(&self, call: &str) -> Option<InboundEvent> {
        let form = self.form;
        let url = form.get("RecordUrl").or_else(|| form.get("RecordFile"))?;
        let key = form.get("RecordingID").or_else(|| url.rsplit('/').next())?;
        let mut event = self.event(call, CallEventKind::Recording);
        event.recording = Some(CallRecording {
            key: number::clean(key),
            url: Some(url.to_owned()),
            secs: form.number("RecordingDuration"),
            ..CallRecording::default()
        });
        Some(self.push.event(&["recording", key], None, event))
    }
}

/// The client's telephone, for an operator who has picked up a call back.
fn client_verb(push: &Push<'_>) -> Option<String> {
    let digits = push.rest.strip_prefix("dial/")?;
    let plain = (6..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let shown = push.rules.shown_number()?;
    let hook = push.url.split(['?', '#']).next().unwrap_or_default();
    let hook = hook.strip_suffix(&format!("/{}", push.rest))?;
    let about = leg_query("client", push.query().get(CALLER).unwrap_or_default());
    let (told, over) = (
        escaped(&format!("{hook}?{about}")),
        escaped(&format!("{hook}?after=dial&{about}")),
    );
    plain.then(|| {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial callerId="{}" callbackUrl="{told}" callbackMethod="POST" action="{over}" method="POST"><Number>{digits}</Number></Dial></Response>"#,
            escaped(shown.trim_start_matches('+'))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdks_vector_holds() {
        let body = Params(vec![
            ("From".to_owned(), "+1".to_owned()),
            ("CallUUID".to_owned(), "u1".to_owned()),
        ]);
        let text = signed_text(&Method::POST, "https://example.com/hook?a=1", &body).unwrap();
        assert_eq!(text, "https://example.com/hook?a=1.CallUUIDu1From+1");
        let signature = proof::base64(proof::hmac_sha256(b"tok", &[text.as_bytes(), b".", b"12345"]));
        assert_eq!(signature, "TViwLNKfHIVu84Q8qJNcAqCnJFoGJBAL0NrbFSkj0PM=");
    }

    #[test]
    fn the_text_has_the_libraries_quirks() {
        let body = Params(vec![("b".to_owned(), "2".to_owned())]);
        let text = |method: &Method, url: &str, body: &Params| signed_text(method, url, body).unwrap();
        assert_eq!(
            text(&Method::POST, "https://e.x/p", &body),
            "https://e.x/p?b2",
            "no dot without a query"
        );
        assert_eq!(
            text(&Method::POST, "https://e.x/p?z=1&a=2", &Params::default()),
            "https://e.x/p?a=2&z=1"
        );
        assert_eq!(
            text(&Method::GET, "https://e.x/p?z=1&a=%2B", &Params::default()),
            "https://e.x/p?a=+&z=1"
        );
        assert_eq!(
            text(&Method::GET, "https://e.x/p", &Params::default()),
            "https://e.x/p"
        );
    }
}
