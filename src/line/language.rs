//! The texts of a line in several languages, and which one a client hears. Pure.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::text;

/// Languages a line may speak beside its own.
const LANGUAGE_LIMIT: usize = 50;

/// The texts of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// At the beginning.
    Welcome,
    /// While it is closed.
    OffHours,
    /// When nobody answered.
    NoAnswer,
    /// When the client is silent.
    AutoClose,
    /// The question for a rating.
    Rating,
}

/// The texts of a line in another language; one that is missing is said in the line's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = LineTexts)]
pub struct Texts {
    /// In place of `welcome_text`.
    pub welcome_text: Option<String>,
    /// In place of `off_hours.text`.
    pub off_hours: Option<String>,
    /// In place of `no_answer.text`.
    pub no_answer: Option<String>,
    /// In place of `auto_close.text`.
    pub auto_close: Option<String>,
    /// In place of `rating.text`.
    pub rating: Option<String>,
}

impl Texts {
    /// One of them.
    pub fn of(&self, said: Said) -> Option<&str> {
        match said {
            Said::Welcome => &self.welcome_text,
            Said::OffHours => &self.off_hours,
            Said::NoAnswer => &self.no_answer,
            Said::AutoClose => &self.auto_close,
            Said::Rating => &self.rating,
        }
        .as_deref()
    }

    /// All of them, by field.
    pub fn fields(&mut self) -> [(&'static str, &mut Option<String>); 5] {
        [
            ("welcome_text", &mut self.welcome_text),
            ("off_hours", &mut self.off_hours),
            ("no_answer", &mut self.no_answer),
            ("auto_close", &mut self.auto_close),
            ("rating", &mut self.rating),
        ]
    }
}

/// Whether this reads as a language tag: `de`, `pt-BR`.
pub fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && tag.len() <= 35
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// The language without region and script, in small letters.
pub fn primary(tag: &str) -> Cow<'_, str> {
    let primary = tag.split(['-', '_']).next().unwrap_or(tag);
    if primary.bytes().any(|byte| byte.is_ascii_uppercase()) {
        primary.to_ascii_lowercase().into()
    } else {
        primary.into()
    }
}

/// The text a client hears and its language: the one of exactly their language, the line's own when that
/// is in it, one of the same language elsewhere, and else the line's own.
pub fn choose<'a>(
    own: Option<&'a str>,
    own_language: Option<&'a str>,
    others: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    client: Option<&str>,
) -> Option<(&'a str, Option<&'a str>)> {
    let own = own.map(|text| (text, own_language));
    let Some(client) = client else { return own };
    let found = |fits: &dyn Fn(&str) -> bool| {
        let mut others = others.clone();
        others
            .find(|(tag, _)| fits(tag))
            .map(|(tag, text)| (text, Some(tag)))
    };
    let exactly = found(&|tag| tag.eq_ignore_ascii_case(client));
    let in_own = own.filter(|(_, language)| language.is_some_and(|tag| primary(tag) == primary(client)));
    exactly
        .or(in_own)
        .or_else(|| found(&|tag| primary(tag) == primary(client)))
        .or(own)
}

/// What is wrong with a line's language and its texts in others, as `(field, message)`.
pub fn errors(own: Option<&str>, texts: &BTreeMap<String, Texts>) -> Vec<(String, String)> {
    let mut errors = Vec::new();
    let mut wrong = |field: String, message: String| errors.push((field, message));
    let no_tag = |tag: &str| format!("{tag:?} is not a language tag: write de, ru or pt-BR");
    if let Some(tag) = own.filter(|tag| !is_language(tag)) {
        wrong("language".to_owned(), no_tag(tag));
    }
    if texts.len() > LANGUAGE_LIMIT {
        wrong("texts".to_owned(), format!("at most {LANGUAGE_LIMIT} languages"));
    }
    for (tag, in_it) in texts {
        let twice = |other: &String| other != tag && other.eq_ignore_ascii_case(tag);
        if !is_language(tag) {
            wrong("texts".to_owned(), no_tag(tag));
        } else if texts.keys().any(twice) {
            wrong(format!("texts.{tag}"), "is given twice".to_owned());
        }
        for (field, template) in in_it.clone().fields() {
            if let Some(message) = template.as_deref().and_then(text::error) {
                wrong(format!("texts.{tag}.{field}"), message);
            }
        }
    }
    errors
}

/// Texts with some changed: text by text, and null takes a language away.
pub fn merged(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut all = old.clone();
    for (tag, given) in new {
        match (old.get(tag), given) {
            (_, Value::Null) => drop(all.remove(tag)),
            (Some(Value::Object(old)), Value::Object(new)) => {
                let mut texts = old.clone();
                texts.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
                all.insert(tag.clone(), Value::Object(texts));
            }
            _ => drop(all.insert(tag.clone(), given.clone())),
        }
    }
    all
}
