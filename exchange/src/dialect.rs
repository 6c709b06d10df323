//! Which CSV is it? The separator, and whether the first row names the columns.

use crate::{guess, value};

/// The separators that are recognised, the likelier first where a file fits several.
pub const DELIMITERS: [char; 4] = [';', ',', '\t', '|'];
/// How much of a file is looked at.
const SAMPLE: usize = 64 << 10;
/// How many rows of it.
const ROWS: usize = 50;

/// The separator that Excel's first line `sep=;` names, and the text after that line.
pub fn named(text: &str) -> Option<(char, &str)> {
    let rest = text.strip_prefix("sep=").or_else(|| {
        text.strip_prefix("\"sep=")
            .filter(|rest| rest.get(1..2) == Some("\""))
    })?;
    let delimiter = rest.chars().next().filter(char::is_ascii)?;
    let rest = rest.get(1..)?;
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    let rest = rest.strip_prefix('\n').or(rest.is_empty().then_some(rest))?;
    (!matches!(delimiter, '\r' | '\n' | '"')).then_some((delimiter, rest))
}

/// The separator under which quotes stand where they belong, most rows have the same number of columns, and more than one.
pub fn delimiter(text: &str) -> char {
    let mut end = text.len().min(SAMPLE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let sample = text.get(..end).unwrap_or_default();
    let cut = end < text.len();
    let mut best = (0, 0, 0, ',');
    for delimiter in DELIMITERS {
        let Scan { mut widths, faults } = scan(sample, delimiter, cut);
        if cut && widths.len() > 1 {
            // The last row may be half of one.
            widths.pop();
        }
        let (usual, rows) = modal(&widths);
        if usual < 2 {
            continue;
        }
        let share = rows * 100 / widths.len().max(1);
        let rank = (usize::MAX - faults, share, usual);
        if rank > (best.0, best.1, best.2) {
            best = (rank.0, rank.1, rank.2, delimiter);
        }
    }
    best.3
}

/// What a separator makes of a text.
struct Scan {
    /// The widths of its rows; empty rows are none.
    widths: Vec<usize>,
    /// Quotes that stand amid a cell.
    faults: usize,
}

fn scan(sample: &str, delimiter: char, cut: bool) -> Scan {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        Start,
        Bare,
        Quoted,
        Closed,
    }
    let (mut at, mut width, mut faults, mut widths) = (At::Start, 1, 0, Vec::new());
    for char in sample.chars() {
        at = match (at, char) {
            (At::Quoted, '"') => At::Closed,
            (At::Quoted, _) => At::Quoted,
            (At::Start | At::Closed, '"') => At::Quoted,
            (_, '\r' | '\n') => {
                if width > 1 || at != At::Start {
                    widths.push(width);
                }
                if widths.len() >= ROWS {
                    return Scan { widths, faults };
                }
                width = 1;
                At::Start
            }
            (_, char) if char == delimiter => {
                width += 1;
                At::Start
            }
            (At::Closed, _) | (At::Bare, '"') => {
                faults += 1;
                At::Bare
            }
            (At::Start | At::Bare, _) => At::Bare,
        };
    }
    if width > 1 || at != At::Start {
        widths.push(width);
    }
    faults += usize::from(at == At::Quoted && !cut);
    Scan { widths, faults }
}

/// The most frequent width above one, and how many rows have it.
fn modal(widths: &[usize]) -> (usize, usize) {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for width in widths.iter().filter(|width| **width > 1) {
        *counts.entry(*width).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(width, rows)| (*rows, *width));
    most.unwrap_or((1, 0))
}

/// A reader of rows that may differ in length; the rows are all data.
pub fn reader(text: &str, delimiter: char) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(u8::try_from(delimiter).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// Whether a row names the columns: one of its names is known, or it holds words only, each once.
pub fn is_header(cells: &[String]) -> bool {
    let filled: Vec<&str> = cells
        .iter()
        .map(|cell| cell.trim())
        .filter(|cell| !cell.is_empty())
        .collect();
    if filled.is_empty() || filled.iter().any(|cell| is_data(cell)) {
        return false;
    }
    if filled.iter().any(|cell| guess::field(cell).is_some()) {
        return true;
    }
    let mut seen = std::collections::BTreeSet::new();
    filled.len() == cells.len()
        && filled.len() > 1
        && filled
            .iter()
            .all(|cell| cell.chars().count() <= 60 && seen.insert(cell.to_lowercase()))
}

/// An address, a number or a date names no column.
fn is_data(cell: &str) -> bool {
    cell.contains('@')
        || cell.chars().filter(char::is_ascii_digit).count() >= 5
        || value::number(cell).is_ok()
        || value::moment(cell, value::DateOrder::DayFirst).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{delimiter, is_header, named};

    #[test]
    fn the_separator_is_the_one_that_divides_all_rows_alike() {
        let table = [
            ("a;b;c\n1,5;2,5;3\n", ';'),
            ("a,b\n\"1;2;3\",x\n\"2;3\",y\n", ','),
            ("a\tb\n1, 2\t3\n", '\t'),
            ("a|b\n1|2\n", '|'),
            ("only\none\n", ','),
            ("", ','),
        ];
        for (text, expected) in table {
            assert_eq!(delimiter(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_first_line_may_name_the_separator() {
        assert_eq!(named("sep=;\r\na;b"), Some((';', "a;b")));
        assert_eq!(named("\"sep=|\"\na|b"), Some(('|', "a|b")));
        assert_eq!(named("sep=\ta"), None);
        assert_eq!(named("sep=é\na"), None);
        assert_eq!(named("a;b"), None);
    }

    #[test]
    fn names_of_columns_are_told_from_data() {
        let header =
            |cells: &[&str]| is_header(&cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
        assert!(header(&["Имя", "Телефон", ""]));
        assert!(header(&["Colour", "Size"]));
        assert!(!header(&["Anna", "anna@shop.example"]));
        assert!(!header(&["Anna", "+7 900 123-45-67"]));
        assert!(!header(&["12", "13"]));
        assert!(!header(&[""]));
    }
}
