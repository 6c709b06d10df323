//! A form in one language: its own texts where the admin wrote them, general words else.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use switchboard_sdk::{SettingsError, fields::Field};

use crate::{
    Settings,
    words::{self, Words},
};

/// Most languages of one form.
const MAX_LANGUAGES: usize = 30;
/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 8] = ["ar", "ckb", "dv", "fa", "he", "ps", "ur", "yi"];

/// The texts of a form in another language. What is empty reads as in the form itself.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Translation {
    /// Heading of the form.
    #[schemars(title = "Title", length(max = 200))]
    pub title: Option<String>,
    /// Words on the button.
    #[schemars(title = "Button", length(max = 100))]
    pub submit_label: Option<String>,
    /// Words of thanks.
    #[schemars(title = "Message", length(max = 2000))]
    pub message: Option<String>,
    /// What is agreed to.
    #[schemars(title = "Consent", length(max = 5000))]
    pub consent: Option<String>,
    /// Headings of the steps, in order.
    #[schemars(title = "Steps")]
    pub steps: Vec<String>,
    /// Texts of the fields, by their names.
    #[schemars(title = "Fields")]
    pub fields: BTreeMap<String, FieldTranslation>,
}

/// The texts of a field in another language.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FieldTranslation {
    /// What the visitor reads beside the input.
    #[schemars(title = "Label", length(max = 200))]
    pub label: Option<String>,
    /// Grey example in the empty input.
    #[schemars(title = "Placeholder", length(max = 200))]
    pub placeholder: Option<String>,
    /// A sentence below the input.
    #[schemars(title = "Help", length(max = 500))]
    pub help: Option<String>,
    /// What is read when the value is missing or wrong.
    #[schemars(title = "Error", length(max = 500))]
    pub error: Option<String>,
    /// Words for the choices of a select, in their order. What is stored is the choice as the form has it.
    #[schemars(title = "Options")]
    pub options: Vec<String>,
}

/// A form in one language.
#[derive(Debug, Clone)]
pub struct Tongue<'a> {
    /// BCP 47 tag.
    pub language: String,
    /// `ltr` or `rtl`.
    pub direction: &'static str,
    /// General words; English where there are none in the language.
    pub words: &'static Words,
    settings: &'a Settings,
    own: Option<&'a Translation>,
}

/// All languages of a form: those it has texts in, the first being its own; a form that says nothing about
/// languages speaks all that have general words.
pub fn all(settings: &Settings) -> Vec<Tongue<'_>> {
    let mut tags: Vec<&str> = Vec::new();
    if settings.locale.is_none() && settings.translations.is_empty() {
        tags.extend(words::ALL.iter().map(|words| words.language));
    } else {
        let own = settings.locale.as_deref().unwrap_or("en");
        tags.push(own);
        tags.extend(
            settings
                .translations
                .keys()
                .map(String::as_str)
                .filter(|tag| !tag.eq_ignore_ascii_case(own)),
        );
    }
    tags.into_iter().map(|tag| Tongue::new(settings, tag)).collect()
}

/// The language of the form that is wanted most; its own when none of the wanted is there.
pub fn choose<'a>(settings: &'a Settings, wanted: &[String]) -> Tongue<'a> {
    let mut known = all(settings);
    let best = wanted
        .iter()
        .find_map(|tag| {
            known
                .iter()
                .position(|tongue| tongue.language.eq_ignore_ascii_case(tag))
                .or_else(|| {
                    known
                        .iter()
                        .position(|tongue| primary(&tongue.language).eq_ignore_ascii_case(primary(tag)))
                })
        })
        .unwrap_or_default();
    known.swap_remove(best.min(known.len().saturating_sub(1)))
}

/// The part of a tag that names the language.
fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

