//! Arrivals that somebody made up or took from elsewhere, as CSV. Pure.
//!
//! The first line names the columns, in any order: `at` (RFC 3339), `channel_kind`, `language`, `priority`,
//! `handle_secs`, and if wanted `patience_secs`, `reply_secs`, `responsible`, `line`. Only `at` is required.

use chrono::{DateTime, Utc};

use super::Arrival;

const COLUMNS: [&str; 9] = [
    "at",
    "channel_kind",
    "language",
    "priority",
    "handle_secs",
    "patience_secs",
    "reply_secs",
    "responsible",
    "line",
];

/// A row that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The line in the file, from 1.
    pub line: usize,
    /// What is wrong, with the column.
    pub message: String,
}

/// Reads arrivals; who has no `line` comes on `default_line`.
///
/// # Errors
/// Each row that cannot be.
pub fn arrivals(text: &str, default_line: &str) -> Result<Vec<Arrival>, Vec<Wrong>> {
    let mut rows = text
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .map(|(index, row)| (index + 1, row))
        .filter(|(_, row)| !row.trim().is_empty());
    let Some((first, header)) = rows.next() else {
        return Err(vec![wrong(1, "the file is empty")]);
    };
    let columns: Vec<String> = cells(header).map(str::to_lowercase).collect();
    let unknown = columns
        .iter()
        .filter(|column| !COLUMNS.contains(&column.as_str()))
        .map(|column| {
            wrong(
                first,
                format!("unknown column `{column}`; known are {}", COLUMNS.join(", ")),
            )
        });
    let mut errors: Vec<Wrong> = unknown.collect();
    if !columns.iter().any(|column| column == "at") {
        errors.push(wrong(first, "the column `at` is missing"));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut arrivals = Vec::new();
    for (line, row) in rows {
        match arrival(&columns, row, default_line) {
            Ok(arrival) => arrivals.push(arrival),
            Err(message) => errors.push(wrong(line, message)),
        }
    }
    if errors.is_empty() {
        Ok(arrivals)
    } else {
        Err(errors)
    }
}

fn wrong(line: usize, message: impl Into<String>) -> Wrong {
    Wrong {
        line,
        message: message.into(),
    }
}

/// No value here holds a comma, so quotes are taken off and mean nothing else.
fn cells(row: &str) -> impl Iterator<Item = &str> {
    row.split(',').map(|cell| cell.trim().trim_matches('"').trim())
}

fn arrival(columns: &[String], row: &str, default_line: &str) -> Result<Arrival, String> {
    let cells: Vec<&str> = cells(row).collect();
    if cells.len() > columns.len() {
        return Err(format!("{} values for {} columns", cells.len(), columns.len()));
    }
    let value = |name: &str| {
        let index = columns.iter().position(|column| column == name)?;
        cells.get(index).copied().filter(|cell| !cell.is_empty())
    };
    let text = |name: &str| value(name).map(str::to_owned);
    let secs = |name: &str| -> Result<Option<f64>, String> {
        let Some(cell) = value(name) else { return Ok(None) };
        let secs = cell.parse().ok().filter(|secs| (0.0..=1e8).contains(secs));
        secs.map(Some)
            .ok_or_else(|| format!("`{name}` must be a number of seconds, not {cell}"))
    };
    let at = value("at").ok_or("`at` is missing")?;
    let at: DateTime<Utc> = at
        .parse()
        .map_err(|_| format!("`at` must be a time such as 2027-01-04T09:00:00Z, not {at}"))?;
    let priority = value("priority").map_or(Ok(0), |cell| {
        cell.parse()
            .map_err(|_| format!("`priority` must be a whole number, not {cell}"))
    });
    Ok(Arrival {
        at,
        line: text("line").unwrap_or_else(|| default_line.to_owned()),
        channel_kind: text("channel_kind").unwrap_or_else(|| "webchat".to_owned()),
        language: text("language"),
        priority: priority?,
        responsible: text("responsible").map(|word| word.to_lowercase()),
        reply_secs: secs("reply_secs")?,
        handle_secs: secs("handle_secs")?,
        patience_secs: secs("patience_secs")?,
    })
}

#[cfg(test)]
mod tests {
    use super::arrivals;

    #[test]
    fn columns_stand_in_any_order_and_may_be_empty() {
        let text = "\u{feff}handle_secs,at,Language,line\n300,2027-01-04T09:00:00+05:00,en,\n,2027-01-04T09:00:01Z,\"ru\",other\n\n";
        let read = arrivals(text, "support").unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].at.to_rfc3339().as_str(), read[0].line.as_str()),
            ("2027-01-04T04:00:00+00:00", "support")
        );
        assert_eq!((read[0].handle_secs, read[1].handle_secs), (Some(300.0), None));
        assert_eq!(
            (read[1].language.as_deref(), read[1].line.as_str()),
            (Some("ru"), "other")
        );
    }

    #[test]
    fn each_wrong_row_is_named() {
        let wrong = arrivals(
            "at,handle_secs\nyesterday,5\n2027-01-04T09:00:00Z,-5\n2027-01-04T09:00:00Z,1,2\n",
            "x",
        )
        .unwrap_err();
        let lines: Vec<usize> = wrong.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [2, 3, 4]);
        let wrong = arrivals("when,handle_secs\n", "x").unwrap_err();
        assert!(wrong[0].message.contains("unknown column `when`") && wrong[1].message.contains("`at`"));
    }
}
