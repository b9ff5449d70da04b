//! A device: an engine, its clock, and short words for what happens to it.

use std::time::Duration;

use super::disk::Disk;
use trailmark_core::engine::Engine;
use trailmark_core::{Answer, Config, Entropy, Outcome, Properties, Request, Stats, Step, Timestamp};

/// Xorshift: the same seed, the same bytes.
pub(crate) struct Seeded(pub(crate) u64);

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 32) as u8;
        }
    }
}

pub(crate) struct Device {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    config: Config,
    starts: u64,
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
pub(crate) const START: Timestamp = Timestamp::from_millis(1_763_600_000_000);

impl Device {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A device whose engine has other settings.
    pub(crate) fn with(set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new("tm_pk_test").unwrap();
        set(&mut config);
        Self {
            engine: Engine::new(config.clone(), Seeded(SEED), START).unwrap(),
            now: START,
            config,
            starts: 1,
        }
    }

    /// A device that remembers on this disk.
    pub(crate) fn on(disk: &Disk, set: impl FnOnce(&mut Config)) -> Self {
        let mut device = Self::with(set);
        device.start_on(disk);
        device
    }

    /// The process is gone, whatever it did; another one starts on this disk.
    pub(crate) fn start_on(&mut self, disk: &Disk) {
        self.starts += 1;
        let entropy = Seeded(SEED.wrapping_mul(self.starts));
        self.engine = Engine::open(self.config.clone(), entropy, disk.clone(), self.now).unwrap();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now.plus_micros(time.as_micros() as i64);
    }

    pub(crate) fn track(&mut self, name: &str) {
        self.engine.track(name, &Properties::new(), self.now).unwrap();
    }

    pub(crate) fn track_many(&mut self, count: usize) {
        (0..count).for_each(|n| self.track(&format!("event-{n}")));
    }

    pub(crate) fn poll(&mut self) -> Step {
        self.engine.poll(self.now)
    }

    /// The request that must be due now.
    pub(crate) fn request(&mut self) -> Request {
        match self.poll() {
            Step::Send(request) => request,
            other => panic!("expected a request, got {other:?}"),
        }
    }

    /// How long the engine wants to wait.
    pub(crate) fn waits(&mut self) -> Duration {
        match self.poll() {
            Step::WakeAt(at) => Duration::from_micros((at.micros() - self.now.micros()) as u64),
            other => panic!("expected a wait, got {other:?}"),
        }
    }

    pub(crate) fn end(&mut self, request: &Request, outcome: &Outcome) {
        self.engine.done(request.id, outcome, self.now);
    }

    /// Sends what is due and ends it so.
    pub(crate) fn exchange(&mut self, outcome: &Outcome) -> Request {
        let request = self.request();
        self.end(&request, outcome);
        request
    }

    /// Sends what is due, which is then accepted as a whole.
    pub(crate) fn deliver(&mut self) -> Request {
        let request = self.request();
        self.end(&request, &accepted(&request));
        request
    }

    pub(crate) fn stats(&self) -> Stats {
        let stats = self.engine.stats();
        assert_conserved(&stats);
        stats
    }

    pub(crate) fn dropped(&self, reason: &str) -> u64 {
        self.stats().dropped.get(reason).copied().unwrap_or_default()
    }
}

/// The law: nothing is lost in silence.
pub(crate) fn assert_conserved(stats: &Stats) {
    assert_eq!(
        stats.captured,
        stats.delivered + stats.dropped_total() + stats.queued,
        "{stats:?}"
    );
}

pub(crate) fn status(status: u16) -> Outcome {
    answer(status, "")
}

pub(crate) fn answer(status: u16, body: &str) -> Outcome {
    Outcome::Answered(Answer {
        status,
        body: body.to_owned(),
        ..Answer::default()
    })
}

pub(crate) fn retry_after(code: u16, text: &str) -> Outcome {
    Outcome::Answered(Answer {
        status: code,
        retry_after: Some(text.to_owned()),
        ..Answer::default()
    })
}

pub(crate) fn receipt(accepted: usize, results: &str, next_send_after_ms: u64) -> Outcome {
    answer(
        202,
        &format!(r#"{{"accepted":{accepted},"results":[{results}],"next_send_after_ms":{next_send_after_ms}}}"#),
    )
}

pub(crate) fn accepted(request: &Request) -> Outcome {
    receipt(events(request).len(), "", 0)
}

/// The exact JSON of each event in a request.
pub(crate) fn events(request: &Request) -> Vec<String> {
    let batch: trailmark_protocol::RawBatch<'_> = serde_json::from_str(&request.body).unwrap();
    batch.batch.iter().map(|event| event.get().to_owned()).collect()
}

pub(crate) fn parsed(request: &Request) -> Vec<serde_json::Value> {
    events(request)
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect()
}

pub(crate) fn names(request: &Request) -> Vec<String> {
    parsed(request)
        .iter()
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let mut found = request.headers.iter().filter(|(known, _)| *known == name);
    let (_, value) = found.next().unwrap_or_else(|| panic!("no header {name}"));
    assert!(found.next().is_none(), "{name} twice");
    value
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
