//! What is told to whom when problems open and close, as a pure function.

use std::collections::HashMap;

use trailmark_protocol::{Timestamp, Uuid};

use super::on::On;
use crate::observe::{Found, Kind};

/// The same problem is told of as opened no more often than this: 10 minutes, in microseconds. If it opens again sooner, that
/// is told when they are over, if it is still open then.
pub const FLAPPING_MICROS: i64 = 10 * 60 * 1_000_000;

/// What became of a problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The number of the problem: the same from its opening to its end.
    pub problem_id: i64,
    /// The problem, as it was found last.
    pub found: Found,
    /// What became of it.
    pub kind: TransitionKind,
}

/// What became of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind {
    /// It was not there before.
    Opened,
    /// It is over.
    Closed {
        /// Since when.
        at: Timestamp,
    },
    /// It is still there. Whether that is worth a word, each alert decides: say it of every open problem, as often as you look.
    Reminder,
}

macro_rules! occasions {
    ($($(#[$doc:meta])* $name:ident = $word:literal $event:literal,)*) => {
        /// Why a message is sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Occasion { $($(#[$doc])* $name,)* }

        impl Occasion {
            /// The stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What a webhook calls it in `type`.
            #[must_use]
            pub const fn event(self) -> &'static str {
                match self { $(Self::$name => $event,)* }
            }
        }

        impl TryFrom<String> for Occasion {
            type Error = String;

            fn try_from(word: String) -> Result<Self, String> {
                match word.as_str() {
                    $($word => Ok(Self::$name),)*
                    _ => Err(format!("unknown occasion: {word}")),
                }
            }
        }
    };
}

occasions! {
    /// A problem opened.
    Opened = "opened" "problem.opened",
    /// It is over.
    Closed = "closed" "problem.closed",
    /// It is still there.
    Reminder = "reminder" "problem.reminder",
    /// Somebody tries the alert.
    Test = "test" "alert.test",
}

/// An alert that is enabled, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub struct Listener {
    /// Its number.
    pub alert_id: i64,
    /// Which problems.
    pub on: On,
    /// Who gets a message each.
    pub recipients: Vec<String>,
    /// Whether the end is told.
    pub recover: bool,
    /// After how long it is told again, in microseconds.
    pub remind_every: Option<i64>,
    /// Whether it is silenced at this moment.
    pub silenced: bool,
}

/// What a recipient was told of a problem before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The message of its opening, and when that was to be told.
    pub opening: Option<(Uuid, Timestamp)>,
    /// Which reminder was the last; 0: none.
    pub last_turn: i64,
    /// Whether any message has reached the recipient, or may have.
    pub reached: bool,
    /// Whether one waits to be sent.
    pub waiting: bool,
}

/// Alert, problem, recipient.
pub type AboutProblem = (i64, i64, String);

/// Alert, kind, subject, recipient.
pub type AboutSubject = (i64, Kind, String, String);

/// What was told before, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Of the problems that are looked at.
    pub problems: HashMap<AboutProblem, Told>,
    /// When the last opening of the same was to be told.
    pub openings: HashMap<AboutSubject, Timestamp>,
}

/// A message to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned<'a> {
    /// Of which alert.
    pub alert_id: i64,
    /// To whom.
    pub recipient: &'a str,
    /// Why.
    pub occasion: Occasion,
    /// Which reminder.
    pub turn: i64,
    /// When, at the earliest.
    pub not_before: Timestamp,
    /// The message of the opening.
    pub follows: Option<Uuid>,
    /// Of what.
    pub transition: &'a Transition,
}

/// What is told to whom. A silenced alert gets its messages too: they wait.
#[must_use]
pub fn plan<'a>(
    listeners: &'a [Listener],
    history: &History,
    transitions: &'a [Transition],
    now: Timestamp,
) -> Vec<Planned<'a>> {
    let mut planned = Vec::new();
    for transition in transitions {
        for listener in listeners {
            let messages = listener.recipients.iter();
            planned.extend(messages.filter_map(|recipient| message(listener, recipient, history, transition, now)));
        }
    }
    planned
}

fn message<'a>(
    listener: &'a Listener,
    recipient: &'a str,
    history: &History,
    transition: &'a Transition,
    now: Timestamp,
) -> Option<Planned<'a>> {
    let found = &transition.found;
    let told = history
        .problems
        .get(&(listener.alert_id, transition.problem_id, recipient.to_owned()));
    let concerned = listener.on.concerns(listener.alert_id, found.kind, &found.subject);
    let (occasion, turn, not_before) = match transition.kind {
        TransitionKind::Opened if concerned => {
            let subject = (
                listener.alert_id,
                found.kind,
                found.subject.clone(),
                recipient.to_owned(),
            );
            let last = history.openings.get(&subject);
            let not_before = last.map_or(now, |last| now.max(last.plus_micros(FLAPPING_MICROS)));
            (Occasion::Opened, 0, not_before)
        }
        // Whoever was told of a problem hears of its end, even if the alert now names others.
        TransitionKind::Closed { .. } if listener.recover && told?.reached => (Occasion::Closed, 0, now),
        TransitionKind::Reminder if concerned && !listener.silenced => {
            (Occasion::Reminder, due_turn(listener.remind_every?, told?, now)?, now)
        }
        _ => return None,
    };
    Some(Planned {
        alert_id: listener.alert_id,
        recipient,
        occasion,
        turn,
        not_before,
        follows: told.and_then(|told| told.opening).map(|(id, _)| id),
        transition,
    })
}

/// Which reminder is due, if one is: the `n`th `n` times `every` after the opening; those that were missed are not made up for.
fn due_turn(every: i64, told: &Told, now: Timestamp) -> Option<i64> {
    let (_, opened_at) = told.opening.filter(|_| told.reached && !told.waiting)?;
    let turn = (now.micros() - opened_at.micros()) / every.max(1);
    (turn > told.last_turn).then_some(turn)
}

#[cfg(test)]
mod tests;
