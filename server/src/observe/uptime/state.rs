//! Whether a monitor is up or down, as a function of what was known before and of one check.

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

/// Checks in a row that fail before a monitor is down: 2 (docs of the first screen, "monitor down (2 failed checks in a
/// row)"): one failure may be a hiccup of the network between.
pub const FAILURES_TO_BE_DOWN: i32 = 2;

/// What is known of a monitor. One check that does not fail is enough to be up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MonitorState)]
pub enum State {
    /// It was not checked yet, or not since it was changed.
    Unknown,
    /// The last check did not fail.
    Up,
    /// The last check failed, and the one before did not: it is checked again soon.
    Failing,
    /// Two checks in a row failed.
    Down,
    /// It is not checked.
    Paused,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Up, Self::Failing, Self::Down, Self::Paused];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Failing => "failing",
            Self::Down => "down",
            Self::Paused => "paused",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// How a monitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What is known.
    pub state: State,
    /// Since when. Of one that is failing or down: when the first of its failed checks began.
    pub since: Timestamp,
    /// Checks that failed since the last that did not.
    pub failures: i32,
}

/// What a change of the standing means for the monitor's incident. One is open exactly while the state is
/// [`State::Down`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is none, and none begins.
    Nothing,
    /// One begins.
    Opens {
        /// When the first failed check began.
        started_at: Timestamp,
    },
    /// It lasts: another check has failed.
    GoesOn,
    /// It ends.
    Ends {
        /// When.
        at: Timestamp,
        /// By what.
        by: EndedBy,
    },
}

/// What ends an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// A check that did not fail.
    Recovered,
    /// Somebody who paused the monitor.
    Paused,
    /// Somebody who changed what it asks.
    Changed,
}

impl EndedBy {
    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Paused => "paused",
            Self::Changed => "changed",
        }
    }
}

impl Standing {
    /// That of a monitor that was not checked yet.
    #[must_use]
    pub const fn unknown(since: Timestamp) -> Self {
        Self {
            state: State::Unknown,
            since,
            failures: 0,
        }
    }

    /// After a check that began `at`.
    #[must_use]
    pub fn checked(self, failed: bool, at: Timestamp) -> (Self, Step) {
        match (self.state, failed) {
            (State::Paused, _) => (self, Step::Nothing),
            (State::Up, false) => (self, Step::Nothing),
            (_, false) => (self.become_at(State::Up, at), self.ends(at, EndedBy::Recovered)),
            (State::Down, true) => (self.failed_again(), Step::GoesOn),
            (State::Failing, true) => self.failed_again().judged(),
            (State::Unknown | State::Up, true) => self.become_at(State::Failing, at).failed_again().judged(),
        }
    }

    /// After somebody has paused it.
    #[must_use]
    pub fn paused(self, at: Timestamp) -> (Self, Step) {
        match self.state {
            State::Paused => (self, Step::Nothing),
            _ => (self.become_at(State::Paused, at), self.ends(at, EndedBy::Paused)),
        }
    }

    /// After somebody has changed what it asks, or lets it go on.
    #[must_use]
    pub fn changed(self, at: Timestamp) -> (Self, Step) {
        (Self::unknown(at), self.ends(at, EndedBy::Changed))
    }

    const fn become_at(self, state: State, since: Timestamp) -> Self {
        Self {
            state,
            since,
            failures: 0,
        }
    }

    const fn failed_again(self) -> Self {
        Self {
            failures: self.failures.saturating_add(1),
            ..self
        }
    }

    /// Down, if it failed often enough.
    const fn judged(self) -> (Self, Step) {
        if self.failures < FAILURES_TO_BE_DOWN {
            return (self, Step::Nothing);
        }
        let down = Self {
            state: State::Down,
            ..self
        };
        (down, Step::Opens { started_at: self.since })
    }

