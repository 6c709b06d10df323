//! What the program is sent, and what its answers mean. Pure.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use switchboard_sdk::{
    Addressee, HttpError, HttpResponse, OutboundDeletion, OutboundEdit, OutboundMessage, SendError,
};

use crate::push::user_id;

/// How much of a refusal is shown, in characters.
const MAX_SAID: usize = 500;
/// Most patience a program may ask for, in seconds.
const MAX_PATIENCE: u64 = 24 * 3600;

/// What is posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `webhook-id`: the same over attempts.
    pub id: String,
    /// The body.
    pub body: Value,
}

fn conversation(thread: Option<&str>, channel_id: &str, to: &str) -> Value {
    // Somebody who wrote without naming a conversation is one.
    json!({"external_id": thread.unwrap_or_else(|| user_id(channel_id, to))})
}

/// A message, as API.md has it.
pub fn send(channel_id: &str, message: &OutboundMessage) -> Call {
    Call {
        id: message.id.clone(),
        body: whole("message.send", channel_id, message),
    }
}

/// A message that says something else now.
pub fn edit(channel_id: &str, edit: &OutboundEdit) -> Call {
    let mut body = whole("message.edit", channel_id, &edit.message);
    named(&mut body, &edit.external_ids);
    Call {
        id: format!("{}_{}", edit.message.id, edit.revision),
        body,
    }
}

/// A message that is taken back.
pub fn delete(channel_id: &str, deletion: &OutboundDeletion) -> Call {
    let mut body = about("message.delete", channel_id, &deletion.to);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("id".to_owned(), json!(deletion.id));
    }
    named(&mut body, &deletion.external_ids);
    Call {
        id: format!("{}_{}", deletion.id, deletion.revision),
        body,
    }
}

/// Something that is no message: `typing`, `session.closed`, `ping`.
pub fn hint(kind: &str, channel_id: &str, to: &Addressee, now: DateTime<Utc>) -> Call {
    let id = format!("{}_{}", to.conversation_id, now.timestamp_micros());
    let mut body = about(kind, channel_id, to);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("id".to_owned(), json!(id));
    }
    Call { id, body }
}

fn about(kind: &str, channel_id: &str, to: &Addressee) -> Value {
    json!({
        "type": kind,
        "conversation": conversation(to.thread.as_deref(), channel_id, &to.to),
        "to": {"id": user_id(channel_id, &to.to)},
    })
}

fn whole(kind: &str, channel_id: &str, message: &OutboundMessage) -> Value {
    let files: Vec<Value> = message
        .attachments
        .iter()
        .map(|file| json!({"url": file.url, "name": file.name, "content_type": file.content_type}))
        .collect();
    let mut body = json!({
        "type": kind,
        "id": message.id,
        "conversation": conversation(message.thread.as_deref(), channel_id, &message.to),
        "to": {"id": user_id(channel_id, &message.to)},
        "text": message.text,
        "attachments": files,
        "author": {"name": message.author_name},
        "at": message.created_at,
    });
    if let (Some(fields), Some(reply_to)) = (body.as_object_mut(), &message.reply_to) {
        fields.insert("reply_to".to_owned(), json!(reply_to));
    }
    body
}

fn named(body: &mut Value, external_ids: &[String]) {
    if let (Some(fields), Some(first)) = (body.as_object_mut(), external_ids.first()) {
        fields.insert("external_id".to_owned(), json!(first));
    }
}

/// What an answer means: the program's id of the message, or why it is not there.
pub fn judged(answer: Result<HttpResponse, HttpError>) -> Result<Option<String>, SendError> {
    let answer = answer.map_err(|error| match error {
        HttpError::Forbidden(reason) => SendError::Refused { reason },
        HttpError::NotSent(reason) => SendError::Retry {
            after: None,
            reason: format!("the callback address cannot be reached: {reason}"),
        },
        // Tried again: a repeat has the same webhook-id, which the program drops.
        HttpError::Unknown(reason) => SendError::Unknown {
            reason: format!("no whole answer from the callback address: {reason}"),
        },
    })?;
    let status = answer.status();
    if status.is_success() {
        let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
        let id = body.and_then(|body| Some(body.get("external_id")?.as_str()?.to_owned()));
        return Ok(id.filter(|id| !id.is_empty()));
    }
    let reason = said(status, answer.body());
    if status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
    {
        return Err(SendError::Retry {
            after: patience(answer.headers()),
            reason,
        });
    }
    if status.is_redirection() {
        return Err(SendError::Refused {
            reason: format!("the callback address answered {status}, and redirects are not followed"),
        });
    }
    let gone: Option<Value> = serde_json::from_slice(answer.body()).ok();
    if gone.is_some_and(|body| body.get("unreachable") == Some(&Value::Bool(true))) {
        return Err(SendError::Unreachable { reason });
    }
    Err(SendError::Refused { reason })
}

