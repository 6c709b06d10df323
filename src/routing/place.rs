//! Where a client stands in the queue, and how long it will probably take.
//!
//! A line is counted once for all who wait there ([`Board`]), so that the cost is one look a line every few
//! seconds, however many wait.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{decide::unavailable, snapshot};
use crate::{
    db::{Db, entity::session},
    line::{due, hours},
    operator::{Counting, counting::CountingNow},
};

/// Places that are counted; who stands further back is told nothing yet.
const COUNTED: u64 = 1_000;
/// Hand-outs an estimate looks at, and how old they may be.
const RECENT: u64 = 50;
const RECENT_TIME: TimeDelta = TimeDelta::hours(4);
/// Fewer are no basis.
const BASIS: usize = 3;
/// Somebody who was taken sooner than this did not wait for an operator to become free.
const AT_ONCE: TimeDelta = TimeDelta::seconds(2);
/// What takes longer is no estimate any more.
const LONGEST_SECS: i64 = 4 * 3_600;
/// How old a count may be.
const FRESH: TimeDelta = TimeDelta::seconds(2);

/// A place in a line's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct InQueue {
    /// 1 is next.
    pub position: u32,
    /// Seconds until an operator will probably be there; null when there is nothing to go by.
    pub estimated_wait_secs: Option<u32>,
}

/// Up to this place every step is told.
const NEAR: u32 = 20;

/// Whether a client who was told of one place should hear of another: near the head of each step; far behind of
/// every twentieth part of the way, for there each hand-out moves thousands by one. Pure.
pub fn is_news(told: Option<InQueue>, now: Option<InQueue>) -> bool {
    match (told, now) {
        (Some(told), Some(now)) if told.position > NEAR && now.position > NEAR => {
            told.position.abs_diff(now.position) >= told.position / NEAR
                || told.estimated_wait_secs.is_some() != now.estimated_wait_secs.is_some()
        }
        _ => told != now,
    }
}

/// A hand-out: since when the client waited, and when an operator got the session.
pub type HandOut = (DateTime<Utc>, DateTime<Utc>);

/// How long the place will probably take, from the last hand-outs, oldest first. Pure.
///
/// What counts is how long the head of the queue stood there: from the hand-out before, or from its own
/// coming if that was later. The middle of those, once for each place. Hand-outs of clients who found
/// somebody free at once say nothing about a queue, and where nobody accepts now, nothing does.
pub fn estimate(hand_outs: &[HandOut], position: u32, somebody_accepts: bool) -> Option<u32> {
    wait(pace(hand_outs, somebody_accepts)?, position)
}

/// How long the head of the queue stands there, in milliseconds. Pure.
fn pace(hand_outs: &[HandOut], somebody_accepts: bool) -> Option<i64> {
    if !somebody_accepts {
        return None;
    }
    let mut before: Option<DateTime<Utc>> = None;
    let mut at_head: Vec<TimeDelta> = Vec::with_capacity(hand_outs.len());
    for &(waiting_since, assigned_at) in hand_outs {
        let since = before.map_or(waiting_since, |before| before.max(waiting_since));
        before = Some(assigned_at);
        if assigned_at - waiting_since >= AT_ONCE {
            at_head.push((assigned_at - since).max(TimeDelta::zero()));
        }
    }
    if at_head.len() < BASIS {
        return None;
    }
    at_head.sort_unstable();
    Some(at_head.get(at_head.len() / 2)?.num_milliseconds())
}

/// How long a place takes when the head of the queue stands there for `pace` milliseconds. Pure.
fn wait(pace: i64, position: u32) -> Option<u32> {
    let secs = pace.saturating_mul(i64::from(position)).div_euclid(1_000).max(1);
    u32::try_from(secs).ok().filter(|_| secs <= LONGEST_SECS)
}

#[derive(FromQueryResult)]
struct Waiting {
    id: String,
}

/// A line's queue, counted.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    positions: HashMap<String, u32>,
    /// Milliseconds for which its head stands there, when there is something to go by.
    pace: Option<i64>,
}

impl Queue {
    /// Counts the queue of a line; nobody has a place while it is closed.
    pub async fn count(
        db: &impl ConnectionTrait,
        line_id: &str,
        counting: &Counting,
        now: DateTime<Utc>,
    ) -> Result<Self, DbErr> {
        let staff = snapshot::world(db, &BTreeSet::from([line_id.to_owned()]), counting, now).await?;
        let Some(line) = staff.lines.get(line_id) else {
            return Ok(Self::default());
        };
        if !line.enabled || !hours::opening(line.rules.hours.as_ref(), now).open {
            return Ok(Self::default());
        }
        // In the order of `world::order`; who is snoozed is not served.
        let sql = format!(
            "SELECT s.id FROM session s JOIN conversation c ON c.id = s.conversation_id \
             WHERE s.line_id = $1 AND s.operator_id IS NULL AND s.closed_at IS NULL \
             AND (c.snoozed_until IS NULL OR c.snoozed_until <= $2) \
             ORDER BY c.priority DESC, COALESCE(s.due_at, $3), s.waiting_since, s.id LIMIT {COUNTED}"
        );
        let values = [line_id.into(), now.into(), due::never().into()];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        let waiting = Waiting::find_by_statement(statement).all(db).await?;
        let mut hand_outs: Vec<HandOut> = session::Entity::find()
            .select_only()
            .columns([session::Column::WaitingSince, session::Column::AssignedAt])
            .filter(session::Column::LineId.eq(line_id))
            .filter(session::Column::AssignedAt.is_not_null())
            .filter(session::Column::AssignedAt.gte(now - RECENT_TIME))
            .order_by_desc(session::Column::AssignedAt)
            .limit(RECENT)
            .into_tuple()
            .all(db)
            .await?;
        hand_outs.reverse();
        let somebody_accepts = staff
            .operators
            .values()
            .any(|operator| unavailable(operator, true, line.rules.assign_when_offline).is_none());
        let waiting = waiting.into_iter().map(|row| row.id);
        Ok(Self::of(waiting, pace(&hand_outs, somebody_accepts)))
    }

