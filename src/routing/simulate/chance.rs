//! What is not known, drawn. Each arrival draws from a source of its own, made of the seed and its place:
//! another rule or another operator changes nobody's luck, so that two runs differ by the rules alone. Pure.

use std::collections::BTreeMap;

use super::Arrival;

/// The mean of handling times where not one is known, in seconds.
const HANDLE_SECS: f64 = 300.0;

/// A source of numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The source of one arrival.
    pub fn of(seed: u64, index: usize) -> Self {
        let mut mixed = Self(seed ^ (index as u64).wrapping_mul(0xd134_2543_de82_ef95));
        mixed.next();
        mixed
    }

    /// The source of one operator who is asked about an arrival, for each time another one: others who are asked
    /// change nothing of it.
    pub fn of_asked(seed: u64, index: usize, who: &str, time: u32) -> Self {
        // FNV-1a, for it is the same everywhere and for ever.
        let name = who.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut mixed = Self::of(seed ^ name, index);
        mixed.0 ^= u64::from(time).wrapping_mul(0x9fb2_1c65_1e98_df25);
        mixed.next();
        mixed
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Even, in `0.0..1.0`.
    pub fn even(&mut self) -> f64 {
        // 53 bits are what a double holds.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Of things that happen at any moment alike: exponential around a mean.
    pub fn around(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.even()).ln()
    }

    fn one_of(&mut self, values: &[f64]) -> Option<f64> {
        let index = (self.even() * values.len() as f64) as usize;
        values.get(index).copied()
    }
}

/// How operators answer when they are asked whether they take a session. Nothing of it is recorded in a form
/// that could be played again, so it is assumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answering {
    /// Seconds to a yes, on the average. Who would take longer than the offer stands lets it lapse.
    pub accept_secs: f64,
    /// The share of offers that an operator who is there does not answer, 0 to 1.
    pub lapse_share: f64,
}

impl Default for Answering {
    /// Somebody who sits there sees most offers, within seconds.
    fn default() -> Self {
        Self {
            accept_secs: 8.0,
            lapse_share: 0.05,
        }
    }
}

impl Answering {
    /// What is wrong, as `(field, message)`.
    pub fn errors(&self) -> Vec<(String, String)> {
        let mut errors = Vec::new();
        if !(0.0..=86_400.0).contains(&self.accept_secs) {
            errors.push(("accept_secs".to_owned(), "must be from 0 to 86400".to_owned()));
        }
        if !(0.0..=1.0).contains(&self.lapse_share) {
            errors.push(("lapse_share".to_owned(), "must be from 0 to 1".to_owned()));
        }
        errors
    }

    /// After how many seconds this one says yes; none: they let it lie.
    pub fn yes_after(&self, mut chance: Chance) -> Option<f64> {
        let lapses = chance.even() < self.lapse_share;
        let secs = chance.around(self.accept_secs);
        (!lapses).then_some(secs)
    }
}

/// How long one arrival takes, everything drawn that was not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// To the first reply.
    pub reply_secs: f64,
    /// To the end.
    pub handle_secs: f64,
    /// Until the client goes.
    pub patience_secs: Option<f64>,
}

/// The times that are known, by kind of channel: others are drawn from them.
#[derive(Debug, Default)]
pub struct Known<'a> {
    handle: BTreeMap<&'a str, Vec<f64>>,
    reply: BTreeMap<&'a str, Vec<f64>>,
    patience_secs: Option<f64>,
}

impl<'a> Known<'a> {
    /// What these arrivals tell.
    pub fn of(arrivals: &'a [Arrival], patience_secs: Option<f64>) -> Self {
        let mut known = Self {
            patience_secs,
            ..Self::default()
        };
        for arrival in arrivals {
            let kind = arrival.channel_kind.as_str();
            if let Some(secs) = arrival.handle_secs {
                known.handle.entry(kind).or_default().push(secs);
            }
            if let Some(secs) = arrival.reply_secs {
                known.reply.entry(kind).or_default().push(secs);
            }
        }
        known
    }

    /// The times of an arrival.
    pub fn times(&self, arrival: &Arrival, chance: &mut Chance) -> Times {
        let kind = arrival.channel_kind.as_str();
        let mut drawn = |known: &BTreeMap<&str, Vec<f64>>| chance.one_of(known.get(kind)?);
        // Both are drawn always, so that what is known of one changes nothing of the other.
        let (handle, reply) = (drawn(&self.handle), drawn(&self.reply));
        let (around_handle, around_patience) = (chance.around(HANDLE_SECS), chance.around(1.0));
        let handle_secs = arrival.handle_secs.or(handle).unwrap_or(around_handle).max(1.0);
        let reply_secs = arrival.reply_secs.or(reply).unwrap_or_default();
        Times {
            reply_secs: reply_secs.clamp(0.0, handle_secs),
            handle_secs,
            patience_secs: arrival
                .patience_secs
                .or(self.patience_secs.map(|mean| mean * around_patience)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answering, Chance};

    #[test]
    fn each_operator_answers_by_a_draw_of_their_own_for_each_asking() {
        let draw = |who, asking| Chance::of_asked(1, 2, who, asking).even().to_bits();
        assert_eq!(draw("anna", 1), draw("anna", 1));
        assert_ne!(draw("anna", 1), draw("boris", 1));
        assert_ne!(draw("anna", 1), draw("anna", 2));
        let answering = Answering {
            accept_secs: 10.0,
            lapse_share: 0.2,
        };
        let yes: Vec<f64> = (0..10_000)
            .filter_map(|index| answering.yes_after(Chance::of_asked(7, index, "anna", 1)))
            .collect();
        assert!((7_800..8_200).contains(&yes.len()), "{}", yes.len());
        let mean = yes.iter().sum::<f64>() / yes.len() as f64;
        assert!((9.0..11.0).contains(&mean), "{mean}");
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_arrival_something_else() {
        let draw = |seed, index| Chance::of(seed, index).even();
        assert_eq!(draw(1, 2).to_bits(), draw(1, 2).to_bits());
        assert_ne!(draw(1, 2).to_bits(), draw(1, 3).to_bits());
        assert_ne!(draw(1, 2).to_bits(), draw(2, 2).to_bits());
    }

    #[test]
    fn draws_are_spread_evenly_and_around_their_mean() {
        let sum: f64 = (0..10_000).map(|index| Chance::of(7, index).even()).sum();
        assert!((4_800.0..5_200.0).contains(&sum), "{sum}");
        let sum: f64 = (0..10_000).map(|index| Chance::of(7, index).around(60.0)).sum();
        assert!((560_000.0..640_000.0).contains(&sum), "{sum}");
    }
}
