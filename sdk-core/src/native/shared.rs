//! What the app's threads and the driver share: the engine behind a lock, and who waits for what.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::edge::Clock;
use crate::engine::{Engine, Step};
use crate::flush::{FlushId, FlushReport};
use crate::notice::Notice;
use crate::request::Outcome;
use trailmark_protocol::{Timestamp, Uuid};

/// Takes a flush's report to whoever waits for it.
type Reply = Box<dyn FnOnce(FlushReport) + Send>;

/// Is told what somebody should know. It runs outside of every lock, on the thread that met it.
pub(super) type OnError = Box<dyn Fn(&Notice) + Send + Sync>;

/// The engine and its waiters.
pub(super) struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// Wakes the driver.
    wake: Notify,
    on_error: Option<OnError>,
}

struct State {
    engine: Engine,
    flushes: Vec<(FlushId, Reply)>,
    /// Who waits for fewer than so many queued events.
    ready: Vec<(usize, oneshot::Sender<()>)>,
    /// The driver has ended; nothing will be sent any more.
    stopped: bool,
}

impl Shared {
    pub(super) fn new(engine: Engine, clock: Clock, on_error: Option<OnError>) -> Self {
        Self {
            state: Mutex::new(State {
                engine,
                flushes: Vec::new(),
                ready: Vec::new(),
                stopped: false,
            }),
            clock,
            wake: Notify::new(),
            on_error,
        }
    }

    /// A panic while the lock was held cannot leave half an event behind that matters: carry on, never take the app down.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the engine.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(&self.lock().engine)
    }

    /// Whether it may still capture and send.
    pub(super) fn is_running(&self) -> bool {
        let state = self.lock();
        !state.stopped && !state.engine.is_closed()
    }

    /// Changes the engine, and wakes the driver if it has to know.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state.engine, (self.clock)());
        let wake = state.engine.wants_poll();
        let notices = self.notices(&mut state);
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        self.tell(&notices);
        result
    }

    /// Finds whose wait is over and what there is to tell, unlocks, and tells them: a waker may run anything.
    fn unlock(&self, mut state: MutexGuard<'_, State>) {
        let reports = state.finished_flushes();
        let ready = state.those_ready();
        let notices = self.notices(&mut state);
        drop(state);
        for (reply, report) in reports {
            reply(report);
        }
        for waiter in ready {
            // Who no longer waits need not know.
            let _ = waiter.send(());
        }
        self.tell(&notices);
    }

    /// What there is to tell to whoever wants to be told.
    fn notices(&self, state: &mut State) -> Vec<Notice> {
        let wanted = self.on_error.is_some();
        if wanted {
            state.engine.take_notices()
        } else {
            Vec::new()
        }
    }

    /// Tells it. A callback that panics, or that causes what it would be told of again, ends there.
    fn tell(&self, notices: &[Notice]) {
        thread_local!(static TELLING: Cell<bool> = const { Cell::new(false) });
        if let Some(on_error) = self.on_error.as_ref().filter(|_| !notices.is_empty())
            && !TELLING.replace(true)
        {
            for notice in notices {
                let _ = catch_unwind(AssertUnwindSafe(|| on_error(notice)));
            }
            TELLING.set(false);
        }
    }

    /// Starts a flush; `reply` is called once, perhaps at once.
    pub(super) fn flush(&self, reply: Reply) -> FlushId {
        let mut state = self.lock();
        let id = state.engine.flush();
        state.flushes.push((id, reply));
        self.unlock(state);
        self.wake.notify_one();
        id
    }

    /// Ends a flush before its time; `None` if its reply was already called.
    pub(super) fn end_flush(&self, id: FlushId) -> Option<FlushReport> {
        let mut state = self.lock();
        state.flushes.retain(|(waiting, _)| *waiting != id);
        state.engine.end_flush(id)
    }

    /// Resolves when fewer than `max_queued` events are queued, which the engine is asked to hurry to; `None` if that is
    /// so already.
    pub(super) fn ready(&self, max_queued: usize) -> Option<oneshot::Receiver<()>> {
        let mut state = self.lock();
        // Fewer than none is never: take it as "nothing queued".
        let max_queued = max_queued.max(1);
        if state.stopped || state.engine.queued() < max_queued {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        state.engine.hurry();
        state.ready.push((max_queued, sender));
        drop(state);
        self.wake.notify_one();
        Some(receiver)
    }

    /// The driver's next step, and the time at which it was asked.
    pub(super) fn step(&self) -> (Step, Timestamp) {
        let mut state = self.lock();
        // Only now: an event captured in between would be of a time to come, as after a clock that was put back.
        let now = (self.clock)();
        let step = state.engine.poll(now);
        self.unlock(state);
        (step, now)
    }

    /// Takes in how an attempt ended.
    pub(super) fn done(&self, request_id: Uuid, outcome: &Outcome) {
        let mut state = self.lock();
        state.engine.done(request_id, outcome, (self.clock)());
        self.unlock(state);
    }

    /// Resolves when something has changed since the last step.
    pub(super) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Lets the driver look again.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The driver has met something that somebody should know.
    pub(super) fn notice(&self, notice: Notice) {
        self.change(|engine, _| engine.notice(notice));
    }

    /// The driver has ended: nothing more is captured, and nobody waits any longer.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.engine.release_storage();
        self.unlock(state);
    }
}

impl State {
    fn finished_flushes(&mut self) -> Vec<(Reply, FlushReport)> {
        let mut finished = Vec::new();
        for (id, reply) in std::mem::take(&mut self.flushes) {
            let report = if self.stopped {
                self.engine.end_flush(id)
            } else {
                self.engine.take_flush(id)
            };
            match report {
                Some(report) => finished.push((reply, report)),
                None => self.flushes.push((id, reply)),
            }
        }
        finished
    }

    fn those_ready(&mut self) -> Vec<oneshot::Sender<()>> {
        let queued = self.engine.queued();
        let stopped = self.stopped;
        let ready = self
            .ready
            .extract_if(.., |(max_queued, _)| stopped || queued < *max_queued);
        ready.map(|(_, sender)| sender).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::sync::{Arc, OnceLock, Weak};

    use super::*;
    use crate::{Config, Properties};

    #[derive(Debug)]
    struct Zeros;

    impl crate::Entropy for Zeros {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    #[test]
    fn an_event_captured_while_the_driver_looks_at_the_clock_waits_for_company() {
        let capturing: Arc<OnceLock<Weak<Shared>>> = Arc::default();
        let whoever_captures = Arc::clone(&capturing);
        let time = AtomicI64::new(1_763_600_000_000_000);
        let clock = move || {
            let now = Timestamp::from_micros(time.fetch_add(1, Ordering::Relaxed));
            if let Some(shared) = whoever_captures.get().and_then(Weak::upgrade)
                // Another thread would have to wait now.
                && let Ok(state) = shared.state.try_lock()
                && state.engine.queued() == 0
            {
                drop(state);
                let _ = shared.change(|engine, now| engine.track("a", &Properties::new(), now));
            }
            now
        };
        let config = Config::new("tm_pk_test").unwrap();
        let engine = Engine::new(config, Zeros, Timestamp::from_millis(1_763_600_000_000)).unwrap();
        let shared = Arc::new(Shared::new(engine, Arc::new(clock), None));
        assert!(capturing.set(Arc::downgrade(&shared)).is_ok());

        let (step, _) = shared.step();
        assert!(!matches!(step, Step::Send(_)), "sent alone, at once");
        let _ = shared.change(|engine, now| engine.track("b", &Properties::new(), now));
        assert!(matches!(shared.step().0, Step::WakeAt(_)));
    }
}
