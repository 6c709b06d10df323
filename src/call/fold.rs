//! One call of all that was reported of it. Pure.
//!
//! Reports come late, twice, in any order, or not at all. So nothing is changed step by step: the call is
//! computed anew from all stored reports each time. Times only widen (the earliest beginning, the latest end),
//! what is known never becomes unknown, and a later report never makes less of a call than an earlier one did.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallParty, CallRecording, LegRole, PartyKind,
    RecordingKind, RecordingState,
};

/// Nobody rings longer: a call of which nothing more is heard is over.
pub const MAX_RING: TimeDelta = TimeDelta::minutes(3);
/// Who waits in a queue of the telephone system may be silent for longer.
pub const MAX_QUEUE: TimeDelta = TimeDelta::minutes(30);
/// Nobody talks longer (the longest call a provider carries).
pub const MAX_CALL: TimeDelta = TimeDelta::hours(4);

/// A report as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The provider's id of it, unique within the channel.
    pub id: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What it says.
    pub event: CallEvent,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody talks yet.
    #[default]
    Ringing,
    /// People talk.
    Answered,
    /// It is over.
    Ended,
}

impl State {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Ended => "ended",
        }
    }
}

/// What became of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// People talked.
    Answered,
    /// Nobody picked up: an inbound call nobody of us, an outbound one not the client.
    Missed,
    /// The caller spoke to a recorder.
    Voicemail,
    /// The client's telephone was in use, or the client did not want to.
    Busy,
    /// It could not be brought about.
    Failed,
    /// Whoever of us rang the client gave up.
    Canceled,
}

impl Disposition {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Missed => "missed",
            Self::Voicemail => "voicemail",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// One telephone, robot or queue that took part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Its name within the call.
    pub key: String,
    /// What is at its end.
    pub role: LegRole,
    /// The extension there.
    pub extension: Option<String>,
    /// Where it stands; it never goes back.
    pub state: State,
    /// When somebody picked up.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// How.
    pub end: Option<CallEnd>,
}

/// A call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// There is a report of the call itself, not only of its recording or its names.
    pub shown: bool,
    /// All its names.
    pub names: BTreeSet<String>,
    /// Who rang whom, when known.
    pub direction: Option<CallDirection>,
    /// The client's end.
    pub client: Option<CallParty>,
    /// The company's number.
    pub own_number: Option<String>,
    /// The network's name for the caller.
    pub caller_name: Option<String>,
    /// Where it stands.
    pub state: State,
    /// What became of it, once it is over.
    pub disposition: Option<Disposition>,
    /// How the provider says that it ended.
    pub reason: Option<CallEnd>,
    /// Why, in the provider's words.
    pub cause: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When people began to talk.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// Seconds it rang.
    pub ring_secs: Option<i64>,
    /// Seconds people talked.
    pub talk_secs: Option<i64>,
    /// The extension that answered, or rang the client.
    pub extension: Option<String>,
    /// Extensions that ring now.
    pub ringing: Vec<String>,
    /// Everybody who took part.
    pub legs: Vec<Leg>,
    /// What was recorded.
    pub recordings: Vec<CallRecording>,
    /// What was said.
    pub transcript: Option<String>,
    /// Nobody told of its end; it was taken for over.
    pub stale: bool,
    /// Since when nothing but late reports is to be expected: when its end was first heard of.
    pub over_since: Option<DateTime<Utc>>,
    /// When time alone ends it, unless something is heard of it.
    pub stale_at: Option<DateTime<Utc>>,
}

/// The call that these reports tell of, as it is now. None of none.
pub fn fold(reports: &[Report], now: DateTime<Utc>) -> Option<Call> {
    let reports = in_order(reports);
    let last_heard = reports.iter().map(|report| report.received_at).max()?;
    let first = reports.iter().map(|report| report.at).min()?;
    let mut call = Call {
        shown: reports.iter().any(|report| of_the_call(report)),
        started_at: started(&reports).unwrap_or(first),
        ..Call::default()
    };
    for report in &reports {
        let event = &report.event;
        let names = std::iter::once(&event.call).chain(&event.aliases);
        call.names.extend(names.filter(|name| !name.is_empty()).cloned());
    }
    call.direction = reports.iter().find_map(|report| report.event.direction);
    call.own_number = own_number(&reports);
    call.client = client(&reports, call.direction, call.own_number.as_deref());
    call.caller_name = reports
        .iter()
        .find_map(|report| text(report.event.caller_name.as_ref()));
    call.transcript = reports
        .iter()
        .rev()
        .find_map(|report| text(report.event.transcript.as_ref()));
    call.recordings = recordings(&reports);
    call.legs = legs(&reports, call.direction);
    answer(&mut call, &reports);
    end(&mut call, &reports, last_heard, now);
    judge(&mut call, &reports);
    count(&mut call, &reports);
    Some(call)
}

