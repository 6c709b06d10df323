//! Telegram's special parts of a text, as HTML. Pure.
//!
//! Offsets count UTF-16 code units. Parts may nest and, by the word of strangers, cross; what comes out is
//! always well nested, and everything that is not a tag of ours is escaped.

use std::cmp::Reverse;

use crate::update::Entity;

/// The HTML of a text, or `None` when it says no more than the text.
pub fn html(text: &str, entities: &[Entity]) -> Option<String> {
    let places = places(text, entities);
    if places.is_empty() {
        return None;
    }
    let mut page = String::with_capacity(text.len() + places.len() * 16);
    let mut open: Vec<&Place> = Vec::new();
    let mut next = places.iter().peekable();
    for (at, char) in units(text).chain([(utf16_len(text), '\0')]) {
        close_ended(&mut open, at, &mut page);
        while let Some(place) = next.next_if(|place| place.from <= at) {
            page.push_str(&place.opening);
            open.push(place);
        }
        if char != '\0' {
            push_escaped(
                &mut page,
                char,
                open.iter().any(|place| place.closing == "</pre>"),
            );
        }
    }
    while let Some(place) = open.pop() {
        page.push_str(place.closing);
    }
    Some(page)
}

/// How long a text is for Telegram.
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The part of a text between two places, counted in UTF-16; a place in the middle of a character counts as
/// behind it.
pub fn slice(text: &str, from: usize, to: usize) -> String {
    units(text)
        .filter(|(at, _)| (from..to).contains(at))
        .map(|(_, char)| char)
        .collect()
}

/// A tag that is to stand around a part.
struct Place {
    from: usize,
    to: usize,
    opening: String,
    closing: &'static str,
}

/// Each character with its offset.
fn units(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.chars().scan(0, |at, char| {
        let here = *at;
        *at += char.len_utf16();
        Some((here, char))
    })
}

fn places(text: &str, entities: &[Entity]) -> Vec<Place> {
    let whole = utf16_len(text);
    let mut places: Vec<Place> = entities
        .iter()
        .filter_map(|entity| {
            let to = entity.offset.saturating_add(entity.length).min(whole);
            if entity.offset >= to {
                return None;
            }
            let words = slice(text, entity.offset, to);
            if words.is_empty() {
                return None;
            }
            let (opening, closing) = tag(entity, &words)?;
            Some(Place {
                from: entity.offset,
                to,
                opening,
                closing,
            })
        })
        .collect();
    places.sort_by_key(|place| (place.from, Reverse(place.to)));
    places
}

/// Closes what ends here. What was opened inside of it and goes on is closed and opened again.
fn close_ended(open: &mut Vec<&Place>, at: usize, page: &mut String) {
    let Some(first) = open.iter().position(|place| place.to <= at) else {
        return;
    };
    let inner = open.split_off(first);
    for place in inner.iter().rev() {
        page.push_str(place.closing);
    }
    for place in inner.into_iter().filter(|place| place.to > at) {
        page.push_str(&place.opening);
        open.push(place);
    }
}

fn tag(entity: &Entity, words: &str) -> Option<(String, &'static str)> {
    let link = |target: String| (format!("<a href=\"{}\">", escaped(&target)), "</a>");
    Some(match entity.kind.as_str() {
        "bold" => ("<b>".to_owned(), "</b>"),
        "italic" => ("<i>".to_owned(), "</i>"),
        "underline" => ("<u>".to_owned(), "</u>"),
        "strikethrough" => ("<s>".to_owned(), "</s>"),
        "code" => ("<code>".to_owned(), "</code>"),
        "pre" => ("<pre>".to_owned(), "</pre>"),
        "blockquote" | "expandable_blockquote" => ("<blockquote>".to_owned(), "</blockquote>"),
        "text_link" => link(entity.url.clone().filter(|url| is_web(url))?),
        "url" if is_web(words) => link(words.to_owned()),
        "url" if !words.contains("://") => link(format!("https://{words}")),
        "email" => link(format!("mailto:{words}")),
        "phone_number" => link(format!(
            "tel:{}",
            words.replace(|char: char| !char.is_ascii_digit() && char != '+', "")
        )),
        "mention" => link(format!("https://t.me/{}", words.trim_start_matches('@'))),
        _ => return None,
    })
}

fn is_web(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "mailto" | "tel"))
}

fn push_escaped(page: &mut String, char: char, verbatim: bool) {
    match char {
        '&' => page.push_str("&amp;"),
        '<' => page.push_str("&lt;"),
        '>' => page.push_str("&gt;"),
        '"' => page.push_str("&quot;"),
        '\n' if !verbatim => page.push_str("<br>"),
        char => page.push(char),
    }
}

