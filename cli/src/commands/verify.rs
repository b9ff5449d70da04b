//! `trailmark verify`

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::query::Reader;
use trailmark_server::query::ask::sample::{self, Compared};
use trailmark_server::query::time::At;
use trailmark_server::store::{Store, Verified};

use super::query::refused;
use super::{database, project};
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
    questions: Questions,
}

/// A sample of questions that segments and rows were asked at one moment.
#[derive(Serialize)]
struct Questions {
    same: usize,
    different: Vec<Value>,
    /// Rows took too long, or segments cannot answer.
    unanswered: usize,
}

impl Questions {
    fn text(&self) -> String {
        match (self.same + self.unanswered, self.different.len()) {
            (0, 0) => "none".to_owned(),
            (_, 0) => format!("{} the same", self.same),
            (_, different) => format!("{different} different"),
        }
    }

    fn of(compared: Vec<(Value, Compared)>) -> Self {
        let count = |wanted: Compared| compared.iter().filter(|(_, found)| *found == wanted).count();
        Self {
            same: count(Compared::Same),
            unanswered: count(Compared::Unanswered),
            different: compared
                .into_iter()
                .filter(|(_, found)| *found == Compared::Different)
                .map(|(question, _)| question)
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct Wrong {
    event: String,
    week: At,
    what: String,
}

impl Project {
    fn of(project: i32, found: Verified, rebuilt: bool, questions: Questions) -> Self {
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
            questions,
        }
    }
}

impl Report for All {
    fn text(&self, out: &mut String) {
        let heading = [
            "PROJECT",
            "SEGMENTS",
            "EVENTS",
            "BYTES",
            "LATE",
            "STALE",
            "WRONG",
            "QUESTIONS",
        ]
        .map(str::to_owned);
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
            let asked = project.questions.text();
            [
                project.project.to_string(),
                segments,
                events,
                bytes,
                late,
                stale,
                wrong,
                asked,
            ]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
        let different = self.projects.iter().flat_map(|project| &project.questions.different);
        different.for_each(|question| out.push_str(&format!("\ndifferent: {question}\n")));
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
    fn different(&self) -> usize {
        self.projects
            .iter()
            .map(|project| project.questions.different.len())
            .sum()
    }

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
            let reader = Reader::new(store.pool().clone(), project);
            let compared = sample::compare(&reader, SystemClock.now()).await.map_err(refused)?;
            all.projects
                .push(Project::of(project, found, rebuild, Questions::of(compared)));
        }
        Ok(all)
    };
    let all = database::with(config, work).await?;
    output.print(&all)?;
    match (all.wrong(), command.rebuild) {
        (0, _) if all.different() > 0 => Err(Failure::failed(
            "segments and rows answer differently, and no segment is wrong",
        )
        .hint("this is a bug of ours: please tell us the question")),
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
    match wanted {
        Some(wanted) => {
            project::known(store, wanted).await?;
            Ok(vec![wanted])
        }
        None => Ok(store
            .list_projects()
            .await?
            .into_iter()
            .map(|project| project.id)
            .collect()),
    }
}
