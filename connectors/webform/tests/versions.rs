//! Forms that depend on answers, go by steps, speak languages and change while pages of them stay open.

mod post;

use std::sync::Arc;

use http::StatusCode;
use post::{urlencoded, with};
use serde_json::{Value, json};
use switchboard_sdk::{
    Batch, BuildContext, Connector, HttpError, InboundBody, Makes, PageRequest, Receipt, Rejection,
    Submission, WebhookRequest,
};
use switchboard_testkit::{FakeHttp, context};
use switchboard_webform::DESCRIPTOR;

fn built(settings: Value, context: BuildContext) -> Arc<dyn Connector> {
    (DESCRIPTOR.build)(settings, context).unwrap_or_else(|error| panic!("{error}"))
}

fn form(settings: Value) -> Arc<dyn Connector> {
    built(settings, context())
}

fn taken(form: &Arc<dyn Connector>, request: &WebhookRequest) -> Result<Batch, Rejection> {
    form.webhook()
        .unwrap_or_else(|| panic!("no webhook"))
        .accept(request, context().clock.now())
}

fn of_batch(batch: Batch) -> Submission {
    match batch.events.into_iter().next().map(|event| event.body) {
        Some(InboundBody::Submission(submission)) => submission,
        other => panic!("{other:?}"),
    }
}

fn submission(form: &Arc<dyn Connector>, fields: &[(&str, &str)]) -> Submission {
    of_batch(taken(form, &urlencoded(fields)).unwrap_or_else(|rejection| panic!("{rejection:?}")))
}

fn problems(form: &Arc<dyn Connector>, fields: &[(&str, &str)]) -> Vec<(String, String)> {
    match taken(form, &urlencoded(fields)) {
        Err(Rejection::Invalid(problems)) => problems,
        other => panic!("{other:?}"),
    }
}

fn page(
    form: &Arc<dyn Connector>,
    path: &str,
    query: &[(&str, &str)],
    accept_language: Option<&str>,
) -> String {
    let request = PageRequest {
        path: path.to_owned(),
        query: query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        accept_language: accept_language.map(str::to_owned),
        now: context().clock.now(),
        ..PageRequest::default()
    };
    form.page()
        .and_then(|pages| pages.page(&request))
        .map(|page| page.body)
        .unwrap_or_else(|| panic!("no page {path}"))
}

/// The seal that a drawing of the form carries.
fn seal_of(form: &Arc<dyn Connector>) -> String {
    let request = PageRequest {
        path: "definition.json".to_owned(),
        now: context().clock.now() - chrono::TimeDelta::days(400),
        ..PageRequest::default()
    };
    let drawn = form
        .page()
        .and_then(|pages| pages.page(&request))
        .map(|page| page.body);
    let definition: Value = serde_json::from_str(&drawn.unwrap_or_default()).unwrap_or_default();
    definition["seal"].as_str().unwrap_or_default().to_owned()
}

fn conditional() -> Value {
    json!({"fields": [
        {"name": "topic", "type": "select", "options": ["Prices", "Delivery"]},
        {"name": "city", "required": true, "error": "Which city?", "show_when": {"field": "topic", "is": ["Delivery"]}},
        {"name": "street", "required": true, "show_when": {"field": "city", "is": []}}
    ]})
}

#[test]
fn a_field_is_asked_only_while_its_condition_holds() {
    let form = form(conditional());
    assert_eq!(
        json!(submission(&form, &[("topic", "Prices")]).values),
        json!({"topic": "Prices"})
    );
    // What was typed before the answer changed is not the visitor's word any more.
    let changed = submission(
        &form,
        &[("topic", "Prices"), ("city", "Tashkent"), ("street", "x")],
    );
    assert_eq!(json!(changed.values), json!({"topic": "Prices"}));
    assert_eq!(
        problems(&form, &[("topic", "Delivery")]),
        [("city".to_owned(), "Which city?".to_owned())]
    );
    assert_eq!(
        problems(&form, &[("topic", "Delivery"), ("city", "Tashkent")])
            .first()
            .map(|(name, _)| name.as_str()),
        Some("street")
    );
}

#[test]
fn without_its_script_the_page_asks_everything_and_requires_nothing_that_depends() {
    let form = form(conditional());
    let page = page(&form, "", &[], None);
    assert!(
        page.contains("data-name=\"city\" data-when=\"") && page.contains("data-required=\"true\""),
        "{page}"
    );
    assert!(
        !page.contains(" required")
            && page.contains("<script src=\"&#x2f;f&#x2f;test-channel&#x2f;form.js\" defer>"),
        "{page}"
    );
}

