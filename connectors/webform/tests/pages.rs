//! What visitors see.

mod post;

use std::sync::Arc;

use post::urlencoded;
use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_sdk::{Connector, Page, PageRequest, Rejection};
use switchboard_testkit::context;
use switchboard_webform::DESCRIPTOR;

fn form(settings: Value) -> Arc<dyn Connector> {
    (DESCRIPTOR.build)(settings, context()).unwrap_or_else(|error| panic!("{error}"))
}

fn request(path: &str) -> PageRequest {
    PageRequest {
        path: path.to_owned(),
        now: context().clock.now(),
        ..PageRequest::default()
    }
}

fn page(connector: &Arc<dyn Connector>, request: &PageRequest) -> Page {
    connector
        .page()
        .and_then(|pages| pages.page(request))
        .unwrap_or_else(|| panic!("no page {request:?}"))
}

fn every_kind() -> Value {
    let kinds = [
        "text", "textarea", "email", "phone", "number", "select", "checkbox", "date", "file", "hidden",
    ];
    let field = |kind: &&str| json!({"name": format!("f-{kind}"), "label": format!("The {kind}"), "type": kind, "options": ["One", "Two"], "required": *kind == "text"});
    json!({"title": "All", "fields": kinds.iter().map(field).collect::<Vec<_>>(), "consent": {"text": "I agree", "url": "/privacy"}})
}

#[test]
fn the_page_has_a_labelled_input_for_every_field_and_what_spam_is_weighed_by() {
    let page = page(&form(every_kind()), &request(""));
    assert_eq!(
        (page.status, page.content_type),
        (200, "text/html; charset=utf-8")
    );
    for part in [
        "<form method=\"post\" action=\"&#x2f;f&#x2f;test-channel\" accept-charset=\"utf-8\" enctype=\"multipart/form-data\">",
        "<label for=\"field-0\"><bdi>The text</bdi></label>",
        "<textarea rows=\"4\"",
        "type=\"email\"",
        "type=\"tel\"",
        "type=\"number\"",
        "<select id=\"field-5\"",
        "type=\"checkbox\" value=\"on\" id=\"field-6\"",
        "type=\"date\"",
        "type=\"file\"",
        "type=\"hidden\" name=\"f-hidden\"",
        "name=\"sb_id\"",
        "name=\"sb_ts\"",
        "name=\"sb_hp\" tabindex=\"-1\" autocomplete=\"off\"",
        "name=\"consent\"",
        "lang=\"en\" dir=\"ltr\"",
    ] {
        assert!(page.body.contains(part), "{part} is not in {}", page.body);
    }
    // Its own script alone, which counts that it was seen.
    assert!(page.body.contains("form.js\" defer></script>"));
    assert_eq!(page.body.matches("<script").count(), 1);
    assert!(!page.body.contains("name=\"sb_hp\" required"));
}

#[test]
fn two_drawings_have_two_ids() {
    let form = form(json!({}));
    let id = |page: Page| {
        page.body
            .split("name=\"sb_id\" value=\"")
            .nth(1)
            .and_then(|rest| rest.get(..32))
            .map(str::to_owned)
    };
    let (first, second) = (id(page(&form, &request(""))), id(page(&form, &request(""))));
    assert!(first.is_some() && first != second);
}

#[test]
fn the_policy_allows_the_styles_that_are_there_and_nothing_else() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    let settings = json!({"color": "#ffcc00", "allowed_origins": ["https://shop.example"], "success": {"redirect_url": "https://shop.example/thanks"}});
    let page = page(&form(settings), &request(""));
    let csp = page.csp.unwrap_or_default();
    let styles: Vec<&str> = page
        .body
        .split("<style>")
        .skip(1)
        .filter_map(|rest| rest.split("</style>").next())
        .collect();
    assert_eq!(styles.len(), 2);
    for style in styles {
        let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style.as_bytes())));
        assert!(csp.contains(&hash), "{hash} is not in {csp}");
    }
    assert!(
        csp.contains("default-src 'none'") && csp.contains("form-action 'self' https://shop.example;"),
        "{csp}"
    );
    assert!(
        csp.ends_with("frame-ancestors 'self' https://shop.example"),
        "{csp}"
    );
    assert!(page.body.contains("--accent:#ffcc00;--on-accent:#000000"));
}

