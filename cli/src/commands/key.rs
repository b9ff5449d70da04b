//! `trailmark key`

use std::fmt::Write;

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::store::{ApiKey, NewKey, Store, StoreError};

use super::database;
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, table};

#[derive(Serialize)]
struct Row {
    project: i32,
    id: i32,
    kind: &'static str,
    hint: String,
    name: String,
    created_at: String,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

impl From<ApiKey> for Row {
    fn from(key: ApiKey) -> Self {
        Self {
            project: key.project_id,
            id: key.id,
            kind: key.kind.as_str(),
            hint: key.hint,
            name: key.name,
            created_at: key.created_at.to_string(),
            last_used_at: key.last_used_at.map(|at| at.to_string()),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Created {
    /// The whole key: this is the only time that it is shown.
    key: String,
    #[serde(flatten)]
    row: Row,
}

impl From<NewKey> for Created {
    fn from(new: NewKey) -> Self {
        Self {
            key: new.text,
            row: new.key.into(),
        }
    }
}

/// The key alone, so that a script can take it.
impl Report for Created {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "{}", self.key);
    }
}

#[derive(Serialize)]
struct List {
    keys: Vec<Row>,
}

impl Report for List {
    fn text(&self, out: &mut String) {
        let heading = ["PROJECT", "ID", "KIND", "KEY", "NAME", "LAST USED", "REVOKED"].map(str::to_owned);
        let never = || "never".to_owned();
        let rows = self.keys.iter().map(|row| {
            let last_used = row.last_used_at.clone().unwrap_or_else(never);
            let revoked = row.revoked_at.clone().unwrap_or_else(|| "no".to_owned());
            let (kind, hint, name) = (row.kind.to_owned(), row.hint.clone(), row.name.clone());
            [
                row.project.to_string(),
                row.id.to_string(),
                kind,
                hint,
                name,
                last_used,
                revoked,
            ]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    }
}

#[derive(Serialize)]
struct Revoked {
    project: i32,
    id: i32,
    revoked: bool,
}

impl Report for Revoked {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "key {} of project {} is revoked", self.id, self.project);
    }
}

pub(super) async fn run(config: &Config, command: &args::Key, output: Output) -> Result<(), Failure> {
    match command {
        args::Key::Create { project, kind, name } => {
            let create = async |store: &Store| store.create_key(*project, (*kind).into(), name).await.map_err(refused);
            let new = database::with(config, create).await?;
            output.print(&Created::from(new))?;
            crate::output::say("this key is shown only now; a hash of it is stored");
            Ok(())
        }
        args::Key::List { project } => {
            let keys = database::with(config, async |store: &Store| Ok(store.list_keys(*project).await?)).await?;
            output.print(&List {
                keys: keys.into_iter().map(Row::from).collect(),
            })
        }
        args::Key::Revoke { project, key } => {
            let revoke = async |store: &Store| Ok(store.revoke_key(*project, *key).await?);
            if !database::with(config, revoke).await? {
                return Err(
                    Failure::failed(format!("project {project} has no key {key} that could be revoked"))
                        .hint("trailmark key list"),
                );
            }
            output.print(&Revoked {
                project: *project,
                id: *key,
                revoked: true,
            })
        }
    }
}

fn refused(error: StoreError) -> Failure {
    match error {
        StoreError::NoProject(_) => Failure::failed(error.to_string()).hint("trailmark project list"),
        other => other.into(),
    }
}
