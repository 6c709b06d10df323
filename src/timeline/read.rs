//! Reading the timeline: where entries stand is asked of each source, then the newest are loaded.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoSimpleExpr, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{ChangeView, Entry, Found, Kind, MergeView, Place, ThreadRef, newest};
use crate::{
    call::{self, CallView},
    conversation::{
        store as conversations,
        view::{ContactRef, MessageView, Views},
    },
    db::{
        bulk,
        entity::{
            call as call_row, contact, contact_merge, conversation, field_change, lead, message, operator,
            session, submission,
        },
    },
    form::store::{self as forms, SubmissionView},
    lead::store::{self as leads, LeadView},
    operator::rights::Scope,
};

/// Whose timeline it is, and through whose eyes.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// How messages look.
    pub views: &'a Views,
    /// Who reads.
    pub scope: &'a Scope,
    /// The contact.
    pub contact_id: &'a str,
    /// Only these kinds; all when empty.
    pub kinds: &'a [Kind],
}

/// One page, newest first, and the place after which the next begins.
pub async fn page(
    db: &impl ConnectionTrait,
    reader: Reader<'_>,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<Entry>, Option<Place>), DbErr> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        if reader.kinds.is_empty() || reader.kinds.contains(&kind) {
            found.extend(reader.find(db, kind, after, limit + 1).await?);
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = newest(found, limit.saturating_add(1));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| Place {
        at: last.at,
        id: last.id.clone(),
    });
    Ok((reader.load(db, found).await?, next))
}

