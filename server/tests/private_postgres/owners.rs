//! Owners, guests and orphans of one folder.

use rustix::process::Signal;

use crate::support::*;

#[tokio::test]
async fn when_its_owner_is_killed_postgres_stops_in_order() {
    let place = Place::new();
    let mut helper = launch_helper(&place);
    ready(&mut helper);
    helper.kill();
    eventually("all processes end", || processes_of(&place.dir()).is_empty()).await;
    assert!(
        place.log().contains("received fast shutdown request"),
        "{}",
        place.log()
    );
    assert!(
        place.log().trim_end().ends_with("database system is shut down"),
        "{}",
        place.log()
    );
    assert!(!place.data().join("postmaster.pid").exists());
}

#[tokio::test]
async fn after_its_owner_was_killed_the_next_start_has_the_data_at_once() {
    let place = Place::new();
    let mut helper = launch_helper(&place);
    ready(&mut helper);
    helper.kill();
    let postgres = place.start().await; // while the old one is still stopping
    assert_eq!(words(&mut reconnect(&postgres).await).await, ["helper"]);
    postgres.stop().await.unwrap();
    place.assert_nothing_runs();
}

#[tokio::test]
async fn when_owner_and_postmaster_are_both_killed_the_next_start_recovers() {
    let place = Place::new();
    let mut helper = launch_helper(&place);
    signal(ready(&mut helper), Signal::KILL);
    helper.kill();
    let postgres = place.start().await;
    assert_eq!(words(&mut reconnect(&postgres).await).await, ["helper"]);
    assert!(
        place.log().contains("automatic recovery in progress"),
        "{}",
        place.log()
    );
}

#[tokio::test]
async fn a_guest_leaves_the_owners_postgres_running() {
    let place = Place::new();
    let owner = place.start().await;
    let guest = place.start().await;
    assert!(guest.adopted() && guest.pid() == owner.pid());
    remember(&mut connect(&guest).await, "guest").await;
    guest.stop().await.unwrap();
    assert_eq!(words(&mut connect(&owner).await).await, ["guest"]);
}

#[tokio::test]
async fn a_guest_starts_its_own_when_the_owner_stops() {
    let place = Place::new();
    let owner = place.start().await;
    let guest = place.start().await;
    remember(&mut connect(&owner).await, "owner").await;
    owner.stop().await.unwrap();
    eventually("the guest's own postmaster", || {
        guest.pid().is_some() && !guest.adopted()
    })
    .await;
    assert_eq!(words(&mut reconnect(&guest).await).await, ["owner"]);
    guest.stop().await.unwrap();
    place.assert_nothing_runs();
}

#[tokio::test]
async fn two_that_start_a_new_folder_at_once_share_one_postgres() {
    let place = Place::new();
    let (one, other) = tokio::join!(place.start(), place.start());
    assert_eq!(one.pid(), other.pid());
    assert_eq!([&one, &other].iter().filter(|p| p.adopted()).count(), 1);
}

#[tokio::test]
async fn an_orphan_is_adopted_and_from_then_on_owned() {
    let place = Place::new();
    let first = place.start().await;
    remember(&mut connect(&first).await, "before").await;
    first.stop().await.unwrap();

    let mut orphan = Stray(start_by_hand(&place));
    eventually("its pid file", || place.data().join("postmaster.pid").exists()).await;
    let postgres = place.start().await;
    assert!(postgres.adopted());
    assert_eq!(postgres.pid(), Some(orphan.0.id()));
    assert_eq!(words(&mut connect(&postgres).await).await, ["before"]);
    postgres.stop().await.unwrap();
    assert!(orphan.0.wait().unwrap().success(), "stopped in order");
    place.assert_nothing_runs();
}
