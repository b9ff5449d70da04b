//! `trailmark gateway`

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use trailmark_server::clock::SystemClock;
use trailmark_server::gateway::dispatch::{Ground, check};

use crate::args::Gateway;
use crate::failure::Failure;
use crate::output::{Output, Report};

/// A file that a server would take.
#[derive(Serialize)]
struct Good {
    routes: usize,
    upstreams: usize,
}

impl Report for Good {
    fn text(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "nothing is wrong: {} routes, {} upstreams",
            self.routes, self.upstreams
        );
    }
}

pub(super) fn run(command: &Gateway, output: Output) -> Result<(), Failure> {
    let Gateway::Check(file) = command;
    let directory = file.file.parent().unwrap_or(Path::new(""));
    let ground = Ground::bare(directory, Arc::new(SystemClock));
    let checked = check(&file.file, &ground).map_err(|bad| Failure::failed(bad.to_string()))?;
    output.print(&Good {
        routes: checked.file.routes.len(),
        upstreams: checked.upstreams.len(),
    })
}
