//! Clients that stop: what a connection is doing, and from when on its client is late.
//!
//! Deadlines cost a connection one timer, which nothing re-arms: events only note when they happened. The timer never
//! sleeps longer than the shortest deadline, so whatever begins during a sleep falls due after it, and is seen in time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::served::InFlight;
use crate::config::Http;

/// The shortest sleep between two looks: 10 ms, whatever is configured.
const SHORTEST_SLEEP: Duration = Duration::from_millis(10);

/// How long a client may leave its connection without progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the connection, or the first byte of a request's headers, to the last of them.
    pub header: Duration,
    /// Between an answer's end and the next request.
    pub idle: Duration,
    /// Between two times that it takes some of what it is sent.
    pub write: Duration,
}

/// What a client is late with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// The headers of a request.
    Header,
    /// The next request.
    Idle,
    /// Reading what it asked for.
    Write,
}

impl Patience {
    /// The configured patience.
    #[must_use]
    pub fn of(config: &Http) -> Self {
        Self {
            header: Duration::from_millis(config.header_timeout_ms),
            idle: Duration::from_millis(config.idle_timeout_ms),
            write: Duration::from_millis(config.write_timeout_ms),
        }
    }

    fn shortest(&self) -> Duration {
        self.header.min(self.idle).min(self.write).max(SHORTEST_SLEEP)
    }
}

/// What a connection is doing. Times are since the connection began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Doing {
    /// Whether a request has ever come.
    has_asked: bool,
    /// Requests whose answers are not finished.
    requests: u32,
    /// When the last answer was finished.
    quiet_since: Duration,
    /// When the first byte of headers came that are not complete.
    head_since: Option<Duration>,
    /// When the client stopped taking bytes.
    blocked_since: Option<Duration>,
    /// When an answer of several frames last found room for one, while another waits for room.
    held_since: Option<Duration>,
}

impl Doing {
    /// When the client is late, and with what; `None` while it is the server's turn.
    fn due(&self, patience: &Patience) -> Option<(Duration, Late)> {
        let writing = [self.blocked_since, self.held_since].into_iter().flatten().min();
        let writing = writing.map(|since| (since + patience.write, Late::Write));
        writing
            .into_iter()
            .chain(self.asking(patience))
            .min_by_key(|(due, _)| *due)
    }

    fn asking(&self, patience: &Patience) -> Option<(Duration, Late)> {
        match self.head_since {
            _ if self.requests > 0 => None,
            _ if !self.has_asked => Some((patience.header, Late::Header)),
            Some(since) => Some((since + patience.header, Late::Header)),
            None => Some((self.quiet_since + patience.idle, Late::Idle)),
        }
    }
}

/// Notes what a connection is doing. HTTP/2 streams are tasks of their own, so it is shared.
#[derive(Debug)]
pub struct Watch {
    began: Instant,
    has_asked: AtomicBool,
    is_h2: AtomicBool,
    is_endless: AtomicBool,
    is_deaf: AtomicBool,
    requests: AtomicU32,
    held: AtomicU32,
    quiet_since: AtomicU64,
    head_since: Since,
    blocked_since: Since,
    held_since: AtomicU64,
}

impl Watch {
    /// A connection that begins now.
    #[must_use]
    pub fn begin() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            has_asked: AtomicBool::new(false),
            is_h2: AtomicBool::new(false),
            is_endless: AtomicBool::new(false),
            is_deaf: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            held: AtomicU32::new(0),
            quiet_since: AtomicU64::new(0),
            head_since: Since::default(),
            blocked_since: Since::default(),
            held_since: AtomicU64::new(0),
        })
    }

    /// A request has come.
    #[must_use]
    pub fn request(self: &Arc<Self>, is_h2: bool) -> InFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.has_asked.store(true, Ordering::Relaxed);
        self.is_h2.store(is_h2, Ordering::Relaxed);
        self.head_since.clear();
        InFlight::new(Arc::clone(self))
    }

    /// Bytes have come. Outside a request those of HTTP/1 are headers; those of HTTP/2 may be anything.
    pub fn received(&self) {
        if self.requests.load(Ordering::Relaxed) == 0 && !self.is_h2.load(Ordering::Relaxed) {
            self.head_since.set(|| self.now());
        }
    }

    /// The client has taken bytes, or not.
    pub fn sent(&self, progress: bool) {
        if progress {
            self.blocked_since.clear();
        } else {
            self.blocked_since.set(|| self.now());
        }
    }

    /// An answer was begun that ends only when the server does.
    pub fn endless(&self) {
        self.is_endless.store(true, Ordering::Relaxed);
    }

    /// Whether such an answer was begun.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.is_endless.load(Ordering::Relaxed)
    }

    /// Whether the client was given up because it takes nothing of what it is sent.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.is_deaf.load(Ordering::Relaxed)
    }

    /// Resolves when the client is late.
    pub async fn late(&self, patience: &Patience) -> Late {
        let shortest = patience.shortest();
        let mut timer = pin!(sleep(shortest));
        loop {
            timer.as_mut().await;
            let (now, due) = (self.began.elapsed(), self.doing().due(patience));
            let wake = match due {
                Some((due, late)) if due <= now => {
                    self.is_deaf.store(late == Late::Write, Ordering::Relaxed);
                    return late;
                }
                Some((due, _)) => due.min(now + shortest),
                None => now + shortest,
            };
            timer
                .as_mut()
                .reset(self.began + wake.max(now + Duration::from_millis(1)));
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn doing(&self) -> Doing {
        let held_since = Duration::from_millis(self.held_since.load(Ordering::Relaxed));
        Doing {
            has_asked: self.has_asked.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            quiet_since: Duration::from_millis(self.quiet_since.load(Ordering::Relaxed)),
            head_since: self.head_since.get(),
            blocked_since: self.blocked_since.get(),
            held_since: (self.held.load(Ordering::Relaxed) > 0).then_some(held_since),
        }
    }

    /// An answer is finished.
    pub(super) fn finished(&self) {
        self.quiet_since.store(self.now(), Ordering::Relaxed);
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether it carries HTTP/2.
    pub(super) fn is_h2(&self) -> bool {
        self.is_h2.load(Ordering::Relaxed)
    }

    /// A frame of an answer waits for room.
    pub(super) fn hold(&self) {
        if self.held.fetch_add(1, Ordering::Relaxed) == 0 {
            self.held_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// It waits no more.
    pub(super) fn release(&self) {
        self.held_since.store(self.now(), Ordering::Relaxed);
        self.held.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Since when something lasts, in milliseconds plus one; 0 when it does not.
#[derive(Debug, Default)]
struct Since(AtomicU64);

impl Since {
    fn set(&self, now: impl FnOnce() -> u64) {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(now().saturating_add(1), Ordering::Relaxed);
        }
    }

    /// A look before the store: nearly always there is nothing to clear, and the line stays clean.
    fn clear(&self) {
        if self.0.load(Ordering::Relaxed) != 0 {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    fn get(&self) -> Option<Duration> {
        let since = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(since))
    }
}

#[cfg(test)]
mod tests;
