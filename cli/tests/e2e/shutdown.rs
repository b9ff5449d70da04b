//! SIGTERM: a balancer is told first, requests in flight are answered, nothing acknowledged is lost, and no process stays.

use rustix::process::Signal;

use crate::support::events::{batch, good};
use crate::support::load::Load;
use crate::support::outside_postgres::OutsidePostgres;
use crate::support::processes::until_gone;
use crate::support::wait::until_true;
use crate::support::{Connection, Project, Request, Setup, until};

#[test]
fn a_stop_under_load_loses_nothing_exits_with_0_and_leaves_no_postgres() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let load = Load::start(&project, &[server.address()]);
    load.until_accepted(1_000);
    let postmaster = server.postmaster().unwrap();
    let status = server.stop();
    assert!(status.success(), "{status}\n{}", server.log());
    until_gone(postmaster);
    let ledger = load.abandon();
    server.start();
    server.until_drained();
    ledger.assert_matches(&project.rows().ids());
    server.assert_sound();
}

/// The table is locked until the stop has begun, so only the stop itself can have written it.
#[test]
fn a_stop_writes_what_the_journal_holds_before_it_lets_postgres_go() {
    let postgres = OutsidePostgres::start();
    let server = Setup::default().database(&postgres.url()).start();
    let project = Project::create(&server);
    let mut lock = project.rows();
    lock.execute("BEGIN; LOCK TABLE ONLY events IN EXCLUSIVE MODE");
    let events = (0..500).map(|_| good()).collect::<Vec<_>>();
    assert_eq!(server.send(&project.batch(batch(&events))).status, 202);
    server.signal(Signal::TERM);
    until_true("a closed listener", || Connection::open(server.address()).is_err());
    lock.execute("ROLLBACK");
    assert!(server.wait().success());
    assert_eq!(project.rows().count(), 500);
}

#[test]
fn readyz_turns_first_while_events_are_still_taken_and_a_request_in_flight_is_answered() {
    let server = Setup::default().set("http.drain_wait_ms", 2_000).start();
    let project = Project::create(&server);
    let (head, body) = (
        b"POST /v1/batch HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer ",
        batch(&[good()]),
    );
    let head = [
        head,
        project.write.as_bytes(),
        format!("\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
    ]
    .concat();
    let mut in_flight = Connection::open(server.address()).unwrap();
    in_flight.write(&head).unwrap();
    server.signal(Signal::TERM);
    let readiness = until("a server that is not ready", || {
        let response = server.send(&Request::get("/readyz"));
        (response.status == 503).then(|| response.json())
    });
    assert_eq!(
        (&readiness["ready"], &readiness["stopping"]),
        (&false.into(), &true.into()),
        "{readiness}"
    );
    assert_eq!(
        server.send(&project.batch(batch(&[good()]))).status,
        202,
        "the listener is still open"
    );
    until_true("a closed listener", || Connection::open(server.address()).is_err());
    in_flight.write(body.as_bytes()).unwrap();
    assert_eq!(in_flight.read().unwrap().status, 202);
    assert!(server.wait().success());
    server.start();
    server.until_drained();
    assert_eq!(project.rows().count(), 2);
}

#[test]
fn a_second_signal_ends_it_at_once_and_what_was_accepted_is_stored_after_the_next_start() {
    let server = Setup::default().set("http.drain_wait_ms", 600_000).start();
    let project = Project::create(&server);
    assert_eq!(server.send(&project.batch(batch(&[good()]))).status, 202);
    let postmaster = server.postmaster().unwrap();
    server.signal(Signal::TERM);
    until_true("a stopping server", || {
        server.send(&Request::get("/readyz")).status == 503
    });
    server.signal(Signal::INT);
    assert!(!server.wait().success(), "an interrupted stop is no success");
    until_gone(postmaster);
    server.start();
    server.until_drained();
    assert_eq!(project.rows().count(), 1);
}

#[test]
fn an_idle_server_stops_on_ctrl_c_although_a_client_keeps_its_connection() {
    let server = Setup::default().start();
    let mut idle = Connection::open(server.address()).unwrap();
    assert_eq!(idle.send(&Request::get("/livez")).unwrap().status, 200);
    let postmaster = server.postmaster().unwrap();
    server.signal(Signal::INT);
    assert!(server.wait().success());
    until_gone(postmaster);
    assert!(idle.read_to_end().is_empty());
}

/// A server that answers is one that a signal stops: between the two there is no gap.
#[test]
fn a_signal_during_the_start_stops_it_cleanly_and_the_next_start_works() {
    for log in [
        "journal opened",
        "making a new Postgres",
        "started the private Postgres",
    ] {
        let server = Setup::default().launch();
        until_true(log, || server.log().contains(log));
        let status = server.stop();
        assert!(status.success(), "after \"{log}\": {status}");
        assert_eq!(server.postmaster(), None, "after \"{log}\"");
        server.start();
        assert!(server.stop().success());
        server.assert_no_panic();
    }
}
