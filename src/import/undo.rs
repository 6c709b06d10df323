//! Taking back what an import made, as far as nobody touched it since.

use std::{collections::BTreeSet, fmt::Write as _};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};
use serde_json::json;
use switchboard_sdk::CancellationToken;

use super::{Counts, Options, State, Tools, read_json, store};
use crate::{
    conversation::rearrange::INTAKE,
    db::{
        WriteTx, bulk,
        entity::{import, import_row, object_tag},
    },
    event::{EventType, NewEvent},
};

/// Rows taken back in one transaction.
const BATCH: u64 = 200;

/// What hangs on a contact and keeps it: whoever wrote, rang or was sold something is no mere row of a file.
const ON_CONTACT: [(&str, &str); 8] = [
    ("lead", "contact_id"),
    ("conversation", "contact_id"),
    ("submission", "contact_id"),
    ("call", "contact_id"),
    ("deal", "contact_id"),
    ("task", "contact_id"),
    ("contact", "merged_into"),
    ("object_tag", "object_id"),
];
/// The same of a lead.
const ON_LEAD: [(&str, &str); 6] = [
    ("conversation", "lead_id"),
    ("submission", "lead_id"),
    ("call", "lead_id"),
    ("deal", "lead_id"),
    ("task", "lead_id"),
    ("object_tag", "object_id"),
];
/// The same of a company.
const ON_COMPANY: [(&str, &str); 4] = [
    ("contact", "company_id"),
    ("deal", "company_id"),
    ("task", "company_id"),
    ("object_tag", "object_id"),
];

/// The same of a deal.
const ON_DEAL: [(&str, &str); 2] = [("task", "deal_id"), ("lead_outcome", "deal_id")];

/// Takes an import back to its beginning, however far it was.
pub async fn work(tools: &Tools, row: import::Model, stop: &CancellationToken) -> Result<(), DbErr> {
    let mut cursor = row.cursor;
    let mut counts: Counts = read_json(row.counts.clone());
    let hush = read_json::<Options>(row.options.clone()).hush();
    loop {
        if stop.is_cancelled() {
            return Ok(());
        }
        let now = tools.clock.now();
        let mut write = tools.db.write().await?;
        // The order of locks is ingest's: nobody begins to hang something on what is removed here.
        write.lock(INTAKE).await?;
        let present = import::Entity::find_by_id(&row.id)
            .lock_exclusive()
            .one(write.tx())
            .await?;
        if present.is_none_or(|present| present.state != row.state || present.cursor != cursor) {
            return Ok(());
        }
        let rows = import_row::Entity::find()
            .filter(import_row::Column::ImportId.eq(&row.id))
            .filter(import_row::Column::RowNo.lt(cursor))
            .filter(import_row::Column::Made.ne(""))
            .order_by_desc(import_row::Column::RowNo)
            .limit(BATCH)
            .all(write.tx())
            .await?;
        let Some(last) = rows.last().map(|row| row.row_no) else {
            store::end(&write, &row, cursor, State::Undone, now).await?;
            write.commit().await?;
            super::run::forget_file(tools, &row).await;
            return Ok(());
        };
        let of = |word: &str, id: fn(&import_row::Model) -> &Option<String>| -> BTreeSet<String> {
            let made = rows
                .iter()
                .filter(|row| row.made.split(' ').any(|made| made == word));
            made.filter_map(|row| id(row).clone()).collect()
        };
        for (table, event, hanging, ids) in [
            (
                "deal",
                EventType::DealRemoved,
                &ON_DEAL[..],
                of("deal", |row| &row.deal_id),
            ),
            (
                "lead",
                EventType::LeadUpdated,
                &ON_LEAD[..],
                of("lead", |row| &row.lead_id),
            ),
            (
                "contact",
                EventType::ContactUpdated,
                &ON_CONTACT[..],
                of("contact", |row| &row.contact_id),
            ),
            (
                "company",
                EventType::CompanyUpdated,
                &ON_COMPANY[..],
                of("company", |row| &row.company_id),
            ),
        ] {
            let (removed, kept) = remove(&write, table, hanging, &ids).await?;
            counts.removed += removed.len() as u64;
            counts.kept += kept;
            object_tag::Entity::delete_many()
                .filter(object_tag::Column::ObjectId.is_in(bulk::padded(&removed)))
                .exec(write.tx())
                .await?;
            for id in removed {
                write.record(NewEvent::new(event, id, now).hushed(hush));
            }
        }
        cursor = last;
        let sql = "UPDATE \"import\" SET \"cursor\" = $1, counts = $2, updated_at = $3 WHERE id = $4";
        let values: [Value; 4] = [
            cursor.into(),
            json!(counts).into(),
            now.into(),
            row.id.clone().into(),
        ];
        write
            .tx()
            .execute_raw(Statement::from_sql_and_values(write.backend(), sql, values))
            .await?;
        write.commit().await?;
    }
}

/// Removes rows that are as they were made and on which nothing hangs; answers which, and how many stay.
async fn remove(
    tx: &WriteTx,
    table: &str,
    hanging: &[(&str, &str)],
    ids: &BTreeSet<String>,
) -> Result<(Vec<String>, u64), DbErr> {
    if ids.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let (list, values) = bulk::in_list(1, ids.iter().map(|id| Value::from(id.clone())).collect());
    let mut sql = format!("DELETE FROM {table} WHERE id IN {list} AND version = 1");
    for (other, column) in hanging {
        let _infallible = write!(
            sql,
            " AND NOT EXISTS (SELECT 1 FROM {other} AS o WHERE o.{column} = {table}.id)"
        );
    }
    sql.push_str(" RETURNING id");
    let statement = Statement::from_sql_and_values(tx.backend(), sql, values);
    let gone = tx.tx().query_all_raw(statement).await?;
    let gone = gone
        .iter()
        .map(|row| row.try_get("", "id"))
        .collect::<Result<Vec<String>, _>>()?;
    let kept = ids.len() as u64 - gone.len() as u64;
    Ok((gone, kept))
}
