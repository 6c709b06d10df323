//! What the words of a post say about who wrote them. Pure, in any language it can, and never enough by itself
//! to hold a post.

use std::collections::BTreeMap;

use serde_json::Value;

/// What unasked offers are about, in lower case: words that customers of hardly any shop use.
const OFFERS: [&str; 20] = [
    "casino",
    "viagra",
    "cialis",
    "backlink",
    "guest post",
    "seo service",
    "rank your site",
    "first page of google",
    "crypto invest",
    "forex signal",
    "payday loan",
    "adult dating",
    "escort service",
    "казино",
    "виагра",
    "ставки на спорт",
    "продвижение сайтов",
    "база email",
    "рассылка по формам",
    "микрозайм",
];

/// Whether it offers what spam offers. `text` in lower case.
pub fn sells(text: &str) -> bool {
    OFFERS.iter().any(|offer| text.contains(offer))
}

/// Whether words hide their letters: several of one word from two alphabets, or with invisible ones between.
pub fn is_disguised(text: &str) -> bool {
    let hidden = text
        .chars()
        .filter(|c| matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}'))
        .count();
    let mixed = text.split(|c: char| !c.is_alphabetic()).filter(|word| {
        word.chars().any(|c| c.is_ascii_alphabetic())
            && word.chars().any(|c| matches!(c, '\u{400}'..='\u{4ff}'))
    });
    hidden >= 3 || mixed.count() >= 3
}

/// Whether a name is letters by chance, like `WbTqkLRzxPd`: one long word, capitals within it, hardly a vowel.
pub fn is_random(name: Option<&str>) -> bool {
    let Some(name) =
        name.filter(|name| name.len() >= 9 && name.bytes().all(|byte| byte.is_ascii_alphabetic()))
    else {
        return false;
    };
    let vowels = name.chars().filter(|c| "aeiouyAEIOUY".contains(*c)).count();
    let inner_capitals = name.chars().skip(1).filter(char::is_ascii_uppercase).count();
    let all_capitals = name.chars().all(|c| c.is_ascii_uppercase());
    vowels * 5 < name.len() * 2 && inner_capitals >= 3 && !all_capitals
}

/// Whether three fields and more hold the same text.
pub fn repeats_itself(values: &BTreeMap<String, Value>) -> bool {
    let texts: Vec<&str> = values
        .values()
        .filter_map(Value::as_str)
        .filter(|text| text.chars().count() >= 4)
        .collect();
    texts
        .iter()
        .any(|text| texts.iter().filter(|other| *other == text).count() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_words_are_honest() {
        for name in [
            "Christopher",
            "McDonaldson",
            "Krzysztof",
            "SCHWARZKOPF",
            "Анна Петровна",
            "Mary-Jane",
            "DiCaprio",
        ] {
            assert!(!is_random(Some(name)), "{name}");
        }
        for text in [
            "Please call me about the lamp",
            "Нужен кабель USB-C, 3 шт.",
            "iPhone чехол",
            "سلام، آیا این چراغ ضمانت دارد؟",
        ] {
            assert!(!sells(&text.to_lowercase()) && !is_disguised(text), "{text}");
        }
    }

    #[test]
    fn machines_words_are_known() {
        assert!(is_random(Some("WbTqkLRzxPd")));
        assert!(sells("we rank your site on the first page of google"));
        assert!(is_disguised("Зaрaбoтok быстpo и лeгko"));
        assert!(is_disguised("c\u{200b}a\u{200b}s\u{200b}ino"));
        let value = |text: &str| Value::String(text.to_owned());
        let same = ["a", "b", "c"].map(|name| (name.to_owned(), value("Lorem")));
        assert!(repeats_itself(&same.clone().into()));
        assert!(!repeats_itself(
            &[("a".to_owned(), value("Lorem")), ("b".to_owned(), value("Lorem"))].into()
        ));
    }
}
