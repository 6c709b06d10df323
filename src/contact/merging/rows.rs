//! Reading what hangs on a contact, moving it, and moving it back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, Set, Statement, Value as Bound,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Value, json};

use crate::{
    contact::merge::{
        Filled, Folded, HeldLead, Journal, MERGED, OpenLead, Side, Suggestion, leads_back, unfilled,
    },
    db::{
        WriteTx, bulk,
        entity::{contact, contact_distinct, contact_suggestion, conversation, identity, lead, object_tag},
    },
    tag,
};

/// Tables whose rows hang on a contact by `contact_id`: all of them move. (Identities, suggestions and merges have
/// rules of their own.) A test compares this with the schema.
pub const HOLDERS: [&str; 8] = [
    "conversation",
    "lead",
    "submission",
    "call",
    "deal",
    "task",
    "consent",
    "commerce_link",
];
/// Tables whose rows name a lead by `lead_id`.
pub const NAMERS: [&str; 5] = ["conversation", "submission", "call", "deal", "task"];
/// Of those, the ones that count their changes.
const VERSIONED: [&str; 5] = ["conversation", "lead", "call", "deal", "task"];
/// Rows named in one statement.
const CHUNK: usize = 128;

/// A contact with all that hangs on it.
pub(super) async fn side(write: &WriteTx, row: &contact::Model) -> Result<Side, DbErr> {
    let tx = write.tx();
    let mut values = BTreeMap::from([
        ("name".to_owned(), json!(row.name)),
        ("language".to_owned(), json!(row.language)),
        ("company_id".to_owned(), json!(row.company_id)),
        ("operator_id".to_owned(), json!(row.operator_id)),
    ]);
    values.extend(fields(&row.fields));
    let identities = identity::Entity::find()
        .filter(identity::Column::ContactId.eq(&row.id))
        .order_by_asc(identity::Column::Kind)
        .order_by_asc(identity::Column::Value)
        .all(tx)
        .await?;
    let threads = conversation::Entity::find()
        .filter(conversation::Column::ThreadKey.eq(thread_key(&row.id)))
        .filter(conversation::Column::ContactId.eq(&row.id))
        .order_by_asc(conversation::Column::Id)
        .all(tx)
        .await?;
    let mut holds = BTreeMap::new();
    for table in HOLDERS {
        let ids = named(write, table, "contact_id", &row.id).await?;
        if !ids.is_empty() {
            holds.insert(table.to_owned(), ids);
        }
    }
    let mut tags = tag::of(tx, std::slice::from_ref(&row.id)).await?;
    Ok(Side {
        id: row.id.clone(),
        values,
        tags: tags.remove(&row.id).unwrap_or_default().into_iter().collect(),
        identities: identities.into_iter().map(|row| (row.kind, row.value)).collect(),
        threads: threads.into_iter().map(|row| (row.id, row.channel_id)).collect(),
        open_lead: open_lead(write, &row.id).await?,
        suggestions: suggestions(write, &row.id).await?,
        distinct: distinct(write, &row.id).await?.into_iter().collect(),
        holds,
    })
}

fn fields(stored: &Value) -> impl Iterator<Item = (String, Value)> {
    let fields = stored.as_object().cloned().unwrap_or_default();
    fields
        .into_iter()
        .map(|(key, value)| (format!("fields.{key}"), value))
}

/// As ingest writes it: the one conversation of a contact on a channel.
fn thread_key(contact_id: &str) -> String {
    format!("c:{contact_id}")
}

async fn open_lead(write: &WriteTx, contact_id: &str) -> Result<Option<OpenLead>, DbErr> {
    let found = lead::Entity::find()
        .filter(lead::Column::ContactId.eq(contact_id))
        .filter(lead::Column::Status.is_in(["new", "in_progress"]))
        .one(write.tx())
        .await?;
    let Some(row) = found else { return Ok(None) };
    let mut named_by = BTreeMap::new();
    for table in NAMERS {
        let ids = named(write, table, "lead_id", &row.id).await?;
        if !ids.is_empty() {
            named_by.insert(table.to_owned(), ids);
        }
    }
    let mut values = BTreeMap::from([("operator_id".to_owned(), json!(row.operator_id))]);
    values.extend(fields(&row.fields));
    Ok(Some(OpenLead {
        id: row.id,
        status: row.status,
        created_at: row.created_at,
        values,
        attribution: row.attribution,
        named_by,
    }))
}

