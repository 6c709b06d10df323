//! Reports about calls, made fit to be kept. Pure.

use switchboard_sdk::{CallEvent, CallParty};

use super::prepare::{clean_external_id, clean_line, clean_text, cut};

/// Most names one report gives a call.
const MAX_NAMES: usize = 16;
/// Longest address of a party, in characters.
const MAX_ADDRESS: usize = 200;
/// Longest address of a recording, in bytes.
const MAX_URL: usize = 8 * 1024;
/// Longest transcript, in bytes.
const MAX_TRANSCRIPT: usize = 256 * 1024;

/// The report with clean texts within their limits. One without a name is a call of its own.
pub(super) fn clean(mut event: CallEvent, external_id: &str) -> CallEvent {
    if event.call.trim().is_empty() {
        event.call = format!("event:{external_id}");
    }
    event.call = clean_external_id(&event.call);
    event.aliases.retain(|name| !name.trim().is_empty());
    event.aliases.truncate(MAX_NAMES);
    for name in &mut event.aliases {
        *name = clean_external_id(name);
    }
    for party in [&mut event.from, &mut event.to].into_iter().flatten() {
        clean_party(party);
    }
    line(&mut event.own_number, MAX_ADDRESS);
    line(&mut event.caller_name, 200);
    line(&mut event.cause, 500);
    if let Some(leg) = &mut event.leg {
        leg.key = clean_external_id(&leg.key);
        line(&mut leg.extension, 64);
    }
    if let Some(recording) = &mut event.recording {
        recording.key = clean_external_id(&recording.key);
        recording.url = recording
            .url
            .take()
            .filter(|url| url.len() <= MAX_URL && !url.contains('\0'));
    }
    event.transcript = event
        .transcript
        .map(|text| cut(&clean_text(&text), MAX_TRANSCRIPT));
    event
}

fn clean_party(party: &mut CallParty) {
    party.address = clean_line(&party.address, MAX_ADDRESS);
}

fn line(text: &mut Option<String>, max: usize) {
    *text = text
        .take()
        .map(|text| clean_line(&text, max))
        .filter(|text| !text.is_empty());
}

#[cfg(test)]
mod tests {
    use switchboard_sdk::CallEvent;

    use super::{MAX_TRANSCRIPT, clean};

    #[test]
    fn a_report_without_a_name_is_a_call_of_its_own_and_long_words_are_cut() {
        let event = CallEvent {
            aliases: vec![String::new(), "x".to_owned()],
            transcript: Some("ю".repeat(MAX_TRANSCRIPT)),
            caller_name: Some(" \0 ".to_owned()),
            ..CallEvent::default()
        };
        let event = clean(event, "e1");
        assert_eq!((event.call.as_str(), event.aliases.len()), ("event:e1", 1));
        assert!(event.transcript.unwrap().len() <= MAX_TRANSCRIPT + 3);
        assert_eq!(event.caller_name, None);
    }
}
