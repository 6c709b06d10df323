//! The router at work: it follows the log, and after each burst of events looks at what they touched.
//!
//! Nothing here has to be exact for assignments to be right: a plan is made from a snapshot that may be
//! old, and [`commit`] looks again under locks. Any number of nodes may run it. The sweep is the
//! safety net: what an event should have told is found there at the latest.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use switchboard_sdk::CancellationToken;

use super::{
    commit::{self, Committed, Proposal},
    decide::{Outcome, unavailable},
    explain::{Known, Reasons},
    offer,
    plan::plan,
    returns,
    snapshot::{self, Place, Which},
    timers,
    world::{LineState, Waiting, World},
};
use crate::{
    clock::SharedClock,
    conversation::{label, session::Error},
    db::{Db, bulk, entity::session, fixed::is},
    event::{self, Event, EventType},
    line::{hours, store::lines_of},
    operator::{counting::CountingNow, load::fits, presence},
};

/// Everything is looked at this often, whatever the log says.
const SWEEP: TimeDelta = TimeDelta::seconds(5);
/// Leases that lapse and snoozes that end are looked for this often: nobody writes an event for them.
const TICK: TimeDelta = TimeDelta::seconds(1);
/// A burst of events is looked at as one: the first at once, the next ones after this.
const GATHER: Duration = Duration::from_millis(10);
/// Wait after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Events read at once.
const EVENTS: u64 = 1_000;
/// Sessions planned at once, at most and at least.
const PAGE: u64 = 500;
const MIN_PAGE: u64 = 50;
/// Sessions at the head whose reasons for waiting are kept up to date; others have those of their first look.
const EXPLAINED: usize = 100;
/// Plans made again because the world moved under them, before the next event is waited for.
const ATTEMPTS: usize = 5;

/// How many of those who wait are read for so much room: some cannot be placed, and more would be read
/// and planned for nothing.
fn page_for(room: u64) -> u64 {
    (room.saturating_mul(2)).clamp(MIN_PAGE, PAGE)
}

/// What a burst of events touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Touched {
    conversations: BTreeSet<String>,
    messages: BTreeSet<String>,
    operators: BTreeSet<String>,
    lines: BTreeSet<String>,
    /// What counts toward the load.
    counting: bool,
}

impl Touched {
    fn add(&mut self, event: Event) {
        match event.kind {
            Some(EventType::ConversationUpdated) => {
                self.conversations.insert(event.object_id);
            }
            Some(EventType::MessageCreated) => {
                self.messages.insert(event.object_id);
            }
            Some(EventType::OperatorUpdated) => {
                self.operators.insert(event.object_id);
            }
            Some(EventType::LineUpdated) => {
                self.lines.insert(event.object_id);
            }
            Some(EventType::RoutingUpdated) => self.counting = true,
            Some(
                EventType::MessageUpdated
                | EventType::LeadCreated
                | EventType::LeadUpdated
                | EventType::ContactUpdated
                | EventType::CompanyUpdated
                | EventType::SubmissionCreated
                | EventType::SubmissionUpdated
                | EventType::ChannelUpdated
                | EventType::ChannelHealth
                | EventType::QuarantineUpdated
                | EventType::OfferCreated
                | EventType::OfferEnded
                | EventType::CallReported
                | EventType::CallUpdated
                | EventType::WebhookUpdated
                | EventType::CrmUpdated
                | EventType::DealCreated
                | EventType::DealUpdated
                | EventType::DealRemoved
                | EventType::PipelineUpdated
                | EventType::TaskUpdated
                | EventType::TaskRemoved
                | EventType::TaskDue
                | EventType::ContactErased
                | EventType::ConversationRemoved
                | EventType::CommerceUpdated,
            )
            | None => {}
        }
    }

    fn trigger(&self) -> &'static str {
        if !self.conversations.is_empty() {
            "conversation"
        } else if !self.lines.is_empty() {
            "line"
        } else {
            "operator"
        }
    }
}

