//! The documents of 1C: orders and counterparties in CommerceML 2 and 3.
//!
//! A file is read item by item, however long it is; what an item says is [`Order`] or [`Party`]. The names of elements
//! are those of the format (<https://v8.1c.ru/tekhnologii/obmen-dannymi-i-integratsiya/standarty-i-formaty/standarty-commerceml/>),
//! what senders make of them is in <https://dev.1c-bitrix.ru/api_help/sale/xml/>. Files come from strangers: a document
//! type, and with it every entity but those of XML itself, is refused; depth and size are bounded.

mod decode;
mod order;
mod party;
pub mod value;
mod xml;

use std::io::Read;

pub use order::{Good, Order};
pub use party::Party;

use self::xml::{Elements, Node};

/// One thing a file tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An order of a customer.
    Order(Box<Order>),
    /// A counterparty outside of any order.
    Party(Box<Party>),
    /// A document that is no order: a payment, a shipment.
    Other,
    /// One that cannot be taken.
    Unfit {
        /// What a person finds it by in 1C; never a name of somebody.
        known_as: String,
        /// Why.
        why: Unfit,
    },
}

/// Why a file cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It declares a document type.
    #[error("a document type declaration is not taken")]
    DocumentType,
    /// It ends before its elements do.
    #[error("the file is cut off")]
    CutOff,
    /// It is no XML.
    #[error("this is no XML: {0}")]
    NoXml(String),
    /// It names an encoding that nobody knows.
    #[error("the encoding {0} is not known")]
    Encoding(String),
    /// It is deeper or larger than any document needs.
    #[error("an element is larger than anything 1C writes")]
    TooLarge,
    /// Its root is another one.
    #[error("this is no CommerceML: its outermost element is {0}")]
    Foreign(String),
    /// The bytes could not be had.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Why one item cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing says which one it is.
    #[error("it has no Ид")]
    NoId,
    /// A counterparty that is not called anything.
    #[error("it has no Наименование")]
    NoName,
    /// A number that is none.
    #[error("{element} is no amount: {value}")]
    Amount {
        /// The element.
        element: &'static str,
        /// What stands there.
        value: String,
    },
    /// A currency that nobody knows.
    #[error("the currency {0} is not known")]
    Currency(String),
}

/// The items of a file, in their order.
#[derive(Debug)]
pub struct Items<R: Read> {
    elements: Elements<R>,
    region: Option<String>,
}

impl<R: Read> Items<R> {
    /// Reads from the beginning of a file. `region` is the country of telephone numbers without a country code, as `RU`.
    ///
    /// # Errors
    /// [`Broken::Encoding`] and [`Broken::Io`].
    pub fn new(bytes: R, region: Option<&str>) -> Result<Self, Broken> {
        Ok(Self {
            elements: Elements::new(decode::Utf8::new(bytes)?),
            region: region.map(str::to_owned),
        })
    }

    /// The next item; `None` at the end of the file.
    ///
    /// # Errors
    /// [`Broken`] ends the file: nothing after it can be had.
    pub fn read(&mut self) -> Result<Option<Item>, Broken> {
        let Some(node) = self.elements.next(&["Документ", "Контрагент"])? else {
            return Ok(None);
        };
        let region = self.region.as_deref();
        let (number, item) = match node.name.as_str() {
            "Документ" if !order::is_order(&node) => return Ok(Some(Item::Other)),
            "Документ" => (
                "Номер",
                Order::read(&node, region).map(|order| Item::Order(Box::new(order))),
            ),
            _ => (
                "Ид",
                Party::read(&node, region).map(|party| Item::Party(Box::new(party))),
            ),
        };
        Ok(Some(item.unwrap_or_else(|why| Item::Unfit {
            known_as: known_as(&node, number),
            why,
        })))
    }
}

fn known_as(node: &Node, element: &str) -> String {
    let text = node.text_of(element).or_else(|| node.text_of("Ид"));
    text.unwrap_or_default().chars().take(100).collect()
}
