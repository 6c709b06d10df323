//! What is theirs: removed piece by piece, each piece with the files that are to follow it.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::{
    Counts, Person, State, Tools,
    store::{self, listed},
};
use crate::{
    conversation::rearrange::INTAKE,
    db::{WriteTx, bulk, entity::erasure},
    event::{EventType, NewEvent},
    webhook,
};

/// Messages removed in one transaction.
const MESSAGES: u32 = 400;
/// Other rows removed in one transaction.
const OTHERS: u32 = 50;
/// What a deal is called whose person was erased.
pub(super) const NAMELESS: &str = "Erased person";

/// One piece of the work, in one transaction.
pub(super) struct Rows<'a> {
    write: &'a mut WriteTx,
    /// Where files are noted that are to be removed; none of those whom a line keeps no longer.
    erasure_id: Option<&'a str>,
    collected: Vec<String>,
    now: DateTime<Utc>,
}

/// What is theirs in tables that have no index to find it by. Nobody is recognised as them any more, so it only gets
/// less.
#[derive(Debug, Default)]
pub(super) struct Strewn {
    /// Messages in others' conversations.
    messages: Vec<String>,
    /// Imports that made or found them.
    imports: Vec<String>,
    /// Browsers whose page said who they are.
    browsers: Vec<String>,
}

impl Strewn {
    /// Reads those tables through, before anybody waits for the writer.
    pub async fn read(tools: &Tools, person: &Person) -> Result<Self, DbErr> {
        let messages = "SELECT id FROM message WHERE author_type = 'contact' AND author_id IN {list} AND \
                        conversation_id NOT IN (SELECT id FROM conversation WHERE contact_id IN {list})";
        let imports = "SELECT DISTINCT import_id FROM import_row WHERE contact_id IN {list}";
        let names: Vec<String> = person.needles.names.iter().cloned().collect();
        Ok(Self {
            messages: find(tools, messages, &person.contacts).await?,
            imports: find(tools, imports, &person.contacts).await?,
            browsers: find(
                tools,
                "SELECT id FROM visitor WHERE identity_value IN {list}",
                &names,
            )
            .await?,
        })
    }
}

/// Removes the next piece of what is theirs; false when nothing is left. The piece and
/// how far it is are one transaction.
pub(super) async fn step(
    tools: &Tools,
    row: &mut erasure::Model,
    (person, strewn): (&Person, &mut Strewn),
    counts: &mut Counts,
) -> Result<bool, DbErr> {
    let now = tools.clock.now();
    let mut write = tools.db.write().await?;
    write.lock(INTAKE).await?;
    let id = row.id.clone();
    let more = Rows::new(&mut write, &id, now)
        .piece(person, strewn, counts)
        .await?;
    let state = if more { State::Rows } else { State::Mentions };
    store::advance(&write, row, (state, 0), counts, now).await?;
    write.commit().await?;
    Ok(more)
}

impl<'a> Rows<'a> {
    pub fn new(write: &'a mut WriteTx, erasure_id: &'a str, now: DateTime<Utc>) -> Self {
        Self {
            write,
            erasure_id: Some(erasure_id),
            collected: Vec::new(),
            now,
        }
    }

    /// For what a line keeps no longer: files are collected.
    pub fn for_lines(write: &'a mut WriteTx, now: DateTime<Utc>) -> Self {
        Self {
            write,
            erasure_id: None,
            collected: Vec::new(),
            now,
        }
    }

    /// The files that are to be removed after the commit.
    pub fn collected(self) -> Vec<String> {
        self.collected
    }

