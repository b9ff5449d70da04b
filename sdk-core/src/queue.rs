//! The queue: events wait here, oldest first, bounded by count, by bytes and by age. At a bound the oldest goes.
//!
//! An event is in one of three places: *waiting* to be sent, *taken* into the one open request, or *held* because the
//! server asked for it again later. All three count as queued. A taken event is never dropped for space: its fate is
//! open, and counting it as lost while the server stores it would be a lie.
//!
//! Of the waiting events only the oldest are in memory, the *window*. Behind them come those that are on the storage
//! alone, and behind these the ones that are in memory alone because the storage failed:
//!
//! ```text
//! held · taken · window (≤ WINDOW_EVENTS) · rest (on the storage) · unsaved (while the storage fails)
//! ```

use std::collections::VecDeque;

use trailmark_protocol::{Timestamp, Uuid};

use crate::log::{Log, Place, Rest};
use crate::ranges::Ranges;

/// Most saved events that are kept in memory because they are captured faster than sent: 2,000, four requests ahead.
/// Reading on from the storage adds a segment, of 1 MiB, at a time.
pub const WINDOW_EVENTS: usize = 2_000;

/// Most bytes of them: 1 MiB.
pub const WINDOW_BYTES: usize = 1024 * 1024;

/// One frozen event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number within the install; the queue's order.
    pub seq: u64,
    /// Its id.
    pub id: Uuid,
    /// When it was captured, by the device's clock.
    pub at: Timestamp,
    /// When it was captured, by the queue's clock, in milliseconds; see [`age`](crate::age).
    pub age: u64,
    /// Its JSON, as it will be sent.
    pub json: Box<str>,
    /// The segment of the log that it is saved in.
    pub(crate) segment: Option<u64>,
}

/// Events that are captured and not yet decided.
#[derive(Debug, Default)]
pub struct Queue {
    window: VecDeque<Entry>,
    window_bytes: usize,
    rest: Option<Rest>,
    unsaved: Vec<Entry>,
    taken: Vec<Entry>,
    held: Vec<Entry>,
    /// Of all events that are not on the storage alone.
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    max_window: usize,
}

