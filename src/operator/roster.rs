//! Schedules in the database, and what others were told of them.
//!
//! `operator.changes_at` is when the schedule changes next what others were last told. It moves in the
//! transaction of the event that tells them, so each change is told exactly once, whichever node
//! notices it and however long nobody looked; like `presence` it is never used to decide.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    Availability, Error,
    schedule::{Plan, Said, Schedule, effective},
};
use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{operator, operator_schedule},
    },
    event::{EventType, NewEvent},
};

/// Operators told about in one transaction.
const PAGE: u64 = 200;
/// Changes that are gone through one by one when nobody looked for long: three years of shifts with a break.
const MISSED_CHANGES: usize = 4_000;

/// What this row says of its operator.
pub fn said(row: &operator::Model) -> Said {
    Said {
        state: Availability::parse(&row.availability),
        at: row.said_at,
    }
}

/// The schedules of these operators; who has none is missing.
pub async fn plans(
    db: &impl ConnectionTrait,
    operator_ids: &[String],
) -> Result<BTreeMap<String, Plan>, DbErr> {
    if operator_ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = operator_schedule::Entity::find()
        .filter(operator_schedule::Column::OperatorId.is_in(bulk::padded(operator_ids)))
        .all(db)
        .await?;
    let plan = |row: operator_schedule::Model| {
        let plan = Schedule::from_stored(&row.body)?.plan(row.updated_at);
        Ok((row.operator_id, plan))
    };
    rows.into_iter().map(plan).collect()
}

/// Every schedule that somebody made, with its version, by operator.
pub async fn all(db: &impl ConnectionTrait) -> Result<BTreeMap<String, (Schedule, i64)>, DbErr> {
    let rows = operator_schedule::Entity::find().all(db).await?;
    let read = |row: operator_schedule::Model| {
        let schedule = Schedule::from_stored(&row.body)?;
        Ok((row.operator_id, (schedule, row.version)))
    };
    rows.into_iter().map(read).collect()
}

/// The schedule of an operator with its version, and since when it is this one; version 0 is one that
/// nobody made.
pub async fn find(
    db: &impl ConnectionTrait,
    operator_id: &str,
) -> Result<(Schedule, i64, DateTime<Utc>), DbErr> {
    let row = operator_schedule::Entity::find_by_id(operator_id).one(db).await?;
    row.map_or(Ok((Schedule::default(), 0, DateTime::UNIX_EPOCH)), |row| {
        Ok((Schedule::from_stored(&row.body)?, row.version, row.updated_at))
    })
}

/// Gives an operator another schedule. Answers its version.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`] when the caller's version is not the present one,
/// [`Error::Invalid`] with each field that cannot be.
pub async fn put(
    write: &mut WriteTx,
    operator_id: &str,
    schedule: &Schedule,
    version: Option<i64>,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let mut user = lock(write, operator_id).await?.ok_or(Error::NotFound)?;
    let errors = schedule.errors();
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let (current, present, _) = find(write.tx(), operator_id).await?;
    if version.is_some_and(|version| version != present) {
        return Err(Error::Stale);
    }
    if *schedule == current {
        return Ok(present);
    }
    let row = operator_schedule::Model {
        operator_id: operator_id.to_owned(),
        body: schedule.to_stored(),
        version: present + 1,
        updated_at: now,
    };
    let replace = OnConflict::column(operator_schedule::Column::OperatorId)
        .update_columns([
            operator_schedule::Column::Body,
            operator_schedule::Column::Version,
            operator_schedule::Column::UpdatedAt,
        ])
        .to_owned();
    operator_schedule::Entity::insert(row.into_active_model())
        .on_conflict(replace)
        .exec_without_returning(write.tx())
        .await?;
    note(&mut user, Some(&schedule.clone().plan(now)), now, now);
    tell(write, &user, now).await?;
    Ok(present + 1)
}

/// Notes in the row what others are told with the next event; `since` is when it came to be so.
pub(super) fn note(row: &mut operator::Model, plan: Option<&Plan>, since: DateTime<Utc>, now: DateTime<Utc>) {
    let found = effective(said(row), plan, now);
    row.changes_at = found.changes_at;
    row.unavailable_since = match found.availability {
        Availability::Accepting => None,
        Availability::Paused | Availability::Off => row.unavailable_since.or(Some(since)),
    };
}

