//! What the demo asks the server over HTTP.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::http;

/// How long the server may take to store what it has accepted: 10,000 events take about a second.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long one answer may take. On a small, busy machine the first query of a new database can take seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A server, and a secret key that opens the demo's project.
pub(super) struct Api {
    client: reqwest::Client,
    url: String,
    key: String,
}

/// `GET /api/analytics/stats`, as far as the demo shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stats {
    pub(super) events: u64,
    pub(super) persons: u64,
    pub(super) devices: u64,
    pub(super) by_event: Vec<ByEvent>,
    pub(super) by_day: Vec<ByDay>,
    pub(super) first_event_at: Option<String>,
    pub(super) last_event_at: Option<String>,
    pub(super) dead_letters: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ByEvent {
    pub(super) event: String,
    pub(super) count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ByDay {
    pub(super) day: String,
    pub(super) events: u64,
}

impl Api {
    pub(super) fn new(url: &str, key: &str) -> Result<Self, Failure> {
        let client =
            http::client(ANSWER_WITHIN).map_err(|error| Failure::failed(format!("no HTTP client: {error}")))?;
        Ok(Self {
            client,
            url: url.to_owned(),
            key: key.to_owned(),
        })
    }

    pub(super) async fn stats(&self) -> Result<Stats, Failure> {
        let (status, body) = self.get("/api/analytics/stats").await?;
        if status != StatusCode::OK {
            return Err(Failure::failed(format!(
                "the server does not tell what is stored: {status} {body}"
            )));
        }
        serde_json::from_value(body).map_err(|error| Failure::failed(format!("the server's statistics: {error}")))
    }

    pub(super) async fn until_the_key_is_known(&self) -> Result<(), Failure> {
        self.until(
            "the server does not know its new keys",
            "/api/analytics/stats",
            |status, _| status == StatusCode::OK,
        )
        .await
    }

    /// Everything that got a 202 is in the database, or a dead letter.
    pub(super) async fn until_all_is_stored(&self) -> Result<(), Failure> {
        self.until("accepted events are still not in the database", "/readyz", |_, body| {
            body["writer"]["lag_records"] == 0 && body["database"] == "ok"
        })
        .await
    }

    /// What a read answers.
    pub(super) async fn read(&self, path: &str) -> Result<Value, Failure> {
        let (status, body) = self.get(path).await?;
        match status {
            StatusCode::OK => Ok(body),
            _ => Err(Failure::failed(format!("{path}: {status} {body}"))),
        }
    }

    /// What a change answers.
    pub(super) async fn change(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let sent = request.bearer_auth(&self.key).json(body).send().await;
        let answer = sent.map_err(|error| Failure::failed(format!("{path}: {}", http::explain(&error))))?;
        if !answer.status().is_success() {
            return Err(http::refused(answer).await.hint(path));
        }
        Ok(answer.json().await.unwrap_or_default())
    }

    async fn until(&self, late: &str, path: &str, done: impl Fn(StatusCode, &Value) -> bool) -> Result<(), Failure> {
        let started = Instant::now();
        loop {
            let (status, body) = self.get(path).await?;
            if done(status, &body) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(Failure::failed(format!(
                    "{late} after {} s: {body}",
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, Value), Failure> {
        let answer = http::get(&self.client, &format!("{}{path}", self.url), Some(&self.key)).await;
        answer.map_err(|error| Failure::failed(format!("the server does not answer: {}", http::explain(&error))))
    }
}
