//! The form in which records are kept to be found by any part of their words, and what is looked for in it. Pure.
//!
//! A record is kept as its words in small letters, two spaces before each: then the first letter of a word makes a
//! group of three with the spaces before it, as any three letters in a row do, and an index of groups of three finds
//! beginnings of one or two letters as well.

use std::collections::BTreeSet;

/// Characters of a record that are kept; what it is called by is shorter.
const MOST: usize = 4_000;
/// Characters and words of a query that are looked for.
const MOST_ASKED: usize = 200;
const MOST_WORDS: usize = 12;
/// Groups that a query asks the index for; what they find is compared in full all the same.
const MOST_GROUPS: usize = 16;
/// What stands before each word.
const GAP: &str = "  ";

/// Texts in the form in which they are kept.
pub fn kept<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut kept = String::new();
    for word in texts.into_iter().flat_map(str::split_whitespace) {
        push(&mut kept, word);
    }
    match kept.char_indices().nth(MOST) {
        Some((end, _)) => kept.get(..end).unwrap_or_default().to_owned(),
        None => kept,
    }
}

fn push(kept: &mut String, word: &str) {
    let mut begins = true;
    for char in word.chars().filter_map(folded) {
        // Where words are written without spaces each character may begin one.
        if std::mem::take(&mut begins) || is_dense(char) {
            kept.push_str(GAP);
        }
        kept.push(char);
    }
}

/// A character in one of its forms: its small letter, a digit of 0 to 9, a letter that is written in two ways in one
/// of them; none for what nobody sees.
fn folded(char: char) -> Option<char> {
    let upper = char.to_uppercase();
    let upper = if upper.len() == 1 {
        upper.into_iter().next()?
    } else {
        char
    };
    let char = upper.to_lowercase().next()?;
    let digit = |zero: u32| char::from_u32(u32::from(char) - zero + u32::from('0'));
    match char {
        '\u{0660}'..='\u{0669}' => digit(0x0660),
        '\u{06F0}'..='\u{06F9}' => digit(0x06F0),
        '\u{0966}'..='\u{096F}' => digit(0x0966),
        '\u{FF10}'..='\u{FF19}' => digit(0xFF10),
        // Keyboards of Arabic and of Persian write them differently.
        'ي' | 'ى' => Some('ی'),
        'ك' => Some('ک'),
        'ё' => Some('е'),
        // Lengthened lines, marks of vowels, joiners and marks of direction.
        '\u{0640}'
        | '\u{064B}'..='\u{0652}'
        | '\u{00AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}' => None,
        char if char.is_control() => None,
        char => Some(char),
    }
}

/// Characters of scripts that have no spaces between words.
fn is_dense(char: char) -> bool {
    matches!(u32::from(char), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// What is looked for: a record fits that holds all pieces of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    ways: Vec<Way>,
}

/// Pieces that a record must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Each is part of the record as it is kept.
    pub pieces: Vec<String>,
    /// Three characters each; the record holds them all.
    pub groups: Vec<String>,
}

impl Wanted {
    /// Reads a query; none when there is nothing to look for.
    ///
    /// All its words must be there, each as any part of a word; when none has three letters, as beginnings of words. A
    /// number may be written with spaces, brackets and dashes.
    pub fn read(query: &str) -> Option<Self> {
        let query: String = query.chars().take(MOST_ASKED).collect();
        let words: Vec<String> = query
            .split_whitespace()
            .map(|word| kept([word]).trim_start().to_owned())
            .filter(|word| !word.is_empty())
            .take(MOST_WORDS)
            .collect();
        if words.is_empty() {
            return None;
        }
        let plain: String = words.concat();
        let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
        let number = digits.len() >= 3
            && plain != digits
            && plain
                .chars()
                .all(|char| char.is_ascii_digit() || "+-–()./ ".contains(char));
        let spaced = number || words.len() > 1 && plain == digits && digits.len() >= 3;
        let mut ways = vec![Way::of(words)];
        if spaced {
            ways.push(Way::of(vec![digits]));
        }
        Some(Self { ways })
    }

    /// The ways in which a record fits.
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// Whether a record as it is kept fits.
    pub fn fits(&self, kept: &str) -> bool {
        self.ways
            .iter()
            .any(|way| way.pieces.iter().all(|piece| kept.contains(piece)))
    }
}

