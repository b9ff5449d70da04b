//! Alerts: told, delivered, tried again, silenced, over; on a real Postgres, to real sockets on loopback.

mod receiver;
mod sink;

mod telling;
mod webhooks;
mod mails;
mod crashes;
mod routes;
mod manual;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, ManualClock, SharedClock};
use trailmark_server::config::Config;
use trailmark_server::observe::alerts::{Channel, Delivered, On, Senders, deliver_due};
use trailmark_server::observe::outbound::{Guard, Outbound};
use trailmark_server::observe::{Found, Kind};
use trailmark_server::store::Store;
use trailmark_server::store::alerts::{
    AlertChange, AlertRow, AttemptRow, DeliveryRow, NewAlert, Transition, TransitionKind, Which, notify,
};

use crate::support;

/// When the tests' time begins: 2026-11-20T12:00:00Z.
const BEGINNING: i64 = 1_795_176_000_000;

/// What signs in the tests: 32 bytes, `0123…`.
const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// A project with alerts, a clock that stands still, and the way out to this machine.
struct House {
    store: Store,
    project: i32,
    clock: Arc<ManualClock>,
    senders: Senders,
}

impl House {
    async fn new() -> Self {
        Self::over(support::store().await).await
    }

    async fn over(store: Store) -> Self {
        let project = store.create_project("Shop").await.unwrap().id;
        let config = Config::load(None, [], [("http.public_url", "https://t.example.com".to_owned())]).unwrap();
        Self {
            store,
            project,
            clock: ManualClock::at(Timestamp::from_millis(BEGINNING)),
            senders: Senders::open(&config, local()).unwrap(),
        }
    }

    /// An alert of everything by webhook.
    async fn hook(&self, url: &str) -> i64 {
        self.alert(&json!({"webhook": {"url": url}}), None).await
    }

    async fn alert(&self, to: &Value, remind_every_minutes: Option<i32>) -> i64 {
        self.alert_on(&json!({}), to, remind_every_minutes).await
    }

    async fn alert_on(&self, on: &Value, to: &Value, remind_every_minutes: Option<i32>) -> i64 {
        let on: On = serde_json::from_value(on.clone()).unwrap();
        let channel: Channel = serde_json::from_value(to.clone()).unwrap();
        let alert = NewAlert {
            name: "On call",
            on: &on,
            channel: &channel,
            secret: Some(SECRET),
            recover: true,
            remind_every_minutes,
            enabled: true,
            created_by: "test",
        };
        let added = self
            .store
            .add_alert(self.project, &alert, 1_000, self.clock.now())
            .await;
        added.unwrap().unwrap()
    }

    async fn change(&self, alert: i64, change: AlertChange<'_>) {
        assert!(self.store.change_alert(self.project, alert, &change).await.unwrap());
    }

    async fn row(&self, alert: i64) -> AlertRow {
        self.store.alert(self.project, alert).await.unwrap().unwrap()
    }

    /// Says what became of a monitor's problem, and returns how many messages that makes.
    async fn tell(&self, problem: i64, kind: TransitionKind) -> u64 {
        self.tell_of(Kind::MonitorDown, "3", problem, kind).await
    }

    async fn tell_of(&self, kind: Kind, subject: &str, problem_id: i64, transition: TransitionKind) -> u64 {
        let found = Found {
            kind,
            subject: subject.to_owned(),
            what: format!("shop.example.com is down ({problem_id})"),
            since: self.clock.now(),
            people: Some(12),
            compared_with: Some("usually up".to_owned()),
            evidence: "/api/v1/monitors/3".to_owned(),
        };
        let transitions = [Transition {
            problem_id,
            found,
            kind: transition,
        }];
        let mut transaction = self.store.pool().begin().await.unwrap();
        let written = notify(&mut transaction, self.project, &transitions, self.clock.now()).await;
        transaction.commit().await.unwrap();
        written.unwrap()
    }

    async fn opened(&self, problem: i64) -> u64 {
        self.tell(problem, TransitionKind::Opened).await
    }

    async fn closed(&self, problem: i64) -> u64 {
        let at = self.clock.now();
        self.tell(problem, TransitionKind::Closed { at }).await
    }

    async fn still_open(&self, problem: i64) -> u64 {
        self.tell(problem, TransitionKind::Reminder).await
    }

    async fn deliver(&self) -> Delivered {
        let clock: SharedClock = self.clock.clone();
        deliver_due(&self.store, &self.senders, &clock).await.unwrap()
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance_micros(seconds * 1_000_000);
    }

    async fn silence(&self, alert: i64, minutes: i64) {
        let until = self.clock.now().plus_micros(minutes * 60_000_000);
        let silenced = self.store.silence_alert(self.project, alert, Some(until)).await;
        assert!(silenced.unwrap());
    }

    /// The messages of an alert, oldest first, and all attempts.
    async fn log(&self, alert: i64) -> (Vec<DeliveryRow>, Vec<AttemptRow>) {
        let which = Which {
            before: None,
            state: None,
            only: None,
            limit: 100,
        };
        let (mut messages, attempts) = self.store.deliveries(self.project, alert, which).await.unwrap();
        messages.sort_by_key(|message| (message.created_at, message.id));
        (messages, attempts)
    }

    /// What became of the messages of an alert, oldest first: `opened delivered`.
    async fn states(&self, alert: i64) -> Vec<String> {
        let messages = self.log(alert).await.0.into_iter();
        messages
            .map(|message| format!("{} {}", message.transition, message.state))
            .collect()
    }
}

/// The way out to this machine.
fn local() -> Outbound {
    Outbound::new(Guard::new(vec!["127.0.0.0/8".parse().unwrap()]))
}

/// Waits for what must come, at most 20 seconds.
async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    for _ in 0..2_000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
