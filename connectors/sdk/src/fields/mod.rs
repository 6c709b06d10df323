//! Fields a customer fills: of a web form, of a chat's questions before the first message.
//!
//! One definition serves both: the settings shape ([`Field`]), the reading of one value by its type
//! ([`Field::read`]), and what the values say about the person and the lead ([`person_of`]).

mod address;
mod condition;
mod person;
mod problem;
mod read;

use std::{fmt, str::FromStr};

pub use address::{email, phone, region_problem};
pub use condition::Condition;
pub use person::person_of;
pub use problem::Problem;
pub use read::{clean_line, clean_text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::SettingsError;

/// Most fields one form may have, and most values one post may carry.
pub const MAX_FIELDS: usize = 200;
/// Most earlier names of a field.
const MAX_EARLIER_NAMES: usize = 20;

/// One field of a form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Key of the value: what the input is called in HTML and in the stored submission.
    #[schemars(title = "Name", length(min = 1, max = 64))]
    pub name: String,
    /// What the visitor reads beside the input; the name when empty.
    #[serde(default)]
    #[schemars(title = "Label", length(max = 200))]
    pub label: String,
    /// Kind of input, and how its value is checked.
    #[serde(default, rename = "type")]
    #[schemars(title = "Type")]
    pub kind: FieldKind,
    /// The form cannot be sent without it.
    #[serde(default)]
    #[schemars(title = "Required")]
    pub required: bool,
    /// The choices of a select, in order.
    #[serde(default)]
    #[schemars(title = "Options")]
    pub options: Vec<String>,
    /// What the value says about the contact or the lead. When empty, e-mail and phone fields and fields
    /// called name, company, comment or message are mapped by themselves.
    #[serde(default)]
    #[schemars(title = "Maps to")]
    pub maps_to: Option<MapsTo>,
    /// Grey example shown in the empty input.
    #[serde(default)]
    #[schemars(title = "Placeholder", length(max = 200))]
    pub placeholder: Option<String>,
    /// Value the input starts with; what a hidden field sends.
    #[serde(default)]
    #[schemars(title = "Initial value", length(max = 1000))]
    pub value: Option<String>,
    /// A sentence below the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Help", length(max = 500))]
    pub help: Option<String>,
    /// What the visitor reads when the value is missing or wrong; general words when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Error", length(max = 500))]
    pub error: Option<String>,
    /// Asked only while this holds; always when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Show when")]
    pub show_when: Option<Condition>,
    /// Number of the step it stands in, of a form in steps; the first when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Step", range(min = 1, max = 20))]
    pub step: Option<u8>,
    /// Names it had before: pages that were made then may go on sending them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "Earlier names", length(max = 20))]
    pub formerly: Vec<String>,
}

/// Kinds of inputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum FieldKind {
    /// One line.
    #[default]
    Text,
    /// Several lines.
    Textarea,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A number.
    Number,
    /// One of the options.
    Select,
    /// Yes or no.
    Checkbox,
    /// A day.
    Date,
    /// A file.
    File,
    /// Not shown; carries its initial value or what the page puts in.
    Hidden,
}

/// What a field's value says about the contact or the lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapsTo {
    /// `contact.name`; several are joined by a space, in the order of the fields.
    ContactName,
    /// `contact.email`
    ContactEmail,
    /// `contact.phone`
    ContactPhone,
    /// `company.name`
    CompanyName,
    /// `lead.title`
    LeadTitle,
    /// `lead.comment`
    LeadComment,
    /// `lead.fields.X`
    LeadField(String),
}

impl fmt::Display for MapsTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContactName => f.write_str("contact.name"),
            Self::ContactEmail => f.write_str("contact.email"),
            Self::ContactPhone => f.write_str("contact.phone"),
            Self::CompanyName => f.write_str("company.name"),
            Self::LeadTitle => f.write_str("lead.title"),
            Self::LeadComment => f.write_str("lead.comment"),
            Self::LeadField(name) => write!(f, "lead.fields.{name}"),
        }
    }
}

impl FromStr for MapsTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "contact.name" => Self::ContactName,
            "contact.email" => Self::ContactEmail,
            "contact.phone" => Self::ContactPhone,
            "company.name" => Self::CompanyName,
            "lead.title" => Self::LeadTitle,
            "lead.comment" => Self::LeadComment,
            other => match other.strip_prefix("lead.fields.") {
                Some(name) if !name.is_empty() && name.len() <= 64 => Self::LeadField(name.to_owned()),
                _ => {
                    return Err(format!(
                        "maps_to {other:?} is unknown: use contact.name, contact.email, contact.phone, company.name, \
                         lead.title, lead.comment or lead.fields.X"
                    ));
                }
            },
        })
    }
}

