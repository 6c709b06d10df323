//! A mail that somebody passed on: who wrote it, when, under which subject, and its words. Pure.
//!
//! It is attached as a mail, or it is quoted below a block of header fields as mail programs write it. Who passes a mail
//! on may change every word of it: whether they are believed is not decided here.

use chrono::{TimeZone, Utc};
use mail_parser::{HeaderName, Message, PartType};
use switchboard_sdk::{ForwardedMail, is_forward};

use crate::{
    body, headers, ids, plain,
    quote_words::{self as words, Field},
    who::{self, Mailbox},
};

/// Lines looked at, and the longest block of header fields.
const MAX_LINES: usize = 4000;
const MAX_BLOCK: usize = 24;
/// Longest line of such a block.
const MAX_LINE: usize = 1000;

/// The mail that was passed on: the one attached, else the one quoted in the text.
pub fn of(message: &Message<'_>, text: &str) -> Option<ForwardedMail> {
    let said = message.subject().is_some_and(is_forward);
    attached(message, text).or_else(|| quoted(text, said))
}

/// The only mail attached. Of several nobody can say which one is meant.
fn attached(message: &Message<'_>, text: &str) -> Option<ForwardedMail> {
    let mut mails = message.parts.iter().filter_map(|part| match &part.body {
        PartType::Message(inner) => Some(inner),
        _ => None,
    });
    let inner = mails.next().filter(|_| mails.next().is_none())?;
    let from = who::mailbox(inner, HeaderName::From)?;
    let subject = inner
        .subject()
        .map(headers::one_line)
        .filter(|subject| !subject.is_empty());
    let id = inner.message_id().map(ids::normal).filter(|id| !id.is_empty());
    let earlier = match ids::thread(inner, id.as_deref().unwrap_or_default()) {
        switchboard_sdk::Thread::Messages { earlier, .. } => earlier,
        _ => Vec::new(),
    };
    let mut read = body::of(inner);
    Some(ForwardedMail {
        from: from.into_person(),
        at: inner
            .date()
            .and_then(|date| Utc.timestamp_opt(date.to_timestamp(), 0).single()),
        subject,
        id,
        earlier,
        text: std::mem::take(&mut read.text),
        note: text.trim().to_owned(),
    })
}

/// The mail quoted below a block of header fields. Where nothing says that it is a forward, neither a line above the
/// block nor the subject (`said`), nothing may be written above: it would be an answer.
fn quoted(text: &str, said: bool) -> Option<ForwardedMail> {
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    let mut is_open = true;
    let mut found = None;
    for (index, line) in lines.iter().enumerate() {
        let rest = lines.get(index..)?;
        let mark = Mark::read(rest);
        if said || is_open || mark.is_forward {
            let block = Block::read(rest.get(mark.length..)?);
            if let Some(block) = block {
                found = Some((index, mark.length + block.length, block));
                break;
            }
        }
        is_open = is_open && (is_rule(line) || mark.length > 0);
    }
    let (index, length, block) = found?;
    let below = lines.get(index + length..)?;
    let from = block.from?;
    let above = lines.get(..index)?;
    let note: Vec<&str> = above
        .iter()
        .copied()
        .filter(|line| line.trim().is_empty() || !is_rule(line) && Mark::read(&[line]).length == 0)
        .collect();
    let quoted = below
        .iter()
        .filter(|line| !line.trim().is_empty())
        .all(|line| line.trim_start().starts_with('>'));
    let below: Vec<&str> = below
        .iter()
        .map(|line| match line.trim_start().strip_prefix('>') {
            Some(rest) if quoted => rest.strip_prefix(' ').unwrap_or(rest),
            _ => line,
        })
        .take_while(|line| !is_end(line))
        .collect();
    Some(ForwardedMail {
        from: from.into_person(),
        at: None,
        subject: block.subject,
        id: None,
        earlier: Vec::new(),
        text: plain::tidy(below.join("\n").trim()),
        note: plain::tidy(note.join("\n").trim()),
    })
}

/// A line that says that another mail follows.
#[derive(Debug, Default)]
struct Mark {
    /// Lines, with the empty ones below it; none when there is no such line.
    length: usize,
    /// It can be nothing but a forward.
    is_forward: bool,
}

