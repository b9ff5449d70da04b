//! What processes cost, from `/proc`.

use std::fs;
use std::time::Duration;

use crate::Outcome;

/// CPU time of a process so far, its dead and waited-for children included.
///
/// # Errors
/// There is no such process.
pub fn cpu(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field, the name, may hold anything but ends with the last parenthesis; utime is the 14th.
    let fields = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_secs_f64(
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

/// CPU time of a process and of its living and dead children.
///
/// # Errors
/// There is no such process.
pub fn cpu_of_family(parent: u32) -> Outcome<Duration> {
    let children = children(parent)?.into_iter().filter_map(|child| cpu(child).ok());
    Ok(cpu(parent)? + children.sum::<Duration>())
}

fn children(parent: u32) -> Outcome<Vec<u32>> {
    let pids = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.filter(|pid| parent_of(*pid) == Some(parent)).collect())
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Resident memory of a process in bytes: now, and at its peak.
///
/// # Errors
/// There is no such process.
pub fn memory(pid: u32) -> Outcome<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Ok((
        kib("VmRSS:").ok_or("no VmRSS")? * 1024,
        kib("VmHWM:").ok_or("no VmHWM")? * 1024,
    ))
}

/// What each party has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// The server.
    pub server: Duration,
    /// Postgres with all its processes.
    pub postgres: Duration,
    /// This process.
    pub generator: Duration,
}

impl Cpu {
    /// What was used since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            postgres: self.postgres.saturating_sub(before.postgres),
            generator: self.generator.saturating_sub(before.generator),
        }
    }
}

/// Whom to watch.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// The server's process.
    pub server: u32,
    /// The postmaster's process.
    pub postmaster: u32,
}

impl Watched {
    /// CPU times so far.
    ///
    /// # Errors
    /// One of them is gone.
    pub fn cpu(&self) -> Outcome<Cpu> {
        // The private postmaster is a child of the server, but not waited for yet, so it is not in the server's time.
        Ok(Cpu {
            server: cpu(self.server)?,
            postgres: cpu_of_family(self.postmaster)?,
            generator: cpu(std::process::id())?,
        })
    }
}

/// The load averages.
///
/// # Errors
/// There is no `/proc`.
pub fn load_average() -> Outcome<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}
