//! The present: while the demo runs, the story goes on as it happens.

use std::time::Duration;

use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, SystemClock};

use super::super::Stage;
use super::super::story::{Event, MINUTE, Story};
use super::send::{BATCH_EVENTS, Connections, body};
use crate::failure::Failure;
use crate::output::say;

/// How often what has happened is sent: every second, as clients do that have something to tell.
const SEND_EVERY: Duration = Duration::from_secs(1);

/// For how long ahead the story is made at once: ten minutes, some 150 events.
const AHEAD: i64 = 10 * MINUTE;

/// Sends what happens from `since` on, when it happens. Does not return.
pub(in super::super) async fn go_on(stage: &Stage<'_>, since: Timestamp) -> Result<(), Failure> {
    let story = Story::new(stage.project.created_at);
    let connections = Connections::open(&stage.url, &stage.write_key)?;
    let mut from = since;
    loop {
        // A machine that slept goes on with what was missed.
        let to = from.max(SystemClock.now()).plus_micros(AHEAD);
        let mut to_come = made(&story, from, to).await?;
        while SystemClock.now() < to {
            let now = SystemClock.now();
            let due = to_come.iter().take_while(|event| event.at <= now).count();
            let rest = to_come.split_off(due);
            send(&connections, &to_come).await;
            to_come = rest;
            tokio::time::sleep(SEND_EVERY).await;
        }
        send(&connections, &to_come).await;
        from = to;
    }
}

/// Sends what happened, sooner or later.
async fn send(connections: &Connections, events: &[Event]) {
    for some in events.chunks(BATCH_EVENTS) {
        while let Err(failure) = connections.send_batch(body(some)).await {
            say(failure);
        }
    }
}

/// Made beside the server, which shares the process.
async fn made(story: &Story, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, Failure> {
    let story = story.clone();
    tokio::task::spawn_blocking(move || story.events(from, to))
        .await
        .map_err(|error| Failure::failed(format!("telling: {error}")))
}