    /// Nobody is recognised as these contacts any more, and nothing more goes out to them.
    pub async fn unknown(&mut self, contacts: &[String]) -> Result<(), DbErr> {
        self.run(
            "DELETE FROM outbox WHERE state <> 'sending' AND conversation_id IN \
             (SELECT id FROM conversation WHERE contact_id IN {list})",
            contacts,
        )
        .await?;
        let sql = "SELECT id FROM visitor WHERE id IN \
                   (SELECT value FROM identity WHERE contact_id IN {list})";
        let visitors = self.ids(sql, contacts).await?;
        self.visitors(&visitors).await?;
        self.run("DELETE FROM identity WHERE contact_id IN {list}", contacts)
            .await?;
        Ok(())
    }

    async fn piece(
        &mut self,
        person: &Person,
        strewn: &mut Strewn,
        counts: &mut Counts,
    ) -> Result<bool, DbErr> {
        let contacts = &person.contacts;
        self.visitors(&std::mem::take(&mut strewn.browsers)).await?;
        let sql = format!(
            "SELECT id FROM message WHERE conversation_id IN \
             (SELECT id FROM conversation WHERE contact_id IN {{list}}) LIMIT {MESSAGES}"
        );
        let messages = self.ids(&sql, contacts).await?;
        if !messages.is_empty() {
            counts.messages += messages.len() as u64;
            self.messages(&messages, counts).await?;
            return Ok(true);
        }
        if !strewn.messages.is_empty() {
            let rest = strewn.messages.len().saturating_sub(MESSAGES as usize);
            let elsewhere = strewn.messages.split_off(rest);
            counts.messages += elsewhere.len() as u64;
            self.silence(&elsewhere, counts).await?;
            return Ok(true);
        }
        let sql = format!(
            "SELECT id FROM call WHERE contact_id IN {{list}} OR conversation_id IN \
             (SELECT id FROM conversation WHERE contact_id IN {{list}}) LIMIT {OTHERS}"
        );
        let calls = self.ids(&sql, contacts).await?;
        if !calls.is_empty() {
            counts.calls += calls.len() as u64;
            self.calls(&calls, counts).await?;
            return Ok(true);
        }
        let sql = format!(
            "SELECT id FROM submission WHERE contact_id IN {{list}} OR conversation_id IN \
             (SELECT id FROM conversation WHERE contact_id IN {{list}}) OR lead_id IN \
             (SELECT id FROM lead WHERE contact_id IN {{list}}) LIMIT {OTHERS}"
        );
        let submissions = self.ids(&sql, contacts).await?;
        if !submissions.is_empty() {
            counts.submissions += submissions.len() as u64;
            self.submissions(&submissions, counts).await?;
            return Ok(true);
        }
        if self.conversations(contacts, counts).await? {
            return Ok(true);
        }
        let sql = format!(
            "SELECT id FROM deal WHERE contact_id IN {{list}} OR lead_id IN \
             (SELECT id FROM lead WHERE contact_id IN {{list}}) LIMIT {OTHERS}"
        );
        let deals = self.ids(&sql, contacts).await?;
        if !deals.is_empty() {
            counts.deals_kept += deals.len() as u64;
            self.deals(&deals).await?;
            return Ok(true);
        }
        let sql = format!(
            "SELECT id FROM task WHERE contact_id IN {{list}} OR lead_id IN \
             (SELECT id FROM lead WHERE contact_id IN {{list}}) LIMIT {OTHERS}"
        );
        let tasks = self.ids(&sql, contacts).await?;
        if !tasks.is_empty() {
            counts.tasks += tasks.len() as u64;
            self.hanging(&tasks).await?;
            self.run("DELETE FROM task WHERE id IN {list}", &tasks).await?;
            self.tell(EventType::TaskRemoved, &tasks);
            return Ok(true);
        }
        let leads = self
            .ids(
                &format!("SELECT id FROM lead WHERE contact_id IN {{list}} LIMIT {OTHERS}"),
                contacts,
            )
            .await?;
        if !leads.is_empty() {
            counts.leads += leads.len() as u64;
            self.hanging(&leads).await?;
            self.run(
                "UPDATE conversation SET lead_id = NULL WHERE lead_id IN {list}",
                &leads,
            )
            .await?;
            self.run("DELETE FROM lead WHERE id IN {list}", &leads).await?;
            return Ok(true);
        }
        for import in &strewn.imports {
            self.run_with(
                "UPDATE import_row SET contact_id = NULL, lead_id = NULL, errors = NULL \
                 WHERE contact_id IN {list} AND import_id = ",
                contacts,
                import,
            )
            .await?;
        }
        let sql =
            "SELECT storage_key FROM person_export WHERE storage_key IS NOT NULL AND person_id IN {list}";
        let archives = self.ids(sql, contacts).await?;
        self.files(archives, counts).await?;
        self.run("DELETE FROM person_export WHERE person_id IN {list}", contacts)
            .await?;
        self.run(
            "UPDATE commerce_link SET contact_id = NULL, digest = NULL WHERE contact_id IN {list}",
            contacts,
        )
        .await?;
        self.hanging(contacts).await?;
        let gone = self
            .run("DELETE FROM contact WHERE id IN {list}", contacts)
            .await?;
        if gone > 0 {
            counts.contacts += gone;
            self.tell(EventType::ContactErased, contacts);
        }
        Ok(false)
    }

