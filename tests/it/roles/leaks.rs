//! Nothing of what is out of sight shows elsewhere: in search, in sums, in figures, on the socket, in timelines, in files.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{REACHES, World, list, rights};
use crate::people::{by_hand, contact_of, items, text, writes};

/// A right of view on one object.
fn only(object: &str, reach: &str) -> Value {
    let mut grid = json!({});
    grid[object] = json!({"view": reach});
    grid
}

both_databases! {
    async fn search_finds_only_what_is_seen(app: TestApp) {
        let world = World::make(&app).await;
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, rights(&[("view", reach)])).await;
            let found = app.until("the words are found", || async {
                let found = world.asks(&app, "GET", "/search?q=needle", None).await.expect(200);
                let ids: BTreeSet<String> = found["messages"].as_array().unwrap().iter()
                    .map(|hit| text(&hit["conversation"]["id"]).to_owned()).collect();
                (ids.len() >= steps).then_some(ids)
            }).await;
            let expected: BTreeSet<String> = world.within("conversation", steps).iter().cloned().collect();
            assert_eq!(found, expected, "{reach}");
            let found = world.asks(&app, "GET", "/search?q=Haystack", None).await.expect(200);
            let found: BTreeSet<String> = found["contacts"].as_array().unwrap().iter().map(|one| text(&one["id"]).to_owned()).collect();
            assert_eq!(found, world.within("contact", steps).iter().cloned().collect(), "{reach}");
        }
    }

    async fn sums_and_figures_count_only_what_is_reached(app: TestApp) {
        let world = World::make(&app).await;
        for (steps, sum) in [(1, "1.00"), (2, "11.00"), (3, "111.00"), (4, "1111.00")] {
            world.may(&app, rights(&[("view", REACHES[steps]), ("export", REACHES[steps])])).await;
            let totals = world.asks(&app, "GET", "/deals/totals", None).await.expect(200);
            assert_eq!((&items(&totals)[0]["count"], &items(&totals)[0]["sums"][0]["amount"]), (&json!(steps), &json!(sum)));
            let funnel = world.asks(&app, "GET", "/reports/funnel", None).await.expect(200);
            assert_eq!(funnel["deals"], steps);
            let listed = world.asks(&app, "GET", "/leads?limit=200", None).await.expect(200);
            let figures = world.asks(&app, "GET", "/reports/leads", None).await.expect(200);
            assert_eq!(figures["leads"], items(&listed).len(), "{}", REACHES[steps]);
        }
        world.may(&app, rights(&[("view", "all")])).await;
        world.asks(&app, "GET", "/reports/leads.csv", None).await.expect(403);
        world.may(&app, json!({"deal": {"view": "all"}})).await;
        world.asks(&app, "GET", "/reports/funnel", None).await.expect(403);
    }

    async fn the_socket_tells_of_what_is_seen_and_of_nothing_else(app: TestApp) {
        let world = World::make(&app).await;
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, rights(&[("view", reach)])).await;
            let mut socket = app.socket(&world.key, None).await;
            socket.until(|frame| frame["type"] == "hello").await;
            for place in 0..4 {
                let title = json!({"title": format!("{reach} {place}")});
                for object in ["lead", "deal", "task"] {
                    let path = format!("{}/{}", list(object), world.of(object)[place]);
                    app.patch(&path, title.clone()).await.expect(200);
                }
                let contact = format!("/contacts/{}", world.of("contact")[place]);
                app.patch(&contact, json!({"tags": [format!("{reach}{place}")]})).await.expect(200);
                let thread = format!("/conversations/{}/messages", world.of("conversation")[place]);
                app.post(&thread, json!({"kind": "note", "text": "a note"})).await.expect(201);
            }
            let user = format!("/users/{}", text(&world.stranger["id"]));
            app.patch(&user, json!({"name": format!("Stranger {reach}")})).await.expect(200);
            let mut told: BTreeSet<(String, String)> = BTreeSet::new();
            loop {
                let frame = socket.next().await.unwrap();
                let data = &frame["data"];
                match text(&frame["type"]) {
                    "operator.updated" if data["name"] == format!("Stranger {reach}") => break,
                    kind @ ("lead.updated" | "deal.updated" | "task.updated" | "contact.updated") => {
                        told.insert((kind.split('.').next().unwrap().to_owned(), text(&data["id"]).to_owned()));
                    }
                    "message.created" => { told.insert(("conversation".to_owned(), text(&data["conversation_id"]).to_owned())); }
                    _ => {}
                }
            }
            for object in ["lead", "deal", "task", "contact", "conversation"] {
                for (place, id) in world.of(object).iter().enumerate() {
                    // The socket tells of tasks by their people alone.
                    let expected = place < steps && (object != "task" || place != 1 || steps == 4);
                    assert_eq!(told.contains(&(object.to_owned(), id.clone())), expected, "{object} {place} at {reach}");
                }
            }
        }
    }

    async fn a_role_that_changes_changes_what_an_open_socket_tells(app: TestApp) {
        let world = World::make(&app).await;
        world.may(&app, only("deal", "all")).await;
        let mut socket = app.socket(&world.key, None).await;
        socket.until(|frame| frame["type"] == "hello").await;
        let far = format!("/deals/{}", world.of("deal")[3]);
        app.patch(&far, json!({"title": "One"})).await.expect(200);
        socket.until(|frame| frame["data"]["title"] == "One").await;
        world.may(&app, only("deal", "team")).await;
        app.patch(&far, json!({"title": "Two"})).await.expect(200);
        // A member of the team comes and goes: so does what they own.
        app.patch(&format!("/deals/{}", world.of("deal")[2]), json!({"title": "Three"})).await.expect(200);
        let told = socket.until(|frame| frame["type"] == "deal.updated").await;
        assert_eq!(told["data"]["title"], "Three");
        let team = text(&items(&app.get("/teams").await)[0]["id"]).to_owned();
        app.patch(&format!("/teams/{team}"), json!({"member_ids": [world.eve["id"]]})).await.expect(200);
        app.patch(&format!("/deals/{}", world.of("deal")[2]), json!({"title": "Four"})).await.expect(200);
        app.patch(&format!("/deals/{}", world.of("deal")[0]), json!({"title": "Five"})).await.expect(200);
        let told = socket.until(|frame| frame["type"] == "deal.updated").await;
        assert_eq!(told["data"]["title"], "Five");
    }

    async fn a_timeline_and_what_hangs_on_a_contact_show_what_each_right_reaches(app: TestApp) {
        let world = World::make(&app).await;
        let thread = &world.of("conversation")[3];
        let contact = contact_of(&app, thread).await;
        let lead = json!({"contact_id": contact, "title": "Their lead", "operator_id": world.stranger["id"]});
        app.post("/leads", lead).await.expect(201);
        let kinds = async || {
            let found = world.asks(&app, "GET", &format!("/contacts/{contact}/timeline"), None).await.expect(200);
            items(&found).iter().map(|entry| text(&entry["kind"]).to_owned()).collect::<BTreeSet<String>>()
        };
        world.may(&app, only("contact", "all")).await;
        let seen = kinds().await;
        assert!(!seen.contains("message") && !seen.contains("lead"), "{seen:?}");
        for path in ["conversations", "leads"] {
            let found = world.asks(&app, "GET", &format!("/contacts/{contact}/{path}"), None).await.expect(200);
            assert_eq!(items(&found).len(), 0, "{path}");
        }
        world.may(&app, json!({"contact": {"view": "all"}, "conversation": {"view": "all"}, "lead": {"view": "team"}})).await;
        let seen = kinds().await;
        assert!(seen.contains("message") && !seen.contains("lead"), "{seen:?}");
        world.may(&app, json!({"contact": {"view": "all"}, "lead": {"view": "all"}})).await;
        let seen = kinds().await;
        assert!(!seen.contains("message") && seen.contains("lead"), "{seen:?}");
        // Nor does what it hangs on show where it is not seen.
        let came = app.get(&format!("/leads/{}", world.of("lead")[1])).await;
        let path = format!("/contacts/{}/timeline?kinds=lead", text(&came["contact_id"]));
        let found = world.asks(&app, "GET", &path, None).await.expect(200);
        assert_eq!(items(&found)[0]["conversation"], Value::Null);
        assert!(items(&app.get(&path).await)[0]["conversation"].is_object());
        world.asks(&app, "GET", "/tags?object=deal", None).await.expect(403);
    }

    async fn who_somebody_may_be_too_is_told_only_to_who_sees_both(app: TestApp) {
        let world = World::make(&app).await;
        // A claim of an address that is another's is a suggestion.
        let theirs = by_hand(&app, json!({"name": "Known", "emails": ["known@client.example"], "operator_id": world.stranger["id"]})).await;
        let thread = writes(&app, &world.chat[0], "New", &["new-1!"], "hello").await;
        let new = contact_of(&app, &thread).await;
        app.patch(&format!("/contacts/{new}"), json!({"operator_id": world.eve["id"]})).await.expect(200);
        let claim = json!({"kind": "email", "value": "known@client.example"});
        app.post(&format!("/contacts/{new}/identities"), claim).await;
        world.may(&app, json!({"contact": {"view": "own", "edit": "own"}})).await;
        let card = world.asks(&app, "GET", &format!("/contacts/{new}"), None).await.expect(200);
        assert!(!card.to_string().contains(&theirs), "{card}");
        // And nobody merges whom they do not see, or may not change.
        let merge = format!("/contacts/{new}/merge");
        world.asks(&app, "POST", &merge, Some(json!({"from": theirs}))).await.expect(422);
        world.may(&app, json!({"contact": {"view": "all", "edit": "own"}})).await;
        world.asks(&app, "POST", &merge, Some(json!({"from": theirs}))).await.expect(422);
        world.may(&app, json!({"contact": {"view": "all", "edit": "all"}})).await;
        world.asks(&app, "POST", &merge, Some(json!({"from": theirs}))).await.expect(200);
    }

    async fn a_deal_or_a_task_opens_no_way_to_a_contact_out_of_sight(app: TestApp) {
        let world = World::make(&app).await;
        world.may(&app, json!({
            "contact": {"view": "own"}, "company": {"view": "own"}, "deal": {"view": "own", "edit": "own"}, "task": {"view": "own", "edit": "own"},
        })).await;
        let (contact, company) = (&world.of("contact")[3], &world.of("company")[3]);
        for said in [json!({"title": "A way in", "contact_id": contact}), json!({"title": "A way in", "company_id": company})] {
            world.asks(&app, "POST", "/deals", Some(said)).await.expect(422);
        }
        let own = format!("/deals/{}", world.of("deal")[0]);
        world.asks(&app, "PATCH", &own, Some(json!({"contact_id": contact}))).await.expect(422);
        let on = json!({"title": "A way in", "on": {"type": "contact", "id": contact}});
        world.asks(&app, "POST", "/tasks", Some(on)).await.expect(422);
        let tasks = world.asks(&app, "GET", &format!("/tasks?contact={contact}"), None).await.expect(200);
        assert_eq!(items(&tasks).len(), 0);
    }

    async fn files_open_for_who_sees_their_conversation(app: TestApp) {
        let world = World::make(&app).await;
        let part = reqwest::multipart::Part::text("secret").file_name("secret.txt").mime_str("text/plain").unwrap();
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = app.client.post(format!("{}/api/v1/attachments", app.base)).bearer_auth(&app.key).multipart(form);
        let file = app.ask(request).await.expect(201);
        let file = text(&file["id"]).to_owned();
        let note = json!({"kind": "note", "text": "", "attachments": [file]});
        app.post(&format!("/conversations/{}/messages", world.of("conversation")[2]), note).await.expect(201);
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, only("conversation", reach)).await;
            let answer = world.asks(&app, "GET", &format!("/attachments/{file}"), None).await;
            assert_eq!(answer.status, if steps >= 3 { 200 } else { 404 }, "{reach}: {}", answer.body);
        }
    }

    async fn a_recording_is_heard_by_who_sees_its_call(app: TestApp) {
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
        use switchboard::db::entity::attachment;

        let world = World::make(&app).await;
        let mut files = Vec::new();
        for call in world.of("call") {
            let part = reqwest::multipart::Part::text("RIFF").file_name("talk.wav").mime_str("audio/wav").unwrap();
            let form = reqwest::multipart::Form::new().part("file", part);
            let request = app.client.post(format!("{}/api/v1/attachments", app.base)).bearer_auth(&app.key).multipart(form);
            let file = text(&app.ask(request).await.expect(201)["id"]).to_owned();
            let write = app.app.db.write().await.unwrap();
            attachment::Entity::update_many()
                .col_expr(attachment::Column::Owner, Expr::value(format!("call:{call}")))
                .filter(attachment::Column::Id.eq(&file))
                .exec(write.tx())
                .await
                .unwrap();
            write.commit().await.unwrap();
            files.push(file);
        }
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, json!({"call": {"view": reach}, "conversation": {"view": "all"}})).await;
            for (place, file) in files.iter().enumerate() {
                let answer = world.asks(&app, "GET", &format!("/attachments/{file}"), None).await;
                let expected = if steps == 0 { 403 } else if place < steps { 200 } else { 404 };
                assert_eq!(answer.status, expected, "{place} at {reach}: {}", answer.body);
            }
        }
    }
}
