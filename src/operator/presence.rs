//! Whether an operator is there: leases that each source (a socket, a program) renews.
//!
//! The column `operator.presence` is what others were last told. It changes together with an event, so
//! a lapsed lease is announced exactly once, whichever node notices it; it is never used to decide.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{operator, presence_lease},
    },
    event::{EventType, NewEvent},
};

/// How long a lapsed lease is remembered: it says since when somebody is gone.
const MEMORY: TimeDelta = TimeDelta::days(7);

/// What is observed. The order is "more there".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// No live lease.
    Offline,
    /// Connected, not at the keyboard.
    Away,
    /// There.
    Online,
}

impl Presence {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Away => "away",
            Self::Online => "online",
        }
    }

    /// Reads the word; an unknown one is nobody there.
    pub fn parse(word: &str) -> Self {
        match word {
            "online" => Self::Online,
            "away" => Self::Away,
            _ => Self::Offline,
        }
    }
}

/// What the operator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Takes work.
    Accepting,
    /// A break.
    Paused,
    /// Not on shift.
    Off,
}

impl Availability {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepting => "accepting",
            Self::Paused => "paused",
            Self::Off => "off",
        }
    }

    /// Reads the word; an unknown one takes no work.
    pub fn parse(word: &str) -> Self {
        match word {
            "accepting" => Self::Accepting,
            "paused" => Self::Paused,
            _ => Self::Off,
        }
    }
}

/// What the leases of one operator say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// The best live lease.
    pub presence: Presence,
    /// Since when none is live; `None` while one is, and when there never was one.
    pub gone_since: Option<DateTime<Utc>>,
}

impl Observed {
    /// Somebody of whom nothing was ever observed.
    pub const NEVER: Self = Self {
        presence: Presence::Offline,
        gone_since: None,
    };
}

/// The best live lease: online before away before offline. Pure.
pub fn observe<'a>(
    leases: impl IntoIterator<Item = &'a presence_lease::Model>,
    now: DateTime<Utc>,
) -> Observed {
    let mut presence = Presence::Offline;
    let mut last: Option<DateTime<Utc>> = None;
    for lease in leases {
        if lease.expires_at > now {
            presence = presence.max(Presence::parse(&lease.state));
        }
        last = last.max(Some(lease.expires_at.min(now)));
    }
    Observed {
        presence,
        gone_since: last.filter(|_| presence == Presence::Offline),
    }
}

/// What is observed of these operators; who never had a lease is missing.
pub async fn observed(
    db: &impl ConnectionTrait,
    operator_ids: &[String],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, Observed>, DbErr> {
    let mut leases: BTreeMap<String, Vec<presence_lease::Model>> = BTreeMap::new();
    if !operator_ids.is_empty() {
        let rows = presence_lease::Entity::find()
            .filter(presence_lease::Column::OperatorId.is_in(bulk::padded(operator_ids)))
            .all(db)
            .await?;
        for row in rows {
            leases.entry(row.operator_id.clone()).or_default().push(row);
        }
    }
    Ok(leases
        .into_iter()
        .map(|(id, leases)| (id, observe(&leases, now)))
        .collect())
}

/// `source` sees the operator in this state for the next `ttl`.
pub async fn touch(
    db: &Db,
    operator_id: &str,
    source: &str,
    state: Presence,
    ttl: Duration,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut write = db.write().await?;
    let Some(user) = lock(&write, operator_id).await? else {
        return Ok(());
    };
    let lease = presence_lease::ActiveModel {
        operator_id: Set(operator_id.to_owned()),
        source: Set(source.to_owned()),
        state: Set(state.as_str().to_owned()),
        expires_at: Set(now + TimeDelta::from_std(ttl).unwrap_or(MEMORY)),
    };
    presence_lease::Entity::insert(lease)
        .on_conflict(
            OnConflict::columns([presence_lease::Column::OperatorId, presence_lease::Column::Source])
                .update_columns([presence_lease::Column::State, presence_lease::Column::ExpiresAt])
                .to_owned(),
        )
        .exec_without_returning(write.tx())
        .await?;
    announce(&mut write, &user, now).await?;
    write.commit().await
}

/// `source` no longer sees the operator: its lease lapses after `grace`, so that somebody who reloads
/// a page does not look gone.
pub async fn leave(
    db: &Db,
    operator_id: &str,
    source: &str,
    grace: Duration,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut write = db.write().await?;
    let Some(user) = lock(&write, operator_id).await? else {
        return Ok(());
    };
    let until = now + TimeDelta::from_std(grace).unwrap_or(MEMORY);
    presence_lease::Entity::update_many()
        .col_expr(presence_lease::Column::ExpiresAt, Expr::value(until))
        .filter(presence_lease::Column::OperatorId.eq(operator_id))
        .filter(presence_lease::Column::Source.eq(source))
        .filter(presence_lease::Column::ExpiresAt.gt(until))
        .exec(write.tx())
        .await?;
    announce(&mut write, &user, now).await?;
    write.commit().await
}

/// Announces those whose presence is not what others were told, and forgets old leases. Answers who
/// changed.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<Vec<String>, DbErr> {
    let live = Query::select()
        .column(presence_lease::Column::OperatorId)
        .from(presence_lease::Entity)
        .and_where(presence_lease::Column::ExpiresAt.gt(now))
        .to_owned();
    let told: Vec<(String, String)> = operator::Entity::find()
        .select_only()
        .columns([operator::Column::Id, operator::Column::Presence])
        .filter(
            Condition::any()
                .add(operator::Column::Presence.ne(Presence::Offline.as_str()))
                .add(operator::Column::Id.in_subquery(live)),
        )
        .order_by_asc(operator::Column::Id)
        .into_tuple()
        .all(db.read())
        .await?;
    let ids: Vec<String> = told.iter().map(|(id, _)| id.clone()).collect();
    let observed = observed(db.read(), &ids, now).await?;
    let differs = |(id, told): &(String, String)| {
        Presence::parse(told) != observed.get(id).map_or(Presence::Offline, |seen| seen.presence)
    };
    let lapsed: Vec<String> = told.into_iter().filter(differs).map(|(id, _)| id).collect();
    if lapsed.is_empty() {
        return Ok(lapsed);
    }
    let mut write = db.write().await?;
    let mut changed = Vec::new();
    for id in lapsed {
        let Some(user) = lock(&write, &id).await? else {
            continue;
        };
        if announce(&mut write, &user, now).await? {
            changed.push(id);
        }
    }
    presence_lease::Entity::delete_many()
        .filter(presence_lease::Column::ExpiresAt.lt(now - MEMORY))
        .exec(write.tx())
        .await?;
    write.commit().await?;
    Ok(changed)
}

