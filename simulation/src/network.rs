//! The way between a device and the server: loses, delays, doubles, reorders, and says things the server never said.

use std::time::Duration;

use trailmark_core::Answer;

use crate::dice::Dice;

/// How a device is connected at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Good,
    /// Loses, doubles and rewrites.
    Flaky,
    /// Takes longer than a client waits.
    Slow,
    Offline,
    /// Somebody in between answers everything.
    Portal,
}

/// What becomes of a request on its way.
#[derive(Debug)]
pub(crate) enum Passage {
    /// The client learns at once that it did not get through.
    Refused,
    /// Nothing arrives and nobody answers.
    Swallowed,
    /// Somebody in between answers.
    Intercepted(Answer),
    /// It arrives after each of these times.
    Arrives(Vec<Duration>),
}

/// What becomes of an answer on its way.
#[derive(Debug)]
pub(crate) enum Return {
    /// It arrives as it is after this time.
    Arrives(Duration),
    /// Somebody in between says something else.
    Replaced(Answer, Duration),
    Lost,
}

pub(crate) fn passage(link: Link, dice: &mut Dice) -> Passage {
    let once = |least, most, dice: &mut Dice| Passage::Arrives(vec![millis(least, most, dice)]);
    match (link, dice.below(10)) {
        (Link::Offline, 0) => Passage::Swallowed,
        (Link::Offline, _) => Passage::Refused,
        (Link::Portal, _) => Passage::Intercepted(portal(dice)),
        (Link::Slow, _) => once(1_000, 60_000, dice),
        (Link::Flaky, 0) => Passage::Refused,
        (Link::Flaky, 1) => Passage::Swallowed,
        (Link::Flaky, 2..=4) => Passage::Arrives(vec![millis(20, 2_000, dice), millis(20, 90_000_000, dice)]),
        (Link::Good | Link::Flaky, _) => once(10, 500, dice),
    }
}

/// `genuine` is what the server said.
pub(crate) fn way_back(link: Link, genuine: &Answer, dice: &mut Dice) -> Return {
    match (link, dice.below(10)) {
        (Link::Offline | Link::Portal, _) | (Link::Flaky, 0 | 1) => Return::Lost,
        (Link::Slow, _) => Return::Arrives(millis(1_000, 60_000, dice)),
        (Link::Flaky, 2 | 3) => Return::Replaced(distorted(genuine, dice), millis(10, 500, dice)),
        (Link::Good | Link::Flaky, _) => Return::Arrives(millis(10, 500, dice)),
    }
}

fn millis(least: i64, most: i64, dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.between(least, most).unsigned_abs())
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        body: body.to_owned(),
        ..Answer::default()
    }
}

/// What hotels, proxies and load balancers say.
fn portal(dice: &mut Dice) -> Answer {
    match dice.below(9) {
        0 => answer(200, "<html><title>Welcome to Hotel Wi-Fi</title></html>"),
        1 => answer(200, r#"{"status":"ok"}"#),
        2 => answer(200, ""),
        3 => answer(202, r#"{"accepted":0,"results":[],"next_send_after_ms":0}"#),
        4 => answer(204, ""),
        5 => answer(302, ""),
        6 => answer(502, "Bad Gateway"),
        7 => answer(202, "{}"),
        _ => answer(511, "Network Authentication Required"),
    }
}

/// The server's answer, broken so that it no longer accounts for what was sent.
fn distorted(genuine: &Answer, dice: &mut Dice) -> Answer {
    let mut broken = genuine.clone();
    let cut = dice.below(genuine.body.len());
    match dice.below(4) {
        0 if cut > 0 => broken.body.truncate(cut),
        1 if genuine.status == 202 => broken.body = genuine.body.replace("\"accepted\":", "\"accepted\":1"),
        2 => broken.status = 504,
        _ => return portal(dice),
    }
    broken
}
