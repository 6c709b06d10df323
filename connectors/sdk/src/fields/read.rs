//! One typed value out of what a visitor typed.

use chrono::NaiveDate;
use serde_json::{Number, Value};

use super::{Field, FieldKind, Problem, email, phone};

/// Most characters of a one-line value.
const MAX_LINE: usize = 1_000;
/// Most characters of a value of several lines.
const MAX_LINES: usize = 20_000;
/// Most characters of an e-mail address (RFC 5321 §4.5.3.1.3, without the brackets).
const MAX_EMAIL: usize = 254;
/// Most characters of a phone number as people write them.
const MAX_PHONE: usize = 64;

impl Field {
    /// Most characters a value may have.
    pub fn max_chars(&self) -> usize {
        match self.kind {
            FieldKind::Textarea => MAX_LINES,
            FieldKind::Email => MAX_EMAIL,
            FieldKind::Phone => MAX_PHONE,
            _ => MAX_LINE,
        }
    }

    /// Reads what was typed into the JSON value that is stored: numbers as numbers, boxes as booleans, days
    /// as `YYYY-MM-DD`, e-mail in lower case, phone in E.164, else text. `None` is an empty optional field.
    /// Total: any text gives a value or a [`Problem`]. Files are not read here.
    pub fn read(&self, raw: &str, region: Option<&str>) -> Result<Option<Value>, Problem> {
        if raw.chars().count() > self.max_chars() {
            return Err(Problem::TooLong {
                max: self.max_chars(),
            });
        }
        let text = if self.kind == FieldKind::Textarea {
            clean_text(raw)
        } else {
            clean_line(raw)
        };
        if self.kind == FieldKind::Checkbox {
            return self.read_box(&text);
        }
        if text.is_empty() {
            return if self.required {
                Err(Problem::Required)
            } else {
                Ok(None)
            };
        }
        let value = match self.kind {
            FieldKind::Text | FieldKind::Textarea | FieldKind::Hidden => Value::String(text),
            FieldKind::Email => Value::String(email(&text).ok_or(Problem::NotEmail)?),
            FieldKind::Phone => Value::String(phone(&text, region)?),
            FieldKind::Number => Value::Number(number(&text).ok_or(Problem::NotNumber)?),
            FieldKind::Date => Value::String(day(&text).ok_or(Problem::NotDate)?),
            FieldKind::Select => {
                let chosen = self.options.iter().find(|option| option.trim() == text);
                Value::String(chosen.ok_or(Problem::NotOption)?.trim().to_owned())
            }
            FieldKind::File => return Err(Problem::NotFile),
            FieldKind::Checkbox => return self.read_box(&text),
        };
        Ok(Some(value))
    }

    fn read_box(&self, text: &str) -> Result<Option<Value>, Problem> {
        let ticked = is_ticked(text, self.value.as_deref()).ok_or(Problem::NotOption)?;
        if self.required && !ticked {
            Err(Problem::NotTicked)
        } else {
            Ok(Some(Value::Bool(ticked)))
        }
    }
}

/// Reads a box: browsers send its `value` attribute ("on" by default) when it is ticked and nothing when not.
fn is_ticked(text: &str, value: Option<&str>) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "1" | "yes" => Some(true),
        "" | "off" | "false" | "0" | "no" => Some(false),
        _ => (value == Some(text)).then_some(true),
    }
}

/// A number with a point or a comma, with spaces between thousands.
fn number(text: &str) -> Option<Number> {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c == ',' { '.' } else { c })
        .collect();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let plain = text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    Number::from_f64(
        text.parse::<f64>()
            .ok()
            .filter(|number| plain && number.is_finite())?,
    )
}

/// A day as browsers send it, or with points as much of the world writes it.
fn day(text: &str) -> Option<String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .or_else(|_| NaiveDate::parse_from_str(text, "%d.%m.%Y"))
        .ok()?;
    let year = chrono::Datelike::year(&day);
    (1..=9999)
        .contains(&year)
        .then(|| day.format("%Y-%m-%d").to_string())
}

/// Text of several lines: line ends as `\n`, no other control characters (databases refuse NUL, terminals
/// obey the others), nothing around it.
pub fn clean_text(raw: &str) -> String {
    let unix = raw.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = unix
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect();
    kept.trim().to_owned()
}

/// Text of one line: line ends become spaces.
pub fn clean_line(raw: &str) -> String {
    let line: String = raw
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: FieldKind, raw: &str) -> Result<Option<Value>, Problem> {
        let options = vec!["Small".to_owned(), "Large".to_owned()];
        Field {
            name: "x".to_owned(),
            kind,
            options,
            ..Field::default()
        }
        .read(raw, Some("UZ"))
    }

    #[test]
    fn each_kind_reads_its_values() {
        for (kind, raw, wanted) in [
            (FieldKind::Text, "  a\r\nb\0 ", json!("a  b")),
            (FieldKind::Textarea, "a\r\nb\0\x1b", json!("a\nb")),
            (FieldKind::Email, "A@B.co", json!("a@b.co")),
            (FieldKind::Phone, "90 123 45 67", json!("+998901234567")),
            (FieldKind::Number, "1 200,5", json!(1200.5)),
            (FieldKind::Number, "-7", json!(-7)),
            (FieldKind::Select, "Large", json!("Large")),
            (FieldKind::Checkbox, "on", json!(true)),
            (FieldKind::Checkbox, "", json!(false)),
            (FieldKind::Date, "2026-01-31", json!("2026-01-31")),
            (FieldKind::Date, "31.01.2026", json!("2026-01-31")),
            (FieldKind::Hidden, "x", json!("x")),
        ] {
            assert_eq!(read(kind, raw), Ok(Some(wanted)), "{kind:?} {raw:?}");
        }
        assert_eq!(read(FieldKind::Text, " \n "), Ok(None));
    }

    #[test]
    fn each_kind_says_what_is_wrong() {
        for (kind, raw, wanted) in [
            (
                FieldKind::Text,
                "x".repeat(MAX_LINE + 1),
                Problem::TooLong { max: MAX_LINE },
            ),
            (
                FieldKind::Textarea,
                "x".repeat(1_000_000),
                Problem::TooLong { max: MAX_LINES },
            ),
            (FieldKind::Email, "nobody".to_owned(), Problem::NotEmail),
            (FieldKind::Phone, "tomorrow".to_owned(), Problem::NotPhone),
            (FieldKind::Number, "many".to_owned(), Problem::NotNumber),
            (FieldKind::Number, "inf".to_owned(), Problem::NotNumber),
            (FieldKind::Number, "1e999".to_owned(), Problem::NotNumber),
            (FieldKind::Select, "Huge".to_owned(), Problem::NotOption),
            (FieldKind::Checkbox, "perhaps".to_owned(), Problem::NotOption),
            (FieldKind::Date, "2026-02-30".to_owned(), Problem::NotDate),
            (FieldKind::File, "text".to_owned(), Problem::NotFile),
        ] {
            assert_eq!(read(kind, &raw), Err(wanted), "{kind:?}");
        }
    }

    #[test]
    fn a_required_field_must_be_filled_and_a_required_box_ticked() {
        let field = |kind| Field {
            name: "x".to_owned(),
            kind,
            required: true,
            ..Field::default()
        };
        assert_eq!(field(FieldKind::Text).read(" ", None), Err(Problem::Required));
        assert_eq!(
            field(FieldKind::Checkbox).read("off", None),
            Err(Problem::NotTicked)
        );
    }
}
