//! Lines as code: teams, lines, channels and operators' schedules described in a file, and brought into the database.
//!
//! [`source`] reads TOML with the place of every word, [`format`] makes a [`format::Document`] of it (by `read`; [`schedules`] those of operators),
//! [`plan`] compares it with what is [`present`] and says it in words (`render`); all of them are pure. [`write`] reads the present, and does what the plan
//! says through the same doors as the API, in one transaction. The format is shown in
//! `config/examples/lines.toml`; `simulate` reads it too.

pub mod format;
pub mod plan;
pub mod present;
mod read;
mod render;
pub mod schedules;
pub mod source;
pub mod write;

use std::fmt;

/// Something in a file that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The line in the file, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// The field by its path: `line.support.queue`.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}

/// Why nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields that cannot be.
    #[error("{}", in_lines(.0))]
    Invalid(Vec<Trouble>),
    /// Somebody changed it in the same moment.
    #[error("{0} was changed by somebody else in this moment: run the command again")]
    Stale(String),
    /// A stored secret cannot be read, or a new one not be sealed.
    #[error(transparent)]
    Secret(#[from] crate::secret::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] sea_orm::DbErr),
}

fn in_lines(troubles: &[Trouble]) -> String {
    let lines: Vec<String> = troubles.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