async fn suggestions(write: &WriteTx, id: &str) -> Result<Vec<Suggestion>, DbErr> {
    let rows = contact_suggestion::Entity::find()
        .filter(
            Condition::any()
                .add(contact_suggestion::Column::ContactId.eq(id))
                .add(contact_suggestion::Column::OtherId.eq(id)),
        )
        .order_by_asc(contact_suggestion::Column::ContactId)
        .order_by_asc(contact_suggestion::Column::OtherId)
        .all(write.tx())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Suggestion {
            contact_id: row.contact_id,
            other_id: row.other_id,
            reason: row.reason,
            created_at: row.created_at,
        })
        .collect())
}

async fn distinct(write: &WriteTx, id: &str) -> Result<Vec<String>, DbErr> {
    let rows = contact_distinct::Entity::find()
        .filter(
            Condition::any()
                .add(contact_distinct::Column::ContactId.eq(id))
                .add(contact_distinct::Column::OtherId.eq(id)),
        )
        .all(write.tx())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            if row.contact_id == id {
                row.other_id
            } else {
                row.contact_id
            }
        })
        .collect())
}

/// Ids of the rows of a table that name something. Tables and columns are words of ours.
async fn named(write: &WriteTx, table: &str, column: &str, id: &str) -> Result<Vec<String>, DbErr> {
    let sql = format!("SELECT id FROM {table} WHERE {column} = $1 ORDER BY id");
    let statement = Statement::from_sql_and_values(write.backend(), sql, [id.into()]);
    let rows = write.tx().query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// Makes rows that name one thing name another (or nothing).
async fn repoint(
    write: &WriteTx,
    table: &str,
    column: &str,
    (was, becomes): (&str, Option<&str>),
    ids: &[String],
) -> Result<(), DbErr> {
    let counted = if VERSIONED.contains(&table) {
        ", version = version + 1"
    } else {
        ""
    };
    for ids in ids.chunks(CHUNK) {
        let (list, ids) = bulk::in_list(3, ids.iter().cloned().map(Bound::from).collect());
        let sql = format!("UPDATE {table} SET {column} = $1{counted} WHERE {column} = $2 AND id IN {list}");
        let mut values: Vec<Bound> = vec![becomes.map(str::to_owned).into(), was.to_owned().into()];
        values.extend(ids);
        let statement = Statement::from_sql_and_values(write.backend(), sql, values);
        write.tx().execute_raw(statement).await?;
    }
    Ok(())
}

/// Does what the plan says.
pub(super) async fn carry_out(
    write: &WriteTx,
    from: &contact::Model,
    into: &contact::Model,
    journal: &Journal,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    // Before the leads move: two open ones of one contact are refused.
    if let Some(folded) = &journal.folded {
        set_status(write, &folded.lead, MERGED).await?;
        fill_lead(write, folded, now).await?;
        for (table, ids) in &folded.named_by {
            repoint(
                write,
                table,
                "lead_id",
                (folded.lead.as_str(), Some(folded.into.as_str())),
                ids,
            )
            .await?;
        }
    }
    for (table, ids) in &journal.moved {
        repoint(
            write,
            table,
            "contact_id",
            (from.id.as_str(), Some(into.id.as_str())),
            ids,
        )
        .await?;
    }
    rename(write, &journal.threads, &from.id, &into.id).await?;
    move_identities(write, &journal.identities, &from.id, &into.id).await?;
    tag::add(write, &into.id, &journal.tags).await?;
    for one in &journal.unsuggested {
        contact_suggestion::Entity::delete_by_id((one.contact_id.clone(), one.other_id.clone()))
            .exec(write.tx())
            .await?;
    }
    suggest(write, &journal.suggested).await?;
    for (one, other) in &journal.distinct {
        let row = contact_distinct::Model {
            contact_id: one.clone(),
            other_id: other.clone(),
            operator_id: None,
            created_at: now,
        };
        contact_distinct::Entity::insert(row.into_active_model())
            .exec_without_returning(write.tx())
            .await?;
    }
    let filled = journal.filled.iter().map(|one| (one.field.as_str(), &one.after));
    let filled: Vec<(&str, &Value)> = filled.collect();
    set_contact(write, into, &filled, None, now).await?;
    set_contact(write, from, &[], Some(Some(&into.id)), now).await
}

/// Gives back what moved and is still there.
pub(super) async fn take_back(
    write: &WriteTx,
    from: &contact::Model,
    into: &contact::Model,
    journal: &Journal,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let conversations = journal.moved.get("conversation").cloned().unwrap_or_default();
    let leads = leads_back(journal, &held_leads(write, &into.id).await?);
    let back = (into.id.as_str(), Some(from.id.as_str()));
    for (table, ids) in &journal.moved {
        // Which leads go back is decided one by one.
        if table != "lead" {
            repoint(write, table, "contact_id", back, ids).await?;
        }
    }
    let home = (into.id.as_str(), from.id.as_str());
    follow(
        write,
        home,
        &["submission", "call", "task"],
        "conversation_id",
        &conversations,
    )
    .await?;
    follow(write, home, &["deal", "task"], "lead_id", &leads.back).await?;
    repoint(write, "lead", "contact_id", back, &leads.back).await?;
    if let Some(folded) = &journal.folded {
        for (table, ids) in &folded.named_by {
            repoint(
                write,
                table,
                "lead_id",
                (folded.into.as_str(), Some(folded.lead.as_str())),
                ids,
            )
            .await?;
        }
        unfill_lead(write, folded, now).await?;
    }
    if let Some((id, status)) = &leads.reopened {
        set_status(write, id, status).await?;
    }
    for id in &leads.parted {
        lead::Entity::update_many()
            .col_expr(lead::Column::ConversationId, Expr::value(None::<String>))
            .filter(lead::Column::Id.eq(id))
            .exec(write.tx())
            .await?;
    }
    for (one, other) in [(&from.id, &into.id), (&into.id, &from.id)] {
        let_go(write, one, other).await?;
    }
    rename(write, &journal.threads, &into.id, &from.id).await?;
    move_identities(write, &journal.identities, &into.id, &from.id).await?;
    tag::remove(write, &into.id, &only_from(write, journal, from, into).await?).await?;
    for one in &journal.suggested {
        contact_suggestion::Entity::delete_by_id((one.contact_id.clone(), one.other_id.clone()))
            .exec(write.tx())
            .await?;
    }
    suggest(write, &journal.unsuggested).await?;
    for (one, other) in &journal.distinct {
        contact_distinct::Entity::delete_by_id((one.clone(), other.clone()))
            .exec(write.tx())
            .await?;
    }
    let present = present(into);
    let now_of = |field: &str| present.get(field).cloned().unwrap_or(Value::Null);
    let undone: Vec<(&str, &Value)> = unfilled(&journal.filled, now_of).collect();
    set_contact(write, into, &undone, None, now).await?;
    set_contact(write, from, &[], Some(None), now).await
}

async fn held_leads(write: &WriteTx, contact_id: &str) -> Result<Vec<HeldLead>, DbErr> {
    let rows = lead::Entity::find()
        .filter(lead::Column::ContactId.eq(contact_id))
        .order_by_asc(lead::Column::Id)
        .all(write.tx())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| HeldLead {
            id: row.id,
            status: row.status,
            conversation_id: row.conversation_id,
        })
        .collect())
}

