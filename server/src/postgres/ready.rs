//! Waiting until Postgres answers queries.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use super::error::StartError;
use super::init::{NAME, read_password};
use super::layout::{Layout, PORT};
use super::log;
use super::supervise::{Ended, KeeperHandle, Status};

/// After a crash up to `max_wal_size` is replayed: 4 GB at 2 MB/s, a poor disk's rate of random writes, take 34 minutes.
const DEADLINE: Duration = Duration::from_secs(3_600);

/// Between two tries to connect.
const RETRY: Duration = Duration::from_millis(20);

/// One try; a Postgres that accepts but says nothing for so long is stuck.
const TRY: Duration = Duration::from_secs(10);

/// How often we say that we still wait.
const PROGRESS: Duration = Duration::from_secs(10);

/// Returns how to connect, once that has worked.
pub(super) async fn until_it_answers(
    keeper: &mut KeeperHandle,
    layout: &Layout,
) -> Result<PgConnectOptions, StartError> {
    let begun = Instant::now();
    let (mut last, mut told) = (String::from("it does not run yet"), begun);
    while begun.elapsed() < DEADLINE {
        let status = *keeper.status.borrow_and_update();
        if let Status::Running { .. } = status {
            match answers(layout).await? {
                Answer::Yes(options) => return Ok(*options),
                Answer::NotYet(why) => last = why,
            }
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            tracing::info!(waited = ?begun.elapsed(), last, log = last_line(layout), "waiting for the private Postgres");
        }
        if let Ok(Err(_keeper_ended)) = tokio::time::timeout(RETRY, keeper.status.changed()).await {
            return Err(failure(keeper.join()));
        }
    }
    Err(StartError::TimedOut {
        waited: begun.elapsed(),
        last,
    })
}

fn failure(ended: Ended) -> StartError {
    match ended {
        Ended::Failed(error) => error,
        Ended::Stopped(_) => StartError::Interrupted,
    }
}

fn last_line(layout: &Layout) -> String {
    log::tail(&layout.log).lines().last().unwrap_or_default().to_owned()
}

enum Answer {
    Yes(Box<PgConnectOptions>),
    NotYet(String),
}

/// Tries a query, and makes our database when it is missing.
async fn answers(layout: &Layout) -> Result<Answer, StartError> {
    let options = connect_options(layout)?;
    match tokio::time::timeout(TRY, ask(&options)).await {
        Err(_) => Ok(Answer::NotYet(format!("no answer within {} s", TRY.as_secs()))),
        Ok(Ok(())) => Ok(Answer::Yes(Box::new(options))),
        Ok(Err(error)) if is_final(&error) => Err(StartError::Refused(error)),
        Ok(Err(error)) => Ok(Answer::NotYet(error.to_string())),
    }
}

async fn ask(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = match options.connect().await {
        Err(error) if sqlstate(&error).as_deref() == Some("3D000") => {
            create_database(&options.clone().database("postgres")).await?;
            options.connect().await?
        }
        connected => connected?,
    };
    sqlx::query("SELECT 1").execute(&mut connection).await?;
    connection.close().await
}

/// Another process may do the same at this moment.
async fn create_database(maintenance: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(maintenance).await?;
    let created = sqlx::query("CREATE DATABASE trailmark").execute(&mut connection).await;
    connection.close().await?;
    match created {
        Err(error) if !matches!(sqlstate(&error).as_deref(), Some("42P04" | "23505")) => Err(error),
        _ => Ok(()),
    }
}

/// Class 28 is "invalid authorization": a wrong password does not become right by waiting.
fn is_final(error: &sqlx::Error) -> bool {
    sqlstate(error).is_some_and(|code| code.starts_with("28"))
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

/// Everything said, so that no `PG…` variable of our environment counts.
fn connect_options(layout: &Layout) -> Result<PgConnectOptions, StartError> {
    let password = read_password(layout)?;
    let options = PgConnectOptions::new_without_pgpass()
        .socket(&layout.socket_dir)
        .port(PORT);
    let options = options.ssl_mode(PgSslMode::Disable).application_name(NAME);
    Ok(options.username(NAME).password(&password).database(NAME))
}
