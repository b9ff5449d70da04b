//! What one write stores: the events of some payloads, each once, in the order of their ids.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trailmark_protocol::{Timestamp, Uuid};

use crate::event::{AcceptedEvent, Batch, BatchHead, BatchWriter, read_batch};

use super::error::StoreError;
use super::installs::Report;
use super::tombstones::Tombstones;

/// Longest name or id in bytes that an index takes with certainty: an entry of a B-tree holds 2,704 bytes. Validation
/// allows 200 characters, which are at most 800 bytes.
pub(super) const INDEXED_BYTES: usize = 2_000;

/// An event with what it has in common with its batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending<'a> {
    pub(super) head: BatchHead<'a>,
    pub(super) event: AcceptedEvent<'a>,
}

/// An event that becomes a dead letter.
#[derive(Debug, Clone)]
pub(super) struct Dead {
    pub(super) project_id: i32,
    pub(super) event_id: Uuid,
    pub(super) sqlstate: Option<String>,
    pub(super) reason: &'static str,
    pub(super) detail: String,
    pub(super) payload: Bytes,
    pub(super) received_at: Option<Timestamp>,
}

/// An accepted event that is not stored, because somebody whom it names was erased after it was captured.
#[derive(Debug, Clone)]
pub(super) struct Late {
    pub(super) project_id: i32,
    pub(super) event_id: Uuid,
    pub(super) install_id: Option<String>,
}

/// The events to store, and those that cannot be.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub(super) events: Vec<Pending<'a>>,
    pub(super) duplicates: u64,
    pub(super) dead: Vec<Dead>,
    pub(super) reports: Vec<Report<'a>>,
}

impl<'a> Group<'a> {
    /// Reads payloads. The first copy of an event that is of an install wins, or else the first. Ordering by id keeps index
    /// pages hot, and two servers that store the same events wait for each other instead of deadlocking.
    pub(super) fn read(payloads: &'a [Bytes]) -> Self {
        let mut group = Self::default();
        for payload in payloads {
            group.add(payload);
        }
        let all = group.events.len();
        group
            .events
            .sort_by_key(|pending| (pending.key(), pending.head.install_id.is_none()));
        group.events.dedup_by_key(|pending| pending.key());
        group.duplicates = (all - group.events.len()) as u64;
        group
    }

    fn add(&mut self, payload: &'a Bytes) {
        match read_batch(payload) {
            Ok(Batch { head, report, events }) => {
                self.reports.extend(report.and_then(|report| Report::of(&head, report)));
                for event in events {
                    self.sort_in(Pending { head, event });
                }
            }
            Err(error) => self.dead.push(Dead::unreadable(payload, error.to_string())),
        }
    }

    /// Whose events these are.
    pub(super) fn projects(&self) -> Vec<i32> {
        let dead = self.dead.iter().map(|dead| dead.project_id);
        let projects: BTreeSet<i32> = self
            .events
            .iter()
            .map(|pending| pending.head.project_id)
            .chain(dead)
            .collect();
        projects.into_iter().collect()
    }

    /// Takes out what `known` tombstones refuse.
    pub(super) fn without_erased(&self, known: &Tombstones) -> (Cow<'_, [Pending<'a>]>, Cow<'_, [Dead]>, Vec<Late>) {
        if known.is_empty() {
            return (Cow::Borrowed(&self.events), Cow::Borrowed(&self.dead), Vec::new());
        }
        let (mut events, mut dead, mut lates) = (Vec::new(), Vec::new(), Vec::new());
        for pending in &self.events {
            match pending.late(known) {
                Some(late) => lates.push(late),
                None => events.push(*pending),
            }
        }
        for letter in &self.dead {
            match late(&letter.payload, known) {
                Some(late) => lates.push(late),
                None => dead.push(letter.clone()),
            }
        }
        (events.into(), dead.into(), lates)
    }

    fn sort_in(&mut self, pending: Pending<'a>) {
        match pending.unstorable() {
            None => self.events.push(pending),
            Some(why) => self.dead.push(Dead::refused(&pending, None, why)),
        }
    }
}

impl Pending<'_> {
    /// What is counted if somebody whom it names was erased after it was captured.
    fn late(&self, known: &Tombstones) -> Option<Late> {
        let head = &self.head;
        known
            .name(head.project_id, &self.event, head.received_at)
            .then(|| Late {
                project_id: head.project_id,
                event_id: self.event.id,
                install_id: head.install_id.map(str::to_owned),
            })
    }

    /// What is unique.
    pub(super) fn key(&self) -> (Uuid, i32) {
        (self.event.id, self.head.project_id)
    }

    /// Why no table could hold its name or ids. Validation lets none of these through; a bug there must not stop the
    /// writer here.
    fn unstorable(&self) -> Option<String> {
        let event = &self.event;
        let texts = [
            Some(event.name),
            event.user_id,
            event.anonymous_id,
            event.alias,
            event.session_id,
            self.head.install_id,
        ];
        let unfit = |text: &&str| text.len() > INDEXED_BYTES || text.contains('\0');
        if let Some(text) = texts.into_iter().flatten().find(unfit) {
            let start: String = text.chars().take(20).collect();
            return Some(format!(
                "a name or id has a NUL or more than {INDEXED_BYTES} bytes: {start:?}"
            ));
        }
        (event.user_id.is_none() && event.anonymous_id.is_none()).then(|| "neither anonymous_id nor user_id".to_owned())
    }
}

/// The same for the payload of a dead letter, which holds one event.
pub(super) fn late(payload: &[u8], known: &Tombstones) -> Option<Late> {
    let Batch { head, events, .. } = read_batch(payload).ok()?;
    events.into_iter().find_map(|event| Pending { head, event }.late(known))
}

impl Dead {
    /// A payload that cannot be read. Its id is made from its bytes, so that it is one row however often it comes.
    fn unreadable(payload: &Bytes, detail: String) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(payload)[..16]);
        Self {
            project_id: 0,
            event_id: Uuid::from_bytes(id),
            sqlstate: None,
            reason: "unreadable",
            detail,
            payload: payload.clone(),
            received_at: None,
        }
    }

    /// An event that the database refused.
    pub(super) fn refused(pending: &Pending<'_>, sqlstate: Option<String>, detail: String) -> Self {
        let mut payload = BatchWriter::new(&pending.head, 256);
        payload.push(&pending.event);
        Self {
            project_id: pending.head.project_id,
            event_id: pending.event.id,
            sqlstate,
            reason: "dead_letter",
            detail,
            payload: payload.finish(),
            received_at: Some(pending.head.received_at),
        }
    }

    /// An event that the database refused with `error`.
    pub(super) fn by_error(pending: &Pending<'_>, error: &StoreError) -> Self {
        Self::refused(pending, error.sqlstate(), error.to_string())
    }
}
