//! What a row costs the backend, by way of storing it: run with `--ignored --nocapture`, best in release.
//!
//! CPU is that of the backend process (`/proc/<pid>/stat`), which is what the research compares; wall clock is noisy.

use std::time::Instant;

use sqlx::PgConnection;
use sqlx::postgres::PgPool;
use trailmark_protocol::Uuid;
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::store::Store;

use crate::history::{NOW, at, event, id_at, payload_of};
use crate::support;

const ROWS: usize = 200_000;
const BATCH: usize = 5_000;
const PROPERTIES: &str = r#"{"path":"/products/4711/reviews","status":200,"bytes":18231,"referrer":"https://www.example.org/search?q=trail+mark","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"}"#;
const CONTEXT: &str = r#"{"app":{"name":"shop","version":"1.2.3"},"os":{"name":"Linux"},"locale":"de-DE"}"#;

/// Clock ticks of a process, user and system: 10 ms each.
fn ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// `duplicates`: every how many events one of the batch before comes again.
fn batches(duplicates: usize, installs: bool) -> Vec<Vec<bytes::Bytes>> {
    let devices: Vec<String> = (0..2_000)
        .map(|n| format!("0193-device-{n:08}-of-a-usual-length"))
        .collect();
    let names: Vec<String> = (0..40).map(|n| format!("event_{n}")).collect();
    let make = |n: usize| {
        let device = n.wrapping_mul(7919) % (devices.len() * 4);
        let again = duplicates > 0 && n > BATCH && n.is_multiple_of(duplicates);
        let happened = at(NOW).plus_micros(if again { n - BATCH } else { n } as i64 * 1000);
        let mut shown = event(0);
        shown.id = id_at(happened, 0);
        let (name, device) = (
            names[n % names.len()].as_str(),
            devices[device % devices.len()].as_str(),
        );
        let (properties, context) = (Some(PROPERTIES), Some(CONTEXT));
        AcceptedEvent {
            name,
            anonymous_id: Some(device),
            timestamp: happened,
            client_timestamp: happened,
            properties,
            context,
            ..shown
        }
    };
    let batch = |from: usize| {
        (from..from + BATCH)
            .step_by(50)
            .map(|n| {
                let install = devices[n / 50 % devices.len()].as_str();
                batch_of(installs.then_some(install), (n..n + 50).map(make))
            })
            .collect()
    };
    (0..ROWS).step_by(BATCH).map(batch).collect()
}

/// A batch, perhaps of an install.
fn batch_of<'a>(install: Option<&str>, events: impl Iterator<Item = AcceptedEvent<'a>>) -> bytes::Bytes {
    let head = BatchHead {
        project_id: 1,
        received_at: at(NOW),
        install_id: install,
    };
    let mut writer = BatchWriter::new(&head, 0);
    events.for_each(|event| writer.push(&event));
    writer.finish()
}

async fn pid(pool: &PgPool) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(pool)
        .await
        .unwrap()
}

fn report(what: &str, started: Instant, cpu_ticks: u64) {
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_ticks as f64 * 10_000.0 / ROWS as f64;
    println!(
        "{what:34} {:9.0} rows/s   {cpu:5.2} us of backend CPU per row",
        ROWS as f64 / seconds
    );
}

async fn fresh() -> Store {
    let store = Store::connect(support::empty_database().await, 1);
    store.migrate().await.unwrap();
    store.make_weeks_ahead(at(NOW)).await.unwrap();
    sqlx::raw_sql("CHECKPOINT").execute(store.pool()).await.unwrap();
    store
}

async fn write_path(what: &str, duplicates: usize) -> Store {
    written(what, batches(duplicates, true)).await
}

async fn written(what: &str, batches: Vec<Vec<bytes::Bytes>>) -> Store {
    let store = fresh().await;
    let pid = pid(store.pool()).await;
    let (started, before) = (Instant::now(), ticks(pid));
    for (seq, payloads) in batches.iter().enumerate() {
        store.write(Uuid::nil(), seq as u64 + 1, payloads).await.unwrap();
    }
    report(what, started, ticks(pid) - before);
    store
}

