//! Signals, and what `/proc` tells about processes.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::wait::until_true;

/// Sends a signal; a process that is gone takes none.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether the process runs; a zombie does not.
pub(crate) fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// Waits until the process is gone.
pub(crate) fn until_gone(pid: u32) {
    until_true(&format!("the end of process {pid}"), || !runs(pid));
}

/// The processes whose parent is `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    all.filter(|&child| stat(child).is_some_and(|(_, parent)| parent == pid))
        .collect()
}

/// The state letter and the parent. The name before them may hold blanks and parentheses.
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// The most memory that the process ever had resident, in bytes.
pub(crate) fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

/// Processor time, in ticks of a hundredth of a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// What there was, on all cores.
    all: u64,
    /// What was used.
    used: u64,
    /// What was used by this process, its former children and the processes that were named.
    own: u64,
}

impl Work {
    /// Up to now. `/proc/stat` has a name, user, nice, system, idle, iowait, irq, softirq and steal.
    pub(crate) fn of(pids: &[u32]) -> Self {
        let ticks = numbers(fs::read_to_string("/proc/stat").unwrap().lines().next().unwrap());
        let all = ticks[1..9].iter().sum();
        let own = pids.iter().chain(&[std::process::id()]).map(|pid| spent(*pid)).sum();
        Self {
            all,
            used: all - ticks[4] - ticks[5],
            own,
        }
    }

    /// The percentage of the machine that others have used since.
    pub(crate) fn others_since(self, earlier: Self) -> u64 {
        let others = (self.used - earlier.used).saturating_sub(self.own - earlier.own);
        100 * others / (self.all - earlier.all).max(1)
    }
}

/// What a process, and its children that have ended, have used: user and system time of each.
fn spent(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    numbers(text.rsplit_once(')').unwrap().1)[11..15].iter().sum()
}

/// Each word's number, 0 for those that are none.
fn numbers(text: &str) -> Vec<u64> {
    text.split_ascii_whitespace()
        .map(|word| word.parse().unwrap_or(0))
        .collect()
}

/// The postmaster of a private Postgres in `dir`, if one runs.
pub(crate) fn postmaster(dir: &Path) -> Option<u32> {
    let pid = fs::read_to_string(dir.join("data/postmaster.pid"))
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()?;
    runs(pid).then_some(pid)
}

/// A process and its children, stopped (SIGSTOP) until this is dropped.
#[derive(Debug)]
pub(crate) struct Frozen(Vec<u32>);

impl Frozen {
    /// Stops the parent first, so that it makes no child that would be missed.
    pub(crate) fn with_children(pid: u32) -> Self {
        signal(pid, Signal::STOP);
        let all = std::iter::once(pid).chain(children(pid)).collect::<Vec<_>>();
        all.iter().for_each(|&pid| signal(pid, Signal::STOP));
        Self(all)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.0.iter().rev().for_each(|&pid| signal(pid, Signal::CONT));
    }
}
