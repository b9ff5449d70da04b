//! A device that does what a file says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use trailmark_core::flush::FlushId;
use trailmark_core::{Answer, Config, Engine, Outcome, Step, Timestamp, Uuid};

use crate::arguments::{self, With, properties, text};
use crate::script::{Counting, Disk};
use crate::settings::{Head, config};
use crate::{outcome, text::compact};

/// When `at` is 0: 2026-11-20T12:00:00.000Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// Where the engine of a device is: in the device, or inside of a binding's client.
pub trait Home {
    /// Hands the engine out for a moment.
    fn with<T>(&mut self, change: impl FnOnce(&mut Engine) -> T) -> T;
}

impl Home for Engine {
    fn with<T>(&mut self, change: impl FnOnce(&mut Engine) -> T) -> T {
        change(self)
    }
}

/// What a device's clock shows, for whoever shares it.
#[derive(Debug, Clone)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// The `at` of the latest step.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }
}

/// An engine, its clock, its randomness, its storage and its server.
#[derive(Debug)]
pub struct Device<H = Engine> {
    home: H,
    clock: Clock,
    config: Config,
    entropy: Counting,
    disk: Option<Disk>,
    /// The latest request, also when it has ended.
    request: Option<Uuid>,
    flushes: VecDeque<FlushId>,
}

impl Device {
    /// A device as the head of a file says (`{"config":{…},"storage":true}`; a whole file will do).
    ///
    /// # Errors
    /// What does not fit the format, for people.
    pub fn new(file: &str) -> Result<Self, String> {
        Self::housed(file, |engine, _| engine)
    }

    /// The engine.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.home
    }
}

impl<H: Home> Device<H> {
    /// A device whose engine is somewhere else: `house` puts it there, with the clock to go by.
    ///
    /// # Errors
    /// See [`Device::new`].
    pub fn housed(file: &str, house: impl FnOnce(Engine, Clock) -> H) -> Result<Self, String> {
        let head: Head<'_> = serde_json::from_str(file).map_err(|error| error.to_string())?;
        let config = config(head.config.get())?;
        let entropy = Counting::default();
        let disk = head.storage.then(Disk::default);
        let clock = Clock(Arc::new(AtomicI64::new(START.micros())));
        Ok(Self {
            home: house(engine(&config, &entropy, disk.as_ref(), START)?, clock.clone()),
            clock,
            config,
            entropy,
            disk,
            request: None,
            flushes: VecDeque::new(),
        })
    }

    /// Where the engine is.
    pub fn home(&self) -> &H {
        &self.home
    }

    /// Sets the clock, in milliseconds since [`START`].
    pub fn set_clock(&self, at: i64) {
        self.clock.set(START.plus_micros(at.saturating_mul(1000)));
    }

    /// Takes a step (`{"at":0,"do":"track","with":{…}}`) and returns its outcome, for the verbs that have one.
    ///
    /// # Errors
    /// What does not fit the format, for people.
    pub fn step(&mut self, step: &str) -> Result<Option<String>, String> {
        let read: arguments::Step<'_> = serde_json::from_str(step).map_err(|error| error.to_string())?;
        if let Some(at) = read.at {
            self.set_clock(at);
        }
        let with = read.with.map_or("{}", |with| with.get());
        let with: With<'_> = serde_json::from_str(with).map_err(|error| format!("{}: {error}", read.verb))?;
        self.call(&read.verb, &with)
            .or_else(|| self.look(&read.verb))
            .or_else(|| self.drive(&read.verb, &with))
            .unwrap_or_else(|| Err(format!("no verb {}", read.verb)))
    }

    /// The calls of an app.
    fn call(&mut self, verb: &str, with: &With<'_>) -> Option<Result<Option<String>, String>> {
        let called = match verb {
            "track" | "screen" | "set" | "alias" | "group" | "capture" | "identify" | "capture_exception"
            | "capture_request" | "app_opened" | "app_backgrounded" => self.capture(verb, with).map(Some),
            "register" | "register_once" | "set_context" => self.keep(verb, with).map(Some),
            _ => return self.tell(verb, with),
        };
        Some(called)
    }

    /// The calls that capture an event.
    fn capture(&mut self, verb: &str, with: &With<'_>) -> Result<String, String> {
        let now = self.clock.now();
        let (name, given) = (text(with.name)?, properties(with.properties)?);
        let (set, set_once) = (properties(with.set)?, properties(with.set_once)?);
        let (user_id, other_user_id) = (text(with.user_id)?, text(with.other_user_id)?);
        let (group_type, group_id, capture) = (text(with.group_type)?, text(with.group_id)?, with.capture()?);
        let (exception, request) = (with.exception()?, with.request());
        let captured = self.home.with(|engine| match verb {
            "track" => Some(engine.track(&name, &given, now)),
            "screen" => Some(engine.screen(&name, &given, now)),
            "capture_exception" => Some(engine.capture_exception(&exception, &given, now)),
            "capture_request" => Some(engine.capture_request(&request, &given, now)),
            "app_opened" => Some(engine.app_opened(&name, with.from_background, now)),
            "app_backgrounded" => Some(engine.app_backgrounded(now)),
            "set" => Some(engine.set(&set, &set_once, now)),
            "alias" => Some(engine.alias(&other_user_id, now)),
            "group" => Some(engine.group(&group_type, &group_id, &given, now)),
            "capture" => Some(engine.capture(capture, now)),
            _ => engine.identify(&user_id, &set, &set_once, now).transpose(),
        });
        Ok(captured.map_or_else(|| "null".to_owned(), outcome::captured))
    }

