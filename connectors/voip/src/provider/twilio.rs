//! Twilio Voice: the URL and the fields are signed; a call is a tree of legs.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, header};
use switchboard_sdk::{
    CallRecording, Fault, HookAddress, Http, HttpRequest, InboundEvent, Rejection, RouteAnswer,
    RouteQuestion, WebhookResponse,
};
use url::Url;

use super::{
    Bodies, Dial, Dialect, Proof, address, escaped, get, stranger,
    twilio_report::{Report, is_voice_url},
    xml,
};
use crate::{
    number::Written,
    proof,
    push::{Params, Push, leg_query},
    settings::Secret,
};

const SIGNATURE: &str = "x-twilio-signature";
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

/// With its secrets.
pub struct Twilio {
    pub account_sid: Secret,
    pub auth_token: Secret,
    pub shared_key: Secret,
    pub api: String,
}

/// How one request is signed.
enum Scheme<'a> {
    /// HMAC-SHA1 under the account's token.
    Token,
    /// HMAC-SHA256 under the shared key of this id.
    Shared(&'a str),
}

fn scheme<'a>(settings: Option<&'a str>) -> Result<Scheme<'a>, Rejection> {
    let Some(settings) = settings else {
        return Ok(Scheme::Token);
    };
    let part = |name: &str| {
        let found = settings
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        found.map(str::trim)
    };
    match (part("key"), part("algorithm")) {
        (Some(key), Some("HMAC_SHA256")) => Ok(Scheme::Shared(key)),
        _ => Err(stranger(format!(
            "{SETTINGS} names no algorithm that is known here"
        ))),
    }
}

impl Twilio {
    /// The signatures that would be right, for each active secret and each way of writing the address.
    fn expected(&self, scheme: &Scheme<'_>, urls: &[String], fields: &str) -> Vec<String> {
        let keys: Vec<&str> = match scheme {
            Scheme::Token => self.auth_token.all().collect(),
            Scheme::Shared(id) => {
                let both = self.shared_key.all().filter_map(|both| both.split_once(':'));
                both.filter(|(known, _)| known == id)
                    .map(|(_, key)| key)
                    .collect()
            }
        };
        let made = |key: &str, url: &String| {
            let parts: [&[u8]; 2] = [url.as_bytes(), fields.as_bytes()];
            proof::base64(match scheme {
                Scheme::Token => proof::hmac_sha1(key.as_bytes(), &parts),
                Scheme::Shared(_) => proof::hmac_sha256(key.as_bytes(), &parts),
            })
        };
        let made = &made;
        keys.iter()
            .flat_map(|key| urls.iter().map(move |url| made(key, url)))
            .collect()
    }

    fn basic(&self) -> Option<String> {
        let both = format!("{}:{}", self.account_sid.first()?, self.auth_token.first()?);
        Some(format!("Basic {}", proof::base64(both)))
    }

    /// A TwiML `<Dial>` for the operators of an answer.
    fn dial_verb(push: &Push<'_>, answer: &RouteAnswer) -> String {
        if answer.extensions.is_empty() {
            return "<Response/>".to_owned();
        }
        let hook = escaped(
            push.url
                .split(['?', '#'])
                .next()
                .unwrap_or_default()
                .trim_end_matches("/route"),
        );
        let events =
            format!(r#"statusCallback="{hook}" statusCallbackEvent="initiated ringing answered completed""#);
        let ends: String = answer
            .extensions
            .iter()
            .map(|extension| {
                let target = target(push.rules.telephone(extension), extension);
                let (verb, text) = target.verb();
                format!("<{verb} {events}>{}</{verb}>", escaped(text))
            })
            .collect();
        // All ring at once; the first who picks up gets the caller. What came of it is told to `action`.
        format!(
            r#"<Response><Dial timeout="{}" action="{hook}?after=dial" answerOnBridge="true">{ends}</Dial></Response>"#,
            answer.ring_secs.clamp(5, 600)
        )
    }
}

/// Where an operator's telephone is, for Twilio.
enum Target {
    Client(String),
    Sip(String),
    Number(String),
}

impl Target {
    fn verb(&self) -> (&'static str, &str) {
        match self {
            Self::Client(name) => ("Client", name),
            Self::Sip(uri) => ("Sip", uri),
            Self::Number(number) => ("Number", number),
        }
    }