/// What came since and hangs on something that goes back goes with it: `tables` by their `column`, where it is one of
/// these.
async fn follow(
    write: &WriteTx,
    (was, becomes): (&str, &str),
    tables: &[&str],
    column: &str,
    of: &[String],
) -> Result<(), DbErr> {
    for table in tables {
        for ids in of.chunks(CHUNK) {
            let (list, ids) = bulk::in_list(3, ids.iter().cloned().map(Bound::from).collect());
            let sql =
                format!("UPDATE {table} SET contact_id = $1 WHERE contact_id = $2 AND {column} IN {list}");
            let mut values: Vec<Bound> = vec![becomes.to_owned().into(), was.to_owned().into()];
            values.extend(ids);
            let statement = Statement::from_sql_and_values(write.backend(), sql, values);
            write.tx().execute_raw(statement).await?;
        }
    }
    Ok(())
}

/// What one contact holds and what names a lead of the other lets go of it.
async fn let_go(write: &WriteTx, one: &str, other: &str) -> Result<(), DbErr> {
    for table in NAMERS {
        let sql = format!(
            "UPDATE {table} SET lead_id = NULL WHERE contact_id = $1 AND lead_id IN (SELECT id FROM lead WHERE contact_id = $2)"
        );
        let statement = Statement::from_sql_and_values(write.backend(), sql, [one.into(), other.into()]);
        write.tx().execute_raw(statement).await?;
    }
    Ok(())
}

