//! Where the quoted rest of a mail and its signature begin. Pure.
//!
//! Nothing is ever cut away: what is found is a place from which on a mail can be folded. In doubt there is
//! none, because a fold over new words hides them.

use crate::{plain, quote_words as words};

/// Lines looked at; what is quoted below that is shown.
const MAX_LINES: usize = 4000;
/// Longest line that can be one of a mail program's own.
const MAX_LINE: usize = 300;
/// Bytes of HTML looked at.
const MAX_HTML: usize = 512 * 1024;
/// Places tried in one HTML.
const MAX_PLACES: usize = 8;
/// Longest signature, in lines.
const MAX_SIGNATURE: usize = 15;

/// The byte from which on a text is quotation and signature only; none when all of it is new, or nothing.
pub fn in_text(text: &str) -> Option<usize> {
    let mut at = 0;
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            (start, line.trim())
        })
        .take(MAX_LINES)
        .collect();
    let all = at >= text.len();
    let words: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
    for (index, (start, line)) in lines.iter().enumerate() {
        if line.is_empty() {
            continue;
        }
        if is_forward(line) {
            return None; // what follows is what this mail is about
        }
        let rest = words.get(index..).unwrap_or_default();
        if begins_quote(rest, all) {
            let written = words.iter().take(index).any(|line| !line.is_empty());
            return (written && !rest.iter().take(2).any(|line| is_forward(line))).then_some(*start);
        }
    }
    None
}

fn begins_quote(rest: &[&str], all: bool) -> bool {
    let [line, after @ ..] = rest else { return false };
    if line.len() > MAX_LINE {
        return false;
    }
    if is_reply_line(line) || is_original(line) {
        return true;
    }
    if line.chars().all(|c| c == '_') && line.len() >= 10 {
        return header_block(after.iter().copied().skip_while(|line| line.is_empty()));
    }
    if header_block(rest.iter().copied()) {
        return true;
    }
    if let Some((used, is_plain)) = attribution(rest) {
        let below = rest.get(used..).unwrap_or_default();
        return match below.iter().find(|line| !line.is_empty()) {
            // Answers between the quoted lines: nothing of that is a rest.
            Some(next) if is_quoted(next) => all && quoted_to_the_end(below),
            Some(_) => is_plain,
            None => all && is_plain,
        };
    }
    if is_quoted(line) {
        return all && quoted_to_the_end(rest);
    }
    all && is_signature(rest)
}

fn is_quoted(line: &str) -> bool {
    line.starts_with('>')
}

/// Quoted lines, empty ones and a signature, until the end.
fn quoted_to_the_end(lines: &[&str]) -> bool {
    let mut rest = lines;
    while let [line, after @ ..] = rest {
        if !line.is_empty() && !is_quoted(line) {
            return is_signature(rest) || is_footer(rest);
        }
        rest = after;
    }
    true
}

/// What mailing lists put below: a line of underscores and a few lines.
fn is_footer(rest: &[&str]) -> bool {
    rest.first()
        .is_some_and(|line| line.len() >= 10 && line.chars().all(|c| "_-=".contains(c)))
        && rest.len() <= MAX_SIGNATURE
}

/// "-- " and a few lines, or a telephone's own words, with nothing below but what is quoted.
fn is_signature(rest: &[&str]) -> bool {
    let [line, after @ ..] = rest else { return false };
    let lower = line.to_lowercase();
    let of_a_program = line.len() <= 80
        && (words::SENT_FROM.iter().any(|words| lower.starts_with(words))
            || words::GET_APP.iter().any(|words| lower.starts_with(words)));
    if of_a_program {
        let below = after.iter().position(|line| !line.is_empty());
        return below.is_none_or(|at| {
            let below = after.get(at..).unwrap_or_default();
            below.first().is_some_and(|line| is_quoted(line)) || names_quote(below) || below.len() <= 2
        });
    }
    if *line != "--" && *line != "—" {
        return false;
    }
    let end = after
        .iter()
        .position(|line| is_quoted(line))
        .unwrap_or(after.len());
    let own = after.get(..end).unwrap_or_default();
    let quoted_after =
        (0..own.len().min(MAX_SIGNATURE + 1)).find(|at| names_quote(after.get(*at..).unwrap_or_default()));
    quoted_after.unwrap_or(own.len()) <= MAX_SIGNATURE
}