    /// Of these sessions in their order.
    pub(crate) fn of(waiting: impl IntoIterator<Item = String>, pace: Option<i64>) -> Self {
        Self {
            positions: waiting.into_iter().zip(1..).collect(),
            pace,
        }
    }

    /// The place of a session, while it waits.
    pub fn place(&self, session_id: &str) -> Option<InQueue> {
        let position = *self.positions.get(session_id)?;
        Some(InQueue {
            position,
            estimated_wait_secs: self.pace.and_then(|pace| wait(pace, position)),
        })
    }
}

type Counted = Arc<tokio::sync::Mutex<Option<(DateTime<Utc>, Arc<Queue>)>>>;

/// The counted queues of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Board {
    counting: CountingNow,
    lines: Arc<Mutex<HashMap<String, Counted>>>,
}

impl Board {
    /// With nothing counted yet.
    pub fn new(counting: CountingNow) -> Self {
        Self {
            counting,
            lines: Arc::default(),
        }
    }

    /// The place of a session in a line's queue, at most two seconds old.
    pub async fn place(
        &self,
        db: &Db,
        line_id: &str,
        session_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<InQueue>, DbErr> {
        Ok(self.queue(db, line_id, now).await?.place(session_id))
    }

    /// A line's queue, counted at most two seconds ago.
    pub async fn queue(&self, db: &Db, line_id: &str, now: DateTime<Utc>) -> Result<Arc<Queue>, DbErr> {
        let counted = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lines.entry(line_id.to_owned()).or_default())
        };
        // Who comes while somebody counts waits for that count.
        let mut counted = counted.lock().await;
        match &*counted {
            Some((at, queue)) if now - *at < FRESH => Ok(Arc::clone(queue)),
            _ => {
                let queue = Arc::new(Queue::count(db.read(), line_id, &self.counting.get(), now).await?);
                *counted = Some((now, Arc::clone(&queue)));
                Ok(queue)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{HandOut, InQueue, estimate, is_news};

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(secs)
    }

    /// Clients who came all at once and were taken one every `every` seconds.
    fn crowd(every: i64) -> Vec<HandOut> {
        (1..=6).map(|number| (at(0), at(number * every))).collect()
    }

    #[test]
    fn who_stands_far_behind_is_not_told_of_each_step() {
        let at = |position| {
            Some(InQueue {
                position,
                estimated_wait_secs: None,
            })
        };
        assert!(is_news(None, at(5_000)) && is_news(at(5_000), None));
        assert!(is_news(at(3), at(2)) && is_news(at(21), at(20)) && is_news(at(20), at(21)));
        assert!(!is_news(at(5_000), at(4_999)) && !is_news(at(2), at(2)));
        assert!(is_news(at(5_000), at(4_750)) && is_news(at(21), at(22)));
        let estimated = Some(InQueue {
            position: 4_999,
            estimated_wait_secs: Some(60),
        });
        assert!(is_news(at(5_000), estimated));
    }

    #[test]
    fn each_place_takes_as_long_as_the_head_of_the_queue_stood_there() {
        assert_eq!(estimate(&crowd(60), 1, true), Some(60));
        assert_eq!(estimate(&crowd(60), 4, true), Some(240));
        // Slow days with an hour between clients say nothing but what the head waited.
        let rare: Vec<HandOut> = (1..=5)
            .map(|hour| (at(hour * 3_600), at(hour * 3_600 + 30)))
            .collect();
        assert_eq!(estimate(&rare, 2, true), Some(60));
    }

    #[test]
    fn without_a_basis_there_is_no_estimate() {
        assert_eq!(estimate(&[], 1, true), None);
        assert_eq!(estimate(&crowd(60)[..2], 1, true), None);
        let at_once: Vec<HandOut> = (0..9)
            .map(|number| (at(number * 60), at(number * 60 + 1)))
            .collect();
        assert_eq!(estimate(&at_once, 1, true), None);
        assert_eq!(estimate(&crowd(60), 1, false), None);
        assert_eq!(estimate(&crowd(3_600), 5, true), None);
    }

    proptest! {
        #[test]
        fn who_stands_further_back_never_waits_less(
            times in prop::collection::vec((0_i64..9_000, 0_i64..9_000), 0..30), position in 1_u32..900,
        ) {
            let mut hand_outs: Vec<HandOut> =
                times.into_iter().map(|(since, wait)| (at(since), at(since + wait))).collect();
            hand_outs.sort_by_key(|(_, assigned)| *assigned);
            let (near, far) = (estimate(&hand_outs, position, true), estimate(&hand_outs, position + 1, true));
            if let (Some(near), Some(far)) = (near, far) {
                prop_assert!(1 <= near && near <= far);
            }
            prop_assert!(far.is_none() || near.is_some());
        }
    }
}
