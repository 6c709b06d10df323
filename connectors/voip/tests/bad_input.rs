//! What is not as it should be gets a clear answer, from every provider's channel; and nothing stops.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use bytes::Bytes;
use http::{Method, Uri};
use proptest::prelude::*;
use serde_json::json;
use support::{PATH, TOKEN, built, now, providers, settings, with_header};
use switchboard_sdk::{InboundBody, Rejection, WebhookRequest};

/// What proves that a request is the provider's.
const PROOFS: [&str; 8] = [
    "x-twilio-signature",
    "telnyx-signature-ed25519",
    "authorization",
    "x-plivo-signature-v3",
    "signature",
    "webhook-signature",
    "x-signature",
    "x-token",
];

#[test]
fn each_provider_takes_its_own_and_refuses_everybody_elses() {
    let all = providers();
    for (name, connector, _) in &all {
        for (other, _, request) in &all {
            let answer = connector.webhook().unwrap().accept(request, now());
            // Those who say a token take it from each other's systems as well: theirs is the same here.
            let own = name == other;
            let token = |name: &str| ["voximplant", "asterisk", "3cx", "zammad_cti"].contains(&name);
            match answer {
                Ok(batch) => assert!(
                    own || (token(name) && token(other)),
                    "{name} takes {other}'s: {batch:?}"
                ),
                Err(rejection) => assert!(
                    !own && matches!(
                        rejection,
                        Rejection::Unauthenticated(_) | Rejection::UnsupportedMediaType(_)
                    ) || (token(name) && token(other)),
                    "{name} answers {other}'s {rejection:?}"
                ),
            }
        }
    }
}

