//! An order: `Документ` whose `ХозОперация` is "Заказ товара".

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use super::{Party, Unfit, value, xml::Node};

/// Goods of an order that are kept; one with more says how many it has.
const GOODS: usize = 200;
/// Characters of a text that is kept.
const TEXT: usize = 2_000;

/// An order of a customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// `Ид`: what 1C knows it by; the number when it has none.
    pub id: String,
    /// `Номер`, or what 1C numbered it itself ("Номер по 1С").
    pub number: Option<String>,
    /// `Дата` and `Время`, in the sender's zone.
    pub at: Option<NaiveDateTime>,
    /// `Сумма`, as a decimal text.
    pub amount: Option<String>,
    /// `Валюта` (ISO 4217).
    pub currency: Option<String>,
    /// What its status is called there.
    pub status: Option<String>,
    /// Called off, there or by a mark to delete it.
    pub cancelled: bool,
    /// When it was paid.
    pub paid_on: Option<NaiveDate>,
    /// When it was sent.
    pub shipped_on: Option<NaiveDate>,
    /// What the customer wished.
    pub comment: Option<String>,
    /// What was ordered, the first of it.
    pub goods: Vec<Good>,
    /// How many positions it has.
    pub positions: usize,
    /// Who ordered.
    pub parties: Vec<Party>,
}

/// One position of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Good {
    /// What it is.
    pub name: String,
    /// The seller's number of it.
    pub article: Option<String>,
    /// How much of it.
    pub quantity: Option<String>,
    /// Of what.
    pub unit: Option<String>,
    /// What one costs.
    pub price: Option<String>,
    /// What all of it costs.
    pub amount: Option<String>,
}

/// Whether a document is an order. Of those that do not say what they are, one that lists goods.
pub(super) fn is_order(node: &Node) -> bool {
    match node.text_of("ХозОперация") {
        Some(what) => what.to_lowercase().starts_with("заказ"),
        None => node.child("Товары").is_some(),
    }
}

impl Order {
    pub(super) fn read(node: &Node, region: Option<&str>) -> Result<Self, Unfit> {
        let facts = Facts::of(node);
        let number = node.text_of("Номер").or_else(|| facts.text(&["номер по 1с"]));
        let id = node.text_of("Ид").or_else(|| number.clone()).ok_or(Unfit::NoId)?;
        let currency = match node.text_of("Валюта") {
            Some(text) => Some(value::currency(&text).ok_or(Unfit::Currency(short(&text, 20)))?),
            None => None,
        };
        // An order whose customer is not called anything is an order all the same.
        let parties = node
            .listed("Контрагенты", "Контрагент")
            .filter_map(|party| Party::read(party, region).ok())
            .collect();
        let goods: Vec<&Node> = node.listed("Товары", "Товар").collect();
        let deleted = node
            .text_of("ПометкаУдаления")
            .is_some_and(|text| value::is_yes(&text));
        Ok(Self {
            id: short(&id, 300),
            number: number.map(|number| short(&number, 100)),
            at: node
                .text_of("Дата")
                .and_then(|date| value::moment(&date, node.text_of("Время").as_deref())),
            amount: sum(node, "Сумма")?,
            currency,
            status: facts.text(&["статус заказа", "статуса заказа", "статус"]),
            cancelled: deleted
                || facts.yes(&[
                    "отменен",
                    "отменён",
                    "заказ отменен",
                    "пометкаудаления",
                    "пометка удаления",
                ]),
            paid_on: facts.day(&["дата оплаты по 1с", "дата оплаты"]),
            shipped_on: facts.day(&["дата отгрузки по 1с", "дата отгрузки"]),
            comment: node.text_of("Комментарий").map(|text| short(&text, TEXT)),
            positions: goods.len(),
            goods: goods.into_iter().take(GOODS).map(good).collect(),
            parties,
        })
    }
}

fn good(node: &Node) -> Good {
    let text = |name: &str| node.text_of(name).map(|text| short(&text, 300));
    let number = |name: &str| node.text_of(name).and_then(|text| value::amount(&text));
    Good {
        name: text("Наименование").unwrap_or_default(),
        article: text("Артикул"),
        quantity: number("Количество"),
        // CommerceML 3 has the unit in an element of its own.
        unit: node
            .child("Единица")
            .and_then(|unit| unit.text_of("НаименованиеКраткое"))
            .or_else(|| text("Единица"))
            .or_else(|| text("БазоваяЕдиница"))
            .map(|unit| short(&unit, 40)),
        price: number("ЦенаЗаЕдиницу").or_else(|| number("Цена")),
        amount: number("Сумма"),
    }
}

fn sum(node: &Node, element: &'static str) -> Result<Option<String>, Unfit> {
    let Some(text) = node.text_of(element) else {
        return Ok(None);
    };
    match value::amount(&text) {
        Some(amount) => Ok(Some(amount)),
        None => Err(Unfit::Amount {
            element,
            value: short(&text, 40),
        }),
    }
}

fn short(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// `ЗначенияРеквизитов`: facts by names that differ in case and blanks only.
struct Facts(Vec<(String, String)>);

impl Facts {
    fn of(node: &Node) -> Self {
        let fact = |fact: &Node| {
            Some((
                fact.text_of("Наименование")?.to_lowercase(),
                fact.text_of("Значение")?,
            ))
        };
        Self(
            node.listed("ЗначенияРеквизитов", "ЗначениеРеквизита")
                .filter_map(fact)
                .collect(),
        )
    }

    fn find(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| self.0.iter().find(|(known, _)| known == name);
        names.iter().find_map(of).map(|(_, value)| value.as_str())
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.find(names).map(|text| short(text, 200))
    }

    fn yes(&self, names: &[&str]) -> bool {
        self.find(names).is_some_and(value::is_yes)
    }

    fn day(&self, names: &[&str]) -> Option<NaiveDate> {
        self.find(names).and_then(value::day)
    }
}