/// The conversations become the one of their contact on their channel, where it has none.
async fn rename(write: &WriteTx, ids: &[String], was: &str, becomes: &str) -> Result<(), DbErr> {
    for id in ids {
        conversation::Entity::update_many()
            .col_expr(conversation::Column::ThreadKey, Expr::value(thread_key(becomes)))
            .filter(conversation::Column::Id.eq(id))
            .filter(conversation::Column::ThreadKey.eq(thread_key(was)))
            .exec(write.tx())
            .await?;
    }
    Ok(())
}

async fn move_identities(
    write: &WriteTx,
    identities: &[(String, String)],
    was: &str,
    becomes: &str,
) -> Result<(), DbErr> {
    for (kind, value) in identities {
        identity::Entity::update_many()
            .col_expr(identity::Column::ContactId, Expr::value(becomes))
            .filter(identity::Column::Kind.eq(kind))
            .filter(identity::Column::Value.eq(value))
            .filter(identity::Column::ContactId.eq(was))
            .exec(write.tx())
            .await?;
    }
    Ok(())
}

async fn suggest(write: &WriteTx, all: &[Suggestion]) -> Result<(), DbErr> {
    let columns = [
        contact_suggestion::Column::ContactId,
        contact_suggestion::Column::OtherId,
    ];
    for one in all {
        let row = contact_suggestion::ActiveModel {
            contact_id: Set(one.contact_id.clone()),
            other_id: Set(one.other_id.clone()),
            reason: Set(one.reason.clone()),
            created_at: Set(one.created_at),
        };
        contact_suggestion::Entity::insert(row)
            .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
            .exec_without_returning(write.tx())
            .await?;
    }
    Ok(())
}

/// The tags that the survivor has from this merge alone: not those that another who was merged into it has too.
async fn only_from(
    write: &WriteTx,
    journal: &Journal,
    from: &contact::Model,
    into: &contact::Model,
) -> Result<Vec<String>, DbErr> {
    if journal.tags.is_empty() {
        return Ok(Vec::new());
    }
    let others = sea_orm::sea_query::Query::select()
        .column(contact::Column::Id)
        .from(contact::Entity)
        .and_where(contact::Column::MergedInto.eq(&into.id))
        .and_where(contact::Column::Id.ne(&from.id))
        .to_owned();
    let theirs = object_tag::Entity::find()
        .filter(object_tag::Column::ObjectId.in_subquery(others))
        .all(write.tx())
        .await?;
    let tags = journal.tags.iter();
    Ok(tags
        .filter(|tag| !theirs.iter().any(|row| row.tag == **tag))
        .cloned()
        .collect())
}

