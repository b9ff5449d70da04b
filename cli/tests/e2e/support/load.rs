//! Clients that send as fast as they are answered, and never lose count.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::events::{batch, event};
use super::http::{Connection, Request, Response};
use super::ledger::Ledger;
use super::project::Project;
use super::wait::until_true;

/// Clients at once.
const CLIENTS: usize = 6;

/// Events in a batch.
const BATCH: usize = 20;

/// The pause after a refusal: 5 ms.
const PAUSE: Duration = Duration::from_millis(5);

const RUN: u8 = 0;
const FINISH: u8 = 1;
const ABANDON: u8 = 2;

/// A running load.
#[derive(Debug)]
pub(crate) struct Load {
    /// What it did.
    pub(crate) ledger: Arc<Ledger>,
    order: Arc<AtomicU8>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts sending to a project, at these servers in turn.
    pub(crate) fn start(project: &Project<'_>, addresses: &[SocketAddr]) -> Self {
        let (ledger, order) = (Arc::new(Ledger::default()), Arc::new(AtomicU8::new(RUN)));
        let client = |number: usize| {
            let mut client = Client {
                number,
                address: addresses[number % addresses.len()],
                key: project.write.clone(),
                connection: None,
                ledger: Arc::clone(&ledger),
                order: Arc::clone(&order),
            };
            std::thread::spawn(move || client.run())
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { ledger, order, clients }
    }

    /// Waits until this many more events got a 202.
    pub(crate) fn until_accepted(&self, more: usize) {
        let goal = self.ledger.count() + more;
        until_true(&format!("{more} more accepted events"), || {
            assert!(!self.clients.iter().any(JoinHandle::is_finished), "a client gave up");
            self.ledger.count() >= goal
        });
    }

    /// Waits until a request was refused with this code.
    pub(crate) fn until_refused(&self, code: &str) {
        until_true(&format!("a refusal {code}"), || self.ledger.refusals(code) > 0);
    }

    /// Stops: each client goes on until its last batch is acknowledged.
    pub(crate) fn finish(mut self) -> Arc<Ledger> {
        self.order.store(FINISH, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().expect("every answer was one that a client may get");
        }
        Arc::clone(&self.ledger)
    }

    /// Stops at once, whatever is unacknowledged.
    pub(crate) fn abandon(mut self) -> Arc<Ledger> {
        self.order.store(ABANDON, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().expect("every answer was one that a client may get");
        }
        Arc::clone(&self.ledger)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.order.store(ABANDON, Ordering::Relaxed);
    }
}

struct Client {
    number: usize,
    address: SocketAddr,
    key: String,
    connection: Option<Connection>,
    ledger: Arc<Ledger>,
    order: Arc<AtomicU8>,
}

impl Client {
    fn run(&mut self) {
        for number in 0.. {
            if self.order() != RUN {
                return;
            }
            self.deliver(number);
        }
    }

    /// Sends one batch until it is acknowledged, always with the same ids. Every third is given up after a failure: its
    /// events may be stored or not.
    fn deliver(&mut self, number: usize) {
        let ids = std::array::from_fn::<_, BATCH, _>(|_| Uuid::now_v7());
        let request = Request::post("/v1/batch", self.body(number, &ids)).bearer(&self.key);
        self.ledger.sent(&ids);
        while !self.attempt(&request, &ids) {
            if self.order() == ABANDON || number.is_multiple_of(3) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn attempt(&mut self, request: &Request, ids: &[Uuid]) -> bool {
        let Some(response) = self.send(request) else {
            self.ledger.refused("broken");
            return false;
        };
        match response.status {
            202 => {
                assert_eq!(response.json()["accepted"], ids.len(), "{}", response.text());
                self.ledger.acknowledged(ids);
                true
            }
            503 => {
                assert!(response.header("retry-after").is_some(), "{}", response.text());
                self.ledger.refused(&response.code());
                false
            }
            _ => panic!("{} {}", response.status, response.text()),
        }
    }

    fn send(&mut self, request: &Request) -> Option<Response> {
        let mut connection = self.connection.take().or_else(|| Connection::open(self.address).ok())?;
        let response = connection.send(request).ok()?;
        if response.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Some(response)
    }

    /// Many devices, some identified, so that identities are written by all clients at once too.
    fn body(&self, number: usize, ids: &[Uuid]) -> String {
        let device = format!("device-{}", number % 17);
        let events = ids.iter().enumerate().map(|(at, &id)| match at {
            0 => json!({"id": id, "event": "$identify", "anonymous_id": device, "user_id": format!("user-{}", self.number),
                        "set": {"batch": number}}),
            _ => event(id, "load", &device),
        });
        batch(&events.map(|event| event.to_string()).collect::<Vec<_>>())
    }

    fn order(&self) -> u8 {
        self.order.load(Ordering::Relaxed)
    }
}
