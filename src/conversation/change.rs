//! What happens to a message after it was written: it says something else, is taken back, is reacted to.
//! Pure: a row is changed in memory, and whoever holds it writes it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::db::entity::{message, message_version};

/// Most people whose reactions one message shows.
const MAX_REACTING: usize = 200;
/// Most reactions of one person to one message.
const MAX_EMOJI: usize = 12;

/// What a message says now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Words {
    /// Plain text.
    pub text: String,
    /// Rich text, sanitised.
    pub html: Option<String>,
    /// Ids of the files it had and has no longer; `None` when its files stayed.
    pub replaced_files: Option<Vec<String>>,
    /// It has files now; asked when they were replaced.
    pub has_files: bool,
}

/// What a change made of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Edited {
    /// It says that already.
    Same,
    /// It says something else now; this is what it said before.
    Changed(message_version::Model),
    /// A newer change came first: this is only remembered.
    Late(message_version::Model),
}

/// Gives a message new words as of `at`. Order is told by `at`: what is older than the words it has only
/// becomes history.
pub fn edit(row: &mut message::Model, words: Words, at: DateTime<Utc>) -> Edited {
    let late = row.edited_at.is_some_and(|known| at < known);
    if row.body == words.text && row.html == words.html && words.replaced_files.is_none() {
        return Edited::Same;
    }
    let number = row.revision;
    row.revision += 1;
    if late {
        return Edited::Late(message_version::Model {
            message_id: row.id.clone(),
            number,
            body: words.text,
            html: words.html,
            files: None,
            at,
        });
    }
    let before = message_version::Model {
        message_id: row.id.clone(),
        number,
        body: std::mem::replace(&mut row.body, words.text),
        html: std::mem::replace(&mut row.html, words.html),
        files: words.replaced_files.as_ref().map(|files| json!(files)),
        at: row.edited_at.unwrap_or(row.created_at),
    };
    if words.replaced_files.is_some() {
        row.has_attachments = words.has_files;
    }
    row.edited_at = Some(at);
    Edited::Changed(before)
}

/// Takes a message back; whether that is news. The words stay, for the staff.
pub fn delete(row: &mut message::Model, by: &str, at: DateTime<Utc>) -> bool {
    if row.deleted_at.is_some() {
        return false;
    }
    row.deleted_at = Some(at);
    row.deleted_by = Some(by.to_owned());
    true
}

/// What somebody feels about a message, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reacting {
    /// Who: their identity, for telling them from others.
    pub who: String,
    /// Their name.
    pub name: Option<String>,
    /// All their reactions; empty when they took them back.
    pub emoji: Vec<String>,
    /// As of when.
    pub at: DateTime<Utc>,
}

/// Sets the state of one person; whether that is news. An older state never undoes a newer one, which is
/// why an empty one is kept.
pub fn react(row: &mut message::Model, mut state: Reacting) -> bool {
    state.emoji.truncate(MAX_EMOJI);
    let mut all = reactions(row.reactions.as_ref());
    let full = all.len() >= MAX_REACTING;
    match all.iter_mut().find(|known| known.who == state.who) {
        Some(known) if known.at > state.at || known.emoji == state.emoji => return false,
        Some(known) => *known = state,
        None if state.emoji.is_empty() || full => return false,
        None => all.push(state),
    }
    row.reactions = Some(json!(all));
    true
}

/// Reads what is stored.
pub fn reactions(stored: Option<&Value>) -> Vec<Reacting> {
    stored
        .and_then(|value| serde_json::from_value(value.clone()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(secs)
    }

    fn row() -> message::Model {
        message::Model {
            id: "msg_1".to_owned(),
            body: "first".to_owned(),
            created_at: at(0),
            ..message::Model::default()
        }
    }

    fn words(text: &str) -> Words {
        Words {
            text: text.to_owned(),
            ..Words::default()
        }
    }

    #[test]
    fn an_edit_keeps_what_was_said_before_and_the_same_words_are_none() {
        let mut row = row();
        let Edited::Changed(before) = edit(&mut row, words("second"), at(10)) else {
            panic!("not changed");
        };
        assert_eq!(
            (before.number, before.body.as_str(), before.at),
            (0, "first", at(0))
        );
        assert_eq!(
            (row.body.as_str(), row.edited_at, row.revision),
            ("second", Some(at(10)), 1)
        );
        assert_eq!(edit(&mut row, words("second"), at(20)), Edited::Same);
        assert_eq!(row.revision, 1);
    }

    #[test]
    fn an_older_edit_that_comes_late_is_history_only() {
        let mut row = row();
        edit(&mut row, words("third"), at(20));
        assert!(
            matches!(edit(&mut row, words("second"), at(10)), Edited::Late(late) if late.body == "second")
        );
        assert_eq!(
            (row.body.as_str(), row.edited_at, row.revision),
            ("third", Some(at(20)), 2)
        );
    }

    #[test]
    fn a_message_is_taken_back_once() {
        let mut row = row();
        assert!(delete(&mut row, "contact", at(1)));
        assert!(!delete(&mut row, "operator", at(2)));
        assert_eq!(row.deleted_by.as_deref(), Some("contact"));
        assert_eq!(row.body, "first");
    }

    fn state(who: &str, emoji: &[&str], secs: i64) -> Reacting {
        Reacting {
            who: who.to_owned(),
            name: None,
            emoji: emoji.iter().map(|one| (*one).to_owned()).collect(),
            at: at(secs),
        }
    }

    #[test]
    fn reactions_are_states_and_the_newest_stands() {
        let mut row = row();
        assert!(react(&mut row, state("a", &["👍"], 5)));
        assert!(!react(&mut row, state("a", &["👍"], 6)), "nothing new");
        assert!(react(&mut row, state("a", &[], 9)));
        assert!(
            !react(&mut row, state("a", &["👍"], 7)),
            "older than what is known"
        );
        assert!(!react(&mut row, state("b", &[], 1)), "nobody took back nothing");
        let left: Vec<Reacting> = reactions(row.reactions.as_ref());
        assert!(left.iter().all(|reacting| reacting.emoji.is_empty()));
    }

    proptest! {
        #[test]
        fn in_whatever_order_edits_come_the_newest_words_stand_and_none_are_lost(
            mut order in Just((1_i64..=8).collect::<Vec<_>>()).prop_shuffle()
        ) {
            let mut row = row();
            let mut kept = vec![];
            for n in order.drain(..) {
                match edit(&mut row, words(&format!("v{n}")), at(n)) {
                    Edited::Changed(before) | Edited::Late(before) => kept.push((before.number, before.body)),
                    Edited::Same => prop_assert!(false, "each is different"),
                }
            }
            prop_assert_eq!(&row.body, "v8");
            let mut numbers: Vec<i64> = kept.iter().map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            prop_assert_eq!(numbers, (0..8).collect::<Vec<i64>>());
            let mut said: Vec<String> = kept.into_iter().map(|(_, body)| body).collect();
            said.push(row.body.clone());
            said.sort();
            let mut all: Vec<String> = (1..=8).map(|n| format!("v{n}")).collect();
            all.insert(0, "first".to_owned());
            prop_assert_eq!(said, all);
        }
    }
}
