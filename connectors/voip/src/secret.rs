//! Secrets, of which several may be active while one is being changed.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Longest secret: an RSA key in PEM.
const MAX_SECRET: usize = 8_000;
/// Most secrets that are active at once.
const MAX_ACTIVE: usize = 8;

/// One secret, or several while one is being changed. Never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Vec<String>);

impl Secret {
    /// All that are active, the newest first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The one to use where we ask.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("is a text, or a list of up to 8 texts");
        // By way of a value, so that no error tells what was typed.
        let texts = match Value::deserialize(deserializer).map_err(|_| wrong())? {
            Value::Null => Vec::new(),
            Value::String(text) => vec![text],
            Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    _ => Err(wrong()),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(wrong()),
        };
        let texts: Vec<String> = texts
            .into_iter()
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect();
        if texts.len() > MAX_ACTIVE || texts.iter().any(|text| text.len() > MAX_SECRET) {
            return Err(wrong());
        }
        Ok(Self(texts))
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
        json_schema!({
            "type": ["string", "array", "null"], "items": {"type": "string", "maxLength": MAX_SECRET}, "maxLength": MAX_SECRET
        })
    }
}

/// All secrets a provider may have; each provider uses its own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// Twilio: the account SID, for recordings and calling back.
    #[schemars(title = "Account SID", extend("x-providers" = ["twilio"]))]
    pub account_sid: Secret,
    /// Twilio, Plivo: the auth token, which signs.
    #[schemars(title = "Auth token", extend("x-providers" = ["twilio", "plivo"]))]
    pub auth_token: Secret,
    /// Twilio: a shared key that signs instead of the auth token, written ID:SECRET.
    #[schemars(title = "Shared key", extend("x-providers" = ["twilio"]))]
    pub shared_key: Secret,
    /// Telnyx: the public key of the account (Keys & Credentials, Public Key).
    #[schemars(title = "Public key", extend("x-providers" = ["telnyx"]))]
    pub public_key: Secret,
    /// Vonage: the signature secret of the account.
    #[schemars(title = "Signature secret", extend("x-providers" = ["vonage"]))]
    pub signature_secret: Secret,
    /// Vonage: the account's API key; Telnyx: an API key, for calling back; Mango: the key of the virtual PBX.
    #[schemars(title = "API key", extend("x-providers" = ["vonage", "telnyx", "mango"]))]
    pub api_key: Secret,
    /// Vonage, Telnyx: the application (Telnyx calls its id connection_id) that calls belong to, for recordings and calling back.
    #[schemars(title = "Application id", extend("x-providers" = ["vonage", "telnyx"]))]
    pub application_id: Secret,
    /// Vonage: the application's private key (PEM), for recordings and calling back.
    #[schemars(title = "Private key", extend("x-providers" = ["vonage"]))]
    pub private_key: Secret,
    /// Plivo: the auth id.
    #[schemars(title = "Auth id", extend("x-providers" = ["plivo"]))]
    pub auth_id: Secret,
    /// Zadarma: the key of the interface.
    #[schemars(title = "Key", extend("x-providers" = ["zadarma"]))]
    pub key: Secret,
    /// Zadarma: the secret of the interface, which signs.
    #[schemars(title = "Secret", extend("x-providers" = ["zadarma"]))]
    pub secret: Secret,
    /// Mango: the salt that signs.
    #[schemars(title = "Salt", extend("x-providers" = ["mango"]))]
    pub salt: Secret,
    /// Generic: the signing secret (whsec_ and base64).
    #[schemars(title = "Signing secret", extend("x-providers" = ["generic"]))]
    pub signing_secret: Secret,
    /// Voximplant, Asterisk, 3CX, Zammad CTI: the token. One that begins with whsec_ signs, and then nothing unsigned is taken.
    #[schemars(title = "Token", extend("x-providers" = ["voximplant", "asterisk", "3cx", "zammad_cti"]))]
    pub token: Secret,
    /// 3CX: the client id of an API integration (Integrations, API) with the Call Control API, for calling back.
    #[schemars(title = "Client id", extend("x-providers" = ["3cx"]))]
    pub client_id: Secret,
    /// 3CX: the key of that integration.
    #[schemars(title = "Client secret", extend("x-providers" = ["3cx"]))]
    pub client_secret: Secret,
    /// Voximplant: a service account's key file (JSON), whole, for calling back.
    #[schemars(title = "Service account", extend("x-providers" = ["voximplant"]))]
    pub service_account: Secret,
    /// Voximplant: the id of the routing rule whose scenario calls back.
    #[schemars(title = "Rule id", extend("x-providers" = ["voximplant"]))]
    pub rule_id: Secret,
    /// Asterisk: the secret of the manager interface's user.
    #[schemars(title = "Manager secret", extend("x-providers" = ["asterisk"]))]
    pub ami_secret: Secret,
}
