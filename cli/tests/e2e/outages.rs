//! Postgres away for as long as it likes: 202s go on, and everything is stored once it is back.

use std::time::Instant;

use crate::support::events::{batch, good};
use crate::support::load::Load;
use crate::support::outside_postgres::OutsidePostgres;
use crate::support::processes::Frozen;
use crate::support::{PATIENCE, Project, Request, Server, Setup, until};

/// Events to accept while there is no database.
const DURING_OUTAGE: usize = 5_000;

/// Reads say that the database is away, an unknown key cannot be judged, and the server stays ready to accept.
fn assert_honest_about_the_outage(server: &Server, project: &Project<'_>) {
    for target in ["/api/analytics/stats", "/api/analytics/events", "/v1/persons/device-1"] {
        let asked = Instant::now();
        let response = project.read(target);
        assert_eq!(
            (response.status, response.code().as_str()),
            (503, "database_unavailable"),
            "{target}: {}",
            response.text()
        );
        assert!(response.header("retry-after").is_some(), "{target}");
        assert!(asked.elapsed() < PATIENCE / 3, "{target} took {:?}", asked.elapsed());
    }
    let stranger = Request::post("/v1/batch", batch(&[good()])).bearer("tm_pk_not_seen_before");
    let refused = server.send(&stranger);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "keyring_unavailable"),
        "{}",
        refused.text()
    );
    let readiness = until("word of the failing database", || {
        let response = server.send(&Request::get("/readyz"));
        assert_eq!(response.status, 200);
        (response.json()["database"] == "failing").then(|| response.json())
    });
    assert_eq!(readiness["ready"], true, "{readiness}");
}

fn assert_all_stored(server: &Server, project: &Project<'_>, load: Load) {
    let ledger = load.finish();
    server.until_drained();
    ledger.assert_matches(&project.rows().ids());
    assert_eq!(ledger.refusals("broken"), 0);
    until("word of the recovered database", || {
        (server.readiness()["database"] == "ok").then_some(())
    });
    assert_eq!(project.read("/api/analytics/stats").json()["events"], ledger.count());
    server.assert_sound();
}

#[test]
fn while_postgres_is_down_events_are_accepted_and_afterwards_stored_exactly_once() {
    let mut postgres = OutsidePostgres::start();
    let server = Setup::default().database(&postgres.url()).start();
    let project = Project::create(&server);
    let load = Load::start(&project, &[server.address()]);
    load.until_accepted(500);
    postgres.stop();
    load.until_accepted(DURING_OUTAGE / 2);
    assert_honest_about_the_outage(&server, &project);
    load.until_accepted(DURING_OUTAGE / 2);
    postgres.start_again();
    assert_all_stored(&server, &project, load);
}

/// Worse than down: connections stay open and nothing answers.
#[test]
fn while_postgres_hangs_events_are_accepted_and_afterwards_stored_exactly_once() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let load = Load::start(&project, &[server.address()]);
    load.until_accepted(500);
    let frozen = Frozen::with_children(server.postmaster().unwrap());
    load.until_accepted(DURING_OUTAGE);
    assert_honest_about_the_outage(&server, &project);
    drop(frozen);
    assert_all_stored(&server, &project, load);
}

#[test]
fn a_server_that_starts_without_its_database_knows_its_keys_and_stores_later() {
    let mut postgres = OutsidePostgres::start();
    let server = Setup::default().database(&postgres.url()).start();
    let project = Project::create(&server);
    let (before, during) = (good(), good());
    assert_eq!(server.send(&project.batch(batch(&[&before]))).status, 202);
    server.until_drained();
    assert!(server.stop().success());
    postgres.stop();
    server.start();
    let response = server.send(&project.batch(batch(&[&before, &during])));
    assert_eq!(
        (response.status, &response.json()["accepted"]),
        (202, &2.into()),
        "{}",
        response.text()
    );
    assert_honest_about_the_outage(&server, &project);
    server.kill();
    server.start();
    postgres.start_again();
    server.until_drained();
    assert_eq!(project.rows().count(), 2);
    server.assert_sound();
}