async fn lock(write: &WriteTx, operator_id: &str) -> Result<Option<operator::Model>, DbErr> {
    operator::Entity::find_by_id(operator_id)
        .lock_exclusive()
        .one(write.tx())
        .await
}

/// Tells others when what is observed is not what they were told.
async fn announce(write: &mut WriteTx, user: &operator::Model, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let leases = presence_lease::Entity::find()
        .filter(presence_lease::Column::OperatorId.eq(&user.id))
        .all(write.tx())
        .await?;
    let presence = observe(&leases, now).presence;
    if presence == Presence::parse(&user.presence) {
        return Ok(false);
    }
    operator::Entity::update_many()
        .col_expr(operator::Column::Presence, Expr::value(presence.as_str()))
        .filter(operator::Column::Id.eq(&user.id))
        .exec(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::OperatorUpdated, &user.id, now));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{Observed, Presence, observe};
    use crate::db::entity::presence_lease::Model;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn lease(state: &str, seconds: i64) -> Model {
        Model {
            operator_id: "opr_a".to_owned(),
            source: format!("{state}{seconds}"),
            state: state.to_owned(),
            expires_at: now() + TimeDelta::seconds(seconds),
        }
    }

    #[test]
    fn the_best_live_lease_counts() {
        let leases = [lease("away", 10), lease("online", 0), lease("offline", 50)];
        assert_eq!(observe(&leases, now()).presence, Presence::Away);
        assert_eq!(
            observe(&[lease("online", 1), lease("away", 9)], now()).presence,
            Presence::Online
        );
    }

    #[test]
    fn who_left_is_gone_since_the_last_lease_lapsed() {
        let gone = observe(&[lease("online", -30), lease("away", -5)], now());
        let expected = Observed {
            presence: Presence::Offline,
            gone_since: Some(now() - TimeDelta::seconds(5)),
        };
        assert_eq!(gone, expected);
        assert_eq!(observe(&[], now()), Observed::NEVER);
    }

    proptest! {
        #[test]
        fn presence_never_outlives_its_leases(seconds in prop::collection::vec(-50_i64..50, 0..6)) {
            let leases: Vec<Model> = seconds.iter().map(|seconds| lease("online", *seconds)).collect();
            let there = seconds.iter().any(|seconds| *seconds > 0);
            let seen = observe(&leases, now());
            prop_assert_eq!(seen.presence == Presence::Online, there);
            prop_assert!(!there || seen.gone_since.is_none());
        }
    }
}
