use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallParty, CallRecording, LegRole, PartyKind,
    RecordingKind, RecordingState,
};

use super::{Call, Disposition, MAX_CALL, MAX_RING, Report, State, fold, readiness};

fn at(secs: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(secs)
}

fn number(address: &str) -> CallParty {
    CallParty {
        kind: PartyKind::Number,
        address: address.to_owned(),
    }
}

fn operator(extension: &str) -> CallLeg {
    CallLeg {
        key: format!("leg-{extension}"),
        role: LegRole::Operator,
        extension: Some(extension.to_owned()),
    }
}

fn report(id: &str, secs: i64, kind: CallEventKind) -> Report {
    Report {
        id: id.to_owned(),
        at: at(secs),
        received_at: at(secs),
        event: CallEvent {
            call: "c1".to_owned(),
            kind,
            direction: Some(CallDirection::Inbound),
            from: Some(number("+998901234567")),
            own_number: Some("+74951234567".to_owned()),
            ..CallEvent::default()
        },
    }
}

fn with(mut report: Report, change: impl FnOnce(&mut CallEvent)) -> Report {
    change(&mut report.event);
    report
}

#[test]
fn an_answered_call_says_who_answered_and_how_long_they_talked() {
    let reports = [
        report("1", 0, CallEventKind::Started),
        with(report("2", 2, CallEventKind::Ringing), |event| {
            event.leg = Some(operator("101"))
        }),
        with(report("3", 2, CallEventKind::Ringing), |event| {
            event.leg = Some(operator("102"))
        }),
        with(report("4", 9, CallEventKind::Answered), |event| {
            event.leg = Some(operator("102"))
        }),
        report("5", 69, CallEventKind::Ended),
    ];
    let ringing = fold(&reports[..3], at(3)).unwrap();
    assert_eq!((ringing.state, ringing.ringing.len()), (State::Ringing, 2));
    let talking = fold(&reports[..4], at(20)).unwrap();
    assert_eq!((talking.state, talking.ringing.len()), (State::Answered, 0));
    let call = fold(&reports, at(70)).unwrap();
    assert_eq!(call.disposition, Some(Disposition::Answered));
    assert_eq!(call.extension.as_deref(), Some("102"));
    assert_eq!((call.ring_secs, call.talk_secs), (Some(9), Some(60)));
    assert_eq!(call.client, Some(number("+998901234567")));
}

#[test]
fn an_answer_that_is_heard_of_after_the_end_makes_a_missed_call_an_answered_one() {
    let end = report("5", 30, CallEventKind::Ended);
    let start = report("1", 0, CallEventKind::Started);
    let missed = fold(&[start.clone(), end.clone()], at(31)).unwrap();
    assert_eq!(missed.disposition, Some(Disposition::Missed));
    let late = with(report("3", 10, CallEventKind::Answered), |event| {
        event.leg = Some(operator("101"))
    });
    let call = fold(&[start, end, late], at(45)).unwrap();
    assert_eq!(
        (call.state, call.disposition),
        (State::Ended, Some(Disposition::Answered))
    );
    assert_eq!(call.talk_secs, Some(20));
}

#[test]
fn a_robot_that_picks_up_is_nobody_and_what_it_records_is_voicemail() {
    let robot = |role| {
        move |event: &mut CallEvent| {
            event.leg = Some(CallLeg {
                key: "robot".to_owned(),
                role,
                extension: None,
            });
        }
    };
    let menu = with(report("2", 1, CallEventKind::Answered), robot(LegRole::Ivr));
    let reports = [
        report("1", 0, CallEventKind::Started),
        menu,
        report("9", 40, CallEventKind::Ended),
    ];
    assert_eq!(
        fold(&reports, at(41)).unwrap().disposition,
        Some(Disposition::Missed)
    );
    let recorder = with(
        report("3", 20, CallEventKind::Answered),
        robot(LegRole::Voicemail),
    );
    let reports = [reports[0].clone(), recorder, reports[2].clone()];
    assert_eq!(
        fold(&reports, at(41)).unwrap().disposition,
        Some(Disposition::Voicemail)
    );
}

#[test]
fn a_report_of_the_end_alone_is_a_whole_call() {
    let end = with(report("1", 100, CallEventKind::Ended), |event| {
        event.ring_secs = Some(10);
        event.talk_secs = Some(60);
        event.end = Some(CallEnd::Answered);
    });
    let call = fold(&[end], at(101)).unwrap();
    assert_eq!((call.started_at, call.answered_at), (at(30), Some(at(40))));
    assert_eq!((call.ring_secs, call.talk_secs), (Some(10), Some(60)));
}

