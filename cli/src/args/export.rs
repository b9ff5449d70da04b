//! `trailmark export`

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use trailmark_protocol::Timestamp;
use trailmark_server::query::events_export::Format;

use super::query::Whom;

/// `trailmark export`
#[derive(Debug, ClapArgs)]
pub struct Export {
    /// In what form
    #[arg(long, value_enum, default_value = "parquet")]
    pub format: ExportFormat,
    /// The first moment inside, RFC 3339; all before it is left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<Timestamp>,
    /// The first moment after it
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub to: Option<Timestamp>,
    /// Only events of this name; may be given several times
    #[arg(long, value_name = "NAME")]
    pub event: Vec<String>,
    /// The file, or a directory in which a file is named after the times; - writes to standard output
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Whom to ask.
    #[command(flatten)]
    pub whom: Whom,
}

/// Forms of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Columns, compressed: for DuckDB, ClickHouse, Spark, pandas
    Parquet,
    /// One JSON object per line
    #[value(name = "ndjson")]
    NdJson,
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Parquet => Self::Parquet,
            ExportFormat::NdJson => Self::NdJson,
        }
    }
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).ok_or("no RFC 3339 time such as 2026-11-20T21:13:05Z")
}
