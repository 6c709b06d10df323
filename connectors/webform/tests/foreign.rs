//! Leads in the shapes of other services.

mod post;

use post::{json as post_json, multipart, urlencoded};
use serde_json::{Value, json};
use switchboard_sdk::{Batch, InboundBody, InboundEvent, Receipt, Submission, WebhookRequest};
use switchboard_testkit::context;
use switchboard_webform::DESCRIPTOR;

fn form() -> std::sync::Arc<dyn switchboard_sdk::Connector> {
    let settings = json!({"default_region": "RU", "consent": {"text": "I agree"}, "fields": [
        {"name": "name", "required": true}, {"name": "phone", "type": "phone", "required": true}, {"name": "email", "type": "email"},
        {"name": "comment", "type": "textarea"}, {"name": "topic", "type": "select", "label": "What about?", "options": ["Prices", "Delivery"]}
    ]});
    (DESCRIPTOR.build)(settings, context()).unwrap_or_else(|error| panic!("{error}"))
}

fn hooked(mut request: WebhookRequest) -> WebhookRequest {
    *request.uri_mut() = http::Uri::from_static("/hooks/lead/test-channel");
    request
}

fn batch(request: WebhookRequest) -> Batch {
    let form = form();
    let hook = form.webhook().unwrap_or_else(|| panic!("no webhook"));
    hook.accept(&hooked(request), context().clock.now())
        .unwrap_or_else(|rejection| panic!("{rejection:?}"))
}

fn event(request: WebhookRequest) -> InboundEvent {
    batch(request)
        .events
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("nothing came"))
}

fn submission(request: WebhookRequest) -> Submission {
    match event(request).body {
        InboundBody::Submission(submission) => submission,
        other => panic!("{other:?}"),
    }
}

struct Case {
    service: &'static str,
    request: WebhookRequest,
    id: &'static str,
    values: Value,
    extra: Value,
}

