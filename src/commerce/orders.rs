//! Orders: the deal of each, made once and kept up to date.

use sea_orm::EntityTrait;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use switchboard_exchange::commerce::Order;

use super::{
    judge, kind,
    parties::{Fault, Step, Who, known_by},
    store,
};
use crate::{
    db::entity::{commerce_link, deal as deals},
    deal::{
        self,
        pipeline::Pipeline,
        stages::StageKind,
        store::{Change, change, create},
    },
    id::{self, Kind},
};

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its deal was made.
    Created,
    /// Its deal changed.
    Updated,
    /// It says what it said before.
    Unchanged,
    /// Its deal was removed here, and is not made again.
    Removed,
}

impl From<deal::Error> for Fault {
    fn from(error: deal::Error) -> Self {
        match error {
            deal::Error::Db(error) => Self::Db(error),
            deal::Error::Invalid(fields) => Self::of_fields(fields),
            other => Self::Unfit(other.to_string()),
        }
    }
}

impl Step<'_> {
    /// Takes an order in.
    pub async fn order(&mut self, order: &Order, pipeline: &Pipeline) -> Result<Outcome, Fault> {
        let external_id = known_by(&order.id);
        let link = store::link(self.write, self.exchange_id, kind::ORDER, &external_id).await?;
        let digest = digest_of(order);
        if link
            .as_ref()
            .is_some_and(|link| link.digest.as_deref() == Some(&digest))
        {
            return Ok(Outcome::Unchanged);
        }
        let before: Option<Order> = link
            .as_ref()
            .and_then(|link| serde_json::from_value(link.document.clone()?).ok());
        let standing = match link.as_ref().map(|link| &link.deal_id) {
            None => None,
            Some(None) => return Ok(Outcome::Removed),
            Some(Some(id)) => deals::Entity::find_by_id(id).one(self.write.tx()).await?,
        };
        if link.is_some() && standing.is_none() {
            return Ok(Outcome::Removed);
        }
        let outcome = if standing.is_some() {
            Outcome::Updated
        } else {
            Outcome::Created
        };
        let said = self
            .said(order, before.as_ref(), standing.as_ref(), pipeline)
            .await?;
        let deal_id = match standing {
            Some(row) => {
                if let Some(said) = said {
                    change(self.write, &row.id, said, None, self.now).await?;
                }
                row.id
            }
            None => {
                self.counts.deals += 1;
                create(self.write, said.unwrap_or_default(), None, self.now)
                    .await?
                    .id
            }
        };
        let is_new = link.is_none();
        let mut row = link.unwrap_or_else(|| commerce_link::Model {
            id: id::new(Kind::CommerceLink, self.now),
            exchange_id: self.exchange_id.to_owned(),
            kind: kind::ORDER.to_owned(),
            external_id,
            deal_id: Some(deal_id),
            company_id: None,
            contact_id: None,
            digest: None,
            document: None,
            created_at: self.now,
            updated_at: self.now,
        });
        row.digest = Some(digest);
        row.document = Some(json!(judge::kept(order)));
        row.updated_at = self.now;
        store::put_link(self.write, row, is_new).await?;
        Ok(outcome)
    }

    /// What is said of the deal; none when nothing of it changes.
    async fn said(
        &mut self,
        order: &Order,
        before: Option<&Order>,
        standing: Option<&deals::Model>,
        pipeline: &Pipeline,
    ) -> Result<Option<Change>, Fault> {
        let (mut company_id, mut contact_id) = (None, None);
        for party in &order.parties {
            match self.party(party).await?.0 {
                Who::Company(id) => company_id = company_id.or(Some(id)),
                Who::Contact(id) => contact_id = contact_id.or(Some(id)),
                Who::Removed => {}
            }
        }
        let currency = order
            .currency
            .clone()
            .unwrap_or_else(|| pipeline.currency.clone());
        let amount = order
            .amount
            .as_deref()
            .map(|amount| judge::rounded(amount, &currency));
        let stage = judge::stage(self.options, pipeline, order, before);
        let mut said = Change::default();
        match standing {
            None => {
                said.title = Some(judge::title(self.options, order));
                said.pipeline_id = Some(pipeline.id.clone());
                said.operator_id = Some(self.options.operator_id.clone());
                said.amount = Some(amount);
                said.currency = Some(currency);
                said.company_id = Some(company_id);
                said.contact_id = Some(contact_id);
                said.stage_id = stage.map(|stage| stage.id.clone());
            }
            Some(row) => {
                // What was corrected here stays until 1C says something else.
                if before
                    .is_none_or(|before| before.amount != order.amount || before.currency != order.currency)
                {
                    said.amount = Some(amount);
                    said.currency = Some(currency);
                }
                said.company_id = company_id.filter(|_| row.company_id.is_none()).map(Some);
                said.contact_id = contact_id.filter(|_| row.contact_id.is_none()).map(Some);
                // Somebody took it into another pipeline: its stages are theirs.
                if row.pipeline_id == pipeline.id {
                    said.stage_id = stage
                        .map(|stage| stage.id.clone())
                        .filter(|id| *id != row.stage_id);
                }
            }
        }
        if said.stage_id.is_some() && stage.is_some_and(|stage| stage.kind == StageKind::Lost) {
            said.loss_reason = Some(Some(judge::loss_reason(self.options, order)));
        }
        let says_something = standing.is_none()
            || said.amount.is_some()
            || said.company_id.is_some()
            || said.contact_id.is_some()
            || said.stage_id.is_some();
        Ok(says_something.then_some(said))
    }
}

/// A digest of what something says.
pub(super) fn digest_of(said: &impl Serialize) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(said).unwrap_or_default()))
}
