//! Writing what a batch made and changed, table by table.

use std::{collections::HashSet, mem::take};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Set,
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
        WriteTx, bulk,
        entity::{attachment, contact, identity, lead, message, thread_ref},
        next_numbers,
    },
    event::{EventType, NewEvent},
    ingest::rows,
};

impl World {
    /// Writes everything. Tables in the order their references ask for.
    pub async fn flush(&mut self, write: &mut WriteTx, works: &[Work]) -> Result<(), DbErr> {
        self.number_threads(write).await?;
        self.insert_rows(write).await?;
        self.update_rows(write).await?;
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
    async fn number_threads(&mut self, write: &WriteTx) -> Result<(), DbErr> {
        if self.new_threads.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(self.new_threads.len()).unwrap_or(i64::MAX);
        let last = next_numbers(write.tx(), "conversation", count).await?;
        for (number, id) in (last - count + 1..).zip(&self.new_threads) {
            if let Some(thread) = self.threads.get_mut(id) {
                thread.conversation.number = number;
            }
        }
        Ok(())
    }

    /// Everything that is many: new rows of all tables, and changed conversations, as one chain of
    /// statements.
    async fn insert_rows(&mut self, write: &WriteTx) -> Result<(), DbErr> {
        const SUGGESTION: [&str; 4] = ["contact_id", "other_id", "reason", "created_at"];
        const REF: [&str; 5] = [
            "channel_id",
            "external_id",
            "conversation_id",
            "message_id",
            "created_at",
        ];
        const QUARANTINE: [&str; 7] = [
            "id",
            "channel_id",
            "external_id",
            "reason",
            "size",
            "storage_key",
            "created_at",
        ];
        const KNOWN: &str = "ON CONFLICT DO NOTHING";
        // An approved submission's files have rows already: they only find their message now.
        const FILED: &str =
            "ON CONFLICT (id) DO UPDATE SET message_id = excluded.message_id, position = excluded.position";
        let backend = write.backend();
        let contacts: Vec<contact::Model> = self
            .new_contacts
            .iter()
            .filter_map(|id| self.contacts.get(id).cloned())
            .collect();
        let (mut conversations, mut sessions) = (Vec::new(), Vec::new());
        for thread in self.threads.values().filter(|thread| thread.changed) {
            conversations.push(thread.conversation.clone());
            if thread.session_changed {
                sessions.push(thread.session.clone());
            }
        }
        let suggestions = take(&mut self.suggestions).into_iter().map(|row| {
            vec![
                row.contact_id.into(),
                row.other_id.into(),
                row.reason.into(),
                row.created_at.into(),
            ]
        });
        let refs = take(&mut self.refs).into_iter().map(|row| {
            vec![
                row.channel_id.into(),
                row.external_id.into(),
                row.conversation_id.into(),
                row.message_id.into(),
                row.created_at.into(),
            ]
        });
        let quarantined = take(&mut self.quarantined).into_iter().map(|row| {
            vec![
                row.id.into(),
                row.channel_id.into(),
                row.external_id.into(),
                row.reason.into(),
                row.size.into(),
                row.storage_key.into(),
                row.created_at.into(),
            ]
        });
        let identities = take(&mut self.new_identities).into_iter().map(rows::identity);
        let leads = take(&mut self.new_leads).into_iter().map(rows::lead);
        let messages = take(&mut self.messages).into_iter().map(rows::message);
        let attachments = take(&mut self.attachments).into_iter().map(rows::attachment);
        let submissions = take(&mut self.submissions).into_iter().map(rows::submission);
        let (contacts, sessions) = (
            contacts.into_iter().map(rows::contact),
            sessions.into_iter().map(rows::session),
        );
        let conversations = conversations.into_iter().map(rows::conversation);
        let (changed, approved) = (
            bulk::or_update(rows::CONVERSATION),
            bulk::or_update(rows::SUBMISSION),
        );

        let chain = bulk::statements(backend, "contact", rows::CONTACT, contacts, "")
            .chain(bulk::statements(
                backend,
                "identity",
                rows::IDENTITY,
                identities,
                "",
            ))
            .chain(bulk::statements(
                backend,
                "contact_suggestion",
                &SUGGESTION,
                suggestions,
                KNOWN,
            ))
            .chain(bulk::statements(backend, "lead", rows::LEAD, leads, ""))
            .chain(bulk::statements(
                backend,
                "conversation",
                rows::CONVERSATION,
                conversations,
                &changed,
            ))
            .chain(bulk::statements(backend, "session", rows::SESSION, sessions, ""))
            .chain(bulk::statements(backend, "message", rows::MESSAGE, messages, ""))
            .chain(bulk::statements(
                backend,
                "attachment",
                rows::ATTACHMENT,
                attachments,
                FILED,
            ))
            .chain(bulk::statements(backend, "thread_ref", &REF, refs, KNOWN))
            .chain(bulk::statements(
                backend,
                "submission",
                rows::SUBMISSION,
                submissions,
                &approved,
            ))
            .chain(bulk::statements(
                backend,
                "quarantine",
                &QUARANTINE,
                quarantined,
                "",
            ));
        bulk::run(write.tx(), chain).await
    }

    /// Everything that is rare: one statement each.
    async fn update_rows(&mut self, write: &mut WriteTx) -> Result<(), DbErr> {
        let new: HashSet<&String> = self.new_contacts.iter().collect();
        for id in self.changed_contacts.iter().filter(|id| !new.contains(id)) {
            let Some(row) = self.contacts.get(id) else {
                continue;
            };
            contact::ActiveModel {
                id: Set(id.clone()),
                name: Set(row.name.clone()),
                language: Set(row.language.clone()),
                company_id: Set(row.company_id.clone()),
                version: Set(row.version),
                updated_at: Set(row.updated_at),
                ..Default::default()
            }
            .update_without_returning(write.tx())
            .await?;
        }
        for identity in take(&mut self.proven) {
            identity::Entity::update_many()
                .col_expr(identity::Column::Verified, Expr::value(true))
                .filter(identity::Column::Kind.eq(identity.kind.as_str()))
                .filter(identity::Column::Value.eq(identity.value))
                .exec(write.tx())
                .await?;
        }
        for (id, message_id, position) in take(&mut self.uploaded) {
            attachment::Entity::update_many()
                .col_expr(attachment::Column::MessageId, Expr::value(message_id))
                .col_expr(attachment::Column::Position, Expr::value(position))
                .filter(attachment::Column::Id.eq(id))
                .filter(attachment::Column::MessageId.is_null())
                .exec(write.tx())
                .await?;
        }
        for addition in take(&mut self.joined_leads) {
            update_joined_lead(write, addition, self.now).await?;
        }
        Ok(())
    }

    async fn flush_cursors(&self, write: &WriteTx, works: &[Work]) -> Result<(), DbErr> {
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
            bulk::insert(write.tx(), "channel_cursor", &COLUMNS, vec![row], tail).await?;
        }
        Ok(())
    }