    /// Clocks of two servers differ a little; an incident never ends before it began.
    fn ends(self, at: Timestamp, by: EndedBy) -> Step {
        match self.state {
            State::Down => Step::Ends {
                at: at.max(self.since),
                by,
            },
            _ => Step::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn after(checks: &[(bool, i64)]) -> (Standing, Vec<Step>) {
        let mut standing = Standing::unknown(at(0));
        let steps = checks.iter().map(|(failed, seconds)| {
            let (next, step) = standing.checked(*failed, at(*seconds));
            standing = next;
            step
        });
        let steps = steps.collect();
        (standing, steps)
    }

    #[test]
    fn one_failure_is_a_hiccup_and_two_in_a_row_are_an_incident_since_the_first() {
        let (standing, steps) = after(&[
            (false, 1),
            (true, 60),
            (false, 70),
            (true, 120),
            (true, 130),
            (true, 180),
        ]);
        let opens = Step::Opens { started_at: at(120) };
        let nothing = Step::Nothing;
        assert_eq!(steps, [nothing, nothing, nothing, nothing, opens, Step::GoesOn]);
        assert_eq!(
            (standing.state, standing.since, standing.failures),
            (State::Down, at(120), 3)
        );
        let (up, step) = standing.checked(false, at(240));
        let by = EndedBy::Recovered;
        assert_eq!(step, Step::Ends { at: at(240), by });
        assert_eq!((up.state, up.since, up.failures), (State::Up, at(240), 0));
    }

    #[test]
    fn one_that_was_never_up_can_be_down() {
        assert_eq!(after(&[(true, 1), (true, 2)]).0.state, State::Down);
        assert_eq!(after(&[(true, 1)]).0.state, State::Failing);
    }

    #[test]
    fn who_pauses_or_changes_it_ends_its_incident() {
        let (down, _) = after(&[(true, 1), (true, 2)]);
        let end = |by| Step::Ends { at: at(5), by };
        assert_eq!(down.paused(at(5)).1, end(EndedBy::Paused));
        assert_eq!(down.changed(at(5)).1, end(EndedBy::Changed));
        let (paused, _) = down.paused(at(5));
        assert_eq!(paused.paused(at(9)), (paused, Step::Nothing));
        assert_eq!(paused.checked(true, at(9)), (paused, Step::Nothing));
        assert_eq!(paused.changed(at(9)), (Standing::unknown(at(9)), Step::Nothing));
    }

    #[test]
    fn an_incident_never_ends_before_it_began() {
        let (down, _) = after(&[(true, 10), (true, 11)]);
        assert_eq!(
            down.checked(false, at(4)).1,
            Step::Ends {
                at: at(10),
                by: EndedBy::Recovered
            }
        );
    }

    #[test]
    fn states_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("sideways"), None);
    }

    proptest! {
        /// Against a second, plainer telling of the rules: incidents are the runs of two or more failures.
        #[test]
        fn incidents_are_the_runs_of_failures(checks in vec((any::<u8>(), 1_i64..100), 0..80)) {
            let (mut standing, mut open, mut now) = (Standing::unknown(at(0)), None, 0);
            let mut run: Vec<i64> = Vec::new();
            let mut is_paused = false;
            for (what, wait) in checks {
                now += wait;
                let (next, step) = match what % 16 {
                    0 => { is_paused = true; run.clear(); standing.paused(at(now)) }
                    1 => { is_paused = false; run.clear(); standing.changed(at(now)) }
                    what => {
                        let failed = what % 2 == 0;
                        if !failed || is_paused { run.clear() } else { run.push(now) }
                        standing.checked(failed, at(now))
                    }
                };
                match step {
                    Step::Opens { started_at } => prop_assert_eq!(open.replace(started_at), None),
                    Step::GoesOn => prop_assert!(open.is_some()),
                    Step::Ends { at, .. } => prop_assert!(open.take().is_some_and(|started| started <= at)),
                    Step::Nothing => {}
                }
                standing = next;
                let expected = (run.len() >= 2).then(|| at(run[0]));
                prop_assert_eq!(open, expected);
                prop_assert_eq!(standing.state == State::Down, open.is_some());
                prop_assert_eq!(standing.state == State::Paused, is_paused);
                prop_assert_eq!(standing.failures as usize, run.len());
            }
        }
    }
}