impl Reader<'_> {
    async fn find(
        &self,
        db: &impl ConnectionTrait,
        kind: Kind,
        after: Option<&Place>,
        limit: u64,
    ) -> Result<Vec<Found>, DbErr> {
        match kind {
            Kind::Message => {
                let kinds = message::Column::Kind.is_in(["inbound", "reply"]);
                self.messages(db, kind, kinds, after, limit).await
            }
            Kind::Note => {
                let kinds = message::Column::Kind.eq("note");
                self.messages(db, kind, kinds, after, limit).await
            }
            Kind::System => {
                let kinds = message::Column::Kind.eq("system");
                self.messages(db, kind, kinds, after, limit).await
            }
            Kind::Call => {
                let rows = call_row::Entity::find()
                    .filter(call_row::Column::ContactId.eq(self.contact_id))
                    .filter(call_row::Column::Shown.eq(true))
                    .filter(call_row::Column::MergedInto.is_null())
                    .filter(call::store::visible_to(self.scope));
                let columns = (call_row::Column::Id, call_row::Column::StartedAt);
                places(db, kind, rows, columns, after, limit).await
            }
            Kind::Form => {
                let rows = submission::Entity::find()
                    .filter(submission::Column::ContactId.eq(self.contact_id))
                    .filter(forms::visible_to(self.scope));
                let columns = (submission::Column::Id, submission::Column::CreatedAt);
                places(db, kind, rows, columns, after, limit).await
            }
            Kind::Change => {
                let leads = Query::select()
                    .column(lead::Column::Id)
                    .from(lead::Entity)
                    .and_where(lead::Column::ContactId.eq(self.contact_id))
                    .cond_where(leads::visible_to(self.scope))
                    .to_owned();
                let rows = field_change::Entity::find().filter(
                    Condition::any()
                        .add(field_change::Column::ObjectId.eq(self.contact_id))
                        .add(field_change::Column::ObjectId.in_subquery(leads)),
                );
                let columns = (field_change::Column::Id, field_change::Column::At);
                places(db, kind, rows, columns, after, limit).await
            }
            Kind::Lead => {
                let rows = lead::Entity::find()
                    .filter(lead::Column::ContactId.eq(self.contact_id))
                    .filter(lead::Column::Status.ne(leads::MERGED))
                    .filter(leads::visible_to(self.scope));
                let columns = (lead::Column::Id, lead::Column::CreatedAt);
                places(db, kind, rows, columns, after, limit).await
            }
            Kind::Merge => {
                let rows = contact_merge::Entity::find().filter(
                    Condition::any()
                        .add(contact_merge::Column::IntoId.eq(self.contact_id))
                        .add(contact_merge::Column::FromId.eq(self.contact_id)),
                );
                let columns = (contact_merge::Column::Id, contact_merge::Column::CreatedAt);
                places(db, kind, rows, columns, after, limit).await
            }
        }
    }

    /// The contact's conversations that the reader sees.
    fn conversations(&self) -> SelectStatement {
        Query::select()
            .column((conversation::Entity, conversation::Column::Id))
            .from(conversation::Entity)
            .inner_join(
                session::Entity,
                Expr::col((session::Entity, session::Column::Id))
                    .equals((conversation::Entity, conversation::Column::SessionId)),
            )
            .and_where(conversation::Column::ContactId.eq(self.contact_id))
            .cond_where(self.scope.condition())
            .to_owned()
    }

    /// What was said, without what stands elsewhere in the timeline: a form's text, a call's entry.
    async fn messages(
        &self,
        db: &impl ConnectionTrait,
        kind: Kind,
        kinds: sea_orm::sea_query::SimpleExpr,
        after: Option<&Place>,
        limit: u64,
    ) -> Result<Vec<Found>, DbErr> {
        let forms = Query::select()
            .column(conversation::Column::Id)
            .from(conversation::Entity)
            .and_where(conversation::Column::ContactId.eq(self.contact_id))
            .and_where(conversation::Column::ChannelKind.eq("webform"))
            .to_owned();
        let entry = Query::select()
            .column((call_row::Entity, call_row::Column::Id))
            .from(call_row::Entity)
            .and_where(
                Expr::col((call_row::Entity, call_row::Column::MessageId))
                    .equals((message::Entity, message::Column::Id)),
            )
            .to_owned();
        let rows = message::Entity::find()
            .filter(message::Column::ConversationId.in_subquery(self.conversations()))
            .filter(kinds)
            .filter(
                Condition::any()
                    .add(message::Column::Kind.ne("inbound"))
                    .add(message::Column::ConversationId.not_in_subquery(forms)),
            )
            .filter(Expr::exists(entry).not());
        let columns = (message::Column::Id, message::Column::CreatedAt);
        places(db, kind, rows, columns, after, limit).await
    }

    async fn load(&self, db: &impl ConnectionTrait, found: Vec<Found>) -> Result<Vec<Entry>, DbErr> {
        let ids = |kinds: &[Kind]| -> Vec<String> {
            let found = found.iter().filter(|one| kinds.contains(&one.kind));
            found.map(|one| one.id.clone()).collect()
        };
        let mut messages: HashMap<String, MessageView> = self
            .views
            .messages_by_id(db, &ids(&[Kind::Message, Kind::Note, Kind::System]))
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();
        let mut calls: HashMap<String, CallView> = call::view::by_id(db, &ids(&[Kind::Call]))
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();
        let mut leads: HashMap<String, LeadView> = leads::views_by_id(db, &ids(&[Kind::Lead]))
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();
        let mut forms = submissions(db, ids(&[Kind::Form])).await?;
        let mut changes = changes(db, ids(&[Kind::Change])).await?;
        let mut merges = merges(db, ids(&[Kind::Merge])).await?;
        let mut entries: Vec<Entry> = found
            .into_iter()
            .map(|one| Entry {
                message: messages.remove(&one.id),
                call: calls.remove(&one.id),
                lead: leads.remove(&one.id),
                submission: forms.remove(&one.id),
                change: changes.remove(&one.id),
                merge: merges.remove(&one.id),
                conversation: None,
                kind: one.kind,
                id: one.id,
                at: one.at,
            })
            .collect();
        let threads = threads(db, self.scope, &entries).await?;
        for entry in &mut entries {
            entry.conversation = thread_of(entry).and_then(|id| threads.get(id)).cloned();
        }
        Ok(entries)
    }
}

