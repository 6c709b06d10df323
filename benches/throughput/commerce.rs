//! Twenty thousand orders of 1C: taken in once, then said again without a change.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use switchboard::{
    clock::{Clock, SystemClock},
    commerce::{self, Bell, Counts, New, Options, State, Tools, receive, run, store},
    db::Db,
    storage::Storage,
};
use switchboard_sdk::CancellationToken;

const ORDERS: usize = 20_000;
const CUSTOMERS: usize = 5_000;
const PART: usize = 1 << 20;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::connect(&format!("sqlite://{}/bench.db", folder.path().display()))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    let tools = Tools {
        db,
        storage: Storage::open(&format!("file://{}/files", folder.path().display())).unwrap(),
        clock: Arc::new(SystemClock),
        node: "bench".to_owned(),
        bell: Bell::default(),
    };
    let mut write = tools.db.write().await.unwrap();
    let new = New {
        name: None,
        options: Options::default(),
    };
    let (exchange, _) = commerce::create(&mut write, new, None, SystemClock.now())
        .await
        .unwrap();
    write.commit().await.unwrap();
    let file = file();
    for (name, created) in [("orders.xml", ORDERS as u64), ("again.xml", 0)] {
        let begun = Instant::now();
        for part in file.as_bytes().chunks(PART) {
            let part = Bytes::copy_from_slice(part);
            receive::part(&tools, &exchange.id, "bench", name, part)
                .await
                .unwrap();
        }
        let received = begun.elapsed();
        let sent = receive::whole(&tools, &exchange.id, "bench", name).await.unwrap();
        let begun = Instant::now();
        let ended = async {
            loop {
                let moved = tools.bell.until_moved();
                let row = store::file(tools.db.read(), &sent.id).await.unwrap().unwrap();
                if row.state == State::Done.as_str() {
                    return Counts::read(&row.counts);
                }
                moved.await;
            }
        };
        let counts = tokio::select! {
            counts = ended => counts,
            () = run::run(tools.clone(), CancellationToken::new()) => return,
        };
        let took = begun.elapsed();
        assert_eq!(
            (counts.orders, counts.created, counts.failed),
            (ORDERS as u64, created, 0)
        );
        println!(
            "commerce: {ORDERS} orders of {CUSTOMERS} customers ({} MB), {created} of them new: received in {received:.2?}, \
             taken in in {took:.2?}, {:.0} a second",
            file.len() >> 20,
            ORDERS as f64 / took.as_secs_f64(),
        );
    }
}

fn file() -> String {
    let mut file = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><КоммерческаяИнформация ВерсияСхемы=\"2.08\">",
    );
    for order in 1..=ORDERS {
        let customer = order % CUSTOMERS;
        let who = if customer.is_multiple_of(2) {
            format!(
                "<Контрагент><Ид>c-{customer}</Ид><Наименование>Фирма {customer}</Наименование><ИНН>77{customer:08}</ИНН>\
                 <КПП>770101001</КПП></Контрагент>"
            )
        } else {
            format!(
                "<Контрагент><Ид>p-{customer}</Ид><Наименование>Покупатель {customer}</Наименование><Фамилия>Покупатель</Фамилия>\
                 <Контакты><Контакт><Тип>Телефон</Тип><Значение>+7916{customer:07}</Значение></Контакт></Контакты></Контрагент>"
            )
        };
        file.push_str(&format!(
            "<Документ><Ид>o-{order}</Ид><Номер>{order}</Номер><Дата>2026-11-20</Дата><ХозОперация>Заказ товара</ХозОперация>\
             <Валюта>RUB</Валюта><Сумма>{order},50</Сумма><Контрагенты>{who}</Контрагенты><Товары><Товар><Ид>1</Ид>\
             <Наименование>Чайник «Восток» эмалированный</Наименование><Количество>1</Количество><Сумма>{order},50</Сумма>\
             </Товар></Товары></Документ>"
        ));
    }
    file.push_str("</КоммерческаяИнформация>");
    file
}
