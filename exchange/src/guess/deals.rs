//! Which field is a column of a file of deals: there `Stage`, `Owner` and `Title` are the deal's.

use super::{field, plain, strip_number, tidy};
use crate::field::Field;

/// What nobody writes but over a column of deals.
const SURE: [(Field, &[&str]); 11] = [
    (
        Field::DealTitle,
        &[
            "deal",
            "deal name",
            "deal title",
            "opportunity",
            "opportunity name",
            "сделка",
            "название сделки",
            "имя сделки",
            "معامله",
            "عنوان معامله",
            "نام معامله",
        ],
    ),
    (
        Field::DealAmount,
        &[
            "deal amount",
            "deal value",
            "сумма сделки",
            "бюджет сделки",
            "مبلغ معامله",
            "ارزش معامله",
        ],
    ),
    (
        Field::DealCurrency,
        &["deal currency", "валюта сделки", "ارز معامله"],
    ),
    (
        Field::DealPipeline,
        &[
            "pipeline",
            "deal pipeline",
            "sales pipeline",
            "funnel",
            "воронка",
            "воронка продаж",
            "قیف",
            "قیف فروش",
            "کاریز",
        ],
    ),
    (
        Field::DealStage,
        &[
            "deal stage",
            "opportunity stage",
            "этап сделки",
            "стадия сделки",
            "статус сделки",
            "مرحله معامله",
        ],
    ),
    (
        Field::DealClosedAt,
        &[
            "deal close date",
            "deal closed",
            "дата закрытия сделки",
            "تاریخ بستن معامله",
        ],
    ),
    (
        Field::DealOperator,
        &[
            "deal owner",
            "opportunity owner",
            "ответственный за сделку",
            "مسئول معامله",
        ],
    ),
    (Field::DealTags, &["deal tags", "теги сделки", "برچسب معامله"]),
    (
        Field::DealLossReason,
        &[
            "loss reason",
            "lost reason",
            "closed lost reason",
            "причина отказа",
            "причина проигрыша",
            "причина провала",
            "دلیل باخت",
            "دلیل شکست",
        ],
    ),
    (
        Field::DealNumber,
        &[
            "deal id",
            "deal number",
            "opportunity id",
            "ид сделки",
            "id сделки",
            "номер сделки",
            "شناسه معامله",
            "شماره معامله",
        ],
    ),
    (
        Field::DealCreatedAt,
        &["deal created", "дата создания сделки", "تاریخ ایجاد معامله"],
    ),
];

/// What is the deal's where the file is of deals.
const LIKELY: [(Field, &[&str]); 6] = [
    (
        Field::DealAmount,
        &[
            "amount",
            "value",
            "sum",
            "total",
            "price",
            "budget",
            "revenue",
            "сумма",
            "бюджет",
            "стоимость",
            "цена",
            "مبلغ",
            "ارزش",
            "قیمت",
            "بودجه",
        ],
    ),
    (Field::DealCurrency, &["currency", "валюта", "ارز", "واحد پول"]),
    (
        Field::DealStage,
        &["stage", "status", "этап", "стадия", "статус", "مرحله", "وضعیت"],
    ),
    (
        Field::DealClosedAt,
        &[
            "close date",
            "closed date",
            "closed at",
            "closed on",
            "expected close date",
            "closing date",
            "дата закрытия",
            "дата завершения",
            "предполагаемая дата закрытия",
            "تاریخ بستن",
            "تاریخ بسته شدن",
            "تاریخ پایان",
        ],
    ),
    (
        Field::DealTags,
        &[
            "tag",
            "tags",
            "label",
            "labels",
            "тег",
            "теги",
            "метки",
            "برچسب",
            "برچسب ها",
        ],
    ),
    (
        Field::DealNumber,
        &[
            "id",
            "record id",
            "number",
            "external id",
            "ид",
            "внешний код",
            "внешний ид",
            "شناسه",
            "شماره",
        ],
    ),
];

fn of(table: &[(Field, &[&str])], plain: &str) -> Option<Field> {
    let known = table.iter().find(|(_, names)| names.contains(&plain));
    known.map(|(field, _)| field.clone())
}

