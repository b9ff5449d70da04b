//! How a walk through time is cut: into slices that hold about a page each, whatever comes in them.
//!
//! No index has the time before the name, so a page of the next events of all names is found by looking at all of a slice.
//! Slices are therefore kept as narrow as the events are dense, which the pages before tell.

use trailmark_protocol::{Timestamp, Uuid};

/// The first slice: an hour, in microseconds.
const FIRST_MICROS: i64 = 3_600 * 1_000_000;

/// How much wider the next slice is after one that was nearly empty. From an hour to a year in seven steps.
const WIDER: i64 = 4;

/// Events from `from` on, behind `after` if they are of that very moment, and before `below`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The first moment inside.
    pub from: Timestamp,
    /// The last event of that moment that was read.
    pub after: Uuid,
    /// The first moment after it.
    pub below: Timestamp,
}

/// A walk from one moment to another.
#[derive(Debug)]
pub struct Slices {
    at: Option<Slice>,
    below: Timestamp,
    width: i64,
}

impl Slices {
    /// From the moment of the first event to that of the last, both inside.
    #[must_use]
    pub fn over(first: Timestamp, last: Timestamp) -> Self {
        let mut slices = Self {
            at: None,
            below: last.plus_micros(1),
            width: FIRST_MICROS,
        };
        slices.at = slices.from(first, Uuid::nil());
        slices
    }

    /// What is to be read next; `None` at the end.
    #[must_use]
    pub fn next(&self) -> Option<Slice> {
        self.at
    }

    /// The slice was read to its end, and held this part of a page: none, or up to 1.
    pub fn ended(&mut self, part: f64) {
        if part < 0.25 {
            self.width = self.width.saturating_mul(WIDER);
        }
        self.at = self.at.and_then(|slice| self.from(slice.below, Uuid::nil()));
    }

    /// More is in the slice than a page: it was read up to this event, whose distance from the beginning is what a page is
    /// wide here.
    pub fn cut(&mut self, at: Timestamp, id: Uuid) {
        let begun = self.at.map_or(at, |slice| slice.from);
        self.width = at.micros().saturating_sub(begun.micros()).max(1);
        self.at = self.from(at, id);
    }

    fn from(&self, from: Timestamp, after: Uuid) -> Option<Slice> {
        let below = from.plus_micros(self.width).min(self.below);
        (from < self.below).then_some(Slice { from, after, below })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads as a statement does, `page` events at most.
    fn read(events: &[(i64, u128)], slice: Slice, page: usize) -> Vec<(i64, u128)> {
        let key = (slice.from.micros(), slice.after.as_u128());
        let inside = |event: &&(i64, u128)| event.0 >= key.0 && **event > key && event.0 < slice.below.micros();
        events.iter().filter(inside).take(page).copied().collect()
    }

    proptest! {
        #[test]
        fn every_event_is_read_once_in_its_order_and_in_few_pages(
            clusters in prop::collection::vec((0..i64::pow(10, 14), 0..i64::pow(10, 7), 1..60_usize), 1..6),
            page in 2..20_usize,
        ) {
            let mut events: Vec<(i64, u128)> = Vec::new();
            for (start, spread, count) in clusters {
                for nth in 0..count as i64 {
                    // Some of one moment.
                    events.push((start + spread * (nth / 3), 1 + events.len() as u128));
                }
            }
            events.sort();
            let time = |event: Option<&(i64, u128)>| Timestamp::from_micros(event.unwrap().0);
            let mut slices = Slices::over(time(events.first()), time(events.last()));
            let (mut seen, mut reads) = (Vec::new(), 0);
            while let Some(slice) = slices.next() {
                let found = read(&events, slice, page);
                seen.extend_from_slice(&found);
                reads += 1;
                prop_assert!(reads < 2_000, "it goes round in circles");
                match found.last() {
                    Some((at, id)) if found.len() == page => {
                        slices.cut(Timestamp::from_micros(*at), Uuid::from_u128(*id));
                    }
                    _ => slices.ended(found.len() as f64 / page as f64),
                }
            }
            prop_assert_eq!(seen, events);
        }
    }
}
