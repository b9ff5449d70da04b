//! One file per command. Each takes its arguments and the configuration, and prints a report.

mod database;
mod welcome;
mod serve;
mod demo;
mod migrate;
mod project;
mod key;
mod password;
mod user;
mod person;
mod query;
mod explain_query;
mod export;
mod promoted;
mod tail;
mod import;
mod dead_letter;
mod jobs;
mod verify;
mod gateway;
mod openapi;
mod doctor;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::logging;
use crate::output::Output;

/// Runs the command that was typed.
///
/// # Errors
/// [`Failure`], to be said on stderr.
pub async fn run(args: &Args) -> Result<(), Failure> {
    let env = std::env::vars_os().filter_map(|(key, value)| key.into_string().ok().zip(value.into_string().ok()));
    let output = Output::new(args.global.json);
    let config = match (args.config(env), &args.command) {
        (Err(error), Command::Doctor(_)) => return doctor::bad_config(&error, output),
        (config, _) => config?,
    };
    let level = if matches!(args.command, Command::Serve(_)) {
        &config.log.level
    } else {
        logging::QUIET
    };
    logging::start(&config.log, level)?;
    match &args.command {
        Command::Serve(_) => serve::run(config, output).await,
        Command::Demo(demo) => demo::run(config, demo, output).await,
        Command::Migrate => migrate::run(&config, output).await,
        Command::Project(project) => project::run(&config, project, output).await,
        Command::Key(key) => key::run(&config, key, output).await,
        Command::User(user) => user::run(&config, user, output).await,
        Command::Person(person) => person::run(&config, person, output).await,
        Command::Query(query) => query::run(&config, query).await,
        Command::ExplainQuery(asking) => explain_query::run(&config, asking, output).await,
        Command::Export(export) => export::run(&config, export, output).await,
        Command::Promoted(promoted) => promoted::run(&config, promoted, output).await,
        Command::Tail(tail) => tail::run(&config, tail, args.global.json).await,
        Command::Import(import) => import::run(&config, import, output).await,
        Command::DeadLetter(dead_letter) => dead_letter::run(&config, dead_letter, output).await,
        Command::Jobs(jobs) => jobs::run(&config, jobs, output).await,
        Command::Verify(verify) => verify::run(&config, verify, output).await,
        Command::Gateway(gateway) => gateway::run(gateway, output),
        Command::OpenApi => openapi::run(output),
        Command::Doctor(_) => doctor::run(&config, output).await,
    }
}
