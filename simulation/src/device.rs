//! A device: one engine on one storage, a clock that may be wrong, and who uses it.

use trailmark_core::identity::Identity;
use trailmark_core::{
    Config, Engine, FlushReport, Outcome, Properties, Request, Stats, StorageHealth, Timestamp, Uuid,
};
use trailmark_protocol::RawBatch;

use crate::app::{self, Act};
use crate::device_disk::DeviceDisk;
use crate::dice::Dice;
use crate::invariants;
use crate::network::Link;
use crate::server::key_of;
use crate::truth::{Ledger, Owner, People};
use crate::violation::{Checked, Violation};

/// All that an engine says about itself.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) stats: Stats,
    pub(crate) identity: Identity,
    pub(crate) install: String,
    /// The registered properties and groups.
    pub(crate) registered: String,
}

impl Snapshot {
    fn of(engine: &Engine) -> Self {
        Self {
            stats: engine.stats(),
            identity: engine.identity().clone(),
            install: engine.install_id().to_owned(),
            registered: engine.draft("d", &Properties::new()).properties.as_json().to_owned(),
        }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner {
            anonymous_id: self.identity.anonymous_id().to_owned(),
            user_id: self.identity.user_id().map(str::to_owned),
        }
    }

    fn is_saved(&self) -> bool {
        self.stats.storage == StorageHealth::Saved
    }
}

/// A call of the engine, seen from outside.
pub(crate) struct Called<T> {
    pub(crate) result: T,
    pub(crate) before: Snapshot,
    pub(crate) after: Snapshot,
}

/// How the last process ended.
#[derive(Debug)]
struct Grave {
    /// Before and after the call that it died in.
    before: Snapshot,
    after: Snapshot,
    /// All of that was on the storage, and nothing but the process was lost.
    nothing_lost: bool,
    /// The event of that call.
    event: Option<(Uuid, Owner)>,
}

/// See the [module](self).
pub(crate) struct Device {
    pub(crate) project: i32,
    pub(crate) disk: DeviceDisk,
    config: Config,
    /// None while the app does not run.
    pub(crate) engine: Option<Engine>,
    /// Counts the processes.
    pub(crate) process: u64,
    /// Its clock minus the true time, in microseconds.
    pub(crate) clock_error: i64,
    pub(crate) link: Link,
    /// The timer that counts; earlier ones are void.
    pub(crate) timer: u64,
    pub(crate) ledger: Ledger,
    grave: Option<Grave>,
    /// Its storage may lose more than an unfinished write.
    pub(crate) rough: bool,
    /// It has.
    pub(crate) damaged: bool,
    /// The latest request, to compare with its next attempt.
    latest: Option<Request>,
    /// The attempt on its way.
    pub(crate) attempt: Option<u64>,
    flush: Option<(trailmark_core::flush::FlushId, u64)>,
    pub(crate) dice: Dice,
}

impl Device {
    pub(crate) fn new(project: i32, mut dice: Dice) -> Self {
        let rough = dice.percent(40);
        let syncs = !rough || dice.percent(50);
        Self {
            project,
            disk: DeviceDisk::new(syncs, dice.split()),
            config: app::settings(&key_of(project), &mut dice),
            engine: None,
            process: 0,
            clock_error: 0,
            link: Link::Good,
            timer: 0,
            ledger: Ledger::default(),
            grave: None,
            rough,
            damaged: false,
            latest: None,
            attempt: None,
            flush: None,
            dice,
        }
    }

    /// What its clock shows.
    pub(crate) fn clock(&self, now: Timestamp) -> Timestamp {
        now.plus_micros(self.clock_error)
    }

    /// Calls the engine, if the app runs, and looks at what that did to the storage. The process may die in it.
    pub(crate) fn call<T>(
        &mut self,
        now: Timestamp,
        people: &mut People,
        call: impl FnOnce(&mut Engine, Timestamp) -> T,
    ) -> Checked<Option<Called<T>>> {
        let now = self.clock(now);
        let Some(engine) = &mut self.engine else {
            return Ok(None);
        };
        let before = Snapshot::of(engine);
        let result = call(engine, now);
        let after = Snapshot::of(engine);
        self.look_at_storage(&before.install, people)?;
        invariants::captured_is_delivered_dropped_and_queued(&after.stats)?;
        invariants::only_a_damaged_storage_loses(&before.stats, &after.stats, self.damaged)?;
        if self.disk.is_dead() {
            self.bury(before.clone(), after.clone());
        }
        Ok(Some(Called { result, before, after }))
    }

