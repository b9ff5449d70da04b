//! What the demo says when there is something to see.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::super::shop;
use crate::output::{Report, thousands};

/// What there is to see, and how to go on.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Seeded {
    /// Which database.
    pub(super) database: String,
    pub(super) schema_version: i64,
    pub(super) migrated_s: f64,
    /// Events sent by this start.
    pub(super) sent: u64,
    /// Events there are.
    pub(super) events: u64,
    pub(super) people: u64,
    pub(super) days: i64,
    /// What is broken, what is worst first.
    pub(super) incidents: Vec<Incident>,
    pub(super) seconds: f64,
    /// What to open in a browser.
    pub(super) open: String,
    pub(super) url: String,
    pub(super) project: i32,
    pub(super) write_key: String,
    pub(super) secret_key: String,
}

/// Something that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Incident {
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) what: String,
}

impl Incident {
    /// From a problem of the first screen.
    pub(super) fn read(problem: &Value) -> Self {
        let text = |field: &str| problem[field].as_str().unwrap_or_default().to_owned();
        Self {
            kind: text("kind"),
            subject: text("subject"),
            what: text("what"),
        }
    }
}

impl Report for Seeded {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "  postgres    {}", self.database);
        let _ = writeln!(
            out,
            "  migrated    to version {} in {:.1} s",
            self.schema_version, self.migrated_s
        );
        let _ = writeln!(
            out,
            "  seeded      {} events of {} people, {} days, {} incidents in {:.1} s",
            thousands(self.events),
            thousands(self.people),
            self.days,
            self.incidents.len(),
            self.seconds
        );
        for (at, incident) in self.incidents.iter().enumerate() {
            let label = if at == 0 { "broken" } else { "" };
            let _ = writeln!(out, "  {label:<10}  {}", incident.what);
        }
        let _ = writeln!(out, "  open        {}", self.open);
        let _ = writeln!(out, "  a shop      {}{}", self.url, shop::PATH);
        let _ = writeln!(out, "  write key   {}", self.write_key);
        let _ = writeln!(out, "  secret key  {}", self.secret_key);
    }
}
