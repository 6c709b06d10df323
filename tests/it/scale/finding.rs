//! What a text finds in the lists of leads, contacts, deals and companies.

use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use switchboard::db::entity::search_record;

use crate::support::TestApp;

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The values of a field of all that a query finds, page by page.
async fn found(app: &TestApp, path: &str, query: &str, field: &str) -> Vec<String> {
    let (mut values, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{path}?limit=2&{query}{cursor}")).await;
        let items = page["items"].as_array().unwrap().clone();
        values.extend(
            items
                .iter()
                .map(|item| item[field].as_str().unwrap_or_default().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return values,
        }
    }
}

async fn text(app: &TestApp, path: &str, text: &str, field: &str) -> Vec<String> {
    found(app, path, &format!("q={}", encoded(text)), field).await
}

/// Waits until everything that changed has its record.
async fn kept(app: &TestApp, records: u64) {
    app.until("the records", || async {
        let kept = search_record::Entity::find()
            .count(app.app.db.read())
            .await
            .unwrap();
        (kept == records).then_some(())
    })
    .await;
}

async fn contact(app: &TestApp, body: Value) -> Value {
    app.post("/contacts", body).await.expect(201)
}

both_databases! {
    async fn contacts_are_found_by_any_part_as_soon_as_they_are_written(app: TestApp) {
        let anna = contact(&app, json!({"name": "Анна Каренина", "emails": ["anna_1@x.example"], "phones": ["+998901234567"]})).await;
        contact(&app, json!({"name": "Zoë Müller", "phones": ["+4915123456789"]})).await;
        contact(&app, json!({"name": "علي رضایی", "phones": ["+989121234567"]})).await;
        contact(&app, json!({"name": "王小明", "emails": ["wang@北京.example".replace("北京", "bj")]})).await;
        // At once, and again when the follower of the log has kept them.
        for records in [None, Some(4)] {
            if let Some(records) = records {
                kept(&app, records).await;
            }
            for (query, expected) in [
                ("карен", vec!["Анна Каренина"]), ("КАРЕНИНА АНН", vec!["Анна Каренина"]), ("каренин zoë", vec![]),
                ("anna_1", vec!["Анна Каренина"]), ("annax1", vec![]), ("%", vec![]), ("MÜLLER", vec!["Zoë Müller"]),
                ("1234567", vec!["علي رضایی", "Zoë Müller", "Анна Каренина"]), ("90 123-45-67", vec!["Анна Каренина"]), ("+998 (90) 123", vec!["Анна Каренина"]),
                ("۹۱۲۱۲۳", vec!["علي رضایی"]), ("٩١٢١٢٣", vec!["علي رضایی"]), ("علی", vec!["علي رضایی"]),
                ("z", vec!["Zoë Müller"]), ("mü", vec!["Zoë Müller"]), ("小明", vec!["王小明"]), ("王", vec!["王小明"]), ("明小", vec![]),
                ("x.example", vec!["Анна Каренина"]), ("\"", vec![]), ("a\" OR \"b", vec![]), ("* OR NOT (", vec![]), ("'); --", vec![]),
            ] {
                assert_eq!(text(&app, "/contacts", query, "name").await, expected, "{query} of {records:?}");
            }
            assert_eq!(text(&app, "/contacts", " ", "name").await.len(), 4);
        }
        let path = format!("/contacts/{}", anna["id"].as_str().unwrap());
        app.patch(&path, json!({"name": "Anna Vronskaya", "emails": []})).await.expect(200);
        for records in [None, Some(4)] {
            if let Some(records) = records {
                kept(&app, records).await;
            }
            assert_eq!(text(&app, "/contacts", "vronsk", "name").await, ["Anna Vronskaya"]);
            assert!(text(&app, "/contacts", "карен", "name").await.is_empty());
            assert!(text(&app, "/contacts", "anna_1", "name").await.is_empty());
        }
    }

    async fn leads_and_deals_are_found_by_their_title_and_their_contact_whoever_renames_them(app: TestApp) {
        let (_, form) = (0, app.channel("webform", &app.line("Sales", json!({})).await, json!({})).await);
        let mut leads = Vec::new();
        for n in 0..5 {
            app.submit(&form, json!({"name": format!("Boris Number{n}"), "email": format!("boris{n}@x.example")}), None).await.expect(201);
            let newest = app.get("/leads?limit=1").await["items"][0].clone();
            let title = format!("Chairs {n}");
            leads.push(app.patch(&format!("/leads/{}", newest["id"].as_str().unwrap()), json!({"title": title})).await.expect(200));
        }
        for (n, lead) in leads.iter().enumerate() {
            let body = json!({"title": format!("Order {n}"), "contact_id": lead["contact_id"], "lead_id": lead["id"], "amount": "100", "currency": "USD"});
            app.post("/deals", body).await.expect(201);
        }
        let all = |what: &str| (0..5).rev().map(|n| format!("{what} {n}")).collect::<Vec<_>>();
        for round in 0..2 {
            if round == 1 {
                kept(&app, 15).await;
            }
            for (path, what, by_contact) in [("/leads", "Chairs", "boris chairs"), ("/deals", "Order", "BORIS order")] {
                assert_eq!(text(&app, path, what, "title").await, all(what));
                assert_eq!(text(&app, path, by_contact, "title").await, all(what));
                assert_eq!(text(&app, path, "number3", "title").await, [format!("{what} 3")]);
                assert_eq!(text(&app, path, "nobody", "title").await, Vec::<String>::new());
                // Not by an address: that is the contact's.
                assert_eq!(text(&app, path, "boris3@x", "title").await, Vec::<String>::new());
            }
            let totals = app.get("/deals/totals?q=order").await;
            assert_eq!((&totals["items"][0]["count"], &totals["items"][0]["sums"][0]["amount"], &totals["items"][0]["at_least"]),
                (&json!(5), &json!("500.00"), &json!(false)), "{totals}");
            assert_eq!(app.get("/deals/totals?q=number3").await["items"][0]["count"], 1);
        }
        let lead = leads[1]["id"].as_str().unwrap();
        let contact = leads[1]["contact_id"].as_str().unwrap();
        app.patch(&format!("/contacts/{contact}"), json!({"name": "Clara"})).await.expect(200);
        app.patch(&format!("/leads/{lead}"), json!({"status": "in_progress"})).await.expect(200);
        for round in 0..2 {
            if round == 1 {
                app.until("the renamed", || async {
                    let rows = search_record::Entity::find().all(app.app.db.read()).await.unwrap();
                    (rows.iter().filter(|row| row.body.contains("clara")).count() == 3).then_some(())
                }).await;
            }
            assert_eq!(text(&app, "/leads", "clara", "title").await, ["Chairs 1"]);
            assert_eq!(text(&app, "/deals", "clara", "title").await, ["Order 1"]);
            assert!(text(&app, "/leads", "number1", "title").await.is_empty());
            for (query, expected) in [
                ("q=chairs&status=in_progress".to_owned(), vec!["Chairs 1"]), ("q=chairs&status=junk".to_owned(), vec![]),
                (format!("q=chairs&contact={contact}"), vec!["Chairs 1"]), ("q=clara&source=nowhere".to_owned(), vec![]),
                ("q=chairs&line=nothing".to_owned(), vec![]), ("q=clara&line=sales".to_owned(), vec!["Chairs 1"]),
            ] {
                assert_eq!(found(&app, "/leads", &query, "title").await, expected, "{query}");
            }
        }
        let deal = app.get("/deals?q=clara").await["items"][0]["id"].as_str().unwrap().to_owned();
        app.call("DELETE", &format!("/deals/{deal}"), None).await.expect(204);
        assert!(text(&app, "/deals", "clara", "title").await.is_empty());
        // Its record went with it, before any follower looked.
        let left = search_record::Entity::find().all(app.app.db.read()).await.unwrap();
        assert!(left.iter().all(|row| row.object_id != deal));
    }

    async fn companies_are_found_as_soon_as_they_are_written_however_they_came(app: TestApp) {
        let orion = app.post("/companies", json!({"name": "Orion LLC", "tax_number": "77 01", "phones": ["+998712001122"], "website": "https://orion.example"})).await.expect(201);
        let form = app.channel("webform", &app.line("Sales", json!({})).await, json!({"fields": [
            {"name": "firm", "label": "Firm", "type": "text", "maps_to": "company.name"},
            {"name": "email", "label": "E-mail", "type": "email", "maps_to": "contact.email"}]})).await;
        app.submit(&form, json!({"firm": "Alpha & Sons", "email": "a@x.example"}), None).await.expect(201);
        for round in 0..2 {
            if round == 1 {
                kept(&app, 4).await;
            }
            for (query, expected) in [("rion", vec!["Orion LLC"]), ("7701", vec!["Orion LLC"]), ("71 200-11", vec!["Orion LLC"]), ("orion.ex", vec!["Orion LLC"]),
                ("alpha sons", vec!["Alpha & Sons"]), ("&", vec!["Alpha & Sons"]), ("zeta", vec![])] {
                assert_eq!(text(&app, "/companies", query, "name").await, expected, "{query}");
            }
        }
        let path = format!("/companies/{}", orion["id"].as_str().unwrap());
        app.patch(&path, json!({"name": "Sirius"})).await.expect(200);
        assert_eq!(text(&app, "/companies", "siri", "name").await, ["Sirius"]);
        assert!(text(&app, "/companies", "orion llc", "name").await.is_empty());
        app.call("DELETE", &path, None).await.expect(204);
        assert!(text(&app, "/companies", "siri", "name").await.is_empty());
    }

    async fn a_text_that_is_everywhere_pages_as_the_list_does(app: TestApp) {
        // More than are looked at first, so that what follows them takes its turn; one in forty says more.
        let mut write = app.app.db.write().await.unwrap();
        let now = switchboard::clock::Clock::now(&switchboard::clock::SystemClock);
        for n in 0..1_300_i64 {
            let rare = if n % 40 == 0 { "rare" } else { "plain" };
            let change = switchboard::contact::store::Change { name: Some(Some(format!("Person {rare} {n}"))), ..Default::default() };
            switchboard::contact::change::create(&mut write, change, now - chrono::TimeDelta::seconds(n / 3)).await.unwrap();
        }
        write.commit().await.unwrap();
        let whole = async |query: String| {
            let (mut ids, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = app.get(&format!("/contacts?limit=200&{query}{cursor}")).await;
                ids.extend(page["items"].as_array().unwrap().iter().map(|item| (item["id"].clone(), item["name"].as_str().unwrap().to_owned())));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => return ids,
                }
            }
        };
        kept(&app, 1_300).await;
        let all = whole(String::new()).await;
        assert_eq!(all.len(), 1_300);
        for word in ["person", "rare", "plain", "1299", "pe", "nothing"] {
            let expected: Vec<_> = all.iter().filter(|(_, name)| name.to_lowercase().contains(word)).cloned().collect();
            assert_eq!(whole(format!("q={word}")).await, expected, "{word}");
        }
    }
}

