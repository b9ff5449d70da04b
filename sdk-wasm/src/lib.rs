//! The engine behind wasm-bindgen: text in, text out, and no logic of its own.
//!
//! TypeScript (`sdk-wasm/npm/src`) drives it: it has the page's network, clock and storage. All times are Unix
//! milliseconds. A panic is a trap, which JavaScript meets as a `RuntimeError`: such an engine is dead, and so is one whose
//! [`Host`] has thrown.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod host;
mod identity;
#[cfg(target_arch = "wasm32")]
mod memory;
mod retry_after;
mod settings;
mod telling;

use trailmark_core::flush::FlushId;
use trailmark_core::{Answer, ConfigError, Outcome, Reason, Request, Step, Timestamp, Uuid};
use trailmark_protocol::id;
use wasm_bindgen::prelude::wasm_bindgen;

pub use host::Host;

/// What is between the texts that the host keeps. No JSON has it in it.
const BETWEEN: char = '\u{1e}';

/// What [`Engine::poll`] returns while a request is ready. No time is negative in a browser.
const REQUEST_READY: f64 = -1.0;

/// One install: the events of all tabs of a browser, numbered, saved and sent.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    engine: trailmark_core::Engine,
    request: Option<Request>,
}

#[wasm_bindgen]
impl Engine {
    /// An engine that goes on from what the host has kept: the checkpoint and the rows of the undecided events, with
    /// U+001E between them; nothing at the first start. `settings` are JSON: `write_key`, and whatever differs from
    /// the defaults.
    ///
    /// # Errors
    /// What is wrong with the settings, for people.
    pub fn open(host: &Host, settings: &str, kept: &str, now: f64) -> Result<Engine, String> {
        let config = settings::read(settings)?;
        let mut kept = kept.split(BETWEEN);
        let checkpoint = kept.next().unwrap_or_default();
        let engine = trailmark_core::Engine::resume(config, host.clone(), checkpoint, kept, time(now));
        Ok(Self {
            engine: engine.map_err(ConfigError::text)?,
            request: None,
        })
    }

    /// What the host is to change, all at once, since the last call: the checkpoint, the numbers of the rows that go
    /// (`[[1,3],[7,7]]`), and the new rows, which begin with their numbers; U+001E between all of them.
    pub fn changes(&mut self) -> Option<String> {
        self.engine.changes().map(|changes| telling::changes(&changes))
    }

    /// The host has written all changes, or says why it could not.
    pub fn kept(&mut self, error: Option<String>) {
        self.engine.kept(error);
    }

    /// Captures a record: an event's JSON, which begins with its id, without its number. Returns the reason for which it was refused (and counted).
    pub fn capture(&mut self, record: &str, now: f64) -> Option<String> {
        refused(self.engine.adopt(record, time(now)))
    }

    /// Numbers an event that was refused before it came here, and counts it under this reason.
    pub fn refuse(&mut self, reason: &str, now: f64) {
        let reason = Reason::parse(reason).unwrap_or(Reason::InvalidEvent);
        let _ = self.engine.refuse_as(reason, time(now));
    }

    /// What to do next: -1, send [`request`](Engine::request); infinity, nothing; else wake at that time.
    pub fn poll(&mut self, now: f64) -> f64 {
        match self.engine.poll(time(now)) {
            Step::Send(request) => {
                self.request = Some(request);
                REQUEST_READY
            }
            // The whole millisecond behind it: before it nothing is due.
            Step::WakeAt(at) => at.plus_micros(999).millis() as f64,
            Step::Idle => f64::INFINITY,
        }
    }

    /// The latest request: `{"id":…,"path":…,"headers":{…}}`.
    pub fn request(&self) -> String {
        self.request.as_ref().map(telling::request).unwrap_or_default()
    }

    /// Its body.
    pub fn body(&self) -> String {
        self.request
            .as_ref()
            .map(|request| (*request.body).to_owned())
            .unwrap_or_default()
    }

    /// A request was answered. An `id` that is no open request's is passed over.
    pub fn answered(
        &mut self,
        id: &str,
        status: u16,
        body: String,
        retry_after: Option<String>,
        date: Option<String>,
        now: f64,
    ) {
        let answer = Answer {
            status,
            retry_after: retry_after.map(|text| retry_after::in_seconds(text, date, now)),
            date: None,
            body,
        };
        self.done(id, &Outcome::Answered(answer), now);
    }

    /// A request was not answered, or not in time; `why` is for people.
    pub fn failed(&mut self, id: &str, why: String, timed_out: bool, now: f64) {
        let outcome = if timed_out {
            Outcome::TimedOut
        } else {
            Outcome::Unreachable(why)
        };
        self.done(id, &outcome, now);
    }

    fn done(&mut self, id: &str, outcome: &Outcome, now: f64) {
        if let Some(id) = id::read(id) {
            self.request = self.request.take().filter(|request| request.id != id);
            self.engine.done(id, outcome, time(now));
        }
    }

    /// What is queued is sent without waiting for company.
    pub fn hurry(&mut self) {
        self.engine.hurry();
    }

    /// The body of a last request of at most this many bytes, for a page that ends: copies of the oldest events. Changes
    /// nothing.
    pub fn parting(&self, max_bytes: usize) -> Option<String> {
        self.engine.parting(max_bytes)
    }

    /// Asks for everything that is queued to be sent now, and returns a ticket for the report.
    pub fn flush(&mut self, #[wasm_bindgen(js_name = now)] _now: f64) -> f64 {
        self.engine.flush().0 as f64
    }

    /// What became of that: `{"delivered":…,"dropped":{…},"pending":…}`, once, when it is over.
    pub fn report(&mut self, ticket: f64) -> Option<String> {
        let report = self.engine.take_flush(FlushId(ticket as u64))?;
        Some(telling::report(&report))
    }

    /// All counters, as JSON.
    pub fn stats(&self) -> String {
        telling::stats(&self.engine.stats())
    }

    /// What somebody should know, since the last call: `[{"kind":…,"detail":…}]`.
    pub fn notices(&mut self) -> String {
        telling::notices(&self.engine.take_notices())
    }

    /// The person does not want to be observed, or agrees again.
    pub fn set_opted_out(&mut self, out: bool, now: f64) {
        if out {
            self.engine.opt_out(time(now));
        } else {
            self.engine.opt_in(time(now));
        }
    }

    /// Drops what is queued, and asks the server to erase this person: `{"anonymous_id":…,"user_id":…}`.
    pub fn delete_my_data(&mut self, identity: &str, now: f64) {
        self.engine.delete_data_of(&identity::read(identity), time(now));
    }

    /// The install: made once, and the same until the person's data is deleted.
    pub fn install_id(&self) -> String {
        self.engine.install_id().to_owned()
    }

    /// Captures nothing from now on.
    pub fn close(&mut self, #[wasm_bindgen(js_name = now)] _now: f64) {
        self.engine.close();
    }
}

fn refused(captured: Result<Uuid, Reason>) -> Option<String> {
    captured.err().map(|reason| reason.as_str().to_owned())
}

fn time(unix_millis: f64) -> Timestamp {
    Timestamp::from_millis(unix_millis as i64)
}
