//! What an admin sets for a chat.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use switchboard_sdk::{
    CONSENT, SettingsError,
    fields::{Field, FieldKind, check_fields, region_problem},
    origin_problem,
};

/// Settings of one chat (API.md, "webchat"). `{}` is a chat that works on every site.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Web chat")]
pub struct Settings {
    /// Sites that may show the chat: `https://shop.example`, `https://*.shop.example` (subdomains), or `*` (any).
    #[schemars(title = "Allowed sites", length(max = 200))]
    pub allowed_origins: Vec<String>,
    /// Heading of the chat window; the widget's own words when empty.
    #[schemars(title = "Title", length(max = 200))]
    pub title: Option<String>,
    /// Colour of the button and of the visitor's messages, as #rrggbb.
    #[schemars(title = "Colour", length(min = 7, max = 7))]
    pub accent_color: String,
    /// Language of the chat window (en, ru, …); the visitor's browser decides when empty.
    #[schemars(title = "Language", length(max = 35))]
    pub locale: Option<String>,
    /// Questions before the first message.
    #[schemars(title = "Questions before the chat", length(max = 20))]
    pub prechat_fields: Vec<Field>,
    /// The visitor must answer the required questions before writing.
    #[schemars(title = "Ask before the chat")]
    pub require_prechat: bool,
    /// Questions instead of these while the line is closed: how to reach the visitor. They are always asked.
    #[schemars(title = "Questions while the line is closed", length(max = 20))]
    pub closed_fields: Vec<Field>,
    /// What the visitor agrees to before the first message; nothing is asked when empty. The words go with the answer.
    #[schemars(title = "Consent", length(max = 1000))]
    pub consent_text: Option<String>,
    /// Address of your privacy policy, shown beside the consent.
    #[schemars(title = "Privacy policy", length(max = 1000))]
    pub consent_url: Option<String>,
    /// Name that visitors see in place of the operators' names; empty: they see who answers.
    #[schemars(title = "Name of the staff", length(max = 100))]
    pub staff_name: Option<String>,
    /// Operators see what a visitor writes before it is sent. Say so in your privacy policy.
    #[schemars(title = "Show what is being written")]
    pub typing_preview: bool,
    /// Who left before an answer came gets it by e-mail, after so many minutes away from the site; never when empty.
    /// It takes an e-mail channel on the same line, and an address that the visitor gave.
    #[schemars(title = "Answer by e-mail after (minutes)", range(min = 1, max = 1440))]
    pub mail_after_minutes: Option<u32>,
    /// At the end of a chat in which somebody answered, visitors may have it sent to them by e-mail.
    #[schemars(title = "Transcript by e-mail")]
    pub transcript: bool,
    /// The e-mail channel that carries both, by its id; one of the same line when empty.
    #[schemars(title = "E-mail channel", length(max = 64), extend("x-channel" = "email"))]
    pub transcript_channel_id: Option<String>,
    /// Invitations to the chat for visitors who have not opened it; the first that fits is shown, once a day.
    #[schemars(title = "Invitations", length(max = 20))]
    pub invitations: Vec<Invitation>,
    /// Country of phone numbers written without a country code: two capital letters, like UZ.
    #[schemars(title = "Default country of phone numbers", length(max = 2))]
    pub default_region: Option<String>,
    /// Key with which your own server signs the ids of signed-in users; unsigned users stay anonymous.
    #[schemars(title = "Identity secret")]
    pub identity_secret: Option<Secret>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed_origins: vec!["*".to_owned()],
            title: None,
            accent_color: "#2563eb".to_owned(),
            locale: None,
            prechat_fields: Vec::new(),
            require_prechat: false,
            closed_fields: Vec::new(),
            consent_text: None,
            consent_url: None,
            staff_name: None,
            typing_preview: false,
            mail_after_minutes: Some(10),
            transcript: true,
            transcript_channel_id: None,
            invitations: Vec::new(),
            default_region: None,
            identity_secret: None,
        }
    }
}

/// When a visitor is invited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Invitation {
    /// What the invitation says.
    #[schemars(title = "Text", length(min = 1, max = 500))]
    pub text: String,
    /// After so many seconds on the page.
    #[schemars(title = "Seconds on the page", range(min = 0, max = 3600))]
    pub after_secs: u32,
    /// Part of the page's address, like `/prices`; `*` stands for anything. Every page when empty.
    #[schemars(title = "Pages", length(max = 500))]
    pub url: Option<String>,
    /// Whom.
    #[schemars(title = "Visitors")]
    pub visitors: Invited,
}

/// Whom an invitation is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Invited {
    /// Everybody.
    #[default]
    Any,
    /// Who is on the site for the first time.
    New,
    /// Who was there before.
    Returning,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one use it has.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 1024})
    }
}

/// The JSON Schema of [`Settings`], its secret marked.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    if let Some(secret) = schema
        .pointer_mut("/properties/identity_secret")
        .and_then(Value::as_object_mut)
    {
        secret.insert("x-secret".to_owned(), Value::Bool(true));
    }
    schema
}

