//! What is wrong with a line although each of its fields may be as it is: a queue in which nobody can take
//! what comes, hours that never open, an overflow that leads nowhere. Pure.
//!
//! Only what lasts is told. Who is offline or pauses now is nobody's mistake; the decisions say it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Rules, hours,
    rules::{self, OffHoursAction, Overflow},
};
use crate::operator::{Counting, load::fits};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LineWarningSeverity)]
pub enum Severity {
    /// As it is, the router gives nobody a conversation of this line.
    Error,
    /// Something does not work as it reads.
    Warning,
}

/// What is wrong. The words are stable: programs and translations go by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LineWarningCode)]
pub enum Code {
    /// The line is off, and channels feed it.
    LineDisabled,
    /// Nobody was put into the queue.
    QueueEmpty,
    /// The queue has teams only, and they have no members.
    QueueWithoutMembers,
    /// Everybody in the queue is disabled.
    MembersDisabled,
    /// Nobody in the queue has the capacity for what any of the channels brings.
    CapacityTooSmall,
    /// Nobody in the queue has the capacity for what some of the channels bring.
    CapacityTooSmallForSome,
    /// Nobody in the queue has all skills the line requires.
    SkillsMissing,
    /// Some have the skills and some the capacity, and nobody both.
    NobodyHasAll,
    /// The limit per operator is zero.
    LimitZero,
    /// The hours hold no opening within about a year.
    NeverOpen,
    /// The line overflows into itself.
    OverflowToItself,
    /// Following the overflow from line to line leads back here.
    OverflowCycle,
    /// The overflow line is off.
    OverflowToDisabled,
    /// There is a time for the overflow and no line.
    OverflowWithoutLine,
    /// There is a line for the overflow and nothing that moves sessions there.
    OverflowWithoutTime,
    /// Outside the hours sessions shall move to the overflow line, and there is none.
    OffHoursWithoutLine,
    /// No channel is attached: nothing comes.
    NoChannel,
    /// All attached channels are off.
    ChannelsDisabled,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LineWarning)]
pub struct Warning {
    /// What, as a stable word.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The field of the line to look at; none when it is not the line that has to change.
    pub field: Option<&'static str>,
    /// What, in English.
    pub text: String,
}

/// Somebody in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Switched on.
    pub enabled: bool,
    /// The weighted load they may have.
    pub capacity: f64,
    /// What they know.
    pub skills: Vec<String>,
}

/// A channel attached to the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its kind.
    pub kind: String,
    /// Switched on.
    pub enabled: bool,
}

/// Any line, as far as an overflow sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// What people call it.
    pub name: String,
    /// A line that is not enabled assigns nothing.
    pub enabled: bool,
    /// Where it overflows itself.
    pub overflow: Overflow,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The line.
    pub id: &'a str,
    /// A line that is not enabled assigns nothing.
    pub enabled: bool,
    /// Its rules.
    pub rules: &'a Rules,
    /// How many entries its queue has.
    pub entries: usize,
    /// The operators those entries come to.
    pub members: &'a [Member],
    /// Its channels.
    pub channels: &'a [Attached],
    /// All lines, by id.
    pub lines: &'a BTreeMap<String, Other>,
    /// What sessions weigh.
    pub counting: &'a Counting,
}

/// Everything that is wrong with a line, the worst first.
pub fn warnings(facts: &Facts<'_>, now: DateTime<Utc>) -> Vec<Warning> {
    let mut found = Vec::new();
    found.extend(state(facts));
    found.extend(queue(facts));
    found.extend(hours_and_limit(facts, now));
    found.extend(overflow(facts));
    found.sort_by_key(|warning| (warning.severity, warning.code));
    found
}

fn error(code: Code, field: Option<&'static str>, text: impl Into<String>) -> Warning {
    Warning {
        code,
        severity: Severity::Error,
        field,
        text: text.into(),
    }
}

fn warning(code: Code, field: Option<&'static str>, text: impl Into<String>) -> Warning {
    Warning {
        severity: Severity::Warning,
        ..error(code, field, text)
    }
}

/// Whether anything comes, and whether the line acts on it.
fn state(facts: &Facts<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    let fed = facts.channels.iter().any(|channel| channel.enabled);
    if !facts.enabled && fed {
        let text = "The line is off: what comes through its channels waits until it is switched on.";
        found.push(error(Code::LineDisabled, Some("enabled"), text));
    }
    if facts.channels.is_empty() {
        let text = "No channel is attached: nothing comes to this line by itself.";
        found.push(warning(Code::NoChannel, None, text));
    } else if !fed {
        let text = "All channels of this line are off: nothing comes.";
        found.push(warning(Code::ChannelsDisabled, None, text));
    }
    found
}

