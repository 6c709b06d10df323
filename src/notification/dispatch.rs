//! The worker that sends notifications by mail and Telegram.
//!
//! It claims what is due by lease and sends through the channels. What may have gone out already is `uncertain` and
//! not sent again by itself: a notification is for people, who are told once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use switchboard_sdk::CancellationToken;
use tokio::task::JoinSet;

use super::{
    attempt::{self, Letter, Outcome},
    store,
};
use crate::{
    connector::{Host, dice},
    db::entity::form_notification,
    outbound::retry,
    webhook::Bell,
};

/// Sent at once.
const TOGETHER: usize = 8;
/// Other nodes write without waking this one: look this often anyway.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Sends through the channels of this host.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    host: Host,
    bell: Bell,
}

impl Dispatcher {
    /// Woken by this bell.
    pub fn new(host: Host, bell: Bell) -> Self {
        Self { host, bell }
    }

    /// Sends until `stop`, then waits for what is on its way.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks: JoinSet<()> = JoinSet::new();
        let mut fresh = true;
        loop {
            let pause = match self.turn(&mut tasks, fresh).await {
                Ok(pause) => {
                    fresh = false;
                    pause
                }
                Err(error) => {
                    tracing::error!(%error, "notifications cannot be sent now; trying again");
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = tasks.join_next() => {}
                () = self.bell.rung() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn turn(&self, tasks: &mut JoinSet<()>, fresh: bool) -> Result<Duration, DbErr> {
        let parts = self.host.parts();
        let now = parts.clock.now();
        store::recover(&parts.db, fresh.then_some(parts.node.as_str()), now).await?;
        let free = TOGETHER.saturating_sub(tasks.len());
        let due = store::next_due(parts.db.read()).await?;
        let Some(due) = due.filter(|_| free > 0) else {
            return Ok(LOOK_ANYWAY);
        };
        if due > now {
            return Ok((due - now).to_std().unwrap_or_default().min(LOOK_ANYWAY));
        }
        let write = parts.db.write().await?;
        let rows = store::claim(&write, free, &parts.node, now).await?;
        write.commit().await?;
        for row in rows {
            let host = self.host.clone();
            tasks.spawn(async move { one(host, row).await });
        }
        Ok(LOOK_ANYWAY)
    }
}

async fn one(host: Host, row: form_notification::Model) {
    let letter = Letter {
        id: &row.id,
        kind: if row.kind == "mail" { "email" } else { "telegram" },
        channel_id: row.channel_id.as_deref(),
        target: &row.target,
        subject: &row.subject,
        body: &row.body,
        attempt: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        at: row.created_at,
    };
    let outcome = attempt::send(&host, letter).await;
    if let Outcome::Again(_, reason) | Outcome::Failed(reason) | Outcome::Unknown(reason) = &outcome {
        tracing::warn!(notification.id = row.id, reason, "a notification was not sent");
    }
    loop {
        match record(&host, &row, &outcome).await {
            Ok(()) => return,
            Err(error) => {
                tracing::error!(notification.id = row.id, %error, "what became of a notification cannot be recorded; trying again")
            }
        }
        tokio::time::sleep(AFTER_FAILURE).await;
    }
}

async fn record(host: &Host, row: &form_notification::Model, outcome: &Outcome) -> Result<(), DbErr> {
    let parts = host.parts();
    let now = parts.clock.now();
    let (state, error, again) = judged(outcome, row.attempts, dice(), now);
    let write = parts.db.write().await?;
    store::ended_as(&write, &row.id, state, error, again, now).await?;
    write.commit().await
}

/// A state, what went wrong, and when it is tried again and whether the attempt does not count.
type Judged<'a> = (&'static str, Option<&'a str>, Option<(DateTime<Utc>, bool)>);

/// What an attempt comes to. Pure.
fn judged(outcome: &Outcome, attempts: i64, dice: f64, now: DateTime<Utc>) -> Judged<'_> {
    match outcome {
        Outcome::Sent => ("sent", None, None),
        Outcome::Wait(after) => ("queued", None, Some((now + *after, true))),
        Outcome::Again(after, reason) => match retry::pause(attempts, *after, dice) {
            Some(pause) => ("queued", Some(reason), Some((now + pause, false))),
            None => ("failed", Some(reason), None),
        },
        Outcome::Failed(reason) => ("failed", Some(reason), None),
        Outcome::Unknown(reason) => ("uncertain", Some(reason), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_gone_out_is_not_sent_again_and_what_did_not_is() {
        let now: DateTime<Utc> = "2026-11-23T08:00:00Z".parse().unwrap();
        let why = || "refused".to_owned();
        let of = |outcome: Outcome, attempts| {
            let (state, _, again) = judged(&outcome, attempts, 0.5, now);
            (
                state,
                again.map(|(at, uncounted)| ((at - now).num_seconds(), uncounted)),
            )
        };
        assert_eq!(of(Outcome::Sent, 1), ("sent", None));
        assert_eq!(of(Outcome::Unknown(why()), 1), ("uncertain", None));
        assert_eq!(of(Outcome::Failed(why()), 1), ("failed", None));
        assert_eq!(of(Outcome::Again(None, why()), 1), ("queued", Some((5, false))));
        assert_eq!(of(Outcome::Again(None, why()), 17), ("failed", None));
        assert_eq!(
            of(Outcome::Wait(Duration::from_secs(3)), 1),
            ("queued", Some((3, true)))
        );
    }
}
