//! Clients that ask again and again while something happens to the gateway or behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crate::support::wait::until_true;
use crate::support::{Connection, Request, Server};

/// Clients at once: twice the cores of the smallest machine.
pub(crate) const CLIENTS: usize = 4;

/// Clients that ask one path, each over one connection for as long as the gateway keeps it.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Starts them.
    pub(crate) fn start(server: &Server, path: &'static str) -> Self {
        let (stop, good) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let client = |_| {
            let (address, stop, good) = (server.address(), Arc::clone(&stop), Arc::clone(&good));
            thread::spawn(move || {
                let mut troubles = Vec::new();
                let mut connection = None;
                while !stop.load(Ordering::Relaxed) {
                    let mut open = connection.take().unwrap_or_else(|| Connection::open(address).unwrap());
                    match open.send(&Request::get(path)) {
                        Ok(answer) if answer.status == 200 => {
                            good.fetch_add(1, Ordering::Relaxed);
                            connection = (answer.header("connection") != Some("close")).then_some(open);
                        }
                        trouble => troubles.push(format!("{trouble:?}")),
                    }
                }
                troubles
            })
        };
        Self {
            clients: (0..CLIENTS).map(client).collect(),
            stop,
            good,
        }
    }

    /// Waits for so many more good answers.
    pub(crate) fn until_good(&self, more: u64) {
        let wanted = self.good.load(Ordering::Relaxed) + more;
        until_true("good answers", || self.good.load(Ordering::Relaxed) >= wanted);
    }

    /// Ends it; gives how many answers were good, and what went wrong.
    pub(crate) fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let troubles = self
            .clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        (self.good.load(Ordering::Relaxed), troubles)
    }
}

/// Nothing went wrong.
pub(crate) fn assert_all_good((good, troubles): (u64, Vec<String>)) {
    assert!(troubles.is_empty(), "{} besides {good}: {troubles:?}", troubles.len());
}
