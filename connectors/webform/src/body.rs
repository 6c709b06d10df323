//! Reads a posted body by its media type into names, values and files.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::stream;
use http::header;
use multer::Multipart;
use serde_json::Value;
use switchboard_sdk::{InboundAttachment, Rejection, WebhookRequest, fields::MAX_FIELDS};

/// Deepest nesting of names and of JSON.
const MAX_DEPTH: usize = 4;
/// Longest name of a posted value, in bytes.
const MAX_NAME: usize = 256;
/// Most files in one post.
const MAX_FILES: usize = 20;

/// What was posted, in order, repeats included.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// Names with their values. `a[b]` is written `a.b`, `a[]` is written `a`.
    pub values: Vec<(String, String)>,
    /// Names with their files. File inputs left empty are not there.
    pub files: Vec<(String, InboundAttachment)>,
}

impl Posted {
    /// All values of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last value of this name that is not blank.
    pub fn last<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .last()
    }
}

/// Reads the body. Total: any bytes give an answer.
pub fn read(request: &WebhookRequest, max_bytes: u64) -> Result<Posted, Rejection> {
    let body = request.body();
    if body.len() as u64 > max_bytes {
        return Err(Rejection::TooLarge(format!(
            "a post may have at most {} MB",
            max_bytes / (1024 * 1024)
        )));
    }
    if body.is_empty() {
        return Err(Rejection::Malformed(
            "the body is empty: send the fields of the form in it".to_owned(),
        ));
    }
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parameters = content_type.split(';');
    let essence = parameters.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_owned())
    });
    match essence.as_str() {
        "application/x-www-form-urlencoded" => urlencoded(body, charset.as_deref()),
        "multipart/form-data" => multipart(body, content_type),
        // What navigator.sendBeacon sends, and JSON that must not cost a preflight.
        "application/json" | "text/plain" => json(body),
        kind if kind.starts_with("application/") && kind.ends_with("+json") => json(body),
        _ => Err(Rejection::UnsupportedMediaType(format!(
            "{} is not read here: send application/x-www-form-urlencoded, multipart/form-data or application/json",
            if essence.is_empty() {
                "a body without Content-Type"
            } else {
                &essence
            }
        ))),
    }
}

/// Values whose charset is not known before all are there (`_charset_` may come last).
type Raw = Vec<(Vec<u8>, Vec<u8>)>;

fn urlencoded(body: &Bytes, charset: Option<&str>) -> Result<Posted, Rejection> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let raw: Raw = pairs
        .take(MAX_FIELDS + 1)
        .map(|pair| {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (
                    pair.get(..at).unwrap_or_default(),
                    pair.get(at + 1..).unwrap_or_default(),
                ),
                None => (pair, &[][..]),
            };
            (percent_decoded(name), percent_decoded(value))
        })
        .collect();
    decode(raw, charset, Vec::new())
}

/// `application/x-www-form-urlencoded` decoding to bytes (WHATWG URL §5.1): the library decodes to UTF-8 only, and
/// pages in other charsets still post theirs.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut found = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                found.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
                continue;
            }
            (b'+', ..) => found.push(b' '),
            _ => found.push(byte),
        }
        at += 1;
    }
    found
}

fn multipart(body: &Bytes, content_type: &str) -> Result<Posted, Rejection> {
    let malformed =
        |error: multer::Error| Rejection::Malformed(format!("the multipart body cannot be read: {error}"));
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    let whole = stream::iter([Ok::<_, Infallible>(body.clone())]);
    let read = async {
        let mut parts = Multipart::new(whole, boundary);
        let (mut raw, mut files) = (Raw::new(), Vec::new());
        while let Some(part) = parts.next_field().await.map_err(malformed)? {
            let name = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(str::to_owned);
            let kind = part.content_type().map(ToString::to_string);
            let data = part.bytes().await.map_err(malformed)?;
            match file {
                None => raw.push((name.into_bytes(), data.to_vec())),
                // A file input left empty.
                Some(file) if file.is_empty() && data.is_empty() => {}
                Some(file) => files.push((structured(&name)?, attachment(file, kind, data))),
            }
            if raw.len() + files.len() > MAX_FIELDS || files.len() > MAX_FILES {
                return Err(too_many());
            }
        }
        Ok((raw, files))
    };
    let (raw, files) = at_once(read)
        .unwrap_or_else(|| Err(Rejection::Malformed("the multipart body does not end".to_owned())))?;
    decode(raw, None, files)
}

fn attachment(name: String, kind: Option<String>, data: Bytes) -> InboundAttachment {
    InboundAttachment {
        name: if name.trim().is_empty() {
            "file".to_owned()
        } else {
            name
        },
        content_type: kind.unwrap_or_else(|| "application/octet-stream".to_owned()),
        data: data.into(),
        ..InboundAttachment::default()
    }
}

