//! "Who should get this caller?", asked by the telephone system while the caller waits.

use chrono::TimeDelta;
use serde_json::json;

use super::{CLIENT, OURS, Phone, call_that, is, signed};
use crate::support::{Answer, TestApp};

async fn ask(app: &TestApp, phone: &Phone, from: &str) -> Answer {
    let url = format!("{}/route?from={}", phone.url(&app.base), from.replace('+', "%2B"));
    // The signature of a question is over an empty body.
    let now = app.app.clock.now();
    let id = format!("msg_{}", uuid::Uuid::new_v4().simple());
    let secret = switchboard_custom::Secret::read(super::SECRET).unwrap();
    let request = app
        .client
        .get(url)
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.timestamp().to_string())
        .header(
            "webhook-signature",
            switchboard_custom::sign(&[&secret], &id, now.timestamp(), b""),
        );
    app.ask(request).await
}

both_databases! {
    async fn a_caller_goes_to_the_responsible_operator_then_to_who_is_there(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (bella, bella_key) = app.operator("Bella", "operator").await;
        let line = json!({"distribution": "strict", "queue": [{"operator_id": anna["id"]}, {"operator_id": bella["id"]}], "crm": {"create_lead": "always"}});
        let phone = Phone::on(&app, json!({"101": anna["id"], "102": bella["id"]}), line).await;
        let nobody = ask(&app, &phone, CLIENT).await.expect(200);
        assert!(!nobody.to_string().contains("101"), "nobody is there: {nobody}");
        app.go_online(&anna_key).await;
        app.go_online(&bella_key).await;
        let strangers = ask(&app, &phone, CLIENT).await.expect(200).to_string();
        let (first, second) = (strangers.find("101"), strangers.find("102"));
        assert!(first.is_some() && first < second, "in the line's order: {strangers}");
        // Bella talks to the client, and is responsible from then on.
        let now = app.app.clock.now() - TimeDelta::seconds(60);
        phone.says(&app, "answered", "c1", now, json!({"operator": "102", "caller_name": "Bob"})).await.expect(200);
        phone.says(&app, "ended", "c1", now + TimeDelta::seconds(30), json!({})).await.expect(200);
        call_that(&app, "it is over", |call| is(call, "state", "ended")).await;
        let known = ask(&app, &phone, CLIENT).await.expect(200).to_string();
        assert!(known.find("102") < known.find("101") && known.contains("Bob"), "{known}");
        let paused = json!({"state": "paused"});
        app.call_as(&bella_key, "PUT", "/me/availability", Some(paused)).await.expect(200);
        let without = ask(&app, &phone, CLIENT).await.expect(200).to_string();
        assert!(without.contains("101") && !without.contains("102"), "{without}");
        // An unsigned question learns nothing.
        let url = format!("{}/route?from=1", phone.url(&app.base));
        app.ask(app.client.get(url)).await.expect(401);
    }

    async fn a_push_to_the_same_address_is_stored_and_answered(app: TestApp) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let body = json!({"event": "ringing", "call_id": "c1", "direction": "inbound", "from": CLIENT, "to": OURS});
        let url = format!("{}/route", phone.url(&app.base));
        let answer = app.ask(signed(&app.client, &url, &body, app.app.clock.now())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        call_that(&app, "it rings", |call| is(call, "state", "ringing")).await;
    }
}
