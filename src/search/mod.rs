//! Full-text search in messages and contacts: FTS5 on SQLite, `tsvector` on PostgreSQL.
//!
//! A consumer of the log keeps one table of documents; ingest pays nothing for it, and a document is
//! there some milliseconds after its message. What lists find by a part of a name or a title is another table, see
//! [`record`].

pub mod fill;
pub mod find;
mod fold;
pub mod record;

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, Statement, Value};

use crate::{
    conversation::store as conversations,
    db::{
        Db, WriteTx, bulk,
        entity::{conversation, message},
    },
    event::{Event, EventType, consumer::Consumer},
    operator::rights::Scope,
};

/// Longest indexed text, in bytes: PostgreSQL refuses a document vector past one megabyte.
const MAX_BODY: usize = 200_000;
/// Messages looked at before those the caller may not see are dropped.
const CANDIDATES: u64 = 400;

/// Keeps the documents.
#[derive(Debug, Clone, Copy)]
pub struct Indexer;

/// Rows of `search_document`.
type Documents = Vec<Vec<Value>>;

#[async_trait]
impl Consumer for Indexer {
    type Work = Documents;

    fn name(&self) -> &'static str {
        "search.index"
    }

    fn wants(&self, event: &Event) -> bool {
        matches!(
            event.kind,
            Some(EventType::MessageCreated | EventType::MessageUpdated)
        )
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Documents>, DbErr> {
        let created: HashSet<&String> = events
            .iter()
            .filter(|event| event.kind == Some(EventType::MessageCreated))
            .map(|event| &event.object_id)
            .collect();
        let ids: HashSet<&String> = events.iter().map(|event| &event.object_id).collect();
        let rows = message::Entity::find()
            .filter(message::Column::Id.is_in(bulk::padded(ids)))
            .filter(message::Column::Kind.ne("system"))
            .all(db.read())
            .await?;
        let rows: Documents = rows
            .into_iter()
            // What became of a sending changes no words.
            .filter(|row| created.contains(&row.id) || row.revision > 0)
            .filter(|row| row.revision > 0 || !row.body.trim().is_empty())
            .map(|row| {
                let mut end = row.body.len().min(MAX_BODY);
                while !row.body.is_char_boundary(end) {
                    end -= 1;
                }
                let body = row.body.get(..end).unwrap_or_default().to_owned();
                vec![
                    "message".into(),
                    row.id.into(),
                    row.conversation_id.into(),
                    body.into(),
                ]
            })
            .collect();
        Ok((!rows.is_empty()).then_some(rows))
    }

    async fn handle(&self, write: &mut WriteTx, documents: Documents) -> Result<(), DbErr> {
        const COLUMNS: [&str; 4] = ["kind", "object_id", "conversation_id", "body"];
        bulk::insert(
            write.tx(),
            "search_document",
            &COLUMNS,
            documents,
            "ON CONFLICT (object_id) DO UPDATE SET body = excluded.body \
             WHERE search_document.body <> excluded.body",
        )
        .await
    }
}

/// A message that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The message.
    pub message: message::Model,
    /// Its conversation.
    pub conversation: conversation::Model,
    /// Its words around the hits, which stand between `\u{1}` and `\u{2}`; not escaped.
    pub snippet: String,
}

/// Messages with all words of the query (the last may be a beginning), the newest first, as far as
/// this scope sees them.
pub async fn messages(db: &Db, scope: &Scope, query: &str, limit: u64) -> Result<Vec<Hit>, DbErr> {
    let words = words(query);
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let candidates: Value = i64::try_from(CANDIDATES).unwrap_or(400).into();
    let statement = match db.backend() {
        DbBackend::Postgres => Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT object_id, ts_headline('switchboard', body, to_tsquery('switchboard', $1), \
             'StartSel=' || chr(1) || ',StopSel=' || chr(2) || ',MaxWords=24,MinWords=8') AS snippet \
             FROM search_document WHERE to_tsvector('switchboard', body) @@ to_tsquery('switchboard', $1) \
             ORDER BY id DESC LIMIT $2",
            [postgres_query(&words).into(), candidates],
        ),
        _ => Statement::from_sql_and_values(
            DbBackend::Sqlite,
            "SELECT d.object_id, snippet(search_index, 0, char(1), char(2), '…', 24) AS snippet \
             FROM search_index JOIN search_document d ON d.id = search_index.rowid \
             WHERE search_index MATCH $1 ORDER BY search_index.rowid DESC LIMIT $2",
            [sqlite_query(&words).into(), candidates],
        ),
    };
    let found = db.read().query_all_raw(statement).await?;
    let mut snippets = Vec::with_capacity(found.len());
    for row in found {
        snippets.push((
            row.try_get::<String>("", "object_id")?,
            row.try_get::<String>("", "snippet")?,
        ));
    }
    let ids: Vec<&String> = snippets.iter().map(|(id, _)| id).collect();
    let mut messages: HashMap<String, message::Model> = message::Entity::find()
        .filter(message::Column::Id.is_in(bulk::padded(ids)))
        .all(db.read())
        .await?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let conversation_ids: Vec<&String> = messages.values().map(|row| &row.conversation_id).collect();
    let visible: HashMap<String, conversation::Model> = conversations::visible_to(scope)
        .filter(conversation::Column::Id.is_in(bulk::padded(conversation_ids)))
        .all(db.read())
        .await?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(snippets
        .into_iter()
        .filter_map(|(id, snippet)| {
            let message = messages.remove(&id)?;
            let conversation = visible.get(&message.conversation_id)?.clone();
            Some(Hit {
                message,
                conversation,
                snippet,
            })
        })
        .take(limit)
        .collect())
}

/// The words of a query, without anything either database would read as an operator.
fn words(query: &str) -> Vec<String> {
    query
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(12)
        .map(str::to_lowercase)
        .collect()
}

fn sqlite_query(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("{}*", quoted.join(" "))
}

fn postgres_query(words: &[String]) -> String {
    format!("{}:*", words.join(" & "))
}

/// A snippet as HTML: everything escaped, hits in `<mark>`.
pub fn snippet_html(snippet: &str) -> String {
    let mut html = String::with_capacity(snippet.len() + 32);
    for char in snippet.chars() {
        match char {
            '\u{1}' => html.push_str("<mark>"),
            '\u{2}' => html.push_str("</mark>"),
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::{postgres_query, snippet_html, sqlite_query, words};

    #[test]
    fn a_query_is_words_and_nothing_else() {
        let words = words("Narxi \"qancha\" OR (сколько:*) & -x");
        assert_eq!(words, ["narxi", "qancha", "or", "сколько", "x"]);
        assert_eq!(sqlite_query(&words[..2]), "\"narxi\" \"qancha\"*");
        assert_eq!(postgres_query(&words[..2]), "narxi & qancha:*");
    }

    #[test]
    fn a_snippet_shows_its_hits_and_escapes_the_rest() {
        assert_eq!(snippet_html("<b>\u{1}Salom\u{2}"), "&lt;b&gt;<mark>Salom</mark>");
    }
}
