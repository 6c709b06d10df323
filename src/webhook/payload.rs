//! The body of a delivery. Pure.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Larger bodies are made smaller: receivers are promised small ones (Standard Webhooks advises 20 KB).
pub const MAX_BYTES: usize = 20 << 10;
/// Fields of at most this size are never worth leaving out.
const SMALL: usize = 64;

/// What happened to which object, with the object.
#[derive(Debug, Clone)]
pub struct Telling<'a> {
    /// The word.
    pub kind: &'a str,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Its number in the log; null for what no event is behind.
    pub seq: Option<i64>,
    /// The object as the API shows it.
    pub object: Value,
    /// Where the whole object can be had.
    pub url: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: String,
    data: &'a Value,
}

/// The body as it is sent, in each attempt the same. `data` is the object with `event_seq`, which grows with each
/// event. When that is more than [`MAX_BYTES`], the largest fields are left out until it is not, and `left_out`
/// names them; `url` is where the object can be had whole.
pub fn body(telling: Telling<'_>) -> String {
    let mut object = match telling.object {
        Value::Object(object) => object,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    object.insert("event_seq".to_owned(), json!(telling.seq));
    let write = |object: &Map<String, Value>| {
        let body = Body {
            r#type: telling.kind,
            timestamp: telling.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            data: &Value::Object(object.clone()),
        };
        serde_json::to_string(&body).unwrap_or_default()
    };
    let whole = write(&object);
    if whole.len() <= MAX_BYTES {
        return whole;
    }
    let mut left_out: Vec<String> = Vec::new();
    let mut sizes: Vec<(usize, String)> = object
        .iter()
        .map(|(name, value)| (value.to_string().len(), name.clone()))
        .filter(|(size, _)| *size > SMALL)
        .collect();
    sizes.sort_by(|a, b| b.cmp(a));
    for (_, name) in sizes {
        object.insert(name.clone(), Value::Null);
        left_out.push(name);
        object.insert("left_out".to_owned(), json!(left_out));
        object.insert("url".to_owned(), json!(telling.url));
        let smaller = write(&object);
        if smaller.len() <= MAX_BYTES {
            return smaller;
        }
    }
    // An object of thousands of small fields: what it is, and where.
    let id = object.get("id").cloned().unwrap_or_default();
    let bare = json!({"id": id, "event_seq": telling.seq, "left_out": ["*"], "url": telling.url});
    write(bare.as_object().unwrap_or(&Map::new()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn telling(object: Value) -> Telling<'static> {
        Telling {
            kind: "message.created",
            at: "2026-11-23T08:00:00Z".parse().unwrap(),
            seq: Some(17),
            object,
            url: Some("https://chat.example/api/v1/x".to_owned()),
        }
    }

    fn read(body: &str) -> Value {
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn a_body_says_what_when_and_the_whole_object() {
        let told = read(&body(telling(
            json!({"id": "msg_1", "text": "hello", "version": 3}),
        )));
        assert_eq!(
            told,
            json!({"type": "message.created", "timestamp": "2026-11-23T08:00:00.000000Z",
                "data": {"id": "msg_1", "text": "hello", "version": 3, "event_seq": 17}})
        );
    }

    #[test]
    fn the_largest_fields_are_left_out_first_and_named() {
        let object =
            json!({"id": "msg_1", "html": "x".repeat(30_000), "text": "y".repeat(15_000), "kind": "inbound"});
        let told = read(&body(telling(object)));
        let data = &told["data"];
        assert_eq!(
            (&data["html"], &data["left_out"]),
            (&Value::Null, &json!(["html"]))
        );
        assert_eq!(data["text"].as_str().map(str::len), Some(15_000));
        assert_eq!(data["url"], "https://chat.example/api/v1/x");
        assert_eq!((&data["id"], &data["event_seq"]), (&json!("msg_1"), &json!(17)));
    }

    #[test]
    fn thousands_of_small_fields_leave_the_id_and_the_way() {
        let mut object: Map<String, Value> = (0..3_000)
            .map(|n| (format!("field_{n}"), json!("small")))
            .collect();
        object.insert("id".to_owned(), json!("cnt_1"));
        let told = read(&body(telling(Value::Object(object))));
        assert_eq!(told["data"]["id"], "cnt_1");
        assert_eq!(told["data"]["left_out"], json!(["*"]));
    }

    proptest! {
        #[test]
        fn no_object_makes_a_body_too_large(sizes in prop::collection::vec(0_usize..12_000, 0..40)) {
            let mut object: Map<String, Value> =
                sizes.iter().enumerate().map(|(n, size)| (format!("f{n}"), json!("я".repeat(*size)))).collect();
            object.insert("id".to_owned(), json!("led_1"));
            let text = body(telling(Value::Object(object)));
            prop_assert!(text.len() <= MAX_BYTES, "{}", text.len());
            let told = read(&text);
            prop_assert_eq!(&told["data"]["id"], "led_1");
            prop_assert_eq!(&told["data"]["event_seq"], 17);
        }
    }
}
