//! A month of a shop, with five things that go wrong in the end: sent as any client would, summed up, and looked through by
//! the real detectors before anybody is told to look.

pub(super) mod live;
mod issues;
mod jobs;
mod monitors;
mod past;
mod questions;
mod report;
mod send;

use std::time::Instant;

use trailmark_protocol::Timestamp;
use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};

use super::shop::Shop;
use super::story::{DAY, DAYS, HOUR, Story};
use super::{Migrated, Stage};
use crate::failure::Failure;
use crate::output::{Output, say};
use report::{Incident, Seeded};
use send::Connections;

/// The project of the shop, made once in a data directory. The story is first told when it is made.
pub(super) const PROJECT: &str = "Shop";

/// How many things go wrong.
const INCIDENTS: usize = 5;

/// From so long before the last event that is stored is it told again what was missed: batches are sent side by side, and an
/// earlier one may have been lost where a later one was not.
const TOLD_AGAIN: i64 = HOUR;

/// What was missed for longer than a month is not told.
const TOLD_BACK: i64 = DAYS * DAY;

/// Lets the server's monitors call the server itself, which is all that they call.
pub(super) fn allow_own_monitors(config: &mut Config) -> Result<(), Failure> {
    for network in ["127.0.0.1/32", "::1/128"] {
        let network = network
            .parse()
            .map_err(|error| Failure::failed(format!("{network}: {error}")))?;
        config.outbound.allow.push(network);
    }
    Ok(())
}

/// Tells the story up to now, has it summed up and looked through, and says what there is to see. Returns up to when it is
/// told.
pub(super) async fn tell(
    stage: &Stage<'_>,
    shop: &Shop,
    (database, migrated): (String, Migrated),
    output: Output,
) -> Result<Timestamp, Failure> {
    let (started, now) = (Instant::now(), SystemClock.now());
    let story = Story::new(stage.project.created_at);
    let connections = Connections::open(&stage.url, &stage.write_key)?;
    shop.open(&stage.write_key);
    let is_told = questions::are_there(stage).await?;
    let sent = if is_told {
        let last = stage
            .api
            .stats()
            .await?
            .last_event_at
            .as_deref()
            .and_then(Timestamp::parse);
        let from = last.map_or(story.begins(), |last| last.plus_micros(-TOLD_AGAIN));
        say("telling what was missed");
        let from = from.max(now.plus_micros(-TOLD_BACK));
        connections.send(&story, from, now).await?
    } else {
        say("telling 30 days of a shop");
        // Somebody resolves an issue between the events of which it is made and the one that brings it back.
        let back = story.incidents.app_3_2_0;
        let before = connections.send(&story, story.begins(), back).await?;
        jobs::until_taken_up(stage).await?;
        issues::judge(stage, &story.incidents).await?;
        before + connections.send(&story, back, now).await?
    };
    monitors::keep(stage, now).await?;
    if !is_told {
        questions::save(stage, &story.incidents).await?;
    }
    say("looking for what is broken");
    jobs::sum_up(stage).await?;
    let incidents = incidents(stage).await?;
    let stored = stage.api.stats().await?;
    output.print(&Seeded {
        database,
        schema_version: migrated.schema_version,
        migrated_s: migrated.seconds,
        sent,
        events: stored.events,
        people: stored.persons,
        days: DAYS,
        incidents,
        seconds: started.elapsed().as_secs_f64(),
        open: stage.open.clone(),
        url: stage.url.clone(),
        project: stage.project.id,
        write_key: stage.write_key.clone(),
        secret_key: stage.secret_key.clone(),
    })?;
    Ok(now)
}

/// What the first screen says. It is there after the first look, but for what needs a second.
async fn incidents(stage: &Stage<'_>) -> Result<Vec<Incident>, Failure> {
    let mut looks = 0;
    loop {
        let now = stage.api.read("/api/v1/now").await?;
        let problems = now["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
        looks += 1;
        if problems.len() >= INCIDENTS || looks > 3 {
            return Ok(problems.iter().map(Incident::read).collect());
        }
        jobs::look_again(stage).await?;
    }
}
