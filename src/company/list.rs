//! Lists of companies, in the order of their names.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};

use crate::{
    contact::sight,
    db::{
        bulk,
        entity::{company, contact},
        keyset,
        text::contains,
    },
    operator::rights::{self, Scope},
    search::{
        find::{self, Candidates, List, Search, Walked},
        record::{AT_ONCE, Kind},
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
        find::page(&list, limit).await?
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
            query = query.filter(company::Column::NameKey.gt(&place.name));
        }
        query
    }

    /// What the list is narrowed to otherwise.
    fn narrowed(&self, text: bool) -> Condition {
        let id = || Expr::col((company::Entity, company::Column::Id));
        let mut all = Condition::all();
        if let Some(tag) = &self.filter.tag {
            all = all.add(Expr::exists(tag::has(tag, id())));
        }
        if let Some(search) = self.search.filter(|_| text) {
            all = all.add(if search.is_indexed() {
                search.condition(self.db.get_database_backend(), id())
            } else {
                self.scanned()
            });
        }
        // Last: it costs the most.
        all.add(sight::companies(self.scope))
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

    /// Companies that are reached, unless they or their contacts are more.
    async fn reached(&self, most: usize) -> Result<Option<Vec<String>>, DbErr> {
        let extent = self.scope.view(rights::Object::Company);
        let Some(mut people) = sight::few(self.db, &extent, most).await? else {
            return Ok(None);
        };
        people.sort_unstable();
        people.dedup();
        let mut ids: Vec<String> = company::Entity::find()
            .select_only()
            .column(company::Column::Id)
            .filter(company::Column::OperatorId.is_in(extent.owners()))
            .into_tuple()
            .all(self.db)
            .await?;
        for people in people.chunks(AT_ONCE) {
            let theirs: Vec<Option<String>> = contact::Entity::find()
                .select_only()
                .column(contact::Column::CompanyId)
                .filter(contact::Column::Id.is_in(bulk::padded(people)))
                .into_tuple()
                .all(self.db)
                .await?;
            ids.extend(theirs.into_iter().flatten());
        }
        ids.sort_unstable();
        ids.dedup();
        Ok((ids.len() <= most).then_some(ids))
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
            .filter(self.narrowed(true))
            .select_only()
            .columns([name, id])
            .order_by_asc(name)
            .limit(self.limit + 1)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(Walked { keys, whole })
    }

    async fn few(&self, most: usize) -> Result<Option<Candidates>, DbErr> {
        if let Some(search) = self.search
            && let Some(found) = search.few(self.db, most).await?
        {
            return Ok(Some(found));
        }
        let mut ids = None;
        if let Some(tag) = &self.filter.tag {
            ids = tag::few(self.db, tag, "cmp_", most).await?;
        }
        if ids.is_none() && !self.scope.view(rights::Object::Company).is_all() {
            ids = self.reached(most).await?;
        }
        let fit_text = false;
        Ok(ids.map(|ids| Candidates { ids, fit_text }))
    }

    async fn probe(&self, some: Candidates) -> Result<Vec<Key>, DbErr> {
        let mut keys = Vec::new();
        for ids in some.ids.chunks(AT_ONCE) {
            let found: Vec<Key> = self
                .filtered(false)
                .filter(company::Column::Id.is_in(bulk::padded(ids)))
                .filter(self.narrowed(!some.fit_text))
                .select_only()
                .columns([company::Column::NameKey, company::Column::Id])
                .into_tuple()
                .all(self.db)
                .await?;
            keys.extend(found);
        }
        Ok(keys)
    }
}
