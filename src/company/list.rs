//! Lists of companies, in the order of their names.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};

use crate::{
    contact::sight,
    db::{bulk, entity::company, keyset, text::contains},
    operator::rights::{self, Scope},
    search::{
        find::{self, Fit, Ids, List, Search, Walked},
        record::Kind,
    },
    tag,
};

/// What a list of companies is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words of the name, of the website, of the tax number or of addresses, each a part of one.
    pub text: Option<String>,
    /// One responsible operator; the inner `None` is nobody.
    pub operator_id: Option<Option<String>>,
    /// One tag.
    pub tag: Option<String>,
}

/// A place in the list of companies, which stands in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The last name, as it is compared.
    pub name: String,
}

/// The name as it is compared, and the id.
type Key = (String, String);

/// Companies that this scope sees, by name. `limit + 1` rows when there are more.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    filter: &Filter,
    after: Option<&Place>,
    limit: u64,
) -> Result<Vec<company::Model>, DbErr> {
    let search = Search::read(db, Kind::Company, filter.text.as_deref()).await?;
    let indexed = search.as_ref().is_none_or(Search::is_indexed);
    let narrowed = search.is_some() || filter.tag.is_some() || !scope.view(rights::Object::Company).is_all();
    let list = Companies {
        db,
        scope,
        filter,
        search: search.as_ref(),
        after,
        limit,
    };
    let keys = if indexed && narrowed {
        find::page(db, &list, limit).await?
    } else {
        list.walk(None).await?.keys
    };
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = keys.into_iter().map(|(_, id)| id).collect();
    let found = company::Entity::find()
        .filter(company::Column::Id.is_in(bulk::padded(&ids)))
        .all(db)
        .await?;
    let mut found: HashMap<String, company::Model> =
        found.into_iter().map(|row| (row.id.clone(), row)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

struct Companies<'a, C> {
    db: &'a C,
    scope: &'a Scope,
    filter: &'a Filter,
    search: Option<&'a Search>,
    after: Option<&'a Place>,
    limit: u64,
}

impl<C: ConnectionTrait> Companies<'_, C> {
    /// Companies after the place of one operator, which leads or is only compared.
    fn filtered(&self, leads: bool) -> Select<company::Entity> {
        let mut query = company::Entity::find();
        let owner = match leads {
            true => Expr::col((company::Entity, company::Column::OperatorId)),
            false => keyset::aside(self.db.get_database_backend(), company::Column::OperatorId),
        };
        match &self.filter.operator_id {
            None => {}
            Some(None) => query = query.filter(owner.is_null()),
            Some(Some(id)) => query = query.filter(owner.eq(id)),
        }
        if let Some(place) = self.after {
            let name = match leads {
                true => Expr::col((company::Entity, company::Column::NameKey)),
                false => keyset::aside(self.db.get_database_backend(), company::Column::NameKey),
            };
            query = query.filter(name.gt(place.name.as_str()));
        }
        query
    }

    /// What the list is narrowed to otherwise, and does not fit already.
    fn narrowed(&self, fit: Option<Fit>) -> Condition {
        let id = || Expr::col((company::Entity, company::Column::Id));
        let mut all = Condition::all();
        if let Some(tag) = &self.filter.tag {
            all = all.add(Expr::exists(tag::has(tag, id())));
        }
        if let Some(search) = self.search.filter(|_| fit != Some(Fit::Text)) {
            all = all.add(if search.is_indexed() {
                search.condition(self.db.get_database_backend(), id())
            } else {
                self.scanned()
            });
        }
        // Last: it costs the most.
        if fit == Some(Fit::Scope) {
            all
        } else {
            all.add(sight::companies(self.scope))
        }
    }

    /// The text as it stands in the table, for as long as not all records are kept.
    fn scanned(&self) -> Condition {
        let backend = self.db.get_database_backend();
        let text = self.filter.text.as_deref().unwrap_or_default();
        let column = |column: company::Column| Expr::col((company::Entity, column)).cast_as("text");
        [
            company::Column::Name,
            company::Column::Website,
            company::Column::TaxNumber,
            company::Column::Phones,
            company::Column::Emails,
        ]
        .into_iter()
        .fold(Condition::any(), |any, one| {
            any.add(contains(backend, column(one), text))
        })
    }

    /// Companies that are reached, by themselves or by whom they employ.
    fn reached(&self) -> Ids {
        let backend = self.db.get_database_backend();
        let extent = self.scope.view(rights::Object::Company);
        let mut ids = sight::reached(backend, &extent);
        ids.sql = format!(
            "SELECT k.company_id FROM ({}) AS reached JOIN contact k ON k.id = reached.id WHERE k.company_id IS NOT NULL",
            ids.sql
        );
        let owners: Vec<String> = extent
            .owners()
            .into_iter()
            .map(|owner| {
                ids.values.push(owner.into());
                match backend {
                    DbBackend::Sqlite => "?".to_owned(),
                    _ => format!("${}", ids.values.len()),
                }
            })
            .collect();
        if !owners.is_empty() {
            let owners = owners.join(", ");
            ids.sql = format!(
                "{} UNION ALL SELECT id FROM company WHERE operator_id IN ({owners})",
                ids.sql
            );
        }
        ids
    }
}

#[async_trait]
impl<C: ConnectionTrait> List for Companies<'_, C> {
    type Key = Key;

    async fn walk(&self, rows: Option<u64>) -> Result<Walked<Key>, DbErr> {
        let (name, id) = (company::Column::NameKey, company::Column::Id);
        let mut query = self.filtered(true);
        let mut whole = true;
        if let Some(rows) = rows {
            let last: Option<String> = query
                .clone()
                .select_only()
                .column(name)
                .order_by_asc(name)
                .offset(rows.saturating_sub(1))
                .limit(1)
                .into_tuple()
                .one(self.db)
                .await?;
            if let Some(last) = last {
                whole = false;
                query = query.filter(name.lte(last));
            }
        }
        let keys = query
            .filter(self.narrowed(None))
            .select_only()
            .columns([name, id])
            .order_by_asc(name)
            .limit(self.limit + 1)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(Walked { keys, whole })
    }

    /// Few: whether one is reached is asked of each of its people.
    fn first(&self) -> u64 {
        100
    }

    fn known(&self) -> Vec<Ids> {
        let backend = self.db.get_database_backend();
        let text = self.search.map(|search| search.ids(backend));
        let tagged = self
            .filter
            .tag
            .as_ref()
            .map(|tag| tag::tagged(backend, tag, "cmp_"));
        let all = self.scope.view(rights::Object::Company).is_all();
        let reached = (!all).then(|| self.reached());
        [text, tagged, reached].into_iter().flatten().collect()
    }

    async fn probe(&self, ids: &Ids) -> Result<Vec<Key>, DbErr> {
        let mut keys: Vec<Key> = self
            .filtered(false)
            .filter(ids.hold(company::Column::Id, None))
            .filter(self.narrowed(Some(ids.fit)))
            .select_only()
            .columns([company::Column::NameKey, company::Column::Id])
            .into_tuple()
            .all(self.db)
            .await?;
        keys.sort_unstable();
        keys.truncate(
            usize::try_from(self.limit)
                .unwrap_or(usize::MAX)
                .saturating_add(1),
        );
        Ok(keys)
    }
}
