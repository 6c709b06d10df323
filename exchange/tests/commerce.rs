//! What 1C sends is read in every encoding it writes, and nothing it could send makes anything panic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

use proptest::prelude::*;
use switchboard_exchange::commerce::{Broken, Item, Items, Order, Party, Unfit};

const ORDERS: &str = include_str!("commerce/orders.xml");
const PARTIES: &str = include_str!("commerce/contragents.xml");

fn all(bytes: &[u8]) -> Result<Vec<Item>, Broken> {
    let mut items = Items::new(bytes, Some("RU"))?;
    let mut read = Vec::new();
    while let Some(item) = items.read()? {
        read.push(item);
    }
    Ok(read)
}

fn orders(text: &str) -> Vec<Order> {
    let of = |item| match item {
        Item::Order(order) => Some(*order),
        _ => None,
    };
    all(text.as_bytes()).unwrap().into_iter().filter_map(of).collect()
}

fn parties(text: &str) -> Vec<Party> {
    let of = |item| match item {
        Item::Party(party) => Some(*party),
        _ => None,
    };
    all(text.as_bytes()).unwrap().into_iter().filter_map(of).collect()
}

fn wrapped(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><КоммерческаяИнформация ВерсияСхемы=\"2.08\">{inside}</КоммерческаяИнформация>"
    )
}

#[test]
fn an_order_is_read_with_its_customer_its_goods_and_what_became_of_it() {
    let orders = orders(ORDERS);
    assert_eq!(orders.len(), 2);
    let first = &orders[0];
    assert_eq!(first.id, "8d3f6f0e-1c2b-4a55-9d0f-2f6c1b1f0a01");
    assert_eq!(first.number.as_deref(), Some("УТ-000042"));
    assert_eq!(first.at.unwrap().to_string(), "2026-05-12 14:30:05");
    assert_eq!(first.amount.as_deref(), Some("23000.5"));
    assert_eq!(first.currency.as_deref(), Some("RUB"));
    assert_eq!(first.status.as_deref(), Some("Принят, ожидается оплата"));
    assert!(!first.cancelled);
    assert_eq!(first.paid_on.unwrap().to_string(), "2026-05-13");
    assert_eq!(first.shipped_on, None);
    assert_eq!(first.comment.as_deref(), Some("Позвонить до 18:00 & не раньше"));
    assert_eq!(first.positions, 2);
    assert_eq!(first.goods[0].name, "Чайник \"Восток\"");
    assert_eq!(first.goods[0].quantity.as_deref(), Some("3"));
    assert_eq!(first.goods[0].unit.as_deref(), Some("шт"));
    assert_eq!(first.goods[0].price.as_deref(), Some("7000"));
    let customer = &first.parties[0];
    assert_eq!(customer.name, "ООО \"Ромашка\"");
    assert!(customer.is_company);
    assert_eq!(customer.registration().as_deref(), Some("7701234567/770101001"));
    assert_eq!(customer.emails, ["info@romashka.example"]);
    assert_eq!(customer.phones, ["+74951234567"]);
    assert_eq!(customer.people[0].name, "Иванова Анна");
    assert_eq!(customer.people[0].phones, ["+79161234567"]);

    let second = &orders[1];
    assert!(second.cancelled);
    assert!(!second.parties[0].is_company);
    assert_eq!(second.parties[0].name, "Петров Пётр");
}