impl<'a> Tongue<'a> {
    fn new(settings: &'a Settings, tag: &str) -> Self {
        let own = settings
            .translations
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(tag));
        let main = primary(tag).to_ascii_lowercase();
        Self {
            language: tag.to_owned(),
            direction: if RIGHT_TO_LEFT.contains(&main.as_str()) {
                "rtl"
            } else {
                "ltr"
            },
            words: words::of(&main),
            settings,
            own: own.map(|(_, texts)| texts),
        }
    }

    fn of_field(&self, name: &str) -> Option<&'a FieldTranslation> {
        self.own.and_then(|own| own.fields.get(name))
    }

    /// Heading of the form.
    pub fn title(&self) -> &'a str {
        let own = self.own.and_then(|own| said(own.title.as_deref()));
        own.or(self.settings.title.as_deref()).unwrap_or(self.words.title)
    }

    /// Words on the button.
    pub fn submit(&self) -> &'a str {
        let own = self.own.and_then(|own| said(own.submit_label.as_deref()));
        own.or(self.settings.submit_label.as_deref())
            .unwrap_or(self.words.submit)
    }

    /// Words of thanks.
    pub fn thanks(&self) -> &'a str {
        let own = self.own.and_then(|own| said(own.message.as_deref()));
        own.or(self.settings.success.message.as_deref())
            .unwrap_or(self.words.thanks)
    }

    /// What is agreed to; empty when the form asks for no consent.
    pub fn consent(&self) -> &'a str {
        let own = self.own.and_then(|own| said(own.consent.as_deref()));
        own.or(self.settings.consent.as_ref().map(|consent| consent.text.trim()))
            .unwrap_or_default()
    }

    /// The label of a field: its own, else a word for a well-known name, else the name.
    pub fn label(&self, field: &'a Field) -> &'a str {
        let own = self
            .of_field(&field.name)
            .and_then(|own| said(own.label.as_deref()));
        own.unwrap_or_else(|| self.words.label(field))
    }

    /// Grey example in the empty input.
    pub fn placeholder(&self, field: &'a Field) -> &'a str {
        let own = self
            .of_field(&field.name)
            .and_then(|own| said(own.placeholder.as_deref()));
        own.or(field.placeholder.as_deref()).unwrap_or_default()
    }

    /// A sentence below the input.
    pub fn help(&self, field: &'a Field) -> &'a str {
        let own = self
            .of_field(&field.name)
            .and_then(|own| said(own.help.as_deref()));
        own.or(said(field.help.as_deref())).unwrap_or_default()
    }

    /// What is said when the value does not fit, when the admin wrote something.
    pub fn error(&self, field: &'a Field) -> Option<&'a str> {
        let own = self
            .of_field(&field.name)
            .and_then(|own| said(own.error.as_deref()));
        own.or(said(field.error.as_deref()))
    }

    /// The choices of a select: what is stored, and what is read.
    pub fn options(&self, field: &'a Field) -> Vec<(&'a str, &'a str)> {
        let own = self
            .of_field(&field.name)
            .map(|own| own.options.as_slice())
            .unwrap_or_default();
        let read = |(at, option): (usize, &'a String)| {
            let shown = own
                .get(at)
                .and_then(|text| said(Some(text)))
                .unwrap_or(option.trim());
            (option.trim(), shown)
        };
        field.options.iter().enumerate().map(read).collect()
    }

    /// Heading of a step, counted from 1.
    pub fn step(&self, number: u8) -> &'a str {
        let at = usize::from(number.saturating_sub(1));
        let own = self
            .own
            .and_then(|own| said(own.steps.get(at).map(String::as_str)));
        own.or(said(self.settings.steps.get(at).map(String::as_str)))
            .unwrap_or_default()
    }
}

fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Refuses tags that are none, and too many of them.
pub fn check(settings: &Settings) -> Result<(), SettingsError> {
    if let Some(locale) = settings.locale.as_deref().filter(|tag| !is_tag(tag)) {
        return Err(SettingsError::new(
            "locale",
            format!("{locale:?} is not a language: write en, ru or pt-BR"),
        ));
    }
    if settings.translations.len() > MAX_LANGUAGES {
        return Err(SettingsError::new(
            "translations",
            format!("a form may have at most {MAX_LANGUAGES} languages"),
        ));
    }
    match settings.translations.keys().find(|tag| !is_tag(tag)) {
        Some(tag) => Err(SettingsError::new(
            "translations",
            format!("{tag:?} is not a language: write en, ru or pt-BR"),
        )),
        None => Ok(()),
    }
}

/// Near enough to BCP 47, and harmless in an attribute.
pub fn is_tag(tag: &str) -> bool {
    (2..=35).contains(&tag.len())
        && tag.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
        && primary(tag).bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: serde_json::Value) -> Settings {
        Settings::read(value).unwrap_or_else(|error| panic!("{error}"))
    }

    fn chosen(settings: &Settings, wanted: &[&str]) -> (String, String) {
        let wanted: Vec<String> = wanted.iter().map(|tag| (*tag).to_owned()).collect();
        let tongue = choose(settings, &wanted);
        (tongue.language.clone(), tongue.title().to_owned())
    }

    #[test]
    fn a_form_with_translations_speaks_those_and_its_own_language_to_everybody_else() {
        let form = settings(json!({"title": "Call me", "locale": "en", "translations": {
            "fa": {"title": "با من تماس بگیرید"}, "pt-BR": {"title": "Me ligue"}, "ru": {}}}));
        for (wanted, language, title) in [
            (&["fa-IR"][..], "fa", "با من تماس بگیرید"),
            (&["pt"], "pt-BR", "Me ligue"),
            (&["ru"], "ru", "Call me"),
            (&["de", "fa"], "fa", "با من تماس بگیرید"),
            (&["de"], "en", "Call me"),
            (&[], "en", "Call me"),
        ] {
            assert_eq!(
                chosen(&form, wanted),
                (language.to_owned(), title.to_owned()),
                "{wanted:?}"
            );
        }
        assert_eq!(choose(&form, &["fa".to_owned()]).direction, "rtl");
        assert_eq!(choose(&form, &["ru".to_owned()]).submit(), "Отправить");
    }

    #[test]
    fn a_form_without_translations_speaks_all_general_words() {
        let form = settings(json!({}));
        assert_eq!(
            chosen(&form, &["ru-RU"]),
            ("ru".to_owned(), "Свяжитесь с нами".to_owned())
        );
        assert_eq!(chosen(&form, &["kk"]).0, "en");
    }

    #[test]
    fn choices_are_read_in_the_language_and_stored_as_the_form_has_them() {
        let form = settings(
            json!({"fields": [{"name": "t", "type": "select", "options": ["Prices", "Other"]}],
            "translations": {"ru": {"fields": {"t": {"label": "О чём", "options": ["Цены"]}}}}}),
        );
        let tongue = choose(&form, &["ru".to_owned()]);
        let field = form.fields.first();
        assert_eq!(
            field.map(|field| tongue.options(field)),
            Some(vec![("Prices", "Цены"), ("Other", "Other")])
        );
        assert_eq!(field.map(|field| tongue.label(field)), Some("О чём"));
    }

    #[test]
    fn a_tag_is_one() {
        for (tag, good) in [
            ("en", true),
            ("pt-BR", true),
            ("uz-Latn-UZ", true),
            ("e", false),
            ("en\"", false),
            ("12", false),
            ("en--", false),
        ] {
            assert_eq!(is_tag(tag), good, "{tag}");
        }
    }
}
