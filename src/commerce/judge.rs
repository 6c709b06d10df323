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