/// Drives a future whose input is all there, so that it has nothing to wait for.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    /// A few polls more than the one needed: a library may give way in between.
    const POLLS: usize = 1_000;
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..POLLS).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}

fn decode(
    raw: Raw,
    charset: Option<&str>,
    files: Vec<(String, InboundAttachment)>,
) -> Result<Posted, Rejection> {
    if raw.len() + files.len() > MAX_FIELDS {
        return Err(too_many());
    }
    let named = raw
        .iter()
        .rev()
        .find(|(name, _)| name == b"_charset_")
        .map(|(_, value)| value.as_slice());
    let label = named
        .or(charset.map(str::as_bytes))
        .filter(|label| !label.is_empty());
    let encoding = label.and_then(encoding_rs::Encoding::for_label);
    let text = |bytes: Vec<u8>| {
        match (String::from_utf8(bytes), encoding) {
        (Ok(text), _) => Ok(text),
        (Err(error), Some(encoding)) => Ok(encoding.decode_without_bom_handling(error.as_bytes()).0.into_owned()),
        (Err(_), None) => Err(Rejection::Malformed(
            "the text is not UTF-8: put accept-charset=\"utf-8\" on the form, or name its charset in a field _charset_".to_owned(),
        )),
    }
    };
    let mut values = Vec::with_capacity(raw.len());
    for (name, value) in raw {
        values.push((structured(&text(name)?)?, text(value)?));
    }
    Ok(Posted { values, files })
}

/// `a[b][c]` becomes `a.b.c`, `a[]` becomes `a`.
fn structured(name: &str) -> Result<String, Rejection> {
    if name.len() > MAX_NAME {
        return Err(Rejection::Malformed(format!(
            "the name of a field is longer than {MAX_NAME} bytes"
        )));
    }
    let plain = name.replace(']', "").replace('[', ".");
    let plain = plain.trim_matches('.');
    if name.contains('[') && plain.split('.').count() > MAX_DEPTH {
        return Err(Rejection::Malformed(format!(
            "the name of a field is nested deeper than {MAX_DEPTH}"
        )));
    }
    Ok(if name.contains('[') {
        plain.to_owned()
    } else {
        name.to_owned()
    })
}

fn json(body: &Bytes) -> Result<Posted, Rejection> {
    let fields: BTreeMap<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Rejection::Malformed(format!("the body is not a JSON object: {error}")))?;
    let mut posted = Posted::default();
    for (name, value) in fields {
        flatten(&mut posted.values, structured(&name)?, value, 1)?;
    }
    Ok(posted)
}

fn flatten(
    values: &mut Vec<(String, String)>,
    name: String,
    value: Value,
    depth: usize,
) -> Result<(), Rejection> {
    if depth > MAX_DEPTH || name.len() > MAX_NAME {
        return Err(Rejection::Malformed(format!(
            "the JSON is nested deeper than {MAX_DEPTH}"
        )));
    }
    match value {
        // The attribution is read as JSON, from a hidden input too.
        Value::Object(_) if name == crate::attribution::FIELD => values.push((name, value.to_string())),
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(values, format!("{name}.{key}"), value, depth + 1)?;
            }
        }
        Value::Array(items) => {
            for item in items {
                flatten(values, name.clone(), item, depth + 1)?;
            }
        }
        Value::Null => {}
        Value::String(text) => values.push((name, text)),
        Value::Bool(_) | Value::Number(_) => values.push((name, value.to_string())),
    }
    if values.len() > MAX_FIELDS {
        Err(too_many())
    } else {
        Ok(())
    }
}

