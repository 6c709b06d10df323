//! Erasures in the database: beginning one, looking at them, taking one a step further.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set, Statement, Value as Bound, sea_query::ExprTrait,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Counts, Person, State, Tools, needles::Needles, rows::Rows};
use crate::{
    contact::address,
    conversation::rearrange::INTAKE,
    db::{
        WriteTx, bulk,
        entity::{
            contact, conversation, deal, erasure, field_change, identity, lead, operator, submission, task,
            visitor,
        },
    },
    id::{self, Kind},
    secret, webhook,
};

/// A chain of merges is followed so far.
const CHAIN: usize = 50;

/// Why a person is not erased.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such contact.
    #[error("no such contact")]
    Missing,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
    /// The master key is not the one it was.
    #[error(transparent)]
    Sealed(#[from] secret::Error),
}

/// An erasure as admins see it. It says nothing about the person but the id they had.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub struct ErasureView {
    /// `ers_…`
    pub id: String,
    /// The contact that was erased.
    pub contact_id: String,
    /// How far it is.
    pub state: State,
    /// What went so far.
    pub counts: Counts,
    /// Why it is waiting, when something is in its way; it is tried again.
    pub error: Option<String>,
    /// Who asked for it; null when a line keeps nobody so long.
    pub operator_id: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When nothing was left.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<erasure::Model> for ErasureView {
    fn from(row: erasure::Model) -> Self {
        Self {
            counts: counts(&row),
            id: row.id,
            contact_id: row.person_id,
            state: State::parse(&row.state),
            error: row.error,
            operator_id: row.operator_id,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// What went so far.
pub(super) fn counts(row: &erasure::Model) -> Counts {
    serde_json::from_value(row.counts.clone()).unwrap_or_default()
}

/// Where a page of erasures ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    created_at: DateTime<Utc>,
    id: String,
}

/// Erasures, the newest first.
pub async fn list(
    db: &impl ConnectionTrait,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<ErasureView>, Option<Place>), DbErr> {
    let mut query = erasure::Entity::find()
        .order_by_desc(erasure::Column::CreatedAt)
        .order_by_desc(erasure::Column::Id)
        .limit(limit + 1);
    if let Some(place) = after {
        query = query.filter(
            erasure::Column::CreatedAt
                .lt(place.created_at)
                .or(erasure::Column::CreatedAt
                    .eq(place.created_at)
                    .and(erasure::Column::Id.lt(&place.id))),
        );
    }
    let mut rows = query.all(db).await?;
    let full = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| full).map(|row| Place {
        created_at: row.created_at,
        id: row.id.clone(),
    });
    Ok((rows.into_iter().map(ErasureView::from).collect(), next))
}

/// One erasure.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Option<ErasureView>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    Ok(erasure::Entity::find_by_id(id)
        .one(db)
        .await?
        .map(ErasureView::from))
}

/// Those that are not done, the oldest first.
pub(super) async fn work(db: &impl ConnectionTrait) -> Result<Vec<erasure::Model>, DbErr> {
    erasure::Entity::find()
        .filter(erasure::Column::FinishedAt.is_null())
        .order_by_asc(erasure::Column::CreatedAt)
        .limit(20)
        .all(db)
        .await
}

/// Whether the person still has a row of their own.
pub async fn is_there(db: &impl ConnectionTrait, contact_id: &str) -> Result<bool, DbErr> {
    let found = contact::Entity::find_by_id(contact_id).count(db).await?;
    Ok(found > 0)
}

/// What would go, before anybody says yes.
pub async fn preview(db: &impl ConnectionTrait, contact_id: &str) -> Result<Counts, Error> {
    let contacts = everybody(db, contact_id).await?;
    let their = |column: conversation::Column| column.is_in(contacts.clone());
    let conversations = conversation::Entity::find().filter(their(conversation::Column::ContactId));
    let count = |table: &'static str, of: &'static str| {
        let (list, values) = listed(&contacts);
        let sql = of.replace("{list}", &list);
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {sql}");
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        async move {
            let row = db.query_one_raw(statement).await?;
            let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
            Ok::<u64, DbErr>(u64::try_from(count).unwrap_or_default())
        }
    };
    let messages = "conversation_id IN (SELECT id FROM conversation WHERE contact_id IN {list})";
    let files = "message_id IN (SELECT m.id FROM message AS m JOIN conversation AS c ON c.id = m.conversation_id \
                 WHERE c.contact_id IN {list})";
    Ok(Counts {
        contacts: contacts.len() as u64,
        conversations: conversations.count(db).await?,
        messages: count("message", messages).await?,
        files: count("attachment", files).await?,
        calls: count("call", "contact_id IN {list}").await?,
        submissions: count("submission", "contact_id IN {list}").await?,
        leads: count("lead", "contact_id IN {list}").await?,
        tasks: count("task", "contact_id IN {list}").await?,
        deals_kept: count("deal", "contact_id IN {list}").await?,
        mentions: 0,
    })
}

