//! Templates in the database.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait,
};

use super::{Error, Shared, errors, may_change, scope, sees};
use crate::{
    db::{
        WriteTx,
        entity::{line, template},
    },
    id::{self, Kind},
    operator::rights::Scope,
};

/// A template about to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// Whom it is for.
    pub scope: Shared,
    /// Which line's, when it is a line's.
    pub line_id: Option<String>,
    /// What it is found by.
    pub name: String,
    /// The word that is typed after `/`.
    pub shortcut: Option<String>,
    /// The text.
    pub body: String,
}

/// The fields of a template that change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// New name.
    pub name: Option<String>,
    /// New shortcut; an empty one takes it away.
    pub shortcut: Option<String>,
    /// New text.
    pub body: Option<String>,
    /// The version the caller read.
    pub version: Option<i64>,
}

/// What somebody may use, in the order it was made: up to `limit`, after the template of this id.
pub async fn list(
    db: &impl ConnectionTrait,
    caller: &Scope,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<template::Model>, DbErr> {
    let own = template::Column::OperatorId.eq(&caller.operator_id);
    let mut others = Condition::all().add(template::Column::OperatorId.is_null());
    if !caller.supervises() {
        let of_lines = template::Column::LineId.is_in(caller.line_ids());
        others = others.add(template::Column::LineId.is_null().or(of_lines));
    }
    let mut query = template::Entity::find()
        .filter(Condition::any().add(own).add(others))
        .order_by_asc(template::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(template::Column::Id.gt(after));
    }
    query.all(db).await
}

/// A template that the caller sees.
pub async fn find(db: &impl ConnectionTrait, caller: &Scope, id: &str) -> Result<template::Model, Error> {
    // Out of an address anything may come: PostgreSQL takes a NUL for an error.
    if id.contains('\0') {
        return Err(Error::NotFound);
    }
    let row = template::Entity::find_by_id(id).one(db).await?;
    row.filter(|row| sees(caller, row)).ok_or(Error::NotFound)
}

/// Makes a template.
///
/// # Errors
/// [`Error::Forbidden`] for what others use, unless by an admin; [`Error::Invalid`] with each field that
/// cannot be.
pub async fn create(
    write: &WriteTx,
    caller: &Scope,
    new: New,
    now: DateTime<Utc>,
) -> Result<template::Model, Error> {
    if !may_change(caller, new.scope) {
        return Err(Error::Forbidden);
    }
    let mut wrong = Vec::new();
    let line_id = match (new.scope, new.line_id) {
        (Shared::Line, Some(line_id)) => {
            let exists =
                !line_id.contains('\0') && line::Entity::find_by_id(&line_id).count(write.tx()).await? > 0;
            if !exists {
                wrong.push(("line_id".to_owned(), "there is no such line".to_owned()));
            }
            Some(line_id)
        }
        (Shared::Line, None) => {
            wrong.push(("line_id".to_owned(), "say whose line it is for".to_owned()));
            None
        }
        _ => None,
    };
    let row = template::Model {
        id: id::new(Kind::Template, now),
        line_id,
        operator_id: (new.scope == Shared::Own).then(|| caller.operator_id.clone()),
        name: new.name.trim().to_owned(),
        shortcut: word(new.shortcut.as_deref()),
        body: new.body.trim_end().to_owned(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    wrong.extend(errors(&row.name, row.shortcut.as_deref(), &row.body));
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    template::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Ok(row)
}

/// Changes the fields given.
///
/// # Errors
/// As [`create`], and [`Error::Stale`].
pub async fn update(
    write: &WriteTx,
    caller: &Scope,
    id: &str,
    patch: Patch,
    now: DateTime<Utc>,
) -> Result<template::Model, Error> {
    let mut row = locked(write, caller, id).await?;
    if patch.version.is_some_and(|version| version != row.version) {
        return Err(Error::Stale);
    }
    if let Some(name) = patch.name {
        row.name = name.trim().to_owned();
    }
    if let Some(shortcut) = patch.shortcut {
        row.shortcut = word(Some(&shortcut));
    }
    if let Some(body) = patch.body {
        row.body = body.trim_end().to_owned();
    }
    let wrong = errors(&row.name, row.shortcut.as_deref(), &row.body);
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    row.version += 1;
    row.updated_at = now;
    let change = template::ActiveModel::from(row.clone()).reset_all();
    template::Entity::update(change)
        .exec_without_returning(write.tx())
        .await?;
    Ok(row)
}

/// Removes a template.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Forbidden`] for what others use, unless by an admin.
pub async fn delete(write: &WriteTx, caller: &Scope, id: &str) -> Result<(), Error> {
    locked(write, caller, id).await?;
    template::Entity::delete_by_id(id).exec(write.tx()).await?;
    Ok(())
}

async fn locked(write: &WriteTx, caller: &Scope, id: &str) -> Result<template::Model, Error> {
    let row = find(write.tx(), caller, id).await?;
    if !may_change(caller, scope(&row)) {
        return Err(Error::Forbidden);
    }
    template::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)
}

/// A shortcut as it is typed: small letters, without the stroke.
fn word(shortcut: Option<&str>) -> Option<String> {
    shortcut
        .map(|word| word.trim().trim_start_matches('/').to_lowercase())
        .filter(|word| !word.is_empty())
}
