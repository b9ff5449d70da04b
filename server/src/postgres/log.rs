//! Postgres's log file: bounded, and quoted in errors.
//!
//! Postgres writes to its standard error, which is this file opened for appending; so messages from before and after
//! its start-up lie in one place, no logging process is needed, and the file can be cut while Postgres writes on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// 8 MiB, about 60 000 lines; with the file before it at most 16 MiB and what is written between two looks.
const MAX_BYTES: u64 = 8 << 20;

/// How much of the end an error quotes: some ten lines.
const TAIL_BYTES: u64 = 1_500;

/// Opens the log for a process to write to. 0600: statements in it hold data.
pub(super) fn open(log: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(log)
}

/// Moves what is in a large log to `<log>.1` and empties it. A line written in between may be lost.
pub(super) fn keep_bounded(log: &Path) -> io::Result<()> {
    cut_over(log, MAX_BYTES)
}

fn cut_over(log: &Path, max_bytes: u64) -> io::Result<()> {
    if !fs::metadata(log).is_ok_and(|m| m.len() > max_bytes) {
        return Ok(());
    }
    fs::copy(log, older(log))?;
    OpenOptions::new().write(true).truncate(true).open(log).map(drop)
}

fn older(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// The last lines of the log; empty when it cannot be read.
pub(super) fn tail(log: &Path) -> String {
    let read = || {
        let mut file = File::open(log)?;
        let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        io::Result::Ok((start > 0, String::from_utf8_lossy(&bytes).into_owned()))
    };
    match read() {
        Ok((true, text)) => text
            .split_once('\n')
            .map_or_else(String::new, |(_, whole)| whole.trim_end().to_owned()),
        Ok((false, text)) => text.trim_end().to_owned(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_large_log_is_moved_while_its_writer_goes_on_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("postgres.log");
        let mut writer = open(&log).unwrap();
        writer.write_all(b"old old old\n").unwrap();
        cut_over(&log, 10).unwrap();
        writer.write_all(b"new\n").unwrap();
        assert_eq!(fs::read_to_string(older(&log)).unwrap(), "old old old\n");
        assert_eq!(fs::read_to_string(&log).unwrap(), "new\n");
    }

    #[test]
    fn a_small_log_stays() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("postgres.log");
        open(&log).unwrap().write_all(b"0123456789").unwrap();
        cut_over(&log, 10).unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), "0123456789");
        assert!(!older(&log).exists());
    }

    #[test]
    fn the_tail_has_whole_lines_only() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("postgres.log");
        let lines: String = (0..1_000).map(|n| format!("line {n:04}\n")).collect();
        fs::write(&log, &lines).unwrap();
        let tail = tail(&log);
        assert!(tail.ends_with("line 0999") && tail.len() < 1_500, "{tail}");
        assert!(tail.lines().all(|line| line.len() == 9), "{tail}");
    }
}
