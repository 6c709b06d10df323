//! What an admin sets for signing in: by password, or at a provider (OAuth 2.0). Pure.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use switchboard_sdk::SettingsError;

use crate::settings::Secret;

/// How the channel signs in at its mail servers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// With password the user names and passwords below are taken. With oauth2 you sign in at the provider, and no password is kept.
    #[schemars(title = "How", extend("default" = "password"))]
    pub method: Method,
    /// Where the mailbox is. Custom needs the addresses of its sign-in.
    #[schemars(title = "Provider", extend("default" = "google", "x-when" = ["method", "oauth2"]))]
    pub provider: Provider,
    /// Of the application that you registered with the provider for this server.
    #[schemars(title = "Client id", length(max = 500), extend("x-when" = ["method", "oauth2"]))]
    pub client_id: Option<String>,
    /// Of the same application. Empty for one without a secret (a public client).
    #[schemars(title = "Client secret", extend("x-secret" = true, "x-when" = ["method", "oauth2"]))]
    pub client_secret: Option<Secret>,
    /// Microsoft: the directory the mailbox is in. Empty takes any (`common`).
    #[schemars(title = "Tenant", length(max = 200), extend("x-when" = ["provider", "microsoft"]))]
    pub tenant: Option<String>,
    /// Where the browser is sent to sign in.
    #[schemars(title = "Authorization address", length(max = 1000), extend("format" = "uri", "x-when" = ["provider", "custom"]))]
    pub authorize_url: Option<String>,
    /// Where tokens are given out.
    #[schemars(title = "Token address", length(max = 1000), extend("x-secret" = false, "format" = "uri", "x-when" = ["provider", "custom"]))]
    pub token_url: Option<String>,
    /// What the sign-in is to allow.
    #[schemars(title = "Scopes", length(max = 20), extend("x-when" = ["provider", "custom"]))]
    pub scopes: Vec<String>,
    /// What the sign-in gave us; renewed by itself.
    #[schemars(extend("x-secret" = true, "readOnly" = true))]
    pub refresh_token: Option<Secret>,
    /// When somebody signed in last.
    #[schemars(extend("readOnly" = true))]
    pub signed_in_at: Option<String>,
}

/// The way in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// User name and password, or an app password.
    #[default]
    Password,
    /// Signing in at the provider.
    OAuth2,
}

/// Who knows the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Gmail and Google Workspace.
    #[default]
    Google,
    /// Microsoft 365 and Outlook.com.
    Microsoft,
    /// Any other with these endpoints.
    Custom,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Google => "Google",
            Self::Microsoft => "Microsoft",
            Self::Custom => "the sign-in server",
        })
    }
}

/// Where one provider signs people in, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// For the browser.
    pub authorize: String,
    /// For us.
    pub token: String,
    /// Separated by spaces.
    pub scope: String,
    /// What else the address for the browser says.
    pub extra: Vec<(&'static str, &'static str)>,
}

impl Auth {
    /// Whether a provider signs us in.
    pub fn is_oauth(&self) -> bool {
        self.method == Method::OAuth2
    }

    /// Empty texts are none.
    pub fn tidy(&mut self) {
        for text in [
            &mut self.client_id,
            &mut self.tenant,
            &mut self.authorize_url,
            &mut self.token_url,
        ] {
            *text = text
                .take()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
        }
        for secret in [&mut self.client_secret, &mut self.refresh_token] {
            *secret = secret.take().filter(|secret| !secret.expose().is_empty());
        }
        self.scopes.retain(|scope| !scope.trim().is_empty());
    }

    /// What cannot work, by its field. What belongs to another method is left alone: an admin who tries
    /// passwords for a day finds the sign-in as it was.
    pub fn validate(&self) -> Result<(), SettingsError> {
        if !self.is_oauth() {
            return Ok(());
        }
        let wrong = |field: &str, message: &str| Err(SettingsError::new(format!("auth.{field}"), message));
        if self.client_id.is_none() {
            return wrong("client_id", "is needed to sign in at the provider");
        }
        if let Some(tenant) = &self.tenant
            && !tenant
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        {
            return wrong("tenant", "is the id or a domain of the directory");
        }
        if self.provider != Provider::Custom {
            return Ok(());
        }
        for (field, url) in [
            ("authorize_url", &self.authorize_url),
            ("token_url", &self.token_url),
        ] {
            match url {
                None => return wrong(field, "is needed for a provider of your own"),
                Some(url) if !is_safe(url) => {
                    return wrong(field, "is an address that begins with https://");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Where to go.
    pub fn endpoints(&self) -> Endpoints {
        match self.provider {
            Provider::Google => Endpoints {
                authorize: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
                token: "https://oauth2.googleapis.com/token".to_owned(),
                scope: "https://mail.google.com/".to_owned(),
                // Without these Google gives a refresh token only at the very first consent.
                extra: vec![("access_type", "offline"), ("prompt", "consent")],
            },
            Provider::Microsoft => {
                let tenant = self.tenant.as_deref().unwrap_or("common");
                let base = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0");
                Endpoints {
                    authorize: format!("{base}/authorize"),
                    token: format!("{base}/token"),
                    scope: "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access".to_owned(),
                    extra: vec![("response_mode", "query")],
                }
            }
            Provider::Custom => Endpoints {
                authorize: self.authorize_url.clone().unwrap_or_default(),
                token: self.token_url.clone().unwrap_or_default(),
                scope: self.scopes.join(" "),
                extra: Vec::new(),
            },
        }
    }
}

/// Secrets go over TLS, except to this very machine.
fn is_safe(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let loopback = url.host_str().is_some_and(|host| {
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    });
    match url.scheme() {
        "https" => url.has_host(),
        "http" => loopback,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oauth(provider: Provider) -> Auth {
        Auth {
            method: Method::OAuth2,
            provider,
            client_id: Some("id".to_owned()),
            ..Auth::default()
        }
    }

    #[test]
    fn each_provider_has_its_addresses_and_scopes() {
        assert!(
            oauth(Provider::Google)
                .endpoints()
                .scope
                .contains("mail.google.com")
        );
        let microsoft = Auth {
            tenant: Some("contoso.example".to_owned()),
            ..oauth(Provider::Microsoft)
        };
        let endpoints = microsoft.endpoints();
        assert_eq!(
            endpoints.token,
            "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
        );
        assert!(
            endpoints.scope.contains("offline_access") && endpoints.scope.contains("IMAP.AccessAsUser.All")
        );
    }

    #[test]
    fn what_a_sign_in_lacks_is_named() {
        let field = |auth: &Auth| auth.validate().unwrap_err().field;
        assert_eq!(
            field(&Auth {
                client_id: None,
                ..oauth(Provider::Google)
            }),
            "auth.client_id"
        );
        assert_eq!(field(&oauth(Provider::Custom)), "auth.authorize_url");
        for (url, fits) in [
            ("https://id.example/token", true),
            ("http://127.0.0.1:9/token", true),
            ("http://[::1]:9/token", true),
            ("http://id.example/token", false),
            ("ftp://id.example", false),
            ("token", false),
        ] {
            let custom = Auth {
                authorize_url: Some("https://id.example/authorize".to_owned()),
                token_url: Some(url.to_owned()),
                ..oauth(Provider::Custom)
            };
            assert_eq!(custom.validate().is_ok(), fits, "{url}");
        }
        let traversal = Auth {
            tenant: Some("common/../x".to_owned()),
            ..oauth(Provider::Microsoft)
        };
        assert_eq!(field(&traversal), "auth.tenant");
        assert!(Auth::default().validate().is_ok(), "passwords need none of it");
    }
}
