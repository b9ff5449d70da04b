//! Since when an endpoint is as bad as it is.

use trailmark_protocol::Timestamp;

/// A minute: how many of its requests are bad, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Its beginning.
    pub at: Timestamp,
    /// Bad ones.
    pub bad: u64,
    /// All.
    pub all: u64,
}

/// The first minute of the bad run that ends with the last of `minutes`, which are in their order.
///
/// Going back, a minute counts for the run by how many more bad requests it has than one halfway between the usual share
/// and that of the window; where the sum is greatest, the run began (the CUSUM estimate of a change, Page 1954). A good
/// minute within a run, or a bad one long before it, does not matter.
#[must_use]
pub fn began(minutes: &[Minute], usual: f64, now: f64) -> Option<Timestamp> {
    let halfway = f64::midpoint(usual, now);
    let mut sum = 0.0;
    let mut best: Option<(f64, Timestamp)> = None;
    for minute in minutes.iter().rev() {
        sum += minute.bad as f64 - halfway * minute.all as f64;
        if minute.bad > 0 && best.is_none_or(|(most, _)| sum > most) {
            best = Some((sum, minute.at));
        }
    }
    best.map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(all: &[(u64, u64)]) -> Vec<Minute> {
        let minute = |(n, (bad, all)): (usize, &(u64, u64))| Minute {
            at: Timestamp::from_millis(n as i64 * 60_000),
            bad: *bad,
            all: *all,
        };
        all.iter().enumerate().map(minute).collect()
    }

    #[test]
    fn a_run_begins_with_its_first_bad_minute_whatever_was_long_before() {
        let calm = [(0, 10); 30];
        let one_bad = [(3, 10)];
        let run = [(5, 10), (4, 10), (0, 2), (6, 10), (5, 10)];
        let all = [&calm[..], &one_bad, &calm, &run].concat();
        assert_eq!(
            began(&minutes(&all), 0.01, 0.5),
            Some(Timestamp::from_millis(61 * 60_000))
        );
        assert_eq!(began(&minutes(&run), 0.0, 0.5), Some(Timestamp::default()));
        assert_eq!(began(&minutes(&calm), 0.0, 0.5), None);
    }
}
