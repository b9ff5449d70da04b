//! A project that meets errors, told in a few words.

use serde_json::{Value, json};
use trailmark_protocol::{Timestamp, Uuid, id};
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::store::issues::fold;
use trailmark_server::store::notes::Observed;
use trailmark_server::store::{IssueFilter, IssuePart, IssueRow, Store};

use crate::support;

/// When the tests' time begins: 2026-11-20T12:00:00Z.
pub(crate) const BEGINNING: i64 = 1_795_176_000_000;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// `seconds` after the beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(BEGINNING + seconds * 1_000)
}

/// An error that happens.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    pub(crate) seconds: i64,
    pub(crate) who: String,
    pub(crate) release: Option<&'static str>,
    pub(crate) properties: Value,
}

/// An error of this type at one place.
pub(crate) fn error(seconds: i64, who: &str, kind: &str) -> Error {
    let frame = json!({"function": "Cart.pay", "filename": "package:shop/cart.dart", "lineno": seconds.unsigned_abs(), "in_app": true});
    let thrown = json!({"type": kind, "value": format!("no card {seconds}"), "mechanism": {"handled": true}, "stacktrace": {"frames": [frame]}});
    Error {
        seconds,
        who: who.to_owned(),
        release: Some("1.0"),
        properties: json!({"$exception_list": [thrown], "$exception_level": "error"}),
    }
}

impl Error {
    pub(crate) fn release(self, release: &'static str) -> Self {
        Self {
            release: Some(release),
            ..self
        }
    }

    pub(crate) fn level(mut self, level: &str) -> Self {
        self.properties["$exception_level"] = level.into();
        self
    }
}

/// One project of a store.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) project: i32,
}

impl World {
    pub(crate) async fn new() -> Self {
        let store = support::store().await;
        let project = store.create_project("p").await.unwrap().id;
        Self { store, project }
    }

    /// Stores errors as the writer would, and reads them as the job would, each received when it happened.
    pub(crate) async fn stored(&self, errors: &[Error]) -> Vec<Observed> {
        let mut ids = Vec::new();
        for chunk in errors.chunks(500) {
            let received_at = at(chunk.iter().map(|error| error.seconds).max().unwrap_or(0));
            let head = BatchHead {
                project_id: self.project,
                received_at,
                install_id: None,
            };
            let mut batch = BatchWriter::new(&head, 0);
            for error in chunk {
                let properties = error.properties.to_string();
                let context = error
                    .release
                    .map(|release| json!({"app": {"version": release}}).to_string());
                let mut tail = [0; 10];
                getrandom(&mut tail);
                let id = id::v7(at(error.seconds).millis().cast_unsigned(), tail);
                ids.push(id);
                batch.push(&AcceptedEvent {
                    id,
                    seq: None,
                    name: "$exception",
                    anonymous_id: Some(&error.who),
                    user_id: None,
                    alias: None,
                    session_id: None,
                    timestamp: at(error.seconds),
                    client_timestamp: at(error.seconds),
                    properties: Some(&properties),
                    context: context.as_deref(),
                    set: None,
                    set_once: None,
                });
            }
            let written = self.store.write(Uuid::now_v7(), 1, &[batch.finish()]).await.unwrap();
            assert_eq!(written.stored, chunk.len() as u64, "{written:?}");
        }
        let mut observed = self.observed(&ids).await;
        observed
            .iter_mut()
            .for_each(|event| event.received_at = event.timestamp);
        observed
    }

    /// Events as the job reads them.
    pub(crate) async fn observed(&self, ids: &[Uuid]) -> Vec<Observed> {
        sqlx::query_as(
            "SELECT id, timestamp, received_at, identity_id, properties, context FROM events
             WHERE project_id = $1 AND id = ANY ($2) ORDER BY array_position($2, id)",
        )
        .bind(self.project)
        .bind(ids)
        .fetch_all(self.store.pool())
        .await
        .unwrap()
    }

    /// Folds events in one transaction.
    pub(crate) async fn fold(&self, events: &[Observed]) {
        let mut transaction = self.store.pool().begin().await.unwrap();
        fold(&mut transaction, self.project, events).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Errors happen and become issues.
    pub(crate) async fn meet(&self, errors: &[Error]) {
        let events = self.stored(errors).await;
        self.fold(&events).await;
    }

    /// All issues by their numbers.
    pub(crate) async fn issues(&self) -> Vec<IssueRow> {
        let part = IssuePart {
            sort: "last_seen",
            after: None,
            limit: 100_000,
        };
        let mut issues = self
            .store
            .list_issues(self.project, &IssueFilter::default(), part)
            .await
            .unwrap();
        issues.sort_by_key(|issue| issue.number);
        issues
    }

    /// The one issue that there is.
    pub(crate) async fn only(&self) -> IssueRow {
        let mut issues = self.issues().await;
        assert_eq!(issues.len(), 1, "{issues:?}");
        issues.remove(0)
    }

    /// A statement's number.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.store.pool()).await.unwrap()
    }
}

fn getrandom(tail: &mut [u8; 10]) {
    tail.copy_from_slice(&Uuid::now_v7().as_bytes()[6..]);
}