impl Queue {
    /// An empty queue with these bounds.
    #[must_use]
    pub fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            max_events,
            max_bytes,
            max_window: WINDOW_EVENTS,
            ..Self::default()
        }
    }

    /// The same with another window than [`WINDOW_EVENTS`].
    pub(crate) fn with_window(self, max_window: usize) -> Self {
        Self { max_window, ..self }
    }

    /// Adds the newest event, saved at `place` or not saved. Make room for it first.
    pub(crate) fn push(&mut self, mut entry: Entry, place: Option<Place>) {
        entry.segment = place.map(Place::segment);
        let room = self.window.len() < self.max_window && self.window_bytes < WINDOW_BYTES;
        match place {
            _ if self.rest.is_none() && self.unsaved.is_empty() && (room || place.is_none()) => {
                self.window_bytes += entry.json.len();
                self.bytes += entry.json.len();
                self.window.push_back(entry);
            }
            Some(place) if self.unsaved.is_empty() => self.add_to_rest(entry.seq, entry.json.len(), place),
            _ => {
                self.bytes += entry.json.len();
                self.unsaved.push(entry);
            }
        }
    }

    /// Adds a waiting event that is on the storage alone; all that is waiting is older.
    pub(crate) fn add_to_rest(&mut self, seq: u64, bytes: usize, place: Place) {
        let rest = self.rest.get_or_insert_with(|| Rest::new(place));
        rest.add(seq, bytes, place);
    }

    /// Whether one more event of `bytes` is within the bounds.
    #[must_use]
    pub fn fits(&self, bytes: usize) -> bool {
        self.len() < self.max_events && self.bytes() + bytes <= self.max_bytes
    }

    /// Takes out the oldest event if it was captured before `age` on the queue's clock.
    #[must_use = "dropped events must be counted"]
    pub(crate) fn expire(&mut self, age: u64) -> Option<Entry> {
        let oldest = self.held.first().or(self.window.front());
        let expired = oldest.is_some_and(|oldest| oldest.age < age);
        expired.then(|| self.remove_oldest()).flatten()
    }

    /// Takes out the oldest event that is not on its way. Held events were sent before any waiting one, so they are
    /// older.
    #[must_use = "dropped events must be counted"]
    pub(crate) fn remove_oldest(&mut self) -> Option<Entry> {
        if self.held.is_empty() {
            return self.pop_waiting();
        }
        let oldest = self.held.remove(0);
        self.bytes -= oldest.json.len();
        Some(oldest)
    }

    fn pop_waiting(&mut self) -> Option<Entry> {
        let entry = self.window.pop_front()?;
        self.window_bytes -= entry.json.len();
        self.bytes -= entry.json.len();
        Some(entry)
    }

    /// Reads on if the window is too small for a full request. Returns how many events the storage has lost: they were
    /// there, and are not any more.
    #[must_use = "lost events must be counted"]
    pub(crate) fn refill(&mut self, log: Option<&mut Log>, wanted: usize) -> u64 {
        let mut lost = 0;
        if let Some(log) = log {
            while self.window.len() < wanted
                && let Some(rest) = self.rest.take()
            {
                lost += self.read_on(log, rest);
            }
        }
        if self.rest.is_none() && !self.unsaved.is_empty() {
            for entry in std::mem::take(&mut self.unsaved) {
                self.window_bytes += entry.json.len();
                self.window.push_back(entry);
            }
        }
        lost
    }

    fn read_on(&mut self, log: &mut Log, rest: Rest) -> u64 {
        let (entries, rest) = rest.read_on(log);
        entries.into_iter().for_each(|entry| self.restore(entry));
        let lost = rest.as_ref().err().copied();
        self.rest = rest.ok();
        lost.unwrap_or(0)
    }

    /// Adds an event that was kept elsewhere, in its place among those that wait in memory.
    pub(crate) fn restore(&mut self, entry: Entry) {
        self.bytes += entry.json.len();
        self.insert_behind(entry);
    }

    /// What was in memory alone is saved now: it need not stay there behind what is on the storage.
    pub(crate) fn all_saved(&mut self) {
        if let Some(rest) = &mut self.rest {
            for entry in std::mem::take(&mut self.unsaved) {
                self.bytes -= entry.json.len();
                rest.add_in(entry.seq, entry.json.len(), entry.segment.unwrap_or_default());
            }
        }
    }

    /// All events that are in memory alone, oldest first.
    pub(crate) fn unsaved(&mut self) -> impl Iterator<Item = &mut Entry> {
        let (older, newer) = self.window.as_mut_slices();
        let places = [&mut *self.held, &mut *self.taken, older, newer, &mut *self.unsaved];
        places.into_iter().flatten().filter(|entry| entry.segment.is_none())
    }

    /// Events in all places.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting() + self.taken.len() + self.held.len()
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of their JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes + self.rest.as_ref().map_or(0, Rest::bytes)
    }

    /// How many events could be sent now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.window.len() + self.rest.as_ref().map_or(0, Rest::len) + self.unsaved.len()
    }

    /// The oldest of them.
    #[must_use]
    pub fn oldest(&self) -> Option<&Entry> {
        self.window.front()
    }

    /// Those that are next to be sent, oldest first.
    pub fn window(&self) -> impl Iterator<Item = &Entry> {
        self.window.iter()
    }

    #[cfg(feature = "planted-bugs")]
    pub(crate) fn window_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.window.iter_mut()
    }

    /// The events of the open request.
    #[must_use]
    pub fn taken(&self) -> &[Entry] {
        &self.taken
    }

    /// Takes the `count` oldest waiting events into a request.
    pub fn take(&mut self, count: usize) -> &[Entry] {
        while self.taken.len() < count
            && let Some(entry) = self.window.pop_front()
        {
            self.window_bytes -= entry.json.len();
            self.taken.push(entry);
        }
        &self.taken
    }

    /// The request is decided: its events leave the queue, and `hold` can put some of them back.
    #[must_use = "settled events must be counted"]
    pub fn settle(&mut self) -> Vec<Entry> {
        let settled = std::mem::take(&mut self.taken);
        self.bytes -= settled.iter().map(|entry| entry.json.len()).sum::<usize>();
        settled
    }

    /// The request is void: its events wait again, in their old place.
    pub fn untake(&mut self) {
        let entries = std::mem::take(&mut self.taken);
        self.put_back(entries);
    }

    /// Keeps a settled event that the server wants again later.
    pub fn hold(&mut self, entry: Entry) {
        self.bytes += entry.json.len();
        self.held.push(entry);
    }

    /// Held events wait again, in their old place.
    pub fn release(&mut self) {
        let entries = std::mem::take(&mut self.held);
        self.put_back(entries);
    }

    /// Whether events are held back.
    #[must_use]
    pub fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    fn put_back(&mut self, entries: Vec<Entry>) {
        for entry in entries.into_iter().rev() {
            self.window_bytes += entry.json.len();
            self.window.push_front(entry);
            // Rarely a step at all: a released event meets a halved request.
            let mut at = 0;
            while self.is_behind(at, at + 1) {
                self.window.swap(at, at + 1);
                at += 1;
            }
        }
    }

    /// Adds to the window what was read, which is newer than nearly all of it.
    fn insert_behind(&mut self, entry: Entry) {
        self.window_bytes += entry.json.len();
        self.window.push_back(entry);
        let mut at = self.window.len() - 1;
        while at > 0 && self.is_behind(at - 1, at) {
            self.window.swap(at - 1, at);
            at -= 1;
        }
    }

    /// Whether the event at `at` belongs behind the one at `next`, if there is one.
    fn is_behind(&self, at: usize, next: usize) -> bool {
        let seq = |at| self.window.get(at).map(|entry| entry.seq);
        seq(next).is_some_and(|next| seq(at) > Some(next))
    }

    /// All events that are in memory, those first that were sent already. In each place the oldest comes first.
    pub(crate) fn in_memory(&self) -> impl Iterator<Item = &Entry> {
        let (older, newer) = self.window.as_slices();
        let places = [&*self.held, &*self.taken, older, newer, &*self.unsaved];
        places.into_iter().flatten()
    }

    /// The numbers of all events.
    pub(crate) fn seqs(&self) -> Ranges {
        let mut seqs = Ranges::of(self.in_memory().map(|entry| entry.seq));
        if let Some(rest) = &self.rest {
            seqs.extend(rest.seqs());
        }
        seqs
    }

    /// Whether an event up to `seq` is waiting or on its way.
    #[must_use]
    pub fn is_sending(&self, seq: u64) -> bool {
        let in_memory = [self.window.front(), self.unsaved.first(), self.taken.first()];
        let on_storage = self.rest.as_ref().and_then(|rest| rest.seqs().first());
        in_memory.into_iter().flatten().any(|oldest| oldest.seq <= seq)
            || on_storage.is_some_and(|oldest| oldest <= seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64) -> Entry {
        Entry {
            seq,
            id: Uuid::from_u128(seq.into()),
            at: Timestamp::default(),
            age: seq,
            json: "0123456789".into(),
            segment: None,
        }
    }

    fn filled(seqs: std::ops::RangeInclusive<u64>) -> Queue {
        let mut queue = Queue::new(5, 55);
        seqs.for_each(|seq| queue.push(entry(seq), None));
        queue
    }

    fn waiting(queue: &Queue) -> Vec<u64> {
        queue.window().map(|entry| entry.seq).collect()
    }

    fn hold_taken(queue: &mut Queue) {
        let settled = queue.settle();
        settled.into_iter().for_each(|entry| queue.hold(entry));
    }

    #[test]
    fn it_is_full_by_count_or_by_bytes() {
        let queue = filled(1..=4);
        assert!(queue.fits(15) && !queue.fits(16));
        assert!(!filled(1..=5).fits(1));
    }

    #[test]
    fn the_oldest_that_is_not_on_its_way_goes_first() {
        let mut queue = filled(1..=5);
        queue.take(1);
        hold_taken(&mut queue);
        queue.take(1);
        let mut removed = || queue.remove_oldest().map(|entry| entry.seq);
        assert_eq!(
            [removed(), removed(), removed(), removed(), removed()],
            [Some(1), Some(3), Some(4), Some(5), None]
        );
        assert_eq!((queue.len(), queue.bytes()), (1, 10));
    }

    #[test]
    fn only_what_is_older_expires() {
        let mut queue = filled(1..=3);
        let mut expired = |age| queue.expire(age).map(|entry| entry.seq);
        assert_eq!(
            [expired(1), expired(2), expired(2), expired(4)],
            [None, Some(1), None, Some(2)]
        );
    }

    #[test]
    fn events_come_back_in_their_old_order() {
        let mut queue = filled(1..=5);
        queue.take(2);
        hold_taken(&mut queue);
        queue.take(2);
        queue.release();
        assert_eq!(waiting(&queue), [1, 2, 5]);
        queue.untake();
        assert_eq!(waiting(&queue), [1, 2, 3, 4, 5]);
        assert_eq!(queue.bytes(), 50);
    }

    #[test]
    fn held_events_are_queued_but_not_on_their_way() {
        let mut queue = filled(1..=4);
        queue.take(2);
        hold_taken(&mut queue);
        assert_eq!((queue.len(), queue.waiting()), (4, 2));
        assert_eq!((queue.is_sending(2), queue.is_sending(3)), (false, true));
    }

    #[test]
    fn more_than_the_window_stays_on_the_storage_alone() {
        let mut queue = Queue::new(usize::MAX, usize::MAX);
        let place = |offset| Some(Place { segment: 1, offset });
        (1..=2 * WINDOW_EVENTS as u64).for_each(|seq| queue.push(entry(seq), place(seq)));
        assert_eq!(waiting(&queue).len(), WINDOW_EVENTS);
        assert_eq!(
            (queue.waiting(), queue.bytes()),
            (2 * WINDOW_EVENTS, 20 * WINDOW_EVENTS)
        );
        assert_eq!(queue.seqs().to_json(), "[[1,4000]]");
        queue.push(entry(4001), None);
        queue.push(entry(4002), place(4002));
        assert_eq!(
            queue.unsaved.len(),
            2,
            "behind one that could not be saved, none is on the storage alone"
        );
    }
}
