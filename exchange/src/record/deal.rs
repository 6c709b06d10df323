//! What a row tells of a deal.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Reading, line, put};
use crate::{
    field::Field,
    money,
    value::{self, Fault},
};

/// Signs that stand between tags.
const BETWEEN: [char; 4] = [',', ';', '|', '\n'];

/// What a row tells of a deal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// What it is about.
    pub title: Option<String>,
    /// What it is worth, as a decimal text.
    pub amount: Option<String>,
    /// Its currency, in three letters.
    pub currency: Option<String>,
    /// Its pipeline, by name.
    pub pipeline: Option<String>,
    /// Its stage, by name.
    pub stage: Option<String>,
    /// When it was won or lost, or is expected to be.
    pub closed_at: Option<DateTime<Utc>>,
    /// Its responsible operator, by e-mail or name.
    pub operator: Option<String>,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// Why it was lost.
    pub loss_reason: Option<String>,
    /// Its number in another system.
    pub number: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Custom fields.
    pub fields: BTreeMap<String, String>,
}

/// A number stays when its person is erased: it must not be their address.
fn number(cell: &str) -> Result<String, Fault> {
    let number = line(cell)?;
    if number.contains('@') || number.starts_with('+') {
        return Err(Fault::BadId);
    }
    Ok(number)
}

impl Deal {
    /// Takes in a cell; a field that is not of a deal changes nothing.
    pub(super) fn set(&mut self, field: &Field, cell: &str, reading: &Reading) -> Result<(), Fault> {
        match field {
            Field::DealTitle => self.title = Some(line(cell)?),
            Field::DealAmount => {
                let (amount, currency) = money::amount(cell)?;
                if amount.starts_with('-') {
                    return Err(Fault::BadAmount);
                }
                self.amount = Some(amount);
                // A column of its own says it better.
                self.currency = self.currency.take().or(currency);
            }
            Field::DealCurrency => self.currency = Some(money::currency(cell)?),
            Field::DealPipeline => self.pipeline = Some(line(cell)?),
            Field::DealStage => self.stage = Some(line(cell)?),
            Field::DealClosedAt => self.closed_at = Some(value::moment(cell, reading.date_order)?),
            Field::DealOperator => self.operator = Some(line(cell)?),
            Field::DealTags => {
                for tag in cell.split(BETWEEN).map(value::line) {
                    if !tag.is_empty() && !self.tags.contains(&tag) {
                        self.tags.push(tag);
                    }
                }
            }
            Field::DealLossReason => self.loss_reason = Some(line(cell)?),
            Field::DealNumber => self.number = Some(number(cell)?),
            Field::DealCreatedAt => self.created_at = Some(value::moment(cell, reading.date_order)?),
            Field::Deal(key) => put(&mut self.fields, key, cell)?,
            _ => {}
        }
        Ok(())
    }
}
