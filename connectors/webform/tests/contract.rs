//! The contract every connector keeps.

mod post;

use post::{json, multipart, urlencoded};
use switchboard_testkit::{
    contract,
    contract::{Options, WebhookSample},
};
use switchboard_webform::{DESCRIPTOR, Settings};

fn options() -> Options {
    let fields = [
        ("name", "Ann"),
        ("phone", "90 123 45 67"),
        ("topic", "Prices"),
        ("comment", "Привет"),
        ("consent", "on"),
    ];
    let mut keyed = urlencoded(&fields);
    keyed
        .headers_mut()
        .insert("idempotency-key", http::HeaderValue::from_static("k-1"));
    let mut page = fields.to_vec();
    page.push(("sb_id", "page-1"));
    let body =
        serde_json::json!({"name": "Ann", "phone": "+998901234567", "consent": true, "submission_id": "s-1"});
    let sample = |name, request, keyed| WebhookSample {
        name,
        request,
        keyed,
        unproven: None,
    };
    Options::default()
        .debug(|mut value| {
            // The example asks for no captcha: its secret comes without the rest.
            if let Some(captcha) = value
                .get_mut("captcha")
                .and_then(|captcha| captcha.as_object_mut())
            {
                captcha.insert("provider".to_owned(), "turnstile".into());
                captcha.insert("site_key".to_owned(), "key".into());
            }
            format!("{:?}", Settings::read(value))
        })
        .webhook(sample("a plain post", urlencoded(&fields), false))
        .webhook(sample("a post with a key", keyed, true))
        .webhook(sample("a post of the hosted page", urlencoded(&page), true))
        .webhook(sample("a post of JSON", json(&body), true))
        .webhook(sample("a multipart post", multipart(&fields, &[]), false))
}

contract!(DESCRIPTOR, options());