/// Text that is no markup.
pub fn escaped(text: &str) -> String {
    let mut page = String::with_capacity(text.len());
    text.chars().for_each(|char| push_escaped(&mut page, char, true));
    page
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entity(kind: &str, offset: usize, length: usize) -> Entity {
        Entity {
            kind: kind.to_owned(),
            offset,
            length,
            ..Entity::default()
        }
    }

    #[test]
    fn parts_become_tags_wherever_they_stand() {
        for (text, entities, expected) in [
            ("plain", vec![], None),
            ("plain", vec![entity("hashtag", 0, 5)], None),
            ("a bold b", vec![entity("bold", 2, 4)], Some("a <b>bold</b> b")),
            // A family is eleven units and one picture; what stands behind it is where Telegram counts it.
            ("👨‍👩‍👧‍👦 hi", vec![entity("bold", 12, 2)], Some("👨‍👩‍👧‍👦 <b>hi</b>")),
            (
                "שלום world",
                vec![entity("italic", 0, 4)],
                Some("<i>שלום</i> world"),
            ),
            ("<b>", vec![entity("code", 0, 3)], Some("<code>&lt;b&gt;</code>")),
            ("a\nb\nc", vec![entity("pre", 0, 3)], Some("<pre>a\nb</pre><br>c")),
            // Nested,
            (
                "abcd",
                vec![entity("italic", 1, 2), entity("bold", 0, 4)],
                Some("<b>a<i>bc</i>d</b>"),
            ),
            // in the same place,
            (
                "ab",
                vec![entity("bold", 0, 2), entity("italic", 0, 2)],
                Some("<b><i>ab</i></b>"),
            ),
            // and crossing.
            (
                "abcd",
                vec![entity("bold", 0, 3), entity("italic", 1, 3)],
                Some("<b>a<i>bc</i></b><i>d</i>"),
            ),
            // Beyond the end, and nowhere.
            (
                "ab",
                vec![entity("bold", 1, 50), entity("bold", 9, 1)],
                Some("a<b>b</b>"),
            ),
            (
                "see shop.example",
                vec![entity("url", 4, 12)],
                Some("see <a href=\"https://shop.example\">shop.example</a>"),
            ),
            (
                "+1 (555) 01",
                vec![entity("phone_number", 0, 11)],
                Some("<a href=\"tel:+155501\">+1 (555) 01</a>"),
            ),
            (
                "@ann",
                vec![entity("mention", 0, 4)],
                Some("<a href=\"https://t.me/ann\">@ann</a>"),
            ),
        ] {
            assert_eq!(html(text, &entities).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_link_leads_to_the_web_and_nowhere_else() {
        let link = |url: &str| Entity {
            url: Some(url.to_owned()),
            ..entity("text_link", 0, 1)
        };
        assert_eq!(
            html("a", &[link("https://x.example/?a=1&b=\"2\"")]).as_deref(),
            Some("<a href=\"https://x.example/?a=1&amp;b=&quot;2&quot;\">a</a>")
        );
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "tg://user?id=1",
            "/api/v1/me",
        ] {
            assert_eq!(html("a", &[link(bad)]), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_page_is_well_nested_and_says_the_text(
            text in "[a-z<>&\"\n😀שé👍🏽]{0,40}",
            parts in prop::collection::vec((0_usize..6, 0_usize..50, 0_usize..50), 0..8),
        ) {
            let kinds = ["bold", "italic", "underline", "code", "blockquote", "pre"];
            let entities: Vec<Entity> = parts.iter().map(|(kind, at, len)| entity(kinds[*kind], *at, *len)).collect();
            let Some(page) = html(&text, &entities) else { return Ok(()) };
            let (mut open, mut said, mut rest) = (Vec::new(), String::new(), page.as_str());
            while let Some(at) = rest.find('<') {
                said.push_str(rest.get(..at).unwrap());
                let end = rest.find('>').unwrap();
                let tag = rest.get(at + 1..end).unwrap();
                rest = rest.get(end + 1..).unwrap();
                match tag.strip_prefix('/') {
                    Some(name) => prop_assert_eq!(open.pop(), Some(name.to_owned()), "{}", page),
                    None if tag == "br" => said.push('\n'),
                    None => open.push(tag.to_owned()),
                }
            }
            said.push_str(rest);
            prop_assert!(open.is_empty(), "{}", page);
            let said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            prop_assert_eq!(said, text);
        }
    }
}
