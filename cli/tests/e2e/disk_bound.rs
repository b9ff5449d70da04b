//! The journal at its disk bound: the server says so, clients keep their events, and nothing is lost or doubled.

use std::time::Duration;

use serde_json::json;
use trailmark_core::{Client, Properties};

use crate::support::events::{batch, good};
use crate::support::load::Load;
use crate::support::outside_postgres::OutsidePostgres;
use crate::support::wait::until_true;
use crate::support::{Project, Server, Setup, until};

/// Small enough to be filled in a second: 1 MiB of journal in files of 256 KiB.
fn small_journal(postgres: &OutsidePostgres) -> Server {
    let setup = Setup::default()
        .set("journal.max_bytes", 1024 * 1024)
        .set("journal.segment_bytes", 256 * 1024);
    setup.database(&postgres.url()).start()
}

#[test]
fn at_the_disk_bound_batches_get_503_and_are_taken_once_there_is_room() {
    let mut postgres = OutsidePostgres::start();
    let server = small_journal(&postgres);
    let project = Project::create(&server);
    let load = Load::start(&project, &[server.address()]);
    load.until_accepted(500);
    postgres.stop();
    load.until_refused("journal_full");
    let refused = until("a refusal", || {
        let response = server.send(&project.batch(batch(&[good()])));
        (response.status != 202).then_some(response)
    });
    assert_eq!((refused.status, refused.code().as_str()), (503, "journal_full"));
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    assert!(server.readiness()["journal"]["backlog_bytes"].as_u64().unwrap() <= 1024 * 1024);
    postgres.start_again();
    load.until_accepted(2_000);
    let ledger = load.finish();
    server.until_drained();
    ledger.assert_matches(&all_but_probes(&project));
    server.assert_sound();
}

/// The ids of what the load sent. Where every probe was refused, its name is unknown, and nothing is a probe.
fn all_but_probes(project: &Project<'_>) -> Vec<uuid::Uuid> {
    let mut rows = project.rows();
    let good = "SELECT id FROM event_names n WHERE n.project_id = $1 AND name = 'good'";
    let probe = rows.texts(&format!("COALESCE(event_name_id = ({good}), false)"));
    rows.ids()
        .into_iter()
        .zip(probe)
        .filter(|(_, probe)| probe != "true")
        .map(|(id, _)| id)
        .collect()
}

/// What the client is given: about 1 KiB each, so four times as much as the journal holds.
const TRACKED: i64 = 4_000;

#[test]
fn the_client_keeps_its_events_while_the_journal_is_full_and_delivers_them_later() {
    let mut postgres = OutsidePostgres::start();
    let server = small_journal(&postgres);
    let project = Project::create(&server);
    assert_eq!(
        server
            .send(&project.batch(batch(&[
                json!({"event": "n", "user_id": "u_7", "properties": {"n": -1}}).to_string()
            ])))
            .status,
        202
    );
    postgres.stop();
    let client = Client::builder(&server.url(), &project.write)
        .backoff(Duration::from_millis(20), Duration::from_millis(200))
        .build()
        .unwrap();
    for n in 0..TRACKED {
        client.track(
            "tracked",
            Properties::new().with("n", n).with("filling", "x".repeat(1_000)),
        );
    }
    until_true("word of the full journal", || client.stats().last_error.is_some());
    let full = client.stats();
    assert!(full.queued > 0 && full.dropped_total() == 0, "{full:?}");
    postgres.start_again();
    until("a flush that leaves nothing", || {
        let report = client.flush_blocking(Duration::from_secs(1));
        assert_eq!(report.dropped_total(), 0, "{report:?}");
        (client.queued() == 0).then_some(())
    });
    server.until_drained();
    assert_eq!(project.rows().numbers(), (-1..TRACKED).collect::<Vec<_>>());
    let stats = client.stats();
    assert_eq!(
        (stats.captured, stats.delivered),
        (TRACKED as u64, TRACKED as u64),
        "{stats:?}"
    );
    server.assert_sound();
}
