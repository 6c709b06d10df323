//! What an order means for its deal. Pure.

use switchboard_exchange::commerce::Order;

use super::{Language, Options, Won};
use crate::deal::{
    money,
    pipeline::{Pipeline, Stage},
    stages::StageKind,
};

/// Characters a title may have; a deal takes a few more.
const TITLE: usize = 250;

/// The stage an order says its deal is in; none leaves it where people put it.
///
/// A deal is moved only when what 1C says of the order's state changed since it said it last: whoever moved the deal
/// here meanwhile is not overruled by a file that repeats itself.
pub fn stage<'a>(
    options: &Options,
    pipeline: &'a Pipeline,
    now: &Order,
    before: Option<&Order>,
) -> Option<&'a Stage> {
    if before.is_some_and(|before| standing(before) == standing(now)) {
        return None;
    }
    let first_of = |kind: StageKind| pipeline.stages.iter().find(|stage| stage.kind == kind);
    if now.cancelled {
        return first_of(StageKind::Lost);
    }
    let (paid, shipped) = (now.paid_on.is_some(), now.shipped_on.is_some());
    let is_won = match options.won {
        Won::Never => false,
        Won::Paid => paid,
        Won::Shipped => shipped,
        Won::PaidAndShipped => paid && shipped,
    };
    if is_won {
        return first_of(StageKind::Won);
    }
    let named = now.status.as_deref().and_then(|status| {
        let status = status.to_lowercase();
        let (_, id) = options
            .stages
            .iter()
            .find(|(words, _)| words.to_lowercase() == status)?;
        pipeline.stage(id)
    });
    match before {
        _ if named.is_some() => named,
        // Taken up again.
        Some(before) if before.cancelled => pipeline.first_stage(),
        Some(_) => None,
        None => pipeline.first_stage(),
    }
}

/// What 1C says of an order's state.
fn standing(order: &Order) -> (Option<&str>, bool, bool, bool) {
    (
        order.status.as_deref(),
        order.cancelled,
        order.paid_on.is_some(),
        order.shipped_on.is_some(),
    )
}

/// Why the deal of an order is lost that is in a stage of those.
pub fn loss_reason(options: &Options, order: &Order) -> String {
    match (&order.status, options.language) {
        (Some(status), _) if !order.cancelled => status.clone(),
        (_, Language::Ru) => "Отменён в 1С".to_owned(),
        (_, Language::En) => "Cancelled in 1C".to_owned(),
    }
}

/// What the deal of an order is called.
pub fn title(options: &Options, order: &Order) -> String {
    let number = order.number.as_deref().unwrap_or(&order.id);
    let date = order
        .at
        .map(|at| at.format("%d.%m.%Y").to_string())
        .unwrap_or_default();
    let title = options.title.replace("{number}", number).replace("{date}", &date);
    let title: String = title
        .trim()
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(TITLE)
        .collect();
    if title.is_empty() {
        number.chars().take(TITLE).collect()
    } else {
        title
    }
}

