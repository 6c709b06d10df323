//! What the manager interface's events mean for calls. Pure: channels in, reports out.
//!
//! Asterisk orders events per channel and nowhere else, doubles everything by `Local` channels, and lets a call's
//! name (`Linkedid`) change when channels are bridged: the name of the oldest channel wins.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use switchboard_sdk::{
    CallDirection, CallEvent, CallEventKind, CallLeg, CallParty, CallRecording, InboundBody, InboundEvent,
    LegRole, PartyKind,
};

use super::wire::Message;
use crate::{
    number::{self, Written},
    proof,
    provider::asterisk::{channel_name, end},
    push::external_id,
    rules::Rules,
};

/// Most channels that are followed at once; more are a telephone system's of another size.
const MAX_CHANNELS: usize = 5000;
/// How far into the future its clock may be believed.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// Channels that are there now.
pub struct Calls<'a> {
    rules: &'a Rules,
    /// Where recordings are served.
    recordings: Option<&'a str>,
    channels: BTreeMap<String, Channel>,
    /// Recordings that are being written, by call.
    files: BTreeMap<String, String>,
    /// Calls that were there when the connection was lost.
    before: Vec<String>,
}

#[derive(Debug, Clone)]
struct Channel {
    /// The call it belongs to.
    linked: String,
    role: LegRole,
    extension: Option<String>,
}

