//! Choices that a seed repeats.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to pick moments.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end`, without `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A generator of its own for a task that runs beside this one.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A word that stands nowhere else: what is sent is found again by it.
    pub fn marker(&mut self, kind: &str) -> String {
        format!("{kind}{:016x}", self.next())
    }
}
