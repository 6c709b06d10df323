//! How likely a post was made by a machine. Pure.
//!
//! A plausible plain post (no script, no token, any client) stays far below [`HOLD_FROM`]. Nothing is dropped: what
//! reaches it waits for a moderator.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;

use crate::{content, memory::Sameness};

/// From this score on a submission is held.
pub const HOLD_FROM: f64 = 0.8;
/// Nobody reads a form and fills it faster.
const FASTEST_PERSON: TimeDelta = TimeDelta::milliseconds(2_000);
/// Clocks of several nodes differ by less.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(30);

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Signals<'a> {
    /// The field nobody sees was filled.
    pub honeypot: bool,
    /// Time between drawing the form and sending it, when the form told it. Long times mean nothing:
    /// pages are cached and left open.
    pub elapsed: Option<TimeDelta>,
    /// It came with a seal that is not ours.
    pub broken_seal: bool,
    /// The request named its program (`User-Agent`).
    pub named_client: bool,
    /// The contact's name.
    pub name: Option<&'a str>,
    /// All that was typed.
    pub text: &'a str,
    /// The same by field.
    pub values: &'a BTreeMap<String, Value>,
    /// How much of the same there was lately.
    pub sameness: Sameness,
}

/// A form without values.
static NOTHING: BTreeMap<String, Value> = BTreeMap::new();

impl Default for Signals<'_> {
    fn default() -> Self {
        Self {
            honeypot: false,
            elapsed: None,
            broken_seal: false,
            named_client: false,
            name: None,
            text: "",
            values: &NOTHING,
            sameness: Sameness::default(),
        }
    }
}

/// The judgement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// 0 (surely a person) to 1 (surely a machine), to the hundredth.
    pub score: f64,
    /// Why, one word each.
    pub reasons: Vec<String>,
}

/// Weighs the signals as independent witnesses: 1 − Π(1 − weight).
pub fn judge(signals: &Signals) -> Verdict {
    let text = signals.text.to_lowercase();
    let links = text.matches("http://").count() + text.matches("https://").count();
    let too_fast = signals
        .elapsed
        .is_some_and(|elapsed| elapsed < FASTEST_PERSON && elapsed > -CLOCK_SKEW);
    let from_the_future = signals.elapsed.is_some_and(|elapsed| elapsed <= -CLOCK_SKEW);
    let name_is_link = signals
        .name
        .is_some_and(|name| name.contains("://") || name.contains("www."));
    // Weights are set so that a filled honeypot suffices by itself, and any two strong signs do together.
    let witnesses = [
        (signals.honeypot, 0.85, "honeypot"),
        (too_fast, 0.5, "too_fast"),
        (from_the_future, 0.4, "bad_time"),
        (name_is_link, 0.6, "link_in_name"),
        (
            text.contains("[url=") || text.contains("<a href") || text.contains("<script"),
            0.6,
            "markup",
        ),
        (signals.broken_seal, 0.4, "bad_seal"),
        (content::sells(&text), 0.4, "sales_talk"),
        (content::is_disguised(signals.text), 0.4, "disguised_letters"),
        (content::is_random(signals.name), 0.4, "random_name"),
        (content::repeats_itself(signals.values), 0.5, "same_in_all_fields"),
        // Two colleagues may well write the same; ten do not within an hour.
        ((3..10).contains(&signals.sameness.whole), 0.5, "repeated"),
        (signals.sameness.whole >= 10, 0.85, "flood"),
        (signals.sameness.text >= 3, 0.5, "same_text"),
        // An office behind one address may be busy: this alone holds nobody.
        (signals.sameness.network >= 30, 0.3, "busy_network"),
        ((3..6).contains(&links), 0.3, "links"),
        (links >= 6, 0.6, "many_links"),
        (!signals.named_client, 0.1, "no_client"),
    ];
    let speaking = witnesses.iter().filter(|(speaks, ..)| *speaks);
    let innocent: f64 = speaking.clone().map(|(_, weight, _)| 1.0 - weight).product();
    Verdict {
        score: ((1.0 - innocent) * 100.0).round() / 100.0,
        reasons: speaking.map(|(_, _, reason)| (*reason).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain() -> Signals<'static> {
        Signals {
            named_client: true,
            name: Some("Ann"),
            text: "Please call me about https://shop.example/item",
            ..Signals::default()
        }
    }

    #[test]
    fn a_plain_plausible_post_is_no_spam() {
        assert_eq!(
            judge(&plain()),
            Verdict {
                score: 0.0,
                reasons: Vec::new()
            }
        );
        assert!(
            judge(&Signals {
                named_client: false,
                ..plain()
            })
            .score
                < 0.2
        );
        assert_eq!(
            judge(&Signals {
                elapsed: Some(TimeDelta::days(3)),
                ..plain()
            })
            .score,
            0.0
        );
    }

    #[test]
    fn a_filled_honeypot_holds() {
        assert!(
            judge(&Signals {
                honeypot: true,
                ..plain()
            })
            .score
                >= HOLD_FROM
        );
    }

    #[test]
    fn one_strong_sign_does_not_hold_and_two_do() {
        let fast = Signals {
            elapsed: Some(TimeDelta::milliseconds(300)),
            ..plain()
        };
        assert_eq!(judge(&fast).reasons, ["too_fast"]);
        assert!(judge(&fast).score < HOLD_FROM);
        let links = "https://a.b ".repeat(7);
        let both = judge(&Signals { text: &links, ..fast });
        assert_eq!(both.reasons, ["too_fast", "many_links"]);
        assert!(both.score >= HOLD_FROM);
    }

    #[test]
    fn the_same_again_and_again_is_a_flood_and_an_office_is_none() {
        let again = |whole, text, network| {
            judge(&Signals {
                sameness: Sameness { whole, text, network },
                ..plain()
            })
        };
        assert_eq!(again(2, 0, 20).score, 0.0);
        assert!(again(3, 0, 40).score < HOLD_FROM);
        assert!(again(10, 0, 0).score >= HOLD_FROM);
        assert_eq!(again(0, 5, 0).reasons, ["same_text"]);
    }

    proptest! {
        #[test]
        fn the_score_stays_between_nothing_and_certainty(honeypot: bool, millis in any::<Option<i32>>(), named_client: bool, text: String) {
            let elapsed = millis.map(|millis| TimeDelta::milliseconds(millis.into()));
            let verdict = judge(&Signals { honeypot, elapsed, named_client, name: Some(&text), text: &text, ..Signals::default() });
            prop_assert!((0.0..=1.0).contains(&verdict.score));
            prop_assert_eq!(verdict.score > 0.0, !verdict.reasons.is_empty());
        }
    }
}
