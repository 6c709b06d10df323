//! Nobody answers a client who waits: the line's no-answer action, once for each wait.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, DbErr, QueryFilter,
    sea_query::{Expr, ExprTrait, Query, SimpleExpr},
};

use super::{
    store::{self, Notice},
    voice::{Form, Voice},
};
use crate::{
    conversation::session::{self, Error, hold},
    db::{
        Db,
        entity::{routing_decision, session as row},
    },
    lead::callback,
    line::{
        Rules, hours,
        language::Said,
        rules::{Acceptance, NoAnswerAction},
    },
    routing::{
        decide::Outcome,
        timers::{Pages, Timed, record_no_answer},
    },
};

/// Why such a session was closed, in the API and in the database.
pub const REASON: &str = "no_answer";

/// Whether the action of these rules is due for a session, on the line's open time. Pure.
///
/// It counts from when the client began to wait for somebody: from their message, or from when the
/// session came back to the queue if that was later. Who is owned by an operator has somebody to answer;
/// `return_after_secs` brings them back here. Without a time, it is due on a line with offers when all were
/// asked and nobody took it: `round_over`.
pub fn due(rules: &Rules, session: &row::Model, round_over: bool, now: DateTime<Utc>) -> bool {
    let Some(owed) = session.owed_since else {
        return false;
    };
    let since = Ord::max(owed, session.waiting_since);
    let passed = match rules.no_answer.after_secs {
        Some(secs) => hours::after(rules.hours.as_ref(), since, TimeDelta::seconds(i64::from(secs)))
            .is_some_and(|at| at <= now),
        None => round_over,
    };
    passed
        && rules.no_answer.action != NoAnswerAction::None
        && session.operator_id.is_none()
        && session.closed_at.is_none()
}

/// A round of offers of the session on its present line came to nothing.
fn round_is_over() -> SimpleExpr {
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(routing_decision::Entity)
            .and_where(
                Expr::col((routing_decision::Entity, routing_decision::Column::SessionId))
                    .equals((row::Entity, row::Column::Id)),
            )
            .and_where(
                Expr::col((routing_decision::Entity, routing_decision::Column::LineId))
                    .equals((row::Entity, row::Column::LineId)),
            )
            .and_where(routing_decision::Column::Outcome.eq(Outcome::NoAnswer.as_str()))
            .to_owned(),
    )
}

/// Acts where it is due on these lines. Answers for how many sessions.
pub async fn act(db: &Db, voice: &Voice, lines: &[Timed], now: DateTime<Utc>) -> Result<usize, DbErr> {
    let mut done = 0;
    for line in lines {
        let rule = &line.rules.no_answer;
        let offers = line.rules.acceptance == Acceptance::Offer;
        if rule.action == NoAnswerAction::None || (rule.after_secs.is_none() && !offers) {
            continue;
        }
        let mut query = line.passed(
            row::Column::WaitingSince,
            rule.after_secs.unwrap_or_default(),
            now,
        );
        if rule.after_secs.is_none() {
            query = query.filter(round_is_over());
        }
        let query = query
            .filter(row::Column::OperatorId.is_null())
            .filter(row::Column::ClosedAt.is_null())
            .filter(row::Column::OwedSince.is_not_null())
            .filter(Expr::exists(store::told(Notice::NoAnswer, None)).not());
        let mut pages = Pages::of(query);
        while let Some(sessions) = pages.next(db).await? {
            for seen in sessions {
                let result = if due(&line.rules, &seen, true, now) {
                    act_on(db, voice, line, &seen, now).await
                } else {
                    Ok(false)
                };
                pages.count(result)?;
            }
        }
        done += pages.acted;
    }
    Ok(done)
}

async fn act_on(
    db: &Db,
    voice: &Voice,
    line: &Timed,
    seen: &row::Model,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    let round = seen.waiting_since.to_rfc3339();
    if held.session != *seen || !store::once(&write, &seen.id, Notice::NoAnswer, &round, now).await? {
        return Ok(false);
    }
    record_no_answer(&write, &held, now).await?;
    let action = line.rules.no_answer.action;
    let form = if action == NoAnswerAction::Form {
        Form::WithForm
    } else {
        Form::Plain
    };
    voice
        .say(&mut write, &mut held, line, Said::NoAnswer, form, now)
        .await?;
    match action {
        NoAnswerAction::None | NoAnswerAction::Text | NoAnswerAction::Form => {}
        NoAnswerAction::CallbackLead => {
            callback::ask(&mut write, &mut held.conversation, now).await?;
        }
        NoAnswerAction::Close => {
            session::end(&mut write, &mut held, Some(REASON.to_owned()), now).await?;
            held.say(
                &mut write,
                "Closed: nobody answered in time".to_owned(),
                true,
                now,
            )
            .await?;
        }
    }
    write.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use serde_json::{Value, json};

    use super::due;
    use crate::{conversation::session::opened, db::entity::session, line::Rules};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
    }

    fn rules(rules: &Value) -> Rules {
        Rules::default().patched(rules.as_object().unwrap()).unwrap()
    }

    fn text() -> Rules {
        rules(&json!({"no_answer": {"after_secs": 60, "action": "text", "text": "Sorry"}}))
    }

    fn waiting() -> session::Model {
        session::Model {
            owed_since: Some(at(0)),
            ..opened("cnv_1", "lin_a", "webchat", at(0))
        }
    }

    #[test]
    fn it_is_due_when_a_client_waited_so_long_for_somebody() {
        assert!(!due(&text(), &waiting(), false, at(59)));
        assert!(due(&text(), &waiting(), false, at(60)));
        assert!(!due(&Rules::default(), &waiting(), false, at(600)));
        let none = rules(&json!({"no_answer": {"after_secs": 60}}));
        assert!(!due(&none, &waiting(), false, at(600)), "no action is no action");
    }

    #[test]
    fn only_who_waits_for_us_and_is_nobodys_counts() {
        let now = at(100_000);
        let owned = session::Model {
            operator_id: Some("opr_1".to_owned()),
            ..waiting()
        };
        let silent = session::Model {
            owed_since: None,
            ..waiting()
        };
        let closed = session::Model {
            closed_at: Some(at(1)),
            ..waiting()
        };
        for session in [owned, silent, closed] {
            assert!(!due(&text(), &session, false, now));
        }
        let came_back = session::Model {
            waiting_since: at(50),
            ..waiting()
        };
        assert!(!due(&text(), &came_back, false, at(109)) && due(&text(), &came_back, false, at(110)));
    }

    #[test]
    fn it_counts_while_the_line_is_open() {
        // 1_800_000_000 is a Friday, 2027-01-15, 08:00 UTC.
        let mut rules = text();
        rules.hours =
            serde_json::from_value(json!({"time_zone": "UTC", "weekly": {"mon": [["09:00", "18:00"]]}}))
                .unwrap();
        let monday = 3 * 86_400 + 3_600;
        assert!(!due(&rules, &waiting(), false, at(monday + 59)));
        assert!(due(&rules, &waiting(), false, at(monday + 60)));
    }
}
