//! Lines in the database, with the history of their versions.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{CaseStatement, Expr, ExprTrait},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Error, Rules, due::Promise, queue, queue::Entry};
use crate::{
    db::{
        WriteTx,
        entity::{line, line_queue, line_version, operator, session, team, team_member},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
    operator::rights::Role,
};

/// Due times changed by one statement.
const DUE_CHUNK: usize = 500;
/// Entries a queue may have.
const QUEUE_LIMIT: usize = 1_000;

/// The fields of a line that are given; the others stay, or have their defaults.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Change {
    /// A word for URLs, settings and filters; made from the name when a line is created without.
    #[serde(default)]
    pub key: Option<String>,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// A line that is not enabled assigns nothing.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Who stands in it, in order.
    #[serde(default)]
    pub queue: Option<Vec<Entry>>,
    /// The version the caller read.
    #[serde(default)]
    pub version: Option<i64>,
    /// Fields of [`Rules`]; others are ignored.
    #[serde(flatten)]
    pub rules: Map<String, Value>,
}

/// A line by its id or its key.
pub async fn find(db: &impl ConnectionTrait, word: &str) -> Result<line::Model, Error> {
    line::Entity::find()
        .filter(line::Column::Id.eq(word).or(line::Column::Key.eq(word)))
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// The names of all lines, by id.
pub async fn names(db: &impl ConnectionTrait) -> Result<HashMap<String, String>, DbErr> {
    crate::db::names::<line::Entity>(db, line::Column::Id, line::Column::Name).await
}

/// Up to `limit` lines in the order they were made, after the line of this id.
pub async fn list(
    db: &impl ConnectionTrait,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<line::Model>, DbErr> {
    let mut query = line::Entity::find().order_by_asc(line::Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(line::Column::Id.gt(after));
    }
    query.all(db).await
}

/// The versions of a line, newest first, before this version.
pub async fn versions(
    db: &impl ConnectionTrait,
    id: &str,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<line_version::Model>, DbErr> {
    let mut query = line_version::Entity::find()
        .filter(line_version::Column::LineId.eq(id))
        .order_by_desc(line_version::Column::Version)
        .limit(limit);
    if let Some(before) = before {
        query = query.filter(line_version::Column::Version.lt(before));
    }
    query.all(db).await
}

/// Whether this user may make a session of the line theirs that nobody has.
pub async fn may_pull(db: &impl ConnectionTrait, id: &str, by: &operator::Model) -> Result<bool, DbErr> {
    if Role::parse(&by.role) >= Role::Supervisor {
        return Ok(true);
    }
    let line = line::Entity::find_by_id(id).one(db).await?;
    line.map_or(Ok(true), |line| Ok(Rules::from_stored(&line.rules)?.may_pull))
}

/// What a line promises its clients; nothing, when there is no such line.
pub async fn promise(db: &impl ConnectionTrait, id: &str) -> Result<Promise, DbErr> {
    let row = line::Entity::find_by_id(id).one(db).await?;
    row.map_or_else(
        || Ok(Promise::default()),
        |row| Ok(Promise::of(&Rules::from_stored(&row.rules)?)),
    )
}

/// Sets the due times of a line's open sessions to what it promises now.
async fn promise_anew(write: &WriteTx, id: &str, promise: &Promise) -> Result<(), DbErr> {
    let owing = session::Entity::find()
        .filter(session::Column::LineId.eq(id))
        .filter(session::Column::ClosedAt.is_null())
        .filter(session::Column::OwedSince.is_not_null())
        .order_by_asc(session::Column::Id)
        .all(write.tx())
        .await?;
    let changed: Vec<(String, Option<DateTime<Utc>>)> = owing
        .into_iter()
        .filter_map(|session| {
            let due_at = promise.due_at(session.owed_since, session.first_reply_at.is_some());
            (due_at != session.due_at).then_some((session.id, due_at))
        })
        .collect();
    for some in changed.chunks(DUE_CHUNK) {
        let mut due_at = CaseStatement::new();
        for (id, due) in some {
            due_at = due_at.case(session::Column::Id.eq(id), Expr::value(*due));
        }
        // PostgreSQL takes a CASE over parameters for text.
        let due_at = Expr::expr(due_at).cast_as(if write.backend() == DbBackend::Postgres {
            "timestamptz"
        } else {
            "text"
        });
        session::Entity::update_many()
            .col_expr(session::Column::DueAt, due_at)
            .filter(session::Column::Id.is_in(some.iter().map(|(id, _)| id)))
            .exec(write.tx())
            .await?;
    }
    Ok(())
}

/// Makes a line. Only the name is required.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn create(
    write: &mut WriteTx,
    change: Change,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<line::Model, Error> {
    let id = id::new(Kind::Line, now);
    let mut errors = Vec::new();
    let name = checked_name(change.name.as_deref().unwrap_or_default(), &mut errors);
    let rules = checked_rules(write, &id, &Rules::default(), &change.rules, &mut errors).await?;
    let queue = change.queue.unwrap_or_default();
    check_queue(write, &queue, &mut errors).await?;
    let key = match &change.key {
        Some(key) => checked_key(write, key, &id, &mut errors).await?,
        None => free_key(write, &name).await?,
    };
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let row = line::Model {
        id,
        key,
        name,
        enabled: change.enabled.unwrap_or(true),
        version: 1,
        rules: rules.to_stored(),
        created_at: now,
        updated_at: now,
    };
    line::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    write_queue(write, &row.id, &queue).await?;
    keep_version(write, &row, &queue, by, now).await?;
    write.record(NewEvent::new(EventType::LineUpdated, &row.id, now));
    Ok(row)
}

/// Changes the fields given; a change that changes nothing makes no version.
///
/// # Errors
/// [`Error::Stale`] when the caller's version is not the present one, [`Error::Invalid`] with each
/// field that cannot be.
pub async fn update(
    write: &mut WriteTx,
    id: &str,
    change: Change,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<line::Model, Error> {
    let current = line::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)?;
    if change.version.is_some_and(|version| version != current.version) {
        return Err(Error::Stale);
    }
    let mut errors = Vec::new();
    let mut row = current.clone();
    if let Some(name) = &change.name {
        row.name = checked_name(name, &mut errors);
    }
    if let Some(key) = &change.key {
        row.key = checked_key(write, key, id, &mut errors).await?;
    }
    row.enabled = change.enabled.unwrap_or(row.enabled);
    let old_rules = Rules::from_stored(&current.rules)?;
    let rules = checked_rules(write, id, &old_rules, &change.rules, &mut errors).await?;
    let old_queue = queue::entries(write.tx(), &[id.to_owned()])
        .await?
        .remove(id)
        .unwrap_or_default();
    let queue = change.queue.unwrap_or_else(|| old_queue.clone());
    if queue != old_queue {
        check_queue(write, &queue, &mut errors).await?;
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    if rules != old_rules {
        row.rules = rules.to_stored();
    }
    if row == current && queue == old_queue {
        return Ok(current);
    }
    row.version += 1;
    row.updated_at = now;
    row.clone()
        .into_active_model()
        .reset_all()
        .update(write.tx())
        .await?;
    if queue != old_queue {
        line_queue::Entity::delete_many()
            .filter(line_queue::Column::LineId.eq(id))
            .exec(write.tx())
            .await?;
        write_queue(write, id, &queue).await?;
    }
    keep_version(write, &row, &queue, by, now).await?;
    let promise = Promise::of(&rules);
    if promise != Promise::of(&old_rules) {
        promise_anew(write, id, &promise).await?;
    }
    write.record(NewEvent::new(EventType::LineUpdated, id, now));
    Ok(row)
}

/// Records that the queues in which this team stands have changed with it.
pub async fn team_changed(write: &mut WriteTx, team_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let rows = line_queue::Entity::find()
        .filter(line_queue::Column::TeamId.eq(team_id))
        .all(write.tx())
        .await?;
    let lines: BTreeSet<String> = rows.into_iter().map(|row| row.line_id).collect();
    for line in lines {
        write.record(NewEvent::new(EventType::LineUpdated, line, now));
    }
    Ok(())
}

/// The lines in whose queue one of these operators stands, directly or through a team.
pub async fn lines_of(db: &impl ConnectionTrait, operator_ids: &[String]) -> Result<BTreeSet<String>, DbErr> {
    if operator_ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let teams = sea_orm::sea_query::Query::select()
        .column(team_member::Column::TeamId)
        .from(team_member::Entity)
        .and_where(team_member::Column::OperatorId.is_in(operator_ids))
        .to_owned();
    let rows = line_queue::Entity::find()
        .filter(
            line_queue::Column::OperatorId
                .is_in(operator_ids)
                .or(line_queue::Column::TeamId.in_subquery(teams)),
        )
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.line_id).collect())
}

async fn write_queue(write: &WriteTx, id: &str, queue: &[Entry]) -> Result<(), DbErr> {
    if queue.is_empty() {
        return Ok(());
    }
    let rows = (0_i64..).zip(queue).map(|(position, entry)| {
        let (operator_id, team_id) = match entry {
            Entry::Operator { operator_id } => (Some(operator_id.clone()), None),
            Entry::Team { team_id } => (None, Some(team_id.clone())),
        };
        line_queue::ActiveModel {
            line_id: Set(id.to_owned()),
            position: Set(position),
            operator_id: Set(operator_id),
            team_id: Set(team_id),
        }
    });
    line_queue::Entity::insert_many(rows)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

async fn keep_version(
    write: &WriteTx,
    row: &line::Model,
    queue: &[Entry],
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let body = json!({
        "key": row.key, "name": row.name, "enabled": row.enabled, "queue": queue, "rules": row.rules,
    });
    let version = line_version::ActiveModel {
        line_id: Set(row.id.clone()),
        version: Set(row.version),
        operator_id: Set(by.map(str::to_owned)),
        body: Set(body),
        created_at: Set(now),
    };
    line_version::Entity::insert(version)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

fn checked_name(name: &str, errors: &mut Vec<(String, String)>) -> String {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        errors.push(("name".to_owned(), "must have 1 to 200 characters".to_owned()));
    }
    name.to_owned()
}

async fn checked_rules(
    write: &WriteTx,
    id: &str,
    current: &Rules,
    patch: &Map<String, Value>,
    errors: &mut Vec<(String, String)>,
) -> Result<Rules, DbErr> {
    let rules = match current.patched(patch) {
        Ok(rules) => rules,
        Err(wrong) => {
            errors.extend(wrong);
            return Ok(current.clone());
        }
    };
    let field = || "overflow.line_id".to_owned();
    match rules.overflow.line_id.as_deref() {
        Some(other) if other == id => errors.push((field(), "a line cannot overflow into itself".to_owned())),
        // A line that was there when this was set cannot vanish: lines are not deleted.
        Some(other) if rules.overflow.line_id != current.overflow.line_id => {
            let known = line::Entity::find_by_id(other).one(write.tx()).await?.is_some();
            errors.extend((!known).then(|| (field(), "there is no such line".to_owned())));
        }
        Some(_) | None => {}
    }
    Ok(rules)
}

async fn check_queue(
    write: &WriteTx,
    queue: &[Entry],
    errors: &mut Vec<(String, String)>,
) -> Result<(), DbErr> {
    let mut wrong = |message: String| errors.push(("queue".to_owned(), message));
    if queue.len() > QUEUE_LIMIT {
        wrong(format!("at most {QUEUE_LIMIT} entries"));
        return Ok(());
    }
    let (mut operators, mut teams) = (BTreeSet::new(), BTreeSet::new());
    for entry in queue {
        match entry {
            Entry::Operator { operator_id } => operators.insert(operator_id.clone()),
            Entry::Team { team_id } => teams.insert(team_id.clone()),
        };
    }
    if !operators.is_empty() {
        let known = operator::Entity::find()
            .filter(operator::Column::Id.is_in(&operators))
            .all(write.tx())
            .await?;
        for row in known {
            operators.remove(&row.id);
        }
    }
    if !teams.is_empty() {
        let known = team::Entity::find()
            .filter(team::Column::Id.is_in(&teams))
            .all(write.tx())
            .await?;
        for row in known {
            teams.remove(&row.id);
        }
    }
    for unknown in operators {
        wrong(format!("there is no operator {unknown}"));
    }
    for unknown in teams {
        wrong(format!("there is no team {unknown}"));
    }
    Ok(())
}

async fn checked_key(
    write: &WriteTx,
    key: &str,
    id: &str,
    errors: &mut Vec<(String, String)>,
) -> Result<String, DbErr> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if key.is_empty() || key.len() > 64 || !key.bytes().all(fits) {
        let message = "must have 1 to 64 characters of a-z, 0-9, - and _";
        errors.push(("key".to_owned(), message.to_owned()));
    } else {
        let other = line::Entity::find()
            .filter(line::Column::Key.eq(key))
            .one(write.tx())
            .await?;
        if other.is_some_and(|other| other.id != id) {
            errors.push(("key".to_owned(), "is the key of another line".to_owned()));
        }
    }
    Ok(key.to_owned())
}

/// A key from the name that no line has: `support`, `support-2`, … and a random one at last.
async fn free_key(write: &WriteTx, name: &str) -> Result<String, DbErr> {
    let base = slug(name);
    for number in 1..100 {
        let key = if number == 1 {
            base.clone()
        } else {
            format!("{base}-{number}")
        };
        if line::Entity::find()
            .filter(line::Column::Key.eq(&key))
            .count(write.tx())
            .await?
            == 0
        {
            return Ok(key);
        }
    }
    Ok(format!("{base}-{}", id::word()))
}

/// Small letters and digits of a name with dashes between; `line` when it has none.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().take(40).flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "line".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_key_is_made_of_what_a_name_has_for_one() {
        assert_eq!(slug("  Sales & Support (EU) "), "sales-support-eu");
        assert_eq!(slug("Поддержка"), "line");
    }
}
