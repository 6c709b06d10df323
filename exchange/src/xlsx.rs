//! Spreadsheets of Excel, cell by cell.

use std::{
    io::{Cursor, Read},
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{DataRef, Reader, Xlsx};

use crate::layout::{MAX_COLUMNS, Row, Unreadable};

/// What a file may unpack to, in bytes: a spreadsheet is a zip, and a small zip can hold a very large file.
const MAX_UNPACKED: u64 = 512 << 20;
/// Files in the archive.
const MAX_PARTS: usize = 10_000;

/// The names of the sheets.
pub fn sheets(bytes: &[u8]) -> Result<Vec<String>, Unreadable> {
    guarded(|| Ok(open(bytes)?.sheet_names().clone()))
}

/// Hands over the rows of a sheet, the first one when none is named.
pub fn rows(
    bytes: &[u8],
    sheet: Option<&str>,
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> Result<(), Unreadable> {
    guarded(|| read(bytes, sheet, take))
}

/// The library counts rows and columns without looking for overflow: a file that is made for it must be refused like
/// any other broken one.
fn guarded<T>(work: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_panic| Err(Unreadable::Broken("its parts contradict each other".to_owned())))
}

fn read(
    bytes: &[u8],
    sheet: Option<&str>,
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> Result<(), Unreadable> {
    let mut book = open(bytes)?;
    let names = book.sheet_names().clone();
    let name = match sheet {
        Some(sheet) => names
            .into_iter()
            .find(|name| name == sheet)
            .ok_or_else(|| Unreadable::NoSheet(sheet.to_owned()))?,
        None => names.into_iter().next().ok_or(Unreadable::Empty)?,
    };
    let mut cells = book.worksheet_cells_reader(&name).map_err(broken)?;
    let mut row = Row::default();
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (line, column) = cell.get_position();
        let (number, column) = (u64::from(line) + 1, column as usize);
        if number != row.number {
            if row.number > 0 && take(std::mem::take(&mut row)).is_break() {
                return Ok(());
            }
            row.number = number;
        }
        if column >= MAX_COLUMNS {
            continue;
        }
        let value = shown(cell.get_value());
        if !value.is_empty() {
            if row.cells.len() <= column {
                row.cells.resize(column + 1, String::new());
            }
            row.cells[column] = value;
        }
    }
    if row.number > 0 {
        let _told = take(row);
    }
    Ok(())
}

fn open(bytes: &[u8]) -> Result<Xlsx<Cursor<&[u8]>>, Unreadable> {
    weigh(bytes)?;
    Xlsx::new(Cursor::new(bytes)).map_err(broken)
}

/// Unpacks everything into nothing and counts: what an archive says of its sizes may be a lie.
fn weigh(bytes: &[u8]) -> Result<(), Unreadable> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MAX_PARTS {
        return Err(Unreadable::Broken("it has too many parts".to_owned()));
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(broken)?;
        let size = std::io::copy(&mut part.take(left), &mut std::io::sink()).map_err(broken)?;
        left -= size;
        if left == 0 {
            return Err(Unreadable::TooLarge(MAX_UNPACKED >> 20));
        }
    }
    Ok(())
}

fn broken(error: impl std::fmt::Display) -> Unreadable {
    Unreadable::Broken(error.to_string())
}

/// A cell as a person would type it.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => format!("{number}"),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        DataRef::DateTime(moment) => format!("{}", moment.as_f64()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

    use crate::layout::{Layout, Unreadable};

    fn book() -> Vec<u8> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let date = Format::new().set_num_format("dd.mm.yyyy");
        sheet.write_string(0, 0, "Имя").unwrap();
        sheet.write_string(0, 1, "Телефон").unwrap();
        sheet.write_string(0, 3, "Создан").unwrap();
        sheet.write_string(2, 0, "Анна").unwrap();
        sheet.write_number(2, 1, 79_001_234_567.0).unwrap();
        sheet
            .write_datetime_with_format(2, 3, ExcelDateTime::from_ymd(2026, 1, 5).unwrap(), &date)
            .unwrap();
        book.add_worksheet().write_string(0, 0, "other").unwrap();
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn cells_are_read_as_a_person_would_type_them() {
        let bytes = book();
        let layout = Layout::of(&bytes).unwrap();
        assert!(layout.header);
        assert_eq!(layout.sheets(&bytes).unwrap(), ["Sheet1", "Sheet2"]);
        let head = layout.head(&bytes, 20).unwrap();
        assert_eq!(head.columns, ["Имя", "Телефон", "Column 3", "Создан"]);
        assert_eq!(head.rows[0].number, 3);
        assert_eq!(head.rows[0].cells, ["Анна", "79001234567", "", "2026-01-05"]);
        let missing = Layout {
            sheet: Some("none".into()),
            ..layout
        };
        let found = missing.rows(&bytes, &mut |_| ControlFlow::Continue(()));
        assert_eq!(found, Err(Unreadable::NoSheet("none".into())));
    }
}