/// Each report once, in the order things happened.
fn in_order(reports: &[Report]) -> Vec<&Report> {
    let once: BTreeMap<&str, &Report> = reports
        .iter()
        .map(|report| (report.id.as_str(), report))
        .collect();
    let mut reports: Vec<&Report> = once.into_values().collect();
    reports.sort_by(|a, b| place(a).cmp(&place(b)));
    reports
}

fn place(report: &Report) -> (DateTime<Utc>, i64, CallEventKind, &str) {
    let event = &report.event;
    (
        report.at,
        event.sequence.unwrap_or_default(),
        event.kind,
        &report.id,
    )
}

fn text(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Recordings and names come when everything is over, and say nothing of when it was.
fn of_the_call(report: &Report) -> bool {
    !matches!(
        report.event.kind,
        CallEventKind::Recording | CallEventKind::Transcript | CallEventKind::Linked
    )
}

fn is_robot(event: &CallEvent) -> bool {
    event
        .leg
        .as_ref()
        .is_some_and(|leg| matches!(leg.role, LegRole::Ivr | LegRole::Voicemail | LegRole::Queue))
}

fn started(reports: &[&Report]) -> Option<DateTime<Utc>> {
    let begin = |report: &&Report| {
        let event = &report.event;
        let lasted = |secs: Option<u32>| TimeDelta::seconds(i64::from(secs.unwrap_or_default()));
        // The report of the end may be the only one.
        let before = matches!(event.kind, CallEventKind::Ended)
            .then(|| event.ended_at.unwrap_or(report.at) - lasted(event.ring_secs) - lasted(event.talk_secs));
        let times = [Some(report.at), event.started_at, event.answered_at, before];
        times.into_iter().flatten().min()
    };
    let own = reports.iter().filter(|report| of_the_call(report));
    own.filter_map(begin).min()
}

fn own_number(reports: &[&Report]) -> Option<String> {
    let said = |report: &&Report| text(report.event.own_number.as_ref());
    reports.iter().find_map(said).or_else(|| {
        reports.iter().find_map(|report| {
            let event = &report.event;
            let ours = match event.direction? {
                CallDirection::Inbound => event.to.as_ref(),
                CallDirection::Outbound => event.from.as_ref(),
                CallDirection::Internal => None,
            }?;
            (ours.kind == PartyKind::Number && event.leg.is_none()).then(|| ours.address.clone())
        })
    })
}

/// The client's end: who rings in, or who is rung. A leg between us and a colleague names other people.
fn client(reports: &[&Report], direction: Option<CallDirection>, own: Option<&str>) -> Option<CallParty> {
    let direction = direction?;
    let of = |report: &&Report| {
        let event = &report.event;
        let party = match direction {
            CallDirection::Inbound => event.from.as_ref(),
            CallDirection::Outbound => event.to.as_ref(),
            CallDirection::Internal => None,
        }?;
        let theirs = party.kind != PartyKind::Extension && own != Some(party.address.as_str());
        theirs.then(|| {
            let between_us = event.leg.as_ref().is_some_and(|leg| leg.role != LegRole::Client);
            ((between_us, nobody(party.kind)), party.clone())
        })
    };
    let mut found: Vec<((bool, u8), CallParty)> = reports.iter().filter_map(of).collect();
    found.sort_by_key(|(order, _)| *order);
    found.into_iter().next().map(|(_, party)| party)
}

/// How little an end says of who it is.
fn nobody(kind: PartyKind) -> u8 {
    match kind {
        PartyKind::Number => 0,
        PartyKind::ShortCode => 1,
        PartyKind::Sip => 2,
        PartyKind::Client => 3,
        PartyKind::Extension => 4,
        PartyKind::Hidden => 5,
    }
}

/// The extension a report is about.
fn extension(event: &CallEvent, direction: Option<CallDirection>) -> Option<String> {
    let ours = match direction {
        Some(CallDirection::Outbound) => event.from.as_ref(),
        _ => event.to.as_ref(),
    };
    let leg = event.leg.as_ref().and_then(|leg| text(leg.extension.as_ref()));
    leg.or_else(|| {
        ours.filter(|party| party.kind == PartyKind::Extension)
            .and_then(|party| text(Some(&party.address)))
    })
}

fn legs(reports: &[&Report], direction: Option<CallDirection>) -> Vec<Leg> {
    let mut legs: BTreeMap<String, Leg> = BTreeMap::new();
    for report in reports.iter().filter(|report| of_the_call(report)) {
        let event = &report.event;
        let extension = extension(event, direction);
        let key = event
            .leg
            .as_ref()
            .map(|leg| leg.key.clone())
            .filter(|key| !key.is_empty());
        // A provider without legs names the telephone it rings.
        let rung = extension
            .as_ref()
            .map(|extension| format!("extension:{extension}"));
        let Some(key) = key.or(rung) else { continue };
        let leg = legs.entry(key.clone()).or_default();
        leg.key = key;
        let said = event.leg.as_ref().map_or(LegRole::Operator, |leg| leg.role);
        if leg.role == LegRole::Other {
            leg.role = said;
        }
        leg.extension = leg.extension.take().or(extension);
        let state = match event.kind {
            CallEventKind::Answered => State::Answered,
            CallEventKind::LegEnded | CallEventKind::Ended => State::Ended,
            _ => State::Ringing,
        };
        leg.state = leg.state.max(state);
        let answered = event
            .answered_at
            .or_else(|| (state == State::Answered).then_some(report.at));
        leg.answered_at = earliest(leg.answered_at, answered);
        if state == State::Ended {
            leg.ended_at = leg.ended_at.max(Some(event.ended_at.unwrap_or(report.at)));
            leg.end = event.end.or(leg.end);
        }
    }
    legs.into_values().collect()
}

fn earliest(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    a.into_iter().chain(b).min()
}

/// Whether and when people talked, and who of us. A robot that picks up is nobody.
fn answer(call: &mut Call, reports: &[&Report]) {
    let mut first: Option<(DateTime<Utc>, Option<String>)> = None;
    let mut talked = false;
    for report in reports.iter().filter(|report| of_the_call(report)) {
        let event = &report.event;
        if is_robot(event) {
            continue;
        }
        let when = event
            .answered_at
            .or_else(|| (event.kind == CallEventKind::Answered).then_some(report.at))
            .or_else(|| {
                // The report of an end may be the first word of it.
                let secs = event.talk_secs.filter(|secs| *secs > 0)?;
                Some(event.ended_at.unwrap_or(report.at) - TimeDelta::seconds(i64::from(secs)))
            });
        talked = talked || when.is_some() || event.end == Some(CallEnd::Answered);
        let Some(when) = when else { continue };
        let who = extension(event, call.direction);
        first = Some(match first {
            Some((at, known)) if at <= when => (at, known.or(who)),
            Some((_, known)) => (when, who.or(known)),
            None => (when, who),
        });
    }
    if talked {
        call.state = State::Answered;
        call.answered_at = first.as_ref().map(|(at, _)| *at);
        call.started_at = call.started_at.min(call.answered_at.unwrap_or(call.started_at));
        call.extension = first.and_then(|(_, who)| who);
    }
    let operators = call.legs.iter().filter(|leg| leg.role == LegRole::Operator);
    if call.extension.is_none() && (talked || call.direction != Some(CallDirection::Inbound)) {
        let answered = operators
            .clone()
            .filter(|leg| !talked || leg.answered_at.is_some());
        call.extension = answered
            .min_by_key(|leg| (leg.answered_at.is_none(), leg.answered_at, leg.key.clone()))
            .and_then(|leg| leg.extension.clone());
    }
    // On an outbound call it is the client's telephone that rings.
    if call.state == State::Ringing && call.direction != Some(CallDirection::Outbound) {
        let ringing: BTreeSet<String> = operators
            .filter(|leg| leg.state == State::Ringing)
            .filter_map(|leg| leg.extension.clone())
            .collect();
        call.ringing = ringing.into_iter().collect();
    }
}

/// Whether and when it was over, by report or because nothing was heard for too long.
fn end(call: &mut Call, reports: &[&Report], last_heard: DateTime<Utc>, now: DateTime<Utc>) {
    let ends = reports
        .iter()
        .filter(|report| report.event.kind == CallEventKind::Ended);
    call.over_since = ends.clone().map(|report| report.received_at).min();
    let reported = ends
        .map(|report| report.event.ended_at.unwrap_or(report.at))
        .max();
    let queued = reports
        .iter()
        .any(|report| report.event.kind == CallEventKind::Queued);
    let patience = match call.state {
        State::Answered => MAX_CALL,
        _ if queued => MAX_QUEUE,
        _ => MAX_RING,
    };
    let silent_until = last_heard + patience;
    call.ended_at = match reported {
        Some(at) => Some(at),
        None if call.shown && silent_until <= now => {
            call.stale = true;
            call.over_since = Some(silent_until);
            Some(silent_until)
        }
        None => {
            call.stale_at = call.shown.then_some(silent_until);
            None
        }
    };
    if let Some(ended_at) = call.ended_at {
        // An answer that happened "after" the end: two clocks, and the call lasted at least until then.
        let ended_at = ended_at
            .max(call.started_at)
            .max(call.answered_at.unwrap_or(ended_at));
        call.ended_at = Some(ended_at);
        if call.state == State::Answered {
            call.answered_at = Some(call.answered_at.unwrap_or(ended_at));
        }
        call.ringing.clear();
    } else if call.state == State::Answered {
        call.answered_at = Some(call.answered_at.unwrap_or(call.started_at));
    }
}

/// What became of it.
fn judge(call: &mut Call, reports: &[&Report]) {
    let talked = call.state == State::Answered;
    if call.ended_at.is_none() {
        return;
    }
    call.state = State::Ended;
    call.ringing.clear();
    let whole = reports
        .iter()
        .rev()
        .filter(|report| report.event.kind == CallEventKind::Ended);
    let parts = reports
        .iter()
        .rev()
        .filter(|report| report.event.kind == CallEventKind::LegEnded && !is_robot(&report.event));
    call.cause = whole
        .clone()
        .chain(parts.clone())
        .find_map(|report| text(report.event.cause.as_ref()));
    call.reason = whole.chain(parts).find_map(|report| report.event.end);
    let recorder = call.legs.iter().any(|leg| leg.role == LegRole::Voicemail)
        || call.reason == Some(CallEnd::Voicemail)
        || call.recordings.iter().any(|recording| {
            recording.kind == RecordingKind::Voicemail && recording.state != RecordingState::Absent
        });
    let inbound = !matches!(
        call.direction,
        Some(CallDirection::Outbound | CallDirection::Internal)
    );
    call.disposition = Some(match call.reason {
        _ if talked => Disposition::Answered,
        _ if recorder => Disposition::Voicemail,
        _ if inbound => Disposition::Missed,
        Some(CallEnd::Busy | CallEnd::Rejected) => Disposition::Busy,
        Some(CallEnd::Canceled) => Disposition::Canceled,
        Some(CallEnd::Failed) => Disposition::Failed,
        None if call.stale => Disposition::Failed,
        _ => Disposition::Missed,
    });
}

/// How long it rang and people talked: what the provider counted, else what the times say.
fn count(call: &mut Call, reports: &[&Report]) {
    let whole = |pick: fn(&CallEvent) -> Option<u32>| {
        let own = reports
            .iter()
            .filter(|report| report.event.leg.is_none() && of_the_call(report));
        own.filter_map(|report| pick(&report.event)).max().map(i64::from)
    };
    let until =
        |end: Option<DateTime<Utc>>, begin: DateTime<Utc>| end.map(|end| (end - begin).num_seconds().max(0));
    let rang = until(call.answered_at.or(call.ended_at), call.started_at);
    call.ring_secs = rang.map(|rang| whole(|event| event.ring_secs).map_or(rang, |said| said.min(rang)));
    call.talk_secs = call.answered_at.and_then(|answered| {
        let talked = until(call.ended_at, answered)?;
        Some(whole(|event| event.talk_secs).map_or(talked, |said| said.min(talked)))
    });
}

fn recordings(reports: &[&Report]) -> Vec<CallRecording> {
    let mut all: BTreeMap<&str, CallRecording> = BTreeMap::new();
    for recording in reports
        .iter()
        .filter_map(|report| report.event.recording.as_ref())
    {
        let known = all.entry(&recording.key).or_insert_with(|| CallRecording {
            key: recording.key.clone(),
            state: RecordingState::Announced,
            ..CallRecording::default()
        });
        if known.url.is_none() || (recording.url.is_some() && recording.state == RecordingState::Ready) {
            known.url = recording.url.clone().or(known.url.take());
            known.expires_at = recording.expires_at.or(known.expires_at);
        }
        if recording.kind == RecordingKind::Voicemail {
            known.kind = RecordingKind::Voicemail;
        }
        if readiness(recording.state) > readiness(known.state) {
            known.state = recording.state;
        }
        known.secs = known.secs.max(recording.secs);
    }
    all.into_values().collect()
}

/// What can be fetched is there, whatever else was said of it.
fn readiness(state: RecordingState) -> u8 {
    match state {
        RecordingState::Announced => 0,
        RecordingState::Absent => 1,
        RecordingState::Ready => 2,
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
