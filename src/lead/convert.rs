//! A lead becomes contact, company and deal in one step, and may be opened again.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, Set,
};

use super::store::{self, Change, ChangeError, Status};
use crate::{
    db::{
        WriteTx,
        entity::{company, contact, deal, lead, lead_outcome, task},
    },
    deal::store as deals,
    event::{EventType, NewEvent},
    id::{self, Kind},
};

/// Characters a company's name may have.
const COMPANY_LIMIT: usize = 200;

/// What a lead is to become.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The deal is made with the lead's contact.
    pub contact: bool,
    /// And with their company, which is made where there is none yet.
    pub company: bool,
    /// How that company is called, where nobody knows yet.
    pub company_name: Option<String>,
    /// The deal; none makes none.
    pub deal: Option<deals::Change>,
    /// The version of the lead the request was made from.
    pub version: Option<i64>,
}

/// Why a lead was not converted or opened again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be changed.
    #[error(transparent)]
    Lead(#[from] ChangeError),
    /// It is not in the state this needs.
    #[error("{0}")]
    Conflict(&'static str),
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the fields are not valid")]
    Invalid(Vec<(String, String)>),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Lead(ChangeError::Db(error))
    }
}

/// Converts a lead. One that was converted before stays as it is: asking twice makes nothing twice.
///
/// # Errors
/// [`Error::Lead`] when it is gone or was changed, [`Error::Conflict`] when it is junk, [`Error::Invalid`] with each
/// field that cannot be.
pub async fn convert(
    write: &mut WriteTx,
    lead_id: &str,
    request: Request,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let lead = locked(write, lead_id).await?;
    let done = lead_outcome::Entity::find_by_id(lead_id).one(write.tx()).await?;
    match Status::parse(&lead.status) {
        Status::Converted if done.is_some() => return Ok(()),
        Status::Junk => return Err(Error::Conflict("this lead is junk; open it again first")),
        // Somebody set its status back by hand: its deal is there.
        _ if done.as_ref().is_some_and(|done| done.deal_id.is_some()) => {
            let change = Change {
                status: Some(Status::Converted),
                by: Some(by.to_owned()),
                ..Change::default()
            };
            return Ok(store::change(write, lead_id, change, now).await?);
        }
        _ => {}
    }
    if request.version.is_some_and(|version| version != lead.version) {
        return Err(ChangeError::Stale.into());
    }
    let (company_id, made) = if request.company {
        company_of(write, &lead, request.company_name.as_deref(), now).await?
    } else {
        (None, None)
    };
    let deal_id = match request.deal {
        Some(wanted) => {
            let new = deals::Change {
                title: wanted.title.clone().or_else(|| Some(lead.title.clone())),
                contact_id: request.contact.then(|| Some(lead.contact_id.clone())),
                company_id: company_id.clone().map(Some),
                lead_id: Some(Some(lead.id.clone())),
                operator_id: wanted
                    .operator_id
                    .clone()
                    .or_else(|| lead.operator_id.clone().map(Some)),
                ..wanted
            };
            let made = deals::create(write, new, Some(by), now).await;
            Some(made.map_err(of_deal)?.id)
        }
        None => None,
    };
    let change = Change {
        status: Some(Status::Converted),
        operator_id: lead.operator_id.is_none().then(|| Some(by.to_owned())),
        by: Some(by.to_owned()),
        ..Change::default()
    };
    store::change(write, lead_id, change, now).await?;
    // After the change, which takes a reason for junk away.
    let outcome = lead_outcome::Model {
        lead_id: lead.id.clone(),
        deal_id,
        company_id: made,
        was: Some(lead.status),
        operator_id: Some(by.to_owned()),
        loss_reason: None,
        at: now,
    };
    store::put_outcome(write, outcome).await?;
    Ok(())
}

/// Opens a lead again. The deal it was converted into goes when nothing has happened to it; one that has gone on
/// stays only when that is asked for.
///
/// # Errors
/// As [`convert`]; [`Error::Conflict`] too when the deal has gone on, or the contact has another open lead.
pub async fn reopen(
    write: &mut WriteTx,
    lead_id: &str,
    keep_deal: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let lead = locked(write, lead_id).await?;
    let outcome = lead_outcome::Entity::find_by_id(lead_id).one(write.tx()).await?;
    if matches!(Status::parse(&lead.status), Status::New | Status::InProgress) {
        return Ok(());
    }
    if let Some(outcome) = &outcome {
        if let Some(deal_id) = outcome.deal_id.as_ref().filter(|_| !keep_deal) {
            drop_deal(write, deal_id, now).await?;
        }
        if let Some(company_id) = &outcome.company_id {
            take_company_back(write, &lead.contact_id, company_id, now).await?;
        }
    }
    let was = outcome.as_ref().and_then(|outcome| outcome.was.as_deref());
    let status = match was.map(Status::parse) {
        Some(Status::New) => Status::New,
        _ => Status::InProgress,
    };
    let change = Change {
        status: Some(status),
        by: Some(by.to_owned()),
        ..Change::default()
    };
    store::change(write, lead_id, change, now).await?;
    lead_outcome::Entity::delete_by_id(lead_id)
        .exec(write.tx())
        .await?;
    Ok(())
}

