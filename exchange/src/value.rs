//! Cells as values: addresses, numbers, moments. What cannot be is refused with a reason and never guessed.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use phonenumber::{Mode, country};
use serde::{Deserialize, Serialize};

/// What is wrong with a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A spreadsheet turned a long number into a rounded one; its last digits are lost.
    #[error("is a number that a spreadsheet has rounded; format the column as text and export it again")]
    RuinedNumber,
    /// No telephone number.
    #[error("is no telephone number; numbers need their country code, or choose a country for the file")]
    BadPhone,
    /// No e-mail address.
    #[error("is no e-mail address")]
    BadEmail,
    /// No date.
    #[error("is no date")]
    BadDate,
    /// No number.
    #[error("is no number")]
    BadNumber,
    /// No amount of money, or one that can be read in two ways.
    #[error("is no amount; write it without signs between thousands, as 1500.00")]
    BadAmount,
    /// No currency.
    #[error("is no currency; write its three letters, as EUR")]
    BadCurrency,
    /// Somebody's address where a number of another system stands.
    #[error("is an address of a person, no number of a deal")]
    BadId,
    /// None of the words that are allowed.
    #[error("is none of the allowed words")]
    BadWord,
    /// Longer than we keep.
    #[error("is too long")]
    TooLong,
    /// Nothing in the row tells whose it is.
    #[error("the row has neither name nor e-mail address nor telephone number")]
    Nobody,
    /// Nothing in the row tells what deal it is.
    #[error("the row has neither a title of the deal nor a name, address or company to call it by")]
    Untitled,
}

impl Fault {
    /// The word in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::RuinedNumber => "ruined_number",
            Self::BadPhone => "bad_phone",
            Self::BadEmail => "bad_email",
            Self::BadDate => "bad_date",
            Self::BadNumber => "bad_number",
            Self::BadId => "bad_id",
            Self::BadWord => "bad_word",
            Self::TooLong => "too_long",
            Self::Nobody => "nobody",
            Self::BadAmount => "bad_amount",
            Self::BadCurrency => "bad_currency",
            Self::Untitled => "untitled",
        }
    }
}

/// How `03/04/2026` is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// The third of April.
    #[default]
    DayFirst,
    /// The fourth of March.
    MonthFirst,
}

/// Signs that make a spreadsheet take a text for a formula.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Whether a spreadsheet takes this text, apart from apostrophes and spaces before it, for a formula, or drops what it
/// begins with and looks at the rest.
pub fn is_formula(text: &str) -> bool {
    let bare = text.trim_start_matches(|char: char| char == '\'' || char.is_whitespace());
    bare.starts_with(FORMULA) || text.trim_start_matches('\'').starts_with(['\t', '\r', '\n'])
}

/// The text without the one apostrophe that keeps it from being a formula.
pub fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => text,
    }
}

