//! What 1C writes for amounts, currencies, times and yes.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A decimal text out of `23 000,50`: without spaces, with a point, without zeros at its end. None when it is no number.
pub fn amount(text: &str) -> Option<String> {
    let bare: String = text
        .chars()
        .filter(|char| !char.is_whitespace() && *char != '\u{a0}' && *char != '\u{202f}')
        .map(|char| if char == ',' { '.' } else { char })
        .collect();
    let (sign, digits) = match bare.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", bare.strip_prefix('+').unwrap_or(&bare)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !is_number(whole) || !is_number(part) || digits.len() > 30 {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let part = part.trim_end_matches('0');
    let sign = if whole == "0" && part.is_empty() { "" } else { sign };
    Some(if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    })
}

/// What 1C calls currencies: the code, the number of ISO 4217, or a short name.
const CURRENCIES: [(&str, &[&str]); 12] = [
    ("RUB", &["rur", "643", "810", "руб", "рубль", "рублей", "р", "₽"]),
    ("USD", &["840", "$", "долл", "доллар"]),
    ("EUR", &["978", "€", "евро"]),
    ("BYN", &["933", "byr", "бел руб", "белруб"]),
    ("KZT", &["398", "тнг", "тг", "тенге", "₸"]),
    ("UAH", &["980", "грн", "гривна", "₴"]),
    ("UZS", &["860", "сум", "so'm"]),
    ("KGS", &["417", "сом"]),
    ("AMD", &["051", "51", "драм"]),
    ("AZN", &["944", "манат"]),
    ("GEL", &["981", "лари"]),
    ("CNY", &["156", "юань"]),
];

/// The code of a currency (ISO 4217).
pub fn currency(text: &str) -> Option<String> {
    let bare = text
        .trim()
        .trim_end_matches('.')
        .replace(". ", " ")
        .to_lowercase();
    let named = CURRENCIES
        .iter()
        .find(|(_, names)| names.contains(&bare.as_str()))
        .map(|(code, _)| (*code).to_owned());
    let is_code = bare.len() == 3 && bare.bytes().all(|byte| byte.is_ascii_lowercase());
    named.or_else(|| is_code.then(|| bare.to_uppercase()))
}

/// Whether a word means yes.
pub fn is_yes(text: &str) -> bool {
    matches!(
        text.trim().to_lowercase().as_str(),
        "true" | "1" | "да" | "истина" | "y" | "yes" | "удален" | "удалён"
    )
}

/// A day: `2026-05-12`, `2026-05-12T10:00:00` or `12.05.2026`. 1C writes the first of January of the year one for none.
pub fn day(text: &str) -> Option<NaiveDate> {
    let day = text.trim().split(['T', ' ']).next()?;
    let read = NaiveDate::parse_from_str(day, "%Y-%m-%d")
        .or_else(|_| NaiveDate::parse_from_str(day, "%d.%m.%Y"))
        .ok()?;
    (read > NaiveDate::from_ymd_opt(1900, 1, 1)?).then_some(read)
}

/// A day with the time beside it, in the sender's own zone.
pub fn moment(date: &str, time: Option<&str>) -> Option<NaiveDateTime> {
    let date_part = day(date)?;
    let time = time.or_else(|| date.trim().split_once(['T', ' ']).map(|(_, time)| time));
    let read = |text: &str| {
        let text = text.trim().get(..8).unwrap_or(text.trim());
        NaiveTime::parse_from_str(text, "%H:%M:%S")
            .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"))
            .ok()
    };
    Some(date_part.and_time(time.and_then(read).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_spaces_and_commas() {
        let table = [
            ("23 000", Some("23000")),
            ("23\u{a0}000,50", Some("23000.5")),
            ("0012.3400", Some("12.34")),
            (",5", Some("0.5")),
            ("-7", Some("-7")),
            ("-0,00", Some("0")),
            ("", None),
            ("-", None),
            ("1.2.3", None),
            ("сто", None),
        ];
        for (text, expected) in table {
            assert_eq!(amount(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn currencies_are_known_by_code_number_and_name() {
        let table = [
            ("RUB", Some("RUB")),
            ("руб.", Some("RUB")),
            ("643", Some("RUB")),
            ("бел. руб.", Some("BYN")),
            ("usd", Some("USD")),
            ("тугрики", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(currency(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn days_are_read_in_both_ways_and_the_year_one_is_none() {
        let may = NaiveDate::from_ymd_opt(2026, 5, 12);
        assert_eq!(day("2026-05-12"), may);
        assert_eq!(day("2026-05-12T10:11:12"), may);
        assert_eq!(day("12.05.2026"), may);
        assert_eq!(day("0001-01-01T00:00:00"), None);
        assert_eq!(
            moment("2026-05-12", Some("10:11:12"))
                .map(|at| at.to_string())
                .as_deref(),
            Some("2026-05-12 10:11:12")
        );
    }
}
