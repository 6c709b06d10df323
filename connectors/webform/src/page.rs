//! The hosted pages: the form, the form again with its errors, thanks, and plain words.
//!
//! Templates escape everything by themselves (a property test holds it); styles are allowed by their
//! hashes, scripts from this server alone. The form works without its script: that only hides what is not asked
//! yet, and goes step by step.

use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchboard_sdk::{
    Page, PageRequest,
    fields::{Condition, FieldKind},
};

use crate::{
    Settings, Theme,
    accept::{DRAWN_AT, HONEYPOT, LANGUAGE, PAGE_ID},
    answer, attribution,
    body::Posted,
    embed,
    form::Form,
    next, seal,
    settings::CONSENT,
    tongue::{self, Tongue},
    words,
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
        ("input.html", include_str!("../assets/input.html")),
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
    options: Vec<(&'a str, &'a str)>,
    placeholder: &'a str,
    help: &'a str,
    /// What the script says instead of the browser's own words.
    own_error: &'a str,
    /// When it is asked, as JSON; empty: always.
    when: String,
    step: u8,
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

/// The languages a page is wanted in: the one in its address before those of the browser.
pub fn wanted(request: &PageRequest) -> Vec<String> {
    let asked = request
        .query
        .iter()
        .find(|(name, _)| name == "lang")
        .map(|(_, tag)| tag.clone());
    let mut wanted: Vec<String> = asked.into_iter().collect();
    wanted.extend(words::wanted(request.accept_language.as_deref()));
    wanted
}

/// The form as it starts: initial values, values and campaign tags out of the query.
pub fn blank(form: &Form, request: &PageRequest) -> Page {
    let id = form.fresh_id(request.now, &[]);
    let tongue = tongue::choose(&form.settings, &wanted(request));
    let mut hidden = vec![
        (PAGE_ID.to_owned(), id),
        (DRAWN_AT.to_owned(), request.now.timestamp_millis().to_string()),
        (LANGUAGE.to_owned(), tongue.language.clone()),
    ];
    let seal = form.seal(request.now);
    if !seal.is_empty() {
        hidden.push((seal::NAME.to_owned(), seal));
    }
    let declared = |name: &str| form.settings.fields.iter().any(|field| field.name == name);
    let marks: Vec<_> = request
        .query
        .iter()
        .filter(|(name, _)| (attribution::is_mark(name) || name == next::NAME) && !declared(name))
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
    let contents = Contents {
        values,
        hidden,
        ..Contents::default()
    };
    draw(form, 200, &contents, &tongue)
}

/// The form with what was typed and what is wrong with it: 422.
pub fn again(form: &Form, posted: &Posted, errors: &[(String, String)], tongue: &Tongue) -> Page {
    let ours = [
        PAGE_ID,
        DRAWN_AT,
        LANGUAGE,
        seal::NAME,
        next::NAME,
        attribution::FIELD,
    ];
    let carried = |name: &str| ours.contains(&name) || attribution::is_mark(name);
    let declared = |name: &str| form.settings.fields.iter().any(|field| field.name == name);
    let hidden = posted
        .values
        .iter()
        .filter(|(name, _)| carried(name) && !declared(name))
        .cloned()
        .collect();
    let contents = Contents {
        values: answer::typed(posted),
        posted: true,
        errors,
        hidden,
    };
    draw(form, 422, &contents, tongue)
}

/// The words of thanks.
pub fn thanks(form: &Form, wanted: &[String]) -> Page {
    let tongue = tongue::choose(&form.settings, wanted);
    message(form, 200, &tongue, tongue.thanks(), false)
}

/// The form takes nothing now: 503.
pub fn paused(form: &Form, wanted: &[String]) -> Page {
    let tongue = tongue::choose(&form.settings, wanted);
    message(form, 503, &tongue, tongue.words.paused, false)
}

/// A post that could not be taken, in words for people.
pub fn refused(form: &Form, status: u16, wanted: &[String]) -> Page {
    let tongue = tongue::choose(&form.settings, wanted);
    let text = match status {
        403 => tongue.words.forbidden,
        413 => tongue.words.too_large,
        _ => tongue.words.unreadable,
    };
    message(form, status, &tongue, text, true)
}

/// An empty page that draws whatever form it is told of by the page around it: the preview of an editor.
pub fn preview() -> Page {
    Page {
        status: 200,
        content_type: "text/html; charset=utf-8",
        // The preview's colours change with each keystroke, so that no hash can name them; there is nothing of a
        // visitor's in it.
        csp: Some(
            "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
                .to_owned(),
        ),
        body: include_str!("../assets/preview.html").to_owned(),
    }
}

/// When a field is asked, as its script reads it.
pub(crate) fn when(condition: Option<&Condition>) -> Value {
    condition.map_or(Value::Null, |condition| {
        let is: Vec<&str> = condition.is.iter().map(|word| word.trim()).collect();
        json!({"field": condition.field, "is": is, "not": condition.not})
    })
}

fn inputs<'a>(form: &'a Form, contents: &Contents<'a>, tongue: &Tongue<'a>) -> Vec<Input<'a>> {
    let error_of = |name: &str| {
        let found = contents.errors.iter().find(|(field, _)| field == name);
        found.map(|(_, message)| message.as_str())
    };
    let fields = form.settings.fields.iter().enumerate();
    let visible = fields.filter(|(_, field)| field.kind != FieldKind::Hidden);
    visible
        .map(|(i, field)| {
            let given = contents.values.get(field.name.as_str()).copied();
            let value = given.or(field.value.as_deref()).unwrap_or_default();
            let (kind, autocomplete) = html_kind(field.kind, &field.name);
            let when = when(field.show_when.as_ref());
            Input {
                id: format!("field-{i}"),
                name: &field.name,
                label: tongue.label(field),
                kind,
                required: field.required,
                options: tongue.options(field),
                placeholder: tongue.placeholder(field),
                help: tongue.help(field),
                own_error: tongue.error(field).unwrap_or_default(),
                when: if when.is_null() {
                    String::new()
                } else {
                    when.to_string()
                },
                step: field.step(),
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
        .collect()
}

fn draw(form: &Form, status: u16, contents: &Contents, tongue: &Tongue) -> Page {
    let settings = &form.settings;
    let error_of = |name: &str| {
        let found = contents.errors.iter().find(|(field, _)| field == name);
        found.map(|(_, message)| message.as_str())
    };
    let inputs = inputs(form, contents, tongue);
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
        json!({"text": tongue.consent(), "url": url, "required": consent.required, "error": error_of(CONSENT), "ticked": ticked})
    });
    let steps: Vec<Value> = (1..=u8::try_from(settings.steps.len()).unwrap_or(u8::MAX))
        .map(|number| json!({"number": number, "title": tongue.step(number)}))
        .collect();
    let walked = steps.len() > 1 || settings.fields.iter().any(|field| field.show_when.is_some());
    let captcha = settings.captcha.as_ref().map(|captcha| {
        let provider = captcha.provider;
        json!({"class": provider.class(), "key": captcha.site_key.trim(), "script": provider.script()})
    });
    render(
        form,
        status,
        "form.html",
        tongue,
        json!({
            "inputs": inputs, "hidden": hidden, "consent": consent, "has_files": has_files, "stray": stray,
            "steps": if steps.len() > 1 { steps } else { Vec::new() },
            "script": format!("{}/form.js", form.path()),
            "walked": walked,
            "walk": json!({"next": tongue.words.next, "back": tongue.words.previous, "step": tongue.words.step, "problems": embed::problems(&tongue.language)}).to_string(),
            "captcha": captcha,
            "failed": !contents.errors.is_empty(),
            "action": form.path(),
            "submit": tongue.submit(),
            "honeypot": HONEYPOT,
            "files_again": has_files && contents.posted,
        }),
    )
}

