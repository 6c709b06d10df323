//! Which contacts and companies somebody sees.
//!
//! As far as the role reaches: those somebody it reaches is responsible for, and those whose conversations, leads, deals
//! or submissions lie as near; of companies also those whose contacts do. The role's reach of contacts alone decides, not
//! that of conversations or leads.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect, Statement, Value,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use crate::{
    db::{
        bulk,
        entity::{channel, company, contact, conversation, deal, lead, session, submission},
    },
    operator::rights::{self, Extent, Object, Scope},
    search::find::{Fit, Ids},
};

/// A contact's chain of merges is followed so far.
const CHAIN: usize = 20;

/// Contacts that this scope sees, as a condition on a query of contacts. One that was merged away has nothing of its
/// own any more: see [`find`].
pub fn contacts(scope: &Scope) -> Condition {
    known(&scope.view(Object::Contact))
}

/// Contacts who are reached: their own, and those with whom something that is reached hangs together.
fn known(extent: &Extent<'_>) -> Condition {
    if extent.is_all() {
        return Condition::all();
    }
    Condition::any()
        .add(contact::Column::OperatorId.is_in(extent.owners()))
        .add(Expr::exists(conversations(extent)))
        .add(Expr::exists(leads(extent)))
        .add(Expr::exists(deals(extent)))
        .add(Expr::exists(submissions(extent)))
}

/// Companies that this scope sees, as a condition on a query of companies.
pub fn companies(scope: &Scope) -> Condition {
    let extent = scope.view(Object::Company);
    if extent.is_all() {
        return Condition::all();
    }
    let staff = Query::select()
        .column((contact::Entity, contact::Column::Id))
        .from(contact::Entity)
        .and_where(
            Expr::col((contact::Entity, contact::Column::CompanyId))
                .equals((company::Entity, company::Column::Id)),
        )
        .cond_where(known(&extent))
        .to_owned();
    Condition::any()
        .add(company::Column::OperatorId.is_in(extent.owners()))
        .add(Expr::exists(staff))
}

fn conversations(extent: &Extent<'_>) -> SelectStatement {
    Query::select()
        .column((conversation::Entity, conversation::Column::Id))
        .from(conversation::Entity)
        .inner_join(
            session::Entity,
            Expr::col((session::Entity, session::Column::Id))
                .equals((conversation::Entity, conversation::Column::SessionId)),
        )
        .and_where(
            Expr::col((conversation::Entity, conversation::Column::ContactId))
                .equals((contact::Entity, contact::Column::Id)),
        )
        .cond_where(rights::each_conversation(extent))
        .to_owned()
}

fn leads(extent: &Extent<'_>) -> SelectStatement {
    let visible = Condition::any()
        .add(lead::Column::OperatorId.is_in(extent.owners()))
        .add(lead::Column::LineId.is_in(extent.lines()));
    Query::select()
        .column((lead::Entity, lead::Column::Id))
        .from(lead::Entity)
        .and_where(
            Expr::col((lead::Entity, lead::Column::ContactId)).equals((contact::Entity, contact::Column::Id)),
        )
        .cond_where(visible)
        .to_owned()
}

fn deals(extent: &Extent<'_>) -> SelectStatement {
    let visible = Condition::any()
        .add(deal::Column::OperatorId.is_in(extent.owners()))
        .add(deal::Column::LineId.is_in(extent.lines()));
    Query::select()
        .column((deal::Entity, deal::Column::Id))
        .from(deal::Entity)
        .and_where(
            Expr::col((deal::Entity, deal::Column::ContactId)).equals((contact::Entity, contact::Column::Id)),
        )
        .cond_where(visible)
        .to_owned()
}

/// A form may make a contact and nothing else.
fn submissions(extent: &Extent<'_>) -> SelectStatement {
    Query::select()
        .column((submission::Entity, submission::Column::Id))
        .from(submission::Entity)
        .inner_join(
            channel::Entity,
            Expr::col((channel::Entity, channel::Column::Id))
                .equals((submission::Entity, submission::Column::ChannelId)),
        )
        .and_where(
            Expr::col((submission::Entity, submission::Column::ContactId))
                .equals((contact::Entity, contact::Column::Id)),
        )
        .and_where(channel::Column::LineId.is_in(extent.lines()))
        .to_owned()
}

/// One contact, when this scope sees it. Who was merged into another is seen by those who see that one.
pub async fn find(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: &str,
) -> Result<Option<contact::Model>, DbErr> {
    if id.contains('\0') {
        return Ok(None);
    }
    let Some(row) = contact::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let last = end_of_chain(db, &row).await?;
    let seen = contact::Entity::find_by_id(last)
        .filter(contacts(scope))
        .one(db)
        .await?;
    Ok(seen.map(|_| row))
}

/// Those of some contacts that this scope sees.
pub async fn among(
    db: &impl ConnectionTrait,
    scope: &Scope,
    ids: BTreeSet<String>,
) -> Result<BTreeSet<String>, DbErr> {
    if scope.view(Object::Contact).is_all() || ids.is_empty() {
        return Ok(ids);
    }
    let seen: Vec<String> = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::Id.is_in(bulk::padded(ids)))
        .filter(contacts(scope))
        .into_tuple()
        .all(db)
        .await?;
    Ok(seen.into_iter().collect())
}