#[test]
fn steps_are_groups_with_headings_in_the_visitors_language() {
    let form = form(json!({
        "locale": "en", "steps": ["You", "Your wish"], "fields": [{"name": "name"}, {"name": "wish", "step": 2}],
        "translations": {"fa": {"steps": ["شما", "خواستهٔ شما"], "fields": {"wish": {"label": "خواسته"}}}}
    }));
    let english = page(&form, "", &[], None);
    assert!(
        english.contains("<legend dir=\"auto\">Your wish</legend>")
            && english.contains("lang=\"en\" dir=\"ltr\"")
    );
    for persian in [
        page(&form, "", &[], Some("fa-IR,fa;q=0.9")),
        page(&form, "", &[("lang", "fa")], Some("en")),
    ] {
        for part in [
            "lang=\"fa\" dir=\"rtl\"",
            "خواستهٔ شما",
            "<bdi>خواسته</bdi>",
            "ارسال",
            "name=\"sb_lang\" value=\"fa\"",
        ] {
            assert!(persian.contains(part), "{part} is not in {persian}");
        }
    }
}

#[test]
fn errors_thanks_and_consent_come_in_the_language_the_form_was_drawn_in() {
    let form = form(json!({
        "locale": "en", "fields": [{"name": "phone", "type": "phone", "required": true}], "consent": {"text": "I agree"},
        "translations": {"ru": {"consent": "Я согласен", "message": "Спасибо, перезвоним"}}
    }));
    let problems = problems(&form, &[("phone", "soon"), ("sb_lang", "ru"), ("consent", "on")]);
    assert_eq!(
        problems,
        [("phone".to_owned(), "Это не номер телефона.".to_owned())]
    );
    let post = urlencoded(&[("phone", "+998901234567"), ("sb_lang", "ru"), ("consent", "on")]);
    let consent = of_batch(taken(&form, &post).unwrap_or_else(|rejection| panic!("{rejection:?}"))).consent;
    let consent = consent.unwrap_or_else(|| panic!("no consent"));
    assert_eq!(
        (consent.text.as_str(), consent.language.as_deref()),
        ("Я согласен", Some("ru"))
    );
    let reply = form.webhook().map(|hook| hook.reply(&post, &Receipt::default()));
    let location = reply
        .as_ref()
        .and_then(|reply| reply.headers().get("location"))
        .and_then(|value| value.to_str().ok());
    assert_eq!(location, Some("/f/test-channel/thanks?lang=ru"));
    assert!(page(&form, "thanks", &[("lang", "ru")], None).contains("Спасибо, перезвоним"));
}

#[test]
fn a_consent_names_the_version_of_its_text() {
    let version = |settings: Value| {
        let form = form(json!({"fields": [{"name": "name"}], "consent": settings}));
        submission(&form, &[("name", "Ann"), ("consent", "on")])
            .consent
            .and_then(|consent| consent.version)
    };
    assert_eq!(
        version(json!({"text": "I agree", "version": "2026-11"})).as_deref(),
        Some("2026-11")
    );
    let first = version(json!({"text": "I agree"}));
    assert!(first.as_ref().is_some_and(|version| version.len() == 12));
    assert_eq!(first, version(json!({"text": "I agree"})));
    assert_ne!(first, version(json!({"text": "I agree to more"})));
    assert_ne!(first, version(json!({"text": "I agree", "url": "/privacy"})));
}

#[test]
fn a_page_drawn_before_the_form_changed_goes_on_working() {
    let old =
        form(json!({"fields": [{"name": "name"}, {"name": "tel", "type": "phone"}, {"name": "colour"}]}));
    let sealed = seal_of(&old);
    let new = form(json!({"fields": [
        {"name": "name"},
        {"name": "phone", "type": "phone", "required": true, "formerly": ["tel"]},
        {"name": "email", "type": "email", "required": true}
    ]}));
    let posted = [
        ("name", "Ann"),
        ("tel", "+998901234567"),
        ("colour", "green"),
        ("csrf", "x"),
    ];
    let sent = submission(&new, &[&posted[..], &[("sb_v", sealed.as_str())]].concat());
    assert_eq!(
        json!(sent.values),
        json!({"name": "Ann", "phone": "+998901234567"})
    );
    assert_eq!(json!(sent.extra), json!({"colour": "green"}));
    assert!(sent.text.ends_with("colour: green"), "{}", sent.text);
    assert_eq!(sent.spam_score, 0.0, "{:?}", sent.spam_reasons);
    // Nobody vouches for a page without a seal: the present form counts, and what it does not know is kept all the same.
    assert_eq!(
        problems(&new, &posted).first().map(|(name, _)| name.as_str()),
        Some("email")
    );
    let sent = submission(&new, &[&posted[..], &[("email", "a@b.co")]].concat());
    assert_eq!(
        (json!(sent.extra), sent.text.contains("colour")),
        (json!({"colour": "green"}), false)
    );
    // What is asked now cannot be left out under the seal of the present drawing.
    let present = seal_of(&new);
    assert!(!problems(&new, &[&posted[..], &[("sb_v", present.as_str())]].concat()).is_empty());
}

#[test]
fn a_forged_seal_counts_for_nothing_and_weighs() {
    let form = form(json!({"fields": [{"name": "name", "required": true}, {"name": "x"}]}));
    let forged = format!("{}x", seal_of(&form));
    let sent = submission(&form, &[("name", "Ann"), ("sb_v", &forged)]);
    assert_eq!(
        (sent.spam_reasons, sent.held),
        (vec!["bad_seal".to_owned()], false)
    );
    assert_eq!(problems(&form, &[("x", "1"), ("sb_v", &forged)]).len(), 1);
}

