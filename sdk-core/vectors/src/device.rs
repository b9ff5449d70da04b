//! A device that does what a file says.

use std::collections::VecDeque;

use trailmark_core::flush::FlushId;
use trailmark_core::{Answer, Config, Engine, Outcome, Step, Timestamp, Uuid};

use crate::arguments::{self, With, properties, text};
use crate::script::{Counting, Disk};
use crate::settings::{Head, config};
use crate::{outcome, text::compact};

/// When `at` is 0: 2026-11-20T12:00:00.000Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// An engine, its clock, its randomness, its storage and its server.
#[derive(Debug)]
pub struct Device {
    engine: Engine,
    now: Timestamp,
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
        let head: Head<'_> = serde_json::from_str(file).map_err(|error| error.to_string())?;
        let config = config(head.config.get())?;
        let entropy = Counting::default();
        let disk = head.storage.then(Disk::default);
        Ok(Self {
            engine: engine(&config, &entropy, disk.as_ref(), START)?,
            now: START,
            config,
            entropy,
            disk,
            request: None,
            flushes: VecDeque::new(),
        })
    }

    /// The engine, for a binding that makes the calls itself.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// What the clock shows: the `at` of the latest step.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Sets the clock, in milliseconds since [`START`].
    pub fn set_clock(&mut self, at: i64) {
        self.now = START.plus_micros(at.saturating_mul(1000));
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
            "track" | "screen" | "set" | "alias" | "group" | "capture" | "identify" => {
                self.capture(verb, with).map(Some)
            }
            "register" | "register_once" | "set_context" => self.keep(verb, with).map(Some),
            _ => return self.tell(verb, with),
        };
        Some(called)
    }

    /// The calls that capture an event.
    fn capture(&mut self, verb: &str, with: &With<'_>) -> Result<String, String> {
        let (engine, now) = (&mut self.engine, self.now);
        let (name, given) = (text(with.name)?, properties(with.properties)?);
        let (set, set_once) = (properties(with.set)?, properties(with.set_once)?);
        let captured = match verb {
            "track" => engine.track(&name, &given, now),
            "screen" => engine.screen(&name, &given, now),
            "set" => engine.set(&set, &set_once, now),
            "alias" => engine.alias(&text(with.other_user_id)?, now),
            "group" => engine.group(&text(with.group_type)?, &text(with.group_id)?, &given, now),
            "capture" => engine.capture(&with.capture()?, now),
            _ => match engine.identify(&text(with.user_id)?, &set, &set_once, now).transpose() {
                Some(identified) => identified,
                None => return Ok("null".to_owned()),
            },
        };
        Ok(outcome::captured(captured))
    }

    /// The calls that are refused or change what later events carry.
    fn keep(&mut self, verb: &str, with: &With<'_>) -> Result<String, String> {
        let (engine, now) = (&mut self.engine, self.now);
        Ok(outcome::done(match verb {
            "register" => engine.register(&properties(with.properties)?, now),
            "register_once" => engine.register_once(&properties(with.properties)?, now),
            _ => engine.set_context(properties(with.context)?),
        }))
    }

    /// The calls that return nothing.
    fn tell(&mut self, verb: &str, with: &With<'_>) -> Option<Result<Option<String>, String>> {
        let (engine, now) = (&mut self.engine, self.now);
        match verb {
            "unregister" => engine.unregister(with.key.as_deref().unwrap_or_default(), now),
            "reset" => engine.reset(now),
            "opt_out" => engine.opt_out(now),
            "opt_in" => engine.opt_in(now),
            "delete_my_data" => engine.delete_my_data(now),
            "close" => engine.close(),
            "hurry" => engine.hurry(),
            "flush" => self.flushes.push_back(engine.flush()),
            _ => return None,
        }
        Some(Ok(None))
    }

    /// What can be seen.
    fn look(&mut self, verb: &str) -> Option<Result<Option<String>, String>> {
        let seen = match verb {
            "stats" => outcome::stats(&self.engine.stats()),
            "identity" => outcome::identity(&self.engine),
            "notices" => outcome::notices(&self.engine.take_notices()),
            "report" => self.report(),
            _ => return None,
        };
        Some(Ok(Some(seen)))
    }

    /// The report of the oldest flush that has not been fetched.
    fn report(&mut self) -> String {
        let oldest = self.flushes.front().copied();
        let report = oldest.and_then(|flush| self.engine.take_flush(flush));
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
        let step = self.engine.poll(self.now);
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
        self.engine.done(request, &outcome, self.now);
        Ok(())
    }

    /// The process ends wherever it is, and another one starts on the same storage.
    fn restart(&mut self, with: &With<'_>) -> Result<(), String> {
        if let Some(changed) = with.config {
            self.config = config(changed.get())?;
        }
        self.engine = engine(&self.config, &self.entropy, self.disk.as_ref(), self.now)?;
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
