//! Durations of requests, added up so that any percentile of any sum can be told to 6 %: the buckets of
//! [`digest`](crate::digest), as the gateway counts them, kept in few bytes.

use crate::digest::{BUCKETS, bucket, lower, middle, percentile};

/// The first byte of what [`Durations::to_bytes`] writes.
const VERSION: u8 = 1;

/// How many durations are in each bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durations(Box<[u64; BUCKETS]>);

impl Default for Durations {
    fn default() -> Self {
        Self(Box::new([0; BUCKETS]))
    }
}

impl Durations {
    /// Adds `times` durations of so many microseconds.
    pub fn add(&mut self, micros: u64, times: u64) {
        if let Some(count) = self.0.get_mut(bucket(micros)) {
            *count = count.saturating_add(times);
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0.iter()) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |all, count| all.saturating_add(*count))
    }

    /// The duration in microseconds that `share` of all do not exceed, to 6 %. None if there are none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Option<u64> {
        percentile(&self.0[..], share)
    }

    /// How many are longer, as [`Self::percentile`] tells durations.
    #[must_use]
    pub fn longer_than(&self, micros: u64) -> u64 {
        let each = self.0.iter().enumerate();
        let longer = each.filter(|(index, _)| middle(*index) > micros);
        longer.fold(0, |all, (_, count)| all.saturating_add(*count))
    }

    /// The version, then for each bucket that holds anything how many empty ones are before it and what it holds, as
    /// varints (LEB128): the durations of a usual minute take 20 bytes, those of a busy day 150.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        let mut empty = 0;
        for count in self.0.iter() {
            if *count == 0 {
                empty += 1;
                continue;
            }
            write_varint(empty, &mut bytes);
            write_varint(*count, &mut bytes);
            empty = 0;
        }
        bytes
    }

    /// Adds what [`Self::to_bytes`] wrote; `None` for anything else, of which nothing certain is added.
    #[must_use]
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let (version, mut rest) = bytes.split_first()?;
        if *version != VERSION {
            return None;
        }
        let mut index = 0;
        while !rest.is_empty() {
            index += usize::try_from(read_varint(&mut rest)?)
                .ok()
                .filter(|empty| *empty < BUCKETS)?;
            let count = self.0.get_mut(index)?;
            *count = count.saturating_add(read_varint(&mut rest)?);
            index += 1;
        }
        Some(())
    }
}

/// A duration of the bucket below `micros`, which is the first microsecond above it, as the gateway tells buckets.
#[must_use]
pub fn within(below: u64) -> u64 {
    lower(bucket(below.saturating_sub(1)))
}

fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digest;

    fn of(all: &[(u64, u64)]) -> Durations {
        let mut durations = Durations::default();
        all.iter().for_each(|(micros, times)| durations.add(*micros, *times));
        durations
    }

    #[test]
    fn what_a_newer_release_or_nobody_wrote_is_refused() {
        for bytes in [
            &b""[..],
            &[2],
            &[1, 0],
            &[1, 0x80],
            &[1, 0xff, 0xff, 0x7f, 1],
            &[1, 0, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(Durations::default().merge_bytes(bytes), None, "{bytes:?}");
        }
        assert_eq!(Durations::default().to_bytes(), [1]);
    }

    proptest! {
        #[test]
        fn sums_of_bytes_are_the_sum(
            one in prop::collection::vec((0..1u64 << 40, 1..1u64 << 33), 0..40),
            other in prop::collection::vec((0..1u64 << 40, 1..1u64 << 33), 0..40),
        ) {
            let mut read = Durations::default();
            prop_assert_eq!(read.merge_bytes(&of(&one).to_bytes()), Some(()));
            prop_assert_eq!(read.merge_bytes(&of(&other).to_bytes()), Some(()));
            let mut merged = of(&one);
            merged.merge(&of(&other));
            prop_assert_eq!(&read, &of(&[one, other].concat()));
            prop_assert_eq!(read, merged);
        }

        #[test]
        fn what_the_gateway_counted_is_counted_the_same(all in prop::collection::vec(0..1u64 << 29, 1..40)) {
            let (mut digest, mut whole) = (Digest::default(), Durations::default());
            for micros in &all {
                digest.add(Duration::from_micros(*micros));
                whole.add(*micros, 1);
            }
            let mut told = Durations::default();
            digest.buckets().for_each(|(below, count)| told.add(within(below), u64::from(count)));
            prop_assert_eq!(told, whole);
        }

        #[test]
        fn percentiles_and_what_is_longer_agree(all in prop::collection::vec(0..60_000_000u64, 1..100), share in 0.01f64..1.0) {
            let each: Vec<_> = all.iter().map(|micros| (*micros, 1)).collect();
            let durations = of(&each);
            let told = durations.percentile(share).unwrap();
            let longer = durations.longer_than(told);
            prop_assert!(longer as f64 <= (1.0 - share) * all.len() as f64 + 1e-9);
        }
    }
}
