//! The normal form of what people type as an e-mail address or a phone. Pure.

/// An e-mail address in small letters; none for what cannot be one.
pub fn email(value: &str) -> Option<String> {
    let value = value.trim().to_lowercase();
    let (name, domain) = value.split_once('@')?;
    let plausible = !name.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && value.len() <= 320
        && !value
            .contains(|char: char| char.is_whitespace() || char.is_control() || "<>()[],;:\"".contains(char))
        && !domain.contains('@');
    plausible.then_some(value)
}

/// A phone in E.164, out of any usual writing with its country code.
pub fn phone(value: &str) -> Option<String> {
    let number = phonenumber::parse(None, value.trim()).ok()?;
    phonenumber::is_valid(&number).then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}

/// Values in their normal form, each once; what is none is named with its place.
pub fn normal(
    field: &str,
    values: &[String],
    one: fn(&str) -> Option<String>,
    faults: &mut Vec<(String, String)>,
) -> Vec<String> {
    let mut normal = Vec::with_capacity(values.len());
    for (position, value) in values.iter().enumerate() {
        match one(value) {
            Some(value) if normal.contains(&value) => {}
            Some(value) => normal.push(value),
            None => faults.push((format!("{field}.{position}"), format!("{value:?} is none"))),
        }
    }
    if normal.len() > MOST {
        faults.push((field.to_owned(), format!("at most {MOST}")));
    }
    normal
}

/// Addresses of a kind that one contact or company has at most.
const MOST: usize = 50;

#[cfg(test)]
mod tests {
    use super::{email, phone};

    #[test]
    fn addresses_are_brought_to_their_normal_form_or_refused() {
        assert_eq!(email(" A@B.Example ").as_deref(), Some("a@b.example"));
        assert_eq!(email("a b@c.d"), None);
        assert_eq!(email("a@b"), None);
        assert_eq!(phone("+998 90 123-45-67").as_deref(), Some("+998901234567"));
        assert_eq!(phone("12"), None);
    }
}