/// The router of this node.
pub struct Router {
    db: Db,
    clock: SharedClock,
    counting: CountingNow,
    /// Events up to here were looked at.
    seen: i64,
    swept_at: Option<DateTime<Utc>>,
    ticked_at: Option<DateTime<Utc>>,
    /// When time alone changes something: a grace ends, a line opens, a round begins.
    again_at: Option<DateTime<Utc>>,
    /// The next deadline of an offer.
    deadline: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

/// Routes until `stop`.
pub async fn run(db: Db, clock: SharedClock, counting: CountingNow, stop: CancellationToken) {
    let mut head = db.head();
    let mut router = Router::new(db, clock, counting);
    loop {
        head.mark_unchanged();
        let failed = match router.step().await {
            Ok(()) => false,
            Err(error) => {
                tracing::error!(%error, "the router failed; it will try again");
                true
            }
        };
        let (rest, wait) = if failed {
            (PAUSE_AFTER_FAILURE, Duration::ZERO)
        } else {
            (GATHER, router.sleep())
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = head.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl Router {
    /// A router that begins with a look at everything and then follows the log from its present end.
    pub fn new(db: Db, clock: SharedClock, counting: CountingNow) -> Self {
        let seen = *db.head().borrow();
        Self {
            db,
            clock,
            counting,
            seen,
            swept_at: None,
            ticked_at: None,
            again_at: None,
            deadline: None,
        }
    }

    /// Looks at what happened since the last step, and at everything when it is time. Returns when
    /// nothing it knows of is left to do.
    pub async fn step(&mut self) -> Result<(), DbErr> {
        let now = self.clock.now();
        let since = |at: Option<DateTime<Utc>>| at.map_or(TimeDelta::MAX, |at| (now - at).abs());
        if since(self.ticked_at) >= TICK {
            presence::sweep(&self.db, now).await?;
            label::wake(&self.db, now).await?;
            self.ticked_at = Some(now);
            // Other nodes make offers too.
            self.deadline = offer::next_deadline(self.db.read()).await?;
        }
        if self.deadline.is_some_and(|at| at <= now) {
            offer::lapse(&self.db, now).await?;
            self.deadline = offer::next_deadline(self.db.read()).await?;
        }
        let due = self.again_at.is_some_and(|at| at <= now);
        if due || since(self.swept_at) >= SWEEP {
            let trigger = if self.swept_at.is_none() { "start" } else { "sweep" };
            self.again_at = None;
            self.sweep(trigger).await?;
            self.swept_at = Some(now);
        }
        loop {
            let events = event::after(self.db.read(), self.seen, EVENTS).await?;
            let Some(last) = events.last().map(|event| event.seq) else {
                return Ok(());
            };
            let full = events.len() as u64 == EVENTS;
            let mut touched = Touched::default();
            for event in events {
                touched.add(event);
            }
            if touched.counting {
                self.counting.read(&self.db).await?;
                self.sweep("load").await?;
            }
            self.look(&touched).await?;
            // Only now: after a failure the same events are looked at again.
            self.seen = last;
            if !full && *self.db.head().borrow() <= last {
                return Ok(());
            }
        }
    }

    /// How long there is nothing to do unless the log says so.
    fn sleep(&self) -> Duration {
        let next = [self.again_at, self.deadline].into_iter().flatten().min();
        let until = next.map_or(TICK, |at| (at - self.clock.now()).min(TICK));
        until.to_std().unwrap_or_default()
    }

    async fn sweep(&mut self, trigger: &'static str) -> Result<(), DbErr> {
        let now = self.clock.now();
        returns::unanswered(&self.db, None, &self.counting.get(), now).await?;
        offer::withdraw(&self.db, None, &self.counting.get(), now).await?;
        let lines: Vec<String> = session::Entity::find()
            .select_only()
            .column(session::Column::LineId)
            .filter(is(session::Column::State, "waiting"))
            .distinct()
            .into_tuple()
            .all(self.db.read())
            .await?;
        self.place(&lines.into_iter().collect(), None, trigger).await
    }

    async fn look(&mut self, touched: &Touched) -> Result<(), DbErr> {
        let now = self.clock.now();
        returns::unanswered(&self.db, Some(&touched.operators), &self.counting.get(), now).await?;
        offer::withdraw(&self.db, Some(&touched.operators), &self.counting.get(), now).await?;
        returns::client_wrote(&self.db, &touched.messages, &self.counting.get(), now).await?;
        let mut lines = touched.lines.clone();
        if !touched.operators.is_empty() {
            let operators: Vec<String> = touched.operators.iter().cloned().collect();
            lines.extend(lines_of(self.db.read(), &operators).await?);
        }
        if !touched.conversations.is_empty() {
            let of_waiting: Vec<String> = session::Entity::find()
                .select_only()
                .column(session::Column::LineId)
                .filter(session::Column::ConversationId.is_in(bulk::padded(&touched.conversations)))
                .filter(is(session::Column::State, "waiting"))
                .distinct()
                .into_tuple()
                .all(self.db.read())
                .await?;
            lines.extend(of_waiting);
        }
        self.place(&lines, Some(&touched.conversations), touched.trigger())
            .await
    }

    /// Places whoever waits on these lines and can be placed. `touched`: conversations that get their
    /// reasons explained where nobody is free; all of the first page when not given.
    async fn place(
        &mut self,
        lines: &BTreeSet<String>,
        touched: Option<&BTreeSet<String>>,
        trigger: &'static str,
    ) -> Result<(), DbErr> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut explained = false;
        let mut after: Option<Place> = None;
        let mut attempts = 0;
        loop {
            let now = self.clock.now();
            let mut world = snapshot::world(self.db.read(), lines, &self.counting.get(), now).await?;
            let (open, room) = self.free(&world, now);
            if !explained {
                explained = true;
                // Nobody is free there: only who just came needs to know why.
                let busy: BTreeSet<String> = lines.difference(&open).cloned().collect();
                let which = touched.map_or(Which::After(None, EXPLAINED as u64), Which::Of);
                if touched.is_none_or(|touched| !touched.is_empty()) {
                    self.look_at(&mut world, &busy, which, trigger, now).await?;
                }
            }
            self.again_at = self.again_at.into_iter().chain(self.eases_at(&world)).min();
            if open.is_empty() {
                return Ok(());
            }
            let page = page_for(room);
            let which = Which::After(after.as_ref(), page);
            let (found, next, skipped) = self.look_at(&mut world, &open, which, trigger, now).await?;
            if skipped > 0 && attempts < ATTEMPTS {
                attempts += 1;
                continue;
            }
            if found < page {
                return Ok(());
            }
            after = next;
        }
    }

    /// Reads who waits on these lines, plans and writes. Answers how many were read, where the next
    /// page begins, and how many plans did not hold.
    async fn look_at(
        &mut self,
        world: &mut World,
        lines: &BTreeSet<String>,
        which: Which<'_>,
        trigger: &'static str,
        now: DateTime<Utc>,
    ) -> Result<(u64, Option<Place>, usize), DbErr> {
        let (waiting, known) =
            snapshot::waiting(self.db.read(), lines, which, &self.counting.get(), now).await?;
        if waiting.is_empty() {
            return Ok((0, None, 0));
        }
        let found = waiting.len() as u64;
        let next = waiting.last().map(Place::of);
        let strangers: BTreeSet<String> = waiting
            .iter()
            .filter_map(|session| session.responsible.clone())
            .filter(|id| !world.operators.contains_key(id))
            .collect();
        world
            .operators
            .extend(snapshot::operators(self.db.read(), &strangers, &self.counting.get(), now).await?);
        world.waiting = waiting;
        // Not the moment before the reading: what was read may have happened since, and reasons are told in order.
        let committed = self.commit(world, &known, trigger, self.clock.now()).await?;
        Ok((found, next, committed.skipped))
    }

    /// The lines that are open, on which somebody is there and could take even the lightest session, and how many such
    /// sessions all of them could take together.
    fn free(&self, world: &World, now: DateTime<Utc>) -> (BTreeSet<String>, u64) {
        let least = self.counting.get().least_weight();
        let mut room = 0.0;
        let mut free: BTreeSet<(&String, bool)> = BTreeSet::new();
        for (id, operator) in &world.operators {
            if !fits(operator.load.total, least, operator.capacity) {
                continue;
            }
            for absent_too in [false, true] {
                if unavailable(operator, true, absent_too).is_none() {
                    free.insert((id, absent_too));
                }
            }
            room += (operator.capacity - operator.load.total) / least;
        }
        let has_somebody = |line: &LineState| {
            let absent_too = line.rules.assign_when_offline;
            line.enabled
                && line.queue.iter().any(|id| free.contains(&(id, absent_too)))
                && hours::opening(line.rules.hours.as_ref(), now).open
        };
        let open = world.lines.iter().filter(|(_, line)| has_somebody(line));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "only a size"
        )]
        let room = room as u64;
        (open.map(|(id, _)| id.clone()).collect(), room)
    }

    /// When room comes by itself, because a client stays silent.
    fn eases_at(&self, world: &World) -> Option<DateTime<Utc>> {
        let least = self.counting.get().least_weight();
        let full = world.operators.values();
        let full = full.filter(|one| !fits(one.load.total, least, one.capacity));
        full.filter_map(|one| one.load.eases_at).min()
    }

    async fn commit(
        &mut self,
        world: &World,
        known: &BTreeMap<String, Known>,
        trigger: &'static str,
        now: DateTime<Utc>,
    ) -> Result<Committed, DbErr> {
        let mut proposals = Vec::new();
        let plan = plan(world, now);
        for (position, placement) in plan.placements.iter().enumerate() {
            let Some(session) = world.waiting.get(placement.index) else {
                continue;
            };
            let line_version = world.lines.get(&session.line_id).map_or(0, |line| line.version);
            let decision = &placement.decision;
            self.again_at = [self.again_at, decision.again_at].into_iter().flatten().min();
            if let (Outcome::Overflow, Some(to)) = (decision.outcome, &decision.line_id) {
                self.overflow(session, to, now).await?;
                continue;
            }
            let candidates = plan.candidates(placement);
            if !matches!(decision.outcome, Outcome::Assigned | Outcome::Offered) {
                let last = known
                    .get(&session.session_id)
                    .and_then(|known| known.last.as_ref());
                let reasons = Reasons::of(
                    &session.line_id,
                    line_version,
                    decision.algorithm,
                    decision.outcome.as_str(),
                    &candidates,
                );
                let differs = last != Some(&reasons);
                // The end of a round is remembered wherever the session stands.
                let far_behind = last.is_some() && position >= EXPLAINED;
                if !differs || (far_behind && decision.outcome != Outcome::NoAnswer) {
                    continue;
                }
            }
            proposals.push(Proposal {
                session: session.clone(),
                decision: decision.clone(),
                candidates,
                trigger,
                line_version,
            });
        }
        let mut total = Committed::default();
        let mut rest = proposals.into_iter().peekable();
        while rest.peek().is_some() {
            let group: Vec<Proposal> = rest.by_ref().take(commit::GROUP).collect();
            let committed = commit::write(&self.db, world, group, &self.counting.get(), now).await?;
            total.assigned += committed.assigned;
            total.offered += committed.offered;
            total.skipped += committed.skipped;
        }
        if total.offered > 0 {
            self.deadline = offer::next_deadline(self.db.read()).await?;
        }
        if total.assigned + total.offered > 0 {
            tracing::debug!(
                assigned = total.assigned,
                offered = total.offered,
                skipped = total.skipped,
                trigger,
                "sessions were assigned"
            );
        }
        Ok(total)
    }

    /// Nobody on the line took it: it moves on. One that changed in this very moment stays.
    async fn overflow(&self, seen: &Waiting, to: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
        let as_seen = |held: &session::Model| held.id == seen.session_id && held.version == seen.version;
        let why = "Nobody took it";
        match timers::overflow(&self.db, &seen.conversation_id, to, why, now, as_seen).await {
            Err(Error::Db(error)) => Err(error),
            Ok(_) | Err(Error::NotFound | Error::Refused(_) | Error::AtCapacity | Error::Invalid(_)) => {
                Ok(())
            }
        }
    }
}
