//! `kill -9` of the server, of Postgres, and of both, at random moments under load: whatever got a 202 is in the table
//! exactly once, and nothing that was never sent.

use std::time::Duration;

use rustix::process::Signal;
use trailmark_core::{Client, Properties};
use uuid::Uuid;

use crate::support::load::Load;
use crate::support::processes::{signal, until_gone};
use crate::support::wait::until_true;
use crate::support::{Connection, PATIENCE, Project, Server, Setup, until};

/// Kills of one test.
const ROUNDS: usize = 4;

/// A random number below `bound`. The kill moments are told by the log of a failed test.
fn random(bound: usize) -> usize {
    usize::try_from(Uuid::new_v4().as_u128() % bound as u128).unwrap()
}

fn kill_postgres(server: &Server) {
    let postmaster = until("a running postmaster", || server.postmaster());
    signal(postmaster, Signal::KILL);
    until_gone(postmaster);
}

/// Runs a load through these crashes, and holds the table against its ledger.
fn survive(crash: impl Fn(&Server)) {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let load = Load::start(&project, &[server.address()]);
    for round in 0..ROUNDS {
        let accepted = 1 + random(1_500);
        eprintln!("round {round}: crash after {accepted} accepted events");
        load.until_accepted(accepted);
        crash(&server);
    }
    load.until_accepted(500);
    let ledger = load.finish();
    server.until_drained();
    let mut rows = project.rows();
    ledger.assert_matches(&rows.ids());
    assert_eq!(rows.dead_letters(), 0);
    assert!(ledger.refusals("broken") + ledger.refusals("journal_unavailable") < ledger.count());
    server.assert_sound();
}

#[test]
fn a_killed_server_loses_and_doubles_nothing() {
    survive(|server| {
        server.kill();
        server.start();
    });
}

/// The second kill comes while the first one's journal is still being read back or written.
#[test]
fn a_server_killed_while_it_starts_loses_and_doubles_nothing() {
    survive(|server| {
        server.kill();
        server.launch();
        for _ in 0..random(40) {
            let _ = Connection::open(server.address());
            std::thread::yield_now();
        }
        server.kill();
        server.start();
    });
}

#[test]
fn a_killed_postgres_loses_and_doubles_nothing_and_stops_no_202() {
    survive(kill_postgres);
}

#[test]
fn a_server_killed_together_with_its_postgres_loses_and_doubles_nothing() {
    survive(|server| {
        let postmaster = until("a running postmaster", || server.postmaster());
        server.signal(Signal::KILL);
        signal(postmaster, Signal::KILL);
        server.wait();
        until_gone(postmaster);
        server.start();
    });
}

/// Events that the client is given in a crash test.
const TRACKED: i64 = 4_000;

#[test]
fn the_client_delivers_everything_exactly_once_through_crashes() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let backoff = (Duration::from_millis(20), Duration::from_millis(200));
    let client = Client::builder(&server.url(), &project.write)
        .backoff(backoff.0, backoff.1)
        .build()
        .unwrap();
    let crash = |round: i64| {
        if round % 2 == 0 {
            return kill_postgres(&server);
        }
        server.kill();
        server.start();
    };
    for n in 0..TRACKED {
        client.track("tracked", Properties::new().with("n", n));
        if n % (TRACKED / 4) == TRACKED / 8 {
            until_true("some deliveries", || client.stats().delivered > n.unsigned_abs() / 2);
            crash(n * 4 / TRACKED);
        }
    }
    until_true("an empty queue", || client.queued() == 0);
    let report = client.shutdown(PATIENCE);
    assert_eq!((report.pending, report.dropped_total()), (0, 0), "{report:?}");
    server.until_drained();
    assert_eq!(project.rows().numbers(), (0..TRACKED).collect::<Vec<_>>());
    server.assert_sound();
}