impl Way {
    fn of(mut pieces: Vec<String>) -> Self {
        if pieces.iter().all(|piece| piece.chars().nth(2).is_none()) {
            for piece in &mut pieces {
                piece.insert_str(0, GAP.get(piece.chars().count() - 1..).unwrap_or_default());
            }
        }
        let groups: BTreeSet<String> = pieces.iter().flat_map(|piece| groups(piece)).collect();
        Self {
            pieces,
            groups: groups.into_iter().take(MOST_GROUPS).collect(),
        }
    }
}

/// The groups of three characters of a text, in their order.
fn groups(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(3).map(|group| group.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Wanted, groups, kept};

    fn found(query: &str, record: &str) -> bool {
        Wanted::read(query).is_some_and(|wanted| wanted.fits(&kept([record])))
    }

    #[test]
    fn parts_of_words_are_found_in_any_case_script_and_way_of_writing() {
        for (query, record, expected) in [
            ("КАРЕН", "Анна Каренина", true),
            ("каренина анн", "Анна Каренина", true),
            ("анна карл", "Анна Каренина", false),
            ("MÜLLER", "Zoë Müller", true),
            ("anna_1", "anna_1@x.example", true),
            ("annax1", "anna_1@x.example", false),
            ("%", "100 people", false),
            ("петр", "Пётр", true),
            ("Пётр", "ПЕТР", true),
            ("x.example", "anna_1@x.example", true),
            // Beginnings of words when there are no three letters.
            ("z", "Anna Zoë", true),
            ("zo", "Anna Zoë", true),
            ("oë", "Anna Zoë", false),
            ("an zo", "Zoë Anna", true),
            ("1 кв", "Квартира 1", true),
            // Numbers as people write them.
            ("90 123-45-67", "+998901234567", true),
            ("+998 (90) 123", "+998901234567", true),
            ("(90) 124", "+998901234567", false),
            ("۰۹۱۲", "+989121234567 0912", true),
            ("٩٠١٢٣", "+998901234567", true),
            ("901", "۹۰۱", true),
            // Arabic and Persian keyboards.
            ("علي", "علی رضایی", true),
            ("كريم", "کریم", true),
            ("میخواهم", "می\u{200c}خواهم", true),
            // No spaces between words.
            ("华为", "北京华为科技", true),
            ("为", "北京华为科技", true),
            ("为华", "北京华为科技", false),
            ("ไทย", "ภาษาไทย", true),
        ] {
            assert_eq!(found(query, record), expected, "{query} in {record}");
        }
        for nothing in ["", "  ", "\u{0}", "\u{200b}"] {
            assert_eq!(Wanted::read(nothing), None);
        }
    }

    #[test]
    fn two_spaces_stand_before_each_word() {
        assert_eq!(kept(["Ян  Ли", "+7 1"]), "  ян  ли  +7  1");
        assert_eq!(kept(["x".repeat(9_000).as_str()]).chars().count(), 4_000);
    }

    fn letters() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[aAzZ жЖёЁ1-3٣۳.@+İıſßẞΣςKяЯ华为 \u{200c}]{0,24}").unwrap()
    }

    proptest! {
        /// The index is asked for groups only: they must never leave out what fits.
        #[test]
        fn what_fits_holds_all_groups_that_are_asked_for(record in letters(), query in letters()) {
            let record = kept([record.as_str()]);
            let held = groups(&record);
            for way in Wanted::read(&query).iter().flat_map(|wanted| wanted.ways()) {
                prop_assert!(!way.groups.is_empty());
                if way.pieces.iter().all(|piece| record.contains(piece)) {
                    prop_assert!(way.groups.iter().all(|group| held.contains(group)));
                }
            }
        }

        /// A piece of three letters and more of what a record says finds it, in any case.
        #[test]
        fn any_part_of_a_record_finds_it(record in letters(), from in 0_usize..20, size in 3_usize..12, upper: bool) {
            let part: String = record.chars().skip(from).take(size).collect();
            let part = part.trim();
            let asked = if upper { part.to_uppercase() } else { part.to_owned() };
            let long = Wanted::read(part).is_some_and(|wanted| {
                wanted.ways().iter().take(1).flat_map(|way| &way.pieces).any(|piece| piece.trim_start().chars().count() > 2)
            });
            prop_assume!(long && !asked.contains("SS"));
            prop_assert!(found(&asked, &record), "{asked:?} in {record:?}");
        }
    }
}