/// `IN ($1, …)` over ids.
pub(super) fn listed(ids: &[String]) -> (String, Vec<Bound>) {
    bulk::in_list(1, ids.iter().cloned().map(Bound::from).collect())
}

/// The contact at the end of all merges first, then all that were merged into it.
async fn everybody(db: &impl ConnectionTrait, contact_id: &str) -> Result<Vec<String>, Error> {
    let mut root = contact::Entity::find_by_id(contact_id)
        .one(db)
        .await?
        .ok_or(Error::Missing)?;
    for _ in 0..CHAIN {
        let Some(into) = &root.merged_into else { break };
        let Some(next) = contact::Entity::find_by_id(into).one(db).await? else {
            break;
        };
        root = next;
    }
    let mut all = vec![root.id];
    let mut fresh = all.clone();
    while !fresh.is_empty() {
        let found: Vec<String> = contact::Entity::find()
            .select_only()
            .column(contact::Column::Id)
            .filter(contact::Column::MergedInto.is_in(bulk::padded(fresh)))
            .into_tuple()
            .all(db)
            .await?;
        fresh = found.into_iter().filter(|id| !all.contains(id)).collect();
        all.extend(fresh.iter().cloned());
    }
    Ok(all)
}

/// Begins to erase a person, as an operator asks (`by`) or a line's rule: from here on nobody is recognised as them, and nothing more is sent to them. A second
/// wish for the same person answers the first.
pub async fn begin(
    write: &mut WriteTx,
    tools: &Tools,
    contact_id: &str,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<erasure::Model, Error> {
    // Nobody hangs something on them meanwhile.
    write.lock(INTAKE).await?;
    let contacts = everybody(write.tx(), contact_id).await?;
    let root = contacts.first().cloned().unwrap_or_default();
    let begun = erasure::Entity::find()
        .filter(erasure::Column::PersonId.eq(&root))
        .one(write.tx())
        .await?;
    if let Some(row) = begun {
        return Ok(row);
    }
    let person = Person {
        needles: needles_of(write, &contacts).await?,
        objects: objects_of(write, &contacts).await?,
        contacts,
    };
    let sealed = tools
        .vault
        .seal(&serde_json::to_vec(&person).unwrap_or_default())?;
    let row = erasure::Model {
        id: id::new(Kind::Erasure, now),
        person_id: root,
        state: State::Rows.as_str().to_owned(),
        step: 0,
        sealed: Some(sealed),
        counts: json!(Counts::default()),
        error: None,
        operator_id: by.map(str::to_owned),
        created_at: now,
        updated_at: now,
        finished_at: None,
    };
    erasure::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    Rows::new(write, &row.id, now).unknown(&person.contacts).await?;
    webhook::store::forget(write, &person.contacts).await?;
    Ok(row)
}

/// Whom it is about; none when it is done.
pub(super) fn person(tools: &Tools, row: &erasure::Model) -> Result<Option<Person>, Error> {
    let Some(sealed) = &row.sealed else {
        return Ok(None);
    };
    let plain = tools.vault.open(sealed)?;
    let person = serde_json::from_slice(&plain).map_err(|_| secret::Error::Unreadable)?;
    Ok(Some(person))
}

/// Goes on to another state, or another step of this one.
///
/// # Errors
/// [`DbErr::RecordNotUpdated`] when somebody else, whose lease lapsed or began, went on in the meantime.
pub(super) async fn advance(
    write: &WriteTx,
    row: &mut erasure::Model,
    (state, step): (State, i64),
    counts: &Counts,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut update = erasure::ActiveModel {
        state: Set(state.as_str().to_owned()),
        step: Set(step),
        counts: Set(json!(counts)),
        error: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    if state == State::Done {
        update.sealed = Set(None);
        update.finished_at = Set(Some(now));
    }
    let done = erasure::Entity::update_many()
        .set(update)
        .filter(erasure::Column::Id.eq(&row.id))
        .filter(erasure::Column::State.eq(&row.state))
        .filter(erasure::Column::Step.eq(row.step))
        .exec(write.tx())
        .await?;
    if done.rows_affected == 0 {
        return Err(DbErr::RecordNotUpdated);
    }
    state.as_str().clone_into(&mut row.state);
    row.step = step;
    Ok(())
}

/// Says what is in its way.
pub(super) async fn held_up(write: &WriteTx, id: &str, why: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let update = erasure::ActiveModel {
        id: Set(id.to_owned()),
        error: Set(Some(why.to_owned())),
        updated_at: Set(now),
        ..Default::default()
    };
    update.update_without_returning(write.tx()).await?;
    Ok(())
}

/// All addresses by which these contacts are or were known, but for those that are somebody else's now.
async fn needles_of(write: &WriteTx, contacts: &[String]) -> Result<Needles, DbErr> {
    let tx = write.tx();
    let ids = || bulk::padded(contacts.iter().cloned());
    let mut needles = Needles::default();
    let identities = identity::Entity::find()
        .filter(identity::Column::ContactId.is_in(ids()))
        .all(tx)
        .await?;
    for row in &identities {
        needles.add(&row.kind, &row.value);
    }
    let mut said: Vec<Value> = Vec::new();
    let conversations: Vec<(String, Option<String>)> = conversation::Entity::find()
        .select_only()
        .columns([conversation::Column::Address, conversation::Column::Subject])
        .filter(conversation::Column::ContactId.is_in(ids()))
        .into_tuple()
        .all(tx)
        .await?;
    said.extend(
        conversations
            .into_iter()
            .map(|(address, _)| Value::String(address)),
    );
    let submissions: Vec<(Value, Option<Value>)> = submission::Entity::find()
        .select_only()
        .columns([submission::Column::Body, submission::Column::Extra])
        .filter(submission::Column::ContactId.is_in(ids()))
        .into_tuple()
        .all(tx)
        .await?;
    said.extend(
        submissions
            .into_iter()
            .flat_map(|(body, extra)| [body, extra.unwrap_or_default()]),
    );
    let changes: Vec<(Option<Value>, Option<Value>)> = field_change::Entity::find()
        .select_only()
        .columns([field_change::Column::Old, field_change::Column::New])
        .filter(field_change::Column::ObjectId.is_in(ids()))
        .filter(field_change::Column::Field.is_in(["emails", "phones"]))
        .into_tuple()
        .all(tx)
        .await?;
    said.extend(
        changes
            .into_iter()
            .flat_map(|(old, new)| [old.unwrap_or_default(), new.unwrap_or_default()]),
    );
    let visitors: Vec<Value> = visitor::Entity::find()
        .select_only()
        .column(visitor::Column::Person)
        .filter(visitor::Column::Id.is_in(bulk::padded(identities.iter().map(|row| row.value.clone()))))
        .into_tuple()
        .all(tx)
        .await?;
    said.extend(visitors);
    let (list, values) = listed(contacts);
    let sql = format!("SELECT client FROM call WHERE contact_id IN {list} AND client IS NOT NULL");
    let statement = Statement::from_sql_and_values(write.backend(), sql, values);
    for row in tx.query_all_raw(statement).await? {
        said.push(Value::String(row.try_get_by_index(0)?));
    }
    let mut known = Needles::default();
    for value in &said {
        addresses(value, &mut known);
    }
    // What was typed into a form may be another's address, and an operator's address is the house's.
    let words: BTreeSet<String> = known
        .emails
        .iter()
        .cloned()
        .chain(known.phones.iter().map(|digits| format!("+{digits}")))
        .collect();
    let others: Vec<String> = identity::Entity::find()
        .select_only()
        .column(identity::Column::Value)
        .filter(identity::Column::Value.is_in(bulk::padded(words)))
        .filter(identity::Column::ContactId.is_not_in(ids()))
        .into_tuple()
        .all(tx)
        .await?;
    let staff: Vec<Option<String>> = operator::Entity::find()
        .select_only()
        .column(operator::Column::Email)
        .into_tuple()
        .all(tx)
        .await?;
    for foreign in others.iter().chain(staff.iter().flatten()) {
        known.emails.remove(&foreign.to_lowercase());
        known.phones.remove(foreign.trim_start_matches('+'));
    }
    needles.emails.extend(known.emails);
    needles.phones.extend(known.phones);
    Ok(needles)
}

/// What reads as an address, anywhere in a value.
fn addresses(value: &Value, into: &mut Needles) {
    match value {
        Value::String(text) => {
            if let Some(email) = address::email(text) {
                into.add("email", &email);
            } else if let Some(phone) = address::phone(text) {
                into.add("phone", &phone);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| addresses(item, into)),
        Value::Object(members) => members.values().for_each(|item| addresses(item, into)),
        _ => {}
    }
}

/// What others may be told of, beside the contacts themselves.
async fn objects_of(write: &WriteTx, contacts: &[String]) -> Result<Vec<String>, DbErr> {
    let ids = || bulk::padded(contacts.iter().cloned());
    let tx = write.tx();
    let mut objects = contacts.to_vec();
    macro_rules! take {
        ($($table:ident),*) => {$(
            let found: Vec<String> = $table::Entity::find()
                .select_only()
                .column($table::Column::Id)
                .filter($table::Column::ContactId.is_in(ids()))
                .into_tuple()
                .all(tx)
                .await?;
            objects.extend(found);
        )*};
    }
    take!(conversation, lead, submission, deal, task);
    let (list, values) = listed(contacts);
    let sql = format!("SELECT id FROM call WHERE contact_id IN {list}");
    for row in tx
        .query_all_raw(Statement::from_sql_and_values(write.backend(), sql, values))
        .await?
    {
        objects.push(row.try_get_by_index(0)?);
    }
    Ok(objects)
}
