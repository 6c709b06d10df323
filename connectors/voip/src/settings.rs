//! What an admin sets for a telephone system.

use std::{collections::BTreeMap, fmt, time::Duration};

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use switchboard_sdk::{OwnNumber, SettingsError, fields};
use url::Url;

use crate::rules::Rules;
pub use crate::secret::{Secret, Secrets};

/// Most own numbers, and most operators, of one channel.
const MAX_ENTRIES: usize = 10_000;
/// Longest settling: what came later than this is no late report but a lost one.
const MAX_SETTLE: u32 = 600;

/// Settings of one telephone system (API.md, "voip").
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Telephony")]
pub struct Settings {
    /// Whose calls these are.
    #[schemars(title = "Provider")]
    pub provider: Provider,
    /// What proves that a report is the provider's. Each may be a list while one is being changed: all of them are good.
    #[serde(default)]
    #[schemars(title = "Secrets")]
    pub secrets: Secrets,
    /// The country of numbers without a country code: two capital letters, like RU, UZ or DE.
    #[serde(default)]
    #[schemars(title = "Country of local numbers", length(max = 2))]
    pub default_region: Option<String>,
    /// How long after its end a call may still turn out to be answered, in seconds; only then is it missed.
    #[serde(default = "ten")]
    #[schemars(title = "Seconds until missed", range(min = 1, max = 600))]
    pub settle_secs: u32,
    /// The company's own numbers, with what each stands for: {"+74951234567": {"label": "Ad: search", "source": "yandex"}}.
    #[serde(default)]
    #[schemars(title = "Own numbers")]
    pub numbers: BTreeMap<String, Number>,
    /// Who sits at which extension: {"101": "opr_…"}. An extension is what the telephone system calls an operator's telephone: a number, a user name, a SIP name.
    #[serde(default)]
    #[schemars(title = "Operators by extension")]
    pub operators: BTreeMap<String, String>,
    /// Where the provider's clock stands when it writes times without a zone (Zadarma, Asterisk, 3CX): Europe/Moscow. Empty: UTC.
    #[serde(default)]
    #[schemars(title = "Time zone of the provider", length(max = 60))]
    pub time_zone: Option<String>,
    /// The address of an operator's telephone, with {extension} in it: sip:{extension}@pbx.example. Empty: as the provider names its own telephones.
    #[serde(default)]
    #[schemars(title = "Address of a telephone", length(max = 200))]
    pub telephone: Option<String>,
    /// The own number shown to a client who is rung by a click. Empty: the first own number.
    #[serde(default)]
    #[schemars(title = "Number shown when calling back", length(max = 20))]
    pub caller_id: Option<String>,
    /// The provider's programming interface, when it is elsewhere than usual.
    #[serde(default)]
    #[schemars(title = "Address of the provider's interface", length(max = 500))]
    pub api_url: Option<String>,
    /// Asterisk's manager interface (AMI), when its events are to be read over TCP.
    #[serde(default)]
    #[schemars(title = "Asterisk manager interface")]
    pub ami: Option<Ami>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("provider", &self.provider)
            .field("default_region", &self.default_region)
            .field("settle_secs", &self.settle_secs)
            .finish_non_exhaustive()
    }
}

/// Telephone systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Twilio Voice.
    Twilio,
    /// Telnyx Call Control.
    Telnyx,
    /// Vonage Voice.
    Vonage,
    /// Plivo Voice.
    Plivo,
    /// Zadarma PBX.
    Zadarma,
    /// Mango Office.
    Mango,
    /// Voximplant: a scenario of the company's own pushes.
    Voximplant,
    /// Asterisk or FreePBX: a script pushes, or its manager interface is read.
    Asterisk,
    /// 3CX, by its CRM integration.
    #[serde(rename = "3cx")]
    ThreeCx,
    /// Any system that speaks Zammad's generic CTI.
    ZammadCti,
    /// Anything else: events as the handbook has them.
    Generic,
}

