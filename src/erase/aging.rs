//! What lines keep no longer: files, recordings, conversations and contacts whose time is over, in small steps.
//!
//! Rows go first, then their files; a crash between leaves a file that no row names, which the next erasure removes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Statement, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Counts, Tools, rows::Rows, store};
use crate::{
    conversation::rearrange::INTAKE,
    db::{Db, entity::line},
    line::{Retention, Rules},
    storage,
};

/// Objects that go in one transaction.
const CHUNK: usize = 50;

/// How many things a rule would remove now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RetentionCounts)]
pub struct Due {
    /// Files, without originals of mails.
    pub attachments: u64,
    /// Recordings.
    pub recordings: u64,
    /// Conversations.
    pub conversations: u64,
    /// Contacts.
    pub contacts: u64,
}

/// What is due, as the conditions of statements: `$1` is the line, `$2` the time.
const CONVERSATIONS: &str = "FROM conversation AS c JOIN session AS s ON s.id = c.session_id \
    WHERE c.line_id = $1 AND s.state = 'closed' AND s.closed_at < $2";
const ATTACHMENTS: &str = "FROM attachment AS a JOIN message AS m ON m.id = a.message_id \
    JOIN conversation AS c ON c.id = m.conversation_id JOIN session AS s ON s.id = c.session_id \
    WHERE c.line_id = $1 AND s.state = 'closed' AND s.closed_at < $2 AND a.owner NOT LIKE 'call:%'";
const ORIGINALS: &str = "FROM message AS m JOIN conversation AS c ON c.id = m.conversation_id \
    JOIN session AS s ON s.id = c.session_id \
    WHERE c.line_id = $1 AND s.state = 'closed' AND s.closed_at < $2 AND m.original_key IS NOT NULL";
const RECORDINGS: &str = "FROM call_recording AS r JOIN call AS k ON k.id = r.call_id \
    WHERE k.line_id = $1 AND k.ended_at < $2 AND r.attachment_id IS NOT NULL";
/// Contacts who came by the line and with whom nothing happened since, on any line.
const CONTACTS: &str = "FROM contact AS p WHERE p.merged_into IS NULL AND p.updated_at < $2 AND ( \
      EXISTS (SELECT 1 FROM conversation AS c WHERE c.contact_id = p.id AND c.line_id = $1) \
      OR EXISTS (SELECT 1 FROM lead AS l WHERE l.contact_id = p.id AND l.line_id = $1) \
      OR EXISTS (SELECT 1 FROM call AS k WHERE k.contact_id = p.id AND k.line_id = $1)) \
    AND NOT EXISTS (SELECT 1 FROM conversation AS c JOIN session AS s ON s.id = c.session_id \
      WHERE c.contact_id = p.id AND (s.state <> 'closed' OR s.closed_at >= $2 OR c.updated_at >= $2)) \
    AND NOT EXISTS (SELECT 1 FROM lead AS l WHERE l.contact_id = p.id AND (l.updated_at >= $2)) \
    AND NOT EXISTS (SELECT 1 FROM deal AS d WHERE d.contact_id = p.id AND (d.state = 'open' OR d.updated_at >= $2)) \
    AND NOT EXISTS (SELECT 1 FROM call AS k WHERE k.contact_id = p.id AND k.started_at >= $2) \
    AND NOT EXISTS (SELECT 1 FROM submission AS f WHERE f.contact_id = p.id AND f.created_at >= $2) \
    AND NOT EXISTS (SELECT 1 FROM task AS t WHERE t.contact_id = p.id AND t.done_at IS NULL)";

/// How much a rule would remove from a line now.
pub async fn due(db: &Db, line_id: &str, rule: &Retention, now: DateTime<Utc>) -> Result<Due, DbErr> {
    let before = rule.before(now);
    let count = |from: &'static str, before: Option<DateTime<Utc>>| async move {
        let Some(before) = before else { return Ok(0) };
        let statement = of_line(db, &format!("SELECT COUNT(*) {from}"), line_id, before);
        let row = db.read().query_one_raw(statement).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok::<u64, DbErr>(u64::try_from(count).unwrap_or_default())
    };
    Ok(Due {
        attachments: count(ATTACHMENTS, before.attachments).await?,
        recordings: count(RECORDINGS, before.recordings).await?,
        conversations: count(CONVERSATIONS, before.conversations).await?,
        contacts: count(CONTACTS, before.contacts).await?,
    })
}

fn of_line(db: &Db, sql: &str, line_id: &str, before: DateTime<Utc>) -> Statement {
    let values: [Value; 2] = [line_id.into(), before.into()];
    Statement::from_sql_and_values(db.backend(), sql, values)
}

