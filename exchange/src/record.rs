//! A row as what it tells of a person, their company and their interest.

mod deal;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
pub use deal::Deal;
use serde::{Deserialize, Serialize};

use crate::{
    field::Field,
    guess,
    layout::Row,
    value::{self, DateOrder, Fault},
};

/// Longest name, title or word.
const MAX_LINE: usize = 300;
/// Longest comment or custom field.
const MAX_TEXT: usize = 10_000;
/// How much of a cell is shown beside what is wrong with it.
const SHOWN: usize = 80;

/// Which column fills which field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping(pub Vec<Target>);

/// One column and its field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The column, by its name.
    pub column: String,
    /// What it fills.
    pub field: Field,
}

impl Mapping {
    /// What the names of the columns suggest.
    pub fn guess(columns: &[String]) -> Self {
        Self::of(columns, guess::fields(columns))
    }

    /// What the names of the columns suggest where rows become deals.
    pub fn guess_deals(columns: &[String]) -> Self {
        Self::of(columns, guess::deal_fields(columns))
    }

    fn of(columns: &[String], fields: Vec<Option<Field>>) -> Self {
        let targets = columns.iter().zip(fields).filter_map(|(column, field)| {
            Some(Target {
                column: column.clone(),
                field: field?,
            })
        });
        Self(targets.collect())
    }

    /// The mapping with places in place of names. A column is found by its name in any case.
    ///
    /// # Errors
    /// The names of columns that are not there.
    pub fn resolve(&self, columns: &[String]) -> Result<Places, Vec<String>> {
        let mut places = Vec::new();
        let mut missing = Vec::new();
        for target in &self.0 {
            let wanted = target.column.trim().to_lowercase();
            match columns.iter().position(|column| column.to_lowercase() == wanted) {
                Some(place) => places.push((place, target.field.clone())),
                None => missing.push(target.column.clone()),
            }
        }
        if missing.is_empty() {
            Ok(Places {
                places,
                columns: columns.to_vec(),
            })
        } else {
            Err(missing)
        }
    }
}

/// A mapping of one file's columns.
#[derive(Debug, Clone, Default)]
pub struct Places {
    places: Vec<(usize, Field)>,
    columns: Vec<String>,
}

impl Places {
    /// Whether anything is mapped that is about the lead.
    pub fn has_lead(&self) -> bool {
        self.places.iter().any(|(_, field)| field.is_of_lead())
    }

    /// Whether anything is mapped by which a deal can be called.
    pub fn has_deal(&self) -> bool {
        let named = |field: &Field| matches!(field, Field::DealTitle | Field::Company);
        self.has_person() || self.places.iter().any(|(_, field)| named(field))
    }

    /// Whether anything is mapped by which a person can be told.
    pub fn has_person(&self) -> bool {
        let of_person = |field: &Field| {
            matches!(
                field,
                Field::Name
                    | Field::FirstName
                    | Field::LastName
                    | Field::Email
                    | Field::Phone
                    | Field::ExternalId
            )
        };
        self.places.iter().any(|(_, field)| of_person(field))
    }
}

/// How cells are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// The country of telephone numbers without a country code, as `RU`.
    pub region: Option<String>,
    /// How `03/04/2026` is read.
    pub date_order: DateOrder,
    /// Rows are of deals, which need not name a person.
    pub deals: bool,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// The field.
    pub field: String,
    /// The column.
    pub column: Option<String>,
    /// A stable word for the reason.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// The beginning of what stands there.
    pub value: String,
}

impl Wrong {
    /// Something is wrong with what stands in a column.
    pub fn new(field: &Field, column: Option<&str>, fault: Fault, value: &str) -> Self {
        Self {
            field: field.to_string(),
            column: column.map(str::to_owned),
            code: fault.code().to_owned(),
            reason: fault.to_string(),
            value: value.chars().take(SHOWN).collect(),
        }
    }
}

/// What a row tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The line of the file.
    pub number: u64,
    /// The person's name.
    pub name: Option<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Telephone numbers in E.164.
    pub phones: Vec<String>,
    /// Their number in another system.
    pub external_id: Option<String>,
    /// Their language.
    pub language: Option<String>,
    /// Their responsible operator, by e-mail or name.
    pub contact_operator: Option<String>,
    /// Custom fields.
    pub contact_fields: BTreeMap<String, String>,
    /// Their company.
    pub company: Option<String>,
    /// Its custom fields.
    pub company_fields: BTreeMap<String, String>,
    /// What the lead is about.
    pub title: Option<String>,
    /// `new`, `in_progress`, `converted` or `junk`.
    pub status: Option<&'static str>,
    /// Where it came from.
    pub source: Option<String>,
    /// What was said.
    pub comment: Option<String>,
    /// Its responsible operator.
    pub lead_operator: Option<String>,
    /// When it came.
    pub created_at: Option<DateTime<Utc>>,
    /// Marks of where it came from.
    pub marks: BTreeMap<String, String>,
    /// Custom fields.
    pub lead_fields: BTreeMap<String, String>,
    /// The deal.
    pub deal: Deal,
}

