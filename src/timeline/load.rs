//! Loading what was found, and the names of what it is about.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use serde_json::Value;

use super::{ChangeView, Entry, Found, Kind, MergeView, MoveView, ThreadRef, task_of};
use crate::{
    call::{self, CallView},
    conversation::{
        store as conversations,
        view::{ContactRef, MessageView, Views},
    },
    db::{
        bulk,
        entity::{
            company, contact, contact_merge, conversation, deal, deal_move, field_change, lead, operator,
            stage, submission,
        },
    },
    form::store::SubmissionView,
    id::Kind as IdKind,
    lead::store::{self as leads, LeadView},
    operator::rights::Scope,
    task::{Task, store as tasks},
};

/// Entries with what their kinds say, in the order they were found.
pub(super) async fn entries(
    db: &impl ConnectionTrait,
    views: &Views,
    scope: &Scope,
    found: Vec<Found>,
) -> Result<Vec<Entry>, DbErr> {
    let ids = |kinds: &[Kind]| -> Vec<String> {
        let found = found.iter().filter(|one| kinds.contains(&one.kind));
        found.map(|one| one.id.clone()).collect()
    };
    let mut messages: HashMap<String, MessageView> = views
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
    let mut moves = moves(db, ids(&[Kind::Deal])).await?;
    let of_tasks: BTreeSet<String> = ids(&[Kind::Task, Kind::TaskDone])
        .iter()
        .map(|id| task_of(id).to_owned())
        .collect();
    let tasks: HashMap<String, Task> = tasks::by_id(db, &Vec::from_iter(of_tasks))
        .await?
        .into_iter()
        .map(|task| (task.id.clone(), task))
        .collect();
    let mut entries: Vec<Entry> = found
        .into_iter()
        .map(|one| Entry {
            message: messages.remove(&one.id),
            call: calls.remove(&one.id),
            lead: leads.remove(&one.id),
            submission: forms.remove(&one.id),
            change: changes.remove(&one.id),
            merge: merges.remove(&one.id),
            deal: moves.remove(&one.id),
            task: tasks.get(task_of(&one.id)).cloned(),
            conversation: None,
            kind: one.kind,
            id: one.id,
            at: one.at,
        })
        .collect();
    let threads = threads(db, scope, &entries).await?;
    for entry in &mut entries {
        entry.conversation = thread_of(entry).and_then(|id| threads.get(id)).cloned();
    }
    Ok(entries)
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
    let people = called(db, rows.iter().map(|row| row.contact_id.clone()).collect()).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let thread = ThreadRef {
                contact: ContactRef {
                    name: people.get(&row.contact_id).cloned().flatten(),
                    id: row.contact_id,
                },
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
    let named = rows.iter().flat_map(|row| {
        let said = [&row.old, &row.new];
        let named = said
            .into_iter()
            .filter_map(|value| reference(&row.field, value.as_ref()));
        named.chain([row.object_id.as_str()])
    });
    let titles = titles(db, named.map(str::to_owned).collect()).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let change = ChangeView {
                object_title: titles.get(&row.object_id).cloned(),
                old_title: reference(&row.field, row.old.as_ref()).and_then(|id| titles.get(id).cloned()),
                new_title: reference(&row.field, row.new.as_ref()).and_then(|id| titles.get(id).cloned()),
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

/// The contact or company that a field names.
fn reference<'a>(field: &str, value: Option<&'a Value>) -> Option<&'a str> {
    match field {
        "company_id" | "contact_id" => value?.as_str(),
        _ => None,
    }
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
    let people = rows
        .iter()
        .flat_map(|row| [row.from_id.clone(), row.into_id.clone()]);
    let called = called(db, people.collect()).await?;
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

/// The names of contacts, where they are known.
async fn called(
    db: &impl ConnectionTrait,
    ids: BTreeSet<String>,
) -> Result<HashMap<String, Option<String>>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = contact::Entity::find()
        .filter(contact::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// What the contacts, companies, leads and deals with these ids are called.
async fn titles(db: &impl ConnectionTrait, ids: BTreeSet<String>) -> Result<HashMap<String, String>, DbErr> {
    let of = |kind: IdKind| -> Vec<String> {
        let ours = ids.iter().filter(|id| id.starts_with(kind.prefix()));
        ours.cloned().collect()
    };
    let mut titles: HashMap<String, String> = called(db, of(IdKind::Contact).into_iter().collect())
        .await?
        .into_iter()
        .filter_map(|(id, name)| Some((id, name?)))
        .collect();
    let companies = of(IdKind::Company);
    if !companies.is_empty() {
        let rows = company::Entity::find().filter(company::Column::Id.is_in(bulk::padded(companies)));
        titles.extend(rows.all(db).await?.into_iter().map(|row| (row.id, row.name)));
    }
    let leads = of(IdKind::Lead);
    if !leads.is_empty() {
        let rows = lead::Entity::find().filter(lead::Column::Id.is_in(bulk::padded(leads)));
        titles.extend(rows.all(db).await?.into_iter().map(|row| (row.id, row.title)));
    }
    let deals = of(IdKind::Deal);
    if !deals.is_empty() {
        let rows = deal::Entity::find().filter(deal::Column::Id.is_in(bulk::padded(deals)));
        titles.extend(rows.all(db).await?.into_iter().map(|row| (row.id, row.title)));
    }
    Ok(titles)
}

/// Moves of deals by id, with the names of the stages.
async fn moves(db: &impl ConnectionTrait, ids: Vec<String>) -> Result<HashMap<String, MoveView>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = deal_move::Entity::find()
        .filter(deal_move::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    let deals: BTreeSet<String> = rows.iter().map(|row| row.deal_id.clone()).collect();
    let titles = titles(db, deals).await?;
    let stages: BTreeSet<&String> = rows
        .iter()
        .flat_map(|row| row.from_stage_id.iter().chain([&row.stage_id]))
        .collect();
    let stages: HashMap<String, stage::Model> = if stages.is_empty() {
        HashMap::new()
    } else {
        let found = stage::Entity::find().filter(stage::Column::Id.is_in(bulk::padded(stages)));
        let found = found.all(db).await?;
        found.into_iter().map(|row| (row.id.clone(), row)).collect()
    };
    let operators = rows.iter().filter_map(|row| row.operator_id.clone()).collect();
    let names = names(db, operators).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let to = stages.get(&row.stage_id);
            let from = row.from_stage_id.as_ref();
            let step = MoveView {
                title: titles.get(&row.deal_id).cloned().unwrap_or_default(),
                from_stage_name: from.and_then(|id| stages.get(id)).map(|stage| stage.name.clone()),
                stage_name: to.map(|stage| stage.name.clone()).unwrap_or_default(),
                state: to.map_or_else(|| "open".to_owned(), |stage| stage.kind.clone()),
                operator_name: row.operator_id.as_ref().and_then(|id| names.get(id)).cloned(),
                deal_id: row.deal_id,
                from_stage_id: row.from_stage_id,
                stage_id: row.stage_id,
                operator_id: row.operator_id,
            };
            (row.id, step)
        })
        .collect())
}