async fn ids(tools: &Tools, what: &str, line_id: &str, before: DateTime<Utc>) -> Result<Vec<String>, DbErr> {
    let sql = format!("SELECT {what} LIMIT {CHUNK}");
    let rows = tools
        .db
        .read()
        .query_all_raw(of_line(&tools.db, &sql, line_id, before))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Removes a chunk of each kind from each line; called again and again.
///
/// # Errors
/// The store's. Contacts are handed to erasing, which goes on by itself.
pub async fn sweep(tools: &Tools) -> Result<(), store::Error> {
    let now = tools.clock.now();
    for row in line::Entity::find().all(tools.db.read()).await? {
        let rule = Rules::from_stored(&row.rules)?.retention;
        if rule.keeps_all() {
            continue;
        }
        let before = rule.before(now);
        if let Some(before) = before.attachments {
            attachments(tools, &row.id, before).await?;
        }
        if let Some(before) = before.recordings {
            recordings(tools, &row.id, before).await?;
        }
        if let Some(before) = before.conversations {
            conversations(tools, &row.id, before).await?;
        }
        if let Some(before) = before.contacts {
            let what = format!("p.id {CONTACTS}");
            for id in ids(tools, &what, &row.id, before).await? {
                let mut write = tools.db.write().await?;
                match store::begin(&mut write, tools, &id, None, now).await {
                    Ok(_) => write.commit().await?,
                    // Somebody else was quicker.
                    Err(store::Error::Missing) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(())
}

async fn attachments(tools: &Tools, line_id: &str, before: DateTime<Utc>) -> Result<(), DbErr> {
    let files = ids(tools, &format!("a.id {ATTACHMENTS}"), line_id, before).await?;
    let mails = ids(tools, &format!("m.id {ORIGINALS}"), line_id, before).await?;
    if files.is_empty() && mails.is_empty() {
        return Ok(());
    }
    let mut write = tools.db.write().await?;
    let mut rows = Rows::for_lines(&mut write, tools.clock.now());
    let keys = rows
        .ids("SELECT storage_key FROM attachment WHERE id IN {list}", &files)
        .await?;
    rows.files(keys, &mut Counts::default()).await?;
    let keys = rows
        .ids(
            "SELECT original_key FROM message WHERE original_key IS NOT NULL AND id IN {list}",
            &mails,
        )
        .await?;
    rows.files(keys, &mut Counts::default()).await?;
    rows.run(
        "UPDATE message SET original_key = NULL WHERE id IN {list}",
        &mails,
    )
    .await?;
    let messages = rows
        .ids(
            "SELECT DISTINCT message_id FROM attachment WHERE id IN {list}",
            &files,
        )
        .await?;
    rows.run("DELETE FROM attachment WHERE id IN {list}", &files)
        .await?;
    rows.run(
        "UPDATE message SET has_attachments = FALSE WHERE id IN {list} AND NOT EXISTS \
         (SELECT 1 FROM attachment AS a WHERE a.message_id = message.id)",
        &messages,
    )
    .await?;
    let kept = rows.collected();
    write.commit().await?;
    remove(tools, kept).await
}

async fn recordings(tools: &Tools, line_id: &str, before: DateTime<Utc>) -> Result<(), DbErr> {
    let found = ids(tools, &format!("r.id {RECORDINGS}"), line_id, before).await?;
    if found.is_empty() {
        return Ok(());
    }
    let mut write = tools.db.write().await?;
    let mut rows = Rows::for_lines(&mut write, tools.clock.now());
    let files = rows
        .ids(
            "SELECT attachment_id FROM call_recording WHERE attachment_id IS NOT NULL AND id IN {list}",
            &found,
        )
        .await?;
    let keys = rows
        .ids("SELECT storage_key FROM attachment WHERE id IN {list}", &files)
        .await?;
    rows.files(keys, &mut Counts::default()).await?;
    rows.run("DELETE FROM call_recording WHERE id IN {list}", &found)
        .await?;
    rows.run("DELETE FROM attachment WHERE id IN {list}", &files)
        .await?;
    let kept = rows.collected();
    write.commit().await?;
    remove(tools, kept).await
}

async fn conversations(tools: &Tools, line_id: &str, before: DateTime<Utc>) -> Result<(), DbErr> {
    let due = ids(tools, &format!("c.id {CONVERSATIONS}"), line_id, before).await?;
    for id in due {
        loop {
            let mut write = tools.db.write().await?;
            write.lock(INTAKE).await?;
            let mut rows = Rows::for_lines(&mut write, tools.clock.now());
            // Somebody may have written meanwhile.
            let sql = "SELECT c.id FROM conversation AS c JOIN session AS s ON s.id = c.session_id \
                       WHERE s.state = 'closed' AND c.id IN {list}";
            let still = rows.ids(sql, std::slice::from_ref(&id)).await?;
            if still.is_empty() {
                break;
            }
            rows.of_conversations(&still, &mut Counts::default()).await?;
            let kept = rows.collected();
            write.commit().await?;
            remove(tools, kept).await?;
        }
    }
    Ok(())
}

/// Removes files that no row names any more.
async fn remove(tools: &Tools, keys: Vec<String>) -> Result<(), DbErr> {
    let in_use = super::files::used(tools, &keys).await?;
    let mut failed: BTreeMap<String, storage::Error> = BTreeMap::new();
    for key in keys.into_iter().filter(|key| !in_use.contains(key)) {
        if let Err(error) = tools.storage.delete(&key).await {
            failed.insert(key, error);
        }
    }
    for (key, error) in failed {
        tracing::warn!(key, %error, "a file whose time is over could not be removed");
    }
    Ok(())
}