/// Whether anybody in the queue could ever take what comes: the first reason why not.
fn queue(facts: &Facts<'_>) -> Option<Warning> {
    let field = Some("queue");
    if facts.entries == 0 {
        let text = "The queue is empty: conversations wait until somebody takes them by hand.";
        return Some(error(Code::QueueEmpty, field, text));
    }
    if facts.members.is_empty() {
        let text = "The teams in the queue have no members.";
        return Some(error(Code::QueueWithoutMembers, field, text));
    }
    let able: Vec<&Member> = facts.members.iter().filter(|member| member.enabled).collect();
    if able.is_empty() {
        let text = "Everybody in the queue is disabled.";
        return Some(error(Code::MembersDisabled, field, text));
    }
    let kinds = kinds(facts.channels);
    let holds = |member: &Member, weight: f64| fits(0.0, weight, member.capacity);
    let lightest = kinds
        .iter()
        .map(|kind| facts.counting.weight_of(kind))
        .reduce(f64::min)
        .unwrap_or_else(|| facts.counting.least_weight());
    if !able.iter().any(|member| holds(member, lightest)) {
        let text = "Nobody in the queue has enough capacity for even one conversation of this line.";
        return Some(error(Code::CapacityTooSmall, field, text));
    }
    let required = &facts.rules.required_skills;
    let skilled: Vec<&&Member> = able
        .iter()
        .filter(|member| rules::has_all(&member.skills, required))
        .collect();
    if skilled.is_empty() {
        let text = format!(
            "Nobody in the queue has all required skills: {}.",
            required.join(", ")
        );
        return Some(error(Code::SkillsMissing, Some("required_skills"), text));
    }
    if !skilled.iter().any(|member| holds(member, lightest)) {
        let text = "Those in the queue who have the required skills have no capacity, and the others lack the skills.";
        return Some(error(Code::NobodyHasAll, field, text));
    }
    let too_heavy: Vec<&str> = kinds
        .into_iter()
        .filter(|kind| {
            !skilled
                .iter()
                .any(|member| holds(member, facts.counting.weight_of(kind)))
        })
        .collect();
    (!too_heavy.is_empty()).then(|| {
        let text = format!(
            "Nobody in the queue has enough capacity for these kinds: {}.",
            too_heavy.join(", ")
        );
        warning(Code::CapacityTooSmallForSome, field, text)
    })
}

/// The kinds of the channels that are on; of all, when none is.
fn kinds(channels: &[Attached]) -> BTreeSet<&str> {
    let on = channels.iter().filter(|channel| channel.enabled);
    let kinds: BTreeSet<&str> = on.map(|channel| channel.kind.as_str()).collect();
    if kinds.is_empty() {
        channels.iter().map(|channel| channel.kind.as_str()).collect()
    } else {
        kinds
    }
}

fn hours_and_limit(facts: &Facts<'_>, now: DateTime<Utc>) -> Vec<Warning> {
    let mut found = Vec::new();
    let opening = hours::opening(facts.rules.hours.as_ref(), now);
    if !opening.open && opening.opens_at.is_none() {
        let text = "The hours hold no opening within a year: the line is never open.";
        found.push(error(Code::NeverOpen, Some("hours"), text));
    }
    if facts.rules.limit_per_operator == Some(0) {
        let text = "The limit per operator is zero: nobody may have a conversation of this line.";
        found.push(error(Code::LimitZero, Some("limit_per_operator"), text));
    }
    found
}

fn overflow(facts: &Facts<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    let Overflow { line_id, after_secs } = &facts.rules.overflow;
    let when_closed = facts.rules.off_hours.action == OffHoursAction::Overflow;
    let Some(target) = line_id.as_deref() else {
        if after_secs.is_some() {
            let text = "There is a time after which conversations overflow, and no line they go to.";
            found.push(warning(Code::OverflowWithoutLine, Some("overflow.line_id"), text));
        }
        if when_closed {
            let text = "Outside the hours conversations shall move to the overflow line, and there is none.";
            found.push(warning(Code::OffHoursWithoutLine, Some("overflow.line_id"), text));
        }
        return found;
    };
    if target == facts.id {
        let text = "The line overflows into itself.";
        found.push(warning(Code::OverflowToItself, Some("overflow.line_id"), text));
        return found;
    }
    if after_secs.is_none() && !when_closed {
        let text = "There is an overflow line, and no time after which conversations move there.";
        found.push(warning(
            Code::OverflowWithoutTime,
            Some("overflow.after_secs"),
            text,
        ));
    }
    if let Some(other) = facts.lines.get(target).filter(|other| !other.enabled) {
        let text = format!("The overflow line, {}, is off.", other.name);
        found.push(warning(Code::OverflowToDisabled, Some("overflow.line_id"), text));
    }
    if after_secs.is_some() && leads_back(facts.id, target, facts.lines) {
        let text = "Following the overflow from line to line leads back to this one: a conversation never returns to a line it was on, and stays on the last.";
        found.push(warning(Code::OverflowCycle, Some("overflow.line_id"), text));
    }
    found
}

/// Whether sessions that overflow from `start` to `next` come back to `start` by time alone.
fn leads_back(start: &str, next: &str, lines: &BTreeMap<String, Other>) -> bool {
    let mut seen = BTreeSet::new();
    let mut at = next;
    while seen.insert(at) {
        if at == start {
            return true;
        }
        let Some(line) = lines.get(at).filter(|line| line.overflow.after_secs.is_some()) else {
            return false;
        };
        let Some(further) = line.overflow.line_id.as_deref() else {
            return false;
        };
        at = further;
    }
    false
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
