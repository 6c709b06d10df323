//! Cutting a text into messages. Pure.
//!
//! Telegram counts a text in UTF-16 units and its special parts apart from it. A cut falls between paragraphs
//! where it can, then between lines, words, characters; never inside a character, and inside a special part
//! only when that is longer than a message by itself.

use crate::{
    entities::utf16_len,
    markup::{Rich, Span},
};

/// The longest text of a message,
pub const TEXT: usize = 4096;
/// of the words under a file,
pub const CAPTION: usize = 1024;
/// and the most special parts of one message.
pub const SPANS: usize = 100;

/// The text in pieces of at most `limit` units, none of them empty.
pub fn split(rich: &Rich, limit: usize) -> Vec<Rich> {
    let mut pieces = Vec::new();
    let mut rest = rich.clone().trimmed();
    while !rest.text.is_empty() {
        let end = end_of_piece(&rest, limit.max(2));
        let (piece, after) = cut(rest, end);
        if !piece.text.is_empty() {
            pieces.push(piece);
        }
        rest = after;
    }
    pieces
}

/// Where the first piece ends, in units.
fn end_of_piece(rest: &Rich, limit: usize) -> usize {
    let whole = utf16_len(&rest.text);
    // One part more than a message may have begins the next one.
    let crowded = rest.spans.get(SPANS).map(|span| span.offset).filter(|at| *at > 0);
    let limit = limit.min(crowded.unwrap_or(usize::MAX));
    if whole <= limit {
        return whole;
    }
    let cuts = cuts(&rest.text, limit);
    let inside = |at: usize| {
        rest.spans
            .iter()
            .any(|span| span.offset < at && at < span.offset + span.length)
    };
    // A short piece for the sake of a fine cut would make many of few.
    let least = limit / 2;
    let best = |from: usize, whole_parts: bool| {
        cuts.iter()
            .filter(|cut| cut.at >= from && cut.at > 0 && !(whole_parts && inside(cut.at)))
            .max_by_key(|cut| (cut.rank, cut.at))
            .map(|cut| cut.at)
    };
    best(least, true)
        .or_else(|| best(1, true))
        .or_else(|| best(least, false))
        .or_else(|| best(1, false))
        .unwrap_or(whole)
}

/// A place where a text may be cut; the greater its rank, the better.
struct Cut {
    at: usize,
    rank: u8,
}

fn cuts(text: &str, limit: usize) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let (mut at, mut before) = (0, ['\0'; 2]);
    for char in text.chars() {
        if at > limit {
            break;
        }
        let rank = match (before, char) {
            (['\n', '\n'], _) => 4,
            ([_, '\n'], _) => 3,
            ([_, before], _) if before.is_whitespace() => 2,
            // Skin colours, joiners and marks belong to what stands before them, flags are pairs.
            ([_, '\u{200d}'], _) => 0,
            (_, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}' | '\u{1f3fb}'..='\u{1f3ff}') => {
                0
            }
            ([_, '\u{1f1e6}'..='\u{1f1ff}'], '\u{1f1e6}'..='\u{1f1ff}') => 0,
            _ => 1,
        };
        cuts.push(Cut { at, rank });
        at += char.len_utf16();
        before = [before[1], char];
    }
    cuts
}

