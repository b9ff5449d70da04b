//! The story on its way: batches over several connections, as from many clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::StatusCode;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use trailmark_protocol::Timestamp;

use super::super::story::{DAY, Event, Story};
use crate::failure::Failure;
use crate::http;

/// How many batches are on their way at once: 4, two for each core of a small machine.
const AT_ONCE: usize = 4;

/// Events of a batch: 500, about 350 KB.
pub(super) const BATCH_EVENTS: usize = 500;

/// How long a batch may take on a small, busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How often a batch is tried, and how long after a refusal: the server asks for patience while its disk is busy.
const ATTEMPTS: u32 = 20;
/// See [`ATTEMPTS`].
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// The way to the server.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    client: reqwest::Client,
    url: Arc<str>,
    key: Arc<str>,
}

impl Connections {
    pub(super) fn open(url: &str, key: &str) -> Result<Self, Failure> {
        let client =
            http::client(ANSWER_WITHIN).map_err(|error| Failure::failed(format!("no HTTP client: {error}")))?;
        Ok(Self {
            client,
            url: format!("{url}/v1/batch").into(),
            key: key.into(),
        })
    }

    /// Sends what happens in a stretch of time, day by day; returns how many events.
    pub(super) async fn send(&self, story: &Story, from: Timestamp, to: Timestamp) -> Result<u64, Failure> {
        let (bodies, waiting) = mpsc::channel(2 * AT_ONCE);
        let progress = progress(from, to);
        let telling = tokio::task::spawn_blocking({
            let (story, progress) = (story.clone(), progress.clone());
            move || tell(&story, from, to, &bodies, &progress)
        });
        let (waiting, sent) = (Arc::new(Mutex::new(waiting)), Arc::new(AtomicU64::new(0)));
        let mut sending = JoinSet::<Result<(), Failure>>::new();
        for _ in 0..AT_ONCE {
            let (to_server, waiting, sent) = (self.clone(), Arc::clone(&waiting), Arc::clone(&sent));
            sending.spawn(async move {
                while let Some((events, body)) = next(&waiting).await {
                    to_server.send_batch(body).await?;
                    sent.fetch_add(events as u64, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        while let Some(ended) = sending.join_next().await {
            ended.map_err(|error| Failure::failed(format!("sending: {error}")))??;
        }
        telling
            .await
            .map_err(|error| Failure::failed(format!("telling: {error}")))?;
        progress.finish_and_clear();
        Ok(sent.load(Ordering::Relaxed))
    }

    /// Sends a batch until it is accepted, all of it.
    pub(super) async fn send_batch(&self, body: String) -> Result<(), Failure> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            let request = self.client.post(&*self.url).bearer_auth(&self.key);
            match request.body(body.clone()).send().await {
                Ok(answer) if answer.status() == StatusCode::ACCEPTED => {
                    let receipt: serde_json::Value = answer.json().await.unwrap_or_default();
                    return match receipt["results"].as_array().and_then(|refused| refused.first()) {
                        Some(refused) => Err(Failure::failed(format!("the server refuses an event: {refused}"))),
                        None => Ok(()),
                    };
                }
                Ok(answer) if answer.status().is_client_error() && answer.status() != StatusCode::TOO_MANY_REQUESTS => {
                    return Err(http::refused(answer).await);
                }
                Ok(answer) => last = answer.status().to_string(),
                Err(error) => last = http::explain(&error),
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        Err(Failure::failed(format!("the server takes no events: {last}")))
    }
}

type Body = (usize, String);

async fn next(waiting: &Mutex<mpsc::Receiver<Body>>) -> Option<Body> {
    waiting.lock().await.recv().await
}

/// Makes bodies of the story, day by day, so that no more than a day is held.
fn tell(story: &Story, from: Timestamp, to: Timestamp, bodies: &mpsc::Sender<Body>, progress: &ProgressBar) {
    let mut at = from;
    while at < to {
        let until = at.plus_micros(DAY).min(to);
        for some in story.events(at, until).chunks(BATCH_EVENTS) {
            if bodies.blocking_send((some.len(), body(some))).is_err() {
                return;
            }
        }
        at = until;
        progress.inc(1);
    }
}

/// A batch.
pub(super) fn body(events: &[Event]) -> String {
    let mut body = String::with_capacity(events.len() * 800);
    body.push_str(r#"{"batch":["#);
    for (at, event) in events.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        event.write(&mut body);
    }
    body.push_str("]}");
    body
}

/// A bar of the days, on a terminal.
fn progress(from: Timestamp, to: Timestamp) -> ProgressBar {
    let days = (to.micros() - from.micros()).div_euclid(DAY) + 1;
    let bar = ProgressBar::new(days.unsigned_abs());
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} days, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
