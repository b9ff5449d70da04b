//! One segment file: its name, its extent, its marks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Seq;
use super::disk::SharedFile;
use super::marks::Marks;

/// The next segment, before it has a name.
pub(super) const SPARE: &str = "spare.tmp";
const SUFFIX: &str = ".log";
const CORRUPT: &str = ".corrupt";
const DIGITS: usize = 20;

/// One segment, open.
pub(super) struct Segment {
    pub(super) first: Seq,
    pub(super) file: SharedFile,
    /// Bytes of disk it takes.
    pub(super) capacity: u64,
    /// Bytes up to which durable records may stand.
    end: AtomicU64,
    marks: Mutex<Marks>,
    damaged: AtomicBool,
}

impl Segment {
    /// A segment of `capacity` bytes whose records end before `end`.
    pub(super) fn new(first: Seq, file: SharedFile, capacity: u64, end: u64) -> Self {
        let marks = Mutex::new(Marks::starting(first));
        Self {
            first,
            file,
            capacity,
            end: AtomicU64::new(end),
            marks,
            damaged: AtomicBool::new(false),
        }
    }

    pub(super) fn name(&self) -> String {
        name_of(self.first)
    }

    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Durable records stand up to `end` now, the last group of them beginning with `seq` at `offset`.
    pub(super) fn grew(&self, seq: Seq, offset: u64, end: u64) {
        self.marks().note(seq, offset);
        self.end.store(end, Ordering::Release);
    }

    pub(super) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what is known about the same file.
    pub(super) fn take_marks_of(&self, other: &Self) {
        std::mem::swap(&mut *self.marks(), &mut *other.marks());
    }

    /// Notes that the segment is damaged; true the first time.
    pub(super) fn mark_damaged(&self) -> bool {
        !self.damaged.swap(true, Ordering::AcqRel)
    }
}

/// The name of the segment that begins with `first`.
pub(super) fn name_of(first: Seq) -> String {
    format!("{first:0DIGITS$}{SUFFIX}")
}

/// The name under which a damaged segment is kept.
pub(super) fn corrupt_name(name: &str) -> String {
    format!("{name}{CORRUPT}")
}

/// Whether a file is a damaged segment set aside.
pub(super) fn is_corrupt_name(name: &str) -> bool {
    name.strip_suffix(CORRUPT).is_some_and(|name| first_of(name).is_some())
}

/// The first record of the segment with this name, if it is a segment's name.
pub(super) fn first_of(name: &str) -> Option<Seq> {
    let digits = name.strip_suffix(SUFFIX)?;
    let plain = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&first| plain && first > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_the_first_record() {
        assert_eq!(name_of(1), "00000000000000000001.log");
        assert_eq!(first_of(&name_of(u64::MAX)), Some(u64::MAX));
        assert!(is_corrupt_name(&corrupt_name(&name_of(7))));
    }

    #[test]
    fn other_files_are_not_segments() {
        for name in [
            "lock",
            SPARE,
            "1.log",
            "00000000000000000000.log",
            "+0000000000000000001.log",
            "x.log.corrupt",
        ] {
            assert_eq!(first_of(name), None, "{name}");
            assert!(!is_corrupt_name(name), "{name}");
        }
    }
}