fn cases() -> Vec<Case> {
    let typeform = json!({"event_id": "ev1", "event_type": "form_response", "form_response": {
    "form_id": "f", "token": "tok1", "landed_at": "2026-11-22T10:00:00Z", "submitted_at": "2026-11-22T10:01:00Z",
    "hidden": {"utm_source": "ads"},
    "definition": {"fields": [{"id": "a1", "title": "Your name", "type": "short_text", "ref": "name", "properties": {"deep": {"deeper": {"deepest": {"and": 1}}}}},
        {"id": "a2", "title": "What about?", "type": "multiple_choice", "ref": "01234567-89ab-cdef-0123-456789abcdef"}]},
    "answers": [
        {"type": "text", "text": "Ann", "field": {"id": "a1", "type": "short_text", "ref": "name"}},
        {"type": "choice", "choice": {"id": "x", "label": "Prices"}, "field": {"id": "a2", "type": "multiple_choice", "ref": "01234567-89ab-cdef-0123-456789abcdef"}},
        {"type": "phone_number", "phone_number": "+79051234567", "field": {"id": "a3", "type": "phone_number", "ref": "phone"}},
        {"type": "boolean", "boolean": true, "field": {"id": "a4", "type": "yes_no", "ref": "newsletter"}}
    ]}});
    let tally = json!({"eventId": "e", "eventType": "FORM_RESPONSE", "createdAt": "2026-11-22T10:00:00Z", "data": {
    "responseId": "r", "submissionId": "sub1", "formId": "f", "formName": "Form", "fields": [
        {"key": "question_1", "label": "Имя", "type": "INPUT_TEXT", "value": "Анна"},
        {"key": "question_2", "label": "Телефон", "type": "INPUT_PHONE_NUMBER", "value": "8 905 123-45-67"},
        {"key": "question_3", "label": "What about?", "type": "MULTIPLE_CHOICE", "value": ["id2"],
         "options": [{"id": "id1", "text": "Prices"}, {"id": "id2", "text": "Delivery"}]},
        {"key": "question_4", "label": "Colour", "type": "INPUT_TEXT", "value": "green"},
        {"key": "question_5", "label": "Nothing", "type": "INPUT_TEXT", "value": null}
    ]}});
    let google = json!({"lead_id": "g1", "form_id": 1, "campaign_id": 123, "google_key": "k", "gcl_id": "clk", "api_version": "1.0", "is_test": false,
        "user_column_data": [{"column_id": "FULL_NAME", "string_value": "Ann"}, {"column_id": "EMAIL", "string_value": "Ann@B.co"},
            {"column_id": "PHONE_NUMBER", "string_value": "+79051234567"}]});
    let webflow = json!({"triggerType": "form_submission", "payload": {"name": "Contact", "siteId": "s", "id": "w1", "submittedAt": "2026-11-22T10:00:00Z",
        "data": {"Full Name": "Ann", "E-mail": "a@b.co", "Phone number": "+79051234567", "Message": "hi"}}});
    let hubspot = json!({"fields": [{"objectTypeId": "0-1", "name": "firstname", "value": "Ann"}, {"name": "email", "value": "a@b.co"}, {"name": "phone", "value": "soon"}],
        "context": {"pageUri": "https://shop.example/x", "hutk": "h"}});
    let google_forms = json!({"responseId": "gf1", "namedValues": {"Имя": ["Анна"], "Телефон": ["89051234567"], "Notes": ["a", "b"]}});
    let case = |service, request, id, values, extra| Case {
        service,
        request,
        id,
        values,
        extra,
    };
    vec![
        case(
            "tilda",
            urlencoded(&[
                ("Name", "Анна"),
                ("Email", "a@b.co"),
                ("Phone", "+7 (905) 123-45-67"),
                ("tranid", "1:2"),
                ("formid", "form1"),
                ("formname", "Cart"),
                ("COOKIES", "x=y"),
                ("Textarea", "hi"),
            ]),
            "lead:tilda:1:2",
            json!({"name": "Анна", "email": "a@b.co", "phone": "+79051234567"}),
            json!({"Textarea": "hi"}),
        ),
        case(
            "elementor, advanced",
            urlencoded(&[
                ("form[id]", "abc"),
                ("form[name]", "Contact"),
                ("fields[name][id]", "name"),
                ("fields[name][type]", "text"),
                ("fields[name][title]", "Name"),
                ("fields[name][value]", "Ann"),
                ("fields[name][raw_value]", "Ann"),
                ("fields[email][value]", "a@b.co"),
                ("fields[field_1][value]", "green"),
                ("meta[page_url][value]", "https://shop.example/x"),
                ("meta[remote_ip][value]", "192.0.2.1"),
            ]),
            "",
            json!({"name": "Ann", "email": "a@b.co"}),
            json!({"field_1": "green"}),
        ),
        case(
            "contact form 7",
            multipart(
                &[
                    ("_wpcf7", "5"),
                    ("_wpcf7_version", "5.9"),
                    ("_wpcf7_unit_tag", "u"),
                    ("_wpcf7_posted_data_hash", "h1"),
                    ("your-name", "Ann"),
                    ("your-email", "a@b.co"),
                    ("your-message", "hi"),
                    ("your-subject", "Lamps"),
                ],
                &[],
            ),
            "lead:contact_form_7:h1",
            json!({"name": "Ann", "email": "a@b.co", "comment": "hi"}),
            json!({"your-subject": "Lamps"}),
        ),
        case(
            "bitrix24",
            urlencoded(&[
                ("FIELDS[TITLE]", "Lead"),
                ("FIELDS[NAME]", "Ann"),
                ("FIELDS[PHONE][0][VALUE]", "+79051234567"),
                ("FIELDS[PHONE][0][VALUE_TYPE]", "WORK"),
                ("FIELDS[EMAIL][0][VALUE]", "a@b.co"),
                ("FIELDS[COMMENTS]", "hi"),
                ("FIELDS[UTM_SOURCE]", "ads"),
            ]),
            "",
            json!({"name": "Ann", "phone": "+79051234567", "email": "a@b.co", "comment": "hi"}),
            json!({"title": "Lead"}),
        ),
        case(
            "typeform",
            post_json(&typeform),
            "lead:typeform:tok1",
            json!({"name": "Ann", "topic": "Prices", "phone": "+79051234567"}),
            json!({"newsletter": "true"}),
        ),
        case(
            "tally",
            post_json(&tally),
            "lead:tally:sub1",
            json!({"name": "Анна", "phone": "+79051234567", "topic": "Delivery"}),
            json!({"Colour": "green"}),
        ),
        case(
            "google ads",
            post_json(&google),
            "lead:google_ads:g1",
            json!({"name": "Ann", "email": "ann@b.co", "phone": "+79051234567"}),
            json!({}),
        ),
        case(
            "webflow",
            post_json(&webflow),
            "lead:webflow:w1",
            json!({"name": "Ann", "email": "a@b.co", "phone": "+79051234567", "comment": "hi"}),
            json!({}),
        ),
        case(
            "hubspot",
            post_json(&hubspot),
            "",
            json!({"name": "Ann", "email": "a@b.co"}),
            json!({"phone": "soon"}),
        ),
        case(
            "google forms",
            post_json(&google_forms),
            "lead:google_forms:gf1",
            json!({"name": "Анна", "phone": "+79051234567"}),
            json!({"Notes": "a, b"}),
        ),
        case(
            "a flat post",
            urlencoded(&[("name", "Ann"), ("phone", "+79051234567"), ("consent", "on")]),
            "",
            json!({"name": "Ann", "phone": "+79051234567"}),
            json!({}),
        ),
    ]
}

