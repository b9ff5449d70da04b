//! The native client on a real directory.

use std::path::Path;
use std::time::Duration;

use super::peer::Peer;
use trailmark_core::{BuildError, Client, ClientBuilder, Durability, Properties, StorageHealth};

/// Longer than anything here takes; only a hang reaches it.
const LONG: Duration = Duration::from_secs(20);

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn builder(url: &str, dir: &Path) -> ClientBuilder {
    Client::builder(url, "tm_pk_test")
        .directory(dir)
        .backoff(Duration::from_millis(10), Duration::from_millis(20))
}

fn track(client: &Client, name: &str) {
    client.track(name, Properties::new());
}

#[test]
fn what_a_client_could_not_deliver_the_next_one_in_the_directory_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made/if/missing");
    let offline = builder(NOWHERE, &path).build().unwrap();
    track(&offline, "one");
    offline.identify("u_7", Properties::new());
    let (anonymous_id, install_id) = (offline.anonymous_id(), offline.install_id());
    drop(offline);

    let peer = Peer::start([]);
    let online = builder(&peer.url(), &path).build().unwrap();
    assert_eq!(
        (online.user_id().as_deref(), online.anonymous_id()),
        (Some("u_7"), anonymous_id)
    );
    assert_eq!(online.install_id(), install_id);
    assert_eq!(
        (online.stats().queued, online.stats().storage),
        (2, StorageHealth::Saved)
    );
    let report = online.shutdown(LONG);
    assert_eq!((report.delivered, report.pending), (2, 0));
    assert_eq!(peer.next().events()[0]["event"], "one");
}

#[test]
fn a_directory_has_one_client_at_a_time_and_is_free_after_a_shutdown() {
    let dir = tempfile::tempdir().unwrap();
    let first = builder(NOWHERE, dir.path()).build().unwrap();
    let refused = builder(NOWHERE, dir.path()).build().unwrap_err();
    assert_eq!(refused, BuildError::DirectoryInUse(dir.path().to_owned()));
    let _ = first.shutdown(Duration::ZERO);
    track(&first, "too late");
    assert_eq!(first.stats().dropped["shut_down"], 1);
    let second = builder(NOWHERE, dir.path()).build().unwrap();
    drop((first, second));
    builder(NOWHERE, dir.path()).build().unwrap();
}

#[test]
fn who_may_join_gets_the_client_that_is_there_unless_it_is_anothers_or_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let join = |url| builder(url, dir.path()).join(true).build();
    let first = join(NOWHERE).unwrap();
    track(&first, "one");
    let second = builder("http://127.0.0.1:9/", &dir.path().join("."))
        .join(true)
        .build()
        .unwrap();
    assert_eq!(second.stats().captured, 1);
    drop(first);
    track(&second, "two");
    assert_eq!(second.queued(), 2, "the client lives on with whoever joined it");

    let in_use = BuildError::DirectoryInUse(dir.path().to_owned());
    assert_eq!(join("http://127.0.0.1:10").unwrap_err(), in_use);
    assert_eq!(builder(NOWHERE, dir.path()).build().unwrap_err(), in_use);

    let _ = second.shutdown(Duration::ZERO);
    let third = join(NOWHERE).unwrap();
    track(&third, "three");
    assert_eq!((third.queued(), second.stats().dropped.len()), (3, 0));
}

#[test]
fn a_directory_that_cannot_be_made_costs_the_memory_of_restarts_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    std::fs::write(&file, "not a directory").unwrap();
    let peer = Peer::start([]);
    let client = builder(&peer.url(), &file).build().unwrap();
    track(&client, "one");
    let StorageHealth::Failing(why) = client.stats().storage else {
        panic!("{:?}", client.stats().storage);
    };
    assert!(why.contains("exists") || why.contains("directory"), "{why}");
    assert_eq!(client.shutdown(LONG).delivered, 1);
}

#[test]
fn files_are_for_their_owner_alone_and_are_gone_once_all_is_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Peer::start([]);
    let client = builder(&peer.url(), dir.path())
        .durability(Durability::EveryEvent)
        .build()
        .unwrap();
    for n in 0..300 {
        client.track("e", Properties::new().with("n", n).with("filling", "x".repeat(5_000)));
    }
    let client_files = || {
        std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    #[cfg(unix)]
    for file in client_files() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{}",
            file.display()
        );
    }
    assert_eq!(client.shutdown(LONG).pending, 0);
    assert_eq!(client_files().count(), 2, "the lock, and the segment with the state");
}