    /// As `To` of the interface.
    fn address(&self) -> String {
        match self {
            Self::Client(name) => format!("client:{name}"),
            Self::Sip(uri) => uri.clone(),
            Self::Number(number) => number.clone(),
        }
    }
}

fn target(configured: Option<String>, extension: &str) -> Target {
    let address = configured.unwrap_or_else(|| extension.to_owned());
    if address.starts_with("sip:") {
        Target::Sip(address)
    } else if address.starts_with('+') {
        Target::Number(address)
    } else {
        Target::Client(address.strip_prefix("client:").unwrap_or(&address).to_owned())
    }
}

/// The address as it stands, without its port, and with the port its scheme has: Twilio is not of one mind.
fn urls(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Ok(parsed) = Url::parse(url) else {
        return all;
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        return all;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, host) = authority
        .rsplit_once('@')
        .map_or(("", authority), |(user, host)| (user, host));
    let at = if user.is_empty() { "" } else { "@" };
    let bracket = host.rfind(']').unwrap_or(0);
    let bare = match host.rfind(':') {
        Some(colon) if colon > bracket => host.split_at(colon).0,
        _ => host,
    };
    let port = parsed.port_or_known_default().unwrap_or(443);
    all.push(format!("{scheme}://{user}{at}{bare}{tail}"));
    all.push(format!("{scheme}://{user}{at}{bare}:{port}{tail}"));
    all.dedup();
    all
}

/// Fields in the order Twilio signs them: by name, each value of a name once.
fn joined(params: &Params) -> String {
    let mut fields: Vec<&(String, String)> = params.0.iter().collect();
    fields.sort();
    fields.dedup();
    fields
        .iter()
        .map(|(name, value)| format!("{name}{value}"))
        .collect()
}

#[async_trait]
impl Dialect for Twilio {
    fn bodies(&self) -> Bodies {
        Bodies::Any
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        let given = push
            .header(SIGNATURE)
            .ok_or_else(|| stranger("the header X-Twilio-Signature is missing"))?;
        let scheme = scheme(push.header(SETTINGS))?;
        let is_json = push.media_type().is_some_and(|kind| kind.ends_with("json"));
        let fields = if push.request.method() == Method::GET {
            if !push.body().is_empty() {
                return Err(stranger("a GET of Twilio has no body"));
            }
            String::new()
        } else if is_json {
            let wanted = push
                .query()
                .get("bodySHA256")
                .map(str::to_owned)
                .unwrap_or_default();
            if !proof::same(&wanted, &proof::sha256_hex(&[push.body()])) {
                return Err(stranger("bodySHA256 is not that of the body"));
            }
            String::new()
        } else {
            let form = Params::read(push.body(), true);
            joined(&form.ok_or_else(|| stranger("the body is no form as Twilio writes them"))?)
        };
        let good = self
            .expected(&scheme, &urls(&push.url), &fields)
            .iter()
            .fold(false, |good, expected| good | proof::same(given, expected));
        if good {
            Ok(Proof::default())
        } else {
            Err(stranger(format!(
                "X-Twilio-Signature does not fit {}: this address must be exactly the one entered at Twilio, and the auth token the primary one",
                push.url.split('?').next().unwrap_or_default()
            )))
        }
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if push.media_type().is_some_and(|kind| kind.ends_with("json")) {
            return Ok(vec![push.unknown("Twilio sends calls as forms; this is JSON")]);
        }
        let form = push.form(true)?;
        Ok(Report { push, form: &form }.events())
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        let form = push.form(true).ok()?;
        form.get("CallSid")?;
        Some(RouteQuestion {
            from: push.rules.party(form.raw("From"), Written::Either),
            own_number: form.get("To").and_then(|to| push.rules.own(to, Written::Either)),
        })
    }

    fn asks(&self, push: &Push<'_>) -> bool {
        push.rest == "route" && push.form(true).is_ok_and(|form| is_voice_url(&form))
    }

    fn answer(&self, push: &Push<'_>, answer: &RouteAnswer) -> WebhookResponse {
        xml(format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>{}"#,
            Self::dial_verb(push, answer)
        ))
    }

    fn reply(&self, push: &Push<'_>) -> WebhookResponse {
        // Where Twilio waits for instructions it says so by asking for the call, not by calling back about it.
        let wants = push.form(true).is_ok_and(|form| {
            let recorded = form.get("RecordingUrl").is_some() && form.get("RecordingStatus").is_none();
            let spoken = form.get("TranscriptionSid").is_some();
            is_voice_url(&form) || form.get("DialCallStatus").is_some() || (recorded && !spoken)
        });
        if wants {
            xml(r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#.to_owned())
        } else {
            WebhookResponse::default()
        }
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address(
                "Number, Voice: A call comes in (rings the operators of the line)",
                "POST",
                format!("{hook}/route"),
            ),
            address("Number, Voice: Call status changes", "POST", hook.to_owned()),
            address(
                "Your own TwiML: statusCallback, action of <Dial>, recordingStatusCallback, transcribeCallback",
                "POST",
                hook.to_owned(),
            ),
        ]
    }

