//! What an admin sets for a form.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use switchboard_sdk::{
    Makes, SettingsError,
    fields::{Field, FieldKind, MapsTo, check_fields, region_problem},
    origin_problem,
};

use crate::{
    captcha::{self, CaptchaSettings},
    mapping::{self, Mapping},
    meta::MetaSettings,
    next,
    notify::{self, Notification},
    tongue::{self, Translation},
};

/// Settings of one form (API.md, "webform"). `{}` is a form that works: name, phone, e-mail, comment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Web form")]
pub struct Settings {
    /// Heading of the form; a general one in the visitor's language when empty.
    #[schemars(title = "Title", length(max = 200))]
    pub title: Option<String>,
    /// What is asked, in order.
    #[schemars(title = "Fields", length(min = 1, max = 200))]
    pub fields: Vec<Field>,
    /// Words on the button; general ones in the visitor's language when empty.
    #[schemars(title = "Button", length(max = 100))]
    pub submit_label: Option<String>,
    /// What the visitor sees after sending.
    #[schemars(title = "After sending")]
    pub success: SuccessSettings,
    /// The box to tick for the processing of personal data; not asked for when empty.
    #[schemars(title = "Consent")]
    pub consent: Option<ConsentSettings>,
    /// Sites that may send the form: `https://shop.example`, `https://*.shop.example` (subdomains), or `*` (any). The hosted page always may.
    #[schemars(title = "Allowed sites")]
    pub allowed_origins: Vec<String>,
    /// Every submission waits for approval before it makes a lead.
    #[schemars(title = "Approve by hand")]
    pub moderation: bool,
    /// A captcha of another service. What does not pass it is held; the form's own defence works without.
    #[schemars(title = "Captcha")]
    pub captcha: Option<CaptchaSettings>,
    /// Colour of the button, as #rrggbb.
    #[schemars(title = "Colour", length(min = 7, max = 7))]
    pub color: Option<String>,
    /// Country of phone numbers written without a country code: two capital letters, like UZ.
    #[schemars(title = "Default country of phone numbers", length(max = 2))]
    pub default_region: Option<String>,
    /// Light, dark, or as the visitor's device has it.
    #[schemars(title = "Theme")]
    pub theme: Theme,
    /// Headings of the steps; with two and more the form is asked step by step, and each field says in which
    /// it stands.
    #[schemars(title = "Steps", length(max = 20))]
    pub steps: Vec<String>,
    /// Language of the texts above; English or Russian or Persian words are chosen for the visitor when empty.
    #[schemars(title = "Language", length(max = 35))]
    pub locale: Option<String>,
    /// The texts in other languages, by language.
    #[schemars(title = "Translations")]
    pub translations: BTreeMap<String, Translation>,
    /// What an accepted submission makes, and for whom.
    #[schemars(title = "Makes")]
    pub creates: CreatesSettings,
    /// Whom accepted submissions are told to.
    #[schemars(title = "Notifications", length(max = 10))]
    pub notifications: Vec<Notification>,
    /// Leads that other services push to this form.
    #[schemars(title = "Leads of other services")]
    pub leads: LeadsSettings,
}

/// Leads that other services push to `/hooks/lead/…` of this form.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LeadsSettings {
    /// With it nothing is taken there that is not signed with it (Typeform, Tally, Webflow) or sends it along:
    /// as `google_key` or `api_key` in the body, as `X-Api-Key` or `Authorization: Bearer …`, or as `?secret=…` in the
    /// address.
    #[schemars(title = "Secret", length(max = 500), extend("x-secret" = true))]
    pub secret: Option<String>,
    /// Lead ads of Meta.
    #[schemars(title = "Meta lead ads")]
    pub meta: Option<MetaSettings>,
    /// Where the values stand in what a service of no known shape pushes.
    #[schemars(title = "Mapping", length(max = 100))]
    pub mapping: Vec<Mapping>,
}

impl std::fmt::Debug for LeadsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeadsSettings")
            .field("meta", &self.meta)
            .field("mapping", &self.mapping)
            .finish_non_exhaustive()
    }
}

