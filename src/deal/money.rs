//! Amounts of money as whole numbers. Pure.
//!
//! An amount is kept in ten-thousandths of the currency's unit, whatever the currency: no currency of ISO 4217 has
//! smaller parts, sums are exact, and a deal whose currency is corrected keeps its figure. Outside it is a decimal
//! text ("1500.00"); no step goes through a floating-point number.

/// Parts of one unit of any currency.
const PARTS: i64 = 10_000;
/// Digits after the point that can be kept.
const DIGITS: usize = 4;
/// Most units of an amount: a hundred million millions.
const MOST_UNITS: i64 = 100_000_000_000_000;

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a number.
    #[error("write it as a decimal number like \"1500.00\"")]
    NoNumber,
    /// Less than nothing.
    #[error("cannot be less than nothing")]
    Negative,
    /// More digits after the point than the currency has.
    #[error("has more digits after the point than the currency")]
    TooFine,
    /// Larger than anything.
    #[error("is too large")]
    TooLarge,
}

/// Whether a text is the code of a currency: three capital letters (ISO 4217).
pub fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Digits after the point that a currency has (ISO 4217; two unless it is listed).
pub fn digits(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// Reads an amount of a currency.
pub fn parse(text: &str, currency: &str) -> Result<i64, AmountError> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(AmountError::Negative);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || text.ends_with('.') {
        return Err(AmountError::NoNumber);
    }
    let part = part.trim_end_matches('0');
    if part.len() > digits(currency) {
        return Err(AmountError::TooFine);
    }
    let whole: i64 = whole.parse().map_err(|_| AmountError::TooLarge)?;
    if whole > MOST_UNITS {
        return Err(AmountError::TooLarge);
    }
    let part: i64 = format!("{part:0<DIGITS$}").parse().unwrap_or_default();
    Ok(whole * PARTS + part)
}

/// Writes an amount of a currency, with at least the digits the currency has.
pub fn show(amount: i128, currency: &str) -> String {
    let parts = i128::from(PARTS);
    let (whole, part) = (amount / parts, amount % parts);
    let mut digits_shown = format!("{part:0>DIGITS$}");
    while digits_shown.len() > digits(currency) && digits_shown.ends_with('0') {
        digits_shown.pop();
    }
    if digits_shown.is_empty() {
        whole.to_string()
    } else {
        format!("{whole}.{digits_shown}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_and_written_in_the_digits_of_their_currency() {
        for (text, currency, shown) in [
            ("1500", "USD", "1500.00"),
            ("1500.5", "USD", "1500.50"),
            ("0.01", "EUR", "0.01"),
            ("0", "RUB", "0.00"),
            ("100.00", "JPY", "100"),
            ("1.234", "KWD", "1.234"),
            ("1.2", "CLF", "1.2000"),
            (" 007 ", "USD", "7.00"),
        ] {
            let amount = parse(text, currency);
            assert_eq!(
                amount.map(|amount| show(amount.into(), currency)),
                Ok(shown.to_owned()),
                "{text} {currency}"
            );
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        for (text, currency, error) in [
            ("", "USD", AmountError::NoNumber),
            ("1,5", "USD", AmountError::NoNumber),
            ("1e5", "USD", AmountError::NoNumber),
            (".5", "USD", AmountError::NoNumber),
            ("5.", "USD", AmountError::NoNumber),
            ("-1", "USD", AmountError::Negative),
            ("1.001", "USD", AmountError::TooFine),
            ("1.5", "JPY", AmountError::TooFine),
            ("100000000000001", "USD", AmountError::TooLarge),
            ("99999999999999999999", "USD", AmountError::TooLarge),
        ] {
            assert_eq!(parse(text, currency), Err(error), "{text} {currency}");
        }
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        assert!(is_currency("UZS"));
        for code in ["usd", "US", "USDT", "U$D", "РУБ"] {
            assert!(!is_currency(code), "{code}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(amount in 0..MOST_UNITS * PARTS, currency in "USD|JPY|KWD|CLF") {
            let finest = 10_i64.pow(u32::try_from(DIGITS - digits(&currency)).unwrap_or_default());
            let amount = amount / finest * finest;
            prop_assert_eq!(parse(&show(amount.into(), &currency), &currency), Ok(amount));
        }
    }
}
