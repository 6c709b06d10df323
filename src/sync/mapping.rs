//! Which of our fields, states and people fill which of a CRM's, as an admin says. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use switchboard_crm::Stage;
use utoipa::ToSchema;

use crate::lead::store::Status;

/// Fields of one mapping.
const MAX_FIELDS: usize = 200;
/// Characters of a name of theirs.
const MAX_NAME: usize = 200;
/// Characters of a constant.
const MAX_CONSTANT: usize = 4_000;
/// Pairs of one table of values, and people.
const MAX_PAIRS: usize = 500;

/// What fills a field of theirs, beside `lead.fields.KEY`, `contact.fields.KEY`, `company.fields.KEY`, and
/// `attribution.KEY` (the last touch, else the first) and `first.KEY`.
pub const SOURCES: [&str; 20] = [
    "lead.title",
    "lead.status",
    "lead.source",
    "lead.created_at",
    "lead.loss_reason",
    "lead.id",
    "lead.url",
    "contact.name",
    "contact.phone",
    "contact.email",
    "contact.language",
    "company.name",
    "company.website",
    "company.tax_number",
    "line.name",
    "channel.name",
    "channel.kind",
    "owner.name",
    "owner.email",
    "owner.id",
];

/// What a touch is known to say.
pub const TOUCHES: [&str; 12] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "landing_page",
    "referrer",
    "gclid",
    "yclid",
    "fbclid",
    "form",
    "called_number",
];

/// The beginnings of sources whose end an admin chooses.
const OPEN: [&str; 5] = [
    "lead.fields.",
    "contact.fields.",
    "company.fields.",
    "attribution.",
    "first.",
];

/// What a field of theirs takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CrmFieldKind)]
pub enum Kind {
    /// Text.
    #[default]
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// `2026-11-23`.
    Date,
    /// RFC 3339.
    DateTime,
    /// One of its options, by id.
    Choice,
    /// Several of its options, by id.
    Choices,
    /// A web address.
    Url,
}

impl From<switchboard_crm::FieldKind> for Kind {
    fn from(kind: switchboard_crm::FieldKind) -> Self {
        use switchboard_crm::FieldKind;
        match kind {
            FieldKind::Text => Self::Text,
            FieldKind::Number => Self::Number,
            FieldKind::Boolean => Self::Boolean,
            FieldKind::Date => Self::Date,
            FieldKind::DateTime => Self::DateTime,
            FieldKind::Choice => Self::Choice,
            FieldKind::Choices => Self::Choices,
            FieldKind::Url => Self::Url,
        }
    }
}

/// How one field of theirs is filled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CrmFieldRule)]
pub struct Rule {
    /// The CRM's name of the field.
    pub to: String,
    /// What it takes.
    pub kind: Kind,
    /// Which of our fields fills it: `lead.title`, `lead.fields.budget`, `attribution.utm_source`, …
    pub from: Option<String>,
    /// What fills it always; instead of `from`.
    pub constant: Option<Value>,
    /// Which value of ours is which of theirs; a value that is not here goes as it is, to a choice not at all.
    pub values: BTreeMap<String, String>,
    /// What fills it when ours is empty or does not fit.
    pub otherwise: Option<Value>,
}

/// A whole mapping.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CrmMapping)]
pub struct Mapping {
    /// Fields of theirs.
    pub fields: Vec<Rule>,
    /// Our status (`new`, `in_progress`, `converted`, `junk`) to their state; one that is not here leaves theirs as it is.
    pub statuses: BTreeMap<String, String>,
    /// Their state to our status. Where nothing is said, what the CRM says of the state decides: won, lost or open.
    #[schema(value_type = Object)]
    pub statuses_back: BTreeMap<String, Status>,
    /// Our operators to their users, by id; others are found by their mail address.
    pub owners: BTreeMap<String, String>,
}

