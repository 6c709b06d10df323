//! The order of messages when conversations are merged, and what follows from it. Pure.

use chrono::{DateTime, Utc};

/// A message, as far as its place is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `msg_…`
    pub id: String,
    /// Its number.
    pub seq: i64,
    /// When it was stored.
    pub at: DateTime<Utc>,
    /// Who speaks.
    pub voice: Voice,
    /// The contact who wrote it, when one did.
    pub contact_id: Option<String>,
}

/// Who speaks in a line, as far as waiting and answering is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Somebody outside, who waits for an answer.
    Client,
    /// A machine outside.
    Machine,
    /// An operator, to the client.
    Operator,
    /// Anything else: notes, the line's own texts, what happened.
    Inside,
}

impl Voice {
    /// Whether it came from outside.
    pub fn is_inbound(self) -> bool {
        matches!(self, Self::Client | Self::Machine)
    }
}

/// The lines of two conversations in one, by time. Each keeps its own order, whatever the clocks of two
/// machines said; at the same moment those of `into` come first.
pub fn woven(into: Vec<Line>, other: Vec<Line>) -> Vec<Line> {
    let mut woven = Vec::with_capacity(into.len() + other.len());
    let (mut first, mut second) = (into.into_iter().peekable(), other.into_iter().peekable());
    // A line is not earlier than what stands before it.
    let (mut first_at, mut second_at) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MIN_UTC);
    loop {
        let (one, two) = (
            first.peek().map(|line| line.at),
            second.peek().map(|line| line.at),
        );
        let from_first = match (one, two) {
            (None, None) => return woven,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(one), Some(two)) => first_at.max(one) <= second_at.max(two),
        };
        let next = if from_first { first.next() } else { second.next() };
        if let Some(line) = next {
            let at = if from_first { &mut first_at } else { &mut second_at };
            *at = Ord::max(*at, line.at);
            woven.push(line);
        }
    }
}

/// New numbers for a conversation whose lines are to stand in this order. What stands at the beginning as
/// before keeps its number; all else gets one above `last`, so that whoever asks for what came after the
/// numbers they know is told. Answers how many keep theirs.
pub fn renumber(lines: &mut [Line], of_it: impl Fn(&Line) -> bool, last: i64) -> usize {
    let kept = lines.iter().take_while(|line| of_it(line)).count();
    for (line, seq) in lines.iter_mut().skip(kept).zip(last + 1..) {
        line.seq = seq;
    }
    kept
}

/// Since when the client of these lines waits for an answer, and when they were last answered.
pub fn owed(lines: &[Line]) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    lines
        .iter()
        .fold((None, None), |(owed, answered), line| match line.voice {
            Voice::Client => (owed.or(Some(line.at)), answered),
            Voice::Operator => (None, Some(line.at)),
            Voice::Machine | Voice::Inside => (owed, answered),
        })
}

/// Up to which number everything was read when so many inbound lines at the end were not.
pub fn read_up_to(lines: &[Line], unread: i64) -> i64 {
    let last = lines.last().map_or(0, |line| line.seq);
    let mut inbound = lines.iter().rev().filter(|line| line.voice.is_inbound());
    match usize::try_from(unread)
        .ok()
        .and_then(|unread| unread.checked_sub(1))
    {
        None => last,
        Some(before) => inbound.nth(before).map_or(0, |line| line.seq - 1),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn line(id: &str, seq: i64, minute: i64, voice: Voice) -> Line {
        Line {
            id: id.to_owned(),
            seq,
            at: DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minute),
            voice,
            contact_id: None,
        }
    }

    fn ids(lines: &[Line]) -> String {
        lines.iter().map(|line| line.id.as_str()).collect()
    }

    #[test]
    fn two_threads_become_one_in_time_and_the_undisturbed_beginning_keeps_its_numbers() {
        let into = vec![
            line("a", 1, 0, Voice::Client),
            line("b", 2, 1, Voice::Operator),
            line("c", 7, 9, Voice::Client),
        ];
        let other = vec![line("x", 1, 5, Voice::Client), line("y", 2, 10, Voice::Operator)];
        let mut woven = woven(into, other);
        assert_eq!(ids(&woven), "abxcy");
        assert_eq!(renumber(&mut woven, |line| "abc".contains(&line.id), 9), 2);
        let numbers: Vec<i64> = woven.iter().map(|line| line.seq).collect();
        assert_eq!(numbers, [1, 2, 10, 11, 12]);
    }

    #[test]
    fn what_is_owed_is_the_first_question_after_the_last_answer() {
        let lines = [
            line("a", 1, 0, Voice::Client),
            line("b", 2, 1, Voice::Operator),
            line("m", 3, 2, Voice::Machine),
            line("c", 4, 3, Voice::Client),
            line("n", 5, 4, Voice::Inside),
            line("d", 6, 5, Voice::Client),
        ];
        assert_eq!(owed(&lines), (Some(lines[3].at), Some(lines[1].at)));
        assert_eq!(owed(&lines[..3]), (None, Some(lines[1].at)));
        assert_eq!(
            (
                read_up_to(&lines, 0),
                read_up_to(&lines, 1),
                read_up_to(&lines, 2)
            ),
            (6, 5, 3)
        );
        assert_eq!((read_up_to(&lines, 9), read_up_to(&[], 1)), (0, 0));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_each_thread_keeps_its_order(
            one in proptest::collection::vec(0_i64..50, 0..30), two in proptest::collection::vec(0_i64..50, 0..30),
        ) {
            let lines = |times: &[i64], prefix: &str| -> Vec<Line> {
                (1..).zip(times).map(|(seq, at)| line(&format!("{prefix}{seq}"), seq, *at, Voice::Client)).collect()
            };
            let (into, other) = (lines(&one, "a"), lines(&two, "b"));
            let last = Ord::max(into.len(), other.len()) as i64;
            let mut all = woven(into.clone(), other.clone());
            for (prefix, thread) in [("a", &into), ("b", &other)] {
                let kept: Vec<&String> = all.iter().map(|line| &line.id).filter(|id| id.starts_with(prefix)).collect();
                prop_assert_eq!(kept, thread.iter().map(|line| &line.id).collect::<Vec<_>>());
            }
            renumber(&mut all, |line| line.id.starts_with('a'), last);
            prop_assert!(all.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        }
    }
}
