//! What the program sends: messages with their edits and deletions, states of ours, typing. Pure.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, de::DeserializeOwned};
use switchboard_sdk::{
    Batch, DeliveryReceipt, Identity, IdentityKind, InboundAttachment, InboundBody, InboundDeletion,
    InboundEdit, InboundEvent, InboundMessage, Person, ReceiptState, Rejection, Thread, Typing,
    WebhookRequest,
};

use crate::{
    settings::Bridge,
    signature::{self, Verified},
};

/// Longest id of anything, in bytes.
const MAX_ID: usize = 400;
/// Longest text, in characters.
const MAX_TEXT: usize = 64_000;
/// Most files of one message.
const MAX_FILES: usize = 20;
/// Longest address of a file, in bytes.
const MAX_URL: usize = 4000;

/// What is pushed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `…/messages`
    Messages,
    /// `…/status`
    Status,
    /// `…/typing`
    Typing,
}

impl Target {
    /// By the last part of the path.
    pub fn of(path: &str) -> Option<Self> {
        match path.trim_end_matches('/').rsplit('/').next()? {
            "messages" => Some(Self::Messages),
            "status" => Some(Self::Status),
            "typing" => Some(Self::Typing),
            _ => None,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Message {
    id: String,
    conversation: Option<Conversation>,
    from: Option<Writer>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    attachments: Option<Vec<File>>,
    at: Option<DateTime<Utc>>,
    reply_to: Option<String>,
    #[serde(default)]
    edited: Mark,
    #[serde(default)]
    deleted: Mark,
}

#[derive(Debug, Deserialize)]
struct Conversation {
    external_id: String,
}

#[derive(Debug, Deserialize)]
struct Writer {
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    language: Option<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    url: String,
    #[serde(default)]
    name: String,
    content_type: Option<String>,
}

/// That something happened: `true`, or when.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Mark {
    Is(bool),
    At(DateTime<Utc>),
    #[default]
    Not,
}

impl Mark {
    fn is_set(self) -> bool {
        matches!(self, Self::Is(true) | Self::At(_))
    }

    fn at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(at) => Some(at),
            Self::Is(_) | Self::Not => None,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Status {
    message_id: String,
    state: State,
    error: Option<String>,
    external_id: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Delivered,
    Read,
    Failed,
}

#[derive(Debug, Deserialize)]
struct TypingHint {
    conversation: Option<Conversation>,
    from: Writer,
    text: Option<String>,
}

/// Verifies and reads a push.
pub fn accept(
    bridge: &Bridge,
    channel_id: &str,
    max_bytes: u64,
    request: &WebhookRequest,
    now: DateTime<Utc>,
) -> Result<Batch, Rejection> {
    if request.body().len() as u64 > max_bytes {
        return Err(Rejection::TooLarge(format!(
            "at most {} MB are taken; name files by their address",
            max_bytes >> 20
        )));
    }
    if request.method() != Method::POST {
        return Err(Rejection::Malformed("this is posted to".to_owned()));
    }
    let verified = signature::verify(&bridge.secrets(now), request.headers(), request.body(), now)
        .map_err(Rejection::Unauthenticated)?;
    match Target::of(request.uri().path()) {
        Some(Target::Messages) => message(channel_id, read(request.body())?, &verified).map(Batch::one),
        Some(Target::Status) => status(read(request.body())?, &verified).map(Batch::one),
        // Told by `typing`; nothing of it is stored.
        Some(Target::Typing) => hint(channel_id, read(request.body())?).map(|_| Batch::default()),
        None => Err(Rejection::Malformed(
            "post to …/messages, …/status or …/typing".to_owned(),
        )),
    }
}

/// The typing hint of a push that was accepted.
pub fn typing(channel_id: &str, request: &WebhookRequest) -> Option<Typing> {
    if Target::of(request.uri().path()) != Some(Target::Typing) {
        return None;
    }
    hint(channel_id, read(request.body()).ok()?).ok()
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Rejection> {
    let value: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| Rejection::Malformed(format!("the body is not JSON: {error}")))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'));
        let field = match (missing, path.as_str()) {
            (Some((name, _)), ".") => name.to_owned(),
            (Some((name, _)), path) => format!("{path}.{name}"),
            (None, path) => path.to_owned(),
        };
        Rejection::Invalid(vec![(field, message)])
    })
}

fn wrong(field: &str, message: &str) -> Rejection {
    Rejection::Invalid(vec![(field.to_owned(), message.to_owned())])
}

fn id(field: &str, text: &str) -> Result<String, Rejection> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_ID || text.chars().any(char::is_control) {
        return Err(wrong(field, &format!("is one line of 1 to {MAX_ID} bytes")));
    }
    Ok(text.to_owned())
}

