//! Words of one into words of the other. Pure.

use crate::{LeadSnapshot, Note, NoteKind, Person};

/// At most so many characters, the cut shown.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// What a CRM said, fit for one line of an error.
pub(crate) fn said(text: &str) -> String {
    let one_line: Vec<&str> = text.split_whitespace().collect();
    cut(&one_line.join(" "), 300)
}

/// First name and last name, as far as a whole name tells.
pub(crate) fn names(whole: &str) -> (String, String) {
    let words: Vec<&str> = whole.split_whitespace().collect();
    match words.split_last() {
        None => (String::new(), String::new()),
        Some((only, [])) => ((*only).to_owned(), String::new()),
        Some((last, first)) => (first.join(" "), (*last).to_owned()),
    }
}

/// What a person is called where a name is needed.
pub(crate) fn called(person: &Person, lead: &LeadSnapshot) -> String {
    let candidates = [
        Some(&person.name),
        person.phones.first(),
        person.emails.first(),
        Some(&lead.title),
    ];
    candidates
        .into_iter()
        .flatten()
        .map(|text| text.trim())
        .find(|text| !text.is_empty())
        .unwrap_or("?")
        .to_owned()
}

/// Whether two ways to write a number mean the same telephone: CRMs keep what people typed. National prefixes
/// differ, so the last ten digits decide when both have them.
pub(crate) fn same_phone(one: &str, other: &str) -> bool {
    let tail = |text: &str| -> Vec<char> {
        // An extension is no part of the number.
        let number = text.split([';', 'x', ',', '#']).next().unwrap_or_default();
        let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
        digits.iter().rev().take(10).copied().collect()
    };
    let (one, other) = (tail(one), tail(other));
    one.len() >= 5 && one == other
}

/// What a kind of note is called in a timeline.
pub(crate) fn heading(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Conversation => "Conversation",
        NoteKind::Call => "Call",
        NoteKind::Remark => "Note",
    }
}

/// A note as text: what it is, the words, the way back, and the mark it is found by again.
pub(crate) fn note(note: &Note, max: usize) -> String {
    let head = format!("{}, {}", heading(note.kind), note.at.format("%Y-%m-%d %H:%M UTC"));
    let mut tail = String::new();
    if let Some(url) = &note.url {
        tail.push_str(&format!("\n{url}"));
    }
    tail.push_str(&format!("\n{}", mark(&note.id)));
    let room = max.saturating_sub(head.chars().count() + tail.chars().count() + 2);
    format!("{head}\n\n{}{tail}", cut(&note.text, room))
}

/// How a note of ours is known.
pub(crate) fn mark(id: &str) -> String {
    format!("[Switchboard {id}]")
}

/// Text in HTML.
pub(crate) fn html(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    escaped.replace("\r\n", "\n").replace('\n', "<br>")
}

/// What is said of a lead where a CRM has one field for words: where it came from and where it stands with us.
pub(crate) fn about(lead: &LeadSnapshot) -> String {
    let mut lines = vec![lead.source.clone()];
    lines.extend(
        lead.attribution
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    lines.push(lead.url.clone());
    lines.retain(|line| !line.trim().is_empty());
    cut(&lines.join("\n"), 4000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_known_however_it_is_written() {
        assert!(same_phone("+79161234567", "8 (916) 123-45-67"));
        assert!(same_phone("+49 30 12345", "493012345"));
        assert!(same_phone("+79161234567", "+7 916 123-45-67;ext=12"));
        assert!(!same_phone("+79161234567", "+79161234568"));
        assert!(!same_phone("", ""));
        assert!(!same_phone("12", "12"));
    }

    #[test]
    fn a_long_note_keeps_its_mark() {
        let long = Note {
            id: "msg_1".to_owned(),
            at: chrono::DateTime::UNIX_EPOCH,
            kind: NoteKind::Remark,
            text: "я".repeat(60_000),
            url: Some("https://desk.example/1".to_owned()),
        };
        let text = note(&long, 1000);
        assert_eq!(text.chars().count(), 1000);
        assert!(text.ends_with("https://desk.example/1\n[Switchboard msg_1]"));
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_allowed(text in "\\PC{0,80}", max in 1_usize..60) {
            prop_assert!(cut(&text, max).chars().count() <= max);
        }

        #[test]
        fn a_name_keeps_all_its_words(name in "[a-zа-я]{1,8}( [a-zа-я]{1,8}){0,4}") {
            let (first, last) = names(&name);
            let whole = format!("{first} {last}");
            prop_assert_eq!(whole.trim(), name);
        }
    }
}
