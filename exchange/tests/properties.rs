//! Any table reads back from any dialect we recognise, and no bytes make anything panic.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::ops::ControlFlow;

use proptest::prelude::*;
use switchboard_exchange::{Format, Layout, Mapping, Reading, Record, sheet, text::Encoding};

/// A cell as people fill it: also with separators, quotes, lines and Cyrillic.
fn cell() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9а-яА-Я@.,;|\t\"'=+ \n-]{0,12}".prop_map(|cell| cell.trim().to_owned())
}

/// Tables whose rows are equally wide and not empty.
fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2_usize..6).prop_flat_map(|width| {
        let row = prop::collection::vec(cell(), width).prop_filter("an empty row is none", |row| {
            row.iter().any(|cell| !cell.is_empty())
        });
        prop::collection::vec(row, 1..8)
    })
}

fn written(rows: &[Vec<String>], delimiter: char, end: &str, quote_all: bool) -> String {
    let cell = |cell: &String| {
        let text = sheet::guarded(cell);
        let special = text.contains([',', ';', '\t', '|', '"', '\n', '\r', ' ']);
        if quote_all || special {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.into_owned()
        }
    };
    let line = |row: &Vec<String>| {
        row.iter()
            .map(cell)
            .collect::<Vec<_>>()
            .join(&delimiter.to_string())
            + end
    };
    rows.iter().map(line).collect()
}

fn encoded(text: &str, encoding: Encoding, mark: bool) -> Vec<u8> {
    let marked = if mark {
        format!("\u{feff}{text}")
    } else {
        text.to_owned()
    };
    match encoding {
        Encoding::Utf8 => marked.into_bytes(),
        // Without a mark UTF-16 is recognised by Latin text only.
        Encoding::Utf16Le => format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        Encoding::Utf16Be => format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect(),
        Encoding::Windows1251 => encoding_rs::WINDOWS_1251.encode(text).0.into_owned(),
    }
}

fn read(layout: &Layout, bytes: &[u8]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    layout
        .rows(bytes, &mut |row| {
            rows.push(row.cells);
            ControlFlow::Continue(())
        })
        .unwrap();
    rows
}

proptest! {
    // The file of failures would lie beside the tests.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_table_reads_back_in_any_dialect(
        rows in table(),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        encoding in prop::sample::select(vec![Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Windows1251]),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        (mark, named, quote_all) in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let mut text = written(&rows, delimiter, end, quote_all);
        if named {
            text = format!("sep={delimiter}{end}{text}");
        }
        let bytes = encoded(&text, encoding, mark);
        let layout = Layout { header: false, ..Layout::of(&bytes).unwrap() };
        prop_assert_eq!(layout.format, Format::Csv);
        // The bytes of a short Cyrillic text may be UTF-8 as well; what is told apart reads back.
        prop_assert_eq!(layout.delimiter, Some(delimiter));
        prop_assert_eq!(read(&layout, &bytes), rows);
    }

    #[test]
    fn what_we_write_reads_back(rows in table()) {
        let bytes = rows.iter().map(sheet::line).collect::<String>();
        let bytes = format!("{}{bytes}", sheet::MARK).into_bytes();
        let layout = Layout { header: false, ..Layout::of(&bytes).unwrap() };
        prop_assert_eq!(read(&layout, &bytes), rows);
    }

    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"BEGIN:VCARD\n", b"sep=", b"\xff\xfe", b"\xfe\xff", b"a;b\n"]),
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes: Vec<u8> = start.iter().copied().chain(rest).collect();
        if let Ok(layout) = Layout::of(&bytes)
            && let Ok(head) = layout.head(&bytes, 20)
        {
            let places = Mapping::guess(&head.columns).resolve(&head.columns).unwrap();
            for row in &head.rows {
                drop(Record::read(row, &places, &Reading::default()));
            }
        }
    }

    #[test]
    fn a_broken_spreadsheet_is_refused_and_does_not_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
    ) {
        let mut book = sheet::Book::new(&["Name", "Phone"]).unwrap();
        book.row(["Anna", "+79001234567"]).unwrap();
        let mut bytes = Vec::new();
        book.finish(&mut bytes).unwrap();
        for (at, byte) in cuts {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(layout) = Layout::of(&bytes) {
            drop(layout.head(&bytes, 20));
        }
    }
}