fn message(form: &Form, status: u16, tongue: &Tongue, text: &str, back: bool) -> Page {
    let back = back.then(|| form.path());
    render(
        form,
        status,
        "message.html",
        tongue,
        json!({"text": text, "back": back}),
    )
}

fn render(form: &Form, status: u16, template: &str, tongue: &Tongue, mut inner: Value) -> Page {
    let look = look(&form.settings);
    if let Value::Object(context) = &mut inner {
        for (name, value) in [
            ("words", json!(tongue.words)),
            ("language", json!(tongue.language)),
            ("direction", json!(tongue.direction)),
            ("title", tongue.title().into()),
            ("style", STYLE.into()),
            ("look", look.clone().into()),
        ] {
            context.insert(name.to_owned(), value);
        }
    }
    let drawn = TEMPLATES
        .get_template(template)
        .and_then(|template| template.render(Serde(inner)));
    // Never seen as long as the tests that draw every page pass; without markup, so nothing needs escaping.
    let body = drawn.unwrap_or_else(|_| tongue.words.failed.to_owned());
    Page {
        status,
        content_type: "text/html; charset=utf-8",
        csp: Some(policy(form, &look)),
        body,
    }
}

/// The page may be framed by the sites that may send the form. `form-action` names the pages after sending too:
/// browsers check it along redirects.
fn policy(form: &Form, look: &str) -> String {
    let settings = &form.settings;
    let hash = |style: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style.as_bytes())));
    let trim = |origin: &String| origin.trim().trim_end_matches('/').to_owned();
    let origins: Vec<String> = settings.allowed_origins.iter().map(trim).collect();
    let set = settings
        .success
        .redirect_url
        .as_deref()
        .filter(|url| url.contains("://"))
        .map(|url| url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"));
    let mut targets: Vec<String> = set
        .into_iter()
        .chain(settings.success.redirect_origins.iter().map(trim))
        .collect();
    targets.extend(origins.iter().filter(|origin| *origin != "*").cloned());
    targets.retain(|origin| origin.is_ascii());
    targets.sort();
    targets.dedup();
    let captcha = settings.captcha.as_ref().map(|captcha| captcha.provider.hosts());
    let captcha = captcha.map(|hosts| {
        (
            format!(" {hosts}"),
            format!("frame-src {hosts}; connect-src 'self' {hosts}; "),
        )
    });
    let (script, more) = captcha.unwrap_or_else(|| (String::new(), "connect-src 'self'; ".to_owned()));
    format!(
        "default-src 'none'; script-src 'self'{script}; {more}style-src {} {}; form-action 'self' {}; base-uri 'none'; frame-ancestors 'self' {}",
        hash(STYLE),
        hash(look),
        targets.join(" "),
        origins.join(" ")
    )
}

/// What sets this form apart from others: its colour and its theme.
pub(crate) fn look(settings: &Settings) -> String {
    /// As in the style sheet.
    const LIGHT: &str = "color-scheme:light;--page:#f4f5f7;--card:#fff;--ink:#1a1d21;--soft:#5b6470;--line:#8a93a0;--bad:#b42318;--bad-page:#fef3f2";
    const DARK: &str = "color-scheme:dark;--page:#111418;--card:#1b2026;--ink:#eceff3;--soft:#a3adb9;--line:#6c7683;--bad:#ff9b90;--bad-page:#3a1d1a";
    let theme = match settings.theme {
        Theme::Auto => String::new(),
        Theme::Light => format!(":root{{{LIGHT}}}"),
        Theme::Dark => format!(":root{{{DARK}}}"),
    };
    format!("{theme}{}", accent(settings.colour()))
}

/// The form's own colour, with black or white letters on it, whichever stands out more (WCAG 2 relative luminance).
fn accent(colour: &str) -> String {
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
