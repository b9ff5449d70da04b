//! The server's pure parts around a simulated disk: decode, judge, journal, and a model of the store.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use trailmark_core::{Answer, Request};
use trailmark_protocol::receipt::Refused;
use trailmark_protocol::{Receipt, Timestamp, Uuid, Verdict, headers};
use trailmark_server::event::{BatchWriter, read_batch};
use trailmark_server::gateway::problem::Problem;
use trailmark_server::ingest::decode::{Shapes, decode};
use trailmark_server::ingest::{Attempt, Judged, judge, refused};
use trailmark_server::journal::fake_disk::{FakeDisk, Operation};
use trailmark_server::journal::{Append, Journal, JournalOptions, LocalJournal, OpenError};
use trailmark_server::store::Tombstones;

use crate::dice::Dice;
use crate::invariants;
use crate::store::{Key, Store, rows};
use crate::violation::{Checked, Violation};

/// Segments of the smallest size, two dozen of them: a long outage of the store fills the journal.
const SEGMENT_BYTES: u64 = 64 * 1024;

/// What the server, or what stands before it, says at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Everything gets this status.
    Refuses(u16),
    /// More events than this are too many.
    Small(usize),
    /// Some events of each batch are wanted again later.
    Choosy,
    /// Every answer asks to wait.
    Pacing,
}

/// An answer, and what it promises.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    /// The events that are on stable storage.
    pub(crate) kept: Vec<Uuid>,
}

/// Who waits for an answer; the world knows what the number means.
pub(crate) type Caller = u64;

struct Waiting {
    caller: Caller,
    append: Append,
    project: i32,
    kept: Vec<Uuid>,
    receipt: Receipt,
}

/// One node and its store.
pub(crate) struct Server {
    disk: FakeDisk,
    /// None while it is down.
    journal: Option<LocalJournal>,
    pub(crate) store: Store,
    waiting: Vec<Waiting>,
    pub(crate) mood: Mood,
    pub(crate) store_works: bool,
    /// Every event that a 202 was given for.
    pub(crate) promised: BTreeSet<Key>,
    id: Uuid,
    dice: Dice,
}

impl Server {
    pub(crate) fn new(mut dice: Dice) -> Checked<Self> {
        let mut server = Self {
            disk: FakeDisk::new(),
            journal: None,
            store: Store::default(),
            waiting: Vec::new(),
            mood: Mood::Well,
            store_works: true,
            promised: BTreeSet::new(),
            id: Uuid::from_u64_pair(dice.roll(), dice.roll()),
            dice,
        };
        server.start()?;
        Ok(server)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.journal.is_some()
    }

    /// Boots on what the disk has, and checks that it keeps every promise. False if the power fails meanwhile.
    pub(crate) fn start(&mut self) -> Checked<bool> {
        if self.journal.is_some() {
            return Ok(true);
        }
        let options = JournalOptions {
            max_bytes: 24 * SEGMENT_BYTES,
            segment_bytes: SEGMENT_BYTES,
            pending_bytes: 128 * 1024,
            new_id: self.id,
        };
        let (journal, recovery) = match LocalJournal::open_stepped(Arc::new(self.disk.clone()), &options) {
            Ok(opened) => opened,
            Err(OpenError::Io(_)) => return Ok(false),
            Err(error) => return Err(impossible("the journal opens after a crash", &error)),
        };
        invariants::a_torn_tail_is_not_damage(&recovery)?;
        let cursor = self.store.cursor(journal.id());
        let mut durable = BTreeSet::new();
        let Ok(records) = journal.read(cursor, usize::MAX) else {
            return Ok(false);
        };
        for record in &records {
            durable.extend(rows(record)?.into_iter().map(|(key, _)| key));
        }
        invariants::a_202_is_only_given_for_what_survives_a_crash(&self.promised, &self.store, &durable)?;
        journal.ack(cursor);
        self.journal = Some(journal);
        Ok(true)
    }

