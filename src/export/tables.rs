//! The lists that become tables. Their columns have names by which an import recognises them again.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use switchboard_sdk::Attribution;

use super::{
    PAGE, Table,
    names::{Names, cells, defined, text},
};
use crate::{
    call, company,
    contact::store as contacts,
    db::{Db, bulk, entity::contact},
    form, lead,
    operator::rights::Scope,
};

/// Marks of where a lead came from that have a column.
const MARKS: [&str; 5] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
];

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn named(start: &[&str], prefix: &str, keys: &[String]) -> Vec<String> {
    let mut columns: Vec<String> = start.iter().map(|name| (*name).to_owned()).collect();
    columns.extend(keys.iter().map(|key| format!("{prefix}{key}")));
    columns.push("other_fields".to_owned());
    columns
}

/// Contacts.
#[derive(Debug)]
pub struct Contacts {
    db: Db,
    scope: Scope,
    filter: contacts::Filter,
    after: Option<contacts::Place>,
    ended: bool,
    names: Names,
    keys: Vec<String>,
}

impl Contacts {
    /// Those of a list.
    pub fn new(db: Db, scope: Scope, filter: contacts::Filter) -> Self {
        Self {
            db,
            scope,
            filter,
            after: None,
            ended: false,
            names: Names::default(),
            keys: Vec::new(),
        }
    }

    /// The next ones.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<contacts::ContactView>>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let db = self.db.read();
        let (rows, next) = contacts::list(db, &self.scope, &self.filter, self.after.as_ref(), PAGE).await?;
        self.ended = next.is_none();
        self.after = next;
        contacts::views(db, rows).await.map(Some)
    }
}

#[async_trait]
impl Table for Contacts {
    async fn columns(&mut self) -> Result<Vec<String>, DbErr> {
        self.names = Names::read(self.db.read()).await?;
        self.keys = defined(self.db.read(), "contact").await?;
        let start = [
            "id",
            "name",
            "email",
            "phone",
            "company",
            "contact.operator",
            "language",
            "tags",
            "created_at",
            "updated_at",
        ];
        Ok(named(&start, "contact.fields.", &self.keys))
    }

    async fn next(&mut self) -> Result<Option<Vec<Vec<String>>>, DbErr> {
        let Some(page) = self.page().await? else {
            return Ok(None);
        };
        let row = |one: contacts::ContactView| {
            let mut row = vec![
                one.id,
                one.name.unwrap_or_default(),
                one.emails.join(", "),
                one.phones.join(", "),
                one.company_name.unwrap_or_default(),
                self.names.of(one.operator_id.as_ref()),
                one.language.unwrap_or_default(),
                one.tags.join(", "),
                stamp(one.created_at),
                stamp(one.updated_at),
            ];
            row.extend(cells(&one.fields, &self.keys));
            row
        };
        Ok(Some(page.into_iter().map(row).collect()))
    }
}

/// Companies.
#[derive(Debug)]
pub struct Companies {
    db: Db,
    scope: Scope,
    filter: company::store::Filter,
    after: Option<company::store::Place>,
    ended: bool,
    names: Names,
    keys: Vec<String>,
}

impl Companies {
    /// Those of a list.
    pub fn new(db: Db, scope: Scope, filter: company::store::Filter) -> Self {
        Self {
            db,
            scope,
            filter,
            after: None,
            ended: false,
            names: Names::default(),
            keys: Vec::new(),
        }
    }
}

#[async_trait]
impl Table for Companies {
    async fn columns(&mut self) -> Result<Vec<String>, DbErr> {
        self.names = Names::read(self.db.read()).await?;
        self.keys = defined(self.db.read(), "company").await?;
        let start = [
            "id",
            "company",
            "email",
            "phone",
            "website",
            "tax_number",
            "operator",
            "contacts",
            "tags",
            "created_at",
        ];
        Ok(named(&start, "company.fields.", &self.keys))
    }

    async fn next(&mut self) -> Result<Option<Vec<Vec<String>>>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let db = self.db.read();
        let mut rows = company::store::list(db, &self.scope, &self.filter, self.after.as_ref(), PAGE).await?;
        self.ended = rows.len() as u64 <= PAGE;
        rows.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        self.after = rows.last().map(|row| company::store::Place {
            name: row.name_key.clone(),
        });
        let views = company::store::views(db, rows).await?;
        let row = |one: company::store::CompanyView| {
            let mut row = vec![
                one.id,
                one.name,
                one.emails.join(", "),
                one.phones.join(", "),
                one.website.unwrap_or_default(),
                one.tax_number.unwrap_or_default(),
                self.names.of(one.operator_id.as_ref()),
                one.contact_count.to_string(),
                one.tags.join(", "),
                stamp(one.created_at),
            ];
            row.extend(cells(&one.fields, &self.keys));
            row
        };
        Ok(Some(views.into_iter().map(row).collect()))
    }
}

/// Leads, with whose they are.
#[derive(Debug)]
pub struct Leads {
    db: Db,
    scope: Scope,
    filter: lead::store::Filter,
    after: Option<lead::store::Place>,
    ended: bool,
    names: Names,
    keys: Vec<String>,
}

impl Leads {
    /// Those of a list.
    pub fn new(db: Db, scope: Scope, filter: lead::store::Filter) -> Self {
        Self {
            db,
            scope,
            filter,
            after: None,
            ended: false,
            names: Names::default(),
            keys: Vec::new(),
        }
    }

    async fn people(&self, ids: Vec<String>) -> Result<HashMap<String, contacts::ContactView>, DbErr> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = contact::Entity::find()
            .filter(contact::Column::Id.is_in(bulk::padded(ids)))
            .all(self.db.read())
            .await?;
        let views = contacts::views(self.db.read(), rows).await?;
        Ok(views.into_iter().map(|view| (view.id.clone(), view)).collect())
    }
}