/// People are told apart per channel: two bridges may both have a user 1001.
fn identity(channel_id: &str, from: &Writer) -> Result<Identity, Rejection> {
    Ok(Identity {
        kind: IdentityKind::External,
        value: format!("{channel_id}:{}", id("from.id", &from.id)?),
        verified: true,
    })
}

/// The user's id of an address that [`identity`] made.
pub fn user_id<'a>(channel_id: &str, address: &'a str) -> &'a str {
    address
        .strip_prefix(channel_id)
        .and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or(address)
}

fn thread(conversation: Option<&Conversation>) -> Result<Thread, Rejection> {
    match conversation {
        Some(named) => Ok(Thread::Named(id("conversation.external_id", &named.external_id)?)),
        None => Ok(Thread::Contact),
    }
}

fn person(channel_id: &str, from: &Writer) -> Result<Person, Rejection> {
    let mut identities = vec![identity(channel_id, from)?];
    let claims = [
        (IdentityKind::Email, from.email.as_deref().and_then(email)),
        (IdentityKind::Phone, from.phone.as_deref().and_then(phone)),
    ];
    // What the program says of them is a claim, as a form's field is.
    identities.extend(claims.into_iter().filter_map(|(kind, value)| {
        Some(Identity {
            kind,
            value: value?,
            verified: false,
        })
    }));
    Ok(Person {
        name: from.name.clone(),
        identities,
        language: from.language.clone(),
        company: None,
    })
}

fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (user, host) = text.split_once('@')?;
    let fits = !user.is_empty() && host.contains('.') && text.len() <= 254;
    (fits && !text.contains(char::is_whitespace)).then_some(text)
}

/// Only numbers that say their country: a guess would join strangers.
fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let international = text.trim().starts_with('+') && (8..=15).contains(&digits.len());
    international.then(|| format!("+{digits}"))
}

fn message(channel_id: &str, said: Message, verified: &Verified) -> Result<InboundEvent, Rejection> {
    let own = id("id", &said.id)?;
    if said.text.chars().count() > MAX_TEXT {
        return Err(wrong("text", &format!("has at most {MAX_TEXT} characters")));
    }
    let at = said.at.unwrap_or(verified.at);
    if said.deleted.is_set() {
        return Ok(InboundEvent {
            external_id: format!("deleted:{own}"),
            at: said.deleted.at().unwrap_or(at),
            body: InboundBody::Deletion(InboundDeletion { message: own }),
        });
    }
    let attachments = said
        .attachments
        .map(|files| {
            files
                .into_iter()
                .enumerate()
                .map(attachment)
                .collect::<Result<Vec<_>, _>>()
        })
        .transpose()?;
    if attachments.as_ref().is_some_and(|files| files.len() > MAX_FILES) {
        return Err(wrong(
            "attachments",
            &format!("at most {MAX_FILES} files in one message"),
        ));
    }
    if said.edited.is_set() {
        return Ok(InboundEvent {
            // The same edit sent again has the same webhook-id.
            external_id: format!("edited:{own}:{}", verified.id),
            at: said.edited.at().unwrap_or(at),
            body: InboundBody::Edit(InboundEdit {
                message: own,
                text: said.text,
                attachments,
                ..InboundEdit::default()
            }),
        });
    }
    let from = said
        .from
        .ok_or_else(|| wrong("from", "is required: who wrote it"))?;
    let attachments = attachments.unwrap_or_default();
    if said.text.trim().is_empty() && attachments.is_empty() {
        return Err(wrong("text", "is required where there is no attachment"));
    }
    Ok(InboundEvent {
        external_id: own,
        at,
        body: InboundBody::Message(InboundMessage {
            from: person(channel_id, &from)?,
            thread: thread(said.conversation.as_ref())?,
            text: said.text,
            attachments,
            reply_to: said
                .reply_to
                .as_deref()
                .map(|text| id("reply_to", text))
                .transpose()?,
            ..InboundMessage::default()
        }),
    })
}

