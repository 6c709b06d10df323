//! What becomes of two contacts that are one person, and how that is undone. Pure.
//!
//! The survivor keeps what it has; what it lacks is filled from the other. Everything that hangs on the other moves.
//! The other keeps its own name, fields and tags, so that undoing only has to give back what moved, and to take out of
//! the survivor what came from it.
//!
//! One person has one open lead. When both have one, the survivor's stays and takes the other in: what it lacks is
//! filled, the first touch of the older and the last touch of the newer are kept, and it is in progress when either
//! was. The other waits as `merged`, out of every list and figure.
//!
//! What came since stays with the survivor. Only what hangs on something that goes back goes with it: the messages of
//! a conversation, the submissions, calls and leads that began in it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::store::pair;

/// The status of a lead that another one took in.
pub const MERGED: &str = "merged";

/// A contact as merging sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// Its id.
    pub id: String,
    /// Its columns that have one value: `name`, `language`, `company_id`, `operator_id`, and `fields.KEY` for each.
    pub values: BTreeMap<String, Value>,
    /// Words stuck on it.
    pub tags: BTreeSet<String>,
    /// What it is recognised by.
    pub identities: Vec<(String, String)>,
    /// Conversations that are the contact's one on their channel: id and channel.
    pub threads: Vec<(String, String)>,
    /// Its open lead.
    pub open_lead: Option<OpenLead>,
    /// Pairs it stands in as perhaps the same person.
    pub suggestions: Vec<Suggestion>,
    /// Whom somebody said it is not.
    pub distinct: BTreeSet<String>,
    /// Ids of the rows that hang on it, by table.
    pub holds: BTreeMap<String, Vec<String>>,
}

/// A lead as merging sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenLead {
    /// Its id.
    pub id: String,
    /// `new` or `in_progress`.
    pub status: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The responsible operator, and `fields.KEY` for each field.
    pub values: BTreeMap<String, Value>,
    /// First and last touch.
    pub attribution: Value,
    /// Ids of the rows that name it, by table.
    pub named_by: BTreeMap<String, Vec<String>>,
}

/// A pair that may be one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// On whose card it began.
    pub contact_id: String,
    /// Who they may be.
    pub other_id: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A value that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Which.
    pub field: String,
    /// What it was.
    pub before: Value,
    /// What it is.
    pub after: Value,
}

/// A lead that another one took in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// The lead taken in.
    pub lead: String,
    /// Its status before.
    pub status: String,
    /// The lead that stays.
    pub into: String,
    /// What changed of that one.
    pub filled: Vec<Filled>,
    /// Rows that named the one taken in, by table; they name the other now.
    pub named_by: BTreeMap<String, Vec<String>>,
}

/// A merge: what it does, and all that undoing it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// What the survivor lacked.
    pub filled: Vec<Filled>,
    /// Tags the survivor got.
    pub tags: Vec<String>,
    /// Identities that moved.
    pub identities: Vec<(String, String)>,
    /// Rows that moved, by table.
    pub moved: BTreeMap<String, Vec<String>>,
    /// Conversations that are the survivor's one on their channel now.
    pub threads: Vec<String>,
    /// The open lead that was one too many.
    pub folded: Option<Folded>,
    /// Suggestions that the other stood in.
    pub unsuggested: Vec<Suggestion>,
    /// Those that the survivor got for them.
    pub suggested: Vec<Suggestion>,
    /// Pairs of people who are not the same, that the survivor got.
    pub distinct: Vec<(String, String)>,
}

/// What taking `from` into `into` does.
pub fn plan(from: &Side, into: &Side) -> Journal {
    let taken: BTreeSet<&String> = into.threads.iter().map(|(_, channel)| channel).collect();
    let known: BTreeSet<&String> = into
        .suggestions
        .iter()
        .flat_map(|one| [&one.contact_id, &one.other_id])
        .chain(&into.distinct)
        .collect();
    let others = |one: &Suggestion| {
        let other = if one.contact_id == from.id {
            &one.other_id
        } else {
            &one.contact_id
        };
        other.clone()
    };
    let mut suggested: Vec<Suggestion> = Vec::new();
    for one in &from.suggestions {
        let other = others(one);
        let again = suggested.iter().any(|suggested| suggested.other_id == other);
        if other != into.id && !known.contains(&other) && !again && !from.distinct.contains(&other) {
            suggested.push(Suggestion {
                contact_id: into.id.clone(),
                other_id: other,
                ..one.clone()
            });
        }
    }
    let distinct = from
        .distinct
        .iter()
        .filter(|other| **other != into.id && !into.distinct.contains(*other))
        .map(|other| pair(&into.id, other))
        .collect();
    Journal {
        filled: fill(&into.values, &from.values),
        tags: from.tags.difference(&into.tags).cloned().collect(),
        identities: from.identities.clone(),
        moved: from.holds.clone(),
        threads: from
            .threads
            .iter()
            .filter(|(_, channel)| !taken.contains(channel))
            .map(|(id, _)| id.clone())
            .collect(),
        folded: from
            .open_lead
            .as_ref()
            .zip(into.open_lead.as_ref())
            .map(|(from, into)| fold(from, into)),
        unsuggested: from.suggestions.clone(),
        suggested,
        distinct,
    }
}

