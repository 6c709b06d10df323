//! The script that puts the form into a page of another site.

use serde_json::{Value, json};
use switchboard_sdk::{Page, fields::FieldKind};

use crate::{
    accept::{HONEYPOT, OPEN_FOR, PAGE_ID},
    form::Form,
    page,
    settings::CONSENT,
    words,
};

const SCRIPT: &str = include_str!("../assets/embed.js");

/// The script with the form's definition in it. It holds the words of every language: scripts are cached, and the
/// page's visitor chooses. A paused form draws its notice instead of inputs.
pub fn script(form: &Form, paused: bool) -> Page {
    let settings = &form.settings;
    let fields: Vec<Value> = settings
        .fields
        .iter()
        .map(|field| {
            let labels = words::ALL.iter().map(|words| (words.language.to_owned(), Value::from(words.label(field))));
            let (kind, autocomplete) = page::html_kind(field.kind, &field.name);
            json!({
                "name": field.name, "labels": Value::Object(labels.collect()), "kind": kind, "autocomplete": autocomplete,
                "required": field.required, "max": field.max_chars(), "value": field.value, "placeholder": field.placeholder,
                "options": field.options.iter().map(|option| option.trim()).collect::<Vec<_>>(),
                "file": field.kind == FieldKind::File,
            })
        })
        .collect();
    let words: serde_json::Map<String, Value> = words::ALL
        .iter()
        .map(|words| {
            (
                words.language.to_owned(),
                serde_json::to_value(words).unwrap_or_default(),
            )
        })
        .collect();
    let definition = json!({
        "key": form.context.channel_key, "url": form.url(), "title": settings.title, "submit": settings.submit_label,
        "message": settings.success.message, "redirect": settings.success.redirect_url, "paused": paused,
        "consent": settings.consent.as_ref().map(|consent| json!({"text": consent.text, "url": consent.url, "required": consent.required})),
        "fields": fields, "words": words, "style": format!("{}{}", page::STYLE, page::accent(settings.colour())).replace(":root", ":host"),
        "names": {"honeypot": HONEYPOT, "open_for": OPEN_FOR, "page_id": PAGE_ID, "consent": CONSENT},
    });
    Page {
        status: 200,
        content_type: "text/javascript; charset=utf-8",
        csp: None,
        body: SCRIPT.replacen("/* definition */ null", &literal(&definition), 1),
    }
}

/// JSON as a JavaScript literal that is harmless in any context: no `<` (markup), no line separators
/// (line ends in older JavaScript).
fn literal(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
