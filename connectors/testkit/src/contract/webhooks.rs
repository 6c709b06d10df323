//! What the pushed half owes: pure, total, honest answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use switchboard_sdk::{Batch, Connector, Descriptor, Intake, Rejection, WebhookRequest};

use super::{Options, WebhookSample, example, on_runtime};
use crate::{ManualClock, MemoryIntake, context};

/// Each sample is accepted with at least one event; after the commit, and after the commit of its repeat,
/// the caller gets 2xx or 3xx.
pub fn a_sample_is_accepted_and_answered_with_success(descriptor: &'static Descriptor, options: &Options) {
    on_runtime(async {
        for sample in &options.webhooks {
            let connector = example(descriptor);
            let intake = MemoryIntake::new();
            for time in ["first", "second"] {
                let batch = accept(connector.as_ref(), &sample.request, now())
                    .unwrap_or_else(|rejection| panic!("{}: refused: {rejection:?}", sample.name));
                assert!(
                    !batch.events.is_empty(),
                    "{}: accepted without an event",
                    sample.name
                );
                assert!(batch.cursor.is_none(), "{}: a push has no cursor", sample.name);
                let receipt = intake.deliver(batch).await.unwrap_or_default();
                let reply = webhook(connector.as_ref()).reply(&sample.request, &receipt);
                let good = reply.status().is_success() || reply.status().is_redirection();
                assert!(
                    good,
                    "{}: the {time} time is answered {}",
                    sample.name,
                    reply.status()
                );
            }
        }
    });
}

/// A request with a key gives the same external ids whenever it is read, and ids are neither empty nor
/// longer than an index takes.
pub fn the_same_keyed_request_is_the_same_event(descriptor: &'static Descriptor, options: &Options) {
    for sample in &options.webhooks {
        let ids = |connector: &dyn Connector, at: DateTime<Utc>| -> Vec<String> {
            accept(connector, &sample.request, at)
                .map(|batch| batch.events.into_iter().map(|event| event.external_id).collect())
                .unwrap_or_default()
        };
        let first = ids(example(descriptor).as_ref(), now());
        let later = ids(example(descriptor).as_ref(), now() + TimeDelta::days(2));
        assert!(
            first.iter().all(|id| !id.is_empty() && id.len() <= 512),
            "{}: unfit ids {first:?}",
            sample.name
        );
        assert!(
            !sample.keyed || first == later,
            "{}: {first:?} became {later:?}",
            sample.name
        );
    }
}

/// A sample without its proof is refused as unauthenticated or forbidden.
pub fn a_request_without_its_proof_is_refused(descriptor: &'static Descriptor, options: &Options) {
    for (sample, unproven) in options
        .webhooks
        .iter()
        .filter_map(|sample| Some((sample, sample.unproven.as_ref()?)))
    {
        let answer = accept(example(descriptor).as_ref(), unproven, now());
        assert!(
            matches!(
                answer,
                Err(Rejection::Unauthenticated(_) | Rejection::Forbidden(_))
            ),
            "{}: without its proof it got {answer:?}",
            sample.name
        );
    }
}

/// Whatever the body is (empty, cut short, bits turned, plain noise), under whatever media type: no panic.
/// An empty body is refused.
pub fn garbage_never_panics(descriptor: &'static Descriptor, options: &Options) {
    let connector = example(descriptor);
    for sample in &options.webhooks {
        for body in spoiled(sample.request.body()) {
            for request in dressings(sample, &body) {
                let answer = catch_unwind(AssertUnwindSafe(|| {
                    let answer = accept(connector.as_ref(), &request, now());
                    if let Err(rejection) = &answer {
                        drop(webhook(connector.as_ref()).refuse(&request, rejection));
                    }
                    answer
                }));
                let Ok(answer) = answer else {
                    panic!("{}: panics on {:?}", sample.name, request.body())
                };
                assert!(
                    !body.is_empty() || answer.is_err(),
                    "{}: an empty body is accepted",
                    sample.name
                );
            }
        }
    }
}

