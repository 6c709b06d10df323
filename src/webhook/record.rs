//! What became of attempts.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, QueryFilter, Set, Unchanged, sea_query::Expr,
};

use super::{
    schedule::{self, Verdict},
    store,
};
use crate::{
    connector::dice,
    db::{
        WriteTx,
        entity::{webhook, webhook_attempt, webhook_delivery},
    },
    event::{EventType, NewEvent},
    telemetry::metrics::Counter,
};

/// Longest reason that is kept, in characters.
const MAX_REASON: usize = 500;

/// An attempt that came to an end.
#[derive(Debug)]
pub struct Landing {
    /// As it was claimed.
    pub delivery: webhook_delivery::Model,
    /// How long it took.
    pub took: Duration,
    /// What came back.
    pub answer: Answer,
}

/// What came back of an attempt.
#[derive(Debug)]
pub struct Answer {
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// The patience asked for.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub text: Option<String>,
    /// Without an answer: the program may be back soon, rather than that its address may not be asked.
    pub passing: bool,
}

impl Answer {
    /// There was none.
    pub fn none(error: String, passing: bool) -> Self {
        Self {
            status: None,
            error: Some(error),
            retry_after: None,
            text: None,
            passing,
        }
    }

    fn verdict(&self) -> Verdict {
        match schedule::judge(self.status) {
            Verdict::Busy if self.status.is_none() && !self.passing => Verdict::Failed,
            verdict => verdict,
        }
    }
}

/// Writes what became of attempts, and what that means for their webhooks, which are held in the order of their ids.
pub async fn landed(
    write: &mut WriteTx,
    landings: &[Landing],
    node: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut of: BTreeMap<&str, Vec<&Landing>> = BTreeMap::new();
    for landing in landings {
        of.entry(&landing.delivery.webhook_id).or_default().push(landing);
    }
    for (webhook_id, landings) in of {
        // It was removed meanwhile, and its deliveries with it.
        let Some(mut row) = store::hold(write, webhook_id).await? else {
            continue;
        };
        let was_enabled = row.enabled;
        for landing in landings {
            one(write, &mut row, landing, node, now).await?;
        }
        if was_enabled && !row.enabled {
            tracing::warn!(
                webhook.id = row.id,
                because = row.disabled_because,
                "a webhook was switched off: an admin must look at it"
            );
            write.record(NewEvent::new(EventType::WebhookUpdated, &row.id, now));
        }
        store::replace(write, row).await?;
    }
    Ok(())
}

async fn one(
    write: &WriteTx,
    webhook: &mut webhook::Model,
    landing: &Landing,
    node: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (delivery, answer) = (&landing.delivery, &landing.answer);
    let verdict = answer.verdict();
    note(write, landing).await?;
    judge(webhook, answer, verdict, now);
    let done = verdict == Verdict::Delivered;
    let due_at = match verdict {
        Verdict::Delivered | Verdict::Gone => None,
        Verdict::Busy | Verdict::Failed => {
            let attempts = delivery.attempts - delivery.attempts_before;
            schedule::again(attempts, answer.retry_after, dice(), now)
        }
    };
    let state = match (done, due_at) {
        (true, _) => "delivered",
        (false, Some(_)) => "queued",
        (false, None) => "failed",
    };
    Counter::WebhookAttempts.add(1, &[("outcome", state.to_owned())]);
    let change = webhook_delivery::ActiveModel {
        state: Set(state.to_owned()),
        due_at: Set(due_at),
        claimed_by: Set(None),
        status: Set(answer.status.map(i64::from)),
        error: Set(answer.error.as_deref().map(cut)),
        finished_at: Set(due_at.is_none().then_some(now)),
        ..Default::default()
    };
    // A lease that lapsed is somebody else's word now; but what was taken was taken.
    let mut update = webhook_delivery::Entity::update_many()
        .set(change)
        .filter(webhook_delivery::Column::Id.eq(&delivery.id));
    if !done {
        update = update
            .filter(webhook_delivery::Column::State.eq("sending"))
            .filter(webhook_delivery::Column::ClaimedBy.eq(node));
    }
    update.exec(write.tx()).await?;
    if let Some(at) = due_at {
        // Those behind it need not be looked at before.
        webhook_delivery::Entity::update_many()
            .col_expr(webhook_delivery::Column::DueAt, Expr::value(Some(at)))
            .filter(webhook_delivery::Column::WebhookId.eq(&delivery.webhook_id))
            .filter(webhook_delivery::Column::OrderKey.eq(&delivery.order_key))
            .filter(webhook_delivery::Column::State.eq("queued"))
            .filter(webhook_delivery::Column::Seq.gt(delivery.seq))
            .filter(webhook_delivery::Column::DueAt.lt(at))
            .exec(write.tx())
            .await?;
    }
    if state != "queued" {
        release(write, delivery, now).await?;
    }
    Ok(())
}