impl Mapping {
    /// As it is stored; what cannot be read maps nothing.
    pub fn read(stored: &Value) -> Self {
        serde_json::from_value(stored.clone()).unwrap_or_default()
    }

    /// Every fault: `(field, what is wrong)`.
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.fields.len() > MAX_FIELDS {
            faults.push(("mapping.fields".to_owned(), format!("at most {MAX_FIELDS}")));
        }
        let mut seen = BTreeSet::new();
        for (place, rule) in self.fields.iter().enumerate() {
            let mut fault = |part: &str, message: &str| {
                faults.push((format!("mapping.fields[{place}].{part}"), message.to_owned()));
            };
            if rule.to.trim().is_empty() || rule.to.chars().count() > MAX_NAME {
                fault("to", "choose a field of the CRM");
            } else if !seen.insert(&rule.to) {
                fault("to", "another row fills this field already");
            }
            match (&rule.from, &rule.constant) {
                (Some(_), Some(_)) => {
                    fault("constant", "either one of our fields or a fixed value, not both")
                }
                (None, None) => fault("from", "choose what fills it, or say a fixed value"),
                (Some(from), None) if !is_source(from) => fault("from", "there is no such field"),
                (None, Some(constant)) if constant.to_string().len() > MAX_CONSTANT => {
                    fault("constant", "too long");
                }
                (None, Some(constant)) if converted(constant, rule.kind, &rule.values).is_none() => {
                    fault("constant", "does not fit what the field takes");
                }
                _ => {}
            }
            if rule.values.len() > MAX_PAIRS {
                fault("values", "too many");
            }
            if let Some(otherwise) = &rule.otherwise
                && (otherwise.to_string().len() > MAX_CONSTANT
                    || converted(otherwise, rule.kind, &BTreeMap::new()).is_none())
            {
                fault("otherwise", "does not fit what the field takes");
            }
        }
        for status in self.statuses.keys() {
            if !["new", "in_progress", "converted", "junk"].contains(&status.as_str()) {
                faults.push((
                    format!("mapping.statuses.{status}"),
                    "we have no such status".to_owned(),
                ));
            }
        }
        for (ours, theirs) in &self.owners {
            if theirs.trim().is_empty()
                || theirs.chars().count() > MAX_NAME
                || theirs.contains(char::is_control)
            {
                faults.push((
                    format!("mapping.owners.{ours}"),
                    format!("say their id in the CRM, at most {MAX_NAME} characters"),
                ));
            }
        }
        if self.owners.len() > MAX_PAIRS || self.statuses_back.len() > MAX_PAIRS {
            faults.push(("mapping".to_owned(), format!("at most {MAX_PAIRS} pairs")));
        }
        faults
    }

    /// Their fields out of our facts. What is empty or does not fit is left out.
    pub fn fill(&self, facts: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let rules = self.fields.iter();
        rules
            .filter_map(|rule| {
                let ours = match (&rule.constant, &rule.from) {
                    (Some(constant), _) => Some(constant),
                    (None, Some(from)) => facts.get(from),
                    (None, None) => None,
                };
                let value = ours
                    .and_then(|value| converted(value, rule.kind, &rule.values))
                    .or_else(|| converted(rule.otherwise.as_ref()?, rule.kind, &BTreeMap::new()))?;
                Some((rule.to.clone(), value))
            })
            .collect()
    }

    /// Their state for a status of ours.
    pub fn status_id(&self, status: &str) -> Option<&str> {
        let id = self.statuses.get(status)?;
        (!id.is_empty()).then_some(id.as_str())
    }

    /// Our status after a lead came into a state there; `None` leaves ours.
    pub fn status_back(&self, ours: Status, status_id: Option<&str>, stage: Option<Stage>) -> Option<Status> {
        let said = status_id.and_then(|id| self.statuses_back.get(id)).copied();
        let ended = matches!(ours, Status::Converted | Status::Junk);
        let meant = || match stage? {
            Stage::Won => Some(Status::Converted),
            Stage::Lost => Some(Status::Junk),
            Stage::Open => ended.then_some(Status::InProgress),
        };
        said.or_else(meant).filter(|status| *status != ours)
    }
}

