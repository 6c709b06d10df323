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
    use super::Chance;

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
