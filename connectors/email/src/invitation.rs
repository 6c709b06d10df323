//! Calendar invitations (RFC 5546) in the few words people need. Pure.

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};
use switchboard_sdk::Invitation;

use crate::{
    card_lines::{self, Property},
    headers,
};

/// Longest of its texts, in characters.
const MAX_CHARS: usize = 300;

/// The first invitation among the parts.
pub fn of(message: &Message<'_>) -> Option<Invitation> {
    message.parts.iter().find_map(|part| {
        let PartType::Text(text) = &part.body else {
            return None;
        };
        is_calendar(part).then(|| read(text, declared_method(part)))?
    })
}

fn is_calendar(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        let subtype = kind.subtype().unwrap_or_default();
        kind.ctype().eq_ignore_ascii_case("text") && subtype.eq_ignore_ascii_case("calendar")
    })
}

fn declared_method<'a>(part: &'a MessagePart<'_>) -> Option<&'a str> {
    part.content_type()?.attribute("method")
}

/// Reads a calendar object; none when it holds no event.
fn read(text: &str, declared: Option<&str>) -> Option<Invitation> {
    let lines = card_lines::read(text);
    let method = lines
        .iter()
        .find(|line| line.name == "METHOD")
        .map(|line| line.value.clone())
        .or_else(|| declared.map(str::to_owned))
        .unwrap_or_else(|| "publish".to_owned());
    let event = first_event(&lines)?;
    let find = |name: &str| event.iter().copied().find(|line| line.name == name);
    let text_of = |name: &str| find(name).map(short).filter(|text| !text.is_empty());
    let starts = find("DTSTART").and_then(moment);
    let zone = find("DTSTART")
        .and_then(|line| line.parameter("TZID"))
        .map(|zone| cut(&headers::one_line(zone)));
    let cancelled = find("STATUS").is_some_and(|line| line.value.eq_ignore_ascii_case("CANCELLED"));
    let method = if cancelled {
        "cancel".to_owned()
    } else {
        method.trim().to_ascii_lowercase()
    };
    let answer = find("ATTENDEE")
        .and_then(|line| line.parameter("PARTSTAT"))
        .filter(|_| method == "reply")
        .map(|answer| cut(&headers::one_line(answer)).to_ascii_lowercase());
    Some(Invitation {
        method: method
            .chars()
            .filter(char::is_ascii_alphabetic)
            .take(20)
            .collect(),
        summary: text_of("SUMMARY"),
        time_zone: zone.filter(|_| starts.as_deref().is_some_and(|at| at.len() == 19)),
        starts,
        ends: find("DTEND").and_then(moment),
        location: text_of("LOCATION"),
        organizer: find("ORGANIZER").map(person).filter(|who| !who.is_empty()),
        repeats: find("RRULE").is_some(),
        answer,
    })
}

/// The lines of the first event itself, without those of its alarms.
fn first_event(lines: &[Property]) -> Option<Vec<&Property>> {
    let is = |line: &Property, name: &str, value: &str| {
        line.name == name && line.value.trim().eq_ignore_ascii_case(value)
    };
    let start = lines.iter().position(|line| is(line, "BEGIN", "VEVENT"))?;
    let mut depth = 0usize;
    let mut event = Vec::new();
    for line in lines.iter().skip(start + 1) {
        match line.name.as_str() {
            "BEGIN" => depth += 1,
            "END" if depth == 0 => break,
            "END" => depth -= 1,
            _ if depth == 0 => event.push(line),
            _ => {}
        }
    }
    Some(event)
}

fn person(line: &Property) -> String {
    let address = line.value.trim();
    let address = address
        .split_at_checked(7)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto:"))
        .map_or(address, |(_, address)| address);
    match line
        .parameter("CN")
        .map(headers::one_line)
        .filter(|name| !name.is_empty())
    {
        Some(name) if name != address => cut(&format!("{name} <{address}>")),
        _ => cut(&headers::one_line(address)),
    }
}