    fn look_at_storage(&mut self, install: &str, people: &mut People) -> Checked {
        for (id, json) in self.disk.take_saved() {
            self.ledger.saw(id, &json, install, people)?;
            self.ledger.saved(id);
        }
        Ok(())
    }

    fn bury(&mut self, before: Snapshot, after: Snapshot) {
        let nothing_lost = before.is_saved();
        if !nothing_lost {
            self.damaged = true;
            self.ledger.doubt(|_, known| !known.saved);
        }
        self.engine = None;
        (self.attempt, self.flush, self.latest) = (None, None, None);
        self.grave = Some(Grave {
            before,
            after,
            nothing_lost,
            event: None,
        });
    }

    /// The process is killed between two calls.
    pub(crate) fn kill(&mut self) {
        if let Some(engine) = &self.engine {
            let last = Snapshot::of(engine);
            self.disk.kill();
            self.bury(last.clone(), last);
        }
    }

    /// The power fails between two calls.
    pub(crate) fn lose_power(&mut self) {
        self.kill();
        if let Some(at_risk) = self.disk.lose_power() {
            self.ledger.doubt(|id, _| at_risk.contains(id));
            self.forgets_more();
        }
    }

    /// Bytes turn or files vanish while the app does not run.
    pub(crate) fn damage(&mut self) {
        self.kill();
        if self.disk.damage() {
            self.ledger.doubt(|_, _| true);
            self.forgets_more();
        }
    }

    /// More may be lost than an unfinished call.
    pub(crate) fn forgets_more(&mut self) {
        self.damaged = true;
        if let Some(grave) = &mut self.grave {
            grave.nothing_lost = false;
        }
    }

    /// Whether the app runs.
    pub(crate) fn runs(&self) -> bool {
        self.engine.is_some()
    }

    /// The app starts again on what the storage has. It may die in that, too.
    pub(crate) fn start(&mut self, now: Timestamp, people: &mut People) -> Checked {
        if self.disk.is_hidden() {
            self.ledger.doubt(|_, known| !known.saved);
            self.forgets_more();
        }
        let now = self.clock(now);
        let entropy = self.dice.split();
        let engine = Engine::open(self.config.clone(), entropy, self.disk.clone(), now).map_err(|error| Violation {
            rule: "an engine opens on whatever a storage holds",
            seen: error.to_string(),
        })?;
        self.process += 1;
        let found = Snapshot::of(&engine);
        self.look_at_storage(&found.install, people)?;
        invariants::captured_is_delivered_dropped_and_queued(&found.stats)?;
        if self.disk.is_dead() {
            return Ok(());
        }
        match self.grave.take() {
            Some(grave) if grave.nothing_lost => self.resurrect(grave, &found, people)?,
            // What it remembers may be old: that is not the engine's fault.
            _ => drop(people.excused.insert(found.identity.anonymous_id().to_owned())),
        }
        people.uses(found.identity.anonymous_id());
        // A storage that could not keep the end of an install brings it back.
        self.ledger.ended.remove(&found.install);
        self.engine = Some(engine);
        Ok(())
    }

    fn resurrect(&mut self, grave: Grave, found: &Snapshot, people: &mut People) -> Checked {
        let Grave {
            before, after, event, ..
        } = grave;
        invariants::a_killed_process_loses_nothing(&before, &after, found)?;
        if found.install != before.install {
            self.end_install(&before, 1);
        }
        let happened = found.stats.captured == after.stats.captured && before.stats.captured != after.stats.captured;
        match event.filter(|_| happened && found.install == before.install) {
            Some((id, owner)) => self.ledger.captured(id, owner, &found.install, people),
            None => Ok(()),
        }
    }

    /// The install was forgotten after `delivered` events of its last request.
    fn end_install(&mut self, before: &Snapshot, delivered: u64) {
        let lost = before.stats.dropped_total() + before.stats.queued.saturating_sub(delivered);
        self.ledger.ended.insert(before.install.clone(), lost);
    }

