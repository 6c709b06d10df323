//! What telephone systems ask, and what they are asked: who gets a caller, recordings, calls back, what is to be entered where.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use support::{HOOK, PATH, TOKEN, built, now, private_key, providers, settings, with_header, with_http};
use switchboard_sdk::{
    CallRecording, Connector, Fault, HttpError, PartyKind, Receipt, RouteAnswer, WebhookRequest, secret_paths,
};
use switchboard_testkit::context;
use switchboard_voip::DESCRIPTOR;

fn answer(extensions: &[&str]) -> RouteAnswer {
    RouteAnswer {
        extensions: extensions
            .iter()
            .map(|extension| (*extension).to_owned())
            .collect(),
        caller_name: Some("Anna <&> Co".to_owned()),
        ring_secs: 20,
    }
}

fn said(connector: &Arc<dyn Connector>, request: &WebhookRequest, extensions: &[&str]) -> String {
    let telephony = connector.telephony().unwrap();
    let question = telephony.question(request, now()).unwrap();
    assert_eq!(
        (question.from.kind, question.from.address.as_str()),
        (PartyKind::Number, "+79161234567")
    );
    assert_eq!(question.own_number.as_deref(), Some("+74951234567"));
    let response = telephony.answer(request, &answer(extensions));
    assert!(response.status().is_success());
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[test]
fn twilio_is_told_in_twiml_whom_to_ring() {
    let mut of = settings("twilio", json!({"auth_token": "12345"}));
    of["telephone"] = json!("sip:{extension}@pbx.example;a=1&b");
    let connector = built(of);
    let call = [
        ("CallSid", "CA1"),
        ("CallStatus", "ringing"),
        ("From", "+79161234567"),
        ("To", "+74951234567"),
        ("Direction", "inbound"),
    ];
    let request = support::twilio(&format!("{PATH}/route"), &call);
    assert!(connector.telephony().unwrap().asks(&request));
    let twiml = said(&connector, &request, &["101", "102"]);
    assert!(
        twiml.contains(&format!(r#"action="{HOOK}?after=dial""#)) && twiml.contains(r#"timeout="20""#),
        "{twiml}"
    );
    assert!(
        twiml.contains("sip:101@pbx.example;a=1&amp;b</Sip>") && twiml.contains("sip:102@"),
        "{twiml}"
    );
    assert!(said(&connector, &request, &[]).ends_with("<Response/>"));
    let plain = built(settings("twilio", json!({"auth_token": "12345"})));
    assert!(said(&plain, &request, &["101"]).contains(">101</Client>"));
    assert!(said(&plain, &request, &["+79160000000"]).contains(">+79160000000</Number>"));
    // A report is answered with nothing, the end of a <Dial> with no further instruction.
    let reply = |path: &str, fields: &[(&str, &str)]| {
        let request = support::twilio(path, fields);
        let reply = plain.webhook().unwrap().reply(&request, &Receipt::default());
        (
            String::from_utf8(reply.body().to_vec()).unwrap(),
            plain.telephony().unwrap().asks(&request),
        )
    };
    assert_eq!(
        reply(PATH, &[("CallSid", "CA1"), ("CallStatus", "completed")]),
        (String::new(), false)
    );
    assert!(
        reply(
            &format!("{PATH}?after=dial"),
            &[("CallSid", "CA1"), ("DialCallStatus", "completed")]
        )
        .0
        .ends_with("<Response/>")
    );
}

#[test]
fn vonage_plivo_zadarma_and_the_others_are_told_in_their_words() {
    let vonage = built(settings("vonage", json!({"signature_secret": "vonage-secret"})));
    let body =
        json!({"from": "79161234567", "to": "74951234567", "uuid": "u1", "conversation_uuid": "CON-1"})
            .to_string();
    let claims = json!({"iat": now().timestamp(), "jti": "j1", "payload_hash": support::hex_sha256(&body)});
    let jwt = format!(
        "{}.{}",
        support::base64url(r#"{"alg":"HS256"}"#),
        support::base64url(claims.to_string())
    );
    let jwt = format!(
        "Bearer {jwt}.{}",
        support::base64url(support::sha256("vonage-secret", &jwt))
    );
    let request = with_header(
        support::post(&format!("{PATH}/route"), "application/json", body),
        "authorization",
        &jwt,
    );
    assert!(vonage.telephony().unwrap().asks(&request));
    let ncco: Value = serde_json::from_str(&said(&vonage, &request, &["101"])).unwrap();
    assert_eq!(ncco[0]["endpoint"], json!([{"type": "app", "user": "101"}]));
    assert_eq!(
        (&ncco[0]["from"], &ncco[0]["eventUrl"]),
        (&json!("74951234567"), &json!([HOOK]))
    );
    assert_eq!(said(&vonage, &request, &[]), "[]");

    let (_, zadarma, start) = providers()
        .into_iter()
        .find(|(name, ..)| *name == "zadarma")
        .unwrap();
    assert!(zadarma.telephony().unwrap().asks(&start));
    let response = zadarma.telephony().unwrap().answer(&start, &answer(&["101"]));
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(
        body,
        json!({"redirect": "101", "return_timeout": 20, "caller_name": "Anna <&> Co"})
    );

    let (_, plivo, request) = providers()
        .into_iter()
        .find(|(name, ..)| *name == "plivo")
        .unwrap();
    let xml = said(&plivo, &request, &["101", "+79160000000"]);
    assert!(
        xml.contains("<User>sip:101@phone.plivo.com</User><Number>79160000000</Number>")
            && xml.contains(&format!(r#"callbackUrl="{HOOK}""#)),
        "{xml}"
    );

    for provider in ["asterisk", "3cx", "zammad_cti", "voximplant"] {
        let connector = built(settings(provider, json!({"token": TOKEN})));
        let target = format!("{PATH}/route?from=%2B79161234567&to=74951234567&token={TOKEN}");
        let request = http::Request::get(&target).body(Bytes::new()).unwrap();
        let body: Value = serde_json::from_str(&said(&connector, &request, &["101"])).unwrap();
        assert_eq!(
            (&body["extension"], &body["extensions"], &body["ring_secs"]),
            (&json!("101"), &json!(["101"]), &json!(20)),
            "{provider}"
        );
        let unsigned = http::Request::get(target.replace(TOKEN, "other"))
            .body(Bytes::new())
            .unwrap();
        assert!(connector.telephony().unwrap().question(&unsigned, now()).is_err());
        let nobody = http::Request::get(format!("{PATH}/route?token={TOKEN}"))
            .body(Bytes::new())
            .unwrap();
        assert!(
            connector.telephony().unwrap().question(&nobody, now()).is_err(),
            "nobody rings"
        );
    }
}

fn recording(key: &str, url: Option<&str>) -> CallRecording {
    CallRecording {
        key: key.to_owned(),
        url: url.map(str::to_owned),
        ..CallRecording::default()
    }
}

#[tokio::test]
async fn recordings_are_asked_for_with_the_providers_own_credentials_and_they_go_nowhere_else() {
    let ask = async |connector: &Arc<dyn Connector>, key: &str, url: Option<&str>| {
        connector
            .telephony()
            .unwrap()
            .recording(&recording(key, url))
            .await
    };
    let twilio = built(settings(
        "twilio",
        json!({"account_sid": "AC1", "auth_token": "12345"}),
    ));
    let request = ask(
        &twilio,
        "RE1",
        Some("https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"),
    )
    .await
    .unwrap();
    assert_eq!(
        request.uri(),
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1.mp3"
    );
    assert_eq!(
        request.headers()["authorization"],
        format!("Basic {}", support::base64("AC1:12345")).as_str()
    );
    for elsewhere in [
        "https://evil.example/RE1",
        "https://api.twilio.com.evil.example/RE1",
        "https://eviltwilio.com/RE1",
        "http://10.0.0.1/RE1",
    ] {
        let request = ask(&twilio, "RE1", Some(elsewhere)).await.unwrap();
        assert!(!request.headers().contains_key("authorization"), "{elsewhere}");
    }
    let mango = built(settings("mango", json!({"api_key": "key", "salt": "salt"})));
    let request = ask(&mango, "MToxMDA=/..", None).await.unwrap();
    let expires = now().timestamp() + 3600;
    let sign = support::hex_sha256(&format!("key{expires}MToxMDA=/..salt"));
    assert_eq!(
        request.uri().to_string(),
        format!(
            "https://app.mango-office.ru/vpbx/queries/recording/link/MToxMDA%3D%2F../download/key/{expires}/{sign}"
        )
    );

    let (zadarma, http) = with_http(settings("zadarma", json!({"key": "key", "secret": "secret"})));
    http.will_say(200, r#"{"status":"success","link":"https://api.zadarma.com/v1/pbx/record/download/x/1.mp3","lifetime_till":"2026-01-05 11:00:00"}"#);
    let request = ask(&zadarma, "rec_1", None).await.unwrap();
    assert_eq!(
        request.uri(),
        "https://api.zadarma.com/v1/pbx/record/download/x/1.mp3"
    );
    assert!(!request.headers().contains_key("authorization"));
    let asked = http.asked().remove(0);
    assert_eq!(
        asked.uri(),
        "https://api.zadarma.com/v1/pbx/record/request/?call_id=rec_1&lifetime=1800"
    );
    // By the formula of its libraries: path, query and the query's MD5.
    let query = "call_id=rec_1&lifetime=1800";
    let md5 = {
        use md5::Digest;
        hex::encode(md5::Md5::digest(query))
    };
    let sign = support::base64(hex::encode(support::sha1(
        "secret",
        &format!("/v1/pbx/record/request/{query}{md5}"),
    )));
    assert_eq!(asked.headers()["authorization"], format!("key:{sign}").as_str());
    http.will_say(404, r#"{"status":"error","message":"not ready"}"#);
    assert!(
        matches!(ask(&zadarma, "rec_1", None).await, Err(Fault::Temporary(_))),
        "the file comes later"
    );
    http.will_say(401, r#"{"status":"error"}"#);
    assert!(matches!(
        ask(&zadarma, "rec_1", None).await,
        Err(Fault::Permanent(_))
    ));
    http.will_answer(Err(HttpError::Unknown("cut".to_owned())));
    assert!(matches!(
        ask(&zadarma, "rec_1", None).await,
        Err(Fault::Temporary(_))
    ));

    let generic = built((DESCRIPTOR.example)());
    assert_eq!(
        ask(&generic, "1", Some("https://pbx.example/1.mp3"))
            .await
            .unwrap()
            .uri(),
        "https://pbx.example/1.mp3"
    );
    assert!(matches!(ask(&generic, "1", None).await, Err(Fault::Permanent(_))));
}

/// A key of an application, made anew.
#[tokio::test]
async fn vonage_is_asked_with_a_token_of_the_application_that_its_public_key_verifies() {
    let key = private_key();
    let of = json!({"signature_secret": "s", "application_id": "app-1", "private_key": key});
    let (vonage, http) = with_http(settings("vonage", of));
    let telephony = vonage.telephony().unwrap();
    let ours = recording("r1", Some("https://api.nexmo.com/v1/files/f1"));
    let request = telephony.recording(&ours).await.unwrap();
    let token = request.headers()["authorization"]
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap()
        .to_owned();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let decode = |text: &str| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text)
            .unwrap()
    };
    let der = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD
            .decode(
                key.lines()
                    .filter(|line| !line.starts_with("---"))
                    .collect::<String>(),
            )
            .unwrap()
    };
    let pair = ring::signature::RsaKeyPair::from_pkcs8(&der).unwrap();
    let public =
        ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, pair.public());
    public.verify(signed.as_bytes(), &decode(signature)).unwrap();
    let claims: Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
    assert_eq!(
        (claims["application_id"].as_str(), claims["iat"].as_i64()),
        (Some("app-1"), Some(now().timestamp()))
    );
    let foreign = telephony
        .recording(&recording("r1", Some("https://nexmo.com.evil.example/f1")))
        .await
        .unwrap();
    assert!(!foreign.headers().contains_key("authorization"));
    assert!(telephony.dials());
    http.will_say(201, "{}");
    telephony.dial("101", "+79161234567", "d1").await.unwrap();
    let asked: Value = serde_json::from_slice(http.asked()[0].body()).unwrap();
    assert_eq!(asked["to"], json!([{"type": "app", "user": "101"}]));
    assert_eq!(
        asked["ncco"][0]["endpoint"],
        json!([{"type": "phone", "number": "79161234567"}])
    );
    let bare = built(settings("vonage", json!({"signature_secret": "s"})));
    assert!(!bare.telephony().unwrap().dials());
    assert!(matches!(
        bare.telephony().unwrap().recording(&ours).await,
        Err(Fault::Permanent(_))
    ));
}

#[test]
fn plivo_dials_the_client_once_the_operator_has_picked_up() {
    let (_, plivo, _) = providers()
        .into_iter()
        .find(|(name, ..)| *name == "plivo")
        .unwrap();
    let reply = |rest: &str| {
        let request = support::post(
            &format!("{PATH}/{rest}"),
            "application/x-www-form-urlencoded",
            "CallUUID=p1&CallStatus=in-progress",
        );
        String::from_utf8(
            plivo
                .webhook()
                .unwrap()
                .reply(&request, &Receipt::default())
                .body()
                .to_vec(),
        )
        .unwrap()
    };
    assert!(reply("dial/79161234567").contains("<Number>79161234567</Number>"));
    assert!(!reply("dial/7916%3Cx%3E").contains("<Number>"));
}

#[tokio::test]
async fn the_test_says_what_is_missing_and_where_to_enter_what() {
    for (name, connector, _) in providers() {
        let telephony = connector.telephony().unwrap();
        let addresses = telephony.addresses();
        assert!(!addresses.is_empty(), "{name}");
        assert!(
            addresses
                .iter()
                .all(|address| address.url.starts_with(HOOK)
                    && ["POST", "GET"].contains(&address.method.as_str())),
            "{addresses:?}"
        );
        let steps = connector.check_steps().await;
        assert_eq!(
            steps.iter().map(|step| step.step).collect::<Vec<_>>(),
            ["voip_secrets", "voip_address", "voip_numbers", "voip_operators"]
        );
        let words = connector.check().await.unwrap();
        assert!(
            words.contains(&addresses[0].url)
                && words.contains("1 own number is set.")
                && words.contains("2 operators have extensions."),
            "{words}"
        );
    }
    let mut context = context();
    context.public_url = "http://localhost:8080".to_owned();
    let twilio = (DESCRIPTOR.build)(settings("twilio", json!({"auth_token": "12345"})), context).unwrap();
    let Err(Fault::Permanent(words)) = twilio.check().await else {
        panic!("a provider cannot come to localhost")
    };
    assert!(words.contains("server.public_url"), "{words}");
    let bare = json!({"provider": "twilio", "secrets": {"auth_token": "12345"}});
    let words = built(bare).check().await.unwrap();
    assert!(
        words.contains("No own numbers are set")
            && words.contains("No operators are set")
            && words.contains("Without the account SID"),
        "{words}"
    );
}

#[test]
fn settings_that_cannot_work_are_told_by_their_field() {
    let with = |provider: &str, secrets: Value, more: Value| {
        let mut of = json!({"provider": provider, "secrets": secrets});
        of.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        of
    };
    let generic = json!({"signing_secret": support::WHSEC});
    for (of, field) in [
        (json!({}), "provider"),
        (with("carrier-pigeon", json!({}), json!({})), "provider"),
        (with("twilio", json!({}), json!({})), "secrets.auth_token"),
        (
            with("twilio", json!({"auth_token": ""}), json!({})),
            "secrets.auth_token",
        ),
        (
            with("twilio", json!({"auth_token": []}), json!({})),
            "secrets.auth_token",
        ),
        (
            with("twilio", json!({"auth_token": [1]}), json!({})),
            "secrets.auth_token",
        ),
        (
            with("twilio", json!({"shared_key": "nokey"}), json!({})),
            "secrets.shared_key",
        ),
        (
            with("telnyx", json!({"public_key": "short"}), json!({})),
            "secrets.public_key",
        ),
        (
            with("vonage", json!({"api_key": "a"}), json!({})),
            "secrets.signature_secret",
        ),
        (
            with("plivo", json!({"auth_id": "a"}), json!({})),
            "secrets.auth_token",
        ),
        (with("zadarma", json!({"key": "a"}), json!({})), "secrets.secret"),
        (with("mango", json!({"salt": "a"}), json!({})), "secrets.api_key"),
        (with("mango", json!({"api_key": "a"}), json!({})), "secrets.salt"),
        (with("asterisk", json!({}), json!({})), "secrets.token"),
        (
            with("asterisk", json!({"token": "short"}), json!({})),
            "secrets.token",
        ),
        (
            with("asterisk", json!({"token": "whsec_!"}), json!({})),
            "secrets.token",
        ),
        (
            with(
                "asterisk",
                json!({}),
                json!({"ami": {"host": "pbx", "username": "u"}}),
            ),
            "secrets.ami_secret",
        ),
        (
            with(
                "asterisk",
                json!({"ami_secret": "s"}),
                json!({"ami": {"host": "a\r\nb", "username": "u"}}),
            ),
            "ami.host",
        ),
        (
            with(
                "asterisk",
                json!({"ami_secret": "s"}),
                json!({"ami": {"host": "pbx"}}),
            ),
            "ami.username",
        ),
        (with("3cx", json!({}), json!({})), "secrets.token"),
        (
            with("generic", json!({"signing_secret": "plain"}), json!({})),
            "secrets.signing_secret",
        ),
        (
            with("generic", generic.clone(), json!({"settle_secs": 0})),
            "settle_secs",
        ),
        (
            with("generic", generic.clone(), json!({"default_region": "Russia"})),
            "default_region",
        ),
        (
            with("generic", generic.clone(), json!({"time_zone": "Moscow"})),
            "time_zone",
        ),
        (
            with("generic", generic.clone(), json!({"telephone": "sip:x@y"})),
            "telephone",
        ),
        (
            with("generic", generic.clone(), json!({"numbers": {"reception": {}}})),
            "numbers.reception",
        ),
        (
            with(
                "generic",
                generic.clone(),
                json!({"numbers": {"+74951234567": {"colour": "red"}}}),
            ),
            "numbers.+74951234567.colour",
        ),
        (
            with(
                "generic",
                generic.clone(),
                json!({"numbers": {"+74951234567": {}, "+7 495 123-45-67": {}}}),
            ),
            "numbers.+74951234567",
        ),
        (
            with("generic", generic.clone(), json!({"operators": {"": "opr_1"}})),
            "operators.",
        ),
        (
            with("generic", generic.clone(), json!({"operators": {"101": ""}})),
            "operators.101",
        ),
        (
            with("generic", generic.clone(), json!({"api_url": "ftp://x"})),
            "api_url",
        ),
        (with("generic", generic, json!({"nonsense": 1})), "nonsense"),
    ] {
        let error = (DESCRIPTOR.build)(of.clone(), context())
            .err()
            .unwrap_or_else(|| panic!("{of} is taken"));
        assert_eq!(error.field, field, "{of}: {error}");
        assert!(!error.message.is_empty());
    }
}

#[test]
fn every_secret_is_sealed_whole_a_list_of_them_too() {
    let schema = (DESCRIPTOR.settings_schema)();
    let paths = secret_paths(&schema);
    let secrets = schema
        .pointer("/$defs/Secrets/properties")
        .unwrap()
        .as_object()
        .unwrap();
    assert_eq!(paths.len(), secrets.len());
    assert!(
        paths.iter().all(|path| path.len() == 2 && path[0] == "secrets"),
        "{paths:?}"
    );
    for name in [
        "account_sid",
        "auth_token",
        "public_key",
        "signature_secret",
        "api_key",
        "auth_id",
        "key",
        "secret",
        "salt",
        "signing_secret",
        "token",
    ] {
        assert!(secrets.contains_key(name), "{name} of API.md");
        assert!(secrets[name].get("x-providers").is_some(), "{name}: whose it is");
    }
}
