//! Fields that admins define for contacts, companies, leads and deals. Their values stand in the `fields` of the
//! object, under the field's key; keys nobody defined stay free, so that what a form brought is never lost.

pub mod store;
pub mod value;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What has fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CustomFieldObject)]
pub enum Object {
    /// A person outside.
    Contact,
    /// Where they work.
    Company,
    /// A sales interest.
    Lead,
    /// What it became.
    Deal,
}

impl Object {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Lead => "lead",
            Self::Deal => "deal",
        }
    }
}

/// The fields that somebody new is made with. Required ones are asked of people; what a program tells may lack them.
pub fn asked_of(by: Option<&str>, fields: Option<Map<String, Value>>) -> Option<Map<String, Value>> {
    fields.or_else(|| by.map(|_| Map::new()))
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CustomFieldType)]
pub enum Type {
    /// A line of text.
    Text,
    /// Several lines.
    LongText,
    /// A number.
    Number,
    /// `{"amount": "1200.50", "currency": "EUR"}`.
    Money,
    /// `2026-11-23`.
    Date,
    /// RFC 3339, kept in UTC.
    DateTime,
    /// True or false.
    Checkbox,
    /// One of the options, by its value.
    Select,
    /// Some of the options, by their values.
    MultiSelect,
    /// An address that begins with http:// or https://.
    Url,
    /// An operator, by id.
    User,
}

impl Type {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Text, "text"),
        (Self::LongText, "long_text"),
        (Self::Number, "number"),
        (Self::Money, "money"),
        (Self::Date, "date"),
        (Self::DateTime, "date_time"),
        (Self::Checkbox, "checkbox"),
        (Self::Select, "select"),
        (Self::MultiSelect, "multi_select"),
        (Self::Url, "url"),
        (Self::User, "user"),
    ];

    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(one, _)| *one == self)
            .map_or("text", |(_, word)| word)
    }

    /// Reads the word; what a newer version wrote is a text.
    pub fn parse(word: &str) -> Self {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map_or(Self::Text, |(one, _)| *one)
    }

    /// Whether it is chosen from options.
    pub fn has_options(self) -> bool {
        matches!(self, Self::Select | Self::MultiSelect)
    }
}

/// What may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CustomFieldOption)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What is kept.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// What a value is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Under which its value stands.
    pub key: String,
    /// What it holds.
    pub kind: Type,
    /// What may be chosen.
    pub options: Vec<Choice>,
    /// It may not be left empty.
    pub required: bool,
}
