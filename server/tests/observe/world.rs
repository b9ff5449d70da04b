//! A project whose events are stored as the writer does it, and taken up by the jobs.

use serde_json::Value;
use trailmark_protocol::{Timestamp, Uuid, id};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::store::Store;

use crate::support;

/// 2026-11-20T12:00:00Z, a Friday.
pub(crate) const BEGINNING: i64 = 1_795_176_000_000;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// `ms` after the beginning.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(BEGINNING + ms)
}

/// An event to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) ms: i64,
    pub(crate) name: &'static str,
    pub(crate) who: String,
    pub(crate) session: Option<String>,
    pub(crate) properties: Value,
}

pub(crate) fn sent(ms: i64, name: &'static str, who: impl Into<String>) -> Sent {
    Sent {
        ms,
        name,
        who: who.into(),
        session: None,
        properties: Value::Null,
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) project: i32,
    node: Uuid,
}

impl World {
    pub(crate) async fn new() -> Self {
        let store = support::store().await;
        let project = store.create_project("p").await.unwrap().id;
        Self {
            store,
            project,
            node: Uuid::now_v7(),
        }
    }

    /// Stores events in one write, and returns their ids. Each gets an id of its own.
    pub(crate) async fn store(&self, events: &[Sent]) -> Vec<Uuid> {
        let ids: Vec<Uuid> = events.iter().map(|event| new_id(event.ms)).collect();
        self.store_as(&ids, events).await;
        ids
    }

    /// The same, under given ids.
    pub(crate) async fn store_as(&self, ids: &[Uuid], events: &[Sent]) {
        let properties: Vec<Option<String>> = events
            .iter()
            .map(|event| (!event.properties.is_null()).then(|| event.properties.to_string()))
            .collect();
        let head = BatchHead {
            project_id: self.project,
            received_at: at(400 * DAY),
            install_id: None,
        };
        let mut batch = BatchWriter::new(&head, 0);
        for ((event, id), properties) in events.iter().zip(ids).zip(&properties) {
            batch.push(&AcceptedEvent {
                id: *id,
                seq: None,
                name: event.name,
                anonymous_id: Some(&event.who),
                user_id: None,
                alias: None,
                session_id: event.session.as_deref(),
                timestamp: at(event.ms),
                client_timestamp: at(event.ms),
                properties: properties.as_deref(),
                context: None,
                set: None,
                set_once: None,
            });
        }
        self.store.write(self.node, 1, &[batch.finish()]).await.unwrap();
    }

    /// Takes up all notes.
    pub(crate) async fn take_up(&self) {
        while self.store.take_up_notes().await.unwrap() > 0 {}
    }

    /// The counts by name and hour, in the order of both.
    pub(crate) async fn hours(&self) -> Vec<(String, i64)> {
        let read = "SELECT n.name, h.events FROM event_hours h
                    JOIN event_names n ON n.project_id = h.project_id AND n.id = h.event_name_id
                    WHERE h.project_id = $1 ORDER BY h.hour, n.name";
        sqlx::query_as(read)
            .bind(self.project)
            .fetch_all(self.store.pool())
            .await
            .unwrap()
    }
}

/// A new id of this time.
pub(crate) fn new_id(ms: i64) -> Uuid {
    let random = Uuid::new_v4();
    let mut tail = [0; 10];
    tail.copy_from_slice(&random.as_bytes()[6..]);
    id::v7((BEGINNING + ms).cast_unsigned(), tail)
}