fn short(line: &Property) -> String {
    cut(&line.text())
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

/// `20261125T090000Z` as `2026-11-25T09:00:00Z`, `20261125` as `2026-11-25`.
fn moment(line: &Property) -> Option<String> {
    let value = line.value.trim();
    let digits = |from: usize, to: usize| {
        value
            .get(from..to)
            .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let date = format!("{}-{}-{}", digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    match value.get(8..).unwrap_or_default() {
        "" => Some(date),
        rest if rest.starts_with('T') => {
            let zone = if rest.ends_with('Z') { "Z" } else { "" };
            Some(format!(
                "{date}T{}:{}:{}{zone}",
                digits(9, 11)?,
                digits(11, 13)?,
                digits(13, 15)?
            ))
        }
        _ => None,
    }
}

/// The invitation as a small text, for a mail that says nothing beside it.
pub fn text(invitation: &Invitation) -> String {
    let what = invitation.summary.as_deref().unwrap_or("an event without a name");
    let head = match (invitation.method.as_str(), invitation.answer.as_deref()) {
        ("reply", Some("accepted")) => "Accepted",
        ("reply", Some("declined")) => "Declined",
        ("reply", Some("tentative")) => "Perhaps",
        ("reply", _) => "Answered",
        ("cancel", _) => "Cancelled",
        ("counter", _) => "Another time is proposed",
        _ => "Invitation",
    };
    let mut text = format!("{head}: {what}");
    if invitation.method == "reply" {
        return text;
    }
    if let Some(starts) = &invitation.starts {
        let readable = |at: &str| at.replace('T', " ").replace('Z', " UTC");
        text.push_str(&format!("\nWhen: {}", readable(starts)));
        if let Some(ends) = &invitation.ends {
            text.push_str(&format!(" – {}", readable(ends)));
        }
        if let Some(zone) = &invitation.time_zone {
            text.push_str(&format!(" ({zone})"));
        }
        if invitation.repeats {
            text.push_str(", repeated");
        }
    }
    if let Some(place) = &invitation.location {
        text.push_str(&format!("\nWhere: {place}"));
    }
    if let Some(organizer) = &invitation.organizer {
        text.push_str(&format!("\nFrom: {organizer}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{read, text};

    const INVITE: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nDTSTART:19700101T000000\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nSUMMARY:Tasting\\, with\r\n  Ann\r\nDTSTART;TZID=Europe/Berlin:20261125T090000\r\nDTEND;TZID=Europe/Berlin:20261125T100000\r\n\
        LOCATION:Main street 1\\nRoom 5\r\nORGANIZER;CN=\"Ann: boss\":mailto:ann@client.example\r\nRRULE:FREQ=WEEKLY\r\nBEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn what_when_where_and_who_are_read() {
        let card = read(INVITE, None).unwrap();
        assert_eq!(card.method, "request");
        assert_eq!(card.summary.as_deref(), Some("Tasting, with Ann"));
        assert_eq!(card.starts.as_deref(), Some("2026-11-25T09:00:00"));
        assert_eq!(card.time_zone.as_deref(), Some("Europe/Berlin"));
        assert_eq!(card.location.as_deref(), Some("Main street 1 Room 5"));
        assert_eq!(card.organizer.as_deref(), Some("Ann: boss <ann@client.example>"));
        assert!(card.repeats);
        assert_eq!(
            text(&card),
            "Invitation: Tasting, with Ann\nWhen: 2026-11-25 09:00:00 – 2026-11-25 10:00:00 (Europe/Berlin), repeated\n\
             Where: Main street 1 Room 5\nFrom: Ann: boss <ann@client.example>"
        );
    }

    #[test]
    fn an_answer_is_one_short_line() {
        let reply = INVITE.replace("REQUEST", "REPLY").replace(
            "RRULE",
            "ATTENDEE;PARTSTAT=DECLINED:mailto:x@y.example\r\nX-RRULE",
        );
        assert_eq!(text(&read(&reply, None).unwrap()), "Declined: Tasting, with Ann");
    }

    #[test]
    fn whole_days_and_utc_keep_what_they_are_and_nonsense_is_left_out() {
        let of = |start: &str| {
            read(
                &format!("BEGIN:VEVENT\nDTSTART{start}\nEND:VEVENT"),
                Some("CANCEL"),
            )
            .unwrap()
        };
        assert_eq!(of(";VALUE=DATE:20261125").starts.as_deref(), Some("2026-11-25"));
        assert_eq!(
            of(":20261125T090000Z").starts.as_deref(),
            Some("2026-11-25T09:00:00Z")
        );
        assert_eq!((of(":tomorrow").starts, of(":2026é125").starts), (None, None));
        assert_eq!(of(":x").method, "cancel");
        assert!(read("BEGIN:VTODO\nEND:VTODO", None).is_none());
    }
}
