//! The data directory: can it be written, is there room, and how fast does the disk say "done"?

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trailmark_server::Config;

use super::check::{Check, Verdict};
use crate::output::bytes;

/// Less free than this and the server soon refuses events: 1 GiB.
const LITTLE_FREE: u64 = 1 << 30;

/// How long the disk is measured: a disk with 10 ms a sync still gives 30 samples.
const MEASURE: Duration = Duration::from_millis(300);

/// One write of the measurement: a page.
const BLOCK: [u8; 4096] = [0x74; 4096];

/// Slower and single small requests queue behind the disk; spinning disks manage about 100.
const SLOW_SYNCS_PER_SECOND: f64 = 100.0;

/// Faster than any disk with power-loss protection: memory, or a disk that only pretends.
const INCREDIBLE_SYNCS_PER_SECOND: f64 = 100_000.0;

pub(super) fn checks(config: &Config) -> Vec<Check> {
    let dir = existing(&config.data_dir);
    let new = if dir == config.data_dir { "" } else { " (will be made)" };
    let place = format!("{}{new}", config.data_dir.display());
    match measure(&dir) {
        Err(error) => vec![Check::fail(
            "data directory",
            format!("{place} cannot be written: {error}"),
        )],
        Ok(rate) => {
            let writable = Check::ok("data directory", format!("{place} is writable"));
            vec![writable, free(&dir, config.journal.max_bytes), speed(rate)]
        }
    }
}

/// `path`, or the nearest folder above it that exists.
fn existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = absolute.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned);
    if found.as_ref() == Some(&absolute) {
        path.to_owned()
    } else {
        found.unwrap_or_else(|| path.to_owned())
    }
}

fn free(dir: &Path, journal_max: u64) -> Check {
    match rustix::fs::statvfs(dir) {
        Ok(disk) => judge_free(disk.f_bavail.saturating_mul(disk.f_frsize), journal_max),
        Err(error) => Check::warn("disk space", format!("unknown: {error}")),
    }
}

fn judge_free(free: u64, journal_max: u64) -> Check {
    let (free_text, max_text) = (bytes(free), bytes(journal_max));
    if free < LITTLE_FREE {
        Check::fail("disk space", format!("only {free_text} free"))
    } else if free < journal_max {
        Check::warn(
            "disk space",
            format!("{free_text} free, less than the journal may take (journal.max_bytes, {max_text})"),
        )
    } else {
        Check::ok("disk space", format!("{free_text} free"))
    }
}

fn speed(rate: f64) -> Check {
    let rate_text = format!("{rate:.0} fdatasync/s of 4 KiB");
    let (result, remark) = if rate < SLOW_SYNCS_PER_SECOND {
        (Verdict::Warn, ": slow, each answer waits for one")
    } else if rate > INCREDIBLE_SYNCS_PER_SECOND {
        (
            Verdict::Warn,
            ": too fast for a disk; after a power loss, events may be gone",
        )
    } else {
        (Verdict::Ok, "")
    };
    Check::new("disk speed", result, format!("{rate_text}{remark}"))
}

/// Syncs per second of a small file that grows, in a file that is removed again.
fn measure(dir: &Path) -> io::Result<f64> {
    let probe = dir.join(format!(".trailmark-doctor-{}", std::process::id()));
    let rate = File::create_new(&probe).and_then(|file| append_and_sync(&file));
    let removed = std::fs::remove_file(&probe);
    let rate = rate?;
    removed?;
    Ok(rate)
}

fn append_and_sync(mut file: &File) -> io::Result<f64> {
    let started = Instant::now();
    let mut syncs = 0.0;
    while started.elapsed() < MEASURE {
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        syncs += 1.0;
    }
    Ok(syncs / started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_judged_by_what_the_journal_may_take() {
        let gib = 1 << 30;
        assert_eq!(judge_free(10 * gib, 4 * gib).result, Verdict::Ok);
        assert_eq!(judge_free(3 * gib, 4 * gib).result, Verdict::Warn);
        assert_eq!(judge_free(gib / 2, 4 * gib).result, Verdict::Fail);
    }

    #[test]
    fn slow_and_incredible_disks_are_pointed_out() {
        assert_eq!(
            [20.0, 2_000.0, 500_000.0].map(|rate| speed(rate).result),
            [Verdict::Warn, Verdict::Ok, Verdict::Warn]
        );
    }

    #[test]
    fn a_measurement_leaves_nothing_behind_and_a_missing_folder_is_looked_for_above() {
        let dir = tempfile::tempdir().unwrap();
        assert!(measure(dir.path()).unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(existing(&dir.path().join("a/b")), dir.path());
    }
}
