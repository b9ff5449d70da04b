//! `trailmark demo`: a server with a month of a shop in it, or with a log played through the SDK.

mod api;
mod log;
mod report;
mod seed;
mod shop;
mod story;

use std::time::Instant;

use trailmark_server::store::{KeyKind, Project, Store};
use trailmark_server::{Config, Server};

use super::serve::{StopSignals, start_with, stop};
use super::welcome::Welcome;
use crate::args;
use crate::failure::Failure;
use crate::http::local_url;
use crate::output::{Output, say};
use api::Api;
use shop::Shop;

pub(super) async fn run(mut config: Config, args: &args::Demo, output: Output) -> Result<(), Failure> {
    say("starting the server and its Postgres");
    let mut signals = StopSignals::listen()?;
    let shop = Shop::default();
    let database = match config.database.url.as_str() {
        "" => format!("a private one in {}", config.data_dir.join("postgres").display()),
        _ => "the one of database.url".to_owned(),
    };
    if args.log.is_none() {
        seed::allow_own_monitors(&mut config)?;
    }
    let welcome = Welcome::of(&config);
    let Some(server) = start_with(config, shop.pages(), &mut signals).await? else {
        return Ok(());
    };
    let done = tokio::select! {
        done = show_and_serve(&server, &welcome, &shop, args, (database, output)) => done,
        () = signals.next() => Ok(()),
    };
    let stopped = stop(server, &mut signals).await;
    done.and(stopped)
}

/// Shows what there is to see; then returns with `--exit`, and never without.
async fn show_and_serve(
    server: &Server,
    welcome: &Welcome,
    shop: &Shop,
    args: &args::Demo,
    (database, output): (String, Output),
) -> Result<(), Failure> {
    if let Some(log) = &args.log {
        let (stage, _) = Stage::set(server, welcome, log::PROJECT).await?;
        log::play(&stage, shop, log, output).await?;
        if args.exit {
            return Ok(());
        }
        say("serving until Ctrl-C");
        return std::future::pending().await;
    }
    let (stage, migrated) = Stage::set(server, welcome, seed::PROJECT).await?;
    let told_until = seed::tell(&stage, shop, (database, migrated), output).await?;
    if args.exit {
        return Ok(());
    }
    say("serving until Ctrl-C, with visitors in the shop");
    seed::live::go_on(&stage, told_until).await
}

/// The server with a project in it, and keys that open it.
struct Stage<'a> {
    store: &'a Store,
    project: Project,
    url: String,
    /// What to open in a browser: the dashboard, or the link that makes its first owner.
    open: String,
    api: Api,
    write_key: String,
    secret_key: String,
}

/// What became of the database's tables.
struct Migrated {
    schema_version: i64,
    seconds: f64,
}

impl<'a> Stage<'a> {
    /// Makes tables and keys, and the project unless an earlier demo did.
    async fn set(server: &'a Server, welcome: &Welcome, project: &str) -> Result<(Self, Migrated), Failure> {
        let (store, started) = (server.store(), Instant::now());
        store.migrate().await?;
        let migrated = Migrated {
            schema_version: Store::known_version(),
            seconds: started.elapsed().as_secs_f64(),
        };
        let project = find_or_make(store, project).await?;
        let write_key = store.create_key(project.id, KeyKind::Write, "demo").await?.text;
        let secret_key = store.create_key(project.id, KeyKind::Secret, "demo").await?.text;
        let url = local_url(server.address());
        let api = Api::new(&url, &secret_key)?;
        // The server reads new keys within a second, both at once.
        api.until_the_key_is_known().await?;
        let open = welcome.first(server).await.unwrap_or_else(|| format!("{url}/"));
        let stage = Self {
            store,
            project,
            url,
            open,
            api,
            write_key,
            secret_key,
        };
        Ok((stage, migrated))
    }
}

async fn find_or_make(store: &Store, name: &str) -> Result<Project, Failure> {
    let projects = store.list_projects().await?;
    match projects.into_iter().find(|project| project.name == name) {
        Some(project) => Ok(project),
        None => Ok(store.create_project(name).await?),
    }
}
