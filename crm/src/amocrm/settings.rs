//! What an admin sets for an account.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;

use super::Amo;
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

/// Accounts live there and nowhere else.
const DOMAINS: [&str; 3] = ["amocrm.ru", "amocrm.com", "kommo.com"];
const EXAMPLE: &str = "shop.amocrm.ru or shop.kommo.com";

/// Settings of one amoCRM or Kommo.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "amoCRM / Kommo")]
pub(crate) struct Settings {
    /// The account's address: shop.amocrm.ru or shop.kommo.com.
    #[schemars(title = "Account", length(min = 1, max = 255))]
    pub(crate) account: String,
    /// How this server gets in.
    #[schemars(title = "Access")]
    pub(crate) auth: Auth<Method>,
    /// The id of the pipeline that new leads go into. Empty: the account's main one.
    #[serde(default)]
    #[schemars(title = "Pipeline", length(max = 20))]
    pub(crate) pipeline_id: Option<String>,
    /// Tags that new leads get.
    #[serde(default)]
    #[schemars(title = "Tags", length(max = 10))]
    pub(crate) tags: Vec<String>,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Method {
    /// A long-lived token.
    #[default]
    Token,
    /// The keys of a private integration.
    Oauth,
}

pub(crate) fn schema() -> Value {
    settings::described(
        schemars::schema_for!(Settings).to_value(),
        Some((
            "token",
            "Long-lived token",
            "In amoCRM: amoMarket, your private integration, Keys and scopes, Generate a long-lived token, as an administrator.",
        )),
        "oauth",
    )
}

pub(crate) fn example() -> Value {
    json!({
        "account": "shop.amocrm.ru",
        "auth": {"method": "oauth", "client_id": "4b1c2f6e-0000", "client_secret": "integration-secret", "redirect_uri": "https://desk.example/", "refresh_token": "def50200-refresh"},
        "tags": ["Switchboard"],
    })
}

pub(crate) fn build(settings: Value, context: &BuildContext) -> Result<Amo, SettingsError> {
    let read: Settings = settings::read(settings)?;
    let account = settings::https_host("account", &read.account, &DOMAINS, EXAMPLE)?;
    let pipeline_id = match read.pipeline_id.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(id) => Some(id.parse::<i64>().map_err(|_| {
            SettingsError::new(
                "pipeline_id",
                "is a number: it stands in the pipeline's address in amoCRM",
            )
        })?),
    };
    let client = Client::new("amoCRM", context);
    let login = match read.auth.method {
        Method::Token => {
            let hint = "generate a long-lived token in the integration's keys";
            settings::needed("auth.token", read.auth.token.as_ref().map(Secret::expose), hint)?;
            Login::Fixed(read.auth.token.clone().unwrap_or_default())
        }
        Method::Oauth => {
            let (id, secret) = read.auth.application()?;
            read.auth.consent()?;
            let hint = "write the redirect address of the integration, exactly as in its settings";
            let redirect = settings::needed("auth.redirect_uri", read.auth.redirect_uri.as_deref(), hint)?;
            let token_url = account
                .join("/oauth2/access_token")
                .map_err(|_| SettingsError::new("account", format!("is no address: write {EXAMPLE}")))?;
            let application = Application {
                token_url,
                style: Style::Json,
                client_id: id.to_owned(),
                client_secret: secret.clone(),
                redirect_uri: Some(redirect.to_owned()),
                code: read.auth.code.clone(),
                host_field: None,
                as_itself: false,
            };
            Login::OAuth(Box::new(Tokens::new(client.clone(), application, context)))
        }
    };
    let tags = read.tags.iter().map(|tag| tag.trim().to_owned());
    Ok(Amo {
        rest: Rest {
            client,
            login,
            token_header: None,
        },
        account,
        pipeline_id,
        tags: tags.filter(|tag| !tag.is_empty()).collect(),
        fields: Kept::default(),
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
