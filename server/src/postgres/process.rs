//! Postgres's programs as child processes: as whom, with what, and how they end.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};

use super::account::Account;
use super::error::{StartError, StopError};
use super::find::Binaries;
use super::layout::{Layout, PORT};
use super::{log, pidfile};

/// How often an ending process is looked at.
const END_POLL: Duration = Duration::from_millis(20);

/// What an immediate shutdown may take: Postgres itself kills its children after 5 s.
const QUIT_PATIENCE: Duration = Duration::from_secs(10);

/// One of Postgres's programs, ready to be spawned: as `account`, with nothing of our environment but the paths (there
/// may be secrets, or `PG…` variables that change what it does), its output in the log, and in its own process group, so
/// that Ctrl-C reaches us and we stop it in order.
pub(super) fn program(path: &Path, layout: &Layout, account: &Account) -> Result<Command, StartError> {
    let output = log::open(&layout.log).map_err(StartError::io("open", &layout.log))?;
    let errors = output.try_clone().map_err(StartError::io("open", &layout.log))?;
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir(&layout.dir)
        .process_group(0);
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    for kept in ["PATH", "LD_LIBRARY_PATH"] {
        std::env::var_os(kept).map(|value| command.env(kept, value));
    }
    if account.other {
        command.uid(account.uid).gid(account.gid); // and std drops root's supplementary groups with them
    }
    Ok(command)
}

/// Lets the kernel send `signal` to the process when the thread that spawns it ends, in whatever way: so spawn from a
/// thread that lives as long as the process should.
#[expect(
    unsafe_code,
    reason = "what runs between fork and exec makes two system calls and allocates nothing"
)]
pub(super) fn die_with_this_thread(command: &mut Command, signal: Signal) {
    let parent = rustix::process::getpid();
    let ask = move || {
        set_parent_process_death_signal(Some(signal))?; // after the change of user, which would clear it
        let orphaned = getppid() != Some(parent); // we died before the line above
        if orphaned {
            Err(io::Error::from(io::ErrorKind::BrokenPipe))
        } else {
            Ok(())
        }
    };
    // SAFETY: the closure is async-signal-safe: two system calls on values that it owns, no allocation, no lock.
    unsafe { command.pre_exec(ask) };
}

/// The running postmaster.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: u32,
    /// Ours to reap, or adopted.
    child: Option<Child>,
    /// Since when we know it.
    pub(super) since: Instant,
}

impl Postmaster {
    /// Starts one. It ends with this thread (by a fast stop).
    pub(super) fn spawn(binaries: &Binaries, layout: &Layout, account: &Account) -> Result<Self, StartError> {
        let program_path = binaries.postgres();
        let mut command = program(&program_path, layout, account)?;
        command.arg("-D").arg(&layout.data);
        for setting in fixed_settings(layout) {
            command.arg("-c").arg(setting);
        }
        die_with_this_thread(&mut command, Signal::INT);
        let child = command.spawn().map_err(StartError::io("run", &program_path))?;
        Ok(Self {
            pid: child.id(),
            child: Some(child),
            since: Instant::now(),
        })
    }

    /// Takes over one that runs already.
    pub(super) fn adopt(pid: u32) -> Self {
        Self {
            pid,
            child: None,
            since: Instant::now(),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn is_adopted(&self) -> bool {
        self.child.is_none()
    }

    /// How it ended, once it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        match &mut self.child {
            None => (!pidfile::is_alive(self.pid)).then(|| "it is gone".to_owned()),
            Some(child) => match child.try_wait() {
                Ok(status) => status.map(|status| status.to_string()),
                Err(error) => Some(error.to_string()),
            },
        }
    }

    /// Fast stop, then after `patience` an immediate one (its next start replays the WAL; nothing committed is lost).
    pub(super) fn stop(mut self, patience: Duration) -> Result<(), StopError> {
        if self.ends_after(Signal::INT, patience)? {
            return Ok(());
        }
        tracing::warn!(
            pid = self.pid,
            ?patience,
            "the private Postgres does not stop: stopping it at once"
        );
        let ended = self.ends_after(Signal::QUIT, QUIT_PATIENCE)?;
        if ended {
            Ok(())
        } else {
            Err(StopError::StillRunning { pid: self.pid })
        }
    }

    fn ends_after(&mut self, signal: Signal, patience: Duration) -> Result<bool, StopError> {
        let deadline = Instant::now() + patience;
        if self.ended().is_some() {
            return Ok(true);
        }
        self.send(signal)?;
        while self.ended().is_none() {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            std::thread::sleep(END_POLL);
        }
        Ok(true)
    }

    fn send(&self, signal: Signal) -> Result<(), StopError> {
        let sent = pidfile::as_pid(self.pid).map_or(Ok(()), |pid: Pid| kill_process(pid, signal));
        match sent {
            Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()), // it ended just now
            Err(error) => Err(StopError::Signal {
                pid: self.pid,
                source: error.into(),
            }),
        }
    }
}

/// What no configuration file may change: where our clients find it, and that nobody else can.
fn fixed_settings(layout: &Layout) -> [OsString; 4] {
    let mut config_file = OsString::from("config_file=");
    config_file.push(&layout.config);
    [
        config_file,
        "listen_addresses=".into(),
        format!(
            "unix_socket_directories={}",
            quoted(&layout.socket_dir.to_string_lossy())
        )
        .into(),
        format!("port={PORT}").into(),
    ]
}

/// One item of a list setting: a comma or a space in it does not split it.
fn quoted(item: &str) -> String {
    format!("\"{}\"", item.replace('"', "\"\""))
}

/// Whether this Postgres was built with lz4. It says so by accepting the setting.
pub(super) fn has_lz4(binaries: &Binaries, layout: &Layout, account: &Account) -> bool {
    let asks = |mut command: Command| {
        command
            .arg("-D")
            .arg(&layout.data)
            .args(["-C", "wal_compression", "-c", "wal_compression=lz4"]);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    binaries.major >= FIRST_WITH_LZ4 && program(&binaries.postgres(), layout, account).is_ok_and(asks)
}

/// In version 14 `wal_compression` is only on or off.
const FIRST_WITH_LZ4: u32 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_comma_space_and_quote_stays_one_folder() {
        assert_eq!(quoted(r#"/a, b/"c""#), r#""/a, b/""c""""#);
    }
}
