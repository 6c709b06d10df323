//! Simulations, by the API and by the program as people start it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard_sdk::{Clock, SystemClock};

use crate::{
    cli::{err, out, run},
    support::TestApp,
};

const EXAMPLE: &str = include_str!("../../config/examples/lines.toml");
const MORNING: &str = include_str!("../../config/examples/arrivals.csv");

/// A line with one operator who answered one of the two who came.
async fn a_day(app: &TestApp) -> (Value, Value) {
    let (me, key) = app.operator("Anna", "operator").await;
    app.go_online(&key).await;
    let rules = json!({"queue": [{"operator_id": me["id"]}], "limit_per_operator": 1});
    let line = app.line("Support", rules).await;
    let channel = app.channel("webchat", &line, json!({})).await;
    for text in ["Hello", "Is anybody there?"] {
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, text).await;
    }
    let assigned = app
        .until("the assignment", || async {
            let listed = app.get("/conversations").await;
            let found = listed["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["session"]["state"] == "assigned");
            found.map(|one| one["id"].as_str().unwrap().to_owned())
        })
        .await;
    let path = format!("/conversations/{assigned}/messages");
    app.call_as(&key, "POST", &path, Some(json!({"kind": "reply", "text": "Hi"})))
        .await
        .expect(201);
    (line, me)
}

fn period() -> Value {
    let now = SystemClock.now();
    json!({"from": now - TimeDelta::hours(1), "to": now + TimeDelta::hours(1)})
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn fields(answer: &Value) -> Vec<&str> {
    answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn recorded_sessions_are_played_beside_what_was(app: TestApp) {
        let (line, me) = a_day(&app).await;
        let path = format!("/lines/{}/simulate", line["id"].as_str().unwrap());
        let report = app.post(&path, with(period(), json!({"rules": {"limit_per_operator": null}}))).await.expect(200);
        let of = |name: &str| (report[name]["arrivals"].clone(), report[name]["answered"].clone(), report[name]["waiting"].clone());
        assert_eq!(of("today"), (json!(2), json!(1), json!(1)));
        // The first one is open still, and what it takes is drawn.
        assert_eq!(report["unchanged"]["arrivals"], 2);
        let given = |name: &str| report[name]["operators"][0]["sessions"].clone();
        assert_eq!((given("unchanged"), given("simulated")), (json!(1), json!(2)), "{report}");
        assert_eq!(report["today"]["operators"][0]["name"], "Anna");
        assert!(report["notes"].as_array().unwrap().contains(&json!("handling_drawn")));
        let again = app.post(&path, with(period(), json!({"rules": {"limit_per_operator": null}}))).await.expect(200);
        assert_eq!(again["simulated"]["wait_secs"], report["simulated"]["wait_secs"]);

        let alone = json!({"staff": [{"operator_id": me["id"], "away": true}]});
        let report = app.post(&path, with(period(), alone)).await.expect(200);
        assert_eq!((&report["simulated"]["answered"], &report["simulated"]["waiting"]), (&json!(0), &json!(2)));
        assert_eq!(report["simulated"]["operators"], json!([]));
        assert_eq!(app.get("/lines/support").await["version"], line["version"]);
    }

    async fn arrivals_may_be_given_and_what_cannot_be_is_named(app: TestApp) {
        let (me, _) = app.operator("Anna", "operator").await;
        let line = app.line("Support", json!({})).await;
        let path = format!("/lines/{}/simulate", line["id"].as_str().unwrap());
        let nothing = app.post(&path, period()).await.expect(422);
        assert_eq!((fields(&nothing), &nothing["errors"][0]["message"]), (vec!["from"], &json!("no sessions came on this line in this period")));
        let arrivals = json!([
            {"at": "2027-01-04T09:00:00Z", "handle_secs": 600}, {"at": "2027-01-04T09:00:30Z", "handle_secs": 60, "patience_secs": 120}
        ]);
        let given = json!({"arrivals": arrivals, "staff": [{"operator_id": me["id"], "capacity": 1.0}]});
        let report = app.post(&path, given.clone()).await.expect(200);
        assert_eq!((&report["today"], &report["unchanged"]["waiting"]), (&Value::Null, &json!(1)));
        assert_eq!((&report["simulated"]["answered"], &report["simulated"]["abandoned"]), (&json!(1), &json!(1)));
        assert_eq!((&report["from"], &report["to"]), (&json!("2027-01-04T09:00:00Z"), &json!("2027-01-04T10:00:30Z")));

        for (change, field) in [
            (json!({"rules": {"distribution": "random"}}), "rules.distribution"),
            (json!({"rules": {"overflow": {"line_id": "lin_x"}}}), "rules.overflow.line_id"),
            (json!({"staff": [{"operator_id": "opr_x"}]}), "staff.0.operator_id"),
            (json!({"staff": [{"operator_id": me["id"], "capacity": -1.0}]}), "staff.0.capacity"),
            (json!({"to": "2026-01-01T00:00:00Z", "from": "2026-01-02T00:00:00Z"}), "to"),
            (json!({"to": "2028-01-01T00:00:00Z"}), "to"),
            (json!({"accept_secs": -1.0}), "accept_secs"),
            (json!({"lapse_share": 1.5}), "lapse_share"),
            (json!({"arrivals": [], "from": "2027-01-04T09:00:00Z", "to": "2027-01-05T09:00:00Z"}), "arrivals"),
        ] {
            let refused = app.post(&path, with(given.clone(), change)).await.expect(422);
            assert_eq!(fields(&refused)[0], field, "{refused}");
        }
        app.post("/lines/lin_x/simulate", given.clone()).await.expect(404);
        let (_, operator) = app.operator("Olim", "operator").await;
        let (_, supervisor) = app.operator("Sara", "supervisor").await;
        app.call_as(&operator, "POST", &path, Some(given.clone())).await.expect(403);
        app.call_as(&supervisor, "POST", &path, Some(given)).await.expect(200);
    }

    async fn offers_and_the_actions_of_the_line_are_recorded_and_played(app: TestApp) {
        let (me, key) = app.operator("Anna", "operator").await;
        app.go_online(&key).await;
        let rules = json!({
            "queue": [{"operator_id": me["id"]}], "acceptance": "offer", "offer_timeout_secs": 1, "no_answer": {"action": "close"}
        });
        let line = app.line("Support", rules).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, "Hello").await;
        app.until("the end of the round", || async {
            let listed = app.get("/conversations?view=closed").await;
            (listed["items"][0]["session"]["close_reason"] == "no_answer").then_some(())
        }).await;
        let path = format!("/lines/{}/simulate", line["id"].as_str().unwrap());
        let report = app.post(&path, with(period(), json!({"lapse_share": 1.0}))).await.expect(200);
        let of = |name: &str, field: &str| report[name][field].clone();
        // She was asked alone, and once more as all who did not answer.
        for (field, times) in [("offers", 2), ("offers_lapsed", 2), ("no_answer_actions", 1), ("closed", 1), ("abandoned", 0), ("unanswered", 1)] {
            assert_eq!((of("today", field), of("today", "arrivals")), (json!(times), json!(1)), "{field}: {report}");
        }
        // The period ends now, so what is played of it is at least begun.
        assert!(of("unchanged", "offers").as_u64().unwrap() >= 1 && of("unchanged", "answered") == 0, "{report}");
        let report = app.post(&path, with(period(), json!({"rules": {"acceptance": "automatic"}}))).await.expect(200);
        assert_eq!((&report["simulated"]["offers"], &report["simulated"]["closed"]), (&json!(0), &json!(0)));
        assert_eq!((&report["accept_secs"], &report["lapse_share"]), (&json!(8.0), &json!(0.05)));
    }

    async fn the_program_plays_what_the_database_recorded(app: TestApp) {
        let (_, me) = a_day(&app).await;
        let folder = app.database.folder.path().to_owned();
        let id = me["id"].as_str().unwrap();
        std::fs::write(folder.join("lines.toml"), format!("[line.support]\nname = \"Support\"\nqueue = [{{ operator = \"{id}\" }}]\n")).unwrap();
        let url = app.database.url.clone();
        let ask = move |from: &'static str, to: &'static str| {
            let (folder, url) = (folder.clone(), url.clone());
            tokio::task::spawn_blocking(move || {
                crate::cli::program(&folder)
                    .args(["simulate", "--line", "lines.toml", "--json", "--from", from, "--to", to])
                    .env("SWITCHBOARD__DATABASE__URL", url)
                    .output()
                    .unwrap()
            })
        };
        let done = ask("2020-01-01", "2020-01-02").await.unwrap();
        assert!(done.status.code() == Some(1) && err(&done).contains("no arrivals are recorded"), "{}", err(&done));
        let today = SystemClock.now().date_naive();
        let (from, to) = (today - TimeDelta::days(1), today + TimeDelta::days(2));
        let done = ask(from.to_string().leak(), to.to_string().leak()).await.unwrap();
        assert!(done.status.success(), "{}", err(&done));
        let report: Value = serde_json::from_str(&out(&done)).unwrap();
        assert_eq!((&report["today"]["answered"], &report["simulated"]["operators"][0]["sessions"]), (&json!(1), &json!(2)));
        // The line of the database lets her have one at once, the one of the file any number.
        assert_eq!(report["unchanged"]["operators"][0]["sessions"], 1);
    }
}