/// A text on one line, without control characters and spaces around it.
pub fn line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .filter(|char| !matches!(char, '\u{200b}' | '\u{feff}' | '\u{200e}' | '\u{200f}'))
        .map(|char| {
            if char.is_control() || char == '\u{a0}' {
                ' '
            } else {
                char
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// E-mail addresses of a cell in their normal form: several may be divided by commas, semicolons, slashes or spaces, and
/// a name may stand before `<address>`.
///
/// # Errors
/// When none is there, or one of them is none.
pub fn emails(cell: &str) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    let parts = cell
        .split(|char: char| char.is_whitespace() || ",;/|<>()\"".contains(char))
        .map(|part| part.trim_start_matches("mailto:"))
        .filter(|part| part.contains('@'));
    for part in parts {
        let address = email(part).ok_or(Fault::BadEmail)?;
        if !found.contains(&address) {
            found.push(address);
        }
    }
    if found.is_empty() {
        Err(Fault::BadEmail)
    } else {
        Ok(found)
    }
}

/// The normal form of one address.
pub fn email(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    let (name, domain) = text.split_once('@')?;
    let plausible = !name.is_empty()
        && domain.contains('.')
        && !domain.contains("..")
        && !domain.starts_with('.')
        && !domain.contains('@')
        && text.len() <= 320
        && !text.contains(|char: char| {
            char.is_whitespace() || char.is_control() || "<>()[],;:\"'".contains(char)
        });
    plausible.then_some(text)
}

/// Telephone numbers of a cell in E.164: several may be divided by commas, semicolons, slashes or lines; extensions are
/// dropped. A number without a country code is one of `region` (`RU`), or misses its plus.
///
/// # Errors
/// When none is there, one of them is none, or a spreadsheet has rounded it.
pub fn phones(cell: &str, region: Option<&str>) -> Result<Vec<String>, Fault> {
    if is_rounded(cell) {
        return Err(Fault::RuinedNumber);
    }
    // A cell of plain digits with a decimal part of zeros is a number column written as text.
    let cell = cell
        .strip_suffix(".0")
        .filter(|rest| rest.chars().all(|c| c.is_ascii_digit()))
        .unwrap_or(cell);
    let mut found = Vec::new();
    for part in cell.split([',', ';', '/', '|', '\n', '\r']) {
        let part = part.trim().trim_start_matches('\'').trim_start_matches("tel:");
        if part.is_empty() {
            continue;
        }
        let number = phone(part, region).ok_or(Fault::BadPhone)?;
        if !found.contains(&number) {
            found.push(number);
        }
    }
    if found.is_empty() {
        Err(Fault::BadPhone)
    } else {
        Ok(found)
    }
}

/// `7,90E+10`: what Excel shows, and writes, of a long number.
fn is_rounded(cell: &str) -> bool {
    let cell = cell.trim();
    let Some((mantissa, exponent)) = cell.split_once(['e', 'E', 'е', 'Е']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.chars().all(|char| char.is_ascii_digit());
    let (whole, part) = mantissa.split_once([',', '.']).unwrap_or((mantissa, "0"));
    digits(whole.trim_start_matches(['+', '-'])) && digits(part) && digits(exponent.trim_start_matches('+'))
}

/// One number in E.164.
pub fn phone(text: &str, region: Option<&str>) -> Option<String> {
    let lower = text.to_lowercase();
    let end = ["доб", "вн", "ext", "x", "#", ";"]
        .iter()
        .filter_map(|word| lower.find(word))
        .min()
        .unwrap_or(lower.len());
    let digits: String = lower
        .get(..end)?
        .chars()
        .filter(|char| char.is_ascii_digit() || *char == '+')
        .collect();
    // Words between the digits: it is no number but a remark.
    if lower
        .get(..end)?
        .chars()
        .filter(|char| char.is_alphabetic())
        .count()
        > 8
    {
        return None;
    }
    let bare = digits.trim_start_matches('+');
    if bare.len() < 5 || bare.len() > 15 || bare.contains('+') {
        return None;
    }
    let region: Option<country::Id> = region.and_then(|region| region.parse().ok());
    let international = digits.starts_with('+') || bare.starts_with("00");
    let national = || valid(region, bare);
    let whole = || valid(None, &format!("+{}", bare.strip_prefix("00").unwrap_or(bare)));
    if international {
        whole()
    } else {
        region.and_then(|_| national()).or_else(whole)
    }
}

fn valid(region: Option<country::Id>, text: &str) -> Option<String> {
    let number = phonenumber::parse(region, text).ok()?;
    phonenumber::is_valid(&number).then(|| number.format().mode(Mode::E164).to_string())
}

/// A moment: ISO 8601, `05.01.2026 10:30`, `05/01/26`, or the serial number of a spreadsheet. Without a zone it is UTC.
///
/// # Errors
/// When it is none.
pub fn moment(cell: &str, order: DateOrder) -> Result<DateTime<Utc>, Fault> {
    let cell = cell.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(cell) {
        return Ok(moment.to_utc());
    }
    if let Ok(serial) = cell.replace(',', ".").parse::<f64>() {
        return of_serial(serial)
            .map(|moment| moment.and_utc())
            .ok_or(Fault::BadDate);
    }
    let (date, time) = match cell.split_once([' ', 'T', '\u{a0}']) {
        Some((date, time)) => (date.trim_end_matches(','), time.trim()),
        None => (cell, ""),
    };
    let date = date_of(date, order).ok_or(Fault::BadDate)?;
    let time = time_of(time).ok_or(Fault::BadDate)?;
    Ok(date.and_time(time).and_utc())
}

/// Days since the end of 1899; numbers of other sizes are no dates of customers.
fn of_serial(serial: f64) -> Option<NaiveDateTime> {
    if !(10_000.0..100_000.0).contains(&serial) {
        return None;
    }
    let day_zero = NaiveDate::from_ymd_opt(1899, 12, 30)?.and_time(NaiveTime::MIN);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "five digits of days fit in seconds"
    )]
    let seconds = (serial * 86_400.0).round() as i64;
    day_zero.checked_add_signed(TimeDelta::seconds(seconds))
}

fn date_of(text: &str, order: DateOrder) -> Option<NaiveDate> {
    let mut parts = text.split(['.', '/', '-']);
    let parts: [&str; 3] = [
        parts.next()?,
        parts.next()?,
        parts.next().filter(|_| parts.next().is_none())?,
    ];
    let number = |part: &str| -> Option<u32> {
        (part.len() <= 4 && part.chars().all(|char| char.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (first, second, third) = (number(parts[0])?, number(parts[1])?, number(parts[2])?);
    if parts[0].len() == 4 {
        return NaiveDate::from_ymd_opt(i32::try_from(first).ok()?, second, third);
    }
    let year = match parts[2].len() {
        4 => third,
        2 if third < 70 => 2_000 + third,
        2 => 1_900 + third,
        _ => return None,
    };
    // Only slashes are written month first; where the other order alone makes a date, it is that one.
    let month_first = order == DateOrder::MonthFirst && text.contains('/');
    let year = i32::try_from(year).ok()?;
    let day_first = NaiveDate::from_ymd_opt(year, second, first);
    if month_first || (text.contains('/') && day_first.is_none()) {
        NaiveDate::from_ymd_opt(year, first, second)
    } else {
        day_first
    }
}

fn time_of(text: &str) -> Option<NaiveTime> {
    if text.is_empty() {
        return Some(NaiveTime::MIN);
    }
    let upper = text.trim_end_matches('Z').to_uppercase();
    ["%H:%M:%S%.f", "%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(&upper, format).ok())
}

/// A number, with a decimal comma or point, spaces or the other sign between thousands, a currency beside it.
///
/// # Errors
/// When it is none.
pub fn number(cell: &str) -> Result<f64, Fault> {
    let mut text: String = cell
        .chars()
        .filter(|char| !char.is_whitespace() && !"\u{a0}\u{202f}'₽$€£".contains(*char))
        .collect();
    for word in ["руб.", "руб", "р.", "RUB", "USD", "EUR"] {
        if let Some(rest) = text.strip_suffix(word) {
            text = rest.to_owned();
        }
    }
    let (comma, point) = (text.rfind(','), text.rfind('.'));
    let decimal = match (comma, point) {
        (Some(comma), Some(point)) if comma > point => text.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => text.replace(',', ""),
        (Some(_), None) if text.matches(',').count() == 1 => text.replace(',', "."),
        (Some(_), None) => text.replace(',', ""),
        (None, Some(_)) if text.matches('.').count() > 1 => text.replace('.', ""),
        _ => text,
    };
    let plain = !decimal.is_empty()
        && decimal
            .chars()
            .all(|char| char.is_ascii_digit() || char == '.' || char == '-' || char == '+');
    if !plain {
        return Err(Fault::BadNumber);
    }
    decimal.parse::<f64>().map_err(|_| Fault::BadNumber)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DateOrder, Fault, emails, moment, number, phones, unguarded};

    #[test]
    fn several_numbers_in_one_cell_are_several_numbers() {
        let table = [
            ("+7 900 123-45-67", None, Ok(vec!["+79001234567"])),
            ("79001234567", None, Ok(vec!["+79001234567"])),
            ("8 (900) 123-45-67", Some("RU"), Ok(vec!["+79001234567"])),
            ("9001234567", Some("RU"), Ok(vec!["+79001234567"])),
            ("79001234567", Some("RU"), Ok(vec!["+79001234567"])),
            ("+998 90 123 45 67", Some("RU"), Ok(vec!["+998901234567"])),
            ("998901234567", Some("RU"), Ok(vec!["+998901234567"])),
            (
                "+79001234567 / 8 495 123-45-67; '+7 900 123 45 67",
                Some("RU"),
                Ok(vec!["+79001234567", "+74951234567"]),
            ),
            ("8 (495) 123-45-67 доб. 12", Some("RU"), Ok(vec!["+74951234567"])),
            ("7,90E+10", Some("RU"), Err(Fault::RuinedNumber)),
            ("7.9001234E+10", None, Err(Fault::RuinedNumber)),
            ("9001234567", None, Err(Fault::BadPhone)),
            ("call Anna after six", Some("RU"), Err(Fault::BadPhone)),
            ("123", Some("RU"), Err(Fault::BadPhone)),
        ];
        for (cell, region, expected) in table {
            let expected = expected.map(|numbers| numbers.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(phones(cell, region), expected, "{cell}");
        }
    }

    #[test]
    fn addresses_are_found_beside_names_and_each_other() {
        let two = vec!["a@b.example".to_owned(), "c@d.example".to_owned()];
        assert_eq!(emails("Anna <A@b.example>; c@d.example"), Ok(two));
        assert_eq!(emails("a@b"), Err(Fault::BadEmail));
        assert_eq!(emails("a@b.example, c@d"), Err(Fault::BadEmail));
        assert_eq!(emails("no address"), Err(Fault::BadEmail));
    }

    #[test]
    fn dates_are_read_in_their_usual_writings() {
        let table = [
            ("2026-01-05", "2026-01-05T00:00:00Z"),
            ("05.01.2026", "2026-01-05T00:00:00Z"),
            ("5.1.26 9:30", "2026-01-05T09:30:00Z"),
            ("05.01.2026, 10:30:15", "2026-01-05T10:30:15Z"),
            ("05/01/2026", "2026-01-05T00:00:00Z"),
            ("01/25/2026", "2026-01-25T00:00:00Z"),
            ("2026-01-05T10:00:00+03:00", "2026-01-05T07:00:00Z"),
            ("46027", "2026-01-05T00:00:00Z"),
            ("46027,5", "2026-01-05T12:00:00Z"),
        ];
        for (cell, expected) in table {
            let found = moment(cell, DateOrder::DayFirst).unwrap();
            assert_eq!(
                found,
                expected.parse::<chrono::DateTime<chrono::Utc>>().unwrap(),
                "{cell}"
            );
        }
        assert_eq!(
            moment("05/01/2026", DateOrder::MonthFirst).unwrap().to_rfc3339(),
            "2026-05-01T00:00:00+00:00"
        );
        for none in ["31.02.2026", "tomorrow", "12", "1.2", "7,90E+10", ""] {
            assert_eq!(moment(none, DateOrder::DayFirst), Err(Fault::BadDate), "{none}");
        }
    }

    #[test]
    fn numbers_are_read_with_either_comma() {
        let table = [
            ("23 000", 23_000.0),
            ("1 234,56", 1_234.56),
            ("1,234.56", 1_234.56),
            ("1.234,56 €", 1_234.56),
            ("1500 руб.", 1_500.0),
            ("-2", -2.0),
        ];
        for (cell, expected) in table {
            assert!((number(cell).unwrap() - expected).abs() < 1e-9, "{cell}");
        }
        assert_eq!(number("12 apples"), Err(Fault::BadNumber));
        assert_eq!(number(""), Err(Fault::BadNumber));
    }

    #[test]
    fn an_apostrophe_before_a_sign_is_no_part_of_the_text() {
        assert_eq!(unguarded("'+7900"), "+7900");
        assert_eq!(unguarded("''=1"), "'=1");
        assert_eq!(unguarded("'tis"), "'tis");
    }

    proptest! {
        #[test]
        fn no_cell_makes_any_of_it_panic(cell in "\\PC*", region in prop::option::of("[A-Z]{2}")) {
            let moment = moment(&cell, DateOrder::MonthFirst);
            drop((phones(&cell, region.as_deref()), emails(&cell), number(&cell), moment));
        }

        #[test]
        fn what_is_read_once_reads_back_the_same(cell in "[+0-9 ()-]{5,20}") {
            if let Ok(numbers) = phones(&cell, Some("RU")) {
                prop_assert_eq!(phones(&numbers.join(", "), None), Ok(numbers));
            }
        }
    }
}
