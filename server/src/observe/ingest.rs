//! Our own ingest: servers whose journal waits or has failed, refusals, and events that the database refuses.

use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::problem::{Found, Kind};
use crate::store::nodes::{Ingested, Node};

/// The journal is late when its oldest batch has waited for a minute; usually it waits for 25 ms.
pub const QUEUE_AGE: Duration = Duration::from_secs(60);

/// A server that told nothing for a minute, six times in a row, is gone: killed, cut off, or without its database.
pub const GONE_AFTER: Duration = Duration::from_secs(60);

/// For how long a server that is gone is a problem: an hour. One that was taken down on purpose is not told of for ever.
pub const GONE_FOR: Duration = Duration::from_secs(60 * 60);

/// Refusals are a problem from one in twenty on.
pub const REFUSED_SHARE: f64 = 0.05;

/// And from this many in a quarter of an hour on: one bad batch is nobody's problem but its sender's.
pub const REFUSED_AT_LEAST: i64 = 50;

/// What is wrong with the ingest as of `now`. All servers of the database serve all projects.
#[must_use]
pub fn found(nodes: &[Node], ingested: &Ingested, now: Timestamp) -> Vec<Found> {
    let servers = nodes.iter().filter_map(|node| server(node, now));
    servers.chain(refused(ingested, now)).chain(dead(ingested)).collect()
}

fn server(node: &Node, now: Timestamp) -> Option<Found> {
    let unheard = now.micros() - node.seen_at.0.micros();
    let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let at = &node.listen;
    let (what, since) = if unheard > micros(GONE_FOR) {
        return None;
    } else if unheard > micros(GONE_AFTER) {
        let waiting = match node.backlog_records {
            0 => "nothing waited in its journal".to_owned(),
            some => format!("{some} batches waited in its journal"),
        };
        (format!("the server at {at} is gone; {waiting}"), node.seen_at.0)
    } else if node.poisoned {
        (
            format!("the journal of the server at {at} has failed: it takes no events until a restart"),
            node.seen_at.0,
        )
    } else if node.oldest_ms > micros(QUEUE_AGE) / 1_000 {
        let why = node
            .writer_error
            .as_deref()
            .map(|error| format!(": {error}"))
            .unwrap_or_default();
        let since = Timestamp::from_micros(node.seen_at.0.micros() - node.oldest_ms * 1_000);
        let age = node.oldest_ms / 1_000;
        (
            format!(
                "{} batches wait at {at}, the oldest for {age} s{why}",
                node.backlog_records
            ),
            since,
        )
    } else {
        return None;
    };
    Some(problem(format!("server:{}", node.id), what, since, None))
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn refused(ingested: &Ingested, now: Timestamp) -> Option<Found> {
    let Ingested { stored, refused, .. } = *ingested;
    let share = refused as f64 / (stored + refused).max(1) as f64;
    if refused < REFUSED_AT_LEAST || share < REFUSED_SHARE {
        return None;
    }
    let what = format!(
        "{:.0} % of what comes is refused: {refused} in a quarter of an hour",
        share * 100.0
    );
    let since = Timestamp::from_micros(now.micros() - 15 * 60 * 1_000_000);
    Some(problem(
        "refused".to_owned(),
        what,
        since,
        Some(format!("a problem from {:.0} % on", REFUSED_SHARE * 100.0)),
    ))
}

fn dead(ingested: &Ingested) -> Option<Found> {
    let since = ingested.dead_since?.0;
    let what = match ingested.dead {
        1 => "the database refused an event; it is a dead letter".to_owned(),
        many => format!("the database refused {many} events; they are dead letters"),
    };
    Some(problem("dead_letters".to_owned(), what, since, None))
}

fn problem(subject: String, what: String, since: Timestamp, compared_with: Option<String>) -> Found {
    Found {
        kind: Kind::Ingest,
        subject,
        what,
        since,
        people: None,
        compared_with,
        evidence: "/api/v1/ingest".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PgTime;
    use trailmark_protocol::Uuid;

    const NOW: i64 = 1_800_000_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(NOW + seconds * 1_000)
    }

    fn node() -> Node {
        Node {
            id: Uuid::nil(),
            started_at: PgTime(at(-1_000)),
            seen_at: PgTime(at(-5)),
            version: "0.1.0".to_owned(),
            listen: "127.0.0.1:7700".to_owned(),
            backlog_records: 0,
            backlog_bytes: 0,
            oldest_ms: 25,
            poisoned: false,
            writer_error: None,
        }
    }

    fn whats(nodes: &[Node], ingested: &Ingested) -> Vec<String> {
        found(nodes, ingested, at(0))
            .into_iter()
            .map(|found| found.what)
            .collect()
    }

    #[test]
    fn all_is_well_where_nothing_waits() {
        let calm = Ingested {
            stored: 10_000,
            refused: 49,
            ..Ingested::default()
        };
        assert_eq!(whats(&[node()], &calm), [""; 0]);
        let few = Ingested {
            stored: 0,
            refused: 49,
            ..Ingested::default()
        };
        assert_eq!(whats(&[], &few), [""; 0]);
    }

    #[test]
    fn a_queue_that_is_a_minute_old_is_told_with_its_reason() {
        let late = Node {
            oldest_ms: 61_000,
            backlog_records: 12,
            writer_error: Some("the database does not answer".to_owned()),
            ..node()
        };
        let told = found(&[late], &Ingested::default(), at(0));
        assert_eq!(
            told[0].what,
            "12 batches wait at 127.0.0.1:7700, the oldest for 61 s: the database does not answer"
        );
        assert_eq!(told[0].since, at(-66));
    }

    #[test]
    fn a_server_that_says_nothing_is_gone_for_an_hour() {
        let unheard = |seconds: i64| {
            whats(
                &[Node {
                    seen_at: PgTime(at(-seconds)),
                    ..node()
                }],
                &Ingested::default(),
            )
            .len()
        };
        assert_eq!([60, 61, 3_600, 3_601].map(unheard), [0, 1, 1, 0]);
    }

    #[test]
    fn a_failed_journal_is_told() {
        let told = whats(
            &[Node {
                poisoned: true,
                ..node()
            }],
            &Ingested::default(),
        );
        assert!(told[0].contains("takes no events until a restart"), "{told:?}");
    }

    #[test]
    fn refusals_count_from_one_in_twenty_and_fifty_on() {
        let refused = |stored, refused| {
            whats(
                &[],
                &Ingested {
                    stored,
                    refused,
                    ..Ingested::default()
                },
            )
            .len()
        };
        assert_eq!(
            (refused(950, 50), refused(951, 50), refused(0, 50), refused(0, 49)),
            (1, 0, 1, 0)
        );
    }

    #[test]
    fn one_dead_letter_is_enough() {
        let dead = Ingested {
            dead: 1,
            dead_since: Some(PgTime(at(-9))),
            ..Ingested::default()
        };
        assert_eq!(found(&[], &dead, at(0))[0].since, at(-9));
    }
}