    /// The machine loses power. Returns who waits in vain.
    pub(crate) fn crash(&mut self) -> Vec<Caller> {
        self.disk = self.disk.crash(self.dice.roll());
        self.journal = None;
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|waiting| waiting.caller)
            .collect()
    }

    /// The power will go off in the middle of a change soon.
    pub(crate) fn cut_power_after(&mut self, changes: u64) {
        self.disk.cut_power_after(changes);
    }

    /// Writing or syncing fails from now on, or works again after the next start.
    pub(crate) fn break_disk(&mut self, operation: Operation) {
        self.disk.fail(operation, Some(std::io::ErrorKind::Other));
    }

    /// A request arrives. `None`: the answer comes later, see [`Server::work`].
    pub(crate) fn receive(&mut self, request: &Request, caller: Caller, now: Timestamp) -> Option<Reply> {
        match self.try_receive(request, caller, now) {
            Ok(reply) => reply,
            Err(problem) => Some(refusal(&problem)),
        }
    }

    fn try_receive(&mut self, request: &Request, caller: Caller, now: Timestamp) -> Result<Option<Reply>, Problem> {
        if let Mood::Refuses(status) = self.mood {
            return Ok(Some(self.refuse(status)));
        }
        let Some(project) = project_of(header(request, headers::AUTHORIZATION)) else {
            return Ok(Some(self.refuse(401)));
        };
        let mut incoming = decode(request.body.as_bytes(), Shapes::Batch)?;
        if let Mood::Small(most) = self.mood
            && incoming.events.len() > most
        {
            return Ok(Some(self.refuse(413)));
        }
        let wanted_again = self.choose(&mut incoming.events);
        let sent_at = Timestamp::parse(header(request, headers::SENT_AT));
        let attempt = Attempt {
            project_id: project,
            received_at: now,
            sent_at,
            sdk: None,
            erased: &Tombstones::default(),
        };
        let Judged { kept, results } = judge(&incoming, &attempt);
        let receipt = Receipt {
            accepted: kept.as_ref().map_or(0, BatchWriter::events),
            results: merged(results, &wanted_again),
            next_send_after_ms: if self.mood == Mood::Pacing { 90_000 } else { 0 },
        };
        let Some((journal, payload)) = self.journal.as_ref().zip(kept.map(BatchWriter::finish)) else {
            return Ok(Some(Reply::receipt(&receipt, Vec::new())));
        };
        let kept = read_batch(&payload).map_or(Vec::new(), |batch| batch.events.iter().map(|event| event.id).collect());
        let append = journal.append(payload);
        self.waiting.push(Waiting {
            caller,
            append,
            project,
            kept,
            receipt,
        });
        Ok(None)
    }

    /// In a choosy mood some events are not even looked at: their places in the batch.
    fn choose<T>(&mut self, events: &mut Vec<T>) -> Vec<usize> {
        if self.mood != Mood::Choosy {
            return Vec::new();
        }
        let chosen: Vec<bool> = events.iter().map(|_| self.dice.percent(60)).collect();
        let mut verdicts = chosen.iter();
        events.retain(|_| verdicts.next().is_some_and(|chosen| *chosen));
        chosen
            .iter()
            .enumerate()
            .filter(|(_, chosen)| !**chosen)
            .map(|(at, _)| at)
            .collect()
    }

    fn refuse(&mut self, status: u16) -> Reply {
        let after = [
            None,
            Some("0"),
            Some("7"),
            Some("3600"),
            Some("Wed, 26 Nov 2025 07:28:00 GMT"),
            Some("soon"),
        ];
        Reply {
            answer: Answer {
                status,
                retry_after: self.dice.pick(&after).map(str::to_owned),
                ..Answer::default()
            },
            kept: Vec::new(),
        }
    }

    /// The journal gets to work: the answers of what is durable now, or never will be.
    pub(crate) fn work(&mut self) -> Vec<(Caller, Reply)> {
        let Some(journal) = &self.journal else {
            return Vec::new();
        };
        journal.step();
        let mut replies = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            match Pin::new(&mut waiting.append).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => self.waiting.push(waiting),
                Poll::Ready(Err(error)) => replies.push((waiting.caller, refusal(&refused(error)))),
                Poll::Ready(Ok(_)) => {
                    self.promised
                        .extend(waiting.kept.iter().map(|id| (waiting.project, *id)));
                    replies.push((waiting.caller, Reply::receipt(&waiting.receipt, waiting.kept)));
                }
            }
        }
        replies
    }

    /// Whether somebody waits for the journal.
    pub(crate) fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a write failed, so that only a restart helps.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.journal
            .as_ref()
            .is_some_and(|journal| journal.stats().poisoned.is_some())
    }

    /// The writer stores some of what is durable; sometimes it dies before the journal hears of it.
    pub(crate) fn write(&mut self, bytes: usize) -> Checked {
        let Some(journal) = self.journal.as_ref().filter(|_| self.store_works) else {
            return Ok(());
        };
        // With the power off nothing can be read.
        let Ok(records) = journal.read(self.store.cursor(journal.id()), bytes) else {
            return Ok(());
        };
        self.store.write(journal.id(), &records)?;
        if self.dice.percent(90) {
            journal.ack(self.store.cursor(journal.id()));
        }
        Ok(())
    }
}

impl Reply {
    fn receipt(receipt: &Receipt, kept: Vec<Uuid>) -> Self {
        Self {
            answer: Answer {
                status: 202,
                body: receipt.to_json(),
                ..Answer::default()
            },
            kept,
        }
    }
}

/// The key that a device of this project has.
pub(crate) fn key_of(project: i32) -> String {
    format!("tm_pk_{project}")
}

fn project_of(authorization: &str) -> Option<i32> {
    authorization.strip_prefix("Bearer tm_pk_")?.parse().ok()
}

pub(crate) fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let found = request.headers.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}

/// The verdicts on the judged events, whose places are those among the chosen ones, and those on the others.
fn merged(results: Vec<Refused>, wanted_again: &[usize]) -> Vec<Refused> {
    let place = |mut index: usize| {
        for again in wanted_again {
            index += usize::from(*again <= index);
        }
        index
    };
    let judged = results.into_iter().map(|refused| Refused {
        index: place(refused.index),
        ..refused
    });
    let again = wanted_again.iter().map(|index| Refused {
        index: *index,
        id: None,
        verdict: Verdict::Retry,
        reason: "".into(),
        detail: String::new(),
    });
    judged.chain(again).collect()
}

/// A problem as its client sees it; the text is the edge's.
fn refusal(problem: &Problem) -> Reply {
    Reply {
        answer: Answer {
            status: problem.code().status().as_u16(),
            body: format!(r#"{{"code":"{}"}}"#, problem.code().as_str()),
            ..Answer::default()
        },
        kept: Vec::new(),
    }
}

fn impossible(rule: &'static str, error: &dyn std::fmt::Display) -> Violation {
    Violation {
        rule,
        seen: error.to_string(),
    }
}
