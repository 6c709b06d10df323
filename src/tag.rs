//! Words on contacts, companies, leads and deals.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, ExprTrait, OnConflict, Query, SelectStatement},
};

use crate::{
    db::{WriteTx, bulk, entity::object_tag},
    search::find::{Fit, Ids},
};

/// Tags of one object, and characters of one.
const LIMIT: usize = 50;
const CHARS: usize = 50;

/// The form in which tags are kept: trimmed, in small letters, each once, in order. What is wrong is named with its
/// place. Pure.
pub fn normal(tags: &[String]) -> Result<Vec<String>, Vec<(String, String)>> {
    let mut faults = Vec::new();
    let mut kept = BTreeSet::new();
    for (position, tag) in tags.iter().enumerate() {
        let tag = tag.trim().to_lowercase();
        if tag.is_empty() || tag.chars().count() > CHARS || tag.chars().any(char::is_control) {
            faults.push((
                format!("tags.{position}"),
                format!("a tag has 1 to {CHARS} characters"),
            ));
        } else {
            kept.insert(tag);
        }
    }
    if kept.len() > LIMIT {
        faults.push(("tags".to_owned(), format!("at most {LIMIT} tags")));
    }
    if faults.is_empty() {
        Ok(kept.into_iter().collect())
    } else {
        Err(faults)
    }
}

/// Tags of objects, by object.
pub async fn of(db: &impl ConnectionTrait, ids: &[String]) -> Result<HashMap<String, Vec<String>>, DbErr> {
    let mut tags: HashMap<String, Vec<String>> = HashMap::new();
    if ids.is_empty() {
        return Ok(tags);
    }
    let rows = object_tag::Entity::find()
        .filter(object_tag::Column::ObjectId.is_in(bulk::padded(ids)))
        .order_by_asc(object_tag::Column::Tag)
        .all(db)
        .await?;
    for row in rows {
        tags.entry(row.object_id).or_default().push(row.tag);
    }
    Ok(tags)
}

/// Adds tags in their normal form to an object; those it has stay.
pub async fn add(write: &WriteTx, id: &str, tags: &[String]) -> Result<(), DbErr> {
    for tag in tags {
        let row = object_tag::ActiveModel {
            object_id: Set(id.to_owned()),
            tag: Set(tag.clone()),
        };
        let known = OnConflict::columns([object_tag::Column::ObjectId, object_tag::Column::Tag])
            .do_nothing()
            .to_owned();
        object_tag::Entity::insert(row)
            .on_conflict(known)
            .exec_without_returning(write.tx())
            .await?;
    }
    Ok(())
}

/// Removes tags from an object.
pub async fn remove(write: &WriteTx, id: &str, tags: &[String]) -> Result<(), DbErr> {
    if tags.is_empty() {
        return Ok(());
    }
    object_tag::Entity::delete_many()
        .filter(object_tag::Column::ObjectId.eq(id))
        .filter(object_tag::Column::Tag.is_in(tags))
        .exec(write.tx())
        .await?;
    Ok(())
}

/// Makes these the tags of an object. Answers those it had.
pub async fn replace(write: &WriteTx, id: &str, tags: &[String]) -> Result<Vec<String>, DbErr> {
    let before = of(write.tx(), &[id.to_owned()])
        .await?
        .remove(id)
        .unwrap_or_default();
    let gone: Vec<String> = before.iter().filter(|tag| !tags.contains(tag)).cloned().collect();
    remove(write, id, &gone).await?;
    add(write, id, tags).await?;
    Ok(before)
}

/// That an object has a tag, as a subquery to be asked whether there is a row.
pub fn has(tag: &str, id: Expr) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(object_tag::Entity)
        .and_where(Expr::col((object_tag::Entity, object_tag::Column::ObjectId)).eq(id))
        .and_where(object_tag::Column::Tag.eq(tag.trim().to_lowercase()))
        .to_owned()
}

/// The objects with a tag whose id begins so (`cnt_`).
pub fn tagged(backend: DbBackend, tag: &str, prefix: &str) -> Ids {
    let places = match backend {
        DbBackend::Sqlite => ["?", "?", "?"],
        _ => ["$1", "$2", "$3"],
    };
    let [tagged, from, to] = places;
    // What follows the prefix is letters and digits, which stand before the tilde.
    Ids {
        sql: format!(
            "SELECT object_id FROM object_tag WHERE tag = {tagged} AND object_id >= {from} AND object_id < {to}"
        ),
        values: vec![
            tag.trim().to_lowercase().into(),
            prefix.into(),
            format!("{prefix}~").into(),
        ],
        fit: Fit::Other,
    }
}

/// The tags of objects whose id begins so (`cnt_`), each once, in order.
pub async fn known(db: &impl ConnectionTrait, prefix: &str, limit: u64) -> Result<Vec<String>, DbErr> {
    object_tag::Entity::find()
        .select_only()
        .column(object_tag::Column::Tag)
        .distinct()
        .filter(object_tag::Column::ObjectId.starts_with(prefix))
        .order_by_asc(object_tag::Column::Tag)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn tags_are_kept_once_in_small_letters_and_a_bad_one_is_named() {
        let tags = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(normal(&tags(&[" VIP ", "vip", "Ош"])), Ok(tags(&["vip", "ош"])));
        let faults = normal(&tags(&["ok", " ", &"x".repeat(51)])).unwrap_err();
        assert_eq!(
            faults.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
            ["tags.1", "tags.2"]
        );
    }
}
