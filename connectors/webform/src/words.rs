//! The form's own words, in the visitor's language.

use serde::Serialize;
use switchboard_sdk::fields::Field;

/// All words of the pages and of the script.
#[derive(Debug, Serialize)]
pub struct Words {
    /// BCP 47 tag.
    pub language: &'static str,
    /// `ltr` or `rtl`.
    pub direction: &'static str,
    /// Heading of a form without one.
    pub title: &'static str,
    /// The button.
    pub submit: &'static str,
    /// The button while the post is under way.
    pub sending: &'static str,
    /// Thanks.
    pub thanks: &'static str,
    /// Above the list of errors.
    pub errors: &'static str,
    /// Before the page title when there are errors.
    pub error: &'static str,
    /// The empty first choice of a select.
    pub choose: &'static str,
    /// Stands beside fields that may stay empty.
    pub optional: &'static str,
    /// Stands beside a consent's link.
    pub policy: &'static str,
    /// Label of the field nobody sees.
    pub honeypot: &'static str,
    /// The form takes nothing now.
    pub paused: &'static str,
    /// The post did not arrive.
    pub failed: &'static str,
    /// Files cannot be put back into a form.
    pub files_again: &'static str,
    /// 403.
    pub forbidden: &'static str,
    /// 413.
    pub too_large: &'static str,
    /// 400, 415 and the rest.
    pub unreadable: &'static str,
    /// Back to the form.
    pub back: &'static str,
    /// Labels of fields that have none: name, phone, email, comment, company.
    labels: [&'static str; 5],
}

const EN: Words = Words {
    language: "en",
    direction: "ltr",
    title: "Contact us",
    submit: "Send",
    sending: "Sending…",
    thanks: "Thank you! We have received your message and will answer soon.",
    errors: "Please correct these fields:",
    error: "Error",
    choose: "Choose…",
    optional: "optional",
    policy: "Details",
    honeypot: "Leave this field empty",
    paused: "This form is not taking messages at the moment. Please try again later.",
    failed: "The form could not be sent. Check your connection and try again.",
    files_again: "Please choose your files again.",
    forbidden: "The form cannot be sent from this page.",
    too_large: "The form is too large to be sent. Choose smaller files and try again.",
    unreadable: "The form could not be read. Go back and try again.",
    back: "Back to the form",
    labels: ["Name", "Phone", "E-mail", "Comment", "Company"],
};

const RU: Words = Words {
    language: "ru",
    direction: "ltr",
    title: "Свяжитесь с нами",
    submit: "Отправить",
    sending: "Отправляем…",
    thanks: "Спасибо! Мы получили ваше сообщение и скоро ответим.",
    errors: "Исправьте, пожалуйста, эти поля:",
    error: "Ошибка",
    choose: "Выберите…",
    optional: "необязательно",
    policy: "Подробнее",
    honeypot: "Оставьте это поле пустым",
    paused: "Сейчас форма не принимает сообщения. Попробуйте, пожалуйста, позже.",
    failed: "Не удалось отправить форму. Проверьте соединение и попробуйте ещё раз.",
    files_again: "Выберите файлы ещё раз.",
    forbidden: "С этой страницы форму отправить нельзя.",
    too_large: "Форма слишком велика. Выберите файлы поменьше и попробуйте ещё раз.",
    unreadable: "Не удалось прочитать форму. Вернитесь и попробуйте ещё раз.",
    back: "Вернуться к форме",
    labels: ["Имя", "Телефон", "Электронная почта", "Комментарий", "Компания"],
};

/// All languages there are, English first: it is the one for everybody else.
pub const ALL: [&Words; 2] = [&EN, &RU];

/// The words for an `Accept-Language` header (RFC 9110 §12.5.4).
pub fn for_visitor(accept_language: Option<&str>) -> &'static Words {
    let known = |tag: &str| {
        let primary = tag.split('-').next().unwrap_or(tag);
        ALL.into_iter()
            .find(|words| words.language.eq_ignore_ascii_case(primary))
    };
    ranked(accept_language.unwrap_or_default())
        .into_iter()
        .find_map(|tag| known(&tag))
        .unwrap_or(&EN)
}

/// The language the visitor likes best, whether or not there are words for it.
pub fn preferred(accept_language: Option<&str>) -> Option<String> {
    let fits = |tag: &String| {
        tag.len() <= 35
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    ranked(accept_language?)
        .into_iter()
        .find(|tag| tag != "*" && fits(tag))
}

/// The tags, the most wanted first.
fn ranked(header: &str) -> Vec<String> {
    let mut tags: Vec<(String, f32)> = header
        .split(',')
        .take(20)
        .filter_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let tag = parts.next().filter(|tag| !tag.is_empty())?;
            let weight = parts
                .find_map(|part| part.strip_prefix("q=")?.parse().ok())
                .unwrap_or(1.0);
            (weight > 0.0).then(|| (tag.to_owned(), weight))
        })
        .collect();
    tags.sort_by(|a, b| b.1.total_cmp(&a.1));
    tags.into_iter().map(|(tag, _)| tag).collect()
}

impl Words {
    /// The label of a field: its own, else a word for a well-known name, else the name.
    pub fn label<'a>(&'a self, field: &'a Field) -> &'a str {
        if !field.label.trim().is_empty() {
            return field.label();
        }
        match field.name.as_str() {
            "name" => self.labels[0],
            "phone" => self.labels[1],
            "email" => self.labels[2],
            "comment" => self.labels[3],
            "company" => self.labels[4],
            _ => field.label(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_language_there_is_wins() {
        for (header, wanted) in [
            ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
            ("fr, ru;q=0.5, en;q=0.7", "en"),
            ("fr", "en"),
            ("ru;q=0, de", "en"),
            ("*;q=x,,;;", "en"),
            ("", "en"),
        ] {
            assert_eq!(for_visitor(Some(header)).language, wanted, "{header}");
        }
        assert_eq!(
            preferred(Some("en;q=0.5, uz-Latn;q=0.9")).as_deref(),
            Some("uz-Latn")
        );
        assert_eq!(preferred(Some("*, <b>")), None);
    }
}
