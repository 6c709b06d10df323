//! Where a column goes.

use std::fmt;

use serde::{Deserialize, Serialize, de};

/// The touches a lead can be given.
const MARKS: [&str; 13] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "gclid",
    "yclid",
    "fbclid",
    "referrer",
    "landing_page",
    "called_number",
    "start_payload",
    "roistat",
];
/// Longest name of a custom field.
const MAX_KEY: usize = 60;

/// What a column fills.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The whole name.
    Name,
    /// The first name.
    FirstName,
    /// The middle name, or the patronymic.
    MiddleName,
    /// The family name.
    LastName,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// The person's number in another system.
    ExternalId,
    /// The language, BCP 47.
    Language,
    /// The contact's responsible operator, by e-mail or name.
    ContactOperator,
    /// A custom field of the contact.
    Contact(String),
    /// The company's name.
    Company,
    /// A custom field of the company.
    CompanyField(String),
    /// What the lead is about.
    Title,
    /// Where the lead stands.
    Status,
    /// Where the lead came from, in a word.
    Source,
    /// What was said.
    Comment,
    /// The lead's responsible operator, by e-mail or name.
    LeadOperator,
    /// When the lead came.
    CreatedAt,
    /// A mark of where it came from.
    Mark(&'static str),
    /// A custom field of the lead.
    Lead(String),
    /// What the deal is about.
    DealTitle,
    /// What the deal is worth; its currency may stand beside it.
    DealAmount,
    /// The deal's currency.
    DealCurrency,
    /// The deal's pipeline, by name.
    DealPipeline,
    /// The deal's stage, by name.
    DealStage,
    /// When the deal was won or lost, or is expected to be.
    DealClosedAt,
    /// The deal's responsible operator, by e-mail or name.
    DealOperator,
    /// Words the deal is found by.
    DealTags,
    /// Why the deal was lost.
    DealLossReason,
    /// The deal's number in another system.
    DealNumber,
    /// When the deal was made.
    DealCreatedAt,
    /// A custom field of the deal.
    Deal(String),
}

impl Field {
    /// The fields that are always there, without custom ones and marks.
    pub const PLAIN: [Self; 27] = [
        Self::Name,
        Self::FirstName,
        Self::MiddleName,
        Self::LastName,
        Self::Email,
        Self::Phone,
        Self::ExternalId,
        Self::Language,
        Self::ContactOperator,
        Self::Company,
        Self::Title,
        Self::Status,
        Self::Source,
        Self::Comment,
        Self::LeadOperator,
        Self::CreatedAt,
        Self::DealTitle,
        Self::DealAmount,
        Self::DealCurrency,
        Self::DealPipeline,
        Self::DealStage,
        Self::DealClosedAt,
        Self::DealOperator,
        Self::DealTags,
        Self::DealLossReason,
        Self::DealNumber,
        Self::DealCreatedAt,
    ];

    /// The field of a word such as `contact.email`, `lead.fields.budget` or `lead.utm_source`.
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(field) = Self::PLAIN.iter().find(|field| field.to_string() == word) {
            return Some(field.clone());
        }
        let key = |key: &str| {
            let plain = !key.is_empty()
                && key.chars().count() <= MAX_KEY
                && !key.contains(|char: char| char.is_control() || char == '.');
            plain.then(|| key.to_owned())
        };
        if let Some(rest) = word.strip_prefix("contact.fields.") {
            return key(rest).map(Self::Contact);
        }
        if let Some(rest) = word.strip_prefix("company.fields.") {
            return key(rest).map(Self::CompanyField);
        }
        if let Some(rest) = word.strip_prefix("lead.fields.") {
            return key(rest).map(Self::Lead);
        }
        if let Some(rest) = word.strip_prefix("deal.fields.") {
            return key(rest).map(Self::Deal);
        }
        let mark = word.strip_prefix("lead.")?;
        MARKS
            .iter()
            .find(|known| **known == mark)
            .map(|known| Self::Mark(known))
    }

    /// Whether it is about the deal.
    pub fn is_of_deal(&self) -> bool {
        matches!(
            self,
            Self::DealTitle
                | Self::DealAmount
                | Self::DealCurrency
                | Self::DealPipeline
                | Self::DealStage
                | Self::DealClosedAt
                | Self::DealOperator
                | Self::DealTags
                | Self::DealLossReason
                | Self::DealNumber
                | Self::DealCreatedAt
                | Self::Deal(_)
        )
    }

    /// Whether it is about the lead.
    pub fn is_of_lead(&self) -> bool {
        matches!(
            self,
            Self::Title
                | Self::Status
                | Self::Source
                | Self::Comment
                | Self::LeadOperator
                | Self::CreatedAt
                | Self::Mark(_)
                | Self::Lead(_)
        )
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Name => "contact.name",
            Self::FirstName => "contact.first_name",
            Self::MiddleName => "contact.middle_name",
            Self::LastName => "contact.last_name",
            Self::Email => "contact.email",
            Self::Phone => "contact.phone",
            Self::ExternalId => "contact.external_id",
            Self::Language => "contact.language",
            Self::ContactOperator => "contact.operator",
            Self::Contact(key) => return write!(f, "contact.fields.{key}"),
            Self::Company => "company.name",
            Self::CompanyField(key) => return write!(f, "company.fields.{key}"),
            Self::Title => "lead.title",
            Self::Status => "lead.status",
            Self::Source => "lead.source",
            Self::Comment => "lead.comment",
            Self::LeadOperator => "lead.operator",
            Self::CreatedAt => "lead.created_at",
            Self::Mark(mark) => return write!(f, "lead.{mark}"),
            Self::Lead(key) => return write!(f, "lead.fields.{key}"),
            Self::DealTitle => "deal.title",
            Self::DealAmount => "deal.amount",
            Self::DealCurrency => "deal.currency",
            Self::DealPipeline => "deal.pipeline",
            Self::DealStage => "deal.stage",
            Self::DealClosedAt => "deal.closed_at",
            Self::DealOperator => "deal.operator",
            Self::DealTags => "deal.tags",
            Self::DealLossReason => "deal.loss_reason",
            Self::DealNumber => "deal.external_id",
            Self::DealCreatedAt => "deal.created_at",
            Self::Deal(key) => return write!(f, "deal.fields.{key}"),
        };
        f.write_str(word)
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| de::Error::custom(format!("there is no field {word:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Field;

    #[test]
    fn every_word_reads_back() {
        for field in Field::PLAIN {
            assert_eq!(Field::parse(&field.to_string()), Some(field));
        }
        for word in [
            "contact.fields.Город",
            "company.fields.inn",
            "lead.fields.budget",
            "lead.utm_source",
            "deal.fields.Площадь",
        ] {
            assert_eq!(Field::parse(word).unwrap().to_string(), word);
        }
        for none in [
            "email",
            "contact.fields.",
            "contact.fields.a.b",
            "lead.nothing",
            "",
        ] {
            assert_eq!(Field::parse(none), None, "{none}");
        }
    }
}
