//! Calling back by a click: what each telephone system is asked, in its words, and what comes of its answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use support::{
    HOOK, PATH, TOKEN, WHSEC, base64, built, call, now, post, private_key, settings, sha256, with_header,
    with_http,
};
use switchboard_sdk::{CallDirection, CallEventKind, HttpError, HttpRequest, LegRole, SendError};
use switchboard_testkit::FakeHttp;

/// Of an account; nothing here is signed with it.
const PUBLIC_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn last(http: &FakeHttp) -> HttpRequest {
    http.asked().pop().unwrap()
}

#[tokio::test]
async fn a_click_asks_the_provider_to_ring_the_operator_and_then_the_client() {
    let cases = [
        (
            "twilio",
            json!({"account_sid": "AC1", "auth_token": "12345"}),
            "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json",
            vec![
                "To=client%3A101",
                "From=%2B74951234567",
                "leg%3Doperator",
                "79161234567%3C%2FNumber",
            ],
        ),
        (
            "plivo",
            json!({"auth_id": "MA1", "auth_token": "tok"}),
            "https://api.plivo.com/v1/Account/MA1/Call/",
            vec![
                "sip:101@phone.plivo.com",
                "\"from\":\"74951234567\"",
                "/dial/79161234567",
            ],
        ),
        (
            "mango",
            json!({"api_key": "key", "salt": "salt"}),
            "https://app.mango-office.ru/vpbx/commands/callback",
            vec!["%22extension%22%3A%22101%22", "79161234567", "sign="],
        ),
        (
            "zadarma",
            json!({"key": "key", "secret": "secret"}),
            "https://api.zadarma.com/v1/request/callback/?from=101&sip=101&to=%2B79161234567",
            vec![],
        ),
        (
            "telnyx",
            json!({"public_key": PUBLIC_KEY, "api_key": "KEY1", "application_id": "1494404757140276705"}),
            "https://api.telnyx.com/v2/calls",
            vec![
                "\"connection_id\":\"1494404757140276705\"",
                "\"to\":\"sip:101@sip.telnyx.com\"",
                "\"from\":\"+74951234567\"",
                "client_state",
            ],
        ),
        (
            "voximplant",
            json!({"token": TOKEN, "rule_id": "77", "service_account": service_account()}),
            "https://api.voximplant.com/platform_api/StartScenarios",
            vec!["rule_id=77", "call.dial", "%2B79161234567", "%2B74951234567"],
        ),
    ];
    for (provider, secrets, url, parts) in cases {
        let (connector, http) = with_http(settings(provider, secrets));
        let telephony = connector.telephony().unwrap();
        assert!(telephony.dials(), "{provider}");
        http.will_say(200, "{}");
        telephony.dial("101", "+79161234567", "opr_1:word").await.unwrap();
        let asked = http.asked().remove(0);
        assert_eq!(asked.uri().to_string(), url);
        let body = String::from_utf8(asked.body().to_vec()).unwrap();
        for part in parts {
            assert!(body.contains(part), "{provider}: {part} in {body}");
        }
        http.will_say(400, r#"{"message":"no such extension"}"#);
        let refused = telephony.dial("101", "+79161234567", "2").await;
        assert!(
            matches!(&refused, Err(SendError::Refused { reason }) if reason.contains("no such extension")),
            "{refused:?}"
        );
        http.will_answer(Err(HttpError::NotSent("away".to_owned())));
        assert!(matches!(
            telephony.dial("101", "+79161234567", "3").await,
            Err(SendError::Retry { .. })
        ));
        http.will_answer(Err(HttpError::Unknown("cut".to_owned())));
        assert!(matches!(
            telephony.dial("101", "+79161234567", "4").await,
            Err(SendError::Unknown { .. })
        ));
        for number in ["", "79161234567", "+1", "+7916123456a", "<Number>"] {
            assert!(
                matches!(
                    telephony.dial("101", number, "5").await,
                    Err(SendError::Refused { .. })
                ),
                "{number}"
            );
        }
    }
    // Without what it takes to ask.
    for provider in ["voximplant", "3cx", "zammad_cti", "asterisk"] {
        let connector = built(settings(provider, json!({"token": TOKEN})));
        assert!(!connector.telephony().unwrap().dials(), "{provider}");
        assert!(matches!(
            connector
                .telephony()
                .unwrap()
                .dial("101", "+79161234567", "1")
                .await,
            Err(SendError::Refused { .. })
        ));
    }
    let (refusing, http) = with_http(settings("zadarma", json!({"key": "key", "secret": "secret"})));
    http.will_say(200, r#"{"status":"error","message":"Wrong extension"}"#);
    let refused = refusing
        .telephony()
        .unwrap()
        .dial("101", "+79161234567", "1")
        .await;
    assert!(
        matches!(&refused, Err(SendError::Refused { reason }) if reason.contains("Wrong extension")),
        "{refused:?}"
    );
}

fn service_account() -> String {
    json!({
        "account_email": "robot@shop.example",
        "account_id": 4455,
        "key_id": "k-1",
        "private_key": private_key(),
    })
    .to_string()
}

#[tokio::test]
async fn threecx_is_asked_for_a_token_first_and_says_in_a_success_that_it_failed() {
    let mut settings = settings(
        "3cx",
        json!({"token": TOKEN, "client_id": "900", "client_secret": "key"}),
    );
    settings["api_url"] = json!("https://pbx.example/");
    let (connector, http) = with_http(settings);
    let telephony = connector.telephony().unwrap();
    assert!(telephony.dials());
    http.will_say(
        200,
        r#"{"token_type":"Bearer","expires_in":60,"access_token":"T1"}"#,
    );
    http.will_say(202, r#"{"finalstatus":"Success","reason":"NotSpecified"}"#);
    telephony.dial("101", "+79161234567", "1").await.unwrap();
    let asked = http.asked();
    assert_eq!(asked[0].uri().to_string(), "https://pbx.example/connect/token");
    assert_eq!(
        asked[0].body().as_ref(),
        b"grant_type=client_credentials&client_id=900&client_secret=key"
    );
    assert_eq!(
        asked[1].uri().to_string(),
        "https://pbx.example/callcontrol/101/makecall"
    );
    assert_eq!(asked[1].headers()["authorization"], "Bearer T1");
    let body: Value = serde_json::from_slice(asked[1].body()).unwrap();
    assert_eq!(body["destination"], "+79161234567");
    http.will_say(200, r#"{"access_token":"T2"}"#);
    http.will_say(
        200,
        r#"{"finalstatus":"Failed","reasontext":"Extension is not registered"}"#,
    );
    let refused = telephony.dial("101", "+79161234567", "2").await;
    assert!(
        matches!(&refused, Err(SendError::Refused { reason }) if reason.contains("not registered")),
        "{refused:?}"
    );
    http.will_say(400, r#"{"error":"invalid_client"}"#);
    assert!(matches!(
        telephony.dial("101", "+79161234567", "3").await,
        Err(SendError::Refused { .. })
    ));
    // Nothing that could lead elsewhere on the PBX is taken for an extension.
    http.will_say(200, r#"{"access_token":"T3"}"#);
    assert!(matches!(
        telephony.dial("../users", "+79161234567", "4").await,
        Err(SendError::Refused { .. })
    ));
}

#[tokio::test]
async fn the_generic_system_is_asked_by_a_signed_request() {
    let mut settings = settings("generic", json!({"signing_secret": WHSEC}));
    assert!(!built(settings.clone()).telephony().unwrap().dials());
    settings["api_url"] = json!("https://pbx.example/switchboard");
    let (connector, http) = with_http(settings);
    http.will_say(204, "");
    let telephony = connector.telephony().unwrap();
    telephony.dial("101", "+79161234567", "opr_1:word").await.unwrap();
    let asked = http.asked().remove(0);
    assert_eq!(asked.uri().to_string(), "https://pbx.example/switchboard");
    let header = |name: &str| asked.headers()[name].to_str().unwrap().to_owned();
    let signed = [
        header("webhook-id").as_bytes(),
        b".",
        header("webhook-timestamp").as_bytes(),
        b".",
        asked.body(),
    ]
    .concat();
    let key = STANDARD.decode(WHSEC.strip_prefix("whsec_").unwrap()).unwrap();
    assert_eq!(header("webhook-id"), "opr_1:word");
    assert_eq!(
        header("webhook-signature"),
        format!("v1,{}", base64(sha256(&key, &signed)))
    );
    let body: Value = serde_json::from_slice(asked.body()).unwrap();
    assert_eq!(
        body,
        json!({"type": "call.dial", "id": "opr_1:word", "operator": "101", "to": "+79161234567", "from": "+74951234567"})
    );
}

#[tokio::test]
async fn telnyx_is_told_to_ring_the_client_when_the_operator_picked_up_and_to_hang_up_when_nobody_is_there() {
    let secrets = json!({"public_key": PUBLIC_KEY, "api_key": "KEY1", "application_id": "149"});
    let (connector, http) = with_http(settings("telnyx", secrets));
    let telephony = connector.telephony().unwrap();
    http.will_say(200, r#"{"data":{"call_control_id":"v3:op/1"}}"#);
    telephony.dial("101", "+79161234567", "opr_1:word").await.unwrap();
    let asked: Value = serde_json::from_slice(last(&http).body()).unwrap();
    assert_eq!(asked["webhook_url"], HOOK);
    let event = |kind: &str, leg: &str, state: &Value| {
        let body = json!({"data": {"event_type": kind, "id": "e1", "payload":
            {"call_control_id": leg, "call_session_id": "s1", "client_state": state}}});
        post(PATH, "application/json", body.to_string())
    };
    let state = &asked["client_state"];
    // Ringing asks for nothing, nor does a call that no click began.
    telephony
        .go_on(&event("call.initiated", "v3:op/1", state))
        .await
        .unwrap();
    telephony
        .go_on(&event("call.answered", "v3:x", &json!("eyJ4IjoxfQ==")))
        .await
        .unwrap();
    telephony
        .go_on(&event("call.answered", "v3:x", &Value::Null))
        .await
        .unwrap();
    assert_eq!(http.asked().len(), 1);
    let mut ids = Vec::new();
    for _ in 0..2 {
        http.will_say(200, r#"{"data":{"result":"ok"}}"#);
        telephony
            .go_on(&event("call.answered", "v3:op/1", state))
            .await
            .unwrap();
        let request = last(&http);
        assert_eq!(
            request.uri().to_string(),
            "https://api.telnyx.com/v2/calls/v3%3Aop%2F1/actions/transfer"
        );
        assert_eq!(request.headers()["authorization"], "Bearer KEY1");
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(
            (&body["to"], &body["from"]),
            (&json!("+79161234567"), &json!("+74951234567"))
        );
        ids.push((
            body["command_id"].clone(),
            body["target_leg_client_state"].clone(),
        ));
    }
    assert_eq!(ids[0], ids[1], "Telnyx knows the repetition by its command");
    let clients = &ids[0].1;
    telephony
        .go_on(&event("call.answered", "v3:client", clients))
        .await
        .unwrap();
    assert_eq!(http.asked().len(), 3);
    http.will_say(200, "{}");
    telephony
        .go_on(&event("call.hangup", "v3:client", clients))
        .await
        .unwrap();
    let request = last(&http);
    assert_eq!(
        request.uri().to_string(),
        "https://api.telnyx.com/v2/calls/v3%3Aop%2F1/actions/hangup"
    );
    // A command that did not arrive is worth the provider's repetition; one that is refused is not.
    http.will_say(503, "");
    let failed = telephony.go_on(&event("call.answered", "v3:op/1", state)).await;
    assert!(matches!(failed, Err(SendError::Retry { .. })), "{failed:?}");
    http.will_say(
        422,
        r#"{"errors":[{"code":"90018","title":"Call has already ended"}]}"#,
    );
    let failed = telephony.go_on(&event("call.answered", "v3:op/1", state)).await;
    assert!(matches!(failed, Err(SendError::Refused { .. })), "{failed:?}");
}

#[tokio::test]
async fn a_click_at_telnyx_is_one_call_to_the_client_from_its_first_event() {
    let secrets =
        json!({"public_key": base64(pair().public_key()), "api_key": "KEY1", "application_id": "149"});
    let (connector, http) = with_http(settings("telnyx", secrets));
    http.will_say(200, "{}");
    let telephony = connector.telephony().unwrap();
    telephony.dial("101", "+79161234567", "w1").await.unwrap();
    let asked: Value = serde_json::from_slice(last(&http).body()).unwrap();
    let legs = [
        (
            "call.initiated",
            "op",
            "sip:101@sip.telnyx.com",
            asked["client_state"].clone(),
        ),
        (
            "call.answered",
            "op",
            "sip:101@sip.telnyx.com",
            asked["client_state"].clone(),
        ),
        ("call.initiated", "client", "+79161234567", Value::Null),
        ("call.bridged", "client", "+79161234567", Value::Null),
    ];
    let mut kinds = Vec::new();
    for (number, (kind, leg, to, state)) in legs.into_iter().enumerate() {
        let body = json!({"data": {"event_type": kind, "id": format!("e{number}"), "payload": {
            "call_session_id": "s1", "call_leg_id": leg, "call_control_id": leg, "direction": "outgoing",
            "from": "+74951234567", "to": to, "client_state": state}}})
        .to_string();
        let at = now().timestamp().to_string();
        let signature = base64(pair().sign(format!("{at}|{body}").as_bytes()));
        let request = with_header(post(PATH, "application/json", body), "telnyx-timestamp", &at);
        let request = with_header(request, "telnyx-signature-ed25519", &signature);
        let (_, event) = call(connector.as_ref(), &request);
        assert_eq!(event.call, "s1");
        assert_eq!(event.direction, Some(CallDirection::Outbound));
        assert_eq!(event.to.unwrap().address, "+79161234567");
        assert_eq!(event.own_number.as_deref(), Some("+74951234567"));
        let leg = event.leg.unwrap();
        kinds.push((event.kind, leg.role, leg.extension));
    }
    let operator = Some("101".to_owned());
    assert_eq!(
        kinds,
        [
            (CallEventKind::Ringing, LegRole::Operator, operator.clone()),
            (CallEventKind::Linked, LegRole::Operator, operator),
            (CallEventKind::Ringing, LegRole::Client, None),
            (CallEventKind::Answered, LegRole::Client, None),
        ]
    );
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}
