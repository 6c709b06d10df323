//! Header fields as text. Pure.

use mail_parser::Message;

/// The value of the first field of this name, unfolded and trimmed; the name in any case.
pub fn text(message: &Message<'_>, name: &str) -> Option<String> {
    all(message, name).next()
}

/// The values of all fields of this name.
pub fn all<'a>(message: &'a Message<'_>, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let headers = message
        .parts
        .first()
        .map(|part| part.headers.as_slice())
        .unwrap_or_default();
    headers
        .iter()
        .filter(move |header| header.name.as_str().eq_ignore_ascii_case(name))
        .map(|header| {
            let raw = message
                .raw_message
                .get(header.offset_start as usize..header.offset_end as usize)
                .unwrap_or_default();
            one_line(&String::from_utf8_lossy(raw))
        })
}

/// The first word of a field in lower case, without parameters and comments: `auto-replied` of `Auto-Replied; owner-email="x"`.
pub fn keyword(message: &Message<'_>, name: &str) -> Option<String> {
    let value = text(message, name)?;
    let word = value
        .split(|c: char| c == ';' || c == '(' || c.is_whitespace())
        .find(|word| !word.is_empty())?;
    Some(word.to_ascii_lowercase())
}

/// Whether there is a field of this name.
pub fn has(message: &Message<'_>, name: &str) -> bool {
    all(message, name).next().is_some()
}

/// Text on one line: control and direction characters dropped, runs of white space made one space.
pub fn one_line(text: &str) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c == '\0')
        .map(|word| word.chars().filter(|c| !is_invisible(*c)).collect::<String>());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Characters that change how a line looks without being seen: controls, and those that turn the direction
/// of writing, with which `exe.pdf` passes for `fdp.exe`.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
