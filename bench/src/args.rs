//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::query::questions::Asked;

/// Measures `trailmark serve` on this machine, against references from the same run.
#[derive(Debug, Parser)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a server in a temporary directory, measure, print tables
    Run(Run),
    /// Measure the client: its calls, its queue, and one client against a server
    Sdk(Sdk),
    /// Measure answers to questions about a made-up history
    Query(Query),
    /// Write the history that `query` asks about as Parquet files, for bench/engines/engines.py
    History(HistoryFiles),
    /// Fill a queue or open a full one, print what that took: a part of `sdk`, in a process of its own
    #[command(hide = true)]
    SdkHold {
        /// The client's directory; in memory without one.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Events to queue; none: only open.
        #[arg(long)]
        events: usize,
    },
    /// Serve an endpoint that only parses and discards: the reference for accepting
    ParseOnly {
        /// Where it listens.
        #[arg(long)]
        listen: SocketAddr,
    },
}

impl Query {
    /// Whether this question is to be asked.
    #[must_use]
    pub fn wants(&self, asked: &Asked) -> bool {
        self.only.iter().all(|only| asked.name.contains(only.as_str()))
    }
}

/// `trailmark-bench history`
#[derive(Debug, Clone, ClapArgs)]
pub struct HistoryFiles {
    /// How many events the history has
    #[arg(long, env = "EVENTS", default_value_t = 10_000_000)]
    pub events: u64,
    /// Where the files go: 100,000,000 events take about 1 GB
    #[arg(long)]
    pub dir: PathBuf,
}

/// `trailmark-bench run`
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Run {
    /// The `trailmark` binary [default: beside this one]
    #[arg(long)]
    pub server: Option<PathBuf>,
    /// Where to put the temporary data directory: on the disk to be measured [default: the system's]
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Rounds of the storing measurement, of which the median counts
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Events of one storing measurement in batches; single events are half as many
    #[arg(long, default_value_t = 1_000_000)]
    pub events: usize,
    /// Seconds of each accepting measurement
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
    /// Only these measurements: jobs, store, accept, visible
    #[arg(long, value_delimiter = ',', default_value = "jobs,store,accept,visible")]
    pub only: Vec<String>,
    /// Only these kinds of load in the storing measurement, as connections x batch
    #[arg(long, value_delimiter = ',', default_value = "64x1,128x1,64x50,8x1,8x50")]
    pub loads: Vec<String>,
}

/// `trailmark-bench sdk`
#[derive(Debug, Clone, ClapArgs)]
pub struct Sdk {
    /// The `trailmark` binary [default: beside this one]
    #[arg(long)]
    pub server: Option<PathBuf>,
    /// Where to put temporary directories: on the disk to be measured [default: the system's]
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Only these measurements: track, hold, send
    #[arg(long, value_delimiter = ',', default_value = "track,hold,send")]
    pub only: Vec<String>,
    /// Rounds of timed calls, which are put together
    #[arg(long, default_value_t = 2)]
    pub rounds: usize,
    /// Seconds of calls at a steady pace
    #[arg(long, default_value_t = 4)]
    pub seconds: u64,
    /// Events in a full queue
    #[arg(long, default_value_t = 100_000)]
    pub queued: usize,
    /// How often the full queue is opened
    #[arg(long, default_value_t = 9)]
    pub opens: usize,
    /// Seconds for which events are sent to the server
    #[arg(long, default_value_t = 10)]
    pub sending: u64,
}

/// `trailmark-bench query`
#[derive(Debug, Clone, ClapArgs)]
pub struct Query {
    /// How many events the history has
    #[arg(long, env = "EVENTS", default_value_t = 10_000_000)]
    pub events: u64,
    /// Where the history is kept, for the next run with as many events [default: /var/tmp/trailmark-bench-query]
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// How often each question is asked, after a first time that does not count
    #[arg(long, default_value_t = 5)]
    pub times: usize,
    /// Only questions whose name holds all of these
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Write the answers into this file, JSON by the names of the questions
    #[arg(long)]
    pub answers: Option<PathBuf>,
    /// Put the history into segments without the rows behind them, which take 720 bytes an event, and ask no question of rows
    #[arg(long)]
    pub without_rows: bool,
    /// Only put the history into its place
    #[arg(long)]
    pub load_only: bool,
}