    /// Messages of their conversations, with what hangs on them.
    async fn messages(&mut self, ids: &[String], counts: &mut Counts) -> Result<(), DbErr> {
        self.files_of_messages(ids, counts).await?;
        self.run("DELETE FROM search_document WHERE object_id IN {list}", ids)
            .await?;
        webhook::store::forget(self.write, ids).await?;
        self.run("DELETE FROM message WHERE id IN {list}", ids).await?;
        Ok(())
    }

    /// What they said in a conversation that is somebody else's: its place stays, so that nobody's count goes wrong.
    async fn silence(&mut self, ids: &[String], counts: &mut Counts) -> Result<(), DbErr> {
        self.files_of_messages(ids, counts).await?;
        for sql in [
            "DELETE FROM search_document WHERE object_id IN {list}",
            "DELETE FROM message_version WHERE message_id IN {list}",
            "DELETE FROM attachment WHERE message_id IN {list}",
            "UPDATE conversation SET last_message_text = NULL, version = version + 1 WHERE last_message_id IN {list}",
        ] {
            self.run(sql, ids).await?;
        }
        webhook::store::forget(self.write, ids).await?;
        let sql = "UPDATE message SET body = '', html = NULL, author_id = NULL, author_name = NULL, mail = NULL, \
                   recipients = NULL, extra = NULL, reactions = NULL, parts = NULL, original_key = NULL, \
                   has_attachments = FALSE, revision = revision + 1, deleted_by = 'contact', deleted_at = ";
        let (list, mut values) = listed(ids);
        values.push(self.now.into());
        let sql = format!("{sql}${} WHERE id IN {list}", values.len());
        self.execute(sql, values).await?;
        let sql = "SELECT id || ' ' || conversation_id FROM message WHERE id IN {list}";
        for pair in self.ids(sql, ids).await? {
            let (id, conversation_id) = pair.split_once(' ').unwrap_or_default();
            self.write.record(NewEvent::message(
                EventType::MessageUpdated,
                id,
                conversation_id,
                self.now,
            ));
        }
        Ok(())
    }

    async fn files_of_messages(&mut self, ids: &[String], counts: &mut Counts) -> Result<(), DbErr> {
        let sql = "SELECT storage_key FROM attachment WHERE message_id IN {list}";
        let mut keys = self.ids(sql, ids).await?;
        let sql = "SELECT original_key FROM message WHERE original_key IS NOT NULL AND id IN {list}";
        keys.extend(self.ids(sql, ids).await?);
        self.files(keys, counts).await
    }

