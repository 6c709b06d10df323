//! Leads that other services push, against an emulated Graph API.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::TestApp;

/// What the emulated Graph API answers, by lead.
type Leads = Arc<Mutex<Vec<(String, u16, Value)>>>;

async fn graph(leads: Leads) -> String {
    async fn lead(
        State(leads): State<Leads>,
        Path(id): Path<String>,
        headers: HeaderMap,
    ) -> (StatusCode, Json<Value>) {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        if token != Some("Bearer page-token") {
            return (
                StatusCode::BAD_REQUEST,
                Json(json!({"error": {"code": 190, "message": "no token"}})),
            );
        }
        let found = leads
            .lock()
            .unwrap()
            .iter()
            .find(|(known, _, _)| *known == id)
            .cloned();
        let gone = json!({"error": {"code": 100, "message": "there is no such lead"}});
        let (_, status, body) = found.unwrap_or((id, 400, gone));
        (StatusCode::from_u16(status).unwrap(), Json(body))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v23.0", listener.local_addr().unwrap());
    let router = Router::new().route("/v23.0/{id}", get(lead)).with_state(leads);
    tokio::spawn(axum::serve(listener, router).into_future());
    base
}

fn push(ids: &[&str]) -> String {
    let changes: Vec<Value> = ids
        .iter()
        .map(|id| json!({"field": "leadgen", "value": {"leadgen_id": id, "form_id": "4", "page_id": "3"}}))
        .collect();
    json!({"object": "page", "entry": [{"id": "3", "time": 1, "changes": changes}]}).to_string()
}

async fn bring(app: &TestApp, channel: &Value, body: &str, secret: &str) -> u16 {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let hook = format!("{}/hooks/lead/{}", app.base, channel["key"].as_str().unwrap());
    let request = app.client.post(hook).header("content-type", "application/json");
    let request = request
        .header("x-hub-signature-256", signature)
        .body(body.to_owned());
    request.send().await.unwrap().status().as_u16()
}

both_databases! {
    async fn leads_of_meta_are_fetched_stored_once_and_never_lost(app: TestApp) {
        let known = Leads::default();
        let graph = graph(Arc::clone(&known)).await;
        let line = app.line("Sales", json!({})).await;
        let meta = json!({"verify_token": "word", "app_secret": "app", "page_token": "page-token", "graph_url": graph});
        let channel = app.channel("webform", &line, json!({"leads": {"meta": meta}})).await;
        assert_eq!(channel["settings"]["leads"]["meta"]["page_token"], Value::Null, "never read back");

        let hook = format!("{}/hooks/lead/{}", app.base, channel["key"].as_str().unwrap());
        let shake = |token: &str| app.client.get(format!("{hook}?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=42"));
        let good = shake("word").send().await.unwrap();
        assert_eq!((good.status().as_u16(), good.text().await.unwrap().as_str()), (200, "42"));
        assert_eq!(shake("other").send().await.unwrap().status().as_u16(), 403);

        assert_eq!(bring(&app, &channel, &push(&["1"]), "wrong").await, 401);
        // Meta cannot tell now: it is asked to come again, and nothing is stored.
        known.lock().unwrap().push(("1".to_owned(), 500, json!({})));
        assert_eq!(bring(&app, &channel, &push(&["1"]), "app").await, 503);
        assert_eq!(app.get("/submissions").await["items"], json!([]));
        let answers = json!({"id": "1", "field_data": [{"name": "full_name", "values": ["Ann Lee"]}, {"name": "email", "values": ["ann@client.test"]}]});
        *known.lock().unwrap() = vec![("1".to_owned(), 200, answers)];
        assert!((200..300).contains(&bring(&app, &channel, &push(&["1", "2"]), "app").await));
        assert!((200..300).contains(&bring(&app, &channel, &push(&["1"]), "app").await), "again");
        let stored = app.get("/submissions").await["items"].as_array().unwrap().clone();
        assert_eq!(stored.len(), 1, "{stored:?}");
        assert_eq!(stored[0]["values"], json!({"name": "Ann Lee", "email": "ann@client.test"}));
        // The one that Meta does not know is kept where a person sees it.
        let kept = app.get("/quarantine").await["items"].as_array().unwrap().clone();
        assert_eq!(kept.len(), 1);
        assert!(kept[0]["reason"].as_str().unwrap().contains("there is no such lead"), "{}", kept[0]);
        app.stop().await;
    }

    async fn a_mapping_is_tried_on_what_came_before_it_is_saved(app: TestApp) {
        let line = app.line("Sales", json!({})).await;
        let channel = app.channel("webform", &line, json!({"leads": {"secret": "word"}})).await;
        let id = channel["id"].as_str().unwrap();
        let hook = format!("{}/hooks/lead/{}", app.base, channel["key"].as_str().unwrap());
        let body = json!({"who": {"tel": "+998901234567"}, "n": 5});
        let sent = app.client.post(&hook).json(&body).send().await.unwrap();
        assert_eq!(sent.status().as_u16(), 401);
        let events = app.get(&format!("/channels/{id}/events")).await;
        assert_eq!(events["items"][0]["verdict"], "refused");
        let payload = events["items"][0]["payload"].as_str().unwrap();
        let mapping = json!([{"from": "/who/tel", "to": "phone"}, {"from": "/n", "to": "submission_id"}]);
        let settings = json!({"leads": {"mapping": mapping}});
        let preview = json!({"channel": id, "settings": settings, "payload": payload});
        let lead = app.post("/forms/lead-preview", preview).await.expect(200);
        assert_eq!((&lead["values"], &lead["number"]), (&json!({"phone": "+998901234567"}), &json!("lead:mapped:5")));
        let wrong = json!({"channel": id, "settings": {"leads": {"mapping": [{"from": "/a", "to": "shoe"}]}}, "payload": payload});
        let problem = app.post("/forms/lead-preview", wrong).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "settings.leads.mapping[0].to");
        assert_eq!(app.get("/submissions").await["items"], json!([]), "nothing was stored");
        // Posts of visitors are nobody's to look at.
        app.submit(&channel, json!({"phone": "+998901234568"}), None).await.expect(201);
        assert_eq!(app.get(&format!("/channels/{id}/events")).await["items"].as_array().unwrap().len(), 1);
        app.stop().await;
    }
}