/// Where our own pipeline has a lead, in words that every CRM knows.
pub fn stage(status: &str) -> Stage {
    match status {
        "converted" => Stage::Won,
        "junk" => Stage::Lost,
        _ => Stage::Open,
    }
}

fn is_source(word: &str) -> bool {
    SOURCES.contains(&word)
        || OPEN.iter().any(|begin| {
            word.strip_prefix(begin)
                .is_some_and(|key| !key.is_empty() && key.chars().count() <= MAX_NAME)
        })
}

/// A value of ours as a field of theirs takes it; `None` when it is empty or does not fit.
fn converted(value: &Value, kind: Kind, values: &BTreeMap<String, String>) -> Option<Value> {
    if let Value::Array(items) = value {
        return of_several(items, kind, values);
    }
    let text = text_of(value)?;
    let renamed = values.get(&text);
    let value = &renamed.map_or_else(|| value.clone(), |theirs| json!(theirs));
    let text = renamed.cloned().unwrap_or(text);
    match kind {
        Kind::Text => Some(json!(text)),
        Kind::Number => number(value),
        Kind::Boolean => boolean(value).map(Value::Bool),
        Kind::Date => date(&text).map(|date| json!(date.format("%Y-%m-%d").to_string())),
        Kind::DateTime => {
            moment(&text).map(|at| json!(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))
        }
        Kind::Choice => (values.is_empty() || renamed.is_some()).then(|| json!(text)),
        Kind::Choices => (values.is_empty() || renamed.is_some()).then(|| json!([text])),
        Kind::Url => (text.starts_with("https://") || text.starts_with("http://")).then(|| json!(text)),
    }
}

fn of_several(items: &[Value], kind: Kind, values: &BTreeMap<String, String>) -> Option<Value> {
    let each: Vec<Value> = match kind {
        Kind::Choices => {
            let choices = items
                .iter()
                .filter_map(|item| converted(item, Kind::Choice, values));
            choices.collect()
        }
        Kind::Text => items
            .iter()
            .filter_map(|item| converted(item, Kind::Text, values))
            .collect(),
        _ => return items.iter().find_map(|item| converted(item, kind, values)),
    };
    if each.is_empty() {
        return None;
    }
    Some(match kind {
        Kind::Choices => Value::Array(each),
        _ => json!(
            each.iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    })
}

/// As people would write it; `None` for nothing.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Object(fields) => match (fields.get("amount"), fields.get("currency")) {
            (Some(amount), currency) => {
                let currency = currency.and_then(text_of).unwrap_or_default();
                format!("{} {currency}", text_of(amount)?).trim().to_owned()
            }
            _ => value.to_string(),
        },
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => Some(Value::Number(number.clone())),
        Value::Bool(yes) => Some(json!(i64::from(*yes))),
        Value::Object(fields) => number(fields.get("amount")?),
        Value::String(text) => {
            let bare: String = text
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '\u{a0}')
                .collect();
            let bare = bare.replace(',', ".");
            let whole = bare.parse::<i64>().ok().map(Number::from);
            let number = whole.or_else(|| Number::from_f64(bare.parse::<f64>().ok()?))?;
            Some(Value::Number(number))
        }
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" | "да" => Some(true),
            "false" | "no" | "n" | "off" | "0" | "нет" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, "%d.%m.%Y").ok())
        .or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.date_naive()))
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let whole = DateTime::parse_from_rfc3339(text).ok();
    whole
        .map(|at| at.with_timezone(&Utc))
        .or_else(|| Some(date(text)?.and_time(NaiveTime::MIN).and_utc()))
}

#[cfg(test)]
mod tests;
