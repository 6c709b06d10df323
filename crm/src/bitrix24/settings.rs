//! What an admin sets for a portal.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use super::{
    Bitrix,
    api::{Api, Way},
};
use crate::{
    BuildContext,
    shared::{
        client::Client,
        kept::{Kept, Written},
        settings::{self, Auth},
        tokens::{Application, Login, Style, Tokens},
    },
};

/// The server that renews tokens of all portals.
const TOKENS: &str = "https://oauth.bitrix24.tech/oauth/token/";

/// Settings of one Bitrix24.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Bitrix24")]
pub(crate) struct Settings {
    /// How this server gets in.
    #[schemars(title = "Access")]
    pub(crate) auth: Auth<Method>,
    /// The portal's address: shop.bitrix24.com, or the host of your own server. Not needed with a webhook.
    #[serde(default)]
    #[schemars(title = "Portal", length(max = 255))]
    pub(crate) portal: Option<String>,
    /// The source that new leads get: an id of the list "Sources", such as WEB. Empty: the portal's first one.
    #[serde(default)]
    #[schemars(title = "Source", length(max = 50))]
    pub(crate) source_id: Option<String>,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Method {
    /// An incoming webhook.
    #[default]
    Webhook,
    /// A local application.
    Oauth,
}

pub(crate) fn schema() -> Value {
    settings::described(
        schemars::schema_for!(Settings).to_value(),
        Some((
            "webhook",
            "Address of the incoming webhook",
            "In Bitrix24: Developer resources, Other, Incoming webhook, with the rights CRM and Users (user_brief). Whoever has the address has the rights, so it is kept secret.",
        )),
        "oauth",
    )
}

pub(crate) fn example() -> Value {
    json!({
        "auth": {"method": "webhook", "token": "https://shop.bitrix24.com/rest/1/abcdefgh12345678/"},
        "source_id": "WEB",
    })
}

pub(crate) fn build(settings: Value, context: &BuildContext) -> Result<Bitrix, SettingsError> {
    let read: Settings = settings::read(settings)?;
    let client = Client::new("Bitrix24", context);
    let way = match read.auth.method {
        Method::Webhook => {
            let hint = "copy the address of the incoming webhook";
            let typed = settings::needed(
                "auth.token",
                read.auth.token.as_ref().map(settings::Secret::expose),
                hint,
            )?;
            Way::Webhook(webhook(typed)?)
        }
        Method::Oauth => {
            let (id, secret) = read.auth.application()?;
            read.auth.consent()?;
            let hint = "write the portal's address, such as shop.bitrix24.com";
            let portal = settings::needed("portal", read.portal.as_deref(), hint)?;
            let portal = settings::https_host("portal", portal, &[], "shop.bitrix24.com")?;
            let token_url =
                Url::parse(TOKENS).map_err(|_| SettingsError::new("", "the address for tokens is none"))?;
            let application = Application {
                token_url,
                style: Style::Query,
                client_id: id.to_owned(),
                client_secret: secret.clone(),
                redirect_uri: read.auth.redirect_uri.clone(),
                code: read.auth.code.clone(),
                // It names the portal, which the settings name already: a token goes nowhere else.
                host_field: None,
                as_itself: false,
            };
            let tokens = Tokens::new(client.clone(), application, context);
            Way::Application {
                portal,
                login: Login::OAuth(Box::new(tokens)),
            }
        }
    };
    Ok(Bitrix {
        api: Api::new(client, way),
        source_id: read.source_id.filter(|id| !id.trim().is_empty()),
        fields: Kept::default(),
        written: Written::default(),
    })
}

/// `https://portal/rest/USER/SECRET/`; people copy it with a method behind.
fn webhook(typed: &str) -> Result<Url, SettingsError> {
    let wrong = |what: &str| {
        SettingsError::new(
            "auth.token",
            format!("{what}: copy it whole, it looks like https://shop.bitrix24.com/rest/1/…/"),
        )
    };
    let url = Url::parse(typed).map_err(|_| wrong("is no address"))?;
    if url.scheme() != "https" || url.host().is_none() {
        return Err(wrong("begins with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("holds a user name or a password"));
    }
    let parts: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    let at = parts.iter().position(|part| *part == "rest");
    let place = at.and_then(|at| Some((at, *parts.get(at + 1)?, *parts.get(at + 2)?)));
    let Some((at, user, secret)) = place else {
        return Err(wrong("is no address of an incoming webhook"));
    };
    if user.is_empty() || !user.bytes().all(|byte| byte.is_ascii_digit()) || secret.len() < 8 {
        return Err(wrong("is no address of an incoming webhook"));
    }
    let path = format!(
        "/{}/{user}/{secret}/",
        parts.get(..=at).unwrap_or_default().join("/")
    );
    let mut url = url.clone();
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_without_their_secrets() {
        let settings = example();
        let shown = format!("{:?}", settings::read::<Settings>(settings.clone()).unwrap());
        for name in ["token", "client_secret", "refresh_token"] {
            if let Some(secret) = settings["auth"][name].as_str() {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }

    #[test]
    fn a_webhook_is_taken_as_people_copy_it() {
        for typed in [
            "https://shop.bitrix24.com/rest/1/abcdefgh12345678/",
            "https://shop.bitrix24.com/rest/1/abcdefgh12345678",
            "https://shop.bitrix24.com/rest/1/abcdefgh12345678/profile.json",
        ] {
            assert_eq!(
                webhook(typed).unwrap().as_str(),
                "https://shop.bitrix24.com/rest/1/abcdefgh12345678/"
            );
        }
        for wrong in [
            "http://shop.bitrix24.com/rest/1/abcdefgh12345678/",
            "https://shop.bitrix24.com/",
            "https://shop.bitrix24.com/rest/x/abcdefgh12345678/",
            "shop.bitrix24.com",
        ] {
            let error = webhook(wrong).unwrap_err();
            assert_eq!(error.field, "auth.token");
            assert!(!error.message.contains("abcdefgh12345678"), "{error}");
        }
    }
}
