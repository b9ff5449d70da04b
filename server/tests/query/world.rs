//! A project with events in it, told in a few words.

use serde_json::Value;
use trailmark_protocol::{Timestamp, Uuid, id};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::query::{EventFilter, EventPage, Page, Reader};
use trailmark_server::store::Store;

use crate::support;

/// When the tests' time begins: 2026-11-20T12:00:00Z.
pub(crate) const BEGINNING: i64 = 1_795_176_000_000;

/// One project of a store.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) project: i32,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::beside(support::store().await).await
    }

    /// Another project in the same database.
    pub(crate) async fn beside(store: Store) -> Self {
        let project = store.create_project("p").await.unwrap().id;
        Self { store, project }
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::new(self.store.pool().clone(), self.project)
    }

    /// Stores events as the writer would.
    pub(crate) async fn send(&self, events: &[AcceptedEvent<'_>]) {
        let received_at = at(1_000_000);
        let head = BatchHead {
            project_id: self.project,
            received_at,
            install_id: Some("install-1"),
        };
        let mut batch = BatchWriter::new(&head, 0);
        events.iter().for_each(|event| batch.push(event));
        let written = self.store.write(Uuid::now_v7(), 1, &[batch.finish()]).await.unwrap();
        assert_eq!(written.stored, events.len() as u64, "{written:?}");
    }

    pub(crate) async fn events(&self, filter: EventFilter<'_>, page: Page) -> EventPage {
        self.reader().events(&filter, page).await.unwrap()
    }

    /// The names of all events that a filter lets through, newest first.
    pub(crate) async fn names(&self, filter: EventFilter<'_>) -> Vec<String> {
        let page = self
            .events(
                filter,
                Page {
                    limit: 1_000,
                    before: None,
                },
            )
            .await;
        page.events.into_iter().map(|event| event.event).collect()
    }

    /// The answer about a person, as JSON.
    pub(crate) async fn person(&self, external_id: &str) -> Value {
        json(&self.reader().person(external_id, Page::default()).await.unwrap())
    }

    /// The names on a person's timeline, newest first.
    pub(crate) async fn timeline(&self, external_id: &str) -> Vec<String> {
        let person = self.person(external_id).await;
        let events = person["timeline"]["events"].as_array().unwrap();
        events
            .iter()
            .map(|event| event["event"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// `ms` after the beginning.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(BEGINNING + ms)
}

/// The id of an event captured `ms` after the beginning.
pub(crate) fn id_at(ms: i64) -> Uuid {
    let mut tail = [0; 10];
    tail[2..].copy_from_slice(&ms.to_be_bytes());
    id::v7((BEGINNING + ms).cast_unsigned(), tail)
}

/// An event `ms` after the beginning; its id is as old.
pub(crate) fn event<'a>(
    ms: i64,
    name: &'a str,
    anonymous: Option<&'a str>,
    user: Option<&'a str>,
) -> AcceptedEvent<'a> {
    AcceptedEvent {
        id: id_at(ms),
        seq: Some(ms),
        name,
        anonymous_id: anonymous,
        user_id: user,
        alias: None,
        session_id: Some("session-1"),
        timestamp: at(ms),
        client_timestamp: at(ms),
        properties: None,
        context: None,
        set: None,
        set_once: None,
    }
}

/// An event of a device that nobody has signed in on.
pub(crate) fn anonymous<'a>(ms: i64, name: &'a str, device: &'a str) -> AcceptedEvent<'a> {
    event(ms, name, Some(device), None)
}

/// An event of a user.
pub(crate) fn user<'a>(ms: i64, name: &'a str, user: &'a str) -> AcceptedEvent<'a> {
    event(ms, name, None, Some(user))
}

/// A user signs in on a device.
pub(crate) fn identify<'a>(ms: i64, device: &'a str, user: &'a str) -> AcceptedEvent<'a> {
    event(ms, "$identify", Some(device), Some(user))
}

/// Two users are one person.
pub(crate) fn alias<'a>(ms: i64, one: &'a str, other: &'a str) -> AcceptedEvent<'a> {
    AcceptedEvent {
        alias: Some(other),
        ..user(ms, "$alias", one)
    }
}

pub(crate) fn json(answer: &impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}