fn present(row: &contact::Model) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::from([
        ("name".to_owned(), json!(row.name)),
        ("language".to_owned(), json!(row.language)),
        ("company_id".to_owned(), json!(row.company_id)),
        ("operator_id".to_owned(), json!(row.operator_id)),
    ]);
    values.extend(fields(&row.fields));
    values
}

/// Sets values of a contact, and with `merged_into` where it is; its version grows.
async fn set_contact(
    write: &WriteTx,
    row: &contact::Model,
    values: &[(&str, &Value)],
    merged_into: Option<Option<&str>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut update = contact::ActiveModel {
        id: Set(row.id.clone()),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    let mut fields = row.fields.as_object().cloned().unwrap_or_default();
    for (field, value) in values {
        let text = value.as_str().map(str::to_owned);
        match *field {
            "name" => update.name = Set(text),
            "language" => update.language = Set(text),
            "company_id" => update.company_id = Set(text),
            "operator_id" => update.operator_id = Set(text),
            _ => set_field(&mut fields, field, value),
        }
    }
    update.fields = Set(Value::Object(fields));
    if let Some(merged_into) = merged_into {
        update.merged_into = Set(merged_into.map(str::to_owned));
    }
    update.update_without_returning(write.tx()).await?;
    Ok(())
}

fn set_field(fields: &mut serde_json::Map<String, Value>, field: &str, value: &Value) {
    let Some(key) = field.strip_prefix("fields.") else {
        return;
    };
    if value.is_null() {
        fields.remove(key);
    } else {
        fields.insert(key.to_owned(), value.clone());
    }
}

async fn set_status(write: &WriteTx, id: &str, status: &str) -> Result<(), DbErr> {
    lead::Entity::update_many()
        .col_expr(lead::Column::Status, Expr::value(status))
        .filter(lead::Column::Id.eq(id))
        .exec(write.tx())
        .await?;
    Ok(())
}

async fn fill_lead(write: &WriteTx, folded: &Folded, now: DateTime<Utc>) -> Result<(), DbErr> {
    let found = lead::Entity::find_by_id(&folded.into).one(write.tx()).await?;
    let Some(row) = found else { return Ok(()) };
    let values: Vec<(&str, &Value)> = folded
        .filled
        .iter()
        .map(|one| (one.field.as_str(), &one.after))
        .collect();
    set_lead(write, row, &values, now).await
}

async fn unfill_lead(write: &WriteTx, folded: &Folded, now: DateTime<Utc>) -> Result<(), DbErr> {
    let found = lead::Entity::find_by_id(&folded.into).one(write.tx()).await?;
    let Some(row) = found else { return Ok(()) };
    let mut present = BTreeMap::from([
        ("status".to_owned(), json!(row.status)),
        ("operator_id".to_owned(), json!(row.operator_id)),
        ("attribution".to_owned(), row.attribution.clone()),
    ]);
    present.extend(fields(&row.fields));
    let filled: &[Filled] = &folded.filled;
    let now_of = |field: &str| present.get(field).cloned().unwrap_or(Value::Null);
    let values: Vec<(&str, &Value)> = unfilled(filled, now_of).collect();
    set_lead(write, row.clone(), &values, now).await
}

async fn set_lead(
    write: &WriteTx,
    row: lead::Model,
    values: &[(&str, &Value)],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut update = lead::ActiveModel {
        id: Set(row.id),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    let mut fields = row.fields.as_object().cloned().unwrap_or_default();
    for (field, value) in values {
        match *field {
            "status" => update.status = Set(value.as_str().unwrap_or("new").to_owned()),
            "operator_id" => update.operator_id = Set(value.as_str().map(str::to_owned)),
            "attribution" => update.attribution = Set((*value).clone()),
            _ => set_field(&mut fields, field, value),
        }
    }
    update.fields = Set(Value::Object(fields));
    update.update_without_returning(write.tx()).await?;
    Ok(())
}
