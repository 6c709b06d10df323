//! What kind of file it is, and its rows one by one.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::{card, dialect, text::Encoding, value, xlsx};

/// Longest cell, in bytes; what is longer is most often a quote that nobody closed.
pub const MAX_CELL: usize = 32 << 10;
/// Most columns.
pub const MAX_COLUMNS: usize = 500;
/// Most rows of a file.
pub const MAX_ROWS: u64 = 1_000_000;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text with separators.
    Csv,
    /// A spreadsheet of Excel.
    Xlsx,
    /// Cards of an address book.
    Vcard,
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The kind of file.
    pub format: Format,
    /// Of text.
    pub encoding: Option<Encoding>,
    /// Of CSV.
    pub delimiter: Option<char>,
    /// The first row names the columns.
    pub header: bool,
    /// Of a spreadsheet; the first one when absent.
    pub sheet: Option<String>,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The line of the file it begins in, from 1; the row of a spreadsheet, the number of a card.
    pub number: u64,
    /// Its cells as text.
    pub cells: Vec<String>,
}

impl Row {
    /// Nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// The beginning of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The names of the columns, each once.
    pub columns: Vec<String>,
    /// The first rows.
    pub rows: Vec<Row>,
}

/// A file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// It is of a kind we do not read.
    #[error("this is no CSV, XLSX or vCard file: {0}")]
    Foreign(&'static str),
    /// It unpacks to more than we take.
    #[error("the file unpacks to more than {0} MB")]
    TooLarge(u64),
    /// A spreadsheet that is broken.
    #[error("the spreadsheet cannot be read: {0}")]
    Broken(String),
    /// The sheet that was asked for is not there.
    #[error("there is no sheet {0:?}")]
    NoSheet(String),
}

impl Layout {
    /// Recognises a file.
    ///
    /// # Errors
    /// When it is none that we read.
    pub fn of(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.is_empty() {
            return Err(Unreadable::Empty);
        }
        if bytes.starts_with(b"PK\x03\x04") {
            let mut layout = Self {
                format: Format::Xlsx,
                encoding: None,
                delimiter: None,
                header: false,
                sheet: None,
            };
            layout.header = layout
                .first_row(bytes)?
                .is_some_and(|row| dialect::is_header(&row.cells));
            return Ok(layout);
        }
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(Unreadable::Foreign("old Excel (.xls); save it as .xlsx or CSV"));
        }
        if bytes.starts_with(b"%PDF") {
            return Err(Unreadable::Foreign("it is a PDF"));
        }
        let encoding = Encoding::of(bytes);
        let text = encoding.decode(bytes);
        if card::is_card(&text) {
            return Ok(Self {
                format: Format::Vcard,
                encoding: Some(encoding),
                delimiter: None,
                header: false,
                sheet: None,
            });
        }
        if text.trim().is_empty() {
            return Err(Unreadable::Empty);
        }
        if text.chars().take(4_096).any(|char| char == '\0') {
            return Err(Unreadable::Foreign("it is no text"));
        }
        let delimiter = match dialect::named(&text) {
            Some((delimiter, _)) => delimiter,
            None => dialect::delimiter(&text),
        };
        let mut layout = Self {
            format: Format::Csv,
            encoding: Some(encoding),
            delimiter: Some(delimiter),
            header: false,
            sheet: None,
        };
        layout.header = layout
            .first_row(bytes)?
            .is_some_and(|row| dialect::is_header(&row.cells));
        Ok(layout)
    }

    fn first_row(&self, bytes: &[u8]) -> Result<Option<Row>, Unreadable> {
        let mut first = None;
        self.all(bytes, &mut |row| {
            first = Some(row);
            ControlFlow::Break(())
        })?;
        Ok(first)
    }

    /// The names of the columns and the first `count` rows.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn head(&self, bytes: &[u8], count: usize) -> Result<Head, Unreadable> {
        let mut names: Option<Vec<String>> = None;
        let mut rows: Vec<Row> = Vec::new();
        self.all(bytes, &mut |row| {
            if self.header && names.is_none() {
                names = Some(row.cells);
            } else if rows.len() < count {
                rows.push(row);
            }
            if rows.len() < count {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let names = match self.format {
            Format::Vcard => card::COLUMNS.iter().map(|name| (*name).to_owned()).collect(),
            _ => names.unwrap_or_default(),
        };
        Ok(Head {
            columns: unique(names, width),
            rows,
        })
    }

    /// Hands over the rows that hold something, without the one that names the columns, until it is told to stop.
    ///
    /// # Errors
    /// When the file cannot be read, or not to its end.
    pub fn rows(&self, bytes: &[u8], take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), Unreadable> {
        let mut header = self.header;
        self.all(bytes, &mut |row| {
            if std::mem::take(&mut header) {
                ControlFlow::Continue(())
            } else {
                take(row)
            }
        })
    }

    fn all(&self, bytes: &[u8], take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), Unreadable> {
        let mut count = 0;
        let mut bounded = |row: Row| {
            if row.is_empty() {
                return ControlFlow::Continue(());
            }
            count += 1;
            // The row above the limit and the header's are too many by one; whoever reads counts for itself.
            if count > MAX_ROWS + 1 {
                return ControlFlow::Break(());
            }
            take(row)
        };
        match self.format {
            Format::Csv => {
                csv_rows(&self.text(bytes), self.delimiter.unwrap_or(','), &mut bounded);
                Ok(())
            }
            Format::Vcard => {
                card::rows(bytes, self.encoding.unwrap_or(Encoding::Utf8), &mut bounded);
                Ok(())
            }
            Format::Xlsx => xlsx::rows(bytes, self.sheet.as_deref(), &mut bounded),
        }
    }

    fn text<'a>(&self, bytes: &'a [u8]) -> std::borrow::Cow<'a, str> {
        self.encoding.unwrap_or_else(|| Encoding::of(bytes)).decode(bytes)
    }

    /// The names of the sheets of a spreadsheet; of others none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn sheets(&self, bytes: &[u8]) -> Result<Vec<String>, Unreadable> {
        match self.format {
            Format::Xlsx => xlsx::sheets(bytes),
            _ => Ok(Vec::new()),
        }
    }
}

