//! When a monitor is down: since when, until when, why.

use serde_json::json;
use trailmark_server::clock::Clock;
use trailmark_server::observe::Kind;
use trailmark_server::observe::uptime::detect;
use trailmark_server::observe::uptime::state::{EndedBy, State};
use trailmark_server::store::MonitorSettings;

use super::site::{Does, Site};
use super::watch::{SECOND, Watch};

#[tokio::test]
async fn an_outage_is_an_incident_from_its_first_failed_check_to_the_first_that_is_well() {
    let (watch, mut site) = (Watch::new().await, Site::new().await);
    let id = watch.page(&site.url("/")).await;
    assert_eq!(watch.until(id, State::Up).await, 0, "a new monitor is checked at once");
    assert_eq!(detect::found(&watch.store, 1, watch.clock.now()).await.unwrap(), []);

    site.stop().await;
    let stopped = watch.clock.now();
    assert!(watch.until(id, State::Failing).await <= 60, "within the interval");
    let first = watch.monitor(id).await.since.0;
    assert!(first >= stopped);
    assert_eq!(watch.incidents().await, [], "it may be a hiccup");
    assert_eq!(watch.until(id, State::Down).await, 10, "ten seconds after the first");
    watch.until(id, State::Down).await;

    let found = detect::found(&watch.store, 1, watch.clock.now()).await.unwrap();
    assert_eq!(
        (found.len(), found[0].kind, found[0].since),
        (1, Kind::MonitorDown, first)
    );
    let what = format!("{} is down: the connection was refused", site.url("/"));
    assert_eq!(
        (found[0].what.as_str(), found[0].evidence.as_str()),
        (what.as_str(), &*format!("/api/v1/monitors/{id}"))
    );
    assert_eq!(detect::found(&watch.store, 2, watch.clock.now()).await.unwrap(), []);

    // Another failed check, which says something else.
    site.start().await;
    site.says(503);
    watch.clock.advance_micros(60 * SECOND);
    watch.run().await;
    let incident = watch.incidents().await.remove(0);
    assert_eq!(
        (incident.started_at.0, incident.ended_at, incident.failed_checks),
        (first, None, 3)
    );
    assert_eq!(
        (incident.cause_kind.as_str(), incident.cause.as_str()),
        ("connect", "the connection was refused")
    );
    let found = detect::found(&watch.store, 1, watch.clock.now()).await.unwrap();
    assert!(
        found[0].what.ends_with("is down: 503 instead of 200-299"),
        "what is so now: {}",
        found[0].what
    );

    site.says(200);
    assert!(watch.until(id, State::Up).await <= 60);
    let monitor = watch.monitor(id).await;
    let [incident] = watch.incidents().await.try_into().unwrap();
    assert_eq!(incident.ended_at, monitor.checked_at);
    assert_eq!(incident.ended_by.as_deref(), Some(EndedBy::Recovered.as_str()));
    assert_eq!(
        (monitor.since, monitor.failures, monitor.error),
        (incident.ended_at.unwrap(), 0, None)
    );
    assert_eq!(detect::found(&watch.store, 1, watch.clock.now()).await.unwrap(), []);
}

#[tokio::test]
async fn a_hiccup_is_no_incident() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let id = watch.page(&site.url("/")).await;
    watch.run().await;
    site.does(|_| Does::Resets);
    watch.until(id, State::Failing).await;
    site.says(200);
    assert_eq!(watch.until(id, State::Up).await, 10);
    assert_eq!(watch.incidents().await, []);
    let failures: i64 = sqlx::query_scalar("SELECT sum(failures) FROM monitor_checks")
        .fetch_one(watch.store.pool())
        .await
        .unwrap();
    assert_eq!(failures, 1, "it counts all the same");
}

#[tokio::test]
async fn who_pauses_or_changes_a_monitor_ends_its_incident() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    site.says(500);
    let id = watch.page(&site.url("/")).await;
    watch.until(id, State::Down).await;
    let change = async |pauses: bool| {
        let held = watch.store.hold_monitor(1, id).await.unwrap().unwrap();
        let now = watch.clock.now();
        let stands = match pauses {
            true => held.row.standing().paused(now),
            false => held.row.standing().changed(now),
        };
        let settings = MonitorSettings {
            name: held.row.name.clone(),
            target: json!({"http": {"url": site.url(if pauses { "/" } else { "/other" })}}),
            interval_s: 60,
            timeout_ms: 1_000,
        };
        held.change(settings, stands, now).await.unwrap();
    };
    watch.clock.advance_micros(SECOND);
    change(false).await;
    let monitor = watch.monitor(id).await;
    assert_eq!(
        (monitor.state, monitor.error, monitor.checked_at),
        (State::Unknown, None, None)
    );
    watch.until(id, State::Down).await;
    change(true).await;
    watch.clock.advance_micros(3_600 * SECOND);
    let before = site.requests().len();
    assert_eq!(watch.run().await, 0, "what is paused is not checked");
    assert_eq!(site.requests().len(), before);
    let ends: Vec<_> = watch
        .incidents()
        .await
        .into_iter()
        .map(|incident| incident.ended_by.unwrap())
        .collect();
    assert_eq!(ends, ["changed", "paused"]);
    change(false).await;
    assert_eq!(watch.run().await, 1, "what goes on is checked at once");
}
