//! What waits to be sent to one client: bounded in messages and bytes. One who does not read is given up, so that the
//! others and the memory do not suffer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::ending::Ending;

/// The messages for one client.
#[derive(Debug)]
pub(super) struct Outbox {
    most: usize,
    most_bytes: usize,
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    texts: VecDeque<Utf8Bytes>,
    bytes: usize,
    ending: Option<Ending>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits.
    Waits,
    /// There was no room: the socket ends, and so many messages are lost, this one and all that waited.
    Overflowed(u64),
    /// The socket is ending already.
    Ended,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// All that waited.
    Texts(VecDeque<Utf8Bytes>),
    /// Nothing more.
    End(Ending),
}

impl Outbox {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            most,
            most_bytes,
            waiting: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Adds a message without waiting.
    pub(super) fn put(&self, text: Utf8Bytes) -> Put {
        let mut waiting = self.waiting();
        if waiting.ending.is_some() {
            return Put::Ended;
        }
        let has_room = waiting.texts.len() < self.most && waiting.bytes + text.len() <= self.most_bytes;
        let put = if has_room {
            waiting.bytes += text.len();
            waiting.texts.push_back(text);
            Put::Waits
        } else {
            let lost = waiting.texts.len() + 1;
            *waiting = Waiting {
                ending: Some(Ending::TooSlow),
                ..Waiting::default()
            };
            Put::Overflowed(lost as u64)
        };
        drop(waiting);
        self.changed.notify_one();
        put
    }

    /// Ends the socket after what waits. The first ending counts.
    pub(super) fn end(&self, ending: Ending) {
        self.waiting().ending.get_or_insert(ending);
        self.changed.notify_one();
    }

    /// Waits for what comes next. For one task.
    pub(super) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    /// Waits until there was no room, while the same task sends what it has taken.
    pub(super) async fn overflowed(&self) {
        while self.waiting().ending != Some(Ending::TooSlow) {
            self.changed.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut waiting = self.waiting();
        if waiting.texts.is_empty() {
            return waiting.ending.map(Next::End);
        }
        waiting.bytes = 0;
        Some(Next::Texts(std::mem::take(&mut waiting.texts)))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change is whole before anything could panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn texts(texts: &[&'static str]) -> Next {
        Next::Texts(texts.iter().map(|&text| Utf8Bytes::from_static(text)).collect())
    }

    #[tokio::test]
    async fn what_waits_is_sent_before_the_end() {
        let outbox = Outbox::new(3, 100);
        assert_eq!(outbox.put("a".into()), Put::Waits);
        assert_eq!(outbox.put("b".into()), Put::Waits);
        outbox.end(Ending::Draining);
        outbox.end(Ending::Expired);
        assert_eq!(outbox.put("c".into()), Put::Ended);
        assert_eq!(outbox.next().await, texts(&["a", "b"]));
        assert_eq!(outbox.next().await, Next::End(Ending::Draining));
    }

    #[tokio::test]
    async fn without_room_nothing_is_kept_and_the_socket_ends() {
        for (outbox, room) in [(Outbox::new(2, 100), ["a", "b"]), (Outbox::new(9, 4), ["aa", "bb"])] {
            for text in room {
                assert_eq!(outbox.put(text.into()), Put::Waits);
            }
            assert!(outbox.overflowed().now_or_never().is_none());
            assert_eq!(outbox.put("c".into()), Put::Overflowed(3));
            outbox.overflowed().await;
            assert_eq!(outbox.waiting().texts.len(), 0);
            assert_eq!(outbox.next().await, Next::End(Ending::TooSlow));
        }
    }

    #[tokio::test]
    async fn what_was_taken_leaves_room() {
        let outbox = Outbox::new(1, 1);
        for text in ["a", "b", "c"] {
            assert_eq!(outbox.put(text.into()), Put::Waits);
            assert_eq!(outbox.next().await, texts(&[text]));
        }
    }
}
