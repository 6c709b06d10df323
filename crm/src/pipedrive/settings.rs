//! What an admin sets for a company.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;
use url::Url;

use super::Pipedrive;
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

const TOKENS: &str = "https://oauth.pipedrive.com/oauth/token";
const EXAMPLE: &str = "shop.pipedrive.com";

/// Settings of one Pipedrive.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Pipedrive")]
pub(crate) struct Settings {
    /// The company's address: shop.pipedrive.com.
    #[schemars(title = "Company", length(min = 1, max = 255))]
    pub(crate) company: String,
    /// How this server gets in.
    #[schemars(title = "Access")]
    pub(crate) auth: Auth<Method>,
    /// What our leads become: leads in the leads inbox, which people make deals of, or deals at once.
    #[serde(default)]
    #[schemars(title = "Leads become")]
    pub(crate) record: Record,
    /// The id of the stage that new deals get. Empty: the first one of the first pipeline.
    #[serde(default)]
    #[schemars(title = "Stage of new deals", length(max = 20), extend("x-when" = ["record", "deal"]))]
    pub(crate) stage_id: Option<String>,
    /// Names of labels that new records get; they exist in Pipedrive.
    #[serde(default)]
    #[schemars(title = "Labels", length(max = 10))]
    pub(crate) labels: Vec<String>,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Method {
    /// A user's API token.
    #[default]
    Token,
    /// An application.
    Oauth,
}

/// What our leads become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Record {
    /// In the leads inbox.
    #[default]
    Lead,
    /// In a pipeline.
    Deal,
}

pub(crate) fn schema() -> Value {
    settings::described(
        schemars::schema_for!(Settings).to_value(),
        Some((
            "token",
            "API token",
            "In Pipedrive: Company settings, Personal preferences, API. It has the rights of its user.",
        )),
        "oauth",
    )
}

pub(crate) fn example() -> Value {
    json!({
        "company": "shop.pipedrive.com",
        "auth": {"method": "token", "token": "0123456789abcdef0123456789abcdef01234567"},
        "record": "lead",
        "labels": ["Hot"],
    })
}

pub(crate) fn build(settings: Value, context: &BuildContext) -> Result<Pipedrive, SettingsError> {
    let read: Settings = settings::read(settings)?;
    let company = settings::https_host("company", &read.company, &["pipedrive.com"], EXAMPLE)?;
    let stage_id = match read.stage_id.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(id) => Some(id.parse::<i64>().map_err(|_| {
            SettingsError::new("stage_id", "is a number: choose it from the list of statuses")
        })?),
    };
    let client = Client::new("Pipedrive", context);
    let login = match read.auth.method {
        Method::Token => {
            let hint = "copy the API token from Personal preferences, API";
            settings::needed("auth.token", read.auth.token.as_ref().map(Secret::expose), hint)?;
            Login::Fixed(read.auth.token.clone().unwrap_or_default())
        }
        Method::Oauth => {
            let (id, secret) = read.auth.application()?;
            read.auth.consent()?;
            let application = Application {
                token_url: Url::parse(TOKENS)
                    .map_err(|_| SettingsError::new("", "the address for tokens is none"))?,
                style: Style::Basic,
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
    let labels = read.labels.iter().map(|label| label.trim().to_owned());
    Ok(Pipedrive {
        rest: Rest {
            client,
            login,
            token_header: Some("x-api-token"),
        },
        company,
        record: read.record,
        stage_id,
        labels: labels.filter(|label| !label.is_empty()).collect(),
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
