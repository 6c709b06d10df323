//! What goes wrong on the way to a CRM, and what becomes of it.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard::clock::Clock as _;
use switchboard_crm::SyncError;

use super::{adapter::Trouble, *};

fn unknown() -> SyncError {
    SyncError::Unknown("no answer in time".to_owned())
}

/// Waits until no step is being done.
async fn nothing_on_its_way(app: &TestApp, connection: &Value) {
    app.until("nothing is on its way", || async {
        queue(app, connection, "?state=sending")
            .await
            .is_empty()
            .then_some(())
    })
    .await;
}

with_a_crm! {
    async fn nothing_is_lost_while_the_crm_is_down_for_many_attempts(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({"options": {"two_way": false}})).await;
        let form = form(&app).await;
        crm.is_down(true);
        let mut leads = vec![lead(&app, &form, 1).await, lead(&app, &form, 2).await];
        for round in 0..15 {
            let before = crm.asked("find").len();
            pass(&app, &clock, TimeDelta::hours(25));
            crm.until("it is asked again", |crm| crm.asked("find").len() > before).await;
            // A step is nobody else's for minutes, and hours pass here.
            nothing_on_its_way(&app, &connection).await;
            if round == 7 {
                leads.push(lead(&app, &form, 3).await);
            }
        }
        app.until("its failures are shown", || async {
            let shown = current(&app, &connection).await;
            (shown["failures"].as_i64().unwrap() > 3 && shown["last_error"] == "nobody answers").then_some(())
        }).await;
        assert_eq!(current(&app, &connection).await["state"], "running");
        let waiting = app.until("all of them wait", || async {
            let rows = queue(&app, &connection, "").await;
            let all = rows.len() == 3 && rows.iter().all(|row| row["state"] == "queued" && row["reason"] == "temporary");
            if !all {
                // A step that began just as the hours passed has no lease any more: it is looked for with time.
                pass(&app, &clock, TimeDelta::hours(25));
            }
            all.then_some(rows)
        }).await;
        assert!(waiting.iter().all(|row| !row["next_attempt_at"].is_null()));
        crm.is_down(false);
        // Whichever is asked for first, the others go with it when it is answered.
        pass(&app, &clock, TimeDelta::hours(25));
        let shown = settled(&app, &connection).await;
        assert_eq!((shown["failures"].as_i64(), shown["dead"].as_i64()), (Some(0), Some(0)));
        for lead in &leads {
            assert_eq!(crm.of(id(lead)).len(), 1);
        }
    }

    async fn what_may_have_been_made_is_found_and_not_made_twice(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let form = form(&app).await;
        crm.will("create", Trouble::DoesAndSays(unknown()));
        crm.will("create", Trouble::Crashes);
        let first = lead(&app, &form, 1).await;
        app.until("it is uncertain", || async {
            let rows = queue(&app, &connection, "").await;
            (rows.len() == 1 && rows[0]["reason"] == "unknown" && rows[0]["state"] == "queued").then_some(())
        }).await;
        let second = lead(&app, &form, 2).await;
        crm.until("the second crashes", |crm| crm.asked("create").len() == 2).await;
        app.until("both wait", || async { (queue(&app, &connection, "").await.len() == 2).then_some(()) }).await;
        pass(&app, &clock, TimeDelta::minutes(3));
        settled(&app, &connection).await;
        assert_eq!((crm.of(id(&first)).len(), crm.of(id(&second)).len()), (1, 1));
        let finds = crm.asked("find").into_iter().filter(|asked| asked.lead == id(&first)).count();
        assert_eq!(finds, 2, "before it was made, and before it would have been made again");
        let links = app.get(&format!("/leads/{}/crm-links", id(&first))).await;
        assert_eq!(links["items"][0]["remote_id"], crm.of(id(&first))[0].id);
    }

    async fn a_server_that_dies_between_making_a_record_and_knowing_it_makes_no_other(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let form = form(&app).await;
        crm.will("create", Trouble::DoesAndHangs);
        let made = lead(&app, &form, 1).await;
        crm.until("it is made there", |crm| crm.of(id(&made)).len() == 1).await;
        let database = app.stop().await;
        let app = start(database, &clock).await;
        // Its lease ends, and then what the search there found has settled.
        pass(&app, &clock, TimeDelta::minutes(6));
        app.until("it is put back, or found already", || async {
            let rows = queue(&app, &connection, "").await;
            let is_back = rows.iter().all(|row| row["state"] == "queued" && row["reason"] == "crashed");
            (is_back && queue(&app, &connection, "?state=sending").await.is_empty()).then_some(())
        }).await;
        pass(&app, &clock, TimeDelta::minutes(2));
        settled(&app, &connection).await;
        assert_eq!((crm.of(id(&made)).len(), crm.asked("create").len()), (1, 1));
        let links = app.get(&format!("/leads/{}/crm-links", id(&made))).await;
        assert_eq!((&links["items"][0]["remote_id"], &links["items"][0]["state"]), (&json!("r1"), &json!("ok")));
    }

    async fn a_crm_that_asks_for_patience_is_not_asked_before(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({"options": {"two_way": false}})).await;
        let form = form(&app).await;
        let patience = SyncError::Limited { message: "too many requests".to_owned(), after: Some(Duration::from_secs(90)) };
        crm.will("find", Trouble::Refuses(patience));
        let until = clock.now() + TimeDelta::seconds(90);
        let first = lead(&app, &form, 1).await;
        app.until("it is held", || async {
            let shown = current(&app, &connection).await;
            let held: Option<chrono::DateTime<chrono::Utc>> = serde_json::from_value(shown["blocked_until"].clone()).unwrap();
            (held == Some(until)).then_some(())
        }).await;
        let second = lead(&app, &form, 2).await;
        app.until("both wait", || async { (current(&app, &connection).await["waiting"] == 2).then_some(()) }).await;
        pass(&app, &clock, TimeDelta::seconds(60));
        pass(&app, &clock, TimeDelta::seconds(31));
        let shown = settled(&app, &connection).await;
        assert_eq!(shown["failures"], 0, "to be slow is no failure");
        assert_eq!((crm.of(id(&first)).len(), crm.of(id(&second)).len()), (1, 1));
        let early = crm.asked("find").into_iter().filter(|asked| asked.at < until).count();
        assert_eq!(early, 1, "the one that was refused");
        assert!(crm.asked("create").iter().all(|asked| asked.at >= until));
    }

    async fn a_refused_sign_in_stops_with_an_alarm_and_new_settings_go_on_with_all_that_waits(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let form = form(&app).await;
        crm.wants_token("other");
        let mut leads = vec![lead(&app, &form, 1).await];
        let stopped = app.until("it stops", || async {
            let shown = current(&app, &connection).await;
            (shown["state"] == "stopped").then_some(shown)
        }).await;
        assert!(stopped["stopped_because"].as_str().unwrap().contains("sign in anew"));
        let asked = crm.asked("find").len();
        leads.push(lead(&app, &form, 2).await);
        app.until("both wait", || async { (current(&app, &connection).await["waiting"] == 2).then_some(()) }).await;
        pass(&app, &clock, TimeDelta::hours(25));
        let path = format!("/crm-connections/{}", id(&connection));
        // A new name is no new key.
        let renamed = app.patch(&path, json!({"name": "Their CRM", "settings": {"token": null}})).await.expect(200);
        assert_eq!((&renamed["state"], &renamed["settings"]["token"]), (&json!("stopped"), &Value::Null));
        assert_eq!(crm.asked("find").len(), asked, "nobody asked meanwhile");
        let resumed = app.patch(&path, json!({"settings": {"token": "other"}})).await.expect(200);
        assert_eq!((&resumed["state"], &resumed["stopped_because"]), (&json!("running"), &Value::Null));
        settled(&app, &connection).await;
        for lead in &leads {
            assert_eq!(crm.of(id(lead)).len(), 1);
        }
    }

    async fn what_is_refused_names_its_field_and_holds_up_nothing_else(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let form = form(&app).await;
        let refusal = SyncError::Refused { message: "BUDGET must be filled".to_owned(), field: Some("BUDGET".to_owned()) };
        crm.will("create", Trouble::Refuses(refusal.clone()));
        let first = lead(&app, &form, 1).await;
        let dead = app.until("it is dead", || async { queue(&app, &connection, "?state=dead").await.pop() }).await;
        assert_eq!((&dead["field"], &dead["error"], &dead["lead_id"]), (&json!("BUDGET"), &json!("BUDGET must be filled"), &first["id"]));
        let second = lead(&app, &form, 2).await;
        crm.until("the other is made", |crm| crm.of(id(&second)).len() == 1).await;
        assert_eq!(current(&app, &connection).await["dead"], 1);
        let shown = app.get(&format!("/leads/{}/crm-links", id(&first))).await;
        assert_eq!((&shown["items"][0]["state"], &shown["items"][0]["error"]), (&json!("failed"), &json!("BUDGET must be filled")));
        // By hand, one by one and all at once.
        crm.will("create", Trouble::Refuses(refusal));
        let path = |what: &str| format!("/crm-connections/{}/queue/{what}", id(&connection));
        let retried = app.post(&path("retry"), json!({"ids": [dead["id"]]})).await.expect(200);
        assert_eq!(retried["changed"], 1);
        crm.until("it is tried again", |crm| crm.asked("create").len() == 3).await;
        app.until("it is dead again", || async { (current(&app, &connection).await["dead"] == 1).then_some(()) }).await;
        assert_eq!(app.post(&path("discard"), json!({})).await.expect(200)["changed"], 1);
        assert_eq!(current(&app, &connection).await["dead"], 0);
        // Whoever fills the field meanwhile need not look for the button.
        clock.advance(TimeDelta::seconds(1));
        app.patch(&format!("/leads/{}", id(&first)), json!({"title": "Two bicycles"})).await.expect(200);
        crm.until("it is made", |crm| crm.of(id(&first)).len() == 1).await;
        settled(&app, &connection).await;
        app.post(&path("retry"), json!({"ids": []})).await.expect(422);
        app.post(&path("retry"), json!({"state": "eaten"})).await.expect(422);
    }

    async fn an_adapter_that_falls_over_stops_nobody_else(app: TestApp, crm: Script, clock: Clock) {
        let other = Script::new();
        let connection = connect(&app, &crm, json!({})).await;
        let beside = connect(&app, &other, json!({"name": "Another"})).await;
        crm.will("find", Trouble::Crashes);
        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        other.until("the other has it", |other| other.of(id(&made)).len() == 1).await;
        settled(&app, &beside).await;
        app.until("the crash is shown", || async {
            let shown = current(&app, &connection).await;
            (shown["last_error"] == "the adapter crashed").then_some(())
        }).await;
        pass(&app, &clock, TimeDelta::minutes(2));
        settled(&app, &connection).await;
        assert_eq!(crm.of(id(&made)).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_database_make_each_lead_once() {
    let clock = clock();
    let crm = Script::new();
    crm.is_slow(Duration::from_millis(5));
    let app = start(Database::postgres().await, &clock).await;
    let connection = connect(&app, &crm, json!({})).await;
    let other = start(app.database.shared(), &clock).await;
    let form = form(&app).await;
    let mut leads = Vec::new();
    for number in 0..12 {
        leads.push(lead(&app, &form, number).await);
        app.app.crm.bell().ring();
        other.app.crm.bell().ring();
    }
    crm.until("all are there", |crm| {
        leads.iter().all(|lead| !crm.of(id(lead)).is_empty())
    })
    .await;
    settled(&app, &connection).await;
    for lead in &leads {
        assert_eq!(crm.of(id(lead)).len(), 1);
    }
    assert_eq!(crm.asked("create").len(), leads.len());
    assert!(!crm.overlapped());
    // The one that worked goes, and the other goes on.
    let _database = app.stop().await;
    let last = lead(&other, &form, 99).await;
    for _ in 0..20 {
        pass(&other, &clock, TimeDelta::seconds(20));
        if !crm.of(id(&last)).is_empty() {
            break;
        }
        drop(
            tokio::time::timeout(
                Duration::from_millis(300),
                crm.until("it is made", |crm| !crm.of(id(&last)).is_empty()),
            )
            .await,
        );
    }
    assert_eq!(crm.of(id(&last)).len(), 1);
}
