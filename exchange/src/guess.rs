//! Which field is a column, by its name. English, Russian and Persian, as the usual programs write it.

mod deals;
mod persian;

pub use deals::{fields as deal_fields, is_deals};

use crate::field::Field;

/// The names each field goes by: lower case, without punctuation, `ё` as `е`.
const NAMES: [(Field, &[&str]); 16] = [
    (
        Field::Name,
        &[
            "name",
            "full name",
            "fullname",
            "contact",
            "contact name",
            "customer",
            "customer name",
            "client",
            "client name",
            "person",
            "display name",
            "имя",
            "фио",
            "фамилия имя",
            "фамилия имя отчество",
            "имя фамилия",
            "полное имя",
            "контакт",
            "имя контакта",
            "клиент",
            "имя клиента",
            "контактное лицо",
            "наименование контакта",
            "заказчик",
            "покупатель",
            "кто",
        ],
    ),
    (
        Field::FirstName,
        &[
            "first name",
            "firstname",
            "given name",
            "forename",
            "first",
            "имя только",
        ],
    ),
    (
        Field::MiddleName,
        &[
            "middle name",
            "middlename",
            "additional name",
            "second name",
            "отчество",
        ],
    ),
    (
        Field::LastName,
        &[
            "last name",
            "lastname",
            "surname",
            "family name",
            "last",
            "фамилия",
        ],
    ),
    (
        Field::Email,
        &[
            "email",
            "e mail",
            "emails",
            "mail",
            "email address",
            "e mail address",
            "e mail 1 value",
            "work email",
            "work e mail",
            "private e mail",
            "home email",
            "contact email",
            "почта",
            "эл почта",
            "электронная почта",
            "емейл",
            "имейл",
            "емайл",
            "адрес электронной почты",
            "рабочий e mail",
            "рабочий email",
            "частный e mail",
            "e mail рабочий",
            "email рабочий",
            "mail рабочий",
            "личный email",
        ],
    ),
    (
        Field::Phone,
        &[
            "phone",
            "phones",
            "telephone",
            "tel",
            "mobile",
            "mobile phone",
            "cell",
            "cell phone",
            "phone number",
            "work phone",
            "home phone",
            "phone 1 value",
            "contact phone",
            "business phone",
            "телефон",
            "телефоны",
            "тел",
            "мобильный",
            "мобильный телефон",
            "сотовый",
            "номер",
            "номер телефона",
            "рабочий телефон",
            "домашний телефон",
            "контактный телефон",
            "телефон мобильный",
            "телефон рабочий",
            "моб телефон",
            "тел моб",
            "whatsapp",
        ],
    ),
    (
        Field::ExternalId,
        &[
            "external id",
            "externalid",
            "customer id",
            "client id",
            "contact id",
            "uid",
            "guid",
            "ид",
            "внешний код",
            "внешний ид",
            "код клиента",
            "ид клиента",
        ],
    ),
    (Field::Language, &["language", "locale", "lang", "язык"]),
    (
        Field::ContactOperator,
        &["contact owner", "ответственный за контакт"],
    ),
    (
        Field::Company,
        &[
            "company",
            "company name",
            "organization",
            "organisation",
            "organization name",
            "account",
            "account name",
            "business",
            "employer",
            "компания",
            "название компании",
            "организация",
            "фирма",
            "контрагент",
            "юрлицо",
            "предприятие",
            "место работы",
        ],
    ),
    (
        Field::Title,
        &[
            "title",
            "lead",
            "lead name",
            "lead title",
            "subject",
            "topic",
            "deal name",
            "название",
            "название лида",
            "лид",
            "тема",
            "название сделки",
            "сделка",
            "заголовок",
        ],
    ),
    (
        Field::Status,
        &[
            "status",
            "lead status",
            "stage",
            "lead stage",
            "статус",
            "статус лида",
            "стадия",
        ],
    ),
    (
        Field::Source,
        &[
            "source",
            "lead source",
            "original source",
            "источник",
            "источник лида",
            "канал",
            "откуда",
            "рекламный источник",
        ],
    ),
    (
        Field::Comment,
        &[
            "comment",
            "comments",
            "note",
            "notes",
            "message",
            "description",
            "text",
            "remark",
            "комментарий",
            "комментарии",
            "примечание",
            "примечания",
            "сообщение",
            "описание",
            "заметка",
            "заметки",
            "текст",
            "вопрос",
        ],
    ),
    (
        Field::LeadOperator,
        &[
            "owner",
            "lead owner",
            "responsible",
            "assigned to",
            "operator",
            "manager",
            "ответственный",
            "менеджер",
            "оператор",
            "кто ведет",
        ],
    ),
    (
        Field::CreatedAt,
        &[
            "created",
            "created at",
            "create date",
            "created date",
            "created on",
            "creation date",
            "date",
            "date created",
            "date added",
            "дата",
            "дата создания",
            "создан",
            "создано",
            "дата добавления",
            "дата обращения",
            "дата заявки",
        ],
    ),
];

