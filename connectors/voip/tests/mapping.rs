//! What each provider's documented payloads mean.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use support::{PATH, TOKEN, built, calls, now, settings, standard, taken};
use switchboard_sdk::{
    CallDirection, CallEvent, Connector, InboundBody, LegRole, PartyKind, RecordingKind, RecordingState,
    WebhookRequest,
};

/// What a report says, in short: kind, direction, client, own number, extension, end, talk.
fn short(call: &CallEvent) -> String {
    let party = |party: &Option<switchboard_sdk::CallParty>| match party {
        Some(party) if party.kind == PartyKind::Hidden => "hidden".to_owned(),
        Some(party) => party.address.clone(),
        None => "-".to_owned(),
    };
    let outbound = call.direction == Some(CallDirection::Outbound);
    let client = if outbound {
        party(&call.to)
    } else {
        party(&call.from)
    };
    let leg = call
        .leg
        .as_ref()
        .map_or("-".to_owned(), |leg| match (&leg.extension, leg.role) {
            (Some(extension), _) => extension.clone(),
            (None, role) => format!("{role:?}"),
        });
    let direction = call
        .direction
        .map_or("-".to_owned(), |direction| format!("{direction:?}"));
    let end = call.end.map_or("-".to_owned(), |end| format!("{end:?}"));
    let talk = call.talk_secs.map_or("-".to_owned(), |secs| secs.to_string());
    format!(
        "{} {:?} {direction} {client} {} {leg} {end} {talk}",
        call.call,
        call.kind,
        call.own_number.as_deref().unwrap_or("-")
    )
}

fn says(connector: &Arc<dyn Connector>, request: &WebhookRequest, wanted: &[&str]) {
    let found: Vec<String> = calls(connector.as_ref(), request)
        .iter()
        .map(|(_, call)| short(call))
        .collect();
    assert_eq!(found, wanted, "{:?}", request.body());
    // Read again, it is the same event; and its key fits an index.
    let keys = |at: i64| -> Vec<String> {
        let batch = connector
            .webhook()
            .unwrap()
            .accept(request, now() + chrono::TimeDelta::seconds(at))
            .unwrap();
        batch.events.into_iter().map(|event| event.external_id).collect()
    };
    assert_eq!(keys(0), keys(9));
    assert!(keys(0).iter().all(|key| !key.is_empty() && key.len() <= 200));
}

fn nothing(connector: &Arc<dyn Connector>, request: &WebhookRequest) {
    assert!(
        taken(connector.as_ref(), request).unwrap().is_empty(),
        "{:?}",
        request.body()
    );
}

fn unknown(connector: &Arc<dyn Connector>, request: &WebhookRequest) {
    let found = taken(connector.as_ref(), request).unwrap();
    assert!(
        matches!(found.as_slice(), [(_, InboundBody::Poison { .. })]),
        "{found:?}"
    );
}

