//! What a line says by itself: texts with variables. Pure.
//!
//! A variable is written `{{contact.name}}`, with words for when it has no value: `{{contact.name|friend}}`.
//! That is the whole grammar, on purpose: the editor's preview (`web/src/core/template.ts`) says the same,
//! held by the cases in `web/src/core/template.cases.json`, and no text can loop or fail. Values are put in
//! once and are never read as templates.

use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

use chrono::{DateTime, Datelike, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::language::primary;

/// Characters a text of a line may have.
pub const TEXT_LIMIT: usize = 4_000;
/// Characters a value puts into a text.
const VALUE_LIMIT: usize = 500;

/// What a text may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// The client's name.
    ContactName,
    /// The owner of the session.
    OperatorName,
    /// The line.
    LineName,
    /// The number people use for the conversation.
    ConversationNumber,
    /// When the line opens next, in its time zone.
    OpensAt,
    /// That time zone, as `UTC+5`.
    TimeZone,
    /// The client's place in the queue.
    QueuePosition,
    /// How many minutes the client will probably wait.
    WaitMinutes,
    /// The address of the line's form.
    FormUrl,
}

impl Variable {
    /// All of them, as they are written.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::ContactName, "contact.name"),
        (Self::OperatorName, "operator.name"),
        (Self::LineName, "line.name"),
        (Self::ConversationNumber, "conversation.number"),
        (Self::OpensAt, "opens_at"),
        (Self::TimeZone, "time_zone"),
        (Self::QueuePosition, "queue_position"),
        (Self::WaitMinutes, "wait_minutes"),
        (Self::FormUrl, "form_url"),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(variable, _)| *variable)
    }
}

/// The values of variables; who has none is missing.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<Variable, String>);

