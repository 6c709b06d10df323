//! The rules by which new leads are given to operators: kept as one list, and applied in the transaction that makes
//! the leads.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::assign::{self, Assignee, Choose, Facts, Person, Rule};
use crate::{
    db::{
        WriteTx, bulk,
        entity::{lead, operator, team_member},
    },
    setting,
};

/// Where the rules are kept.
const NAME: &str = "lead.assignment";

/// All rules, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LeadAssignment)]
pub struct Assignment {
    /// The first that fits and finds somebody decides.
    pub rules: Vec<Rule>,
    /// For optimistic changes.
    pub version: i64,
    /// When they last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Why the rules were not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody changed them meanwhile.
    #[error("somebody else changed the rules meanwhile; load them again")]
    Stale,
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the fields are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// The rules as they are. What cannot be read counts as none: leads are made all the same.
pub async fn read(db: &impl ConnectionTrait) -> Result<Assignment, DbErr> {
    let stored = setting::get(db, NAME).await?;
    Ok(stored
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

/// Replaces the rules.
///
/// # Errors
/// [`Error::Stale`], and [`Error::Invalid`] with each field that cannot be.
pub async fn replace(
    write: &WriteTx,
    rules: Vec<Rule>,
    version: Option<i64>,
    now: DateTime<Utc>,
) -> Result<Assignment, Error> {
    let known = read(write.tx()).await?;
    if version.is_some_and(|version| version != known.version) {
        return Err(Error::Stale);
    }
    let errors = assign::errors(&rules);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let made = Assignment {
        rules,
        version: known.version + 1,
        updated_at: Some(now),
    };
    let text = serde_json::to_string(&made).map_err(|error| DbErr::Custom(error.to_string()))?;
    setting::put(write.tx(), NAME, &text).await?;
    Ok(made)
}

/// Gives those of these new leads to operators that nobody has yet.
pub async fn give(db: &impl ConnectionTrait, leads: &mut [lead::Model]) -> Result<(), DbErr> {
    if leads.iter().all(|lead| lead.operator_id.is_some()) {
        return Ok(());
    }
    let rules = read(db).await?.rules;
    let fitting: Vec<&Rule> = rules
        .iter()
        .filter(|rule| {
            leads
                .iter()
                .any(|lead| lead.operator_id.is_none() && rule.fits(&facts(lead)))
        })
        .collect();
    if fitting.is_empty() {
        return Ok(());
    }
    let mut people = people(db, &fitting).await?;
    for lead in leads.iter_mut().filter(|lead| lead.operator_id.is_none()) {
        if let Some((_, id)) = assign::choose(&rules, &facts(lead), &people) {
            if let Some(person) = people.iter_mut().find(|person| person.id == id) {
                person.open += 1;
            }
            lead.operator_id = Some(id);
        }
    }
    Ok(())
}

fn facts(lead: &lead::Model) -> Facts<'_> {
    Facts {
        line_id: lead.line_id.as_deref(),
        channel_id: lead.channel_id.as_deref(),
        source: &lead.source,
        amount: lead.fields.get("amount").and_then(|value| match value {
            Value::String(text) => assign::amount(text),
            Value::Number(number) => assign::amount(&number.to_string()),
            // A field that admins defined as money.
            Value::Object(money) => assign::amount(money.get("amount")?.as_str()?),
            _ => None,
        }),
    }
}

/// Everybody these rules name who may be given anything.
async fn people(db: &impl ConnectionTrait, rules: &[&Rule]) -> Result<Vec<Person>, DbErr> {
    let (mut ids, mut team_ids) = (BTreeSet::new(), BTreeSet::new());
    for entry in rules.iter().flat_map(|rule| &rule.to) {
        match entry {
            Assignee::OperatorId(id) => ids.insert(id.clone()),
            Assignee::TeamId(id) => team_ids.insert(id.clone()),
        };
    }
    let mut teams: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    if !team_ids.is_empty() {
        let members = team_member::Entity::find()
            .filter(team_member::Column::TeamId.is_in(bulk::padded(team_ids)))
            .all(db)
            .await?;
        for member in members {
            ids.insert(member.operator_id.clone());
            teams
                .entry(member.operator_id)
                .or_default()
                .push((member.team_id, member.position));
        }
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let counted = rules
        .iter()
        .any(|rule| rule.choose == Choose::LeastLoaded || rule.max_open.is_some());
    let open: BTreeMap<String, i64> = if counted {
        let rows: Vec<(String, i64)> = lead::Entity::find()
            .select_only()
            .column(lead::Column::OperatorId)
            .column_as(Expr::cust("COUNT(*)"), "leads")
            .filter(lead::Column::OperatorId.is_in(bulk::padded(ids.clone())))
            // In the words of the index that holds open leads only.
            .filter(Expr::cust("status IN ('new', 'in_progress')"))
            .group_by(lead::Column::OperatorId)
            .into_tuple()
            .all(db)
            .await?;
        rows.into_iter().collect()
    } else {
        BTreeMap::new()
    };
    let rows = operator::Entity::find()
        .filter(
            operator::Column::Id
                .is_in(bulk::padded(ids))
                .and(operator::Column::Enabled.eq(true)),
        )
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Person {
            there: row.presence == "online" && row.availability == "accepting",
            open: open
                .get(&row.id)
                .and_then(|open| u32::try_from(*open).ok())
                .unwrap_or_default(),
            teams: teams.remove(&row.id).unwrap_or_default(),
            id: row.id,
        })
        .collect())
}