    pub async fn calls(&mut self, ids: &[String], counts: &mut Counts) -> Result<(), DbErr> {
        let merged = self
            .ids("SELECT id FROM call WHERE merged_into IN {list}", ids)
            .await?;
        let all: Vec<String> = ids.iter().cloned().chain(merged).collect();
        self.files_of_owners("call", &all, counts).await?;
        let sql = "SELECT a.storage_key FROM attachment AS a JOIN call_recording AS r ON r.attachment_id = a.id \
                   WHERE r.call_id IN {list}";
        let keys = self.ids(sql, &all).await?;
        let sql = "DELETE FROM attachment WHERE id IN \
                   (SELECT attachment_id FROM call_recording WHERE call_id IN {list})";
        self.run(sql, &all).await?;
        self.files(keys, counts).await?;
        self.hanging(&all).await?;
        self.run("DELETE FROM call WHERE id IN {list}", &all).await?;
        Ok(())
    }

    pub async fn submissions(&mut self, ids: &[String], counts: &mut Counts) -> Result<(), DbErr> {
        self.files_of_owners("submission", ids, counts).await?;
        self.hanging(ids).await?;
        self.run("DELETE FROM submission WHERE id IN {list}", ids).await?;
        Ok(())
    }

    pub async fn visitors(&mut self, ids: &[String]) -> Result<(), DbErr> {
        if ids.is_empty() {
            return Ok(());
        }
        self.files_of_owners("visitor", ids, &mut Counts::default())
            .await?;
        self.run("DELETE FROM visitor_block WHERE value IN {list}", ids)
            .await?;
        self.run("DELETE FROM visitor WHERE id IN {list}", ids).await?;
        Ok(())
    }

    /// Up to a few conversations, when nothing was said in them meanwhile; whether there were any.
    async fn conversations(&mut self, contacts: &[String], counts: &mut Counts) -> Result<bool, DbErr> {
        let lock = if self.write.backend() == DbBackend::Postgres {
            " FOR UPDATE"
        } else {
            ""
        };
        let sql = format!(
            "SELECT id FROM conversation WHERE contact_id IN {{list}} ORDER BY id LIMIT {OTHERS}{lock}"
        );
        let ids = self.ids(&sql, contacts).await?;
        self.of_conversations(&ids, counts).await?;
        Ok(!ids.is_empty())
    }

    /// The next piece of these conversations: messages, or they themselves when nothing is said in them any more.
    pub async fn of_conversations(&mut self, ids: &[String], counts: &mut Counts) -> Result<(), DbErr> {
        let sql = format!("SELECT id FROM message WHERE conversation_id IN {{list}} LIMIT {MESSAGES}");
        let said = self.ids(&sql, ids).await?;
        if !said.is_empty() {
            counts.messages += said.len() as u64;
            return self.messages(&said, counts).await;
        }
        let tasks = self
            .ids("SELECT id FROM task WHERE conversation_id IN {list}", ids)
            .await?;
        counts.tasks += tasks.len() as u64;
        self.hanging(&tasks).await?;
        self.tell(EventType::TaskRemoved, &tasks);
        self.hanging(ids).await?;
        self.run("DELETE FROM search_document WHERE conversation_id IN {list}", ids)
            .await?;
        self.run(
            "UPDATE lead SET conversation_id = NULL WHERE conversation_id IN {list}",
            ids,
        )
        .await?;
        counts.conversations += self
            .run("DELETE FROM conversation WHERE id IN {list}", ids)
            .await?;
        self.tell(EventType::ConversationRemoved, ids);
        Ok(())
    }

    /// Deals count in the figures: what they were worth stays, whose they were goes.
    async fn deals(&mut self, ids: &[String]) -> Result<(), DbErr> {
        self.hanging(ids).await?;
        let tasks = self
            .ids("SELECT id FROM task WHERE deal_id IN {list}", ids)
            .await?;
        self.hanging(&tasks).await?;
        self.run("DELETE FROM task WHERE deal_id IN {list}", ids).await?;
        self.tell(EventType::TaskRemoved, &tasks);
        self.run(
            "UPDATE commerce_link SET document = NULL WHERE deal_id IN {list}",
            ids,
        )
        .await?;
        let (list, mut values) = listed(ids);
        values.push(NAMELESS.into());
        values.push(self.now.into());
        let sql = format!(
            "UPDATE deal SET contact_id = NULL, lead_id = NULL, title = ${}, fields = '{{}}', \
             version = version + 1, updated_at = ${} WHERE id IN {list}",
            values.len() - 1,
            values.len(),
        );
        self.execute(sql, values).await?;
        self.tell(EventType::DealUpdated, ids);
        Ok(())
    }

