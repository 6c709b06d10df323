//! Whether a row fits what admins defined: operators, custom fields by their type, pipelines and stages. Pure.

mod cell;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};
use switchboard_exchange::{Field, Mapping, Record, Wrong, value::DateOrder};

use super::Kind;
use crate::{
    custom_field::{Definition, Object},
    deal::{
        money,
        pipeline::{Pipeline, Stage},
        reason,
        stages::StageKind,
    },
    tag,
};

/// Custom fields with their values in the form in which they are kept.
pub type Fields = Map<String, Value>;

/// Why a deal that a file calls lost is lost, when the file does not say.
const UNSAID: &str = "import";
/// How much of a cell is shown beside what is wrong with it, and how many of the allowed words.
const SHOWN: usize = 80;
const LISTED: usize = 12;

/// What rows are judged by.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What rows become.
    pub kind: Kind,
    /// How dates are read.
    pub date_order: DateOrder,
    /// The pipeline of deals that name none.
    pub pipeline_id: Option<String>,
    /// Operators by their e-mail, name and id, in lower case.
    pub operators: HashMap<String, String>,
    /// All of them, by id.
    pub users: BTreeSet<String>,
    /// Pipelines in their order.
    pub pipelines: Vec<Pipeline>,
    /// Custom fields by the word of their object.
    pub definitions: BTreeMap<&'static str, Vec<Definition>>,
    /// The columns by the field they fill, to name them.
    pub columns: BTreeMap<String, String>,
}

/// What a row says, in our terms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// The contact's responsible operator.
    pub contact_operator: Option<String>,
    /// The lead's.
    pub lead_operator: Option<String>,
    /// The deal's.
    pub deal_operator: Option<String>,
    /// Custom fields of each.
    pub contact_fields: Fields,
    /// Of the company.
    pub company_fields: Fields,
    /// Of the lead, its comment among them.
    pub lead_fields: Fields,
    /// Of the deal.
    pub deal_fields: Fields,
    /// Where the deal is and what it is worth.
    pub deal: Option<Placed>,
}

/// Where a deal is and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its pipeline.
    pub pipeline_id: String,
    /// Its stage.
    pub stage_id: String,
    /// What being there means.
    pub kind: StageKind,
    /// The row says so; else it is where deals begin.
    pub said: bool,
    /// In ten-thousandths.
    pub amount: Option<i64>,
    /// Its currency; the pipeline's when the row says none.
    pub currency: String,
    /// Why it is lost; none unless it is.
    pub loss_reason: Option<String>,
}

impl Rules {
    /// The columns of a mapping.
    pub fn columns_of(mapping: &Mapping) -> BTreeMap<String, String> {
        let pairs = mapping.0.iter().rev();
        pairs
            .map(|target| (target.field.to_string(), target.column.clone()))
            .collect()
    }

    /// Judges a row in which so much is wrong already.
    ///
    /// # Errors
    /// Everything that is wrong with it: such a row is not taken in at all.
    pub fn judge(&self, record: &Record, mut wrong: Vec<Wrong>) -> Result<Judged, Vec<Wrong>> {
        let mut judged = Judged {
            contact_operator: self.operator(
                &Field::ContactOperator,
                record.contact_operator.as_deref(),
                &mut wrong,
            ),
            ..Judged::default()
        };
        // What a row has no person or company of is asked of neither.
        if record.has_person() {
            judged.contact_fields = self.fields(Object::Contact, &record.contact_fields, &mut wrong);
        }
        if record.company.is_some() {
            judged.company_fields = self.fields(Object::Company, &record.company_fields, &mut wrong);
        }
        match self.kind {
            Kind::Contacts => {}
            Kind::Leads => {
                judged.lead_operator =
                    self.operator(&Field::LeadOperator, record.lead_operator.as_deref(), &mut wrong);
                let mut said = record.lead_fields.clone();
                if let Some(comment) = &record.comment {
                    // A field like others, as it is for forms.
                    said.insert("comment".to_owned(), comment.clone());
                }
                judged.lead_fields = self.fields(Object::Lead, &said, &mut wrong);
            }
            Kind::Deals => {
                let deal = &record.deal;
                judged.deal_operator =
                    self.operator(&Field::DealOperator, deal.operator.as_deref(), &mut wrong);
                judged.deal_fields = self.fields(Object::Deal, &deal.fields, &mut wrong);
                self.tags(&deal.tags, &mut wrong);
                judged.deal = self.placed(record, &mut wrong);
            }
        }
        if wrong.is_empty() { Ok(judged) } else { Err(wrong) }
    }

