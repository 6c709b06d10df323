//! Reading and changing tasks.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    On, OnKind, Task, about,
    time::{Span, reminder},
};
use crate::{
    company::store as companies,
    contact::sight,
    db::{
        WriteTx, bulk,
        entity::{company, contact, conversation, deal, lead, operator, task},
    },
    deal::store as deals,
    event::{EventType, NewEvent},
    id::{self, Kind},
    lead::store as leads,
    operator::rights::{Object, Reach, Scope},
};

/// Characters a title may have.
const TITLE_LIMIT: usize = 300;
/// Tasks a badge counts; beyond it "many" is enough.
const COUNTED: u64 = 1_000;

/// Why a task was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such task, or it is out of sight.
    #[error("not found")]
    NotFound,
    /// It was changed since the caller read it.
    #[error("somebody else changed this task meanwhile; load it again")]
    Stale,
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the fields are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// When tasks are due, and so the order of their list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// Open or done, the last made first.
    #[default]
    All,
    /// Open ones, the last made first.
    Open,
    /// Open ones that are due between these times, the first due first.
    Due(Span),
    /// Open ones that are due at no particular time, the last made first.
    Someday,
    /// Done ones, the last done first.
    Done,
}

/// What a list of tasks is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// By time.
    pub which: Which,
    /// Of one operator.
    pub operator_id: Option<String>,
    /// About one object, which the caller sees.
    pub on: Option<On>,
    /// About a contact whom the caller sees, or a conversation, a lead or a deal of theirs that they see.
    pub person: Option<String>,
}

/// A place in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// When the last row is due or was done, where the list is in that order.
    pub at: Option<DateTime<Utc>>,
    /// The row.
    pub id: String,
}

/// How many open tasks somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TaskCounts)]
pub struct Counts {
    /// Due before now.
    pub overdue: u64,
    /// Due from now until midnight.
    pub today: u64,
}

fn column(kind: OnKind) -> task::Column {
    match kind {
        OnKind::Contact => task::Column::ContactId,
        OnKind::Lead => task::Column::LeadId,
        OnKind::Deal => task::Column::DealId,
        OnKind::Conversation => task::Column::ConversationId,
        OnKind::Company => task::Column::CompanyId,
    }
}

/// What a task is about.
pub fn on(row: &task::Model) -> Option<On> {
    [
        (OnKind::Contact, &row.contact_id),
        (OnKind::Lead, &row.lead_id),
        (OnKind::Deal, &row.deal_id),
        (OnKind::Conversation, &row.conversation_id),
        (OnKind::Company, &row.company_id),
    ]
    .into_iter()
    .find_map(|(kind, id)| {
        Some(On {
            r#type: kind,
            id: id.clone()?,
        })
    })
}

/// Whether somebody sees an object that tasks can be about.
pub async fn sees(db: &impl ConnectionTrait, scope: &Scope, on: &On) -> Result<bool, DbErr> {
    if on.id.contains('\0') {
        return Ok(false);
    }
    match on.r#type {
        OnKind::Contact => Ok(sight::find(db, scope, &on.id).await?.is_some()),
        OnKind::Lead => Ok(leads::find(db, scope, &on.id).await?.is_some()),
        OnKind::Deal => Ok(deals::find(db, scope, &on.id).await?.is_some()),
        OnKind::Conversation => scope.sees_conversation(db, &on.id).await,
        OnKind::Company => Ok(companies::find(db, scope, &on.id).await?.is_some()),
    }
}

