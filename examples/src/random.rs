//! Numbers that look random and are the same everywhere for the same seed: only integers, so no platform's rounding.

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence that `seed` decides.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, or 0 where `bound` is 0. The bias is below `bound` / 2⁶⁴.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product is in 0..bound (Lemire, "Fast random integer generation in an interval", 2019).
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number from 1 on with a heavy tail: each doubling is as likely as `percent` of the one before, `bound` at most.
    pub fn heavy_tailed(&mut self, percent: u64, bound: u64) -> u64 {
        let mut scale = 1;
        while scale < bound && self.percent(percent) {
            scale *= 2;
        }
        (scale + self.below(scale)).min(bound)
    }

    /// One of `choices`, as often as its weight says.
    pub fn weighted<'a, T>(&mut self, choices: &'a [(u64, T)]) -> &'a T {
        let total = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        let chosen = choices.iter().find(|(weight, _)| {
            let hit = left < *weight;
            left = left.saturating_sub(*weight);
            hit
        });
        // `left` starts below the sum of all weights, so one of them is hit.
        &chosen.unwrap_or(&choices[0]).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_paper() {
        let mut random = Random::seeded(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!([random.bits(), random.bits(), random.bits()], expected);
    }

    #[test]
    fn weights_are_respected_and_a_weight_of_zero_is_never_chosen() {
        let mut random = Random::seeded(1);
        let drawn: Vec<char> = (0..1000)
            .map(|_| *random.weighted(&[(3, 'a'), (0, 'b'), (1, 'c')]))
            .collect();
        let count = |wanted| drawn.iter().filter(|drawn| **drawn == wanted).count();
        assert_eq!(count('b'), 0);
        assert!((700..800).contains(&count('a')), "{}", count('a'));
    }

    #[test]
    fn the_tail_is_heavy_and_bounded() {
        let mut random = Random::seeded(1);
        let drawn: Vec<u64> = (0..10_000).map(|_| random.heavy_tailed(50, 64)).collect();
        assert!(drawn.iter().all(|n| (1..=64).contains(n)));
        assert!(drawn.iter().filter(|n| **n == 1).count() > 4_000);
        assert!(drawn.iter().filter(|n| **n > 32).count() > 100);
    }
}
