//! `trailmark deadletter`

use std::fmt::Write;

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::store::{self, Replayed, Store};

use super::database;
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, table};

#[derive(Serialize)]
struct Row {
    project: i32,
    event: String,
    sqlstate: Option<String>,
    reason: String,
    detail: String,
    received_at: Option<String>,
    failed_at: String,
}

impl From<store::DeadLetter> for Row {
    fn from(letter: store::DeadLetter) -> Self {
        Self {
            project: letter.project_id,
            event: letter.event_id.to_string(),
            sqlstate: letter.sqlstate,
            reason: letter.reason,
            detail: letter.detail,
            received_at: letter.received_at.map(|at| at.to_string()),
            failed_at: letter.failed_at.to_string(),
        }
    }
}

#[derive(Serialize)]
struct List {
    dead_letters: Vec<Row>,
}

impl Report for List {
    fn text(&self, out: &mut String) {
        if self.dead_letters.is_empty() {
            out.push_str("no dead letters\n");
            return;
        }
        let heading = ["PROJECT", "EVENT", "FAILED AT", "REASON", "SQLSTATE", "DETAIL"].map(str::to_owned);
        let rows = self.dead_letters.iter().map(|row| {
            let sqlstate = row.sqlstate.clone().unwrap_or_else(|| "-".to_owned());
            let (failed_at, reason, detail) = (row.failed_at.clone(), row.reason.clone(), row.detail.clone());
            [
                row.project.to_string(),
                row.event.clone(),
                failed_at,
                reason,
                sqlstate,
                detail,
            ]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    }
}

#[derive(Serialize)]
struct Outcome {
    stored: u64,
    duplicates: u64,
    refused: u64,
}

impl Report for Outcome {
    fn text(&self, out: &mut String) {
        let Self {
            stored,
            duplicates,
            refused,
        } = self;
        let _ = writeln!(
            out,
            "{stored} stored, {duplicates} were stored already, {refused} refused again"
        );
    }
}

pub(super) async fn run(config: &Config, command: &args::DeadLetter, output: Output) -> Result<(), Failure> {
    match command {
        args::DeadLetter::List { project, limit } => {
            let list = async |store: &Store| Ok(store.list_dead_letters(*project, *limit).await?);
            let letters = database::with(config, list).await?;
            output.print(&List {
                dead_letters: letters.into_iter().map(Row::from).collect(),
            })
        }
        args::DeadLetter::Replay { project, event } => {
            let replay = async |store: &Store| Ok(store.replay_dead_letters(*project, *event).await?);
            let Replayed {
                stored,
                duplicates,
                refused,
            } = database::with(config, replay).await?;
            output.print(&Outcome {
                stored,
                duplicates,
                refused,
            })?;
            match refused {
                0 => Ok(()),
                _ => Err(Failure::failed(format!("{refused} events were refused again"))
                    .hint("trailmark deadletter list says why")),
            }
        }
    }
}