    fn missing(&self) -> Vec<&'static str> {
        if self.basic().is_none() {
            vec![
                "Without the account SID and the auth token, recordings cannot be fetched and clients cannot be called back by a click.",
            ]
        } else {
            Vec::new()
        }
    }

    async fn recording(
        &self,
        recording: &CallRecording,
        _: &dyn Http,
        _: DateTime<Utc>,
    ) -> Result<HttpRequest, Fault> {
        let url = recording
            .url
            .as_deref()
            .ok_or_else(|| Fault::permanent("Twilio gave no address of the recording"))?;
        let parsed = Url::parse(url).map_err(|_| Fault::permanent("the address of the recording is none"))?;
        let named = parsed
            .path()
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains('.'));
        let url = if named {
            url.to_owned()
        } else {
            format!("{url}.mp3")
        };
        let mut request = get(&url)?;
        // The account's secret goes to Twilio alone, wherever the address points.
        let theirs = parsed
            .host_str()
            .is_some_and(|host| host == "twilio.com" || host.ends_with(".twilio.com"))
            || url.starts_with(&format!("{}/", self.api));
        if theirs && let Some(value) = self.basic().and_then(|basic| basic.parse().ok()) {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        let (sid, basic) = (self.account_sid.first()?, self.basic()?);
        let Some(shown) = dial.rules.shown_number() else {
            return Some(Err("set an own number to show to the client".to_owned()));
        };
        let operator = target(dial.rules.telephone(dial.extension), dial.extension).address();
        let hook = dial.hook;
        let about = |leg: &str| leg_query(leg, dial.extension);
        // One action of the call tells the client's leg apart from the operator's.
        let client = escaped(&format!("{hook}?{}", about("client")));
        let twiml = format!(
            r#"<Response><Dial callerId="{}" action="{}"><Number statusCallback="{client}" statusCallbackEvent="initiated ringing answered completed">{}</Number></Dial></Response>"#,
            escaped(shown),
            escaped(&format!("{hook}?after=dial&{}", about("client"))),
            escaped(dial.number),
        );
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("To", &operator)
            .append_pair("From", shown)
            .append_pair("Twiml", &twiml)
            .append_pair("StatusCallback", &format!("{hook}?{}", about("operator")));
        for event in ["initiated", "ringing", "answered", "completed"] {
            body.append_pair("StatusCallbackEvent", event);
        }
        let request = http::Request::post(format!("{}/2010-04-01/Accounts/{sid}/Calls.json", self.api))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, basic)
            .body(Bytes::from(body.finish()));
        Some(request.map_err(|_| "the address of Twilio's interface is none".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdks_vector_holds() {
        let twilio = Twilio {
            account_sid: Secret::default(),
            auth_token: serde_json::from_value("12345".into()).unwrap(),
            shared_key: Secret::default(),
            api: String::new(),
        };
        let fields = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675310"),
            ("Digits", "1234"),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
        ];
        let params = Params(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        );
        let url = "https://example.com/myapp?foo=1&bar=2";
        let expected = twilio.expected(&Scheme::Token, &urls(url), &joined(&params));
        assert_eq!(
            expected.first().map(String::as_str),
            Some("GPSRTlODYHi4+bX3Qs97BVmS45M=")
        );
    }

    #[test]
    fn an_address_is_tried_with_and_without_its_port() {
        for (url, bare, port) in [
            (
                "https://a.example/x?y=1",
                "https://a.example/x?y=1",
                "https://a.example:443/x?y=1",
            ),
            (
                "http://a.example:8080/x",
                "http://a.example/x",
                "http://a.example:8080/x",
            ),
            (
                "https://u:p@a.example/x",
                "https://u:p@a.example/x",
                "https://u:p@a.example:443/x",
            ),
            ("https://[::1]/x", "https://[::1]/x", "https://[::1]:443/x"),
            ("https://[::1]:8443/x", "https://[::1]/x", "https://[::1]:8443/x"),
        ] {
            let all = urls(url);
            assert!(
                all.contains(&url.to_owned())
                    && all.contains(&bare.to_owned())
                    && all.contains(&port.to_owned()),
                "{all:?}"
            );
        }
    }
}
