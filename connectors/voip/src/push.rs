//! One request of a provider, read. Pure.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, header};
use serde_json::Value;
use switchboard_sdk::{
    CallEvent, CallParty, Content, InboundBody, InboundEvent, PartyKind, Rejection, WebhookRequest,
};

use crate::{number, proof, rules::Rules};

/// Longest external id before its middle is hashed.
const MAX_KEY: usize = 200;
/// In the query of addresses this server gives a provider for a call back: which leg of it they are about,
pub const LEG: &str = "leg";
/// and the extension of who calls back.
pub const CALLER: &str = "caller";
/// How far into the future a provider's clock may be believed.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// A request, with what is needed to judge it.
pub struct Push<'a> {
    /// As it came.
    pub request: &'a WebhookRequest,
    /// What the channel says of numbers and people.
    pub rules: &'a Rules,
    /// Now.
    pub now: DateTime<Utc>,
    /// The address the provider asked, by the configured public URL and never by the Host header.
    pub url: String,
    /// The path below the channel's own, without slashes around it.
    pub rest: String,
}

impl<'a> Push<'a> {
    /// Reads where a request went.
    pub fn new(request: &'a WebhookRequest, rules: &'a Rules, public_url: &str, now: DateTime<Utc>) -> Self {
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let rest: Vec<&str> = request.uri().path().split('/').skip(4).collect();
        Self {
            request,
            rules,
            now,
            url: format!("{public_url}{target}"),
            rest: rest.join("/").trim_matches('/').to_owned(),
        }
    }

    /// The body, raw.
    pub fn body(&self) -> &'a Bytes {
        self.request.body()
    }

    /// The headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.request.headers()
    }

    /// A header's text, as it stands.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers()
            .get(name)?
            .to_str()
            .ok()
            .filter(|text| !text.is_empty())
    }

    /// Whether it was posted.
    pub fn is_post(&self) -> bool {
        self.request.method() == Method::POST
    }

    /// The query, read leniently.
    pub fn query(&self) -> Params {
        Params::read(self.request.uri().query().unwrap_or_default().as_bytes(), false).unwrap_or_default()
    }

    /// Who rings a client back, by the address this server gave the provider for that call.
    pub fn caller(&self) -> Option<CallParty> {
        let extension = self.query().get(CALLER)?.to_owned();
        Some(CallParty {
            kind: PartyKind::Extension,
            address: number::clean(&extension),
        })
    }

    /// The media type, without its parameters, in small letters.
    pub fn media_type(&self) -> Option<String> {
        let text = self.header(header::CONTENT_TYPE.as_str())?;
        Some(text.split(';').next().unwrap_or(text).trim().to_ascii_lowercase())
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Rejection> {
        serde_json::from_slice(self.body())
            .map_err(|error| Rejection::Malformed(format!("the body is not JSON: {error}")))
    }

    /// Fields of a form or, of a GET, of the query. `strict`: written as the signing provider writes them.
    pub fn form(&self, strict: bool) -> Result<Params, Rejection> {
        if self.request.method() == Method::GET {
            return Ok(self.query());
        }
        let params = Params::read(self.body(), strict);
        params.ok_or_else(|| Rejection::Malformed("the body is not a form".to_owned()))
    }

    /// An event, under the key by which its repetition is recognised.
    pub fn event(&self, key: &[&str], at: Option<DateTime<Utc>>, call: CallEvent) -> InboundEvent {
        InboundEvent {
            external_id: external_id(key),
            at: self.moment(at),
            body: InboundBody::Call(Box::new(call)),
        }
    }

    /// When it happened: never in the future by more than clocks differ.
    fn moment(&self, at: Option<DateTime<Utc>>) -> DateTime<Utc> {
        at.filter(|at| *at <= self.now + AHEAD).unwrap_or(self.now)
    }

    /// Kept raw for an admin to look at: nobody here knows what it says.
    pub fn unknown(&self, reason: impl Into<String>) -> InboundEvent {
        let query = self.request.uri().query().unwrap_or_default();
        let raw = if self.body().is_empty() {
            Bytes::copy_from_slice(query.as_bytes())
        } else {
            self.body().clone()
        };
        let mark = proof::sha256_hex(&[self.rest.as_bytes(), b"?", query.as_bytes(), b"\0", self.body()]);
        InboundEvent {
            external_id: external_id(&["unknown", &mark]),
            at: self.now,
            body: InboundBody::Poison {
                reason: reason.into(),
                raw: Content::from(raw),
            },
        }
    }
}

/// Joins the parts of a key; one that is too long for an index keeps its first part and a hash.
pub fn external_id(parts: &[&str]) -> String {
    let whole = parts.join(":");
    if whole.len() <= MAX_KEY && !whole.contains(char::is_control) {
        return whole;
    }
    format!(
        "{}:{}",
        parts
            .first()
            .copied()
            .unwrap_or_default()
            .chars()
            .take(20)
            .collect::<String>(),
        proof::sha256_hex(&[whole.as_bytes()])
    )
}

