//! How much an operator has to do: the open sessions they own or are alone asked to take, over all
//! lines, weighted by the kind of channel (a mail is not a chat).
//!
//! A snoozed session counts: it comes back to its owner, who must have room for it then. One that has waited
//! for the client long enough does not ([`Counting`]): when the client writes, its owner may have more than
//! their capacity for a while, and is given nothing else meanwhile.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

use super::Counting;
use crate::db::bulk;

/// Sums of weights such as 0.1 are not exact; a load this close to the capacity is at it.
const TOLERANCE: f64 = 1e-6;

/// Whether the client has the next word in a session of an operator: it was answered, and nothing is owed.
const WAITS_FOR_CLIENT: &str = "state = 'assigned' AND owed_since IS NULL AND answered_at IS NOT NULL";

/// What one operator has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Load {
    /// The sum of the weights of what counts.
    pub total: f64,
    /// Open sessions of each line that count, unweighted: what `limit_per_operator` counts.
    pub sessions: BTreeMap<String, u32>,
    /// Open sessions that wait for the client for so long that they do not count.
    pub resting: u32,
    /// When the next one stops counting, should the client stay silent.
    pub eases_at: Option<DateTime<Utc>>,
}

impl Load {
    /// Adds one session.
    pub fn add(&mut self, line_id: &str, weight: f64) {
        self.total += weight;
        *self.sessions.entry(line_id.to_owned()).or_default() += 1;
    }

    /// Takes one session away.
    pub fn remove(&mut self, line_id: &str, weight: f64) {
        self.total = (self.total - weight).max(0.0);
        if let Some(sessions) = self.sessions.get_mut(line_id) {
            *sessions = sessions.saturating_sub(1);
        }
    }

    /// Open sessions of this line.
    pub fn of_line(&self, line_id: &str) -> u32 {
        self.sessions.get(line_id).copied().unwrap_or_default()
    }
}

/// Whether a session of this weight still fits. Nothing fits into no capacity.
pub fn fits(load: f64, weight: f64, capacity: f64) -> bool {
    capacity > 0.0 && load + weight <= capacity + TOLERANCE
}

#[derive(FromQueryResult)]
struct Row {
    operator_id: String,
    line_id: String,
    channel_kind: String,
    counted: i64,
    resting: i64,
    since: Option<DateTime<Utc>>,
}

/// The loads of these operators; who has nothing is missing.
pub async fn loads(
    db: &impl ConnectionTrait,
    operator_ids: &[String],
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, Load>, DbErr> {
    let mut loads: BTreeMap<String, Load> = BTreeMap::new();
    if operator_ids.is_empty() {
        return Ok(loads);
    }
    // Before any answer: all count.
    let rests_since = counting.rests_since(now).unwrap_or(DateTime::UNIX_EPOCH);
    let ids = || operator_ids.iter().map(|id| id.clone().into()).collect();
    let (list, more) = bulk::in_list(4, ids());
    // Each use has a parameter of its own: PostgreSQL infers one type for each.
    let mut values = vec![rests_since.into(); 3];
    values.extend(more);
    let (again, more) = bulk::in_list(values.len() + 1, ids());
    values.extend(more);
    let sql = format!(
        "SELECT operator_id, line_id, channel_kind, \
         COUNT(CASE WHEN {WAITS_FOR_CLIENT} AND answered_at <= $1 THEN NULL ELSE 1 END) AS counted, \
         COUNT(CASE WHEN {WAITS_FOR_CLIENT} AND answered_at <= $2 THEN 1 END) AS resting, \
         MIN(CASE WHEN {WAITS_FOR_CLIENT} AND answered_at > $3 THEN answered_at END) AS since \
         FROM session WHERE state <> 'closed' AND operator_id IN {list} GROUP BY operator_id, line_id, channel_kind \
         UNION ALL SELECT operator_id, line_id, channel_kind, COUNT(*), 0, NULL FROM offer \
         WHERE ended_at IS NULL AND NOT broadcast AND operator_id IN {again} \
         GROUP BY operator_id, line_id, channel_kind"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    for row in Row::find_by_statement(statement).all(db).await? {
        let load = loads.entry(row.operator_id).or_default();
        let count = |sessions: i64| u32::try_from(sessions).unwrap_or(u32::MAX);
        load.total += counting.weight_of(&row.channel_kind) * f64::from(count(row.counted));
        load.resting = load.resting.saturating_add(count(row.resting));
        let eases_at = row
            .since
            .zip(counting.client_wait())
            .map(|(since, wait)| since + wait);
        load.eases_at = load.eases_at.into_iter().chain(eases_at).min();
        *load.sessions.entry(row.line_id).or_default() += count(row.counted);
    }
    Ok(loads)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn what_fills_the_capacity_exactly_still_fits() {
        assert!(fits(4.0, 1.0, 5.0) && !fits(4.5, 1.0, 5.0) && !fits(0.0, 0.5, 0.0));
        let tenth: f64 = std::iter::repeat_n(0.1, 9).sum();
        assert!(fits(tenth, 0.1, 1.0) && !fits(tenth + 0.1, 0.1, 1.0));
    }
}
