//! The promises of DESIGN §3, each looked at in what is stored, not in what the router thinks.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use switchboard::{
    db::{
        Db,
        entity::{line, message, offer, routing_decision, session},
    },
    line::{Rules, queue, rules::Acceptance},
    operator::load::fits,
    routing::{
        decide::{BROADCAST, Candidate, Rejection, unavailable},
        snapshot,
        world::OperatorState,
    },
};

use super::story::Story;

/// Who had what before the routers looked.
#[derive(Default)]
pub struct Owners {
    owned: BTreeMap<String, String>,
    offered: BTreeSet<String>,
}

impl Owners {
    pub async fn of(db: &Db) -> Self {
        let owned = open_sessions(db).await.into_iter();
        let offers = open_offers(db).await.into_iter();
        Self {
            owned: owned.filter_map(|row| Some((row.id, row.operator_id?))).collect(),
            offered: offers.map(|row| row.id).collect(),
        }
    }

    /// What was given since, and to whom.
    fn given<'a>(&self, sessions: &'a [session::Model]) -> impl Iterator<Item = (&'a String, &'a String)> {
        sessions.iter().filter_map(|row| {
            let owner = row.operator_id.as_ref()?;
            (self.owned.get(&row.id) != Some(owner)).then_some((&row.id, owner))
        })
    }

    /// What was offered since, and to whom.
    fn asked<'a>(
        &self,
        offers: impl IntoIterator<Item = &'a offer::Model>,
    ) -> impl Iterator<Item = (&'a String, &'a String)> {
        offers
            .into_iter()
            .filter(|offer| !self.offered.contains(&offer.id))
            .map(|offer| (&offer.session_id, &offer.operator_id))
    }
}

async fn open_sessions(db: &Db) -> Vec<session::Model> {
    session::Entity::find()
        .filter(session::Column::State.ne("closed"))
        .order_by_asc(session::Column::WaitingSince)
        .all(db.read())
        .await
        .unwrap()
}

async fn open_offers(db: &Db) -> Vec<offer::Model> {
    offer::Entity::find()
        .filter(offer::Column::EndedAt.is_null())
        .all(db.read())
        .await
        .unwrap()
}

/// Looks at all of them; the first that is broken is told.
pub async fn look(story: &Story, before: &Owners) -> Result<(), String> {
    let sessions = open_sessions(&story.db).await;
    let offers = open_offers(&story.db).await;
    let everybody: BTreeSet<String> = story.everybody().into_iter().collect();
    let people = snapshot::operators(story.db.read(), &everybody, &story.counting, story.now())
        .await
        .unwrap();
    let rules = rules(story).await;
    states_fit(&sessions, &offers)?;
    if story.counting.client_wait_secs.is_none() {
        nobody_is_above_capacity(&people)?;
    }
    nobody_is_brought_above_what_they_can(&sessions, &offers, &people, &rules, before)?;
    only_who_is_there_was_given_or_asked(&sessions, &offers, &people, before)?;
    no_offer_outlives_its_deadline(story, &offers)?;
    let history = History::of(story, &sessions).await;
    nobody_was_asked_twice_in_a_round(&history)?;
    nobody_idles(story, &sessions, &people, &rules, &history).await?;
    nothing_is_lost_or_doubled(story).await
}

async fn rules(story: &Story) -> BTreeMap<String, Rules> {
    let lines = line::Entity::find()
        .filter(line::Column::Id.is_in(story.all_lines()))
        .all(story.db.read())
        .await
        .unwrap();
    lines
        .into_iter()
        .map(|row| (row.id, Rules::from_stored(&row.rules).unwrap()))
        .collect()
}

fn states_fit(sessions: &[session::Model], offers: &[offer::Model]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for row in sessions {
        if !seen.insert(&row.conversation_id) {
            return Err(format!("two open sessions of one conversation: {row:?}"));
        }
        let asked = offers.iter().filter(|offer| offer.session_id == row.id).count();
        let fits = match row.state.as_str() {
            "waiting" => row.operator_id.is_none() && asked == 0,
            "offered" => row.operator_id.is_none() && asked > 0,
            "assigned" => row.operator_id.is_some() && asked == 0,
            _ => false,
        };
        if !fits {
            return Err(format!("a state that cannot be, {asked} asked: {row:?}"));
        }
    }
    match offers
        .iter()
        .find(|offer| !sessions.iter().any(|row| row.id == offer.session_id))
    {
        Some(offer) => Err(format!("an offer of a session that is over: {offer:?}")),
        None => Ok(()),
    }
}

fn nobody_is_above_capacity(people: &BTreeMap<String, OperatorState>) -> Result<(), String> {
    for (id, operator) in people {
        if operator.load.total > 0.0 && !fits(operator.load.total, 0.0, operator.capacity) {
            return Err(format!(
                "{id} has {} of {}",
                operator.load.total, operator.capacity
            ));
        }
    }
    Ok(())
}

/// Nobody was given or asked about anything beyond what they can have. A client who writes again after
/// the session counted no more may bring somebody beyond it, by what they had before.
fn nobody_is_brought_above_what_they_can(
    sessions: &[session::Model],
    offers: &[offer::Model],
    people: &BTreeMap<String, OperatorState>,
    rules: &BTreeMap<String, Rules>,
    before: &Owners,
) -> Result<(), String> {
    let alone = offers.iter().filter(|offer| !offer.broadcast);
    let given = before.given(sessions).chain(before.asked(alone));
    for (session, who) in given {
        let Some(operator) = people.get(who) else { continue };
        if !fits(operator.load.total, 0.0, operator.capacity) {
            return Err(format!(
                "{who} has {} of {} with {session}",
                operator.load.total, operator.capacity
            ));
        }
        let Some(row) = sessions.iter().find(|row| row.id == *session) else {
            continue;
        };
        let limit = rules.get(&row.line_id).and_then(|rules| rules.limit_per_operator);
        let count = operator.load.of_line(&row.line_id);
        if limit.is_some_and(|limit| count > limit) {
            return Err(format!("{who} has {count} of {} with {session}", row.line_id));
        }
    }
    Ok(())
}

