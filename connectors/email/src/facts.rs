//! By what a mail finds its conversation: whom it answers, who else is on it, what it asks of us. Pure.

use mail_parser::Message;
use switchboard_sdk::{Capture, Person, ThreadFacts, ThreadRules};

use crate::{
    automatic, forward,
    settings::{ChangedSubject, Settings},
    token::{self, Found, Purpose},
    who,
};

/// The facts of a mail that this person wrote; `text` is what it says.
pub fn of(message: &Message<'_>, from: &Person, text: &str, settings: &Settings) -> ThreadFacts {
    let recipients = who::recipients(message);
    let ours = settings.address.to_lowercase();
    let found: Vec<Found> = recipients
        .iter()
        .filter_map(|address| token::read(address, settings))
        .collect();
    let others = who::others(message, settings);
    let is_captured = found.contains(&Found::Capture);
    // Only what nobody else was written to is passed on to us.
    let forwarded = (is_captured && others.is_empty())
        .then(|| forward::of(message, text))
        .flatten()
        .filter(|found| {
            let address = found.from.identities.first().map(|identity| &identity.value);
            address.is_some_and(|address| !token::is_ours(address, settings))
        });
    ThreadFacts {
        forwarded: forwarded.map(Box::new),
        token: found.iter().find_map(|found| match found {
            Found::Message(Purpose::Reply, id) => Some(id.clone()),
            Found::Message(Purpose::Bounce, _) | Found::Capture => None,
        }),
        capture: if is_captured {
            Capture::Filed {
                trusted: settings.capture.trust_senders
                    || from.identities.first().is_some_and(|identity| identity.verified),
                // By its own words: where it was delivered is this mailbox in any case.
                only: who::addressed(message).iter().all(|to| to.address != ours),
                to: others.iter().cloned().map(who::Mailbox::into_person).collect(),
            }
        } else {
            Capture::No
        },
        others: others.into_iter().map(|other| other.address).collect(),
        rules: ThreadRules {
            new_after_days: settings.threads.new_after_days,
            new_on_changed_subject: settings.threads.changed_subject == ChangedSubject::New,
        },
        no_auto_reply: automatic::wants_no_automatic_answer(message),
    }
}
