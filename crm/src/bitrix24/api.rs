//! Calling methods: alone and in a batch, and what its errors mean.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    SyncError,
    shared::{
        client::{Answer, Client, Effect, at, request},
        text,
        tokens::{Access, Login},
        value,
    },
};

/// How this server gets in.
#[derive(Debug)]
pub(super) enum Way {
    /// The address is the credential.
    Webhook(Url),
    Application {
        portal: Url,
        login: Login,
    },
}

/// The way to one portal.
pub(super) struct Api {
    pub(super) client: Client,
    way: Way,
    /// When the time that a method may work is given back, from its last good answer: the refusal may not say it.
    reset_at: Mutex<HashMap<String, i64>>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api") // a webhook's address is a secret
    }
}

/// What was refused, with the portal's own word for it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: String,
    /// What the portal said.
    pub(super) words: String,
    pub(super) error: SyncError,
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        Self {
            code: String::new(),
            words: String::new(),
            error,
        }
    }
}

impl Api {
    pub(super) fn new(client: Client, way: Way) -> Self {
        Self {
            client,
            way,
            reset_at: Mutex::default(),
        }
    }

    /// The portal's name.
    pub(super) fn host(&self) -> &str {
        self.portal().host_str().unwrap_or_default()
    }

    /// A page for people.
    pub(super) fn page(&self, path: &str) -> Option<String> {
        self.portal().join(&format!("/{path}")).ok().map(String::from)
    }

    fn portal(&self) -> &Url {
        match &self.way {
            Way::Webhook(url) | Way::Application { portal: url, .. } => url,
        }
    }

    pub(super) async fn call(&self, method: &str, body: &Value, effect: Effect) -> Result<Value, SyncError> {
        self.try_call(method, body, effect)
            .await
            .map_err(|failure| failure.error)
    }

    /// The `result` of a method.
    pub(super) async fn try_call(
        &self,
        method: &str,
        body: &Value,
        effect: Effect,
    ) -> Result<Value, Failure> {
        let mut again = true;
        loop {
            let (answer, access) = self.ask(method, body, effect).await?;
            let said = answer.json();
            self.remember_reset(method, &said);
            if answer.status.is_success() && said.get("error").is_none() {
                return match said {
                    Value::Object(mut said) => said
                        .remove("result")
                        .ok_or_else(|| self.client.strange(effect).into()),
                    _ => Err(self.client.strange(effect).into()),
                };
            }
            // Nothing was done with a token that ended, so it is asked once more with a new one.
            let ended = matches!(value::text(&said, "error"), "expired_token" | "invalid_token");
            if ended
                && again
                && let (Way::Application { login, .. }, Some(access)) = (&self.way, access)
                && login.refused(&access).await
            {
                again = false;
                continue;
            }
            return Err(self.failure(method, &answer, &said));
        }
    }

    async fn ask(
        &self,
        method: &str,
        body: &Value,
        effect: Effect,
    ) -> Result<(Answer, Option<Access>), SyncError> {
        let (url, body, access) = match &self.way {
            Way::Webhook(base) => (at(base, &format!("{method}.json"), &[])?, body.clone(), None),
            Way::Application { portal, login } => {
                let access = login.access().await?;
                let mut body = body.clone();
                body["auth"] = json!(access.token);
                (
                    at(portal, &format!("rest/{method}.json"), &[])?,
                    body,
                    Some(access),
                )
            }
        };
        let answer = self
            .client
            .ask(request(Method::POST, &url, Some(&body))?, effect)
            .await?;
        Ok((answer, access))
    }

    /// Several reading methods in one request, each answer under its key.
    pub(super) async fn batch(
        &self,
        commands: &[(String, &str, Value)],
    ) -> Result<Vec<(String, Value)>, SyncError> {
        self.try_batch(commands).await.map_err(|failure| failure.error)
    }

    /// A batch is answered with 200 whatever became of its parts: the first part that failed fails it.
    pub(super) async fn try_batch(
        &self,
        commands: &[(String, &str, Value)],
    ) -> Result<Vec<(String, Value)>, Failure> {
        let mut written = Map::new();
        for (key, method, arguments) in commands {
            written.insert(key.clone(), json!(format!("{method}?{}", query(arguments))));
        }
        let body = json!({"halt": 0, "cmd": written});
        let mut answer = self.try_call("batch", &body, Effect::Reads).await?;
        // Without errors this is an empty list, not an object.
        for (key, method, _) in commands {
            let failed = answer.pointer(&format!("/result_error/{key}"));
            if let Some(failed) = failed.filter(|failed| !failed.is_null()) {
                let reset = answer.pointer(&format!("/result_time/{key}")).cloned();
                return Err(self.part_failed(method, failed, reset));
            }
        }
        let mut results = Vec::new();
        for (key, _, _) in commands {
            let result = answer.pointer_mut(&format!("/result/{key}")).map(Value::take);
            results.push((key.clone(), result.unwrap_or(Value::Null)));
        }
        Ok(results)
    }

