//! Reading and changing deals.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Map, Value, json};

use super::{
    Error,
    money::{self, is_currency},
    pipeline::{self, Pipeline, Stage},
    reason,
    stages::StageKind,
};
pub use super::{
    list::{Filter, Place, list},
    totals::{Sum, Total, totals},
};
use crate::{
    custom_field::{self, Object},
    db::{
        WriteTx,
        entity::{company, contact, deal, deal_move, lead, object_tag, operator},
    },
    event::{EventType, NewEvent},
    history::{self, Changes},
    id::{self, Kind},
    operator::rights::{self, Extent, Scope},
    tag,
    task::{On, OnKind, store as tasks},
};

/// Characters a title may have.
const TITLE_LIMIT: usize = 300;

/// Deals this scope sees, as far as the role reaches.
pub fn visible_to(scope: &Scope) -> Condition {
    reached(&scope.view(rights::Object::Deal))
}

/// Deals that are reached, as a condition on a query of them.
pub fn reached(extent: &Extent<'_>) -> Condition {
    if extent.is_all() {
        return Condition::all();
    }
    Condition::any()
        .add(deal::Column::OperatorId.is_in(extent.owners()))
        .add(deal::Column::LineId.is_in(extent.lines()))
}

/// One deal, when this scope sees it.
pub async fn find(db: &impl ConnectionTrait, scope: &Scope, id: &str) -> Result<Option<deal::Model>, DbErr> {
    deal::Entity::find_by_id(id)
        .filter(visible_to(scope))
        .one(db)
        .await
}

/// The stages a deal came through, in their order.
pub async fn moves(db: &impl ConnectionTrait, deal_id: &str) -> Result<Vec<deal_move::Model>, DbErr> {
    deal_move::Entity::find()
        .filter(deal_move::Column::DealId.eq(deal_id))
        .order_by_asc(deal_move::Column::At)
        .order_by_asc(deal_move::Column::Id)
        .all(db)
        .await
}

/// What may be said of a deal; `None` leaves it, or its default when it is made. An inner `None` clears it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What it is about.
    pub title: Option<String>,
    /// What it is worth, as a decimal text.
    pub amount: Option<Option<String>>,
    /// The currency.
    pub currency: Option<String>,
    /// The pipeline; without a stage, the deal begins in its first one.
    pub pipeline_id: Option<String>,
    /// The stage.
    pub stage_id: Option<String>,
    /// Whom it is made with.
    pub contact_id: Option<Option<String>>,
    /// Which company it is made with.
    pub company_id: Option<Option<String>>,
    /// The lead it came of.
    pub lead_id: Option<Option<String>>,
    /// The responsible operator.
    pub operator_id: Option<Option<String>>,
    /// Why it is lost: words, or the id of a reason.
    pub loss_reason: Option<Option<String>>,
    /// Custom fields, replacing those of the same names; a null removes.
    pub fields: Option<Map<String, Value>>,
    /// All its tags.
    pub tags: Option<Vec<String>>,
    /// The version the change was made from.
    pub version: Option<i64>,
}

/// Makes a deal.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn create(
    write: &mut WriteTx,
    new: Change,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<deal::Model, Error> {
    let mut errors = Vec::new();
    let (pipeline, stage) = match placed(write, None, &new).await? {
        Ok(place) => place,
        Err(error) => return Err(Error::Invalid(vec![error])),
    };
    let mut row = deal::Model {
        id: id::new(Kind::Deal, now),
        title: String::new(),
        amount: None,
        currency: pipeline.currency.clone(),
        pipeline_id: pipeline.id.clone(),
        stage_id: stage.id.clone(),
        state: stage.kind.as_str().to_owned(),
        stage_since: now,
        contact_id: None,
        company_id: None,
        lead_id: None,
        line_id: None,
        operator_id: by.map(str::to_owned),
        loss_reason: None,
        fields: json!({}),
        version: 1,
        created_at: now,
        updated_at: now,
        closed_at: (stage.kind != StageKind::Open).then_some(now),
        external_id: None,
    };
    if new.title.is_none() {
        errors.push(("title".to_owned(), "is required".to_owned()));
    }
    let tags = tags(new.tags.as_deref(), &mut errors);
    apply(write, &mut row, new, stage.kind, &mut errors).await?;
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    deal::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    tag::add(write, &row.id, &tags.unwrap_or_default()).await?;
    deal_move::Entity::insert(journal(&row, None, &row.stage_id, by, now))
        .exec_without_returning(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::DealCreated, &row.id, now));
    Ok(row)
}

