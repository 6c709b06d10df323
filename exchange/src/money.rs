//! Cells as money: exact, never through a floating-point number.

use crate::value::{Fault, line};

/// Signs and words that stand for currencies beside their three letters.
const SIGNS: [(&str, &str); 19] = [
    ("€", "EUR"),
    ("euro", "EUR"),
    ("евро", "EUR"),
    ("یورو", "EUR"),
    ("$", "USD"),
    ("us$", "USD"),
    ("доллар", "USD"),
    ("دلار", "USD"),
    ("£", "GBP"),
    ("₽", "RUB"),
    ("руб", "RUB"),
    ("р", "RUB"),
    ("рублей", "RUB"),
    ("₸", "KZT"),
    ("тенге", "KZT"),
    ("₴", "UAH"),
    ("сум", "UZS"),
    ("﷼", "IRR"),
    ("ریال", "IRR"),
];
/// Digits of a decimal number that are read.
const MOST: usize = 20;

/// An amount as a decimal text (`1500.50`), and the currency that stands beside it.
///
/// A comma or point before exactly three last digits is a sign between thousands where it can be nothing else; `1.500`
/// may be either and is refused.
///
/// # Errors
/// When it is none, or can be read in two ways.
pub fn amount(cell: &str) -> Result<(String, Option<String>), Fault> {
    let is_figure = |char: char| digit(char).is_some() || is_sign(char);
    let cell = line(cell);
    let start = cell
        .find(|char: char| digit(char).is_some() || char == '-')
        .ok_or(Fault::BadAmount)?;
    let end = cell
        .rfind(|char: char| digit(char).is_some())
        .ok_or(Fault::BadAmount)?;
    let (before, rest) = cell.split_at(start);
    let last = rest
        .char_indices()
        .find(|(place, _)| start + place == end)
        .map_or(0, |(place, char)| place + char.len_utf8());
    let (figure, after) = rest.split_at(last);
    if !figure.chars().all(|char| is_figure(char) || char == '-') {
        return Err(Fault::BadAmount);
    }
    let words = format!(
        "{} {}",
        before.trim(),
        after.trim_matches(|char: char| is_sign(char))
    );
    let word = words.trim();
    let code = match word {
        "" => None,
        word => Some(currency(word).map_err(|_| Fault::BadAmount)?),
    };
    Ok((decimal(figure)?, code))
}

/// The three letters of a currency, out of them, its sign or its name.
///
/// # Errors
/// When it is none.
pub fn currency(cell: &str) -> Result<String, Fault> {
    let word = line(cell).trim_end_matches('.').to_lowercase();
    if let Some((_, code)) = SIGNS.iter().find(|(sign, _)| *sign == word) {
        return Ok((*code).to_owned());
    }
    if word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(word.to_uppercase());
    }
    Err(Fault::BadCurrency)
}

fn is_sign(char: char) -> bool {
    char.is_whitespace() || matches!(char, ',' | '.' | '\'' | '’' | '\u{a0}' | '\u{202f}' | '٬' | '٫')
}

/// A digit in any of the scripts that tables come in.
fn digit(char: char) -> Option<char> {
    let value = match char {
        '0'..='9' => return Some(char),
        '۰'..='۹' => u32::from(char) - u32::from('۰'),
        '٠'..='٩' => u32::from(char) - u32::from('٠'),
        _ => return None,
    };
    char::from_digit(value, 10)
}