#[test]
fn twilio() {
    let connector = built(settings("twilio", json!({"auth_token": "12345"})));
    let call = [
        ("CallSid", "CA1"),
        ("AccountSid", "AC1"),
        ("From", "+79161234567"),
        ("To", "+74951234567"),
        ("Direction", "inbound"),
        ("ApiVersion", "2010-04-01"),
    ];
    let with = |path: &str, more: &[(&str, &str)]| support::twilio(path, &[&call[..], more].concat());
    let leg = |more: &[(&str, &str)]| {
        let leg = [
            ("CallSid", "CA2"),
            ("ParentCallSid", "CA1"),
            ("From", "+79161234567"),
            ("To", "client:101"),
            ("Direction", "outbound-dial"),
            ("CallbackSource", "call-progress-events"),
            ("Timestamp", "Mon, 05 Jan 2026 09:59:50 +0000"),
        ];
        support::twilio(PATH, &[&leg[..], more].concat())
    };
    let route = format!("{PATH}/route");
    says(
        &connector,
        &with(&route, &[("CallStatus", "ringing")]),
        &["CA1 Started Inbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &leg(&[("CallStatus", "initiated"), ("SequenceNumber", "0")]),
        &["CA1 Started - - - 101 - -"],
    );
    says(
        &connector,
        &leg(&[("CallStatus", "ringing"), ("SequenceNumber", "1")]),
        &["CA1 Ringing - - - 101 - -"],
    );
    says(
        &connector,
        &leg(&[("CallStatus", "in-progress"), ("SequenceNumber", "2")]),
        &["CA1 Answered - - - 101 - -"],
    );
    says(
        &connector,
        &leg(&[
            ("CallStatus", "completed"),
            ("SequenceNumber", "3"),
            ("CallDuration", "42"),
        ]),
        &["CA1 LegEnded - - - 101 Answered 42"],
    );
    says(
        &connector,
        &leg(&[("CallStatus", "no-answer"), ("SequenceNumber", "3")]),
        &["CA1 LegEnded - - - 101 NoAnswer -"],
    );
    says(
        &connector,
        &with(
            PATH,
            &[
                ("CallStatus", "in-progress"),
                ("DialCallStatus", "completed"),
                ("DialCallSid", "CA2"),
                ("DialCallDuration", "42"),
            ],
        ),
        &["CA1 LegEnded Inbound +79161234567 +74951234567 Operator Answered 42"],
    );
    // A robot that said good-bye is completed, too: that says nothing of people.
    says(
        &connector,
        &with(PATH, &[("CallStatus", "completed"), ("CallDuration", "50")]),
        &["CA1 Ended Inbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &with(PATH, &[("CallStatus", "no-answer")]),
        &["CA1 Ended Inbound +79161234567 +74951234567 - NoAnswer -"],
    );
    let recording = with(
        PATH,
        &[
            ("RecordingSid", "RE1"),
            ("RecordingUrl", "https://api.twilio.com/RE1"),
            ("RecordingStatus", "completed"),
            ("RecordingDuration", "42"),
            ("RecordingSource", "DialVerb"),
        ],
    );
    says(&connector, &recording, &["CA1 Recording - - - - - -"]);
    let made = calls(connector.as_ref(), &recording)
        .remove(0)
        .1
        .recording
        .unwrap();
    assert_eq!(
        (
            made.key.as_str(),
            made.url.as_deref(),
            made.secs,
            made.kind,
            made.state
        ),
        (
            "RE1",
            Some("https://api.twilio.com/RE1"),
            Some(42),
            RecordingKind::Conversation,
            RecordingState::Ready
        )
    );
    // <Record> of an answering machine: the call goes on, and there is a recording.
    let voicemail = with(
        PATH,
        &[
            ("CallStatus", "in-progress"),
            ("RecordingUrl", "https://api.twilio.com/RE2"),
            ("RecordingSid", "RE2"),
            ("RecordingDuration", "7"),
            ("Digits", "hangup"),
        ],
    );
    let made = calls(connector.as_ref(), &voicemail);
    assert_eq!(
        made.last().unwrap().1.recording.as_ref().unwrap().kind,
        RecordingKind::Voicemail
    );
    let transcript = with(
        PATH,
        &[
            ("TranscriptionSid", "TR1"),
            ("TranscriptionText", "Please call me"),
            ("TranscriptionStatus", "completed"),
            ("RecordingSid", "RE2"),
        ],
    );
    says(&connector, &transcript, &["CA1 Transcript - - - - - -"]);
    nothing(
        &connector,
        &with(
            PATH,
            &[("TranscriptionSid", "TR2"), ("TranscriptionStatus", "failed")],
        ),
    );
    unknown(&connector, &with(PATH, &[("CallStatus", "levitating")]));
    unknown(&connector, &support::twilio(PATH, &[("MessageSid", "SM1")]));
    // Hidden callers are nobody, however Twilio spells it.
    for hidden in ["+266696687", "anonymous", "+7378742833", "+86282452253"] {
        let request = support::twilio(
            PATH,
            &[
                ("CallSid", "CA9"),
                ("From", hidden),
                ("To", "+74951234567"),
                ("CallStatus", "ringing"),
                ("Direction", "inbound"),
            ],
        );
        says(
            &connector,
            &request,
            &["CA9 Started Inbound hidden +74951234567 - - -"],
        );
    }
    // Rung by the company's own program.
    let api = |more: &[(&str, &str)]| {
        let api = [
            ("CallSid", "CA3"),
            ("From", "+74951234567"),
            ("To", "+79161234567"),
            ("Direction", "outbound-api"),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", "1"),
        ];
        support::twilio(PATH, &[&api[..], more].concat())
    };
    says(
        &connector,
        &api(&[("CallStatus", "ringing")]),
        &["CA3 Ringing Outbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &api(&[("CallStatus", "in-progress")]),
        &["CA3 Answered Outbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &api(&[("CallStatus", "completed"), ("CallDuration", "9")]),
        &["CA3 Ended Outbound +79161234567 +74951234567 - Answered 9"],
    );
    says(
        &connector,
        &api(&[("CallStatus", "busy")]),
        &["CA3 Ended Outbound +79161234567 +74951234567 - Busy -"],
    );
    // A click: the operator's telephone first, the client's second.
    let operator = support::twilio(
        &format!("{PATH}?leg=operator"),
        &[
            ("CallSid", "CA4"),
            ("From", "+74951234567"),
            ("To", "client:102"),
            ("Direction", "outbound-api"),
            ("CallStatus", "in-progress"),
            ("SequenceNumber", "2"),
        ],
    );
    says(
        &connector,
        &operator,
        &["CA4 Started Outbound - +74951234567 102 - -"],
    );
    let client = support::twilio(
        &format!("{PATH}?leg=client"),
        &[
            ("CallSid", "CA5"),
            ("ParentCallSid", "CA4"),
            ("From", "+74951234567"),
            ("To", "+79161234567"),
            ("Direction", "outbound-dial"),
            ("CallStatus", "in-progress"),
            ("SequenceNumber", "2"),
        ],
    );
    says(
        &connector,
        &client,
        &["CA4 Answered Outbound +79161234567 +74951234567 Client - -"],
    );
    let named = support::twilio(
        &format!("{PATH}?leg=client&caller=102"),
        &[
            ("CallSid", "CA5"),
            ("ParentCallSid", "CA4"),
            ("From", "+74951234567"),
            ("To", "+79161234567"),
            ("CallStatus", "in-progress"),
        ],
    );
    let caller = calls(connector.as_ref(), &named).remove(0).1.from.unwrap();
    assert_eq!(
        (caller.kind, caller.address.as_str()),
        (PartyKind::Extension, "102")
    );
    // An operator who dials from a browser shows an own number.
    let browser = support::twilio(
        PATH,
        &[
            ("CallSid", "CA7"),
            ("ParentCallSid", "CA6"),
            ("From", "+74951234567"),
            ("To", "+79161234567"),
            ("CallStatus", "ringing"),
        ],
    );
    says(
        &connector,
        &browser,
        &["CA6 Ringing Outbound +79161234567 +74951234567 Client - -"],
    );
    // After a <Dial> of this server the call is over.
    let after = with(
        &format!("{PATH}?after=dial"),
        &[("CallStatus", "in-progress"), ("DialCallStatus", "no-answer")],
    );
    says(
        &connector,
        &after,
        &[
            "CA1 LegEnded Inbound +79161234567 +74951234567 Operator NoAnswer -",
            "CA1 Ended - - - - - -",
        ],
    );
}

/// The key of 32 sevens.
const SEED: [u8; 32] = [7; 32];

fn telnyx_channel() -> Arc<dyn Connector> {
    use ring::signature::KeyPair;
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    built(settings(
        "telnyx",
        json!({"public_key": support::base64(pair.public_key())}),
    ))
}

fn telnyx_event(kind: &str, payload: &Value) -> WebhookRequest {
    let body = json!({"data": {"record_type": "event", "event_type": kind, "id": format!("ev-{kind}"), "occurred_at": "2026-01-05T09:59:50.000000Z", "payload": payload}, "meta": {"attempt": 1}}).to_string();
    let at = now().timestamp();
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    let signature = support::base64(pair.sign(format!("{at}|{body}").as_bytes()));
    let request = support::post(PATH, "application/json", body);
    let request = support::with_header(request, "telnyx-timestamp", &at.to_string());
    support::with_header(request, "telnyx-signature-ed25519", &signature)
}

#[test]
fn telnyx() {
    let connector = telnyx_channel();
    let incoming = json!({"call_session_id": "s1", "call_leg_id": "l1", "call_control_id": "v3:1", "direction": "incoming", "from": "+79161234567", "to": "+74951234567", "start_time": "2026-01-05T09:59:49Z", "state": "parked", "caller_id_name": "IVANOV"});
    let outgoing = json!({"call_session_id": "s1", "call_leg_id": "l2", "direction": "outgoing", "from": "+74951234567", "to": "sip:101@sip.telnyx.com"});
    let with = |base: &Value, more: Value| {
        let mut all = base.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    says(
        &connector,
        &telnyx_event("call.initiated", &incoming),
        &["s1 Started Inbound +79161234567 +74951234567 Client - -"],
    );
    says(
        &connector,
        &telnyx_event("call.answered", &incoming),
        &["s1 Linked Inbound +79161234567 +74951234567 Client - -"],
    );
    says(
        &connector,
        &telnyx_event("call.enqueued", &with(&incoming, json!({"queue": "sales"}))),
        &["s1 Queued Inbound +79161234567 +74951234567 Queue - -"],
    );
    says(
        &connector,
        &telnyx_event("call.initiated", &outgoing),
        &["s1 Ringing - - - 101 - -"],
    );
    says(
        &connector,
        &telnyx_event("call.bridged", &outgoing),
        &["s1 Answered - - - 101 - -"],
    );
    says(
        &connector,
        &telnyx_event(
            "call.hangup",
            &with(&outgoing, json!({"hangup_cause": "no_answer"})),
        ),
        &["s1 LegEnded - - - 101 NoAnswer -"],
    );
    says(
        &connector,
        &telnyx_event(
            "call.hangup",
            &with(&incoming, json!({"hangup_cause": "originator_cancel"})),
        ),
        &["s1 Ended Inbound +79161234567 +74951234567 Client Canceled -"],
    );
    says(
        &connector,
        &telnyx_event(
            "call.hangup",
            &with(&incoming, json!({"hangup_cause": "normal_clearing"})),
        ),
        &["s1 Ended Inbound +79161234567 +74951234567 Client - -"],
    );
    let saved = telnyx_event(
        "call.recording.saved",
        &json!({"call_session_id": "s1", "call_leg_id": "l1", "recording_id": "r1", "recording_urls": {"mp3": "https://s3.example/r1.mp3"}, "recording_started_at": "2026-01-05T09:00:00Z", "recording_ended_at": "2026-01-05T09:00:42Z"}),
    );
    says(&connector, &saved, &["s1 Recording - - - - - -"]);
    let made = calls(connector.as_ref(), &saved).remove(0).1.recording.unwrap();
    assert_eq!((made.key.as_str(), made.secs), ("r1", Some(42)));
    assert_eq!(
        made.expires_at.unwrap().to_rfc3339(),
        "2026-01-05T10:09:50+00:00",
        "the link works for ten minutes"
    );
    nothing(&connector, &telnyx_event("call.dtmf.received", &incoming));
    nothing(
        &connector,
        &telnyx_event("call.machine.detection.ended", &incoming),
    );
    unknown(&connector, &telnyx_event("call.teleported", &incoming));
    unknown(&connector, &telnyx_event("message.received", &json!({})));
}

fn vonage_event(path: &str, body: &Value) -> WebhookRequest {
    let body = body.to_string();
    let claims = json!({"iat": now().timestamp(), "jti": support::hex_sha256(&body), "iss": "Vonage", "payload_hash": support::hex_sha256(&body), "api_key": "k"});
    let signed = format!(
        "{}.{}",
        support::base64url(r#"{"alg":"HS256","typ":"JWT"}"#),
        support::base64url(claims.to_string())
    );
    let token = format!(
        "Bearer {signed}.{}",
        support::base64url(support::sha256("vonage-secret", &signed))
    );
    support::with_header(
        support::post(path, "application/json", body),
        "authorization",
        &token,
    )
}

#[test]
fn vonage() {
    let connector = built(settings(
        "vonage",
        json!({"signature_secret": "vonage-secret", "api_key": "k"}),
    ));
    let inbound = |status: &str| json!({"from": "79161234567", "to": "74951234567", "uuid": "u1", "conversation_uuid": "CON-1", "status": status, "direction": "inbound", "timestamp": "2026-01-05T09:59:50.000Z"});
    let outbound = |status: &str| json!({"from": "74951234567", "to": "101", "uuid": "u2", "conversation_uuid": "CON-1", "status": status, "direction": "outbound", "timestamp": "2026-01-05T09:59:51.000Z"});
    let post = |body: &Value| vonage_event(PATH, body);
    says(
        &connector,
        &vonage_event(
            &format!("{PATH}/route"),
            &json!({"from": "79161234567", "to": "74951234567", "uuid": "u1", "conversation_uuid": "CON-1"}),
        ),
        &["CON-1 Started Inbound +79161234567 +74951234567 Client - -"],
    );
    says(
        &connector,
        &post(&inbound("started")),
        &["CON-1 Started Inbound +79161234567 +74951234567 Client - -"],
    );
    says(
        &connector,
        &post(&inbound("answered")),
        &["CON-1 Started Inbound +79161234567 +74951234567 Client - -"],
    );
    says(
        &connector,
        &post(&outbound("ringing")),
        &["CON-1 Ringing - - - 101 - -"],
    );
    says(
        &connector,
        &post(&outbound("answered")),
        &["CON-1 Answered - - - 101 - -"],
    );
    for (status, end) in [
        ("busy", "Busy"),
        ("cancelled", "Canceled"),
        ("timeout", "NoAnswer"),
        ("unanswered", "NoAnswer"),
        ("rejected", "Rejected"),
        ("failed", "Failed"),
    ] {
        says(
            &connector,
            &post(&outbound(status)),
            &[&format!("CON-1 LegEnded - - - 101 {end} -")],
        );
    }
    let mut completed = inbound("completed");
    completed["end_time"] = json!("2026-01-05T10:00:00.000Z");
    completed["duration"] = json!("50");
    says(
        &connector,
        &post(&completed),
        &["CON-1 Ended Inbound +79161234567 +74951234567 Client - -"],
    );
    // An operator who waits for the client talks to nobody.
    let mut waited = outbound("completed");
    waited["duration"] = json!("30");
    let waited = vonage_event(&format!("{PATH}?leg=operator&caller=101"), &waited);
    says(&connector, &waited, &["CON-1 LegEnded - - - 101 - -"]);
    let mut client = outbound("answered");
    client["to"] = json!("79161234567");
    says(
        &connector,
        &post(&client),
        &["CON-1 Answered Outbound +79161234567 +74951234567 Client - -"],
    );
    let record = json!({"start_time": "2026-01-05T09:59:00Z", "recording_url": "https://api.nexmo.com/v1/files/f1", "size": 12345, "recording_uuid": "r1", "end_time": "2026-01-05T09:59:42Z", "conversation_uuid": "CON-1", "timestamp": "2026-01-05T09:59:43Z"});
    says(&connector, &post(&record), &["CON-1 Recording - - - - - -"]);
    let moved = json!({"conversation_uuid_from": "CON-1", "conversation_uuid_to": "CON-2", "uuid": "u1", "timestamp": "2026-01-05T09:59:43Z"});
    assert_eq!(calls(connector.as_ref(), &post(&moved))[0].1.aliases, ["CON-2"]);
    nothing(
        &connector,
        &post(&json!({"call_uuid": "u2", "conversation_uuid": "CON-1", "status": "machine"})),
    );
    nothing(
        &connector,
        &post(&json!({"uuid": "u2", "conversation_uuid": "CON-1", "dtmf": {"digits": "1"}})),
    );
    unknown(&connector, &post(&json!({"reason": "Syntax error in NCCO"})));
    unknown(&connector, &post(&outbound("levitating")));
}

fn plivo_event(target: &str, nonce: &str, fields: &[(&str, &str)]) -> WebhookRequest {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let joined: String = sorted
        .iter()
        .map(|(name, value)| format!("{name}{value}"))
        .collect();
    let dot = if target.contains('?') { "." } else { "?" };
    let signature = support::base64(support::sha256(
        "tok",
        format!("https://desk.example{target}{dot}{joined}.{nonce}"),
    ));
    let request = support::post(target, "application/x-www-form-urlencoded", support::form(fields));
    let request = support::with_header(request, "x-plivo-signature-v3", &signature);
    support::with_header(request, "x-plivo-signature-v3-nonce", nonce)
}

#[test]
fn plivo() {
    let connector = built(settings("plivo", json!({"auth_token": "tok"})));
    let call = [
        ("CallUUID", "p1"),
        ("From", "79161234567"),
        ("To", "74951234567"),
        ("Direction", "inbound"),
    ];
    let count = std::cell::Cell::new(0);
    let with = |path: &str, more: &[(&str, &str)]| {
        count.set(count.get() + 1);
        plivo_event(path, &format!("n-{}", count.get()), &[&call[..], more].concat())
    };
    says(
        &connector,
        &with(
            &format!("{PATH}/route"),
            &[("CallStatus", "ringing"), ("Event", "StartApp")],
        ),
        &["p1 Started Inbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &with(
            PATH,
            &[
                ("DialAction", "answer"),
                ("DialBLegUUID", "p2"),
                ("DialBLegTo", "sip:101@phone.plivo.com"),
                ("DialBLegStatus", "answer"),
            ],
        ),
        &["p1 Answered - - - 101 - -"],
    );
    says(
        &connector,
        &with(
            PATH,
            &[
                ("DialAction", "hangup"),
                ("DialBLegUUID", "p2"),
                ("DialBLegTo", "101"),
                ("DialBLegStatus", "hangup"),
                ("DialBLegDuration", "42"),
            ],
        ),
        &["p1 LegEnded - - - 101 Answered 42"],
    );
    says(
        &connector,
        &with(PATH, &[("DialStatus", "no-answer"), ("DialRingStatus", "true")]),
        &["p1 LegEnded - - - Operator NoAnswer -"],
    );
    says(
        &connector,
        &with(
            PATH,
            &[
                ("CallStatus", "completed"),
                ("Event", "Hangup"),
                ("HangupCause", "NORMAL_CLEARING"),
                ("Duration", "50"),
                ("EndTime", "2026-01-05 09:59:50"),
            ],
        ),
        &["p1 Ended Inbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &with(
            PATH,
            &[
                ("RecordUrl", "https://media.plivo.com/r1.mp3"),
                ("RecordingID", "r1"),
                ("RecordingDuration", "42"),
            ],
        ),
        &["p1 Recording - - - - - -"],
    );
    unknown(&connector, &with(PATH, &[("CallStatus", "levitating")]));
    let out = [
        ("CallUUID", "p3"),
        ("From", "74951234567"),
        ("To", "79161234567"),
        ("Direction", "outbound"),
        ("ALegRequestUUID", "req-3"),
        ("CallStatus", "busy"),
        ("Event", "Hangup"),
    ];
    let request = plivo_event(PATH, "n-out", &out);
    says(
        &connector,
        &request,
        &["p3 Ended Outbound +79161234567 +74951234567 - Busy -"],
    );
    assert_eq!(calls(connector.as_ref(), &request)[0].1.aliases, ["req-3"]);
}

fn zadarma_event(signed: &[&str], fields: &[(&str, &str)]) -> WebhookRequest {
    let value = |name: &&str| {
        fields
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| *value)
            .to_owned()
    };
    let text: String = signed.iter().map(value).collect();
    let signature = support::base64(hex::encode(support::sha1("secret", &text)));
    support::with_header(
        support::post(PATH, "application/x-www-form-urlencoded", support::form(fields)),
        "signature",
        &signature,
    )
}

#[test]
fn zadarma() {
    let mut of = settings("zadarma", json!({"key": "key", "secret": "secret"}));
    of["time_zone"] = json!("Europe/Moscow");
    let connector = built(of);
    let start = ["caller_id", "called_did", "call_start"];
    let call = [
        ("call_start", "2026-01-05 12:59:50"),
        ("pbx_call_id", "in_1"),
        ("caller_id", "79161234567"),
        ("called_did", "74951234567"),
    ];
    let with = |event: &'static str, more: &[(&'static str, &'static str)]| {
        zadarma_event(&start, &[&[("event", event)], &call[..], more].concat())
    };
    says(
        &connector,
        &with("NOTIFY_START", &[]),
        &["in_1 Started Inbound +79161234567 +74951234567 - - -"],
    );
    let at = connector
        .webhook()
        .unwrap()
        .accept(&with("NOTIFY_START", &[]), now())
        .unwrap()
        .events
        .remove(0)
        .at;
    assert_eq!(
        at.to_rfc3339(),
        "2026-01-05T09:59:50+00:00",
        "its times are those of the account's zone"
    );
    says(
        &connector,
        &with("NOTIFY_INTERNAL", &[("internal", "101")]),
        &["in_1 Ringing Inbound +79161234567 +74951234567 101 - -"],
    );
    let answer = zadarma_event(
        &["caller_id", "destination", "call_start"],
        &[
            ("event", "NOTIFY_ANSWER"),
            ("caller_id", "79161234567"),
            ("destination", "101"),
            ("call_start", "2026-01-05 12:59:50"),
            ("pbx_call_id", "in_1"),
            ("internal", "101"),
        ],
    );
    says(
        &connector,
        &answer,
        &["in_1 Answered Inbound +79161234567 - 101 - -"],
    );
    says(
        &connector,
        &with(
            "NOTIFY_END",
            &[
                ("internal", "101"),
                ("duration", "42"),
                ("disposition", "answered"),
                ("status_code", "16"),
                ("is_recorded", "1"),
                ("call_id_with_rec", "rec_1"),
            ],
        ),
        &[
            "in_1 Ended Inbound +79161234567 +74951234567 101 Answered 42",
            "in_1 Recording - - - - - -",
        ],
    );
    for (disposition, end) in [
        ("busy", "Busy"),
        ("cancel", "Canceled"),
        ("no answer", "NoAnswer"),
        ("failed", "Failed"),
        ("no money", "Failed"),
        ("line limit", "Failed"),
    ] {
        let request = zadarma_event(
            &start,
            &[
                &[
                    ("event", "NOTIFY_END"),
                    ("disposition", disposition),
                    ("duration", "0"),
                    ("is_recorded", "0"),
                ],
                &call[..],
            ]
            .concat(),
        );
        says(
            &connector,
            &request,
            &[&format!("in_1 Ended Inbound +79161234567 +74951234567 - {end} -")],
        );
    }
    let out = [
        ("internal", "101"),
        ("destination", "79161234567"),
        ("call_start", "2026-01-05 12:59:50"),
        ("pbx_call_id", "out_1"),
        ("caller_id", "74951234567"),
    ];
    let out_signed = ["internal", "destination", "call_start"];
    says(
        &connector,
        &zadarma_event(
            &out_signed,
            &[&[("event", "NOTIFY_OUT_START")], &out[..]].concat(),
        ),
        &["out_1 Started Outbound +79161234567 +74951234567 101 - -"],
    );
    says(
        &connector,
        &zadarma_event(
            &out_signed,
            &[
                &[
                    ("event", "NOTIFY_OUT_END"),
                    ("disposition", "answered"),
                    ("duration", "9"),
                    ("is_recorded", "0"),
                ],
                &out[..],
            ]
            .concat(),
        ),
        &["out_1 Ended Outbound +79161234567 +74951234567 101 Answered 9"],
    );
    let record = zadarma_event(
        &["pbx_call_id", "call_id_with_rec"],
        &[
            ("event", "NOTIFY_RECORD"),
            ("call_id_with_rec", "rec_1"),
            ("pbx_call_id", "in_1"),
        ],
    );
    says(&connector, &record, &["in_1 Recording - - - - - -"]);
    unknown(&connector, &with("NOTIFY_LEVITATION", &[]));
    unknown(
        &connector,
        &zadarma_event(&["result"], &[("event", "SMS"), ("result", "{}")]),
    );
    // The test of the address.
    let echo = http::Request::get(format!("{PATH}?zd_echo=abc123"))
        .body(bytes::Bytes::new())
        .unwrap();
    nothing(&connector, &echo);
    assert_eq!(
        connector
            .webhook()
            .unwrap()
            .reply(&echo, &switchboard_sdk::Receipt::default())
            .body(),
        "abc123"
    );
    let script = http::Request::get(format!("{PATH}?zd_echo=%3Cscript%3E"))
        .body(bytes::Bytes::new())
        .unwrap();
    assert!(taken(connector.as_ref(), &script).is_err());
}

fn mango_event(path: &str, body: &Value) -> WebhookRequest {
    let body = body.to_string();
    let sign = support::hex_sha256(&format!("key{body}salt"));
    support::post(
        &format!("{PATH}/{path}"),
        "application/x-www-form-urlencoded",
        support::form(&[("vpbx_api_key", "key"), ("sign", &sign), ("json", &body)]),
    )
}

#[test]
fn mango() {
    let connector = built(settings("mango", json!({"api_key": "key", "salt": "salt"})));
    let call = |call_id: &str, seq: u32, state: &str, location: &str, to: Value| {
        mango_event(
            "events/call",
            &json!({"entry_id": "e1", "call_id": call_id, "timestamp": "1767607190", "seq": seq, "call_state": state, "location": location, "from": {"number": "79161234567"}, "to": to, "dct": {"number": "", "type": 0}}),
        )
    };
    let line = json!({"number": "sip:desk@shop.mangosip.ru", "line_number": "74951234567"});
    let agent =
        json!({"extension": "101", "number": "sip:101@shop.mangosip.ru", "line_number": "74951234567"});
    says(
        &connector,
        &call("c1", 1, "Appeared", "ivr", line.clone()),
        &["e1 Started Inbound +79161234567 +74951234567 Ivr - -"],
    );
    says(
        &connector,
        &call("c1", 2, "Connected", "ivr", line.clone()),
        &["e1 Started Inbound +79161234567 +74951234567 Ivr - -"],
    );
    says(
        &connector,
        &call("c1", 3, "Connected", "queue", line),
        &["e1 Queued Inbound +79161234567 +74951234567 Queue - -"],
    );
    says(
        &connector,
        &call("c2", 1, "Appeared", "abonent", agent.clone()),
        &["e1 Ringing Inbound +79161234567 +74951234567 101 - -"],
    );
    says(
        &connector,
        &call("c2", 2, "Connected", "abonent", agent.clone()),
        &["e1 Answered Inbound +79161234567 +74951234567 101 - -"],
    );
    says(
        &connector,
        &call("c2", 3, "Disconnected", "abonent", agent),
        &["e1 LegEnded Inbound +79161234567 +74951234567 101 - -"],
    );
    let summary = |talk: Value| {
        mango_event(
            "events/summary",
            &json!({"entry_id": "e1", "call_direction": 1, "from": {"number": "79161234567"}, "to": {"extension": "101", "number": "sip:101@x"}, "line_number": "74951234567", "create_time": 1767607100, "forward_time": "1767607105", "talk_time": talk, "end_time": "1767607152", "entry_result": 1, "disconnect_reason": 1110}),
        )
    };
    says(
        &connector,
        &summary(json!("1767607110")),
        &["e1 Ended Inbound +79161234567 +74951234567 101 Answered 42"],
    );
    says(
        &connector,
        &summary(json!(0)),
        &["e1 Ended Inbound +79161234567 +74951234567 101 NoAnswer -"],
    );
    let recording = |state: &str| {
        mango_event(
            "events/recording",
            &json!({"recording_id": "r1", "recording_state": state, "seq": 1, "entry_id": "e1", "call_id": "c2", "extension": "101", "timestamp": 1767607152, "recipient": "Cloud"}),
        )
    };
    assert_eq!(
        calls(connector.as_ref(), &recording("Started"))[0]
            .1
            .recording
            .as_ref()
            .unwrap()
            .state,
        RecordingState::Announced
    );
    assert_eq!(
        calls(connector.as_ref(), &recording("Completed"))[0]
            .1
            .recording
            .as_ref()
            .unwrap()
            .state,
        RecordingState::Ready
    );
    nothing(
        &connector,
        &mango_event("result/callback", &json!({"command_id": "1", "result": 1000})),
    );
    nothing(
        &connector,
        &support::post(
            &format!("{PATH}/ping"),
            "application/x-www-form-urlencoded",
            "x=1",
        ),
    );
    unknown(&connector, &mango_event("events/levitation", &json!({})));
    unknown(
        &connector,
        &mango_event("events/call", &json!({"entry_id": "e1"})),
    );
}

fn bearer(path: &str, body: &Value) -> WebhookRequest {
    support::with_header(
        support::post(path, "application/json", body.to_string()),
        "authorization",
        &format!("Bearer {TOKEN}"),
    )
}

#[test]
fn asterisk() {
    let mut of = settings("asterisk", json!({"token": TOKEN}));
    of["api_url"] = json!("https://pbx.example/monitor");
    let connector = built(of);
    let push = |more: Value| {
        let mut body = json!({"v": 1, "linkedid": "1767607190.1", "uniqueid": "1767607191.2", "from": "89161234567", "did": "74951234567"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        bearer(PATH, &body)
    };
    says(
        &connector,
        &push(json!({"event": "started", "start": "1767607190"})),
        &["1767607190.1 Started Inbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &push(json!({"event": "ringing", "agent_ext": "PJSIP/101-0000002a"})),
        &["1767607190.1 Ringing Inbound +79161234567 +74951234567 101 - -"],
    );
    says(
        &connector,
        &push(json!({"event": "answered", "agent_ext": "101", "answer": "2026-01-05 09:59:55"})),
        &["1767607190.1 Answered Inbound +79161234567 +74951234567 101 - -"],
    );
    says(
        &connector,
        &push(
            json!({"event": "ended", "agent_ext": "101", "disposition": "ANSWERED", "billsec": "42", "end": "1767607199", "recording_path": "/var/spool/asterisk/monitor/2026/01/05/a b.wav"}),
        ),
        &[
            "1767607190.1 Ended Inbound +79161234567 +74951234567 101 Answered 42",
            "1767607190.1 Recording - - - - - -",
        ],
    );
    // A robot and a mailbox are "ANSWERED" as well.
    says(
        &connector,
        &push(json!({"event": "ended", "disposition": "ANSWERED", "billsec": 42})),
        &["1767607190.1 Ended Inbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &push(json!({"event": "ended", "disposition": "NO ANSWER"})),
        &["1767607190.1 Ended Inbound +79161234567 +74951234567 - NoAnswer -"],
    );
    unknown(&connector, &push(json!({"event": "levitated"})));
    says(
        &connector,
        &bearer(
            PATH,
            &json!({"event": "ringing", "call_id": "g1", "direction": "inbound", "from": "+79161234567", "to": "+74951234567"}),
        ),
        &["g1 Ringing Inbound +79161234567 +74951234567 - - -"],
    );
    let signed = built(settings("asterisk", json!({"token": support::WHSEC})));
    let body = json!({"event": "started", "linkedid": "l1", "from": "+79161234567"});
    says(
        &signed,
        &standard(PATH, &body),
        &["l1 Started Inbound +79161234567 - - - -"],
    );
    let unsigned = support::with_header(
        bearer(PATH, &body),
        "authorization",
        &format!("Bearer {}", support::WHSEC),
    );
    assert!(
        taken(signed.as_ref(), &unsigned).is_err(),
        "a token that signs is not said"
    );
}

#[test]
fn three_cx() {
    let connector = built(settings("3cx", json!({"token": TOKEN})));
    let report = |number: &str, agent: &str, kind: &str, duration: &str| {
        bearer(
            PATH,
            &json!({"number": number, "agent": agent, "call_type": kind, "duration": duration, "start_utc": "2026-01-05 09:58:00", "name": "[Name]", "did": "[Did]"}),
        )
    };
    let one = |request: &WebhookRequest| {
        let (_, call) = calls(connector.as_ref(), request).remove(0);
        let id = call.call.clone();
        (id.clone(), short(&call).replace(&id, "X"), call)
    };
    let (call, said, event) = one(&report("+79161234567", "101", "Inbound", "00:00:42"));
    assert_eq!(said, "X Ended Inbound +79161234567 - 101 Answered 42");
    assert_eq!(
        (event.caller_name, event.own_number),
        (None, None),
        "a variable nobody filled is nothing"
    );
    let (same, said, _) = one(&report("+79161234567", "102", "Missed", "0"));
    assert_eq!(
        (said.as_str(), same == call),
        ("X Ended Inbound +79161234567 - 102 NoAnswer -", true),
        "each operator reports the same call"
    );
    assert_eq!(
        one(&report("+79161234567", "101", "Outbound", "9")).1,
        "X Ended Outbound +79161234567 - 101 Answered 9"
    );
    assert_eq!(
        one(&report("+79161234567", "101", "Notanswered", "0")).1,
        "X Ended Outbound +79161234567 - 101 NoAnswer -"
    );
    let hidden = [
        report("anonymous", "101", "Missed", "0"),
        report("[Number]", "102", "Missed", "0"),
    ]
    .map(|request| one(&request));
    assert!(
        hidden[0].0 != hidden[1].0 && hidden[0].1.contains("hidden"),
        "hidden callers are never the same"
    );
    let form = support::post(
        &format!("{PATH}?token={TOKEN}"),
        "application/x-www-form-urlencoded",
        support::form(&[
            ("Number", "+79161234567"),
            ("Agent", "101"),
            ("CallType", "Inbound"),
            ("Duration", "42"),
            ("CallStartTimeUTC", "2026-01-05 09:58:00"),
        ]),
    );
    assert_eq!(one(&form).0, call, "by form as by JSON");
    unknown(&connector, &report("+79161234567", "101", "Levitated", "0"));
}

#[test]
fn zammad_cti() {
    let connector = built(settings("zammad_cti", json!({"token": TOKEN})));
    let post = |fields: &[(&str, &str)]| {
        support::post(
            &format!("{PATH}/{TOKEN}"),
            "application/x-www-form-urlencoded",
            support::form(fields),
        )
    };
    let call = [
        ("from", "79161234567"),
        ("to", "74951234567"),
        ("direction", "in"),
        ("callId", "z1"),
    ];
    let with = |more: &[(&str, &str)]| post(&[&call[..], more].concat());
    says(
        &connector,
        &with(&[("event", "newCall"), ("user[]", "Ann")]),
        &["z1 Ringing Inbound +79161234567 +74951234567 - - -"],
    );
    says(
        &connector,
        &with(&[("event", "answer"), ("answeringNumber", "101")]),
        &["z1 Answered Inbound +79161234567 +74951234567 101 - -"],
    );
    for (cause, end) in [
        ("normalClearing", "-"),
        ("busy", "Busy"),
        ("cancel", "Canceled"),
        ("noAnswer", "NoAnswer"),
        ("congestion", "Failed"),
    ] {
        says(
            &connector,
            &with(&[("event", "hangup"), ("cause", cause)]),
            &[&format!("z1 Ended Inbound +79161234567 +74951234567 - {end} -")],
        );
    }
    let json = support::post(&format!("{PATH}?token={TOKEN}"), "application/json", json!({"event": "newCall", "from": "74951234567", "to": "79161234567", "direction": "out", "callId": "z2", "user": ["Ann"]}).to_string());
    says(
        &connector,
        &json,
        &["z2 Started Outbound +79161234567 +74951234567 - - -"],
    );
    unknown(&connector, &with(&[("event", "levitate")]));
}

#[test]
fn voximplant_and_generic() {
    let body = |more: Value| {
        let mut body = json!({"call_id": "v1", "direction": "inbound", "from": "+79161234567", "to": "+74951234567", "at": "2026-01-05T09:59:50Z"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let voximplant = built(settings("voximplant", json!({"token": TOKEN})));
    let generic = built(settings(
        "generic",
        json!({"signing_secret": ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", support::WHSEC]}),
    ));
    for (more, wanted) in [
        (
            json!({"event": "ringing", "operator": "101"}),
            "v1 Ringing Inbound +79161234567 +74951234567 101 - -",
        ),
        (
            json!({"event": "answered", "operator": "101"}),
            "v1 Answered Inbound +79161234567 +74951234567 101 - -",
        ),
        (
            json!({"event": "ended", "disposition": "missed"}),
            "v1 Ended Inbound +79161234567 +74951234567 - NoAnswer -",
        ),
        (
            json!({"event": "ended", "disposition": "answered", "duration_secs": 42}),
            "v1 Ended Inbound +79161234567 +74951234567 - Answered 42",
        ),
        (
            json!({"event": "recording", "recording_url": "https://pbx.example/1.mp3"}),
            "v1 Recording Inbound +79161234567 +74951234567 - - -",
        ),
        (
            json!({"event": "ringing", "from": ""}),
            "v1 Ringing Inbound hidden +74951234567 - - -",
        ),
    ] {
        let body = body(more);
        let text = body.to_string();
        says(&voximplant, &bearer(PATH, &body), &[wanted]);
        says(
            &generic,
            &support::standard_at(PATH, &body, now().timestamp(), &support::hex_sha256(&text)),
            &[wanted],
        );
        // As VoxEngine can sign.
        let at = now().timestamp().to_string();
        let request = support::post(PATH, "application/json", text.clone());
        let request = support::with_header(request, "x-timestamp", &at);
        let request = support::with_header(
            request,
            "x-signature",
            &hex::encode(support::sha256(TOKEN, format!("{at}.{text}"))),
        );
        says(&voximplant, &request, &[wanted]);
        let stale = support::with_header(request, "x-timestamp", &(now().timestamp() - 301).to_string());
        assert!(taken(voximplant.as_ref(), &stale).is_err());
    }
    nothing(
        &voximplant,
        &bearer(
            PATH,
            &json!({"callbacks": [{"callback_id": 1, "type": "min_balance"}]}),
        ),
    );
    unknown(&voximplant, &bearer(PATH, &body(json!({"event": "levitated"}))));
    // The same report under another webhook-id is the same event.
    let key = |id: &str| {
        taken(
            generic.as_ref(),
            &support::standard_at(PATH, &body(json!({"event": "ringing"})), now().timestamp(), id),
        )
        .unwrap()
        .remove(0)
        .0
    };
    assert_eq!(key("a"), key("b"));
    for (more, field) in [
        (json!({"event": null}), "event"),
        (json!({"event": "ringing", "call_id": null}), "call_id"),
        (json!({"event": "ringing", "at": "yesterday"}), "at"),
        (json!({"event": "ringing", "direction": "up"}), "direction"),
        (json!({"event": "ended", "disposition": "fine"}), "disposition"),
        (
            json!({"event": "recording", "recording_url": "file:///etc/passwd"}),
            "recording_url",
        ),
    ] {
        let answer = taken(voximplant.as_ref(), &bearer(PATH, &body(more)));
        let Err(switchboard_sdk::Rejection::Invalid(errors)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(errors[0].0, field);
    }
    assert!(
        calls(
            generic.as_ref(),
            &standard(PATH, &body(json!({"event": "ringing", "operator": "101"})))
        )[0]
        .1
        .leg
        .as_ref()
        .unwrap()
        .role
            == LegRole::Operator
    );
    let twilio_like = support::twilio(PATH, &[("CallSid", "CA1")]);
    assert!(
        taken(generic.as_ref(), &twilio_like).is_err(),
        "another provider's shape"
    );
}
