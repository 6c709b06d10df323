//! A post becomes a submission.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use http::header;
use serde_json::Value;
use switchboard_sdk::{
    Consent, InboundAttachment, InboundBody, InboundEvent, Rejection, Submission, WebhookRequest,
    fields::{Field, FieldKind, Problem, person_of},
};

use crate::{
    attribution,
    body::{self, Posted},
    form::{Form, digest, peer},
    settings::CONSENT,
    spam::{self, HOLD_FROM, Signals},
    words::{self, Words},
};

/// Longest idempotency key, in characters.
const MAX_KEY_CHARS: usize = 255;
/// The field nobody sees.
pub const HONEYPOT: &str = "sb_hp";
/// When the page was drawn, in unix milliseconds by the server's clock.
pub const DRAWN_AT: &str = "sb_ts";
/// How long the form was open, in milliseconds by the visitor's clock: what the embedded form tells.
pub const OPEN_FOR: &str = "sb_ms";
/// Which drawing of the page was sent.
pub const PAGE_ID: &str = "sb_id";

/// Reads, checks and weighs a post.
pub fn accept(form: &Form, request: &WebhookRequest, now: DateTime<Utc>) -> Result<InboundEvent, Rejection> {
    form.check_origin(request)?;
    let posted = body::read(request, form.context.max_upload_bytes)?;
    let words = words::for_visitor(accept_language(request));
    let Filled { values, attachments } = fill(form, &posted, words)?;
    let consent = form.settings.consent.as_ref().map(|asked| Consent {
        given: is_given(&posted),
        text: asked.text.trim().to_owned(),
        at: now,
    });
    let external_id = external_id(form, request, &posted, &values, now)?;

    let (mut from, lead) = person_of(&form.settings.fields, &values);
    from.language = words::preferred(accept_language(request));
    let text = readable(&form.settings.fields, &values);
    let verdict = spam::judge(&Signals {
        honeypot: posted.last(HONEYPOT).is_some(),
        elapsed: elapsed(&posted, now),
        named_client: request.headers().contains_key(header::USER_AGENT),
        name: from.name.as_deref(),
        text: &text,
    });
    let submission = Submission {
        from,
        text,
        attachments,
        lead,
        attribution: attribution::read(request, &posted, &form.own_host()),
        consent,
        held: form.settings.moderation || verdict.score >= HOLD_FROM,
        spam_score: verdict.score,
        spam_reasons: verdict.reasons,
        values,
    };
    Ok(InboundEvent {
        external_id,
        at: now,
        body: InboundBody::Submission(submission),
    })
}

/// What was filled in, in order.
struct Filled {
    values: BTreeMap<String, Value>,
    attachments: Vec<InboundAttachment>,
}

/// Reads every declared field; all problems together, so that the visitor corrects once. What the form does
/// not declare is left alone: sites send buttons, tokens and counters along.
fn fill(form: &Form, posted: &Posted, words: &Words) -> Result<Filled, Rejection> {
    let mut problems = Vec::new();
    let mut filled = Filled {
        values: BTreeMap::new(),
        attachments: Vec::new(),
    };
    for field in &form.settings.fields {
        match read_field(
            field,
            posted,
            form.settings.default_region.as_deref(),
            &mut filled.attachments,
        ) {
            Ok(Some(value)) => drop(filled.values.insert(field.name.clone(), value)),
            Ok(None) => {}
            Err(problem) => problems.push((field.name.clone(), problem.say(words.language))),
        }
    }
    if form
        .settings
        .consent
        .as_ref()
        .is_some_and(|consent| consent.required)
        && !is_given(posted)
    {
        problems.push((CONSENT.to_owned(), Problem::NotTicked.say(words.language)));
    }
    if problems.is_empty() && !says_anything(form, &filled) {
        let first = form
            .settings
            .fields
            .iter()
            .find(|field| field.kind != FieldKind::Hidden)
            .or(form.settings.fields.first());
        problems.extend(first.map(|field| (field.name.clone(), Problem::Required.say(words.language))));
    }
    if problems.is_empty() {
        Ok(filled)
    } else {
        Err(Rejection::Invalid(problems))
    }
}

/// A form sent empty says nothing, even when nothing in it is required; boxes not ticked and hidden values
/// are not the visitor's words. A form of nothing but boxes may be sent as it is.
fn says_anything(form: &Form, filled: &Filled) -> bool {
    let asks = |field: &&Field| !matches!(field.kind, FieldKind::Hidden | FieldKind::Checkbox);
    let mut asked = form.settings.fields.iter().filter(asks).peekable();
    asked.peek().is_none() || asked.any(|field| filled.values.contains_key(&field.name)) || ticked(filled)
}

fn ticked(filled: &Filled) -> bool {
    filled.values.values().any(|value| value == &Value::Bool(true))
}

