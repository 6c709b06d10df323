//! What customers' sides are told that is no message: an operator is typing, the session is closed.
//!
//! Hints, nothing durable: a typing hint that is late is worth nothing, and a closing that the other side
//! does not take is told again a few times. That a closing is told once, by one node, is the unique row
//! in `session_notice`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, sea_query::OnConflict};
use switchboard_sdk::{Addressee, CancellationToken, Capabilities, Connector, SendError};
use tokio::sync::broadcast::error::RecvError;

use crate::{
    connector::Host,
    conversation::{store::thread_name, view::ConversationView},
    db::entity::{conversation, participant, session_notice},
    event::EventType,
    live::{Item, Live, LiveEvent, Object, Typing},
};

/// The least time between two typing hints in one conversation.
const TYPING_EVERY: TimeDelta = TimeDelta::seconds(3);
/// A hint that takes longer is given up.
const HINT_LIMIT: Duration = Duration::from_secs(10);
/// When a closing that was not taken is told again.
const CLOSED_AGAIN: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_secs(60),
];
/// What the notice of a closing is called.
const CLOSED: &str = "closed_told";
/// Closings older than this are none any more (a conversation changed for another reason).
const FRESH: TimeDelta = TimeDelta::minutes(2);
/// Conversations whose last hint is remembered.
const REMEMBERED: usize = 10_000;

/// Follows the bus until `stop`.
pub async fn run(host: Host, live: Live, stop: CancellationToken) {
    let mut items = live.subscribe();
    let mut typed: HashMap<String, DateTime<Utc>> = HashMap::new();
    loop {
        let item = tokio::select! {
            () = stop.cancelled() => return,
            item = items.recv() => item,
        };
        let now = host.parts().clock.now();
        match item {
            Ok(Item::Typing(typing)) if typing.author_type == "operator" => {
                let recently = typed
                    .get(&typing.conversation_id)
                    .is_some_and(|at| now - *at < TYPING_EVERY);
                if recently {
                    continue;
                }
                if typed.len() >= REMEMBERED {
                    typed.retain(|_, at| now - *at < TYPING_EVERY);
                }
                typed.insert(typing.conversation_id.clone(), now);
                tokio::spawn(tell_typing(host.clone(), typing));
            }
            Ok(Item::Event(event)) => {
                if let Some(conversation) = closing(&event, now) {
                    tokio::spawn(tell_closed(host.clone(), conversation));
                }
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// The conversation, when this event may be the closing of its session.
fn closing(event: &LiveEvent, now: DateTime<Utc>) -> Option<Arc<ConversationView>> {
    let Object::Conversation(view) = &event.object else {
        return None;
    };
    let closed = view.session.state == "closed" && event.kind == EventType::ConversationUpdated;
    let fresh = view.session.closed_at.is_some_and(|at| now - at < FRESH);
    // What never was open is not closed.
    let lived = view.session.closed_at != Some(view.session.opened_at);
    (closed && fresh && lived).then(|| Arc::clone(view))
}

/// The sender of a channel, when its kind can be told this.
fn sender(host: &Host, channel_id: &str, can: fn(&Capabilities) -> bool) -> Option<Arc<dyn Connector>> {
    let served = host.served(channel_id)?;
    if !served
        .descriptor
        .is_some_and(|descriptor| can(&descriptor.capabilities))
    {
        return None;
    }
    served.active().filter(|it| it.sender().is_some()).cloned()
}

async fn tell_typing(host: Host, typing: Arc<Typing>) {
    if let Err(error) = try_typing(&host, &typing).await {
        tracing::debug!(conversation.id = typing.conversation_id, %error, "a typing hint was not told");
    }
}

async fn try_typing(host: &Host, typing: &Typing) -> Result<(), DbErr> {
    let db = host.parts().db.read();
    let Some(row) = conversation::Entity::find_by_id(&typing.conversation_id)
        .one(db)
        .await?
    else {
        return Ok(());
    };
    let Some(connector) = sender(host, &row.channel_id, |can| can.typing) else {
        return Ok(());
    };
    // When in doubt, a hidden participant stays hidden.
    if row.unreachable_since.is_some()
        || participant::Entity::find_by_id((row.id.clone(), typing.author_id.clone()))
            .one(db)
            .await?
            .is_some_and(|joined| joined.hidden)
    {
        return Ok(());
    }
    let to = Addressee {
        thread: thread_name(&row),
        conversation_id: row.id,
        conversation_number: row.number,
        to: row.address,
    };
    let told = tokio::spawn(async move {
        match connector.sender() {
            Some(sender) => tokio::time::timeout(HINT_LIMIT, sender.typing(&to)).await.is_ok(),
            None => true,
        }
    });
    drop(told.await);
    Ok(())
}

async fn tell_closed(host: Host, view: Arc<ConversationView>) {
    let Some(connector) = sender(&host, &view.channel_id, |can| can.closings) else {
        return;
    };
    match notice(&host, &view.session.id).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            tracing::warn!(conversation.id = view.id, %error, "a closing cannot be told");
            return;
        }
    }
    let row = conversation::Entity::find_by_id(&view.id)
        .one(host.parts().db.read())
        .await;
    let Ok(Some(row)) = row else { return };
    let to = Addressee {
        thread: thread_name(&row),
        conversation_id: row.id,
        conversation_number: row.number,
        to: row.address,
    };
    for pause in std::iter::once(Duration::ZERO).chain(CLOSED_AGAIN) {
        tokio::time::sleep(pause).await;
        let (connector, to) = (Arc::clone(&connector), to.clone());
        // Spawned, so that a connector that crashes ends here.
        let told = tokio::spawn(async move {
            match connector.sender() {
                Some(sender) => tokio::time::timeout(HINT_LIMIT, sender.closed(&to)).await.ok(),
                None => Some(Ok(())),
            }
        });
        match told.await {
            Ok(Some(Ok(()))) => return,
            Ok(Some(Err(SendError::Refused { reason } | SendError::Unreachable { reason }))) => {
                tracing::debug!(conversation.id = view.id, reason, "a closing was not taken");
                return;
            }
            Ok(_) | Err(_) => {}
        }
    }
    tracing::warn!(
        conversation.id = view.id,
        "a closing was not taken by the other side"
    );
}

/// Whether this closing is ours to tell: nobody told it before.
async fn notice(host: &Host, session_id: &str) -> Result<bool, DbErr> {
    let parts = host.parts();
    let write = parts.db.write().await?;
    let row = session_notice::ActiveModel {
        session_id: Set(session_id.to_owned()),
        kind: Set(CLOSED.to_owned()),
        round: Set(String::new()),
        at: Set(parts.clock.now()),
    };
    use session_notice::Column;
    let key = [Column::SessionId, Column::Kind, Column::Round];
    let first = session_notice::Entity::insert(row)
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(write.tx())
        .await;
    let first = match first {
        Ok(rows) => rows > 0,
        Err(DbErr::RecordNotInserted) => false,
        Err(error) => return Err(error),
    };
    write.commit().await?;
    Ok(first)
}
