//! The events of a stretch of time as a file that is read back.

use std::collections::BTreeMap;

use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use trailmark_server::event::AcceptedEvent;
use trailmark_server::query::events_export::Format;
use trailmark_server::query::turns::Turns;
use trailmark_server::query::{EventsExport, TimeRange};

use crate::http::Front;
use crate::world::{BEGINNING, World, anonymous, at, event, id_at, identify, user};

const ALL: TimeRange = TimeRange { from: None, to: None };

async fn begun(world: &World, format: Format, range: TimeRange, names: &[&str]) -> EventsExport {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    EventsExport::begin(world.reader(), format, range, &names)
        .await
        .unwrap()
}

async fn rest(mut export: EventsExport) -> Vec<Bytes> {
    let (turns, mut parts) = (Turns::default(), Vec::new());
    while let Some(bytes) = export.next(&turns).await.unwrap() {
        parts.push(bytes);
    }
    parts
}

async fn file(world: &World, range: TimeRange, names: &[&str]) -> SerializedFileReader<Bytes> {
    let parts = rest(begun(world, Format::Parquet, range, names).await).await;
    SerializedFileReader::new(Bytes::from(parts.concat())).unwrap()
}

fn rows(file: &SerializedFileReader<Bytes>) -> Vec<BTreeMap<String, Field>> {
    let columns = |row: Row| row.into_columns().into_iter().collect();
    let rows = file.get_row_iter(None).unwrap();
    rows.map(|row| columns(row.unwrap())).collect()
}

fn texts(rows: &[BTreeMap<String, Field>], column: &str) -> Vec<String> {
    let text = |row: &BTreeMap<String, Field>| match &row[column] {
        Field::Str(text) => text.clone(),
        other => other.to_string(),
    };
    rows.iter().map(text).collect()
}

async fn lines(world: &World, range: TimeRange, names: &[&str]) -> Vec<Value> {
    let parts = rest(begun(world, Format::NdJson, range, names).await).await.concat();
    let text = String::from_utf8(parts).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_column_comes_back_whatever_is_in_it_and_where_it_is_missing() {
    let world = World::new().await;
    let odd = r#"{"": null, "a": [1e-7, 12345678901234567890.5, true], "b": {"c": "\"\\ \n \u2028 🎉"}}"#;
    let whole = AcceptedEvent {
        properties: Some(odd),
        context: Some("{}"),
        client_timestamp: at(-5_000),
        ..event(1, "Grüße 🎉", Some("phone"), Some("ann"))
    };
    let bare = AcceptedEvent {
        seq: None,
        session_id: None,
        ..anonymous(2, "bare", "tablet")
    };
    world.send(&[whole, bare]).await;
    let file = file(&world, ALL, &[]).await;
    let rows = rows(&file);

    let expected = serde_json::from_str::<Value>(odd).unwrap();
    let [properties, context] = ["properties", "context"].map(|column| texts(&rows, column));
    assert_eq!(serde_json::from_str::<Value>(&properties[0]).unwrap(), expected);
    assert_eq!((context[0].as_str(), &rows[1]["context"]), ("{}", &Field::Null));
    assert_eq!(texts(&rows, "event"), ["Grüße 🎉", "bare"]);
    assert_eq!(texts(&rows, "id"), [id_at(1).to_string(), id_at(2).to_string()]);
    assert_eq!(texts(&rows, "anonymous_id"), ["phone", "tablet"]);
    assert_eq!(rows[0]["user_id"], Field::Str("ann".to_owned()));
    assert_eq!(texts(&rows, "install_id"), ["install-1", "install-1"]);
    for missing in ["user_id", "session_id", "seq", "properties", "context"] {
        assert_eq!(rows[1][missing], Field::Null, "{missing}");
    }
    assert_eq!(rows[0]["seq"], Field::Long(1));
    let micros = |ms: i64| Field::TimestampMicros((BEGINNING + ms) * 1_000);
    let times = ["timestamp", "received_at", "client_timestamp"].map(|column| rows[0][column].clone());
    assert_eq!(times, [micros(1), micros(1_000_000), micros(-5_000)]);
    assert_eq!(
        lines(&world, ALL, &[]).await[0]["person_id"].to_string(),
        rows[0]["person_id"].to_string()
    );
}

#[tokio::test]
async fn the_columns_say_what_they_are_and_are_compressed() {
    let world = World::new().await;
    world.send(&[user(1, "open", "ann")]).await;
    let file = file(&world, ALL, &[]).await;
    let group = file.metadata().row_group(0);
    let schema = file.metadata().file_metadata().schema_descr();
    let micros = LogicalType::timestamp(true, TimeUnit::MICROS);
    for (column, kind) in schema.columns().iter().zip(group.columns()) {
        let logical = column.logical_type_ref();
        match column.name() {
            "timestamp" | "received_at" | "client_timestamp" => assert_eq!(logical, Some(&micros)),
            "person_id" | "seq" => assert_eq!(logical, None),
            // Not JSON: ClickHouse would parse it, and refuse a file with `{"a.b": 1, "a": {"b": 2}}`.
            name => assert_eq!(logical, Some(&LogicalType::String), "{name}"),
        }
        assert!(matches!(kind.compression(), Compression::ZSTD(_)), "{}", column.name());
    }
}

#[tokio::test]
async fn nothing_is_a_valid_file_too() {
    let world = World::new().await;
    assert_eq!(file(&world, ALL, &[]).await.metadata().file_metadata().num_rows(), 0);
    world.send(&[user(1, "open", "ann")]).await;
    let later = TimeRange {
        from: Some(at(2)),
        to: Some(at(2)),
    };
    for (range, names) in [(later, &[][..]), (ALL, &["never"][..])] {
        let file = file(&world, range, names).await;
        assert_eq!(file.metadata().file_metadata().num_rows(), 0);
        assert_eq!(file.metadata().file_metadata().schema_descr().num_columns(), 13);
        assert!(lines(&world, range, names).await.is_empty());
    }
}

#[tokio::test]
async fn a_range_takes_its_first_moment_and_leaves_its_last_and_names_choose() {
    let world = World::new().await;
    let day = 86_400_000;
    // Over four weeks, so in several partitions, and late: by time the first, but captured in the last week.
    let late = AcceptedEvent {
        timestamp: at(-30 * day),
        ..user(1, "late", "ann")
    };
    let mut events = vec![identify(0, "phone", "ann"), late];
    events.extend((1..=4).map(|week| user(-7 * day * week, if week % 2 == 0 { "even" } else { "odd" }, "ann")));
    world.send(&events).await;
    let names = async |from: Option<i64>, to: Option<i64>, names: &[&str]| {
        let range = TimeRange {
            from: from.map(at),
            to: to.map(at),
        };
        let found = texts(&rows(&file(&world, range, names).await), "event");
        let by_line = lines(&world, range, names).await;
        let by_line: Vec<_> = by_line
            .iter()
            .map(|line| line["event"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, by_line);
        found
    };
    assert_eq!(
        names(None, None, &[]).await,
        ["even", "odd", "even", "odd", "late", "$identify"]
    );
    assert_eq!(names(Some(-7 * day), Some(0), &[]).await, ["odd"]);
    assert_eq!(names(None, Some(-29 * day), &[]).await, ["late"]);
    assert_eq!(
        names(None, None, &["late", "even", "never"]).await,
        ["even", "even", "late"]
    );
}

#[tokio::test]
async fn over_http_it_is_a_file_of_its_kind_and_what_is_asked_wrongly_is_refused_by_name() {
    let world = World::new().await;
    world
        .send(&[user(1, "open", "ann"), user(2, "buy", "ann"), user(3, "pay", "ann")])
        .await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    for (query, kind, rows) in [
        ("", "application/vnd.apache.parquet", 3),
        (
            "?format=parquet&event=buy&event=pay&from=2026-11-20T12:00:00Z",
            "application/vnd.apache.parquet",
            2,
        ),
        (
            "?format=ndjson&event=open&to=2026-11-20T12:00:00.002Z",
            "application/x-ndjson",
            1,
        ),
    ] {
        let answer = front.open(&format!("/api/v1/export{query}"), &secret).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &kind.parse().unwrap())
        );
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let found = match kind {
            "application/x-ndjson" => body.split(|byte| *byte == b'\n').count() - 1,
            _ => self::rows(&SerializedFileReader::new(body).unwrap()).len(),
        };
        assert_eq!(found, rows, "{query}");
    }
    let many = "&event=e".repeat(201);
    for (query, name) in [
        ("format=csv", "format"),
        ("format=parquet&format=parquet", "format"),
        ("event=", "event"),
        ("event=%00", "event"),
        (many.as_str(), "event"),
        ("from=now", "from"),
        ("from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z", "to"),
        ("limit=1", "limit"),
        ("event%2B=e", "event+"),
    ] {
        let (status, problem) = front.get(&format!("/api/v1/export?{query}"), &secret).await;
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (400, &"invalid_parameter".into()),
            "{query}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("`{name}` ")), "{query}: {detail}");
    }
}

