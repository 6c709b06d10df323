//! Making, changing and looking at connections; which leads go.

use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard::clock::Clock as _;

use super::*;

with_a_crm! {
    async fn a_connection_is_checked_field_by_field_and_its_secrets_are_never_read_back(app: TestApp, crm: Script, clock: Clock) {
        let kinds = app.get("/crm-adapters").await;
        assert_eq!((&kinds["items"][0]["kind"], &kinds["items"][0]["two_way"]), (&json!("scripted"), &json!(true)));
        for (body, field) in [
            (json!({"kind": "none"}), "kind"),
            (json!({"kind": "scripted", "settings": {"script": "x", "token": "t"}}), "settings.script"),
            (json!({"kind": "scripted", "settings": {"script": crm.name}}), "settings.token"),
            (json!({"kind": "scripted", "settings": crm.settings(), "name": "a\nb"}), "name"),
            (json!({"kind": "scripted", "settings": crm.settings(), "options": {"lines": ["lin_none"]}}), "options.lines[0]"),
            (json!({"kind": "scripted", "settings": crm.settings(), "options": {"language": "xx"}}), "options.language"),
            (json!({"kind": "scripted", "settings": crm.settings(), "mapping": {"fields": [{"to": "A", "from": "lead.none"}]}}), "mapping.fields[0].from"),
        ] {
            let refused = app.post("/crm-connections", body.clone()).await.expect(422);
            assert_eq!(refused["errors"][0]["field"], field, "{body}");
        }
        let made = connect(&app, &crm, json!({"enabled": false})).await;
        assert_eq!((&made["state"], &made["settings"]["token"], &made["settings"]["script"]), (&json!("paused"), &Value::Null, &json!(crm.name)));
        let rows = switchboard::sync::store::all(app.app.db.read()).await.unwrap();
        let sealed = rows[0].secrets.clone().unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("right"));
        let path = format!("/crm-connections/{}", id(&made));
        let check = app.post(&format!("{path}/check"), json!({})).await.expect(200);
        assert_eq!((&check["ok"], &check["detail"]), (&json!(true), &json!("Signed in as Ann; leads may be written")));
        let fields = app.get(&format!("{path}/fields")).await;
        assert_eq!((&fields["items"][1]["kind"], &fields["items"][1]["options"][0]["label"]), (&json!("choice"), &json!("Web site")));
        let states = app.get(&format!("{path}/statuses")).await;
        assert_eq!((&states["items"][2]["id"], &states["items"][2]["stage"]), (&json!("SOLD"), &json!("won")));
        assert!(app.get("/crm-sources").await["items"].as_array().unwrap().len() > 20);
        crm.wants_token("other");
        assert_eq!(app.post(&format!("{path}/check"), json!({})).await.expect(200)["ok"], false);
        let refused = app.call("GET", &format!("{path}/fields"), None).await.expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("sign in anew"));
        app.patch(&path, json!({"name": "B", "version": 1})).await.expect(200);
        app.patch(&path, json!({"name": "C", "version": 1})).await.expect(409);
        app.call("DELETE", &path, None).await.expect(204);
        app.call("GET", &path, None).await.expect(404);
        drop(clock);
    }

    async fn admins_alone_connect_and_who_sees_a_lead_sees_where_it_is(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        crm.until("it goes", |crm| crm.of(id(&made)).len() == 1).await;
        settled(&app, &connection).await;
        let (me, operator) = app.operator("Olga", "operator").await;
        let (_, supervisor) = app.operator("Sam", "supervisor").await;
        let one = format!("/crm-connections/{}", id(&connection));
        for key in [&operator, &supervisor] {
            for (method, path) in [
                ("GET", "/crm-adapters".to_owned()),
                ("GET", "/crm-sources".to_owned()),
                ("GET", "/crm-connections".to_owned()),
                ("GET", one.clone()),
                ("DELETE", one.clone()),
                ("GET", format!("{one}/fields")),
                ("GET", format!("{one}/queue")),
            ] {
                app.call_as(key, method, &path, None).await.expect(403);
            }
            for path in ["/crm-connections".to_owned(), format!("{one}/check"), format!("{one}/queue/retry"), format!("{one}/backfill")] {
                let status = app.call_as(key, "POST", &path, Some(json!({}))).await.status;
                assert!([403, 422].contains(&status), "{path}: {status}");
            }
        }
        let links = format!("/leads/{}/crm-links", id(&made));
        app.call_as(&operator, "GET", &links, None).await.expect(404);
        let seen = app.call_as(&supervisor, "GET", &links, None).await.expect(200);
        assert_eq!(seen["items"][0]["remote_id"], "r1");
        app.patch(&format!("/leads/{}", id(&made)), json!({"operator_id": me["id"]})).await.expect(200);
        app.call_as(&operator, "GET", &links, None).await.expect(200);
        drop(clock);
    }

    async fn a_paused_connection_keeps_what_happens_until_it_goes_on(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({"enabled": false})).await;
        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        app.until("it waits", || async { (current(&app, &connection).await["waiting"] == 1).then_some(()) }).await;
        pass(&app, &clock, TimeDelta::days(40));
        assert_eq!(crm.records().len(), 0);
        let path = format!("/crm-connections/{}", id(&connection));
        app.patch(&path, json!({"enabled": true})).await.expect(200);
        crm.until("it goes", |crm| crm.of(id(&made)).len() == 1).await;
        settled(&app, &connection).await;
    }

    async fn earlier_leads_go_when_asked_for_and_only_those_of_its_lines(app: TestApp, crm: Script, clock: Clock) {
        let (ours, theirs) = (form(&app).await, form(&app).await);
        let old = lead(&app, &ours, 1).await;
        clock.advance(TimeDelta::days(10));
        let from = clock.now();
        let recent = lead(&app, &ours, 2).await;
        let elsewhere = lead(&app, &theirs, 3).await;
        clock.advance(TimeDelta::days(1));
        let connection = connect(&app, &crm, json!({"options": {"lines": [ours["line_id"]]}})).await;
        let new = lead(&app, &ours, 4).await;
        lead(&app, &theirs, 5).await;
        crm.until("the new one goes by itself", |crm| crm.of(id(&new)).len() == 1).await;
        settled(&app, &connection).await;
        let path = format!("/crm-connections/{}/backfill", id(&connection));
        let begun = app.post(&path, json!({"from": from})).await.expect(200);
        assert_eq!((&begun["backfill"]["total"], &begun["backfill"]["done"]), (&json!(2), &json!(0)));
        crm.until("the recent one goes", |crm| crm.of(id(&recent)).len() == 1).await;
        app.until("it is over", || async { current(&app, &connection).await["backfill"].is_null().then_some(()) }).await;
        settled(&app, &connection).await;
        assert_eq!(crm.records().len(), 2, "not {} nor {}", old["id"], elsewhere["id"]);
        let soon = clock.now() + TimeDelta::days(1);
        app.post(&path, json!({"from": soon})).await.expect(422);
    }

    async fn a_connection_made_anew_finds_what_the_old_one_made(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        crm.until("it is made", |crm| crm.of(id(&made)).len() == 1).await;
        settled(&app, &connection).await;
        app.call("DELETE", &format!("/crm-connections/{}", id(&connection)), None).await.expect(204);
        let from = clock.now() - TimeDelta::days(1);
        clock.advance(TimeDelta::hours(1));
        let again = connect(&app, &crm, json!({})).await;
        app.post(&format!("/crm-connections/{}/backfill", id(&again)), json!({"from": from})).await.expect(200);
        crm.until("it is found", |crm| crm.asked("update").len() == 1).await;
        settled(&app, &again).await;
        assert_eq!(crm.asked("create").len(), 1);
        let links = app.get(&format!("/leads/{}/crm-links", id(&made))).await;
        assert_eq!((links["items"].as_array().unwrap().len(), &links["items"][0]["remote_id"]), (1, &json!("r1")));
    }
}
