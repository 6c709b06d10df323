//! Every object, action and reach, over real requests.

use serde_json::{Value, json};

use super::world::{OBJECTS, REACHES, World, actions, list, rights};
use crate::people::text;

/// What a change of an object is.
fn change(object: &str, id: &str) -> (&'static str, String, Value) {
    let path = format!("{}/{id}", list(object));
    match object {
        "conversation" => ("POST", format!("{path}/priority"), json!({"priority": 3})),
        "contact" => ("PATCH", path, json!({"language": "uz"})),
        "company" => ("PATCH", path, json!({"tax_number": "7701"})),
        "lead" | "deal" | "task" => ("PATCH", path, json!({"title": "Changed"})),
        // Accepted already: whoever may approve it changes nothing.
        "submission" => ("POST", format!("{path}/approve"), json!({})),
        other => panic!("{other}"),
    }
}

fn lacks(body: &Value, object: &str, action: &str) -> bool {
    body["code"] == "no_right"
        && body["type"] == "/problems/no-right"
        && body["right"] == json!({"object": object, "action": action})
}

both_databases! {
    async fn what_is_seen_is_what_the_reach_of_view_takes_in(app: TestApp) {
        let world = World::make(&app).await;
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, rights(&[("view", reach), ("edit", reach)])).await;
            for object in OBJECTS {
                let seen = world.within(object, steps);
                if steps == 0 {
                    let refused = world.asks(&app, "GET", list(object), None).await.expect(403);
                    assert!(lacks(&refused, object, "view"), "{object}: {refused}");
                } else {
                    // A list of tasks alone is of people: those about objects stand with the objects.
                    let listed = world.listed(&app, object, list(object)).await;
                    let of_people: Vec<String> = world.of(object).iter().enumerate()
                        .filter(|(place, _)| *place < steps && (object != "task" || steps == 4 || *place != 1))
                        .map(|(_, id)| id.clone()).collect();
                    assert_eq!(listed, of_people, "{object} {reach}");
                }
                for (place, id) in world.of(object).iter().enumerate() {
                    let answer = world.asks(&app, "GET", &format!("{}/{id}", list(object)), None).await;
                    let expected = if steps == 0 { 403 } else if place < steps { 200 } else { 404 };
                    assert_eq!(answer.status, expected, "{object} {place} at {reach}: {}", answer.body);
                    // What is out of sight is not there for changes either.
                    if place >= steps && steps > 0 && object != "call" {
                        let (method, path, body) = change(object, id);
                        let answer = world.asks(&app, method, &path, Some(body)).await;
                        assert_eq!(answer.status, 404, "{object} {place} at {reach}: {}", answer.body);
                    }
                }
                assert_eq!(seen.len(), steps);
            }
        }
    }

    async fn what_is_changed_is_what_the_reach_of_edit_takes_in(app: TestApp) {
        let world = World::make(&app).await;
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, rights(&[("view", "all"), ("edit", reach)])).await;
            for object in OBJECTS.into_iter().filter(|object| *object != "call") {
                for (place, id) in world.of(object).iter().enumerate() {
                    let (method, path, body) = change(object, id);
                    let answer = world.asks(&app, method, &path, Some(body)).await;
                    if place < steps {
                        assert_eq!(answer.status, 200, "{object} {place} at {reach}: {}", answer.body);
                    } else {
                        assert_eq!(answer.status, 403, "{object} {place} at {reach}: {}", answer.body);
                        assert!(lacks(&answer.body, object, "edit"), "{}", answer.body);
                    }
                }
            }
            // Who has no right to edit makes nothing new; whoever has any makes their own.
            for (path, body) in [("/contacts", json!({"name": "New"})), ("/companies", json!({"name": format!("New {reach}")})),
                ("/deals", json!({"title": "New"})), ("/tasks", json!({"title": "New"}))] {
                let answer = world.asks(&app, "POST", path, Some(body)).await;
                assert_eq!(answer.status, if steps == 0 { 403 } else { 201 }, "{path} at {reach}: {}", answer.body);
            }
            let dialled = world.asks(&app, "POST", "/calls", Some(json!({"number": "+998901234567"}))).await;
            assert_eq!(lacks(&dialled.body, "call", "edit"), steps == 0, "{}", dialled.body);
        }
    }

    async fn what_is_removed_is_what_the_reach_of_delete_takes_in(app: TestApp) {
        let world = World::make(&app).await;
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, rights(&[("view", "all"), ("edit", "all"), ("delete", reach)])).await;
            for object in OBJECTS.into_iter().filter(|object| *object != "contact" && actions(object).contains(&"delete")) {
                for (place, id) in world.of(object).iter().enumerate().rev() {
                    let answer = world.asks(&app, "DELETE", &format!("{}/{id}", list(object)), None).await;
                    // The nearer ones went with the steps before.
                    let expected = if steps == 0 || place >= steps { 403 } else if place + 1 == steps { 204 } else { 404 };
                    assert_eq!(answer.status, expected, "{object} {place} at {reach}: {}", answer.body);
                    if expected == 403 {
                        assert!(lacks(&answer.body, object, "delete"), "{}", answer.body);
                    }
                }
            }
        }
    }

    async fn what_is_taken_out_is_what_the_reach_of_export_takes_in(app: TestApp) {
        let world = World::make(&app).await;
        for (steps, reach) in REACHES.into_iter().enumerate() {
            world.may(&app, rights(&[("view", "all"), ("edit", "all"), ("export", reach)])).await;
            for object in ["contact", "company", "lead", "submission", "call"] {
                let answer = world.asks(&app, "GET", &format!("{}/export", list(object)), None).await;
                if steps == 0 {
                    assert_eq!(answer.status, 403, "{object}");
                    assert!(lacks(&answer.body, object, "export"), "{}", answer.body);
                    continue;
                }
                assert_eq!(answer.status, 200, "{object} {}", answer.body);
                let file = text(&answer.body);
                for (place, id) in world.of(object).iter().enumerate() {
                    assert_eq!(file.contains(id.as_str()), place < steps, "{object} {place} at {reach}: {file}");
                }
            }
            for (place, id) in world.of("conversation").iter().enumerate() {
                let path = format!("/conversations/{id}/transcript");
                let answer = world.asks(&app, "POST", &path, Some(json!({"email": "a@client.example"}))).await;
                assert_eq!(lacks(&answer.body, "conversation", "export"), place >= steps, "{place} at {reach}: {}", answer.body);
            }
            for path in ["/reports/leads.csv", "/reports/funnel.csv"] {
                let answer = world.asks(&app, "GET", path, None).await;
                assert_eq!(answer.status, if steps == 0 { 403 } else { 200 }, "{path}: {}", answer.body);
            }
        }
    }
}
