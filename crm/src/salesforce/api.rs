//! Asking Salesforce, and what its refusals mean.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use url::Url;

use super::{DOMAINS, Salesforce};
use crate::{
    SyncError,
    shared::{
        client::{Answer, Effect, at, request, with_header},
        settings::of_domain,
        text,
        tokens::Access,
        value,
    },
};

const VERSION: &str = "services/data/v61.0";

/// What was refused, with Salesforce's own code for it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: String,
    /// The leads that a duplicate rule named.
    pub(super) duplicates: Vec<String>,
    pub(super) error: SyncError,
}

impl Failure {
    /// The record is no more.
    pub(super) fn is_gone(&self) -> bool {
        matches!(
            self.code.as_str(),
            "NOT_FOUND" | "ENTITY_IS_DELETED" | "INVALID_CROSS_REFERENCE_KEY"
        )
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        Self {
            code: String::new(),
            duplicates: Vec::new(),
            error,
        }
    }
}

impl Salesforce {
    /// The address to ask: the one that came with the token, when it is Salesforce's.
    fn base(&self, access: &Access) -> Result<Url, SyncError> {
        let Some(host) = &access.host else {
            return Ok(self.domain.clone());
        };
        let url = Url::parse(host).ok().filter(|url| of_domain(url, &DOMAINS));
        url.ok_or_else(|| {
            SyncError::Auth(
                "Salesforce names an instance that is not its own: check the domain in the settings"
                    .to_owned(),
            )
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        headers: &[(&'static str, &str)],
        effect: Effect,
    ) -> Result<Answer, SyncError> {
        let make = |access: &Access| {
            let url = at(&self.base(access)?, &format!("/{VERSION}/{path}"), query)?;
            let mut made = request(method.clone(), &url, body)?;
            for (name, value) in headers {
                made = with_header(made, name, value)?;
            }
            Ok(made)
        };
        self.rest.ask(effect, make).await
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SyncError> {
        self.ask(Method::GET, path, query, None, &[], Effect::Reads).await
    }

    pub(super) async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, SyncError> {
        self.good(&self.get(path, query).await?)
    }

    pub(super) async fn query(&self, soql: &str) -> Result<Vec<Value>, SyncError> {
        self.records("query", soql).await
    }

    pub(super) async fn query_all(&self, soql: &str) -> Result<Vec<Value>, SyncError> {
        self.records("queryAll", soql).await
    }

    async fn records(&self, path: &str, soql: &str) -> Result<Vec<Value>, SyncError> {
        let found = self.read(path, &[("q", soql)]).await?;
        let records = found.get("records").map(value::items).unwrap_or_default();
        Ok(records.into_iter().cloned().collect())
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&'static str, &str)],
    ) -> Result<Answer, SyncError> {
        self.ask(method, path, &[], Some(body), headers, Effect::Writes)
            .await
    }

    pub(super) fn good(&self, answer: &Answer) -> Result<Value, SyncError> {
        self.try_good(answer).map_err(|failure| failure.error)
    }

    pub(super) fn try_good(&self, answer: &Answer) -> Result<Value, Failure> {
        if answer.status.as_u16() == 204 {
            return Ok(Value::Null);
        }
        if answer.status.is_success() {
            return match answer.json() {
                Value::Null => Err(self.rest.client.strange(answer.effect).into()),
                said => Ok(said),
            };
        }
        Err(self.failure(answer))
    }

    fn failure(&self, answer: &Answer) -> Failure {
        let said = answer.json();
        let first = said.get(0).unwrap_or(&Value::Null);
        let code = value::text(first, "errorCode").to_owned();
        let words = text::said(value::text(first, "message"));
        let status = answer.status.as_u16();
        let error = match code.as_str() {
            "REQUEST_LIMIT_EXCEEDED" => SyncError::Limited {
                message: format!("the requests that Salesforce allows in 24 hours are used up ({words})"),
                // Requests of a day ago are given back hour by hour.
                after: Some(
                    answer
                        .retry_after(self.rest.client.now())
                        .unwrap_or(Duration::from_secs(3600)),
                ),
            },
            "UNABLE_TO_LOCK_ROW" | "SERVER_UNAVAILABLE" => {
                SyncError::Temporary(format!("Salesforce asks to come back ({words})"))
            }
            "INVALID_SESSION_ID" | "INVALID_AUTH_HEADER" => SyncError::Auth(format!(
                "Salesforce does not accept the sign-in: sign in anew ({words})"
            )),
            "NOT_FOUND" if words.contains("external ID field") => SyncError::Auth(format!(
                "Salesforce has no field {} on leads, or the user may not see it: make it as text, unique, external id",
                self.external
            )),
            "INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_OR_READONLY" => SyncError::Auth(format!(
                "the user in Salesforce lacks a right ({words}): give it read, create and edit of leads and tasks"
            )),
            // About this one record, most often its owner.
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" => SyncError::Refused {
                message: format!(
                    "the user in Salesforce may not use a record that this lead refers to ({words})"
                ),
                field: first
                    .pointer("/fields/0")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            },
            _ if matches!(status, 401..=403)
                || status >= 500
                || status == 429
                || (300..400).contains(&status) =>
            {
                self.rest.client.by_status(answer, Some(&words))
            }
            "NOT_FOUND" | "ENTITY_IS_DELETED" => SyncError::Gone(words.clone()),
            _ => SyncError::Refused {
                message: text::said(&format!("Salesforce refuses ({code}): {words}")),
                field: first
                    .pointer("/fields/0")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
                    .or_else(|| column(&words)),
            },
        };
        // A missing field for our id is no missing record.
        let code = match &error {
            SyncError::Auth(_) => String::new(),
            _ => code,
        };
        Failure {
            code,
            duplicates: duplicates(first),
            error,
        }
    }
}

/// `No such column 'Foo__c' on sobject of type Lead`.
fn column(words: &str) -> Option<String> {
    let (_, rest) = words.split_once("column '")?;
    rest.split_once('\'').map(|(column, _)| column.to_owned())
}

/// The leads among the records that a duplicate rule found.
fn duplicates(error: &Value) -> Vec<String> {
    let results = error.pointer("/duplicateResult/matchResults").map(value::items);
    results
        .unwrap_or_default()
        .into_iter()
        .flat_map(|result| result.get("matchRecords").map(value::items).unwrap_or_default())
        .filter_map(|record| record.get("record"))
        .filter(|record| record.pointer("/attributes/type").and_then(Value::as_str) == Some("Lead"))
        .filter_map(|record| record.get("Id").and_then(value::id))
        .take(5)
        .collect()
}

/// A text in SOQL.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text))
}

/// A pattern of `LIKE` for a text somewhere within.
pub(super) fn containing(text: &str) -> String {
    format!("'%{}%'", escaped(text).replace('%', "\\%").replace('_', "\\_"))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobody_writes_soql_through_us() {
        assert_eq!(quoted("a' OR Id != '"), r"'a\' OR Id != \''");
        assert_eq!(quoted(r"a\'"), r"'a\\\''");
        assert_eq!(containing("msg_1%"), r"'%msg\_1\%%'");
    }

    #[test]
    fn duplicates_are_the_leads_among_the_matches() {
        let record = |kind: &str, id: &str| json!({"record": {"attributes": {"type": kind}, "Id": id}});
        let error = json!({"duplicateResult": {"matchResults": [{"matchRecords": [record("Contact", "003"), record("Lead", "00Q")]}]}});
        assert_eq!(duplicates(&error), ["00Q"]);
        assert_eq!(
            column("No such column 'Foo__c' on sobject of type Lead").as_deref(),
            Some("Foo__c")
        );
    }
}
