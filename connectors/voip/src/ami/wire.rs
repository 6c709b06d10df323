//! The manager interface's words: lines of `Key: Value`, a blank line after each message. Pure.

use bytes::{Buf, BytesMut};

/// Longest message: none is nearly as long.
const LONGEST: usize = 256 << 10;

/// One message: an event or an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message(Vec<(String, String)>);

impl Message {
    /// A field that says something; names are told apart without regard to capitals.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty() && *value != "<unknown>" && *value != "<none>")
    }

    /// The kind of event, or nothing when it is an answer.
    pub fn event(&self) -> Option<&str> {
        self.get("Event")
    }
}

/// Takes the next whole message off; nothing when it is not all there yet. The greeting is passed over.
pub fn next(buffer: &mut BytesMut) -> Result<Option<Message>, &'static str> {
    loop {
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
            if buffer.len() > LONGEST {
                return Err("a message without an end");
            }
            return Ok(None);
        };
        let text = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).into_owned();
        buffer.advance(end + 4);
        let fields: Vec<(String, String)> = text
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        if !fields.is_empty() {
            return Ok(Some(Message(fields)));
        }
    }
}

/// An action as it is sent. What stands in it is one line each.
pub fn action(name: &str, fields: &[(&str, &str)]) -> String {
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let mut text = format!("Action: {name}\r\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {}\r\n", plain(value)));
    }
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_taken_off_one_by_one_however_they_come() {
        let text = "Asterisk Call Manager/9.0.0\r\nResponse: Success\r\nMessage: Hi: there\r\n\r\nEvent: Hangup\r\nCallerIDNum: <unknown>\r\ncause: 16\r\n\r\nEvent: Half";
        let mut buffer = BytesMut::new();
        let mut found = Vec::new();
        for byte in text.bytes() {
            buffer.extend_from_slice(&[byte]);
            found.extend(next(&mut buffer).unwrap());
        }
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].get("message"), Some("Hi: there"));
        assert_eq!(
            (
                found[1].event(),
                found[1].get("CallerIDNum"),
                found[1].get("Cause")
            ),
            (Some("Hangup"), None, Some("16"))
        );
    }

    #[test]
    fn an_action_holds_no_line_but_its_own() {
        assert_eq!(
            action("Ping", &[("ActionID", "1\r\nAction: Originate")]),
            "Action: Ping\r\nActionID: 1Action: Originate\r\n\r\n"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = BytesMut::from(bytes.as_slice());
            while let Ok(Some(message)) = next(&mut buffer) {
                prop_assert!(message.event().is_none_or(|event| !event.is_empty()));
            }
        }
    }
}
