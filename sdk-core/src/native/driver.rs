//! The driver: asks the engine what to do, does it, reports back. All decisions are the engine's.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use trailmark_protocol::Timestamp;

use super::BuildError;
use super::files::Unsynced;
use super::shared::Shared;
use super::transport::Transport;
use crate::engine::Step;
use crate::notice::Notice;

/// The longest sleep: 5 min. A device's own sleep does not count towards a timer, so after it the clock is asked again.
const MAX_SLEEP: Duration = Duration::from_secs(5 * 60);

/// The driver's thread. Dropping it tells the thread to end; it does so at once, giving up an attempt on its way.
#[derive(Debug)]
pub(super) struct Driver {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Driver {
    /// Starts the thread.
    pub(super) fn start(shared: Arc<Shared>, transport: Transport, syncing: Syncing) -> Result<Self, BuildError> {
        let thread_error = |error: std::io::Error| BuildError::Thread(error.to_string());
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(thread_error)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("trailmark".to_owned())
            .spawn(move || run(runtime, shared, &transport, &syncing, stopped))
            .map_err(thread_error)?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread and waits for it.
    pub(super) fn join(self) {
        drop(self.stop);
        // A panicking driver has already told everybody that it ended.
        let _ = self.thread.join();
    }
}

/// Tells everybody that the driver ended, however it did.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Which files are to be synced, and how long after the first byte that needs it.
#[derive(Debug)]
pub(super) struct Syncing {
    pub(super) unsynced: Arc<Unsynced>,
    pub(super) within: Duration,
}

fn run(
    runtime: Runtime,
    shared: Arc<Shared>,
    transport: &Transport,
    syncing: &Syncing,
    mut stopped: oneshot::Receiver<()>,
) {
    let ended = Ended(shared);
    let failed = |error: std::io::Error| ended.0.notice(Notice::StorageFailing(error.to_string()));
    runtime.block_on(async {
        tokio::select! {
            // Sent or dropped, both mean it.
            _ = &mut stopped => {}
            () = drive(&ended.0, transport) => {}
            () = syncing.unsynced.keep_synced(syncing.within, failed) => {}
        }
    });
    if let Err(error) = syncing.unsynced.sync() {
        failed(error);
    }
    // A name lookup cannot be given up; do not wait for it.
    runtime.shutdown_background();
}

async fn drive(shared: &Shared, transport: &Transport) {
    loop {
        match shared.step() {
            (Step::Send(request), _) => {
                let outcome = transport.send(&request).await;
                shared.done(request.id, &outcome);
            }
            (Step::WakeAt(at), now) => {
                tokio::select! {
                    () = tokio::time::sleep(between(now, at)) => {}
                    () = shared.changed() => {}
                }
            }
            (Step::Idle, _) => shared.changed().await,
        }
    }
}

fn between(now: Timestamp, at: Timestamp) -> Duration {
    let micros = at.micros().saturating_sub(now.micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(MAX_SLEEP)
}
