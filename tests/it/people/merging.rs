//! Merging two contacts and undoing it, as people see it.

use serde_json::{Value, json};

use super::{by_hand, contact_of, items, line_with_channel, text, writes};
use crate::support::TestApp;

async fn merge(app: &TestApp, from: &str, into: &str) -> Value {
    let path = format!("/contacts/{into}/merge");
    app.post(&path, json!({"from": from})).await.expect(200)
}

both_databases! {
    async fn a_merged_contact_is_the_survivor_and_comes_back_as_it_was(app: TestApp) {
        let (_, form) = line_with_channel(&app, "Sales", json!({})).await;
        let (_, other_form) = line_with_channel(&app, "Support", json!({})).await;
        let from_thread = writes(&app, &form, "Anna", &["+998901234567!"], "hello").await;
        let into_thread = writes(&app, &other_form, "A. Karenina", &["anna@x.example!"], "good day").await;
        let (from, into) = (contact_of(&app, &from_thread).await, contact_of(&app, &into_thread).await);
        let said = json!({"fields": {"size": "L"}, "tags": ["vip"], "language": "ru"});
        app.patch(&format!("/contacts/{from}"), said).await.expect(200);
        let card = |id: &str| format!("/contacts/{id}");
        let before = (app.get(&card(&from)).await, app.get(&card(&into)).await);
        let leads = |id: &str| format!("/leads?contact={id}");
        assert_eq!((items(&app.get(&leads(&from)).await).len(), items(&app.get(&leads(&into)).await).len()), (1, 1));

        let merged = merge(&app, &from, &into).await;
        assert!(text(&merged["merge_id"]).starts_with("mrg_"));
        assert_eq!((&merged["id"], &merged["name"]), (&json!(into), &json!("A. Karenina")), "the survivor keeps its name");
        assert_eq!((&merged["fields"], &merged["tags"], &merged["language"]), (&json!({"size": "L"}), &json!(["vip"]), &json!("ru")));
        assert_eq!((&merged["phones"], &merged["emails"]), (&json!(["+998901234567"]), &json!(["anna@x.example"])));
        let gone = app.get(&card(&from)).await;
        assert_eq!((&gone["merged_into"], &gone["phones"], &gone["name"]), (&json!(into), &json!([]), &json!("Anna")));
        assert_eq!(items(&app.get("/contacts").await).len(), 1);
        assert_eq!(contact_of(&app, &from_thread).await, into);
        let open = app.get(&leads(&into)).await;
        assert_eq!(items(&open).len(), 1, "two open leads became one: {open}");
        for thread in [&from_thread, &into_thread] {
            assert_eq!(app.get(&format!("/conversations/{thread}")).await["lead_id"], open["items"][0]["id"]);
        }
        // Whoever writes from either address is the survivor, on the conversation that was there.
        assert_eq!(writes(&app, &form, "Anna", &["+998901234567!"], "again").await, from_thread);

        let undone = app.post(&format!("/contacts/{into}/unmerge"), json!({})).await.expect(200);
        assert_eq!((&undone["merge_id"], &undone["from_id"]), (&merged["merge_id"], &json!(from)));
        let strip = |mut card: Value| {
            for field in ["version", "updated_at"] {
                card.as_object_mut().unwrap().remove(field);
            }
            card
        };
        let after = (app.get(&card(&from)).await, app.get(&card(&into)).await);
        assert_eq!((strip(after.0), strip(after.1)), (strip(before.0), strip(before.1)));
        assert_eq!(contact_of(&app, &from_thread).await, from);
        assert_eq!((items(&app.get(&leads(&from)).await).len(), items(&app.get(&leads(&into)).await).len()), (1, 1));
        assert_eq!(contact_of(&app, &writes(&app, &form, "Anna", &["+998901234567!"], "third").await).await, from);
    }

    async fn what_came_since_stays_with_the_survivor(app: TestApp) {
        let (_, form) = line_with_channel(&app, "Sales", json!({})).await;
        let (_, new_form) = line_with_channel(&app, "Support", json!({})).await;
        let from_thread = writes(&app, &form, "Anna", &["+998901234567!"], "hello").await;
        let from = contact_of(&app, &from_thread).await;
        let into = by_hand(&app, json!({"emails": ["anna@x.example"]})).await;
        merge(&app, &from, &into).await;
        let path = format!("/contacts/{into}");
        let card = app.patch(&path, json!({"name": "Anna Karenina", "tags": ["new"], "emails": ["anna@x.example", "second@x.example"]})).await.expect(200);
        assert_eq!(card["name"], "Anna Karenina");
        let since = writes(&app, &new_form, "Anna", &["+998901234567!"], "on another channel").await;
        assert_eq!(app.get(&format!("/conversations/{since}")).await["lead_id"], app.get(&format!("/conversations/{from_thread}")).await["lead_id"]);
        app.post(&format!("/contacts/{from}/unmerge"), json!({})).await.expect(200);
        let card = app.get(&path).await;
        assert_eq!((&card["name"], &card["tags"]), (&json!("Anna Karenina"), &json!(["new"])), "what somebody changed since stays");
        assert_eq!(card["emails"].as_array().unwrap().len(), 2);
        assert_eq!(contact_of(&app, &since).await, into);
        assert_eq!(contact_of(&app, &from_thread).await, from);
        // The lead went back with its conversation, so the other conversation lets go of it.
        assert_eq!(app.get(&format!("/conversations/{since}")).await["lead_id"], Value::Null);
        assert_eq!(app.get(&format!("/contacts/{from}")).await["name"], "Anna");
    }

    async fn merges_that_make_no_sense_are_refused_with_the_reason(app: TestApp) {
        let [a, b, c] = [by_hand(&app, json!({"name": "A"})).await, by_hand(&app, json!({"name": "B"})).await, by_hand(&app, json!({"name": "C"})).await];
        let path = |id: &str, what: &str| format!("/contacts/{id}/{what}");
        app.post(&path(&a, "merge"), json!({"from": a})).await.expect(422);
        app.post(&path(&a, "merge"), json!({"from": "cnt_nobody"})).await.expect(422);
        app.post(&path("cnt_nobody", "merge"), json!({"from": a})).await.expect(404);
        app.post(&path(&a, "unmerge"), json!({})).await.expect(409);
        let first = merge(&app, &a, &b).await;
        let refused = app.post(&path(&c, "merge"), json!({"from": a})).await.expect(409);
        assert!(text(&refused["detail"]).contains(&b), "{refused}");
        app.post(&path(&a, "merge"), json!({"from": c})).await.expect(409);
        app.patch(&format!("/contacts/{a}"), json!({"name": "x"})).await.expect(409);
        app.post("/leads", json!({"contact_id": a, "title": "x"})).await.expect(422);
        // A chain: where it ends is told, and it is taken apart from its end.
        let second = merge(&app, &b, &c).await;
        assert_eq!(app.get(&format!("/contacts/{a}")).await["merged_into"], json!(c));
        let refused = app.post(&path(&a, "unmerge"), json!({})).await.expect(409);
        assert!(text(&refused["detail"]).contains(&c), "{refused}");
        app.post(&path(&a, "unmerge"), json!({"merge_id": second["merge_id"]})).await.expect(404);
        app.post(&path(&c, "unmerge"), json!({"merge_id": second["merge_id"]})).await.expect(200);
        assert_eq!(app.get(&format!("/contacts/{a}")).await["merged_into"], json!(b));
        app.post(&path(&b, "unmerge"), json!({"merge_id": first["merge_id"]})).await.expect(200);
        app.post(&path(&b, "unmerge"), json!({"merge_id": first["merge_id"]})).await.expect(409);
        assert_eq!(app.get(&format!("/contacts/{a}")).await["merged_into"], Value::Null);
    }

    async fn of_several_merges_at_once_one_holds(app: TestApp) {
        for _ in 0..3 {
            let [a, b, c] = [by_hand(&app, json!({"name": "A"})).await, by_hand(&app, json!({"name": "B"})).await, by_hand(&app, json!({"name": "C"})).await];
            let tries = [(&a, &b), (&a, &c), (&b, &a), (&a, &b)].map(|(from, into)| {
                let app = &app;
                async move { app.post(&format!("/contacts/{into}/merge"), json!({"from": from})).await.status }
            });
            let statuses = futures_util::future::join_all(tries).await;
            assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
            let mut standing = 0;
            for id in [&a, &b, &c] {
                standing += usize::from(app.get(&format!("/contacts/{id}")).await["merged_into"].is_null());
            }
            let done = statuses.iter().filter(|status| **status == 200).count();
            // Two may hold: one of A and B into the other, and that one into C.
            assert_eq!(standing, 3 - done, "{statuses:?}");
        }
    }

    async fn an_undo_that_others_rest_on_says_which_comes_first(app: TestApp) {
        let (_, form) = line_with_channel(&app, "Sales", json!({})).await;
        let (_, second) = line_with_channel(&app, "Support", json!({})).await;
        let a = contact_of(&app, &writes(&app, &form, "A", &["a!"], "hello").await).await;
        let b = contact_of(&app, &writes(&app, &second, "B", &["b!"], "hello").await).await;
        let into = by_hand(&app, json!({"name": "C"})).await;
        // A's lead moves to C; B's is taken in by it.
        let first = merge(&app, &a, &into).await;
        merge(&app, &b, &into).await;
        let path = format!("/contacts/{into}/unmerge");
        let refused = app.post(&path, json!({"merge_id": first["merge_id"]})).await.expect(409);
        assert!(text(&refused["detail"]).contains(&b), "{refused}");
        app.post(&path, json!({})).await.expect(200);
        app.post(&path, json!({})).await.expect(200);
        for id in [&a, &b] {
            let leads = app.get(&format!("/leads?contact={id}")).await;
            assert_eq!((items(&leads).len(), &leads["items"][0]["status"]), (1, &json!("new")));
        }
    }

    async fn a_lead_that_was_joined_is_in_no_list_and_cannot_be_changed(app: TestApp) {
        let (_, form) = line_with_channel(&app, "Sales", json!({})).await;
        let (_, second) = line_with_channel(&app, "Support", json!({})).await;
        let from = contact_of(&app, &writes(&app, &form, "A", &["a!"], "hello").await).await;
        let into = contact_of(&app, &writes(&app, &second, "B", &["b!"], "hello").await).await;
        let joined = app.get(&format!("/leads?contact={from}")).await["items"][0]["id"].clone();
        app.patch(&format!("/leads/{}", text(&joined)), json!({"status": "in_progress"})).await.expect(200);
        merge(&app, &from, &into).await;
        let listed = app.get("/leads").await;
        assert_eq!((items(&listed).len(), &listed["items"][0]["status"]), (1, &json!("in_progress")), "in progress when either was");
        let path = format!("/leads/{}", text(&joined));
        assert_eq!(app.get(&path).await["status"], "merged");
        app.patch(&path, json!({"title": "x"})).await.expect(409);
        app.post(&format!("/contacts/{into}/unmerge"), json!({})).await.expect(200);
        let statuses = |page: Value| items(&page).iter().map(|one| text(&one["status"]).to_owned()).collect::<Vec<_>>();
        let mut both = statuses(app.get("/leads").await);
        both.sort();
        assert_eq!(both, ["in_progress", "new"]);
    }
}
