//! Search in contacts, companies, leads, deals and messages.

use serde_json::{Value, json};

use crate::support::TestApp;

async fn hits(app: &TestApp, key: &str, query: &str) -> Vec<Value> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let found = app
        .call_as(key, "GET", &format!("/search?q={query}"), None)
        .await
        .expect(200);
    found["messages"].as_array().unwrap().clone()
}

/// Waits for the index, which follows the log.
async fn found(app: &TestApp, query: &str) -> Value {
    app.until(query, || async {
        hits(app, &app.key, query).await.into_iter().next()
    })
    .await
}

both_databases! {
    async fn messages_are_found_by_words_and_beginnings_in_any_script(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let texts = ["Здравствуйте, сколько стоит доставка в Ташкент?", "Où est mon café crème?", "Buyurtma №1042 qachon keladi",
            "The invoice <b>is</b> wrong & late", "O'zbekiston bo'ylab yetkazib berish"];
        for (n, text) in texts.iter().enumerate() {
            app.writes(&chat, &format!("c{n}"), text).await;
        }
        found(&app, "yetkazib").await;
        for (query, expected) in [
            ("доставка", Some(0)), ("ДОСТАВКА ташк", Some(0)), ("дост", Some(0)), ("café", Some(1)), ("1042", Some(2)), ("buyur", Some(2)),
            ("invoice wrong", Some(3)), ("wrong invoice", Some(3)), ("yetkazib ber", Some(4)), ("invoice доставка", None), ("тавка", None),
            ("\"", None), ("a* OR NOT (", None), ("???", None),
        ] {
            let found = hits(&app, &app.key, query).await;
            let texts: Vec<&str> = expected.map(|n| texts[n]).into_iter().collect();
            let seen: Vec<&str> = found.iter().map(|hit| hit["message"]["text"].as_str().unwrap()).collect();
            assert_eq!(seen, texts, "{query}");
        }
        let hit = &hits(&app, &app.key, "invoice").await[0];
        let snippet = hit["snippet"].as_str().unwrap();
        // (PostgreSQL leaves out what looks like a tag.)
        assert!(snippet.contains("<mark>invoice</mark>") && snippet.contains("&amp;") && !snippet.contains("<b"), "{snippet}");
        assert_eq!(hit["conversation"]["id"], hit["message"]["conversation_id"]);
    }

    async fn a_word_is_found_with_its_marks_and_without_them(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        app.writes(&chat, "zoe", "Un café crème, naïve Zoë").await;
        found(&app, "café").await;
        for query in ["cafe", "CAFÉ", "creme", "naive", "zoe"] {
            assert_eq!(hits(&app, &app.key, query).await.len(), 1, "{query}");
        }
    }

    async fn replies_and_notes_are_found_and_only_by_who_may_read_them(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (_, boris_key) = app.operator("Boris", "operator").await;
        let (_, sara_key) = app.operator("Sara", "supervisor").await;
        let line = app.line("Support", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let id = app.writes(&chat, "olga", "umbrella").await;
        let path = format!("/conversations/{id}/messages");
        app.call_as(&anna_key, "POST", &path, Some(json!({"text": "umbrella in green", "kind": "note"}))).await.expect(201);
        app.call_as(&anna_key, "POST", &path, Some(json!({"text": "umbrella at noon"}))).await.expect(201);
        found(&app, "noon").await;
        for (key, expected) in [(&anna_key, 3), (&sara_key, 3), (&boris_key, 0)] {
            assert_eq!(hits(&app, key, "umbrella").await.len(), expected);
        }
        // The newest first.
        let found = hits(&app, &anna_key, "umbrella").await;
        let seqs: Vec<i64> = found.iter().map(|hit| hit["message"]["seq"].as_i64().unwrap()).collect();
        assert!(seqs.is_sorted_by(|a, b| a > b), "{seqs:?}");
    }

    async fn an_empty_question_finds_nothing_and_a_contact_is_found_by_part_of_a_name(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let form = app.channel("webform", &line, json!({})).await;
        app.submit(&form, json!({"name": "Анна Каренина", "email": "anna@x.example"}), None).await.expect(201);
        assert_eq!(app.get("/search?q=").await, json!({"contacts": [], "companies": [], "leads": [], "deals": [], "messages": []}));
        assert_eq!(app.get("/search").await, json!({"contacts": [], "companies": [], "leads": [], "deals": [], "messages": []}));
        for query in ["%D0%9A%D0%B0%D1%80", "anna%40x", "x.example"] {
            let found = app.get(&format!("/search?q={query}")).await;
            assert_eq!(found["contacts"][0]["name"], "Анна Каренина", "{query}");
        }
    }

    async fn what_is_sold_is_found_by_who_sees_it_until_it_is_erased(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let firm = app.post("/companies", json!({"name": "Harbour Hotels"})).await.expect(201);
        let contact = app.post("/contacts", json!({"name": "Zarina Karimova", "company_id": firm["id"]})).await.expect(201);
        let lead = app.post("/leads", json!({"contact_id": contact["id"], "title": "Lamps for the lobby"})).await.expect(201);
        let deal = json!({"title": "Forty chandeliers", "contact_id": contact["id"], "company_id": firm["id"], "lead_id": lead["id"]});
        let deal = app.post("/deals", deal).await.expect(201);
        let own = app.post("/deals", json!({"title": "Two chandeliers", "operator_id": anna["id"]})).await.expect(201);
        let find = async |key: &str, query: &str| app.call_as(key, "GET", &format!("/search?q={query}"), None).await.expect(200);
        let ids = |found: &Value, kind: &str| -> Vec<Value> {
            found[kind].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
        };
        let found = find(&app.key, "CHANDEL").await;
        assert_eq!(ids(&found, "deals"), [own["id"].clone(), deal["id"].clone()]);
        assert_eq!(ids(&find(&app.key, "lobby").await, "leads"), [lead["id"].clone()]);
        // By whom they are with, too.
        for (query, kind) in [("zarina", "deals"), ("harbour", "deals"), ("zarina", "leads"), ("harbour", "companies"), ("zarina", "contacts")] {
            assert_eq!(ids(&find(&app.key, query).await, kind).len(), 1, "{query} {kind}");
        }
        // Somebody else finds their own.
        assert_eq!(ids(&find(&key, "chandel").await, "deals"), [own["id"].clone()]);
        for (query, kind) in [("lobby", "leads"), ("harbour", "companies"), ("harbour", "deals")] {
            assert_eq!(ids(&find(&key, query).await, kind), Vec::<Value>::new(), "{query} {kind}");
        }
        let path = format!("/contacts/{}", contact["id"].as_str().unwrap());
        app.call("DELETE", &path, None).await.expect(202);
        app.until("the person is erased", || async {
            let found = find(&app.key, "chandel").await;
            (ids(&found, "deals").len() == 1).then_some(())
        }).await;
        for query in ["zarina", "lobby", "forty"] {
            let found = find(&app.key, query).await;
            assert!(ids(&found, "deals").is_empty() && ids(&found, "leads").is_empty(), "{query}: {found}");
        }
        assert_eq!(find(&app.key, "%20").await, json!({"contacts": [], "companies": [], "leads": [], "deals": [], "messages": []}));
    }
}
