//! Durations summed up so that any percentile can be told afterwards, to 6 %, and sums of sums too: eight buckets to each
//! power of two microseconds, the layout of HdrHistogram with three bits.

use std::time::Duration;

/// Buckets to a power of two: each is an eighth of it wide, so its middle is at most 1/16 = 6.25 % off.
const STEPS: usize = 8;

/// 8 × 27: up to 2^29 µs, or 9 minutes. What took longer counts as that.
pub(crate) const BUCKETS: usize = STEPS * 27;

/// The durations of many requests.
#[derive(Debug, Clone)]
pub struct Digest {
    counts: Box<[u32; BUCKETS]>,
    sum_micros: u64,
    longest_micros: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            sum_micros: 0,
            longest_micros: 0,
        }
    }
}

impl Digest {
    /// Adds a duration.
    pub fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count = count.saturating_add(1);
        }
        self.sum_micros = self.sum_micros.saturating_add(micros);
        self.longest_micros = self.longest_micros.max(micros);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// The sum of all, in microseconds.
    #[must_use]
    pub const fn sum_micros(&self) -> u64 {
        self.sum_micros
    }

    /// The longest, in microseconds.
    #[must_use]
    pub const fn longest_micros(&self) -> u64 {
        self.longest_micros
    }

    /// The duration in microseconds that `share` of all do not exceed: the middle of its bucket. Zero if there are none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> u64 {
        percentile(&self.counts[..], share).map_or(0, |micros| micros.min(self.longest_micros))
    }

    /// The buckets that hold anything: the first microsecond above each, and how many it holds.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u32)> {
        let each = self.counts.iter().enumerate();
        each.filter(|(_, count)| **count > 0)
            .map(|(index, count)| (lower(index + 1), *count))
    }
}

/// The middle of the bucket of the duration that `share` of all do not exceed; none if there are none. `counts` are by bucket.
pub(crate) fn percentile<N: Copy + Into<u64>>(counts: &[N], share: f64) -> Option<u64> {
    let all: u64 = counts.iter().copied().map(Into::into).sum();
    let rank = (share * all as f64).ceil().max(1.0) as u64;
    let mut seen = 0;
    let reaches = |count: &N| {
        seen += (*count).into();
        seen >= rank
    };
    counts.iter().position(reaches).map(middle)
}

/// The middle of a bucket, in microseconds.
pub(crate) fn middle(index: usize) -> u64 {
    lower(index).midpoint(lower(index + 1) - 1)
}

/// The bucket of a duration: up to 7 µs each has its own.
pub(crate) fn bucket(micros: u64) -> usize {
    let Some(power) = micros.checked_ilog2().filter(|power| *power >= 3) else {
        return micros as usize;
    };
    let step = (micros >> (power - 3)) as usize % STEPS;
    ((power as usize - 2) * STEPS + step).min(BUCKETS - 1)
}

/// The shortest duration of a bucket, in microseconds.
pub(crate) fn lower(index: usize) -> u64 {
    let step = (index % STEPS) as u64;
    match index / STEPS {
        0 => step,
        octave => (STEPS as u64 + step) << (octave - 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_has_no_duration() {
        let digest = Digest::default();
        assert_eq!(
            (digest.count(), digest.percentile(0.99), digest.buckets().count()),
            (0, 0, 0)
        );
    }

    #[test]
    fn absurd_durations_count_as_the_longest_there_is_a_bucket_for() {
        let mut digest = Digest::default();
        digest.add(Duration::MAX);
        assert_eq!(digest.buckets().collect::<Vec<_>>(), [(1 << 29, 1)]);
    }

    proptest! {
        #[test]
        fn every_duration_lies_in_its_bucket(micros in 0u64..1 << 29) {
            let index = bucket(micros);
            prop_assert!(lower(index) <= micros && micros < lower(index + 1));
        }

        #[test]
        fn percentiles_are_right_to_six_per_cent(mut all in proptest::collection::vec(0u64..60_000_000, 1..200), share in 0.0f64..=1.0) {
            let mut digest = Digest::default();
            all.iter().for_each(|micros| digest.add(Duration::from_micros(*micros)));
            all.sort_unstable();
            let rank = ((share * all.len() as f64).ceil() as usize).max(1);
            let exact = all[rank - 1] as f64;
            let told = digest.percentile(share) as f64;
            prop_assert!((told - exact).abs() <= exact * 0.0625 + 1.0, "{} for {}", told, exact);
            prop_assert_eq!(digest.count(), all.len() as u64);
            prop_assert_eq!(digest.longest_micros(), *all.last().unwrap());
        }
    }
}