impl Provider {
    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Twilio => "Twilio",
            Self::Telnyx => "Telnyx",
            Self::Vonage => "Vonage",
            Self::Plivo => "Plivo",
            Self::Zadarma => "Zadarma",
            Self::Mango => "Mango Office",
            Self::Voximplant => "Voximplant",
            Self::Asterisk => "Asterisk",
            Self::ThreeCx => "3CX",
            Self::ZammadCti => "Zammad CTI",
            Self::Generic => "the telephone system",
        }
    }
}

/// An own number as it is set.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Number {
    /// What people call it ("Ad: search").
    #[schemars(title = "Name", length(max = 200))]
    pub label: String,
    /// What brings those who ring it: `utm_source`.
    #[schemars(title = "Source", length(max = 200))]
    pub source: Option<String>,
    /// `utm_medium`.
    #[schemars(title = "Medium", length(max = 200))]
    pub medium: Option<String>,
    /// `utm_campaign`.
    #[schemars(title = "Campaign", length(max = 200))]
    pub campaign: Option<String>,
}

/// Where Asterisk's manager interface is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ami {
    /// The host, reachable from this server: 10.0.0.5. The interface speaks in the clear: keep it inside a private network or a tunnel.
    #[schemars(title = "Host", length(min = 1, max = 255))]
    pub host: String,
    /// The port.
    #[serde(default = "ami_port")]
    #[schemars(title = "Port")]
    pub port: u16,
    /// The user of manager.conf; its secret stands among the secrets.
    #[schemars(title = "User", length(min = 1, max = 100))]
    pub username: String,
    /// The context in which a call back is dialled.
    #[serde(default = "ami_context")]
    #[schemars(title = "Context of calls back", length(max = 100))]
    pub context: String,
    /// The technology of operators' telephones: PJSIP or SIP.
    #[serde(default = "ami_technology")]
    #[schemars(title = "Technology of telephones", length(max = 40))]
    pub technology: String,
}

fn ten() -> u32 {
    10
}

fn ami_port() -> u16 {
    5038
}

fn ami_context() -> String {
    "from-internal".to_owned()
}

fn ami_technology() -> String {
    "PJSIP".to_owned()
}

/// Settings, read and judged.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose calls these are.
    pub provider: Provider,
    /// Its secrets.
    pub secrets: Secrets,
    /// What is said of numbers and people.
    pub rules: Rules,
    /// How long a call settles.
    pub settle: Duration,
    /// Where the provider is asked, without a trailing slash.
    pub api_url: Option<String>,
    /// The manager interface.
    pub ami: Option<Ami>,
}

/// The JSON Schema of [`Settings`], its secrets marked.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    let secrets = schema.pointer_mut("/$defs/Secrets/properties");
    for secret in secrets
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        if let Some(secret) = secret.as_object_mut() {
            secret.insert("x-secret".to_owned(), Value::Bool(true));
            secret.remove("default");
        }
    }
    schema
}

