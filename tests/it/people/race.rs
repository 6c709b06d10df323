//! One person who comes by three ways at once is one contact with one lead.

use chrono::{TimeDelta, Utc};
use futures_util::future::{FutureExt, LocalBoxFuture, join_all};
use serde_json::{Value, json};

use super::{items, text};
use crate::{calls::Phone, support::TestApp};

const PHONE: &str = "+998901234567";

/// The site's secret, by which it vouches for who is signed in there.
const SITE: &str = "a-long-random-string-known-to-the-site";

/// A first message of somebody whom the site vouches for, in a browser of its own.
async fn signed_chat(app: &TestApp, channel: &Value, number: usize) {
    let exp = app.app.clock.now().timestamp() + 600;
    let signature = switchboard_webchat::sign(SITE, "u7", exp);
    let person = json!({
        "contact": {"phone": PHONE, "name": "Anna"},
        "identity": {"user_id": "u7", "exp": exp, "signature": signature},
    });
    let session = app.widget(channel, "sessions", None, person).await.expect(200);
    let token = text(&session["visitor_token"]).to_owned();
    app.says(channel, &token, &format!("hello {number}")).await;
}

async fn chat(app: &TestApp, channel: &Value, number: usize) {
    let contact = json!({"contact": {"phone": PHONE, "name": "Anna"}});
    let session = app.widget(channel, "sessions", None, contact).await.expect(200);
    let token = text(&session["visitor_token"]).to_owned();
    app.says(channel, &token, &format!("hello {number}")).await;
}

async fn form(app: &TestApp, channel: &Value, number: usize) {
    let fields = json!({"name": "Anna", "phone": PHONE, "comment": format!("{number}")});
    app.submit(channel, fields, None).await.expect(201);
}

#[expect(
    clippy::disallowed_methods,
    reason = "telephone systems have clocks of their own"
)]
async fn call(app: &TestApp, phone: &Phone, number: usize) {
    let (name, began) = (format!("call-{number}"), Utc::now() - TimeDelta::seconds(30));
    phone
        .says(app, "ringing", &name, began, json!({}))
        .await
        .expect(200);
    let end = json!({"disposition": "missed"});
    phone
        .says(app, "ended", &name, began + TimeDelta::seconds(9), end)
        .await
        .expect(200);
}

both_databases! {
    async fn two_hundred_first_contacts_at_once_over_three_channels_are_one_contact_and_one_lead(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let web = app.channel("webchat", &line, json!({"allowed_origins": ["*"]})).await;
        let site = app.channel("webform", &line, json!({})).await;
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let all: Vec<LocalBoxFuture<'_, ()>> = (0..200).map(|number| match number % 3 {
            0 => chat(&app, &web, number).boxed_local(),
            1 => form(&app, &site, number).boxed_local(),
            _ => call(&app, &phone, number).boxed_local(),
        }).collect();
        join_all(all).await;
        app.until("all calls are folded", || async {
            let found = app.get("/calls?limit=200").await;
            let placed = items(&found).iter().filter(|call| !call["contact_id"].is_null()).count();
            (placed == 66).then_some(())
        }).await;
        let contacts = app.get("/contacts?limit=200").await;
        assert_eq!(items(&contacts).len(), 1, "{}", items(&contacts).len());
        assert_eq!(contacts["items"][0]["phones"], json!([PHONE]));
        let leads = app.get("/leads?limit=200").await;
        assert_eq!(items(&leads).len(), 1, "{}", items(&leads).len());
        assert_eq!(items(&app.get("/submissions?limit=200").await).len(), 67);
        let timeline = app.get(&format!("/contacts/{}/timeline?kinds=message,form,call&limit=200", text(&contacts["items"][0]["id"]))).await;
        assert_eq!(items(&timeline).len(), 200);
    }

    async fn two_hundred_first_contacts_at_once_of_somebody_the_site_vouches_for_are_one_contact_and_one_lead(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let web = app.channel("webchat", &line, json!({"allowed_origins": ["*"], "identity_secret": SITE})).await;
        let site = app.channel("webform", &line, json!({})).await;
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let all: Vec<LocalBoxFuture<'_, ()>> = (0..200).map(|number| match number % 3 {
            0 => signed_chat(&app, &web, number).boxed_local(),
            1 => form(&app, &site, number).boxed_local(),
            _ => call(&app, &phone, number).boxed_local(),
        }).collect();
        join_all(all).await;
        app.until("all calls are folded", || async {
            let found = app.get("/calls?limit=200").await;
            let placed = items(&found).iter().filter(|call| !call["contact_id"].is_null()).count();
            (placed == 66).then_some(())
        }).await;
        let contacts = app.get("/contacts?limit=200").await;
        assert_eq!(items(&contacts).len(), 1, "{}", items(&contacts).len());
        let contact = app.get(&format!("/contacts/{}", text(&contacts["items"][0]["id"]))).await;
        let vouched = |one: &Value| one["value"] == "u7" && one["verified"] == true;
        assert!(contact["identities"].as_array().unwrap().iter().any(vouched), "{contact}");
        let leads = app.get("/leads?limit=200").await;
        assert_eq!(items(&leads).len(), 1, "{}", items(&leads).len());
        // Whoever is signed in has one conversation, in however many browsers.
        let chats = app.get(&format!("/conversations?view=all&channel={}&limit=200", text(&web["id"]))).await;
        assert_eq!(items(&chats).len(), 1, "{}", items(&chats).len());
        let timeline = app.get(&format!("/contacts/{}/timeline?kinds=message,form,call&limit=200", text(&contact["id"]))).await;
        assert_eq!(items(&timeline).len(), 200);
    }
}
