//! `trailmark openapi`

use serde::Serialize;
use serde_json::Value;
use trailmark_server::gateway::openapi::description;

use crate::failure::Failure;
use crate::output::{Output, Report};

/// JSON to programs and to people.
#[derive(Serialize)]
#[serde(transparent)]
struct Description(&'static Value);

impl Report for Description {
    fn text(&self, out: &mut String) {
        out.push_str(&format!("{:#}\n", self.0));
    }
}

pub(super) fn run(output: Output) -> Result<(), Failure> {
    output.print(&Description(description()))
}
