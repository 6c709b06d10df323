//! Teams: groups of operators that stand in queues as one entry. Changes that a queue feels are told to
//! the lines by the caller (`line::store::team_changed`), which come later on the way.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use crate::{
    db::{
        WriteTx,
        entity::{operator, team, team_member},
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// Members a team may have.
const MEMBER_LIMIT: usize = 1_000;

/// A team as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Team {
    /// `tem_…`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its operators, in order.
    pub member_ids: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A team by id.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Team, Error> {
    let row = team::Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::NotFound)?;
    with_members(db, vec![row]).await?.pop().ok_or(Error::NotFound)
}

/// Up to `limit` teams in the order they were made, after the team of this id.
pub async fn list(db: &impl ConnectionTrait, after: Option<&str>, limit: u64) -> Result<Vec<Team>, DbErr> {
    let mut query = team::Entity::find().order_by_asc(team::Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(team::Column::Id.gt(after));
    }
    with_members(db, query.all(db).await?).await
}

/// Makes a team.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn create(
    write: &mut WriteTx,
    name: &str,
    member_ids: &[String],
    now: DateTime<Utc>,
) -> Result<Team, Error> {
    let (name, members) = checked(write, Some(name), Some(member_ids)).await?;
    let row = team::Model {
        id: id::new(Kind::Team, now),
        name: name.unwrap_or_default(),
        created_at: now,
    };
    team::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    let member_ids = members.unwrap_or_default();
    write_members(write, &row.id, &member_ids).await?;
    tell_members(write, &row.id, now).await?;
    Ok(Team {
        id: row.id,
        name: row.name,
        member_ids,
        created_at: now,
    })
}

/// Changes the fields given.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn update(
    write: &mut WriteTx,
    id: &str,
    name: Option<&str>,
    member_ids: Option<&[String]>,
    now: DateTime<Utc>,
) -> Result<Team, Error> {
    if team::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .is_none()
    {
        return Err(Error::NotFound);
    }
    let (name, members) = checked(write, name, member_ids).await?;
    if let Some(name) = name {
        team::Entity::update_many()
            .col_expr(team::Column::Name, Expr::value(name))
            .filter(team::Column::Id.eq(id))
            .exec(write.tx())
            .await?;
    }
    if let Some(members) = members {
        tell_members(write, id, now).await?;
        team_member::Entity::delete_many()
            .filter(team_member::Column::TeamId.eq(id))
            .exec(write.tx())
            .await?;
        write_members(write, id, &members).await?;
        tell_members(write, id, now).await?;
    }
    find(write.tx(), id).await
}

/// Removes a team; it leaves the queues it stood in.
pub async fn delete(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    tell_members(write, id, now).await?;
    let gone = team::Entity::delete_by_id(id).exec(write.tx()).await?;
    if gone.rows_affected == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}

/// Whose role reaches as far as their team sees otherwise when it changes: their sockets look anew.
async fn tell_members(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let members = Query::select()
        .column(team_member::Column::OperatorId)
        .from(team_member::Entity)
        .and_where(team_member::Column::TeamId.eq(id))
        .to_owned();
    let users = operator::Entity::find()
        .filter(operator::Column::RoleId.is_not_null())
        .filter(operator::Column::Id.in_subquery(members))
        .all(write.tx())
        .await?;
    for user in users {
        write.record(NewEvent::new(EventType::OperatorUpdated, &user.id, now));
    }
    Ok(())
}

async fn with_members(db: &impl ConnectionTrait, rows: Vec<team::Model>) -> Result<Vec<Team>, DbErr> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&String> = rows.iter().map(|row| &row.id).collect();
    let people = team_member::Entity::find()
        .filter(team_member::Column::TeamId.is_in(ids))
        .order_by_asc(team_member::Column::TeamId)
        .order_by_asc(team_member::Column::Position)
        .all(db)
        .await?;
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in people {
        members.entry(row.team_id).or_default().push(row.operator_id);
    }
    let team = |row: team::Model| Team {
        member_ids: members.remove(&row.id).unwrap_or_default(),
        id: row.id,
        name: row.name,
        created_at: row.created_at,
    };
    Ok(rows.into_iter().map(team).collect())
}

async fn write_members(write: &WriteTx, id: &str, members: &[String]) -> Result<(), DbErr> {
    if members.is_empty() {
        return Ok(());
    }
    let rows = (0_i64..)
        .zip(members)
        .map(|(position, operator_id)| team_member::ActiveModel {
            team_id: Set(id.to_owned()),
            operator_id: Set(operator_id.clone()),
            position: Set(position),
        });
    team_member::Entity::insert_many(rows)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

type Checked = (Option<String>, Option<Vec<String>>);

async fn checked(
    write: &WriteTx,
    name: Option<&str>,
    member_ids: Option<&[String]>,
) -> Result<Checked, Error> {
    let mut errors = Vec::new();
    let name = name.map(str::trim);
    if name.is_some_and(|name| name.is_empty() || name.chars().count() > 200) {
        errors.push(("name".to_owned(), "must have 1 to 200 characters".to_owned()));
    }
    let mut seen = BTreeSet::new();
    let members: Option<Vec<String>> = member_ids.map(|ids| {
        ids.iter()
            .filter(|id| seen.insert((*id).clone()))
            .cloned()
            .collect()
    });
    if seen.len() > MEMBER_LIMIT {
        errors.push(("member_ids".to_owned(), format!("at most {MEMBER_LIMIT}")));
    } else if !seen.is_empty() {
        let known = operator::Entity::find()
            .filter(operator::Column::Id.is_in(&seen))
            .all(write.tx())
            .await?;
        for row in known {
            seen.remove(&row.id);
        }
        errors.extend(
            seen.iter()
                .map(|id| ("member_ids".to_owned(), format!("there is no operator {id}"))),
        );
    }
    if errors.is_empty() {
        Ok((name.map(str::to_owned), members))
    } else {
        Err(Error::Invalid(errors))
    }
}
