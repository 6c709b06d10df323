//! Taking in earlier mail: what an admin ordered, and how far the channel is with it.
//!
//! Order and progress are cursors of the channel. A new order starts the channel anew (its version grows), on
//! whatever node it runs; the order was durable before.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use serde_json::json;
use switchboard_sdk::{Backfill, BackfillOrder};
use utoipa::ToSchema;

use super::{Error, store};
use crate::db::WriteTx;

/// How far an order was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BackfillView {
    /// `none`, `waiting` (the channel did not begin yet), `running` or `done`.
    pub state: BackfillState,
    /// First day that is wanted.
    pub since: Option<NaiveDate>,
    /// When it was ordered.
    pub asked_at: Option<DateTime<Utc>>,
    /// Kept as history: opens no session and makes no lead.
    pub history: Option<bool>,
    /// How many there are to look at, as far as it is known.
    pub total: u64,
    /// How many were looked at.
    pub done: u64,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackfillState {
    /// Nothing was ordered.
    None,
    /// The channel did not begin yet.
    Waiting,
    /// On its way.
    Running,
    /// Carried out.
    Done,
}

/// Sums up what the streams of a channel say about an order.
fn view(order: Option<BackfillOrder>, streams: &[Backfill]) -> BackfillView {
    let Some(order) = order else {
        return BackfillView {
            state: BackfillState::None,
            since: None,
            asked_at: None,
            history: None,
            total: 0,
            done: 0,
        };
    };
    let of_it: Vec<&Backfill> = streams
        .iter()
        .filter(|stream| stream.asked_at == order.asked_at)
        .collect();
    let expected = of_it
        .iter()
        .map(|stream| stream.streams as usize)
        .max()
        .unwrap_or(0);
    let finished = of_it.iter().filter(|stream| stream.finished).count();
    let state = match of_it.len() {
        0 => BackfillState::Waiting,
        _ if finished >= expected => BackfillState::Done,
        _ => BackfillState::Running,
    };
    BackfillView {
        state,
        since: Some(order.since),
        asked_at: Some(order.asked_at),
        history: Some(order.history),
        total: of_it.iter().map(|stream| stream.total).sum(),
        done: of_it.iter().map(|stream| stream.done).sum(),
    }
}

/// How far the channel is.
pub async fn progress(db: &impl ConnectionTrait, channel_id: &str) -> Result<BackfillView, DbErr> {
    let (mut order, mut streams) = (None, Vec::new());
    for row in store::cursors(db, channel_id, BackfillOrder::CURSOR).await? {
        if row.name == BackfillOrder::CURSOR {
            order = serde_json::from_value(row.value).ok();
        } else if row.name.starts_with(Backfill::PREFIX) {
            streams.extend(serde_json::from_value::<Backfill>(row.value).ok());
        }
    }
    Ok(view(order, &streams))
}

/// Orders earlier mail, instead of what was ordered before.
pub async fn order(
    write: &mut WriteTx,
    channel_id: &str,
    since: NaiveDate,
    history: bool,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let order = BackfillOrder {
        since,
        asked_at: now,
        history,
    };
    store::remove_cursors(write, channel_id, BackfillOrder::CURSOR).await?;
    store::put_cursor(write, channel_id, BackfillOrder::CURSOR, json!(order), now).await?;
    restart(write, channel_id, now).await
}

/// Takes an order back; what was taken in stays.
pub async fn cancel(write: &mut WriteTx, channel_id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    store::remove_cursors(write, channel_id, BackfillOrder::CURSOR).await?;
    restart(write, channel_id, now).await
}

async fn restart(write: &mut WriteTx, channel_id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let row = store::load(write.tx(), channel_id)
        .await?
        .ok_or(Error::NotFound)?;
    store::update(write, row, now).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-11-22T{hour:02}:00:00Z").parse().unwrap()
    }

    fn order() -> BackfillOrder {
        BackfillOrder {
            since: at(0).date_naive(),
            asked_at: at(9),
            history: true,
        }
    }

    fn stream(hour: u32, done: u64, finished: bool) -> Backfill {
        Backfill {
            asked_at: at(hour),
            streams: 2,
            total: 10,
            done,
            finished,
            place: serde_json::Value::Null,
        }
    }

    #[test]
    fn an_order_is_done_when_every_folder_is() {
        assert_eq!(view(None, &[stream(9, 1, false)]).state, BackfillState::None);
        assert_eq!(
            view(Some(order()), &[stream(8, 10, true)]).state,
            BackfillState::Waiting,
            "what an earlier order did is not counted"
        );
        let half = view(Some(order()), &[stream(9, 10, true)]);
        assert_eq!(
            (half.state, half.total, half.done),
            (BackfillState::Running, 10, 10)
        );
        let both = view(Some(order()), &[stream(9, 10, true), stream(9, 10, true)]);
        assert_eq!((both.state, both.done), (BackfillState::Done, 20));
    }
}