/// Whether words of a mail program stand here that begin a quotation.
fn names_quote(rest: &[&str]) -> bool {
    let Some(line) = rest.first().filter(|line| !line.is_empty()) else {
        return false;
    };
    is_original(line) || header_block(rest.iter().copied()) || attribution(rest).is_some()
}

/// "On 3 May 2026 at 10:00, Ann <ann@x> wrote:", on up to three lines; answers how many, and whether it can be
/// nothing else even when what follows is not marked as quoted.
fn attribution(rest: &[&str]) -> Option<(usize, bool)> {
    let first = rest.first()?.to_lowercase();
    let opens = words::ON.iter().any(|word| first.starts_with(word))
        || first.starts_with(|c: char| c.is_ascii_digit())
        || first.contains('@');
    if !opens {
        return None;
    }
    let mut joined = String::new();
    for (index, line) in rest.iter().take(3).enumerate() {
        if line.is_empty() || line.len() > MAX_LINE || is_quoted(line) {
            return None;
        }
        joined.push(' ');
        joined.push_str(&line.to_lowercase());
        let Some(said) = joined.strip_suffix([':', '：']).map(str::trim_end) else {
            continue;
        };
        let addressed = said.contains('@');
        let timed = said.chars().filter(char::is_ascii_digit).count() >= 4;
        let ends_with_it =
            said.ends_with(['>', ')']) && addressed || words::WROTE.iter().any(|word| said.ends_with(word));
        let names_it = words::WROTE
            .iter()
            .any(|word| said.split([' ', ',']).any(|part| part == *word) || said.ends_with(word));
        if (addressed || timed) && (ends_with_it || names_it) {
            return Some((index + 1, ends_with_it && (addressed || said.contains(':'))));
        }
    }
    None
}

/// "From: … Sent: … To: … Subject: …" as Outlook writes it, in many languages.
fn header_block<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut lines = lines.take(8);
    let first = lines.next().and_then(label);
    if !first.is_some_and(|label| words::FROM.contains(&label.as_str())) {
        return false;
    }
    lines
        .filter_map(label)
        .filter(|label| words::FIELDS.contains(&label.as_str()))
        .count()
        >= 2
}

/// `от` of `*От:* Анна`.
fn label(line: &str) -> Option<String> {
    if line.len() > 4 * MAX_LINE {
        return None;
    }
    let (name, _) = line.split_once([':', '：'])?;
    let name = name.trim_matches(['*', '_', ' ', '\u{a0}']).to_lowercase();
    (name.chars().count() <= 20).then_some(name)
}

fn is_original(line: &str) -> bool {
    dashed(line).is_some_and(|inner| words::ORIGINAL.contains(&inner.as_str()))
}

fn is_forward(line: &str) -> bool {
    let begins = line.trim_end_matches(':').to_lowercase();
    dashed(line).is_some_and(|inner| words::FORWARDED.contains(&inner.as_str()))
        || words::BEGIN_FORWARDED.contains(&begins.as_str())
}

/// The words of `-----Original Message-----`.
fn dashed(line: &str) -> Option<String> {
    let inner = line.trim_matches(['-', '_', '=', ' ', '>']);
    (line.len() <= MAX_LINE && line.starts_with("--") && line.ends_with("--") && !inner.is_empty())
        .then(|| inner.to_lowercase())
}

/// "Please write your answer above this line", as other desks mark their mails.
fn is_reply_line(line: &str) -> bool {
    let lower = line.to_lowercase();
    words::ABOVE.iter().any(|words| lower.contains(words)) && line.len() <= 120
}

/// The byte at which the tag begins that holds the quoted rest of an HTML mail.
pub fn in_html(html: &str) -> Option<usize> {
    let mut at = 0;
    let mut places = 0;
    while let Some(start) = html
        .get(at..)
        .and_then(|rest| rest.find('<'))
        .map(|found| at + found)
    {
        if start > MAX_HTML || places >= MAX_PLACES {
            return None;
        }
        let tag = tag_at(html, start);
        at = start + tag.len().max(1);
        let Some(kind) = kind_of(tag) else { continue };
        places += 1;
        if let Some(found) = fold_at(html, start, tag, kind) {
            return found;
        }
    }
    None
}

