//! Tables and cards as files: what people open in a spreadsheet or an address book.
//!
//! A spreadsheet takes a text that begins like a formula for one, and strangers choose their names. Such a text gets an
//! apostrophe before it, which [`value::unguarded`] takes away when the file is read again.

use std::io::Write;

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use crate::value;

/// Without it spreadsheets take names for another encoding.
pub const MARK: &str = "\u{feff}";
/// Rows a sheet of Excel can have, with the one that names the columns.
pub const XLSX_ROWS: u32 = 1_048_576;
/// Characters a cell of Excel can have.
const XLSX_CELL: usize = 32_767;

/// One line of CSV.
pub fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut line = String::new();
    let mut count = 0;
    for cell in cells {
        if count > 0 {
            line.push(',');
        }
        count += 1;
        push_cell(&mut line, cell.as_ref());
    }
    if count == 1 && line.is_empty() {
        // An empty line is no row.
        line.push_str("\"\"");
    }
    line.push_str("\r\n");
    line
}

fn push_cell(line: &mut String, text: &str) {
    let text = guarded(text);
    if text.contains(['"', ',', ';', '|', '\n', '\r', '\t']) || text.starts_with(' ') || text.ends_with(' ') {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(&text);
    }
}

/// The text as no spreadsheet takes it for a formula. A telephone number begins with a plus and is safe: nothing but
/// digits follows.
pub fn guarded(text: &str) -> std::borrow::Cow<'_, str> {
    let digits = |rest: &str| !rest.is_empty() && rest.chars().all(|char| char.is_ascii_digit());
    let number = text.strip_prefix('+').is_some_and(digits);
    if value::is_formula(text) && !number {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// A sheet of Excel that is written row by row; what is written waits in a temporary file.
pub struct Book {
    book: Workbook,
    row: u32,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Book")
    }
}

impl Book {
    /// A sheet with the names of its columns.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn new(columns: &[&str]) -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet_with_constant_memory()?;
        let bold = Format::new().set_bold();
        sheet.set_freeze_panes(1, 0)?;
        for (column, name) in (0_u16..).zip(columns) {
            sheet.write_string_with_format(0, column, *name, &bold)?;
        }
        Ok(Self { book, row: 1 })
    }

    /// One row; answers false when the sheet is full. Everything is text: no formulas, no numbers that lose their digits.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> Result<bool, XlsxError> {
        if self.row >= XLSX_ROWS {
            return Ok(false);
        }
        let row = self.row;
        let sheet: &mut Worksheet = self.book.worksheet_from_index(0)?;
        for (column, cell) in (0_u16..).zip(cells) {
            let cell: String = cell.as_ref().chars().take(XLSX_CELL).collect();
            if !cell.is_empty() {
                sheet.write_string(row, column, cell)?;
            }
        }
        self.row += 1;
        Ok(true)
    }

    /// The file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, to: impl Write + Send) -> Result<(), XlsxError> {
        self.book.save_to_writer(to)
    }
}

/// A person as a card.
#[derive(Debug, Clone, Default)]
pub struct Person<'a> {
    /// Our id.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// E-mail addresses.
    pub emails: &'a [String],
    /// Telephone numbers.
    pub phones: &'a [String],
    /// The company.
    pub company: &'a str,
    /// What they are there.
    pub position: &'a str,
    /// When anything of them last changed.
    pub revised: &'a str,
}

/// The card of a person, vCard 3.0: what every telephone reads.
pub fn card(person: &Person<'_>) -> String {
    let name = if person.name.trim().is_empty() {
        person
            .emails
            .first()
            .or(person.phones.first())
            .map_or("", String::as_str)
    } else {
        person.name
    };
    let mut lines = vec!["BEGIN:VCARD".to_owned(), "VERSION:3.0".to_owned()];
    lines.push(format!("UID:{}", escaped(person.id)));
    lines.push(format!("FN:{}", escaped(name)));
    let (first, last) = name
        .rsplit_once(' ')
        .map_or((name, ""), |(first, last)| (first, last));
    lines.push(format!("N:{};{};;;", escaped(last), escaped(first)));
    if !person.company.is_empty() {
        lines.push(format!("ORG:{}", escaped(person.company)));
    }
    if !person.position.is_empty() {
        lines.push(format!("TITLE:{}", escaped(person.position)));
    }
    lines.extend(
        person
            .emails
            .iter()
            .map(|email| format!("EMAIL;TYPE=INTERNET:{}", escaped(email))),
    );
    lines.extend(
        person
            .phones
            .iter()
            .map(|phone| format!("TEL;TYPE=VOICE:{}", escaped(phone))),
    );
    if !person.revised.is_empty() {
        lines.push(format!("REV:{}", escaped(person.revised)));
    }
    lines.push("END:VCARD".to_owned());
    let folded: Vec<String> = lines.iter().map(|line| folded(line)).collect();
    folded.join("\r\n") + "\r\n"
}

