//! The report of a simulation as a table for a terminal. Pure.

use std::collections::BTreeMap;

use chrono::Timelike;

use crate::routing::simulate::{Figures, Report, figures::Slot};

/// Slots shown one by one; more are shown by the hour of the day.
const SLOTS: usize = 48;

pub(super) fn render(report: &Report) -> String {
    let columns: Vec<(&str, &Figures)> = [
        ("recorded", report.today.as_ref()),
        ("unchanged", report.unchanged.as_ref()),
        ("with changes", Some(&report.simulated)),
    ]
    .into_iter()
    .filter_map(|(name, figures)| Some((name, figures?)))
    .collect();
    let mut lines = vec![
        format!("{} to {}, seed {}", report.from, report.to, report.seed),
        String::new(),
    ];
    lines.push(row("", columns.iter().map(|(name, _)| (*name).to_owned())));
    let mut figure = |title: &str, value: &dyn Fn(&Figures) -> String| {
        lines.push(row(title, columns.iter().map(|(_, figures)| value(figures))));
    };
    figure("sessions", &|it| it.arrivals.to_string());
    figure("answered", &|it| it.answered.to_string());
    figure("not answered", &|it| it.unanswered.to_string());
    figure("  gone by themselves", &|it| it.abandoned.to_string());
    figure("  closed by the line", &|it| it.closed.to_string());
    figure("  waiting at the end", &|it| it.waiting.to_string());
    let target = format!("answered within {}", duration(f64::from(report.target_secs)));
    figure(&target, &|it| share(it.answered_in_target));
    figure("wait: half of them, at most", &|it| time(it.wait_secs.p50));
    figure("wait: 9 of 10", &|it| time(it.wait_secs.p90));
    figure("wait: 99 of 100", &|it| time(it.wait_secs.p99));
    figure("wait: the longest", &|it| time(it.wait_secs.max));
    figure("moved by overflow", &|it| it.overflowed.to_string());
    figure("back to the queue", &|it| it.returned.to_string());
    figure("offers", &|it| it.offers.to_string());
    figure("  lapsed", &|it| it.offers_lapsed.to_string());
    figure("actions without an answer", &|it| {
        it.no_answer_actions.to_string()
    });
    figure("told that the line is closed", &|it| {
        it.off_hours_actions.to_string()
    });
    lines.extend(operators(&columns));
    lines.extend(slots(&columns));
    if !report.notes.is_empty() {
        lines.push(String::new());
        lines.extend(report.notes.iter().map(|note| format!("Note: {}.", note.text())));
    }
    lines.join("\n")
}

fn row(title: &str, values: impl Iterator<Item = String>) -> String {
    let mut line = format!("{title:<32}");
    for value in values {
        line.push_str(&format!(" {value:>20}"));
    }
    line.trim_end().to_owned()
}

fn operators(columns: &[(&str, &Figures)]) -> Vec<String> {
    let mut names = BTreeMap::new();
    for operator in columns.iter().flat_map(|(_, figures)| &figures.operators) {
        names.insert(&operator.operator_id, &operator.name);
    }
    let mut lines = vec![
        String::new(),
        row(
            "sessions, peak load, busy",
            columns.iter().map(|(name, _)| (*name).to_owned()),
        ),
    ];
    for (id, name) in names {
        let of = |figures: &Figures| {
            let mut all = figures.operators.iter();
            all.find(|operator| operator.operator_id == *id).map_or_else(
                || "-".to_owned(),
                |operator| {
                    let busy = operator.busy_share.map_or_else(|| "-".to_owned(), share);
                    format!("{}, {:.1}, {busy}", operator.sessions, operator.peak)
                },
            )
        };
        lines.push(row(name, columns.iter().map(|(_, figures)| of(figures))));
    }
    lines
}

fn slots(columns: &[(&str, &Figures)]) -> Vec<String> {
    let each = columns.iter().all(|(_, figures)| figures.slots.len() <= SLOTS);
    let title = |slot: &Slot| {
        if each {
            slot.at.format("%Y-%m-%d %H:%M").to_string()
        } else {
            format!("{:02}:00", slot.at.hour())
        }
    };
    let daily = columns.iter().any(|(_, figures)| figures.slot_secs > 3_600);
    if daily && !each {
        return Vec::new();
    }
    // Came, and waited at most, by title and column.
    let mut rows: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for (column, (_, figures)) in columns.iter().enumerate() {
        for slot in &figures.slots {
            let row = rows
                .entry(title(slot))
                .or_insert_with(|| vec![(0, 0); columns.len()]);
            if let Some(cell) = row.get_mut(column) {
                *cell = (cell.0 + slot.arrivals, cell.1.max(slot.waiting));
            }
        }
    }
    rows.retain(|_, row| row.iter().any(|cell| *cell != (0, 0)));
    let mut lines = vec![
        String::new(),
        row(
            "came / waited at once (UTC)",
            columns.iter().map(|(name, _)| (*name).to_owned()),
        ),
    ];
    for (title, cells) in rows {
        let cells = cells.iter().map(|(came, waited)| format!("{came} / {waited}"));
        lines.push(row(&title, cells));
    }
    lines
}

fn time(secs: Option<f64>) -> String {
    secs.map_or_else(|| "-".to_owned(), duration)
}

/// `45 s`, `3 min 20 s`, `2 h 5 min`.
fn duration(secs: f64) -> String {
    let whole = secs.round() as u64;
    match (whole / 3_600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_are_told_in_two_units_at_most() {
        let told = [0.4, 45.0, 60.0, 200.0, 3_600.0, 7_500.0].map(duration);
        assert_eq!(told, ["0 s", "45 s", "1 min", "3 min 20 s", "1 h", "2 h 5 min"]);
    }
}
