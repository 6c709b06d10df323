//! How much an operator has to do: the open sessions they own or are alone asked to take, over all
//! lines, weighted by the kind of channel (a mail is not a chat).
//!
//! A snoozed session counts: it comes back to its owner, who must have room for it then.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};
use serde::{Deserialize, Serialize};

use crate::db::bulk;

/// Sums of weights such as 0.1 are not exact; a load this close to the capacity is at it.
const TOLERANCE: f64 = 1e-6;

/// What one open session on each kind of channel weighs (`[routing.weights]`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// A web chat.
    pub webchat: f64,
    /// A Telegram chat.
    pub telegram: f64,
    /// A call.
    pub voip: f64,
    /// A conversation of a custom connector.
    pub custom: f64,
    /// A mail thread.
    pub email: f64,
    /// A form.
    pub webform: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            webchat: 1.0,
            telegram: 1.0,
            voip: 1.0,
            custom: 1.0,
            email: 0.5,
            webform: 0.5,
        }
    }
}

impl Weights {
    /// The weight of a session on this kind of channel; a kind of a newer version weighs 1.
    pub fn of(&self, channel_kind: &str) -> f64 {
        match channel_kind {
            "webchat" => self.webchat,
            "telegram" => self.telegram,
            "voip" => self.voip,
            "custom" => self.custom,
            "email" => self.email,
            "webform" => self.webform,
            _ => 1.0,
        }
    }

    /// The least any session weighs: who has no room for it has no room.
    pub fn least(&self) -> f64 {
        [
            self.webchat,
            self.telegram,
            self.voip,
            self.custom,
            self.email,
            self.webform,
            1.0,
        ]
        .into_iter()
        .fold(f64::INFINITY, f64::min)
    }
}

/// What one operator has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Load {
    /// The sum of the weights.
    pub total: f64,
    /// Open sessions of each line, unweighted: what `limit_per_operator` counts.
    pub sessions: BTreeMap<String, u32>,
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
    sessions: i64,
}

/// The loads of these operators; who has nothing is missing.
pub async fn loads(
    db: &impl ConnectionTrait,
    operator_ids: &[String],
    weights: &Weights,
) -> Result<BTreeMap<String, Load>, DbErr> {
    let mut loads: BTreeMap<String, Load> = BTreeMap::new();
    if operator_ids.is_empty() {
        return Ok(loads);
    }
    let ids = || operator_ids.iter().map(|id| id.clone().into()).collect();
    let (list, mut values) = bulk::in_list(1, ids());
    let (again, more) = bulk::in_list(values.len() + 1, ids());
    values.extend(more);
    let sql = format!(
        "SELECT operator_id, line_id, channel_kind, COUNT(*) AS sessions FROM session \
         WHERE state <> 'closed' AND operator_id IN {list} GROUP BY operator_id, line_id, channel_kind \
         UNION ALL SELECT operator_id, line_id, channel_kind, COUNT(*) AS sessions FROM offer \
         WHERE ended_at IS NULL AND NOT broadcast AND operator_id IN {again} \
         GROUP BY operator_id, line_id, channel_kind"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    for row in Row::find_by_statement(statement).all(db).await? {
        let load = loads.entry(row.operator_id).or_default();
        let sessions = u32::try_from(row.sessions).unwrap_or(u32::MAX);
        load.total += weights.of(&row.channel_kind) * f64::from(sessions);
        *load.sessions.entry(row.line_id).or_default() += sessions;
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
