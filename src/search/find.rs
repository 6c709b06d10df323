//! Lists narrowed to a text.
//!
//! Neither way through a long list is short for every text: a rare one is found by the index of groups at once and
//! hardly ever by going through the list; one that is everywhere fills a page of the list at once and would make the
//! index gather everything. So [`page`] goes a little way through the list, then asks the index unless it finds too
//! much, then goes further.

use std::{cmp::Reverse, collections::BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
    sea_query::{BinOper, Expr, ExprTrait, Func, Query, SelectStatement},
};

use super::{
    fold::Wanted,
    record::{self, Kind},
};
use crate::db::{
    entity::{consumer_cursor, event, search_record},
    fixed::the_one,
};

/// Rows of the list that are looked at first,
const FIRST: u64 = 600;
/// and before much is read of what an index finds.
const FURTHER: u64 = 10_000;
/// What an index may find to be read before the list is gone through any further,
const FEW: usize = 25_000;
/// and when a page was not filled by that.
const MUCH: usize = 100_000;
/// Events that may not be kept yet; a follower that is further behind catches up first.
const FRESH: u64 = 2_000;

/// Rows of a list, as they are found.
#[derive(Debug)]
pub struct Walked<K> {
    /// The first that fit, in their order.
    pub keys: Vec<K>,
    /// Whether the list was seen to its end, or further than was asked for.
    pub whole: bool,
}

impl Walked<Reverse<(DateTime<Utc>, String)>> {
    /// The first `limit + 1` of what several walks found, the latest first. `seen_to` is how far back all of them went,
    /// when one of them did not come to its end: below it objects may be missing.
    pub fn of(
        mut keys: Vec<Reverse<(DateTime<Utc>, String)>>,
        seen_to: Option<DateTime<Utc>>,
        limit: u64,
    ) -> Self {
        keys.retain(|Reverse((at, _))| seen_to.is_none_or(|seen_to| *at >= seen_to));
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1));
        Self {
            keys,
            whole: seen_to.is_none(),
        }
    }
}

/// Ids of what may be in a list, as a question to the database.
#[derive(Debug)]
pub struct Ids {
    /// One column, a `SELECT` with numbered places on PostgreSQL and unnamed ones on SQLite.
    pub sql: String,
    /// What stands in its places.
    pub values: Vec<Value>,
    /// What each of them fits.
    pub fit: Fit,
}

/// What ids need not be compared with any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The text.
    Text,
    /// What somebody reaches.
    Scope,
    /// Something else.
    Other,
}

impl Ids {
    /// How many there are, if no more than so many.
    pub async fn count(&self, db: &impl ConnectionTrait, most: usize) -> Result<Option<usize>, DbErr> {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM ({}) AS these LIMIT {}) AS counted",
            self.sql,
            most + 1
        );
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, self.values.clone());
        let row = db.query_one_raw(statement).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        Ok(usize::try_from(count).ok().filter(|count| *count <= most))
    }

    /// That a column is one of them; of so many of them, if that is said.
    pub fn hold(&self, column: impl ColumnTrait, most: Option<usize>) -> Expr {
        let (table, name) = column.as_column_ref();
        let limit = most.map_or_else(String::new, |most| format!(" LIMIT {most}"));
        let sql = format!(
            "\"{table}\".\"{name}\" IN (SELECT * FROM ({}) AS found{limit})",
            self.sql
        );
        Expr::cust_with_values(sql, self.values.clone())
    }
}

/// A list with its filters, its order and its place, narrowed to what the order of no index tells: a text, a tag.
#[async_trait]
pub trait List: Sync {
    /// What it is ordered by, the id with it.
    type Key: Ord + Send;

    /// Goes through the list, as far as so many rows, counted whether or not they fit what it is narrowed to, and no
    /// further than a page.
    async fn walk(&self, rows: Option<u64>) -> Result<Walked<Self::Key>, DbErr>;

    /// Rows that are looked at first.
    fn first(&self) -> u64 {
        FIRST
    }

    /// What indexes know of what it is narrowed to; that which finds least is asked.
    fn known(&self) -> Vec<Ids>;

