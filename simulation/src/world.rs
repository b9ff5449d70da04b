//! The scheduler: one agenda of everything that will happen, in the order of true time.

use std::collections::BTreeMap;
use std::time::Duration;

use trailmark_core::{Answer, Outcome, Request, Step, Timestamp, Uuid};

use crate::app;
use crate::device::Device;
use crate::device_disk::Weather;
use crate::dice::Dice;
use crate::invariants;
use crate::network::{Link, Passage, Return, passage, way_back};
use crate::server::{Caller, Mood, Reply, Server};
use crate::trouble::{self, Trouble};
use crate::truth::People;
use crate::violation::Checked;

/// When every story begins: 20 November 2025.
const START: Timestamp = Timestamp::from_millis(1_763_600_000_000);

/// How long a client waits for an answer: 30 s, as the native driver.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest a driver sleeps before it asks again: 5 min, as the native one.
const MAX_SLEEP: Duration = Duration::from_secs(5 * 60);

/// Clocks are not set further from the truth than this: 40 years.
const MAX_CLOCK_ERROR: i64 = 40 * 365 * 86_400 * 1_000_000;

/// How long everything works at the end: 10 days, far more than any wait.
const CONVALESCENCE: Duration = Duration::from_secs(10 * 86_400);

/// Something that will happen.
#[derive(Debug)]
enum Happening {
    /// Somebody uses a device.
    Use(usize),
    /// A driver's timer; void if another was set since.
    Timer { device: usize, timer: u64 },
    /// The app starts again.
    Launch(usize),
    /// A request reaches the server.
    Arrival(u64),
    /// An answer reaches the device.
    Answer {
        call: u64,
        outcome: Outcome,
        kept: Vec<Uuid>,
    },
    /// The client waits no longer.
    GiveUp(u64),
    /// The journal gets to work.
    Commit,
    /// The writer does.
    Write,
    /// The server boots.
    Boot,
    /// Something goes wrong.
    Trouble,
}

/// One attempt, as the network knows it.
struct Call {
    device: usize,
    process: u64,
    request: Request,
}

/// What a story came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events captured.
    pub captured: u64,
    /// Events stored.
    pub stored: u64,
    /// Requests that left a device.
    pub requests: u64,
    /// Processes that ended without a good-bye.
    pub kills: u64,
    /// Crashes of the server.
    pub crashes: u64,
    /// Hours of true time.
    pub hours: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.captured += other.captured;
        self.stored += other.stored;
        self.requests += other.requests;
        self.kills += other.kills;
        self.crashes += other.crashes;
        self.hours += other.hours;
    }
}

/// Everything there is.
pub(crate) struct World {
    now: Timestamp,
    agenda: BTreeMap<(Timestamp, u64), Happening>,
    scheduled: u64,
    devices: Vec<Device>,
    server: Server,
    people: People,
    calls: BTreeMap<u64, Call>,
    tally: Tally,
    /// What people and trouble have done so far.
    acts: u64,
    dice: Dice,
    healed: bool,
    trace: bool,
}

impl World {
    pub(crate) fn new(seed: u64, trace: bool) -> Checked<Self> {
        let mut dice = Dice::new(seed);
        let devices = 1 + dice.below(4);
        let mut world = Self {
            now: START,
            agenda: BTreeMap::new(),
            scheduled: 0,
            devices: (0..devices)
                .map(|at| Device::new(1 + at as i32 % 2, dice.split()))
                .collect(),
            server: Server::new(dice.split())?,
            people: People::default(),
            calls: BTreeMap::new(),
            tally: Tally::default(),
            acts: 0,
            dice,
            healed: false,
            trace,
        };
        (0..devices).for_each(|device| world.soon(Happening::Launch(device)));
        (0..devices).for_each(|device| world.soon(Happening::Use(device)));
        world.soon(Happening::Trouble);
        Ok(world)
    }

