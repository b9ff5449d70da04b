//! `trailmark promoted`

use std::fmt::Write;

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::observe::promoted::{PROMOTED_MAX, PromotedProperties, property_name};
use trailmark_server::store::Store;

use super::{database, project};
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, table};

/// Who promoted what this command promotes.
const BY: &str = "command line";

#[derive(Serialize)]
#[serde(transparent)]
struct List(PromotedProperties);

impl Report for List {
    fn text(&self, out: &mut String) {
        let heading = ["PROPERTY", "BY", "SINCE", "USES"].map(str::to_owned);
        let rows = self.0.promoted.iter().map(|row| {
            let (by, since) = (row.promoted_by.clone(), row.promoted_at.0.to_string());
            [row.property.clone(), by, since, row.uses.to_string()]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    }
}

#[derive(Serialize)]
struct Changed<'a> {
    project: i32,
    property: &'a str,
    promoted: bool,
}

impl Report for Changed<'_> {
    fn text(&self, out: &mut String) {
        let is = if self.promoted { "is" } else { "is no longer" };
        let _ = writeln!(out, "{:?} of project {} {is} promoted", self.property, self.project);
    }
}

pub(super) async fn run(config: &Config, command: &args::Promoted, output: Output) -> Result<(), Failure> {
    match command {
        args::Promoted::List { project } => {
            let list = async |store: &Store| {
                project::known(store, *project).await?;
                Ok(PromotedProperties::read(store, *project, SystemClock.now()).await?)
            };
            output.print(&List(database::with(config, list).await?))
        }
        args::Promoted::Add { project, property } => {
            property_name(property).map_err(|error| Failure::usage(error.to_string()))?;
            let add = async |store: &Store| {
                project::known(store, *project).await?;
                Ok(store
                    .promote(*project, property, BY, SystemClock.now(), PROMOTED_MAX)
                    .await?)
            };
            if !database::with(config, add).await? {
                return Err(
                    Failure::failed(format!("{PROMOTED_MAX} properties are promoted, and that is the most"))
                        .hint("trailmark promoted remove"),
                );
            }
            output.print(&Changed {
                project: *project,
                property,
                promoted: true,
            })
        }
        args::Promoted::Remove { project, property } => {
            if !database::with(config, async |store: &Store| {
                Ok(store.demote(*project, property).await?)
            })
            .await?
            {
                return Err(
                    Failure::failed(format!("{property:?} of project {project} is not promoted"))
                        .hint("trailmark promoted list"),
                );
            }
            output.print(&Changed {
                project: *project,
                property,
                promoted: false,
            })
        }
    }
}