impl Settings {
    /// Reads and checks; errors name the field.
    pub fn read(settings: Value) -> Result<Self, SettingsError> {
        let read: Self = serde_json::from_value(settings.clone()).map_err(|error| blame(&settings, error))?;
        let mut read = Self {
            identity_secret: read.identity_secret.filter(|secret| !secret.expose().is_empty()),
            ..read
        };
        for text in [
            &mut read.title,
            &mut read.locale,
            &mut read.default_region,
            &mut read.consent_text,
            &mut read.consent_url,
            &mut read.staff_name,
            &mut read.transcript_channel_id,
        ] {
            *text = text
                .take()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
        }
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let wrong = |field: &str, message: String| Err(SettingsError::new(field, message));
        if let Some(problem) = self
            .allowed_origins
            .iter()
            .find_map(|entry| origin_problem(entry))
        {
            return wrong("allowed_origins", problem);
        }
        if !is_colour(&self.accent_color) {
            return wrong(
                "accent_color",
                format!(
                    "{:?} is not a colour: write #rrggbb, like #2563eb",
                    self.accent_color
                ),
            );
        }
        if let Some(locale) = self.locale.as_deref().filter(|locale| !is_language_tag(locale)) {
            return wrong(
                "locale",
                format!("{locale:?} is not a language tag: write en, ru or pt-BR"),
            );
        }
        if let Some(problem) = self.default_region.as_deref().and_then(region_problem) {
            return wrong("default_region", problem);
        }
        for (name, fields) in [
            ("prechat_fields", &self.prechat_fields),
            ("closed_fields", &self.closed_fields),
        ] {
            check_fields(fields, name, |_| false)?;
            if let Some(field) = fields.iter().find(|field| field.kind == FieldKind::File) {
                return wrong(
                    name,
                    format!("{:?} is a file: files are sent in the chat itself", field.name),
                );
            }
            if fields.iter().any(|field| field.name == CONSENT) {
                return wrong(
                    name,
                    format!("{CONSENT:?} is the name of the consent: write its words into consent_text"),
                );
            }
        }
        let is_address = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if self.consent_url.as_ref().is_some_and(|url| !is_address(url)) {
            return wrong(
                "consent_url",
                "write the whole address, like https://shop.example/privacy".to_owned(),
            );
        }
        if let Some(at) = self
            .invitations
            .iter()
            .position(|invitation| invitation.text.trim().is_empty())
        {
            return wrong(&format!("invitations[{at}].text"), "says nothing".to_owned());
        }
        if self
            .mail_after_minutes
            .is_some_and(|minutes| !(1..=1440).contains(&minutes))
        {
            return wrong(
                "mail_after_minutes",
                "write 1 to 1440 minutes, or nothing".to_owned(),
            );
        }
        if self.require_prechat && !self.prechat_fields.iter().any(|field| field.required) {
            return wrong(
                "require_prechat",
                "no question is required: mark at least one in prechat_fields".to_owned(),
            );
        }
        Ok(())
    }
}

/// Finds the field an error is about: every field has a default, so each can be tried alone.
fn blame(settings: &Value, error: serde_json::Error) -> SettingsError {
    let alone = |name: &String, value: &Value| Value::Object(Map::from_iter([(name.clone(), value.clone())]));
    let fields = settings.as_object().into_iter().flatten();
    let culprit = fields.map(|(name, value)| (name, serde_json::from_value::<Settings>(alone(name, value))));
    let found = culprit
        .filter_map(|(name, read)| Some((name, read.err()?)))
        .next();
    match found {
        Some((name, error)) => SettingsError::new(name, error.to_string()),
        None => error.into(),
    }
}

/// `#rrggbb`, nothing else: the value goes into style sheets.
fn is_colour(text: &str) -> bool {
    text.len() == 7
        && text
            .strip_prefix('#')
            .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The form of a BCP 47 tag (RFC 5646 §2.1), without the registry.
fn is_language_tag(text: &str) -> bool {
    text.len() <= 35
        && text.split('-').enumerate().all(|(i, part)| {
            let fits = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
            fits && if i == 0 {
                (2..=3).contains(&part.len())
            } else {
                (1..=8).contains(&part.len())
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_settings_make_a_chat_for_every_site() {
        let settings = Settings::read(json!({})).map_err(|error| error.to_string());
        assert!(
            settings.is_ok_and(|settings| settings.allowed_origins == ["*"] && !settings.require_prechat)
        );
    }

    #[test]
    fn nulls_read_as_not_set() {
        let nulls = json!({"title": null, "locale": null, "identity_secret": null, "default_region": null});
        assert!(Settings::read(nulls).is_ok_and(|settings| settings.identity_secret.is_none()));
    }

    #[test]
    fn what_cannot_work_is_refused_by_field() {
        for (settings, field) in [
            (json!({"allowed_origins": ["shop.example"]}), "allowed_origins"),
            (json!({"accent_color": "red"}), "accent_color"),
            (json!({"accent_color": "#12345é"}), "accent_color"),
            (json!({"locale": "english please"}), "locale"),
            (json!({"default_region": "uzb"}), "default_region"),
            (
                json!({"prechat_fields": [{"name": ""}]}),
                "prechat_fields[0].name",
            ),
            (
                json!({"prechat_fields": [{"name": "a", "maps_to": "contact.shoe"}]}),
                "prechat_fields",
            ),
            (
                json!({"prechat_fields": [{"name": "a", "type": "file"}]}),
                "prechat_fields",
            ),
            (
                json!({"closed_fields": [{"name": "a", "type": "file"}]}),
                "closed_fields",
            ),
            (json!({"prechat_fields": [{"name": "consent"}]}), "prechat_fields"),
            (json!({"consent_url": "javascript:alert(1)"}), "consent_url"),
            (
                json!({"invitations": [{"text": "a"}, {"text": " "}]}),
                "invitations[1].text",
            ),
            (
                json!({"invitations": [{"text": "a", "visitors": "some"}]}),
                "invitations",
            ),
            (json!({"require_prechat": true}), "require_prechat"),
            (json!({"mail_after_minutes": 0}), "mail_after_minutes"),
            (json!({"title": 5}), "title"),
            (json!({"colour": "#000000"}), "colour"),
        ] {
            let error = Settings::read(settings.clone()).err();
            assert_eq!(
                error.map(|error| error.field),
                Some(field.to_owned()),
                "{settings}"
            );
        }
    }
}
