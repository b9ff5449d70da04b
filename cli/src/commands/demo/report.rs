//! What the demo shows.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::api::Stats;
use super::shop;
use crate::import::summary::Summary;
use crate::output::{Report, thousands};

/// What was played, what is stored, and how to go on.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Demo {
    pub(super) url: String,
    /// What to open in a browser.
    pub(super) open: String,
    pub(super) project: i32,
    pub(super) write_key: String,
    pub(super) secret_key: String,
    pub(super) import: Summary,
    pub(super) stored: Stats,
    pub(super) by_status_class: BTreeMap<String, i64>,
}

impl Report for Demo {
    fn text(&self, out: &mut String) {
        out.push_str("\nPlayed through the client SDK over HTTP\n");
        self.import.text(out);
        for line in &self.import.malformed_lines {
            let _ = writeln!(out, "{:>12} line {}: {}", "", line.line, line.reason);
        }
        out.push_str("\nNow in the database\n");
        self.stored(out);
        out.push_str("\nTry it\n");
        self.try_it(out);
    }
}

impl Demo {
    fn stored(&self, out: &mut String) {
        let Stats {
            events,
            persons,
            devices,
            ..
        } = self.stored;
        let mut row = |count: u64, of_what: &str| {
            let _ = writeln!(out, "{:>12} {of_what}", thousands(count));
        };
        row(events, "events");
        row(persons, "persons");
        row(devices, "devices");
        self.stored
            .by_event
            .iter()
            .for_each(|named| row(named.count, &format!("of them {}", named.event)));
        let classes = self.by_status_class.iter();
        classes.for_each(|(class, count)| row(count.unsigned_abs(), &format!("with status {class}")));
        self.stored
            .by_day
            .iter()
            .for_each(|day| row(day.events, &format!("on {}", day.day)));
        if self.stored.dead_letters > 0 {
            row(self.stored.dead_letters, "dead letters (trailmark deadletter list)");
        }
        if let (Some(first), Some(last)) = (&self.stored.first_event_at, &self.stored.last_event_at) {
            let _ = writeln!(out, "{:>12} {first} to {last}", "from");
        }
    }

    fn try_it(&self, out: &mut String) {
        let Self {
            url,
            open,
            write_key,
            secret_key,
            ..
        } = self;
        let _ = writeln!(out, "  open        {open}");
        let _ = writeln!(out, "  a shop      {url}{}", shop::PATH);
        let _ = writeln!(out, "  write key   {write_key}");
        let _ = writeln!(out, "  secret key  {secret_key}");
        let _ = writeln!(
            out,
            "\n  curl -H 'Authorization: Bearer {secret_key}' {url}/api/analytics/stats"
        );
        let _ = writeln!(
            out,
            "  curl -H 'Authorization: Bearer {write_key}' {url}/api/events \\\n       \
             -d '{{\"anonymous_id\":\"visitor-1\",\"name\":\"signup\",\"properties\":{{\"plan\":\"pro\"}}}}'"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::ByEvent;
    use super::*;

    #[test]
    fn the_report_shows_counts_malformed_lines_and_how_to_go_on() {
        let mut demo = Demo {
            url: "http://127.0.0.1:7700".to_owned(),
            write_key: "tm_pk_x".to_owned(),
            ..Demo::default()
        };
        demo.import
            .note_malformed(8899, crate::import::combined::Malformed::BadTime);
        demo.stored.events = 9999;
        demo.stored.by_event = vec![ByEvent {
            event: "$request".to_owned(),
            count: 9999,
        }];
        demo.by_status_class.insert("4xx".to_owned(), 220);
        let mut text = String::new();
        demo.text(&mut text);
        for part in [
            "9,999 events",
            "9,999 of them $request",
            "220 with status 4xx",
            "line 8899: the time",
            "Bearer tm_pk_x",
            "http://127.0.0.1:7700/shop/",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
    }
}