impl Record {
    /// Reads a row.
    ///
    /// # Errors
    /// Everything that is wrong with it: such a row is not taken in at all.
    pub fn read(row: &Row, places: &Places, reading: &Reading) -> Result<Self, Vec<Wrong>> {
        let (record, wrong) = Self::parse(row, places, reading);
        if wrong.is_empty() { Ok(record) } else { Err(wrong) }
    }

    /// Reads a row: what could be read, and everything that is wrong with the rest.
    pub fn parse(row: &Row, places: &Places, reading: &Reading) -> (Self, Vec<Wrong>) {
        let mut record = Self {
            number: row.number,
            ..Self::default()
        };
        let mut wrong = Vec::new();
        let mut names = [const { String::new() }; 3];
        for (place, field) in &places.places {
            let cell = row.cells.get(*place).map_or("", |cell| cell.trim());
            if cell.is_empty() {
                continue;
            }
            if let Err(fault) = record.set(field, cell, reading, &mut names) {
                let column = places.columns.get(*place).map(String::as_str);
                wrong.push(Wrong::new(field, column, fault, cell));
            }
        }
        if record.name.is_none() {
            let parts: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|part| !part.is_empty())
                .collect();
            record.name = (!parts.is_empty()).then(|| parts.join(" "));
        }
        let nobody = !record.has_person();
        if nobody && wrong.is_empty() && !reading.deals {
            wrong.push(Wrong::new(&Field::Name, None, Fault::Nobody, ""));
        }
        let untitled = nobody && record.company.is_none() && record.deal.title.is_none();
        if untitled && wrong.is_empty() && reading.deals {
            wrong.push(Wrong::new(&Field::DealTitle, None, Fault::Untitled, ""));
        }
        (record, wrong)
    }

    /// Whether the row tells who somebody is.
    pub fn has_person(&self) -> bool {
        self.name.is_some()
            || !self.emails.is_empty()
            || !self.phones.is_empty()
            || self.external_id.is_some()
    }

    fn set(
        &mut self,
        field: &Field,
        cell: &str,
        reading: &Reading,
        names: &mut [String; 3],
    ) -> Result<(), Fault> {
        match field {
            Field::Name => self.name = Some(line(cell)?),
            Field::FirstName => names[0] = line(cell)?,
            Field::MiddleName => names[1] = line(cell)?,
            Field::LastName => names[2] = line(cell)?,
            Field::Email => add(&mut self.emails, value::emails(cell)?),
            Field::Phone => add(&mut self.phones, value::phones(cell, reading.region.as_deref())?),
            Field::ExternalId => self.external_id = Some(line(cell)?),
            Field::Language => self.language = Some(language(cell)?),
            Field::ContactOperator => self.contact_operator = Some(line(cell)?),
            Field::Contact(key) => put(&mut self.contact_fields, key, cell)?,
            Field::Company => self.company = Some(line(cell)?),
            Field::CompanyField(key) => put(&mut self.company_fields, key, cell)?,
            Field::Title => self.title = Some(line(cell)?),
            Field::Status => self.status = Some(status(cell)?),
            Field::Source => self.source = Some(line(cell)?),
            Field::Comment => self.comment = Some(text(cell)?),
            Field::LeadOperator => self.lead_operator = Some(line(cell)?),
            Field::CreatedAt => self.created_at = Some(value::moment(cell, reading.date_order)?),
            Field::Mark(mark) => {
                self.marks.insert((*mark).to_owned(), line(cell)?);
            }
            Field::Lead(key) => put(&mut self.lead_fields, key, cell)?,
            of_deal => self.deal.set(of_deal, cell, reading)?,
        }
        Ok(())
    }
}

