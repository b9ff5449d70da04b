//! Where the log goes: to stderr, as the configuration says.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use trailmark_server::config::{Log, LogFormat};

use crate::failure::Failure;

/// What commands other than `serve` log: only what went wrong, and no slow statements. They talk to a person, and a log
/// would talk over them.
pub const QUIET: &str = "warn,sqlx=error";

/// Starts logging at `level`. A second call in one process changes nothing.
///
/// # Errors
/// `level` is not a filter.
pub fn start(log: &Log, level: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(level).map_err(|error| Failure::usage(format!("log.level: {error}")))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let _ = match log.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}