impl Serialize for MapsTo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MapsTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for MapsTo {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MapsTo".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(contact\.(name|email|phone)|company\.name|lead\.(title|comment|fields\..{1,64}))$",
            "examples": ["contact.name", "contact.email", "contact.phone", "company.name", "lead.title", "lead.comment", "lead.fields.budget"]
        })
    }
}

impl Field {
    /// Its step; 1 in forms without steps.
    pub fn step(&self) -> u8 {
        self.step.unwrap_or(1).max(1)
    }

    /// Its name and those it had before.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.formerly.iter().map(String::as_str))
    }

    /// What people call the field.
    pub fn label(&self) -> &str {
        if self.label.trim().is_empty() {
            &self.name
        } else {
            self.label.trim()
        }
    }

    /// What the value says: as set, else by the type and the name.
    pub fn meaning(&self) -> Option<MapsTo> {
        self.maps_to
            .clone()
            .or_else(|| match (self.kind, self.name.to_ascii_lowercase().as_str()) {
                (FieldKind::Email, _) => Some(MapsTo::ContactEmail),
                (FieldKind::Phone, _) => Some(MapsTo::ContactPhone),
                (FieldKind::Text, "name") => Some(MapsTo::ContactName),
                (FieldKind::Text, "company") => Some(MapsTo::CompanyName),
                (FieldKind::Text | FieldKind::Textarea, "comment" | "message") => Some(MapsTo::LeadComment),
                _ => None,
            })
    }
}

/// Checks definitions found at `path` of the settings: names, duplicates, options, meanings.
pub fn check_fields(
    fields: &[Field],
    path: &str,
    reserved: impl Fn(&str) -> bool,
) -> Result<(), SettingsError> {
    let wrong =
        |i: usize, key: &str, message: String| Err(SettingsError::new(format!("{path}[{i}].{key}"), message));
    if fields.len() > MAX_FIELDS {
        return Err(SettingsError::new(
            path,
            format!("there may be at most {MAX_FIELDS} fields"),
        ));
    }
    for (i, field) in fields.iter().enumerate() {
        let name = field.name.as_str();
        if fields
            .get(..i)
            .unwrap_or_default()
            .iter()
            .any(|earlier| earlier.step() > field.step())
        {
            return wrong(
                i,
                "step",
                format!("{name:?} stands after a field of a later step"),
            );
        }
        if name.trim() != name
            || name.is_empty()
            || name.chars().count() > 64
            || name.chars().any(char::is_control)
        {
            return wrong(
                i,
                "name",
                format!("{name:?} cannot be a name: 1 to 64 characters, no spaces around"),
            );
        }
        if name.contains(['[', ']']) {
            return wrong(
                i,
                "name",
                format!("{name:?} cannot be a name: brackets are read as structure, write a.b for a[b]"),
            );
        }
        if reserved(name) {
            return wrong(
                i,
                "name",
                format!("{name:?} is used by the form itself: choose another name"),
            );
        }
        if fields.iter().take(i).any(|earlier| earlier.name == name) {
            return wrong(i, "name", format!("{name:?} is there twice"));
        }
        if field.kind == FieldKind::Select && field.options.iter().all(|option| option.trim().is_empty()) {
            return wrong(i, "options", format!("the select {name:?} has no options"));
        }
        let earlier = fields.get(..i).unwrap_or_default();
        if let Some(condition) = &field.show_when
            && !earlier.iter().any(|other| other.name == condition.field)
        {
            return wrong(
                i,
                "show_when",
                format!("no field {:?} stands before {name:?}", condition.field),
            );
        }
        if field.formerly.len() > MAX_EARLIER_NAMES
            || field
                .formerly
                .iter()
                .any(|old| fields.iter().any(|other| other.name == *old))
        {
            return wrong(
                i,
                "formerly",
                format!(
                    "{name:?} cannot have had these names: another field has one of them, or there are too many"
                ),
            );
        }
        if field.kind == FieldKind::File && field.maps_to.is_some() {
            return wrong(
                i,
                "maps_to",
                format!("the file {name:?} cannot be mapped: files go with the message"),
            );
        }
    }
    Ok(())
}
