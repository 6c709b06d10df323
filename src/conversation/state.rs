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
    /// Nobody owns it; operators are asked.
    Offered {
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
    /// Too late, or never asked.
    #[error("the conversation is not offered to you, or no longer")]
    NotOffered,
    /// Operators of the line do not choose.
    #[error("on this line the queue gives the conversations; ask a supervisor")]
    QueueGives,
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
            ("offered", None) => Self::Offered {
                since: row.waiting_since,
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
            Self::Offered { .. } => "offered",
            Self::Assigned { .. } => "assigned",
            Self::Closed { .. } => "closed",
        }
    }

    /// Whether it stands in the queue of its line.
    pub fn is_queued(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::Offered { .. })
    }

    /// Who owns it now.
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::Assigned { to, .. } => Some(to),
            Self::Waiting { .. } | Self::Offered { .. } | Self::Closed { .. } => None,
        }
    }
}

/// The router asks operators whether they take a waiting session.
pub fn offer(stage: &Stage) -> Result<Stage, Refusal> {
    match stage {
        Stage::Waiting { since } => Ok(Stage::Offered { since: *since }),
        Stage::Offered { .. } => Ok(stage.clone()),
        Stage::Assigned { to: by, .. } => Err(Refusal::AlreadyTaken { by: by.clone() }),
        Stage::Closed { .. } => Err(Refusal::Closed),
    }
}

/// Nobody is asked any more and nobody said yes: it waits, with its place kept.
pub fn unanswered(stage: &Stage) -> Result<Stage, Refusal> {
    match stage {
        Stage::Offered { since } => Ok(Stage::Waiting { since: *since }),
        Stage::Waiting { .. } | Stage::Assigned { .. } => Err(Refusal::NotOffered),
        Stage::Closed { .. } => Err(Refusal::Closed),
    }
}

/// Somebody who was asked says yes.
pub fn accept(stage: &Stage, by: &str, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Waiting { .. } => Err(Refusal::NotOffered),
        Stage::Assigned { to, .. } if to == by => Ok(stage.clone()),
        Stage::Offered { .. } | Stage::Assigned { .. } | Stage::Closed { .. } => assign(stage, by, now),
    }
}

/// A session without an owner is given to an operator.
pub fn assign(stage: &Stage, to: &str, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Waiting { .. } | Stage::Offered { .. } => Ok(Stage::Assigned {
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
        Stage::Waiting { .. } | Stage::Offered { .. } | Stage::Assigned { .. } | Stage::Closed { .. } => {
            assign(stage, by, now)
        }
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
        Stage::Waiting { .. } | Stage::Offered { .. } => Err(Refusal::NotAssigned),
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
        Stage::Offered { .. } => unanswered(stage),
        Stage::Assigned { .. } | Stage::Closed { .. } => give_back(stage, answered, waiting_since, now),
    }
}

/// It ends.
pub fn close(stage: &Stage, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Waiting { .. } | Stage::Offered { .. } | Stage::Assigned { .. } => {
            Ok(Stage::Closed { at: now })
        }
        Stage::Closed { .. } => Err(Refusal::Closed),
    }
}

/// A new session begins where one ended.
pub fn reopen(stage: &Stage, now: DateTime<Utc>) -> Result<Stage, Refusal> {
    match stage {
        Stage::Closed { .. } => Ok(Stage::Waiting { since: now }),
        Stage::Waiting { .. } | Stage::Offered { .. } | Stage::Assigned { .. } => Err(Refusal::NotClosed),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::{
        Refusal, Stage, accept, assign, close, give_back, hand_over, move_to_line, offer, reopen, take,
        unanswered,
    };

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
    fn an_offer_is_accepted_once_and_an_unanswered_one_keeps_the_place() {
        let offered = offer(&waiting()).unwrap();
        let owned = accept(&offered, "a", at(3)).unwrap();
        assert_eq!(owned.owner(), Some("a"));
        assert_eq!(accept(&owned, "a", at(4)), Ok(owned.clone()));
        assert_eq!(
            accept(&owned, "b", at(4)),
            Err(Refusal::AlreadyTaken { by: "a".to_owned() })
        );
        assert_eq!(unanswered(&offered), Ok(waiting()));
        assert_eq!(accept(&waiting(), "a", at(9)), Err(Refusal::NotOffered));
        assert_eq!(move_to_line(&offered, false, at(0), at(9)), Ok(waiting()));
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
        fn nothing_but_reopening_leaves_closed_and_the_router_never_takes_from_an_owner(action in 0_u8..9) {
            let closed = Stage::Closed { at: at(1) };
            let results = [
                assign(&closed, "a", at(2)), take(&closed, "a", true, at(2)), hand_over(&closed, "a", at(2)),
                give_back(&closed, true, at(0), at(2)), move_to_line(&closed, true, at(0), at(2)), close(&closed, at(2)),
                offer(&closed), unanswered(&closed), accept(&closed, "a", at(2)),
            ];
            prop_assert_eq!(&results[usize::from(action)], &Err(Refusal::Closed));
            prop_assert!(assign(&assigned("b"), "a", at(2)).is_err());
            prop_assert!(offer(&assigned("b")).is_err());
        }
    }
}
