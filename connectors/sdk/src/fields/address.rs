//! E-mail addresses and phone numbers in their normal forms: what identities are compared by.

use std::str::FromStr;

use phonenumber::{Mode, PhoneNumber, country};

use super::Problem;

/// The address in lower case, when it is one: by the rule of HTML's `<input type=email>` (WHATWG HTML,
/// "valid e-mail address"), with letters of every script and a dot in the domain demanded.
pub fn email(raw: &str) -> Option<String> {
    let address = raw.trim();
    let (local, domain) = address.rsplit_once('@')?;
    let in_local = |c: char| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let label = |label: &str| {
        let fits = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        fits && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    let fits = !local.is_empty()
        && local.len() <= 64
        && address.len() <= 254
        && local.chars().all(in_local)
        && domain.contains('.')
        && domain.split('.').all(label);
    fits.then(|| address.to_lowercase())
}

/// The number in E.164.
///
/// `region` (ISO 3166-1 alpha-2) says how a number without a country code is meant. Numbers that come with
/// their country code need not be in the numbering plan as this build knows it, which ages; they only
/// must be of a possible length (8 to 15 digits, ITU-T E.164 §6). Guessed ones must be valid.
pub fn phone(raw: &str, region: Option<&str>) -> Result<String, Problem> {
    let raw = raw.trim();
    let digits = raw.chars().filter(char::is_ascii_digit).count();
    let looks = raw.chars().all(|c| {
        c.is_ascii_digit() || c.is_whitespace() || "+()-./\u{2010}\u{2011}\u{2012}\u{2013}\u{a0}".contains(c)
    });
    if !looks || !(5..=20).contains(&digits) {
        return Err(Problem::NotPhone);
    }
    let international = raw.strip_prefix("00").map(|rest| format!("+{rest}"));
    let international = international.as_deref().unwrap_or(raw);
    if international.starts_with('+') {
        let number = phonenumber::parse(None, international).map_err(|_| Problem::NotPhone)?;
        return possible(&number).ok_or(Problem::NotPhone);
    }
    if let Some(region) = region.and_then(|region| country::Id::from_str(region).ok())
        && let Ok(number) = phonenumber::parse(Some(region), raw)
        && phonenumber::is_valid(&number)
    {
        return possible(&number).ok_or(Problem::NotPhone);
    }
    // Often the plus alone is missing: "998 90 123 45 67".
    match phonenumber::parse(None, format!("+{raw}")) {
        Ok(number) if digits >= 11 && phonenumber::is_valid(&number) => {
            possible(&number).ok_or(Problem::NotPhone)
        }
        _ if region.is_some() => Err(Problem::NotPhone),
        _ => Err(Problem::PhoneWithoutCountry),
    }
}

fn possible(number: &PhoneNumber) -> Option<String> {
    let text = number.format().mode(Mode::E164).to_string();
    let digits = text.strip_prefix('+')?;
    ((8..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(text)
}

/// What is wrong with a default region of phone numbers; nothing when it can be used.
pub fn region_problem(region: &str) -> Option<String> {
    let known = region.len() == 2 && country::Id::from_str(region).is_ok();
    (!known).then(|| format!("{region:?} is not a country: write two capital letters, like UZ, RU or DE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_put_in_lower_case_and_anything_else_is_refused() {
        assert_eq!(
            email(" Ann.Lee+x@Shop.Example ").as_deref(),
            Some("ann.lee+x@shop.example")
        );
        assert_eq!(email("анна@почта.рф").as_deref(), Some("анна@почта.рф"));
        for bad in [
            "",
            "@",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@b..c",
            "a@-b.co",
            "a@b.co>",
            "a@b.co, c@d.ef",
            "a\n@b.co",
        ] {
            assert_eq!(email(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_phone_number_becomes_e164() {
        for (raw, region, wanted) in [
            ("+998 (90) 123-45-67", None, "+998901234567"),
            ("00998901234567", None, "+998901234567"),
            ("998901234567", None, "+998901234567"),
            ("8 (905) 123-45-67", Some("RU"), "+79051234567"),
            ("90 123 45 67", Some("UZ"), "+998901234567"),
            ("+1 555 123 4567", None, "+15551234567"),
            ("020 7946 0958", Some("GB"), "+442079460958"),
            ("+44 20 7946 0958", Some("RU"), "+442079460958"),
        ] {
            assert_eq!(phone(raw, region).as_deref(), Ok(wanted), "{raw}");
        }
    }

    #[test]
    fn what_is_no_phone_number_is_refused_and_a_local_one_asks_for_its_country() {
        for bad in [
            "",
            "abc",
            "12",
            "+1",
            "call me",
            "+7 905 123",
            "+999999999999999999999",
            "+998 90 123 45 67 ext 5 or so",
        ] {
            assert_eq!(phone(bad, None), Err(Problem::NotPhone), "{bad:?}");
        }
        assert_eq!(phone("90 123 45 67", None), Err(Problem::PhoneWithoutCountry));
        assert_eq!(phone("12345", Some("RU")), Err(Problem::NotPhone));
    }

    #[test]
    fn a_region_is_two_capital_letters_of_a_country() {
        assert_eq!(region_problem("UZ"), None);
        assert!(
            region_problem("uz").is_some() && region_problem("XX").is_some() && region_problem("").is_some()
        );
    }
}
