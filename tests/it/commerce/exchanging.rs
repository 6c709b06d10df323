//! Orders come, are said again, change.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{OneC, all, company, file, order, person, stage};

both_databases! {
    async fn an_order_becomes_a_deal_with_its_customer_and_its_goods(app: TestApp) {
        let mut one = OneC::new(&app, json!({})).await;
        let customer = company("c-1", "Ромашка", "7701234567", "770101001",
            "<Контакты><Контакт><Тип>Почта</Тип><Значение>Info@Romashka.example</Значение></Контакт></Контакты>");
        let said = one.exchanges("orders.xml", &file(&order("42", "1 000,50", &customer, &[("Статус заказа", "Принят")]))).await;
        assert_eq!((said.status, said.text.as_str()), (200, "success\n"));

        let deals = all(&app, "/deals").await;
        assert_eq!(deals.len(), 1);
        let deal = &deals[0];
        assert_eq!((&deal["title"], &deal["amount"], &deal["currency"], &deal["state"]),
            (&json!("Заказ 42"), &json!("1000.50"), &json!("RUB"), &json!("open")));
        assert_eq!(deal["company_name"], "Ромашка");
        let company = app.get(&format!("/companies/{}", deal["company_id"].as_str().unwrap())).await;
        assert_eq!((&company["tax_number"], &company["emails"]), (&json!("7701234567/770101001"), &json!(["info@romashka.example"])));
        let orders = all(&app, &format!("/deals/{}/orders", deal["id"].as_str().unwrap())).await;
        assert_eq!((&orders[0]["number"], &orders[0]["status"], &orders[0]["goods"][0]["name"], &orders[0]["at"]),
            (&json!("42"), &json!("Принят"), &json!("Чайник"), &json!("2026-11-20T10:00:00")));
        let statuses = all(&app, &format!("/commerce-exchanges/{}/statuses", one.exchange["id"].as_str().unwrap())).await;
        assert_eq!(statuses, [json!({"status": "Принят", "orders": 1})]);
        let file = one.last_file().await;
        assert_eq!((&file["state"], &file["counts"]["created"], &file["counts"]["companies"]), (&json!("done"), &json!(1), &json!(1)));
        let exchange = app.get(&format!("/commerce-exchanges/{}", one.exchange["id"].as_str().unwrap())).await;
        assert!(exchange["seen_at"].is_string() && exchange["last_success_at"].is_string(), "{exchange}");
        assert!(!exchange.to_string().contains(&one.password));
        // Nothing of the file stays on the disk.
        assert!(crate::commerce::kept_files(&app).is_empty());
    }

    async fn what_is_said_again_makes_nothing_twice_and_what_changed_changes_its_deal(app: TestApp) {
        let mut one = OneC::new(&app, json!({})).await;
        let customer = person("p-1", "Петров", "+7 916 123-45-67");
        let first = file(&order("1", "100", &customer, &[]));
        one.exchanges("orders.xml", &first).await;
        one.exchanges("orders.xml", &first).await;
        let counts = one.last_file().await["counts"].clone();
        assert_eq!((&counts["unchanged"], &counts["created"], &counts["updated"]), (&json!(1), &json!(0), &json!(0)));
        let deal = all(&app, "/deals").await.pop().unwrap();

        let paid = [("Дата оплаты по 1С", "2026-11-21"), ("Дата отгрузки по 1С", "2026-11-22")];
        one.exchanges("orders.xml", &file(&order("1", "150", &customer, &paid))).await;
        let deals = all(&app, "/deals").await;
        assert_eq!(deals.len(), 1);
        assert_eq!((&deals[0]["id"], &deals[0]["amount"], &deals[0]["state"]), (&deal["id"], &json!("150.00"), &json!("won")));

        one.exchanges("orders.xml", &file(&order("1", "150", &customer, &[("Отменен", "true")]))).await;
        let deals = all(&app, "/deals").await;
        assert_eq!((&deals[0]["state"], &deals[0]["loss_reason"]), (&json!("lost"), &json!("Отменён в 1С")));
        assert_eq!(all(&app, "/contacts").await.len(), 1);
    }

    async fn what_people_did_with_a_deal_stays_until_1c_says_something_new_of_its_state(app: TestApp) {
        let (won, lost) = (stage(&app, "won").await, stage(&app, "lost").await);
        let options = json!({"stages": {"Отгружен": won}, "won": "never", "title": "{number} от {date}"});
        let mut one = OneC::new(&app, options).await;
        let customer = person("p-1", "Петров", "+7 916 123-45-67");
        one.exchanges("orders.xml", &file(&order("1", "100", &customer, &[("Статус заказа", "Принят")]))).await;
        let deal = all(&app, "/deals").await.pop().unwrap();
        assert_eq!(deal["title"], "1 от 20.11.2026");
        let path = format!("/deals/{}", deal["id"].as_str().unwrap());
        app.patch(&path, json!({"title": "Чайники", "amount": "90", "stage_id": lost, "loss_reason": "Передумали"})).await.expect(200);

        // Something else changed: what was done here stays.
        let comment = order("1", "100", &customer, &[("Статус заказа", "Принят"), ("Дата оплаты по 1С", "")]).replace("<Товары>", "<Комментарий>срочно</Комментарий><Товары>");
        one.exchanges("orders.xml", &file(&comment)).await;
        let now = app.get(&path).await;
        assert_eq!((&now["title"], &now["amount"], &now["state"]), (&json!("Чайники"), &json!("90.00"), &json!("lost")));

        one.exchanges("orders.xml", &file(&order("1", "100", &customer, &[("Статус заказа", "ОТГРУЖЕН")]))).await;
        let now = app.get(&path).await;
        assert_eq!((&now["title"], &now["amount"], &now["stage_id"]), (&json!("Чайники"), &json!("90.00"), &won));
        // One that was removed here is not made again.
        app.call("DELETE", &path, None).await.expect(204);
        one.exchanges("orders.xml", &file(&order("1", "120", &customer, &[]))).await;
        assert_eq!(all(&app, "/deals").await, Vec::<Value>::new());
        assert_eq!(one.last_file().await["counts"]["skipped"], 1);
    }

    async fn an_order_that_cannot_be_is_listed_and_does_not_stop_the_others(app: TestApp) {
        let mut one = OneC::new(&app, json!({})).await;
        let customer = person("p-1", "Петров", "+7 916 123-45-67");
        let mut orders: Vec<String> = (1..=250).map(|number| order(&number.to_string(), "100", &customer, &[])).collect();
        orders[10] = order("11", "сто", &customer, &[]);
        orders[120] = order("121", "-5", &customer, &[]);
        orders.push("<Документ><Ид>x</Ид><ХозОперация>Отпуск товара</ХозОперация></Документ>".to_owned());
        let said = one.exchanges("orders.xml", &file(&orders.concat())).await;
        assert_eq!(said.word(), "success", "{}", said.text);
        assert!(said.text.contains('2'), "{}", said.text);
        let sent = one.last_file().await;
        let counts = &sent["counts"];
        assert_eq!((&counts["orders"], &counts["created"], &counts["failed"], &counts["skipped"], &counts["contacts"]),
            (&json!(250), &json!(248), &json!(2), &json!(1), &json!(1)));
        let path = format!("/commerce-exchanges/{}/files/{}/faults", one.exchange["id"].as_str().unwrap(), sent["id"].as_str().unwrap());
        let faults = all(&app, &path).await;
        let told: Vec<(i64, &str, &str)> = faults.iter()
            .map(|fault| (fault["number"].as_i64().unwrap(), fault["known_as"].as_str().unwrap(), fault["reason"].as_str().unwrap()))
            .collect();
        assert_eq!(told, [(11, "11", "Сумма is no amount: сто"), (121, "121", "amount: cannot be less than nothing")]);
    }

    async fn an_archive_is_unpacked_and_what_is_broken_says_why(app: TestApp) {
        let mut one = OneC::signed_in(&app, json!({})).await;
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        archive.start_file("webdata/orders0_1.xml", zip::write::SimpleFileOptions::default()).unwrap();
        let text = file(&order("7", "70", &person("p-1", "Петров", "+7 916 123-45-67"), &[]));
        archive.write_all(&switchboard_exchange::text::windows_1251(&text)).unwrap();
        archive.start_file("picture.jpg", zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"none of ours").unwrap();
        let bytes = archive.finish().unwrap().into_inner();
        one.send("v8_1.zip", &bytes, 300).await;
        let said = one.import("orders0_1.xml").await;
        assert_eq!(said.text, "success\n");
        assert_eq!(all(&app, "/deals").await.len(), 1);
        assert_eq!(one.import("orders0_1.xml").await.text, "success\n", "asked again because our answer was lost");

        one.sign_in().await;
        let whole = file(&order("8", "80", "", &[]));
        one.send("cut.xml", &switchboard_exchange::text::windows_1251(&whole)[..400], 4_000).await;
        let said = one.import("cut.xml").await;
        assert_eq!((said.status, said.word()), (200, "failure"), "{}", said.text);
        one.send("page.xml", b"<html><body/></html>", 4_000).await;
        assert_eq!(one.import("page.xml").await.word(), "failure");
        one.send("bomb.xml", b"<!DOCTYPE a [<!ENTITY b \"c\">]><a/>", 4_000).await;
        assert_eq!(one.import("bomb.xml").await.word(), "failure");
        one.send("broken.zip", b"PK\x03\x04 and nothing else", 4_000).await;
        assert_eq!(one.import("broken.zip").await.word(), "failure");
        assert_eq!(one.import("never-sent.xml").await.word(), "failure");
        let exchange = app.get(&format!("/commerce-exchanges/{}", one.exchange["id"].as_str().unwrap())).await;
        assert!(exchange["last_error"].as_str().unwrap().starts_with("broken.zip: "), "{exchange}");
    }

    async fn a_file_whose_bytes_are_gone_says_so_and_holds_up_nobody(app: TestApp) {
        let one = OneC::signed_in(&app, json!({})).await;
        let text = switchboard_exchange::text::windows_1251(&file(&order("1", "100", "", &[])));
        one.send("orders.xml", &text, 300).await;
        for path in crate::commerce::kept_files(&app) {
            std::fs::remove_file(path).unwrap();
        }
        assert_eq!(one.import("orders.xml").await.word(), "failure");
        assert!(one.last_file().await["error"].as_str().unwrap().contains("begin the exchange again"));
        let mut other = OneC::new(&app, json!({})).await;
        assert_eq!(other.exchanges("orders.xml", &file(&order("2", "100", "", &[]))).await.text, "success\n");
    }

    async fn a_part_that_is_sent_again_counts_once_and_names_lose_their_folders(app: TestApp) {
        let one = OneC::signed_in(&app, json!({})).await;
        let text = switchboard_exchange::text::windows_1251(&file(&order("1", "100", "", &[])));
        let query = "type=sale&mode=file&filename=C:%5CTemp%5Corders.xml";
        for piece in [&text[..100], &text[..100], &text[100..], &text[100..]] {
            assert_eq!(one.ask("POST", query, piece.to_vec()).await.word(), "success");
        }
        assert_eq!(one.import("orders.xml").await.text, "success\n");
        assert_eq!(all(&app, "/deals").await.len(), 1);
        assert_eq!(one.ask("POST", "type=sale&mode=file&filename=..", vec![1]).await.word(), "failure");
        assert_eq!(one.ask("POST", "type=sale&mode=file&filename=big.xml", vec![b' '; (4 << 20) + 1]).await.status, 413);
    }
}

both_databases_by_the_clock! {
    async fn a_file_that_nobody_asks_for_is_taken_in_when_nothing_more_comes(app: TestApp, clock: Clock) {
        let one = OneC::signed_in(&app, json!({})).await;
        let text = switchboard_exchange::text::windows_1251(&file(&order("1", "100", "", &[])));
        one.send("orders.xml", &text[..200], 4_000).await;
        // Its rest comes late: what is here is no file yet.
        clock.advance(chrono::TimeDelta::seconds(61));
        app.app.commerce.ask();
        app.until("it was looked at", || async {
            let files = switchboard::commerce::store::work(app.app.db.read(), clock_now(&clock)).await.unwrap();
            files.is_empty().then_some(())
        }).await;
        one.send("orders.xml", &text[200..], 4_000).await;
        clock.advance(chrono::TimeDelta::seconds(61));
        app.app.commerce.ask();
        app.until("the order is here", || async {
            (!all(&app, "/deals").await.is_empty()).then_some(())
        }).await;
    }
}

fn clock_now(clock: &switchboard::clock::ManualClock) -> chrono::DateTime<chrono::Utc> {
    switchboard_sdk::Clock::now(clock)
}
