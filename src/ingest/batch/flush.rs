//! Writing what a batch made and changed, table by table.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    mem::take,
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    Statement, UpdateMany,
    sea_query::{Expr, ExprTrait},
};
use serde_json::{Value as Json, json};
use switchboard_sdk::{DeliveryReceipt, ReceiptState};

use super::{
    Work,
    world::{JoinedLead, World},
};
use crate::{
    db::{
        BatchTx, bulk,
        entity::{attachment, contact, conversation, identity, lead, message, session, thread_ref},
    },
    event::{EventType, NewEvent},
    id::Kind,
    ingest::{prepare::clean_external_id, rows},
    lead::assignment,
};

impl World {
    /// Writes everything. Tables in the order their references ask for.
    pub async fn flush(&mut self, write: &mut BatchTx, works: &[Work]) -> Result<(), DbErr> {
        self.number_threads(write).await?;
        // A batch reads what was before it: this is the last moment to ask who has how many leads.
        assignment::give(&write.read(), &mut self.new_leads).await?;
        self.join_leads(write).await?;
        self.insert_rows(write).await?;
        self.update_rows(write).await?;
        self.flush_changes(write).await?;
        for (channel_id, receipt) in take(&mut self.receipts) {
            self.apply_receipt(write, &channel_id, receipt).await?;
        }
        self.flush_cursors(write, works).await?;
        for event in self.events.drain(..) {
            write.record(event);
        }
        let mut changed: Vec<&String> = self
            .threads
            .iter()
            .filter(|(_, t)| t.changed)
            .map(|(id, _)| id)
            .collect();
        changed.sort_unstable();
        for id in changed {
            write.record(NewEvent::conversation(id, self.now));
        }
        Ok(())
    }

    /// Takes the numbers people know conversations by.
    async fn number_threads(&mut self, write: &mut BatchTx) -> Result<(), DbErr> {
        if self.new_threads.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(self.new_threads.len()).unwrap_or(i64::MAX);
        let last = write.next_numbers("conversation", count).await?;
        for (number, id) in (last - count + 1..).zip(&self.new_threads) {
            if let Some(thread) = self.threads.get_mut(id) {
                thread.conversation.number = number;
            }
        }
        Ok(())
    }

    /// Everything that is many: new rows of all tables, and changed conversations.
    async fn insert_rows(&mut self, write: &mut BatchTx) -> Result<(), DbErr> {
        const KNOWN: &str = "ON CONFLICT DO NOTHING";
        // An approved submission's files have rows already: they only find their message now.
        const FILED: &str =
            "ON CONFLICT (id) DO UPDATE SET message_id = excluded.message_id, position = excluded.position";
        for row in &self.new_companies {
            write.record(NewEvent::new(EventType::CompanyUpdated, &row.id, self.now));
        }
        let rows = take(&mut self.new_companies).into_iter().map(rows::company);
        write.insert("company", rows::COMPANY, rows, KNOWN).await?;
        let rows = self
            .new_contacts
            .iter()
            .filter_map(|id| self.contacts.get(id).cloned())
            .map(rows::contact)
            .collect::<Vec<_>>();
        write
            .insert("contact", rows::CONTACT, rows.into_iter(), "")
            .await?;
        let rows = take(&mut self.new_identities).into_iter().map(rows::identity);
        write.insert("identity", rows::IDENTITY, rows, "").await?;
        let rows = take(&mut self.suggestions).into_iter().map(rows::suggestion);
        write
            .insert("contact_suggestion", rows::SUGGESTION, rows, KNOWN)
            .await?;
        let rows = take(&mut self.new_leads).into_iter().map(rows::lead);
        write.insert("lead", rows::LEAD, rows, "").await?;
        let (mut conversations, mut sessions) = (Vec::new(), Vec::new());
        for thread in self.threads.values().filter(|thread| thread.changed) {
            conversations.push(rows::conversation(thread.conversation.clone()));
            if thread.session_is_new {
                sessions.push(rows::session(thread.session.clone()));
            }
        }
        let changed = bulk::or_update(rows::CONVERSATION);
        write
            .insert(
                "conversation",
                rows::CONVERSATION,
                conversations.into_iter(),
                &changed,
            )
            .await?;
        write
            .insert("session", rows::SESSION, sessions.into_iter(), "")
            .await?;
        let rows = take(&mut self.messages).into_iter().map(rows::message);
        write.insert("message", rows::MESSAGE, rows, "").await?;
        let rows = take(&mut self.attachments).into_iter().map(rows::attachment);
        write.insert("attachment", rows::ATTACHMENT, rows, FILED).await?;
        let rows = take(&mut self.refs).into_iter().map(rows::thread_ref);
        write.insert("thread_ref", rows::THREAD_REF, rows, KNOWN).await?;
        let rows = take(&mut self.new_members).into_iter().map(rows::member);
        write
            .insert("conversation_member", rows::MEMBER, rows, KNOWN)
            .await?;
        let rows = take(&mut self.links).into_iter().map(rows::link);
        write.insert("conversation_link", rows::LINK, rows, "").await?;
        let rows = take(&mut self.submissions).into_iter().map(rows::submission);
        let approved = bulk::or_update(rows::SUBMISSION);
        write
            .insert("submission", rows::SUBMISSION, rows, &approved)
            .await?;
        let rows = take(&mut self.calls).into_iter().map(rows::call_event);
        write.insert("call_event", rows::CALL_EVENT, rows, "").await?;
        let rows = take(&mut self.quarantined).into_iter().map(rows::quarantine);
        write.insert("quarantine", rows::QUARANTINE, rows, "").await
    }