impl Mark {
    fn read(lines: &[&str]) -> Self {
        let first = lines.first().map(|line| unquoted(line)).unwrap_or_default();
        if first.is_empty() || first.len() > MAX_LINE {
            return Self::default();
        }
        let lower = first.trim_end_matches([':', '：']).trim().to_lowercase();
        let said = lower.trim_matches(['-', '_', '=', '*', ' ', '>']);
        let is_dashed = lower.starts_with("--");
        let is_forward = words::BEGIN_FORWARDED.contains(&said)
            || is_dashed && words::FORWARDED.iter().any(|words| said.starts_with(words));
        let is_original = is_dashed && words::ORIGINAL.contains(&said);
        if !is_forward && !is_original {
            return Self::default();
        }
        let empty = lines
            .iter()
            .skip(1)
            .take(4)
            .take_while(|line| unquoted(line).is_empty());
        Self {
            length: 1 + empty.count(),
            is_forward,
        }
    }
}

/// A line drawn, or nothing.
fn is_rule(line: &str) -> bool {
    line.trim().chars().all(|c| "-_=*—─".contains(c))
}

fn is_end(line: &str) -> bool {
    let lower = line.to_lowercase();
    let said = lower.trim_matches(['-', '_', '=', '*', ' ', '>']);
    lower.trim_start().starts_with("--") && words::END_FORWARDED.contains(&said)
}

fn unquoted(line: &str) -> &str {
    line.trim().trim_start_matches(['>', ' ']).trim()
}

/// A block of header fields as a mail program writes it.
#[derive(Debug, Default)]
struct Block {
    from: Option<Mailbox>,
    subject: Option<String>,
    length: usize,
}

impl Block {
    /// The block that begins with the first line: it says who wrote, and two more things at least.
    fn read(lines: &[&str]) -> Option<Self> {
        let mut block = Self::default();
        let mut known = 0;
        let mut last: Option<Field> = None;
        let mut value = String::new();
        for line in lines.iter().take(MAX_BLOCK).map(|line| unquoted(line)) {
            let Some((field, said)) = field(line) else {
                // A long list of people goes on; the first other line ends the block.
                if line.is_empty() || last.is_none() || !is_continued(&value, line) {
                    break;
                }
                value.push(' ');
                value.push_str(line);
                block.length += 1;
                continue;
            };
            block.take(last, &value);
            known += 1;
            value = said.to_owned();
            last = Some(field);
            block.length += 1;
        }
        block.take(last, &value);
        (known >= 3 && block.from.is_some()).then_some(block)
    }

    fn take(&mut self, field: Option<Field>, value: &str) {
        match field {
            Some(Field::From) if self.from.is_none() => self.from = mailbox(value),
            Some(Field::Subject) if self.subject.is_none() => {
                let subject = headers::one_line(value.trim_matches(['*', ' ']));
                self.subject = Some(subject).filter(|subject| !subject.is_empty());
            }
            _ => {}
        }
    }
}

/// Whether this line goes on with what was said: an address begun above ends here.
fn is_continued(value: &str, line: &str) -> bool {
    let open = |text: &str| text.matches('<').count() > text.matches('>').count();
    value.trim_end().ends_with([',', ';']) || open(value) || line.starts_with('<') && line.contains('@')
}

/// `От: Анна <a@b>`: the field and what it says.
fn field(line: &str) -> Option<(Field, &str)> {
    if line.len() > MAX_LINE {
        return None;
    }
    let (name, value) = line.split_once([':', '：'])?;
    let name = name.trim_matches(['*', '_', ' ', '\u{a0}', '\t']).to_lowercase();
    let field = words::field(&name)?;
    Some((field, value.trim_matches(['*', ' ', '\u{a0}', '\t'])))
}

/// `Name <address>`, `Name [mailto:address]`, `"Name" <mailto:address>`, `address`.
fn mailbox(value: &str) -> Option<Mailbox> {
    let at = value.find('@')?;
    let is_of_address = |c: char| c.is_alphanumeric() || "@.!#$%&'*+/=?^_`{|}~-".contains(c);
    let start = value
        .get(..at)?
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_of_address(*c))
        .last()
        .map_or(at, |(start, _)| start);
    let length = value.get(start..)?.find(|c: char| !is_of_address(c));
    let end = length.map_or(value.len(), |length| start + length);
    let address = value.get(start..end)?.trim_matches(['*', '_', '\'', '.']);
    let name = value.get(..start)?;
    let name = name.trim_end_matches(|c: char| "<[(\"' :".contains(c) || c.is_whitespace());
    let name = name.strip_suffix("mailto").unwrap_or(name);
    let name = name.trim_matches(|c: char| "<[(\"'*: ".contains(c) || c.is_whitespace());
    Mailbox::written(name, address)
}

#[cfg(test)]
#[path = "forward_tests.rs"]
mod tests;