/// Those that waited behind a delivery that is over are due: they were told to wait for its next attempt.
async fn release(
    write: &WriteTx,
    delivery: &webhook_delivery::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::DueAt, Expr::value(Some(now)))
        .filter(webhook_delivery::Column::WebhookId.eq(&delivery.webhook_id))
        .filter(webhook_delivery::Column::OrderKey.eq(&delivery.order_key))
        .filter(webhook_delivery::Column::State.eq("queued"))
        .filter(webhook_delivery::Column::Seq.gt(delivery.seq))
        .filter(webhook_delivery::Column::Attempts.eq(0))
        .filter(webhook_delivery::Column::DueAt.gt(now))
        .exec(write.tx())
        .await
        .map(drop)
}

async fn note(write: &WriteTx, landing: &Landing) -> Result<(), DbErr> {
    let change = webhook_attempt::ActiveModel {
        delivery_id: Unchanged(landing.delivery.id.clone()),
        number: Unchanged(landing.delivery.attempts),
        millis: Set(Some(i64::try_from(landing.took.as_millis()).unwrap_or(i64::MAX))),
        status: Set(landing.answer.status.map(i64::from)),
        error: Set(landing.answer.error.as_deref().map(cut)),
        answer: Set(landing.answer.text.as_deref().map(without_nul)),
        ..Default::default()
    };
    match change.update_without_returning(write.tx()).await {
        // The delivery was swept away, or forgotten with its person.
        Ok(_) | Err(DbErr::RecordNotUpdated) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What an answer means for the webhook.
fn judge(row: &mut webhook::Model, answer: &Answer, verdict: Verdict, now: DateTime<Utc>) {
    if verdict == Verdict::Delivered {
        row.failures = 0;
        row.failing_since = None;
        row.paused_until = None;
        row.last_success_at = Some(now);
        return;
    }
    row.failures += 1;
    let since = *row.failing_since.get_or_insert(now);
    row.last_error = answer.error.as_deref().map(cut);
    row.last_error_at = Some(now);
    let pause = schedule::pause(row.failures, verdict, answer.retry_after, dice(), now);
    row.paused_until = row.paused_until.max(pause);
    let because = match verdict {
        Verdict::Gone => "gone",
        _ if schedule::is_lost(since, row.failures, now) => "failing",
        _ => return,
    };
    if row.enabled {
        row.enabled = false;
        row.disabled_because = Some(because.to_owned());
        row.disabled_at = Some(now);
        row.updated_at = now;
        row.version += 1;
    }
}

fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

fn cut(text: &str) -> String {
    without_nul(text).chars().take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    fn row() -> webhook::Model {
        let at: DateTime<Utc> = "2026-11-20T08:00:00Z".parse().unwrap();
        webhook::Model {
            id: "whk_1".to_owned(),
            name: "CRM".to_owned(),
            url: "https://crm.example/in".to_owned(),
            events: json!(["*"]),
            enabled: true,
            secrets: Vec::new(),
            since_seq: 0,
            disabled_because: None,
            disabled_at: None,
            failures: 0,
            failing_since: None,
            paused_until: None,
            last_success_at: None,
            last_error: None,
            last_error_at: None,
            created_by: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    fn answered(status: u16) -> Answer {
        Answer {
            status: Some(status),
            error: Some(format!("answered {status}")),
            retry_after: None,
            text: None,
            passing: true,
        }
    }

    fn after(row: &mut webhook::Model, answer: &Answer, now: DateTime<Utc>) {
        judge(row, answer, answer.verdict(), now);
    }

    #[test]
    fn a_410_switches_off_at_once_and_success_forgets_all_failures() {
        let now = row().created_at;
        let mut webhook = row();
        for _ in 0..20 {
            after(&mut webhook, &answered(500), now);
        }
        assert!(webhook.enabled && webhook.paused_until.is_some());
        after(&mut webhook, &answered(204), now);
        assert_eq!(
            (webhook.failures, webhook.failing_since, webhook.paused_until),
            (0, None, None)
        );
        after(&mut webhook, &answered(410), now);
        assert_eq!(
            (webhook.enabled, webhook.disabled_because.as_deref()),
            (false, Some("gone"))
        );
    }

    #[test]
    fn three_days_of_nothing_but_failures_switch_off_and_less_does_not() {
        let now = row().created_at;
        let mut webhook = row();
        for hours in [0, 10, 20, 30, 40, 50, 71] {
            after(&mut webhook, &answered(500), now + TimeDelta::hours(hours));
            assert!(webhook.enabled, "after {hours} hours");
        }
        after(&mut webhook, &answered(500), now + TimeDelta::hours(72));
        assert_eq!(
            (webhook.enabled, webhook.disabled_because.as_deref()),
            (false, Some("failing"))
        );
    }

    #[test]
    fn an_address_that_may_not_be_asked_is_no_busy_program() {
        assert_eq!(
            Answer::none("private".to_owned(), false).verdict(),
            Verdict::Failed
        );
        assert_eq!(Answer::none("refused".to_owned(), true).verdict(), Verdict::Busy);
    }
}
