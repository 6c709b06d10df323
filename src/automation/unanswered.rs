//! Nobody answers a client who waits: the line's no-answer action, once for each wait.

use chrono::{DateTime, Utc};
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
        language::Said,
        rules::{Acceptance, NoAnswerAction},
    },
    routing::{
        decide::Outcome,
        timers::{Pages, Timed, UNANSWERED, record_no_answer, unanswered},
    },
};

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
                let result = if unanswered(&line.rules, &seen, true, now) {
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
            session::end(&mut write, &mut held, Some(UNANSWERED.to_owned()), now).await?;
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