#[test]
fn the_examples_are_played_without_a_database_and_the_same_seed_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lines.toml"), EXAMPLE).unwrap();
    std::fs::write(folder.path().join("arrivals.csv"), MORNING).unwrap();
    let arguments = ["simulate", "--line", "lines.toml", "--arrivals", "arrivals.csv"];
    let said = run(folder.path(), &arguments);
    assert!(said.status.success(), "{}", err(&said));
    let table = out(&said);
    assert!(
        table.contains("answered within 1 min")
            && table.contains("  lapsed")
            && table.contains("anna@shop.example"),
        "{table}"
    );
    assert!(
        table.contains("Note: operators without a schedule are taken as always there."),
        "{table}"
    );
    assert_eq!(out(&run(folder.path(), &arguments)), table);
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(
        files,
        ["arrivals.csv", "lines.toml"],
        "a simulation makes nothing"
    );

    let recorded = run(
        folder.path(),
        &[
            "simulate",
            "--line",
            "lines.toml",
            "--from",
            "2027-01-04",
            "--to",
            "2027-01-05",
        ],
    );
    assert!(
        err(&recorded).contains("there is no database"),
        "{}",
        err(&recorded)
    );
    std::fs::write(folder.path().join("arrivals.csv"), "at,handle_secs\nsoon,1\n").unwrap();
    let wrong = run(folder.path(), &arguments);
    assert!(
        wrong.status.code() == Some(1) && err(&wrong).contains("arrivals.csv:2: `at` must be a time"),
        "{}",
        err(&wrong)
    );
}