/// The end of an address for reports of one leg of a call back.
pub fn leg_query(leg: &str, extension: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(LEG, leg).append_pair(CALLER, extension);
    query.finish()
}

/// Fields of a form, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub Vec<(String, String)>);

impl Params {
    /// Reads `a=1&b=2`.
    ///
    /// `strict` takes one way of writing each text, the one programs that encode forms have in common: an equals
    /// sign in each field, escapes in capital letters, nothing that had to be escaped. Where a signature covers
    /// the fields and not their encoding, a request that was changed on its way is then not the same request.
    pub fn read(text: &[u8], strict: bool) -> Option<Self> {
        let mut fields = Vec::new();
        for pair in text
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty() || strict)
        {
            if pair.is_empty() && text.is_empty() {
                break;
            }
            let equals = pair.iter().position(|byte| *byte == b'=');
            if strict && equals.is_none() {
                return None;
            }
            let (name, value) = pair.split_at(equals.unwrap_or(pair.len()));
            let value = value.split_first().map_or(&[][..], |(_, value)| value);
            fields.push((decode(name, strict)?, decode(value, strict)?));
        }
        Some(Self(fields))
    }

    /// A field that says something.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// A field exactly as it came, spaces and all; empty when it is not there.
    pub fn raw(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<u32> {
        whole(self.get(name)?)
    }
}

/// A number of seconds, as a text of digits with or without a fraction.
pub fn whole(text: &str) -> Option<u32> {
    let text = text.trim();
    text.split('.').next().unwrap_or(text).parse().ok()
}

fn decode(text: &[u8], strict: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let escape = text
                    .get(at + 1..at + 3)
                    .and_then(|two| std::str::from_utf8(two).ok());
                let read = escape.and_then(|two| u8::from_str_radix(two, 16).ok());
                let tidy = escape.is_some_and(|two| {
                    two.bytes()
                        .all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
                });
                match read {
                    Some(read)
                        if tidy
                            || (!strict
                                && escape.is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))) =>
                    {
                        bytes.push(read);
                        at += 2;
                    }
                    _ if strict => return None,
                    _ => bytes.push(b'%'),
                }
            }
            plain if strict && !(0x21..=0x7e).contains(plain) => return None,
            plain => bytes.push(*plain),
        }
        at += 1;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(_) if strict => None,
        Err(error) => Some(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// A field of JSON as a text, whether it is written as text or as number.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Option<Cow<'a, str>> {
    match value.pointer(pointer)? {
        Value::String(text) => Some(Cow::Borrowed(text.trim())).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// A field of JSON as seconds, whether it is written as text or as number.
pub fn secs(value: &Value, pointer: &str) -> Option<u32> {
    whole(&text(value, pointer)?)
}

/// A field of JSON as a moment in RFC 3339.
pub fn moment(value: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&text(value, pointer)?)
        .ok()
        .map(|time| time.to_utc())
}

/// Unix seconds as a moment; none when it is zero, which providers write for "never".
pub fn unix(text: &str) -> Option<DateTime<Utc>> {
    let secs: i64 = text.trim().split('.').next()?.parse().ok()?;
    (secs > 0).then(|| DateTime::from_timestamp(secs, 0)).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str, strict: bool) -> Option<Vec<(String, String)>> {
        Params::read(text.as_bytes(), strict).map(|params| params.0)
    }

    #[test]
    fn forms_are_read() {
        let two = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let wanted = vec![two("From", "+1"), two("Say", "a b"), two("Empty", "")];
        assert_eq!(pairs("From=%2B1&Say=a+b&Empty=", true), Some(wanted.clone()));
        assert_eq!(pairs("From=%2b1&&Say=a b&Empty", false), Some(wanted));
        assert_eq!(pairs("", true), Some(vec![]));
    }

    #[test]
    fn another_way_of_writing_the_same_is_not_taken_where_only_the_fields_are_signed() {
        for other in [
            "From=%2b1",
            "From",
            "a=b&&c=d",
            "a=b&",
            "a= b",
            "a=%",
            "a=%2",
            "a=%zz",
            "a=%FF",
            "a=ä",
            "a=%+1",
        ] {
            assert_eq!(pairs(other, true), None, "{other}");
        }
    }

    #[test]
    fn long_keys_are_hashed_and_stay_apart() {
        let long = "x".repeat(300);
        let (one, two) = (
            external_id(&["status", &long, "a"]),
            external_id(&["status", &long, "b"]),
        );
        assert!(one.len() < 100 && one.starts_with("status:") && one != two);
        assert_eq!(
            external_id(&["status", "CA1", "completed"]),
            "status:CA1:completed"
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_what_is_strict_is_also_lenient(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let strict = Params::read(&bytes, true);
            let lenient = Params::read(&bytes, false);
            prop_assert!(lenient.is_some());
            if let Some(strict) = strict {
                prop_assert_eq!(strict, lenient.unwrap());
            }
        }
    }
}
