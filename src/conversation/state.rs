//! What may happen to a session, and when. Pure.

use chrono::{DateTime, Utc};

use crate::db::entity::session;

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Nobody owns it.
    Waiting {
        /// Its place in the queue.
        since: DateTime<Utc>,
    },
    /// An operator owns it.
    Assigned {
        /// `opr_…`
        to: String,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It is over.
    Closed {
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// Why something may not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody else was first.
    #[error("the conversation belongs to another operator already")]
    AlreadyTaken {
        /// Who.
        by: String,
    },
    /// There is no owner to take it from.
    #[error("the conversation is not assigned to anybody")]
    NotAssigned,
    /// The session is over.
    #[error("the conversation is closed; reopen it first")]
    Closed,
    /// The session is not over.
    #[error("the conversation is open already")]
    NotClosed,
}

impl Stage {
    /// The stage of a row. A state of a newer version reads as what its columns say.
    pub fn of(row: &session::Model) -> Self {
        match (row.state.as_str(), &row.operator_id) {
            ("closed", _) => Self::Closed {
                at: row.closed_at.unwrap_or(row.opened_at),
            },
            (_, Some(to)) => Self::Assigned {
                to: to.clone(),
                since: row.assigned_at.unwrap_or(row.opened_at),
            },
            (_, None) => Self::Waiting {
                since: row.waiting_since,
            },
        }
    }

    /// The word in the API and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Assigned { .. } => "assigned",
            Self::Closed { .. } => "closed",
        }
    }

    /// Who owns it now.
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::Assigned { to, .. } => Some(to),
            Self::Waiting { .. } | Self::Closed { .. } => None,
        }
    }
}

/// The router gives a waiting session to an operator.
pub fn assign(stage: &Stage, to: &str, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Waiting { .. } => Ok(Stage::Assigned {
            to: to.to_owned(),
            since: now,
        }),
        Stage::Assigned { to: by, .. } => Err(Refusal::AlreadyTaken { by: by.clone() }),
        Stage::Closed { .. } => Err(Refusal::Closed),
    }
}

/// An operator takes it by hand. Taking one's own again changes nothing; another's is taken by force only.
pub fn take(stage: &Stage, by: &str, force: bool, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Assigned { to, .. } if to == by => Ok(stage.clone()),
        Stage::Assigned { .. } if force => Ok(Stage::Assigned {
            to: by.to_owned(),
            since: now,
        }),
        Stage::Waiting { .. } | Stage::Assigned { .. } | Stage::Closed { .. } => assign(stage, by, now),
    }
}

/// It is handed to another operator; to the present one changes nothing.
pub fn hand_over(stage: &Stage, to: &str, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    take(stage, to, true, now)
}

/// It goes back to the queue. Who was never answered keeps the place: `waiting_since` is the one the
/// session had before. After an answer waiting begins anew.
pub fn give_back(
    stage: &Stage,
    answered: bool,
    waiting_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Stage, Refusal> {
    match stage {
        Stage::Assigned { .. } => Ok(Stage::Waiting {
            since: if answered { now } else { waiting_since },
        }),
        Stage::Waiting { .. } => Err(Refusal::NotAssigned),
        Stage::Closed { .. } => Err(Refusal::Closed),
    }
}

/// It moves to the queue of another line, whoever owns it, with its place kept as in [`give_back`].
pub fn move_to_line(
    stage: &Stage,
    answered: bool,
    waiting_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Stage, Refusal> {
    match stage {
        Stage::Waiting { .. } => Ok(stage.clone()),
        Stage::Assigned { .. } | Stage::Closed { .. } => give_back(stage, answered, waiting_since, now),
    }
}

/// It ends.
pub fn close(stage: &Stage, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Waiting { .. } | Stage::Assigned { .. } => Ok(Stage::Closed { at: now }),
        Stage::Closed { .. } => Err(Refusal::Closed),
    }
}

/// A new session begins where one ended.
pub fn reopen(stage: &Stage, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Closed { .. } => Ok(Stage::Waiting { since: now }),
        Stage::Waiting { .. } | Stage::Assigned { .. } => Err(Refusal::NotClosed),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{Refusal, Stage, assign, close, give_back, hand_over, move_to_line, reopen, take};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
    }

    fn waiting() -> Stage {
        Stage::Waiting { since: at(0) }
    }

    fn assigned(to: &str) -> Stage {
        Stage::Assigned {
            to: to.to_owned(),
            since: at(5),
        }
    }

    #[test]
    fn the_second_to_take_is_told_who_was_first() {
        let first = take(&waiting(), "a", false, at(1)).unwrap();
        assert_eq!(
            take(&first, "b", false, at(2)),
            Err(Refusal::AlreadyTaken { by: "a".to_owned() })
        );
        assert_eq!(take(&first, "b", true, at(2)).unwrap().owner(), Some("b"));
    }

    #[test]
    fn taking_or_handing_over_to_the_owner_changes_nothing() {
        assert_eq!(take(&assigned("a"), "a", false, at(9)), Ok(assigned("a")));
        assert_eq!(hand_over(&assigned("a"), "a", at(9)), Ok(assigned("a")));
    }

    #[test]
    fn who_was_never_answered_keeps_the_place_in_the_queue() {
        assert_eq!(give_back(&assigned("a"), false, at(0), at(9)), Ok(waiting()));
        assert_eq!(
            give_back(&assigned("a"), true, at(0), at(9)),
            Ok(Stage::Waiting { since: at(9) })
        );
        assert_eq!(
            give_back(&waiting(), false, at(0), at(9)),
            Err(Refusal::NotAssigned)
        );
        assert_eq!(move_to_line(&waiting(), true, at(0), at(9)), Ok(waiting()));
    }

    #[test]
    fn only_what_is_closed_is_reopened() {
        assert_eq!(reopen(&waiting(), at(9)), Err(Refusal::NotClosed));
        assert_eq!(
            reopen(&Stage::Closed { at: at(3) }, at(9)),
            Ok(Stage::Waiting { since: at(9) })
        );
    }

    proptest! {
        #[test]
        fn nothing_but_reopening_leaves_closed_and_the_router_never_takes_from_an_owner(action in 0_u8..6) {
            let closed = Stage::Closed { at: at(1) };
            let results = [
                assign(&closed, "a", at(2)), take(&closed, "a", true, at(2)), hand_over(&closed, "a", at(2)),
                give_back(&closed, true, at(0), at(2)), move_to_line(&closed, true, at(0), at(2)), close(&closed, at(2)),
            ];
            prop_assert_eq!(&results[usize::from(action)], &Err(Refusal::Closed));
            prop_assert!(assign(&assigned("b"), "a", at(2)).is_err());
        }
    }
}