#[async_trait]
impl Table for Leads {
    async fn columns(&mut self) -> Result<Vec<String>, DbErr> {
        self.names = Names::read(self.db.read()).await?;
        self.keys = defined(self.db.read(), "lead").await?;
        self.keys.retain(|key| key != "comment");
        let mut start = vec![
            "id",
            "title",
            "status",
            "source",
            "name",
            "email",
            "phone",
            "company",
            "operator",
            "line",
            "channel_name",
            "created_at",
            "updated_at",
            "comment",
        ];
        start.extend(MARKS);
        Ok(named(&start, "lead.fields.", &self.keys))
    }

    async fn next(&mut self) -> Result<Option<Vec<Vec<String>>>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let db = self.db.read();
        let (rows, next) =
            lead::store::list(db, &self.scope, &self.filter, self.after.as_ref(), PAGE).await?;
        self.ended = next.is_none();
        self.after = next;
        let people = self
            .people(rows.iter().map(|row| row.contact_id.clone()).collect())
            .await?;
        let row = |mut one: crate::db::entity::lead::Model| {
            let who = people.get(&one.contact_id);
            let attribution: Attribution = serde_json::from_value(one.attribution).unwrap_or_default();
            let comment = one
                .fields
                .as_object_mut()
                .and_then(|fields| fields.remove("comment"));
            let mut row = vec![
                one.id,
                one.title,
                one.status,
                one.source,
                who.and_then(|who| who.name.clone()).unwrap_or_default(),
                who.map_or_else(String::new, |who| who.emails.join(", ")),
                who.map_or_else(String::new, |who| who.phones.join(", ")),
                who.and_then(|who| who.company_name.clone()).unwrap_or_default(),
                self.names.of(one.operator_id.as_ref()),
                self.names.of(one.line_id.as_ref()),
                self.names.of(one.channel_id.as_ref()),
                stamp(one.created_at),
                stamp(one.updated_at),
                text(comment),
            ];
            row.extend(
                MARKS
                    .iter()
                    .map(|mark| attribution.last.get(*mark).cloned().unwrap_or_default()),
            );
            row.extend(cells(&one.fields, &self.keys));
            row
        };
        Ok(Some(rows.into_iter().map(row).collect()))
    }
}

/// Submissions of forms.
#[derive(Debug)]
pub struct Submissions {
    db: Db,
    scope: Scope,
    filter: form::store::Filter,
    after: Option<form::store::Place>,
    ended: bool,
    names: Names,
    keys: Vec<String>,
}

impl Submissions {
    /// Those of a list; the fields of the form, where it is one form, have columns of their own.
    pub fn new(db: Db, scope: Scope, filter: form::store::Filter, fields: Vec<String>) -> Self {
        Self {
            db,
            scope,
            filter,
            after: None,
            ended: false,
            names: Names::default(),
            keys: fields,
        }
    }
}

#[async_trait]
impl Table for Submissions {
    async fn columns(&mut self) -> Result<Vec<String>, DbErr> {
        self.names = Names::read(self.db.read()).await?;
        Ok(named(
            &["id", "form", "state", "created_at", "lead_id", "spam_score"],
            "",
            &self.keys,
        ))
    }

    async fn next(&mut self) -> Result<Option<Vec<Vec<String>>>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let (scope, filter, after) = (&self.scope, &self.filter, self.after.as_ref());
        let mut rows = form::store::list(self.db.read(), scope, filter, after, PAGE).await?;
        self.ended = rows.len() as u64 <= PAGE;
        rows.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        self.after = rows.last().map(|row| form::store::Place {
            at: row.created_at,
            id: row.id.clone(),
        });
        let row = |one: form::store::SubmissionView| {
            let mut row = vec![
                one.id,
                self.names.of(Some(&one.channel_id)),
                one.state,
                stamp(one.created_at),
                one.lead_id.unwrap_or_default(),
                format!("{:.2}", one.spam_score),
            ];
            row.extend(cells(&one.values, &self.keys));
            row
        };
        Ok(Some(
            rows.into_iter()
                .map(form::store::SubmissionView::from)
                .map(row)
                .collect(),
        ))
    }
}

/// Telephone calls.
#[derive(Debug)]
pub struct Calls {
    db: Db,
    scope: Scope,
    /// `None`: it names a line that does not exist, so nothing matches.
    filter: Option<call::store::Filter>,
    after: Option<call::store::Place>,
}

impl Calls {
    /// Those of a list.
    pub fn new(db: Db, scope: Scope, filter: Option<call::store::Filter>) -> Self {
        Self {
            db,
            scope,
            filter,
            after: None,
        }
    }
}

#[async_trait]
impl Table for Calls {
    async fn columns(&mut self) -> Result<Vec<String>, DbErr> {
        Ok(call::csv::COLUMNS.iter().map(|name| (*name).to_owned()).collect())
    }

    async fn next(&mut self) -> Result<Option<Vec<Vec<String>>>, DbErr> {
        let Some(filter) = &self.filter else {
            return Ok(None);
        };
        let db = self.db.read();
        let mut rows = call::store::list(db, &self.scope, filter, self.after.as_ref(), PAGE).await?;
        let more = rows.len() as u64 > PAGE;
        rows.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        let views = call::view::views(db, rows).await?;
        self.after = views.last().map(|call| call::store::Place {
            at: call.started_at,
            id: call.id.clone(),
        });
        if !more {
            self.filter = None;
        }
        Ok(Some(views.iter().map(call::csv::row).collect()))
    }
}
