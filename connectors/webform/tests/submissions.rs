//! What becomes of a post.

mod post;

use std::sync::Arc;

use chrono::TimeDelta;
use post::{json as post_json, multipart, post, urlencoded, with};
use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_sdk::{
    Connector, IdentityKind, InboundBody, InboundEvent, Outcome, Receipt, Rejection, Submission, Webhook,
    WebhookRequest,
};
use switchboard_testkit::context;
use switchboard_webform::DESCRIPTOR;

/// A form of these settings.
struct Form(Arc<dyn Connector>);

impl Form {
    fn new(settings: Value) -> Self {
        Self((DESCRIPTOR.build)(settings, context()).unwrap_or_else(|error| panic!("{error}")))
    }

    fn webhook(&self) -> &dyn Webhook {
        self.0.webhook().unwrap_or_else(|| panic!("no webhook"))
    }

    fn try_event(&self, request: &WebhookRequest) -> Result<InboundEvent, Rejection> {
        let batch = self.webhook().accept(request, context().clock.now())?;
        assert_eq!(batch.events.len(), 1);
        batch
            .events
            .into_iter()
            .next()
            .ok_or_else(|| Rejection::Malformed(String::new()))
    }

    fn event(&self, request: &WebhookRequest) -> InboundEvent {
        self.try_event(request)
            .unwrap_or_else(|rejection| panic!("{rejection:?}"))
    }

    fn submission(&self, request: &WebhookRequest) -> Submission {
        match self.event(request).body {
            InboundBody::Submission(submission) => submission,
            other => panic!("{other:?}"),
        }
    }

    fn id(&self, request: &WebhookRequest) -> String {
        self.event(request).external_id
    }

