//! When a lead is made, and when an open one is joined. Pure.

use crate::line::rules::CreateLead;

/// What is known of a contact's leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The lead that is new or in progress; the database allows one.
    pub open: Option<String>,
    /// There is any lead or deal at all.
    pub any: bool,
}

/// What a session that begins does to the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A new lead.
    Create,
    /// The open one.
    Join(String),
    /// Nothing.
    Leave,
}

/// Decides at the beginning of a session.
pub fn at_session_start(rule: CreateLead, history: &History) -> Effect {
    match (rule, &history.open) {
        (CreateLead::Never, _) => Effect::Leave,
        (_, Some(open)) => Effect::Join(open.clone()),
        (CreateLead::Always, None) => Effect::Create,
        (CreateLead::Unknown, None) if history.any => Effect::Leave,
        (CreateLead::Unknown, None) => Effect::Create,
    }
}

#[cfg(test)]
mod tests {
    use super::{CreateLead, Effect, History, at_session_start};

    #[test]
    fn the_repeat_lead_rule_holds_for_every_case() {
        let open = History {
            open: Some("led_1".into()),
            any: true,
        };
        let past = History {
            open: None,
            any: true,
        };
        let none = History::default();
        let table = [
            (CreateLead::Always, &none, Effect::Create),
            (CreateLead::Always, &past, Effect::Create),
            (CreateLead::Always, &open, Effect::Join("led_1".into())),
            (CreateLead::Unknown, &none, Effect::Create),
            (CreateLead::Unknown, &past, Effect::Leave),
            (CreateLead::Unknown, &open, Effect::Join("led_1".into())),
            (CreateLead::Never, &none, Effect::Leave),
            (CreateLead::Never, &open, Effect::Leave),
        ];
        for (rule, history, expected) in table {
            assert_eq!(at_session_start(rule, history), expected, "{rule:?} {history:?}");
        }
    }
}
