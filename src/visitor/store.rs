//! Visitors' queries.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use switchboard_sdk::IdentityKind;

use super::{Error, RATING_STANDS};
use crate::{
    db::{
        WriteTx,
        entity::{
            attachment, contact_suggestion, conversation, identity, inbound_event, message, operator,
            participant, session, session_rating, visitor,
        },
        fixed::the_one,
    },
    event::{EventType, NewEvent},
    secret::hash_token,
};

/// Changed messages that a visitor who comes back is told of.
const CHANGED: u64 = 200;
/// Kinds of messages a visitor may see.
const VISIBLE: [&str; 3] = ["inbound", "reply", "system"];

/// The visitor of a token on a channel.
pub async fn by_token(
    db: &impl ConnectionTrait,
    channel_id: &str,
    token: &str,
) -> Result<Option<visitor::Model>, DbErr> {
    let query = visitor::Entity::find()
        .filter(visitor::Column::TokenHash.eq(hash_token(token)))
        .filter(visitor::Column::ChannelId.eq(channel_id));
    the_one(query, db).await
}

/// The key of a visitor's conversation on their channel.
pub fn thread_key(visitor: &visitor::Model) -> String {
    format!("i:{}:{}", visitor.identity_kind, visitor.identity_value)
}

/// Whether the site's own server vouched for them.
pub fn is_proven(visitor: &visitor::Model) -> bool {
    visitor.identity_kind != IdentityKind::Webchat.as_str()
}