    /// Its first page by one of those.
    async fn probe(&self, ids: &Ids) -> Result<Vec<Self::Key>, DbErr>;
}

/// One page and what tells whether there is another: `limit + 1` keys at most, in their order.
pub async fn page<L: List>(db: &impl ConnectionTrait, list: &L, limit: u64) -> Result<Vec<L::Key>, DbErr> {
    let size = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let known = list.known();
    for (rows, most) in [(list.first(), FEW), (FURTHER, MUCH)] {
        let walked = list.walk(Some(rows)).await?;
        if walked.whole || walked.keys.len() >= size {
            return Ok(walked.keys);
        }
        let (mut least, mut most) = (None, most);
        for ids in &known {
            if let Some(count) = ids.count(db, most).await? {
                (least, most) = (Some(ids), count);
            }
        }
        if let Some(ids) = least {
            return list.probe(ids).await;
        }
    }
    Ok(list.walk(None).await?.keys)
}

/// A text that is looked for among objects of a kind, as things stand now.
#[derive(Debug)]
pub struct Search {
    kind: Kind,
    wanted: Wanted,
    /// Whether all records are kept; else they are compared as they stand in their tables.
    indexed: bool,
    /// What changed and may not be kept as it is now,
    stale: BTreeSet<String>,
    /// and what of it fits.
    fresh: BTreeSet<String>,
}

impl Search {
    /// Reads a query; none when there is nothing to look for.
    pub async fn read(
        db: &impl ConnectionTrait,
        kind: Kind,
        query: Option<&str>,
    ) -> Result<Option<Self>, DbErr> {
        let Some(wanted) = query.and_then(Wanted::read) else {
            return Ok(None);
        };
        let indexed = super::fill::is_done(db).await?;
        let mut search = Self {
            kind,
            wanted,
            indexed,
            stale: BTreeSet::new(),
            fresh: BTreeSet::new(),
        };
        search.refresh(db).await?;
        Ok(Some(search))
    }

    /// Whether the index knows everything.
    pub fn is_indexed(&self) -> bool {
        self.indexed
    }

    /// Reads what the follower of the log has not kept yet.
    async fn refresh(&mut self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let cursor = the_one(consumer_cursor::Entity::find_by_id(record::CURSOR), db).await?;
        let kinds = record::events().map(|kind| kind.as_str());
        let rows: Vec<(String, String)> = event::Entity::find()
            .select_only()
            .columns([event::Column::Type, event::Column::ObjectId])
            .filter(event::Column::Seq.gt(cursor.map_or(0, |row| row.seq)))
            .filter(event::Column::Type.is_in(kinds))
            .order_by_desc(event::Column::Seq)
            .limit(FRESH)
            .into_tuple()
            .all(db)
            .await?;
        let events = rows.iter().filter_map(|(kind, id)| {
            let kind = crate::event::EventType::parse(kind)?;
            Some((kind, id.as_str()))
        });
        let mut touched = record::touched(events);
        let theirs = record::of_others(db, self.kind, &touched).await?;
        self.stale = touched.remove(&self.kind).unwrap_or_default();
        self.stale.extend(theirs);
        let ids: Vec<String> = self.stale.iter().cloned().collect();
        let records = record::read(db, self.kind, &ids).await?;
        let fitting = records.into_iter().filter(|(_, record)| self.wanted.fits(record));
        self.fresh = fitting.map(|(id, _)| id).collect();
        Ok(())
    }

    /// All that fit, by their index.
    pub fn ids(&self, backend: DbBackend) -> Ids {
        let (mut sql, mut values) = match backend {
            DbBackend::Sqlite => self.sqlite(),
            _ => self.postgres(),
        };
        let mut place = |value: &String| {
            values.push(value.clone().into());
            match backend {
                DbBackend::Sqlite => "?".to_owned(),
                _ => format!("${}", values.len()),
            }
        };
        if !self.stale.is_empty() {
            let stale: Vec<String> = self.stale.iter().map(&mut place).collect();
            sql.push_str(&format!(" AND object_id NOT IN ({})", stale.join(", ")));
        }
        if !self.fresh.is_empty() {
            let fresh: Vec<String> = self.fresh.iter().map(|id| format!("({})", place(id))).collect();
            sql.push_str(&format!(" UNION ALL VALUES {}", fresh.join(", ")));
        }
        Ids {
            sql,
            values,
            fit: Fit::Text,
        }
    }