/// One page of tasks and the place after which the next begins. Without an object operators see the tasks they do
/// or made.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<task::Model>, Option<Place>), DbErr> {
    let mut query = task::Entity::find();
    let extent = scope.view(Object::Task);
    if let Some(on) = &filter.on {
        query = query.filter(column(on.r#type).eq(&on.id));
    }
    if let Some(person) = &filter.person {
        query = query.filter(about::person(scope, person));
    }
    // Who sees an object sees what is to be done about it, if their role goes beyond themselves.
    let through_object = (filter.on.is_some() || filter.person.is_some()) && extent.reach >= Reach::Lines;
    if !extent.is_all() && !through_object {
        query = query.filter(
            Condition::any()
                .add(task::Column::OperatorId.is_in(extent.owners()))
                .add(task::Column::CreatedBy.is_in(extent.owners())),
        );
    }
    if let Some(operator_id) = &filter.operator_id {
        query = query.filter(task::Column::OperatorId.eq(operator_id));
    }
    query = match filter.which {
        Which::All => query,
        Which::Open => query.filter(task::Column::DoneAt.is_null()),
        Which::Due((from, to)) => {
            let mut query = query
                .filter(task::Column::DoneAt.is_null())
                .filter(task::Column::DueAt.is_not_null());
            if let Some(from) = from {
                query = query.filter(task::Column::DueAt.gte(from));
            }
            if let Some(to) = to {
                query = query.filter(task::Column::DueAt.lt(to));
            }
            query
        }
        Which::Someday => query
            .filter(task::Column::DoneAt.is_null())
            .filter(task::Column::DueAt.is_null()),
        Which::Done => query.filter(task::Column::DoneAt.is_not_null()),
    };
    query = match (filter.which, after) {
        (Which::Due(_), Some(Place { at: Some(at), id })) => query.filter(
            Condition::any().add(task::Column::DueAt.gt(*at)).add(
                Condition::all()
                    .add(task::Column::DueAt.eq(*at))
                    .add(task::Column::Id.gt(id)),
            ),
        ),
        (Which::Done, Some(Place { at: Some(at), id })) => query.filter(
            Condition::any().add(task::Column::DoneAt.lt(*at)).add(
                Condition::all()
                    .add(task::Column::DoneAt.eq(*at))
                    .add(task::Column::Id.lt(id)),
            ),
        ),
        (_, Some(place)) => query.filter(task::Column::Id.lt(&place.id)),
        (_, None) => query,
    };
    query = match filter.which {
        Which::Due(_) => query
            .order_by_asc(task::Column::DueAt)
            .order_by_asc(task::Column::Id),
        Which::Done => query
            .order_by_desc(task::Column::DoneAt)
            .order_by_desc(task::Column::Id),
        _ => query.order_by_desc(task::Column::Id),
    };
    let mut rows = query.limit(limit + 1).all(db).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| Place {
        at: match filter.which {
            Which::Due(_) => row.due_at,
            Which::Done => row.done_at,
            _ => None,
        },
        id: row.id.clone(),
    });
    Ok((rows, next))
}

/// How many open tasks of somebody are overdue at `now`, and due before `midnight`.
pub async fn counts(
    db: &impl ConnectionTrait,
    operator_id: &str,
    now: DateTime<Utc>,
    midnight: DateTime<Utc>,
) -> Result<Counts, DbErr> {
    let open = || {
        task::Entity::find()
            .filter(task::Column::OperatorId.eq(operator_id))
            .filter(task::Column::DoneAt.is_null())
            .limit(COUNTED)
    };
    let overdue = open().filter(task::Column::DueAt.lt(now));
    let today = open()
        .filter(task::Column::DueAt.gte(now))
        .filter(task::Column::DueAt.lt(midnight));
    Ok(Counts {
        overdue: overdue.count(db).await?,
        today: today.count(db).await?,
    })
}

/// One task that the caller may see: they do it, made it, see all, or see what it is about.
pub async fn find(db: &impl ConnectionTrait, scope: &Scope, id: &str) -> Result<task::Model, Error> {
    let row = task::Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::NotFound)?;
    let extent = scope.view(Object::Task);
    let own = [&row.operator_id, &row.created_by]
        .into_iter()
        .flatten()
        .any(|id| extent.owns(id));
    if own || extent.is_all() {
        return Ok(row);
    }
    match on(&row) {
        Some(on) if extent.reach >= Reach::Lines && sees(db, scope, &on).await? => Ok(row),
        _ => Err(Error::NotFound),
    }
}

