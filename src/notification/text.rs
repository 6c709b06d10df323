//! The words of a notification. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Longest value that is shown, in characters: a notification is a look, not the archive.
const MAX_VALUE: usize = 1_000;
/// Longest text: one message of Telegram.
const MAX_TEXT: usize = 3_900;
/// What is worth saying of where somebody came from, in this order.
const TOUCH: [&str; 7] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "landing_page",
    "referrer",
];

/// A language that notifications have words in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

impl Language {
    /// The one for a form of this locale.
    pub fn of_locale(locale: Option<&str>) -> Self {
        let language = locale.unwrap_or_default().split(['-', '_']).next();
        match language {
            Some("ru") => Self::Ru,
            _ => Self::En,
        }
    }
}

/// What is told.
#[derive(Debug, Clone, Default)]
pub struct Told<'a> {
    /// What people call the form.
    pub form: &'a str,
    /// Names of its fields in the order of the form, each with what stands beside it.
    pub labels: Vec<(String, String)>,
    /// What was filled in, by the name of the field.
    pub values: Map<String, Value>,
    /// Where they came from this time, by key.
    pub touch: Map<String, Value>,
    /// Where to answer.
    pub link: Option<String>,
}

/// Subject and text.
pub fn compose(told: &Told<'_>, language: Language) -> (String, String) {
    let (new, from, open) = match language {
        Language::En => ("New submission", "Where from", "Open"),
        Language::Ru => ("Новая заявка", "Откуда", "Открыть"),
    };
    let mut lines = vec![format!("{new}: {}", one_line(told.form)), String::new()];
    for (name, label) in &told.labels {
        if let Some(value) = told.values.get(name).and_then(|value| said(value, language)) {
            lines.push(format!("{}: {value}", one_line(label)));
        }
    }
    for (name, value) in &told.values {
        let labelled = told.labels.iter().any(|(known, _)| known == name);
        if let Some(value) = said(value, language).filter(|_| !labelled) {
            lines.push(format!("{}: {value}", one_line(name)));
        }
    }
    let touch: Vec<String> = TOUCH
        .iter()
        .filter_map(|key| {
            let value = told.touch.get(*key).and_then(|value| said(value, language))?;
            Some(format!("{key}: {}", one_line(&value)))
        })
        .collect();
    if !touch.is_empty() {
        lines.extend([String::new(), format!("{from}:")]);
        lines.extend(touch);
    }
    let mut text = cut(&lines.join("\n"), MAX_TEXT);
    if let Some(link) = &told.link {
        text.push_str(&format!("\n\n{open}: {link}"));
    }
    (cut(&format!("{new}: {}", one_line(told.form)), 200), text)
}

/// A value as people read it; nothing for what was left empty.
fn said(value: &Value, language: Language) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Bool(true) => match language {
            Language::En => "yes".to_owned(),
            Language::Ru => "да".to_owned(),
        },
        Value::Bool(false) => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().filter_map(|one| said(one, language)).collect();
            parts.join(", ")
        }
        other => other.to_string(),
    };
    let text = cut(&text.replace('\0', ""), MAX_VALUE);
    (!text.is_empty()).then_some(text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn told() -> Told<'static> {
        Told {
            form: "Ask for an offer",
            labels: vec![
                ("name".to_owned(), "Your name".to_owned()),
                ("phone".to_owned(), "Phone".to_owned()),
                ("news".to_owned(), "News?".to_owned()),
            ],
            values: map(
                json!({"phone": "+998901234567", "name": "Ann", "news": true, "empty": "", "wish": ["a", "b"]}),
            ),
            touch: map(
                json!({"utm_source": "google", "gclid": "x", "landing_page": "https://shop.example/lamps"}),
            ),
            link: Some("https://chat.example/inbox/all/cnv_1".to_owned()),
        }
    }

    #[test]
    fn it_says_what_was_filled_in_in_the_forms_order_and_where_they_came_from() {
        let (subject, text) = compose(&told(), Language::En);
        assert_eq!(subject, "New submission: Ask for an offer");
        assert_eq!(
            text,
            "New submission: Ask for an offer\n\nYour name: Ann\nPhone: +998901234567\nNews?: yes\nwish: a, b\n\n\
             Where from:\nutm_source: google\nlanding_page: https://shop.example/lamps\n\n\
             Open: https://chat.example/inbox/all/cnv_1"
        );
    }

    #[test]
    fn it_speaks_russian() {
        let (subject, text) = compose(&told(), Language::of_locale(Some("ru-RU")));
        assert!(subject.starts_with("Новая заявка: "));
        assert!(text.contains("News?: да") && text.contains("Откуда:") && text.contains("Открыть: https"));
        assert_eq!(Language::of_locale(Some("fa")), Language::En);
    }

    #[test]
    fn a_stranger_can_neither_break_the_subject_nor_fill_the_screen() {
        let mut told = told();
        told.form = "Offer\r\nBcc: all@example.com";
        told.values = map(json!({"name": "x".repeat(100_000)}));
        let (subject, text) = compose(&told, Language::En);
        assert!(!subject.contains('\n'));
        assert!(text.chars().count() < 4_096);
        assert!(text.ends_with("cnv_1"));
    }
}
