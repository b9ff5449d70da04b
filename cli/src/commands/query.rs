//! `trailmark query`

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::query::ask::Answered;
use trailmark_server::query::ask::question::Question;
use trailmark_server::query::ask::table::Table;
use trailmark_server::query::{QueryError, Reader};
use trailmark_server::store::Store;

use super::database;
use crate::args;
use crate::failure::Failure;
use crate::http;

/// How long a server may take: its wait for a turn (10 s), its longest answer (20 s), and the way there and back.
const PATIENCE: Duration = Duration::from_secs(40);

pub(super) async fn run(config: &Config, command: &args::Query) -> Result<(), Failure> {
    let asking = &command.asking;
    let question = read(&asking.file)?;
    let form = Form::of(command);
    let answer = match whom(config, &asking.whom)? {
        Whom::Database(project) => of_database(config, project, &question, form).await?,
        Whom::Server(url, key) => of_server(&url, key, question, form).await?,
    };
    match std::io::stdout().lock().write_all(&answer) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Who is asked.
pub(super) enum Whom<'a> {
    /// The database, about this project.
    Database(i32),
    /// A server, with a project's key.
    Server(String, &'a str),
}

/// A key may stand in the environment for other commands: a project that is named goes first.
pub(super) fn whom<'a>(config: &Config, wanted: &'a args::Whom) -> Result<Whom<'a>, Failure> {
    match (wanted.project, &wanted.key) {
        (Some(project), _) => Ok(Whom::Database(project)),
        (None, Some(key)) => {
            let url = wanted.url.clone();
            Ok(Whom::Server(
                url.unwrap_or_else(|| http::local_url(config.http.listen)),
                key,
            ))
        }
        (None, None) => Err(Failure::usage("whose numbers? give --project or --key")),
    }
}

/// In what form the answer is printed.
#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Csv,
    NdJson,
}

impl Form {
    fn of(command: &args::Query) -> Self {
        match (command.csv, command.ndjson) {
            (true, _) => Self::Csv,
            (_, true) => Self::NdJson,
            _ => Self::Json,
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::NdJson => "application/x-ndjson",
        }
    }

    fn write(self, answered: &Answered) -> String {
        match self {
            // Answers are structs of texts and numbers with string keys, which always serialise.
            Self::Json => serde_json::to_string_pretty(answered).unwrap_or_default() + "\n",
            Self::Csv => Table::of(answered).to_csv(),
            Self::NdJson => Table::of(answered).to_ndjson(),
        }
    }
}

/// The question's file, `-` being standard input.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

async fn of_database(config: &Config, project: i32, question: &[u8], form: Form) -> Result<Vec<u8>, Failure> {
    let question = Question::read(question).map_err(|invalid| refused(invalid.into()))?;
    let ask = async |store: &Store| {
        let answered = reader(store, project).await?.ask(&question, SystemClock.now()).await;
        Ok(form.write(&answered.map_err(refused)?))
    };
    Ok(database::with(config, ask).await?.into_bytes())
}

/// Reads a project of a database, from segments where they are enough.
pub(super) async fn reader(store: &Store, project: i32) -> Result<Reader, Failure> {
    super::project::known(store, project).await?;
    Ok(Reader::new(store.pool().clone(), project).with_columns(Arc::default()))
}

pub(super) fn refused(error: QueryError) -> Failure {
    match error {
        QueryError::Store(error) => error.into(),
        QueryError::Timeout => {
            Failure::failed(error.to_string()).hint("ask for less: a shorter time range, fewer breakdowns")
        }
        error => Failure::usage(format!("the question: {error}")).hint("docs/query.md explains questions"),
    }
}

async fn of_server(url: &str, key: &str, question: Vec<u8>, form: Form) -> Result<Vec<u8>, Failure> {
    let answer = post(url, "/api/v1/query", key, question, form.media_type()).await?;
    Ok(match form {
        Form::Json => pretty(&answer),
        Form::Csv | Form::NdJson => answer,
    })
}

/// Sends a question to a server, and takes its answer.
pub(super) async fn post(
    url: &str,
    path: &str,
    key: &str,
    question: Vec<u8>,
    accept: &str,
) -> Result<Vec<u8>, Failure> {
    let failed = |error: reqwest::Error| Failure::failed(format!("{url}: {}", http::explain(&error)));
    let client = http::client(PATIENCE).map_err(failed)?;
    let request = client.post(format!("{}{path}", url.trim_end_matches('/')));
    let request = request.bearer_auth(key).header(ACCEPT, accept);
    let response = request
        .header(CONTENT_TYPE, "application/json")
        .body(question)
        .send()
        .await
        .map_err(failed)?;
    if !response.status().is_success() {
        return Err(http::refused(response).await);
    }
    Ok(response.bytes().await.map_err(failed)?.into())
}

fn pretty(json: &[u8]) -> Vec<u8> {
    let value: Option<serde_json::Value> = serde_json::from_slice(json).ok();
    let text = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    text.map_or_else(|| json.to_vec(), |text| (text + "\n").into_bytes())
}