/// What an installation that was there before the records finds while they are filled in, and afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_found_before_and_after_it_is_filled_in() {
    use switchboard::{
        contact::store as contacts,
        operator::rights::{Role, Scope},
        search::fill,
    };
    for database in [
        crate::support::Database::sqlite().await,
        crate::support::Database::postgres().await,
    ] {
        let db = database.open().await;
        let write = db.write().await.unwrap();
        let insert = |n: usize| {
            format!(
                "INSERT INTO contact (id, name, fields, version, created_at, updated_at) \
             VALUES ('cnt_{n:04}', 'Karenina{n}', '{{}}', 1, '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')"
            )
        };
        for n in 0..1_200 {
            write.tx().execute_unprepared(&insert(n)).await.unwrap();
        }
        write.commit().await.unwrap();
        let scope = Scope::new("opr_1", Role::Supervisor, Default::default());
        let filter = contacts::Filter {
            text: Some("NINA11".into()),
            ..Default::default()
        };
        let mut steps = 0;
        loop {
            let (rows, _) = contacts::list(db.read(), &scope, &filter, None, 200)
                .await
                .unwrap();
            // 11, 110 to 119, 1100 to 1199.
            assert_eq!(rows.len(), 111, "after {steps} steps");
            if !fill::step(&db).await.unwrap() {
                break;
            }
            steps += 1;
        }
        assert_eq!(steps, 3);
        assert!(fill::is_done(db.read()).await.unwrap());
        let (rows, _) = contacts::list(db.read(), &scope, &filter, None, 200)
            .await
            .unwrap();
        assert_eq!(rows.len(), 111);
        // Words in any order are found by the records alone.
        let filter = contacts::Filter {
            text: Some("1100 karen".into()),
            ..Default::default()
        };
        assert_eq!(
            contacts::list(db.read(), &scope, &filter, None, 200)
                .await
                .unwrap()
                .0
                .len(),
            1
        );
    }
}