/// Names of columns for custom fields that most address books have.
const CUSTOM: [(&str, &[&str]); 5] = [
    (
        "position",
        &["position", "job title", "role", "post", "должность"],
    ),
    ("website", &["website", "web", "url", "site", "сайт", "веб сайт"]),
    (
        "address",
        &["address", "postal address", "street address", "адрес"],
    ),
    ("city", &["city", "town", "город"]),
    (
        "birthday",
        &[
            "birthday",
            "date of birth",
            "birth date",
            "день рождения",
            "дата рождения",
        ],
    ),
];

/// The field of a column's name, or none.
pub fn field(name: &str) -> Option<Field> {
    if let Some(field) = Field::parse(name.trim()) {
        return Some(field);
    }
    let plain = plain(name);
    let mark = plain.replace(' ', "_");
    if let Some(field) = Field::parse(&format!("lead.{mark}")).filter(|field| matches!(field, Field::Mark(_)))
    {
        return Some(field);
    }
    let known = NAMES
        .iter()
        .chain(&persian::NAMES)
        .find(|(_, names)| names.contains(&plain.as_str()));
    if let Some((field, _)) = known {
        return Some(field.clone());
    }
    let custom = CUSTOM
        .iter()
        .chain(&persian::CUSTOM)
        .find(|(_, names)| names.contains(&plain.as_str()));
    custom.map(|(key, _)| Field::Contact((*key).to_owned()))
}

/// Fields for columns. `Имя` beside `Фамилия` is the first name; a second column of one name (`Phone (2)`, `Телефон 2`)
/// is of the field of the first.
pub fn fields(columns: &[String]) -> Vec<Option<Field>> {
    tidy(columns.iter().map(|name| field(strip_number(name))).collect())
}

fn tidy(mut fields: Vec<Option<Field>>) -> Vec<Option<Field>> {
    let divided = fields.contains(&Some(Field::LastName)) && !fields.contains(&Some(Field::FirstName));
    if divided && let Some(name) = fields.iter_mut().find(|field| **field == Some(Field::Name)) {
        *name = Some(Field::FirstName);
    }
    // Only addresses and numbers may stand in several columns.
    let mut seen = std::collections::BTreeSet::new();
    for field in &mut fields {
        let Some(known) = field.clone() else { continue };
        if !matches!(known, Field::Email | Field::Phone) && !seen.insert(known) {
            *field = None;
        }
    }
    fields
}

fn strip_number(name: &str) -> &str {
    let name = name.trim();
    let bare = name
        .trim_end_matches(')')
        .trim_end_matches(|char: char| char.is_ascii_digit());
    if bare.len() == name.len() || bare.is_empty() {
        name
    } else {
        bare.trim_end_matches(['(', ' ', '_', '-', '№', '#'])
    }
}

/// A name without what writings differ in: in lower case, without punctuation.
pub fn plain(name: &str) -> String {
    let spaced: String = name
        .to_lowercase()
        .chars()
        .map(|char| match char {
            'ё' => 'е',
            // Arabic keyboards write these two of Persian otherwise.
            'ي' => 'ی',
            'ك' => 'ک',
            other => other,
        })
        .map(|char| if char.is_alphanumeric() { char } else { ' ' })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{NAMES, field, fields, plain};
    use crate::field::Field;

    #[test]
    fn names_are_recognised_in_each_language_and_any_writing() {
        let table = [
            ("E-mail", Some(Field::Email)),
            ("E_MAIL", Some(Field::Email)),
            ("Эл. почта", Some(Field::Email)),
            ("Номер телефона", Some(Field::Phone)),
            ("ФИО", Some(Field::Name)),
            ("Кто ведёт", Some(Field::LeadOperator)),
            ("UTM Source", Some(Field::Mark("utm_source"))),
            ("lead.fields.budget", Some(Field::Lead("budget".into()))),
            ("Должность", Some(Field::Contact("position".into()))),
            ("نام و نام خانوادگی", Some(Field::Name)),
            ("شماره\u{200c}موبایل", Some(Field::Phone)),
            ("پست الكترونيكي", Some(Field::Email)),
            ("Colour", None),
        ];
        for (name, expected) in table {
            assert_eq!(field(name), expected, "{name}");
        }
    }

    #[test]
    fn columns_are_seen_together() {
        let guessed =
            |names: &[&str]| fields(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            guessed(&[
                "Имя",
                "Фамилия",
                "Телефон",
                "Телефон (2)",
                "Phone 3",
                "Статус",
                "Stage"
            ]),
            [
                Some(Field::FirstName),
                Some(Field::LastName),
                Some(Field::Phone),
                Some(Field::Phone),
                Some(Field::Phone),
                Some(Field::Status),
                None
            ]
        );
    }

    #[test]
    fn each_name_stands_for_one_field_in_its_plain_form() {
        let mut seen = std::collections::BTreeSet::new();
        for name in NAMES
            .iter()
            .chain(&super::persian::NAMES)
            .flat_map(|(_, names)| names.iter())
        {
            assert_eq!(plain(name), *name);
            assert!(seen.insert(*name), "{name}");
        }
    }
}