/// The program's own words: `detail`, `error`, `message`, or the text as it is.
fn said(status: StatusCode, body: &Bytes) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(body) => ["detail", "error", "message", "title"]
            .iter()
            .find_map(|name| body.get(name)?.as_str().map(str::to_owned))
            .unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let text: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(MAX_SAID)
        .collect();
    match text.trim() {
        "" => format!("the bridge answered {status}"),
        text => format!("the bridge answered {}: {text}", status.as_u16()),
    }
}

fn patience(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let secs: u64 = value.trim().parse().ok()?;
    Some(Duration::from_secs(secs.min(MAX_PATIENCE)))
}

#[cfg(test)]
mod tests {
    use switchboard_sdk::OutboundAttachment;

    use super::*;

    fn answer(status: u16, body: &str) -> Result<HttpResponse, HttpError> {
        let answer = http::Response::builder()
            .status(status)
            .header("retry-after", "7");
        Ok(answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    fn message() -> OutboundMessage {
        OutboundMessage {
            id: "msg_1".to_owned(),
            to: "chn_1:u1".to_owned(),
            thread: Some("room-7".to_owned()),
            text: "Hello".to_owned(),
            reply_to: Some("m1".to_owned()),
            attachments: vec![OutboundAttachment {
                name: "a.png".to_owned(),
                content_type: "image/png".to_owned(),
                url: "https://desk.example/files/att_1?token=x".to_owned(),
                ..OutboundAttachment::default()
            }],
            ..OutboundMessage::default()
        }
    }

    #[test]
    fn a_message_looks_as_the_contract_says() {
        let call = send("chn_1", &message());
        assert_eq!(call.id, "msg_1");
        let body = call.body;
        for (pointer, expected) in [
            ("/type", json!("message.send")),
            ("/id", json!("msg_1")),
            ("/conversation/external_id", json!("room-7")),
            ("/to/id", json!("u1")),
            ("/text", json!("Hello")),
            ("/reply_to", json!("m1")),
            (
                "/attachments/0",
                json!({"url": "https://desk.example/files/att_1?token=x", "name": "a.png", "content_type": "image/png"}),
            ),
        ] {
            assert_eq!(body.pointer(pointer), Some(&expected), "{pointer}");
        }
        let unnamed = OutboundMessage {
            thread: None,
            ..message()
        };
        assert_eq!(send("chn_1", &unnamed).body["conversation"]["external_id"], "u1");
    }

    #[test]
    fn each_change_of_a_message_is_a_call_of_its_own() {
        let changed = |revision| OutboundEdit {
            external_ids: vec!["x9".to_owned()],
            message: message(),
            revision,
        };
        let first = edit("chn_1", &changed(1));
        assert_eq!(
            (first.body["type"].as_str(), first.body["external_id"].as_str()),
            (Some("message.edit"), Some("x9"))
        );
        assert_ne!(first.id, edit("chn_1", &changed(2)).id);
        let deletion = OutboundDeletion {
            id: "msg_1".to_owned(),
            external_ids: vec!["x9".to_owned()],
            revision: 3,
            ..OutboundDeletion::default()
        };
        let gone = delete("chn_1", &deletion);
        assert_eq!(
            (gone.body["type"].as_str(), gone.body["id"].as_str()),
            (Some("message.delete"), Some("msg_1"))
        );
        assert!(
            !gone.id.contains('.') && !first.id.contains('.'),
            "an id with a dot could be read two ways"
        );
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(
            judged(answer(200, r#"{"external_id":"x9"}"#)),
            Ok(Some("x9".to_owned()))
        );
        assert_eq!(judged(answer(204, "")), Ok(None));
        for status in [429, 408, 500, 502, 503, 504] {
            let Err(SendError::Retry { after, .. }) = judged(answer(status, "")) else {
                panic!("{status}")
            };
            assert_eq!(after, Some(Duration::from_secs(7)), "{status}");
        }
        for (status, body, reason) in [
            (
                400,
                r#"{"detail":"no such room"}"#,
                "the bridge answered 400: no such room",
            ),
            (404, "nobody here", "the bridge answered 404: nobody here"),
            (410, "", "the bridge answered 410 Gone"),
            (
                302,
                "",
                "the callback address answered 302 Found, and redirects are not followed",
            ),
        ] {
            assert_eq!(
                judged(answer(status, body)),
                Err(SendError::Refused {
                    reason: reason.to_owned()
                })
            );
        }
        let blocked = judged(answer(403, r#"{"error":"blocked the bot","unreachable":true}"#));
        assert!(
            matches!(blocked, Err(SendError::Unreachable { .. })),
            "{blocked:?}"
        );
        assert!(matches!(
            judged(Err(HttpError::Forbidden("inside".to_owned()))),
            Err(SendError::Refused { .. })
        ));
        let away = judged(Err(HttpError::NotSent("x".to_owned())));
        assert!(matches!(away, Err(SendError::Retry { .. })));
        let cut = judged(Err(HttpError::Unknown("x".to_owned())));
        assert!(matches!(cut, Err(SendError::Unknown { .. })));
    }
}