fn fill(into: &BTreeMap<String, Value>, from: &BTreeMap<String, Value>) -> Vec<Filled> {
    let lacks = |field: &String| into.get(field).is_none_or(Value::is_null);
    from.iter()
        .filter(|(field, value)| !value.is_null() && lacks(field))
        .map(|(field, value)| Filled {
            field: field.clone(),
            before: Value::Null,
            after: value.clone(),
        })
        .collect()
}

fn fold(from: &OpenLead, into: &OpenLead) -> Folded {
    let mut filled = fill(&into.values, &from.values);
    if into.status == "new" && from.status == "in_progress" {
        filled.push(Filled {
            field: "status".to_owned(),
            before: Value::from("new"),
            after: Value::from("in_progress"),
        });
    }
    let attribution = both_touches(from, into);
    if attribution != into.attribution {
        filled.push(Filled {
            field: "attribution".to_owned(),
            before: into.attribution.clone(),
            after: attribution,
        });
    }
    Folded {
        lead: from.id.clone(),
        status: from.status.clone(),
        into: into.id.clone(),
        filled,
        named_by: from.named_by.clone(),
    }
}

/// The first touch of the older lead and the last touch of the newer one, where they have any.
fn both_touches(from: &OpenLead, into: &OpenLead) -> Value {
    let (older, newer) = if from.created_at < into.created_at {
        (from, into)
    } else {
        (into, from)
    };
    let touch = |lead: &OpenLead, name: &str| {
        let touch = lead.attribution.get(name).and_then(Value::as_object);
        touch.filter(|touch| !touch.is_empty()).cloned()
    };
    let mut attribution = into.attribution.as_object().cloned().unwrap_or_default();
    let mut put = |name: &str, kept: Option<Map<String, Value>>| {
        if let Some(kept) = kept {
            attribution.insert(name.to_owned(), Value::Object(kept));
        }
    };
    put("first", touch(older, "first").or_else(|| touch(newer, "first")));
    put("last", touch(newer, "last").or_else(|| touch(older, "last")));
    Value::Object(attribution)
}

/// What a value becomes when a merge is undone: what it was, unless somebody changed it since.
pub fn unfilled<'a>(
    filled: &'a [Filled],
    now: impl Fn(&str) -> Value + 'a,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    filled
        .iter()
        .filter(move |one| now(&one.field) == one.after)
        .map(|one| (one.field.as_str(), &one.before))
}

/// A lead that the survivor holds when a merge is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLead {
    /// Its id.
    pub id: String,
    /// Its status now.
    pub status: String,
    /// In which conversation it began.
    pub conversation_id: Option<String>,
}

/// What becomes of the survivor's leads when a merge is undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadsBack {
    /// They go back.
    pub back: Vec<String>,
    /// The one that was taken in goes back with this status.
    pub reopened: Option<(String, String)>,
    /// They began since in a conversation that goes back, and stay: the other has an open lead of its own.
    pub parted: Vec<String>,
}

/// Decides which leads go back, so that neither contact has two open ones.
pub fn leads_back(journal: &Journal, held: &[HeldLead]) -> LeadsBack {
    let none = Vec::new();
    let moved = |table: &str| journal.moved.get(table).unwrap_or(&none);
    let (leads, threads) = (moved("lead"), moved("conversation"));
    let open = |status: &str| status == "new" || status == "in_progress";
    let folded = journal.folded.as_ref();
    let mut result = LeadsBack::default();
    let mut has_open = false;
    for lead in held.iter().filter(|lead| leads.contains(&lead.id)) {
        result.back.push(lead.id.clone());
        has_open |= open(&lead.status);
    }
    let waiting = folded.and_then(|folded| {
        let lead = held.iter().find(|lead| lead.id == folded.lead)?;
        (lead.status == MERGED).then_some(folded)
    });
    if let Some(folded) = waiting {
        // Another of theirs may have been opened again meanwhile: then this one is over.
        let status = if has_open { "junk" } else { &folded.status };
        has_open = true;
        result.reopened = Some((folded.lead.clone(), status.to_owned()));
    }
    let began_there = |lead: &&HeldLead| {
        let thread = lead.conversation_id.as_ref();
        thread.is_some_and(|thread| threads.contains(thread))
            && !leads.contains(&lead.id)
            && folded.is_none_or(|folded| folded.into != lead.id)
    };
    for lead in held.iter().filter(began_there) {
        if open(&lead.status) && has_open {
            result.parted.push(lead.id.clone());
        } else {
            has_open |= open(&lead.status);
            result.back.push(lead.id.clone());
        }
    }
    result
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
