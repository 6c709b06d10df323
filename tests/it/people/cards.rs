//! Who sees a contact, and what is said of one.

use serde_json::{Value, json};

use super::{by_hand, contact_of, items, line_with_channel, text, writes};

both_databases! {
    async fn an_operator_sees_contacts_of_what_they_see_or_own_and_no_others(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let (_, ours) = line_with_channel(&app, "Ours", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let (_, theirs) = line_with_channel(&app, "Theirs", json!({})).await;
        let seen = contact_of(&app, &writes(&app, &ours, "Seen Person", &["s1!"], "hello").await).await;
        let hidden = contact_of(&app, &writes(&app, &theirs, "Hidden Person", &["h1!"], "hello").await).await;
        let owned = by_hand(&app, json!({"name": "Owned Person", "operator_id": anna["id"]})).await;
        let mine = app.call_as(&key, "POST", "/contacts", Some(json!({"name": "My Person"}))).await.expect(201);
        assert_eq!(mine["operator_id"], anna["id"], "who makes a contact is responsible for it");
        let names = |page: &Value| {
            let mut names: Vec<String> = items(page).iter().map(|one| text(&one["name"]).to_owned()).collect();
            names.sort();
            names
        };
        let listed = app.call_as(&key, "GET", "/contacts?q=person", None).await.expect(200);
        assert_eq!(names(&listed), ["My Person", "Owned Person", "Seen Person"]);
        let found = app.call_as(&key, "GET", "/search?q=person", None).await.expect(200);
        assert_eq!(found["contacts"].as_array().unwrap().len(), 3, "{found}");
        assert_eq!(names(&app.get("/contacts?q=person").await).len(), 4);
        for id in [&seen, &owned] {
            app.call_as(&key, "GET", &format!("/contacts/{id}"), None).await.expect(200);
        }
        let path = format!("/contacts/{hidden}");
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("PATCH", path.clone(), Some(json!({"name": "x"}))),
            ("GET", format!("{path}/timeline"), None),
            ("GET", format!("{path}/leads"), None),
            ("POST", format!("{path}/identities"), Some(json!({"kind": "email", "value": "a@b.example"}))),
            ("POST", format!("{path}/merge"), Some(json!({"from": seen}))),
            ("POST", format!("{path}/unmerge"), Some(json!({}))),
        ] {
            app.call_as(&key, method, &path, body).await.expect(404);
        }
        // Nor does a lead of one's own making open the way to them, nor a merge.
        let lead = json!({"contact_id": hidden, "title": "x"});
        app.call_as(&key, "POST", "/leads", Some(lead)).await.expect(422);
        let merge = json!({"from": hidden});
        app.call_as(&key, "POST", &format!("/contacts/{seen}/merge"), Some(merge)).await.expect(422);
    }

    async fn who_may_not_see_a_contact_is_not_told_of_it(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let (_, ours) = line_with_channel(&app, "Ours", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let (_, theirs) = line_with_channel(&app, "Theirs", json!({})).await;
        let mut socket = app.socket(&key, None).await;
        writes(&app, &theirs, "Hidden", &["h1!"], "hello").await;
        writes(&app, &ours, "Seen", &["s1!"], "hello").await;
        let told = socket.until(|frame| frame["type"] == "contact.updated").await;
        assert_eq!(told["data"]["name"], "Seen", "{told}");
    }

    async fn a_contact_is_made_with_all_that_is_said_and_lists_are_narrowed(app: TestApp) {
        let company = app.post("/companies", json!({"name": "Orion"})).await.expect(201);
        let (boris, _) = app.operator("Boris", "operator").await;
        let said = json!({
            "name": " Anna K. ", "emails": ["ANNA@x.example"], "phones": ["+998 90 123-45-67"], "company_id": company["id"],
            "operator_id": boris["id"], "fields": {"size": "L"}, "tags": ["VIP", "vip", "Ташкент"], "language": "ru",
        });
        let made = app.post("/contacts", said).await.expect(201);
        assert_eq!((&made["name"], &made["company_name"], &made["tags"]), (&json!("Anna K."), &json!("Orion"), &json!(["vip", "ташкент"])));
        assert_eq!((&made["phones"], &made["language"]), (&json!(["+998901234567"]), &json!("ru")));
        assert_eq!(made["identities"][0]["via"], "hand", "{made}");
        by_hand(&app, json!({"phones": ["+74951234567"]})).await;
        let (of_boris, of_company) =
            (format!("operator={}", text(&boris["id"])), format!("company={}", text(&company["id"])));
        for (query, expected) in [
            ("", 2), ("tag=VIP", 1), ("tag=none", 0), ("duplicates=true", 0), ("operator=none", 1), ("operator=me", 0),
            (of_boris.as_str(), 1), (of_company.as_str(), 1), ("company=cmp_x", 0),
        ] {
            let found = app.get(&format!("/contacts?{query}")).await;
            assert_eq!(items(&found).len(), expected, "{query}");
        }
        assert_eq!(app.get("/tags?object=contact").await["items"], json!(["vip", "ташкент"]));
        let page = app.get("/contacts?limit=1").await;
        let next = app.get(&format!("/contacts?limit=1&cursor={}", text(&page["next_cursor"]))).await;
        assert_eq!((items(&next).len(), &next["next_cursor"]), (1, &Value::Null));
        assert_ne!(page["items"][0]["id"], next["items"][0]["id"]);
        for (body, field) in [
            (json!({}), "name"), (json!({"name": " "}), "name"), (json!({"name": "x", "company_id": "cmp_x"}), "company_id"),
            (json!({"name": "x", "emails": ["anna@x.example"]}), "emails"), (json!({"name": "x", "tags": [""]}), "tags.0"),
        ] {
            let problem = app.post("/contacts", body).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        assert_eq!(items(&app.get("/contacts").await).len(), 2, "what was refused left nothing");
    }

    async fn identities_are_given_and_taken_by_hand_and_say_how_they_are_known(app: TestApp) {
        let (_, form) = line_with_channel(&app, "Sales", json!({})).await;
        app.submit(&form, json!({"name": "Anna", "phone": "+998901234567"}), None).await.expect(201);
        let anna = app.get("/contacts").await["items"][0].clone();
        let path = format!("/contacts/{}/identities", text(&anna["id"]));
        assert_eq!(anna["identities"][0]["via"], "webform");
        let given = app.post(&path, json!({"kind": "email", "value": "Anna@X.example"})).await.expect(200);
        let added = given["identities"].as_array().unwrap().iter().find(|one| one["kind"] == "email").unwrap();
        assert_eq!((&added["value"], &added["via"], &added["verified"]), (&json!("anna@x.example"), &json!("hand"), &json!(false)));
        assert!(added["added_by"].is_string());
        app.post(&path, json!({"kind": "email", "value": "anna"})).await.expect(422);
        app.post(&path, json!({"kind": "telegram", "value": "5"})).await.expect(422);
        let other = by_hand(&app, json!({"name": "Boris", "emails": ["boris@x.example"]})).await;
        let problem = app.post(&path, json!({"kind": "email", "value": "boris@x.example"})).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "value");
        let taken = app.call("DELETE", &format!("{path}?kind=phone&value=%2B998901234567"), None).await.expect(200);
        assert_eq!(taken["phones"], json!([]));
        app.call("DELETE", &format!("{path}?kind=phone&value=%2B998901234567"), None).await.expect(404);
        // Who writes from it next is somebody new.
        app.submit(&form, json!({"name": "Anna", "phone": "+998901234567"}), None).await.expect(201);
        assert_eq!(items(&app.get("/contacts?q=901234567").await).len(), 1);
        assert_ne!(app.get("/contacts?q=901234567").await["items"][0]["id"], anna["id"]);
        app.get(&format!("/contacts/{other}")).await;
    }

    async fn suggestions_stand_on_both_cards_until_somebody_says_that_they_are_not_the_same(app: TestApp) {
        let (_, form) = line_with_channel(&app, "Sales", json!({})).await;
        let anna = by_hand(&app, json!({"name": "Anna", "phones": ["+998901234567"]})).await;
        let other = by_hand(&app, json!({"name": "A. K.", "emails": ["anna@x.example"]})).await;
        let both = || json!({"name": "Anna", "phone": "+998901234567", "email": "anna@x.example"});
        app.submit(&form, both(), None).await.expect(201);
        for (one, other) in [(&anna, &other), (&other, &anna)] {
            let card = app.get(&format!("/contacts/{one}")).await;
            assert_eq!(card["suggestions"][0]["contact_id"], **other, "{card}");
            assert!(!text(&card["suggestions"][0]["reason"]).is_empty());
        }
        assert_eq!(items(&app.get("/contacts?duplicates=true").await).len(), 2);
        let apart = app.post(&format!("/contacts/{other}/not-the-same"), json!({"other_id": anna})).await.expect(200);
        assert_eq!(apart["suggestions"], json!([]));
        // Neither does the next form say it again.
        app.submit(&form, both(), None).await.expect(201);
        assert_eq!(app.get(&format!("/contacts/{anna}")).await["suggestions"], json!([]));
        assert_eq!(items(&app.get("/contacts?duplicates=true").await).len(), 0);
        app.post(&format!("/contacts/{other}/not-the-same"), json!({"other_id": other})).await.expect(422);
    }

    async fn admins_define_fields_and_values_are_judged_by_them(app: TestApp) {
        let (_, operator) = app.operator("Anna", "operator").await;
        let size = json!({"object": "contact", "key": "size", "label": "Size", "type": "select", "required": true,
            "options": [{"value": "m", "label": "M"}, {"value": "l", "label": "L"}]});
        app.call_as(&operator, "POST", "/custom-fields", Some(size.clone())).await.expect(403);
        let size = app.post("/custom-fields", size).await.expect(201);
        let since = json!({"object": "contact", "key": "since", "label": "Client since", "type": "date"});
        let since = app.post("/custom-fields", since).await.expect(201);
        app.post("/custom-fields", json!({"object": "lead", "key": "budget", "label": "Budget", "type": "money"})).await.expect(201);
        for (body, field) in [
            (json!({"object": "contact", "key": "size", "label": "Again", "type": "text"}), "key"),
            (json!({"object": "contact", "key": "Größe", "label": "x", "type": "text"}), "key"),
            (json!({"object": "contact", "key": "a", "label": "", "type": "text"}), "label"),
            (json!({"object": "contact", "key": "a", "label": "x", "type": "select"}), "options"),
        ] {
            assert_eq!(app.post("/custom-fields", body).await.expect(422)["errors"][0]["field"], field);
        }
        let listed = app.call_as(&operator, "GET", "/custom-fields?object=contact", None).await.expect(200);
        let keys: Vec<&str> = items(&listed).iter().map(|one| text(&one["key"])).collect();
        assert_eq!(keys, ["size", "since"]);
        let problem = app.post("/contacts", json!({"name": "x"})).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "fields.size");
        let problem = app.post("/contacts", json!({"name": "x", "fields": {"size": "xl", "since": "1.1.2026"}})).await.expect(422);
        assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
        let anna = by_hand(&app, json!({"name": "Anna", "fields": {"size": "l"}})).await;
        let path = format!("/contacts/{anna}");
        app.patch(&path, json!({"fields": {"size": null}})).await.expect(422);
        let changed = app.patch(&path, json!({"fields": {"since": "2026-01-31", "free": "x"}})).await.expect(200);
        assert_eq!(changed["fields"], json!({"size": "l", "since": "2026-01-31", "free": "x"}));
        // A lead's fields are judged too.
        let lead = |fields: Value| json!({"contact_id": anna, "title": "x", "fields": fields});
        app.post("/leads", lead(json!({"budget": "much"}))).await.expect(422);
        let made = app.post("/leads", lead(json!({"budget": {"amount": 5, "currency": "usd"}}))).await.expect(201);
        assert_eq!(made["fields"]["budget"], json!({"amount": "5", "currency": "USD"}));
        app.patch(&format!("/leads/{}", text(&made["id"])), json!({"fields": {"budget": 5}})).await.expect(422);
        // Order, staleness, forgetting.
        let path = format!("/custom-fields/{}", text(&since["id"]));
        let moved = app.patch(&path, json!({"position": 0, "version": 1})).await.expect(200);
        assert_eq!((&moved["position"], &moved["version"]), (&json!(0), &json!(2)));
        app.patch(&path, json!({"label": "x", "version": 1})).await.expect(409);
        app.call("DELETE", &format!("/custom-fields/{}", text(&size["id"])), None).await.expect(204);
        let kept = app.get(&format!("/contacts/{anna}")).await;
        assert_eq!(kept["fields"]["size"], "l", "values outlive their field");
    }
}
