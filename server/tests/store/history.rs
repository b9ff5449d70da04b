//! Events to store, and what is then in the database.

use bytes::Bytes;
use sqlx::postgres::PgPool;
use trailmark_protocol::{Timestamp, Uuid, id, names};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};

/// When the tests' events are received: a Saturday.
pub(crate) const NOW: &str = "2026-11-21T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The id number `n` of the millisecond `millis`.
pub(crate) fn id_at(at: Timestamp, n: u16) -> Uuid {
    let mut tail = [0; 10];
    tail[8..].copy_from_slice(&n.to_be_bytes());
    id::v7(at.millis().cast_unsigned(), tail)
}

/// Event number `n`: `n` milliseconds after [`NOW`], by device `a`.
pub(crate) fn event(n: u16) -> AcceptedEvent<'static> {
    let happened = at(NOW).plus_micros(i64::from(n) * 1000);
    AcceptedEvent {
        id: id_at(happened, n),
        seq: Some(i64::from(n)),
        name: "viewed",
        anonymous_id: Some("a"),
        user_id: None,
        alias: None,
        session_id: Some("s"),
        timestamp: happened,
        client_timestamp: happened,
        properties: Some(r#"{"n":1}"#),
        context: None,
        set: None,
        set_once: None,
    }
}

pub(crate) fn identify(n: u16, device: &'static str, user: &'static str) -> AcceptedEvent<'static> {
    AcceptedEvent {
        name: names::IDENTIFY,
        anonymous_id: Some(device),
        user_id: Some(user),
        ..event(n)
    }
}

pub(crate) fn alias(n: u16, user: &'static str, other: &'static str) -> AcceptedEvent<'static> {
    AcceptedEvent {
        name: names::ALIAS,
        anonymous_id: None,
        user_id: Some(user),
        alias: Some(other),
        ..event(n)
    }
}

/// One batch of project 1.
pub(crate) fn payload(events: &[AcceptedEvent<'_>]) -> Bytes {
    payload_of(1, events)
}

pub(crate) fn payload_of(project_id: i32, events: &[AcceptedEvent<'_>]) -> Bytes {
    let head = BatchHead {
        project_id,
        received_at: at(NOW),
        install_id: Some("i"),
    };
    let mut writer = BatchWriter::new(&head, 0);
    events.iter().for_each(|event| writer.push(event));
    writer.finish()
}

pub(crate) async fn count(pool: &PgPool, table: &'static str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(pool)
        .await
        .unwrap()
}