/// Figures as a decimal number with a point.
fn decimal(figure: &str) -> Result<String, Fault> {
    let negative = figure.starts_with('-');
    let figure = figure.strip_prefix('-').unwrap_or(figure);
    let plain: String = figure
        .chars()
        .filter_map(|char| match char {
            // The decimal sign of Persian, and the one between its thousands.
            '٫' => Some('.'),
            '٬' | '\'' | '’' => None,
            ',' | '.' => Some(char),
            char if char.is_whitespace() => None,
            other => Some(digit(other).unwrap_or(other)),
        })
        .collect();
    let (comma, point) = (plain.rfind(','), plain.rfind('.'));
    let one = |sign: char| plain.matches(sign).count() == 1;
    let text = match (comma, point) {
        (Some(comma), Some(point)) if comma > point && one(',') => grouped(&plain, '.', ',')?,
        (Some(comma), Some(point)) if point > comma && one('.') => grouped(&plain, ',', '.')?,
        (Some(_), Some(_)) => return Err(Fault::BadAmount),
        (Some(_), None) if one(',') && !is_thousands(&plain, ',') => plain.replace(',', "."),
        (Some(_), None) => grouped(&plain, ',', '.')?,
        (None, Some(_)) if one('.') && is_thousands(&plain, '.') && !figure.contains('٫') => {
            return Err(Fault::BadAmount);
        }
        (None, Some(_)) if one('.') => plain,
        (None, Some(_)) => grouped(&plain, '.', ',')?,
        (None, None) => plain,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || text.ends_with('.') || text.len() > MOST {
        return Err(Fault::BadAmount);
    }
    Ok(if negative { format!("-{text}") } else { text })
}

/// Without the sign between thousands, each of which has three digits; the decimal sign as a point.
fn grouped(text: &str, between: char, decimal: char) -> Result<String, Fault> {
    let (whole, part) = text.split_once(decimal).unwrap_or((text, ""));
    let mut groups = whole.split(between);
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    if first.is_empty()
        || first.len() > 3
        || rest.iter().any(|group| group.len() != 3)
        || part.contains(between)
    {
        return Err(Fault::BadAmount);
    }
    let whole = format!("{first}{}", rest.concat());
    Ok(if part.is_empty() {
        whole
    } else {
        format!("{whole}.{part}")
    })
}

/// Whether one sign stands before exactly three last digits and after one to three others that are not nothing.
fn is_thousands(text: &str, sign: char) -> bool {
    text.split_once(sign).is_some_and(|(whole, part)| {
        part.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fault, amount, currency};

    #[test]
    fn amounts_are_read_exactly_with_the_currency_beside_them() {
        let table = [
            ("1500", "1500", None),
            ("1 500,50 ₽", "1500.50", Some("RUB")),
            ("$1,500.00", "1500.00", Some("USD")),
            ("1.234.567,8 EUR", "1234567.8", Some("EUR")),
            ("EUR 12", "12", Some("EUR")),
            ("1,500", "1500", None),
            ("0.500", "0.500", None),
            ("1500.000", "1500.000", None),
            ("12,5", "12.5", None),
            ("1'000'000", "1000000", None),
            ("23 000 руб.", "23000", Some("RUB")),
            ("۱۲۳۴٫۵", "1234.5", None),
            ("۱۲٬۰۰۰ ریال", "12000", Some("IRR")),
            ("-5", "-5", None),
        ];
        for (cell, text, code) in table {
            assert_eq!(
                amount(cell),
                Ok((text.to_owned(), code.map(str::to_owned))),
                "{cell}"
            );
        }
        for none in [
            "",
            "free",
            "1.500",
            "12 apples",
            "1,50,000.5",
            "1.2.3",
            "7,90E+10",
            "5-6",
        ] {
            assert_eq!(amount(none), Err(Fault::BadAmount), "{none}");
        }
    }

    #[test]
    fn currencies_go_by_their_letters_signs_and_names() {
        for (cell, code) in [("eur", "EUR"), ("₽", "RUB"), ("Руб.", "RUB"), (" UZS ", "UZS")] {
            assert_eq!(currency(cell), Ok(code.to_owned()), "{cell}");
        }
        for none in ["", "euros", "12", "€€", "تومان"] {
            assert_eq!(currency(none), Err(Fault::BadCurrency), "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_cell_makes_it_panic(cell in "\\PC*") {
            drop((amount(&cell), currency(&cell)));
        }

        #[test]
        fn what_is_read_reads_back_the_same(whole in 0_u64..1_000_000_000, part in 0_u8..100) {
            let text = format!("{whole}.{part:02}");
            prop_assert_eq!(amount(&text), Ok((text.clone(), None)));
        }
    }
}