fn too_many() -> Rejection {
    Rejection::Malformed(format!("more than {MAX_FIELDS} fields or {MAX_FILES} files"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn post(kind: &str, body: impl Into<Bytes>) -> Result<Posted, Rejection> {
        let request = http::Request::post("/f/x")
            .header(header::CONTENT_TYPE, kind)
            .body(body.into());
        read(&request.unwrap_or_default(), 1024 * 1024)
    }

    fn values(kind: &str, body: impl Into<Bytes>) -> Vec<(String, String)> {
        post(kind, body)
            .unwrap_or_else(|rejection| panic!("{rejection:?}"))
            .values
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn urlencoded_values_come_with_repeats_structure_and_every_script() {
        let body = "a=1&a=2&b%5Bc%5D=%D0%BF+%2B&list[]=x&empty=&bare&%=%zz&=v";
        let wanted = pairs(&[
            ("a", "1"),
            ("a", "2"),
            ("b.c", "п +"),
            ("list", "x"),
            ("empty", ""),
            ("bare", ""),
            ("%", "%zz"),
            ("", "v"),
        ]);
        assert_eq!(values(FORM, body), wanted);
    }

    #[test]
    fn another_charset_is_read_when_it_is_named_and_refused_when_not() {
        assert_eq!(
            values(FORM, "x=%CF%F0%E8%E2%E5%F2&_charset_=windows-1251").first(),
            pairs(&[("x", "Привет")]).first()
        );
        assert_eq!(
            values(
                "application/x-www-form-urlencoded; charset=\"windows-1251\"",
                "x=%CF"
            ),
            pairs(&[("x", "П")])
        );
        assert!(matches!(post(FORM, "x=%CF%F0"), Err(Rejection::Malformed(_))));
    }

    #[test]
    fn multipart_brings_values_and_files_and_forgets_empty_file_inputs() {
        let body = concat!(
            "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nАнна\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\0\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n",
            "--b--\r\n"
        );
        let posted =
            post("multipart/form-data; boundary=b", body).unwrap_or_else(|rejection| panic!("{rejection:?}"));
        assert_eq!(posted.values, pairs(&[("name", "Анна")]));
        let files: Vec<_> = posted
            .files
            .iter()
            .map(|(name, file)| {
                (
                    name.as_str(),
                    file.name.as_str(),
                    file.content_type.as_str(),
                    file.data.in_memory().unwrap().as_ref(),
                )
            })
            .collect();
        assert_eq!(files, [("cv", "cv.pdf", "application/pdf", &b"%PDF\0"[..])]);
    }

    #[test]
    fn a_large_file_is_read_whole() {
        let file = "x".repeat(900_000);
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n{file}\r\n--b--\r\n"
        );
        let posted = post("multipart/form-data; boundary=b", body).unwrap_or_default();
        assert_eq!(
            posted.files.first().map(|(_, file)| file.data.len()),
            Some(900_000)
        );
    }

    #[test]
    fn json_is_flattened_and_read_from_text_plain_too() {
        let body = r#"{"a": "x", "n": 5, "t": true, "nothing": null, "list": ["p", "q"], "o": {"k": {"l": 1}}, "sb_attribution": {"last": {"utm_source": "s"}}}"#;
        let wanted = pairs(&[
            ("a", "x"),
            ("list", "p"),
            ("list", "q"),
            ("n", "5"),
            ("o.k.l", "1"),
            ("sb_attribution", r#"{"last":{"utm_source":"s"}}"#),
            ("t", "true"),
        ]);
        assert_eq!(values("application/json; charset=utf-8", body), wanted);
        assert_eq!(values("text/plain;charset=UTF-8", body), wanted);
    }

    #[test]
    fn each_bad_body_gets_its_own_refusal() {
        let kind = |answer| match answer {
            Err(Rejection::Malformed(_)) => "malformed",
            Err(Rejection::UnsupportedMediaType(_)) => "unsupported",
            Err(Rejection::TooLarge(_)) => "large",
            _ => "other",
        };
        for (content_type, body, wanted) in [
            (FORM, String::new(), "malformed"),
            ("application/json", "[1]".to_owned(), "malformed"),
            ("application/json", "{\"a\":".to_owned(), "malformed"),
            (
                "application/json",
                r#"{"a":{"b":{"c":{"d":{"e":1}}}}}"#.to_owned(),
                "malformed",
            ),
            ("multipart/form-data", "x".to_owned(), "malformed"),
            ("multipart/form-data; boundary=b", "x".to_owned(), "malformed"),
            ("text/html", "x".to_owned(), "unsupported"),
            ("", "x=y".to_owned(), "unsupported"),
            (FORM, "a".repeat(1024 * 1024 + 1), "large"),
            (FORM, "a=1&".repeat(MAX_FIELDS + 1), "malformed"),
            (FORM, format!("a{}=1", "[b]".repeat(50)), "malformed"),
        ] {
            assert_eq!(
                kind(post(content_type, body.clone())),
                wanted,
                "{content_type} {}",
                body.len()
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_under_any_type_give_an_answer(body in prop::collection::vec(any::<u8>(), 1..512), kind in 0_usize..5) {
            let kinds = [FORM, "application/json", "text/plain", "multipart/form-data; boundary=b", "multipart/form-data; boundary=\"-\""];
            drop(post(kinds[kind], body));
        }

        #[test]
        fn what_a_browser_encodes_is_read_back(name in "[a-zа-я]{1,9}", value in any::<String>()) {
            let body = form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish();
            prop_assert_eq!(values(FORM, body), vec![(name, value)]);
        }
    }
}
