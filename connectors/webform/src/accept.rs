//! A post becomes a submission.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, header};
use serde_json::Value;
use switchboard_sdk::{
    Batch, Consent, InboundAttachment, InboundBody, InboundEvent, Rejection, Submission, SubmissionMakes,
    WebhookRequest,
    fields::{Field, FieldKind, Problem, clean_text, person_of},
};

use crate::{
    attribution,
    body::{self, Posted},
    extra, foreign,
    form::{Form, digest, peer},
    mapping,
    memory::{self, Seen},
    meta, proof,
    seal::{self, Drawing, Seal},
    settings::CONSENT,
    spam::{self, HOLD_FROM, Signals},
    tongue::{self, Tongue},
    words,
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
/// The language the form was drawn in.
pub const LANGUAGE: &str = "sb_lang";
/// Shorter texts are alike by chance.
const LONG_TEXT: usize = 80;

/// Whether a request is for `/hooks/lead/…`, where other services push.
pub fn is_hook(request: &WebhookRequest) -> bool {
    request.uri().path().contains("/hooks/")
}

/// Reads, checks and weighs a post: one submission, or, from services that push many leads at once, several. Nothing
/// when a service only tries the address out.
pub fn accept(form: &Form, request: &WebhookRequest, now: DateTime<Utc>) -> Result<Batch, Rejection> {
    form.check_origin(request)?;
    if is_hook(request) {
        let leads = &form.settings.leads;
        if request.method() == Method::GET {
            return meta::challenge(leads.meta.as_ref(), request).map(|_| Batch::default());
        }
        let body = serde_json::from_slice::<Value>(request.body()).ok();
        if let Some(body) = body.filter(meta::is_push) {
            return meta::named(leads.meta.as_ref(), request, &body, now);
        }
        if let Some(secret) = &leads.secret {
            proof::verify(secret, request, form.context.max_upload_bytes, now)?;
        }
    }
    Ok(match arrived(form, request)? {
        Some(arrived) => Batch::one(event(form, request, arrived, now)?),
        None => Batch::default(),
    })
}

/// The event of a lead whose answers were fetched.
pub fn fetched(
    form: &Form,
    request: &WebhookRequest,
    lead: foreign::Lead,
    now: DateTime<Utc>,
) -> Option<InboundEvent> {
    event(form, request, of_lead(form, lead, Vec::new()), now).ok()
}

fn event(
    form: &Form,
    request: &WebhookRequest,
    arrived: Arrived,
    now: DateTime<Utc>,
) -> Result<InboundEvent, Rejection> {
    let Arrived {
        posted,
        lead_id,
        foreign,
    } = arrived;
    let tongue = spoken(form, request, &posted);
    let seal = seal::open(&form.context.signing_key, posted.last(seal::NAME));
    let drawn = match &seal {
        Seal::Good(drawing) => Some(drawing),
        Seal::None | Seal::Broken => None,
    };
    let Filled {
        values,
        attachments,
        unfit,
    } = fill(form, &posted, drawn, &tongue, foreign)?;
    let consent = form.settings.consent.as_ref().map(|asked| Consent {
        given: is_given(&posted),
        text: tongue.consent().to_owned(),
        at: now,
        version: Some(asked.version_of(tongue.consent())),
        language: Some(tongue.language.clone()),
    });
    let external_id = match lead_id {
        Some(id) => id,
        None => external_id(form, request, &posted, &values, now)?,
    };

    let (mut from, lead) = person_of(&form.settings.fields, &values);
    let reads = posted
        .last(LANGUAGE)
        .filter(|tag| tongue::is_tag(tag))
        .map(str::to_owned);
    from.language = words::preferred(accept_language(request)).or(reads);
    let mut extra = extra::kept(&form.settings, &posted, drawn);
    extra.extend(unfit);
    let mut text = readable(&form.settings.fields, &values);
    // What a service brings was asked there, all of it.
    let all = foreign.then(|| Drawing {
        at: now,
        fields: extra.keys().cloned().collect(),
    });
    let former = extra::readable(&extra, all.as_ref().or(drawn));
    if !former.is_empty() {
        text = format!("{text}\n{former}").trim_start().to_owned();
    }
    let sameness = form.memory.note(seen(&external_id, request, &values, now));
    let verdict = spam::judge(&Signals {
        honeypot: posted.last(HONEYPOT).is_some(),
        elapsed: elapsed(&posted, drawn, now),
        broken_seal: seal == Seal::Broken,
        named_client: request.headers().contains_key(header::USER_AGENT),
        name: from.name.as_deref(),
        text: &text,
        values: &values,
        sameness,
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
        extra,
        makes: SubmissionMakes {
            what: form.settings.creates.what,
            operator: form.settings.creates.operator_id.clone(),
        },
    };
    Ok(InboundEvent {
        external_id,
        at: now,
        body: InboundBody::Submission(submission),
    })
}

/// A post as it is read on.
struct Arrived {
    posted: Posted,
    /// The key of de-duplication that a service gave.
    lead_id: Option<String>,
    /// It came in the shape of another service: what does not fit is kept, not refused.
    foreign: bool,
}

/// Reads the body; under `/hooks/` by the mapping, and in the shapes of other services too. None for a service's trial.
fn arrived(form: &Form, request: &WebhookRequest) -> Result<Option<Arrived>, Rejection> {
    let plain = |posted| {
        Ok(Some(Arrived {
            posted,
            lead_id: None,
            foreign: false,
        }))
    };
    let most = form.context.max_upload_bytes;
    if !is_hook(request) {
        return plain(body::read(request, most)?);
    }
    let mapping = &form.settings.leads.mapping;
    let whole = request.body().len() as u64 <= most;
    let json = whole
        .then(|| serde_json::from_slice::<Value>(request.body()).ok())
        .flatten();
    let of_json = |body: &Value| mapping::of_json(body, mapping).or_else(|| foreign::of_json(body));
    let (lead, files) = match json.as_ref().and_then(of_json) {
        Some(lead) => (lead, Vec::new()),
        None => {
            let posted = body::read(request, most)?;
            let mapped = match json {
                None if !mapping.is_empty() => mapping::of_json(&mapping::of_pairs(&posted), mapping),
                _ => None,
            };
            match mapped.or_else(|| foreign::of_pairs(&posted)) {
                Some(lead) => (lead, posted.files),
                None => return plain(posted),
            }
        }
    };
    Ok((!lead.is_test).then(|| of_lead(form, lead, files)))
}

fn of_lead(form: &Form, lead: foreign::Lead, files: Vec<(String, InboundAttachment)>) -> Arrived {
    Arrived {
        lead_id: lead.id.as_deref().map(|id| format!("lead:{}:{id}", lead.service)),
        posted: Posted {
            values: foreign::fitted(lead, &form.settings.fields),
            files,
        },
        foreign: true,
    }
}

/// The language of an answer: the one the form was drawn in, else the one the visitor likes best.
pub fn spoken<'a>(form: &'a Form, request: &WebhookRequest, posted: &Posted) -> Tongue<'a> {
    let mut wanted: Vec<String> = posted.last(LANGUAGE).map(str::to_owned).into_iter().collect();
    wanted.extend(words::wanted(accept_language(request)));
    tongue::choose(&form.settings, &wanted)
}

