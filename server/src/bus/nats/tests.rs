//! The contract over a real broker, and what happens while it is away.
//!
//! The broker is `nats-server`: that of `NATS_SERVER`, of `scripts/setup.sh nats`, or on the path.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio::time::timeout;

use super::super::contract::{Ends, SURELY, connect, keeps_the_contract, message, next, subscribe};
use super::*;

/// A broker of its own for a test; it ends with it.
pub(crate) struct Broker {
    process: Child,
    directory: TempDir,
    port: u16,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let process = run(&directory, "-1");
        let port = port(&directory).await;
        Self {
            process,
            directory,
            port,
        }
    }

    pub(crate) fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.process = run(&self.directory, &self.port.to_string());
    }

    pub(crate) async fn bus(&self) -> Arc<NatsBus> {
        let url = Secret::new(format!("nats://127.0.0.1:{}", self.port));
        let bus = NatsBus::connect(&url).await.unwrap();
        until(|| bus.client.connection_state() == State::Connected).await;
        bus
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(directory: &TempDir, port: &str) -> Child {
    let mut command = Command::new(program());
    command.args(["--addr", "127.0.0.1", "--port", port, "--ports_file_dir"]);
    command
        .arg(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("nats-server: run scripts/setup.sh nats")
}

fn program() -> PathBuf {
    // …/target/debug/deps/test → …/target/nats/nats-server
    let of_setup = || {
        let test = std::env::current_exe().ok()?;
        let program = test.ancestors().nth(3)?.join("nats/nats-server");
        program.exists().then_some(program)
    };
    let named = std::env::var_os("NATS_SERVER").map(PathBuf::from);
    named.or_else(of_setup).unwrap_or_else(|| "nats-server".into())
}

/// The port that the broker has chosen, once it listens.
async fn port(directory: &TempDir) -> u16 {
    let read = || {
        let file = std::fs::read_dir(directory.path()).ok()?.next()?.ok()?;
        let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
        ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
    };
    until(|| read().is_some()).await;
    read().unwrap()
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SURELY, waiting).await.expect("in time");
}

async fn two_processes() -> Ends {
    let broker = Broker::start().await;
    Ends {
        here: broker.bus().await,
        there: broker.bus().await,
        broker: Some(Box::new(broker)),
    }
}

keeps_the_contract!(super::two_processes);

#[tokio::test]
async fn with_the_broker_away_messages_stay_in_the_process_and_it_connects_again() {
    let mut broker = Broker::start().await;
    let (here, there) = (broker.bus().await, broker.bus().await);
    let (bus, other): (Arc<dyn Bus>, Arc<dyn Bus>) = (here.clone(), there);
    let mut own = subscribe(&bus, "t");
    let mut others = subscribe(&other, "t");
    connect(&bus, "t", &mut others).await;
    broker.stop();
    until(|| here.client.connection_state() != State::Connected).await;
    assert_eq!(bus.publish(message("t", "alone")), Err(Unsent::BrokerAway));
    while next(&mut own).await != "alone" {}

    broker.start_again();
    connect(&bus, "t", &mut others).await;
    bus.publish(message("t", "together")).unwrap();
    assert_eq!(next(&mut others).await, "together");
    while next(&mut own).await != "together" {}
}

#[tokio::test]
async fn a_bus_starts_without_its_broker() {
    let url = Secret::new("nats://127.0.0.1:1");
    let bus: Arc<dyn Bus> = timeout(SURELY, NatsBus::connect(&url)).await.expect("at once").unwrap();
    let mut own = subscribe(&bus, "t");
    assert_eq!(bus.publish(message("t", "alone")), Err(Unsent::BrokerAway));
    assert_eq!(next(&mut own).await, "alone");
}

#[tokio::test]
async fn a_message_that_the_broker_does_not_take_is_refused_with_its_limit() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let refused = bus.publish(message("t", "x".repeat((1 << 20) + 1)));
    assert_eq!(refused, Err(Unsent::TooLarge { limit: 1 << 20 }));
}

#[test]
fn a_broker_that_is_away_is_tried_again_at_once_and_then_ever_more_seldom() {
    let pauses: Vec<_> = (1..=8).map(|attempt| pause(attempt).as_millis()).collect();
    assert_eq!(pauses, [0, 100, 200, 400, 800, 1600, 2000, 2000]);
    assert_eq!(pause(usize::MAX), LONGEST_PAUSE);
}
