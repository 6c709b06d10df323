//! Leads of other services: who may push them, Meta's handshake and fetching, and any JSON by a mapping.

mod post;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use post::{json as post_json, urlencoded};
use serde_json::{Value, json};
use sha2::Sha256;
use switchboard_sdk::{
    Batch, BuildContext, Connector, HttpError, InboundBody, Receipt, Rejection, Submission, WebhookRequest,
};
use switchboard_testkit::{FakeHttp, context};
use switchboard_webform::DESCRIPTOR;

const SECRET: &str = "s3cret of the service";

fn form_with(leads: Value, http: &FakeHttp) -> Arc<dyn Connector> {
    let settings = json!({"default_region": "RU", "leads": leads, "fields": [
        {"name": "name"}, {"name": "phone", "type": "phone"}, {"name": "email", "type": "email"}, {"name": "comment", "type": "textarea"},
    ]});
    let context = BuildContext {
        http: Arc::new(http.clone()),
        ..context()
    };
    (DESCRIPTOR.build)(settings, context).unwrap_or_else(|error| panic!("{error}"))
}

fn hooked(mut request: WebhookRequest, query: &str) -> WebhookRequest {
    let uri = format!("/hooks/lead/test-channel{query}").parse();
    *request.uri_mut() = uri.unwrap_or_default();
    request
}

fn accept(form: &Arc<dyn Connector>, request: &WebhookRequest) -> Result<Batch, Rejection> {
    let hook = form.webhook().unwrap_or_else(|| panic!("no webhook"));
    hook.accept(request, context().clock.now())
}

fn header(mut request: WebhookRequest, name: &'static str, value: &str) -> WebhookRequest {
    let value = value.parse().unwrap_or_else(|_| panic!("{value}"));
    request.headers_mut().insert(name, value);
    request
}

fn mac(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| panic!("a key"));
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn submission(batch: Batch) -> Submission {
    match batch.events.into_iter().next().map(|event| event.body) {
        Some(InboundBody::Submission(submission)) => submission,
        other => panic!("{other:?}"),
    }
}

/// A push of each service, how it proves itself with a secret, and the same with the secret wrong.
fn proofs(secret: &str) -> Vec<(&'static str, WebhookRequest)> {
    let typeform = post_json(
        &json!({"event_id": "e", "event_type": "form_response", "form_response": {"token": "t", "answers": []}}),
    );
    let tally =
        post_json(&json!({"eventType": "FORM_RESPONSE", "data": {"submissionId": "s", "fields": []}}));
    let webflow = post_json(
        &json!({"triggerType": "form_submission", "payload": {"id": "w", "data": {"name": "Ann"}}}),
    );
    let google = json!({"lead_id": "g", "google_key": secret, "user_column_data": []});
    let plain = || urlencoded(&[("Name", "Ann"), ("tranid", "1")]);
    let time = context().clock.now().timestamp_millis().to_string();
    let over = |request: &WebhookRequest| mac(secret, &[request.body()]);
    let by_webflow = hex::encode(mac(secret, &[time.as_bytes(), b":", webflow.body()]));
    vec![
        (
            "typeform",
            header(
                typeform.clone(),
                "typeform-signature",
                &format!("sha256={}", STANDARD.encode(over(&typeform))),
            ),
        ),
        (
            "tally",
            header(tally.clone(), "tally-signature", &STANDARD.encode(over(&tally))),
        ),
        (
            "webflow",
            header(
                header(webflow, "x-webflow-timestamp", &time),
                "x-webflow-signature",
                &by_webflow,
            ),
        ),
        ("google ads", post_json(&google)),
        (
            "tilda by a field",
            urlencoded(&[("Name", "Ann"), ("tranid", "1"), ("api_key", secret)]),
        ),
        ("a key in a header", header(plain(), "x-api-key", secret)),
        (
            "a bearer token",
            header(plain(), "authorization", &format!("Bearer {secret}")),
        ),
    ]
}

