//! How our Postgres is tuned: much insertion in large transactions, few connections, short queries, small machines.
//!
//! Our file includes the one that `initdb` made (locale, date style), so what it says comes last. What an operator
//! sets with `ALTER SYSTEM` wins over both. Only the socket's place and "no TCP" are fixed, on the command line.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;

use super::error::StartError;
use super::layout::Layout;

const MIB: u64 = 1 << 20;

/// Assumed where `/proc/meminfo` cannot be read: the smallest machine we mean to run well on.
const ASSUMED_MEMORY: u64 = 512 * MIB;

/// Connections of our pools (about 20) and of a few tools and command-line runs; each idle one costs 2 to 5 MB.
const MAX_CONNECTIONS: u32 = 50;

/// The memory dependent settings, in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Memory {
    shared_buffers: u64,
    effective_cache_size: u64,
    work_mem: u64,
    maintenance_work_mem: u64,
}

/// Shares of `bytes` of memory. The server itself and the journal's page cache want the rest.
fn memory_for(bytes: u64) -> Memory {
    let mib = bytes / MIB;
    Memory {
        // A quarter is the manual's advice. Above 1 GB the system's cache does as well for inserts, and each checkpoint
        // has to search all of it.
        shared_buffers: (mib / 4).clamp(16, 1024),
        // Only the planner's estimate of what is cached somewhere.
        effective_cache_size: (mib / 2).max(64),
        // A sort or hash may use this, several in a query. At 64 MiB, 50 connections with one each come to 3.2 GB,
        // which only machines of 16 GiB and more are given.
        work_mem: (mib / 256).clamp(4, 64),
        // Index builds and vacuum: at most autovacuum_max_workers (3) of it at a time.
        maintenance_work_mem: (mib / 16).clamp(16, 256),
    }
}

/// Processes that help a statement: with them it has one for each core, and at the most five. A third one on two cores only
/// makes more to put together (retention of ten million events: 1.9 s, and 1.7 with one helper; bench/RESULTS.md).
fn helpers_for(cores: usize) -> usize {
    cores.saturating_sub(1).min(4)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Writes the settings file for this machine. It holds no secret, and Postgres's account has to read it.
pub(super) fn write(layout: &Layout, lz4: bool) -> Result<(), StartError> {
    let text = render(memory_for(available_memory()), helpers_for(cores()), lz4);
    let written = fs::write(&layout.config, text);
    let opened = written.and_then(|()| fs::set_permissions(&layout.config, fs::Permissions::from_mode(0o644)));
    opened.map_err(StartError::io("write", &layout.config))
}

/// The settings file. The relative include means the folder of the file itself.
fn render(memory: Memory, helpers: usize, lz4: bool) -> String {
    let mut text = String::from(BEFORE);
    let mut set = |name: &str, mib: u64| {
        let _ = writeln!(text, "{name} = {mib}MB"); // writing to a String cannot fail
    };
    set("shared_buffers", memory.shared_buffers);
    set("effective_cache_size", memory.effective_cache_size);
    set("work_mem", memory.work_mem);
    set("maintenance_work_mem", memory.maintenance_work_mem);
    let _ = writeln!(text, "max_connections = {MAX_CONNECTIONS}");
    let _ = writeln!(text, "max_parallel_workers_per_gather = {helpers}");
    let _ = writeln!(text, "wal_compression = {}", if lz4 { "lz4" } else { "off" });
    text + AFTER
}

const BEFORE: &str = "\
# Written by trailmark at every start: changes here are lost. To change a setting for good use ALTER SYSTEM.
include 'data/postgresql.conf'

# Shares of this machine's memory.
";

/// Settings that every version from 14 to 18 knows.
const AFTER: &str = "\
# lz4 (version 15, where built in) costs little and halves the page images after a checkpoint; pglz costs more CPU than
# the WAL it saves is worth on two cores, so otherwise it is off.

# A committed transaction survives a crash: never off.
fsync = on
full_page_writes = on
synchronous_commit = on

# A random index page is logged whole once per checkpoint: rare checkpoints make less WAL. 4 GB are some 5 million
# events (0.8 kB of WAL each), so under load the time decides. The price: up to 4 GB to replay after a crash.
max_wal_size = 4GB
checkpoint_timeout = 15min

# Insert-only partitions get their visibility map, which index-only scans need, after 2 % of new rows instead of 20 %.
autovacuum_vacuum_insert_scale_factor = 0.02

# Compiling costs more than our short queries take.
jit = off

timezone = 'UTC'
log_timezone = 'UTC'

# To standard error, which is postgres.log in this folder and kept bounded.
logging_collector = off
log_destination = 'stderr'
log_line_prefix = '%m [%p] '
unix_socket_permissions = 0700
";

/// What this process may use: the machine's memory, or its control group's limit if that is less.
fn available_memory() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| parse_meminfo(&text));
    let own_group = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| parse_cgroup_path(&text));
    let limit_of = |group: &str| fs::read_to_string(format!("/sys/fs/cgroup{group}/memory.max")).ok();
    let limit = limit_of(own_group.as_deref().unwrap_or("")).or_else(|| limit_of(""));
    let limit = limit.and_then(|text| text.trim().parse().ok()); // `max` means no limit
    machine.into_iter().chain(limit).min().unwrap_or(ASSUMED_MEMORY)
}

/// `MemTotal` in bytes.
fn parse_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The path of the one group of version 2: `0::/system.slice/trailmark.service`.
fn parse_cgroup_path(text: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix("0::"))
        .map(|path| path.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_large_machine_gives_one_gigabyte_and_a_small_one_a_quarter() {
        assert_eq!(memory_for(24 << 30).shared_buffers, 1024);
        assert_eq!(memory_for(512 * MIB).shared_buffers, 128);
        assert_eq!(memory_for(512 * MIB).work_mem, 4);
    }

    #[test]
    fn the_settings_end_with_ours_after_the_included_ones() {
        let text = render(memory_for(1 << 30), helpers_for(2), true);
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing"));
        assert!(at("include 'data/postgresql.conf'") < at("shared_buffers = 256MB"));
        assert!(at("wal_compression = lz4") < at("fsync = on"));
        assert!(at("include 'data/postgresql.conf'") < at("max_parallel_workers_per_gather = 1\n"));
    }

    #[test]
    fn a_statement_has_as_many_processes_as_there_are_cores_up_to_five() {
        assert_eq!([1, 2, 4, 64].map(helpers_for), [0, 1, 3, 4]);
    }

    #[test]
    fn memory_and_group_are_read_from_what_linux_writes() {
        assert_eq!(
            parse_meminfo("MemTotal:       24682700 kB\nMemFree: 1 kB\n"),
            Some(24_682_700 * 1024)
        );
        assert_eq!(
            parse_cgroup_path("0::/a.slice/b.service\n").as_deref(),
            Some("/a.slice/b.service")
        );
        assert_eq!(parse_cgroup_path("0::/\n").as_deref(), Some(""));
        assert!(available_memory() > 64 * MIB);
    }

    proptest! {
        #[test]
        fn every_machine_from_256_mib_keeps_half_of_its_memory(mib in 256_u64..1_000_000) {
            let memory = memory_for(mib * MIB);
            prop_assert!(memory.shared_buffers + memory.maintenance_work_mem + 4 * memory.work_mem <= mib / 2);
        }
    }
}