/// Changes a deal; a move to another stage is journalled.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], and [`Error::Invalid`] with each field that cannot be.
pub async fn change(
    write: &mut WriteTx,
    id: &str,
    change: Change,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<deal::Model, Error> {
    let was = deal::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?
        .ok_or(Error::NotFound)?;
    if change.version.is_some_and(|version| version != was.version) {
        return Err(Error::Stale);
    }
    let mut row = was.clone();
    let mut kind = StageKind::parse(&was.state);
    if change.pipeline_id.is_some() || change.stage_id.is_some() {
        let (pipeline, stage) = match placed(write, Some(&was), &change).await? {
            Ok(place) => place,
            Err(error) => return Err(Error::Invalid(vec![error])),
        };
        kind = stage.kind;
        if stage.id != was.stage_id {
            row.pipeline_id = pipeline.id;
            row.stage_id = stage.id;
            row.stage_since = now;
            row.state = kind.as_str().to_owned();
            row.closed_at = match (kind, was.closed_at) {
                (StageKind::Open, _) => None,
                // From won to lost it is closed anew.
                (_, Some(at)) if was.state == row.state => Some(at),
                _ => Some(now),
            };
        }
    }
    let mut errors = Vec::new();
    let tags = tags(change.tags.as_deref(), &mut errors);
    apply(write, &mut row, change, kind, &mut errors).await?;
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    row.version += 1;
    row.updated_at = now;
    deal::ActiveModel::from(row.clone())
        .reset_all()
        .update_without_returning(write.tx())
        .await?;
    let mut changes = differences(&was, &row);
    if let Some(tags) = tags {
        let before = tag::replace(write, id, &tags).await?;
        changes.note("tags", json!(before), json!(tags));
    }
    history::record(write, id, by, &changes, now).await?;
    if row.stage_id != was.stage_id {
        deal_move::Entity::insert(journal(&row, Some(&was.stage_id), &row.stage_id, by, now))
            .exec_without_returning(write.tx())
            .await?;
    }
    write.record(NewEvent::new(EventType::DealUpdated, id, now));
    Ok(row)
}

/// What differs between two states of a deal; its moves have a journal of their own.
fn differences(was: &deal::Model, is: &deal::Model) -> Changes {
    let mut changes = Changes::new();
    let shown = |row: &deal::Model| json!(row.amount.map(|amount| money::show(amount.into(), &row.currency)));
    changes.note("title", was.title.as_str(), is.title.as_str());
    changes.note("amount", shown(was), shown(is));
    changes.note("currency", was.currency.as_str(), is.currency.as_str());
    for (field, was, is) in [
        ("contact_id", &was.contact_id, &is.contact_id),
        ("company_id", &was.company_id, &is.company_id),
        ("operator_id", &was.operator_id, &is.operator_id),
        ("loss_reason", &was.loss_reason, &is.loss_reason),
    ] {
        changes.note(field, json!(was), json!(is));
    }
    let fields = |row: &deal::Model| row.fields.as_object().cloned().unwrap_or_default();
    changes.note_fields(&fields(was), &fields(is));
    changes
}

/// Removes a deal with its journal and its tasks.
pub async fn remove(write: &mut WriteTx, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let on = On {
        r#type: OnKind::Deal,
        id: id.to_owned(),
    };
    tasks::go_with(write, &on, now).await?;
    let done = deal::Entity::delete_by_id(id).exec(write.tx()).await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    object_tag::Entity::delete_many()
        .filter(object_tag::Column::ObjectId.eq(id))
        .exec(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::DealRemoved, id, now));
    Ok(())
}