    fn wrong(&self, field: &Field, code: &str, reason: impl Into<String>, value: &str) -> Wrong {
        let field = field.to_string();
        Wrong {
            column: self.columns.get(&field).cloned(),
            field,
            code: code.to_owned(),
            reason: reason.into(),
            value: value.chars().take(SHOWN).collect(),
        }
    }

    fn operator(&self, field: &Field, word: Option<&str>, wrong: &mut Vec<Wrong>) -> Option<String> {
        let word = word?;
        let found = self.operators.get(&word.to_lowercase()).cloned();
        if found.is_none() {
            let reason = "there is no such operator; name them by their e-mail address";
            wrong.push(self.wrong(field, "unknown_operator", reason, word));
        }
        found
    }

    /// Custom fields by their type; those that nobody defined stay the texts they are. What must be filled may not be
    /// empty where the file has a column for it.
    fn fields(&self, object: Object, said: &BTreeMap<String, String>, wrong: &mut Vec<Wrong>) -> Fields {
        let definitions = self
            .definitions
            .get(object.as_str())
            .map_or(&[][..], Vec::as_slice);
        let is_defined = |key: &String| definitions.iter().any(|one| one.key == *key);
        let free = said.iter().filter(|(key, _)| !is_defined(key));
        let mut kept: Fields = free
            .map(|(key, text)| (key.clone(), text.clone().into()))
            .collect();
        for definition in definitions {
            let key = &definition.key;
            let text = said.get(key).map_or("", String::as_str);
            match cell::value(definition, text, self) {
                Ok(Some(value)) => drop(kept.insert(key.clone(), value)),
                Ok(None) if definition.required => {
                    let field = field_of(object, key);
                    if self.columns.contains_key(&field.to_string()) {
                        wrong.push(self.wrong(&field, "required", "is required", text));
                    }
                }
                Ok(None) => {}
                Err(reason) => {
                    let code = format!("not_{}", definition.kind.as_str());
                    wrong.push(self.wrong(&field_of(object, key), &code, reason, text));
                }
            }
        }
        kept
    }

    /// Custom fields of a deal that fit; those that do not are left out.
    pub fn fitting_of_deal(&self, said: &BTreeMap<String, String>) -> Fields {
        self.fields(Object::Deal, said, &mut Vec::new())
    }

    fn tags(&self, tags: &[String], wrong: &mut Vec<Wrong>) {
        if let Err(faults) = tag::normal(tags) {
            let reason = faults
                .into_iter()
                .next()
                .map_or_else(String::new, |(_, reason)| reason);
            wrong.push(self.wrong(&Field::DealTags, "bad_tags", reason, &tags.join(", ")));
        }
    }

