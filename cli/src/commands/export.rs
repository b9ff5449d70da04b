//! `trailmark export`

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::query::events_export::Format;
use trailmark_server::query::turns::Turns;
use trailmark_server::query::{EventsExport, TimeRange};
use trailmark_server::store::Store;

use super::database;
use super::query::{Whom, reader, whom};
use crate::args;
use crate::failure::Failure;
use crate::http;
use crate::output::{Output, Report};

/// Longest that a server may be silent: several pages that are waited and read for, 30 s each at the most, before a row
/// group is full.
const SILENCE: Duration = Duration::from_secs(120);

pub(super) async fn run(config: &Config, command: &args::Export, output: Output) -> Result<(), Failure> {
    if let (Some(from), Some(to)) = (command.from, command.to)
        && from > to
    {
        return Err(Failure::usage("--to is before --from"));
    }
    let mut target = Target::open(command)?;
    match whom(config, &command.whom)? {
        Whom::Database(project) => of_database(config, project, command, &mut target).await?,
        Whom::Server(url, key) => of_server(&url, key, command, &mut target).await?,
    }
    target.end()?.map_or(Ok(()), |written| output.print(&written))
}

async fn of_database(
    config: &Config,
    project: i32,
    command: &args::Export,
    target: &mut Target,
) -> Result<(), Failure> {
    let range = TimeRange {
        from: command.from,
        to: command.to,
    };
    database::with(config, async |store: &Store| {
        let failed = |error: String| Failure::failed(format!("the export broke off: {error}"));
        let (reader, turns) = (reader(store, project).await?, Turns::default());
        let export = EventsExport::begin(reader, command.format.into(), range, &command.event);
        let mut export = export.await.map_err(|error| failed(error.to_string()))?;
        while let Some(bytes) = export
            .next(&turns)
            .await
            .map_err(|problem| failed(problem.detail().to_owned()))?
        {
            target.write(&bytes)?;
        }
        Ok(())
    })
    .await
}

async fn of_server(url: &str, key: &str, command: &args::Export, target: &mut Target) -> Result<(), Failure> {
    let asked = Url::parse_with_params(
        &format!("{}/api/v1/export", url.trim_end_matches('/')),
        parameters(command),
    )
    .map_err(|error| Failure::usage(format!("{url} is no URL: {error}")))?;
    let failed = |error: reqwest::Error| Failure::failed(format!("{url}: {}", http::explain(&error)));
    let client = http::patient_client(SILENCE).map_err(failed)?;
    let mut response = client.get(asked).bearer_auth(key).send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(http::refused(response).await);
    }
    while let Some(bytes) = response.chunk().await.map_err(failed)? {
        target.write(&bytes)?;
    }
    Ok(())
}

fn parameters(command: &args::Export) -> Vec<(&'static str, String)> {
    let times = [("from", command.from), ("to", command.to)];
    let times = times
        .into_iter()
        .filter_map(|(name, time)| Some((name, time?.to_string())));
    let names = command.event.iter().map(|name| ("event", name.clone()));
    let format = ("format", ending(command.format.into()).to_owned());
    std::iter::once(format).chain(times).chain(names).collect()
}

/// Both the word for a form and the ending of its files.
fn ending(format: Format) -> &'static str {
    match format {
        Format::Parquet => "parquet",
        Format::NdJson => "ndjson",
    }
}

/// Where the bytes go. A file gets its name when it has its end: what has the name is whole.
#[derive(Debug)]
enum Target {
    Stdout,
    File(Unfinished),
}

#[derive(Debug)]
struct Unfinished {
    path: PathBuf,
    unfinished: PathBuf,
    file: File,
    bytes: u64,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    file: PathBuf,
    bytes: u64,
}

impl Target {
    fn open(command: &args::Export) -> Result<Self, Failure> {
        if command.out == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let path = if command.out.is_dir() {
            command.out.join(file_name(command))
        } else {
            command.out.clone()
        };
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished)
            .map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))?;
        Ok(Self::File(Unfinished {
            path,
            unfinished,
            file,
            bytes: 0,
        }))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Stdout => io::stdout()
                .lock()
                .write_all(bytes)
                .map_err(|error| failed("stdout", &error)),
            Self::File(file) => {
                file.bytes += bytes.len() as u64;
                let written = file.file.write_all(bytes);
                written.map_err(|error| failed(file.path.display(), &error))
            }
        }
    }

    fn end(self) -> Result<Option<Written>, Failure> {
        let Self::File(file) = self else {
            return Ok(None);
        };
        let named = file
            .file
            .sync_all()
            .and_then(|()| fs::rename(&file.unfinished, &file.path));
        named.map_err(|error| failed(file.path.display(), &error))?;
        Ok(Some(Written {
            file: file.path.clone(),
            bytes: file.bytes,
        }))
    }
}

fn failed(what: impl std::fmt::Display, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write to {what}: {error}"))
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the end there is nothing of this name.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// `events-20261101T000000Z-20261201T000000Z.parquet`
fn file_name(command: &args::Export) -> String {
    let times = [command.from, command.to].into_iter().flatten();
    let parts = times.map(|time| format!("-{}", time.to_string().replace(['-', ':'], "")));
    format!("events{}.{}", parts.collect::<String>(), ending(command.format.into()))
}

impl Report for Written {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "{}  {} bytes", self.file.display(), self.bytes);
    }
}
