//! What is happening now: events as this process accepts them, and what it refuses, for whoever listens.
//!
//! The way of a notice: [`Tap`] (where a batch gets its 202; nothing at all while nobody listens) → a [`ring`] for each
//! project that is listened to, bounded in bytes → a [`Listener`] at its own pace, told how much it missed → [`notice`]
//! (what it asked for, as text) → [`http`] (server-sent events). Whatever costs time is done on the listener's side.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use trailmark_protocol::Timestamp;
use trailmark_protocol::receipt::Refused;

use crate::gateway::problem::{Code, Problem};
use crate::ingest::decode::Incoming;
use notice::{Notice, RefusedEvent, RefusedRequest};
use ring::{Heard, Ring};

pub mod filter;
pub mod notice;
pub mod ring;
pub mod sse;
pub mod http;

/// Most listeners of one project: 8. A dashboard on the wall and some terminals.
pub const LISTENERS_PER_PROJECT: usize = 8;

/// Most listeners in all: 32. Each keeps at the most a ring of 2 MiB, one notice of that size and its text: 200 MiB.
pub const LISTENERS: usize = 32;

/// Who listens to what.
#[derive(Debug, Default)]
pub struct Live {
    /// The number of listeners, so that a batch need only look here while there are none.
    listening: AtomicUsize,
    rooms: Mutex<Rooms>,
}

#[derive(Debug, Default)]
struct Rooms {
    by_project: HashMap<i32, Room>,
    closed: bool,
}

/// A project that is listened to.
#[derive(Debug, Default)]
struct Room {
    ring: Arc<Ring>,
    listeners: usize,
}

impl Live {
    /// Where to tell what becomes of a batch; `None`, after one look at a number, if nobody listens.
    #[must_use]
    pub fn tap(&self, project_id: i32) -> Option<Tap> {
        if self.listeners() == 0 {
            return None;
        }
        let rooms = self.rooms();
        rooms
            .by_project
            .get(&project_id)
            .map(|room| Tap(Arc::clone(&room.ring)))
    }

    /// How many listen.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.listening.load(Ordering::Acquire)
    }

    /// Tells that a whole request of a project was refused.
    pub fn request_refused(&self, project_id: i32, received_at: Timestamp, problem: &Problem) {
        if let Some(Tap(ring)) = self.tap(project_id) {
            ring.push(Notice::Request(RefusedRequest::new(received_at, problem)));
        }
    }

    /// Begins to listen to a project, from now on.
    ///
    /// # Errors
    /// [`Code::TooManyListeners`], [`Code::LiveUnavailable`].
    pub fn listen(self: &Arc<Self>, project_id: i32) -> Result<Listener, Problem> {
        let mut rooms = self.rooms();
        if rooms.closed {
            return Err(Problem::new(Code::LiveUnavailable, "the server is stopping"));
        }
        if self.listeners() >= LISTENERS {
            return Err(Problem::new(
                Code::LiveUnavailable,
                format!("{LISTENERS} listeners are the most"),
            ));
        }
        let room = rooms.by_project.entry(project_id).or_default();
        if room.listeners >= LISTENERS_PER_PROJECT {
            let detail = format!("{LISTENERS_PER_PROJECT} listeners of one project are the most");
            return Err(Problem::new(Code::TooManyListeners, detail).retry_after(RETRY_AFTER_S));
        }
        room.listeners += 1;
        self.listening.fetch_add(1, Ordering::Release);
        Ok(Listener {
            at: room.ring.end(),
            ring: Arc::clone(&room.ring),
            live: Arc::clone(self),
            project_id,
        })
    }

    /// Ends all listening for good: what waits is still told.
    pub fn close(&self) {
        let mut rooms = self.rooms();
        rooms.closed = true;
        rooms.by_project.values().for_each(|room| room.ring.close());
    }

    fn leave(&self, project_id: i32) {
        let mut rooms = self.rooms();
        self.listening.fetch_sub(1, Ordering::Release);
        if let Some(room) = rooms.by_project.get_mut(&project_id) {
            room.listeners -= 1;
            if room.listeners == 0 {
                rooms.by_project.remove(&project_id);
            }
        }
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds after which a project with too many listeners may try again.
const RETRY_AFTER_S: u64 = 5;

/// A project that is listened to, as ingest sees it.
#[derive(Debug)]
pub struct Tap(Arc<Ring>);

impl Tap {
    /// Tells of accepted events, given as the journal has taken them.
    pub fn accepted(&self, payload: Bytes, events: usize) {
        if events > 0 {
            self.0.push(Notice::Accepted { payload, events });
        }
    }

    /// Tells of the events of a batch that were refused.
    pub fn refused(&self, received_at: Timestamp, incoming: &Incoming<'_>, results: &[Refused]) {
        let sent = |refused: &Refused| incoming.events.get(refused.index).map_or("", |raw| raw.get());
        let events = results
            .iter()
            .map(|refused| RefusedEvent::new(received_at, refused, sent(refused)));
        let events: Vec<_> = events.collect();
        if !events.is_empty() {
            self.0.push(Notice::Refused(events));
        }
    }
}

/// Somebody who listens; whoever drops it leaves.
#[derive(Debug)]
pub struct Listener {
    live: Arc<Live>,
    ring: Arc<Ring>,
    project_id: i32,
    /// The number of the next event.
    at: u64,
}

impl Listener {
    /// What comes next. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Heard {
        self.ring.next(&mut self.at).await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.live.leave(self.project_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(refused: Result<Listener, Problem>) -> Code {
        refused.unwrap_err().code()
    }

    #[test]
    fn a_project_without_listeners_has_no_tap() {
        let live = Arc::new(Live::default());
        assert!(live.tap(1).is_none());
        let listener = live.listen(1).unwrap();
        assert!(live.tap(1).is_some() && live.tap(2).is_none());
        drop(listener);
        assert!(live.tap(1).is_none());
        assert!(live.rooms().by_project.is_empty());
    }

    #[test]
    fn listeners_are_limited_for_each_project_and_in_all_and_leaving_makes_room() {
        let live = Arc::new(Live::default());
        let mut first: Vec<_> = (0..LISTENERS_PER_PROJECT).map(|_| live.listen(0).unwrap()).collect();
        assert_eq!(code(live.listen(0)), Code::TooManyListeners);
        let rest = i32::try_from(LISTENERS - LISTENERS_PER_PROJECT).unwrap();
        let _others: Vec<_> = (1..=rest).map(|project| live.listen(project).unwrap()).collect();
        assert_eq!(code(live.listen(-1)), Code::LiveUnavailable);
        first.pop();
        assert_eq!(live.listeners(), LISTENERS - 1);
        assert!(live.listen(0).is_ok());
    }

    #[tokio::test]
    async fn what_was_told_before_the_close_is_still_heard_and_then_the_end() {
        let live = Arc::new(Live::default());
        let mut listener = live.listen(1).unwrap();
        live.tap(1).unwrap().accepted(Bytes::from_static(b"x"), 1);
        live.close();
        assert!(matches!(listener.next().await, Heard::Notice(_)));
        assert!(matches!(listener.next().await, Heard::End));
        assert_eq!(code(live.listen(1)), Code::LiveUnavailable);
    }
}
