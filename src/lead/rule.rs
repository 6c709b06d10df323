//! When a lead is made, and when an open one is joined. Pure.

use crate::line::rules::{CreateLead, Crm, RepeatLead};

/// What is known of a contact's leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The lead that is new or in progress; the database allows one.
    pub open: Option<String>,
    /// There is any lead or deal at all.
    pub any: bool,
    /// The open deal that was made last.
    pub deal: Option<OpenDeal>,
}

/// A deal that is neither won nor lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDeal {
    /// What it is about.
    pub title: String,
    /// The lead it came of.
    pub lead_id: Option<String>,
}

/// What a session that begins does to the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A new lead.
    Create,
    /// The open one.
    Join(String),
    /// None: it is about the open deal, which came of this lead.
    JoinDeal(OpenDeal),
    /// Nothing.
    Leave,
}

/// Decides at the beginning of a session.
pub fn at_session_start(crm: &Crm, history: &History) -> Effect {
    match (crm.create_lead, &history.open, &history.deal) {
        (CreateLead::Never, ..) => Effect::Leave,
        (_, Some(open), _) => Effect::Join(open.clone()),
        (_, None, Some(deal)) if crm.repeat == RepeatLead::JoinDeal => Effect::JoinDeal(deal.clone()),
        (CreateLead::Always, None, _) => Effect::Create,
        (CreateLead::Unknown, None, _) if history.any => Effect::Leave,
        (CreateLead::Unknown, None, _) => Effect::Create,
    }
}

/// The note that stands in a conversation that joined a deal. For the staff alone.
pub fn deal_note(deal: &OpenDeal) -> String {
    format!("A client with an open deal: {}", deal.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repeat_lead_rule_holds_for_every_case() {
        let deal = OpenDeal {
            title: "Ten chairs".into(),
            lead_id: Some("led_0".into()),
        };
        let open = History {
            open: Some("led_1".into()),
            any: true,
            deal: Some(deal.clone()),
        };
        let past = History {
            any: true,
            ..History::default()
        };
        let selling = History {
            deal: Some(deal.clone()),
            ..past.clone()
        };
        let none = History::default();
        let join = || Effect::Join("led_1".into());
        use CreateLead::{Always, Never, Unknown};
        use RepeatLead::{JoinDeal, NewLead};
        let table = [
            (Always, NewLead, &none, Effect::Create),
            (Always, NewLead, &past, Effect::Create),
            (Always, NewLead, &selling, Effect::Create),
            (Always, NewLead, &open, join()),
            (Unknown, NewLead, &none, Effect::Create),
            (Unknown, NewLead, &past, Effect::Leave),
            (Unknown, NewLead, &selling, Effect::Leave),
            (Unknown, NewLead, &open, join()),
            (Never, NewLead, &none, Effect::Leave),
            (Never, NewLead, &open, Effect::Leave),
            (Always, JoinDeal, &none, Effect::Create),
            (Always, JoinDeal, &past, Effect::Create),
            (Always, JoinDeal, &selling, Effect::JoinDeal(deal.clone())),
            (Always, JoinDeal, &open, join()),
            (Unknown, JoinDeal, &past, Effect::Leave),
            (Unknown, JoinDeal, &selling, Effect::JoinDeal(deal)),
            (Never, JoinDeal, &selling, Effect::Leave),
        ];
        for (create_lead, repeat, history, expected) in table {
            let crm = Crm { create_lead, repeat };
            assert_eq!(at_session_start(&crm, history), expected, "{crm:?} {history:?}");
        }
    }
}