/// The amount as its currency can have it: 1C counts in finer parts than some do.
pub fn rounded(amount: &str, currency: &str) -> String {
    let digits = money::digits(currency);
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    if part.len() <= digits || part.len() > 18 {
        return amount.to_owned();
    }
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let (kept, rest) = part.split_at(digits);
    let Ok(mut units) = format!("{whole}{kept}").parse::<u128>() else {
        return amount.to_owned();
    };
    if rest.starts_with(['5', '6', '7', '8', '9']) {
        units += 1;
    }
    let text = format!("{units:0>width$}", width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    if digits == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// An order as it is kept: without its customer, who stands for themselves.
pub fn kept(order: &Order) -> Order {
    Order {
        parties: Vec::new(),
        ..order.clone()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn pipeline() -> Pipeline {
        let stage = |id: &str, kind| Stage {
            id: id.to_owned(),
            name: id.to_owned(),
            kind,
            color: None,
        };
        Pipeline {
            id: "pip".to_owned(),
            name: "Sales".to_owned(),
            currency: "RUB".to_owned(),
            stages: vec![
                stage("new", StageKind::Open),
                stage("talks", StageKind::Open),
                stage("won", StageKind::Won),
                stage("lost", StageKind::Lost),
            ],
            version: 1,
            created_at: DateTime::default(),
            updated_at: DateTime::default(),
        }
    }

    fn order(status: Option<&str>, [cancelled, paid, shipped]: [bool; 3]) -> Order {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 20);
        Order {
            id: "1".to_owned(),
            status: status.map(str::to_owned),
            cancelled,
            paid_on: day.filter(|_| paid),
            shipped_on: day.filter(|_| shipped),
            ..Order::default()
        }
    }

    fn options(won: Won) -> Options {
        Options {
            stages: [
                ("Согласуется".to_owned(), "talks".to_owned()),
                ("Старый".to_owned(), "gone".to_owned()),
            ]
            .into(),
            won,
            ..Options::default()
        }
    }

    fn placed(won: Won, now: &Order, before: Option<&Order>) -> Option<String> {
        stage(&options(won), &pipeline(), now, before).map(|stage| stage.id.clone())
    }

    #[test]
    fn what_is_said_of_an_order_places_its_deal() {
        let fresh = order(None, [false; 3]);
        let cancelled = order(None, [true, false, false]);
        let table = [
            (
                Won::PaidAndShipped,
                order(Some("СОГЛАСУЕТСЯ"), [false; 3]),
                None,
                Some("talks"),
            ),
            (
                Won::PaidAndShipped,
                order(Some("Старый"), [false; 3]),
                None,
                Some("new"),
            ),
            (
                Won::PaidAndShipped,
                order(Some("Старый"), [false; 3]),
                Some(&fresh),
                None,
            ),
            (
                Won::PaidAndShipped,
                order(None, [false, true, false]),
                Some(&fresh),
                None,
            ),
            (
                Won::PaidAndShipped,
                order(None, [false, true, true]),
                Some(&fresh),
                Some("won"),
            ),
            (Won::Paid, order(None, [false, true, false]), None, Some("won")),
            (
                Won::Shipped,
                order(Some("Согласуется"), [false, true, false]),
                None,
                Some("talks"),
            ),
            (Won::Never, order(None, [false, true, true]), None, Some("new")),
            (
                Won::Paid,
                order(None, [true, true, true]),
                Some(&fresh),
                Some("lost"),
            ),
            (Won::Paid, fresh.clone(), Some(&cancelled), Some("new")),
        ];
        for (won, now, before, expected) in table {
            assert_eq!(placed(won, &now, before).as_deref(), expected, "{won:?} {now:?}");
        }
    }

    #[test]
    fn amounts_are_rounded_to_the_parts_of_their_currency() {
        let table = [
            ("10", "RUB", "10"),
            ("10.005", "RUB", "10.01"),
            ("10.0049", "RUB", "10.00"),
            ("0.999", "RUB", "1.00"),
            ("0.004", "RUB", "0.00"),
            ("10.5", "JPY", "11"),
            ("-10.005", "RUB", "-10.01"),
        ];
        for (amount, currency, expected) in table {
            assert_eq!(rounded(amount, currency), expected);
        }
    }

    fn any_order() -> impl Strategy<Value = Order> {
        let status = prop::option::of(prop::sample::select(vec!["Согласуется", "Старый", "Новый"]));
        (status, any::<[bool; 3]>()).prop_map(|(status, facts)| order(status, facts))
    }

    proptest! {
        #[test]
        fn what_1c_repeats_moves_nothing(now in any_order(), won in prop::sample::select(vec![Won::Never, Won::Paid, Won::Shipped, Won::PaidAndShipped])) {
            prop_assert_eq!(placed(won, &now, Some(&now)), None);
            // And a new one always has its place.
            prop_assert!(placed(won, &now, None).is_some());
        }

        #[test]
        fn every_rounded_amount_is_one(whole in 0_u64..1_000_000_000, part in "[0-9]{0,12}", currency in prop::sample::select(vec!["RUB", "JPY", "KWD", "CLF"])) {
            let amount = format!("{whole}.{part}");
            let amount = amount.trim_end_matches('.');
            prop_assert!(money::parse(&rounded(amount, currency), currency).is_ok(), "{amount}");
        }

        #[test]
        fn every_order_has_a_title_that_a_deal_takes(template in "\\PC{1,200}", number in "\\PC{1,300}") {
            let options = Options { title: template, ..Options::default() };
            let order = Order { id: number, ..Order::default() };
            let title = title(&options, &order);
            prop_assert!(title.chars().count() <= 300 && !title.contains(char::is_control));
        }
    }
}