/// An entry of the journal.
pub(super) fn journal(
    row: &deal::Model,
    from: Option<&str>,
    to: &str,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> deal_move::ActiveModel {
    deal_move::Model {
        id: id::new(Kind::Move, now),
        deal_id: row.id.clone(),
        pipeline_id: row.pipeline_id.clone(),
        from_stage_id: from.map(str::to_owned),
        stage_id: to.to_owned(),
        operator_id: by.map(str::to_owned),
        at: now,
    }
    .into_active_model()
}

type FieldError = (String, String);

/// Where the change puts a deal.
async fn placed(
    write: &WriteTx,
    was: Option<&deal::Model>,
    change: &Change,
) -> Result<Result<(Pipeline, Stage), FieldError>, DbErr> {
    let wrong = |field: &str, message: &str| Ok(Err((field.to_owned(), message.to_owned())));
    let all = pipeline::list(write.tx()).await?;
    let of_stage = change
        .stage_id
        .as_ref()
        .and_then(|id| all.iter().find(|pipeline| pipeline.stage(id).is_some()));
    let pipeline_id = match (&change.pipeline_id, of_stage, was) {
        (Some(id), _, _) => id.clone(),
        (None, Some(pipeline), _) => pipeline.id.clone(),
        (None, None, Some(was)) => was.pipeline_id.clone(),
        (None, None, None) => match all.first() {
            Some(first) => first.id.clone(),
            None => return wrong("pipeline_id", "there is no pipeline"),
        },
    };
    let Some(pipeline) = pipeline::held(write, &pipeline_id).await? else {
        return wrong("pipeline_id", "there is no such pipeline");
    };
    let stays = was.filter(|was| was.pipeline_id == pipeline.id);
    let stage = match (&change.stage_id, stays) {
        (Some(id), _) => pipeline.stage(id),
        (None, Some(was)) => pipeline.stage(&was.stage_id),
        (None, None) => pipeline.first_stage(),
    };
    match stage.cloned() {
        Some(stage) => Ok(Ok((pipeline, stage))),
        None => wrong("stage_id", "there is no such stage in this pipeline"),
    }
}

/// Puts what was said into the row, and notes what cannot be.
async fn apply(
    write: &WriteTx,
    row: &mut deal::Model,
    change: Change,
    kind: StageKind,
    errors: &mut Vec<FieldError>,
) -> Result<(), DbErr> {
    let mut wrong = |field: &str, message: String| errors.push((field.to_owned(), message));
    if let Some(title) = change.title {
        row.title = title.trim().to_owned();
        if !(1..=TITLE_LIMIT).contains(&row.title.chars().count()) || row.title.contains(char::is_control) {
            wrong("title", format!("must have 1 to {TITLE_LIMIT} characters"));
        }
    }
    if let Some(currency) = change.currency {
        if !is_currency(&currency) {
            wrong(
                "currency",
                "is a code of three capital letters, like USD".to_owned(),
            );
        }
        row.currency = currency;
    }
    match change.amount {
        Some(Some(text)) => match money::parse(&text, &row.currency) {
            Ok(amount) => row.amount = Some(amount),
            Err(error) => wrong("amount", error.to_string()),
        },
        Some(None) => row.amount = None,
        None => {}
    }
    if let Some(contact_id) = change.contact_id {
        if let Some(id) = &contact_id
            && contact::Entity::find_by_id(id).one(write.tx()).await?.is_none()
        {
            wrong("contact_id", "there is no such contact".to_owned());
        }
        row.contact_id = contact_id;
    }
    if let Some(company_id) = change.company_id {
        if let Some(id) = &company_id
            && company::Entity::find_by_id(id).one(write.tx()).await?.is_none()
        {
            wrong("company_id", "there is no such company".to_owned());
        }
        row.company_id = company_id;
    }
    if let Some(lead_id) = change.lead_id {
        let found = match &lead_id {
            Some(id) => lead::Entity::find_by_id(id).one(write.tx()).await?,
            None => None,
        };
        if lead_id.is_some() && found.is_none() {
            wrong("lead_id", "there is no such lead".to_owned());
        }
        row.line_id = found.and_then(|lead| lead.line_id);
        row.lead_id = lead_id;
    }
    if let Some(operator_id) = change.operator_id {
        if let Some(id) = &operator_id
            && operator::Entity::find_by_id(id).one(write.tx()).await?.is_none()
        {
            wrong("operator_id", "there is no such user".to_owned());
        }
        row.operator_id = operator_id;
    }
    if let Some(given) = change.loss_reason {
        let given = given.as_deref().map(str::trim).filter(|words| !words.is_empty());
        row.loss_reason = match given {
            Some(given) => Some(reason::words(write.tx(), given).await?),
            None => None,
        };
    }
    match (kind, &row.loss_reason) {
        (StageKind::Lost, None) => wrong("loss_reason", "say why it is lost".to_owned()),
        (StageKind::Lost, Some(words)) if words.chars().count() > reason::LIMIT => {
            wrong("loss_reason", "is too long".to_owned());
        }
        (StageKind::Lost, Some(_)) => {}
        (StageKind::Open | StageKind::Won, _) => row.loss_reason = None,
    }
    if let Some(given) = change.fields {
        let before = row.fields.as_object().cloned().unwrap_or_default();
        match custom_field::store::changed(write.tx(), Object::Deal, &before, &given, false).await {
            Ok(after) => row.fields = Value::Object(after),
            Err(custom_field::store::Error::Invalid(faults)) => {
                for (field, message) in faults {
                    wrong(&field, message);
                }
            }
            Err(custom_field::store::Error::Db(error)) => return Err(error),
            Err(other) => wrong("fields", other.to_string()),
        }
    }
    Ok(())
}

/// The tags that were said, in the form in which they are kept.
fn tags(said: Option<&[String]>, errors: &mut Vec<FieldError>) -> Option<Vec<String>> {
    match tag::normal(said?) {
        Ok(tags) => Some(tags),
        Err(faults) => {
            errors.extend(faults);
            None
        }
    }
}