fn sure(name: &str) -> Option<Field> {
    let written = Field::parse(name.trim()).filter(Field::is_of_deal);
    written.or_else(|| of(&SURE, &plain(strip_number(name))))
}

/// Whether these are the columns of a file of deals.
pub fn is_deals(columns: &[String]) -> bool {
    columns.iter().any(|name| sure(name).is_some())
}

/// Fields for the columns of a file of deals.
pub fn fields(columns: &[String]) -> Vec<Option<Field>> {
    let certain: Vec<Option<Field>> = columns.iter().map(|name| sure(name)).collect();
    let guess = |name: &String| {
        let name = strip_number(name);
        let likely = of(&LIKELY, &plain(name)).or_else(|| field(name).map(of_deal))?;
        // What is surely another column is not this one as well.
        (!certain.contains(&Some(likely.clone()))).then_some(likely)
    };
    let guessed = columns.iter().zip(&certain);
    tidy(
        guessed
            .map(|(name, certain)| certain.clone().or_else(|| guess(name)))
            .collect(),
    )
}

/// What is the lead's elsewhere.
fn of_deal(field: Field) -> Field {
    match field {
        Field::Title => Field::DealTitle,
        Field::Status => Field::DealStage,
        Field::LeadOperator => Field::DealOperator,
        Field::CreatedAt => Field::DealCreatedAt,
        Field::Source => Field::Deal("source".to_owned()),
        Field::Comment => Field::Deal("comment".to_owned()),
        Field::Mark(mark) => Field::Deal(mark.to_owned()),
        Field::Lead(key) => Field::Deal(key),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{LIKELY, SURE, fields, is_deals};
    use crate::{field::Field, guess::plain};

    fn guessed(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert!(is_deals(&names), "{names:?}");
        let field = |field: Option<Field>| field.map_or_else(String::new, |field| field.to_string());
        fields(&names).into_iter().map(field).collect()
    }

    #[test]
    fn the_files_of_the_usual_programs_are_read() {
        assert_eq!(
            guessed(&[
                "Deal Name",
                "Amount",
                "Deal Stage",
                "Pipeline",
                "Close Date",
                "Deal owner",
                "Email",
                "Company Name",
                "Record ID"
            ]),
            [
                "deal.title",
                "deal.amount",
                "deal.stage",
                "deal.pipeline",
                "deal.closed_at",
                "deal.operator",
                "contact.email",
                "company.name",
                "deal.external_id"
            ]
        );
        assert_eq!(
            guessed(&[
                "ID",
                "Название сделки",
                "Бюджет",
                "Валюта",
                "Этап сделки",
                "Ответственный",
                "Дата создания",
                "Теги",
                "Контакт",
                "Рабочий телефон",
                "Название",
                "Примечание"
            ]),
            [
                "deal.external_id",
                "deal.title",
                "deal.amount",
                "deal.currency",
                "deal.stage",
                "deal.operator",
                "deal.created_at",
                "deal.tags",
                "contact.name",
                "contact.phone",
                "",
                "deal.fields.comment"
            ]
        );
        assert_eq!(
            guessed(&[
                "عنوان معامله",
                "مبلغ",
                "ارز",
                "مرحله",
                "قیف فروش",
                "تاريخ بستن",
                "موبایل",
                "مسئول"
            ]),
            [
                "deal.title",
                "deal.amount",
                "deal.currency",
                "deal.stage",
                "deal.pipeline",
                "deal.closed_at",
                "contact.phone",
                "deal.operator"
            ]
        );
    }

    #[test]
    fn a_file_of_leads_is_none_of_deals() {
        for names in [
            &["Name", "Phone", "Status", "Budget"][..],
            &["ФИО", "Бюджет", "Стадия"],
        ] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert!(!is_deals(&names), "{names:?}");
        }
    }

    #[test]
    fn each_name_stands_for_one_field_in_its_plain_form() {
        let mut seen = std::collections::BTreeSet::new();
        for name in SURE.iter().chain(&LIKELY).flat_map(|(_, names)| names.iter()) {
            assert_eq!(plain(name), *name);
            assert!(seen.insert(*name), "{name}");
        }
    }
}
