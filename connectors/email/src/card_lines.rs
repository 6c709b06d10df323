//! The lines that calendars (RFC 5545 §3.1) and business cards (RFC 6350 §3.2) are made of. Pure.

use mail_parser::decoders::quoted_printable::quoted_printable_decode;

/// Most of one file that is read, in bytes: a card with a portrait is larger, and its words come first.
const MAX_BYTES: usize = 512 * 1024;
/// Lines read.
const MAX_LINES: usize = 2000;

/// One property: `TEL;TYPE=cell:+49 30 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name in upper case, without a group.
    pub name: String,
    /// Names in upper case, values as they are.
    pub parameters: Vec<(String, String)>,
    /// As it is written, escapes included.
    pub value: String,
}

impl Property {
    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value as people read it, on one line.
    pub fn text(&self) -> String {
        crate::headers::one_line(&unescaped(&self.value))
    }
}

/// All properties of a file, in their order; what is no property is left out.
pub fn read(text: &str) -> Vec<Property> {
    let text = head(text, MAX_BYTES);
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let is_full = lines.len() >= MAX_LINES;
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            // A soft line end of quoted-printable (vCard 2.1) goes on without being marked.
            (None, Some(last)) if is_soft(last) => {
                last.pop();
                last.push_str(line);
            }
            _ if is_full => break,
            _ => lines.push(line.to_owned()),
        }
    }
    lines.iter().filter_map(|line| property(line)).collect()
}

fn is_soft(line: &str) -> bool {
    line.ends_with('=') && head(line, 200).to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

fn property(line: &str) -> Option<Property> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == ':' && !quoted).then_some(at)
    })?;
    let (front, value) = line.split_at(colon);
    let value = value.strip_prefix(':').unwrap_or(value);
    let mut parts = split_outside_quotes(front);
    let name = parts.next()?.trim().to_ascii_uppercase();
    let name = name.rsplit('.').next().unwrap_or_default().to_owned();
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return None;
    }
    let parameters: Vec<(String, String)> = parts
        .take(20)
        .map(|part| {
            // vCard 2.1 writes values alone: `TEL;CELL:…`.
            let (name, value) = part.split_once('=').unwrap_or(("TYPE", part));
            (
                name.trim().to_ascii_uppercase(),
                value.trim_matches('"').to_owned(),
            )
        })
        .collect();
    let mut property = Property {
        name,
        parameters,
        value: value.to_owned(),
    };
    let is_encoded = property
        .parameters
        .iter()
        .any(|(_, value)| value.eq_ignore_ascii_case("QUOTED-PRINTABLE"));
    if is_encoded && let Some(bytes) = quoted_printable_decode(value.as_bytes()) {
        property.value = crate::charset::decode(&bytes, property.parameter("CHARSET"));
    }
    Some(property)
}

fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        c == ';' && !quoted
    })
}

/// `\n`, `\,`, `\;` and `\\` as what they stand for.
pub fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut escaped = false;
    for c in value.chars() {
        match (escaped, c) {
            (true, 'n' | 'N') => out.push('\n'),
            (true, c) => out.push(c),
            (false, '\\') => {}
            (false, c) => out.push(c),
        }
        escaped = !escaped && c == '\\';
    }
    out
}

/// The parts of a value between unescaped semicolons.
pub fn components(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in value.chars() {
        if c == ';' && !escaped {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        escaped = !escaped && c == '\\';
    }
    parts.iter().map(|part| unescaped(part)).collect()
}

fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{components, read, unescaped};

    #[test]
    fn folded_quoted_and_encoded_lines_are_read() {
        let lines = read(
            "BEGIN:VCARD\r\nitem1.TEL;TYPE=\"cell,voice\";PREF=1:+49\r\n  30 1\r\nNOTE;X=\"a:b;c\":it: is\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=98=\r\n=D0=B2;=D0=90\r\nnonsense\r\n",
        );
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["BEGIN", "TEL", "NOTE", "N"]);
        assert_eq!(
            (lines[1].value.as_str(), lines[1].parameter("TYPE")),
            ("+49 30 1", Some("cell,voice"))
        );
        assert_eq!(lines[2].value, "it: is");
        assert_eq!(lines[3].value, "Ив;А");
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(unescaped("a\\, b\\; c\\nd\\\\n"), "a, b; c\nd\\n");
        assert_eq!(components("Doe;Ann\\;Marie;;"), ["Doe", "Ann;Marie", "", ""]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(?s)(.|\n|:|;|=|\"|\\\\|QUOTED-PRINTABLE){0,80}") {
            for property in read(&text) {
                let _ = (property.text(), components(&property.value));
            }
        }
    }
}
