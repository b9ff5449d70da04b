//! What it costs: run with `--ignored --nocapture`.

use std::time::Instant;

use serde_json::json;
use trailmark_server::observe::latency::cover::cover;
use trailmark_server::observe::latency::detect::{baselines, found};
use trailmark_server::store::{Store, endpoints, endpoints_read};

use super::{get, minutes, noon, request};
use crate::support;

/// A million requests of 200 endpoints in 30 days, as sums: 200 × 30 days, × 720 hours, × 3 × 1,440 minutes as far as
/// each has a request, 33,333 a day.
async fn fill(store: &Store) {
    let names = "INSERT INTO endpoints (project_id, source, host, method, path)
                 SELECT 1, 'server', '', 'GET', '/endpoint-' || n FROM generate_series(1, 200) n";
    let sums = "
        INSERT INTO endpoint_counts (project_id, endpoint_id, span, at, requests, errors, client_errors, sum_us, max_us, durations)
        SELECT 1, e.id, $1, at, $4, 0, 0, $4 * 20000, 900000, $5
        FROM endpoints e CROSS JOIN generate_series($2::timestamptz, $3::timestamptz, $6 * interval '1 second') AS at
        WHERE random() < $7";
    sqlx::raw_sql(names).execute(store.pool()).await.unwrap();
    for (span, days, requests, seconds, share, buckets) in [
        (0i16, 3, 1i64, 60.0, 0.12, 1),
        (1, 30, 7, 3_600.0, 1.0, 6),
        (2, 30, 167, 86_400.0, 1.0, 30),
    ] {
        let mut durations = vec![1u8, 60];
        durations.extend((0..buckets).flat_map(|_| [(requests / buckets).max(1) as u8, 0]));
        durations.pop();
        let start = minutes(-days * 1_440 - 720);
        sqlx::query(sums)
            .bind(span)
            .bind(trailmark_server::store::PgTime(start))
            .bind(trailmark_server::store::PgTime(noon()))
            .bind(requests)
            .bind(durations)
            .bind(seconds)
            .bind(share)
            .execute(store.pool())
            .await
            .unwrap();
    }
    sqlx::raw_sql("VACUUM ANALYZE endpoint_counts, endpoints")
        .execute(store.pool())
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "a measurement"]
async fn what_reads_and_detectors_cost() {
    let store = support::store().await;
    fill(&store).await;
    let report = |what: &str, started: Instant| println!("{what:34} {:6.1} ms", started.elapsed().as_secs_f64() * 1e3);
    for round in 0..3 {
        println!("round {round}");
        let mut connection = store.pool().acquire().await.unwrap();
        for (what, days) in [("list of a day", 1), ("list of a week", 7), ("list of 30 days", 30)] {
            let started = Instant::now();
            let cover = cover(minutes(-days * 1_440 - 217), minutes(-7), noon());
            let totals = endpoints_read::totals(&mut connection, 1, &cover.pieces, 1, None)
                .await
                .unwrap();
            report(what, started);
            assert_eq!(totals.len(), 200);
        }
        let id = sqlx::query_scalar("SELECT min(id) FROM endpoints")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        for (what, span, step) in [("series of a day", 0, 300), ("series of a month", 1, 3_600)] {
            let started = Instant::now();
            let span = trailmark_server::observe::latency::Span::of_number(span).unwrap();
            let days = if step == 300 { 1 } else { 30 };
            let piece = (span, minutes(-days * 1_440), noon());
            endpoints_read::over_time(&mut connection, 1, &[id], piece, step * 1_000_000)
                .await
                .unwrap();
            report(what, started);
        }
        drop(connection);
        let started = Instant::now();
        baselines(&store, noon()).await.unwrap();
        report("what is usual", started);
        let started = Instant::now();
        assert_eq!(found(&store, 1, noon()).await.unwrap(), []);
        report("detectors, nothing wrong", started);
    }
    let bad: Vec<_> = (0..2_000)
        .map(|n| request(-3, get(&format!("/endpoint-{}", n % 30 + 1), 500, 1.0)))
        .collect();
    let mut transaction = store.pool().begin().await.unwrap();
    endpoints::fold(&mut transaction, 1, &bad).await.unwrap();
    transaction.commit().await.unwrap();
    let started = Instant::now();
    assert_eq!(found(&store, 1, noon()).await.unwrap().len(), 20);
    report("detectors, 30 endpoints failing", started);
}

#[tokio::test]
#[ignore = "a measurement"]
async fn what_a_fold_costs() {
    let store = support::store().await;
    for (what, endpoints_of, minutes_of) in [
        ("20 endpoints, a minute", 20, 1),
        ("200 endpoints, a minute", 200, 1),
        ("200 endpoints, a day", 200, 1_440),
    ] {
        for round in 0..3 {
            let one = |n: i64| {
                let mut said = get(&format!("/api/e{}/{n}", n % endpoints_of), 200, (n % 97) as f64);
                said["extra"] = json!("x");
                request(-(n * 7_919 % minutes_of), said)
            };
            let events: Vec<_> = (0..2_000).map(one).collect();
            let started = Instant::now();
            let mut transaction = store.pool().begin().await.unwrap();
            endpoints::fold(&mut transaction, 1, &events).await.unwrap();
            transaction.commit().await.unwrap();
            println!(
                "2,000 requests, {what:24} {round}: {:6.1} ms",
                started.elapsed().as_secs_f64() * 1e3
            );
        }
    }
}
