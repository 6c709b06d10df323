//! Calling back by a click, from the API to the telephone system and its events.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, Uri},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{CLIENT, OURS, Phone, SECRET, call_that, is};
use crate::support::{Answer, TestApp};

/// A telephone system that can be asked, and what it was asked.
#[derive(Clone, Default)]
struct Asked {
    requests: Arc<Mutex<Vec<(String, Value)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Asked {
    async fn serve(&self) -> String {
        let me = self.clone();
        let take = move |uri: Uri, body: Bytes| async move {
            let body = serde_json::from_slice(&body).unwrap();
            me.requests.lock().unwrap().push((uri.path().to_owned(), body));
            let status = me.answers.lock().unwrap().pop().unwrap_or(200);
            (StatusCode::from_u16(status).unwrap(), "{}")
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn will_answer(&self, status: u16) {
        self.answers.lock().unwrap().push(status);
    }

    fn taken(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

async fn telephone(app: &TestApp, settings: Value) -> Value {
    let line = app.line("Calls", json!({})).await;
    let mut whole = json!({"numbers": {OURS: {"label": "Ad"}}});
    whole
        .as_object_mut()
        .unwrap()
        .extend(settings.as_object().unwrap().clone());
    app.channel("voip", &line, whole).await
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

async fn telnyx_says(app: &TestApp, channel: &Value, id: &str, kind: &str, payload: &Value) -> Answer {
    let mut whole = json!({"call_session_id": "s1", "direction": "outgoing", "from": OURS});
    whole
        .as_object_mut()
        .unwrap()
        .extend(payload.as_object().unwrap().clone());
    let body =
        json!({"data": {"event_type": kind, "id": id, "occurred_at": app.app.clock.now(), "payload": whole}});
    let (body, at) = (body.to_string(), app.app.clock.now().timestamp());
    let signature = STANDARD.encode(pair().sign(format!("{at}|{body}").as_bytes()));
    let url = format!("{}/hooks/voip/{}", app.base, channel["key"].as_str().unwrap());
    let request = app
        .client
        .post(url)
        .header("content-type", "application/json")
        .header("telnyx-timestamp", at.to_string())
        .header("telnyx-signature-ed25519", signature);
    app.ask(request.body(body)).await
}

both_databases! {
    async fn one_click_rings_once_however_often_it_is_sent_and_a_refused_one_may_be_tried_again(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let pbx = Asked::default();
        telephone(&app, json!({"provider": "generic", "secrets": {"signing_secret": SECRET},
            "api_url": pbx.serve().await, "operators": {"101": anna["id"]}})).await;
        let phones = app.call_as(&key, "GET", "/calls/phones", None).await.expect(200);
        assert_eq!((&phones["items"][0]["dials"], &phones["items"][0]["extension"]), (&json!(true), &json!("101")));
        let click = json!({"number": "+998 (90) 123-45-67", "client_id": "w1"});
        pbx.will_answer(422);
        app.call_as(&key, "POST", "/calls", Some(click.clone())).await.expect(409);
        pbx.taken();
        for _ in 0..3 {
            let asked = app.call_as(&key, "POST", "/calls", Some(click.clone())).await.expect(202);
            assert_eq!((&asked["number"], &asked["extension"]), (&json!(CLIENT), &json!("101")));
        }
        let asked = pbx.taken();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!((&asked[0].1["to"], &asked[0].1["operator"], &asked[0].1["from"]), (&json!(CLIENT), &json!("101"), &json!(OURS)));
        for (body, field) in [
            (json!({"number": "112"}), "number"),
            (json!({}), "number"),
            (json!({"number": CLIENT, "conversation_id": "cnv_1"}), "number"),
            (json!({"number": CLIENT, "client_id": "x".repeat(101)}), "client_id"),
        ] {
            let refused = app.call_as(&key, "POST", "/calls", Some(body)).await.expect(422);
            assert_eq!(refused["errors"][0]["field"], field);
        }
        // Bella has no telephone there.
        let (_, bella) = app.operator("Bella", "operator").await;
        app.call_as(&bella, "POST", "/calls", Some(json!({"number": CLIENT}))).await.expect(409);
        assert!(pbx.taken().is_empty());
    }

    async fn at_telnyx_the_client_is_rung_once_the_operator_picked_up_even_when_the_first_try_did_not_arrive(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let telnyx = Asked::default();
        let channel = telephone(&app, json!({"provider": "telnyx", "api_url": telnyx.serve().await, "operators": {"101": anna["id"]},
            "secrets": {"public_key": STANDARD.encode(pair().public_key()), "api_key": "KEY", "application_id": "149"}})).await;
        app.call_as(&key, "POST", "/calls", Some(json!({"number": CLIENT}))).await.expect(202);
        let (path, dialled) = telnyx.taken().remove(0);
        assert_eq!((path.as_str(), &dialled["to"]), ("/v2/calls", &json!("sip:101@sip.telnyx.com")));
        let operators = json!({"call_control_id": "v3:op", "call_leg_id": "op", "to": "sip:101@sip.telnyx.com", "client_state": dialled["client_state"]});
        telnyx_says(&app, &channel, "e1", "call.initiated", &operators).await.expect(200);
        assert!(telnyx.taken().is_empty());
        telnyx.will_answer(503);
        telnyx_says(&app, &channel, "e2", "call.answered", &operators).await.expect(503);
        telnyx_says(&app, &channel, "e2", "call.answered", &operators).await.expect(200);
        let commands = telnyx.taken();
        assert_eq!(commands.len(), 2);
        assert_eq!(commands[0], commands[1], "the same command under the same id");
        assert_eq!(commands[1].0, "/v2/calls/v3%3Aop/actions/transfer");
        assert_eq!(commands[1].1["to"], CLIENT);
        let clients = json!({"call_control_id": "v3:cl", "call_leg_id": "cl", "to": CLIENT, "client_state": commands[1].1["target_leg_client_state"]});
        telnyx_says(&app, &channel, "e3", "call.initiated", &clients).await.expect(200);
        let call = call_that(&app, "the client is rung", |call| is(call, "direction", "outbound")).await;
        assert_eq!((&call["to"], &call["state"]), (&json!(CLIENT), &json!("ringing")));
        telnyx_says(&app, &channel, "e4", "call.bridged", &clients).await.expect(200);
        call_that(&app, "they talk", |call| is(call, "state", "answered")).await;
        assert_eq!(app.get("/calls").await["items"].as_array().unwrap().len(), 1);
    }

    async fn whoever_it_rings_for_sees_the_call_in_the_list_without_standing_in_its_line(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let (_, bella) = app.operator("Bella", "operator").await;
        let phone = Phone::on(&app, json!({"101": anna["id"]}), json!({})).await;
        let now = app.app.clock.now();
        phone.says(&app, "ringing", "c1", now, json!({"operator": "101"})).await.expect(200);
        call_that(&app, "it rings", |call| is(call, "state", "ringing")).await;
        let seen = |answer: Value| answer["items"].as_array().unwrap().len();
        assert_eq!(seen(app.call_as(&key, "GET", "/calls?state=ringing", None).await.expect(200)), 1);
        assert_eq!(seen(app.call_as(&bella, "GET", "/calls?state=ringing", None).await.expect(200)), 0);
    }
}