    /// Everything that is rare: one statement each.
    async fn update_rows(&mut self, write: &mut BatchTx) -> Result<(), DbErr> {
        let backend = write.backend();
        let new: HashSet<&String> = self.new_contacts.iter().collect();
        for id in self.changed_contacts.iter().filter(|id| !new.contains(id)) {
            let Some(row) = self.contacts.get(id) else {
                continue;
            };
            let changes = contact::ActiveModel {
                name: Set(row.name.clone()),
                language: Set(row.language.clone()),
                company_id: Set(row.company_id.clone()),
                version: Set(row.version),
                updated_at: Set(row.updated_at),
                ..Default::default()
            };
            let update = contact::Entity::update_many()
                .set(changes)
                .filter(contact::Column::Id.eq(id));
            write.execute(update.build(backend)).await?;
        }
        let mut owed: BTreeMap<Option<DateTime<Utc>>, Vec<String>> = BTreeMap::new();
        for thread in self.threads.values() {
            if thread.owed && !thread.session_is_new {
                let same = owed.entry(thread.session.due_at).or_default();
                same.push(thread.session.id.clone());
            }
        }
        // One statement for each line that promises something else.
        for (due_at, owed) in owed {
            let update = session::Entity::update_many()
                .col_expr(session::Column::OwedSince, Expr::value(self.now))
                .col_expr(session::Column::DueAt, Expr::value(due_at))
                .filter(session::Column::Id.is_in(bulk::padded(owed)));
            write.execute(update.build(backend)).await?;
        }
        let answered = take(&mut self.answered);
        if !answered.is_empty() {
            let update = session::Entity::update_many()
                .col_expr(
                    session::Column::OwedSince,
                    Expr::value(Option::<DateTime<Utc>>::None),
                )
                .col_expr(session::Column::DueAt, Expr::value(Option::<DateTime<Utc>>::None))
                .col_expr(session::Column::AnsweredAt, Expr::value(self.now))
                .filter(session::Column::Id.is_in(answered));
            write.execute(update.build(backend)).await?;
        }
        let heard = take(&mut self.heard);
        if !heard.is_empty() {
            let update = reachable(heard.into_iter().collect());
            write.execute(update.build(backend)).await?;
        }
        for identity in take(&mut self.proven) {
            let update = identity::Entity::update_many()
                .col_expr(identity::Column::Verified, Expr::value(true))
                .filter(identity::Column::Kind.eq(identity.kind.as_str()))
                .filter(identity::Column::Value.eq(identity.value));
            write.execute(update.build(backend)).await?;
        }
        for (id, message_id, position) in take(&mut self.uploaded) {
            let update = attachment::Entity::update_many()
                .col_expr(attachment::Column::MessageId, Expr::value(message_id))
                .col_expr(attachment::Column::Position, Expr::value(position))
                .filter(attachment::Column::Id.eq(id))
                .filter(attachment::Column::MessageId.is_null());
            write.execute(update.build(backend)).await?;
        }
        Ok(())
    }