#[test]
fn a_recording_alone_is_no_call_yet() {
    let recording = with(report("1", 0, CallEventKind::Recording), |event| {
        event.recording = Some(CallRecording {
            key: "r".to_owned(),
            ..CallRecording::default()
        });
    });
    let parked = fold(std::slice::from_ref(&recording), at(100_000)).unwrap();
    assert!(!parked.shown && parked.ended_at.is_none() && parked.stale_at.is_none());
    let call = fold(&[recording, report("2", 5, CallEventKind::Ended)], at(6)).unwrap();
    assert_eq!((call.shown, call.recordings.len()), (true, 1));
}

#[test]
fn a_call_of_which_nothing_more_is_heard_ends_by_itself() {
    let start = report("1", 0, CallEventKind::Started);
    let last = at(0) + MAX_RING;
    assert_eq!(
        fold(std::slice::from_ref(&start), last - TimeDelta::seconds(1))
            .unwrap()
            .state,
        State::Ringing
    );
    let call = fold(std::slice::from_ref(&start), last).unwrap();
    assert_eq!(
        (call.stale, call.disposition, call.ended_at),
        (true, Some(Disposition::Missed), Some(last))
    );
    let answered = [start, report("2", 5, CallEventKind::Answered)];
    assert_eq!(fold(&answered, last).unwrap().state, State::Answered);
    let call = fold(&answered, at(5) + MAX_CALL).unwrap();
    assert_eq!(
        (call.state, call.disposition),
        (State::Ended, Some(Disposition::Answered))
    );
}

#[test]
fn an_outbound_call_is_with_whom_it_rings_and_ends_as_the_telephone_system_says() {
    let ring = |event: &mut CallEvent| {
        event.direction = Some(CallDirection::Outbound);
        event.from = Some(CallParty {
            kind: PartyKind::Extension,
            address: "101".to_owned(),
        });
        event.to = Some(number("+998901234567"));
    };
    let table = [
        (Some(CallEnd::Busy), Disposition::Busy),
        (Some(CallEnd::Rejected), Disposition::Busy),
        (Some(CallEnd::Canceled), Disposition::Canceled),
        (Some(CallEnd::Failed), Disposition::Failed),
        (Some(CallEnd::NoAnswer), Disposition::Missed),
        (None, Disposition::Missed),
    ];
    for (end, expected) in table {
        let start = with(report("1", 0, CallEventKind::Ringing), ring);
        let over = with(with(report("2", 20, CallEventKind::Ended), ring), |event| {
            event.end = end
        });
        let call = fold(&[start.clone(), over], at(21)).unwrap();
        assert_eq!(call.disposition, Some(expected), "{end:?}");
        assert_eq!(call.extension.as_deref(), Some("101"));
        assert_eq!(call.client, Some(number("+998901234567")));
        assert!(fold(&[start], at(1)).unwrap().ringing.is_empty());
    }
}

#[test]
fn a_hidden_caller_is_kept_as_one() {
    let hidden = with(report("1", 0, CallEventKind::Started), |event| {
        event.from = Some(CallParty::default())
    });
    assert_eq!(
        fold(&[hidden], at(1)).unwrap().client.unwrap().kind,
        PartyKind::Hidden
    );
}

#[test]
fn names_of_all_reports_belong_to_the_call() {
    let linked = with(report("2", 5, CallEventKind::Linked), |event| {
        event.aliases = vec!["c0".to_owned(), String::new()]
    });
    let call = fold(&[report("1", 0, CallEventKind::Started), linked], at(6)).unwrap();
    assert_eq!(call.names.into_iter().collect::<Vec<_>>(), ["c0", "c1"]);
}

fn any_kind() -> impl Strategy<Value = CallEventKind> {
    use CallEventKind::{Answered, Ended, LegEnded, Linked, Queued, Recording, Ringing, Started, Transcript};
    prop::sample::select(vec![
        Started, Queued, Ringing, Answered, LegEnded, Ended, Recording, Transcript, Linked,
    ])
}

