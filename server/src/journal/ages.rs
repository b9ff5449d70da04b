//! How long records have waited, remembered in few places.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Seq;

/// Most places remembered. At this number every other one is forgotten, and the distance doubles.
const PLACES: usize = 1024;
/// Least distance at first.
const DISTANCE: Duration = Duration::from_secs(1);

/// When some of the records were committed: exact to a second for 17 minutes of backlog, to a minute for a day.
#[derive(Debug)]
pub(super) struct Ages {
    places: VecDeque<(Seq, Instant)>,
    distance: Duration,
}

impl Ages {
    /// Records from `first` on were found at `now`.
    pub(super) fn starting(first: Seq, now: Instant) -> Self {
        Self {
            places: VecDeque::from([(first, now)]),
            distance: DISTANCE,
        }
    }

    /// Record `seq` and later ones were committed at `now`.
    pub(super) fn note(&mut self, seq: Seq, now: Instant) {
        if self
            .places
            .back()
            .is_some_and(|&(_, at)| now.duration_since(at) < self.distance)
        {
            return;
        }
        self.places.push_back((seq, now));
        if self.places.len() > PLACES {
            self.distance *= 2;
            let mut keep = false;
            self.places.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    /// Forgets what is only about records up to `acked`.
    pub(super) fn acked(&mut self, acked: Seq) {
        while self
            .places
            .get(1)
            .is_some_and(|&(seq, _)| seq <= acked.saturating_add(1))
        {
            self.places.pop_front();
        }
        if self.places.len() == 1 {
            self.distance = DISTANCE;
        }
    }

    /// For how long at most the oldest record not forgotten has waited.
    pub(super) fn oldest(&self, now: Instant) -> Option<Duration> {
        self.places.front().map(|&(_, at)| now.duration_since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_pending_record_tells_its_age() {
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let mut ages = Ages::starting(1, start);
        ages.note(1, after(10));
        ages.note(5, after(10));
        ages.note(6, after(20));
        assert_eq!(ages.oldest(after(30)), Some(Duration::from_secs(30)));
        ages.acked(4);
        assert_eq!(ages.oldest(after(30)), Some(Duration::from_secs(20)));
        ages.acked(5);
        assert_eq!(ages.oldest(after(30)), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_week_of_backlog_takes_a_bounded_number_of_places() {
        let start = Instant::now();
        let mut ages = Ages::starting(1, start);
        for second in 0..7 * 24 * 3600 {
            ages.note(second + 1, start + Duration::from_secs(second));
        }
        assert!(ages.places.len() <= PLACES);
        assert!(ages.distance < Duration::from_secs(3600));
    }
}