async fn locked(write: &WriteTx, id: &str) -> Result<lead::Model, Error> {
    let row = lead::Entity::find_by_id(id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    Ok(row.ok_or(ChangeError::Missing)?)
}

fn of_deal(error: crate::deal::Error) -> Error {
    match error {
        crate::deal::Error::Invalid(errors) => {
            let within = |(field, message): (String, String)| (format!("deal.{field}"), message);
            Error::Invalid(errors.into_iter().map(within).collect())
        }
        crate::deal::Error::Db(error) => error.into(),
        crate::deal::Error::Conflict(reason) => Error::Conflict(reason),
        crate::deal::Error::NotFound | crate::deal::Error::Stale => Error::Lead(ChangeError::Missing),
    }
}

/// The company of a lead's contact; made and given to them when they have none. Answers it, and again when the
/// contact got it now.
async fn company_of(
    write: &mut WriteTx,
    lead: &lead::Model,
    name: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(Option<String>, Option<String>), Error> {
    let contact = contact::Entity::find_by_id(&lead.contact_id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let known = contact.as_ref().and_then(|contact| contact.company_id.clone());
    if known.is_some() && name.is_none() {
        return Ok((known, None));
    }
    let said = ["company", "company_name", "company.name"]
        .iter()
        .find_map(|field| lead.fields.get(*field)?.as_str());
    let name = name.or(said).map(str::trim).unwrap_or_default();
    if !(1..=COMPANY_LIMIT).contains(&name.chars().count()) || name.contains(char::is_control) {
        let message = "say how the company is called, in 1 to 200 characters".to_owned();
        return Err(Error::Invalid(vec![("company_name".to_owned(), message)]));
    }
    let company_id = company_named(write, name, now).await?;
    let given = known.as_ref() != Some(&company_id);
    if let Some(contact) = contact.filter(|_| given) {
        contact::ActiveModel {
            id: Set(contact.id.clone()),
            company_id: Set(Some(company_id.clone())),
            version: Set(contact.version + 1),
            updated_at: Set(now),
            ..Default::default()
        }
        .update_without_returning(write.tx())
        .await?;
        write.record(NewEvent::new(EventType::ContactUpdated, contact.id, now));
    }
    // What replaced another company cannot be taken back without knowing that one.
    let made = (given && known.is_none()).then(|| company_id.clone());
    Ok((Some(company_id), made))
}

async fn company_named(write: &mut WriteTx, name: &str, now: DateTime<Utc>) -> Result<String, DbErr> {
    let key = name.to_lowercase();
    let known = company::Entity::find()
        .filter(company::Column::NameKey.eq(&key))
        .one(write.tx())
        .await?;
    if let Some(row) = known {
        return Ok(row.id);
    }
    let id = id::new(Kind::Company, now);
    let row = company::ActiveModel {
        id: Set(id.clone()),
        name: Set(name.to_owned()),
        name_key: Set(key),
        created_at: Set(now),
        version: Set(1),
        updated_at: Set(now),
        ..Default::default()
    };
    company::Entity::insert(row)
        .exec_without_returning(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::CompanyUpdated, &id, now));
    Ok(id)
}

async fn take_company_back(
    write: &mut WriteTx,
    contact_id: &str,
    company_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let contact = contact::Entity::find_by_id(contact_id).one(write.tx()).await?;
    let Some(contact) = contact.filter(|contact| contact.company_id.as_deref() == Some(company_id)) else {
        return Ok(());
    };
    contact::ActiveModel {
        id: Set(contact.id),
        company_id: Set(None),
        version: Set(contact.version + 1),
        updated_at: Set(now),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    write.record(NewEvent::new(EventType::ContactUpdated, contact_id, now));
    Ok(())
}

/// Removes the deal of a conversion, unless something has happened to it.
async fn drop_deal(write: &mut WriteTx, deal_id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let Some(row) = deal::Entity::find_by_id(deal_id)
        .lock_exclusive()
        .one(write.tx())
        .await?
    else {
        return Ok(());
    };
    let tasks = task::Entity::find()
        .filter(task::Column::DealId.eq(deal_id))
        .count(write.tx())
        .await?;
    if row.version > 1 || tasks > 0 {
        return Err(Error::Conflict(
            "the deal of this lead has gone on; open the lead with keep_deal, or remove the deal first",
        ));
    }
    match deals::remove(write, deal_id, now).await {
        Ok(()) => Ok(()),
        Err(error) => Err(of_deal(error)),
    }
}

/// What a lead was converted into.
pub async fn outcome(db: &impl ConnectionTrait, lead_id: &str) -> Result<Option<lead_outcome::Model>, DbErr> {
    lead_outcome::Entity::find_by_id(lead_id).one(db).await
}
