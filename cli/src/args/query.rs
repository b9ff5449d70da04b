//! `trailmark query` and `trailmark explain-query`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Whom to ask: the database about a project, or a server with a project's key.
#[derive(Debug, ClapArgs)]
pub struct Whom {
    /// The project's number, to ask the database
    #[arg(long, value_name = "ID", required_unless_present = "key")]
    pub project: Option<i32>,
    /// The server [default: where this configuration's server listens]
    #[arg(long, requires = "key", conflicts_with = "project")]
    pub url: Option<String>,
    /// A secret key of the project, to ask a server
    #[arg(long, env = "TRAILMARK_SECRET_KEY", hide_env_values = true)]
    pub key: Option<String>,
}

/// What is asked, and whom.
#[derive(Debug, ClapArgs)]
pub struct Asking {
    /// The question, JSON; - reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// Whom to ask.
    #[command(flatten)]
    pub whom: Whom,
}

/// `trailmark query`
#[derive(Debug, ClapArgs)]
pub struct Query {
    /// What is asked, and whom.
    #[command(flatten)]
    pub asking: Asking,
    /// Print the numbers as CSV
    #[arg(long, conflicts_with_all = ["ndjson", "json"])]
    pub csv: bool,
    /// Print the numbers as one JSON object per line
    #[arg(long, conflicts_with = "json")]
    pub ndjson: bool,
}