/// The browser that wrote in a conversation lately, if it is a web chat's.
pub async fn latest_of_conversation(
    db: &impl ConnectionTrait,
    conversation: &conversation::Model,
) -> Result<Option<visitor::Model>, DbErr> {
    let mut parts = conversation.thread_key.splitn(3, ':');
    let (Some("i"), Some(kind), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    visitor::Entity::find()
        .filter(visitor::Column::ChannelId.eq(&conversation.channel_id))
        .filter(visitor::Column::IdentityKind.eq(kind))
        .filter(visitor::Column::IdentityValue.eq(value))
        .order_by_desc(visitor::Column::LastSeenAt)
        .one(db)
        .await
}

/// The names of all staff, the longest first: where a chat hides them, they are taken out of what it says.
pub async fn staff_names(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let mut names: Vec<String> = operator::Entity::find()
        .select_only()
        .column(operator::Column::Name)
        .into_tuple()
        .all(db)
        .await?;
    names.retain(|name| !name.trim().is_empty());
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    Ok(names)
}

/// The conversation of a visitor, once they wrote something.
pub async fn conversation(
    db: &impl ConnectionTrait,
    visitor: &visitor::Model,
) -> Result<Option<conversation::Model>, DbErr> {
    conversation_of_key(db, &visitor.channel_id, &thread_key(visitor)).await
}

/// A conversation that is known to be the visitor's.
pub async fn conversation_by_id(
    db: &impl ConnectionTrait,
    id: &str,
) -> Result<Option<conversation::Model>, DbErr> {
    conversation::Entity::find_by_id(id).one(db).await
}

async fn conversation_of_key(
    db: &impl ConnectionTrait,
    channel_id: &str,
    key: &str,
) -> Result<Option<conversation::Model>, DbErr> {
    conversation::Entity::find()
        .filter(conversation::Column::ChannelId.eq(channel_id))
        .filter(conversation::Column::ThreadKey.eq(key))
        .one(db)
        .await
}

/// A visitor proved who they are: what they wrote before becomes that identity's conversation, unless
/// it has one. (Its history is then shown; the anonymous one stays with the operators.) The identity
/// becomes the contact's; when it is another contact's already, the two are suggested to be one person.
pub async fn move_conversation(
    write: &mut WriteTx,
    visitor: &visitor::Model,
    old_key: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let new_key = thread_key(visitor);
    if conversation_of_key(write.tx(), &visitor.channel_id, &new_key)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let Some(row) = conversation_of_key(write.tx(), &visitor.channel_id, old_key).await? else {
        return Ok(());
    };
    conversation::Entity::update_many()
        .col_expr(conversation::Column::ThreadKey, Expr::value(new_key))
        .filter(conversation::Column::Id.eq(&row.id))
        .exec(write.tx())
        .await?;
    let proven = identity::ActiveModel {
        kind: Set(visitor.identity_kind.clone()),
        value: Set(visitor.identity_value.clone()),
        contact_id: Set(row.contact_id.clone()),
        verified: Set(true),
        created_at: Set(now),
        via: Set(Some("webchat".to_owned())),
        ..Default::default()
    };
    let known = OnConflict::columns([identity::Column::Kind, identity::Column::Value])
        .do_nothing()
        .to_owned();
    identity::Entity::insert(proven)
        .on_conflict(known)
        .exec_without_returning(write.tx())
        .await?;
    let key = (visitor.identity_kind.clone(), visitor.identity_value.clone());
    let owner = identity::Entity::find_by_id(key)
        .one(write.tx())
        .await?
        .map(|known| known.contact_id);
    if let Some(other_id) = owner.filter(|owner| *owner != row.contact_id) {
        let suggestion = contact_suggestion::ActiveModel {
            contact_id: Set(row.contact_id.clone()),
            other_id: Set(other_id),
            reason: Set("the visitor signed in as this user of the site".to_owned()),
            created_at: Set(now),
        };
        let pair = [
            contact_suggestion::Column::ContactId,
            contact_suggestion::Column::OtherId,
        ];
        let known = OnConflict::columns(pair).do_nothing().to_owned();
        contact_suggestion::Entity::insert(suggestion)
            .on_conflict(known)
            .exec_without_returning(write.tx())
            .await?;
    }
    write.record(NewEvent::new(EventType::ContactUpdated, row.contact_id, now));
    Ok(())
}

/// Messages of a conversation that its customer may see, after a number, oldest first; one more than
/// `limit` when there are more.
pub async fn messages(
    db: &impl ConnectionTrait,
    conversation_id: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<message::Model>, DbErr> {
    message::Entity::find()
        .filter(message::Column::ConversationId.eq(conversation_id))
        .filter(message::Column::Seq.gt(after))
        .filter(message::Column::Kind.is_in(VISIBLE))
        .filter(message::Column::Hidden.eq(false))
        .order_by_asc(message::Column::Seq)
        .limit(limit + 1)
        .all(db)
        .await
}

/// The owner under which a visitor's uploads are kept.
pub fn owner(visitor: &visitor::Model) -> String {
    format!("visitor:{}", visitor.id)
}

/// A file the visitor uploaded and may send with this message: not sent yet, or sent with this very
/// message, which is being repeated.
pub async fn attachable(
    db: &impl ConnectionTrait,
    visitor: &visitor::Model,
    id: &str,
    client_id: &str,
) -> Result<Option<attachment::Model>, DbErr> {
    let row = attachment::Entity::find_by_id(id).one(db).await?;
    let Some(row) = row.filter(|row| row.owner == owner(visitor)) else {
        return Ok(None);
    };
    let Some(message_id) = &row.message_id else {
        return Ok(Some(row));
    };
    let message = message::Entity::find_by_id(message_id).one(db).await?;
    Ok(message
        .filter(|message| message.client_id.as_deref() == Some(client_id))
        .map(|_| row))
}

/// A file the visitor may open: their own upload, or one of a message they may see.
pub async fn readable(
    db: &impl ConnectionTrait,
    visitor: &visitor::Model,
    id: &str,
) -> Result<Option<attachment::Model>, DbErr> {
    let Some(row) = attachment::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    if row.owner == owner(visitor) {
        return Ok(Some(row));
    }
    let Some(message_id) = &row.message_id else {
        return Ok(None);
    };
    let Some(message) = message::Entity::find_by_id(message_id).one(db).await? else {
        return Ok(None);
    };
    if message.hidden || !VISIBLE.contains(&message.kind.as_str()) {
        return Ok(None);
    }
    // What its owner mails is not for whoever merely typed their address.
    if message.kind == "inbound" && message.mail.is_some() && !is_proven(visitor) {
        return Ok(None);
    }
    let own = conversation(db, visitor).await?;
    Ok(own.filter(|own| own.id == message.conversation_id).map(|_| row))
}

/// A file by its id.
pub async fn attachment(db: &impl ConnectionTrait, id: &str) -> Result<Option<attachment::Model>, DbErr> {
    attachment::Entity::find_by_id(id).one(db).await
}

/// The message that an event became.
pub async fn message_of_event(
    db: &impl ConnectionTrait,
    channel_id: &str,
    external_id: &str,
) -> Result<Option<message::Model>, DbErr> {
    let key = (channel_id.to_owned(), external_id.to_owned());
    let event = inbound_event::Entity::find_by_id(key).one(db).await?;
    match event.and_then(|event| event.message_id) {
        Some(id) => message::Entity::find_by_id(id).one(db).await,
        None => Ok(None),
    }
}

/// Messages up to a number that were changed or taken back, the newest ones of them in order.
pub async fn changed_messages(
    db: &impl ConnectionTrait,
    conversation_id: &str,
    upto: i64,
) -> Result<Vec<message::Model>, DbErr> {
    let changed = message::Column::EditedAt
        .is_not_null()
        .or(message::Column::DeletedAt.is_not_null());
    let mut rows = message::Entity::find()
        .filter(message::Column::ConversationId.eq(conversation_id))
        .filter(message::Column::Seq.lte(upto))
        .filter(changed)
        .order_by_desc(message::Column::Seq)
        .limit(CHANGED)
        .all(db)
        .await?;
    rows.reverse();
    Ok(rows)
}

/// Whether an operator is in a conversation without the customer knowing.
pub async fn is_hidden(
    db: &impl ConnectionTrait,
    conversation_id: &str,
    operator_id: &str,
) -> Result<bool, DbErr> {
    let key = (conversation_id.to_owned(), operator_id.to_owned());
    Ok(participant::Entity::find_by_id(key)
        .one(db)
        .await?
        .is_some_and(|row| row.hidden))
}

/// Writes down what a visitor thinks of a session whose conversation is locked. Answers whether that is
/// news; a rating that stands is refused.
pub(super) async fn keep_rating(
    write: &WriteTx,
    session_id: &str,
    score: i64,
    comment: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let known = session_rating::Entity::find_by_id(session_id)
        .one(write.tx())
        .await?;
    let before = session::Entity::find_by_id(session_id).one(write.tx()).await?;
    let before = before.and_then(|row| row.rating);
    if let Some(known) = &known {
        if before == Some(score) && known.comment.as_deref() == comment {
            return Ok(false);
        }
        if now - known.rated_at > RATING_STANDS {
            return Err(Error::Rated);
        }
    }
    let rating = session_rating::ActiveModel {
        session_id: Set(session_id.to_owned()),
        comment: Set(comment.map(str::to_owned)),
        rated_at: Set(known.map_or(now, |known| known.rated_at)),
        changed_at: Set(now),
    };
    let again = OnConflict::column(session_rating::Column::SessionId)
        .update_columns([session_rating::Column::Comment, session_rating::Column::ChangedAt])
        .to_owned();
    session_rating::Entity::insert(rating)
        .on_conflict(again)
        .exec_without_returning(write.tx())
        .await?;
    let change = session::ActiveModel {
        id: sea_orm::Unchanged(session_id.to_owned()),
        rating: Set(Some(score)),
        ..Default::default()
    };
    change.update_without_returning(write.tx()).await?;
    Ok(true)
}
