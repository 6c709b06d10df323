//! What Twilio's reports of a call mean. A call is a tree of legs: the first is the call, its children are who was rung.

use chrono::{DateTime, Utc};
use switchboard_sdk::{
    CallDirection, CallEnd, CallEvent, CallEventKind, CallLeg, CallParty, CallRecording, InboundEvent,
    LegRole, PartyKind, RecordingKind, RecordingState,
};

use crate::{
    number::{self, Written},
    push::{LEG, Params, Push},
};

/// Twilio asks what to do with the call, rather than telling what became of it.
pub fn is_voice_url(form: &Params) -> bool {
    let asks = matches!(form.get("CallStatus"), Some("ringing" | "in-progress"));
    asks && form.get("CallbackSource").is_none()
        && form.get("SequenceNumber").is_none()
        && form.get("DialCallStatus").is_none()
        && form.get("RecordingSid").is_none()
        && form.get("TranscriptionSid").is_none()
}

/// One report of Twilio's.
pub struct Report<'a> {
    pub push: &'a Push<'a>,
    pub form: &'a Params,
}

impl Report<'_> {
    /// What it says.
    pub fn events(&self) -> Vec<InboundEvent> {
        let form = self.form;
        let Some(sid) = form.get("CallSid") else {
            return vec![self.push.unknown("Twilio names no call (CallSid)")];
        };
        if let Some(transcription) = form.get("TranscriptionSid") {
            return self.transcript(sid, transcription);
        }
        let recording = self.recording(sid);
        if form.get("DialCallStatus").is_some() {
            return self
                .dialled(sid)
                .into_iter()
                .chain(self.after_dial(sid))
                .chain(recording)
                .collect();
        }
        // A callback about a recording alone; `<Record>`'s action has the state of the call with it.
        if form.get("RecordingStatus").is_some() {
            return recording.into_iter().collect();
        }
        match (self.status(sid), recording) {
            (None, None) => vec![self.push.unknown(format!(
                "Twilio's CallStatus {:?} is not known",
                form.get("CallStatus").unwrap_or_default()
            ))],
            (status, recording) => status.into_iter().chain(recording).collect(),
        }
    }

    /// Which leg of a call back it is, by the address this server gave Twilio.
    fn marked(&self) -> Option<String> {
        self.push.query().get(LEG).map(str::to_owned)
    }

    fn at(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc2822(self.form.get("Timestamp")?)
            .ok()
            .map(|at| at.to_utc())
    }

    fn party(&self, name: &str) -> CallParty {
        self.push.rules.party(self.form.raw(name), Written::Either)
    }

    fn event(&self, call: &str, kind: CallEventKind) -> CallEvent {
        CallEvent {
            call: number::clean(call),
            kind,
            sequence: self.form.get("SequenceNumber").and_then(|text| text.parse().ok()),
            caller_name: self.form.get("CallerName").map(number::clean),
            ..CallEvent::default()
        }
    }

    fn status(&self, sid: &str) -> Option<InboundEvent> {
        let status = self.form.get("CallStatus")?;
        let event = match self.form.get("ParentCallSid") {
            Some(parent) => self.child(parent, sid, status)?,
            None => self.whole(sid, status)?,
        };
        let sequence = self.form.get("SequenceNumber").unwrap_or("-");
        Some(
            self.push
                .event(&["status", sid, status, sequence], self.at(), event),
        )
    }

    /// The call itself: the client's leg of an inbound one, the first leg of one that was begun here.
    fn whole(&self, sid: &str, status: &str) -> Option<CallEvent> {
        let outbound = self
            .form
            .get("Direction")
            .is_some_and(|direction| direction.starts_with("outbound"));
        // Click to call: the first leg is the operator's telephone, and the client comes as its child.
        let operator_first = self.marked().as_deref() == Some("operator");
        let seconds = self.form.number("CallDuration");
        let end = match status {
            "busy" => Some(CallEnd::Busy),
            "no-answer" => Some(CallEnd::NoAnswer),
            "canceled" => Some(CallEnd::Canceled),
            "failed" => Some(CallEnd::Failed),
            // Inbound, a robot that said good-bye ends so too.
            "completed" if outbound && !operator_first && seconds.is_some_and(|secs| secs > 0) => {
                Some(CallEnd::Answered)
            }
            _ => None,
        };
        let kind = match status {
            "queued" | "initiated" => CallEventKind::Started,
            "ringing" if outbound && !operator_first => CallEventKind::Ringing,
            "in-progress" | "answered" if outbound && !operator_first => CallEventKind::Answered,
            "ringing" | "in-progress" | "answered" => CallEventKind::Started,
            "completed" | "busy" | "no-answer" | "canceled" | "failed" => CallEventKind::Ended,
            _ => return None,
        };
        let (from, to) = (self.party("From"), self.party("To"));
        let own = if outbound { "From" } else { "To" };
        let mut event = CallEvent {
            direction: Some(if outbound {
                CallDirection::Outbound
            } else {
                CallDirection::Inbound
            }),
            own_number: self.push.rules.own(self.form.raw(own), Written::Either),
            end,
            talk_secs: seconds.filter(|_| end == Some(CallEnd::Answered)),
            cause: self
                .form
                .get("SipResponseCode")
                .map(|code| format!("SIP {}", number::clean(code))),
            ..self.event(sid, kind)
        };
        if operator_first {
            // Who is called back is told by the second leg.
            event.leg = Some(self.leg(sid, LegRole::Operator, "To"));
        } else {
            // Browser telephones ring out from `client:…`: the company's, whatever the direction says.
            if !outbound && matches!(from.kind, PartyKind::Extension | PartyKind::Client) {
                event.direction = Some(CallDirection::Outbound);
                event.own_number = None;
            }
            (event.from, event.to) = (Some(from), Some(to));
        }
        Some(event)
    }

    /// A leg that a `<Dial>` began: an operator's telephone, or on a call back the client's.
    fn child(&self, parent: &str, sid: &str, status: &str) -> Option<CallEvent> {
        let client = self.is_clients_leg();
        let kind = match status {
            "queued" | "initiated" => CallEventKind::Started,
            "ringing" => CallEventKind::Ringing,
            "in-progress" | "answered" => CallEventKind::Answered,
            "completed" | "busy" | "no-answer" | "canceled" | "failed" => CallEventKind::LegEnded,
            _ => return None,
        };
        let mut event = self.event(parent, kind);
        event.aliases = vec![number::clean(sid)];
        event.end = dial_end(status);
        event.talk_secs = self.form.number("CallDuration").filter(|_| status == "completed");
        event.leg = Some(self.leg(
            sid,
            if client {
                LegRole::Client
            } else {
                LegRole::Operator
            },
            "To",
        ));
        if client {
            event.direction = Some(CallDirection::Outbound);
            event.from = self.push.caller();
            event.to = Some(self.party("To"));
            event.own_number = self.push.rules.own(self.form.raw("From"), Written::Either);
        }
        Some(event)
    }

    fn leg(&self, sid: &str, role: LegRole, field: &str) -> CallLeg {
        CallLeg {
            key: number::clean(sid),
            role,
            extension: (role == LegRole::Operator)
                .then(|| self.push.rules.said_extension(self.form.raw(field)))
                .flatten(),
        }
    }

    /// What came of a `<Dial>`.
    fn dialled(&self, sid: &str) -> Option<InboundEvent> {
        let status = self.form.get("DialCallStatus")?;
        let dialled = self.form.get("DialCallSid").unwrap_or("dial");
        let client = self.marked().as_deref() == Some("client");
        let mut event = self.event(sid, CallEventKind::LegEnded);
        event.end = Some(dial_end(status).unwrap_or(CallEnd::Failed));
        event.talk_secs = self.form.number("DialCallDuration");
        // Twilio names the leg and not who was at its end: what the leg's own reports say fills it.
        event.leg = Some(CallLeg {
            key: number::clean(dialled),
            role: if client {
                LegRole::Client
            } else {
                LegRole::Operator
            },
            extension: None,
        });
        let from = self.party("From");
        // Browser telephones ring out by a `<Dial>`, too.
        if !client && !matches!(from.kind, PartyKind::Extension | PartyKind::Client) {
            event.direction = Some(CallDirection::Inbound);
            event.from = Some(from);
            event.own_number = self.push.rules.own(self.form.raw("To"), Written::Either);
        }
        Some(self.push.event(&["dial", sid, dialled, status], self.at(), event))
    }

    /// After a `<Dial>` of this server there is no further instruction: the call is over.
    fn after_dial(&self, sid: &str) -> Option<InboundEvent> {
        let ours = !self.push.query().raw("after").is_empty();
        ours.then(|| {
            self.push
                .event(&["after", sid], None, self.event(sid, CallEventKind::Ended))
        })
    }

    /// A leg to a client: of a call back, or of an operator who dials from a browser and shows an own number.
    fn is_clients_leg(&self) -> bool {
        match self.marked().as_deref() {
            Some(marked) => marked == "client",
            None => {
                let to = self.party("To");
                to.kind == PartyKind::Number && self.push.rules.is_own(self.form.raw("From"), Written::Either)
            }
        }
    }

    fn recording(&self, sid: &str) -> Option<InboundEvent> {
        let form = self.form;
        let url = form.get("RecordingUrl");
        let recording = form.get("RecordingSid").or_else(|| url?.rsplit('/').next())?;
        let status = form.get("RecordingStatus").unwrap_or("completed");
        let state = match status {
            "in-progress" => RecordingState::Announced,
            "absent" | "failed" => RecordingState::Absent,
            _ => RecordingState::Ready,
        };
        // `<Record>` is an answering machine; everything else records a conversation.
        let voicemail = form.get("RecordingSource") == Some("RecordVerb")
            || (form.get("RecordingSource").is_none()
                && form.get("RecordingStatus").is_none()
                && form.get("DialCallStatus").is_none());
        let call = form.get("ParentCallSid").unwrap_or(sid);
        let mut event = self.event(call, CallEventKind::Recording);
        if call != sid {
            event.aliases = vec![number::clean(sid)];
        }
        event.sequence = None;
        event.recording = Some(CallRecording {
            key: number::clean(recording),
            url: url.map(str::to_owned).filter(|_| state == RecordingState::Ready),
            kind: if voicemail {
                RecordingKind::Voicemail
            } else {
                RecordingKind::Conversation
            },
            state,
            secs: form.number("RecordingDuration"),
            expires_at: None,
        });
        let at = form
            .get("RecordingStartTime")
            .and_then(|text| DateTime::parse_from_rfc2822(text).ok())
            .map(|at| at.to_utc());
        Some(self.push.event(
            &["recording", recording, status],
            at.filter(|_| state == RecordingState::Announced),
            event,
        ))
    }

    fn transcript(&self, sid: &str, transcription: &str) -> Vec<InboundEvent> {
        let mut event = self.event(sid, CallEventKind::Transcript);
        // Twilio could not make it out: nothing to show, and nothing to look into.
        let Some(words) = self
            .form
            .get("TranscriptionText")
            .filter(|_| self.form.get("TranscriptionStatus") != Some("failed"))
        else {
            return Vec::new();
        };
        event.transcript = Some(words.to_owned());
        vec![self.push.event(&["transcript", transcription], None, event)]
    }
}

fn dial_end(status: &str) -> Option<CallEnd> {
    Some(match status {
        "completed" | "answered" => CallEnd::Answered,
        "busy" => CallEnd::Busy,
        "no-answer" => CallEnd::NoAnswer,
        "canceled" => CallEnd::Canceled,
        "failed" => CallEnd::Failed,
        _ => return None,
    })
}
