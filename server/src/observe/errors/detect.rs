//! What is wrong with a project's errors at this moment.
//!
//! - `new_issue`: an issue that is `new` and was first seen in the last 24 hours.
//! - `regressed_issue`: an issue that is `regressed` and was seen in the last 24 hours.
//! - `error_spike`: an issue that happens far more often than usual ([`spike`](super::spike)); or, if no single one does, all
//!   of a project's together, where many small ones add up.
//!
//! Warnings are no problem, whether the app has caught them or not: somebody said that they may be none. An error that the
//! app has caught is one: it did not do what it should have done. What is ignored or resolved is no problem.

use trailmark_protocol::Timestamp;

use super::spike::spike;
use super::state::State;
use crate::observe::problem::{Found, Kind};
use crate::store::{BusyQuarter, FreshIssue, Store, StoreError};

/// The subject of the problem of all errors together.
const TOGETHER: &str = "all";

/// Longest message in a sentence, in characters.
const MESSAGE_CHARS: usize = 100;

/// A spike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spike<'a> {
    /// The issue's number; 0: all together.
    pub number: i32,
    /// Events that are usual in such a quarter-hour.
    pub usual: i64,
    /// The quarter-hour.
    pub busy: &'a BusyQuarter,
}

/// What is wrong: two or three statements, of which each looks at some hundred rows.
///
/// # Errors
/// What stands in the way.
pub async fn found(store: &Store, project_id: i32, now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let fresh = store.fresh_issues(project_id, now).await?;
    let busy = store.busy_issues(project_id, now).await?;
    let together = match spiking(&busy).is_empty() {
        true => store.busy_together(project_id, now).await?,
        false => Vec::new(),
    };
    Ok(judge(&fresh, &busy, &together))
}

/// What is wrong, of what the store tells.
#[must_use]
pub fn judge(fresh: &[FreshIssue], busy: &[BusyQuarter], together: &[BusyQuarter]) -> Vec<Found> {
    let mut found: Vec<Found> = fresh.iter().filter_map(of_fresh).collect();
    let mut spikes = spiking(busy);
    if spikes.is_empty() {
        spikes = spiking(together);
    }
    found.extend(spikes.iter().map(of_spike));
    found
}

/// The spikes, one for each issue: in the earlier quarter-hour, if in both.
#[must_use]
pub fn spiking(busy: &[BusyQuarter]) -> Vec<Spike<'_>> {
    let mut spikes: Vec<Spike<'_>> = Vec::new();
    for busy in busy {
        let is_told = spikes.iter().any(|spike| spike.number == busy.number);
        if let Some(usual) = spike(busy.events, busy.people, &busy.past).filter(|_| !is_told) {
            spikes.push(Spike {
                number: busy.number,
                usual,
                busy,
            });
        }
    }
    spikes
}

fn of_fresh(issue: &FreshIssue) -> Option<Found> {
    let (kind, since, what, compared_with) = match State::parse(&issue.state)? {
        State::New => (
            Kind::NewIssue,
            issue.first_seen,
            "New error",
            Some("never seen before".to_owned()),
        ),
        State::Regressed => {
            let resolved = issue.resolved_at.map(|at| format!("resolved on {}", day(at.0)));
            (Kind::RegressedIssue, issue.state_at, "Resolved error is back", resolved)
        }
        _ => return None,
    };
    let place = if issue.culprit.is_empty() {
        String::new()
    } else {
        format!(" in {}", issue.culprit)
    };
    Some(Found {
        kind,
        subject: issue.number.to_string(),
        what: format!("{what}: {}{place}", named(&issue.kind, &issue.title)),
        since: since.0,
        people: Some(issue.people),
        compared_with,
        evidence: format!("/api/v1/issues/{}", issue.number),
    })
}