/// Whether to fold here: `Some(None)` says that nothing is to be folded at all.
fn fold_at(html: &str, start: usize, tag: &str, kind: Kind) -> Option<Option<usize>> {
    let (before, rest) = html.split_at_checked(start)?;
    let seen = plain::of_html(before);
    if seen.trim().is_empty() && !before.contains("<img") {
        // Nothing above: this is what the mail is about, or the answers stand between the quotes.
        return None;
    }
    let opening = plain::of_html(head(rest, 4000));
    let first = opening.lines().map(str::trim).find(|line| !line.is_empty());
    let above = seen.lines().map(str::trim).rfind(|line| !line.is_empty());
    if first.is_some_and(is_forward) || above.is_some_and(is_forward) {
        return Some(None);
    }
    if kind == Kind::ToTheEnd {
        return Some(Some(start));
    }
    let after = after_element(rest, name_of(tag));
    let after = plain::of_html(after);
    let lines: Vec<&str> = after.lines().map(str::trim).collect();
    let only_quotes = lines.iter().all(|line| line.is_empty())
        || after_is_marked(rest, name_of(tag))
        || lines
            .iter()
            .position(|line| !line.is_empty())
            .and_then(|at| lines.get(at..))
            .is_some_and(|rest| quoted_to_the_end(rest) || is_signature(rest));
    only_quotes.then_some(Some(start))
}

/// What follows the element is itself a quotation that goes to the end (a signature, then the quote).
fn after_is_marked(rest: &str, name: &str) -> bool {
    let mut rest = after_element(rest, name);
    for _ in 0..MAX_PLACES {
        let Some(start) = rest.find('<') else { break };
        let Some((before, from)) = rest.split_at_checked(start) else {
            break;
        };
        if !plain::of_html(before).trim().is_empty() {
            return false;
        }
        let tag = tag_at(from, 0);
        match kind_of(tag) {
            Some(Kind::ToTheEnd) => return true,
            Some(Kind::Element) => rest = after_element(from, name_of(tag)),
            None => rest = from.get(tag.len().max(1)..).unwrap_or_default(),
        }
    }
    plain::of_html(head(rest, 20_000)).trim().is_empty()
}

fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0
}

/// How far a marked tag reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// To its closing tag.
    Element,
    /// To the end of the mail.
    ToTheEnd,
}

/// What mail programs mark their quotations and signatures with.
fn kind_of(tag: &str) -> Option<Kind> {
    let name = name_of(tag);
    if !["div", "blockquote", "span", "p", "hr", "table", "section"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let lower = tag.to_ascii_lowercase();
    let has = |word: &&str| lower.contains(word);
    if words::HTML_TO_THE_END.iter().any(has) {
        return Some(Kind::ToTheEnd);
    }
    // Outlook's line above "From: Sent: To:".
    if lower.contains("border-top:solid #") && lower.contains("border:none") {
        return Some(Kind::ToTheEnd);
    }
    let cited = name.eq_ignore_ascii_case("blockquote")
        && (lower.contains("type=\"cite\"") || lower.contains("type=cite") || lower.contains("type='cite'"));
    (cited || words::HTML_ELEMENT.iter().any(has)).then_some(Kind::Element)
}

/// `<div class="x">`, as far as its end or a few hundred bytes.
fn tag_at(html: &str, start: usize) -> &str {
    let rest = html.get(start..).unwrap_or_default();
    let near = head(rest, 600);
    near.find('>').map_or(near, |end| head(near, end + 1))
}

fn name_of(tag: &str) -> &str {
    let name = tag.trim_start_matches('<');
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len());
    head(name, end)
}

/// What stands after an element that begins here; nothing when it is never closed.
fn after_element<'a>(html: &'a str, name: &str) -> &'a str {
    let mut depth = 0usize;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tag = rest.get(at + 1..).unwrap_or_default();
        let closes = tag.starts_with('/');
        let found = name_of(tag.trim_start_matches('/'));
        rest = tag;
        if !found.eq_ignore_ascii_case(name) {
            continue;
        }
        if closes {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return tag.split_once('>').map_or("", |(_, after)| after);
            }
        } else {
            depth += 1;
        }
    }
    ""
}

#[cfg(test)]
#[path = "quote_tests.rs"]
mod tests;
