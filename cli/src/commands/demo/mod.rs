//! `trailmark demo`: server, project, keys, a log through the SDK, and what is then in the database.

mod api;
mod report;
mod shop;

use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::store::{KeyKind, Store};
use trailmark_server::{Config, Server};

use super::serve::{StopSignals, start_with, stop};
use crate::args;
use crate::failure::Failure;
use crate::http::local_url;
use crate::import::{self, Job};
use crate::output::{Output, say};
use api::Api;
use report::Demo;
use shop::Shop;

/// The project that every demo in one data directory shares.
const PROJECT: &str = "demo";

pub(super) async fn run(config: Config, args: &args::Demo, output: Output) -> Result<(), Failure> {
    say("starting the server and its Postgres");
    let mut signals = StopSignals::listen()?;
    let shop = Shop::default();
    let Some(server) = start_with(config, shop.pages(), &mut signals).await? else {
        return Ok(());
    };
    let done = tokio::select! {
        done = play_and_serve(&server, &shop, args, output) => done,
        () = signals.next() => Ok(()),
    };
    let stopped = stop(server, &mut signals).await;
    done.and(stopped)
}

/// Plays the log; then returns with `--exit`, and never without.
async fn play_and_serve(server: &Server, shop: &Shop, args: &args::Demo, output: Output) -> Result<(), Failure> {
    play(server, shop, args, output).await?;
    if !args.exit {
        say("serving until Ctrl-C");
        std::future::pending::<()>().await;
    }
    Ok(())
}

async fn play(server: &Server, shop: &Shop, args: &args::Demo, output: Output) -> Result<(), Failure> {
    let store = server.store();
    store.migrate().await?;
    let project = project(store).await?;
    let write_key = store.create_key(project, KeyKind::Write, PROJECT).await?.text;
    let secret_key = store.create_key(project, KeyKind::Secret, PROJECT).await?.text;

    let url = local_url(server.address());
    let api = Api::new(&url, &secret_key)?;
    // The server reads new keys within a second, both at once.
    api.until_the_key_is_known().await?;
    shop.open(&write_key);
    say(format_args!("playing {} through the client SDK", args.log.display()));
    let job = Job {
        file: args.log.clone(),
        url: url.clone(),
        key: write_key.clone(),
    };
    let import = import::run(&job, SystemClock.now()).await?;
    api.until_all_is_stored().await?;

    let stored = api.stats().await?;
    let by_status_class = store.status_classes(project).await?.into_iter().collect();
    output.print(&Demo {
        url,
        project,
        write_key,
        secret_key,
        import,
        stored,
        by_status_class,
    })
}

/// The demo's project, which a second demo finds again.
async fn project(store: &Store) -> Result<i32, Failure> {
    let found = store
        .list_projects()
        .await?
        .into_iter()
        .find(|project| project.name == PROJECT);
    match found {
        Some(project) => Ok(project.id),
        None => Ok(store.create_project(PROJECT).await?.id),
    }
}