fn read_field(
    field: &Field,
    posted: &Posted,
    region: Option<&str>,
    attachments: &mut Vec<InboundAttachment>,
) -> Result<Option<Value>, Problem> {
    let files: Vec<&InboundAttachment> = posted
        .files
        .iter()
        .filter(|(name, _)| *name == field.name)
        .map(|(_, file)| file)
        .collect();
    if field.kind == FieldKind::File {
        if files.is_empty() {
            // Programs that post no multipart send an empty text for an empty file input.
            let text = posted.last(&field.name).is_some();
            return if text {
                Err(Problem::NotFile)
            } else if field.required {
                Err(Problem::Required)
            } else {
                Ok(None)
            };
        }
        attachments.extend(files.iter().copied().cloned());
        let names = files
            .iter()
            .map(|file| Value::String(switchboard_sdk::fields::clean_line(&file.name)));
        return Ok(Some(Value::Array(names.collect())));
    }
    if !files.is_empty() {
        return Err(Problem::NotText);
    }
    field.read(&raw(field, posted), region)
}

/// One text of all values of a name. Groups of boxes repeat it; a hidden "0" before a box is overruled by the box.
fn raw(field: &Field, posted: &Posted) -> String {
    match field.kind {
        FieldKind::Text | FieldKind::Textarea | FieldKind::Hidden => {
            let mut parts: Vec<&str> = posted
                .all(&field.name)
                .filter(|value| !value.trim().is_empty())
                .collect();
            parts.dedup();
            parts.join(", ")
        }
        _ => posted.last(&field.name).unwrap_or_default().to_owned(),
    }
}

fn is_given(posted: &Posted) -> bool {
    posted
        .last(CONSENT)
        .is_some_and(|value| ["true", "on", "1", "yes"].contains(&value.to_ascii_lowercase().as_str()))
}

fn elapsed(posted: &Posted, now: DateTime<Utc>) -> Option<TimeDelta> {
    let millis = |name| posted.last(name).and_then(|value| value.parse::<i64>().ok());
    let open = millis(OPEN_FOR)
        .filter(|open| (0..i64::from(i32::MAX)).contains(open))
        .map(TimeDelta::milliseconds);
    open.or_else(|| DateTime::from_timestamp_millis(millis(DRAWN_AT)?).map(|drawn| now - drawn))
}

/// "Label: value" lines in the order of the form; values of several lines begin on their own.
pub fn readable(fields: &[Field], values: &BTreeMap<String, Value>) -> String {
    let english = words::for_visitor(None);
    let line = |field: &Field| {
        let value = match values.get(&field.name)? {
            Value::Null => return None,
            Value::Bool(ticked) => (if *ticked { "yes" } else { "no" }).to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(names) => names
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        let gap = if value.contains('\n') { "\n" } else { " " };
        Some(format!("{}:{gap}{value}", english.label(field)))
    };
    fields.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// The key of de-duplication.
///
/// 1. `Idempotency-Key`, or a field `submission_id`: the caller's own word.
/// 2. `sb_id`, drawn into each page view, with all that was filled in: a double click or a repeated post is one
///    event at any distance in time; the same page corrected after "back", or one page out of a cache
///    filled by two visitors, are two.
/// 3. Nothing: each post is an event of its own. Two honest posts alike (two colleagues, two wishes) must
///    both arrive, and nothing tells them from a double click.
fn external_id(
    form: &Form,
    request: &WebhookRequest,
    posted: &Posted,
    values: &BTreeMap<String, Value>,
    now: DateTime<Utc>,
) -> Result<String, Rejection> {
    if let Some(key) = request.headers().get("idempotency-key") {
        let key = key
            .to_str()
            .map(str::trim)
            .ok()
            .filter(|key| (1..=MAX_KEY_CHARS).contains(&key.len()));
        let refuse = || {
            Rejection::Malformed(format!(
                "Idempotency-Key must have 1 to {MAX_KEY_CHARS} printable ASCII characters"
            ))
        };
        return key.map(|key| format!("key:{key}")).ok_or_else(refuse);
    }
    if let Some(key) = posted.last("submission_id") {
        if key.chars().count() > MAX_KEY_CHARS || key.chars().any(char::is_control) {
            let message = format!("must have at most {MAX_KEY_CHARS} printable characters");
            return Err(Rejection::Invalid(vec![("submission_id".to_owned(), message)]));
        }
        return Ok(format!("key:{key}"));
    }
    if let Some(page) = posted.last(PAGE_ID) {
        let texts: Vec<(&str, String)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_string()))
            .collect();
        let texts = texts
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let files = posted
            .files
            .iter()
            .filter_map(|(_, file)| file.data.in_memory().map(AsRef::as_ref));
        return Ok(format!(
            "page:{}",
            digest(std::iter::once(page.as_bytes()).chain(texts).chain(files))
        ));
    }
    let peer = peer(request).map(|peer| peer.to_string()).unwrap_or_default();
    Ok(format!(
        "post:{}",
        form.fresh_id(now, &[request.body(), peer.as_bytes()])
    ))
}

/// The visitor's languages.
pub fn accept_language(request: &WebhookRequest) -> Option<&str> {
    request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
}
