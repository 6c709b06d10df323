//! The deal a row is about: a new one, or the one of its number. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use switchboard_exchange::Record;

use super::{Done, Step, identities, merge, replace};
use crate::{
    db::entity::{deal, deal_move},
    deal::stages::StageKind,
    id,
    import::{
        OnDuplicate,
        judge::{Fields, Judged, Placed},
    },
    tag,
};

/// Where the expected end of a deal that is not over is kept.
const CLOSE_DATE: &str = "close_date";
/// Where a deal of its own keeps the number that another one has.
const NUMBER: &str = "external_id";

impl Step<'_> {
    /// A deal with its person and company.
    pub(super) fn sale(&mut self, record: &Record, judged: &Judged) -> Done {
        let rule = self.how.options.on_duplicate;
        let number = record.deal.number.as_ref();
        let known = number.and_then(|number| self.world.deals.get(number)).cloned();
        if let Some(known) = known.as_ref().filter(|_| rule == OnDuplicate::Skip) {
            return Done {
                deal_id: Some(known.id.clone()),
                contact_id: known.contact_id.clone(),
                company_id: known.company_id.clone(),
                ..Done::default()
            };
        }
        let mut done = if record.has_person() {
            self.person(record, judged)
        } else {
            Done::default()
        };
        let company_id = self.company(record, judged, &mut done);
        let Some(placed) = &judged.deal else { return done };
        match known.filter(|_| rule != OnDuplicate::Create) {
            Some(known) => {
                done.deal_id = Some(known.id.clone());
                done.changed |=
                    self.refresh_deal(known, record, judged, (placed, &done.contact_id, company_id));
            }
            None => self.deal(record, judged, placed, company_id, &mut done),
        }
        done
    }

    fn deal(
        &mut self,
        record: &Record,
        judged: &Judged,
        placed: &Placed,
        company_id: Option<String>,
        done: &mut Done,
    ) {
        let now = self.how.now;
        let said = &record.deal;
        let closed_at = closed_at(record, placed, now);
        let created_at = said.created_at.or(closed_at).map_or(now, |at| at.min(now));
        let mut fields = judged.deal_fields.clone();
        self.expect(&mut fields, record, placed);
        // Of two deals of one number the first keeps it.
        let taken = |number: &&String| self.world.deals.contains_key(*number);
        let number = said.number.clone();
        if let Some(taken) = number.as_ref().filter(taken) {
            fields.entry(NUMBER).or_insert_with(|| json!(taken));
        }
        let row = deal::Model {
            id: id::new(id::Kind::Deal, now),
            title: title(record),
            amount: placed.amount,
            currency: placed.currency.clone(),
            pipeline_id: placed.pipeline_id.clone(),
            stage_id: placed.stage_id.clone(),
            state: placed.kind.as_str().to_owned(),
            stage_since: closed_at.unwrap_or(created_at),
            contact_id: done.contact_id.clone(),
            company_id,
            lead_id: None,
            line_id: self.how.options.line_id.clone(),
            operator_id: judged
                .deal_operator
                .clone()
                .or_else(|| self.how.options.operator_id.clone()),
            loss_reason: placed.loss_reason.clone(),
            fields: Value::Object(fields),
            version: 1,
            created_at,
            updated_at: now,
            closed_at,
            external_id: number.filter(|number| !self.world.deals.contains_key(number)),
        };
        if let Some(number) = row.external_id.clone() {
            self.world.deals.insert(number, row.clone());
        }
        self.tag(&row.id, record);
        self.changes.moves.push(moved(&row, None, row.stage_since));
        self.changes.counts.deals += 1;
        done.deal_id = Some(row.id.clone());
        done.made.push("deal");
        self.changes.new_deals.push(row);
    }

    /// Makes the row's tags those of a deal; answers whether they are others than before.
    fn tag(&mut self, deal_id: &str, record: &Record) -> bool {
        // Those that cannot be were judged before.
        let tags = tag::normal(&record.deal.tags).unwrap_or_default();
        let same = self.world.tags.get(deal_id).is_some_and(|known| *known == tags);
        if tags.is_empty() || same {
            return false;
        }
        self.world.tags.insert(deal_id.to_owned(), tags.clone());
        self.changes.tags.insert(deal_id.to_owned(), tags);
        true
    }

    /// The expected end of a deal that is not over, unless a field of that name says it or takes no date.
    fn expect(&self, fields: &mut Fields, record: &Record, placed: &Placed) {
        let Some(at) = record.deal.closed_at.filter(|_| placed.kind == StageKind::Open) else {
            return;
        };
        let day = at.format("%Y-%m-%d").to_string();
        let said = BTreeMap::from([(CLOSE_DATE.to_owned(), day)]);
        if let Some(value) = self.world.rules.fitting_of_deal(&said).remove(CLOSE_DATE) {
            fields.entry(CLOSE_DATE).or_insert(value);
        }
    }

    /// Brings a known deal to what the row says; answers whether anything changed.
    fn refresh_deal(
        &mut self,
        mut row: deal::Model,
        record: &Record,
        judged: &Judged,
        (placed, contact_id, company_id): (&Placed, &Option<String>, Option<String>),
    ) -> bool {
        let now = self.how.now;
        let before = row.clone();
        let over = self.how.options.on_duplicate == OnDuplicate::Update;
        let said = &record.deal;
        if let Some(title) = said.title.as_ref().filter(|_| over) {
            row.title.clone_from(title);
        }
        // An amount means what it says only beside its currency.
        if placed.amount.is_some() && (over || row.amount.is_none()) {
            row.amount = placed.amount;
            row.currency.clone_from(&placed.currency);
        } else if let Some(currency) = said.currency.as_ref().filter(|_| over) {
            row.currency.clone_from(currency);
        }
        replace(&mut row.contact_id, contact_id.clone(), over);
        replace(&mut row.company_id, company_id, over);
        replace(&mut row.operator_id, judged.deal_operator.clone(), over);
        let has_none = self.world.tags.get(&row.id).is_none_or(Vec::is_empty);
        let tagged = (over || has_none) && self.tag(&row.id, record);
        let mut fields = judged.deal_fields.clone();
        self.expect(&mut fields, record, placed);
        merge(&mut row.fields, &fields, over);
        if over && placed.said && row.stage_id != placed.stage_id {
            row.pipeline_id.clone_from(&placed.pipeline_id);
            row.stage_id.clone_from(&placed.stage_id);
            placed.kind.as_str().clone_into(&mut row.state);
            row.closed_at = closed_at(record, placed, now);
            row.stage_since = row.closed_at.unwrap_or(now).max(before.stage_since);
            row.loss_reason.clone_from(&placed.loss_reason);
        }
        if row == before && !tagged {
            return false;
        }
        if row.stage_id != before.stage_id {
            let at = row.stage_since;
            self.changes.moves.push(moved(&row, Some(before.stage_id), at));
        }
        match self.changes.new_deals.iter_mut().find(|new| new.id == row.id) {
            Some(new) => new.clone_from(&row),
            None => {
                row.version += 1;
                row.updated_at = now;
                self.changes.changed_deals.insert(row.id.clone(), row.clone());
            }
        }
        if let Some(number) = row.external_id.clone() {
            self.world.deals.insert(number, row);
        }
        true
    }
}

/// When a deal was over, of one that is.
fn closed_at(record: &Record, placed: &Placed, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let over = placed.kind != StageKind::Open;
    over.then(|| record.deal.closed_at.map_or(now, |at| at.min(now)))
}

/// What the row calls it, or whose it is.
fn title(record: &Record) -> String {
    let said = record.deal.title.clone().or_else(|| record.name.clone());
    let named = said.or_else(|| record.company.clone());
    named
        .or_else(|| identities(record).into_iter().next().map(|one| one.value))
        .unwrap_or_else(|| "—".to_owned())
}

fn moved(row: &deal::Model, from_stage_id: Option<String>, at: DateTime<Utc>) -> deal_move::Model {
    deal_move::Model {
        id: id::new(id::Kind::Move, at),
        deal_id: row.id.clone(),
        pipeline_id: row.pipeline_id.clone(),
        from_stage_id,
        stage_id: row.stage_id.clone(),
        operator_id: None,
        at,
    }
}

#[cfg(test)]
#[path = "sale_tests.rs"]
mod tests;