fn cut(rich: Rich, at: usize) -> (Rich, Rich) {
    let (mut units, mut bytes) = (0, rich.text.len());
    for (index, char) in rich.text.char_indices() {
        if units >= at {
            bytes = index;
            break;
        }
        units += char.len_utf16();
    }
    let (first, second) = rich.text.split_at_checked(bytes).unwrap_or((&rich.text, ""));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for span in &rich.spans {
        let end = span.offset + span.length;
        if span.offset < at {
            before.push(Span {
                length: end.min(at) - span.offset,
                ..span.clone()
            });
        }
        if end > at {
            let from = span.offset.max(at);
            after.push(Span {
                offset: from - at,
                length: end - from,
                ..span.clone()
            });
        }
    }
    let piece = |text: &str, spans| {
        Rich {
            text: text.to_owned(),
            spans,
        }
        .trimmed()
    };
    (piece(first, before), piece(second, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{entities::slice, markup::SpanKind};

    fn bold(offset: usize, length: usize) -> Span {
        Span {
            kind: SpanKind::Bold,
            offset,
            length,
        }
    }

    fn texts(pieces: &[Rich]) -> Vec<&str> {
        pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn a_cut_falls_where_a_reader_would_make_it() {
        for (text, limit, expected) in [
            ("short", 4096, vec!["short"]),
            ("", 10, vec![]),
            ("one two three", 8, vec!["one two", "three"]),
            ("aaa\n\nbb cc dd", 9, vec!["aaa", "bb cc dd"]),
            ("aaaa\nbb cc dd", 8, vec!["aaaa", "bb cc dd"]),
            ("abcdefgh", 3, vec!["abc", "def", "gh"]),
            // A face is two units: no half of it anywhere.
            ("😀😀😀", 3, vec!["😀", "😀", "😀"]),
            ("👍🏽👍🏽", 6, vec!["👍🏽", "👍🏽"]),
        ] {
            assert_eq!(
                texts(&split(&Rich::plain(text), limit)),
                expected,
                "{text:?} by {limit}"
            );
        }
    }

    #[test]
    fn a_special_part_stays_whole_when_it_fits_and_goes_on_when_it_does_not() {
        let rich = Rich {
            text: "one two three four".to_owned(),
            spans: vec![bold(4, 9)],
        };
        let pieces = split(&rich, 10);
        assert_eq!(texts(&pieces), ["one", "two three", "four"]);
        assert_eq!(pieces[1].spans, [bold(0, 9)]);
        let long = Rich {
            text: "aaaa bbbb cccc".to_owned(),
            spans: vec![bold(0, 14)],
        };
        let pieces = split(&long, 5);
        assert_eq!(texts(&pieces), ["aaaa", "bbbb", "cccc"]);
        assert!(
            pieces.iter().all(|piece| piece.spans == [bold(0, 4)]),
            "{pieces:?}"
        );
    }

    #[test]
    fn no_message_has_more_special_parts_than_telegram_takes() {
        let text = "ab ".repeat(250);
        let spans = (0..250).map(|index| bold(index * 3, 2)).collect();
        let pieces = split(&Rich { text, spans }, TEXT);
        assert_eq!(pieces.len(), 3);
        assert!(pieces.iter().all(|piece| piece.spans.len() <= SPANS));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(
            text in "[a-c \n😀é👍🏽ש]{0,200}",
            parts in prop::collection::vec((0_usize..220, 1_usize..60), 0..6),
            limit in 2_usize..60,
        ) {
            let whole = utf16_len(&text);
            // Only parts that stand on characters, as markup makes them.
            let edges: Vec<usize> = text.chars().scan(0, |at, char| { *at += char.len_utf16(); Some(*at) }).collect();
            let spans: Vec<Span> = parts.iter()
                .filter(|(from, len)| from + len <= whole && (*from == 0 || edges.contains(from)) && edges.contains(&(from + len)))
                .map(|(from, len)| bold(*from, *len))
                .collect();
            let mut rich = Rich { text: text.clone(), spans };
            rich.spans.sort_by_key(|span| span.offset);
            let pieces = split(&rich, limit);
            let said: String = pieces.iter().flat_map(|piece| piece.text.chars()).filter(|char| !char.is_whitespace()).collect();
            let wanted: String = text.chars().filter(|char| !char.is_whitespace()).collect();
            prop_assert_eq!(said, wanted);
            let mut special = String::new();
            for piece in &pieces {
                prop_assert!(utf16_len(&piece.text) <= limit && !piece.text.is_empty());
                for span in &piece.spans {
                    prop_assert!(span.length > 0 && span.offset + span.length <= utf16_len(&piece.text));
                    let words = slice(&piece.text, span.offset, span.offset + span.length);
                    prop_assert_eq!(utf16_len(&words), span.length, "a part ends inside a character");
                    special.push_str(&words);
                }
            }
            if rich.spans.len() == 1 {
                let words = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
                let span = &rich.spans[0];
                prop_assert_eq!(words(&special), words(&slice(&text, span.offset, span.offset + span.length)));
            }
        }
    }
}
