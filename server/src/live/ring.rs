//! The newest notices of one project, bounded. Who falls behind is told how many events it missed; nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::notice::Notice;

/// Most bytes that the notices of a project take: 2 MiB, a thousand events of 2 KiB.
pub const RING_BYTES: usize = 2 * 1024 * 1024;

/// Notices of one project, numbered by their events.
#[derive(Debug, Default)]
pub struct Ring {
    kept: Mutex<Kept>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    /// Each with the number of its first event, oldest first.
    notices: VecDeque<(u64, Arc<Notice>)>,
    bytes: usize,
    /// The number of the next event.
    end: u64,
    closed: bool,
}

/// What a listener hears.
#[derive(Debug)]
pub enum Heard {
    /// What happened.
    Notice(Arc<Notice>),
    /// So many events and refusals are gone before they could be heard.
    Missed(u64),
    /// Nothing will come any more.
    End,
}

impl Ring {
    /// Tells everybody. The oldest notices make room; one that is larger than the ring is missed by all.
    pub(super) fn push(&self, notice: Notice) {
        self.kept().push(notice);
        self.more.notify_waiters();
    }

    /// Nothing will come any more.
    pub(super) fn close(&self) {
        self.kept().closed = true;
        self.more.notify_waiters();
    }

    /// The number of the next event.
    pub(super) fn end(&self) -> u64 {
        self.kept().end
    }

    /// What a listener hears who has heard everything before `at`.
    pub(super) async fn next(&self, at: &mut u64) -> Heard {
        loop {
            // Made before the look: it is woken by whatever is pushed after this line.
            let more = self.more.notified();
            if let Some(heard) = self.kept().take(at) {
                return heard;
            }
            more.await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn push(&mut self, notice: Notice) {
        let first = self.end;
        self.end += notice.events();
        if notice.bytes() > RING_BYTES {
            return;
        }
        self.bytes += notice.bytes();
        self.notices.push_back((first, Arc::new(notice)));
        while self.bytes > RING_BYTES {
            let Some((_, oldest)) = self.notices.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
        }
    }

    fn take(&self, at: &mut u64) -> Option<Heard> {
        let next = self.notices.partition_point(|(first, _)| first < at);
        let heard = match self.notices.get(next) {
            Some((first, notice)) if first == at => {
                *at += notice.events();
                Heard::Notice(Arc::clone(notice))
            }
            Some((first, _)) => missed(at, *first),
            None if *at < self.end => missed(at, self.end),
            None if self.closed => Heard::End,
            None => return None,
        };
        Some(heard)
    }
}

fn missed(at: &mut u64, next: u64) -> Heard {
    Heard::Missed(next - std::mem::replace(at, next))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    static ZEROS: [u8; RING_BYTES * 2] = [0; RING_BYTES * 2];

    fn notice(events: usize, bytes: usize) -> Notice {
        Notice::Accepted {
            payload: Bytes::from_static(&ZEROS[..bytes]),
            events,
        }
    }

    proptest! {
        /// Whenever a listener looks, what it heard and what it missed are all that was told.
        #[test]
        fn what_is_heard_and_what_is_missed_are_all_there_was(
            steps in proptest::collection::vec((1usize..9, 1usize..RING_BYTES * 5 / 4, any::<bool>()), 1..60),
        ) {
            let (mut kept, mut at, mut accounted) = (Kept::default(), 0, 0);
            for (events, bytes, looks) in steps {
                kept.push(notice(events, bytes));
                prop_assert!(kept.bytes <= RING_BYTES);
                prop_assert_eq!(kept.bytes, kept.notices.iter().map(|(_, notice)| notice.bytes()).sum::<usize>());
                while let Some(heard) = looks.then(|| kept.take(&mut at)).flatten() {
                    accounted += match heard {
                        Heard::Notice(notice) => notice.events(),
                        Heard::Missed(missed) => missed,
                        Heard::End => unreachable!(),
                    };
                }
                prop_assert!(!looks || accounted == kept.end);
            }
        }
    }

    #[test]
    fn a_listener_that_falls_behind_is_told_how_much_it_missed_and_goes_on_with_the_oldest_there_is() {
        let (mut kept, mut at) = (Kept::default(), 0);
        (0..5).for_each(|_| kept.push(notice(10, RING_BYTES / 2 - 1_000)));
        assert!(matches!(kept.take(&mut at), Some(Heard::Missed(30))));
        assert!(matches!(kept.take(&mut at), Some(Heard::Notice(_))));
        assert!(matches!(kept.take(&mut at), Some(Heard::Notice(_))));
        assert!(kept.take(&mut at).is_none());
    }

    #[test]
    fn a_batch_larger_than_the_ring_is_missed_at_once_and_pushes_nothing_out() {
        let (mut kept, mut at) = (Kept::default(), 0);
        kept.push(notice(1, 1));
        kept.push(notice(7, RING_BYTES + 1));
        assert!(matches!(kept.take(&mut at), Some(Heard::Notice(_))));
        assert!(matches!(kept.take(&mut at), Some(Heard::Missed(7))));
        assert!(kept.take(&mut at).is_none());
    }
}