    fn problems(&self, request: &WebhookRequest) -> Vec<String> {
        match self.try_event(request) {
            Err(Rejection::Invalid(problems)) => problems.into_iter().map(|(field, _)| field).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn callback() -> Form {
    Form::new((DESCRIPTOR.example)())
}

const GOOD: [(&str, &str); 3] = [("name", "Ann"), ("phone", "90 123 45 67"), ("consent", "on")];

fn good_and(more: &[(&'static str, &'static str)]) -> WebhookRequest {
    urlencoded(&[&GOOD, more].concat())
}

#[test]
fn a_plain_post_becomes_a_submission_with_claims_hints_and_consent() {
    let fields = [
        ("topic", "Prices"),
        ("comment", "Hello\r\nthere"),
        ("button", "Send"),
        ("csrf", "x"),
    ];
    let submission = callback().submission(&with(good_and(&fields), "accept-language", "uz,ru;q=0.8"));
    assert_eq!(submission.from.name.as_deref(), Some("Ann"));
    assert_eq!(submission.from.language.as_deref(), Some("uz"));
    let claims: Vec<_> = submission
        .from
        .identities
        .iter()
        .map(|id| (id.kind, id.value.as_str(), id.verified))
        .collect();
    assert_eq!(claims, [(IdentityKind::Phone, "+998901234567", false)]);
    assert_eq!(
        json!(submission.values),
        json!({"name": "Ann", "phone": "+998901234567", "topic": "Prices", "comment": "Hello\nthere"})
    );
    assert_eq!(
        json!(submission.lead.fields),
        json!({"topic": "Prices", "comment": "Hello\nthere"})
    );
    assert_eq!(
        submission.text,
        "Your name: Ann\nPhone: +998901234567\nAbout: Prices\nComment:\nHello\nthere"
    );
    assert!(
        submission
            .consent
            .is_some_and(|consent| consent.given && consent.text == "I agree to the processing of my data")
    );
    assert!(
        !submission.held && submission.spam_score < 0.1,
        "{:?}",
        submission.spam_reasons
    );
}

#[test]
fn a_form_of_empty_settings_takes_whatever_of_its_fields_is_filled() {
    let form = Form::new(json!({}));
    let submission = form.submission(&urlencoded(&[
        ("name", ""),
        ("phone", ""),
        ("email", "Ann@Shop.Example"),
        ("comment", ""),
    ]));
    assert_eq!(
        submission.from.identities.first().map(|id| id.value.as_str()),
        Some("ann@shop.example")
    );
    assert_eq!(submission.text, "E-mail: ann@shop.example");
    assert_eq!(
        form.problems(&urlencoded(&[("name", " "), ("comment", "")])),
        ["name"]
    );
}

#[test]
fn every_bad_field_is_named_at_once_in_the_visitors_language() {
    let request = urlencoded(&[
        ("name", " "),
        ("phone", "soon"),
        ("topic", "Weather"),
        ("comment", "x"),
    ]);
    assert_eq!(
        callback().problems(&request),
        ["name", "phone", "topic", "consent"]
    );
    let russian = callback().try_event(&with(request, "accept-language", "ru"));
    assert!(
        matches!(russian, Err(Rejection::Invalid(problems)) if problems.iter().any(|(_, text)| text == "Заполните это поле."))
    );
}

#[test]
fn a_text_of_a_megabyte_is_refused_by_its_fields_name() {
    let long = "x".repeat(1024 * 1024);
    let request = urlencoded(&[&GOOD[..], &[("comment", long.as_str())]].concat());
    assert_eq!(callback().problems(&request), ["comment"]);
}

#[test]
fn a_post_over_the_upload_limit_is_too_large_and_other_bodies_are_told() {
    let form = callback();
    let large = post("application/x-www-form-urlencoded", vec![b'a'; 50 * 1024 * 1024]);
    assert!(matches!(form.try_event(&large), Err(Rejection::TooLarge(_))));
    assert!(matches!(
        form.try_event(&post("application/json", "")),
        Err(Rejection::Malformed(_))
    ));
    assert!(matches!(
        form.try_event(&post("application/xml", "<a/>")),
        Err(Rejection::UnsupportedMediaType(_))
    ));
    assert!(matches!(
        form.try_event(&http::Request::new(bytes::Bytes::from("x=y"))),
        Err(Rejection::UnsupportedMediaType(_))
    ));
}

#[test]
fn files_come_with_the_submission_and_only_in_their_fields() {
    let form =
        Form::new(json!({"fields": [{"name": "name"}, {"name": "cv", "type": "file", "required": true}]}));
    let cv: (&str, &str, &str, &[u8]) = ("cv", "résumé.pdf", "application/pdf", b"%PDF\0\x01");
    let submission = form.submission(&multipart(
        &[("name", "Ann")],
        &[cv, ("ignored", "x", "a/b", b"x")],
    ));
    let files: Vec<_> = submission
        .attachments
        .iter()
        .map(|file| (file.name.as_str(), file.data.in_memory().unwrap().as_ref()))
        .collect();
    assert_eq!(files, [("résumé.pdf", &b"%PDF\0\x01"[..])]);
    assert_eq!(submission.values.get("cv"), Some(&json!(["résumé.pdf"])));
    assert_eq!(form.problems(&multipart(&[("name", "Ann")], &[])), ["cv"]);
    assert_eq!(form.problems(&multipart(&[("cv", "text")], &[])), ["cv"]);
    assert_eq!(
        form.problems(&multipart(&[], &[cv, ("name", "n", "a/b", b"x")])),
        ["name"]
    );
}

#[test]
fn json_brings_its_own_types() {
    let form = Form::new(
        json!({"fields": [{"name": "n", "type": "number"}, {"name": "b", "type": "checkbox"}, {"name": "a.b"}]}),
    );
    let submission = form.submission(&post_json(
        &json!({"n": 5.5, "b": true, "a": {"b": "deep"}, "other": [1]}),
    ));
    assert_eq!(
        json!(submission.values),
        json!({"n": 5.5, "b": true, "a.b": "deep"})
    );
}

#[test]
fn a_repeat_is_known_by_its_key_and_two_plain_posts_are_two() {
    let form = callback();
    let keyed = |key: &str| with(good_and(&[]), "idempotency-key", key);
    assert_eq!(form.id(&keyed("k")), "key:k");
    assert_eq!(form.id(&good_and(&[("submission_id", "k")])), "key:k");
    assert!(matches!(
        form.try_event(&keyed(&"k".repeat(256))),
        Err(Rejection::Malformed(_))
    ));
    assert!(matches!(form.try_event(&keyed("")), Err(Rejection::Malformed(_))));
    assert_ne!(form.id(&good_and(&[])), form.id(&good_and(&[])));
}

#[test]
fn one_drawing_of_the_page_is_one_event_until_something_else_is_typed() {
    let form = callback();
    let double_click = form.id(&good_and(&[("sb_id", "p"), ("sb_ts", "1")]));
    assert_eq!(
        double_click,
        form.id(&good_and(&[("sb_id", "p"), ("sb_ts", "1")]))
    );
    assert_ne!(
        double_click,
        form.id(&good_and(&[("sb_id", "p"), ("comment", "corrected")]))
    );
    assert_ne!(double_click, form.id(&good_and(&[("sb_id", "q")])));
}

#[test]
fn a_machine_is_held_and_a_person_is_not() {
    let form = callback();
    let bot = form.submission(&good_and(&[("sb_hp", "http://spam.example")]));
    assert!(
        bot.held && bot.spam_reasons == ["honeypot"],
        "{:?}",
        bot.spam_reasons
    );
    let drawn = (context().clock.now() - TimeDelta::milliseconds(500))
        .timestamp_millis()
        .to_string();
    let fast = form.submission(&urlencoded(
        &[&GOOD[..], &[("sb_ts", drawn.as_str()), ("sb_hp", "")]].concat(),
    ));
    assert_eq!(
        (fast.held, fast.spam_reasons),
        (false, vec!["too_fast".to_owned()])
    );
}

#[test]
fn moderation_holds_everybody() {
    assert!(
        Form::new(json!({"moderation": true}))
            .submission(&urlencoded(&[("name", "Ann")]))
            .held
    );
}

#[test]
fn only_allowed_sites_may_post_and_programs_without_origin_may_too() {
    let form = Form::new(json!({"allowed_origins": ["https://shop.example"]}));
    let from = |origin: &str| form.try_event(&with(urlencoded(&[("name", "Ann")]), "origin", origin));
    for good in ["https://shop.example", "https://desk.example", "null"] {
        assert!(from(good).is_ok(), "{good}");
    }
    assert!(matches!(from("https://evil.test"), Err(Rejection::Forbidden(_))));
    assert!(form.try_event(&urlencoded(&[("name", "Ann")])).is_ok());
    let own = with(
        with(urlencoded(&[("name", "Ann")]), "origin", "http://10.0.0.5:8080"),
        "host",
        "10.0.0.5:8080",
    );
    assert!(form.try_event(&own).is_ok());
}

#[test]
fn the_attribution_comes_from_fields_query_and_page() {
    let mut request = urlencoded(&[
        ("name", "Ann"),
        ("utm_source", "ads"),
        ("referrer", "https://search.example/"),
    ]);
    *request.uri_mut() = http::Uri::from_static("/f/test-channel?gclid=g");
    let attribution = Form::new(json!({}))
        .submission(&with(request, "referer", "https://shop.example/p?utm_term=t"))
        .attribution;
    for (key, wanted) in [
        ("utm_source", "ads"),
        ("gclid", "g"),
        ("utm_term", "t"),
        ("referrer", "https://search.example/"),
        ("landing_page", "https://shop.example/p?utm_term=t"),
    ] {
        assert_eq!(
            attribution.last.get(key).map(String::as_str),
            Some(wanted),
            "{key}"
        );
    }
    assert_eq!(attribution.first, attribution.last);
}

fn receipt(duplicate: bool) -> Receipt {
    let submission_id = Some("sub_1".to_owned());
    let (message_id, seq, conversation_id) = (None, None, None);
    let outcome = if duplicate {
        Outcome::Duplicate {
            message_id,
            seq,
            conversation_id,
            submission_id,
        }
    } else {
        Outcome::Stored {
            message_id,
            seq,
            conversation_id,
            submission_id,
        }
    };
    Receipt {
        outcomes: vec![outcome],
    }
}

#[test]
fn programs_get_json_and_people_are_sent_to_the_thanks() {
    let form = Form::new(json!({"allowed_origins": ["https://shop.example"]}));
    let program = with(
        with(good_and(&[]), "accept", "application/json"),
        "origin",
        "https://shop.example",
    );
    let reply = form.webhook().reply(&program, &receipt(false));
    assert_eq!(
        (reply.status().as_u16(), &reply.body()[..]),
        (201, &br#"{"submission_id":"sub_1"}"#[..])
    );
    assert_eq!(
        reply
            .headers()
            .get("access-control-allow-origin")
            .map(http::HeaderValue::as_bytes),
        Some(&b"https://shop.example"[..])
    );
    assert_eq!(form.webhook().reply(&program, &receipt(true)).status(), 200);
    assert_eq!(
        form.webhook()
            .reply(&post_json(&json!({})), &receipt(false))
            .status(),
        201
    );
    for person in [good_and(&[]), with(good_and(&[]), "accept", "text/html,*/*")] {
        let reply = form.webhook().reply(&person, &receipt(false));
        assert_eq!(reply.status(), 303);
        assert_eq!(
            reply.headers().get("location").map(http::HeaderValue::as_bytes),
            Some(&b"/f/test-channel/thanks"[..])
        );
    }
    let elsewhere = Form::new(json!({"success": {"redirect_url": "https://shop.example/спасибо"}}));
    let reply = elsewhere.webhook().reply(&good_and(&[]), &receipt(false));
    let location = reply
        .headers()
        .get("location")
        .and_then(|location| location.to_str().ok());
    assert_eq!(
        location,
        Some("https://shop.example/%D1%81%D0%BF%D0%B0%D1%81%D0%B8%D0%B1%D0%BE")
    );
}

#[test]
fn people_get_the_form_back_with_what_they_typed_and_programs_nothing() {
    let form = callback();
    let request = urlencoded(&[
        ("name", "<b>Ann & \"co\"</b>"),
        ("phone", "soon"),
        ("topic", "Delivery"),
        ("comment", "line\n</textarea>"),
        ("sb_id", "p1"),
        ("utm_source", "ads"),
    ]);
    let Err(rejection) = form.try_event(&request) else {
        panic!("accepted")
    };
    let Some(answer) = form.webhook().refuse(&request, &rejection) else {
        panic!("no page")
    };
    let page = String::from_utf8_lossy(answer.body());
    assert_eq!(answer.status(), 422);
    for part in [
        "value=\"&lt;b&gt;Ann &amp; &quot;co&quot;&lt;",
        "value=\"soon\"",
        "<option value=\"Delivery\" selected>",
        "name=\"sb_id\" value=\"p1\"",
        "name=\"utm_source\" value=\"ads\"",
        "role=\"alert\"",
        "aria-invalid=\"true\"",
        "This is not a phone number.",
        "Please tick this box.",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("<b>") && page.matches("</textarea>").count() == 1);
    assert!(
        form.webhook()
            .refuse(&with(request, "accept", "application/json"), &rejection)
            .is_none()
    );
}

#[test]
fn browsers_get_a_page_for_other_refusals_and_programs_do_not() {
    let form = callback();
    for (rejection, status) in [
        (Rejection::TooLarge(String::new()), 413),
        (Rejection::UnsupportedMediaType(String::new()), 415),
        (Rejection::Malformed(String::new()), 400),
        (Rejection::Forbidden(String::new()), 403),
    ] {
        let answer = form
            .webhook()
            .refuse(&with(good_and(&[]), "accept", "text/html"), &rejection);
        assert_eq!(answer.map(|answer| answer.status().as_u16()), Some(status));
        assert!(form.webhook().refuse(&good_and(&[]), &rejection).is_none());
    }
}

#[test]
fn pages_of_allowed_sites_may_read_answers() {
    let form = Form::new(json!({"allowed_origins": ["https://*.shop.example"]}));
    assert_eq!(
        form.webhook().allow_origin("https://a.shop.example").as_deref(),
        Some("https://a.shop.example")
    );
    assert_eq!(form.webhook().allow_origin("https://evil.test"), None);
    assert_eq!(form.webhook().allow_origin("null"), None);
}

proptest! {
    #[test]
    fn whatever_is_typed_is_accepted_clean_or_refused_by_name(name: String, phone: String, topic: String, comment: String, extra: String) {
        let request = urlencoded(&[("name", &name), ("phone", &phone), ("topic", &topic), ("comment", &comment), (&extra, &extra), ("consent", "1")]);
        match callback().try_event(&request) {
            Ok(InboundEvent { body: InboundBody::Submission(submission), .. }) => {
                prop_assert!(!json!(submission.values).to_string().contains("\\u0000") && !submission.text.contains('\0'));
                prop_assert!(submission.from.identities.iter().all(|id| !id.verified && id.value.starts_with('+')));
            }
            Err(Rejection::Invalid(problems)) => prop_assert!(!problems.is_empty()),
            Err(Rejection::Malformed(_)) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