fn escaped(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace("\r\n", "\\n")
        .replace(['\n', '\r'], "\\n");
    text.replace(';', "\\;").replace(',', "\\,")
}

/// Lines of at most 75 bytes, cut between characters.
fn folded(line: &str) -> String {
    let mut folded = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for char in line.chars() {
        if length + char.len_utf8() > 75 {
            folded.push_str("\r\n ");
            length = 1;
        }
        folded.push(char);
        length += char.len_utf8();
    }
    folded
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use proptest::prelude::*;

    use super::{Book, Person, card, guarded, line};
    use crate::{card as cards, layout::Layout, text::Encoding};

    #[test]
    fn what_looks_like_a_formula_is_a_text() {
        let table = [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("+998901234567", "+998901234567"),
            ("+1|cmd", "\"'+1|cmd\""),
            ("\t=1", "\"'\t=1\""),
            ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            ("Anna, Smith", "\"Anna, Smith\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("'=1", "''=1"),
            ("'tis", "'tis"),
            ("", "\"\""),
        ];
        for (text, expected) in table {
            assert_eq!(line([text]), format!("{expected}\r\n"));
        }
        assert_eq!(line(["", "a"]), ",a\r\n");
        assert_eq!(guarded("plain"), "plain");
    }

    proptest! {
        #[test]
        fn a_cell_is_one_cell_and_no_formula(text: String) {
            let made = line(["", &text]);
            let made = made.strip_prefix(',').and_then(|made| made.strip_suffix("\r\n")).unwrap();
            let inner = made.strip_prefix('"').and_then(|made| made.strip_suffix('"')).unwrap_or(made);
            let number = inner.strip_prefix('+').is_some_and(|rest| rest.chars().all(|char| char.is_ascii_digit()));
            prop_assert!(number || !inner.trim_start().starts_with(['=', '+', '-', '@']));
            prop_assert_eq!(made.matches('"').count() % 2, 0);
        }
    }

    #[test]
    fn a_spreadsheet_reads_back() {
        let mut book = Book::new(&["Name", "Phone"]).unwrap();
        assert!(book.row(["=1+1", "+79001234567"]).unwrap());
        assert!(book.row(["", "00012"]).unwrap());
        let mut bytes = Vec::new();
        book.finish(&mut bytes).unwrap();
        let layout = Layout::of(&bytes).unwrap();
        let head = layout.head(&bytes, 20).unwrap();
        assert_eq!(head.columns, ["Name", "Phone"]);
        assert_eq!(head.rows[0].cells, ["=1+1", "+79001234567"]);
        assert_eq!(head.rows[1].cells, ["", "00012"]);
    }

    #[test]
    fn a_card_reads_back() {
        let long = "Анна-Мария Константинопольская-Преображенская, старшая; сестра";
        let emails = ["a@b.example".to_owned()];
        let text = card(&Person {
            id: "cnt_1",
            name: long,
            emails: &emails,
            phones: &["+79001234567".to_owned()],
            company: "Shop; Co",
            position: "Buyer",
            revised: "",
        });
        assert!(text.lines().all(|line| line.len() <= 75));
        let mut read = Vec::new();
        let _told = cards::cards(text.as_bytes(), Encoding::Utf8, &mut |card| {
            read.push(card);
            ControlFlow::Continue(())
        });
        assert_eq!(
            (read[0].name.as_str(), read[0].company.as_str()),
            (long, "Shop; Co")
        );
        assert_eq!(
            (read[0].emails.as_slice(), read[0].position.as_str()),
            (emails.as_slice(), "Buyer")
        );
    }
}