/// What may be said of a task; `None` leaves it. An inner `None` clears it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What is to be done.
    pub title: Option<String>,
    /// Until when.
    pub due_at: Option<Option<DateTime<Utc>>>,
    /// When to remind.
    pub remind_at: Option<Option<DateTime<Utc>>>,
    /// Since when it is done.
    pub done_at: Option<Option<DateTime<Utc>>>,
    /// Who does it.
    pub operator_id: Option<Option<String>>,
    /// What it is about; the caller has looked whether it may be seen.
    pub on: Option<Option<On>>,
    /// The version the change was made from.
    pub version: Option<i64>,
}

/// Makes a task, for whoever makes it unless somebody else is named.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn create(
    write: &mut WriteTx,
    new: Change,
    by: &str,
    now: DateTime<Utc>,
) -> Result<task::Model, Error> {
    let mut row = task::Model {
        id: id::new(Kind::Task, now),
        title: String::new(),
        due_at: None,
        done_at: None,
        remind_at: None,
        reminded_at: None,
        operator_id: Some(by.to_owned()),
        created_by: Some(by.to_owned()),
        contact_id: None,
        lead_id: None,
        deal_id: None,
        conversation_id: None,
        company_id: None,
        done_by: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let asked = new.remind_at;
    apply(write, &mut row, new).await?;
    row.remind_at = reminder(row.due_at, asked, None);
    task::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    told(write, &row, None, now);
    Ok(row)
}

/// Changes a task.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], and [`Error::Invalid`] with each field that cannot be.
pub async fn change(
    write: &mut WriteTx,
    id: &str,
    change: Change,
    by: &str,
    now: DateTime<Utc>,
) -> Result<task::Model, Error> {
    let was = task::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)?;
    if change.version.is_some_and(|version| version != was.version) {
        return Err(Error::Stale);
    }
    let mut row = was.clone();
    let asked = change.remind_at;
    apply(write, &mut row, change).await?;
    match (was.done_at, row.done_at) {
        (None, Some(_)) => row.done_by = Some(by.to_owned()),
        (_, None) => row.done_by = None,
        // Done is done by whoever said so first.
        (Some(_), Some(_)) => {}
    }
    row.remind_at = reminder(row.due_at, asked, Some((was.due_at, was.remind_at)));
    if row.remind_at != was.remind_at || row.operator_id != was.operator_id {
        // Another time, or somebody else: what was told before is not this.
        row.reminded_at = None;
    }
    row.version += 1;
    row.updated_at = now;
    task::ActiveModel::from(row.clone())
        .reset_all()
        .update_without_returning(write.tx())
        .await?;
    told(write, &row, Some(&was), now);
    Ok(row)
}

/// Removes a task.
pub async fn remove(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let row = task::Entity::find_by_id(id).one(write.tx()).await?;
    let row = row.ok_or(Error::NotFound)?;
    task::Entity::delete_by_id(id).exec(write.tx()).await?;
    write.record(NewEvent::new(EventType::TaskRemoved, id, now));
    card(write, row.deal_id.as_deref(), now);
    Ok(())
}

