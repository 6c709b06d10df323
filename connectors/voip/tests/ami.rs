//! Asterisk's manager interface: what it says of calls, what becomes of calls when the connection is lost, and
//! whom it rings.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "support/ami.rs"]
mod server;
mod support;

use std::sync::Arc;

use serde_json::json;
use server::{Asterisk, SECRET, value};
use support::{built, settings};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CancellationToken, Connector, Fault, InboundBody,
    LegRole, SendError,
};
use switchboard_testkit::MemoryIntake;
use tokio::task::JoinHandle;

fn connector(asterisk: &Asterisk, secret: &str) -> Arc<dyn Connector> {
    let mut settings = settings("asterisk", json!({"ami_secret": secret}));
    settings["ami"] = json!({"host": "127.0.0.1", "port": asterisk.port, "username": "switchboard"});
    settings["api_url"] = json!("https://pbx.example/monitor");
    built(settings)
}

struct Run {
    stop: CancellationToken,
    task: JoinHandle<Result<(), Fault>>,
}

impl Run {
    fn start(connector: &Arc<dyn Connector>, intake: &MemoryIntake) -> Self {
        let stop = CancellationToken::new();
        let (connector, intake, token) = (Arc::clone(connector), intake.clone(), stop.clone());
        let task =
            tokio::spawn(async move { connector.receiver().unwrap().run(intake.shared(), token).await });
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

fn calls(intake: &MemoryIntake) -> Vec<CallEvent> {
    let call = |body: InboundBody| match body {
        InboundBody::Call(call) => *call,
        other => panic!("{other:?}"),
    };
    intake
        .events()
        .into_iter()
        .map(|event| call(event.body))
        .collect()
}

/// An inbound call to a group of two, recorded: the shapes of Asterisk 20 with a queue of Local channels.
fn inbound(asterisk: &Asterisk) {
    let (client, local, one, two) = ("1767607200.1", "1767607201.2", "1767607201.4", "1767607201.5");
    let event = |name: &str, fields: &[(&str, &str)]| asterisk.event(name, fields);
    event(
        "Newchannel",
        &[
            ("Channel", "PJSIP/trunk-mtt-00000001"),
            ("ChannelState", "4"),
            ("ChannelStateDesc", "Ring"),
            ("CallerIDNum", "89161234567"),
            ("CallerIDName", "<unknown>"),
            ("ConnectedLineNum", "<unknown>"),
            ("Exten", "74951234567"),
            ("Context", "from-trunk"),
            ("Uniqueid", client),
            ("Linkedid", client),
            ("Timestamp", "1767607195.5"),
        ],
    );
    event(
        "VarSet",
        &[
            ("Channel", "PJSIP/trunk-mtt-00000001"),
            ("Variable", "MIXMONITOR_FILENAME"),
            ("Value", "/var/spool/asterisk/monitor/2026/01/05/in-1 2.wav"),
            ("Uniqueid", client),
            ("Linkedid", client),
        ],
    );
    event(
        "QueueCallerJoin",
        &[
            ("Channel", "PJSIP/trunk-mtt-00000001"),
            ("Queue", "sales"),
            ("Position", "1"),
            ("Uniqueid", client),
            ("Linkedid", client),
        ],
    );
    event(
        "Newchannel",
        &[
            ("Channel", "Local/101@from-queue-00000000;1"),
            ("Exten", "101"),
            ("Uniqueid", local),
            ("Linkedid", client),
        ],
    );
    event(
        "DialBegin",
        &[
            ("Channel", "PJSIP/trunk-mtt-00000001"),
            ("Uniqueid", client),
            ("Linkedid", client),
            ("DestChannel", "Local/101@from-queue-00000000;1"),
            ("DestUniqueid", local),
            ("DestLinkedid", client),
            ("DialString", "101@from-queue/n"),
        ],
    );
    for (unique, channel) in [(one, "PJSIP/101-00000002"), (two, "PJSIP/102-00000003")] {
        event(
            "Newchannel",
            &[
                ("Channel", channel),
                ("Exten", ""),
                ("Uniqueid", unique),
                ("Linkedid", client),
            ],
        );
        event(
            "DialBegin",
            &[
                ("Channel", "Local/101@from-queue-00000000;2"),
                ("Uniqueid", "1767607201.3"),
                ("Linkedid", client),
                ("DestChannel", channel),
                ("DestUniqueid", unique),
                ("DestLinkedid", client),
                ("DialString", "101"),
            ],
        );
    }
    event(
        "DialEnd",
        &[
            ("Linkedid", client),
            ("DestChannel", "PJSIP/102-00000003"),
            ("DestUniqueid", two),
            ("DestLinkedid", client),
            ("DialStatus", "CANCEL"),
        ],
    );
    event(
        "Hangup",
        &[
            ("Channel", "PJSIP/102-00000003"),
            ("Uniqueid", two),
            ("Linkedid", client),
            ("Cause", "26"),
            ("Cause-txt", "Answered elsewhere"),
        ],
    );
    event(
        "DialEnd",
        &[
            ("Linkedid", client),
            ("DestChannel", "PJSIP/101-00000002"),
            ("DestUniqueid", one),
            ("DestLinkedid", client),
            ("DialStatus", "ANSWER"),
        ],
    );
    event(
        "BridgeEnter",
        &[
            ("Channel", "PJSIP/101-00000002"),
            ("Uniqueid", one),
            ("Linkedid", client),
        ],
    );
    for (unique, channel) in [
        (local, "Local/101@from-queue-00000000;1"),
        (one, "PJSIP/101-00000002"),
        (client, "PJSIP/trunk-mtt-00000001"),
    ] {
        event(
            "Hangup",
            &[
                ("Channel", channel),
                ("Uniqueid", unique),
                ("Linkedid", client),
                ("Cause", "16"),
                ("Cause-txt", "Normal Clearing"),
            ],
        );
    }
}

#[tokio::test]
async fn an_inbound_call_of_a_queue_is_told_from_beginning_to_end() {
    let asterisk = Asterisk::start().await;
    let (connector, intake) = (connector(&asterisk, SECRET), MemoryIntake::new());
    let run = Run::start(&connector, &intake);
    asterisk.listened().await;
    inbound(&asterisk);
    intake.wait_stored(10).await;
    run.stop().await;
    let all = calls(&intake);
    let kinds: Vec<CallEventKind> = all.iter().map(|call| call.kind).collect();
    use CallEventKind::{Answered, Ended, LegEnded, Queued, Recording, Ringing, Started};
    assert_eq!(
        kinds,
        [
            Started, Queued, Ringing, Ringing, LegEnded, LegEnded, Answered, LegEnded, Ended, Recording
        ]
    );
    assert!(all.iter().all(|call| call.call == "1767607200.1"));
    assert_eq!(all[0].direction, Some(CallDirection::Inbound));
    assert_eq!(all[0].from.as_ref().unwrap().address, "+79161234567");
    assert_eq!(all[0].own_number.as_deref(), Some("+74951234567"));
    assert_eq!(
        intake.events()[0].at.to_rfc3339(),
        "2026-01-05T09:59:55.500+00:00"
    );
    let extensions: Vec<Option<String>> = all
        .iter()
        .map(|call| call.leg.as_ref().and_then(|leg| leg.extension.clone()))
        .collect();
    assert_eq!(
        (
            extensions[2].as_deref(),
            extensions[3].as_deref(),
            extensions[6].as_deref()
        ),
        (Some("101"), Some("102"), Some("101"))
    );
    assert_eq!(all[4].end, Some(CallEnd::Canceled));
    assert_eq!(all[8].cause.as_deref(), Some("Normal Clearing"));
    assert_eq!(
        all[9].recording.as_ref().unwrap().url.as_deref(),
        Some("https://pbx.example/monitor/2026/01/05/in-1%202.wav")
    );
}

#[tokio::test]
async fn an_outbound_call_and_a_transfer_are_told() {
    let asterisk = Asterisk::start().await;
    let (connector, intake) = (connector(&asterisk, SECRET), MemoryIntake::new());
    let run = Run::start(&connector, &intake);
    asterisk.listened().await;
    asterisk.event(
        "Newchannel",
        &[
            ("Channel", "PJSIP/101-00000010"),
            ("CallerIDNum", "101"),
            ("Exten", "89161234567"),
            ("Uniqueid", "1.10"),
            ("Linkedid", "1.10"),
        ],
    );
    asterisk.event(
        "DialBegin",
        &[
            ("Channel", "PJSIP/101-00000010"),
            ("Uniqueid", "1.10"),
            ("Linkedid", "1.10"),
            ("DestChannel", "PJSIP/trunk-mtt-00000011"),
            ("DestUniqueid", "1.11"),
            ("DestLinkedid", "1.10"),
            ("DialString", "trunk-mtt/sip:79161234567@sip.example"),
        ],
    );
    asterisk.event(
        "DialEnd",
        &[
            ("Linkedid", "1.10"),
            ("DestChannel", "PJSIP/trunk-mtt-00000011"),
            ("DestUniqueid", "1.11"),
            ("DestLinkedid", "1.10"),
            ("Channel", "PJSIP/101-00000010"),
            ("DialStatus", "ANSWER"),
        ],
    );
    // Bridged into an older call, it takes its name.
    asterisk.event(
        "BridgeEnter",
        &[
            ("Channel", "PJSIP/trunk-mtt-00000011"),
            ("Uniqueid", "1.11"),
            ("Linkedid", "1.5"),
        ],
    );
    intake.wait_stored(4).await;
    run.stop().await;
    let all = calls(&intake);
    assert_eq!(all[0].direction, Some(CallDirection::Outbound));
    assert_eq!(all[0].to.as_ref().unwrap().address, "+79161234567");
    assert_eq!(all[0].leg.as_ref().unwrap().extension.as_deref(), Some("101"));
    assert_eq!(
        (all[1].kind, all[1].leg.as_ref().unwrap().role),
        (CallEventKind::Ringing, LegRole::Client)
    );
    assert_eq!(all[1].to.as_ref().unwrap().address, "+79161234567");
    assert_eq!(all[2].kind, CallEventKind::Answered);
    assert_eq!(
        all[2].from.as_ref().unwrap().address,
        "101",
        "who talks to the client"
    );
    assert_eq!(
        (all[3].kind, all[3].call.as_str(), all[3].aliases.as_slice()),
        (CallEventKind::Linked, "1.5", ["1.10".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn calls_that_ended_while_the_connection_was_lost_are_ended_and_others_go_on() {
    let asterisk = Asterisk::start().await;
    let (connector, intake) = (connector(&asterisk, SECRET), MemoryIntake::new());
    let run = Run::start(&connector, &intake);
    asterisk.listened().await;
    let one = [
        ("Channel", "PJSIP/trunk-a-1"),
        ("CallerIDNum", "+79161234567"),
        ("Exten", "+74951234567"),
        ("Uniqueid", "2.1"),
        ("Linkedid", "2.1"),
    ];
    let two = [
        ("Channel", "PJSIP/trunk-a-2"),
        ("CallerIDNum", "+79167654321"),
        ("Exten", "+74951234567"),
        ("Uniqueid", "2.2"),
        ("Linkedid", "2.2"),
    ];
    asterisk.event("Newchannel", &one);
    asterisk.event("Newchannel", &two);
    intake.wait_stored(2).await;
    asterisk.hang_up();
    assert!(
        matches!(run.task.await.unwrap(), Err(Fault::Temporary(_))),
        "the supervisor begins anew"
    );
    let agent = [
        ("Channel", "PJSIP/101-7"),
        ("ChannelStateDesc", "Up"),
        ("BridgeId", "b-1"),
        ("Uniqueid", "2.7"),
        ("Linkedid", "2.2"),
    ];
    asterisk.has(&[&two, &agent]);
    let again = Run::start(&connector, &intake);
    intake.wait_stored(4).await;
    again.stop().await;
    let all = calls(&intake);
    assert_eq!(
        (all[2].kind, all[2].call.as_str()),
        (CallEventKind::Answered, "2.2")
    );
    assert_eq!((all[3].kind, all[3].call.as_str()), (CallEventKind::Ended, "2.1"));
    assert_eq!(intake.external_ids().len(), 4, "{:?}", intake.external_ids());
}

#[tokio::test]
async fn a_wrong_secret_is_a_matter_for_a_person_and_the_next_active_one_is_tried() {
    let asterisk = Asterisk::start().await;
    let wrong = connector(&asterisk, "wrong");
    let run = Run::start(&wrong, &MemoryIntake::new());
    let Err(Fault::Permanent(reason)) = run.task.await.unwrap() else {
        panic!("no fault")
    };
    assert!(
        reason.contains("manager.conf") && !reason.contains("wrong"),
        "{reason}"
    );
    let mut both = settings("asterisk", json!({"ami_secret": ["wrong", SECRET]}));
    both["ami"] = json!({"host": "127.0.0.1", "port": asterisk.port, "username": "switchboard"});
    assert!(built(both).check().await.unwrap().contains("Logged in"));
    let logins = asterisk.asked("Login");
    assert!(
        logins
            .iter()
            .all(|fields| fields.iter().all(|(_, text)| text != SECRET && text != "wrong")),
        "never in the clear"
    );
}

#[tokio::test]
async fn a_click_rings_the_operator_and_then_the_client() {
    let asterisk = Asterisk::start().await;
    let connector = connector(&asterisk, SECRET);
    let telephony = connector.telephony().unwrap();
    assert!(telephony.dials());
    telephony.dial("101", "+79161234567", "dial_1").await.unwrap();
    let asked = asterisk.asked("Originate").remove(0);
    for (name, wanted) in [
        ("Channel", "PJSIP/101"),
        ("Context", "from-internal"),
        ("Exten", "+79161234567"),
        ("Async", "true"),
        ("ActionID", "dial_1"),
    ] {
        assert_eq!(value(&asked, name), wanted, "{name}");
    }
    let refused = telephony.dial("404", "+79161234567", "dial_2").await;
    assert!(matches!(refused, Err(SendError::Refused { .. })), "{refused:?}");
    let injected = telephony
        .dial("101", "+7916\r\nApplication: System", "dial_3")
        .await;
    assert!(matches!(injected, Err(SendError::Refused { .. })), "{injected:?}");
    assert_eq!(asterisk.asked("Originate").len(), 2);
}
