//! To whom a new lead is given before anybody has answered: ordered rules. Pure.
//!
//! The first rule that fits the lead and names somebody who can take it decides. A rule that fits but finds nobody
//! lets the next one try, so a rule for the night shift does not hold leads back in the day.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deal::money;

/// Most rules, and most entries of one list in a rule.
pub const MOST: usize = 100;
/// Characters a rule's name may have.
const NAME_LIMIT: usize = 100;

/// Which of those who can take a lead gets it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LeadChoice)]
pub enum Choose {
    /// The first in the list.
    First,
    /// Who has the fewest open leads; of equals the first in the list.
    #[default]
    LeastLoaded,
}

/// Somebody, or everybody of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = LeadAssignee)]
pub enum Assignee {
    /// An operator.
    OperatorId(String),
    /// A team, in its order.
    TeamId(String),
}

/// A rule. What is empty or absent fits every lead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = LeadRule)]
pub struct Rule {
    /// What people call it.
    pub name: String,
    /// A rule that is switched off is passed over.
    pub off: bool,
    /// Leads of these lines.
    pub line_ids: Vec<String>,
    /// Leads of these channels.
    pub channel_ids: Vec<String>,
    /// Leads with these sources, in any case.
    pub sources: Vec<String>,
    /// Leads whose field `amount` is this much or more.
    pub min_amount: Option<String>,
    /// Leads whose field `amount` is less than this.
    pub below_amount: Option<String>,
    /// Who may get them, in order.
    pub to: Vec<Assignee>,
    /// Which of them.
    pub choose: Choose,
    /// Only who is online and accepting.
    pub online_only: bool,
    /// Only who has fewer open leads than this.
    pub max_open: Option<u32>,
}

/// What rules look at in a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The line it came by.
    pub line_id: Option<&'a str>,
    /// The channel.
    pub channel_id: Option<&'a str>,
    /// Where it came from.
    pub source: &'a str,
    /// What it may be worth, in ten-thousandths.
    pub amount: Option<i64>,
}

/// Somebody a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `opr_…`
    pub id: String,
    /// The teams they are in, with their place there.
    pub teams: Vec<(String, i64)>,
    /// Online and accepting.
    pub there: bool,
    /// Leads they have open.
    pub open: u32,
}

impl Rule {
    /// Whether a lead is this rule's.
    pub fn fits(&self, lead: &Facts<'_>) -> bool {
        let one_of = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|one| one == value))
        };
        let bound = |text: &Option<String>| text.as_deref().and_then(amount);
        let source = lead.source.to_lowercase();
        !self.off
            && one_of(&self.line_ids, lead.line_id)
            && one_of(&self.channel_ids, lead.channel_id)
            && (self.sources.is_empty() || self.sources.iter().any(|one| one.to_lowercase() == source))
            && (self.min_amount.is_none()
                || lead
                    .amount
                    .is_some_and(|amount| Some(amount) >= bound(&self.min_amount)))
            && (self.below_amount.is_none()
                || bound(&self.below_amount)
                    .zip(lead.amount)
                    .is_some_and(|(bound, amount)| amount < bound))
    }

    /// Those it names, in its order, each once.
    fn named<'p>(&self, people: &'p [Person]) -> Vec<&'p Person> {
        let mut named: Vec<&Person> = Vec::new();
        for entry in &self.to {
            let mut of_entry: Vec<(i64, &Person)> = people
                .iter()
                .filter_map(|person| match entry {
                    Assignee::OperatorId(id) => (person.id == *id).then_some((0, person)),
                    Assignee::TeamId(team) => {
                        let (_, place) = person.teams.iter().find(|(id, _)| id == team)?;
                        Some((*place, person))
                    }
                })
                .collect();
            of_entry.sort_by_key(|(place, _)| *place);
            for (_, person) in of_entry {
                if !named.iter().any(|known| known.id == person.id) {
                    named.push(person);
                }
            }
        }
        named
    }

    /// Who gets it, if anybody can take it.
    fn taker<'p>(&self, people: &'p [Person]) -> Option<&'p Person> {
        let mut able = self.named(people).into_iter().filter(|person| {
            (!self.online_only || person.there) && self.max_open.is_none_or(|most| person.open < most)
        });
        match self.choose {
            Choose::First => able.next(),
            // The first of equals stays the first.
            Choose::LeastLoaded => able.min_by_key(|person| person.open),
        }
    }
}