/// Tells of the tasks that go with what they are about.
pub async fn go_with(write: &mut WriteTx, on: &On, now: DateTime<Utc>) -> Result<(), DbErr> {
    let ids: Vec<String> = task::Entity::find()
        .select_only()
        .column(task::Column::Id)
        .filter(column(on.r#type).eq(&on.id))
        .into_tuple()
        .all(write.tx())
        .await?;
    for id in ids {
        write.record(NewEvent::new(EventType::TaskRemoved, id, now));
    }
    Ok(())
}

/// Tells of a task, and of the deals whose card shows it.
fn told(write: &mut WriteTx, row: &task::Model, was: Option<&task::Model>, now: DateTime<Utc>) {
    write.record(NewEvent::new(EventType::TaskUpdated, &row.id, now));
    let before = was.and_then(|was| was.deal_id.as_deref());
    card(write, before.filter(|id| row.deal_id.as_deref() != Some(id)), now);
    card(write, row.deal_id.as_deref(), now);
}

fn card(write: &mut WriteTx, deal_id: Option<&str>, now: DateTime<Utc>) {
    if let Some(id) = deal_id {
        write.record(NewEvent::new(EventType::DealUpdated, id, now));
    }
}

async fn apply(write: &WriteTx, row: &mut task::Model, change: Change) -> Result<(), Error> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| errors.push((field.to_owned(), message.to_owned()));
    if let Some(title) = change.title {
        row.title = title.trim().to_owned();
    }
    if !(1..=TITLE_LIMIT).contains(&row.title.chars().count()) || row.title.contains(char::is_control) {
        wrong("title", "must have 1 to 300 characters");
    }
    if let Some(due_at) = change.due_at {
        row.due_at = due_at;
    }
    if let Some(done_at) = change.done_at {
        row.done_at = done_at;
    }
    if let Some(operator_id) = change.operator_id {
        if let Some(id) = &operator_id
            && operator::Entity::find_by_id(id).one(write.tx()).await?.is_none()
        {
            wrong("operator_id", "there is no such user");
        }
        row.operator_id = operator_id;
    }
    if let Some(on) = change.on {
        let of = |kind: OnKind| on.as_ref().filter(|on| on.r#type == kind).map(|on| on.id.clone());
        row.contact_id = of(OnKind::Contact);
        row.lead_id = of(OnKind::Lead);
        row.deal_id = of(OnKind::Deal);
        row.conversation_id = of(OnKind::Conversation);
        row.company_id = of(OnKind::Company);
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(errors))
    }
}

/// Views of tasks, in their order.
pub async fn views(db: &impl ConnectionTrait, rows: Vec<task::Model>) -> Result<Vec<Task>, DbErr> {
    let of = |kind: OnKind| -> Vec<String> {
        rows.iter()
            .filter_map(on)
            .filter(|on| on.r#type == kind)
            .map(|on| on.id)
            .collect()
    };
    let mut titles: HashMap<String, String> = HashMap::new();
    let ids = of(OnKind::Contact);
    if !ids.is_empty() {
        let found = contact::Entity::find().filter(contact::Column::Id.is_in(bulk::padded(ids)));
        let found = found.all(db).await?;
        titles.extend(found.into_iter().filter_map(|row| Some((row.id, row.name?))));
    }
    let ids = of(OnKind::Lead);
    if !ids.is_empty() {
        let found = lead::Entity::find().filter(lead::Column::Id.is_in(bulk::padded(ids)));
        let found = found.all(db).await?;
        titles.extend(found.into_iter().map(|row| (row.id, row.title)));
    }
    let ids = of(OnKind::Deal);
    if !ids.is_empty() {
        let found = deal::Entity::find().filter(deal::Column::Id.is_in(bulk::padded(ids)));
        let found = found.all(db).await?;
        titles.extend(found.into_iter().map(|row| (row.id, row.title)));
    }
    let ids = of(OnKind::Conversation);
    if !ids.is_empty() {
        let found = conversation::Entity::find().filter(conversation::Column::Id.is_in(bulk::padded(ids)));
        let found = found.all(db).await?;
        let title =
            |row: conversation::Model| (row.id, row.subject.unwrap_or_else(|| format!("#{}", row.number)));
        titles.extend(found.into_iter().map(title));
    }
    let ids = of(OnKind::Company);
    if !ids.is_empty() {
        let found = company::Entity::find().filter(company::Column::Id.is_in(bulk::padded(ids)));
        let found = found.all(db).await?;
        titles.extend(found.into_iter().map(|row| (row.id, row.name)));
    }
    let view = |row: task::Model| {
        let on = on(&row);
        Task {
            on_title: on.as_ref().and_then(|on| titles.get(&on.id).cloned()),
            on,
            id: row.id,
            title: row.title,
            due_at: row.due_at,
            done_at: row.done_at,
            done_by: row.done_by,
            remind_at: row.remind_at,
            reminded_at: row.reminded_at,
            operator_id: row.operator_id,
            created_by: row.created_by,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Tasks by id, as views.
pub async fn by_id(db: &impl ConnectionTrait, ids: &[String]) -> Result<Vec<Task>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = task::Entity::find()
        .filter(task::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    views(db, rows).await
}