    async fn flush_cursors(&self, write: &mut BatchTx, works: &[Work]) -> Result<(), DbErr> {
        let rows = works
            .iter()
            .filter(|work| self.channel(&work.channel_id).is_some())
            .filter_map(|work| work.cursor.as_ref().map(|cursor| (&work.channel_id, cursor)))
            .map(|(channel_id, cursor)| {
                vec![
                    channel_id.clone().into(),
                    cursor.name.clone().into(),
                    cursor.value.clone().into(),
                    self.now.into(),
                ]
            })
            .collect::<Vec<_>>();
        // One at a time: two batches of one channel in one transaction would name a row twice.
        for row in rows {
            const COLUMNS: [&str; 4] = ["channel_id", "name", "value", "updated_at"];
            let tail = "ON CONFLICT (channel_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
            write
                .insert("channel_cursor", &COLUMNS, std::iter::once(row), tail)
                .await?;
        }
        Ok(())
    }

    /// A provider's word on a message we sent. States only move forward; a failure after the fact is
    /// shown as one.
    async fn apply_receipt(
        &mut self,
        write: &mut BatchTx,
        channel_id: &str,
        receipt: DeliveryReceipt,
    ) -> Result<(), DbErr> {
        let place = (channel_id.to_owned(), receipt.external_id.clone());
        let found = thread_ref::Entity::find_by_id(place).one(&write.read()).await?;
        let found = match found.and_then(|found| Some((found.message_id?, found.conversation_id))) {
            Some(found) => Some(found),
            None => sent_on(write, channel_id, &receipt.external_id).await?,
        };
        let Some((message_id, conversation_id)) = found else {
            return Ok(());
        };
        if let Some(name) = receipt.known_as.as_deref().map(clean_external_id) {
            let row = thread_ref::Model {
                channel_id: channel_id.to_owned(),
                external_id: name.clone(),
                conversation_id: conversation_id.clone(),
                message_id: Some(message_id.clone()),
                created_at: self.now,
            };
            let rows = std::iter::once(rows::thread_ref(row));
            write
                .insert("thread_ref", rows::THREAD_REF, rows, "ON CONFLICT DO NOTHING")
                .await?;
            let update = message::Entity::update_many()
                .col_expr(message::Column::ExternalId, Expr::value(name))
                .filter(message::Column::Id.eq(&message_id));
            write.execute(update.build(write.backend())).await?;
        }
        let (state, from): (&str, &[&str]) = match receipt.state {
            ReceiptState::Relayed => ("sent", &["delayed"]),
            ReceiptState::Delivered => (
                "delivered",
                &["queued", "sending", "sent", "uncertain", "delayed"],
            ),
            ReceiptState::Read => (
                "read",
                &["queued", "sending", "sent", "uncertain", "delayed", "delivered"],
            ),
            ReceiptState::Delayed => ("delayed", &["queued", "sending", "sent", "uncertain", "delayed"]),
            ReceiptState::Failed => (
                "failed",
                &["queued", "sending", "sent", "uncertain", "delayed", "delivered"],
            ),
        };
        let update = message::Entity::update_many()
            .col_expr(message::Column::DeliveryState, Expr::value(state))
            .col_expr(message::Column::DeliveryError, Expr::value(receipt.error.clone()))
            .filter(message::Column::Id.eq(&message_id))
            .filter(Expr::col(message::Column::DeliveryState).is_in(from.iter().copied()));
        if write.execute(update.build(write.backend())).await? > 0 {
            self.judge_address(write, &conversation_id, &receipt).await?;
            self.events.push(NewEvent::message(
                EventType::MessageUpdated,
                message_id,
                &conversation_id,
                self.now,
            ));
        }
        Ok(())
    }

    /// What a report says of an address: that nothing reaches it, or that something did.
    async fn judge_address(
        &mut self,
        write: &mut BatchTx,
        conversation_id: &str,
        receipt: &DeliveryReceipt,
    ) -> Result<(), DbErr> {
        let backend = write.backend();
        let row = conversation::Entity::find_by_id(conversation_id)
            .one(&write.read())
            .await?;
        let Some(row) = row else { return Ok(()) };
        let changed = match (receipt.state, &receipt.dead_address) {
            (ReceiptState::Failed, Some(address)) => {
                let update = identity::Entity::update_many()
                    .col_expr(identity::Column::UnreachableSince, Expr::value(self.now))
                    .col_expr(
                        identity::Column::UnreachableReason,
                        Expr::value(receipt.error.clone()),
                    )
                    .filter(identity::Column::Kind.eq("email"))
                    .filter(identity::Column::Value.eq(address));
                write.execute(update.build(backend)).await?
            }
            (ReceiptState::Delivered | ReceiptState::Read, _) => {
                write.execute(reachable(vec![row.address]).build(backend)).await?
            }
            _ => 0,
        };
        if changed > 0 {
            self.events
                .push(NewEvent::new(EventType::ContactUpdated, row.contact_id, self.now));
            self.events
                .push(NewEvent::conversation(conversation_id, self.now));
        }
        Ok(())
    }

