//! Templates: texts that operators write again and again, with variables. For everybody, for the operators of
//! a line, or for one operator alone.

pub mod store;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    db::entity::template,
    operator::rights::{Role, Scope},
    outbound::writing,
};

/// Characters a name may have.
const NAME_LIMIT: usize = 100;
/// Characters a shortcut may have.
const SHORTCUT_LIMIT: usize = 32;

/// Whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TemplateScope)]
pub enum Shared {
    /// For everybody.
    Shared,
    /// For the operators of a line.
    Line,
    /// For whoever made it.
    Own,
}

/// A template as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Template {
    /// `tpl_…`.
    pub id: String,
    /// Whom it is for.
    pub scope: Shared,
    /// Which line's, when it is a line's.
    pub line_id: Option<String>,
    /// What it is found by.
    pub name: String,
    /// The word that is typed after `/` to find it at once.
    pub shortcut: Option<String>,
    /// The text, with variables.
    pub body: String,
    /// For optimistic changes.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<template::Model> for Template {
    fn from(row: template::Model) -> Self {
        Self {
            scope: scope(&row),
            id: row.id,
            line_id: row.line_id,
            name: row.name,
            shortcut: row.shortcut,
            body: row.body,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn scope(row: &template::Model) -> Shared {
    match (&row.operator_id, &row.line_id) {
        (Some(_), _) => Shared::Own,
        (None, Some(_)) => Shared::Line,
        (None, None) => Shared::Shared,
    }
}

/// Why a template could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such template, or it is somebody else's.
    #[error("not found")]
    NotFound,
    /// What others use is changed by admins.
    #[error("templates that others use are changed by admins")]
    Forbidden,
    /// It was changed since the caller read it.
    #[error("it was changed meanwhile")]
    Stale,
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the fields are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// Whether somebody sees a template.
pub fn sees(caller: &Scope, row: &template::Model) -> bool {
    match (&row.operator_id, &row.line_id) {
        (Some(owner), _) => *owner == caller.operator_id,
        (None, Some(line)) => caller.supervises() || caller.stands_in(line),
        (None, None) => true,
    }
}

/// Whether somebody may change a template that they see.
pub fn may_change(caller: &Scope, scope: Shared) -> bool {
    scope == Shared::Own || caller.role == Role::Admin
}

/// What is wrong with the fields, as `(field, message)`; empty when nothing is.
fn errors(name: &str, shortcut: Option<&str>, body: &str) -> Vec<(String, String)> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: String| errors.push((field.to_owned(), message));
    if !(1..=NAME_LIMIT).contains(&name.chars().count()) || name.contains(char::is_control) {
        wrong("name", format!("must have 1 to {NAME_LIMIT} characters"));
    }
    if let Some(shortcut) = shortcut
        && (!(1..=SHORTCUT_LIMIT).contains(&shortcut.chars().count())
            || !shortcut
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_'))
    {
        wrong(
            "shortcut",
            format!("is one word of 1 to {SHORTCUT_LIMIT} letters, digits, - and _"),
        );
    }
    if body.trim().is_empty() {
        wrong("body", "write something".to_owned());
    } else if body.contains('\0') {
        wrong(
            "body",
            "holds a character that no channel carries (NUL)".to_owned(),
        );
    } else if let Some(message) = writing::error(body) {
        wrong("body", message);
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::errors;

    #[test]
    fn each_wrong_field_is_named() {
        assert!(errors("Thanks", Some("thx-2"), "Dear {{contact.name|customer}}").is_empty());
        let fields: Vec<String> = errors(" ".trim(), Some("two words"), "{{opens_at}}")
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        assert_eq!(fields, ["name", "shortcut", "body"]);
    }
}
