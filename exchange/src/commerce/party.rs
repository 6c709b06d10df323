//! A counterparty: `Контрагент`, a company or a person.

use serde::{Deserialize, Serialize};

use super::{Unfit, value, xml::Node};
use crate::value as cell;

/// Addresses of a kind that are kept.
const ADDRESSES: usize = 10;
/// People of a company that are kept.
const PEOPLE: usize = 20;

/// A company or a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Party {
    /// `Ид`: what 1C knows it by; none of a customer whom only an order names.
    pub id: Option<String>,
    /// What it is called.
    pub name: String,
    /// Whether it is a company.
    pub is_company: bool,
    /// `ИНН`.
    pub tax_number: Option<String>,
    /// `КПП`: which branch of it.
    pub branch: Option<String>,
    /// E-mail addresses in their normal form.
    pub emails: Vec<String>,
    /// Phones in E.164.
    pub phones: Vec<String>,
    /// Where it is on the web.
    pub website: Option<String>,
    /// Where it is, on one line.
    pub address: Option<String>,
    /// Marked to be deleted there.
    pub deleted: bool,
    /// Who speaks for the company.
    pub people: Vec<Party>,
}

impl Party {
    /// The number the state knows a company by, with its branch.
    pub fn registration(&self) -> Option<String> {
        let number = self.tax_number.as_ref()?;
        Some(match &self.branch {
            Some(branch) => format!("{number}/{branch}"),
            None => number.clone(),
        })
    }

    pub(super) fn read(node: &Node, region: Option<&str>) -> Result<Self, Unfit> {
        let mut party = Self::bare(node, region)?;
        if party.is_company {
            let speakers = node
                .listed("Представители", "Представитель")
                .map(|one| one.child("Контрагент").unwrap_or(one));
            // One that is not called anything speaks for nobody.
            party.people = speakers
                .filter_map(|one| Self::bare(one, region).ok())
                .filter(|one| !one.emails.is_empty() || !one.phones.is_empty())
                .map(|one| Self {
                    is_company: false,
                    ..one
                })
                .take(PEOPLE)
                .collect();
        }
        Ok(party)
    }

    fn bare(node: &Node, region: Option<&str>) -> Result<Self, Unfit> {
        let text = |name: &str| node.text_of(name).map(|text| limited(&text, 200));
        let digits = |name: &str| {
            let digits: String = node.text_of(name)?.chars().filter(char::is_ascii_digit).collect();
            (!digits.is_empty() && digits.len() <= 20).then_some(digits)
        };
        let (tax_number, branch) = (digits("ИНН"), digits("КПП"));
        let own = [text("Фамилия"), text("Имя"), text("Отчество")];
        let has_own = own.iter().any(Option::is_some);
        let person = own.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let is_company = is_company(node, has_own, tax_number.as_deref(), branch.as_deref());
        let called = text("Наименование")
            .or_else(|| text("ПолноеНаименование"))
            .or_else(|| text("ОфициальноеНаименование"));
        let name = match called {
            Some(name) if is_company || person.is_empty() => name,
            Some(name) if name.chars().count() > person.chars().count() => name,
            _ if !person.is_empty() => person,
            Some(name) => name,
            None => return Err(Unfit::NoName),
        };
        let mut party = Self {
            id: node.text_of("Ид").map(|id| limited(&id, 300)),
            name,
            is_company,
            tax_number,
            branch,
            address: ["ЮридическийАдрес", "АдресРегистрации", "Адрес"]
                .iter()
                .find_map(|name| address(node.child(name)?)),
            deleted: ["ПометкаУдаления", "Удален"]
                .iter()
                .any(|name| node.text_of(name).is_some_and(|text| value::is_yes(&text)))
                || node
                    .text_of("Статус")
                    .is_some_and(|text| text.to_lowercase().starts_with("удал")),
            ..Self::default()
        };
        for contact in node.listed("Контакты", "Контакт") {
            let kind = contact
                .text_of("Тип")
                .or_else(|| contact.text_of("КонтактВид"))
                .unwrap_or_default();
            if let Some(value) = contact.text_of("Значение") {
                party.add(&kind, &value, region);
            }
        }
        for (element, kind) in [
            ("Телефон", "телефон"),
            ("ЭлектроннаяПочта", "почта"),
            ("email", "почта"),
        ] {
            if let Some(value) = node.text_of(element) {
                party.add(kind, &value, region);
            }
        }
        party.emails.truncate(ADDRESSES);
        party.phones.truncate(ADDRESSES);
        Ok(party)
    }

    /// Puts an address where it belongs. Kinds are written in many ways ("Почта", "E-Mail", "Телефон рабочий"); what is
    /// of none is judged by itself, and what cannot be used is left out: it stays in 1C.
    fn add(&mut self, kind: &str, text: &str, region: Option<&str>) {
        let kind = kind.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| kind.contains(word));
        let put = |list: &mut Vec<String>, values: Vec<String>| {
            for value in values {
                if !list.contains(&value) {
                    list.push(value);
                }
            }
        };
        if text.contains('@') && !says(&["сайт", "web"]) {
            put(&mut self.emails, cell::emails(text).unwrap_or_default());
        } else if says(&["сайт", "веб", "web", "url"]) {
            self.website.get_or_insert_with(|| limited(text, 200));
        } else if says(&["тел", "моб", "phone", "факс"]) || kind.is_empty() {
            put(&mut self.phones, cell::phones(text, region).unwrap_or_default());
        }
    }
}

/// What is registered, has a branch or a number of ten digits is a company; so is an entrepreneur ("ИП", whose number has
/// twelve). What has a first or a last name is a person.
fn is_company(node: &Node, has_own: bool, tax_number: Option<&str>, branch: Option<&str>) -> bool {
    let entrepreneur = node
        .text_of("Наименование")
        .is_some_and(|name| name.to_lowercase().starts_with("ип "));
    let registered =
        node.child("ОфициальноеНаименование").is_some() || node.child("ЮридическийАдрес").is_some();
    let said = node
        .text_of("ЮрФизЛицо")
        .or_else(|| node.text_of("ЮридическоеФизическоеЛицо"));
    match said.map(|said| said.to_lowercase()) {
        Some(said) if said.contains("физ") => false,
        Some(said) if said.contains("юр") || said.contains("предприним") => true,
        _ => {
            branch.is_some()
                || entrepreneur
                || registered
                || (!has_own && tax_number.is_some_and(|number| number.len() == 10))
        }
    }
}

/// An address as it is shown: whole, or its fields one after the other.
fn address(node: &Node) -> Option<String> {
    let whole = node.text_of("Представление");
    let text = whole.unwrap_or_else(|| {
        let fields = node
            .all("АдресноеПоле")
            .filter_map(|field| field.text_of("Значение"));
        fields.collect::<Vec<_>>().join(", ")
    });
    (!text.is_empty()).then(|| limited(&text, 500))
}

fn limited(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}
