//! Counterparties are found again, filled, joined to who is known, and never made for being deleted.

use serde_json::json;

use super::{OneC, all, company, file, order, person};
use crate::people::by_hand;

fn parties(inside: &str) -> String {
    file(&format!("<Контрагенты>{inside}</Контрагенты>"))
}

both_databases! {
    async fn counterparties_join_who_is_known_by_number_address_and_name(app: TestApp) {
        let known = app.post("/companies", json!({"name": "Orion", "tax_number": "7701234567"})).await.expect(201);
        let mailed = app.post("/companies", json!({"name": "Vega", "emails": ["info@vega.example"]})).await.expect(201);
        let named = app.post("/companies", json!({"name": "Lyra"})).await.expect(201);
        let other = app.post("/companies", json!({"name": "Sirius", "tax_number": "111"})).await.expect(201);
        let anna = by_hand(&app, json!({"name": "Anna", "phones": ["+79161234567"]})).await;
        let mail = "<Контакты><Контакт><Тип>Почта</Тип><Значение>info@vega.example</Значение></Контакт></Контакты>";
        let text = parties(&[
            company("c-1", "ООО Орион", "7701234567", "770101001", ""),
            company("c-2", "Вега", "7702", "", mail),
            company("c-3", "LYRA", "7703", "", ""),
            company("c-4", "Sirius", "7704", "", ""),
            person("p-1", "Анна Иванова", "8 (916) 123-45-67"),
        ].concat());
        let mut one = OneC::new(&app, json!({})).await;
        one.exchanges("contragents.xml", &text).await;
        for (company, number) in [(known, "7701234567"), (mailed, "7702"), (named, "7703"), (other, "111")] {
            let path = format!("/companies/{}", company["id"].as_str().unwrap());
            assert_eq!(app.get(&path).await["tax_number"], number);
        }
        let companies = all(&app, "/companies").await;
        let names: Vec<&str> = companies.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Lyra", "Orion", "Sirius", "Sirius (7704)", "Vega"]);
        let contacts = all(&app, "/contacts").await;
        assert_eq!((contacts.len(), &contacts[0]["id"], &contacts[0]["name"]), (1, &json!(anna), &json!("Anna")));
        let counts = one.last_file().await["counts"].clone();
        assert_eq!((&counts["parties"], &counts["companies"], &counts["contacts"]), (&json!(5), &json!(1), &json!(0)));
    }

    async fn branches_of_one_company_stay_apart_and_its_people_work_there(app: TestApp) {
        let speaker = "<Представители><Представитель><Контрагент><Ид>p-9</Ид><Наименование>Иванова Анна</Наименование><Контакты><Контакт>\
            <Тип>Телефон</Тип><Значение>+79161112233</Значение></Контакт></Контакты></Контрагент></Представитель></Представители>";
        let text = parties(&[
            company("c-1", "Ромашка", "7701234567", "770101001", speaker),
            company("c-2", "Ромашка", "7701234567", "780101001", ""),
        ].concat());
        let mut one = OneC::new(&app, json!({})).await;
        one.exchanges("contragents.xml", &text).await;
        let companies = all(&app, "/companies").await;
        let names: Vec<&str> = companies.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Ромашка", "Ромашка (7701234567/780101001)"]);
        let contacts = all(&app, "/contacts").await;
        assert_eq!((&contacts[0]["name"], &contacts[0]["company_id"], &contacts[0]["phones"]),
            (&json!("Иванова Анна"), &companies[0]["id"], &json!(["+79161112233"])));
        one.exchanges("contragents.xml", &text).await;
        assert_eq!(one.last_file().await["counts"]["unchanged"], 2);
        assert_eq!((all(&app, "/companies").await.len(), all(&app, "/contacts").await.len()), (2, 1));
    }

    async fn a_mark_to_delete_is_a_tag_and_who_was_removed_here_is_not_made_again(app: TestApp) {
        let mut one = OneC::new(&app, json!({})).await;
        let anna = person("p-1", "Анна", "+79161234567");
        let deleted = anna.replace("</Контрагент>", "<ПометкаУдаления>true</ПометкаУдаления></Контрагент>");
        one.exchanges("contragents.xml", &parties(&deleted)).await;
        assert_eq!(all(&app, "/contacts").await.len(), 0);
        one.exchanges("contragents.xml", &parties(&anna)).await;
        one.exchanges("contragents.xml", &parties(&deleted)).await;
        let contact = all(&app, "/contacts").await.pop().unwrap();
        assert_eq!(contact["tags"], json!(["удалён в 1с"]));
        one.exchanges("contragents.xml", &parties(&anna)).await;
        assert_eq!(all(&app, "/contacts").await[0]["tags"], json!([]));

        // Erased here: what 1C says of them makes nobody.
        let order = order("1", "100", &anna, &[]);
        one.exchanges("orders.xml", &file(&order)).await;
        let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
        let erasure = app.call("DELETE", &path, None).await.expect(202);
        let path = format!("/erasures/{}", erasure["id"].as_str().unwrap());
        app.until("the erasure is done", || async {
            (app.get(&path).await["state"] == "done").then_some(())
        }).await;
        let deal = all(&app, "/deals").await.pop().unwrap();
        let orders = all(&app, &format!("/deals/{}/orders", deal["id"].as_str().unwrap())).await;
        assert_eq!(orders.len(), 0, "what was ordered went with who ordered it");
        one.exchanges("contragents.xml", &parties(&anna.replace("Анна", "Аня"))).await;
        assert_eq!((all(&app, "/contacts").await.len(), &one.last_file().await["counts"]["skipped"]), (0, &json!(1)));
    }

    async fn a_file_that_still_comes_does_not_keep_who_is_erased(app: TestApp) {
        let one = OneC::signed_in(&app, json!({})).await;
        let mail = "<Контакты><Контакт><Тип>Почта</Тип><Значение>anna.secret@client.example</Значение></Контакт></Контакты>";
        let text = parties(&company("c-1", "Ромашка", "7701", "", mail));
        let bytes = switchboard_exchange::text::windows_1251(&text);
        let middle = bytes.windows(11).position(|bytes| bytes == b"anna.secret").unwrap() + 5;
        // The address stands in two parts.
        one.send("contragents.xml", &bytes[..middle], 4_000).await;
        one.send("contragents.xml", &bytes[middle..], 4_000).await;
        let contact = by_hand(&app, json!({"name": "Anna", "emails": ["anna.secret@client.example"]})).await;
        let erasure = app.call("DELETE", &format!("/contacts/{contact}"), None).await.expect(202);
        let path = format!("/erasures/{}", erasure["id"].as_str().unwrap());
        app.until("the erasure is done", || async {
            (app.get(&path).await["state"] == "done").then_some(())
        }).await;
        let sent = one.last_file().await;
        assert_eq!(sent["state"], "failed", "{sent}");
        assert!(sent["error"].as_str().unwrap().contains("begin the exchange again"), "{sent}");
        assert!(crate::commerce::kept_files(&app).is_empty());
    }

    async fn a_merge_takes_what_1c_knows_along(app: TestApp) {
        let mut one = OneC::new(&app, json!({})).await;
        one.exchanges("contragents.xml", &parties(&person("p-1", "Анна", "+79161234567"))).await;
        let from = all(&app, "/contacts").await.pop().unwrap();
        let into = by_hand(&app, json!({"name": "Anna", "emails": ["anna@client.example"]})).await;
        app.post(&format!("/contacts/{into}/merge"), json!({"from": from["id"]})).await.expect(200);
        one.exchanges("orders.xml", &file(&order("1", "100", &person("p-1", "Анна И.", "+79161234567"), &[]))).await;
        let deal = all(&app, "/deals").await.pop().unwrap();
        assert_eq!(deal["contact_id"], json!(into));
        assert_eq!(all(&app, "/contacts").await.len(), 1);
    }
}
