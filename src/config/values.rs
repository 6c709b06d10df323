//! Kinds of values that settings have.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error};

/// Text that must not reach a log. Empty means "not set".
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Masked(String);

impl Masked {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text, when there is one.
    pub fn get(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "[not set]"
        } else {
            "[masked]"
        })
    }
}

/// How nodes reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusUrl {
    /// Not at all: there is one.
    InProcess,
}

impl<'de> Deserialize<'de> for BusUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::InProcess);
        }
        if text.starts_with("nats://") {
            return Err(D::Error::custom(
                "a NATS bus comes with clustering, which this version does not have yet; leave it empty and run one node",
            ));
        }
        Err(D::Error::custom("must be empty: the bus is in this process"))
    }
}