/// The rows of the table `from`, as binary COPY gives them, by batches, with header and trailer.
async fn dump(from: &Store) -> Vec<Vec<u8>> {
    let mut connection = from.pool().acquire().await.unwrap();
    let mut dumped = Vec::new();
    for batch in 0..ROWS / BATCH {
        let (low, high) = (bound(batch), bound(batch + 1));
        let copy =
            format!("COPY (SELECT * FROM events WHERE id >= '{low}' AND id < '{high}') TO STDOUT (FORMAT binary)");
        dumped.push(copy_out(&mut connection, &copy).await);
    }
    dumped
}

fn bound(batch: usize) -> Uuid {
    id_at(at(NOW).plus_micros((batch * BATCH) as i64 * 1000), 0)
}

async fn copy_out(connection: &mut PgConnection, copy: &str) -> Vec<u8> {
    let mut stream = connection.copy_out_raw(copy).await.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
        all.extend_from_slice(&piece.unwrap());
    }
    all
}

async fn raw_copy(what: &str, table: &str, dumped: &[Vec<u8>], prepare: &'static str) {
    let store = fresh().await;
    sqlx::raw_sql(prepare).execute(store.pool()).await.unwrap();
    let pid = pid(store.pool()).await;
    let mut connection = store.pool().acquire().await.unwrap();
    let (started, before) = (Instant::now(), ticks(pid));
    for batch in dumped {
        let mut copy = connection
            .copy_in_raw(&format!("COPY {table} FROM STDIN (FORMAT binary)"))
            .await
            .unwrap();
        copy.send(batch.as_slice()).await.unwrap();
        copy.finish().await.unwrap();
    }
    report(what, started, ticks(pid) - before);
}

/// COPY into a bare staging table, then `INSERT … SELECT … ON CONFLICT DO NOTHING`: what UNNEST costs, or a little less.
async fn staged(dumped: &[Vec<u8>]) {
    let store = fresh().await;
    let stage = "CREATE TEMP TABLE stage (LIKE events) ON COMMIT DELETE ROWS";
    sqlx::raw_sql(stage).execute(store.pool()).await.unwrap();
    let pid = pid(store.pool()).await;
    let mut connection = store.pool().acquire().await.unwrap();
    let (started, before) = (Instant::now(), ticks(pid));
    for batch in dumped {
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
        let mut copy = connection
            .copy_in_raw("COPY stage FROM STDIN (FORMAT binary)")
            .await
            .unwrap();
        copy.send(batch.as_slice()).await.unwrap();
        copy.finish().await.unwrap();
        let insert = "INSERT INTO events SELECT * FROM stage ON CONFLICT DO NOTHING";
        sqlx::raw_sql(insert).execute(&mut *connection).await.unwrap();
        sqlx::raw_sql("COMMIT").execute(&mut *connection).await.unwrap();
    }
    report("staging, INSERT ON CONFLICT", started, ticks(pid) - before);
}

