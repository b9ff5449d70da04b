//! `trailmark migrate`

use std::fmt::Write;

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::store::Store;

use super::database;
use crate::failure::Failure;
use crate::output::{Output, Report};

#[derive(Serialize)]
struct Migrated {
    schema_version: i64,
}

impl Report for Migrated {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "the schema is at version {}", self.schema_version);
    }
}

pub(super) async fn run(config: &Config, output: Output) -> Result<(), Failure> {
    database::with(config, async |_: &Store| Ok(())).await?;
    output.print(&Migrated {
        schema_version: Store::known_version(),
    })
}