    fn part_failed(&self, method: &str, failed: &Value, time: Option<Value>) -> Failure {
        let status = match value::text(failed, "error") {
            "QUERY_LIMIT_EXCEEDED" | "OVERLOAD_LIMIT" => 503,
            "OPERATION_TIME_LIMIT" => 429,
            "expired_token" | "NO_AUTH_FOUND" => 401,
            "INTERNAL_SERVER_ERROR" | "ERROR_UNEXPECTED_ANSWER" => 500,
            _ => 400,
        };
        let answer = Answer {
            status: http::StatusCode::from_u16(status).unwrap_or_default(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            effect: Effect::Reads,
        };
        let mut said = failed.clone();
        if let (Value::Object(said), Some(time)) = (&mut said, time) {
            said.insert("time".to_owned(), time);
        }
        self.failure(method, &answer, &said)
    }

    fn remember_reset(&self, method: &str, said: &Value) {
        if let Some(reset) = said.pointer("/time/operating_reset_at").and_then(Value::as_i64) {
            let mut known = self.reset_at.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(method.to_owned(), reset);
        }
    }

    fn failure(&self, method: &str, answer: &Answer, said: &Value) -> Failure {
        let code = value::text(said, "error").to_owned();
        let words = self.without_secret(&text::said(value::text(said, "error_description")));
        let shown = if words.is_empty() {
            code.clone()
        } else {
            words.clone()
        };
        let auth = |what: &str| SyncError::Auth(format!("{what} ({shown})"));
        let error = match code.as_str() {
            "QUERY_LIMIT_EXCEEDED" => SyncError::Limited {
                message: "Bitrix24 was asked too often in a row".to_owned(),
                // Two flow out of the bucket each second; a little room for what else asks from this address.
                after: Some(Duration::from_secs(2)),
            },
            "OPERATION_TIME_LIMIT" => SyncError::Limited {
                message: format!("Bitrix24 works too long on {method}: the time of ten minutes is used up"),
                after: Some(self.operating_reset(method)),
            },
            "OVERLOAD_LIMIT" => auth("Bitrix24 has blocked this portal's API by hand: ask its support"),
            "expired_token" | "invalid_token" | "NO_AUTH_FOUND" | "invalid_grant" => {
                auth("Bitrix24 does not accept the sign-in: make a new webhook, or sign in anew")
            }
            "INVALID_CREDENTIALS" | "user_access_error" | "allowed_only_intranet_user" => {
                auth("The user of the webhook or application has no right to do this in Bitrix24")
            }
            "insufficient_scope" => auth("The webhook or application needs the right CRM in Bitrix24"),
            "ACCESS_DENIED" if answer.status.as_u16() == 403 => auth(
                "Bitrix24 refuses access: its plan may not have the REST API, or the user lacks the right",
            ),
            // A right to this lead may be missing, as when it was given to somebody of another department.
            "ACCESS_DENIED"
                if method.starts_with("crm.item.update") || method.starts_with("crm.timeline") =>
            {
                SyncError::Refused {
                    message: format!(
                        "the user of the webhook or application may not change this lead in Bitrix24 ({shown})"
                    ),
                    field: None,
                }
            }
            "ACCESS_DENIED" => {
                auth("The user of the webhook or application may not work with leads in Bitrix24")
            }
            "PORTAL_DELETED" => auth("The portal is closed or was deleted"),
            "INVALID_REQUEST" => auth("Bitrix24 wants another address"),
            "" => self.client.by_status(answer, Some(&shown)),
            _ if answer.status.is_server_error() => self.client.by_status(answer, Some(&shown)),
            _ => SyncError::Refused {
                message: format!("Bitrix24 refuses {method}: {shown}"),
                field: None,
            },
        };
        Failure { code, words, error }
    }

    /// Until the oldest minute is given back; ten minutes when nobody said.
    fn operating_reset(&self, method: &str) -> Duration {
        let known = self.reset_at.lock().unwrap_or_else(PoisonError::into_inner);
        let left = known
            .get(method)
            .map(|reset| reset - self.client.now().timestamp());
        let left = left.filter(|left| (1..=3600).contains(left)).unwrap_or(600);
        Duration::from_secs(left.unsigned_abs())
    }

    fn without_secret(&self, said: &str) -> String {
        let Way::Webhook(url) = &self.way else {
            return said.to_owned();
        };
        let secret = url
            .path_segments()
            .and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
        match secret {
            Some(secret) => said.replace(secret, "…"),
            None => said.to_owned(),
        }
    }
}

/// Arguments of a command in a batch, as PHP reads them: `filter[ENTITY_ID]=1&values[0]=…`.
fn query(arguments: &Value) -> String {
    fn walk(name: &str, value: &Value, into: &mut url::form_urlencoded::Serializer<'_, String>) {
        let below = |key: &str| match name {
            "" => key.to_owned(),
            name => format!("{name}[{key}]"),
        };
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(key, value)| walk(&below(key), value, into)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, value)| walk(&below(&at.to_string()), value, into)),
            Value::String(text) => {
                into.append_pair(name, text);
            }
            Value::Null => {}
            other => {
                into.append_pair(name, &other.to_string());
            }
        }
    }
    let mut into = url::form_urlencoded::Serializer::new(String::new());
    walk("", arguments, &mut into);
    into.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_written_as_php_reads_them() {
        let asked = json!({"type": "PHONE", "values": ["+7 1", "2&3"], "filter": {"ENTITY_ID": 5}});
        assert_eq!(
            query(&asked),
            "filter%5BENTITY_ID%5D=5&type=PHONE&values%5B0%5D=%2B7+1&values%5B1%5D=2%263"
        );
    }
}