fn attachment((place, file): (usize, File)) -> Result<InboundAttachment, Rejection> {
    let url = file.url.trim();
    let web = url.starts_with("https://") || url.starts_with("http://");
    if !web || url.len() > MAX_URL {
        return Err(wrong(
            &format!("attachments[{place}].url"),
            "is an address that begins with https:// or http://",
        ));
    }
    let name = if file.name.trim().is_empty() {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        file.name
    };
    Ok(InboundAttachment {
        name,
        content_type: file.content_type.unwrap_or_default(),
        url: Some(url.to_owned()),
        ..InboundAttachment::default()
    })
}

fn status(said: Status, verified: &Verified) -> Result<InboundEvent, Rejection> {
    Ok(InboundEvent {
        external_id: format!("status:{}", verified.id),
        at: verified.at,
        body: InboundBody::Receipt(DeliveryReceipt {
            external_id: id("message_id", &said.message_id)?,
            state: match said.state {
                State::Delivered => ReceiptState::Delivered,
                State::Read => ReceiptState::Read,
                State::Failed => ReceiptState::Failed,
            },
            error: said.error.map(|error| error.chars().take(1000).collect()),
            dead_address: None,
            known_as: said
                .external_id
                .as_deref()
                .map(|text| id("external_id", text))
                .transpose()?,
        }),
    })
}