async fn places<E: EntityTrait, C: ColumnTrait + IntoSimpleExpr>(
    db: &impl ConnectionTrait,
    kind: Kind,
    rows: Select<E>,
    (id, at): (C, C),
    after: Option<&Place>,
    limit: u64,
) -> Result<Vec<Found>, DbErr> {
    let mut query = rows.select_only().column(id).column(at);
    if let Some(place) = after {
        query = query.filter(
            Condition::any()
                .add(at.lt(place.at))
                .add(Condition::all().add(at.eq(place.at)).add(id.lt(&place.id))),
        );
    }
    let rows: Vec<(String, DateTime<Utc>)> = query
        .order_by_desc(at)
        .order_by_desc(id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, at)| Found { kind, id, at }).collect())
}

fn thread_of(entry: &Entry) -> Option<&String> {
    let of_message = entry.message.as_ref().map(|message| &message.conversation_id);
    let of_call = entry.call.as_ref().and_then(|call| call.conversation_id.as_ref());
    let of_form = entry
        .submission
        .as_ref()
        .and_then(|form| form.conversation_id.as_ref());
    let of_lead = entry.lead.as_ref().and_then(|lead| lead.conversation_id.as_ref());
    of_message.or(of_call).or(of_form).or(of_lead)
}

/// The conversations of entries, as far as the reader sees them: a lead may be seen where its conversation is not.
async fn threads(
    db: &impl ConnectionTrait,
    scope: &Scope,
    entries: &[Entry],
) -> Result<HashMap<String, ThreadRef>, DbErr> {
    let ids: BTreeSet<&String> = entries.iter().filter_map(thread_of).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = conversations::visible_to(scope)
        .filter(conversation::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let thread = ThreadRef {
                id: row.id.clone(),
                number: row.number,
                channel_kind: row.channel_kind,
                subject: row.subject,
            };
            (row.id, thread)
        })
        .collect())
}

async fn submissions(
    db: &impl ConnectionTrait,
    ids: Vec<String>,
) -> Result<HashMap<String, SubmissionView>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = submission::Entity::find()
        .filter(submission::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id.clone(), SubmissionView::from(row)))
        .collect())
}

async fn names(db: &impl ConnectionTrait, ids: BTreeSet<String>) -> Result<HashMap<String, String>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = operator::Entity::find()
        .filter(operator::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

async fn changes(db: &impl ConnectionTrait, ids: Vec<String>) -> Result<HashMap<String, ChangeView>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = field_change::Entity::find()
        .filter(field_change::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    let operators = rows.iter().filter_map(|row| row.operator_id.clone()).collect();
    let names = names(db, operators).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let change = ChangeView {
                operator_name: row.operator_id.as_ref().and_then(|id| names.get(id)).cloned(),
                object_id: row.object_id,
                field: row.field,
                old: row.old,
                new: row.new,
                operator_id: row.operator_id,
            };
            (row.id, change)
        })
        .collect())
}

/// Merges by id.
async fn merges(db: &impl ConnectionTrait, ids: Vec<String>) -> Result<HashMap<String, MergeView>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = contact_merge::Entity::find()
        .filter(contact_merge::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    let people: BTreeSet<&String> = rows.iter().flat_map(|row| [&row.from_id, &row.into_id]).collect();
    let called: HashMap<String, Option<String>> = if people.is_empty() {
        HashMap::new()
    } else {
        let found = contact::Entity::find().filter(contact::Column::Id.is_in(bulk::padded(people)));
        let found = found.all(db).await?;
        found.into_iter().map(|row| (row.id, row.name)).collect()
    };
    let operators = rows.iter().filter_map(|row| row.operator_id.clone()).collect();
    let names = names(db, operators).await?;
    let person = |id: String| ContactRef {
        name: called.get(&id).cloned().flatten(),
        id,
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let merge = MergeView {
                id: row.id.clone(),
                from: person(row.from_id),
                into: person(row.into_id),
                operator_name: row.operator_id.as_ref().and_then(|id| names.get(id)).cloned(),
                operator_id: row.operator_id,
                created_at: row.created_at,
                undone_at: row.undone_at,
                undone_by: row.undone_by,
            };
            (row.id, merge)
        })
        .collect())
}
