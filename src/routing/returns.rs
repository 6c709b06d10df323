//! Sessions whose owner has left (offline, paused, off shift) go back to the queue: one nobody answered yet
//! at once; one that was answered and owes the client another answer after a grace time of its line; one
//! that waits for the client when the client writes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    Statement, Value, sea_query::Query,
};

use super::{decide::Rejection, explain, hand, snapshot, world::OperatorState};
use crate::{
    conversation::{
        label,
        session::{Error, hold},
    },
    db::{
        Db, bulk,
        entity::{line, operator, session},
        fixed::is,
    },
    line::{Rules, hours},
    operator::{Availability, Counting, Presence, roster},
};

/// Whether the owner has left since the session was given to them, and how. Pure.
///
/// Somebody who was given it in spite of not being there (a person did that) has not left by still not
/// being there; and on a line that assigns to the absent, absence is no reason.
pub fn has_left(
    owner: &OperatorState,
    assigned_at: Option<DateTime<Utc>>,
    in_spite_of: Option<Rejection>,
    assigns_when_offline: bool,
) -> Option<Rejection> {
    if !owner.enabled {
        return Some(Rejection::Disabled);
    }
    if !owner.may_answer {
        return Some(Rejection::NoRight);
    }
    let gone = owner.observed.presence == Presence::Offline
        && !assigns_when_offline
        && owner
            .observed
            .gone_since
            .is_some_and(|since| assigned_at.is_none_or(|given| since >= given));
    if gone {
        return Some(Rejection::Offline);
    }
    let said = match owner.availability {
        Availability::Accepting => return None,
        Availability::Paused => Rejection::Paused,
        Availability::Off => Rejection::OffShift,
    };
    // The first failed check is all that is kept: one who was offline may have been paused too. But who
    // was paused and goes off shift has left.
    let known = match in_spite_of {
        Some(Rejection::Offline | Rejection::Away | Rejection::OffShift) => true,
        Some(Rejection::Paused) => said == Rejection::Paused,
        _ => false,
    };
    (!known).then_some(said)
}

/// Whether a session goes back now whose owner left at `since`. Pure.
///
/// A further answer is owed from before they left: they have the line's grace time, counted while the
/// line is open, to come back. What the client writes afterwards is owed by nobody who is there.
pub fn goes_back(session: &session::Model, rules: &Rules, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    if session.first_reply_at.is_none() {
        return true;
    }
    let Some(owed) = session.owed_since else {
        return false;
    };
    let grace = TimeDelta::seconds(i64::from(rules.leave_grace_secs));
    owed >= since || hours::after(rules.hours.as_ref(), since, grace).is_some_and(|until| until <= now)
}

/// Returns sessions of these operators, or of all, that owe the client an answer, if they have left: at
/// once or after the grace time. Answers how many.
pub async fn unanswered(
    db: &Db,
    owners: Option<&BTreeSet<String>>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    // As others were last told: whoever left a moment ago has the grace time anyway.
    let gone = Condition::any()
        .add(operator::Column::Enabled.eq(false))
        .add(operator::Column::Presence.eq(Presence::Offline.as_str()))
        .add(operator::Column::UnavailableSince.is_not_null());
    let gone = Query::select()
        .column(operator::Column::Id)
        .from(operator::Entity)
        .cond_where(gone)
        .to_owned();
    let owing = Condition::all()
        .add(session::Column::OwedSince.is_not_null())
        .add(session::Column::OperatorId.in_subquery(gone));
    let mut query = session::Entity::find()
        .filter(is(session::Column::State, "assigned"))
        .filter(
            Condition::any()
                .add(session::Column::FirstReplyAt.is_null())
                .add(owing),
        );
    let all;
    let owners = match owners {
        Some(owners) => owners,
        None => {
            all = owners_who_left(db, counting, now).await?;
            &all
        }
    };
    if owners.is_empty() {
        return Ok(0);
    }
    query = query.filter(session::Column::OperatorId.is_in(bulk::padded(owners)));
    let sessions = query.all(db.read()).await?;
    send_back(db, sessions, counting, now).await
}

