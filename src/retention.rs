//! What nobody needs any more goes: old entries of the log, visitors who never said a word, uploads
//! that were never sent.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};

use crate::{
    call,
    db::{
        Db,
        entity::{attachment, consumer_cursor, event, identity, visitor},
    },
    storage::Storage,
    webhook,
};

/// The log is kept this long: nobody resumes a socket from further back.
const LOG: TimeDelta = TimeDelta::days(14);
/// A visitor who opened the chat and wrote nothing is forgotten after this.
const SILENT_VISITOR: TimeDelta = TimeDelta::days(30);
/// A file that was uploaded and not sent is forgotten after this.
const LOOSE_FILE: TimeDelta = TimeDelta::hours(24);
/// A click to call is not repeated after this.
const WISH: TimeDelta = TimeDelta::days(1);
/// Rows removed at once, so that nobody waits long for the writer.
const CHUNK: u64 = 1_000;

/// Removes one chunk of each; called again and again.
pub async fn sweep(db: &Db, storage: &Storage, now: DateTime<Utc>) -> Result<(), DbErr> {
    old_events(db, now - LOG).await?;
    silent_visitors(db, now - SILENT_VISITOR).await?;
    call::wishes::forget(db, now - WISH).await?;
    webhook::store::sweep(db, now).await?;
    loose_files(db, storage, now - LOOSE_FILE).await
}

/// Entries that are old and that every follower has behind it.
async fn old_events(db: &Db, before: DateTime<Utc>) -> Result<(), DbErr> {
    let slowest = consumer_cursor::Entity::find()
        .order_by_asc(consumer_cursor::Column::Seq)
        .one(db.read())
        .await?
        .map_or(0, |row| row.seq);
    let oldest = event::Entity::find()
        .order_by_asc(event::Column::Seq)
        .one(db.read())
        .await?;
    let Some(oldest) = oldest.filter(|row| row.at < before && row.seq < slowest) else {
        return Ok(());
    };
    let last = std::cmp::min(oldest.seq + i64::try_from(CHUNK).unwrap_or(1_000), slowest);
    let write = db.write().await?;
    event::Entity::delete_many()
        .filter(event::Column::Seq.lt(last))
        .filter(event::Column::At.lt(before))
        .exec(write.tx())
        .await?;
    write.commit().await
}

async fn silent_visitors(db: &Db, before: DateTime<Utc>) -> Result<(), DbErr> {
    let spoke = Query::select()
        .column(identity::Column::Value)
        .from(identity::Entity)
        .and_where(Expr::col((identity::Entity, identity::Column::Kind)).eq("webchat"))
        .and_where(
            Expr::col((identity::Entity, identity::Column::Value))
                .equals((visitor::Entity, visitor::Column::Id)),
        )
        .to_owned();
    let silent: Vec<String> = visitor::Entity::find()
        .select_only()
        .column(visitor::Column::Id)
        .filter(visitor::Column::LastSeenAt.lt(before))
        .filter(visitor::Column::IdentityKind.eq("webchat"))
        .filter(Expr::exists(spoke).not())
        .limit(CHUNK)
        .into_tuple()
        .all(db.read())
        .await?;
    if silent.is_empty() {
        return Ok(());
    }
    let write = db.write().await?;
    visitor::Entity::delete_many()
        .filter(visitor::Column::Id.is_in(silent))
        .exec(write.tx())
        .await?;
    write.commit().await
}

/// The row goes first: a file without a row is only waste, a row without its file is a broken link.
async fn loose_files(db: &Db, storage: &Storage, before: DateTime<Utc>) -> Result<(), DbErr> {
    let loose = attachment::Entity::find()
        .filter(attachment::Column::MessageId.is_null())
        .filter(attachment::Column::CreatedAt.lt(before))
        // Files of a submission that waits for its moderator are nobody's upload.
        .filter(attachment::Column::Owner.not_like("submission:%"))
        // Nor are recordings of callers who are nobody in particular.
        .filter(attachment::Column::Owner.not_like("call:%"))
        .limit(CHUNK)
        .all(db.read())
        .await?;
    if loose.is_empty() {
        return Ok(());
    }
    let ids: Vec<&String> = loose.iter().map(|row| &row.id).collect();
    let write = db.write().await?;
    attachment::Entity::delete_many()
        .filter(attachment::Column::Id.is_in(ids))
        .filter(attachment::Column::MessageId.is_null())
        .exec(write.tx())
        .await?;
    write.commit().await?;
    for row in loose {
        if let Err(error) = storage.delete(&row.storage_key).await {
            tracing::warn!(attachment.id = row.id, %error, "an unused file could not be removed");
        }
    }
    Ok(())
}