#[test]
fn a_post_asks_for_its_page_and_gets_it_on_named_sites_only() {
    let form = form(
        json!({"success": {"redirect_origins": ["https://shop.example"]}, "fields": [{"name": "name"}]}),
    );
    let goes = |next: &str| {
        let reply = form.webhook().map(|hook| {
            hook.reply(
                &urlencoded(&[("name", "Ann"), ("sb_next", next)]),
                &Receipt::default(),
            )
        });
        let reply = reply.unwrap_or_else(|| panic!("no webhook"));
        assert_eq!(reply.status(), StatusCode::SEE_OTHER);
        reply
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    assert_eq!(
        goes("https://shop.example/done").as_deref(),
        Some("https://shop.example/done")
    );
    for foreign in [
        "https://evil.test/",
        "//evil.test",
        "https://shop.example.evil.test",
        "javascript:alert(1)",
    ] {
        assert_eq!(
            goes(foreign).as_deref(),
            Some("/f/test-channel/thanks"),
            "{foreign}"
        );
    }
}

#[test]
fn what_a_submission_makes_goes_along() {
    let form =
        form(json!({"fields": [{"name": "name"}], "creates": {"what": "contact", "operator_id": "opr_1"}}));
    let makes = submission(&form, &[("name", "Ann")]).makes;
    assert_eq!(
        (makes.what, makes.operator.as_deref()),
        (Makes::Contact, Some("opr_1"))
    );
}

#[test]
fn the_same_words_again_and_again_are_held_in_the_end_and_a_repeat_is_not_counted() {
    let form = form(json!({"fields": [{"name": "name"}]}));
    let held: Vec<bool> = (0..12)
        .map(|_| submission(&form, &[("name", "Ann")]).held)
        .collect();
    assert_eq!(held.iter().filter(|held| **held).count(), 2, "{held:?}");
    let repeat = with(urlencoded(&[("name", "Bob")]), "idempotency-key", "k");
    let again: Vec<bool> = (0..20)
        .map(|_| taken(&form, &repeat).is_ok_and(|batch| of_batch(batch).held))
        .collect();
    assert!(again.iter().all(|held| !held));
}

async fn with_captcha(http: &FakeHttp, fields: &[(&str, &str)]) -> Submission {
    let settings = json!({"fields": [{"name": "name"}], "captcha": {"provider": "turnstile", "site_key": "k", "secret": "s3cret"}});
    let form = built(
        settings,
        BuildContext {
            http: Arc::new(http.clone()),
            ..context()
        },
    );
    let request = with(urlencoded(fields), "x-switchboard-peer", "192.0.2.7");
    let batch = taken(&form, &request).unwrap_or_else(|rejection| panic!("{rejection:?}"));
    let hook = form.webhook().unwrap_or_else(|| panic!("no webhook"));
    of_batch(
        hook.complete(&request, batch)
            .await
            .unwrap_or_else(|fault| panic!("{fault}")),
    )
}

#[tokio::test]
async fn a_captcha_lets_a_person_through_and_holds_everything_else_even_its_own_outage() {
    let posted = [("name", "Ann"), ("cf-turnstile-response", "token")];
    let http = FakeHttp::default();
    http.will_say(200, r#"{"success":true}"#);
    http.will_say(200, r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#);
    http.will_say(500, "");
    http.will_answer(Err(HttpError::Unknown("no answer in time".to_owned())));
    for reason in [
        None,
        Some("captcha_failed"),
        Some("captcha_unavailable"),
        Some("captcha_unavailable"),
    ] {
        let sent = with_captcha(&http, &posted).await;
        assert_eq!(
            (sent.held, sent.spam_reasons.first().map(String::as_str)),
            (reason.is_some(), reason)
        );
        assert!(sent.extra.is_empty(), "the token is nobody's answer");
    }
    let asked = http.asked();
    assert_eq!(asked.len(), 4);
    let first = asked.first().map(|request| {
        (
            request.uri().to_string(),
            String::from_utf8_lossy(request.body()).into_owned(),
        )
    });
    assert_eq!(
        first,
        Some((
            "https://challenges.cloudflare.com/turnstile/v0/siteverify".to_owned(),
            "secret=s3cret&response=token&remoteip=192.0.2.7".to_owned()
        ))
    );
    let without = with_captcha(&http, &[("name", "Ann")]).await;
    assert_eq!(
        (without.held, without.spam_reasons),
        (true, vec!["captcha_missing".to_owned()])
    );
    assert_eq!(http.asked().len(), 4, "nothing to ask about");
}

#[test]
fn the_secret_of_a_captcha_is_in_no_page_and_no_script() {
    let form = form(json!({"captcha": {"provider": "hcaptcha", "site_key": "site-k", "secret": "s3cret"}}));
    for path in ["", "embed.js", "definition.json", "thanks"] {
        assert!(!page(&form, path, &[], None).contains("s3cret"), "{path}");
    }
    assert!(page(&form, "", &[], None).contains("class=\"field h-captcha\" data-sitekey=\"site-k\""));
}