#[test]
fn with_a_secret_set_only_who_knows_it_is_believed() {
    let form = form_with(json!({"secret": SECRET}), &FakeHttp::default());
    for (service, request) in proofs(SECRET) {
        assert!(accept(&form, &hooked(request, "")).is_ok(), "{service}");
    }
    for (service, request) in proofs("another secret") {
        let refused = accept(&form, &hooked(request, ""));
        assert!(matches!(refused, Err(Rejection::Unauthenticated(_))), "{service}");
    }
    for (service, mut request) in proofs(SECRET).into_iter().take(3) {
        // A byte changed under a good signature, and a signature left away.
        let mut body = request.body().to_vec();
        body.push(b' ');
        *request.body_mut() = body.into();
        assert!(accept(&form, &hooked(request.clone(), "")).is_err(), "{service}");
        request.headers_mut().remove("typeform-signature");
        request.headers_mut().remove("tally-signature");
        request.headers_mut().remove("x-webflow-signature");
        assert!(accept(&form, &hooked(request, "")).is_err(), "{service}");
    }
    let plain = urlencoded(&[("name", "Ann")]);
    let there = format!("?secret={}", SECRET.replace(' ', "%20"));
    assert!(accept(&form, &hooked(plain.clone(), &there)).is_ok());
    assert!(accept(&form, &hooked(plain.clone(), "?secret=")).is_err());
    // The form's own address asks for no secret.
    assert!(accept(&form, &plain).is_ok());
}

#[test]
fn an_old_push_of_webflow_is_not_taken_again() {
    let form = form_with(json!({"secret": SECRET}), &FakeHttp::default());
    let body = post_json(
        &json!({"triggerType": "form_submission", "payload": {"id": "w", "data": {"name": "Ann"}}}),
    );
    for (minutes, taken) in [(-4, true), (-6, false), (4, true), (6, false)] {
        let time = (context().clock.now() + chrono::TimeDelta::minutes(minutes))
            .timestamp_millis()
            .to_string();
        let signature = hex::encode(mac(SECRET, &[time.as_bytes(), b":", body.body()]));
        let request = header(
            header(body.clone(), "x-webflow-timestamp", &time),
            "x-webflow-signature",
            &signature,
        );
        assert_eq!(accept(&form, &hooked(request, "")).is_ok(), taken, "{minutes}");
    }
}

fn meta(http: &FakeHttp) -> Arc<dyn Connector> {
    let meta = json!({"verify_token": "our word", "app_secret": "app", "page_token": "page", "graph_url": "https://graph.example/v1/"});
    form_with(json!({"meta": meta}), http)
}

fn shake(form: &Arc<dyn Connector>, query: &str) -> Option<(u16, String)> {
    let mut request = hooked(post_json(&json!({})), query);
    *request.method_mut() = http::Method::GET;
    accept(form, &request).ok()?;
    let reply = form.webhook()?.reply(&request, &Receipt::default());
    Some((
        reply.status().as_u16(),
        String::from_utf8_lossy(reply.body()).into_owned(),
    ))
}

#[test]
fn metas_handshake_is_answered_when_it_knows_the_token() {
    let form = meta(&FakeHttp::default());
    let good = "?hub.mode=subscribe&hub.verify_token=our+word&hub.challenge=11584";
    assert_eq!(shake(&form, good), Some((200, "11584".to_owned())));
    for bad in [
        "?hub.mode=subscribe&hub.verify_token=another&hub.challenge=1",
        "?hub.mode=unsubscribe&hub.verify_token=our+word&hub.challenge=1",
        "?hub.mode=subscribe&hub.verify_token=our+word&hub.challenge=%3Cscript%3E",
        "?hub.mode=subscribe&hub.verify_token=our+word",
        "",
    ] {
        assert_eq!(shake(&form, bad), None, "{bad}");
    }
    assert_eq!(shake(&form_with(json!({}), &FakeHttp::default()), good), None);
}

fn push(ids: &[&str], secret: &str) -> WebhookRequest {
    let changes: Vec<Value> = ids
        .iter()
        .map(|id| json!({"field": "leadgen", "value": {"leadgen_id": id, "page_id": 3, "form_id": "4", "ad_id": "5", "created_time": 1}}))
        .collect();
    let request = post_json(
        &json!({"object": "page", "entry": [{"id": "3", "time": 1, "changes": changes}, {"changes": [{"field": "feed", "value": {}}]}]}),
    );
    let signature = format!("sha256={}", hex::encode(mac(secret, &[request.body()])));
    hooked(header(request, "x-hub-signature-256", &signature), "")
}

