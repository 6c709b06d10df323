//! Warnings about lines, and what hours come to.

use serde_json::{Value, json};

fn codes(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|one| one["code"].as_str().unwrap()).collect()
}

both_databases! {
    async fn a_line_tells_why_it_would_serve_nobody(app: TestApp) {
        let (anna, _) = app.operator("Anna", "operator").await;
        let team = app.post("/teams", json!({"name": "Night"})).await.expect(201);
        let line = app.line("Support", json!({})).await;
        let id = line["id"].as_str().unwrap().to_owned();
        let path = format!("/lines/{id}/warnings");
        assert_eq!(codes(&app.get(&path).await), ["queue_empty", "no_channel"]);
        app.channel("webchat", &line, json!({})).await;
        let change = |body: Value| { let app = &app; let id = id.clone(); async move {
            app.patch(&format!("/lines/{id}"), body).await.expect(200);
        } };
        change(json!({"queue": [{"team_id": team["id"]}]})).await;
        assert_eq!(codes(&app.get(&path).await), ["queue_without_members"]);
        app.patch(&format!("/teams/{}", team["id"].as_str().unwrap()), json!({"member_ids": [anna["id"]]})).await.expect(200);
        assert_eq!(codes(&app.get(&path).await), Vec::<&str>::new());
        change(json!({"required_skills": ["billing"], "hours": {"time_zone": "UTC", "weekly": {}}})).await;
        let told = app.get(&path).await;
        assert_eq!(codes(&told), ["skills_missing", "never_open"]);
        assert_eq!((&told["items"][0]["severity"], &told["items"][0]["field"]), (&json!("error"), &json!("required_skills")));
        assert!(told["items"][0]["text"].as_str().unwrap().contains("billing"));
        let anna_path = format!("/users/{}", anna["id"].as_str().unwrap());
        app.patch(&anna_path, json!({"skills": ["Billing"], "capacity": 0.5})).await.expect(200);
        change(json!({"hours": null})).await;
        assert_eq!(codes(&app.get(&path).await), ["capacity_too_small"]);
        app.patch(&anna_path, json!({"enabled": false})).await.expect(200);
        assert_eq!(codes(&app.get(&path).await), ["members_disabled"]);
    }

    async fn an_overflow_that_goes_round_is_told_on_each_of_its_lines(app: TestApp) {
        let a = app.line("A", json!({})).await;
        let b = app.line("B", json!({"overflow": {"line_id": a["id"], "after_secs": 60}})).await;
        let path = format!("/lines/{}", a["id"].as_str().unwrap());
        app.patch(&path, json!({"overflow": {"line_id": b["id"], "after_secs": 60}})).await.expect(200);
        let first = app.get("/lines/warnings?limit=1").await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = app.get(&format!("/lines/warnings?limit=1&cursor={cursor}")).await;
        for (page, line) in [(&first, &a), (&second, &b)] {
            assert_eq!(page["items"][0]["line_id"], line["id"]);
            let warnings = page["items"][0]["warnings"].as_array().unwrap();
            assert!(warnings.iter().any(|one| one["code"] == "overflow_cycle"), "{warnings:?}");
        }
        app.patch(&path, json!({"enabled": false})).await.expect(200);
        let told = app.get(&format!("/lines/{}/warnings", b["key"].as_str().unwrap())).await;
        assert!(codes(&told).contains(&"overflow_to_disabled"));
    }

    async fn supervisors_read_warnings_and_operators_do_not(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let path = format!("/lines/{}/warnings", line["id"].as_str().unwrap());
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        let (_, operator) = app.operator("Olim", "operator").await;
        app.call_as(&supervisor, "GET", &path, None).await.expect(200);
        for path in [path.as_str(), "/lines/warnings"] {
            app.call_as(&operator, "GET", path, None).await.expect(403);
        }
        app.call("GET", "/lines/lin_nothing/warnings", None).await.expect(404);
    }

    async fn drawn_hours_say_when_they_close_and_open(app: TestApp) {
        let hours = json!({"time_zone": "Asia/Tashkent", "weekly": {"mon": [["09:00", "13:00"], ["13:00", "18:00"]], "fri": [["22:00", "06:00"]]},
            "exceptions": [{"date": "2026-11-30", "intervals": []}]});
        let ask = |at: &str| app.post("/lines/opening-preview", json!({"hours": hours, "at": at}));
        let open = ask("2026-11-23T04:00:00Z").await.expect(200);
        assert_eq!((&open["open"], &open["closes_at"], &open["opens_at"]), (&json!(true), &json!("2026-11-23T13:00:00Z"), &Value::Null));
        let closed = ask("2026-11-23T13:00:00Z").await.expect(200);
        assert_eq!((&closed["open"], &closed["closes_at"], &closed["opens_at"]), (&json!(false), &Value::Null, &json!("2026-11-27T17:00:00Z")));
        let holiday = ask("2026-11-30T05:00:00Z").await.expect(200);
        assert_eq!(holiday["opens_at"], "2026-12-04T17:00:00Z");
        let always = app.post("/lines/opening-preview", json!({"hours": null})).await.expect(200);
        assert_eq!((&always["open"], &always["closes_at"]), (&json!(true), &Value::Null));
    }

    async fn hours_that_cannot_be_are_refused_and_only_admins_preview(app: TestApp) {
        let wrong = json!({"hours": {"time_zone": "Mars/Base", "weekly": {"mon": [["9", "10:00"]]}}});
        let answer = app.post("/lines/opening-preview", wrong).await.expect(422);
        let fields: Vec<&str> = answer["errors"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["hours.time_zone", "hours.weekly.mon"]);
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        app.call_as(&supervisor, "POST", "/lines/opening-preview", Some(json!({"hours": null}))).await.expect(403);
    }
}
