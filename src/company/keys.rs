//! By what companies are alike, kept as rows with an index; and who may be the same as one.
//!
//! Whoever writes a company leaves its keys to [`renew`]: a version that is not the one they were made of asks for it, so
//! nobody can forget to, and another rule is one statement.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::likeness::{self, Known, Sign};
use crate::{
    contact::sight,
    conversation::view::strings,
    db::{
        Db, bulk,
        entity::{company, company_key},
    },
    operator::rights::Scope,
};

/// The version whose keys a company has that has none yet.
pub const NO_KEYS: i64 = -1;
/// Companies whose keys are made in one transaction.
const CHUNK: u64 = 200;
/// Companies that are shown as alike.
const SHOWN: usize = 10;
/// Keys of others that are looked at; a domain of so many says nothing.
const MATCHES: u64 = 200;

fn keys(row: &company::Model) -> BTreeSet<(Sign, String)> {
    likeness::keys(Known {
        name: &row.name,
        website: row.website.as_deref(),
        emails: &strings(&row.emails),
        phones: &strings(&row.phones),
        tax_number: row.tax_number.as_deref(),
    })
}

/// Makes the keys of companies that were made or changed. Answers of how many.
pub async fn renew(db: &Db) -> Result<u64, DbErr> {
    const COLUMNS: [&str; 3] = ["company_id", "kind", "value"];
    let rows = company::Entity::find()
        .filter(Expr::col(company::Column::KeyedVersion).ne(Expr::col(company::Column::Version)))
        .order_by_asc(company::Column::Id)
        .limit(CHUNK)
        .all(db.read())
        .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let write = db.write().await?;
    let mut made = Vec::new();
    let mut renewed = 0;
    for row in rows {
        // Changed meanwhile, or done by another node.
        let held = company::Entity::update_many()
            .col_expr(company::Column::KeyedVersion, Expr::value(row.version))
            .filter(company::Column::Id.eq(&row.id))
            .filter(company::Column::Version.eq(row.version))
            .filter(company::Column::KeyedVersion.eq(row.keyed_version))
            .exec(write.tx())
            .await?;
        if held.rows_affected == 0 {
            continue;
        }
        renewed += 1;
        company_key::Entity::delete_many()
            .filter(company_key::Column::CompanyId.eq(&row.id))
            .exec(write.tx())
            .await?;
        made.extend(
            keys(&row)
                .into_iter()
                .map(|(sign, value)| vec![row.id.clone().into(), sign.as_str().into(), value.into()]),
        );
    }
    bulk::insert(write.tx(), "company_key", &COLUMNS, made, "").await?;
    write.commit().await?;
    Ok(renewed)
}

/// Companies this scope sees that may be the same as this one, those with more in common first.
pub async fn alike(
    db: &impl ConnectionTrait,
    scope: &Scope,
    row: &company::Model,
) -> Result<Vec<(company::Model, BTreeSet<Sign>)>, DbErr> {
    let own = keys(row);
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let mut any = Condition::any();
    for (sign, value) in own {
        any = any.add(
            Condition::all()
                .add(company_key::Column::Kind.eq(sign.as_str()))
                .add(company_key::Column::Value.eq(value)),
        );
    }
    let matches = company_key::Entity::find()
        .filter(any)
        .filter(company_key::Column::CompanyId.ne(&row.id))
        .limit(MATCHES)
        .all(db)
        .await?;
    let mut signs: BTreeMap<String, BTreeSet<Sign>> = BTreeMap::new();
    for found in matches {
        let sign = Sign::parse(&found.kind);
        signs.entry(found.company_id).or_default().extend(sign);
    }
    if signs.is_empty() {
        return Ok(Vec::new());
    }
    let rows = company::Entity::find()
        .filter(company::Column::Id.is_in(bulk::padded(signs.keys())))
        .filter(sight::companies(scope))
        .all(db)
        .await?;
    let mut found: Vec<_> = rows
        .into_iter()
        .filter_map(|row| signs.remove(&row.id).map(|signs| (row, signs)))
        .collect();
    found.sort_by(|(one, a), (other, b)| {
        let strength = |signs: &BTreeSet<Sign>| (std::cmp::Reverse(signs.len()), signs.first().copied());
        (strength(a), &one.name_key).cmp(&(strength(b), &other.name_key))
    });
    found.truncate(SHOWN);
    Ok(found)
}
