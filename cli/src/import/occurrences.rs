//! How often a line came before, in bounded memory.

use std::collections::{BTreeMap, HashMap};

use trailmark_protocol::Timestamp;

use super::event::Fingerprint;

/// The most different lines that are remembered: 262,144, which takes about 16 MiB. At 1,000 requests a second that is
/// four minutes of log; equal lines carry the same second, and servers write them within seconds of each other.
pub const REMEMBERED_LINES: usize = 1 << 18;

/// Counts equal lines. The oldest seconds of the log are forgotten first; a line repeated after that counts from zero
/// again, at every import in the same way, so an import stays repeatable.
#[derive(Debug, Default)]
pub struct Occurrences {
    by_second: BTreeMap<i64, HashMap<Fingerprint, u32>>,
    remembered: usize,
}

impl Occurrences {
    /// How many equal lines, logged at `at`, came before this one.
    pub fn before(&mut self, at: Timestamp, line: Fingerprint) -> u32 {
        let count = self
            .by_second
            .entry(at.millis() / 1000)
            .or_default()
            .entry(line)
            .or_insert(0);
        let before = *count;
        *count += 1;
        self.remembered += usize::from(before == 0);
        while self.remembered > REMEMBERED_LINES
            && let Some((_, forgotten)) = self.by_second.pop_first()
        {
            self.remembered -= forgotten.len();
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_are_numbered_and_others_are_not() {
        let mut occurrences = Occurrences::default();
        let at = Timestamp::from_millis(1_431_857_103_000);
        let numbers = [[1; 16], [2; 16], [1; 16], [1; 16]].map(|line| occurrences.before(at, line));
        assert_eq!(numbers, [0, 0, 1, 2]);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_seconds_stay() {
        let mut occurrences = Occurrences::default();
        let lines = REMEMBERED_LINES as u64 + 10;
        for number in 0..lines {
            let mut line = [0; 16];
            line[..8].copy_from_slice(&number.to_be_bytes());
            occurrences.before(Timestamp::from_millis(number as i64 * 1000), line);
        }
        assert_eq!(occurrences.remembered, REMEMBERED_LINES);
        let mut last = [0; 16];
        last[..8].copy_from_slice(&(lines - 1).to_be_bytes());
        assert_eq!(
            occurrences.before(Timestamp::from_millis((lines as i64 - 1) * 1000), last),
            1
        );
        assert_eq!(occurrences.before(Timestamp::from_millis(0), [0; 16]), 0);
    }
}