/// Colours of the form around its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Theme {
    /// As the device has it.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What an accepted submission makes, and for whom.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreatesSettings {
    /// Contact, conversation and, by the line's rule, a lead; or less.
    #[schemars(title = "Makes")]
    pub what: Makes,
    /// Responsible for its lead: an operator. Nobody: whoever answers first.
    #[schemars(title = "Responsible", length(max = 64))]
    pub operator_id: Option<String>,
}

/// What the visitor sees after sending.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SuccessSettings {
    /// Words of thanks; general ones in the visitor's language when empty.
    #[schemars(title = "Message", length(max = 2000))]
    pub message: Option<String>,
    /// Page to go to instead: a path on this server, or https://… of an allowed site.
    #[schemars(title = "Go to page", length(max = 2000))]
    pub redirect_url: Option<String>,
    /// Further sites that may be gone to, by this form or by a post that asks for it (`sb_next`):
    /// `https://shop.example`.
    #[schemars(title = "Allowed pages", length(max = 50))]
    pub redirect_origins: Vec<String>,
}

/// The box to tick for the processing of personal data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentSettings {
    /// The form cannot be sent without it.
    #[serde(default = "yes")]
    #[schemars(title = "Required")]
    pub required: bool,
    /// What is agreed to; stored with the submission, word for word.
    #[schemars(title = "Text", length(min = 1, max = 5000))]
    pub text: String,
    /// Page with the whole policy.
    #[serde(default)]
    #[schemars(title = "Link", length(max = 2000))]
    pub url: Option<String>,
    /// Name of this version of the text, kept with each consent; a short hash of text and link when empty.
    #[serde(default)]
    #[schemars(title = "Version", length(max = 100))]
    pub version: Option<String>,
}

impl ConsentSettings {
    /// The version of the text as it is shown in a language.
    pub fn version_of(&self, text: &str) -> String {
        let own = self
            .version
            .as_deref()
            .map(str::trim)
            .filter(|version| !version.is_empty());
        own.map_or_else(
            || {
                let hash = Sha256::new()
                    .chain_update(text)
                    .chain_update([0])
                    .chain_update(self.url.as_deref().unwrap_or_default());
                hex::encode(hash.finalize().get(..6).unwrap_or_default())
            },
            str::to_owned,
        )
    }
}

fn yes() -> bool {
    true
}

/// Colour of a form that has none of its own.
pub const DEFAULT_COLOUR: &str = "#2563eb";
/// The name the consent is posted under.
pub const CONSENT: &str = "consent";

impl Default for Settings {
    fn default() -> Self {
        let field = |name: &str, kind, maps_to| Field {
            name: name.to_owned(),
            kind,
            maps_to: Some(maps_to),
            ..Field::default()
        };
        Self {
            title: None,
            fields: vec![
                field("name", FieldKind::Text, MapsTo::ContactName),
                field("phone", FieldKind::Phone, MapsTo::ContactPhone),
                field("email", FieldKind::Email, MapsTo::ContactEmail),
                field("comment", FieldKind::Textarea, MapsTo::LeadComment),
            ],
            submit_label: None,
            success: SuccessSettings::default(),
            consent: None,
            allowed_origins: vec!["*".to_owned()],
            moderation: false,
            captcha: None,
            color: None,
            default_region: None,
            theme: Theme::Auto,
            steps: Vec::new(),
            locale: None,
            translations: BTreeMap::new(),
            creates: CreatesSettings::default(),
            leads: LeadsSettings::default(),
            notifications: Vec::new(),
        }
    }
}

/// The JSON Schema of [`Settings`].
pub fn schema() -> Value {
    schemars::schema_for!(Settings).to_value()
}