fn any_role() -> impl Strategy<Value = LegRole> {
    use LegRole::{Client, Ivr, Operator, Other, Queue, Voicemail};
    prop::sample::select(vec![Client, Operator, Ivr, Voicemail, Queue, Other])
}

fn any_end() -> impl Strategy<Value = CallEnd> {
    use CallEnd::{Answered, Busy, Canceled, Failed, NoAnswer, Rejected, Voicemail};
    prop::sample::select(vec![
        Answered, NoAnswer, Busy, Canceled, Rejected, Failed, Voicemail,
    ])
}

fn any_party() -> impl Strategy<Value = CallParty> {
    use PartyKind::{Client, Extension, Hidden, Number, ShortCode, Sip};
    let kinds = prop::sample::select(vec![Number, ShortCode, Sip, Client, Extension, Hidden]);
    (kinds, 0_u8..3).prop_map(|(kind, who)| CallParty {
        kind,
        address: format!("party{who}"),
    })
}

fn any_recording() -> impl Strategy<Value = CallRecording> {
    use RecordingState::{Absent, Announced, Ready};
    let states = prop::sample::select(vec![Announced, Ready, Absent]);
    (0_u8..2, states, any::<bool>(), prop::option::of(0_u32..100)).prop_map(
        |(key, state, voicemail, secs)| CallRecording {
            key: format!("rec{key}"),
            url: Some(format!("https://pbx.example/{key}")),
            kind: if voicemail {
                RecordingKind::Voicemail
            } else {
                RecordingKind::Conversation
            },
            state,
            secs,
            expires_at: None,
        },
    )
}

/// A report about anything; of calls of one direction the direction itself may be left out.
fn any_event(direction: impl Strategy<Value = Option<CallDirection>>) -> impl Strategy<Value = CallEvent> {
    let leg =
        (0_u8..3, any_role(), prop::option::of(101_u8..104)).prop_map(|(key, role, extension)| CallLeg {
            key: format!("leg{key}"),
            role,
            extension: extension.map(|extension| extension.to_string()),
        });
    let whole = (
        any_kind(),
        direction,
        prop::option::of(any_party()),
        prop::option::of(any_party()),
    );
    let times = (
        prop::option::of(-50_i64..200),
        prop::option::of(-50_i64..200),
        prop::option::of(-50_i64..200),
        prop::option::of(0_u32..120),
        prop::option::of(0_u32..120),
    );
    let rest = (
        prop::option::of(leg),
        prop::option::of(any_end()),
        prop::option::of(any_recording()),
        prop::option::of("[a-z]{0,4}"),
        prop::option::of(0_i64..5),
        prop::collection::vec("c[0-3]", 0..2),
    );
    (whole, times, rest).prop_map(|((kind, direction, from, to), times, rest)| CallEvent {
        call: "c1".to_owned(),
        aliases: rest.5,
        kind,
        sequence: rest.4,
        direction,
        from,
        to,
        own_number: None,
        caller_name: rest.3.clone(),
        leg: rest.0,
        started_at: times.0.map(at),
        answered_at: times.1.map(at),
        ended_at: times.2.map(at),
        ring_secs: times.3,
        talk_secs: times.4,
        end: rest.1,
        cause: rest.3.clone(),
        recording: rest.2,
        transcript: rest.3,
    })
}

fn reports_of(
    direction: impl Strategy<Value = Option<CallDirection>> + Clone,
) -> impl Strategy<Value = Vec<Report>> {
    prop::collection::vec((any_event(direction), 0_i64..100, 0_i64..30), 1..9).prop_map(|events| {
        let stored = events.into_iter().enumerate();
        stored
            .map(|(id, (event, happened, late))| Report {
                id: format!("e{id}"),
                at: at(happened),
                received_at: at(happened + late),
                event,
            })
            .collect()
    })
}

fn any_reports() -> impl Strategy<Value = Vec<Report>> {
    use CallDirection::{Inbound, Internal, Outbound};
    reports_of(prop::sample::select(vec![
        None,
        Some(Inbound),
        Some(Outbound),
        Some(Internal),
    ]))
}

fn one_direction() -> impl Strategy<Value = Vec<Report>> {
    use CallDirection::{Inbound, Internal, Outbound};
    prop::sample::select(vec![Inbound, Outbound, Internal])
        .prop_flat_map(|direction| reports_of(prop::sample::select(vec![None, Some(direction)])))
}

