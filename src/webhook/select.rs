//! Which events a webhook is told of. Pure.

use crate::event::EventType;

/// Most entries of one webhook.
const MAX_ENTRIES: usize = 100;

/// The words an admin may choose from.
pub fn words() -> Vec<&'static str> {
    EventType::outgoing().map(EventType::as_str).collect()
}

/// Whether a webhook that chose `entries` is told of events of this word: by the word itself, by all words with
/// the same beginning (`lead.*`), or by all (`*`).
pub fn chooses(entries: &[String], word: &str) -> bool {
    entries.iter().any(|entry| fits(entry, word))
}

fn fits(entry: &str, word: &str) -> bool {
    match entry.strip_suffix('*') {
        Some("") => true,
        Some(start) => start.ends_with('.') && word.starts_with(start),
        None => entry == word,
    }
}

/// The entries without repeats, or what is wrong with which of them.
pub fn checked(entries: Vec<String>) -> Result<Vec<String>, Vec<(String, String)>> {
    let mut kept: Vec<String> = Vec::new();
    let mut wrong = Vec::new();
    if entries.len() > MAX_ENTRIES {
        wrong.push(("events".to_owned(), format!("at most {MAX_ENTRIES} entries")));
        return Err(wrong);
    }
    let known = words();
    for (position, entry) in entries.into_iter().enumerate() {
        let entry = entry.trim().to_owned();
        if !known.iter().any(|word| fits(&entry, word)) {
            wrong.push((
                format!("events[{position}]"),
                "there is no such event; GET /api/v1/webhooks/events names them, `lead.*` and `*` stand for several"
                    .to_owned(),
            ));
        } else if !kept.contains(&entry) {
            kept.push(entry);
        }
    }
    if wrong.is_empty() { Ok(kept) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(list: &[&str]) -> Vec<String> {
        list.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn a_word_is_chosen_by_itself_by_its_beginning_or_by_the_star() {
        for (list, word, chosen) in [
            (&["lead.created"][..], "lead.created", true),
            (&["lead.created"], "lead.updated", false),
            (&["lead.*"], "lead.updated", true),
            (&["lead.*"], "leads.updated", false),
            (&["le*"], "lead.updated", false),
            (&["*"], "call.updated", true),
            (&["call.updated", "lead.*"], "lead.created", true),
            (&[], "lead.created", false),
        ] {
            assert_eq!(chooses(&entries(list), word), chosen, "{list:?} {word}");
        }
    }

    #[test]
    fn what_is_only_of_use_in_here_is_not_offered() {
        let words = words();
        for needed in [
            "message.created",
            "message.updated",
            "conversation.updated",
            "offer.created",
            "offer.ended",
            "operator.updated",
            "lead.created",
            "lead.updated",
            "contact.updated",
            "submission.created",
            "call.updated",
            "channel.health",
        ] {
            assert!(words.contains(&needed), "{needed}");
        }
        for inner in ["call.reported", "routing.updated", "webhook.updated"] {
            assert!(!words.contains(&inner), "{inner}");
        }
    }

    #[test]
    fn an_unknown_word_is_named_by_its_place_and_repeats_are_dropped() {
        assert_eq!(
            checked(entries(&["lead.*", " lead.* ", "call.updated"])),
            Ok(entries(&["lead.*", "call.updated"]))
        );
        let wrong = checked(entries(&["lead.created", "lead.eaten", "call.reported", "x.*"])).unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["events[1]", "events[2]", "events[3]"]);
    }
}