    /// Plays the story to its end.
    pub(crate) fn play(mut self, acts: u64) -> Checked<Tally> {
        while self.acts < acts {
            self.step()?;
        }
        self.heal()?;
        let end = self.now.plus_micros(micros(CONVALESCENCE));
        while self.is_unfinished() && self.now < end {
            self.step()?;
        }
        self.check_the_end()?;
        self.tally.hours = ((self.now.millis() - START.millis()) / 3_600_000).unsigned_abs();
        self.tally.stored = self.server.store.rows.len() as u64;
        Ok(self.tally)
    }

    fn step(&mut self) -> Checked {
        let Some(((at, _), happening)) = self.agenda.pop_first() else {
            return Ok(());
        };
        self.now = at;
        self.note(|| format!("{happening:?}"));
        match happening {
            Happening::Use(device) => self.use_device(device),
            Happening::Timer { device, timer } if self.devices[device].timer == timer => self.drive(device),
            Happening::Timer { .. } => Ok(()),
            Happening::Launch(device) => self.launch(device),
            Happening::Arrival(call) => self.arrive(call),
            Happening::Answer { call, outcome, kept } => self.answer(call, &outcome, &kept),
            Happening::GiveUp(call) => self.give_up(call),
            Happening::Commit => self.commit(),
            Happening::Write => self.write(),
            Happening::Boot => self.boot(),
            Happening::Trouble => self.trouble(),
        }
    }