fn csv_rows(text: &str, delimiter: char, take: &mut dyn FnMut(Row) -> ControlFlow<()>) {
    let (body, skipped) = match dialect::named(text) {
        Some((_, rest)) => (rest, 1),
        None => (text, 0),
    };
    let mut reader = dialect::reader(body, delimiter);
    let mut record = csv::StringRecord::new();
    // The reader's own count stands before the end of the line, or of empty ones.
    let (mut line, mut counted) = (1 + skipped, 0);
    // What was decoded is UTF-8, and rows may differ in length: nothing else can fail.
    while reader.read_record(&mut record).unwrap_or(false) {
        let mut start = record
            .position()
            .map_or(0, csv::Position::byte)
            .try_into()
            .unwrap_or(usize::MAX);
        while matches!(body.as_bytes().get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let passed = body.as_bytes().get(counted..start).unwrap_or_default();
        line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = start;
        let cells = record.iter().take(MAX_COLUMNS).map(cell).collect();
        if take(Row { number: line, cells }).is_break() {
            return;
        }
    }
}

/// A cell without the mark by which spreadsheets keep a text from being a formula.
fn cell(text: &str) -> String {
    value::unguarded(text).to_owned()
}

/// Names that are there once each: a second "Phone" is "Phone (2)", what has no name is "Column 3".
fn unique(names: Vec<String>, width: usize) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let width = width.max(names.len()).min(MAX_COLUMNS);
    let mut names = names.into_iter();
    (1..=width)
        .map(|position| {
            let name = names.next().unwrap_or_default();
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = if name.is_empty() {
                format!("Column {position}")
            } else {
                name.chars().take(200).collect()
            };
            let mut shown = name.clone();
            let mut again = 2;
            while !seen.insert(shown.to_lowercase()) {
                shown = format!("{name} ({again})");
                again += 1;
            }
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{Format, Layout, Unreadable};

    fn cells(layout: &Layout, bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
        let mut rows = Vec::new();
        layout
            .rows(bytes, &mut |row| {
                rows.push((row.number, row.cells));
                ControlFlow::Continue(())
            })
            .unwrap();
        rows
    }

    #[test]
    fn a_table_of_a_russian_excel_is_read_as_it_was_meant() {
        let text =
            "sep=;\r\nИмя;Телефон;Телефон;\r\n\"Анна;\r\nмладшая\";'+7900;8495;x\r\n\r\n;;\r\nПётр;1\r\n";
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(text);
        let layout = Layout::of(&bytes).unwrap();
        assert_eq!(
            (layout.format, layout.delimiter, layout.header),
            (Format::Csv, Some(';'), true)
        );
        let head = layout.head(&bytes, 20).unwrap();
        assert_eq!(head.columns, ["Имя", "Телефон", "Телефон (2)", "Column 4"]);
        let rows = cells(&layout, &bytes);
        assert_eq!(
            rows[0],
            (
                3,
                vec![
                    "Анна;\r\nмладшая".into(),
                    "+7900".into(),
                    "8495".into(),
                    "x".into()
                ]
            )
        );
        assert_eq!(rows[1], (7, vec!["Пётр".into(), "1".into()]));
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn what_is_no_table_is_refused_in_words() {
        assert_eq!(Layout::of(b""), Err(Unreadable::Empty));
        assert_eq!(Layout::of(b" \r\n"), Err(Unreadable::Empty));
        assert!(matches!(Layout::of(b"%PDF-1.7"), Err(Unreadable::Foreign(_))));
        assert!(matches!(
            Layout::of(b"PK\x03\x04rubbish"),
            Err(Unreadable::Broken(_))
        ));
    }
}