/// A body over the upload limit is refused as too large, at once.
pub fn an_oversized_body_is_too_large(descriptor: &'static Descriptor, options: &Options) {
    let connector = example(descriptor);
    let size = usize::try_from(context().max_upload_bytes)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let body = Bytes::from(vec![b'a'; size]);
    for sample in &options.webhooks {
        let answer = accept(connector.as_ref(), &with_body(&sample.request, &body), now());
        assert!(
            matches!(answer, Err(Rejection::TooLarge(_))),
            "{}: {:?}",
            sample.name,
            answer.map(|batch| batch.events.len())
        );
    }
}

/// A refusal a connector words itself still says that it is one: 4xx, never 404 or 410, which make
/// providers switch the webhook off.
pub fn a_refusal_is_never_a_success(descriptor: &'static Descriptor, options: &Options) {
    let connector = example(descriptor);
    let rejections = [
        Rejection::Unauthenticated("no".to_owned()),
        Rejection::Forbidden("no".to_owned()),
        Rejection::Malformed("no".to_owned()),
        Rejection::UnsupportedMediaType("no".to_owned()),
        Rejection::TooLarge("no".to_owned()),
        Rejection::Invalid(vec![("name".to_owned(), "no".to_owned())]),
    ];
    for sample in &options.webhooks {
        for rejection in &rejections {
            for request in dressings(sample, sample.request.body()) {
                let Some(reply) = webhook(connector.as_ref()).refuse(&request, rejection) else {
                    continue;
                };
                let status = reply.status();
                assert!(
                    status.is_client_error() && ![404, 410].contains(&status.as_u16()),
                    "{}: {rejection:?} is answered {status}",
                    sample.name
                );
            }
        }
    }
}

fn now() -> DateTime<Utc> {
    switchboard_sdk::Clock::now(&ManualClock::default())
}

fn webhook(connector: &dyn Connector) -> &dyn switchboard_sdk::Webhook {
    connector
        .webhook()
        .unwrap_or_else(|| panic!("the options hold webhook samples and the connector has no webhook"))
}

fn accept(
    connector: &dyn Connector,
    request: &WebhookRequest,
    at: DateTime<Utc>,
) -> Result<Batch, Rejection> {
    webhook(connector).accept(request, at)
}

fn with_body(request: &WebhookRequest, body: &Bytes) -> WebhookRequest {
    let (parts, _) = request.clone().into_parts();
    WebhookRequest::from_parts(parts, body.clone())
}

/// The request with this body: as it is, without a media type, and under each common one.
fn dressings(sample: &WebhookSample, body: &Bytes) -> Vec<WebhookRequest> {
    let types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/plain",
        "a/b",
    ];
    let plain = with_body(&sample.request, body);
    let mut bare = plain.clone();
    bare.headers_mut().remove(http::header::CONTENT_TYPE);
    let typed = types.iter().map(|kind| {
        let mut request = plain.clone();
        request
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        request
    });
    typed.chain([plain.clone(), bare]).collect()
}

/// The body spoiled in repeatable ways, the empty one first.
fn spoiled(body: &Bytes) -> Vec<Bytes> {
    let mut found = vec![
        Bytes::new(),
        Bytes::from_static(b"\0"),
        Bytes::from_static(b"\xff\xfe\xfd"),
        Bytes::from_static(b"null"),
    ];
    for text in [
        "[]",
        "{}",
        "[[[[",
        "{\"a\":",
        "=",
        "&&&",
        "%",
        "%zz=%",
        "--x\r\n\r\n--x--",
        "\u{202e}\u{0}\u{1F980}=\u{1F980}",
    ] {
        found.push(Bytes::from_static(text.as_bytes()));
    }
    found.push(Bytes::from("[".repeat(100_000)));
    found.push(Bytes::from("a[".repeat(10_000)));
    let step = (body.len() / 64).max(1);
    for cut in (0..body.len()).step_by(step) {
        found.push(body.slice(..cut));
        let mut turned = body.to_vec();
        if let Some(byte) = turned.get_mut(cut) {
            *byte ^= 0x55;
        }
        found.push(Bytes::from(turned));
    }
    found
}