#[test]
fn each_service_is_read_into_the_fields_of_the_form_and_nothing_is_lost() {
    for Case {
        service,
        request,
        id,
        values,
        extra,
    } in cases()
    {
        let event = event(request.clone());
        if !id.is_empty() {
            assert_eq!(event.external_id, id, "{service}");
        }
        let submission = submission(request);
        assert_eq!(json!(submission.values), values, "{service}");
        assert_eq!(json!(submission.extra), extra, "{service}");
        for kept in submission.extra.keys() {
            assert!(
                submission.text.contains(&format!("{kept}: ")),
                "{service}: {}",
                submission.text
            );
        }
        assert!(!submission.held, "{service}: {:?}", submission.spam_reasons);
    }
}

#[test]
fn what_a_service_says_of_the_campaign_is_the_attribution() {
    let last = |service: &str| {
        let case = cases().into_iter().find(|case| case.service == service);
        case.map(|case| submission(case.request).attribution.last)
            .unwrap_or_default()
    };
    assert_eq!(
        last("typeform").get("utm_source").map(String::as_str),
        Some("ads")
    );
    assert_eq!(last("google ads").get("gclid").map(String::as_str), Some("clk"));
    assert_eq!(
        last("elementor, advanced").get("page_url").map(String::as_str),
        Some("https://shop.example/x")
    );
    assert_eq!(
        last("bitrix24").get("utm_source").map(String::as_str),
        Some("ads")
    );
}

#[test]
fn a_trial_is_answered_with_200_and_stores_nothing() {
    let trial = json!({"lead_id": "t", "is_test": true, "user_column_data": [{"column_id": "FULL_NAME", "string_value": "Test"}]});
    for request in [urlencoded(&[("test", "test")]), post_json(&trial)] {
        assert!(batch(request.clone()).events.is_empty());
        let reply = form()
            .webhook()
            .map(|hook| hook.reply(&hooked(request), &Receipt::default()));
        assert_eq!(reply.map(|reply| reply.status().as_u16()), Some(200));
    }
}

#[test]
fn a_form_of_ours_does_not_read_other_shapes() {
    let form = form();
    let hook = form.webhook().unwrap_or_else(|| panic!("no webhook"));
    let post = urlencoded(&[("tranid", "1"), ("Name", "Ann")]);
    assert!(hook.accept(&post, context().clock.now()).is_err());
}
