//! The present: while the demo runs, the story goes on as it happens.

use std::time::Duration;

use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, SystemClock};

use super::super::Stage;
use super::super::story::{MINUTE, Story};
use super::send::{Connections, body};
use crate::failure::Failure;

/// How often what has happened is sent: every second, as clients do that have something to tell.
const SEND_EVERY: Duration = Duration::from_secs(1);

/// For how long ahead the story is made at once: ten minutes, some 150 events.
const AHEAD: i64 = 10 * MINUTE;

/// Sends what happens from `since` on, when it happens. Never returns, unless the server takes nothing any more.
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
            for some in to_come.chunks(500) {
                connections.send_batch(body(some)).await?;
            }
            to_come = rest;
            tokio::time::sleep(SEND_EVERY).await;
        }
        if !to_come.is_empty() {
            connections.send_batch(body(&to_come)).await?;
        }
        from = to;
    }
}

/// Made beside the server, which shares the process.
async fn made(story: &Story, from: Timestamp, to: Timestamp) -> Result<Vec<super::super::story::Event>, Failure> {
    let story = story.clone();
    tokio::task::spawn_blocking(move || story.events(from, to))
        .await
        .map_err(|error| Failure::failed(format!("telling: {error}")))
}
