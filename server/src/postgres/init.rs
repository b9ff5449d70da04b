//! A new data directory: made beside its place, then renamed, so that one that exists is complete.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Signal, kill_process_group};
use uuid::Uuid;

use super::account::Account;
use super::error::StartError;
use super::find::Binaries;
use super::layout::Layout;
use super::supervise::Orders;
use super::{log, pidfile, process};

/// The superuser's name, and the database's.
pub(super) const NAME: &str = "trailmark";

/// How often a running `initdb` is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Tries to remove what a killed `initdb` left: its own child may still be writing there for a moment.
const REMOVE_TRIES: u32 = 5;

/// Makes the password and the data directory. Stops early when ordered to.
pub(super) fn create(
    binaries: &Binaries,
    layout: &Layout,
    account: &Account,
    orders: &mut Orders,
) -> Result<(), StartError> {
    make_room(layout, account)?;
    write_password(layout, account)?;
    let mut child = spawn_initdb(initdb(binaries, layout, account)?, binaries)?;
    let status = wait(&mut child, orders).map_err(StartError::io("wait for", &binaries.initdb()))?;
    match status {
        None => return Err(StartError::Interrupted),
        Some(status) if !status.success() => {
            return Err(StartError::Init {
                status: status.to_string(),
                output: log::tail(&layout.log),
            });
        }
        Some(_) => {}
    }
    fs::rename(&layout.data_init, &layout.data).map_err(StartError::io("rename", &layout.data_init))?;
    sync_dir(layout)
}

/// An empty `data.init` of the account; `initdb` accepts one.
fn make_room(layout: &Layout, account: &Account) -> Result<(), StartError> {
    let at = &layout.data_init;
    let mut removed = remove_if_there(at);
    for _ in 1..REMOVE_TRIES {
        removed = removed.or_else(|_| remove_if_there(at));
    }
    removed.map_err(StartError::io("remove", at))?;
    DirBuilder::new()
        .mode(0o700)
        .create(at)
        .map_err(StartError::io("make", at))?;
    account.give(at)
}

fn remove_if_there(at: &Path) -> io::Result<()> {
    match fs::remove_dir_all(at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A new random password: two version 4 UUIDs have 244 random bits. It belongs to Postgres's account, as `initdb`
/// reads it, in a folder where that account cannot replace it.
fn write_password(layout: &Layout, account: &Account) -> Result<(), StartError> {
    let at = &layout.password;
    let password = format!("{}{}\n", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let write = || {
        let _ = fs::remove_file(at);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(at)?;
        file.write_all(password.as_bytes())?;
        file.sync_all()
    };
    write().map_err(StartError::io("write", at))?;
    account.give(at)
}

/// The password, without its line end.
pub(super) fn read_password(layout: &Layout) -> Result<String, StartError> {
    let text = fs::read_to_string(&layout.password).map_err(StartError::io("read", &layout.password))?;
    Ok(text.trim_end().to_owned())
}

fn initdb(binaries: &Binaries, layout: &Layout, account: &Account) -> Result<Command, StartError> {
    let mut command = process::program(&binaries.initdb(), layout, account)?;
    command
        .arg("-D")
        .arg(&layout.data_init)
        .arg("--pwfile")
        .arg(&layout.password)
        .args(["-U", NAME]);
    command.args([
        "--auth-local=scram-sha-256",
        "--auth-host=reject",
        "--data-checksums",
        "--no-instructions",
    ]);
    command.args(["--encoding=UTF8", "--locale=C.UTF-8"]);
    Ok(command)
}

/// `initdb` dies with us at once: stopped gently it would clean up in a folder where its successor may work already.
fn spawn_initdb(mut command: Command, binaries: &Binaries) -> Result<Child, StartError> {
    process::die_with_this_thread(&mut command, Signal::KILL);
    command.spawn().map_err(StartError::io("run", &binaries.initdb()))
}

/// Its exit status; `None` when an order to stop came first: then it is gone.
fn wait(child: &mut Child, orders: &mut Orders) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if orders.stop_within(POLL).is_some() {
            pidfile::as_pid(child.id()).map(|group| kill_process_group(group, Signal::KILL));
            child.wait()?;
            return Ok(None);
        }
    }
}

/// Makes the rename and the password's entry durable.
fn sync_dir(layout: &Layout) -> Result<(), StartError> {
    File::open(&layout.dir)
        .and_then(|dir| dir.sync_all())
        .map_err(StartError::io("sync", &layout.dir))
}
