//! How a visitor's session stands, beside its messages: their place in the queue, and whether they are
//! asked for a rating.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{DbErr, EntityTrait};
use serde::Serialize;
use utoipa::ToSchema;

use super::mail::transcript::Offered;
use crate::{
    automation::{Voice, voice::Form},
    conversation::session::Held,
    db::{
        Db,
        entity::{conversation, session},
    },
    line::language::Said,
    routing::{
        place::{Board, InQueue},
        timers,
    },
};

/// Nobody is asked for longer.
const ASKED: TimeDelta = TimeDelta::days(3);

/// The question for a rating of the session that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Asked {
    /// `ses_…`
    pub session_id: String,
    /// What the visitor gave it; null while they have not.
    pub score: Option<i64>,
    /// The line's own question.
    pub text: Option<String>,
}

/// How a session stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The line and the session that waits for an operator there.
    pub waits: Option<(String, String)>,
    /// The place in the queue.
    pub queue: Option<InQueue>,
    /// The question.
    pub rating: Option<Asked>,
    /// It ended lately, and somebody had answered.
    pub ended: bool,
    /// They may have it sent to them.
    pub transcript: Option<Offered>,
}

/// How the session of a visitor's conversation stands.
pub async fn of(
    db: &Db,
    board: &Board,
    voice: &Voice,
    conversation: &conversation::Model,
    now: DateTime<Utc>,
) -> Result<Standing, DbErr> {
    let found = session::Entity::find_by_id(&conversation.session_id)
        .one(db.read())
        .await?;
    let Some(session) = found else {
        return Ok(Standing::default());
    };
    if session.operator_id.is_none() && session.closed_at.is_none() {
        let queue = board.place(db, &session.line_id, &session.id, now).await?;
        return Ok(Standing {
            waits: Some((session.line_id, session.id)),
            queue,
            ..Standing::default()
        });
    }
    if !may_be_asked(&session, now) {
        return Ok(Standing::default());
    }
    let ended = Standing {
        ended: true,
        ..Standing::default()
    };
    let Some(line) = timers::line(db, &session.line_id).await? else {
        return Ok(ended);
    };
    if !line.rules.rating.enabled {
        return Ok(ended);
    }
    let (session_id, score) = (session.id.clone(), session.rating);
    let held = Held {
        conversation: conversation.clone(),
        session,
    };
    let text = voice
        .words(db.read(), &held, &line, Said::Rating, Form::Plain, now)
        .await?;
    Ok(Standing {
        rating: Some(Asked {
            session_id,
            score,
            text,
        }),
        ..ended
    })
}

/// A session that ended lately, not as spam, in which somebody answered. Pure.
fn may_be_asked(session: &session::Model, now: DateTime<Utc>) -> bool {
    session.closed_at.is_some_and(|at| now - at <= ASKED)
        && session.first_reply_at.is_some()
        && session.close_reason.as_deref() != Some("spam")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::may_be_asked;
    use crate::{conversation::session::opened, db::entity::session};

    #[test]
    fn who_was_answered_is_asked_for_some_days_and_spam_is_not() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let ended = session::Model {
            closed_at: Some(now),
            first_reply_at: Some(now),
            ..opened("cnv_1", "lin_a", "webchat", now)
        };
        assert!(may_be_asked(&ended, now));
        assert!(!may_be_asked(&ended, now + TimeDelta::days(4)));
        let spam = session::Model {
            close_reason: Some("spam".to_owned()),
            ..ended.clone()
        };
        let never_answered = session::Model {
            first_reply_at: None,
            ..ended.clone()
        };
        let open = session::Model {
            closed_at: None,
            ..ended
        };
        for session in [spam, never_answered, open] {
            assert!(!may_be_asked(&session, now));
        }
    }
}