/// Owners of sessions who are not there or not at work. Almost all owners are: their sessions, which are
/// many, need not be read.
async fn owners_who_left(
    db: &Db,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<BTreeSet<String>, DbErr> {
    let owners: Vec<String> = session::Entity::find()
        .select_only()
        .column(session::Column::OperatorId)
        .filter(is(session::Column::State, "assigned"))
        .filter(session::Column::OperatorId.is_not_null())
        .distinct()
        .into_tuple()
        .all(db.read())
        .await?;
    let owners = snapshot::operators(db.read(), &owners.into_iter().collect(), counting, now).await?;
    let left = |owner: &OperatorState| has_left(owner, None, None, false).is_some();
    Ok(owners
        .into_iter()
        .filter(|(_, owner)| left(owner))
        .map(|(id, _)| id)
        .collect())
}

/// The client wrote one of these messages: a snoozed conversation comes back into sight, and a session
/// whose owner has left goes back to the queue. Answers how many did.
pub async fn client_wrote(
    db: &Db,
    message_ids: &BTreeSet<String>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    if message_ids.is_empty() {
        return Ok(0);
    }
    let (list, values) = bulk::in_list(1, message_ids.iter().map(Value::from).collect());
    // Almost all that clients write is of neither kind: one question tells.
    let sql = format!(
        "SELECT DISTINCT c.id, c.snoozed_until IS NOT NULL AS snoozed FROM message m \
         JOIN conversation c ON c.id = m.conversation_id JOIN session s ON s.id = c.session_id \
         WHERE m.id IN {list} AND m.kind = 'inbound' AND (c.snoozed_until IS NOT NULL OR s.state = 'assigned')"
    );
    let statement = Statement::from_sql_and_values(db.backend(), sql, values);
    let written = Written::find_by_statement(statement).all(db.read()).await?;
    if written.is_empty() {
        return Ok(0);
    }
    for conversation in written.iter().filter(|conversation| conversation.snoozed) {
        wake(db, &conversation.id, now).await?;
    }
    let written: Vec<String> = written.into_iter().map(|conversation| conversation.id).collect();
    let sessions = session::Entity::find()
        .filter(session::Column::ConversationId.is_in(bulk::padded(written)))
        .filter(is(session::Column::State, "assigned"))
        .all(db.read())
        .await?;
    send_back(db, sessions, counting, now).await
}

/// A conversation in which the client wrote.
#[derive(FromQueryResult)]
struct Written {
    id: String,
    snoozed: bool,
}

async fn wake(db: &Db, conversation_id: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let mut write = db.write().await?;
    match label::snooze(&mut write, conversation_id, None, now).await {
        Ok(()) => write.commit().await,
        Err(Error::Db(error)) => Err(error),
        // Closed in this very moment.
        Err(Error::NotFound | Error::Refused(_) | Error::AtCapacity | Error::Invalid(_)) => Ok(()),
    }
}

async fn send_back(
    db: &Db,
    sessions: Vec<session::Model>,
    counting: &Counting,
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    let owners: BTreeSet<String> = sessions
        .iter()
        .filter_map(|row| row.operator_id.clone())
        .collect();
    let owners = snapshot::operators(db.read(), &owners, counting, now).await?;
    // Most owners are there: only then is there more to ask.
    let doubtful: Vec<session::Model> = sessions
        .into_iter()
        .filter(|row| {
            let owner = row.operator_id.as_ref().and_then(|id| owners.get(id));
            owner.is_some_and(|owner| has_left(owner, row.assigned_at, None, false).is_some())
        })
        .collect();
    if doubtful.is_empty() {
        return Ok(0);
    }
    let ids: Vec<String> = doubtful.iter().map(|row| row.id.clone()).collect();
    let known = explain::known(db.read(), &ids).await?;
    let rules = rules_of_lines(db.read(), &doubtful).await?;
    let ids: Vec<String> = owners.keys().cloned().collect();
    let unavailable = roster::unavailable_since(db.read(), &ids, now).await?;
    let mut returned = 0;
    for row in doubtful {
        let (Some(id), Some(rules)) = (&row.operator_id, rules.get(&row.line_id)) else {
            continue;
        };
        let Some(owner) = owners.get(id) else { continue };
        let in_spite_of = known.get(&row.id).and_then(|known| known.in_spite_of);
        let Some(why) = has_left(owner, row.assigned_at, in_spite_of, rules.assign_when_offline) else {
            continue;
        };
        let since = match why {
            Rejection::Disabled => row.assigned_at,
            Rejection::Offline => owner.observed.gone_since,
            // Not told yet: they left in this very moment.
            _ => unavailable.get(id).copied().or(Some(now)),
        };
        if !goes_back(&row, rules, since.unwrap_or(row.opened_at), now) {
            continue;
        }
        match send_one_back(db, &row, owner.load.total, why, now).await {
            Ok(true) => returned += 1,
            Ok(false) => {}
            Err(Error::Db(error)) => return Err(error),
            // Closed, taken or given back in this very moment: there is nothing left to do.
            Err(Error::NotFound | Error::Refused(_) | Error::AtCapacity | Error::Invalid(_)) => {}
        }
    }
    Ok(returned)
}

async fn send_one_back(
    db: &Db,
    seen: &session::Model,
    load: f64,
    why: Rejection,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let mut write = db.write().await?;
    let mut held = hold(&write, &seen.conversation_id).await?;
    if held.session.id != seen.id || held.session.version != seen.version {
        return Ok(false);
    }
    hand::to_queue(&mut write, &mut held, "owner_left", why, load, now).await?;
    write.commit().await?;
    Ok(true)
}

async fn rules_of_lines(
    db: &impl ConnectionTrait,
    sessions: &[session::Model],
) -> Result<BTreeMap<String, Rules>, DbErr> {
    let ids: BTreeSet<&String> = sessions.iter().map(|row| &row.line_id).collect();
    let lines = line::Entity::find()
        .filter(line::Column::Id.is_in(ids))
        .all(db)
        .await?;
    lines
        .into_iter()
        .map(|line| Ok((line.id, Rules::from_stored(&line.rules)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{goes_back, has_left};
    use crate::{
        db::entity::session,
        line::Rules,
        operator::{Availability, Presence, load::Load, presence::Observed},
        routing::{decide::Rejection, world::OperatorState},
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
    }

    fn owner(presence: Presence, gone_since: Option<i64>, availability: Availability) -> OperatorState {
        OperatorState {
            enabled: true,
            may_answer: true,
            availability,
            observed: Observed {
                presence,
                gone_since: gone_since.map(at),
            },
            languages: Vec::new(),
            skills: Vec::new(),
            capacity: 5.0,
            load: Load::default(),
        }
    }

    #[test]
    fn who_goes_offline_or_pauses_after_being_assigned_has_left() {
        let offline = owner(Presence::Offline, Some(20), Availability::Accepting);
        assert_eq!(
            has_left(&offline, Some(at(10)), None, false),
            Some(Rejection::Offline)
        );
        let paused = owner(Presence::Online, None, Availability::Paused);
        assert_eq!(
            has_left(&paused, Some(at(10)), None, false),
            Some(Rejection::Paused)
        );
        let away = owner(Presence::Away, None, Availability::Accepting);
        assert_eq!(has_left(&away, Some(at(10)), None, false), None);
    }

    #[test]
    fn who_was_given_it_while_paused_or_absent_has_not_left() {
        let offline = owner(Presence::Offline, Some(5), Availability::Accepting);
        assert_eq!(
            has_left(&offline, Some(at(10)), Some(Rejection::Offline), false),
            None
        );
        let never_seen = owner(Presence::Offline, None, Availability::Accepting);
        assert_eq!(has_left(&never_seen, Some(at(10)), None, false), None);
        let paused = owner(Presence::Online, None, Availability::Paused);
        assert_eq!(
            has_left(&paused, Some(at(10)), Some(Rejection::Paused), false),
            None
        );
        let gone_home = owner(Presence::Online, None, Availability::Off);
        assert_eq!(
            has_left(&gone_home, Some(at(10)), Some(Rejection::Paused), false),
            Some(Rejection::OffShift)
        );
    }

    #[test]
    fn a_line_that_assigns_to_the_absent_keeps_them_but_not_the_disabled() {
        let mut offline = owner(Presence::Offline, Some(20), Availability::Accepting);
        assert_eq!(has_left(&offline, Some(at(10)), None, true), None);
        offline.enabled = false;
        assert_eq!(
            has_left(&offline, Some(at(10)), None, true),
            Some(Rejection::Disabled)
        );
    }

    fn session(answered: Option<i64>, owed: Option<i64>) -> session::Model {
        session::Model {
            id: "ses_a".to_owned(),
            conversation_id: "cnv_a".to_owned(),
            line_id: "lin_a".to_owned(),
            channel_kind: "webchat".to_owned(),
            state: "assigned".to_owned(),
            operator_id: Some("opr_a".to_owned()),
            opened_at: at(0),
            waiting_since: at(0),
            assigned_at: Some(at(1)),
            first_reply_at: answered.map(at),
            closed_at: None,
            close_reason: None,
            rating: None,
            version: 1,
            queued_at: Some(at(0)),
            owed_since: owed.map(at),
            answered_at: answered.map(at),
            due_at: None,
        }
    }

    #[test]
    fn what_is_owed_from_before_they_left_has_the_grace_and_the_rest_has_none() {
        let rules = Rules::default();
        let back = |answered, owed, now| goes_back(&session(answered, owed), &rules, at(1_000), at(now));
        assert!(back(None, Some(0), 1_000), "never answered: at once");
        assert!(!back(Some(10), Some(500), 1_299) && back(Some(10), Some(500), 1_300));
        assert!(back(Some(10), Some(1_100), 1_100), "the client wrote to nobody");
        assert!(!back(Some(10), None, 99_999), "the client has the word");
    }

    #[test]
    fn the_grace_stands_still_while_the_line_is_closed() {
        // 2027-01-15 is a Friday; it begins to count at eight.
        let rules: Rules = serde_json::from_value(serde_json::json!({"hours": {
            "time_zone": "UTC", "weekly": {"fri": [["08:00", "08:15"], ["08:30", "18:00"]]}
        }}))
        .unwrap();
        let left = at(0) + TimeDelta::minutes(13);
        let back = |minutes| {
            let session = session(Some(1), Some(2));
            goes_back(&session, &rules, left, left + TimeDelta::minutes(minutes))
        };
        assert!(!back(5) && !back(19) && back(20));
    }
}
