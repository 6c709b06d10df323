//! Whether a machine wrote a mail (RFC 3834 and what came before it). Pure.
//!
//! An automatic mail is stored but opens no session. A mail that a web site sends when somebody fills its
//! form is `auto-generated` and is exactly what must not be lost, so that word alone is not enough.

use mail_parser::{HeaderName, HeaderValue, Message, MimeHeaders};

use crate::{headers, who};

/// Whether the mail was written by a machine that wants no answer from a person.
pub fn is_automatic(message: &Message<'_>, our_domain: &str) -> bool {
    answers_by_itself(message)
        || is_looped(message, our_domain)
        || is_a_report(message)
        || is_bulk(message, our_domain)
        || is_out_of_office(message)
}

/// Vacation programs and notifiers say so in one of these ways.
fn answers_by_itself(message: &Message<'_>) -> bool {
    let submitted = headers::keyword(message, "Auto-Submitted");
    matches!(submitted.as_deref(), Some("auto-replied" | "auto-notified"))
        // A web form is auto-generated and answers nothing; a ticket system's "we got it" does.
        || (submitted.as_deref() == Some("auto-generated") && is_answer(message))
        || ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply"]
            .iter()
            .any(|name| headers::has(message, name))
        || headers::keyword(message, "Precedence").as_deref() == Some("auto_reply")
}

/// The writer's program asks that no program answers it (MS-OXPROPS 2.615). It does not say that a machine
/// wrote: many people's mail carries it.
pub fn wants_no_automatic_answer(message: &Message<'_>) -> bool {
    headers::text(message, "X-Auto-Response-Suppress").is_some_and(|list| {
        list.split(',').any(|word| {
            matches!(
                word.trim().to_ascii_lowercase().as_str(),
                "all" | "autoreply" | "oof"
            )
        })
    })
}

/// It carries the mark of an automatic mail of ours: it has come round. Software that answers by itself
/// keeps the mark even when it says nothing of itself.
fn is_looped(message: &Message<'_>, our_domain: &str) -> bool {
    ["X-Loop", "X-Mail-Loop"].iter().any(|name| {
        headers::all(message, name).any(|value| names_domain(&value.replace('@', " "), our_domain))
    })
}

/// Bounces, read receipts, complaints; anything without a way back (an empty return path).
fn is_a_report(message: &Message<'_>) -> bool {
    let no_way_back = headers::text(message, "Return-Path").is_some_and(|path| path == "<>");
    let daemon = who::mailbox(message, HeaderName::From).is_some_and(|from| {
        from.address
            .split('@')
            .next()
            .is_some_and(|local| matches!(local, "mailer-daemon" | "postmaster"))
    });
    no_way_back || daemon || message.is_content_type("multipart", "report")
}

/// Bulk mail and mailing lists, except lists of our own domain: an address such as support@ is often one,
/// and what customers write to it comes marked as a list.
fn is_bulk(message: &Message<'_>, our_domain: &str) -> bool {
    let own_list = ["List-Id", "List-Post", "X-BeenThere"]
        .iter()
        .flat_map(|name| headers::all(message, name).collect::<Vec<_>>())
        .any(|value| names_domain(&value, our_domain));
    let marked = matches!(
        headers::keyword(message, "Precedence").as_deref(),
        Some("bulk" | "junk" | "list")
    ) || headers::has(message, "List-Id")
        // What senders of campaigns need for their complaint statistics.
        || (headers::has(message, "Feedback-ID") && headers::has(message, "List-Unsubscribe"));
    marked && !own_list
}

fn names_domain(value: &str, domain: &str) -> bool {
    let value = value.to_lowercase();
    !domain.is_empty()
        && value
            .split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '.'))
            .any(|word| word == domain || word.ends_with(&format!(".{domain}")))
}

/// A weak sign, so it counts only on an answer: "Out of office: Re: your order".
fn is_out_of_office(message: &Message<'_>) -> bool {
    const OPENINGS: [&str; 14] = [
        "automatic reply",
        "auto reply",
        "autoreply",
        "auto-reply",
        "out of office",
        "out of the office",
        "автоответ",
        "автоматический ответ",
        "abwesenheitsnotiz",
        "automatische antwort",
        "réponse automatique",
        "respuesta automática",
        "risposta automatica",
        "resposta automática",
    ];
    let subject = message.subject().unwrap_or_default().to_lowercase();
    is_answer(message)
        && OPENINGS
            .iter()
            .any(|opening| subject.trim_start().starts_with(opening))
}

fn is_answer(message: &Message<'_>) -> bool {
    !matches!(message.in_reply_to(), HeaderValue::Empty)
        || !matches!(message.references(), HeaderValue::Empty)
}
