//! The marks that mail programs of many languages put before the subject of an answer and of a forward. Pure.

const ANSWERS: [&str; 12] = [
    "re",
    "aw",
    "sv",
    "vs",
    "antw",
    "odp",
    "отв",
    "ответ",
    "ynt",
    "rif",
    "回复",
    "答复",
];
const FORWARDS: [&str; 13] = [
    "fwd",
    "fw",
    "wg",
    "tr",
    "rv",
    "enc",
    "пересл",
    "пересылка",
    "doorst",
    "vl",
    "pd",
    "转发",
    "转寄",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Answer,
    Forward,
}

/// The first mark and what stands behind it. `RE[2]:` counts how often.
fn marked(subject: &str) -> Option<(Mark, &str)> {
    let (mark, after) = subject.split_once([':', '：'])?;
    let word = mark.split('[').next().unwrap_or_default().trim().to_lowercase();
    let mark = if ANSWERS.contains(&word.as_str()) {
        Mark::Answer
    } else if FORWARDS.contains(&word.as_str()) {
        Mark::Forward
    } else {
        return None;
    };
    let after = after.trim();
    (!after.is_empty()).then_some((mark, after))
}

/// A list's tag: "[support] Re: order".
fn without_tag(subject: &str) -> Option<&str> {
    let (_, after) = subject.strip_prefix('[')?.split_once(']')?;
    Some(after.trim()).filter(|after| !after.is_empty())
}

/// The subject without the marks of answers and forwards and the tags of lists, in lower case: what two subjects are
/// compared by.
pub fn base_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some(after) = without_tag(rest).or_else(|| marked(rest).map(|(_, after)| after)) {
        rest = after;
    }
    rest.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// The subject without the marks of answers before it.
pub fn without_answer_marks(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((Mark::Answer, after)) = marked(rest) {
        rest = after;
    }
    rest
}

/// Whether the last thing that was done with the mail is that somebody passed it on.
pub fn is_forward(subject: &str) -> bool {
    let subject = subject.trim();
    let subject = without_tag(subject).unwrap_or(subject);
    matches!(marked(subject), Some((Mark::Forward, _)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_the_same_under_marks_of_any_language_and_lists() {
        for subject in [
            "Order 5",
            "RE: order  5",
            "Re[2]: Fwd: Order 5",
            "[support] Отв: Order 5",
            "转发：回复：Order 5",
        ] {
            assert_eq!(base_subject(subject), "order 5", "{subject}");
        }
        assert_eq!(base_subject("Refund: when?"), "refund: when?");
        assert_eq!(base_subject("Re:"), "re:");
    }

    #[test]
    fn an_answer_is_marked_once_in_whatever_language_it_was_marked_before() {
        for subject in [
            "Order 5",
            "Re: Order 5",
            "RE: Re: AW: Order 5",
            "Re[2]: Order 5",
            "Отв: Order 5",
            "回复：Order 5",
        ] {
            assert_eq!(without_answer_marks(subject), "Order 5");
        }
        assert_eq!(without_answer_marks("Fwd: Re: Order 5"), "Fwd: Re: Order 5");
        assert_eq!(without_answer_marks("Re:"), "Re:");
    }

    #[test]
    fn a_forward_is_told_from_an_answer_to_one() {
        for subject in ["Fwd: x", "FW: RE: x", "[shop] WG: x", "Пересл: x", "TR: x"] {
            assert!(is_forward(subject), "{subject}");
        }
        for subject in ["Re: Fwd: x", "x", "Forward: x", "Fwd:"] {
            assert!(!is_forward(subject), "{subject}");
        }
    }
}
