//! Lines as code, with the program as people start it and beside a running server.

use std::{path::Path, process::Output};

use serde_json::{Value, json};

use crate::{
    cli::{err, out, program},
    support::TestApp,
};

const EXAMPLE: &str = include_str!("../../config/examples/lines.toml");

/// The program on the database of a server that runs in this process.
async fn beside(app: &TestApp, arguments: &[&str]) -> Output {
    let mut command = program(app.database.folder.path());
    command
        .args(arguments)
        .env("SWITCHBOARD__DATABASE__URL", &app.database.url)
        .env("SWITCHBOARD__SECURITY__MASTER_KEY", "11".repeat(32))
        .env("SHOP_CHAT_IDENTITY_SECRET", "first secret of the shop");
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn file(folder: &Path, text: &str) -> String {
    let path = folder.join("lines.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

async fn user(app: &TestApp, name: &str) -> Value {
    let body = json!({"email": format!("{name}@shop.example"), "name": name, "role": "operator", "password": "correct horse"});
    app.post("/users", body).await.expect(201)
}

both_databases! {
    async fn the_example_is_applied_and_a_second_time_changes_nothing(app: TestApp) {
        let file = file(app.database.folder.path(), EXAMPLE);
        let nobody = beside(&app, &["apply", &file]).await;
        assert_eq!(nobody.status.code(), Some(1));
        let said = err(&nobody);
        assert!(said.contains("lines.toml: line 11: team.Second level.members.0: there is no operator karim@shop.example"), "{said}");
        let mut ids = Vec::new();
        for name in ["anna", "boris", "karim", "lola"] {
            ids.push(user(&app, name).await["id"].clone());
        }
        let trial = beside(&app, &["apply", &file, "--dry-run"]).await;
        assert_eq!(trial.status.code(), Some(0), "{}", err(&trial));
        let said = out(&trial);
        assert!(said.contains("+ line support\n") && said.contains("overflow.line: \"second-level\""), "{said}");
        assert!(said.contains("settings.identity_secret: a secret") && !said.contains("first secret"), "{said}");
        assert!(said.ends_with("7 to make, 0 to change, 0 unchanged; nothing was written\n"), "{said}");
        assert!(said.contains("+ schedule anna@shop.example\n") && said.contains("    weekly.fri: [[\"20:00\",\"04:00\"]]\n"), "{said}");
        assert_eq!(app.get("/lines").await["items"], json!([]));

        let done = beside(&app, &["apply", &file]).await;
        assert_eq!(done.status.code(), Some(0), "{}", err(&done));
        assert!(out(&done).ends_with("7 made, 0 changed, 0 unchanged\n"), "{}", out(&done));
        let support = app.get("/lines/support").await;
        let second = app.get("/lines/second-level").await;
        assert_eq!(support["queue"], json!([{"operator_id": ids[0]}, {"operator_id": ids[1]}]));
        assert_eq!(support["overflow"], json!({"line_id": second["id"], "after_secs": 300}));
        assert_eq!(support["hours"]["exceptions"][0]["date"], "2027-01-01");
        let team = app.get("/teams").await["items"][0].clone();
        assert_eq!((&second["queue"], &team["member_ids"]), (&json!([{"team_id": team["id"]}]), &json!([ids[2], ids[3]])));
        let chat = app.get("/channels/shop-chat").await;
        assert_eq!((&chat["line_id"], &chat["settings"]["identity_secret"]), (&support["id"], &Value::Null));

        let schedule = format!("/users/{}/schedule", ids[0].as_str().unwrap());
        let anna = app.get(&schedule).await;
        assert_eq!((&anna["version"], &anna["time_zone"], &anna["breaks"]["fri"]), (&json!(1), &json!("Asia/Tashkent"), &json!([["13:00", "14:00"]])));
        assert_eq!(anna["absences"], json!([
            {"from": "2027-07-05", "to": "2027-07-16", "kind": "holiday", "note": null},
            {"from": "2027-03-01T07:00:00Z", "to": "2027-03-01T13:00:00Z", "kind": "training", "note": "First aid"},
        ]));

        let again = beside(&app, &["apply", &file]).await;
        assert!(again.status.success() && out(&again).ends_with("nothing to change\n"), "{}", out(&again));
        assert_eq!(app.get("/lines/support").await["version"], support["version"]);
        assert_eq!(app.get("/channels/shop-chat").await["version"], chat["version"]);
        assert_eq!(app.get(&schedule).await["version"], 1);
        assert_eq!(app.get("/lines/support/versions").await["items"].as_array().unwrap().len(), 1);
    }

    async fn a_line_that_is_applied_beside_a_running_server_assigns_at_once(app: TestApp) {
        let line = app.line("Support", json!({"distribution": "strict"})).await;
        let (me, key) = app.operator("Anna", "operator").await;
        app.go_online(&key).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let visitor = app.visitor(&channel).await;
        app.says(&channel, &visitor, "Hello").await;
        let id = me["id"].as_str().unwrap();
        let file = file(app.database.folder.path(), &format!("[line.support]\nname = \"Support\"\ndistribution = \"strict\"\nqueue = [{{ operator = \"{id}\" }}]\n"));
        let done = beside(&app, &["apply", &file]).await;
        assert!(out(&done).starts_with(&format!("~ line support\n    queue: [] → [\"{id}\"]\n")), "{} {}", out(&done), err(&done));
        app.until("the assignment", || async {
            let listed = app.get("/conversations").await;
            (listed["items"][0]["session"]["operator_id"] == id).then_some(())
        }).await;
    }

    async fn a_file_that_cannot_be_changes_nothing_at_all(app: TestApp) {
        app.line("Support", json!({})).await;
        let text = "[line.support]\nname = \"Changed\"\n[channel.chat]\nkind = \"webchat\"\nline = \"support\"\nname = \"Chat\"\n\
                    settings = { allowed_origins = [\"no origin\"] }\n";
        let file = file(app.database.folder.path(), text);
        let refused = beside(&app, &["apply", &file]).await;
        assert_eq!(refused.status.code(), Some(1));
        assert!(err(&refused).contains("line 7: channel.chat.settings"), "{}", err(&refused));
        let line = app.get("/lines/support").await;
        assert_eq!((&line["name"], &line["version"]), (&json!("Support"), &json!(1)));
    }

    async fn lines_that_overflow_into_each_other_and_secrets_that_are_not_said(app: TestApp) {
        let text = "[line.a]\nname = \"A\"\noverflow = { line = \"b\", after_secs = 60 }\n[line.b]\nname = \"B\"\noverflow = { line = \"a\", after_secs = 60 }\n\
                    [channel.chat]\nkind = \"webchat\"\nline = \"a\"\nname = \"Chat\"\nsettings = { title = \"One\", identity_secret = { env = \"SHOP_CHAT_IDENTITY_SECRET\" } }\n";
        let path = file(app.database.folder.path(), text);
        let done = beside(&app, &["apply", &path]).await;
        assert!(done.status.success(), "{}", err(&done));
        let (a, b) = (app.get("/lines/a").await, app.get("/lines/b").await);
        assert_eq!((&a["overflow"]["line_id"], &b["overflow"]["line_id"]), (&b["id"], &a["id"]));
        let path = file(app.database.folder.path(), &text.replace("title = \"One\", identity_secret = { env = \"SHOP_CHAT_IDENTITY_SECRET\" }", "accent_color = \"#112233\""));
        let done = beside(&app, &["apply", &path]).await;
        assert!(out(&done).starts_with("  line a (unchanged)\n"), "{} {}", out(&done), err(&done));
        let chat = app.get("/channels/chat").await;
        assert_eq!((&chat["settings"]["title"], &chat["settings"]["accent_color"]), (&Value::Null, &json!("#112233")));
        let id = chat["id"].as_str().unwrap();
        let row = switchboard::channel::store::load(app.app.db.read(), id).await.unwrap().unwrap();
        let settings = switchboard::channel::settings_with_secrets(&row, &app.app.vault).unwrap();
        assert_eq!(settings["identity_secret"], "first secret of the shop");
    }

    async fn a_schedule_of_a_file_takes_effect_at_once_and_keeps_what_people_entered(app: TestApp) {
        let (me, _) = app.operator("Anna", "operator").await;
        let id = me["id"].as_str().unwrap();
        let schedule = format!("/users/{id}/schedule");
        let entered = json!({"time_zone": "UTC", "weekly": {"mon": [["09:00", "18:00"]]}, "absences": [{"from": "2027-05-01", "to": "2027-05-03"}]});
        app.call("PUT", &schedule, Some(entered)).await.expect(200);
        let text = format!("[operator.\"{id}\".schedule]\ntime_zone = \"UTC\"\nweekly = {{}}\n");
        let path = file(app.database.folder.path(), &text);
        let trial = beside(&app, &["apply", &path, "--dry-run"]).await;
        assert!(out(&trial).contains(&format!("~ schedule {id}\n")) && out(&trial).contains("weekly.mon: [[\"09:00\",\"18:00\"]] → none"), "{} {}", out(&trial), err(&trial));
        assert_eq!(app.get(&schedule).await["version"], 1);
        let done = beside(&app, &["apply", &path]).await;
        assert!(done.status.success(), "{}", err(&done));
        let now = app.get(&schedule).await;
        assert_eq!((&now["version"], &now["weekly"], &now["absences"][0]["from"]), (&json!(2), &json!({}), &json!("2027-05-01")));
        assert_eq!(now["outlook"]["duty"], "off_shift");
        let again = beside(&app, &["apply", &path]).await;
        assert!(out(&again).ends_with("nothing to change\n"), "{}", out(&again));

        let wrong = file(app.database.folder.path(), &text.replace("weekly = {}", "weekly = { mon = [[\"9\", \"18:00\"]] }"));
        let refused = beside(&app, &["apply", &wrong]).await;
        assert!(err(&refused).contains(&format!("lines.toml: line 3: operator.{id}.schedule.weekly.mon: 9 to 18:00: times are written HH:MM")), "{}", err(&refused));
        assert_eq!(app.get(&schedule).await["version"], 2);
    }
}