/// Reads and judges; errors name the field.
pub fn read(settings: Value) -> Result<Config, SettingsError> {
    let read: Settings = serde_path_to_error::deserialize(settings).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        let field = match named(&message) {
            Some(name) if matches!(path.as_str(), "." | "") => name,
            // The path of an unknown field ends in its name, that of a missing one above it.
            Some(name) if path.rsplit('.').next() == Some(name.as_str()) => path,
            Some(name) => format!("{path}.{name}"),
            None if path == "." => String::new(),
            None => path,
        };
        SettingsError::new(field, message)
    })?;
    required(&read)?;
    if !(1..=MAX_SETTLE).contains(&read.settle_secs) {
        return Err(SettingsError::new(
            "settle_secs",
            format!("is from 1 to {MAX_SETTLE}"),
        ));
    }
    let region = filled(read.default_region.as_deref()).map(str::to_owned);
    if let Some(problem) = region.as_deref().and_then(fields::region_problem) {
        return Err(SettingsError::new("default_region", problem));
    }
    let time_zone = match filled(read.time_zone.as_deref()) {
        None => Tz::UTC,
        Some(name) => name.parse().map_err(|_| {
            SettingsError::new(
                "time_zone",
                format!("{name:?} is no time zone: write one like Europe/Moscow"),
            )
        })?,
    };
    let telephone = filled(read.telephone.as_deref()).map(str::to_owned);
    if telephone
        .as_deref()
        .is_some_and(|text| !text.contains("{extension}"))
    {
        return Err(SettingsError::new(
            "telephone",
            "has {extension} where an operator's extension goes: sip:{extension}@pbx.example",
        ));
    }
    let numbers = numbers(read.numbers, region.as_deref())?;
    let caller_id = match filled(read.caller_id.as_deref()) {
        None => None,
        Some(text) => Some(
            fields::phone(text, region.as_deref())
                .map_err(|problem| SettingsError::new("caller_id", problem.say("en")))?,
        ),
    };
    let rules = Rules {
        region,
        operators: operators(read.operators)?,
        numbers,
        time_zone,
        telephone,
        caller_id,
    };
    if let Some(ami) = &read.ami {
        for (name, text) in [("host", &ami.host), ("username", &ami.username)] {
            if text.trim().is_empty() || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
                return Err(SettingsError::new(format!("ami.{name}"), "is one word"));
            }
        }
    }
    Ok(Config {
        provider: read.provider,
        secrets: read.secrets,
        rules,
        settle: Duration::from_secs(u64::from(read.settle_secs)),
        api_url: filled(read.api_url.as_deref()).map(api_url).transpose()?,
        ami: read.ami,
    })
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Without these nothing could ever be verified.
fn required(settings: &Settings) -> Result<(), SettingsError> {
    let secrets = &settings.secrets;
    let (name, secret, what): (&str, &Secret, &str) = match settings.provider {
        Provider::Twilio if !secrets.shared_key.is_empty() => ("shared_key", &secrets.shared_key, ""),
        Provider::Twilio => (
            "auth_token",
            &secrets.auth_token,
            "the auth token of the account (Console, Account Info)",
        ),
        Provider::Telnyx => (
            "public_key",
            &secrets.public_key,
            "the public key of the account (Mission Control, Keys & Credentials)",
        ),
        Provider::Vonage => (
            "signature_secret",
            &secrets.signature_secret,
            "the signature secret of the account (Dashboard, API Settings)",
        ),
        Provider::Plivo => (
            "auth_token",
            &secrets.auth_token,
            "the auth token of the account (Console, Overview)",
        ),
        Provider::Zadarma => (
            "secret",
            &secrets.secret,
            "the secret of the API key (Settings, Integrations and API)",
        ),
        Provider::Mango if secrets.api_key.is_empty() => (
            "api_key",
            &secrets.api_key,
            "the unique code of the PBX (Integrations, API connector)",
        ),
        Provider::Mango => (
            "salt",
            &secrets.salt,
            "the key for the signature (Integrations, API connector)",
        ),
        Provider::Generic => (
            "signing_secret",
            &secrets.signing_secret,
            "whsec_ and 24 to 64 random bytes in base64",
        ),
        Provider::Asterisk if settings.ami.is_some() => (
            "ami_secret",
            &secrets.ami_secret,
            "the secret of the manager's user (manager.conf)",
        ),
        Provider::Voximplant | Provider::Asterisk | Provider::ThreeCx | Provider::ZammadCti => (
            "token",
            &secrets.token,
            "a long random word that the telephone system says with each report",
        ),
    };
    if secret.is_empty() {
        return Err(SettingsError::new(
            format!("secrets.{name}"),
            format!("is required: {what}"),
        ));
    }
    shaped(settings.provider, secrets)
}

