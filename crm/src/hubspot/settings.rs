//! What an admin sets for an account.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use super::HubSpot;
use crate::{
    BuildContext,
    shared::{
        client::Client,
        kept::{Kept, Written},
        rest::Rest,
        settings::{self, Auth, Secret},
        tokens::{Application, Login, Style, Tokens},
    },
};

/// All accounts are asked there.
const API: &str = "https://api.hubapi.com/";

/// Settings of one HubSpot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "HubSpot")]
pub(crate) struct Settings {
    /// How this server gets in.
    #[schemars(title = "Access")]
    pub(crate) auth: Auth<Method>,
    /// The id of the pipeline that new deals go into. Empty: the first one.
    #[serde(default)]
    #[schemars(title = "Pipeline", length(max = 100))]
    pub(crate) pipeline: Option<String>,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Method {
    /// The access token of a private app.
    #[default]
    Token,
    /// A public app.
    Oauth,
}

pub(crate) fn schema() -> Value {
    settings::described(
        schemars::schema_for!(Settings).to_value(),
        Some((
            "token",
            "Access token of a private app",
            "In HubSpot: Settings, Integrations, Private apps. Scopes: read and write of contacts, companies, deals and their schemas (crm.objects.*, crm.schemas.*), and crm.objects.owners.read.",
        )),
        "oauth",
    )
}

pub(crate) fn example() -> Value {
    json!({"auth": {"method": "token", "token": "pat-eu1-secret-token"}, "pipeline": "default"})
}

pub(crate) fn build(settings: Value, context: &BuildContext) -> Result<HubSpot, SettingsError> {
    let read: Settings = settings::read(settings)?;
    let none = |_| SettingsError::new("", "the address of HubSpot is none");
    let api = Url::parse(API).map_err(none)?;
    let client = Client::new("HubSpot", context);
    let login = match read.auth.method {
        Method::Token => {
            let hint = "copy the access token of the private app";
            settings::needed("auth.token", read.auth.token.as_ref().map(Secret::expose), hint)?;
            Login::Fixed(read.auth.token.clone().unwrap_or_default())
        }
        Method::Oauth => {
            let (id, secret) = read.auth.application()?;
            read.auth.consent()?;
            let application = Application {
                token_url: api.join("oauth/v1/token").map_err(none)?,
                style: Style::Form,
                client_id: id.to_owned(),
                client_secret: secret.clone(),
                redirect_uri: read.auth.redirect_uri.clone(),
                code: read.auth.code.clone(),
                host_field: None,
                as_itself: false,
            };
            Login::OAuth(Box::new(Tokens::new(client.clone(), application, context)))
        }
    };
    Ok(HubSpot {
        rest: Rest {
            client,
            login,
            token_header: None,
        },
        api,
        pipeline: read.pipeline.filter(|id| !id.trim().is_empty()),
        pipelines: Kept::default(),
        origins: Kept::default(),
        account: Kept::default(),
        written: Written::default(),
    })
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
}