    /// What hangs on an object by its id alone.
    async fn hanging(&mut self, ids: &[String]) -> Result<(), DbErr> {
        for part in ids.chunks(128) {
            webhook::store::forget(self.write, part).await?;
            self.run("DELETE FROM object_tag WHERE object_id IN {list}", part)
                .await?;
            self.run("DELETE FROM field_change WHERE object_id IN {list}", part)
                .await?;
        }
        Ok(())
    }

    async fn files_of_owners(
        &mut self,
        kind: &str,
        ids: &[String],
        counts: &mut Counts,
    ) -> Result<(), DbErr> {
        let owners: Vec<String> = ids.iter().map(|id| format!("{kind}:{id}")).collect();
        let keys = self
            .ids(
                "SELECT storage_key FROM attachment WHERE owner IN {list}",
                &owners,
            )
            .await?;
        self.run("DELETE FROM attachment WHERE owner IN {list}", &owners)
            .await?;
        self.files(keys, counts).await
    }

    /// Files that are removed when their rows are gone.
    pub async fn files(&mut self, keys: Vec<String>, counts: &mut Counts) -> Result<(), DbErr> {
        counts.files += keys.len() as u64;
        let Some(erasure_id) = self.erasure_id else {
            self.collected.extend(keys);
            return Ok(());
        };
        let rows = keys
            .into_iter()
            .map(|key| vec![erasure_id.to_owned().into(), key.into()])
            .collect();
        let columns = ["erasure_id", "storage_key"];
        bulk::insert(
            self.write.tx(),
            "erasure_file",
            &columns,
            rows,
            "ON CONFLICT DO NOTHING",
        )
        .await
    }

    fn tell(&mut self, kind: EventType, ids: &[String]) {
        for id in ids {
            self.write.record(NewEvent::new(kind, id, self.now));
        }
    }

    /// The first column of what a statement finds; `{list}` stands for `ids`.
    pub async fn ids(&self, sql: &str, ids: &[String]) -> Result<Vec<String>, DbErr> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (list, values) = listed(ids);
        let statement =
            Statement::from_sql_and_values(self.write.backend(), sql.replace("{list}", &list), values);
        let rows = self.write.tx().query_all_raw(statement).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// Runs a statement over `ids`; answers how many rows it changed.
    pub async fn run(&self, sql: &str, ids: &[String]) -> Result<u64, DbErr> {
        if ids.is_empty() {
            return Ok(0);
        }
        let (list, values) = listed(ids);
        self.execute(sql.replace("{list}", &list), values).await
    }

    async fn run_with(&self, sql: &str, ids: &[String], last: &str) -> Result<u64, DbErr> {
        let (list, mut values) = listed(ids);
        values.push(last.to_owned().into());
        let sql = format!("{}${}", sql.replace("{list}", &list), values.len());
        self.execute(sql, values).await
    }

    async fn execute(&self, sql: String, values: Vec<Value>) -> Result<u64, DbErr> {
        let statement = Statement::from_sql_and_values(self.write.backend(), sql, values);
        Ok(self.write.tx().execute_raw(statement).await?.rows_affected())
    }
}

async fn find(tools: &Tools, sql: &str, ids: &[String]) -> Result<Vec<String>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, values) = listed(ids);
    let statement = Statement::from_sql_and_values(tools.db.backend(), sql.replace("{list}", &list), values);
    let rows = tools.db.read().query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