/// More than a page and more than a row group, thousands of one moment, and some that arrive while it is under way.
#[tokio::test]
async fn what_is_there_at_the_beginning_is_in_it_once_over_pages_and_row_groups() {
    let world = World::new().await;
    world.send(&[user(0, "first", "ann"), user(1, "second", "ann")]).await;
    // Twelve days, 6,000 of them at one moment; ids have a part of their own.
    let many = format!(
        "INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, seq, id, properties)
         SELECT e.project_id, e.event_name_id, e.identity_id, at, at, at, n,
                (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
                 || '8' || lpad(to_hex(n), 15, '0'))::uuid,
                jsonb_build_object('text', repeat(md5(n::text), 8))
         FROM events e, generate_series(1, 60000) n,
              LATERAL (SELECT e.timestamp - interval '1 second' * CASE WHEN n <= 6000 THEN 500000 ELSE n * 17 END) AS t (at)
         WHERE e.project_id = {} AND e.seq = 0",
        world.project
    );
    sqlx::query(AssertSqlSafe(many))
        .execute(world.store.pool())
        .await
        .unwrap();
    let mut export = begun(&world, Format::Parquet, ALL, &[]).await;
    let turns = Turns::default();
    let first = export.next(&turns).await.unwrap().unwrap();
    world
        .send(&[user(2, "third", "ann"), user(3, "meanwhile new", "bob")])
        .await;
    let parts = [vec![first], rest(export).await].concat();
    assert!(parts.len() >= 2, "a row group is given away before the end");

    let file = SerializedFileReader::new(Bytes::from(parts.concat())).unwrap();
    assert!(file.num_row_groups() >= 2);
    let rows = rows(&file);
    let (mut ids, events) = (texts(&rows, "id"), texts(&rows, "event"));
    let there_from_the_beginning = events
        .iter()
        .filter(|name| ["first", "second"].contains(&name.as_str()));
    assert_eq!(there_from_the_beginning.count(), 60_002);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "none is in it twice");
    assert_eq!(lines(&world, ALL, &["first"]).await.len(), 60_001);
}
