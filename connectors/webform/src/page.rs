//! The hosted pages: the form, the form again with its errors, thanks, and plain words.
//!
//! Templates escape everything by themselves (a property test holds it); styles are allowed by their
//! hashes, scripts not at all.

use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchboard_sdk::{Page, PageRequest, fields::FieldKind};

use crate::{
    accept::{DRAWN_AT, HONEYPOT, PAGE_ID},
    answer, attribution,
    body::Posted,
    form::Form,
    settings::CONSENT,
    words::{self, Words},
};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        templates.set_syntax(syntax);
    }
    for (name, source) in [
        ("layout.html", include_str!("../assets/layout.html")),
        ("form.html", include_str!("../assets/form.html")),
        ("message.html", include_str!("../assets/message.html")),
    ] {
        // A test draws every page, so a template that does not parse is found there.
        drop(templates.add_template(name, source));
    }
    templates
});

pub(crate) const STYLE: &str = include_str!("../assets/form.css");

/// One input as the template draws it.
#[derive(Serialize)]
struct Input<'a> {
    id: String,
    name: &'a str,
    label: &'a str,
    /// `text`, `textarea`, `select`, `checkbox` or an HTML input type.
    kind: &'static str,
    required: bool,
    options: Vec<&'a str>,
    placeholder: &'a str,
    value: String,
    ticked: bool,
    max: usize,
    autocomplete: &'static str,
    error: Option<&'a str>,
}

/// What stands in the inputs.
#[derive(Default)]
struct Contents<'a> {
    values: BTreeMap<&'a str, &'a str>,
    /// Boxes are as posted, not as they start.
    posted: bool,
    errors: &'a [(String, String)],
    /// Hidden inputs.
    hidden: Vec<(String, String)>,
}

/// The form as it starts: initial values, values and campaign tags out of the query.
pub fn blank(form: &Form, request: &PageRequest) -> Page {
    let id = form.fresh_id(request.now, &[]);
    let mut hidden = vec![
        (PAGE_ID.to_owned(), id),
        (DRAWN_AT.to_owned(), request.now.timestamp_millis().to_string()),
    ];
    let declared = |name: &str| form.settings.fields.iter().any(|field| field.name == name);
    let marks: Vec<_> = request
        .query
        .iter()
        .filter(|(name, _)| attribution::is_mark(name) && !declared(name))
        .collect();
    hidden.extend(
        marks
            .iter()
            .take(40)
            .map(|(name, value)| (name.clone(), cut(value))),
    );
    if !request.query.is_empty() && !marks.iter().any(|(name, _)| name == "landing_page") {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&request.query)
            .finish();
        hidden.push(("landing_page".to_owned(), cut(&format!("{}?{query}", form.url()))));
    }
    let values = request
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    draw(
        form,
        200,
        &Contents {
            values,
            hidden,
            ..Contents::default()
        },
        words::for_visitor(request.accept_language.as_deref()),
    )
}

/// The form with what was typed and what is wrong with it: 422.
pub fn again(
    form: &Form,
    posted: &Posted,
    errors: &[(String, String)],
    accept_language: Option<&str>,
) -> Page {
    let carried =
        |name: &str| [PAGE_ID, DRAWN_AT, attribution::FIELD].contains(&name) || attribution::is_mark(name);
    let declared = |name: &str| form.settings.fields.iter().any(|field| field.name == name);
    let hidden = posted
        .values
        .iter()
        .filter(|(name, _)| carried(name) && !declared(name))
        .cloned()
        .collect();
    draw(
        form,
        422,
        &Contents {
            values: answer::typed(posted),
            posted: true,
            errors,
            hidden,
        },
        words::for_visitor(accept_language),
    )
}

/// The words of thanks.
pub fn thanks(form: &Form, accept_language: Option<&str>) -> Page {
    let words = words::for_visitor(accept_language);
    message(
        form,
        200,
        words,
        form.settings.success.message.as_deref().unwrap_or(words.thanks),
        false,
    )
}

/// The form takes nothing now: 503.
pub fn paused(form: &Form, accept_language: Option<&str>) -> Page {
    let words = words::for_visitor(accept_language);
    message(form, 503, words, words.paused, false)
}

/// A post that could not be taken, in words for people.
pub fn refused(form: &Form, status: u16, accept_language: Option<&str>) -> Page {
    let words = words::for_visitor(accept_language);
    let text = match status {
        403 => words.forbidden,
        413 => words.too_large,
        _ => words.unreadable,
    };
    message(form, status, words, text, true)
}