/// `INSERT … SELECT FROM UNNEST … ON CONFLICT DO NOTHING`, arrays in the binary format, taken from the stored rows.
async fn unnest(from: &Store) {
    type Row = (
        i32,
        i32,
        i64,
        time::OffsetDateTime,
        i64,
        Uuid,
        String,
        String,
        String,
        String,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT project_id, event_name_id, identity_id, timestamp, seq, id, install_id, session_id, properties::text,
                context::text FROM events ORDER BY id",
    )
    .fetch_all(from.pool())
    .await
    .unwrap();
    let store = fresh().await;
    let pid = pid(store.pool()).await;
    let (started, before) = (Instant::now(), ticks(pid));
    for part in rows.chunks(BATCH) {
        sqlx::query(
            "INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, seq,
                                 id, install_id, session_id, properties, context)
             SELECT p, n, i, t, t, t, s, id, install, session, props::jsonb, ctx::jsonb
             FROM unnest($1::int[], $2::int[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::uuid[], $7::text[],
                         $8::text[], $9::text[], $10::text[])
                  AS u (p, n, i, t, s, id, install, session, props, ctx)
             ON CONFLICT DO NOTHING",
        )
        .bind(part.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.1).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.2).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.3).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.4).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.5).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.6.as_str()).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.7.as_str()).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.8.as_str()).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.9.as_str()).collect::<Vec<_>>())
        .execute(store.pool())
        .await
        .unwrap();
    }
    report("UNNEST, INSERT ON CONFLICT", started, ticks(pid) - before);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn what_a_row_costs() {
    for round in 1..=2 {
        println!("round {round}");
        let stored = write_path("our write path", 0).await;
        let dumped = dump(&stored).await;
        let bare = "CREATE TABLE bare (LIKE events)";
        raw_copy("raw COPY, bare heap", "bare", &dumped, bare).await;
        raw_copy("raw COPY, our partitioned table", "events", &dumped, "SELECT 1").await;
        staged(&dumped).await;
        unnest(&stored).await;
        write_path("our write path, 1 in 1000 twice", 1_000).await;
        write_path("our write path, 1 in 100 twice", 100).await;
        write_path("our write path, 1 in 2 twice", 2).await;
    }
}

/// What it costs at most to count by install: without installs there is nothing to count, and rows are 36 bytes shorter.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn what_counting_by_install_costs() {
    for round in 1..=4 {
        println!("round {round}");
        written("100 installs a write", batches(0, true)).await;
        written("no install", batches(0, false)).await;
    }
}

/// How long erasing a large person takes, and for how long it keeps writers out.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn what_an_erasure_costs() {
    const EVENTS: i64 = 500_000;
    const DEVICES: i64 = 50_000;
    let store = fresh().await;
    let ann = crate::history::identify(1, "phone", "ann");
    store.write(Uuid::nil(), 1, &[payload_of(1, &[ann])]).await.unwrap();
    for (statement, rows) in [
        (
            "INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, id, install_id, properties)
             SELECT 1, event_name_id, identity_id, timestamp + n * interval '1 ms', received_at, client_timestamp,
                    (left(id::text, 24) || lpad(to_hex(n + 65536), 12, '0'))::uuid, 'i', properties
             FROM events CROSS JOIN generate_series(1, $1) AS n WHERE seq = 1",
            EVENTS,
        ),
        (
            "INSERT INTO identities (project_id, kind, person_id, first_seen_at, external_id)
             SELECT 1, 0, person_id, first_seen_at, 'device-' || n FROM identities CROSS JOIN generate_series(1, $1) AS n
             WHERE external_id = 'ann'",
            DEVICES,
        ),
        (
            "INSERT INTO links (project_id, event_id, anonymous_identity_id, user_identity_id, at)
             SELECT 1, gen_random_uuid(), d.id, u.id, now() FROM identities d, identities u
             WHERE d.kind = 0 AND d.external_id <> 'phone' AND u.external_id = 'ann' AND $1 > 0",
            1,
        ),
    ] {
        sqlx::query(statement).bind(rows).execute(store.pool()).await.unwrap();
    }
    sqlx::raw_sql("ANALYZE").execute(store.pool()).await.unwrap();
    let started = Instant::now();
    let erasure = store.begin_erasure(1, "ann", at(NOW)).await.unwrap().unwrap();
    println!("{DEVICES} ids: writers wait for {:?}", started.elapsed());
    let done = store.finish_erasure(1, erasure).await.unwrap();
    assert_eq!((done.events, done.identities), (EVENTS + 1, DEVICES + 2));
    println!("{EVENTS} events: {:?} in all", started.elapsed());
}