#[test]
fn the_query_fills_fields_and_carries_campaign_tags() {
    let mut request = request("");
    request.query = [("name", "Ann"), ("utm_source", "ads\"><i>"), ("nonsense", "x")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec();
    let page = page(&form(json!({})), &request);
    assert!(page.body.contains("value=\"Ann\""));
    assert!(
        page.body
            .contains("name=\"utm_source\" value=\"ads&quot;&gt;&lt;i&gt;\"")
    );
    assert!(page.body.contains("name=\"landing_page\"") && !page.body.contains("name=\"nonsense\""));
}

#[test]
fn russian_visitors_read_russian() {
    let mut request = request("");
    request.accept_language = Some("ru-RU,ru;q=0.9".to_owned());
    let page = page(&form(json!({})), &request);
    for part in [
        "lang=\"ru\"",
        "Свяжитесь с нами",
        "<bdi>Телефон</bdi>",
        "Отправить",
    ] {
        assert!(page.body.contains(part), "{part}");
    }
}

#[test]
fn thanks_pause_and_unknown_pages_say_so() {
    let form = form(json!({"success": {"message": "Danke & tschüss"}}));
    assert!(
        page(&form, &request("thanks"))
            .body
            .contains("Danke &amp; tschüss")
    );
    let paused = page(
        &form,
        &PageRequest {
            paused: true,
            ..request("")
        },
    );
    assert!(
        paused.status == 503 && paused.body.contains("not taking messages") && !paused.body.contains("<form")
    );
    assert!(
        form.page()
            .is_some_and(|pages| pages.page(&request("other")).is_none())
    );
}

#[test]
fn the_script_holds_the_form_and_nothing_that_ends_a_script() {
    let settings =
        json!({"title": "</script>\u{2028}<b>", "fields": [{"name": "a", "label": "<img src=x>"}]});
    let script = page(&form(settings), &request("embed.js"));
    assert_eq!(
        (script.status, script.content_type),
        (200, "text/javascript; charset=utf-8")
    );
    assert!(script.body.contains("\\u003c/script>\\u2028\\u003cb>") && !script.body.contains("</script"));
    assert!(!script.body.contains("innerHTML") && !script.body.contains("})(/* definition */ null)"));
}

proptest! {
    #[test]
    fn nothing_an_admin_or_a_visitor_writes_becomes_markup(text in "[<>\"'&a/=` \u{2028}]{0,40}", accept_language in proptest::option::of(any::<String>())) {
        let marked = format!("x{text}<i>q\"'y");
        let settings = json!({
            "title": marked, "submit_label": marked, "success": {"message": marked}, "consent": {"text": marked},
            "fields": [
                {"name": "a", "label": marked, "placeholder": marked, "value": marked, "required": true},
                {"name": "b", "label": marked, "type": "select", "options": [marked]},
                {"name": "c", "label": marked, "type": "textarea", "value": marked},
                {"name": "d", "label": marked, "type": "checkbox", "value": marked},
                {"name": "h", "type": "hidden", "value": marked},
            ],
        });
        let form = form(settings);
        let query = ["a", "c", "h", "utm_source", "utm_term"].map(|name| (name.to_owned(), marked.clone())).to_vec();
        let blank = page(&form, &PageRequest { query, accept_language, ..request("") });
        let thanks = page(&form, &request("thanks"));
        let posted = urlencoded(&[("a", &marked), ("b", &marked), ("c", &marked), ("h", &marked), ("utm_source", &marked), ("sb_id", &marked)]);
        let wrong = vec![("a".to_owned(), marked.clone()), (marked.clone(), marked.clone()), ("consent".to_owned(), marked.clone())];
        let again = form.webhook().and_then(|hook| hook.refuse(&posted, &Rejection::Invalid(wrong)));
        let again = again.map(|answer| String::from_utf8_lossy(answer.body()).into_owned()).unwrap_or_default();
        prop_assert!(again.contains("role=\"alert\""));
        for body in [&blank.body, &thanks.body, &again] {
            prop_assert!(!body.contains("<i>") && !body.contains("q\"") && !body.contains("q'"), "{}", body);
        }
    }
}