fn holds_together(call: &Call) {
    let ended = call.state == State::Ended;
    assert_eq!(call.ended_at.is_some(), ended, "{call:?}");
    assert_eq!(call.disposition.is_some(), ended, "{call:?}");
    if let Some(answered) = call.answered_at {
        assert!(call.started_at <= answered, "{call:?}");
        assert_ne!(call.state, State::Ringing, "{call:?}");
        if ended {
            assert_eq!(call.disposition, Some(Disposition::Answered), "{call:?}");
        }
    }
    if call.state == State::Answered || call.disposition == Some(Disposition::Answered) {
        assert!(call.answered_at.is_some(), "{call:?}");
    }
    if let Some(end) = call.ended_at {
        assert!(
            call.started_at <= end && call.answered_at.is_none_or(|answered| answered <= end),
            "{call:?}"
        );
        let counted = call.ring_secs.unwrap_or(0) + call.talk_secs.unwrap_or(0);
        assert!(
            counted <= (end - call.started_at).num_seconds() && call.ring_secs >= Some(0),
            "{call:?}"
        );
    }
    assert!(
        call.talk_secs.is_none() || (ended && call.answered_at.is_some()),
        "{call:?}"
    );
    assert!(
        call.ringing.is_empty() || call.state == State::Ringing,
        "{call:?}"
    );
    assert!(!call.stale || ended, "{call:?}");
    assert!(call.names.contains("c1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_order_and_any_repetition_give_the_same_call(
        reports in any_reports(),
        seed in any::<prop::sample::Index>(),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        now in 0_i64..20_000,
    ) {
        let whole = fold(&reports, at(now)).unwrap();
        holds_together(&whole);
        let mut mixed = reports.clone();
        for index in again {
            mixed.push(index.get(&reports).clone());
        }
        let turn = seed.index(mixed.len());
        mixed.rotate_left(turn);
        mixed.reverse();
        prop_assert_eq!(fold(&mixed, at(now)).unwrap(), whole);
    }

    #[test]
    fn every_permutation_of_a_few_reports_gives_the_same_call(
        (reports, mixed) in any_reports().prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle())),
        now in 0_i64..20_000,
    ) {
        prop_assert_eq!(fold(&mixed, at(now)), fold(&reports, at(now)));
    }

    #[test]
    fn what_some_of_the_reports_say_all_of_them_say(
        reports in one_direction(),
        kept in prop::collection::vec(any::<bool>(), 9),
    ) {
        // Before anything ends by itself.
        let now = at(-1_000);
        let some: Vec<Report> = reports
            .iter()
            .zip(kept)
            .filter(|(_, kept)| *kept)
            .map(|(report, _)| report.clone())
            .collect();
        let whole = fold(&reports, now).unwrap();
        let Some(part) = fold(&some, now) else { return Ok(()) };
        holds_together(&part);
        holds_together(&whole);
        prop_assert!(part.names.is_subset(&whole.names));
        prop_assert!(part.state <= whole.state);
        prop_assert!(!part.shown || whole.shown);
        prop_assert!(!part.shown || whole.started_at <= part.started_at);
        prop_assert!(part.ended_at.is_none() || whole.ended_at >= part.ended_at);
        prop_assert!(part.answered_at.is_none() || whole.answered_at.is_some());
        prop_assert!(part.disposition != Some(Disposition::Answered) || whole.disposition == part.disposition);
        prop_assert!(part.direction.is_none() || whole.direction == part.direction);
        // A number that turns out to be the company's own is no client's.
        let ours = part.client.as_ref().is_some_and(|client| Some(&client.address) == whole.own_number.as_ref());
        prop_assert!(part.client.is_none() || whole.client.is_some() || ours);
        prop_assert!(part.caller_name.is_none() || whole.caller_name.is_some());
        prop_assert!(part.transcript.is_none() || whole.transcript.is_some());
        for recording in &part.recordings {
            let known = whole.recordings.iter().find(|known| known.key == recording.key).unwrap();
            prop_assert!(readiness(known.state) >= readiness(recording.state));
            prop_assert!(known.secs >= recording.secs);
        }
        for leg in &part.legs {
            let known = whole.legs.iter().find(|known| known.key == leg.key);
            // A telephone may get its name by a further report; which end of the call is ours is a guess until the
            // direction is known.
            let guessed = part.direction != whole.direction;
            prop_assert!(guessed || known.is_none_or(|known| known.state >= leg.state));
        }
    }
}