/// All contacts who are reached, some of them several times. Each of the ways in which somebody is reached has its
/// index, which the condition of [`contacts`] cannot use.
pub fn reached(backend: DbBackend, extent: &Extent<'_>) -> Ids {
    let mut values: Vec<Value> = Vec::new();
    let mut way = |sql: &str, words: &[&str]| {
        let mut places = Vec::with_capacity(words.len());
        for word in words {
            values.push((*word).into());
            places.push(match backend {
                DbBackend::Sqlite => "?".to_owned(),
                _ => format!("${}", values.len()),
            });
        }
        format!("{sql} IN ({})", places.join(", "))
    };
    let owners = extent.owners();
    let lines: Vec<&str> = extent.lines().iter().map(String::as_str).collect();
    let me: Vec<&str> = extent.me().into_iter().collect();
    let mut ways = Vec::new();
    for (sql, words) in [
        ("SELECT contact_id AS id FROM conversation WHERE line_id", &lines),
        ("SELECT contact_id AS id FROM lead WHERE line_id", &lines),
        ("SELECT contact_id AS id FROM deal WHERE line_id", &lines),
        (
            "SELECT b.contact_id AS id FROM channel h JOIN submission b ON b.channel_id = h.id WHERE h.line_id",
            &lines,
        ),
        ("SELECT id FROM contact WHERE operator_id", &owners),
        ("SELECT contact_id AS id FROM lead WHERE operator_id", &owners),
        ("SELECT contact_id AS id FROM deal WHERE operator_id", &owners),
        (
            "SELECT c.contact_id AS id FROM session s JOIN conversation c ON c.session_id = s.id WHERE s.operator_id",
            &owners,
        ),
        (
            "SELECT c.contact_id AS id FROM participant p JOIN conversation c ON c.id = p.conversation_id WHERE p.operator_id",
            &me,
        ),
        (
            "SELECT c.contact_id AS id FROM offer o JOIN conversation c ON c.id = o.conversation_id \
             WHERE o.ended_at IS NULL AND o.operator_id",
            &me,
        ),
    ] {
        if !words.is_empty() {
            ways.push(way(sql, words));
        }
    }
    if ways.is_empty() {
        ways.push("SELECT id FROM contact WHERE id IS NULL".to_owned());
    }
    Ids {
        sql: ways.join(" UNION ALL "),
        values,
        fit: Fit::Scope,
    }
}

/// The contact that this one is now: itself, or where its merges end.
pub async fn end_of_chain(db: &impl ConnectionTrait, row: &contact::Model) -> Result<String, DbErr> {
    let (mut id, mut next) = (row.id.clone(), row.merged_into.clone());
    for _ in 0..CHAIN {
        let Some(into) = next else { break };
        next = contact::Entity::find_by_id(&into)
            .one(db)
            .await?
            .and_then(|row| row.merged_into);
        id = into;
    }
    Ok(id)
}

/// Who sees a contact, for those who are told of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// Whoever stands in the queue of one of these lines.
    pub line_ids: BTreeSet<String>,
    /// These operators, whatever lines they stand in.
    pub operator_ids: BTreeSet<String>,
}

impl Sight {
    /// Whether somebody sees it.
    pub fn includes(&self, scope: &Scope) -> bool {
        let extent = scope.view(Object::Contact);
        extent.is_all()
            || self.operator_ids.iter().any(|id| extent.owns(id))
            || self.line_ids.iter().any(|line| extent.lines().contains(line))
    }
}

#[derive(FromQueryResult)]
struct Seen {
    contact_id: String,
    line_id: Option<String>,
    operator_id: Option<String>,
}

/// Who sees each of these contacts; the same rule as [`contacts`], asked the other way round.
pub async fn of(db: &impl ConnectionTrait, ids: &[String]) -> Result<HashMap<String, Sight>, DbErr> {
    let mut sights: HashMap<String, Sight> = HashMap::new();
    if ids.is_empty() {
        return Ok(sights);
    }
    let (list, values) = bulk::in_list(1, ids.iter().cloned().map(Value::from).collect());
    let sql = format!(
        "SELECT id AS contact_id, NULL AS line_id, operator_id FROM contact WHERE id IN {list} \
         UNION SELECT c.contact_id, c.line_id, s.operator_id FROM conversation c JOIN session s ON s.id = c.session_id WHERE c.contact_id IN {list} \
         UNION SELECT c.contact_id, NULL, p.operator_id FROM conversation c JOIN participant p ON p.conversation_id = c.id WHERE c.contact_id IN {list} \
         UNION SELECT contact_id, line_id, operator_id FROM lead WHERE contact_id IN {list} \
         UNION SELECT contact_id, line_id, operator_id FROM deal WHERE contact_id IN {list} \
         UNION SELECT b.contact_id, h.line_id, NULL FROM submission b JOIN channel h ON h.id = b.channel_id WHERE b.contact_id IN {list}"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    for row in Seen::find_by_statement(statement).all(db).await? {
        let sight = sights.entry(row.contact_id).or_default();
        sight.line_ids.extend(row.line_id);
        sight.operator_ids.extend(row.operator_id);
    }
    Ok(sights)
}
