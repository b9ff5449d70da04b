//! `trailmark project`

use std::fmt::Write;

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::store::{Project, Store};

use super::database;
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, table};

#[derive(Serialize)]
struct Row {
    id: i32,
    name: String,
    created_at: String,
}

impl From<Project> for Row {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            created_at: project.created_at.to_string(),
        }
    }
}

/// A new project.
impl Report for Row {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "project {}: {}", self.id, self.name);
    }
}

#[derive(Serialize)]
struct List {
    projects: Vec<Row>,
}

impl Report for List {
    fn text(&self, out: &mut String) {
        let heading = ["ID", "NAME", "CREATED"].map(str::to_owned);
        let rows = self
            .projects
            .iter()
            .map(|row| [row.id.to_string(), row.name.clone(), row.created_at.clone()]);
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    }
}

pub(super) async fn run(config: &Config, command: &args::Project, output: Output) -> Result<(), Failure> {
    match command {
        args::Project::Create { name } if name.trim().is_empty() => Err(Failure::usage("a project needs a name")),
        args::Project::Create { name } => {
            let project = database::with(config, async |store: &Store| Ok(store.create_project(name).await?)).await?;
            output.print(&Row::from(project))
        }
        args::Project::List => {
            let projects = database::with(config, async |store: &Store| Ok(store.list_projects().await?)).await?;
            output.print(&List {
                projects: projects.into_iter().map(Row::from).collect(),
            })
        }
    }
}

/// Whether there is this project.
pub(super) async fn known(store: &Store, project: i32) -> Result<(), Failure> {
    match store.project(project).await? {
        Some(_) => Ok(()),
        None => Err(Failure::failed(format!("there is no project {project}")).hint("trailmark project list")),
    }
}
