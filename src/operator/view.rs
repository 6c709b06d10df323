//! A user as the API shows it.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Availability, Counting, Presence, load, presence,
    rights::Role,
    role, roster,
    schedule::{Why, effective},
    store,
};
use crate::db::entity::operator;

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct User {
    /// `opr_…`.
    pub id: String,
    /// Signs in with it; a service user has none.
    pub email: Option<String>,
    /// What people call them.
    pub name: String,
    /// What they may do; `operator` of who has a role that an admin defined.
    pub role: Role,
    /// Their role: `admin`, `supervisor`, `operator` or `rol_…`; GET /api/v1/roles describes it.
    pub role_id: String,
    /// Languages they answer in.
    pub languages: Vec<String>,
    /// What they know.
    pub skills: Vec<String>,
    /// The weighted load they may have.
    pub capacity: f64,
    /// Whether they may sign in and be given work.
    pub enabled: bool,
    /// What is observed.
    pub presence: Presence,
    /// What counts: what they say, less what their schedule takes away.
    pub availability: Availability,
    /// What they say.
    pub availability_said: Availability,
    /// What makes the availability what it is.
    pub availability_why: Why,
    /// Why they are not accepting, when they said so themselves.
    pub availability_reason: Option<String>,
    /// When their schedule alone changes it.
    pub availability_changes_at: Option<DateTime<Utc>>,
    /// Since when they say what they say; null when that was before it was kept.
    pub availability_since: Option<DateTime<Utc>>,
    /// The weighted sum of the open sessions they own that count, over all lines.
    pub load: f64,
    /// Open sessions that have waited for the client for so long that they do not count.
    pub resting: u32,
    /// Made for an API key.
    pub service: bool,
    /// Grows with each change of the user; presence and load are not part of it.
    pub version: i64,
    /// When they were made.
    pub created_at: DateTime<Utc>,
}

/// These users as the API shows them, with three queries however many they are.
pub async fn views(
    db: &impl ConnectionTrait,
    rows: Vec<operator::Model>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<Vec<User>, DbErr> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let observed = presence::observed(db, &ids, now).await?;
    let loads = load::loads(db, &ids, counting, now).await?;
    let plans = roster::plans(db, &ids).await?;
    let user = |row: operator::Model| {
        let counts = effective(roster::said(&row), plans.get(&row.id), now);
        User {
            presence: observed
                .get(&row.id)
                .map_or(Presence::Offline, |seen| seen.presence),
            load: loads.get(&row.id).map_or(0.0, |load| load.total),
            resting: loads.get(&row.id).map_or(0, |load| load.resting),
            role: Role::parse(&row.role),
            role_id: role::id_of(&row),
            languages: store::words(&row.languages),
            skills: store::words(&row.skills),
            availability: counts.availability,
            availability_said: Availability::parse(&row.availability),
            availability_why: counts.why,
            availability_changes_at: counts.changes_at,
            id: row.id,
            email: row.email,
            name: row.name,
            capacity: row.capacity,
            enabled: row.enabled,
            availability_since: row.availability_since,
            availability_reason: row.availability_reason.filter(|_| counts.why == Why::Said),
            service: row.service,
            version: row.version,
            created_at: row.created_at,
        }
    };
    Ok(rows.into_iter().map(user).collect())
}

/// One user as the API shows it.
pub async fn view(
    db: &impl ConnectionTrait,
    row: operator::Model,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<User, DbErr> {
    let mut views = views(db, vec![row], counting, now).await?;
    views
        .pop()
        .ok_or_else(|| DbErr::RecordNotFound("the user that was just read".to_owned()))
}
