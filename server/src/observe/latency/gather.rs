//! The requests of some events, added up by endpoint and minute.

use std::collections::BTreeMap;

use trailmark_protocol::Timestamp;

use super::catalogue::Catalogue;
use super::endpoint::{Endpoint, UNREADABLE};
use super::read::{self, Read};
use super::tally::{Span, Tally};
use crate::store::notes::Observed;

/// A sum's place: whose, over what time, and since when.
pub type Key = (Endpoint, Span, Timestamp);

/// What some events say of one endpoint.
#[derive(Debug)]
struct Gathered {
    /// Every one of its requests met nobody.
    unknown_path: bool,
    /// By span and its beginning.
    sums: BTreeMap<(Span, Timestamp), Tally>,
}

/// What some events say.
#[derive(Debug, Default)]
pub struct Requests(BTreeMap<Endpoint, Gathered>);

impl Requests {
    /// Reads events. A moment after an event was received is that one: a clock that is ahead does not count into days to
    /// come. What was so long before that it is kept no more is left out.
    #[must_use]
    pub fn of(events: &[Observed]) -> Self {
        let mut requests = Self::default();
        for event in events {
            let at = event.timestamp.0.min(event.received_at.0);
            let properties = event.properties.as_ref().map(|properties| &properties.0);
            let read = read::read(properties).unwrap_or_else(|| Read {
                endpoint: Endpoint::standing(read::source(properties), UNREADABLE),
                tally: Tally {
                    requests: 1,
                    ..Tally::default()
                },
                unknown_path: false,
            });
            requests.add(&read, at, event.received_at.0);
        }
        requests
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each sum in its place, by the endpoints of `catalogue`, which learns new ones.
    #[must_use]
    pub fn placed(self, catalogue: &mut Catalogue) -> BTreeMap<Key, Tally> {
        let mut placed = BTreeMap::<Key, Tally>::new();
        for (endpoint, gathered) in self.0 {
            let endpoint = catalogue.place(&endpoint, gathered.unknown_path);
            for ((span, at), tally) in gathered.sums {
                placed.entry((endpoint.clone(), span, at)).or_default().add(&tally);
            }
        }
        placed
    }

    fn add(&mut self, read: &Read, at: Timestamp, received_at: Timestamp) {
        let kept = Span::ALL
            .into_iter()
            .filter(|span| span.floor(at) >= span.kept_since(received_at));
        for span in kept {
            let gathered = self.0.entry(read.endpoint.clone()).or_insert_with(|| Gathered {
                unknown_path: true,
                sums: BTreeMap::new(),
            });
            gathered.unknown_path &= read.unknown_path;
            gathered
                .sums
                .entry((span, span.floor(at)))
                .or_default()
                .add(&read.tally);
        }
    }
}