/// What is remembered of a post.
fn seen(
    external_id: &str,
    request: &WebhookRequest,
    values: &BTreeMap<String, Value>,
    now: DateTime<Utc>,
) -> Seen {
    let texts: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let longest = values
        .values()
        .filter_map(Value::as_str)
        .max_by_key(|text| text.len());
    let longest = longest.filter(|text| text.chars().count() >= LONG_TEXT);
    Seen {
        at: now,
        id: external_id.to_owned(),
        whole: digest(texts.iter().map(String::as_bytes)),
        text: longest.map(|text| digest([text.to_lowercase().as_bytes()])),
        network: peer(request).map(memory::network),
    }
}

/// What was filled in, in order.
struct Filled {
    values: BTreeMap<String, Value>,
    attachments: Vec<InboundAttachment>,
    /// What did not fit its field and is kept as it came.
    unfit: BTreeMap<String, Value>,
}

/// Reads every declared field; all problems together, so that the visitor corrects once. What the form does
/// not declare is left alone: sites send buttons, tokens and counters along.
///
/// A field that depends on others is read only while its condition holds. One that the drawing under the seal
/// did not have is not asked of it. Nothing of another service is refused (`foreign`).
fn fill(
    form: &Form,
    posted: &Posted,
    drawn: Option<&Drawing>,
    tongue: &Tongue,
    foreign: bool,
) -> Result<Filled, Rejection> {
    let mut problems = Vec::new();
    let mut filled = Filled {
        values: BTreeMap::new(),
        attachments: Vec::new(),
        unfit: BTreeMap::new(),
    };
    let was_drawn = |field: &Field| {
        drawn.is_none_or(|drawing| {
            field
                .names()
                .any(|name| drawing.fields.iter().any(|known| known == name))
        })
    };
    for field in &form.settings.fields {
        if !field.is_asked(&filled.values) {
            continue;
        }
        let missing = |problem: &Problem| matches!(problem, Problem::Required | Problem::NotTicked);
        match read_field(
            field,
            posted,
            form.settings.default_region.as_deref(),
            &mut filled.attachments,
        ) {
            Ok(Some(value)) => drop(filled.values.insert(field.name.clone(), value)),
            Ok(None) => {}
            Err(_) if foreign => {
                let came: String = raw(field, posted).chars().take(1_000).collect();
                if !came.trim().is_empty() {
                    filled
                        .unfit
                        .insert(field.name.clone(), Value::String(clean_text(&came)));
                }
            }
            Err(problem) if missing(&problem) && !was_drawn(field) => {}
            Err(problem) => {
                let own = tongue.error(field).map(str::to_owned);
                problems.push((
                    field.name.clone(),
                    own.unwrap_or_else(|| problem.say(&tongue.language)),
                ));
            }
        }
    }
    if foreign {
        return Ok(filled);
    }
    if form
        .settings
        .consent
        .as_ref()
        .is_some_and(|consent| consent.required)
        && !is_given(posted)
    {
        problems.push((CONSENT.to_owned(), Problem::NotTicked.say(&tongue.language)));
    }
    if problems.is_empty() && !says_anything(form, &filled) {
        let first = form
            .settings
            .fields
            .iter()
            .find(|field| field.kind != FieldKind::Hidden)
            .or(form.settings.fields.first());
        problems.extend(first.map(|field| (field.name.clone(), Problem::Required.say(&tongue.language))));
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
        .filter(|(name, _)| field.names().any(|known| known == name))
        .map(|(_, file)| file)
        .collect();
    if field.kind == FieldKind::File {
        if files.is_empty() {
            // Programs that post no multipart send an empty text for an empty file input.
            let text = field.names().any(|name| posted.last(name).is_some());
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
            let mut parts: Vec<&str> = field
                .names()
                .flat_map(|name| posted.all(name))
                .filter(|value| !value.trim().is_empty())
                .collect();
            parts.dedup();
            parts.join(", ")
        }
        _ => field
            .names()
            .find_map(|name| posted.last(name))
            .unwrap_or_default()
            .to_owned(),
    }
}

fn is_given(posted: &Posted) -> bool {
    posted
        .last(CONSENT)
        .is_some_and(|value| ["true", "on", "1", "yes"].contains(&value.to_ascii_lowercase().as_str()))
}

/// How long the form was open. What a seal says counts before what anybody may write.
fn elapsed(posted: &Posted, drawn: Option<&Drawing>, now: DateTime<Utc>) -> Option<TimeDelta> {
    let millis = |name| posted.last(name).and_then(|value| value.parse::<i64>().ok());
    let open = millis(OPEN_FOR)
        .filter(|open| (0..i64::from(i32::MAX)).contains(open))
        .map(TimeDelta::milliseconds);
    let drawn = drawn.map(|drawing| now - drawing.at);
    match (open, drawn) {
        // A script's clock cannot have run longer than the drawing is old, but for a clock that is wrong.
        (Some(open), Some(drawn)) => Some(open.min(drawn.max(TimeDelta::zero()))),
        (open, drawn) => open
            .or(drawn)
            .or_else(|| DateTime::from_timestamp_millis(millis(DRAWN_AT)?).map(|drawn| now - drawn)),
    }
}

/// "Label: value" lines in the order of the form; values of several lines begin on their own.
pub fn readable(fields: &[Field], values: &BTreeMap<String, Value>) -> String {
    let english = words::of("en");
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