fn hint(channel_id: &str, said: TypingHint) -> Result<Typing, Rejection> {
    Ok(Typing {
        from: identity(channel_id, &said.from)?,
        thread: thread(said.conversation.as_ref())?,
        name: said.from.name,
        text: said.text,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const CHANNEL: &str = "chn_1";

    fn now() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn bridge() -> Bridge {
        crate::settings::read(crate::settings::example()).unwrap()
    }

    fn signed(path: &str, id: &str, body: Vec<u8>) -> WebhookRequest {
        let bridge = bridge();
        let signature = signature::sign(&bridge.secrets(now()), id, now().timestamp(), &body);
        http::Request::post(format!("/hooks/custom/bridge/{path}"))
            .header(signature::ID, id)
            .header(signature::TIMESTAMP, now().timestamp().to_string())
            .header(signature::SIGNATURE, signature)
            .body(Bytes::from(body))
            .unwrap()
    }

    fn pushed(path: &str, body: &Value) -> Result<Batch, Rejection> {
        let request = signed(path, "wh_1", body.to_string().into_bytes());
        accept(&bridge(), CHANNEL, 1 << 20, &request, now())
    }

    fn event(path: &str, body: &Value) -> InboundEvent {
        let mut batch = pushed(path, body).unwrap();
        assert_eq!(batch.events.len(), 1);
        batch.events.remove(0)
    }

    fn hello() -> Value {
        json!({
            "id": "m1", "conversation": {"external_id": "room-7"},
            "from": {"id": "u1", "name": "Ann", "email": "Ann@Shop.example", "phone": "+998 90 123-45-67", "avatar_url": "x"},
            "text": "Salom", "attachments": [{"url": "https://files.example/a/photo.png?x=1"}],
            "at": "2026-11-22T11:59:58Z", "reply_to": "m0",
        })
    }

    #[test]
    fn a_message_keeps_what_it_says_and_people_belong_to_their_channel() {
        let event = event("messages", &hello());
        assert_eq!(
            (event.external_id.as_str(), event.at),
            ("m1", "2026-11-22T11:59:58Z".parse().unwrap())
        );
        let InboundBody::Message(message) = event.body else {
            panic!("no message")
        };
        assert_eq!(message.thread, Thread::Named("room-7".to_owned()));
        assert_eq!(message.reply_to.as_deref(), Some("m0"));
        let known: Vec<(&str, bool)> = message
            .from
            .identities
            .iter()
            .map(|identity| (identity.value.as_str(), identity.verified))
            .collect();
        assert_eq!(
            known,
            [
                ("chn_1:u1", true),
                ("ann@shop.example", false),
                ("+998901234567", false)
            ]
        );
        let file = &message.attachments[0];
        assert_eq!((file.name.as_str(), file.url.is_some()), ("photo.png", true));
        assert_eq!(user_id(CHANNEL, "chn_1:u1"), "u1");
    }

    #[test]
    fn edits_and_deletions_name_their_message() {
        let edit = event("messages", &json!({"id": "m1", "text": "Hello", "edited": true}));
        assert!(
            matches!(&edit.body, InboundBody::Edit(edit) if edit.message == "m1" && edit.text == "Hello" && edit.attachments.is_none())
        );
        assert_eq!(edit.external_id, "edited:m1:wh_1");
        let timed = event(
            "messages",
            &json!({"id": "m1", "text": "x", "edited": "2026-11-22T11:00:00Z"}),
        );
        assert_eq!(timed.at, "2026-11-22T11:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let gone = event("messages", &json!({"id": "m1", "deleted": true, "edited": true}));
        assert!(matches!(gone.body, InboundBody::Deletion(deletion) if deletion.message == "m1"));
        let neither = event(
            "messages",
            &json!({"id": "m1", "from": {"id": "u"}, "text": "x", "edited": false, "deleted": null}),
        );
        assert!(matches!(neither.body, InboundBody::Message(_)));
    }

    #[test]
    fn states_and_typing_are_read() {
        let read = event(
            "status",
            &json!({"message_id": "msg_1", "state": "read", "external_id": "x9"}),
        );
        let InboundBody::Receipt(receipt) = read.body else {
            panic!("no receipt")
        };
        assert_eq!(
            (
                receipt.external_id.as_str(),
                receipt.state,
                receipt.known_as.as_deref()
            ),
            ("msg_1", ReceiptState::Read, Some("x9"))
        );
        let body = json!({"conversation": {"external_id": "room-7"}, "from": {"id": "u1"}, "text": "Sal"});
        assert!(pushed("typing", &body).unwrap().events.is_empty());
        let request = signed("typing", "wh_2", body.to_string().into_bytes());
        assert_eq!(typing(CHANNEL, &request).unwrap().from.value, "chn_1:u1");
        assert!(
            typing(
                CHANNEL,
                &signed("messages", "wh_2", body.to_string().into_bytes())
            )
            .is_none()
        );
    }

    #[test]
    fn a_refusal_names_the_field() {
        let with = |name: &str, value: Value| {
            let mut body = hello();
            body[name] = value;
            body
        };
        for (path, body, field) in [
            ("messages", json!({}), "id"),
            ("messages", with("id", json!("")), "id"),
            ("messages", with("id", json!(7)), "id"),
            ("messages", with("from", Value::Null), "from"),
            ("messages", with("from", json!({"name": "x"})), "from.id"),
            ("messages", with("from", json!({"id": "  "})), "from.id"),
            (
                "messages",
                with("conversation", json!({})),
                "conversation.external_id",
            ),
            ("messages", with("at", json!("yesterday")), "at"),
            (
                "messages",
                with("attachments", json!([{"url": "file:///etc/passwd"}])),
                "attachments[0].url",
            ),
            ("messages", with("attachments", json!([{}])), "attachments[0].url"),
            ("messages", json!({"id": "m", "from": {"id": "u"}}), "text"),
            ("messages", with("edited", json!("sometime")), "edited"),
            ("status", json!({"message_id": "m", "state": "lost"}), "state"),
            ("status", json!({"state": "read"}), "message_id"),
            ("typing", json!({}), "from"),
        ] {
            match pushed(path, &body) {
                Err(Rejection::Invalid(errors)) => assert_eq!(errors[0].0, field, "{path} {body}"),
                other => panic!("{path} {body}: {other:?}"),
            }
        }
        assert!(matches!(
            pushed("elsewhere", &hello()),
            Err(Rejection::Malformed(_))
        ));
    }

    proptest! {
        #[test]
        fn signed_garbage_is_refused_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for path in ["messages", "status", "typing"] {
                let request = signed(path, "wh_1", body.clone());
                prop_assert!(accept(&bridge(), CHANNEL, 1 << 20, &request, now()).is_err());
            }
        }

        #[test]
        fn any_text_in_any_field_is_taken_or_refused(text in ".*", id in ".{0,500}") {
            let body = json!({"id": id, "from": {"id": text, "name": text, "email": text, "phone": text}, "text": text,
                "conversation": {"external_id": text}, "reply_to": text});
            if let Ok(batch) = pushed("messages", &body) {
                prop_assert!(batch.events.iter().all(|event| !event.external_id.is_empty()));
            }
        }
    }
}