fn add(all: &mut Vec<String>, more: Vec<String>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

fn put(fields: &mut BTreeMap<String, String>, key: &str, cell: &str) -> Result<(), Fault> {
    fields.insert(key.to_owned(), text(cell)?);
    Ok(())
}

fn line(cell: &str) -> Result<String, Fault> {
    let line = value::line(cell);
    if line.chars().count() > MAX_LINE {
        return Err(Fault::TooLong);
    }
    Ok(line)
}

fn text(cell: &str) -> Result<String, Fault> {
    if cell.chars().count() > MAX_TEXT {
        return Err(Fault::TooLong);
    }
    let kept = |char: &char| !char.is_control() || matches!(char, '\n' | '\t');
    Ok(cell.replace("\r\n", "\n").chars().filter(kept).collect())
}

/// A tag of BCP 47, or the name of a usual language.
fn language(cell: &str) -> Result<String, Fault> {
    let word = cell.trim().to_lowercase();
    let named = match word.as_str() {
        "russian" | "русский" => "ru",
        "english" | "английский" => "en",
        "german" | "немецкий" | "deutsch" => "de",
        "uzbek" | "узбекский" => "uz",
        "kazakh" | "казахский" => "kk",
        other => other,
    };
    let tag = named.replace('_', "-");
    let plain = (2..=35).contains(&tag.len())
        && tag
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '-');
    let primary = tag.split('-').next().unwrap_or_default();
    if plain && (2..=3).contains(&primary.len()) && primary.chars().all(|char| char.is_ascii_alphabetic()) {
        Ok(tag)
    } else {
        Err(Fault::BadWord)
    }
}

fn status(cell: &str) -> Result<&'static str, Fault> {
    let word = value::line(cell).to_lowercase().replace(['_', '-'], " ");
    match word.as_str() {
        "new" | "open" | "новый" | "новая" | "не обработан" | "необработанный" | "в очереди" => {
            Ok("new")
        }
        "in progress" | "in process" | "working" | "contacted" | "в работе" | "обрабатывается" => {
            Ok("in_progress")
        }
        "converted"
        | "qualified"
        | "won"
        | "конвертирован"
        | "качественный лид"
        | "качественный"
        | "успех" => Ok("converted"),
        "junk"
        | "spam"
        | "unqualified"
        | "lost"
        | "disqualified"
        | "некачественный"
        | "некачественный лид"
        | "спам"
        | "брак" => Ok("junk"),
        _ => Err(Fault::BadWord),
    }
}

#[cfg(test)]
mod tests {
    use super::{Mapping, Reading, Record};
    use crate::layout::Row;

    fn read(columns: &[&str], cells: &[&str]) -> Result<Record, Vec<super::Wrong>> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let places = Mapping::guess(&columns).resolve(&columns).unwrap();
        let row = Row {
            number: 7,
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
        };
        let reading = Reading {
            region: Some("RU".into()),
            ..Reading::default()
        };
        Record::read(&row, &places, &reading)
    }

    #[test]
    fn a_row_is_a_person_with_an_interest() {
        let record = read(
            &[
                "Имя",
                "Фамилия",
                "Телефон",
                "Телефон 2",
                "E-mail",
                "Компания",
                "Статус",
                "Дата создания",
                "lead.fields.Бюджет",
                "utm_source",
            ],
            &[
                "Анна",
                "Белова",
                "8 900 123-45-67",
                "+79001234567",
                "A@B.example",
                "ООО «Ромашка»",
                "В работе",
                "05.01.2026",
                "10 000",
                "yandex",
            ],
        )
        .unwrap();
        assert_eq!(record.name.as_deref(), Some("Анна Белова"));
        assert_eq!(record.phones, ["+79001234567"]);
        assert_eq!(record.emails, ["a@b.example"]);
        assert_eq!(
            (record.status, record.company.as_deref()),
            (Some("in_progress"), Some("ООО «Ромашка»"))
        );
        assert_eq!(record.lead_fields["Бюджет"], "10 000");
        assert_eq!(record.marks["utm_source"], "yandex");
        assert!(record.created_at.is_some());
    }

    #[test]
    fn everything_that_is_wrong_with_a_row_is_told_at_once() {
        let wrong = read(&["Name", "Phone", "Email"], &["Anna", "7,90E+10", "anna"]).unwrap_err();
        let told: Vec<(&str, &str)> = wrong
            .iter()
            .map(|one| (one.field.as_str(), one.code.as_str()))
            .collect();
        assert_eq!(
            told,
            [("contact.phone", "ruined_number"), ("contact.email", "bad_email")]
        );
        assert_eq!(wrong[0].column.as_deref(), Some("Phone"));
        let nobody = read(&["Name", "Notes"], &["", "hello"]).unwrap_err();
        assert_eq!(nobody[0].code, "nobody");
    }

    #[test]
    fn a_mapping_names_the_columns_that_are_missing() {
        let columns = vec!["Mail".to_owned()];
        let mapping = Mapping::guess(&["E-mail".to_owned()]);
        assert_eq!(mapping.resolve(&columns).unwrap_err(), ["E-mail"]);
    }
}
