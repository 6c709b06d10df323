//! Voximplant: its own callbacks tell nothing of calls; a scenario of the company's posts the generic events.

use bytes::Bytes;
use http::header;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_sdk::{HookAddress, HttpRequest, InboundEvent, Rejection, RouteQuestion};

use super::{Bodies, Dial, Dialect, Proof, address, generic, token};
use crate::{
    jwt, number,
    push::{Push, text},
    settings::Secret,
};

/// How long a token for one request is good, in seconds; the interface allows an hour.
const TOKEN_LIVES: i64 = 300;

/// With its token.
pub struct Voximplant {
    pub token: Secret,
    pub service_account: Secret,
    pub rule_id: Secret,
    pub api: String,
}

/// The key file of a service account, as the control panel gives it.
#[derive(Deserialize)]
struct ServiceAccount {
    account_id: u64,
    key_id: String,
    private_key: String,
}

impl Voximplant {
    /// `StartScenarios` of the management API: the scenario finds in its custom data whom to ring.
    fn start(&self, account: &str, rule: &str, dial: &Dial<'_>) -> Result<HttpRequest, String> {
        let account: ServiceAccount = serde_json::from_str(account)
            .map_err(|_| "the service account is no key file: paste the whole JSON".to_owned())?;
        let now = dial.now.timestamp();
        let token = jwt::signed(
            &json!({"alg": "RS256", "typ": "JWT", "kid": account.key_id}),
            &json!({"iss": account.account_id, "iat": now, "exp": now + TOKEN_LIVES}),
            &account.private_key,
        )?;
        let wish = json!({
            "type": "call.dial",
            "id": dial.id,
            "operator": dial.extension,
            "to": dial.number,
            "from": dial.rules.shown_number(),
        });
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("rule_id", rule)
            .append_pair("script_custom_data", &wish.to_string());
        http::Request::post(format!("{}/platform_api/StartScenarios", self.api))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Bytes::from(body.finish()))
            .map_err(|_| "the address of Voximplant's interface is none".to_owned())
    }
}

impl Dialect for Voximplant {
    fn bodies(&self) -> Bodies {
        Bodies::Json
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        token::verify(push, &self.token)
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if !push.is_post() {
            return Ok(Vec::new());
        }
        let body = push.json()?;
        // Callbacks of the account: bills, messages, documents.
        if body.get("callbacks").is_some_and(serde_json::Value::is_array) {
            return Ok(Vec::new());
        }
        generic::events(push, &body)
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        generic::question(push)
    }

    fn dial(&self, dial: &Dial<'_>) -> Option<Result<HttpRequest, String>> {
        let (account, rule) = (self.service_account.first()?, self.rule_id.first()?);
        Some(self.start(account, rule, dial))
    }

    fn dialled(&self, answer: &[u8]) -> Result<(), String> {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        match text(&answer, "/error/msg") {
            Some(why) => Err(number::clean(&why)),
            None => Ok(()),
        }
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address("HOOK in the scenario (docs/voip.md)", "POST", hook.to_owned()),
            address(
                "Who should get a caller (add ?from=…&to=…)",
                "GET",
                format!("{hook}/route"),
            ),
        ]
    }
}
