//! Signing a mailbox in at a provider: an authorization server of the tests, and real mail servers that take
//! its tokens.

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use switchboard::{channel::secrets::ChannelSecrets, db::entity::channel as table};
use switchboard_sdk::SecretKeeper;

use crate::support::{Authorization, Mailbox, TestApp};

async fn mailbox_signed_in_at(app: &TestApp, provider: &Authorization, shop: &Mailbox) -> Value {
    let line = app.line("Support", json!({})).await;
    let mut settings = shop.settings();
    settings["imap"].as_object_mut().unwrap().remove("password");
    settings["auth"] = provider.settings();
    app.channel("email", &line, settings).await
}

fn path(channel: &Value) -> String {
    format!("/channels/{}", channel["id"].as_str().unwrap())
}

async fn health(app: &TestApp, channel: &Value, state: &str) -> Value {
    app.until(state, || async {
        let health = app.get(&path(channel)).await["health"].clone();
        (health["state"] == state).then_some(health)
    })
    .await
}

async fn sign_in(app: &TestApp, provider: &Authorization, channel: &Value) -> Value {
    let begun = app
        .post(&format!("{}/sign-in", path(channel)), json!({}))
        .await
        .expect(200);
    let (state, code) = provider.consent(begun["url"].as_str().unwrap()).await;
    app.post("/channels/sign-in", json!({"state": state, "code": code}))
        .await
        .expect(200)
}

/// The refresh token as it is stored, and the row as it lies there.
async fn stored(app: &TestApp) -> (Value, table::Model) {
    let row = table::Entity::find()
        .one(app.app.db.read())
        .await
        .unwrap()
        .unwrap();
    let whole = switchboard::channel::settings_with_secrets(&row, &app.app.vault).unwrap();
    (whole["auth"]["refresh_token"].clone(), row)
}

