//! What an operator wrote, as Telegram takes it: a plain text and its special parts, counted in UTF-16. Pure.
//!
//! Explicit parts need no escaping, and a text that is cut between two messages stays what it says. The rich
//! text was cleaned by the server: tags are whole and few.

use crate::entities::utf16_len;

/// A special part of a text that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What is special.
    pub kind: SpanKind,
    /// Where it begins.
    pub offset: usize,
    /// How long it is.
    pub length: usize,
}

/// What can be special.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck through.
    Strike,
    /// Code within a line.
    Code,
    /// Code in lines of its own.
    Pre,
    /// A quotation.
    Quote,
    /// A link.
    Link(String),
}

/// A text with its special parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rich {
    /// The words.
    pub text: String,
    /// The special parts, in the order they begin.
    pub spans: Vec<Span>,
}

impl Rich {
    /// Words without special parts.
    pub fn plain(text: &str) -> Self {
        Self {
            text: text.trim().to_owned(),
            spans: Vec::new(),
        }
    }
}

/// Reads rich text.
pub fn read(html: &str) -> Rich {
    let mut writer = Writer::default();
    let mut rest = html;
    while !rest.is_empty() {
        let Some((words, after)) = rest.split_once('<') else {
            writer.words(rest);
            break;
        };
        writer.words(words);
        let Some((tag, after)) = after.split_once('>') else {
            break;
        };
        writer.tag(tag);
        rest = after;
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    text: String,
    units: usize,
    spans: Vec<Span>,
    open: Vec<Open>,
    lists: Vec<Option<usize>>,
    /// Line breaks that are due before the next word.
    due: usize,
    space: bool,
}

struct Open {
    name: String,
    kind: Option<SpanKind>,
    from: Option<usize>,
}

impl Writer {
    fn words(&mut self, raw: &str) {
        let words = unescaped(raw);
        if self.is_in("pre") {
            self.push(&words);
            return;
        }
        for char in words.chars() {
            if char.is_whitespace() && char != '\u{a0}' {
                self.space = true;
            } else {
                self.push(char.encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// Writes words, and before them the breaks or the space that are due.
    fn push(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        let gap = match (self.text.is_empty(), self.due, self.space) {
            (true, _, _) => String::new(),
            (false, 0, true) if !self.text.ends_with('\n') => " ".to_owned(),
            (false, due, _) => "\n".repeat(due),
        };
        self.append(&gap);
        (self.due, self.space) = (0, false);
        let at = self.units;
        for open in self.open.iter_mut().filter(|open| open.kind.is_some()) {
            open.from.get_or_insert(at);
        }
        self.append(words);
    }

    fn append(&mut self, text: &str) {
        self.units += utf16_len(text);
        self.text.push_str(text);
    }

    fn tag(&mut self, tag: &str) {
        if let Some(name) = tag.strip_prefix('/') {
            self.close(name.trim().to_ascii_lowercase().as_str());
            return;
        }
        let name: String = tag
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match name.as_str() {
            "br" => {
                self.due += 1;
                return;
            }
            "hr" => {
                self.break_lines(1);
                self.push("———");
                self.break_lines(1);
                return;
            }
            "img" | "input" => return,
            _ => {}
        }
        self.break_lines(before(&name));
        if name == "li" {
            let mark = match self.lists.last_mut() {
                Some(Some(number)) => {
                    *number += 1;
                    format!("{number}. ")
                }
                _ => "• ".to_owned(),
            };
            self.push(&mark);
        }
        match name.as_str() {
            "ol" => self.lists.push(Some(0)),
            "ul" => self.lists.push(None),
            _ => {}
        }
        let kind = match name.as_str() {
            "b" | "strong" => Some(SpanKind::Bold),
            "i" | "em" => Some(SpanKind::Italic),
            "u" => Some(SpanKind::Underline),
            "s" | "del" | "strike" => Some(SpanKind::Strike),
            "code" if !self.is_in("pre") => Some(SpanKind::Code),
            "pre" => Some(SpanKind::Pre),
            "blockquote" if !self.is_in("blockquote") => Some(SpanKind::Quote),
            "a" => attribute(tag, "href").map(SpanKind::Link),
            _ => None,
        };
        self.open.push(Open {
            name,
            kind,
            from: None,
        });
    }

    fn close(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else {
            return;
        };
        for open in self.open.split_off(at) {
            if matches!(open.name.as_str(), "ol" | "ul") {
                self.lists.pop();
            }
            self.break_lines(before(&open.name));
            if let (Some(kind), Some(from)) = (open.kind, open.from) {
                let length = self.units - from;
                self.spans.push(Span {
                    kind,
                    offset: from,
                    length,
                });
            }
        }
    }

    fn break_lines(&mut self, count: usize) {
        self.due = self.due.max(count);
    }

    fn is_in(&self, name: &str) -> bool {
        self.open.iter().any(|open| open.name == name)
    }

    fn finish(mut self) -> Rich {
        while let Some(name) = self.open.last().map(|open| open.name.clone()) {
            self.close(&name);
        }
        let text = self.text;
        self.spans.retain(|span| match &span.kind {
            // Telegram finds these by itself.
            SpanKind::Link(url) => {
                let words = crate::entities::slice(&text, span.offset, span.offset + span.length);
                words.trim_end_matches('/') != url.trim_end_matches('/')
            }
            _ => true,
        });
        self.spans
            .sort_by_key(|span| (span.offset, std::cmp::Reverse(span.length)));
        Rich {
            text,
            spans: self.spans,
        }
        .trimmed()
    }
}

/// How many line breaks stand around a tag.
fn before(name: &str) -> usize {
    match name {
        "p" | "pre" | "blockquote" => 2,
        "div" | "li" | "ul" | "ol" | "tr" | "h1" | "h2" | "h3" => 1,
        _ => 0,
    }
}

impl Rich {
    /// Without white space around it, as Telegram would trim it: counted from the same place all the same.
    pub fn trimmed(self) -> Self {
        let kept = self.text.trim_start();
        let cut = utf16_len(&self.text) - utf16_len(kept);
        let text = kept.trim_end().to_owned();
        let whole = utf16_len(&text);
        let spans = self
            .spans
            .into_iter()
            .filter_map(|span| {
                let from = span.offset.saturating_sub(cut);
                let to = (span.offset + span.length).saturating_sub(cut).min(whole);
                (from < to).then(|| Span {
                    kind: span.kind,
                    offset: from,
                    length: to - from,
                })
            })
            .collect();
        Self { text, spans }
    }
}

/// An attribute's value; the server writes them in double quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = after.split_once('"')?;
    Some(unescaped(value)).filter(|value| !value.is_empty())
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let reference = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        let char = reference.and_then(|(name, after)| Some((character(name)?, after)));
        match char {
            Some((char, after)) => {
                plain.push(char);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|char| *char != '\0')
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entities::slice;

    /// Each special part as `kind:words`.
    fn told(rich: &Rich) -> Vec<String> {
        rich.spans
            .iter()
            .map(|span| {
                let words = slice(&rich.text, span.offset, span.offset + span.length);
                match &span.kind {
                    SpanKind::Link(url) => format!("{url}:{words}"),
                    kind => format!("{kind:?}:{words}").to_lowercase(),
                }
            })
            .collect()
    }

    #[test]
    fn rich_text_becomes_words_and_special_parts() {
        for (html, text, parts) in [
            ("<p>Hello</p><p>World</p>", "Hello\n\nWorld", vec![]),
            ("<p>one<br>two</p>", "one\ntwo", vec![]),
            ("<div>one</div><div>two</div>", "one\ntwo", vec![]),
            ("<b>a</b> &lt;b&gt; &amp; &#128512;", "a <b> & 😀", vec!["bold:a"]),
            ("😀 <i>שלום</i>", "😀 שלום", vec!["italic:שלום"]),
            ("<b>x <i>y</i></b>", "x y", vec!["bold:x y", "italic:y"]),
            (
                "<p>List:</p><ul><li>one</li><li>two</li></ul><ol><li>a</li><li>b</li></ol>",
                "List:\n\n• one\n• two\n1. a\n2. b",
                vec![],
            ),
            (
                "<blockquote><p>q</p></blockquote><p>a</p>",
                "q\n\na",
                vec!["quote:q"],
            ),
            (
                "<pre><code>a\n  b</code></pre>x",
                "a\n  b\n\nx",
                vec!["pre:a\n  b"],
            ),
            ("<p>a\n   b</p>", "a b", vec![]),
            (
                "<a href=\"https://x.example/?a=1&amp;b=2\" rel=\"noopener\">here</a>",
                "here",
                vec!["https://x.example/?a=1&b=2:here"],
            ),
            (
                "<a href=\"https://x.example/\">https://x.example</a>",
                "https://x.example",
                vec![],
            ),
            ("a<hr>b", "a\n———\nb", vec![]),
            ("  <p> </p>", "", vec![]),
            ("a &nope; b & c <", "a &nope; b & c", vec![]),
        ] {
            let rich = read(html);
            assert_eq!(
                (rich.text.as_str(), told(&rich)),
                (text, parts.into_iter().map(str::to_owned).collect()),
                "{html}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_special_part_lies_within_the_words(html in "(<(/)?(b|i|p|a href=\"https://x\\.example\"|ul|li|pre|blockquote|br|code)>|[a-z 😀ש\n&;]){0,40}") {
            let rich = read(&html);
            let whole = utf16_len(&rich.text);
            prop_assert_eq!(rich.text.trim(), rich.text.as_str());
            for span in &rich.spans {
                prop_assert!(span.length > 0 && span.offset + span.length <= whole, "{:?}", rich);
                prop_assert_eq!(utf16_len(&slice(&rich.text, span.offset, span.offset + span.length)), span.length);
            }
        }
    }
}
