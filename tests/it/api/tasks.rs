use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;

fn titles(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().unwrap();
    items.iter().map(|task| task["title"].as_str().unwrap()).collect()
}

fn path(task: &Value) -> String {
    format!("/tasks/{}", task["id"].as_str().unwrap())
}

both_databases_by_the_clock! {
    async fn tasks_stand_by_when_they_are_due(app: TestApp, clock: Clock) {
        let due = |title: &str, at: &str| json!({"title": title, "due_at": at});
        for body in [due("Later", "2026-11-25T08:00:00Z"), due("Overdue", "2026-11-23T07:00:00Z"), due("Tonight", "2026-11-23T18:30:00Z"),
            due("At once", "2026-11-23T08:00:00Z"), json!({"title": "Someday"})] {
            app.post("/tasks", body).await.expect(201);
        }
        let list = async |query: &str| app.get(&format!("/tasks?operator=me&time_zone=Asia/Tashkent&{query}")).await;
        assert_eq!(titles(&list("due=overdue").await), ["Overdue"]);
        assert_eq!(titles(&list("due=today").await), ["At once", "Tonight"]);
        assert_eq!(titles(&list("due=later").await), ["Later"]);
        assert_eq!(titles(&list("due=someday").await), ["Someday"]);
        assert_eq!(app.get("/tasks/counts?time_zone=Asia/Tashkent").await, json!({"overdue": 1, "today": 2}));
        // In Tashkent it is the next day at seven in the evening of UTC.
        clock.advance(TimeDelta::hours(11) + TimeDelta::minutes(1));
        assert_eq!(titles(&list("due=today").await), Vec::<&str>::new());
        assert_eq!(titles(&list("due=overdue").await), ["Overdue", "At once", "Tonight"]);
        let mut met = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app.get(&format!("/tasks?due=overdue&limit=1{cursor}")).await;
            met.extend(titles(&page).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(met, ["Overdue", "At once", "Tonight"]);
        let first = list("due=overdue").await["items"][0].clone();
        let done = app.patch(&path(&first), json!({"done": true, "version": 1})).await.expect(200);
        assert!(done["done_at"].is_string());
        clock.advance(TimeDelta::hours(1));
        assert_eq!(app.patch(&path(&first), json!({"done": true})).await.expect(200)["done_at"], done["done_at"]);
        assert_eq!((titles(&list("state=done").await), list("state=open").await["items"].as_array().unwrap().len()), (vec!["Overdue"], 4));
        assert_eq!(app.patch(&path(&first), json!({"done": false})).await.expect(200)["done_at"], Value::Null);
        app.patch(&path(&first), json!({"title": "x", "version": 1})).await.expect(409);
    }

    async fn a_reminder_comes_once_and_survives_a_restart_and_a_move(app: TestApp, clock: Clock) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let mut socket = app.socket(&key, None).await;
        socket.until(|frame| frame["type"] == "hello").await;
        let body = json!({"title": "Call back", "due_at": "2026-11-23T09:00:00Z", "operator_id": anna["id"]});
        let task = app.post("/tasks", body).await.expect(201);
        assert_eq!((&task["remind_at"], &task["reminded_at"]), (&task["due_at"], &Value::Null));
        clock.advance(TimeDelta::hours(1));
        let frame = socket.until(|frame| frame["type"] == "task.due").await;
        assert_eq!((&frame["data"]["id"], &frame["data"]["title"]), (&task["id"], &json!("Call back")));
        let told = app.get(&path(&task)).await;
        assert!(told["reminded_at"].is_string());
        // Another time is another reminder.
        app.patch(&path(&task), json!({"due_at": "2026-11-23T10:00:00Z"})).await.expect(200);
        assert_eq!(app.get(&path(&task)).await["reminded_at"], Value::Null);
        clock.advance(TimeDelta::hours(1));
        let frame = socket.until(|frame| frame["type"] == "task.due").await;
        assert_eq!(frame["data"]["due_at"], "2026-11-23T10:00:00Z");
        assert_eq!(switchboard::task::remind::tell(&app.app.db, clock_now(&app)).await.unwrap(), 0);
        let never = app.post("/tasks", json!({"title": "Quiet", "due_at": "2026-11-23T10:30:00Z", "remind_at": null})).await.expect(201);
        let done = app.post("/tasks", json!({"title": "Done", "due_at": "2026-11-23T10:30:00Z"})).await.expect(201);
        app.patch(&path(&done), json!({"done": true})).await.expect(200);
        clock.advance(TimeDelta::hours(1));
        assert_eq!(switchboard::task::remind::tell(&app.app.db, clock_now(&app)).await.unwrap(), 0);
        assert_eq!(app.get(&path(&never)).await["reminded_at"], Value::Null);
    }
}

fn clock_now(app: &TestApp) -> chrono::DateTime<chrono::Utc> {
    app.app.clock.now()
}

both_databases! {
    async fn a_task_is_about_what_its_maker_sees(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (boris, boris_key) = app.operator("Boris", "operator").await;
        let deal = app.post("/deals", json!({"title": "Ten chairs", "operator_id": anna["id"]})).await.expect(201);
        let on = json!({"type": "deal", "id": deal["id"]});
        let body = json!({"title": "Send the offer", "due_at": "2030-01-01T00:00:00Z", "on": on});
        let refused = app.call_as(&boris_key, "POST", "/tasks", Some(body.clone())).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "on.id");
        let task = app.call_as(&anna_key, "POST", "/tasks", Some(body)).await.expect(201);
        assert_eq!((&task["on"], &task["on_title"], &task["operator_id"], &task["created_by"]), (&on, &json!("Ten chairs"), &anna["id"], &anna["id"]));
        let of_deal = format!("/deals/{}", deal["id"].as_str().unwrap());
        assert_eq!(app.get(&of_deal).await["next_task"]["id"], task["id"]);
        let about = format!("/tasks?deal={}", deal["id"].as_str().unwrap());
        assert_eq!(titles(&app.get(&about).await), ["Send the offer"]);
        // Out of sight for others, until it is theirs to do.
        for listed in ["/tasks".to_owned(), about.clone()] {
            assert_eq!(titles(&app.call_as(&boris_key, "GET", &listed, None).await.expect(200)), Vec::<&str>::new());
        }
        for method in ["GET", "PATCH", "DELETE"] {
            let body = (method == "PATCH").then(|| json!({"done": true}));
            app.call_as(&boris_key, method, &path(&task), body).await.expect(404);
        }
        app.call_as(&anna_key, "PATCH", &path(&task), Some(json!({"operator_id": boris["id"]}))).await.expect(200);
        let theirs = app.call_as(&boris_key, "PATCH", &path(&task), Some(json!({"done": true}))).await.expect(200);
        assert!(theirs["done_at"].is_string());
        assert_eq!(app.get(&of_deal).await["next_task"], Value::Null);
        app.call("DELETE", &path(&task), None).await.expect(204);
        app.call("GET", &path(&task), None).await.expect(404);
        for (body, field) in [(json!({"title": " "}), "title"), (json!({"title": "x", "operator_id": "opr_x"}), "operator_id"),
            (json!({"title": "x", "on": {"type": "line", "id": "x"}}), "on.type"), (json!({"title": "x", "due_at": "soon"}), "due_at")] {
            assert_eq!(app.post("/tasks", body.clone()).await.expect(422)["errors"][0]["field"], field, "{body}");
        }
    }
}
