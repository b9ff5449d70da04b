//! What is measured, in which order.

use std::path::PathBuf;
use std::time::Duration;

use crate::admin::Admin;
use crate::args::Run;
use crate::child::Service;
use crate::process::Watched;
use crate::{Outcome, disk, process, report};

mod accepting;
mod jobs;
mod storing;
mod visibility;

/// How long a started server is left alone before its idle memory is read.
const SETTLE: Duration = Duration::from_secs(3);

/// What every measurement needs.
#[derive(Debug)]
pub struct Bench {
    /// How much to measure.
    pub run: Run,
    /// The server.
    pub server: Service,
    /// Its database.
    pub admin: Admin,
    /// Their processes.
    pub watched: Watched,
    /// The folder on the disk that is measured.
    pub dir: tempfile::TempDir,
}

/// Measures all of it and prints the tables.
///
/// # Errors
/// Something could not be measured.
pub async fn run(run: &Run) -> Outcome<()> {
    let wanted = |name: &str| run.only.iter().any(|only| only == name);
    if wanted("jobs") {
        jobs::measure(run).await?;
    }
    let bench = start(run).await?;
    println!("load average before: {}", process::load_average()?);
    println!(
        "Postgres {}; fdatasync/s of the disk: {:.0}",
        bench.admin.version().await?,
        disk::syncs_per_second(bench.dir.path())?
    );
    tokio::time::sleep(SETTLE).await;
    let (idle, _) = process::memory(bench.server.pid())?;
    if wanted("store") {
        storing::measure(&bench).await?;
    }
    if wanted("accept") {
        accepting::measure(&bench).await?;
    }
    if wanted("visible") {
        visibility::measure(&bench).await?;
    }
    sizes(&bench, idle, &binary(run)?)?;
    println!("load average after: {}", process::load_average()?);
    Ok(())
}

/// Starts a server with a project of its own, in a temporary directory.
pub(crate) async fn start(run: &Run) -> Outcome<Bench> {
    start_with(run, &[]).await
}

/// The same, with variables of the environment.
async fn start_with(run: &Run, env: &[(&str, &str)]) -> Outcome<Bench> {
    let parent = run.dir.clone().unwrap_or_else(std::env::temp_dir);
    let dir = tempfile::Builder::new().prefix("trailmark-bench-").tempdir_in(parent)?;
    // Postgres runs as another user where we are root, and must reach its data.
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let server = Service::trailmark(&binary(run)?, dir.path(), env)?;
    let admin = Admin::connect(&dir.path().join("data")).await?;
    let watched = Watched {
        server: server.pid(),
        postmaster: admin.postmaster,
    };
    Ok(Bench {
        run: run.clone(),
        server,
        admin,
        watched,
        dir,
    })
}

fn binary(run: &Run) -> Outcome<PathBuf> {
    match &run.server {
        Some(path) => Ok(path.clone()),
        None => Ok(std::env::current_exe()?.with_file_name("trailmark")),
    }
}

fn sizes(bench: &Bench, idle: u64, binary: &std::path::Path) -> Outcome<()> {
    let (now, peak) = process::memory(bench.server.pid())?;
    let rows = [
        ("resident, idle", idle, "≤ 30"),
        ("resident, at the end", now, "≤ 100"),
        ("resident, peak of the whole run", peak, "≤ 100"),
        ("release binary", std::fs::metadata(binary)?.len(), ""),
    ];
    let rows: Vec<_> = rows
        .map(|(what, bytes, bar)| vec![what.to_owned(), report::mib(bytes), bar.to_owned()])
        .into();
    report::table("Size of the server", &["what", "MiB", "bar (MB)"], &rows);
    Ok(())
}
