//! Where the visitor came from, as the post tells it.
//!
//! The nearest word wins: a field of the post, then the address that was posted to, then the address of
//! the page (`Referer`). First and last touch kept by a script come as JSON in one hidden field.

use http::header;
use serde_json::Value;
use switchboard_sdk::{Attribution, Touch, WebhookRequest, fields::clean_line};

use crate::body::Posted;

/// The hidden field with `{"first":{…},"last":{…}}`.
pub const FIELD: &str = "sb_attribution";
/// Most characters of a value; longer ones are cut: an address is never worth a refusal.
const MAX_VALUE_CHARS: usize = 2_000;
/// Most keys of one touch.
const MAX_KEYS: usize = 40;
/// Keys that are recognised by name; all that begin with `utm_` are too.
const MARKS: [&str; 19] = [
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "fbclid",
    "msclkid",
    "yclid",
    "ymclid",
    "ttclid",
    "li_fat_id",
    "twclid",
    "rdt_cid",
    "epik",
    "sccid",
    "referrer",
    "landing_page",
    "page_url",
    "page_title",
    "start_payload",
];

/// Whether a field or query parameter of this name tells where the visitor came from.
pub fn is_mark(name: &str) -> bool {
    (name.starts_with("utm_") && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic()))
        || MARKS.contains(&name)
}

/// First and last touch. With one touch known, it is both: the server keeps the first of a known contact.
pub fn read(request: &WebhookRequest, posted: &Posted, own_host: &str) -> Attribution {
    let told = posted
        .last(FIELD)
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .unwrap_or_default();
    let mut last = touch_in(&told, "last");
    let page = referring_page(request, own_host);
    let page_query = page
        .as_deref()
        .and_then(|page| page.split_once('?'))
        .map_or("", |(_, query)| query.split('#').next().unwrap_or(query));
    for query in [page_query, request.uri().query().unwrap_or_default()] {
        for (key, value) in marks_in(query) {
            note(&mut last, &key, &value);
        }
    }
    for (key, value) in posted.values.iter().filter(|(key, _)| is_mark(key)) {
        note(&mut last, key, value);
    }
    if let Some(page) = page {
        for key in ["page_url", "landing_page"] {
            if !last.contains_key(key) {
                note(&mut last, key, &page);
            }
        }
    }
    let mut first = touch_in(&told, "first");
    if first.is_empty() {
        first.clone_from(&last);
    }
    Attribution { first, last }
}

/// The marks of a query string, decoded.
pub fn marks_in(query: &str) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .filter(|(key, _)| is_mark(key))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

/// The page the form stands on, when it is not our own hosted page.
fn referring_page(request: &WebhookRequest, own_host: &str) -> Option<String> {
    let page = request.headers().get(header::REFERER)?.to_str().ok()?;
    let (_, rest) = page.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (!host.eq_ignore_ascii_case(own_host)).then(|| page.to_owned())
}

fn touch_in(told: &Value, key: &str) -> Touch {
    let mut touch = Touch::new();
    for (name, value) in told.get(key).and_then(Value::as_object).into_iter().flatten() {
        if let Some(text) = value.as_str() {
            note(&mut touch, name, text);
        }
    }
    touch
}

fn note(touch: &mut Touch, key: &str, value: &str) {
    let value: String = clean_line(value).chars().take(MAX_VALUE_CHARS).collect();
    let fits = !value.is_empty() && key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits && (touch.len() < MAX_KEYS || touch.contains_key(key)) {
        touch.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn read_from(uri: &str, referer: &str, values: &[(&str, &str)]) -> Value {
        let request = http::Request::post(uri)
            .header(header::REFERER, referer)
            .body(Bytes::new())
            .unwrap_or_default();
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        json!(read(
            &request,
            &Posted {
                values,
                ..Posted::default()
            },
            "desk.example"
        ))
    }

    #[test]
    fn fields_win_over_the_posted_address_and_that_over_the_page() {
        let found = read_from(
            "/f/x?utm_source=query&utm_medium=query&name=x",
            "https://shop.example/a?utm_source=page&utm_medium=page&gclid=page",
            &[("utm_source", "field"), ("name", "Ann"), ("utm_term", "")],
        );
        let wanted = json!({
            "utm_source": "field", "utm_medium": "query", "gclid": "page",
            "page_url": "https://shop.example/a?utm_source=page&utm_medium=page&gclid=page",
            "landing_page": "https://shop.example/a?utm_source=page&utm_medium=page&gclid=page",
        });
        assert_eq!(found, json!({"first": wanted, "last": wanted}));
    }

    #[test]
    fn touches_kept_by_a_script_are_taken_and_fields_belong_to_the_last() {
        let told = r#"{"first":{"utm_source":"ads","n":5},"last":{"utm_source":"mail","utm_term":"t"}}"#;
        let found = read_from(
            "/f/x",
            "https://desk.example/f/x",
            &[(FIELD, told), ("utm_source", "field")],
        );
        assert_eq!(
            found,
            json!({"first": {"utm_source": "ads"}, "last": {"utm_source": "field", "utm_term": "t"}})
        );
    }

    #[test]
    fn nonsense_is_cut_and_left_out_never_refused() {
        let long = "x".repeat(5_000);
        let found = read_from(
            "/f/x",
            "nonsense",
            &[
                (FIELD, "[{"),
                ("utm_source", &long),
                ("utm_é", "x"),
                ("gclid", "a\0b"),
            ],
        );
        assert_eq!(
            found["last"]["utm_source"].as_str().map(str::len),
            Some(MAX_VALUE_CHARS)
        );
        assert_eq!(found["last"]["gclid"], "ab");
        assert_eq!(found["last"].as_object().map(serde_json::Map::len), Some(2));
    }
}