impl Settings {
    /// Reads and checks; errors name the field.
    pub fn read(settings: Value) -> Result<Self, SettingsError> {
        let mut read: Self =
            serde_json::from_value(settings.clone()).map_err(|error| blame(&settings, error))?;
        for text in [
            &mut read.title,
            &mut read.submit_label,
            &mut read.success.message,
            &mut read.success.redirect_url,
            &mut read.color,
            &mut read.default_region,
            &mut read.locale,
            &mut read.creates.operator_id,
            &mut read.leads.secret,
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
        if self.fields.is_empty() {
            return wrong("fields", "a form needs at least one field".to_owned());
        }
        check_fields(&self.fields, "fields", is_reserved)?;
        if let Some(problem) = self
            .allowed_origins
            .iter()
            .find_map(|entry| origin_problem(entry))
        {
            return wrong("allowed_origins", problem);
        }
        if let Some(url) = self.success.redirect_url.as_deref().filter(|url| !is_link(url)) {
            return wrong(
                "success.redirect_url",
                format!("{url:?} is not a page: write https://… or /path"),
            );
        }
        if let Some(problem) = self.success.redirect_origins.iter().find_map(|entry| {
            let any =
                (entry.trim() == "*").then(|| "name the sites: any site would be an open door".to_owned());
            any.or_else(|| origin_problem(entry))
        }) {
            return wrong("success.redirect_origins", problem);
        }
        if let Some(url) = self
            .success
            .redirect_url
            .as_deref()
            .filter(|url| !next::may_be_set(self, url))
        {
            return wrong(
                "success.redirect_url",
                format!(
                    "{url:?} is on another site: add that site to allowed_origins or to success.redirect_origins"
                ),
            );
        }
        if let Some(captcha) = &self.captcha {
            captcha::check(captcha)?;
        }
        tongue::check(self)?;
        notify::check(&self.notifications)?;
        let last = self.fields.iter().map(Field::step).max().unwrap_or(1);
        if usize::from(last) > self.steps.len().max(1) {
            return wrong(
                "steps",
                format!(
                    "a field stands in step {last}, and there are {} steps",
                    self.steps.len()
                ),
            );
        }
        if let Some(consent) = &self.consent {
            if consent.text.trim().is_empty() {
                return wrong("consent.text", "say what the visitor agrees to".to_owned());
            }
            if let Some(url) = consent
                .url
                .as_deref()
                .filter(|url| !url.is_empty() && !is_link(url))
            {
                return wrong(
                    "consent.url",
                    format!("{url:?} is not a page: write https://… or /path"),
                );
            }
        }
        if let Some(colour) = self.color.as_deref().filter(|colour| !is_colour(colour)) {
            return wrong(
                "color",
                format!("{colour:?} is not a colour: write #rrggbb, like {DEFAULT_COLOUR}"),
            );
        }
        if let Some(problem) = self.default_region.as_deref().and_then(region_problem) {
            return wrong("default_region", problem);
        }
        if let Some(meta) = &self.leads.meta {
            meta.check()?;
        }
        mapping::check(&self.leads.mapping, &self.fields)
    }

    /// The colour of the button.
    pub fn colour(&self) -> &str {
        self.color.as_deref().unwrap_or(DEFAULT_COLOUR)
    }
}

/// Names the form uses itself. Campaign tags (`utm_source`) may well be fields: they count as both.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == CONSENT || name == "submission_id" || name == "_charset_" || name.starts_with("sb_")
}

/// A web address, or a path on this server. Nothing else goes into `href` and `Location`: no `javascript:`.
pub(crate) fn is_link(url: &str) -> bool {
    let path = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    let lower = url.to_ascii_lowercase();
    let web = ["https://", "http://"]
        .iter()
        .any(|scheme| lower.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    (path || web)
        && url
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !"\"'<>\\;,".contains(c))
}