    fn note(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("{} {}", self.now, what());
        }
    }

    // The agenda.

    fn after(&mut self, delay: Duration, happening: Happening) {
        self.scheduled += 1;
        let at = self.now.plus_micros(micros(delay));
        self.agenda.insert((at, self.scheduled), happening);
    }

    fn soon(&mut self, happening: Happening) {
        let delay = self.millis(0, 50);
        self.after(delay, happening);
    }

    fn millis(&mut self, least: i64, most: i64) -> Duration {
        Duration::from_millis(self.dice.between(least, most).unsigned_abs())
    }

    /// Mostly seconds; sometimes hours, or weeks.
    fn pause(&mut self) -> Duration {
        match self.dice.below(200) {
            0..160 => self.millis(0, 5_000),
            160..192 => self.millis(5_000, 1_800_000),
            192..199 => self.millis(0, 86_400_000),
            _ => self.millis(0, 21 * 86_400_000),
        }
    }

    // A device.

    fn use_device(&mut self, at: usize) -> Checked {
        if self.healed {
            return Ok(());
        }
        self.acts += 1;
        let pause = self.pause();
        self.after(pause, Happening::Use(at));
        if self.dice.percent(4) {
            self.devices[at].flush(self.now, &mut self.people)?;
            return self.drive(at);
        }
        let act = app::next(&mut self.dice);
        self.note(|| format!("  {act:?}"));
        self.devices[at].act(&act, self.now, &mut self.people)?;
        let wants_poll = self.devices[at]
            .engine
            .as_ref()
            .is_some_and(|engine| engine.wants_poll());
        if wants_poll || app::wakes(&act) {
            return self.drive(at);
        }
        self.bring_back(at);
        Ok(())
    }

    /// Asks the engine what to do, as every driver does.
    fn drive(&mut self, at: usize) -> Checked {
        let device = &mut self.devices[at];
        let called = device.call(self.now, &mut self.people, |engine, now| (engine.poll(now), now))?;
        if let Some(called) = called.filter(|_| device.runs()) {
            let (step, asked_at) = called.result;
            device.timer += 1;
            let timer = device.timer;
            match step {
                Step::Send(request) => {
                    device.sends(&request, &called.after, &mut self.people)?;
                    self.send(at, request);
                }
                Step::WakeAt(until) => {
                    let sleep = u64::try_from(until.micros() - asked_at.micros()).unwrap_or(0);
                    let sleep = Duration::from_micros(sleep).min(MAX_SLEEP);
                    self.after(sleep, Happening::Timer { device: at, timer });
                }
                Step::Idle => {}
            }
        }
        self.bring_back(at);
        Ok(())
    }

    /// An app that has died is started again, sometimes much later.
    fn bring_back(&mut self, at: usize) {
        if self.devices[at].disk.is_dead() {
            self.tally.kills += 1;
            let pause = self.pause();
            self.after(pause, Happening::Launch(at));
        }
    }

    fn launch(&mut self, at: usize) -> Checked {
        if self.devices[at].runs() {
            return Ok(());
        }
        self.devices[at].disk.revive();
        if !self.healed && self.dice.percent(10) {
            let changes = self.dice.below(3);
            self.devices[at].disk.die_in(changes);
        }
        self.devices[at].start(self.now, &mut self.people)?;
        self.drive(at)
    }

    // The network.

    fn send(&mut self, at: usize, request: Request) {
        self.tally.requests += 1;
        let call = self.tally.requests;
        let device = &mut self.devices[at];
        device.attempt = Some(call);
        let process = device.process;
        let way = passage(device.link, &mut self.dice);
        self.note(|| format!("  call {call} of device {at}: {way:?} {}", request.body));
        self.calls.insert(
            call,
            Call {
                device: at,
                process,
                request,
            },
        );
        self.after(PATIENCE, Happening::GiveUp(call));
        match way {
            Passage::Swallowed => {}
            Passage::Refused => self.broken(call),
            Passage::Intercepted(answer) => self.soon(Happening::Answer {
                call,
                outcome: Outcome::Answered(answer),
                kept: Vec::new(),
            }),
            Passage::Arrives(delays) => {
                delays
                    .into_iter()
                    .for_each(|delay| self.after(delay, Happening::Arrival(call)));
            }
        }
    }

    fn broken(&mut self, call: u64) {
        let outcome = Outcome::Unreachable("connection reset".to_owned());
        self.soon(Happening::Answer {
            call,
            outcome,
            kept: Vec::new(),
        });
    }

    fn arrive(&mut self, call: Caller) -> Checked {
        if !self.server.is_up() {
            self.broken(call);
            return Ok(());
        }
        let Some(Call { request, .. }) = self.calls.get(&call) else {
            return Ok(());
        };
        match self.server.receive(request, call, self.now) {
            Some(reply) => self.reply(call, reply),
            None => self.soon(Happening::Commit),
        }
        Ok(())
    }

    fn reply(&mut self, call: Caller, Reply { answer, kept }: Reply) {
        let Some(Call { device, .. }) = self.calls.get(&call) else {
            return;
        };
        let link = self.devices[*device].link;
        let answered = |answer: Answer| Outcome::Answered(answer);
        match way_back(link, &answer, &mut self.dice) {
            Return::Lost => {}
            Return::Arrives(delay) => self.after(
                delay,
                Happening::Answer {
                    call,
                    outcome: answered(answer),
                    kept,
                },
            ),
            Return::Replaced(other, delay) => {
                let outcome = answered(other);
                self.after(
                    delay,
                    Happening::Answer {
                        call,
                        outcome,
                        kept: Vec::new(),
                    },
                );
            }
        }
    }

    /// An answer comes to the process that asked, perhaps when it does not wait for it any more.
    fn answer(&mut self, call: u64, outcome: &Outcome, kept: &[Uuid]) -> Checked {
        let Some(Call {
            device,
            process,
            request,
        }) = self.calls.get(&call)
        else {
            return Ok(());
        };
        let (at, request) = (*device, request.id);
        let device = &mut self.devices[at];
        let waits = device.attempt == Some(call);
        if !device.runs() || device.process != *process || !(waits || self.dice.percent(20)) {
            return Ok(());
        }
        device.done(request, outcome, kept, self.now, &mut self.people)?;
        self.drive(at)
    }

    fn give_up(&mut self, call: u64) -> Checked {
        let device = self.calls.get(&call).map(|call| call.device);
        if device.is_some_and(|at| self.devices[at].attempt == Some(call)) {
            return self.answer(call, &Outcome::TimedOut, &[]);
        }
        Ok(())
    }

    // The server.

    fn commit(&mut self) -> Checked {
        for (caller, reply) in self.server.work() {
            self.reply(caller, reply);
        }
        if !self.healed && self.dice.percent(5) {
            self.crash();
        }
        if self.server.is_busy() {
            self.soon(Happening::Commit);
        }
        if self.server.is_poisoned() {
            self.crash();
        }
        let delay = self.millis(0, 3_000);
        self.after(delay, Happening::Write);
        Ok(())
    }

    fn write(&mut self) -> Checked {
        let bytes = self.dice.pick(&[1, 4_000, 1_000_000]);
        self.server.write(bytes)
    }

    fn boot(&mut self) -> Checked {
        if !self.server.start()? {
            self.crash();
        }
        Ok(())
    }

    fn crash(&mut self) {
        self.tally.crashes += 1;
        for caller in self.server.crash() {
            self.broken(caller);
        }
        let pause = if self.healed { Duration::ZERO } else { self.pause() };
        self.after(pause, Happening::Boot);
    }

    // Trouble.

    fn trouble(&mut self) -> Checked {
        if self.healed {
            return Ok(());
        }
        self.acts += 1;
        let pause = self.pause();
        self.after(pause, Happening::Trouble);
        let trouble = trouble::draw(&mut self.dice);
        let at = self.dice.below(self.devices.len());
        self.note(|| format!("  {trouble:?}, if to a device, to {at}"));
        self.befall(trouble, at);
        Ok(())
    }

    fn befall(&mut self, trouble: Trouble, at: usize) {
        let device = &mut self.devices[at];
        match trouble {
            Trouble::Link(link) => device.link = link,
            Trouble::Kill => device.kill(),
            Trouble::DieIn(changes) => device.disk.die_in(changes),
            Trouble::PowerLoss => device.lose_power(),
            Trouble::Weather(weather) if device.rough => device.disk.set_weather(weather),
            Trouble::Sync => device.disk.sync(),
            Trouble::Damage if device.rough => device.damage(),
            Trouble::Hide(unlistable) if device.rough => {
                device.kill();
                device.disk.hide(unlistable, !unlistable);
            }
            Trouble::ClockJump(seconds) => {
                let error = device.clock_error + seconds * 1_000_000;
                device.clock_error = error.clamp(-MAX_CLOCK_ERROR, MAX_CLOCK_ERROR);
            }
            Trouble::Mood(mood) => self.server.mood = mood,
            Trouble::Crash => self.crash(),
            Trouble::CrashIn(changes) => self.server.cut_power_after(changes),
            Trouble::BreakDisk(operation) => self.server.break_disk(operation),
            Trouble::Store(works) => self.server.store_works = works,
            Trouble::Weather(_) | Trouble::Damage | Trouble::Hide(_) => {}
        }
        self.bring_back(at);
    }

    // The end.

    /// Everything works from now on, and nobody touches anything.
    fn heal(&mut self) -> Checked {
        self.note(|| "healed".to_owned());
        self.healed = true;
        for at in 0..self.devices.len() {
            self.devices[at].disk.set_weather(Weather::Fine);
            self.devices[at].disk.hide(false, false);
            self.devices[at].disk.spare();
            self.devices[at].link = Link::Good;
            self.launch(at)?;
        }
        (self.server.mood, self.server.store_works) = (Mood::Well, true);
        self.crash();
        self.boot()
    }

    fn is_unfinished(&self) -> bool {
        let queued = |device: &Device| device.snapshot().is_none_or(|now| now.stats.queued > 0);
        self.devices.iter().any(queued)
    }

    fn check_the_end(&mut self) -> Checked {
        self.server.write(usize::MAX)?;
        let store = &self.server.store;
        invariants::every_promise_is_kept(&self.server.promised, store)?;
        for (at, device) in self.devices.iter().enumerate() {
            let Some(now) = device.snapshot() else { continue };
            self.tally.captured += now.stats.captured;
            invariants::everything_is_sent_in_the_end(at, &now)?;
            invariants::every_event_is_stored_or_counted(&device.ledger, device.project, &now, store)?;
            invariants::what_is_delivered_is_stored(device, &now, store)?;
        }
        for ((project, id), row) in &store.rows {
            let ledgers = self.devices.iter().filter(|device| device.project == *project);
            let known = ledgers.filter_map(|device| device.ledger.events.get(id)).next();
            invariants::what_is_stored_was_captured(*id, row, known.and_then(|known| known.json.as_deref()))?;
        }
        [1, 2]
            .iter()
            .try_for_each(|project| invariants::no_two_people_become_one(*project, store, &self.people))
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}