    fn placed(&self, record: &Record, wrong: &mut Vec<Wrong>) -> Option<Placed> {
        let deal = &record.deal;
        let pipeline = self.pipeline(deal.pipeline.as_deref(), deal.stage.as_deref(), wrong)?;
        let stage = self.stage(pipeline, deal.stage.as_deref(), wrong)?;
        let currency = deal.currency.clone().unwrap_or_else(|| pipeline.currency.clone());
        let amount = deal
            .amount
            .as_ref()
            .and_then(|text| match money::parse(text, &currency) {
                Ok(amount) => Some(amount),
                Err(error) => {
                    wrong.push(self.wrong(&Field::DealAmount, "bad_amount", error.to_string(), text));
                    None
                }
            });
        let loss_reason = (stage.kind == StageKind::Lost).then(|| {
            let words = deal.loss_reason.as_deref().unwrap_or(UNSAID);
            words.chars().take(reason::LIMIT).collect()
        });
        Some(Placed {
            pipeline_id: pipeline.id.clone(),
            stage_id: stage.id.clone(),
            kind: stage.kind,
            said: deal.pipeline.is_some() || deal.stage.is_some(),
            amount,
            currency,
            loss_reason,
        })
    }

    /// The pipeline a row names; else that of the import, the first with a stage of the row's name, the first of all.
    fn pipeline(
        &self,
        named: Option<&str>,
        stage: Option<&str>,
        wrong: &mut Vec<Wrong>,
    ) -> Option<&Pipeline> {
        let found = match named {
            Some(word) => self
                .pipelines
                .iter()
                .find(|one| one.id == word || same(&one.name, word)),
            None => {
                let chosen = self
                    .pipelines
                    .iter()
                    .find(|one| Some(&one.id) == self.pipeline_id.as_ref());
                let of_stage = || {
                    let stage = stage?;
                    let has = |one: &&Pipeline| one.stages.iter().any(|one| is_called(one, stage));
                    self.pipelines.iter().find(has)
                };
                chosen.or_else(of_stage).or_else(|| self.pipelines.first())
            }
        };
        if found.is_none() {
            let names = listed(self.pipelines.iter().map(|one| one.name.as_str()));
            let reason = format!("there is no such pipeline; there are: {names}");
            let word = named.unwrap_or_default();
            wrong.push(self.wrong(&Field::DealPipeline, "unknown_pipeline", reason, word));
        }
        found
    }

    fn stage<'a>(
        &self,
        pipeline: &'a Pipeline,
        named: Option<&str>,
        wrong: &mut Vec<Wrong>,
    ) -> Option<&'a Stage> {
        let found = match named {
            Some(word) => {
                let called = pipeline.stages.iter().find(|stage| is_called(stage, word));
                let of_kind = || {
                    let kind = ended(word)?;
                    pipeline.stages.iter().find(|stage| stage.kind == kind)
                };
                called.or_else(of_kind)
            }
            None => pipeline.first_stage(),
        };
        if found.is_none() {
            let names = listed(pipeline.stages.iter().map(|stage| stage.name.as_str()));
            let reason = format!(
                "the pipeline {} has no such stage; there are: {names}",
                pipeline.name
            );
            let word = named.unwrap_or_default();
            wrong.push(self.wrong(&Field::DealStage, "unknown_stage", reason, word));
        }
        found
    }
}

fn field_of(object: Object, key: &str) -> Field {
    let key = key.to_owned();
    match object {
        Object::Contact => Field::Contact(key),
        Object::Company => Field::CompanyField(key),
        Object::Lead => Field::Lead(key),
        Object::Deal => Field::Deal(key),
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn is_called(stage: &Stage, word: &str) -> bool {
    stage.id == word || same(&stage.name, word)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.take(LISTED).collect::<Vec<_>>().join(", ")
}

/// Words by which other programs call deals that are over.
fn ended(word: &str) -> Option<StageKind> {
    let word = word.trim().to_lowercase();
    match word.as_str() {
        "won"
        | "closed won"
        | "closedwon"
        | "успешно реализовано"
        | "сделка успешна"
        | "выиграна"
        | "успешна"
        | "برنده"
        | "موفق" => Some(StageKind::Won),
        "lost"
        | "closed lost"
        | "closedlost"
        | "закрыто и не реализовано"
        | "сделка провалена"
        | "проиграна"
        | "провалена"
        | "باخته"
        | "ناموفق" => Some(StageKind::Lost),
        _ => None,
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
pub(super) mod tests;
