//! `trailmark verify`

use std::fmt::Write;

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::query::time::At;
use trailmark_server::store::{Store, Verified};

use super::database;
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, table};

#[derive(Serialize)]
struct All {
    projects: Vec<Project>,
}

/// What was found, and whether it was made right.
#[derive(Serialize)]
struct Project {
    project: i32,
    segments: u64,
    events: u64,
    bytes: u64,
    late: u64,
    stale: u64,
    wrong: Vec<Wrong>,
    rebuilt: bool,
}

#[derive(Serialize)]
struct Wrong {
    event: String,
    week: At,
    what: String,
}

impl Project {
    fn of(project: i32, found: Verified, rebuilt: bool) -> Self {
        let wrong = found.wrong.into_iter().map(|wrong| Wrong {
            event: wrong.event,
            week: At(wrong.week),
            what: wrong.what,
        });
        Self {
            project,
            segments: found.segments,
            events: found.events,
            bytes: found.bytes,
            late: found.late,
            stale: found.stale,
            wrong: wrong.collect(),
            rebuilt,
        }
    }
}

impl Report for All {
    fn text(&self, out: &mut String) {
        let heading = ["PROJECT", "SEGMENTS", "EVENTS", "BYTES", "LATE", "STALE", "WRONG"].map(str::to_owned);
        let rows = self.projects.iter().map(|project| {
            let numbers = [
                project.segments,
                project.events,
                project.bytes,
                project.late,
                project.stale,
            ];
            let [segments, events, bytes, late, stale] = numbers.map(|number| number.to_string());
            let wrong = project.wrong.len().to_string();
            [project.project.to_string(), segments, events, bytes, late, stale, wrong]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
        if self.wrong() == 0 {
            return;
        }
        let heading = ["PROJECT", "EVENT", "WEEK", "WHAT IS WRONG", "NOW"].map(str::to_owned);
        let rows = self.projects.iter().flat_map(|project| {
            let now = if project.rebuilt { "made anew" } else { "wrong" };
            project.wrong.iter().map(move |wrong| {
                let week = wrong.week.0.to_string();
                [
                    project.project.to_string(),
                    wrong.event.clone(),
                    week,
                    wrong.what.clone(),
                    now.to_owned(),
                ]
            })
        });
        let _ = write!(
            out,
            "\n{}",
            table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
        );
    }
}

impl All {
    fn wrong(&self) -> usize {
        self.projects.iter().map(|project| project.wrong.len()).sum()
    }
}

pub(super) async fn run(config: &Config, command: &args::Verify, output: Output) -> Result<(), Failure> {
    let work = async |store: &Store| {
        let mut all = All { projects: Vec::new() };
        for project in projects(store, command.project).await? {
            let found = store.verify_segments(project).await?;
            let rebuild = command.rebuild && !found.wrong.is_empty();
            if rebuild {
                store.rebuild_wrong(project, &found.wrong).await?;
            }
            all.projects.push(Project::of(project, found, rebuild));
        }
        Ok(all)
    };
    let all = database::with(config, work).await?;
    output.print(&all)?;
    match (all.wrong(), command.rebuild) {
        (0, _) => Ok(()),
        (1, true) => Err(Failure::failed("one segment was wrong, and is made anew")),
        (wrong, true) => Err(Failure::failed(format!(
            "{wrong} segments were wrong, and are made anew"
        ))),
        (1, false) => Err(Failure::failed("one segment is wrong").hint("trailmark verify --rebuild")),
        (wrong, false) => {
            Err(Failure::failed(format!("{wrong} segments are wrong")).hint("trailmark verify --rebuild"))
        }
    }
}

async fn projects(store: &Store, wanted: Option<i32>) -> Result<Vec<i32>, Failure> {
    let all: Vec<i32> = store
        .list_projects()
        .await?
        .into_iter()
        .map(|project| project.id)
        .collect();
    match wanted {
        Some(project) if all.contains(&project) => Ok(vec![project]),
        Some(project) => Err(Failure::failed(format!("there is no project {project}")).hint("trailmark project list")),
        None => Ok(all),
    }
}