    fn sqlite(&self) -> (String, Vec<Value>) {
        let kind = self.kind.as_str();
        let groups: Vec<String> = self
            .wanted
            .ways()
            .iter()
            .map(|way| {
                let groups: Vec<String> = way
                    .groups
                    .iter()
                    .map(|group| format!("\"{}\"", group.replace('"', "\"\"")))
                    .collect();
                format!("({})", groups.join(" AND "))
            })
            .collect();
        let mut values: Vec<Value> = vec![groups.join(" OR ").into()];
        let fits = self.compared("instr(r.body, ?) > 0", &mut values);
        let sql = format!(
            "SELECT r.object_id FROM search_index_{kind} i CROSS JOIN search_record r ON r.id = i.rowid \
             WHERE i.search_index_{kind} MATCH ? AND {fits}"
        );
        (sql, values)
    }

    fn postgres(&self) -> (String, Vec<Value>) {
        let kind = self.kind.as_str();
        let mut values: Vec<Value> = Vec::new();
        let mut held = Vec::new();
        for way in self.wanted.ways() {
            // No group holds a control character.
            values.push(way.groups.join("\u{1}").into());
            held.push(format!(
                "search_groups(body) @> string_to_array(${}, chr(1))",
                values.len()
            ));
        }
        let held = held.join(" OR ");
        let mut number = values.len();
        let mut fits = self.compared("strpos(body, ?) > 0", &mut values);
        while fits.contains('?') {
            number += 1;
            fits = fits.replacen('?', &format!("${number}"), 1);
        }
        // Apart, so that the index is asked once whatever else the planner makes of the rest.
        let sql = format!(
            "WITH held AS MATERIALIZED (SELECT object_id, body FROM search_record WHERE kind = '{kind}' AND ({held})) \
             SELECT object_id FROM held WHERE {fits}"
        );
        (sql, values)
    }

    /// That a record holds the pieces of one way, as SQL, with their places filled from `values`.
    fn compared(&self, one: &str, values: &mut Vec<Value>) -> String {
        let ways: Vec<String> = self
            .wanted
            .ways()
            .iter()
            .map(|way| {
                values.extend(way.pieces.iter().cloned().map(Value::from));
                let pieces = vec![one; way.pieces.len()];
                format!("({})", pieces.join(" AND "))
            })
            .collect();
        format!("({})", ways.join(" OR "))
    }

    /// That an object fits, as a condition on a query in which `id` is its id.
    pub fn condition(&self, backend: DbBackend, id: Expr) -> Condition {
        let body = || Expr::col((search_record::Entity, search_record::Column::Body));
        let held = |piece: &String| match backend {
            DbBackend::Sqlite => Expr::expr(Func::cust("instr").arg(body()).arg(piece.clone())).gt(0),
            _ => Expr::expr(Func::cust("strpos").arg(body()).arg(piece.clone())).gt(0),
        };
        let mut fits = Condition::any();
        for way in self.wanted.ways() {
            let pieces = way.pieces.iter().map(held);
            fits = fits.add(pieces.fold(Condition::all(), |all, piece| all.add(piece)));
        }
        let kept: SelectStatement = Query::select()
            .expr(Expr::val(1))
            .from(search_record::Entity)
            .and_where(
                Expr::col((search_record::Entity, search_record::Column::ObjectId))
                    .binary(BinOper::Equal, id.clone()),
            )
            .cond_where(fits)
            .to_owned();
        if self.stale.is_empty() {
            return Condition::all().add(Expr::exists(kept));
        }
        let standing = Condition::all()
            .add(Expr::exists(kept))
            .add(id.clone().is_not_in(self.stale.iter().cloned()));
        let condition = Condition::any().add(standing);
        if self.fresh.is_empty() {
            condition
        } else {
            condition.add(id.is_in(self.fresh.iter().cloned()))
        }
    }
}
