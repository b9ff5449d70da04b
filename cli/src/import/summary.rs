//! What an import did.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::combined::Malformed;
use crate::output::{Report, thousands};

/// The most malformed lines a summary lists: 100, a screen or two. All of them are reported on stderr and counted.
pub const LISTED_LINES: usize = 100;

/// What an import did. `lines = events + malformed`, and `events = accepted + the sum of dropped + undelivered`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Lines read.
    pub lines: u64,
    /// Lines that became events.
    pub events: u64,
    /// Events that the server has taken. Those that it had already are among them: the server tells duplicates apart
    /// when it stores them, not when it takes them.
    pub accepted: u64,
    /// Events refused or lost, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Events that could not be delivered in time.
    pub undelivered: u64,
    /// Lines that are no request.
    pub malformed: u64,
    /// The first of them.
    pub malformed_lines: Vec<MalformedLine>,
    /// Different visitors.
    pub devices: usize,
    /// Whether there may have been more devices than could be told apart.
    pub devices_is_lower_bound: bool,
    /// How long it took.
    pub seconds: f64,
    /// Accepted events per second.
    pub events_per_second: f64,
}

/// A line that is no request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MalformedLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

impl Summary {
    /// Counts a malformed line.
    pub fn note_malformed(&mut self, line: u64, why: Malformed) {
        self.malformed += 1;
        if self.malformed_lines.len() < LISTED_LINES {
            self.malformed_lines.push(MalformedLine {
                line,
                reason: why.to_string(),
            });
        }
    }

    /// Whether every event that was read is at the server.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.accepted == self.events
    }
}

impl Report for Summary {
    fn text(&self, out: &mut String) {
        let more = if self.devices_is_lower_bound { " or more" } else { "" };
        let _ = writeln!(out, "{:>12} lines read", thousands(self.lines));
        let _ = writeln!(
            out,
            "{:>12} events accepted, from {}{more} devices",
            thousands(self.accepted),
            thousands(self.devices as u64)
        );
        let _ = writeln!(out, "{:>12} malformed", thousands(self.malformed));
        for (reason, count) in &self.dropped {
            let _ = writeln!(out, "{:>12} dropped: {reason}", thousands(*count));
        }
        if self.undelivered > 0 {
            let _ = writeln!(out, "{:>12} not delivered", thousands(self.undelivered));
        }
        let _ = writeln!(
            out,
            "{:>12.1} seconds, {} events/s",
            self.seconds,
            thousands(self.events_per_second as u64)
        );
    }
}