fn draw(form: &Form, status: u16, contents: &Contents, words: &Words) -> Page {
    let settings = &form.settings;
    let error_of = |name: &str| {
        contents
            .errors
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, message)| message.as_str())
    };
    let visible = settings
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.kind != FieldKind::Hidden);
    let inputs: Vec<Input> = visible
        .map(|(i, field)| {
            let given = contents.values.get(field.name.as_str()).copied();
            let value = given.or(field.value.as_deref()).unwrap_or_default();
            let (kind, autocomplete) = html_kind(field.kind, &field.name);
            Input {
                id: format!("field-{i}"),
                name: &field.name,
                label: words.label(field),
                kind,
                required: field.required,
                options: field.options.iter().map(|option| option.trim()).collect(),
                placeholder: field.placeholder.as_deref().unwrap_or_default(),
                value: value.chars().take(field.max_chars()).collect(),
                ticked: ["on", "true", "1", "yes"].contains(&if contents.posted {
                    given.unwrap_or_default()
                } else {
                    value
                }),
                max: field.max_chars(),
                autocomplete,
                error: error_of(&field.name),
            }
        })
        .collect();
    let mut hidden: Vec<(String, String)> = settings
        .fields
        .iter()
        .filter(|field| field.kind == FieldKind::Hidden)
        .map(|field| {
            let given = contents.values.get(field.name.as_str()).copied();
            (
                field.name.clone(),
                cut(given.or(field.value.as_deref()).unwrap_or_default()),
            )
        })
        .collect();
    hidden.extend(contents.hidden.iter().cloned());
    let has_files = settings.fields.iter().any(|field| field.kind == FieldKind::File);
    let stray: Vec<&(String, String)> = contents
        .errors
        .iter()
        .filter(|(name, _)| name != CONSENT && !inputs.iter().any(|input| input.name == name))
        .collect();
    let consent = settings.consent.as_ref();
    let ticked = contents
        .values
        .get(CONSENT)
        .is_some_and(|value| contents.posted && !value.trim().is_empty());
    let consent = consent.map(|consent| {
        let url = consent.url.as_deref().filter(|url| !url.is_empty());
        json!({"text": consent.text, "url": url, "required": consent.required, "error": error_of(CONSENT), "ticked": ticked})
    });
    let submit = settings.submit_label.as_deref().unwrap_or(words.submit);
    render(
        form,
        status,
        "form.html",
        words,
        json!({
            "inputs": inputs, "hidden": hidden, "consent": consent, "has_files": has_files, "stray": stray,
            "failed": !contents.errors.is_empty(),
            "action": form.path(),
            "submit": submit,
            "honeypot": HONEYPOT,
            "files_again": has_files && contents.posted,
        }),
    )
}

fn message(form: &Form, status: u16, words: &Words, text: &str, back: bool) -> Page {
    let back = back.then(|| form.path());
    render(
        form,
        status,
        "message.html",
        words,
        json!({"text": text, "back": back}),
    )
}

fn render(form: &Form, status: u16, template: &str, words: &Words, mut inner: Value) -> Page {
    let accent = accent(form.settings.colour());
    let title = form.settings.title.as_deref().unwrap_or(words.title);
    if let Value::Object(context) = &mut inner {
        for (name, value) in [
            ("words", json!(words)),
            ("title", title.into()),
            ("style", STYLE.into()),
            ("accent", accent.clone().into()),
        ] {
            context.insert(name.to_owned(), value);
        }
    }
    let drawn = TEMPLATES
        .get_template(template)
        .and_then(|template| template.render(Serde(inner)));
    // Never seen as long as the tests that draw every page pass; without markup, so nothing needs escaping.
    let body = drawn.unwrap_or_else(|_| words.failed.to_owned());
    Page {
        status,
        content_type: "text/html; charset=utf-8",
        csp: Some(policy(form, &accent)),
        body,
    }
}

/// The page may be framed by the sites that may send the form. `form-action` names the page of thanks too: browsers
/// check it along redirects.
fn policy(form: &Form, accent: &str) -> String {
    let hash = |style: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style.as_bytes())));
    let origins: Vec<&str> = form
        .settings
        .allowed_origins
        .iter()
        .map(|origin| origin.trim().trim_end_matches('/'))
        .collect();
    let redirect = form
        .settings
        .success
        .redirect_url
        .as_deref()
        .filter(|url| url.contains("://"));
    let redirect = redirect
        .map(|url| url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"))
        .filter(|origin| origin.is_ascii());
    format!(
        "default-src 'none'; style-src {} {}; form-action 'self' {}; base-uri 'none'; frame-ancestors 'self' {}",
        hash(STYLE),
        hash(accent),
        redirect.unwrap_or_default(),
        origins.join(" ")
    )
}

/// The form's own colour, with black or white letters on it, whichever stands out more (WCAG 2 relative luminance).
pub(crate) fn accent(colour: &str) -> String {
    let channel = |at: usize| {
        let part = colour
            .get(at..at + 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .unwrap_or_default();
        let part = f64::from(part) / 255.0;
        if part <= 0.03928 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    // At this luminance black and white contrast alike.
    let letters = if luminance > 0.179 { "#000000" } else { "#ffffff" };
    format!(":root{{--accent:{colour};--on-accent:{letters}}}")
}

pub(crate) fn html_kind(kind: FieldKind, name: &str) -> (&'static str, &'static str) {
    match kind {
        FieldKind::Text => (
            "text",
            match name {
                "name" => "name",
                "company" => "organization",
                _ => "on",
            },
        ),
        FieldKind::Textarea => ("textarea", "on"),
        FieldKind::Email => ("email", "email"),
        FieldKind::Phone => ("tel", "tel"),
        FieldKind::Number => ("number", "on"),
        FieldKind::Select => ("select", "on"),
        FieldKind::Checkbox => ("checkbox", "off"),
        FieldKind::Date => ("date", "on"),
        FieldKind::File => ("file", "off"),
        FieldKind::Hidden => ("hidden", "off"),
    }
}

fn cut(value: &str) -> String {
    value.chars().take(2_000).collect()
}
