//! Calls as a table for spreadsheets. Pure.

use super::CallView;

/// The columns.
const COLUMNS: [&str; 16] = [
    "id",
    "direction",
    "from",
    "to",
    "number_label",
    "contact",
    "operator",
    "state",
    "disposition",
    "reason",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_secs",
    "talk_secs",
    "attempt",
];

/// The first line.
pub fn head() -> String {
    line(COLUMNS.iter().map(|column| (*column).to_owned()))
}

/// One call.
pub fn row(call: &CallView) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: &Option<chrono::DateTime<chrono::Utc>>| time.map_or_else(String::new, stamp);
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let name = call.contact.as_ref().and_then(|contact| contact.name.clone());
    line(
        [
            call.id.clone(),
            text(&call.direction),
            text(&call.from),
            text(&call.to),
            text(&call.own_label),
            name.unwrap_or_default(),
            text(&call.operator_name),
            call.state.clone(),
            text(&call.disposition),
            text(&call.reason),
            stamp(call.started_at),
            time(&call.answered_at),
            time(&call.ended_at),
            number(call.duration_secs),
            number(call.talk_secs),
            call.attempt.to_string(),
        ]
        .into_iter(),
    )
}

fn stamp(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A spreadsheet takes a text that begins like a formula for one, and whoever rings chooses the caller's name. A
/// telephone number begins with a plus and is safe: nothing but digits follows.
fn cell(text: &str) -> String {
    let number = text
        .strip_prefix('+')
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|char| char.is_ascii_digit()));
    let formula = text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let text = if formula && !number {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', ';', '\n', '\r', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, cell, head};

    #[test]
    fn what_looks_like_a_formula_is_a_text() {
        let table = [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("+998901234567", "+998901234567"),
            ("+1|cmd", "'+1|cmd"),
            ("\t=1", "\"'\t=1\""),
            ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            ("Anna, Smith", "\"Anna, Smith\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(cell(text), expected);
        }
        assert_eq!(head().trim_end().split(',').count(), COLUMNS.len());
    }
}
