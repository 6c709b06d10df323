//! Configured connectors.

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use switchboard::db::entity::channel;

use crate::support::TestApp;

fn path(channel: &Value) -> String {
    format!("/channels/{}", channel["id"].as_str().unwrap())
}

async fn mailbox(app: &TestApp, line: &Value) -> Value {
    let server =
        json!({"host": "127.0.0.1", "port": 1, "tls": "none", "username": "shop", "password": "imap-secret"});
    let mut smtp = server.clone();
    smtp["password"] = json!("smtp-secret");
    let settings = json!({"address": "shop@example.test", "imap": server, "smtp": smtp});
    let body = json!({"kind": "email", "line_id": line["id"], "name": "Mail", "enabled": false, "settings": settings});
    app.post("/channels", body).await.expect(201)
}

both_databases! {
    async fn secrets_are_written_and_never_read_back(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let made = mailbox(&app, &line).await;
        let secrets = ["imap-secret", "smtp-secret", "new-secret"];
        for part in ["imap", "smtp"] {
            assert_eq!((&made["settings"][part]["password"], &made["settings"][part]["host"]), (&Value::Null, &json!("127.0.0.1")));
        }
        // Written back as it was read: the secrets stay, what is given changes.
        let mut settings = made["settings"].clone();
        settings["imap"]["host"] = json!("localhost");
        app.patch(&path(&made), json!({"settings": settings})).await.expect(200);
        let changed = app.patch(&path(&made), json!({"settings": {"smtp": {"password": "new-secret"}}})).await.expect(200);
        assert_eq!(changed["settings"]["imap"]["host"], "localhost");
        let row = channel::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        let whole = switchboard::channel::settings_with_secrets(&row, &app.app.vault).unwrap();
        assert_eq!((&whole["imap"]["password"], &whole["smtp"]["password"]), (&json!("imap-secret"), &json!("new-secret")));
        let kept = format!("{}{}", row.settings, String::from_utf8_lossy(row.secrets.as_deref().unwrap()));
        for (place, text) in [("the row", kept), ("the list", app.get("/channels").await.to_string()), ("the channel", changed.to_string())] {
            assert!(!secrets.iter().any(|secret| text.contains(secret)), "{place}: {text}");
        }
    }

    async fn what_is_wrong_with_a_channel_is_named_by_its_field(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        app.post("/channels", json!({"kind": "webchat", "key": "chat", "line_id": line["id"], "name": "Chat"})).await.expect(201);
        let right = json!({"kind": "webchat", "line_id": line["id"], "name": "Chat", "settings": {}});
        for (place, value, field) in [
            ("kind", json!("pigeon"), "kind"),
            ("name", json!(" "), "name"),
            ("key", json!("Chat Us"), "key"),
            ("key", json!("chat"), "key"),
            ("line_id", json!("lin_nothing"), "line_id"),
            ("settings", json!([]), "settings"),
            ("settings", json!({"accent_color": "red"}), "settings.accent_color"),
            ("settings", json!({"allowed_origins": ["shop"]}), "settings.allowed_origins"),
            ("settings", json!({"titel": "x"}), "settings.titel"),
        ] {
            let mut body = right.clone();
            body[place] = value;
            let problem = app.post("/channels", body.clone()).await;
            assert_eq!(problem.status, 422, "{body}: {}", problem.body);
            assert_eq!(problem.body["errors"][0]["field"], field, "{body}: {}", problem.body);
        }
        let settings = json!({"address": "shop@example.test", "imap": {"host": "", "port": 99999}});
        let body = json!({"kind": "email", "line_id": line["id"], "name": "Mail", "settings": settings});
        let field = app.post("/channels", body).await.expect(422)["errors"][0]["field"].as_str().unwrap().to_owned();
        assert!(field.starts_with("settings.imap."), "{field}");
        // Nothing was made of all that.
        assert_eq!(app.get("/channels").await["items"].as_array().unwrap().len(), 1);
    }

    async fn a_change_made_from_a_stale_version_is_refused(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let made = app.channel("webchat", &line, json!({})).await;
        let changed = app.patch(&path(&made), json!({"name": "Shop", "version": made["version"]})).await.expect(200);
        assert_eq!(changed["name"], "Shop");
        let stale = app.patch(&path(&made), json!({"name": "Other", "version": made["version"]})).await;
        assert_eq!(stale.expect(409)["type"], "/problems/conflict");
        assert_eq!(app.get(&path(&made)).await["name"], "Shop");
        // By its key too, and another line gets what comes from now on.
        let sales = app.line("Sales", json!({})).await;
        let before = app.writes(&made, "anna", "Hello").await;
        let by_key = format!("/channels/{}", made["key"].as_str().unwrap());
        app.patch(&by_key, json!({"line_id": sales["id"]})).await.expect(200);
        let after = app.writes(&made, "boris", "Hello").await;
        assert_eq!(app.get(&format!("/conversations/{before}")).await["line_id"], line["id"]);
        assert_eq!(app.get(&format!("/conversations/{after}")).await["line_id"], sales["id"]);
    }

    async fn a_channel_with_conversations_cannot_be_removed(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let (used, unused) = (app.channel("webchat", &line, json!({})).await, app.channel("webchat", &line, json!({})).await);
        app.writes(&used, "anna", "Hello").await;
        app.call("DELETE", &path(&used), None).await.expect(409);
        app.call("DELETE", &path(&unused), None).await.expect(204);
        app.call("GET", &path(&unused), None).await.expect(404);
        app.widget(&unused, "sessions", None, json!({})).await.expect(404);
        app.widget(&used, "sessions", None, json!({})).await.expect(200);
    }

    async fn only_admins_change_and_test_channels(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let made = mailbox(&app, &line).await;
        let checked = app.post(&format!("{}/check", path(&made)), json!({})).await.expect(200);
        assert_eq!(checked["ok"], false);
        assert!(checked["detail"].as_str().unwrap().contains("127.0.0.1"), "{checked}");
        for role in ["operator", "supervisor"] {
            let (_, key) = app.operator("Sara", role).await;
            assert_eq!(app.call_as(&key, "GET", "/channels", None).await.status, 200);
            let new = json!({"kind": "webchat", "line_id": line["id"], "name": "Mine"});
            app.call_as(&key, "POST", "/channels", Some(new)).await.expect(403);
            app.call_as(&key, "PATCH", &path(&made), Some(json!({"name": "Mine"}))).await.expect(403);
            app.call_as(&key, "DELETE", &path(&made), None).await.expect(403);
            app.call_as(&key, "POST", &format!("{}/check", path(&made)), None).await.expect(403);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connector_describes_its_settings_and_marks_its_secrets() {
    let app = TestApp::start(crate::support::Database::sqlite().await).await;
    let listed = app.get("/connectors").await;
    let kinds: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    for kind in ["email", "webchat", "webform"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let email = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["kind"] == "email")
        .unwrap();
    assert!(email["settings_schema"].to_string().contains("\"x-secret\":true"));
    let line = app.line("Support", json!({})).await;
    for item in listed["items"].as_array().unwrap() {
        let body = json!({"kind": item["kind"], "line_id": line["id"], "name": "Example", "enabled": false, "settings": item["example"]});
        app.post("/channels", body).await.expect(201);
    }
}
