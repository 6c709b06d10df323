//! A posted message becomes an event.

use chrono::{DateTime, Utc};
use switchboard_sdk::{
    InboundBody, InboundEvent, InboundMessage, Person, PostedMessage, Rejection, Thread, fields::clean_text,
};

/// Longest message of a visitor, in characters.
pub const MAX_TEXT_CHARS: usize = 8_000;
/// Longest idempotency key of a message, in characters.
pub const MAX_CLIENT_ID_CHARS: usize = 64;
/// Most files with one message.
const MAX_FILES: usize = 20;

/// Makes the event. Its `external_id` is `"{visitor}:{client_id}"`: the widget repeats a message with the
/// same `client_id` until it is acknowledged, and two visitors cannot collide.
pub fn event(person: Person, posted: PostedMessage, now: DateTime<Utc>) -> Result<InboundEvent, Rejection> {
    let mut wrong = Vec::new();
    let mut say = |field: &str, message: String| wrong.push((field.to_owned(), message));
    let client_id = posted.client_id;
    let chars = client_id.chars().count();
    let printable = client_id.chars().all(|c| c.is_ascii_graphic());
    if !(1..=MAX_CLIENT_ID_CHARS).contains(&chars) || !printable {
        say(
            "client_id",
            format!(
                "must have 1 to {MAX_CLIENT_ID_CHARS} printable characters without spaces, a UUID for instance"
            ),
        );
    }
    let text = clean_text(&posted.text);
    if text.chars().count() > MAX_TEXT_CHARS {
        say("text", format!("may have at most {MAX_TEXT_CHARS} characters"));
    }
    if text.is_empty() && posted.attachments.is_empty() {
        say("text", "a message needs a text or a file".to_owned());
    }
    if posted.attachments.len() > MAX_FILES {
        say("attachments", format!("may be at most {MAX_FILES}"));
    }
    if !wrong.is_empty() {
        return Err(Rejection::Invalid(wrong));
    }
    let Some(visitor) = person.identities.first().map(|identity| identity.value.clone()) else {
        return Err(Rejection::Unauthenticated(
            "nobody is known to have written this".to_owned(),
        ));
    };
    let message = InboundMessage {
        from: person,
        thread: Thread::Contact,
        text,
        attachments: posted.attachments,
        attribution: posted.attribution,
        client_id: Some(client_id.clone()),
        ..InboundMessage::default()
    };
    Ok(InboundEvent {
        external_id: format!("{visitor}:{client_id}"),
        at: now,
        body: InboundBody::Message(message),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use switchboard_sdk::{Identity, IdentityKind, InboundAttachment};

    use super::*;

    fn visitor() -> Person {
        let own = Identity {
            kind: IdentityKind::Webchat,
            value: "vis_1".to_owned(),
            verified: true,
        };
        Person {
            identities: vec![own],
            ..Person::default()
        }
    }

    fn posted(client_id: &str, text: &str) -> PostedMessage {
        PostedMessage {
            client_id: client_id.to_owned(),
            text: text.to_owned(),
            ..PostedMessage::default()
        }
    }

    fn fields(answer: Result<InboundEvent, Rejection>) -> Vec<String> {
        match answer {
            Err(Rejection::Invalid(wrong)) => wrong.into_iter().map(|(field, _)| field).collect(),
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn a_message_is_trimmed_and_keyed_by_visitor_and_client_id() {
        let event = event(
            visitor(),
            posted("c-1", "  hello\r\nthere\0 \n"),
            DateTime::UNIX_EPOCH,
        );
        let Ok(InboundEvent {
            external_id,
            body: InboundBody::Message(message),
            ..
        }) = event
        else {
            panic!("{event:?}");
        };
        assert_eq!(
            (external_id.as_str(), message.text.as_str()),
            ("vis_1:c-1", "hello\nthere")
        );
        assert_eq!(message.client_id.as_deref(), Some("c-1"));
        assert_eq!(message.thread, Thread::Contact);
    }

    #[test]
    fn each_bad_part_is_named() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(fields(event(visitor(), posted("c", " \n "), now)), ["text"]);
        assert_eq!(
            fields(event(
                visitor(),
                posted("c", &"ы".repeat(MAX_TEXT_CHARS + 1)),
                now
            )),
            ["text"]
        );
        assert_eq!(fields(event(visitor(), posted("", "hi"), now)), ["client_id"]);
        assert_eq!(fields(event(visitor(), posted("a b", "hi"), now)), ["client_id"]);
        assert_eq!(
            fields(event(visitor(), posted(&"c".repeat(65), ""), now)),
            ["client_id", "text"]
        );
        assert!(event(visitor(), posted("c", &"ы".repeat(MAX_TEXT_CHARS)), now).is_ok());
        assert!(matches!(
            event(Person::default(), posted("c", "hi"), now),
            Err(Rejection::Unauthenticated(_))
        ));
    }

    #[test]
    fn a_file_needs_no_text() {
        let file = InboundAttachment {
            stored_id: Some("att_1".to_owned()),
            ..InboundAttachment::default()
        };
        let posted = PostedMessage {
            attachments: vec![file],
            ..posted("c", "")
        };
        assert!(event(visitor(), posted, DateTime::UNIX_EPOCH).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_clean_message_or_a_named_problem(client_id in any::<String>(), text in any::<String>()) {
            match event(visitor(), posted(&client_id, &text), DateTime::UNIX_EPOCH) {
                Ok(InboundEvent { body: InboundBody::Message(message), .. }) => {
                    prop_assert!(!message.text.is_empty() && !message.text.contains('\0'));
                }
                Err(Rejection::Invalid(wrong)) => prop_assert!(!wrong.is_empty()),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
