//! What an admin sets for an org.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::SettingsError;

use super::{DOMAINS, Salesforce};
use crate::{
    BuildContext,
    shared::{
        client::Client,
        kept::{Kept, Written},
        rest::Rest,
        settings::{self, Auth},
        tokens::{Application, Login, Style, Tokens},
    },
};

const EXAMPLE: &str = "shop.my.salesforce.com";

/// Settings of one Salesforce.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Salesforce")]
pub(crate) struct Settings {
    /// The org's own address: shop.my.salesforce.com.
    #[schemars(title = "My Domain", length(min = 1, max = 255))]
    pub(crate) domain: String,
    /// How this server gets in.
    #[schemars(title = "Access")]
    pub(crate) auth: Auth<Method>,
    /// A field of leads for our id: text, unique, external id. Make it in Setup, Object Manager, Lead.
    #[serde(default = "default_field")]
    #[schemars(title = "Field for our id", length(max = 80))]
    pub(crate) external_id_field: String,
    /// What happens when a duplicate rule knows the person: the lead is joined to the one that is there, or is
    /// made all the same where the rule allows it.
    #[serde(default)]
    #[schemars(title = "Known person")]
    pub(crate) on_duplicate: OnDuplicate,
    /// What stands for the company of somebody without one: Salesforce makes no lead without.
    #[serde(default = "default_company")]
    #[schemars(title = "Company when there is none", length(min = 1, max = 255))]
    pub(crate) no_company: String,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Method {
    /// The connected app as itself (client credentials flow).
    #[default]
    ClientCredentials,
    /// On behalf of a user, by a refresh token.
    Oauth,
}

/// What happens to duplicates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum OnDuplicate {
    /// Join the lead that is there.
    #[default]
    Join,
    /// Make another one.
    Allow,
}

fn default_field() -> String {
    "Switchboard_Id__c".to_owned()
}

fn default_company() -> String {
    "Not given".to_owned()
}

pub(crate) fn schema() -> Value {
    let mut schema = settings::described(schemars::schema_for!(Settings).to_value(), None, "oauth");
    // Client id and secret are needed in both ways.
    for name in ["client_id", "client_secret"] {
        for place in ["/$defs/Auth/properties", "/properties/auth/properties"] {
            let field = schema.pointer_mut(&format!("{place}/{name}"));
            if let Some(field) = field.and_then(Value::as_object_mut) {
                field.remove("x-when");
            }
        }
    }
    schema
}

pub(crate) fn example() -> Value {
    json!({
        "domain": "shop.my.salesforce.com",
        "auth": {"method": "oauth", "client_id": "3MVG9.consumer-key", "client_secret": "consumer-secret", "refresh_token": "5Aep861-refresh"},
        "external_id_field": "Switchboard_Id__c",
        "on_duplicate": "join",
    })
}

pub(crate) fn build(settings: Value, context: &BuildContext) -> Result<Salesforce, SettingsError> {
    let read: Settings = settings::read(settings)?;
    let domain = settings::https_host("domain", &read.domain, &DOMAINS, EXAMPLE)?;
    let field = read.external_id_field.trim();
    let named = !field.is_empty()
        && field
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && field.ends_with("__c");
    if !named {
        return Err(SettingsError::new(
            "external_id_field",
            "is no API name of a custom field: it ends in __c, such as Switchboard_Id__c",
        ));
    }
    if read.no_company.trim().is_empty() {
        return Err(SettingsError::new(
            "no_company",
            "is needed: Salesforce makes no lead without a company, so write what stands for none",
        ));
    }
    let (id, secret) = read.auth.application()?;
    let as_itself = read.auth.method == Method::ClientCredentials;
    if !as_itself {
        read.auth.consent()?;
    }
    let client = Client::new("Salesforce", context);
    let application = Application {
        token_url: domain
            .join("services/oauth2/token")
            .map_err(|_| SettingsError::new("domain", format!("is no address: write {EXAMPLE}")))?,
        style: Style::Form,
        client_id: id.to_owned(),
        client_secret: secret.clone(),
        redirect_uri: read.auth.redirect_uri.clone(),
        code: read.auth.code.clone(),
        host_field: Some("instance_url"),
        as_itself,
    };
    let login = Login::OAuth(Box::new(Tokens::new(client.clone(), application, context)));
    Ok(Salesforce {
        rest: Rest {
            client,
            login,
            token_header: None,
        },
        domain,
        external: field.to_owned(),
        on_duplicate: read.on_duplicate,
        no_company: read.no_company.trim().to_owned(),
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