impl Values {
    /// Gives a variable its value. Line breaks and control characters become spaces, what is too long is cut.
    pub fn set(&mut self, variable: Variable, value: &str) {
        let value: String = value
            .chars()
            .map(|char| if char.is_control() { ' ' } else { char })
            .take(VALUE_LIMIT)
            .collect();
        let value = value.trim();
        if !value.is_empty() {
            self.0.insert(variable, value.to_owned());
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Words(&'a str),
    Variable {
        name: &'a str,
        otherwise: Option<&'a str>,
    },
    /// What follows a `{{` that is never closed.
    Open(&'a str),
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((words, after)) = rest.split_once("{{") {
        pieces.push(Piece::Words(words));
        let Some((inside, tail)) = after.split_once("}}") else {
            pieces.push(Piece::Open(after));
            return pieces;
        };
        let (name, otherwise) = match inside.split_once('|') {
            Some((name, otherwise)) => (name, Some(otherwise.trim())),
            None => (inside, None),
        };
        pieces.push(Piece::Variable {
            name: name.trim(),
            otherwise,
        });
        rest = tail;
    }
    pieces.push(Piece::Words(rest));
    pieces
}

/// What is wrong with a template, in words for whoever wrote it.
pub fn error(template: &str) -> Option<String> {
    if template.chars().count() > TEXT_LIMIT {
        return Some(format!("at most {TEXT_LIMIT} characters"));
    }
    pieces(template).into_iter().find_map(|piece| match piece {
        Piece::Words(words) if words.contains("}}") => {
            Some("has `}}` where no variable begins: variables are written {{contact.name}}".to_owned())
        }
        Piece::Words(_) => None,
        Piece::Open(_) => Some("has `{{` that no `}}` closes".to_owned()),
        Piece::Variable { name, .. } if Variable::parse(name).is_none() => {
            let known: Vec<&str> = Variable::ALL.iter().map(|(_, name)| *name).collect();
            Some(format!(
                "there is no variable {{{{{name}}}}}; there are {}",
                known.join(", ")
            ))
        }
        Piece::Variable { .. } => None,
    })
}

/// Whether a template names this variable.
pub fn uses(template: &str, variable: Variable) -> bool {
    pieces(template)
        .iter()
        .any(|piece| matches!(piece, Piece::Variable { name, .. } if Variable::parse(name) == Some(variable)))
}

/// The text with its values. A variable without one leaves the words after its `|`, or nothing, and the
/// gap is closed: `Hello, {{contact.name}}!` becomes `Hello!`. What could not be saved today (an unknown
/// variable, a brace left open) says nothing rather than showing itself to a client.
pub fn render(template: &str, values: &Values) -> String {
    let mut text = String::new();
    let mut gap = false;
    for piece in pieces(template) {
        match piece {
            Piece::Words(words) | Piece::Open(words) => {
                let words = if gap { close_gap(&mut text, words) } else { words };
                gap = gap && words.is_empty();
                text.push_str(words);
            }
            Piece::Variable { name, otherwise } => {
                let value = Variable::parse(name).and_then(|variable| values.0.get(&variable));
                let value = value.map(String::as_str).or(otherwise);
                match value.filter(|value| !value.is_empty()) {
                    Some(value) => {
                        text.push_str(value);
                        gap = false;
                    }
                    None => gap = true,
                }
            }
        }
    }
    if gap {
        close_gap(&mut text, "");
    }
    single_braces(text.trim())
}

/// Takes away what a missing value leaves behind before it, and answers what is left of the words after it.
fn close_gap<'a>(text: &mut String, after: &'a str) -> &'a str {
    let begins = text.is_empty() || text.ends_with('\n');
    if begins {
        return after
            .trim_start_matches([',', ';', ':'])
            .trim_start_matches([' ', '\t']);
    }
    let ends = after.is_empty() || after.starts_with(['.', ',', '!', '?', ';', ':', ')', '\n']);
    if ends {
        let kept = text
            .trim_end_matches([' ', '\t'])
            .trim_end_matches([',', ';', ':']);
        text.truncate(kept.len());
    } else if text.ends_with([' ', '\t']) {
        return after.trim_start_matches([' ', '\t']);
    }
    after
}

/// No client ever sees what looks like a variable.
fn single_braces(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for char in text.chars() {
        if !(matches!(char, '{' | '}') && single.ends_with(char)) {
            single.push(char);
        }
    }
    single
}

/// How a language speaks of a coming moment.
struct Speech {
    today: &'static str,
    tomorrow: &'static str,
    /// From Monday on.
    weekdays: [&'static str; 7],
    /// Further away, for chrono.
    date: &'static str,
    /// `{day}` and `{time}` together.
    together: fn(&str, &str) -> String,
}

/// The languages of the web chat; others get numbers.
fn speech(language: &str) -> Option<Speech> {
    Some(match primary(language).as_ref() {
        "en" => Speech {
            today: "today",
            tomorrow: "tomorrow",
            weekdays: [
                "on Monday",
                "on Tuesday",
                "on Wednesday",
                "on Thursday",
                "on Friday",
                "on Saturday",
                "on Sunday",
            ],
            date: "on %-d %B %Y",
            together: |day, time| format!("{day} at {time}"),
        },
        "de" => Speech {
            today: "heute",
            tomorrow: "morgen",
            weekdays: [
                "am Montag",
                "am Dienstag",
                "am Mittwoch",
                "am Donnerstag",
                "am Freitag",
                "am Samstag",
                "am Sonntag",
            ],
            date: "am %d.%m.%Y",
            together: |day, time| format!("{day} um {time} Uhr"),
        },
        "es" => Speech {
            today: "hoy",
            tomorrow: "mañana",
            weekdays: [
                "el lunes",
                "el martes",
                "el miércoles",
                "el jueves",
                "el viernes",
                "el sábado",
                "el domingo",
            ],
            date: "el %d/%m/%Y",
            together: |day, time| format!("{day} a las {time}"),
        },
        "ru" => Speech {
            today: "сегодня",
            tomorrow: "завтра",
            weekdays: [
                "в понедельник",
                "во вторник",
                "в среду",
                "в четверг",
                "в пятницу",
                "в субботу",
                "в воскресенье",
            ],
            date: "%d.%m.%Y",
            together: |day, time| format!("{day} в {time}"),
        },
        "uz" => Speech {
            today: "bugun",
            tomorrow: "ertaga",
            weekdays: [
                "dushanba kuni",
                "seshanba kuni",
                "chorshanba kuni",
                "payshanba kuni",
                "juma kuni",
                "shanba kuni",
                "yakshanba kuni",
            ],
            date: "%d.%m.%Y",
            together: |day, time| format!("{day} soat {time} da"),
        },
        "fa" => Speech {
            today: "امروز",
            tomorrow: "فردا",
            weekdays: [
                "دوشنبه",
                "سه‌شنبه",
                "چهارشنبه",
                "پنجشنبه",
                "جمعه",
                "شنبه",
                "یکشنبه",
            ],
            date: "%Y/%m/%d",
            together: |day, time| format!("{day} ساعت {time}"),
        },
        _ => return None,
    })
}

/// A coming moment in words, on the clocks of a time zone: `tomorrow at 09:00`. Where the language is
/// not known or not spoken here, `2026-11-24 09:00`, and `09:00` on the same day.
pub fn moment(at: DateTime<Utc>, now: DateTime<Utc>, time_zone: &str, language: Option<&str>) -> String {
    let zone = Tz::from_str(time_zone).unwrap_or(Tz::UTC);
    let (at, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let days = (at.date_naive() - today).num_days();
    let time = at.format("%H:%M").to_string();
    let Some(speech) = language.and_then(speech) else {
        return if days == 0 {
            time
        } else {
            at.format("%Y-%m-%d %H:%M").to_string()
        };
    };
    let weekday = usize::try_from(at.weekday().num_days_from_monday()).unwrap_or(0);
    let day: Cow<'_, str> = match days {
        0 => speech.today.into(),
        1 => speech.tomorrow.into(),
        2..=6 => speech.weekdays.get(weekday).copied().unwrap_or_default().into(),
        _ => at.format(speech.date).to_string().into(),
    };
    (speech.together)(&day, &time)
}

/// The offset of a time zone at a moment: `UTC+5`, `UTC-3:30`.
pub fn offset(at: DateTime<Utc>, time_zone: &str) -> String {
    let zone = Tz::from_str(time_zone).unwrap_or(Tz::UTC);
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let minutes = TimeDelta::seconds(i64::from(offset.local_minus_utc())).num_minutes();
    let sign = if minutes < 0 { '-' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
