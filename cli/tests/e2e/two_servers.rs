//! Two servers, each with its journal, on one database: a retry that lands on the other server doubles nothing.

use std::thread;

use crate::support::events::{batch, good};
use crate::support::load::Load;
use crate::support::outside_postgres::OutsidePostgres;
use crate::support::{Project, Setup};

#[test]
fn the_same_events_sent_to_two_servers_are_stored_once() {
    let postgres = OutsidePostgres::start();
    let [one, other] = [0, 1].map(|_| Setup::default().database(&postgres.url()).start());
    let project = Project::create(&one);
    let batches = (0..50)
        .map(|_| batch(&(0..20).map(|_| good()).collect::<Vec<_>>()))
        .collect::<Vec<_>>();
    thread::scope(|scope| {
        for server in [&one, &other] {
            let (project, batches) = (&project, &batches);
            scope.spawn(move || {
                for batch in batches {
                    assert_eq!(server.send(&project.batch(batch.as_str())).status, 202);
                }
            });
        }
    });
    one.until_drained();
    other.until_drained();
    let mut rows = project.rows();
    assert_eq!((rows.count(), rows.dead_letters()), (1_000, 0));
    one.assert_sound();
    other.assert_sound();
}

#[test]
fn one_of_two_servers_may_die_under_load() {
    let postgres = OutsidePostgres::start();
    let [one, other] = [0, 1].map(|_| Setup::default().database(&postgres.url()).start());
    let project = Project::create(&one);
    let load = Load::start(&project, &[one.address(), other.address()]);
    load.until_accepted(1_000);
    other.kill();
    load.until_accepted(1_000);
    other.start();
    let ledger = load.finish();
    one.until_drained();
    other.until_drained();
    ledger.assert_matches(&project.rows().ids());
    one.assert_sound();
    other.assert_sound();
}