    /// The calls that are refused or change what later events carry.
    fn keep(&mut self, verb: &str, with: &With<'_>) -> Result<String, String> {
        let now = self.clock.now();
        let (given, context) = (properties(with.properties)?, properties(with.context)?);
        Ok(outcome::done(self.home.with(|engine| match verb {
            "register" => engine.register(&given, now),
            "register_once" => engine.register_once(&given, now),
            _ => engine.set_context(context),
        })))
    }

    /// The calls that return nothing.
    fn tell(&mut self, verb: &str, with: &With<'_>) -> Option<Result<Option<String>, String>> {
        let (now, flushes) = (self.clock.now(), &mut self.flushes);
        let told = self.home.with(|engine| {
            match verb {
                "unregister" => engine.unregister(with.key.as_deref().unwrap_or_default(), now),
                "reset" => engine.reset(now),
                "opt_out" => engine.opt_out(now),
                "opt_in" => engine.opt_in(now),
                "delete_my_data" => engine.delete_my_data(now),
                "close" => engine.close(),
                "hurry" => engine.hurry(),
                "flush" => flushes.push_back(engine.flush()),
                _ => return None,
            }
            Some(())
        });
        told.map(|()| Ok(None))
    }

    /// What can be seen.
    fn look(&mut self, verb: &str) -> Option<Result<Option<String>, String>> {
        let seen = match verb {
            "stats" => self.home.with(|engine| outcome::stats(&engine.stats())),
            "identity" => self.home.with(|engine| outcome::identity(engine)),
            "notices" => self.home.with(|engine| outcome::notices(&engine.take_notices())),
            "report" => self.report(),
            _ => return None,
        };
        Some(Ok(Some(seen)))
    }

    /// The report of the oldest flush that has not been fetched.
    fn report(&mut self) -> String {
        let oldest = self.flushes.front().copied();
        let report = oldest.and_then(|flush| self.home.with(|engine| engine.take_flush(flush)));
        if report.is_some() {
            self.flushes.pop_front();
        }
        outcome::report(report.as_ref())
    }

    /// What a driver and the world do.
    fn drive(&mut self, verb: &str, with: &With<'_>) -> Option<Result<Option<String>, String>> {
        match verb {
            "poll" => Some(Ok(Some(self.poll()))),
            "answer" => Some(self.answer(with).map(|()| None)),
            "restart" => Some(self.restart(with).map(|()| None)),
            "storage" => Some(self.storage(with).map(|()| None)),
            "wait" => Some(Ok(None)),
            _ => None,
        }
    }

    fn poll(&mut self) -> String {
        let now = self.clock.now();
        let step = self.home.with(|engine| engine.poll(now));
        if let Step::Send(request) = &step {
            self.request = Some(request.id);
        }
        outcome::step(&step)
    }

    /// Ends the latest request.
    fn answer(&mut self, with: &With<'_>) -> Result<(), String> {
        let request = self.request.ok_or("nothing was sent yet")?;
        let outcome = match (with.status, &with.unreachable) {
            (Some(status), _) => Outcome::Answered(Answer {
                status,
                retry_after: with.retry_after.clone(),
                date: with.date.clone(),
                body: body(with)?,
            }),
            (None, Some(why)) => Outcome::Unreachable(why.clone()),
            (None, None) if with.timed_out => Outcome::TimedOut,
            (None, None) => return Err("an answer has a status, or is unreachable or timed_out".to_owned()),
        };
        let now = self.clock.now();
        self.home.with(|engine| engine.done(request, &outcome, now));
        Ok(())
    }

    /// The process ends wherever it is, and another one starts on the same storage.
    fn restart(&mut self, with: &With<'_>) -> Result<(), String> {
        if let Some(changed) = with.config {
            self.config = config(changed.get())?;
        }
        let next = engine(&self.config, &self.entropy, self.disk.as_ref(), self.clock.now())?;
        self.home.with(|engine| *engine = next);
        (self.request, self.flushes) = (None, VecDeque::new());
        Ok(())
    }

    fn storage(&mut self, with: &With<'_>) -> Result<(), String> {
        let disk = self.disk.as_ref().ok_or("this device has no storage")?;
        disk.fail(with.fails.clone());
        Ok(())
    }
}

fn engine(config: &Config, entropy: &Counting, disk: Option<&Disk>, now: Timestamp) -> Result<Engine, String> {
    let (config, entropy) = (config.clone(), entropy.clone());
    match disk {
        Some(disk) => Engine::open(config, entropy, disk.clone(), now),
        None => Engine::new(config, entropy, now),
    }
    .map_err(|error| error.to_string())
}

/// The body of an answer: a text as it stands, or the text of any other value.
fn body(with: &With<'_>) -> Result<String, String> {
    match with.body {
        Some(body) if !body.get().starts_with('"') => Ok(compact(body.get())),
        body => text(body),
    }
}