/// Secrets that have a form have it.
fn shaped(provider: Provider, secrets: &Secrets) -> Result<(), SettingsError> {
    let wrong = |name: &str, what: &str| Err(SettingsError::new(format!("secrets.{name}"), what));
    let signing = |secret: &Secret| secret.all().all(|text| crate::standard::Key::read(text).is_ok());
    match provider {
        Provider::Generic if !signing(&secrets.signing_secret) => wrong(
            "signing_secret",
            "begins with whsec_, followed by 16 to 256 bytes in base64",
        ),
        Provider::Telnyx
            if !secrets
                .public_key
                .all()
                .all(|text| crate::proof::ed25519_key(text).is_some()) =>
        {
            wrong("public_key", "is 32 bytes in base64, as the portal shows it")
        }
        Provider::Twilio if !secrets.shared_key.all().all(|text| text.contains(':')) => {
            wrong("shared_key", "is written ID:SECRET")
        }
        Provider::Voximplant | Provider::Asterisk | Provider::ThreeCx | Provider::ZammadCti => {
            let signs = |text: &&str| text.starts_with("whsec_");
            if !secrets
                .token
                .all()
                .filter(signs)
                .all(|text| crate::standard::Key::read(text).is_ok())
            {
                return wrong(
                    "token",
                    "that begins with whsec_ goes on with 16 to 256 bytes in base64",
                );
            }
            if secrets.token.all().any(|text| text.len() < 8) {
                return wrong("token", "has at least 8 characters, so that nobody guesses it");
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn numbers(
    set: BTreeMap<String, Number>,
    region: Option<&str>,
) -> Result<BTreeMap<String, OwnNumber>, SettingsError> {
    if set.len() > MAX_ENTRIES {
        return Err(SettingsError::new(
            "numbers",
            format!("are at most {MAX_ENTRIES}"),
        ));
    }
    let tidy = |text: Option<String>| filled(text.as_deref()).map(str::to_owned);
    let mut numbers = BTreeMap::new();
    for (written, number) in set {
        let wrong = |what: &str| SettingsError::new(format!("numbers.{written}"), what);
        let e164 = fields::phone(&written, region).map_err(|_| {
            wrong("is no telephone number: write it with its country code, like +74951234567")
        })?;
        let own = OwnNumber {
            label: number.label.trim().to_owned(),
            source: tidy(number.source),
            medium: tidy(number.medium),
            campaign: tidy(number.campaign),
        };
        if numbers.insert(e164, own).is_some() {
            return Err(wrong("stands there twice"));
        }
    }
    Ok(numbers)
}

fn operators(set: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, SettingsError> {
    if set.len() > MAX_ENTRIES {
        return Err(SettingsError::new(
            "operators",
            format!("are at most {MAX_ENTRIES}"),
        ));
    }
    for (extension, operator) in &set {
        let wrong = |what: &str| Err(SettingsError::new(format!("operators.{extension}"), what));
        let plain = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && !text.contains(|c: char| c.is_control() || c.is_whitespace())
        };
        if !plain(extension, 64) {
            return wrong("is no extension: 1 to 64 characters without spaces");
        }
        if !plain(operator, 64) {
            return wrong("is an operator's id: opr_…");
        }
    }
    Ok(set)
}

fn api_url(text: &str) -> Result<String, SettingsError> {
    let wrong = || SettingsError::new("api_url", "is an address that begins with https:// or http://");
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(wrong());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The field that serde's words are about, where its path ends one above.
fn named(message: &str) -> Option<String> {
    let rest = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("missing field `"))?;
    rest.split_once('`').map(|(field, _)| field.to_owned())
}

/// Settings that work.
pub fn example() -> Value {
    serde_json::json!({
        "provider": "generic",
        "secrets": {"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        "default_region": "RU",
        "settle_secs": 10,
        "numbers": {"+74951234567": {"label": "Ad: search", "source": "yandex", "medium": "cpc"}},
        "operators": {"101": "opr_01980000000070008000000000000000"},
    })
}