/// What sealing costs: events of 20 names by 20,000 identities in one week, with two columns.
#[tokio::test]
#[ignore = "a measurement"]
async fn what_sealing_costs() {
    const EVENTS: i64 = 1_500_000;
    let store = fresh().await;
    let names: Vec<String> = (0..20).map(|n| format!("event_{n}")).collect();
    let first = |n: usize| AcceptedEvent {
        name: names[n].as_str(),
        properties: Some(PROPERTIES),
        context: Some(CONTEXT),
        ..event(n as u16)
    };
    let payload = batch_of(None, (0..20).map(first));
    store.write(Uuid::nil(), 1, &[payload]).await.unwrap();
    let more = "INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, seq, id,
                                    properties, context)
                SELECT 1, e.event_name_id, e.identity_id + (n * 7919) % 20000, at, at, at, n,
                       (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n), 19, '0'))::uuid,
                       e.properties, e.context
                FROM generate_series(1, $1) AS n
                CROSS JOIN LATERAL (SELECT timestamptz '2026-11-16T00:00:00Z' + n * interval '300 ms' AS at) AS happened
                JOIN events e ON e.seq = n % 20 AND e.install_id IS NULL AND e.session_id = 's'";
    sqlx::query(more).bind(EVENTS).execute(store.pool()).await.unwrap();
    sqlx::raw_sql("VACUUM ANALYZE events")
        .execute(store.pool())
        .await
        .unwrap();
    for columns in [&[][..], &["status", "$context.os.name"]] {
        for column in columns {
            store.promote(1, column, "use", at(NOW), 64).await.unwrap();
        }
        let forget = "TRUNCATE segments, segment_frontiers, late_events";
        sqlx::raw_sql(forget).execute(store.pool()).await.unwrap();
        let pid = pid(store.pool()).await;
        let (started, before) = (Instant::now(), ticks(pid));
        let sealed = store.seal(1, at("2026-11-23T00:00:00Z")).await.unwrap();
        let (wall, backend) = (started.elapsed().as_secs_f64(), ticks(pid) - before);
        let bytes: i64 = sqlx::query_scalar("SELECT sum(length(bytes))::bigint FROM segments")
            .fetch_one(store.pool())
            .await
            .unwrap();
        println!(
            "sealing {} columns: {:.0} events/s, {:.2} us of backend CPU and {:.2} bytes an event",
            columns.len(),
            sealed as f64 / wall,
            backend as f64 * 10_000.0 / sealed as f64,
            bytes as f64 / sealed as f64
        );
        let started = Instant::now();
        let verified = store.verify_segments(1).await.unwrap();
        assert_eq!((verified.wrong.len(), verified.events), (0, sealed));
        println!(
            "verifying: {:.0} events/s",
            sealed as f64 / started.elapsed().as_secs_f64()
        );
    }
}

/// What a write asks first, as it was and with the frontier: run with `--ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn what_asking_for_the_frontier_costs() {
    let store = fresh().await;
    store.close_segments(1, at(NOW)).await.unwrap();
    sqlx::raw_sql("INSERT INTO segment_frontiers SELECT n, now(), now() FROM generate_series(2, 200) AS n; ANALYZE")
        .execute(store.pool())
        .await
        .unwrap();
    let before = "SELECT project_id, COALESCE(newest, 0) FROM unnest($1::integer[]) AS p (project_id)
        CROSS JOIN LATERAL (SELECT max(id) AS newest FROM erasures e WHERE e.project_id = p.project_id) AS e";
    let after = "SELECT project_id, COALESCE(newest, 0), closed_before FROM unnest($1::integer[]) AS p (project_id)
        CROSS JOIN LATERAL (SELECT max(id) AS newest FROM erasures e WHERE e.project_id = p.project_id) AS e
        LEFT JOIN segment_frontiers USING (project_id)";
    for _ in 0..3 {
        for (what, statement) in [("before", before), ("after", after)] {
            let started = Instant::now();
            for _ in 0..2_000 {
                sqlx::query(statement).bind([1, 2]).execute(store.pool()).await.unwrap();
            }
            println!(
                "{what}: {:.1} us a statement",
                started.elapsed().as_secs_f64() * 1e6 / 2_000.0
            );
        }
    }
}