    /// A provider's word on a message we sent. States only move forward; a failure after the fact is
    /// shown as one.
    async fn apply_receipt(
        &mut self,
        write: &WriteTx,
        channel_id: &str,
        receipt: DeliveryReceipt,
    ) -> Result<(), DbErr> {
        let place = (channel_id.to_owned(), receipt.external_id.clone());
        let Some(found) = thread_ref::Entity::find_by_id(place).one(write.tx()).await? else {
            return Ok(());
        };
        let Some(message_id) = found.message_id else {
            return Ok(());
        };
        let (state, from): (&str, &[&str]) = match receipt.state {
            ReceiptState::Delivered => ("delivered", &["queued", "sending", "sent", "uncertain"]),
            ReceiptState::Read => ("read", &["queued", "sending", "sent", "uncertain", "delivered"]),
            ReceiptState::Failed => ("failed", &["queued", "sending", "sent", "uncertain", "delivered"]),
        };
        let changed = message::Entity::update_many()
            .col_expr(message::Column::DeliveryState, Expr::value(state))
            .col_expr(message::Column::DeliveryError, Expr::value(receipt.error))
            .filter(message::Column::Id.eq(&message_id))
            .filter(Expr::col(message::Column::DeliveryState).is_in(from.iter().copied()))
            .exec(write.tx())
            .await?;
        if changed.rows_affected > 0 {
            let conversation_id = found.conversation_id;
            self.events.push(NewEvent::message(
                EventType::MessageUpdated,
                message_id,
                conversation_id,
                self.now,
            ));
        }
        Ok(())
    }
}

/// A submission that joined an open lead adds what the lead does not know yet, and its touch as the last.
async fn update_joined_lead(
    write: &mut WriteTx,
    addition: JoinedLead,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(row) = lead::Entity::find_by_id(&addition.lead_id)
        .lock_exclusive()
        .one(write.tx())
        .await?
    else {
        return Ok(());
    };
    let mut fields = row.fields.as_object().cloned().unwrap_or_default();
    for (name, value) in addition.fields {
        fields.entry(name).or_insert(value);
    }
    let mut attribution = row.attribution.clone();
    if let Some(known) = attribution.as_object_mut().filter(|_| !addition.last.is_empty()) {
        known.insert("last".to_owned(), json!(addition.last));
    }
    if Json::Object(fields.clone()) == row.fields && attribution == row.attribution {
        return Ok(());
    }
    lead::ActiveModel {
        id: Set(row.id.clone()),
        fields: Set(Json::Object(fields)),
        attribution: Set(attribution),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    write.record(NewEvent::new(EventType::LeadUpdated, &row.id, now));
    Ok(())
}