#[test]
fn a_wrong_media_type_is_415_and_a_missing_one_is_read_as_it_ought_to_be() {
    for (name, connector, request) in providers() {
        for kind in ["text/plain", "application/xml", "image/png", "nonsense"] {
            let answer = connector
                .webhook()
                .unwrap()
                .accept(&with_header(request.clone(), "content-type", kind), now());
            assert!(
                matches!(answer, Err(Rejection::UnsupportedMediaType(_))),
                "{name} {kind}: {answer:?}"
            );
        }
        let mut bare = request;
        bare.headers_mut().remove("content-type");
        let answer = connector.webhook().unwrap().accept(&bare, now());
        // 3CX and Zammad tell their two kinds of bodies apart by it: theirs is JSON here.
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

#[test]
fn a_wrong_proof_is_401_and_so_is_none() {
    for (name, connector, request) in providers() {
        let webhook = connector.webhook().unwrap();
        let mut proofs = 0;
        for proof in PROOFS {
            if !request.headers().contains_key(proof) {
                continue;
            }
            proofs += 1;
            let mut without = request.clone();
            without.headers_mut().remove(proof);
            for bad in [
                without,
                with_header(request.clone(), proof, "nonsense"),
                with_header(request.clone(), proof, "Bearer a.b.c"),
                with_header(request.clone(), proof, "v1,AAAA"),
            ] {
                let answer = webhook.accept(&bad, now());
                assert!(
                    matches!(answer, Err(Rejection::Unauthenticated(_))),
                    "{name}: {answer:?}"
                );
                let question = connector.telephony().unwrap().question(&bad, now());
                assert!(
                    matches!(question, Err(Rejection::Unauthenticated(_))),
                    "{name}: {question:?}"
                );
            }
        }
        // Mango's stands in its body.
        assert!(proofs > 0 || name == "mango", "{name}");
        if name == "mango" {
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            for (from, to) in [
                ("sign=", "sing="),
                ("vpbx_api_key=key", "vpbx_api_key=kex"),
                ("entry_id", "entry_ix"),
            ] {
                let mut bad = request.clone();
                *bad.body_mut() = Bytes::from(body.replace(from, to));
                let answer = webhook.accept(&bad, now());
                assert!(matches!(answer, Err(Rejection::Unauthenticated(_))), "{answer:?}");
            }
        }
    }
}

#[test]
fn ten_megabytes_are_413_and_other_methods_400() {
    for (name, connector, mut request) in providers() {
        let webhook = connector.webhook().unwrap();
        for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
            let mut other = request.clone();
            *other.method_mut() = method;
            let answer = webhook.accept(&other, now());
            assert!(
                matches!(answer, Err(Rejection::Malformed(_))),
                "{name}: {answer:?}"
            );
        }
        *request.body_mut() = Bytes::from(vec![b'a'; 10 << 20]);
        let answer = webhook.accept(&request, now());
        assert!(matches!(answer, Err(Rejection::TooLarge(_))), "{name}");
    }
}

#[test]
fn a_body_that_is_proven_and_cannot_be_read_is_400() {
    for provider in ["voximplant", "asterisk", "3cx", "zammad_cti"] {
        let connector = built(settings(provider, json!({"token": TOKEN})));
        for body in ["{", "\u{0}", "[[[", "\"", "nul"] {
            let request = support::post(&format!("{PATH}?token={TOKEN}"), "application/json", body);
            let answer = connector.webhook().unwrap().accept(&request, now());
            assert!(
                matches!(answer, Err(Rejection::Malformed(_))),
                "{provider} {body:?}: {answer:?}"
            );
        }
    }
}

#[test]
fn an_unknown_number_is_somebody_and_a_strange_one_is_kept_as_it_is() {
    let connector = built(settings("voximplant", json!({"token": TOKEN})));
    for (from, to) in [
        ("+999999999999999", "+74950000000"),
        ("???", "!!!"),
        ("112", "0"),
        ("client:x", "sip:y@z"),
    ] {
        let body = json!({"event": "ringing", "call_id": "c1", "from": from, "to": to}).to_string();
        let request = support::post(&format!("{PATH}?token={TOKEN}"), "application/json", body);
        let batch = connector.webhook().unwrap().accept(&request, now()).unwrap();
        assert!(matches!(batch.events.as_slice(), [event] if matches!(event.body, InboundBody::Call(_))));
    }
}

#[test]
fn a_number_used_once_is_used_once_and_a_repetition_is_a_repetition() {
    let connector = built(settings("generic", json!({"signing_secret": support::WHSEC})));
    let webhook = connector.webhook().unwrap();
    let event = |call: &str| support::standard(PATH, &json!({"event": "ringing", "call_id": call}));
    assert!(webhook.accept(&event("c1"), now()).is_ok());
    assert!(
        webhook.accept(&event("c1"), now()).is_ok(),
        "a repetition, byte for byte"
    );
    assert!(
        matches!(
            webhook.accept(&event("c2"), now()),
            Err(Rejection::Unauthenticated(_))
        ),
        "the number was used"
    );
    let mut elsewhere = event("c1");
    *elsewhere.uri_mut() = format!("{PATH}/route").parse().unwrap();
    assert!(matches!(
        webhook.accept(&elsewhere, now()),
        Err(Rejection::Unauthenticated(_))
    ));
}

fn anything() -> impl Strategy<Value = (String, Vec<u8>, Option<String>, String)> {
    let bodies = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "[a-zA-Z_\\[\\]]{1,20}=[ -~]{0,40}(&[a-zA-Z]{1,20}=[ -~]{0,40}){0,6}".prop_map(String::into_bytes),
        "\\{\"(event|data|status|entry_id|linkedid|number|callbacks)\":[ -~]{0,60}\\}"
            .prop_map(String::into_bytes),
    ];
    let kinds = prop::option::of(
        prop::sample::select(vec![
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ])
        .prop_map(str::to_owned),
    );
    (
        prop::sample::select(vec!["GET", "POST"]).prop_map(str::to_owned),
        bodies,
        kinds,
        "(/[a-z]{1,12}){0,3}(\\?[a-zA-Z0-9_=&%+.-]{0,60})?",
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_gets_an_answer((method, body, kind, rest) in anything(), header in "[ -~]{0,80}") {
        let Ok(uri) = format!("{PATH}{rest}").parse::<Uri>() else { return Ok(()) };
        for (_, connector, good) in providers() {
            let mut request = WebhookRequest::new(Bytes::from(body.clone()));
            *request.method_mut() = method.parse().unwrap();
            *request.uri_mut() = uri.clone();
            // Once with nonsense, once with what was good for something else.
            for proofs in [None, Some(good.headers())] {
                let mut request = request.clone();
                match proofs {
                    Some(headers) => *request.headers_mut() = headers.clone(),
                    None => for name in PROOFS {
                        request = with_header(request, name, &header);
                    },
                }
                if let Some(kind) = &kind {
                    request = with_header(request, "content-type", kind);
                }
                let webhook = connector.webhook().unwrap();
                let telephony = connector.telephony().unwrap();
                if let Ok(batch) = webhook.accept(&request, now()) {
                    for event in batch.events {
                        prop_assert!(!event.external_id.is_empty() && event.external_id.len() <= 200);
                    }
                }
                drop(telephony.question(&request, now()));
                telephony.asks(&request);
                webhook.reply(&request, &switchboard_sdk::Receipt::default());
                telephony.answer(&request, &switchboard_sdk::RouteAnswer { extensions: vec![header.clone()], caller_name: Some(header.clone()), ring_secs: 20 });
            }
        }
    }

    #[test]
    fn whatever_a_proven_system_says_gets_an_answer(body in "\\{(\"(event|call_id|linkedid|from|to|at|direction|callId|number|call_type|callbacks|duration)\":(\"[ -~&&[^\"\\\\]]{0,30}\"|[0-9]{1,9}|null|\\[\\]|\\{\\}),){0,6}\"agent\":\"101\"\\}") {
        for provider in ["voximplant", "asterisk", "3cx", "zammad_cti"] {
            let connector = built(settings(provider, json!({"token": TOKEN})));
            let request = support::post(&format!("{PATH}?token={TOKEN}"), "application/json", body.clone());
            let answer = connector.webhook().unwrap().accept(&request, now());
            prop_assert!(!matches!(answer, Err(Rejection::Unauthenticated(_))), "{:?}", answer);
        }
    }
}
