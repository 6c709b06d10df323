//! Calls as rows of a table. Pure.

use super::CallView;

/// The columns.
pub const COLUMNS: [&str; 16] = [
    "id",
    "direction",
    "from",
    "to",
    "number_label",
    "contact",
    "operator",
    "state",
    "disposition",
    "reason",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_secs",
    "talk_secs",
    "attempt",
];

/// One call, in their order.
pub fn row(call: &CallView) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: &Option<chrono::DateTime<chrono::Utc>>| time.map_or_else(String::new, stamp);
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let name = call.contact.as_ref().and_then(|contact| contact.name.clone());
    vec![
        call.id.clone(),
        text(&call.direction),
        text(&call.from),
        text(&call.to),
        text(&call.own_label),
        name.unwrap_or_default(),
        text(&call.operator_name),
        call.state.clone(),
        text(&call.disposition),
        text(&call.reason),
        stamp(call.started_at),
        time(&call.answered_at),
        time(&call.ended_at),
        number(call.duration_secs),
        number(call.talk_secs),
        call.attempt.to_string(),
    ]
}

fn stamp(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