impl<'a> Calls<'a> {
    /// With the calls that were there before.
    pub fn new(rules: &'a Rules, recordings: Option<&'a str>, cursor: Option<&Value>) -> Self {
        let before = cursor
            .and_then(|value| value.get("calls")?.as_array().cloned())
            .unwrap_or_default();
        Self {
            rules,
            recordings,
            channels: BTreeMap::new(),
            files: BTreeMap::new(),
            before: before
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// The calls that are there now: what a new connection compares with.
    pub fn cursor(&self) -> Value {
        let mut calls: Vec<&str> = self
            .channels
            .values()
            .map(|channel| channel.linked.as_str())
            .chain(self.before.iter().map(String::as_str))
            .collect();
        calls.sort_unstable();
        calls.dedup();
        json!({"calls": calls})
    }

    /// What an event says of calls.
    pub fn read(&mut self, message: &Message, now: DateTime<Utc>) -> Vec<InboundEvent> {
        let at = message
            .get("Timestamp")
            .and_then(|text| text.parse::<f64>().ok())
            .and_then(|secs| DateTime::from_timestamp_micros((secs * 1e6) as i64))
            .filter(|at| *at <= now + AHEAD && *at > DateTime::UNIX_EPOCH)
            .unwrap_or(now);
        let mut said = self.renamed(message);
        said.extend(match message.event() {
            Some("Newchannel") => self.begun(message),
            Some("CoreShowChannel") => self.found(message),
            Some("CoreShowChannelsComplete") => self.vanished(),
            Some("DialBegin") => self.rings(message).into_iter().collect(),
            Some("DialEnd") => self.dialled(message).into_iter().collect(),
            Some("QueueCallerJoin") => self.queued(message).into_iter().collect(),
            Some("Hangup") => self.over(message),
            Some("VarSet") => self.variable(message),
            _ => Vec::new(),
        });
        said.into_iter()
            .map(|(key, call)| InboundEvent {
                external_id: external_id(&["ami", &key]),
                at,
                body: InboundBody::Call(Box::new(call)),
            })
            .collect()
    }

    fn event(linked: &str, kind: CallEventKind) -> CallEvent {
        CallEvent {
            call: number::clean(linked),
            kind,
            ..CallEvent::default()
        }
    }

    /// The operator's extension that a channel is of, if it is of one: `PJSIP/101-0000002a`. Trunks have names.
    fn extension(&self, channel: &str) -> Option<String> {
        let name = channel_name(channel);
        let short = (2..=6).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit());
        self.rules.extension(&name).or_else(|| short.then_some(name))
    }

    /// A channel that another name is given to: both names are one call.
    fn renamed(&mut self, message: &Message) -> Vec<(String, CallEvent)> {
        let mut said = Vec::new();
        for (unique, linked) in [("Uniqueid", "Linkedid"), ("DestUniqueid", "DestLinkedid")] {
            let (Some(unique), Some(linked)) = (message.get(unique), message.get(linked)) else {
                continue;
            };
            let Some(known) = self.channels.get_mut(unique) else {
                continue;
            };
            if known.linked != linked {
                let old = std::mem::replace(&mut known.linked, linked.to_owned());
                let mut event = Self::event(linked, CallEventKind::Linked);
                event.aliases = vec![old.clone()];
                said.push((format!("linked:{old}:{linked}"), event));
            }
        }
        said
    }

    fn know(&mut self, message: &Message) -> Option<(String, String, Option<String>)> {
        let (channel, unique) = (message.get("Channel")?, message.get("Uniqueid")?);
        let linked = message.get("Linkedid").unwrap_or(unique);
        // Two halves of a pipe, and nobody's telephone.
        let extension = if is_local(channel) {
            None
        } else {
            self.extension(channel)
        };
        let role = match (&extension, is_local(channel)) {
            (_, true) => LegRole::Other,
            (Some(_), _) => LegRole::Operator,
            _ => LegRole::Client,
        };
        if self.channels.len() < MAX_CHANNELS {
            self.channels.insert(
                unique.to_owned(),
                Channel {
                    linked: linked.to_owned(),
                    role,
                    extension: extension.clone(),
                },
            );
        }
        Some((unique.to_owned(), linked.to_owned(), extension))
    }

    fn begun(&mut self, message: &Message) -> Vec<(String, CallEvent)> {
        let channel = message.get("Channel").unwrap_or_default().to_owned();
        let Some((unique, linked, extension)) = self.know(message) else {
            return Vec::new();
        };
        // Further channels of a call are told of when they are dialled.
        if unique != linked || is_local(&channel) {
            return Vec::new();
        }
        let rules = self.rules;
        let mut event = Self::event(&linked, CallEventKind::Started);
        let dialled = message
            .get("Exten")
            .filter(|exten| *exten != "s" && *exten != "h");
        match &extension {
            Some(extension) => {
                let to = dialled.map(|exten| rules.party(exten, Written::Either));
                let colleague = to
                    .as_ref()
                    .is_some_and(|to| matches!(to.kind, PartyKind::Extension));
                event.direction = Some(if colleague {
                    CallDirection::Internal
                } else {
                    CallDirection::Outbound
                });
                event.from = Some(caller(extension));
                event.to = to;
                event.leg = Some(CallLeg {
                    key: unique.clone(),
                    role: LegRole::Operator,
                    extension: Some(extension.clone()),
                });
            }
            None => {
                event.direction = Some(CallDirection::Inbound);
                event.from =
                    Some(rules.party(message.get("CallerIDNum").unwrap_or_default(), Written::Either));
                event.own_number = dialled.and_then(|exten| rules.own(exten, Written::Either));
                event.caller_name = message
                    .get("CallerIDName")
                    .map(number::clean)
                    .filter(|name| !number::is_hidden(name));
            }
        }
        vec![(format!("channel:{unique}"), event)]
    }

    /// A channel that was there when the connection was made.
    fn found(&mut self, message: &Message) -> Vec<(String, CallEvent)> {
        let mut said = self.begun(message);
        let (Some(unique), Some(linked)) = (message.get("Uniqueid"), message.get("Linkedid")) else {
            return said;
        };
        let talks = message.get("BridgeId").is_some() && message.get("ChannelStateDesc") == Some("Up");
        let Some(channel) = self
            .channels
            .get(unique)
            .filter(|channel| channel.role == LegRole::Operator)
        else {
            return said;
        };
        if talks && unique != linked {
            let mut event = Self::event(linked, CallEventKind::Answered);
            event.leg = Some(CallLeg {
                key: unique.to_owned(),
                role: channel.role,
                extension: channel.extension.clone(),
            });
            said.push((format!("answered:{unique}"), event));
        }
        said
    }

    /// Calls that ended while nobody listened.
    fn vanished(&mut self) -> Vec<(String, CallEvent)> {
        let gone: Vec<String> = std::mem::take(&mut self.before)
            .into_iter()
            .filter(|linked| !self.channels.values().any(|channel| channel.linked == *linked))
            .collect();
        gone.into_iter()
            .map(|linked| {
                let mut event = Self::event(&linked, CallEventKind::Ended);
                event.cause = Some("it ended while the manager connection was lost".to_owned());
                (format!("vanished:{linked}"), event)
            })
            .collect()
    }

    /// The channel that is dialled, with the call it belongs to.
    fn dialled_leg(&self, message: &Message) -> Option<(String, CallLeg)> {
        let (channel, unique) = (message.get("DestChannel")?, message.get("DestUniqueid")?);
        if is_local(channel) {
            return None;
        }
        // An originated call has nobody who dials.
        let linked = message.get("Linkedid").or_else(|| message.get("DestLinkedid"))?;
        let extension = self.extension(channel);
        let role = if extension.is_some() {
            LegRole::Operator
        } else {
            LegRole::Client
        };
        Some((
            linked.to_owned(),
            CallLeg {
                key: unique.to_owned(),
                role,
                extension,
            },
        ))
    }

    /// The operator who dials out; nobody on a call that comes in.
    fn who_dials(&self, message: &Message) -> Option<CallParty> {
        let channel = message.get("Channel").filter(|channel| !is_local(channel))?;
        self.extension(channel).map(|extension| caller(&extension))
    }

    fn rings(&mut self, message: &Message) -> Option<(String, CallEvent)> {
        let (linked, leg) = self.dialled_leg(message)?;
        if self.channels.len() < MAX_CHANNELS {
            let channel = Channel {
                linked: linked.clone(),
                role: leg.role,
                extension: leg.extension.clone(),
            };
            self.channels.entry(leg.key.clone()).or_insert(channel);
        }
        let mut event = Self::event(&linked, CallEventKind::Ringing);
        event.from = self.who_dials(message);
        // Out of the house: whom it goes to stands in the dial string, or in who is called.
        if leg.role == LegRole::Client {
            let number = message
                .get("DialString")
                .and_then(|text| dialled_number(text, self.rules));
            let number = number.or_else(|| {
                message
                    .get("DestCallerIDNum")
                    .map(|raw| self.rules.party(raw, Written::Either))
            });
            let number = number.filter(|party| party.kind == PartyKind::Number);
            if number.is_some()
                && message
                    .get("Channel")
                    .is_some_and(|channel| self.extension(channel).is_some())
            {
                event.direction = Some(CallDirection::Outbound);
                event.to = number;
            }
        }
        let key = format!("ringing:{}", leg.key);
        event.leg = Some(leg);
        Some((key, event))
    }

    fn dialled(&mut self, message: &Message) -> Option<(String, CallEvent)> {
        let (linked, leg) = self.dialled_leg(message)?;
        let status = message.get("DialStatus")?;
        let answered = status == "ANSWER";
        let kind = if answered {
            CallEventKind::Answered
        } else {
            CallEventKind::LegEnded
        };
        let mut event = Self::event(&linked, kind);
        event.from = self.who_dials(message);
        event.end = end(status).filter(|_| !answered);
        event.cause = Some(number::clean(status));
        let key = format!("{}:{}", if answered { "answered" } else { "dialled" }, leg.key);
        event.leg = Some(leg);
        Some((key, event))
    }

    fn queued(&mut self, message: &Message) -> Option<(String, CallEvent)> {
        let (unique, queue) = (message.get("Uniqueid")?, message.get("Queue")?);
        let linked = message.get("Linkedid").unwrap_or(unique);
        let mut event = Self::event(linked, CallEventKind::Queued);
        event.leg = Some(CallLeg {
            key: format!("queue {}", number::clean(queue)),
            role: LegRole::Queue,
            extension: None,
        });
        Some((format!("queued:{unique}:{queue}"), event))
    }

    fn over(&mut self, message: &Message) -> Vec<(String, CallEvent)> {
        let Some(unique) = message.get("Uniqueid") else {
            return Vec::new();
        };
        let Some(channel) = self.channels.remove(unique) else {
            return Vec::new();
        };
        let cause = message.get("Cause-txt").map(number::clean);
        let mut said = Vec::new();
        let first = unique == channel.linked;
        if !first && matches!(channel.role, LegRole::Operator | LegRole::Client) {
            let mut event = Self::event(&channel.linked, CallEventKind::LegEnded);
            event.cause.clone_from(&cause);
            event.leg = Some(CallLeg {
                key: unique.to_owned(),
                role: channel.role,
                extension: channel.extension,
            });
            said.push((format!("hangup:{unique}"), event));
        }
        if self.channels.values().any(|other| other.linked == channel.linked) {
            return said;
        }
        // The last channel of the call.
        let mut event = Self::event(&channel.linked, CallEventKind::Ended);
        event.cause = cause;
        said.push((format!("ended:{}:{unique}", channel.linked), event));
        said.extend(self.recorded(&channel.linked));
        said
    }

    fn variable(&mut self, message: &Message) -> Vec<(String, CallEvent)> {
        if message.get("Variable") == Some("MIXMONITOR_FILENAME")
            && let (Some(file), Some(unique)) = (message.get("Value"), message.get("Uniqueid"))
        {
            let linked = message.get("Linkedid").unwrap_or(unique);
            self.files.insert(linked.to_owned(), file.to_owned());
        }
        Vec::new()
    }

    fn recorded(&mut self, linked: &str) -> Option<(String, CallEvent)> {
        let file = self.files.remove(linked)?;
        let inside = file
            .rsplit_once("/monitor/")
            .map_or(file.as_str(), |(_, inside)| inside);
        let parts: Vec<String> = inside
            .split('/')
            .filter(|part| !part.is_empty() && *part != "." && *part != "..")
            .map(|part| {
                url::form_urlencoded::byte_serialize(part.as_bytes())
                    .collect::<String>()
                    .replace('+', "%20")
            })
            .collect();
        let url = format!("{}/{}", self.recordings?, parts.join("/"));
        let mut event = Self::event(linked, CallEventKind::Recording);
        let key = external_id(&[linked, &proof::sha256_hex(&[url.as_bytes()])]);
        event.recording = Some(CallRecording {
            key: key.clone(),
            url: Some(url),
            ..CallRecording::default()
        });
        Some((format!("recording:{key}"), event))
    }
}

fn caller(extension: &str) -> CallParty {
    CallParty {
        kind: PartyKind::Extension,
        address: extension.to_owned(),
    }
}

fn is_local(channel: &str) -> bool {
    channel.starts_with("Local/") || channel.starts_with("Async")
}

/// The number in `trunk/+79161234567`, `79161234567@trunk`, `PJSIP/trunk/sip:79161234567@host`.
fn dialled_number(text: &str, rules: &Rules) -> Option<CallParty> {
    text.split(['/', '@', ':', ',', '&'])
        .map(|part| rules.party(part, Written::Either))
        .find(|party| party.kind == PartyKind::Number)
}