#[tokio::test]
async fn leads_of_meta_are_fetched_with_the_pages_token() {
    let http = FakeHttp::default();
    let form = meta(&http);
    let request = push(&["12345", "678"], "app");
    let batch = accept(&form, &request).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(batch.events.len(), 2);
    http.will_say(
        200,
        &json!({"id": "12345", "field_data": [
        {"name": "full_name", "values": ["Ann Lee"]}, {"name": "phone_number", "values": ["+79051234567"]},
        {"name": "what_about", "values": ["lamps", "wires"]}]})
        .to_string(),
    );
    http.will_say(
        400,
        &json!({"error": {"message": "Unsupported get request", "code": 100}}).to_string(),
    );
    let hook = form.webhook().unwrap_or_else(|| panic!("no webhook"));
    let whole = hook
        .complete(&request, batch)
        .await
        .unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(whole.events[0].external_id, "lead:meta:12345");
    assert!(
        matches!(&whole.events[1].body, InboundBody::Poison { reason, .. } if reason.contains("Unsupported get request"))
    );
    let lead = submission(whole);
    assert_eq!(
        json!(lead.values),
        json!({"name": "Ann Lee", "phone": "+79051234567"})
    );
    assert_eq!(lead.extra.get("what_about"), Some(&json!("lamps, wires")));
    assert_eq!(
        lead.attribution.last.get("utm_source").map(String::as_str),
        Some("facebook")
    );
    let asked = http.asked();
    let address = asked[0].uri().to_string();
    let proof = hex::encode(mac("app", &[b"page"]));
    assert_eq!(
        address,
        format!("https://graph.example/v1/12345?appsecret_proof={proof}")
    );
    assert_eq!(
        asked[0]
            .headers()
            .get("authorization")
            .and_then(|value| value.to_str().ok()),
        Some("Bearer page")
    );
}

#[tokio::test]
async fn what_meta_cannot_tell_now_is_left_for_it_to_bring_again() {
    let http = FakeHttp::default();
    let form = meta(&http);
    let request = push(&["1"], "app");
    let hook = form.webhook().unwrap_or_else(|| panic!("no webhook"));
    for answer in [
        Err(HttpError::NotSent("nobody there".to_owned())),
        Ok(http::Response::builder()
            .status(400)
            .body(r#"{"error":{"message":"Expired","code":190}}"#.into())
            .unwrap_or_default()),
        Ok(http::Response::builder()
            .status(500)
            .body("oops".into())
            .unwrap_or_default()),
    ] {
        http.will_answer(answer);
        let batch = accept(&form, &request).unwrap_or_else(|error| panic!("{error}"));
        assert!(hook.complete(&request, batch).await.is_err());
    }
}

#[test]
fn a_push_of_meta_without_a_good_signature_is_refused_and_ids_are_numbers() {
    let form = meta(&FakeHttp::default());
    assert!(matches!(
        accept(&form, &push(&["1"], "other")),
        Err(Rejection::Unauthenticated(_))
    ));
    let none = form_with(json!({}), &FakeHttp::default());
    assert!(matches!(
        accept(&none, &push(&["1"], "app")),
        Err(Rejection::Unauthenticated(_))
    ));
    let odd = accept(&form, &push(&["../me", "1?x=", ""], "app"));
    assert!(odd.is_ok_and(|batch| batch.events.is_empty()));
}

#[test]
fn any_json_is_read_by_the_mapping_and_posts_of_names_and_values_too() {
    let mapping = json!([
        {"from": "/client/first", "to": "name"}, {"from": "/client/last", "to": "name"},
        {"from": "/client/tel", "to": "phone"}, {"from": "/order", "to": "submission_id"}, {"from": "/ad", "to": "utm_campaign"}]);
    let form = form_with(json!({"mapping": mapping}), &FakeHttp::default());
    let body = json!({"client": {"first": "Ann", "last": "Lee", "tel": "+79051234567"}, "order": 7, "ad": "spring", "note": "=1+1<script>"});
    let batch = accept(&form, &hooked(post_json(&body), "")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(batch.events[0].external_id, "lead:mapped:7");
    let lead = submission(batch);
    assert_eq!(
        json!(lead.values),
        json!({"name": "Ann Lee", "phone": "+79051234567"})
    );
    assert_eq!(json!(lead.extra), json!({"note": "=1+1<script>"}));
    assert_eq!(
        lead.attribution.last.get("utm_campaign").map(String::as_str),
        Some("spring")
    );
    // What brings nothing that is mapped is read as before.
    let other = accept(
        &form,
        &hooked(post_json(&json!({"name": "Bob", "phone": "+79051234568"})), ""),
    );
    assert_eq!(
        json!(submission(other.unwrap_or_else(|error| panic!("{error}"))).values),
        json!({"name": "Bob", "phone": "+79051234568"})
    );
    let pairs = form_with(
        json!({"mapping": [{"from": "/input_3", "to": "phone"}]}),
        &FakeHttp::default(),
    );
    let batch = accept(
        &pairs,
        &hooked(urlencoded(&[("input_3", "+79051234567"), ("x", "1")]), ""),
    );
    assert_eq!(
        json!(submission(batch.unwrap_or_else(|error| panic!("{error}"))).values),
        json!({"phone": "+79051234567"})
    );
}
