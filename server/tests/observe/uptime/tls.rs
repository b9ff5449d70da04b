//! Certificates: believed, expired, about to end.

use serde_json::json;
use trailmark_protocol::Timestamp;
use trailmark_server::clock::ManualClock;
use trailmark_server::observe::Kind;
use trailmark_server::observe::outbound::Outbound;
use trailmark_server::observe::uptime::check::check;
use trailmark_server::observe::uptime::state::State;
use trailmark_server::observe::uptime::{Runner, detect};

use super::site::Site;
use super::watch::{Watch, guard, outbound};

fn day(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap()
}

fn page(site: &Site, host: &str) -> serde_json::Value {
    json!({"http": {"url": format!("https://{host}:{}/", site.address.port())}})
}

#[tokio::test]
async fn a_certificate_that_is_believed_is_well_and_its_end_is_known() {
    let (watch, site) = (Watch::new().await, Site::with_certificate("valid.pem").await);
    let outcome = watch.ask(page(&site, "localhost")).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.certificate_not_after, Some(day("2099-12-31")));
}

#[tokio::test]
async fn an_expired_certificate_fails_and_says_so() {
    let (watch, site) = (Watch::new().await, Site::with_certificate("expired.pem").await);
    let outcome = watch.ask(page(&site, "localhost")).await;
    let failure = outcome.failure.unwrap();
    assert_eq!(
        (failure.kind, failure.text.as_str()),
        ("tls", "the certificate expired on 2026-03-01")
    );
    assert_eq!(outcome.certificate_not_after, Some(day("2026-03-01")));
}

#[tokio::test]
async fn a_certificate_of_another_name_or_a_stranger_fails() {
    let (watch, site) = (Watch::new().await, Site::with_certificate("valid.pem").await);
    let (kind, text) = watch.failure(page(&site, "site.example")).await;
    assert_eq!(
        (kind, text.as_str()),
        ("tls", "the certificate is not for site.example")
    );
    let (kind, text) = watch.failure(page(&site, "127.0.0.1")).await;
    assert_eq!((kind, text.as_str()), ("tls", "the certificate is not for 127.0.0.1"));
    let target = serde_json::from_value(page(&site, "localhost")).unwrap();
    let second = std::time::Duration::from_secs(1);
    let outcome = check(&Outbound::new(guard()), &watch.store, &target, second)
        .await
        .unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.kind, "tls");
    assert!(
        failure.text.contains("no authority that this server believes"),
        "{}",
        failure.text
    );
}

#[tokio::test]
async fn a_site_without_tls_where_it_is_expected_fails() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    site.does(|_| super::site::answer(400, "", ""));
    let (kind, text) = watch.failure(page(&site, "localhost")).await;
    assert!(kind == "tls" || kind == "timeout", "{kind}: {text}");
}

#[tokio::test]
async fn a_certificate_that_ends_in_three_days_is_a_problem_until_it_is_renewed() {
    let (watch, site) = (Watch::new().await, Site::with_certificate("valid.pem").await);
    let id = watch.add(1, page(&site, "localhost")).await;
    // The monitor's clock, not TLS's own, is three days before the end.
    let clock = ManualClock::at(day("2099-12-28"));
    let runner = Runner::new(watch.store.clone(), outbound(), clock);
    runner.run_due().await.unwrap();
    runner.settled().await;
    assert_eq!(watch.monitor(id).await.state, State::Up);
    let found = detect::found(&watch.store, 1, day("2099-12-28")).await.unwrap();
    let [problem] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (problem.kind, &problem.subject),
        (Kind::CertificateExpiring, &id.to_string())
    );
    assert!(
        problem.what.ends_with("ends in 3 days, on 2099-12-31"),
        "{}",
        problem.what
    );
    assert_eq!(detect::found(&watch.store, 1, day("2099-12-01")).await.unwrap(), []);
    assert_eq!(detect::found(&watch.store, 2, day("2099-12-28")).await.unwrap(), []);
}