    /// A submission that joined an open lead adds what the lead does not know yet, and its touch as the
    /// last. The lead may be of this very batch, and may be joined more than once in it.
    async fn join_leads(&mut self, write: &mut BatchTx) -> Result<(), DbErr> {
        let additions = take(&mut self.joined_leads);
        if additions.is_empty() {
            return Ok(());
        }
        let ids = additions.iter().map(|addition| &addition.lead_id);
        let mut known: BTreeMap<String, lead::Model> = lead::Entity::find()
            .filter(lead::Column::Id.is_in(bulk::padded(ids)))
            .order_by_asc(lead::Column::Id)
            .lock_exclusive()
            .all(&write.read())
            .await?
            .into_iter()
            .map(|row| (row.id.clone(), row))
            .collect();
        let mut changed = BTreeSet::new();
        for addition in additions {
            if let Some(row) = known.get_mut(&addition.lead_id) {
                if addition.add_to(row) {
                    changed.insert(addition.lead_id);
                }
            } else if let Some(row) = self.new_leads.iter_mut().find(|row| row.id == addition.lead_id) {
                addition.add_to(row);
            }
        }
        for row in changed.into_iter().filter_map(|id| known.remove(&id)) {
            let changes = lead::ActiveModel {
                fields: Set(row.fields),
                attribution: Set(row.attribution),
                version: Set(row.version + 1),
                updated_at: Set(self.now),
                ..Default::default()
            };
            let update = lead::Entity::update_many()
                .set(changes)
                .filter(lead::Column::Id.eq(&row.id));
            write.execute(update.build(write.backend())).await?;
            write.record(NewEvent::new(EventType::LeadUpdated, &row.id, self.now));
        }
        Ok(())
    }
}

impl JoinedLead {
    /// Whether the lead is another than before.
    fn add_to(&self, row: &mut lead::Model) -> bool {
        let mut fields = row.fields.as_object().cloned().unwrap_or_default();
        for (name, value) in &self.fields {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let mut attribution = row.attribution.clone();
        if let Some(known) = attribution.as_object_mut().filter(|_| !self.last.is_empty()) {
            known.insert("last".to_owned(), json!(self.last));
        }
        let fields = Json::Object(fields);
        let changed = fields != row.fields || attribution != row.attribution;
        row.fields = fields;
        row.attribution = attribution;
        changed
    }
}

/// One of our answers on this channel, when the provider names it by our own id.
async fn sent_on(
    write: &BatchTx,
    channel_id: &str,
    message_id: &str,
) -> Result<Option<(String, String)>, DbErr> {
    if !message_id.starts_with(Kind::Message.prefix()) {
        return Ok(None);
    }
    let sql = "SELECT m.id, m.conversation_id FROM message m JOIN conversation c ON c.id = m.conversation_id \
               WHERE m.id = $1 AND c.channel_id = $2 AND m.kind = 'reply'";
    let statement =
        Statement::from_sql_and_values(write.backend(), sql, [message_id.into(), channel_id.into()]);
    let row = write.read().query_one_raw(statement).await?;
    row.map(|row| Ok((row.try_get("", "id")?, row.try_get("", "conversation_id")?)))
        .transpose()
}

/// Addresses at which somebody is.
fn reachable(addresses: Vec<String>) -> UpdateMany<identity::Entity> {
    identity::Entity::update_many()
        .col_expr(
            identity::Column::UnreachableSince,
            Expr::value(Option::<DateTime<Utc>>::None),
        )
        .col_expr(
            identity::Column::UnreachableReason,
            Expr::value(Option::<String>::None),
        )
        .filter(identity::Column::Kind.eq("email"))
        .filter(identity::Column::Value.is_in(addresses))
        .filter(identity::Column::UnreachableSince.is_not_null())
}