/// What the routers gave just now, they gave to people who are there just now.
fn only_who_is_there_was_given_or_asked(
    sessions: &[session::Model],
    offers: &[offer::Model],
    people: &BTreeMap<String, OperatorState>,
    before: &Owners,
) -> Result<(), String> {
    for (session, who) in before.given(sessions).chain(before.asked(offers)) {
        let why = people.get(who).map_or(Some(Rejection::Disabled), |operator| {
            unavailable(operator, true, false)
        });
        if let Some(why) = why {
            return Err(format!("{session} went to {who}, who is {why:?}"));
        }
    }
    Ok(())
}

fn no_offer_outlives_its_deadline(story: &Story, offers: &[offer::Model]) -> Result<(), String> {
    match offers.iter().find(|offer| offer.expires_at <= story.now()) {
        Some(offer) => Err(format!("an offer stands after its deadline: {offer:?}")),
        None => Ok(()),
    }
}

/// The decisions about each open session, in their order.
struct History(BTreeMap<String, Vec<routing_decision::Model>>);

impl History {
    async fn of(story: &Story, sessions: &[session::Model]) -> Self {
        let mut all: BTreeMap<String, Vec<routing_decision::Model>> = BTreeMap::new();
        let ids: Vec<&String> = sessions.iter().map(|row| &row.id).collect();
        let rows = routing_decision::Entity::find()
            .filter(routing_decision::Column::SessionId.is_in(ids))
            .order_by_asc(routing_decision::Column::At)
            .order_by_asc(routing_decision::Column::Id)
            .all(story.db.read())
            .await
            .unwrap();
        for row in rows {
            all.entry(row.session_id.clone()).or_default().push(row);
        }
        Self(all)
    }

    /// Who gave this session back, let it lie or said no, and nobody else had it since.
    fn refused_by(&self, session: &str) -> BTreeSet<String> {
        let mut refused = BTreeSet::new();
        let mut lapsed = BTreeSet::new();
        for row in self.0.get(session).into_iter().flatten() {
            if row.outcome == "assigned" || row.trigger == "round" {
                refused.clear();
                // Who let it lie and has it again lets it lie for the second time.
                lapsed.retain(|who| Some(who) == row.operator_id.as_ref());
            }
            match row.trigger.as_str() {
                "return" => refused.extend(row.operator_id.clone()),
                "no_reply" => lapsed.extend(row.operator_id.clone()),
                "decline" => refused.extend(who(row)),
                "offer_lapsed" => lapsed.extend(who(row)),
                _ => {}
            }
        }
        refused.extend(lapsed);
        refused
    }
}

fn who(row: &routing_decision::Model) -> Vec<String> {
    let candidates: Vec<Candidate> = serde_json::from_value(row.candidates.clone()).unwrap();
    candidates.into_iter().map(|one| one.operator_id).collect()
}

fn nobody_was_asked_twice_in_a_round(history: &History) -> Result<(), String> {
    for (session, rows) in &history.0 {
        let mut answered: BTreeSet<String> = BTreeSet::new();
        for row in rows {
            if row.outcome == "assigned" || row.trigger == "round" {
                answered.clear();
            }
            if row.outcome == "offered"
                && row.algorithm != BROADCAST
                && let Some(asked) = &row.operator_id
                && answered.contains(asked)
            {
                return Err(format!("{asked} was asked again about {session}: {rows:#?}"));
            }
            if matches!(row.trigger.as_str(), "decline" | "offer_lapsed") {
                answered.extend(who(row));
            }
        }
    }
    Ok(())
}

/// No session waits on a line of automatic acceptance that somebody in its queue could take, and on one
/// with offers none that nobody was asked about yet.
async fn nobody_idles(
    story: &Story,
    sessions: &[session::Model],
    people: &BTreeMap<String, OperatorState>,
    rules: &BTreeMap<String, Rules>,
    history: &History,
) -> Result<(), String> {
    let queues = queue::resolved(story.db.read(), &story.all_lines())
        .await
        .unwrap();
    for row in sessions.iter().filter(|row| row.state == "waiting") {
        let (Some(rules), Some(queue)) = (rules.get(&row.line_id), queues.get(&row.line_id)) else {
            continue;
        };
        let refused = history.refused_by(&row.id);
        let weight = story.counting.weight_of(&row.channel_kind);
        let could = |id: &&String| {
            people.get(*id).is_some_and(|operator| {
                let room = fits(operator.load.total, weight, operator.capacity)
                    && rules
                        .limit_per_operator
                        .is_none_or(|limit| operator.load.of_line(&row.line_id) < limit);
                room && unavailable(operator, true, false).is_none() && !refused.contains(*id)
            })
        };
        if let Some(idle) = queue.iter().find(could) {
            let way = if rules.acceptance == Acceptance::Offer {
                "be asked about"
            } else {
                "have"
            };
            return Err(format!(
                "{idle} could {way} {row:?}: {:#?}",
                history.0.get(&row.id)
            ));
        }
    }
    Ok(())
}

async fn nothing_is_lost_or_doubled(story: &Story) -> Result<(), String> {
    let stored = message::Entity::find()
        .filter(message::Column::Kind.eq("inbound"))
        .count(story.db.read())
        .await
        .unwrap();
    if stored == story.delivered {
        Ok(())
    } else {
        Err(format!(
            "{} were acknowledged, {stored} are stored",
            story.delivered
        ))
    }
}