    /// The app does something.
    pub(crate) fn act(&mut self, act: &Act, now: Timestamp, people: &mut People) -> Checked {
        let Some(called) = self.call(now, people, |engine, now| app::perform(engine, act, now))? else {
            return Ok(());
        };
        let Called { result, before, after } = called;
        let owner = if *act == Act::DeleteMyData {
            before.owner()
        } else {
            after.owner()
        };
        if let (Act::Alias(other), Some(user), Some(_)) = (act, &owner.user_id, result.event) {
            people.aliases.push((self.project, user.clone(), other.clone()));
        }
        if let Some(grave) = &mut self.grave {
            grave.event = result.event.map(|id| (id, owner));
            return Ok(());
        }
        invariants::every_call_is_counted_once(&before, &after, result.counted)?;
        invariants::the_identity_changes_as_the_app_says(&before, &after, &app::change(act, &result, &before), people)?;
        people.uses(after.identity.anonymous_id());
        if let Some(id) = result.event {
            self.ledger.captured(id, owner, &before.install, people)?;
        }
        self.look_for_leftovers(&after)
    }

    fn look_for_leftovers(&self, now: &Snapshot) -> Checked {
        if !now.stats.opted_out || self.attempt.is_some() || !now.is_saved() || self.disk.is_stuck() || self.damaged {
            return Ok(());
        }
        let left: Vec<Uuid> = self
            .disk
            .events()
            .into_iter()
            .filter(|id| !self.ledger.is_erase(*id))
            .collect();
        invariants::opted_out_means_nothing_is_stored(&left)
    }

    /// The engine hands out a request.
    pub(crate) fn sends(&mut self, request: &Request, after: &Snapshot, people: &mut People) -> Checked {
        if let Some(latest) = self.latest.as_ref().filter(|latest| latest.id == request.id) {
            invariants::a_request_is_the_same_on_every_attempt(latest, request)?;
        }
        let batch: RawBatch<'_> =
            serde_json::from_str(&request.body).map_err(|error| invariants::unreadable(&request.body, &error))?;
        for event in &batch.batch {
            let id = id_of(event.get())?;
            let erase = event.get().contains(r#""event":"$erase""#);
            invariants::only_what_was_captured_is_sent(self.ledger.events.contains_key(&id) || erase, id)?;
            invariants::opted_out_means_nothing_is_sent(after.stats.opted_out && !erase, id)?;
            self.ledger.saw(id, event.get(), &after.install, people)?;
        }
        self.latest = Some(request.clone());
        Ok(())
    }

    /// An attempt has ended. `kept` is what a receipt of the server's own in it promises.
    pub(crate) fn done(
        &mut self,
        request: Uuid,
        outcome: &Outcome,
        kept: &[Uuid],
        now: Timestamp,
        people: &mut People,
    ) -> Checked {
        if self.latest.as_ref().is_some_and(|latest| latest.id == request) {
            self.attempt = None;
        }
        let Some(called) = self.call(now, people, |engine, now| engine.done(request, outcome, now))? else {
            return Ok(());
        };
        let Called { before, after, .. } = called;
        if before.install == after.install {
            invariants::only_a_receipt_delivers(&before.stats, &after.stats, kept)?;
        } else {
            invariants::an_install_ends_only_when_the_server_has_the_request(&before, &after, kept)?;
        }
        if !self.runs() {
            return Ok(());
        }
        if before.install != after.install {
            self.end_install(&before, kept.len() as u64);
            people.uses(after.identity.anonymous_id());
        }
        self.look_for_leftovers(&after)
    }

    /// The app asks for a flush, or for the report of the last one.
    pub(crate) fn flush(&mut self, now: Timestamp, people: &mut People) -> Checked {
        let Some((id, queued)) = self.flush.take() else {
            let called = self.call(now, people, |engine, _| (engine.flush(), engine.stats().queued))?;
            self.flush = called.map(|called| called.result).filter(|_| self.runs());
            return Ok(());
        };
        let called = self.call(now, people, |engine, _| engine.take_flush(id))?;
        let report: Option<FlushReport> = called.and_then(|called| called.result);
        report.map_or(Ok(()), |report| {
            invariants::a_flush_accounts_for_what_was_queued(&report, queued)
        })
    }

    /// What it says about itself now.
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        self.engine.as_ref().map(Snapshot::of)
    }
}

fn id_of(json: &str) -> Checked<Uuid> {
    #[derive(serde::Deserialize)]
    struct Id {
        id: Uuid,
    }
    let read: Result<Id, _> = serde_json::from_str(json);
    read.map(|read| read.id)
        .map_err(|error| invariants::unreadable(json, &error))
}
