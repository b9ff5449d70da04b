//! Numbers that look random and are the same every time.

/// A stream of numbers (SplitMix64, Steele et al. 2014).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The stream of these words: the same words, the same numbers.
    pub(crate) fn of(words: &[u64]) -> Self {
        words.iter().fold(Self(0x7472_6169_6c6d_6172), |chance, word| {
            let mut chance = chance;
            Self(chance.next() ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        })
    }

    /// 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something happens that happens with this probability.
    pub(crate) fn is(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// From `least` to below `most`.
    pub(crate) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.unit() * (most - least)
    }

    /// One of some.
    pub(crate) fn one<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// One of some that are more or less frequent.
    pub(crate) fn weighted<'a, T>(&mut self, some: &'a [(f64, T)]) -> &'a T {
        let mut left = self.unit() * some.iter().map(|(weight, _)| weight).sum::<f64>();
        for (weight, one) in some {
            left -= weight;
            if left < 0.0 {
                return one;
            }
        }
        &some[some.len() - 1].1
    }

    /// A whole number from 0 to below `bound`.
    #[expect(clippy::cast_possible_truncation, reason = "below a usize")]
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A span between things that come one by one, of this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// What is mostly near its median and has a long tail, as durations of requests are.
    pub(crate) fn long_tailed(&mut self, median: f64, sigma: f64) -> f64 {
        let (one, other) = (1.0 - self.unit(), self.unit());
        let normal = (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos();
        median * (sigma * normal).exp()
    }

    /// Ten bytes, for an id.
    pub(crate) fn ten_bytes(&mut self) -> [u8; 10] {
        let (one, other) = (self.next().to_be_bytes(), self.next().to_be_bytes());
        std::array::from_fn(|at| if at < 8 { one[at] } else { other[at - 8] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_numbers_and_others_give_others() {
        let first = |words: &[u64]| Chance::of(words).next();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1]), first(&[1, 0]));
    }

    #[test]
    fn what_is_frequent_comes_often() {
        let mut chance = Chance::of(&[7]);
        let rare = (0..10_000)
            .filter(|_| *chance.weighted(&[(9.0, false), (1.0, true)]))
            .count();
        assert!((800..1_200).contains(&rare), "{rare}");
        let mean = (0..10_000).map(|_| chance.exponential(3.0)).sum::<f64>() / 10_000.0;
        assert!((2.8..3.2).contains(&mean), "{mean}");
    }
}
