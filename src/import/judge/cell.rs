//! A cell as the value of a custom field. Pure.

use chrono::SecondsFormat;
use serde_json::{Value, json};
use switchboard_exchange::{money, value};

use super::Rules;
use crate::custom_field::{Definition, Type, value::fit};

/// Signs that stand between several options.
const BETWEEN: [char; 4] = [',', ';', '|', '\n'];

/// The form in which a cell is kept in a field; none when it is empty.
///
/// # Errors
/// What would be right.
pub(super) fn value(definition: &Definition, cell: &str, rules: &Rules) -> Result<Option<Value>, String> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Ok(None);
    }
    let date =
        |cell| value::moment(cell, rules.date_order).map_err(|_| "must be a date, as 2026-11-23".to_owned());
    let given = match definition.kind {
        Type::Text | Type::LongText | Type::Url => json!(cell),
        Type::Number => {
            let number = value::number(cell).map_err(|_| "must be a number, as 1200.5")?;
            number_of(number)
        }
        Type::Money => {
            let (amount, currency) =
                money::amount(cell).map_err(|_| "must be an amount with its currency, as 1200.50 EUR")?;
            let currency = currency.ok_or("must have its currency beside it, as 1200.50 EUR")?;
            json!({"amount": amount, "currency": currency})
        }
        Type::Date => json!(date(cell)?.format("%Y-%m-%d").to_string()),
        Type::DateTime => json!(date(cell)?.to_rfc3339_opts(SecondsFormat::Secs, true)),
        Type::Checkbox => json!(yes_or_no(cell).ok_or("must be yes or no")?),
        Type::Select => json!(option(definition, cell)?),
        Type::MultiSelect => match option(definition, cell) {
            // An option may have a comma in its name.
            Ok(one) => json!([one]),
            Err(_) => {
                let parts = cell.split(BETWEEN).map(str::trim).filter(|part| !part.is_empty());
                let each: Result<Vec<&str>, String> = parts.map(|part| option(definition, part)).collect();
                json!(each?)
            }
        },
        Type::User => json!(
            rules
                .operators
                .get(&cell.to_lowercase())
                .ok_or("there is no such user; name them by their e-mail address")?
        ),
    };
    fit(definition, &given, &rules.users)
}

/// Whole numbers are kept without a point.
fn number_of(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within what a double holds exactly"
    )]
    if number.fract() == 0.0 && number.abs() < 9e15 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

fn yes_or_no(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "true" | "yes" | "y" | "on" | "1" | "+" | "x" | "✓" | "✔" | "да" | "истина" | "есть" | "بله"
        | "آری" => Some(true),
        "false" | "no" | "n" | "off" | "0" | "-" | "нет" | "ложь" | "خیر" | "نه" => Some(false),
        _ => None,
    }
}

/// An option by its value or by what people read, in any case.
fn option<'a>(definition: &'a Definition, cell: &str) -> Result<&'a str, String> {
    let word = cell.to_lowercase();
    let exact = definition.options.iter().find(|option| option.value == cell);
    let alike = || {
        definition
            .options
            .iter()
            .find(|option| option.label.to_lowercase() == word || option.value.to_lowercase() == word)
    };
    exact
        .or_else(alike)
        .map(|option| option.value.as_str())
        .ok_or_else(|| {
            let known = definition.options.iter().take(20);
            let known: Vec<&str> = known.map(|one| one.label.as_str()).collect();
            format!("must be one of: {}", known.join(", "))
        })
}
