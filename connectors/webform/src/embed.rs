//! The scripts: the one that puts the form into a page of another site, the one that helps the hosted page, the
//! one that remembers where visitors came from, and the one that shows an editor what it is making.
//!
//! They share their parts: `walk.js` hides what is not asked and goes step by step, `remember.js` keeps the
//! touches, `track.js` tells how far visitors come, `draw.js` draws a form out of its definition.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use switchboard_sdk::{
    Page,
    fields::{FieldKind, Problem},
};

use crate::{
    accept::{HONEYPOT, LANGUAGE, OPEN_FOR, PAGE_ID},
    attribution,
    form::Form,
    page, seal,
    settings::CONSENT,
    tongue::{self, Tongue},
};

const WALK: &str = include_str!("../assets/walk.js");
const TRACK: &str = include_str!("../assets/track.js");
const REMEMBER: &str = include_str!("../assets/remember.js");
const DRAW: &str = include_str!("../assets/draw.js");
const EMBED: &str = include_str!("../assets/embed.js");
const HOSTED: &str = include_str!("../assets/hosted.js");
const FROM: &str = include_str!("../assets/from.js");
const PREVIEW: &str = include_str!("../assets/preview.js");

/// The script with the form's definition in it. It holds the words of every language: scripts are cached, and the
/// page's visitor chooses. A paused form draws its notice instead of inputs.
pub fn script(form: &Form, paused: bool, now: DateTime<Utc>) -> Page {
    let own = EMBED.replacen(
        "/* definition */ null",
        &literal(&definition(form, paused, now)),
        1,
    );
    javascript(&[REMEMBER, WALK, TRACK, DRAW, &own])
}

/// The hosted page's script: the page works without.
pub fn hosted() -> Page {
    javascript(&[WALK, TRACK, HOSTED])
}

/// Remembers where visitors came from, on pages without a form too, and tells it to forms of plain HTML.
pub fn from() -> Page {
    javascript(&[REMEMBER, FROM])
}

/// Draws what an editor tells it to.
pub fn preview() -> Page {
    javascript(&[REMEMBER, WALK, TRACK, DRAW, PREVIEW])
}

/// The definition alone, for editors.
pub fn definition_page(form: &Form, now: DateTime<Utc>) -> Page {
    Page {
        status: 200,
        content_type: "application/json",
        csp: None,
        body: definition(form, false, now).to_string(),
    }
}

fn javascript(parts: &[&str]) -> Page {
    Page {
        status: 200,
        content_type: "text/javascript; charset=utf-8",
        csp: None,
        body: format!("(function () {{\n\"use strict\";\n{}}})();\n", parts.join("\n")),
    }
}

/// Everything a script needs to draw the form and to send it.
fn definition(form: &Form, paused: bool, now: DateTime<Utc>) -> Value {
    let settings = &form.settings;
    let tongues = tongue::all(settings);
    let fields: Vec<Value> = settings
        .fields
        .iter()
        .map(|field| {
            let (kind, autocomplete) = page::html_kind(field.kind, &field.name);
            json!({
                "name": field.name, "kind": kind, "autocomplete": autocomplete,
                "required": field.required, "max": field.max_chars(), "value": field.value,
                "options": field.options.iter().map(|option| option.trim()).collect::<Vec<_>>(),
                "file": field.kind == FieldKind::File, "step": field.step(), "when": page::when(field.show_when.as_ref()),
            })
        })
        .collect();
    let texts = tongues
        .iter()
        .map(|tongue| (tongue.language.clone(), texts(form, tongue)));
    json!({
        "key": form.context.channel_key, "url": form.url(), "redirect": settings.success.redirect_url, "paused": paused,
        "language": tongues.first().map(|tongue| tongue.language.as_str()),
        "consent": settings.consent.as_ref().map(|consent| json!({"url": consent.url, "required": consent.required})),
        "captcha": settings.captcha.as_ref().map(|captcha| json!({
            "provider": captcha.provider.as_str(), "key": captcha.site_key.trim(), "script": captcha.provider.script(),
            "field": captcha.provider.field(),
        })),
        "fields": fields, "texts": Value::Object(texts.collect()), "steps": settings.steps.len(),
        "style": format!("{}{}", page::STYLE, page::look(settings)).replace(":root", ":host"),
        "seal": form.seal(now),
        "names": {"honeypot": HONEYPOT, "open_for": OPEN_FOR, "page_id": PAGE_ID, "consent": CONSENT, "seal": seal::NAME,
            "language": LANGUAGE, "attribution": attribution::FIELD},
    })
}

/// All that is read in one language.
fn texts(form: &Form, tongue: &Tongue) -> Value {
    let settings = &form.settings;
    let fields: Vec<Value> = settings
        .fields
        .iter()
        .map(|field| {
            let options: Vec<&str> = tongue.options(field).into_iter().map(|(_, shown)| shown).collect();
            json!({"label": tongue.label(field), "placeholder": tongue.placeholder(field), "help": tongue.help(field),
                "error": tongue.error(field), "options": options})
        })
        .collect();
    let steps: Vec<&str> = (1..=u8::try_from(settings.steps.len()).unwrap_or(u8::MAX))
        .map(|number| tongue.step(number))
        .collect();
    json!({
        "words": tongue.words, "problems": problems(&tongue.language), "direction": tongue.direction, "title": tongue.title(), "submit": tongue.submit(),
        "thanks": tongue.thanks(), "consent": tongue.consent(), "steps": steps, "fields": fields,
    })
}

/// What a script says of an input that is not right yet.
pub(crate) fn problems(language: &str) -> Value {
    json!({
        "required": Problem::Required.say(language), "ticked": Problem::NotTicked.say(language), "file": Problem::NotFile.say(language),
        "email": Problem::NotEmail.say(language), "number": Problem::NotNumber.say(language), "date": Problem::NotDate.say(language),
    })
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
