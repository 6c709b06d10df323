//! Settings: read with the path of what is wrong, hosts judged, secrets never shown.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use switchboard_sdk::SettingsError;
use url::{Host, Url};

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
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
        String::deserialize(deserializer).map(|text| Self(text.trim().to_owned()))
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
        json_schema!({"type": "string", "maxLength": 4000, "x-secret": true})
    }
}

/// Reads settings; an error names its field.
pub(crate) fn read<T: DeserializeOwned>(settings: Value) -> Result<T, SettingsError> {
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        let parent = if path == "." { "" } else { path.as_str() };
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'));
        let field = match missing {
            Some((field, _)) if parent.is_empty() => field.to_owned(),
            Some((field, _)) => format!("{parent}.{field}"),
            None => parent.to_owned(),
        };
        // Serde shows the value it could not read, and that may be a secret.
        let shown = match missing {
            Some(_) => "is needed".to_owned(),
            None if message.starts_with("unknown field") || message.starts_with("unknown variant") => message,
            None => "is of the wrong type".to_owned(),
        };
        SettingsError::new(field, shown)
    })
}

/// What must be filled for the chosen way to sign in.
pub(crate) fn needed<'a>(field: &str, value: Option<&'a str>, hint: &str) -> Result<&'a str, SettingsError> {
    match value.map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(SettingsError::new(field, format!("is needed: {hint}"))),
    }
}

/// The host of an account, typed as a name or as an address; answers `https://host`. With `domains` it must be
/// one of theirs or below them.
pub(crate) fn https_host(
    field: &str,
    typed: &str,
    domains: &[&str],
    example: &str,
) -> Result<Url, SettingsError> {
    let wrong = |what: String| SettingsError::new(field, what);
    let typed = typed.trim();
    let text = if typed.contains("://") {
        typed.to_owned()
    } else {
        format!("https://{typed}")
    };
    let mut url = Url::parse(&text).map_err(|_| wrong(format!("is no address: write {example}")))?;
    if url.scheme() != "https" {
        return Err(wrong(format!("begins with https://: write {example}")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(format!("holds a user name or a password: write {example}")));
    }
    if !of_domain(&url, domains) {
        return Err(wrong(format!(
            "is no address of this CRM ({}): write {example}",
            domains.join(", ")
        )));
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// An https address whose host is one of the domains or below; any named host when there are none.
pub(crate) fn of_domain(url: &Url, domains: &[&str]) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return domains.is_empty() && url.host().is_some();
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let below = |domain: &&str| {
        host.strip_suffix(*domain)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    };
    url.scheme() == "https" && (domains.is_empty() || (url.port().is_none() && domains.iter().any(below)))
}

/// How to sign in, where the words of `M` say which of the fields count.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "M: DeserializeOwned")]
pub(crate) struct Auth<M> {
    #[schemars(title = "Way to sign in")]
    pub(crate) method: M,
    /// Never expires until it is withdrawn.
    #[serde(default)]
    #[schemars(title = "Token")]
    pub(crate) token: Option<Secret>,
    /// Of the application that was registered in the CRM.
    #[serde(default)]
    #[schemars(title = "Client id", length(max = 400))]
    pub(crate) client_id: Option<String>,
    #[serde(default)]
    #[schemars(title = "Client secret")]
    pub(crate) client_secret: Option<Secret>,
    /// The redirect address that the application was registered with. Needed to trade an authorization code.
    #[serde(default)]
    #[schemars(title = "Redirect address", length(max = 2000))]
    pub(crate) redirect_uri: Option<String>,
    /// Shown once after the application was allowed; lasts minutes and works once. Instead of a refresh token.
    #[serde(default)]
    #[schemars(title = "Authorization code")]
    pub(crate) code: Option<Secret>,
    /// Gives access tokens; the server keeps the newest.
    #[serde(default)]
    #[schemars(title = "Refresh token")]
    pub(crate) refresh_token: Option<Secret>,
    /// Kept by the server.
    #[serde(default)]
    #[schemars(title = "Access token", extend("readOnly" = true))]
    #[expect(dead_code, reason = "read from where it is kept")]
    pub(crate) access_token: Option<Secret>,
}

impl<M> Auth<M> {
    /// What signing in by OAuth needs.
    pub(crate) fn application(&self) -> Result<(&str, &Secret), SettingsError> {
        let id = needed(
            "auth.client_id",
            self.client_id.as_deref(),
            "copy it from the application in the CRM",
        )?;
        let secret = self.client_secret.as_ref();
        needed(
            "auth.client_secret",
            secret.map(Secret::expose),
            "copy it from the application in the CRM",
        )?;
        let secret = secret.ok_or_else(|| SettingsError::new("auth.client_secret", "is needed"))?;
        Ok((id, secret))
    }

    /// What signing in by OAuth on behalf of a person needs beside the application.
    pub(crate) fn consent(&self) -> Result<(), SettingsError> {
        let filled =
            |secret: &Option<Secret>| secret.as_ref().is_some_and(|secret| !secret.expose().is_empty());
        if filled(&self.refresh_token) || filled(&self.code) {
            return Ok(());
        }
        Err(SettingsError::new(
            "auth.code",
            "is needed: allow the application in the CRM and enter the authorization code at once, or a refresh token",
        ))
    }
}

/// What a schema says of the fields of [`Auth`], for one CRM: which words of `method` show them, and its own titles.
pub(crate) fn described(mut schema: Value, token: Option<(&str, &str, &str)>, oauth: &str) -> Value {
    let place = if schema.pointer("/$defs/Auth").is_some() {
        "/$defs/Auth/properties"
    } else {
        "/properties/auth/properties"
    };
    if let Some(fields) = schema.pointer_mut(place).and_then(Value::as_object_mut) {
        if token.is_none() {
            fields.remove("token");
        }
        for (name, field) in fields.iter_mut() {
            let Some(field) = field.as_object_mut() else {
                continue;
            };
            match (name.as_str(), token) {
                ("method", _) => continue,
                ("token", Some((method, title, description))) => {
                    field.insert("title".to_owned(), title.into());
                    field.insert("description".to_owned(), description.into());
                    field.insert("x-when".to_owned(), serde_json::json!(["method", method]));
                }
                _ => {
                    field.insert("x-when".to_owned(), serde_json::json!(["method", oauth]));
                }
            }
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_of_the_crms_own() {
        let judge = |typed: &str| {
            https_host("address", typed, &["amocrm.ru", "kommo.com"], "x.amocrm.ru")
                .map(|url| url.to_string())
                .map_err(|error| error.field)
        };
        assert_eq!(judge("shop.amocrm.ru"), Ok("https://shop.amocrm.ru/".to_owned()));
        assert_eq!(
            judge(" https://SHOP.kommo.com/leads?x=1 "),
            Ok("https://shop.kommo.com/".to_owned())
        );
        for wrong in [
            "http://shop.amocrm.ru",
            "https://evil.example/amocrm.ru",
            "https://evilamocrm.ru",
            "amocrm.ru.evil.example",
            "https://a:b@shop.amocrm.ru",
            "https://shop.amocrm.ru:8443",
            "https://127.0.0.1",
            "amocrm.ru",
            "",
        ] {
            assert_eq!(judge(wrong), Err("address".to_owned()), "{wrong}");
        }
    }
}
