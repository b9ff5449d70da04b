//! Whether a postmaster runs on a data directory: what `postmaster.pid` says, checked against the process itself.
//!
//! A process id alone proves nothing: it may be a zombie that its parent has not reaped, or by now another program.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, WaitOptions, getpid, waitpid};

/// What is known about the postmaster of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No pid file, or one whose process is gone: Postgres handles both itself.
    Nothing,
    /// A pid file whose process is a zombie or another program: Postgres would refuse to start.
    Stale,
    /// A postmaster of this data directory.
    Postmaster {
        /// Its process.
        pid: u32,
        /// What it says about itself.
        phase: Phase,
    },
}

/// Line 8 of `postmaster.pid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Starting or recovering; also what a pid file means that is not complete yet.
    Starting,
    /// Accepts connections.
    Ready,
    /// Shutting down: it will be gone.
    Stopping,
}

/// Looks for the postmaster of `data`.
pub(super) fn look(data: &Path) -> Found {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    match parse(&text) {
        None => Found::Nothing,
        Some((pid, phase)) => match process(pid) {
            Process::Gone => Found::Nothing,
            Process::Zombie => Found::Stale,
            Process::Alive(arguments) if is_postmaster_of(&arguments, data) => Found::Postmaster { pid, phase },
            Process::Alive(_) => Found::Stale,
        },
    }
}

/// Whether the process still does something: a zombie does not.
pub(super) fn is_alive(pid: u32) -> bool {
    matches!(process(pid), Process::Alive(_))
}

/// A process id for signals; `None` for numbers that never are one.
pub(super) fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

enum Process {
    Gone,
    Zombie,
    Alive(Vec<String>),
}

fn process(pid: u32) -> Process {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    match fs::read_to_string(proc.join("stat")).map(|stat| state_of(&stat)) {
        Err(_) => Process::Gone,
        Ok(Some('Z' | 'X')) => {
            reap_as_init(pid);
            Process::Zombie
        }
        Ok(_) => Process::Alive(arguments_of(&fs::read(proc.join("cmdline")).unwrap_or_default())),
    }
}

/// As process 1 of a container we inherit orphans, and nobody else reaps them. (Otherwise a zombie is its parent's.)
fn reap_as_init(pid: u32) {
    if getpid().is_init()
        && let Some(pid) = as_pid(pid)
    {
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

/// The state letter in `/proc/<pid>/stat`, which follows the program's name in brackets (that may hold brackets).
fn state_of(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

fn arguments_of(cmdline: &[u8]) -> Vec<String> {
    let parts = cmdline.split(|&byte| byte == 0).filter(|part| !part.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// The process id and phase in `postmaster.pid`.
fn parse(text: &str) -> Option<(u32, Phase)> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    let phase = match lines.nth(6).map(str::trim) {
        Some("ready" | "standby") => Phase::Ready,
        Some("stopping") => Phase::Stopping,
        _ => Phase::Starting,
    };
    Some((pid, phase))
}

/// Whether a process with these arguments is a postmaster, of this data directory as far as it says. (Backends call
/// themselves `postgres: …`. The working directory would say more, but in containers even root may not read it.)
fn is_postmaster_of(arguments: &[String], data: &Path) -> bool {
    let name = arguments.first().and_then(|program| Path::new(program).file_name());
    let says = arguments.iter().skip_while(|a| *a != "-D").nth(1).map(Path::new);
    let same = |said: &Path| said == data || said.canonicalize().is_ok_and(|said| said == data);
    name.is_some_and(|name| name == "postgres" || name == "postmaster") && says.is_none_or(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIDFILE: &str = "4154\n/srv/data\n1732150000\n5432\n/srv/socket\n\n   262145         3\nready   \n";

    fn arguments(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_complete_pid_file_gives_the_process_and_its_phase() {
        assert_eq!(parse(PIDFILE), Some((4154, Phase::Ready)));
        assert_eq!(
            parse(&PIDFILE.replace("ready   ", "stopping")),
            Some((4154, Phase::Stopping))
        );
        assert_eq!(
            parse(&PIDFILE.replace("ready   ", "starting")),
            Some((4154, Phase::Starting))
        );
    }

    #[test]
    fn a_pid_file_that_is_just_being_written_means_starting() {
        assert_eq!(parse("4154\n/srv/data\n"), Some((4154, Phase::Starting)));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_state_is_found_behind_a_name_with_brackets() {
        assert_eq!(state_of("12 (a) b) Z 1 12 12 0"), Some('Z'));
        assert_eq!(state_of("12 (postgres) S 1 12"), Some('S'));
    }

    #[test]
    fn a_postmaster_of_another_folder_and_a_backend_are_not_ours() {
        let data = Path::new("/srv/data");
        assert!(is_postmaster_of(
            &arguments("/usr/lib/postgresql/15/bin/postgres -D /srv/data -c port=1"),
            data
        ));
        assert!(
            is_postmaster_of(&arguments("postgres"), data),
            "it does not say: better believe it"
        );
        assert!(!is_postmaster_of(
            &arguments("/usr/lib/postgresql/15/bin/postgres -D /srv/other"),
            data
        ));
        assert!(!is_postmaster_of(&arguments("postgres: checkpointer"), data));
        assert!(!is_postmaster_of(&arguments("trailmark serve"), data));
    }

    #[test]
    fn a_pid_file_with_the_id_of_another_program_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("postmaster.pid"),
            format!("{}\n", std::process::id()),
        )
        .unwrap();
        assert_eq!(look(folder.path()), Found::Stale);
    }

    #[test]
    fn a_child_that_ended_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert!(!is_alive(pid));
        assert!(is_alive(std::process::id()));
    }
}
