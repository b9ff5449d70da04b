//! The queue: events wait here, oldest first, bounded by count and by bytes. At a bound the oldest goes.
//!
//! An event is in one of three places: *waiting* to be sent, *taken* into the one open request, or *held* because the
//! server asked for it again later. All three count as queued. A taken event is never dropped for space: its fate is
//! open, and counting it as lost while the server stores it would be a lie.
//!
//! This queue lives in memory. The engine uses it through [`Queue::push`], [`Queue::take`] and the three ways back
//! ([`Queue::settle`], [`Queue::untake`], [`Queue::hold`]), so a durable log can take its place: `push` appends,
//! `settle` acknowledges by `seq`, the rest is a view over the log.

use std::collections::VecDeque;

use trailmark_protocol::{Timestamp, Uuid};

/// One frozen event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number within the install; the queue's order.
    pub seq: u64,
    /// Its id.
    pub id: Uuid,
    /// When it was captured, by the device's clock.
    pub at: Timestamp,
    /// Its JSON, as it will be sent.
    pub json: Box<str>,
}

/// Events that are captured and not yet decided.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Entry>,
    taken: Vec<Entry>,
    held: Vec<Entry>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl Queue {
    /// An empty queue with these bounds.
    #[must_use]
    pub fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            max_events,
            max_bytes,
            ..Self::default()
        }
    }

    /// Adds the newest event and returns those that had to go for it, oldest first.
    #[must_use = "dropped events must be counted"]
    pub fn push(&mut self, entry: Entry) -> Vec<Entry> {
        self.bytes += entry.json.len();
        self.waiting.push_back(entry);
        let mut dropped = Vec::new();
        while self.len() > self.max_events || self.bytes > self.max_bytes {
            let Some(oldest) = self.remove_oldest() else { break };
            self.bytes -= oldest.json.len();
            dropped.push(oldest);
        }
        dropped
    }

    /// The oldest that is not taken. Held events were sent before any waiting one, so they are older.
    fn remove_oldest(&mut self) -> Option<Entry> {
        if self.held.is_empty() {
            self.waiting.pop_front()
        } else {
            Some(self.held.remove(0))
        }
    }

    /// Events in all three places.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len() + self.taken.len() + self.held.len()
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of their JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The events that could be sent now, oldest first.
    #[must_use]
    pub fn waiting(&self) -> &VecDeque<Entry> {
        &self.waiting
    }

    /// The events of the open request.
    #[must_use]
    pub fn taken(&self) -> &[Entry] {
        &self.taken
    }

    /// Takes the `count` oldest waiting events into a request.
    pub fn take(&mut self, count: usize) -> &[Entry] {
        self.taken.extend(self.waiting.drain(..count.min(self.waiting.len())));
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
        let ordered = match (entries.last(), self.waiting.front()) {
            (Some(last), Some(front)) => last.seq < front.seq,
            _ => true,
        };
        for entry in entries.into_iter().rev() {
            self.waiting.push_front(entry);
        }
        if !ordered {
            // Rare (a released event meets a halved request), and nearly sorted.
            self.waiting.make_contiguous().sort_by_key(|entry| entry.seq);
        }
    }

    /// How many events up to `seq` are still undecided.
    #[must_use]
    pub fn undecided(&self, seq: u64) -> usize {
        let early = |entries: &[Entry]| entries.iter().filter(|entry| entry.seq <= seq).count();
        self.waiting.partition_point(|entry| entry.seq <= seq) + early(&self.taken) + early(&self.held)
    }

    /// Whether an event up to `seq` is waiting or on its way.
    #[must_use]
    pub fn is_sending(&self, seq: u64) -> bool {
        let oldest = [self.waiting.front(), self.taken.first()];
        oldest.into_iter().flatten().any(|entry| entry.seq <= seq)
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
            json: "0123456789".into(),
        }
    }

    fn filled(max_events: usize, max_bytes: usize, seqs: std::ops::RangeInclusive<u64>) -> (Queue, Vec<u64>) {
        let mut queue = Queue::new(max_events, max_bytes);
        let dropped = seqs
            .flat_map(|seq| queue.push(entry(seq)))
            .map(|entry| entry.seq)
            .collect();
        (queue, dropped)
    }

    fn waiting(queue: &Queue) -> Vec<u64> {
        queue.waiting().iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn at_the_bound_of_count_the_oldest_goes() {
        let (queue, dropped) = filled(3, 1000, 1..=5);
        assert_eq!((waiting(&queue), dropped), (vec![3, 4, 5], vec![1, 2]));
    }

    #[test]
    fn at_the_bound_of_bytes_the_oldest_goes() {
        let (queue, dropped) = filled(100, 25, 1..=3);
        assert_eq!((waiting(&queue), dropped, queue.bytes()), (vec![2, 3], vec![1], 20));
    }

    #[test]
    fn what_is_on_its_way_is_never_dropped_for_space() {
        let (mut queue, _) = filled(3, 1000, 1..=3);
        queue.take(2);
        assert_eq!(queue.push(entry(4)).first().map(|entry| entry.seq), Some(3));
        queue.take(1);
        assert_eq!(
            queue.push(entry(5)).first().map(|entry| entry.seq),
            Some(5),
            "only the new one is not on its way"
        );
        assert_eq!(queue.taken().len(), 3);
    }

    #[test]
    fn events_come_back_in_their_old_order() {
        let (mut queue, _) = filled(100, 1000, 1..=6);
        queue.take(2);
        let held = queue.settle();
        held.into_iter().for_each(|entry| queue.hold(entry));
        queue.take(2);
        queue.release();
        assert_eq!(waiting(&queue), [1, 2, 5, 6]);
        queue.untake();
        assert_eq!(waiting(&queue), [1, 2, 3, 4, 5, 6]);
        assert_eq!(queue.bytes(), 60);
    }

    #[test]
    fn held_events_are_undecided_but_not_on_their_way() {
        let (mut queue, _) = filled(100, 1000, 1..=4);
        queue.take(2);
        let held = queue.settle();
        held.into_iter().for_each(|entry| queue.hold(entry));
        assert_eq!(
            (queue.undecided(3), queue.is_sending(2), queue.is_sending(3)),
            (3, false, true)
        );
    }
}
