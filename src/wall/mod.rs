//! The supervisors' wall: lines, operators and waiting sessions as they are now, in one answer.
//!
//! [`store`] reads it with a fixed number of queries; all lists are bounded, and say when they were cut.

pub mod store;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    conversation::view::{ConversationView, ParticipantView},
    operator::{Availability, Presence},
};

/// Everything on the wall.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Wall {
    /// When it was so.
    pub at: DateTime<Utc>,
    /// The lines, in the order they were made.
    pub lines: Vec<WallLine>,
    /// Who stands in a queue or has open sessions, by name.
    pub operators: Vec<WallOperator>,
    /// The sessions that wait or are offered and are not snoozed, in the order they are served.
    pub waiting: Vec<ConversationView>,
    /// How many those are in all.
    pub waiting_total: i64,
    /// Some list was cut at its bound.
    pub cut: bool,
}

/// A line on the wall.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WallLine {
    /// `lin_…`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// A line that is not enabled assigns nothing.
    pub enabled: bool,
    /// Whether its hours say that it is open now.
    pub open: bool,
    /// When it opens next, if it is closed.
    pub opens_at: Option<DateTime<Utc>>,
    /// Until when it stays open, if that has an end.
    pub closes_at: Option<DateTime<Utc>>,
    /// Sessions that wait and are not snoozed.
    pub waiting: i64,
    /// Since when the one that waits longest does.
    pub oldest_waiting_since: Option<DateTime<Utc>>,
    /// Sessions that operators are asked to take.
    pub offered: i64,
    /// Sessions that somebody has.
    pub assigned: i64,
    /// Open sessions whose client was to be answered by now.
    pub overdue: i64,
    /// The operators of its queue.
    pub operators: Staffing,
}

/// How many of a queue's operators are how; each counts once, the disabled not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Staffing {
    /// Online and accepting.
    pub accepting: u32,
    /// Accepting, and away from the keyboard.
    pub away: u32,
    /// There, and on a break.
    pub paused: u32,
    /// Off shift or offline.
    pub off: u32,
}

impl Staffing {
    /// Counts one operator.
    pub fn add(&mut self, presence: Presence, availability: Availability) {
        let place = match (presence, availability) {
            (Presence::Offline, _) | (_, Availability::Off) => &mut self.off,
            (_, Availability::Paused) => &mut self.paused,
            (Presence::Away, Availability::Accepting) => &mut self.away,
            (Presence::Online, Availability::Accepting) => &mut self.accepting,
        };
        *place += 1;
    }
}

/// An operator on the wall.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WallOperator {
    /// `opr_…`
    pub id: String,
    /// What people call them.
    pub name: String,
    /// What is observed.
    pub presence: Presence,
    /// What they say.
    pub availability: Availability,
    /// Why they are not accepting.
    pub availability_reason: Option<String>,
    /// Since when they say so; null when that was before it was kept.
    pub availability_since: Option<DateTime<Utc>>,
    /// Their weighted load over all lines.
    pub load: f64,
    /// Open sessions that have waited for the client for so long that they do not count.
    pub resting: u32,
    /// The load they may have.
    pub capacity: f64,
    /// The lines whose queue they stand in.
    pub line_ids: Vec<String>,
    /// The open sessions they have, the longest held first.
    pub sessions: Vec<WallSession>,
}

/// A session somebody has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WallSession {
    /// `cnv_…`
    pub conversation_id: String,
    /// The number people use.
    pub number: i64,
    /// The contact's name, or the address while no name is known.
    pub contact_name: Option<String>,
    /// Its line.
    pub line_id: String,
    /// Its channel's kind.
    pub channel_kind: String,
    /// Who joined it beside its owner.
    pub participants: Vec<ParticipantView>,
    /// Inbound messages that no operator has read.
    pub unread: i64,
    /// Since when they have it.
    pub assigned_at: Option<DateTime<Utc>>,
    /// Since when the client waits for an answer; null when none is owed.
    pub owed_since: Option<DateTime<Utc>>,
    /// Until when; null when nothing is owed or promised.
    pub due_at: Option<DateTime<Utc>>,
    /// Out of sight until then.
    pub snoozed_until: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::{Availability, Presence, Staffing};

    #[test]
    fn everybody_counts_once_by_what_keeps_them_from_work() {
        let mut staffing = Staffing::default();
        for presence in [Presence::Online, Presence::Away, Presence::Offline] {
            for availability in [Availability::Accepting, Availability::Paused, Availability::Off] {
                staffing.add(presence, availability);
            }
        }
        let expected = Staffing {
            accepting: 1,
            away: 1,
            paused: 2,
            off: 5,
        };
        assert_eq!(staffing, expected);
    }
}