/// Tells others of everybody whose availability their schedule has changed by now. Answers who.
pub async fn tell_changes(db: &Db, now: DateTime<Utc>) -> Result<Vec<String>, DbErr> {
    let mut told = Vec::new();
    loop {
        let due: Vec<String> = operator::Entity::find()
            .select_only()
            .column(operator::Column::Id)
            .filter(operator::Column::ChangesAt.lte(now))
            .order_by_asc(operator::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(db.read())
            .await?;
        if due.is_empty() {
            return Ok(told);
        }
        let last = (due.len() as u64) < PAGE;
        let mut write = db.write().await?;
        let mut users = Vec::with_capacity(due.len());
        for id in &due {
            users.extend(lock(&write, id).await?);
        }
        // After the locks: nobody changes a schedule in between.
        let plans = plans(write.tx(), &due).await?;
        for mut user in users {
            let plan = plans.get(&user.id);
            if !catch_up(&mut user, plan, now) {
                continue;
            }
            tell(&mut write, &user, now).await?;
            told.push(user.id);
        }
        write.commit().await?;
        if last {
            return Ok(told);
        }
    }
}

/// Since when these operators are not at work, for those who are not: as others were told, or will be by `now`.
pub async fn unavailable_since(
    db: &impl ConnectionTrait,
    operator_ids: &[String],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, DateTime<Utc>>, DbErr> {
    if operator_ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = operator::Entity::find()
        .filter(operator::Column::Id.is_in(bulk::padded(operator_ids)))
        .all(db)
        .await?;
    let late: Vec<String> = rows
        .iter()
        .filter(|row| row.changes_at.is_some_and(|at| at <= now))
        .map(|row| row.id.clone())
        .collect();
    let plans = plans(db, &late).await?;
    let since = |mut row: operator::Model| {
        let plan = plans.get(&row.id);
        catch_up(&mut row, plan, now);
        Some((row.id, row.unavailable_since?))
    };
    Ok(rows.into_iter().filter_map(since).collect())
}

/// Notes each change that time has brought by `now`, one after another: who looks late must not take the absence
/// before a shift for the one after it. Answers whether there was any.
fn catch_up(row: &mut operator::Model, plan: Option<&Plan>, now: DateTime<Utc>) -> bool {
    let Some(first) = row.changes_at.filter(|at| *at <= now) else {
        return false;
    };
    let mut at = first;
    for _ in 0..MISSED_CHANGES {
        note(row, plan, at, at);
        match row.changes_at {
            Some(next) if next > at && next <= now => at = next,
            _ => break,
        }
    }
    note(row, plan, at, now);
    true
}

async fn lock(write: &WriteTx, operator_id: &str) -> Result<Option<operator::Model>, DbErr> {
    operator::Entity::find_by_id(operator_id)
        .lock_exclusive()
        .one(write.tx())
        .await
}

async fn tell(write: &mut WriteTx, user: &operator::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    operator::Entity::update_many()
        .col_expr(operator::Column::ChangesAt, Expr::value(user.changes_at))
        .col_expr(
            operator::Column::UnavailableSince,
            Expr::value(user.unavailable_since),
        )
        .filter(operator::Column::Id.eq(&user.id))
        .exec(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::OperatorUpdated, &user.id, now));
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::json;

    use super::{Schedule, catch_up, note, operator};

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}:00Z").parse().unwrap()
    }

    fn accepting() -> operator::Model {
        operator::Model {
            id: "opr_1".to_owned(),
            email: None,
            name: "Anna".to_owned(),
            role: "operator".to_owned(),
            password_hash: None,
            languages: json!([]),
            skills: json!([]),
            capacity: 5.0,
            enabled: true,
            availability: "accepting".to_owned(),
            availability_reason: None,
            availability_since: None,
            presence: "online".to_owned(),
            service: false,
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            said_at: None,
            unavailable_since: None,
            changes_at: None,
            role_id: None,
        }
    }

    #[test]
    fn who_looks_late_takes_no_absence_before_a_shift_for_the_one_after_it() {
        let schedule = Schedule::from_stored(
            &json!({"time_zone": "UTC", "weekly": {"mon": [["09:00", "12:00"], ["13:00", "18:00"]]}}),
        )
        .unwrap();
        let plan = schedule.plan(DateTime::UNIX_EPOCH);
        let mut row = accepting();
        note(&mut row, Some(&plan), at("22T18:00"), at("22T18:00"));
        assert_eq!(row.unavailable_since, Some(at("22T18:00")));
        // Monday morning passed unseen.
        assert!(catch_up(&mut row, Some(&plan), at("23T12:30")));
        assert_eq!(row.unavailable_since, Some(at("23T12:00")));
        assert_eq!(row.changes_at, Some(at("23T13:00")));
        assert!(!catch_up(&mut row, Some(&plan), at("23T12:59")));
        assert!(catch_up(&mut row, Some(&plan), at("23T14:00")));
        assert_eq!(
            (row.unavailable_since, row.changes_at),
            (None, Some(at("23T18:00")))
        );
    }
}