/// Who gets a lead, and by which rule (its place in the list).
pub fn choose(rules: &[Rule], lead: &Facts<'_>, people: &[Person]) -> Option<(usize, String)> {
    rules.iter().enumerate().find_map(|(at, rule)| {
        let taker = rule.fits(lead).then(|| rule.taker(people)).flatten()?;
        Some((at, taker.id.clone()))
    })
}

/// An amount as somebody wrote it into a form: blanks and a currency's sign beside it are left out, the last comma
/// is a point. What is no amount is none.
pub fn amount(text: &str) -> Option<i64> {
    let mut figure: String = text
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-'))
        .collect();
    if !figure.contains('.') && figure.matches(',').count() == 1 {
        figure = figure.replace(',', ".");
    }
    let figure = figure.replace(',', "");
    // The finest currency takes every figure that can be kept.
    money::parse(&figure, "CLF").ok()
}

/// What is wrong with rules, as `(field, message)`; empty when nothing is.
pub fn errors(rules: &[Rule]) -> Vec<(String, String)> {
    let mut errors = Vec::new();
    let mut wrong = |field: String, message: &str| errors.push((field, message.to_owned()));
    if rules.len() > MOST {
        wrong("rules".to_owned(), "at most 100 rules");
    }
    for (at, rule) in rules.iter().enumerate() {
        if rule.name.chars().count() > NAME_LIMIT || rule.name.contains(char::is_control) {
            wrong(format!("rules.{at}.name"), "must have at most 100 characters");
        }
        let lists = [
            rule.line_ids.len(),
            rule.channel_ids.len(),
            rule.sources.len(),
            rule.to.len(),
        ];
        if lists.into_iter().any(|size| size > MOST) {
            wrong(format!("rules.{at}"), "at most 100 of a kind");
        }
        if rule.to.is_empty() {
            wrong(format!("rules.{at}.to"), "name somebody");
        }
        for (field, bound) in [
            ("min_amount", &rule.min_amount),
            ("below_amount", &rule.below_amount),
        ] {
            if bound
                .as_deref()
                .is_some_and(|text| money::parse(text, "CLF").is_err())
            {
                wrong(
                    format!("rules.{at}.{field}"),
                    "write it as a decimal number like \"1500.00\"",
                );
            }
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn person(id: &str, team: Option<(&str, i64)>, there: bool, open: u32) -> Person {
        Person {
            id: id.to_owned(),
            teams: team
                .into_iter()
                .map(|(team, place)| (team.to_owned(), place))
                .collect(),
            there,
            open,
        }
    }

    fn people() -> Vec<Person> {
        vec![
            person("anna", Some(("sales", 1)), true, 5),
            person("boris", Some(("sales", 0)), false, 2),
            person("vera", None, true, 2),
        ]
    }

    fn to(ids: &[&str]) -> Vec<Assignee> {
        let entry = |id: &&str| match id.strip_prefix("team:") {
            Some(team) => Assignee::TeamId(team.to_owned()),
            None => Assignee::OperatorId((*id).to_owned()),
        };
        ids.iter().map(entry).collect()
    }

    const LEAD: Facts<'static> = Facts {
        line_id: Some("lin_1"),
        channel_id: Some("chn_1"),
        source: "google",
        amount: Some(50_000_000),
    };

    fn taker(rule: &Rule) -> Option<String> {
        choose(std::slice::from_ref(rule), &LEAD, &people()).map(|(_, id)| id)
    }

    #[test]
    fn a_rule_fits_by_line_channel_source_and_amount() {
        let rule = |change: fn(&mut Rule)| {
            let mut rule = Rule {
                to: to(&["anna"]),
                ..Rule::default()
            };
            change(&mut rule);
            taker(&rule).is_some()
        };
        assert!(rule(|_| {}));
        assert!(rule(|rule| rule.line_ids = vec!["lin_2".into(), "lin_1".into()]));
        assert!(!rule(|rule| rule.line_ids = vec!["lin_2".into()]));
        assert!(!rule(|rule| rule.channel_ids = vec!["chn_2".into()]));
        assert!(rule(|rule| rule.sources = vec!["Google".into()]));
        assert!(!rule(|rule| rule.sources = vec!["yandex".into()]));
        assert!(rule(|rule| rule.min_amount = Some("5000".into())));
        assert!(!rule(|rule| rule.min_amount = Some("5000.01".into())));
        assert!(!rule(|rule| rule.below_amount = Some("5000".into())));
        assert!(rule(|rule| rule.below_amount = Some("5000.01".into())));
        assert!(!rule(|rule| rule.off = true));
    }

    #[test]
    fn a_lead_without_an_amount_fits_no_rule_that_asks_for_one() {
        let rule = Rule {
            to: to(&["anna"]),
            below_amount: Some("10".into()),
            ..Rule::default()
        };
        let lead = Facts { amount: None, ..LEAD };
        assert_eq!(choose(&[rule], &lead, &people()), None);
    }

    #[test]
    fn the_first_or_the_least_loaded_of_those_who_can_take_it() {
        let table = [
            (Choose::First, false, None, "boris"),
            (Choose::First, true, None, "anna"),
            (Choose::LeastLoaded, false, None, "boris"),
            (Choose::LeastLoaded, true, None, "vera"),
            (Choose::First, true, Some(5), "vera"),
        ];
        for (choose, online_only, max_open, expected) in table {
            let rule = Rule {
                to: to(&["team:sales", "vera"]),
                choose,
                online_only,
                max_open,
                ..Rule::default()
            };
            assert_eq!(taker(&rule).as_deref(), Some(expected), "{rule:?}");
        }
    }

    #[test]
    fn a_rule_that_finds_nobody_lets_the_next_one_try() {
        let full = Rule {
            to: to(&["anna"]),
            max_open: Some(5),
            ..Rule::default()
        };
        let last = Rule {
            to: to(&["vera"]),
            ..Rule::default()
        };
        assert_eq!(
            choose(&[full.clone(), last], &LEAD, &people()),
            Some((1, "vera".to_owned()))
        );
        assert_eq!(choose(&[full], &LEAD, &people()), None);
    }

    #[test]
    fn amounts_are_read_as_customers_write_them() {
        for (text, expected) in [
            ("5000", Some(50_000_000)),
            ("5 000,50 ₽", Some(50_005_000)),
            ("$1,234.50", Some(12_345_000)),
            ("about", None),
            ("-5", None),
        ] {
            assert_eq!(amount(text), expected, "{text}");
        }
    }

    #[test]
    fn each_wrong_field_is_named() {
        let rule = Rule {
            name: "x".repeat(101),
            min_amount: Some("much".into()),
            ..Rule::default()
        };
        let fields: Vec<String> = errors(&[rule]).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["rules.0.name", "rules.0.to", "rules.0.min_amount"]);
    }

    proptest! {
        #[test]
        fn whoever_gets_a_lead_may_have_it_and_nobody_before_them_could(
            loads in proptest::collection::vec((0..6_u32, any::<bool>()), 1..6),
            most in 0..6_u32, online_only: bool, least: bool,
        ) {
            let people: Vec<Person> =
                (0..).zip(&loads).map(|(n, (open, there))| person(&format!("p{n}"), Some(("t", n)), *there, *open)).collect();
            let choose_by = if least { Choose::LeastLoaded } else { Choose::First };
            let rule = Rule { to: to(&["team:t"]), choose: choose_by, online_only, max_open: Some(most), ..Rule::default() };
            let able: Vec<&Person> = people.iter().filter(|p| p.open < most && (p.there || !online_only)).collect();
            match choose(&[rule], &LEAD, &people) {
                None => prop_assert!(able.is_empty()),
                Some((_, id)) => {
                    let taken = able.iter().position(|person| person.id == id);
                    let best = if least {
                        let fewest = able.iter().map(|person| person.open).min();
                        able.iter().position(|person| Some(person.open) == fewest)
                    } else {
                        Some(0)
                    };
                    prop_assert_eq!(taken, best);
                }
            }
        }
    }
}