both_databases! {
    async fn a_mailbox_is_signed_in_renewed_by_itself_and_asks_when_it_was_withdrawn(app: TestApp) {
        let (shop, ann) = (Mailbox::new("shop", "example.test"), Mailbox::new("ann", "client.test"));
        let provider = Authorization::start(&shop.address).await;
        let channel = mailbox_signed_in_at(&app, &provider, &shop).await;
        let parked = health(&app, &channel, "failed").await;
        assert!(parked["last_error"].as_str().unwrap().contains("Sign in"), "{parked}");

        let signed = sign_in(&app, &provider, &channel).await;
        assert!(signed["settings"]["auth"]["signed_in_at"].is_string(), "{signed}");
        assert_eq!(signed["settings"]["auth"]["refresh_token"], Value::Null, "it is never read back");
        health(&app, &channel, "ok").await;
        let (token, row) = stored(&app).await;
        let token = token.as_str().unwrap();
        let lies = format!("{}{}", row.settings, String::from_utf8_lossy(row.secrets.as_deref().unwrap()));
        assert!(!lies.contains(token), "it lies there sealed");
        let checked = app.post(&format!("{}/check", path(&channel)), json!({})).await.expect(200);
        let steps: Vec<&str> = checked["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
        assert_eq!(steps, ["oauth", "imap_dns", "imap_tcp", "imap_tls", "imap_login", "imap_folder", "smtp_dns", "smtp_tcp", "smtp_tls", "smtp_login"]);
        assert_eq!(checked["ok"], true, "{checked}");

        // In and out, both by the token.
        let raw = |word: &str| format!("From: <{}>\nTo: {}\nMessage-ID: <{word}-{}>\nSubject: {word}\n\n{word}\n", ann.address, shop.address, ann.address);
        ann.send(&shop, &raw("hello")).await;
        let talk = app.until("the mail is here", || async {
            app.get("/conversations").await["items"].get(0).cloned()
        }).await;
        let talk = format!("/conversations/{}/messages", talk["id"].as_str().unwrap());
        app.post(&talk, json!({"text": "answered"})).await.expect(201);
        assert!(ann.mails(1).await[0].contains("answered"));

        // Access tokens that are about to expire: each connection renews, and each renewal changes the secret.
        provider.lasts(1);
        let version = app.get(&path(&channel)).await["version"].clone();
        let before = provider.renewals();
        app.patch(&path(&channel), json!({"name": "Renamed"})).await.expect(200);
        app.until("a renewal", || async { (provider.renewals() > before).then_some(()) }).await;
        provider.fails_next(1);
        shop.kick().await;
        ann.send(&shop, &raw("again")).await;
        app.until("the mail after the cut", || async {
            (app.get("/conversations").await["items"].as_array().unwrap().len() == 2).then_some(())
        }).await;
        // The cut may have come before the renewed connection was there.
        app.until("a renewal after the cut", || async {
            shop.kick().await;
            (provider.renewals() > before + 1).then_some(())
        }).await;
        let row = app.until("the newest is kept", || async {
            let (token, row) = stored(&app).await;
            (token.as_str() == provider.refresh_token().as_deref()).then_some(row)
        }).await;
        assert_eq!(json!(row.version - 1), version, "and that is no change of the settings");

        // Withdrawn at the provider: parked with what to do, and one sign-in mends it.
        provider.revoke();
        shop.kick().await;
        let parked = health(&app, &channel, "failed").await;
        let said = parked["last_error"].as_str().unwrap();
        assert!(said.contains("no longer accepts") && said.contains("Sign in"), "{said}");
        assert!(parked["lag_secs"].is_i64());
        provider.lasts(3600);
        sign_in(&app, &provider, &channel).await;
        let mended = health(&app, &channel, "ok").await;
        assert_eq!(mended["last_error"], Value::Null);
        app.stop().await;
    }

    async fn a_sign_in_belongs_to_who_began_it_and_its_code_to_its_verifier(app: TestApp) {
        let shop = Mailbox::new("shop", "example.test");
        let provider = Authorization::start(&shop.address).await;
        let channel = mailbox_signed_in_at(&app, &provider, &shop).await;
        let begin = async || app.post(&format!("{}/sign-in", path(&channel)), json!({})).await.expect(200);
        let (_, other) = app.operator("Another admin", "admin").await;
        let (_, supervisor) = app.operator("A supervisor", "supervisor").await;
        let (state, code) = provider.consent(begin().await["url"].as_str().unwrap()).await;
        let body = json!({"state": state, "code": code});
        app.call_as(&other, "POST", "/channels/sign-in", Some(body.clone())).await.expect(409);
        app.call_as(&supervisor, "POST", "/channels/sign-in", Some(body.clone())).await.expect(403);
        app.call_as(&supervisor, "POST", &format!("{}/sign-in", path(&channel)), None).await.expect(403);
        app.post("/channels/sign-in", json!({"state": "made up", "code": code})).await.expect(409);
        // A code that was asked for with another verifier, as somebody who caught one would bring it.
        let (second, _) = provider.consent(begin().await["url"].as_str().unwrap()).await;
        let refused = app.post("/channels/sign-in", json!({"state": second, "code": code})).await.expect(409);
        assert!(refused["detail"].as_str().unwrap().contains("invalid_grant"), "{refused}");
        assert_eq!(stored(&app).await.0, Value::Null, "nothing was stored");
        // And the code was used up by that.
        app.post("/channels/sign-in", body).await.expect(409);
        let line = app.line("Chat", json!({})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        app.post(&format!("{}/sign-in", path(&chat)), json!({})).await.expect(409);
        let address = app.get("/channels/sign-in").await;
        assert!(address["redirect_uri"].as_str().unwrap().ends_with("/admin/channels/signed-in"));
        app.stop().await;
    }

    async fn a_secret_that_a_channel_changes_is_kept_beside_an_admins_change_and_replaced_only_by_its_successor(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let settings = json!({
            "address": "shop@example.test", "auth": {"method": "oauth2", "client_id": "id", "refresh_token": "one"},
            "imap": {"host": "127.0.0.1", "port": 1, "tls": "none"}, "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"},
        });
        let body = json!({"kind": "email", "line_id": line["id"], "name": "Mail", "enabled": false, "settings": settings});
        let channel = app.post("/channels", body).await.expect(201);
        let keeper = ChannelSecrets::new(&app.app.db, &app.app.vault, channel["id"].as_str().unwrap());
        let place = ["auth", "refresh_token"];
        assert!(keeper.replace(&place, Some("one"), "two").await.unwrap());
        assert!(!keeper.replace(&place, Some("one"), "three").await.unwrap(), "somebody was faster");
        assert_eq!(keeper.load(&place).await.unwrap().as_deref(), Some("two"));
        // The version the admin knows is still the present one.
        let patch = json!({"version": channel["version"], "settings": {"from_name": "Shop", "auth": {"client_secret": "s"}}});
        app.patch(&path(&channel), patch).await.expect(200);
        assert_eq!(keeper.load(&place).await.unwrap().as_deref(), Some("two"));
        assert_eq!(keeper.load(&["auth", "client_secret"]).await.unwrap().as_deref(), Some("s"));
        app.stop().await;
    }
}
