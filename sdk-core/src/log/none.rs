//! A build without a log. There is no value of these types, so the compiler drops whatever would be done with one: about a
//! quarter of what a web page would load.

use trailmark_protocol::Timestamp;

use crate::queue::Entry;
use crate::ranges::Ranges;
use crate::saved::Saved;
use crate::storage::StorageError;
use crate::verdict::Fate;

/// No log.
#[derive(Debug)]
pub(crate) enum Log {}

/// No place in one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {}

/// No events that are on a storage alone.
#[derive(Debug)]
pub(crate) enum Rest {}

/// What became of events is in the counters.
#[derive(Debug, Default)]
pub(crate) struct Settled;

impl Settled {
    pub(crate) fn add(&mut self, _: u64, _: &Fate) {}

    pub(crate) fn is_empty(&self) -> bool {
        true
    }
}

impl Place {
    pub(crate) fn segment(self) -> u64 {
        match self {}
    }
}

impl Rest {
    pub(crate) fn new(from: Place) -> Self {
        match from {}
    }

    pub(crate) fn add(&mut self, _: u64, _: usize, _: Place) {
        match *self {}
    }

    pub(crate) fn add_in(&mut self, _: u64, _: usize, _: u64) {
        match *self {}
    }

    pub(crate) fn len(&self) -> usize {
        match *self {}
    }

    pub(crate) fn bytes(&self) -> usize {
        match *self {}
    }

    pub(crate) fn seqs(&self) -> &Ranges {
        match *self {}
    }

    pub(crate) fn read_on(self, _: &mut Log) -> (Vec<Entry>, Result<Self, u64>) {
        match self {}
    }
}

impl Log {
    pub(crate) fn begins_segment(&self) -> bool {
        match *self {}
    }

    pub(crate) fn record(&mut self) -> &mut Self {
        self
    }

    pub(crate) fn event(&mut self, _: &Saved<'_>) {
        match *self {}
    }

    pub(crate) fn settled(&mut self, _: &Settled) {
        match *self {}
    }

    pub(crate) fn checkpoint(&mut self, _: &str) {
        match *self {}
    }

    pub(crate) fn is_open_to_writes(&mut self, _: Timestamp) -> bool {
        match *self {}
    }

    pub(crate) fn commit(&mut self, _: u64, _: Timestamp) -> Option<Place> {
        match *self {}
    }

    pub(crate) fn decided(&mut self, _: u64) {
        match *self {}
    }

    pub(crate) fn is_open(&self, _: u64) -> bool {
        match *self {}
    }

    pub(crate) fn close_segment(&mut self) {
        match *self {}
    }

    pub(crate) fn error(&self) -> Option<&StorageError> {
        match *self {}
    }
}
