//! The worker that tells CRMs.
//!
//! One process at a time works for a connection, by a named lease, so that its pace holds whatever the number of
//! processes; a step has a lease of its own besides, so that one whose process died is looked for and not lost. The
//! worker wakes by the bell of this process, by the next due time, and looks now and then anyway.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use switchboard_sdk::CancellationToken;
use tokio::task::{Id, JoinSet};

use super::{backfill, changes, engine::Engine, queue, schedule, state, step, store};
use crate::{connector::lease, db::entity::crm_connection};

/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long a stop waits for answers. What has none by then is looked for with the next start.
const LAST_ANSWERS: Duration = Duration::from_millis(800);

/// What runs for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Errand {
    Step,
    Changes,
}

/// What is on its way, by task.
type Flying = HashMap<Id, (String, Errand)>;

/// Tells CRMs until its stop.
#[derive(Debug)]
pub struct Worker {
    engine: Engine,
    tasks: JoinSet<()>,
    flying: Flying,
    /// When the leases that are ours were last renewed.
    held: HashMap<String, DateTime<Utc>>,
}

impl Worker {
    /// Of this process' connections.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            tasks: JoinSet::new(),
            flying: Flying::new(),
            held: HashMap::new(),
        }
    }

    /// Works until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut fresh = true;
        loop {
            let pause = match self.turn(fresh).await {
                Ok(pause) => {
                    fresh = false;
                    pause
                }
                Err(error) => {
                    tracing::error!(%error, "CRMs cannot be told now; trying again");
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                Some(done) = self.tasks.join_next_with_id() => self.landed(done),
                () = self.engine.bell().rung() => {}
                () = tokio::time::sleep(pause) => {}
            }
            while let Some(done) = self.tasks.try_join_next_with_id() {
                self.landed(done);
            }
        }
        let last = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ANSWERS, last).await.is_err() {
            self.tasks.shutdown().await;
        }
        for id in self.held.keys() {
            let parts = self.engine.parts();
            if let Err(error) = lease::release(&parts.db, &lease_name(id), &parts.node).await {
                tracing::warn!(%error, "a connection to a CRM is not given back; it lapses");
            }
        }
    }

    fn landed(&mut self, done: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match &done {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.flying.remove(&id);
        // Its lease lapses, and then it is looked for.
        if let Err(error) = done
            && !error.is_cancelled()
        {
            tracing::error!(%error, "telling a CRM crashed");
        }
    }

    /// Starts what is due. Answers how long there is nothing to do.
    async fn turn(&mut self, fresh: bool) -> Result<Duration, DbErr> {
        let parts = self.engine.parts().clone();
        let now = parts.clock.now();
        queue::recover(&parts.db, fresh.then_some(parts.node.as_str()), now).await?;
        let rows = store::all(parts.db.read()).await?;
        self.engine.keep(&rows);
        let there: HashSet<&String> = rows.iter().map(|row| &row.id).collect();
        self.held.retain(|id, _| there.contains(id));
        let mut pause = LOOK_ANYWAY;
        for row in rows.iter().filter(|row| row.state == state::RUNNING) {
            if !self.is_ours(&row.id, now).await? {
                continue;
            }
            let next = self.serve(row, now).await?;
            pause = pause.min(next);
        }
        Ok(pause)
    }

    /// Whether this process works for a connection now.
    async fn is_ours(&mut self, id: &str, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let renewed = TimeDelta::from_std(lease::RENEW_EVERY).unwrap_or_default();
        if self.held.get(id).is_some_and(|at| now - *at < renewed) {
            return Ok(true);
        }
        let parts = self.engine.parts();
        let ours = lease::hold(&parts.db, &lease_name(id), &parts.node, now).await?;
        if ours {
            self.held.insert(id.to_owned(), now);
        } else {
            self.held.remove(id);
        }
        Ok(ours)
    }

    async fn serve(&mut self, row: &crm_connection::Model, now: DateTime<Utc>) -> Result<Duration, DbErr> {
        if row.backfill_from.is_some() && backfill::page(&self.engine, &row.id).await? {
            self.engine.bell().ring();
        }
        if let Some(until) = row.blocked_until.filter(|until| *until > now) {
            return Ok(till(until, now));
        }
        let two_way = self
            .engine
            .descriptor(&row.kind)
            .is_some_and(|known| known.two_way);
        let busy = self.count(&row.id, &Errand::Changes) > 0;
        if !busy && changes::is_due(row, two_way, now) {
            let (engine, id) = (self.engine.clone(), row.id.clone());
            self.spawn(&row.id, Errand::Changes, async move {
                changes::look(&engine, &id).await
            });
        }
        let busy = self.count(&row.id, &Errand::Step);
        let free = schedule::together(row.failures).saturating_sub(busy);
        if free == 0 {
            return Ok(LOOK_ANYWAY);
        }
        let parts = self.engine.parts();
        let Some(due) = queue::next_due(parts.db.read(), &row.id).await? else {
            return Ok(LOOK_ANYWAY);
        };
        if due > now {
            return Ok(till(due, now));
        }
        let write = parts.db.write().await?;
        let mut claimed = Vec::new();
        // Held, so that of two processes that both believe it is theirs one waits and looks again.
        let holds = store::hold(&write, &row.id).await?;
        if holds.is_some_and(|row| {
            row.state == state::RUNNING && row.blocked_until.is_none_or(|until| until <= now)
        }) {
            while claimed.len() < free
                && let Some(job) = queue::claim(&write, &row.id, &parts.node, now).await?
            {
                claimed.push(job);
            }
        }
        write.commit().await?;
        for job in claimed {
            let engine = self.engine.clone();
            self.spawn(
                &row.id,
                Errand::Step,
                async move { step::run(&engine, job).await },
            );
        }
        Ok(LOOK_ANYWAY)
    }

    fn count(&self, id: &str, errand: &Errand) -> usize {
        let mine = self
            .flying
            .values()
            .filter(|(of, what)| of == id && what == errand);
        mine.count()
    }

    fn spawn(
        &mut self,
        id: &str,
        errand: Errand,
        work: impl Future<Output = Result<(), DbErr>> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(%error, "what became of a step at a CRM is not stored; it is looked for");
            }
        });
        self.flying.insert(handle.id(), (id.to_owned(), errand));
    }
}

fn till(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    let pause = (at - now).to_std().unwrap_or_default();
    pause.clamp(Duration::from_millis(1), LOOK_ANYWAY)
}

fn lease_name(id: &str) -> String {
    format!("crm:{id}")
}
