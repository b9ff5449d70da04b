//! Cutting: which events go together, and the body they make.

use trailmark_protocol::Timestamp;

use crate::Config;
use crate::queue::{Entry, Queue};
use crate::wait::micros;

/// When the waiting events are worth a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing is waiting.
    Never,
    /// A batch is full, or its oldest event has waited long enough.
    Now,
    /// The oldest event will have waited long enough.
    At(Timestamp),
}

/// A batch is due by count, by bytes or by the age of its oldest event.
pub(crate) fn due(queue: &Queue, config: &Config, now: Timestamp) -> Due {
    let Some(oldest) = queue.oldest() else {
        return Due::Never;
    };
    let full = queue.waiting() >= config.flush_at || queue.bytes() >= config.max_batch_bytes;
    let at = oldest.at.plus_micros(micros(config.flush_interval));
    // A clock that went back below the capture would stretch the wait: send now.
    if full || now >= at || now < oldest.at {
        Due::Now
    } else {
        Due::At(at)
    }
}

/// How many of the oldest events make a request: at most `max_events`, at most `max_bytes` of JSON, and always one.
pub(crate) fn cut<'a>(waiting: impl Iterator<Item = &'a Entry>, max_events: usize, max_bytes: usize) -> usize {
    let (mut events, mut bytes) = (0, 0);
    for entry in waiting {
        // One more for the comma.
        bytes += entry.json.len() + 1;
        if events == max_events || bytes > max_bytes {
            break;
        }
        events += 1;
    }
    events.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_protocol::Uuid;

    fn queue(jsons: &[&str]) -> Queue {
        let mut queue = Queue::new(100, 10_000);
        for (at, json) in jsons.iter().enumerate() {
            let entry = Entry {
                seq: at as u64,
                id: Uuid::nil(),
                at: Timestamp::from_millis(1_000),
                age: 0,
                json: (*json).into(),
                segment: None,
            };
            queue.push(entry, None);
        }
        queue
    }

    fn config() -> Config {
        let mut config = Config::new("tm_pk_test").unwrap();
        config.flush_at = 3;
        config
    }

    #[test]
    fn a_batch_is_cut_by_count_and_by_bytes_and_never_empty() {
        let queue = queue(&["1234", "1234", "1234", "1234"]);
        let cut = |events, bytes| cut(queue.window(), events, bytes);
        assert_eq!(cut(3, 1000), 3);
        assert_eq!(cut(100, 10), 2, "two events and their commas are ten bytes");
        assert_eq!(cut(100, 9), 1);
        assert_eq!(cut(100, 1), 1, "an event longer than the bound still goes, alone");
    }

    #[test]
    fn a_batch_is_due_by_count() {
        let now = Timestamp::from_millis(1_000);
        assert_eq!(due(&queue(&[]), &config(), now), Due::Never);
        assert_eq!(
            due(&queue(&["1", "2"]), &config(), now),
            Due::At(Timestamp::from_millis(11_000))
        );
        assert_eq!(due(&queue(&["1", "2", "3"]), &config(), now), Due::Now);
    }

    #[test]
    fn a_batch_is_due_by_bytes() {
        let mut config = config();
        config.max_batch_bytes = 8;
        assert_eq!(
            due(&queue(&["12345678"]), &config, Timestamp::from_millis(1_000)),
            Due::Now
        );
    }

    #[test]
    fn a_batch_is_due_by_age_and_when_the_clock_went_back() {
        let at = |millis| due(&queue(&["1"]), &config(), Timestamp::from_millis(millis));
        assert_eq!(at(10_999), Due::At(Timestamp::from_millis(11_000)));
        assert_eq!(at(11_000), Due::Now);
        assert_eq!(at(999), Due::Now);
    }
}