/// `#rrggbb`, nothing else: the value goes into style sheets.
fn is_colour(text: &str) -> bool {
    text.len() == 7
        && text
            .strip_prefix('#')
            .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Finds the field an error is about: every field has a default, so each can be tried alone.
fn blame(settings: &Value, error: serde_json::Error) -> SettingsError {
    let alone = |name: &String, value: &Value| Value::Object(Map::from_iter([(name.clone(), value.clone())]));
    let fields = settings.as_object().into_iter().flatten();
    let tried = fields.map(|(name, value)| (name, serde_json::from_value::<Settings>(alone(name, value))));
    match tried.filter_map(|(name, read)| Some((name, read.err()?))).next() {
        Some((name, error)) => SettingsError::new(name, error.to_string()),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_settings_make_a_form_that_asks_name_phone_email_and_comment() {
        let names = Settings::read(json!({})).map(|read| {
            read.fields
                .into_iter()
                .map(|field| field.name)
                .collect::<Vec<_>>()
        });
        assert_eq!(
            names,
            Ok(["name", "phone", "email", "comment"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn nulls_read_as_not_set() {
        let nulls = json!({"title": null, "submit_label": null, "success": {"message": null, "redirect_url": null},
            "consent": null, "captcha": null, "color": null, "default_region": null});
        assert!(Settings::read(nulls).is_ok());
    }

    #[test]
    fn what_cannot_work_is_refused_by_field() {
        for (settings, field) in [
            (json!({"fields": []}), "fields"),
            (json!({"fields": [{"name": "a", "type": "colour"}]}), "fields"),
            (
                json!({"fields": [{"name": "a"}, {"name": "a"}]}),
                "fields[1].name",
            ),
            (json!({"fields": [{"name": "consent"}]}), "fields[0].name"),
            (json!({"fields": [{"name": "sb_hp"}]}), "fields[0].name"),
            (json!({"fields": [{"name": "a[b]"}]}), "fields[0].name"),
            (
                json!({"fields": [{"name": "a", "type": "select"}]}),
                "fields[0].options",
            ),
            (
                json!({"fields": [{"name": "a", "type": "file", "maps_to": "contact.name"}]}),
                "fields[0].maps_to",
            ),
            (
                json!({"fields": [{"name": "a", "maps_to": "contact.shoe"}]}),
                "fields",
            ),
            (
                json!({"success": {"redirect_url": "javascript:alert(1)"}}),
                "success.redirect_url",
            ),
            (
                json!({"success": {"redirect_url": "//evil.test"}}),
                "success.redirect_url",
            ),
            (
                json!({"success": {"redirect_url": "https://a.test/\r\nX: y"}}),
                "success.redirect_url",
            ),
            (json!({"consent": {"text": " "}}), "consent.text"),
            (
                json!({"consent": {"text": "I agree", "url": "javascript:x"}}),
                "consent.url",
            ),
            (json!({"allowed_origins": ["shop.example"]}), "allowed_origins"),
            (json!({"color": "red;}"}), "color"),
            (json!({"captcha": {"kind": "x"}}), "captcha"),
            (
                json!({"captcha": {"provider": "turnstile", "site_key": "\"", "secret": "s"}}),
                "captcha.site_key",
            ),
            (
                json!({"captcha": {"provider": "turnstile", "site_key": "k", "secret": " "}}),
                "captcha.secret",
            ),
            (
                json!({"success": {"redirect_origins": ["*"]}}),
                "success.redirect_origins",
            ),
            (
                json!({"allowed_origins": ["https://shop.example"], "success": {"redirect_url": "https://evil.test/x"}}),
                "success.redirect_url",
            ),
            (json!({"locale": "english!"}), "locale"),
            (json!({"translations": {"\"": {}}}), "translations"),
            (json!({"translations": {"ru": {"titel": "x"}}}), "translations"),
            (json!({"fields": [{"name": "a", "step": 2}]}), "steps"),
            (
                json!({"steps": ["A", "B"], "fields": [{"name": "a", "step": 2}, {"name": "b", "step": 1}]}),
                "fields[1].step",
            ),
            (
                json!({"fields": [{"name": "a", "show_when": {"field": "b"}}, {"name": "b"}]}),
                "fields[0].show_when",
            ),
            (
                json!({"fields": [{"name": "a"}, {"name": "b", "formerly": ["a"]}]}),
                "fields[1].formerly",
            ),
            (json!({"creates": {"what": "deal"}}), "creates"),
            (json!({"default_region": "uz"}), "default_region"),
            (json!({"subtitle": "x"}), "subtitle"),
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