fn of_spike(spike: &Spike<'_>) -> Found {
    let Spike { number, usual, busy } = spike;
    let (subject, what, evidence) = if *number == 0 {
        let what = format!("Errors of many kinds: {} in a quarter of an hour", busy.events);
        let evidence = format!("/api/v1/issues?sort=last_seen&from={}", busy.quarter.0);
        (TOGETHER.to_owned(), what, evidence)
    } else {
        let what = format!(
            "{}: {} times in a quarter of an hour",
            named(&busy.kind, &busy.title),
            busy.events
        );
        (number.to_string(), what, format!("/api/v1/issues/{number}"))
    };
    Found {
        kind: Kind::ErrorSpike,
        subject,
        what,
        since: busy.quarter.0,
        people: Some(busy.people),
        compared_with: Some(format!("usually {usual} at this time of the day")),
        evidence,
    }
}

/// `StateError: no card`.
fn named(kind: &str, title: &str) -> String {
    let mut short: String = title.chars().take(MESSAGE_CHARS).collect();
    if short.len() < title.len() {
        short.push('…');
    }
    if short.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}: {short}")
    }
}

/// `2026-11-20`.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PgTime;

    fn at(text: &str) -> PgTime {
        PgTime(Timestamp::parse(text).unwrap())
    }

    fn busy(number: i32, quarter: &str, events: i64, usual: i64) -> BusyQuarter {
        BusyQuarter {
            number,
            kind: "TypeError".to_owned(),
            title: "x is null".to_owned(),
            quarter: at(quarter),
            events,
            people: 9,
            past: vec![usual; 7],
        }
    }

    const EARLIER: &str = "2026-11-20T12:00:00Z";
    const LATER: &str = "2026-11-20T12:15:00Z";

    #[test]
    fn a_spike_is_told_once_with_when_it_began_and_what_is_usual() {
        let found = judge(
            &[],
            &[busy(7, EARLIER, 60, 5), busy(7, LATER, 90, 5)],
            &[busy(0, LATER, 90, 5)],
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].kind, found[0].subject.as_str(), found[0].since),
            (Kind::ErrorSpike, "7", at(EARLIER).0)
        );
        assert_eq!(found[0].what, "TypeError: x is null: 60 times in a quarter of an hour");
        assert_eq!(
            found[0].compared_with.as_deref(),
            Some("usually 5 at this time of the day")
        );
        assert_eq!(found[0].evidence, "/api/v1/issues/7");
    }

    #[test]
    fn many_small_ones_together_are_told_if_no_single_one_is() {
        let small: Vec<BusyQuarter> = (1..9).map(|number| busy(number, LATER, 11, 9)).collect();
        let found = judge(&[], &small, &[busy(0, LATER, 400, 70)]);
        assert_eq!((found.len(), found[0].subject.as_str()), (1, TOGETHER));
        assert_eq!(
            found[0].evidence,
            "/api/v1/issues?sort=last_seen&from=2026-11-20T12:15:00.000Z"
        );
        assert!(judge(&[], &small, &[busy(0, LATER, 88, 72)]).is_empty());
    }

    #[test]
    fn what_is_new_and_what_came_back_is_told_in_words() {
        let fresh = |state: &str| FreshIssue {
            number: 3,
            kind: "StateError".to_owned(),
            title: "no card".to_owned(),
            culprit: "Cart.pay (package:shop/cart.dart)".to_owned(),
            level: "error".to_owned(),
            state: state.to_owned(),
            state_at: at(LATER),
            first_seen: at(EARLIER),
            last_seen: at(LATER),
            resolved_at: Some(at("2026-11-17T09:00:00Z")),
            people: 12,
        };
        let found = judge(&[fresh("new"), fresh("regressed")], &[], &[]);
        assert_eq!(
            found[0].what,
            "New error: StateError: no card in Cart.pay (package:shop/cart.dart)"
        );
        assert_eq!(
            (found[0].kind, found[0].since, found[0].people),
            (Kind::NewIssue, at(EARLIER).0, Some(12))
        );
        assert_eq!((found[1].kind, found[1].since), (Kind::RegressedIssue, at(LATER).0));
        assert_eq!(found[1].compared_with.as_deref(), Some("resolved on 2026-11-17"));
    }
}