#[test]
fn the_same_file_is_read_from_windows_1251_and_from_utf_16() {
    let declared = ORDERS.replace("UTF-8", "windows-1251");
    let (windows, _, lost) = encoding_rs::WINDOWS_1251.encode(&declared);
    assert!(!lost);
    let utf16: Vec<u8> = format!("\u{feff}{}", ORDERS.replace("UTF-8", "UTF-16"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let marked = format!("\u{feff}{ORDERS}");
    let expected = all(ORDERS.as_bytes()).unwrap();
    for bytes in [windows.into_owned(), utf16, marked.into_bytes()] {
        assert_eq!(all(&bytes).unwrap(), expected);
    }
}

#[test]
fn counterparties_are_companies_entrepreneurs_and_people() {
    let parties = parties(PARTIES);
    let told: Vec<(&str, bool, bool)> = parties
        .iter()
        .map(|party| (party.name.as_str(), party.is_company, party.deleted))
        .collect();
    assert_eq!(
        told,
        [
            ("Василёк", true, false),
            ("ИП Сидоров С. С.", true, false),
            ("Сидорова Мария Ивановна", false, false),
            ("Старый покупатель", false, true),
        ]
    );
    assert_eq!(parties[0].website.as_deref(), Some("https://vasilek.example"));
    assert_eq!(
        parties[0].address.as_deref(),
        Some("101000, Москва, ул. Мясницкая, д. 1")
    );
    assert_eq!(parties[2].phones, ["+79167654321"]);
    assert_eq!(parties[2].emails, ["maria@example.com"]);
}

#[test]
fn documents_that_are_no_orders_are_told_apart() {
    let text = wrapped(
        "<Документ><Ид>1</Ид><ХозОперация>Выплата безналичных денег</ХозОперация></Документ>\
         <Контейнер><Документ><Ид>2</Ид><ХозОперация>Заказ товара</ХозОперация></Документ></Контейнер>",
    );
    let items = all(text.as_bytes()).unwrap();
    assert!(matches!(items.as_slice(), [Item::Other, Item::Order(order)] if order.id == "2"));
}

#[test]
fn one_that_cannot_be_taken_does_not_stop_the_next() {
    let order =
        |inside: &str| format!("<Документ><ХозОперация>Заказ товара</ХозОперация>{inside}</Документ>");
    let text = wrapped(
        &[
            order("<Номер>7</Номер><Сумма>много</Сумма>"),
            order("<Номер>8</Номер><Валюта>тугрики</Валюта>"),
            order(""),
            order("<Номер>9</Номер>"),
        ]
        .concat(),
    );
    let items = all(text.as_bytes()).unwrap();
    let unfit = |known_as: &str, why| Item::Unfit {
        known_as: known_as.to_owned(),
        why,
    };
    let amount = Unfit::Amount {
        element: "Сумма",
        value: "много".to_owned(),
    };
    assert_eq!(items[0], unfit("7", amount));
    assert_eq!(items[1], unfit("8", Unfit::Currency("тугрики".to_owned())));
    assert_eq!(items[2], unfit("", Unfit::NoId));
    assert!(matches!(&items[3], Item::Order(order) if order.id == "9"));
}

#[test]
fn a_document_type_and_entities_of_ones_own_are_refused() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><КоммерческаяИнформация/>";
    assert!(matches!(all(bomb.as_bytes()), Err(Broken::DocumentType)));
    let entity = wrapped("<Контрагент><Ид>&b;</Ид></Контрагент>");
    assert!(matches!(all(entity.as_bytes()), Err(Broken::NoXml(_))));
}

#[test]
fn what_is_no_commerceml_says_what_it_is() {
    assert!(matches!(all(b"<html><body/></html>"), Err(Broken::Foreign(name)) if name == "html"));
    assert!(matches!(
        all(b"<?xml version=\"1.0\" encoding=\"klingon\"?><a/>"),
        Err(Broken::Encoding(name)) if name == "klingon"
    ));
    assert!(matches!(all(b""), Err(Broken::CutOff)));
}

#[test]
fn elements_deeper_than_any_document_are_refused() {
    let deep = wrapped(&format!(
        "{}{}",
        "<Документ>".repeat(200),
        "</Документ>".repeat(200)
    ));
    assert!(matches!(all(deep.as_bytes()), Err(Broken::TooLarge)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    /// A file whose end did not arrive is never taken for a whole one.
    #[test]
    fn a_file_that_is_cut_off_anywhere_says_so(at in 0_usize..5_000) {
        let bytes = ORDERS.trim_end().as_bytes();
        let at = at % bytes.len();
        prop_assert!(all(&bytes[..at]).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(all(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        drop(all(wrapped(&text).as_bytes()));
        drop(all(wrapped(&format!("<Документ><Номер>1</Номер>{text}</Документ>")).as_bytes()));
    }

    #[test]
    fn what_was_written_is_read_again(number in "[А-Яа-я0-9-]{1,20}", name in "[А-Яа-я0-9 \"&<>]{1,40}", sum in 0_u32..1_000_000_000) {
        let name = name.trim();
        prop_assume!(!name.is_empty());
        let escaped = quick_xml::escape::escape(name);
        let text = wrapped(&format!(
            "<Документ><Номер>{number}</Номер><ХозОперация>Заказ товара</ХозОперация><Сумма>{},{:02}</Сумма>\
             <Товары><Товар><Наименование>{escaped}</Наименование></Товар></Товары></Документ>",
            sum / 100, sum % 100,
        ));
        let orders = orders(&text);
        prop_assert_eq!(orders[0].number.as_deref(), Some(number.as_str()));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(words(&orders[0].goods[0].name), words(name));
        let amount: f64 = orders[0].amount.as_deref().unwrap().parse().unwrap();
        prop_assert!((amount * 100.0 - f64::from(sum)).abs() < 0.5);
    }
}
