//! Telling the torn tail that a power loss leaves from damage to synced records.

use std::io;

use super::Seq;
use super::disk::DiskFile;
use super::record::{self, FRAME_BYTES};
use super::scanner::{Found, Scanner};
use super::tail::GROUP_BYTES;

/// Bytes looked through at a time: 64 KiB.
const LOOK_BYTES: usize = 64 * 1024;
static ZEROS: [u8; LOOK_BYTES] = [0; LOOK_BYTES];

/// How the last segment ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With nothing but zeros.
    Clean,
    /// With this many bytes of writes that were never synced.
    Torn(u64),
    /// With synced records behind damage.
    Damaged,
}

/// Judges what stands from `offset` to the file's end at `len`, where record `next` should be. A torn group is a single
/// record or at most [`GROUP_BYTES`] long: a whole record that begins farther away was synced. Nearer ones may be the
/// part of the torn group that reached the disk, and nobody was told of them.
pub(super) fn ending(file: &dyn DiskFile, next: Seq, offset: u64, len: u64) -> io::Result<Ending> {
    let mut written = 0;
    let mut at = offset;
    // Windows overlap by a frame less one byte, so that each frame is whole in one of them.
    let mut window = vec![0; LOOK_BYTES + FRAME_BYTES - 1];
    while at < len {
        let wanted = window.len().min(usize::try_from(len - at).unwrap_or(usize::MAX));
        let read = file.read_at(&mut window[..wanted], at)?;
        let (seen, fresh) = (&window[..read], &window[..read.min(LOOK_BYTES)]);
        if fresh.is_empty() {
            break;
        }
        // A comparison of memory: most of a segment is zeros, and all of it is looked through at every start.
        if fresh != &ZEROS[..fresh.len()] {
            let last = fresh.iter().rposition(|&byte| byte != 0).unwrap_or(0);
            written = at + last as u64 + 1 - offset;
            let in_reach = usize::try_from((offset + GROUP_BYTES as u64).saturating_sub(at)).unwrap_or(usize::MAX);
            if holds_record(file, seen, at, in_reach, next, len)? {
                return Ok(Ending::Damaged);
            }
        }
        at += fresh.len() as u64;
    }
    Ok(if written > 0 {
        Ending::Torn(written)
    } else {
        Ending::Clean
    })
}

/// Whether a whole record later than `next` begins in `window`, which stands at `at`, after its first `skip` bytes.
fn holds_record(file: &dyn DiskFile, window: &[u8], at: u64, skip: usize, next: Seq, len: u64) -> io::Result<bool> {
    let highest = next.saturating_add(len / FRAME_BYTES as u64);
    for (i, frame) in window.windows(FRAME_BYTES).enumerate().skip(skip) {
        let Some(seq) = frame.first_chunk().map(record::claimed_seq) else {
            continue;
        };
        if seq <= next || seq > highest {
            continue;
        }
        if let Found::Record(_) = Scanner::new(file, seq, at + i as u64, len).step()? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::super::disk::Disk;
    use super::super::fake_disk::FakeDisk;
    use super::*;

    const LEN: u64 = 4 * GROUP_BYTES as u64;

    /// How a file ends in which record 1 should stand at 100, and `bytes` stand at `at`.
    fn ending_with(at: usize, bytes: &[u8]) -> Ending {
        let disk = FakeDisk::new();
        let file = disk.create("file").expect("creates");
        file.allocate(LEN).expect("allocates");
        disk.damage("file", at, bytes);
        ending(&*file, 1, 100, LEN).expect("reads")
    }

    fn record(seq: Seq) -> Vec<u8> {
        let mut bytes = Vec::new();
        record::encode(&mut bytes, seq, b"payload");
        bytes
    }

    #[test]
    fn zeros_are_a_clean_ending() {
        assert_eq!(ending_with(0, &[1; 100]), Ending::Clean);
    }

    #[test]
    fn whatever_one_group_can_leave_is_torn() {
        assert_eq!(ending_with(100, b"junk"), Ending::Torn(4));
        assert_eq!(ending_with(5_000, b"\x01"), Ending::Torn(4_901));
        let reach = 100 + GROUP_BYTES;
        assert_eq!(
            ending_with(reach - 1, &record(2)),
            Ending::Torn(GROUP_BYTES as u64 - 1 + 23)
        );
        assert_eq!(
            ending_with(LEN as usize - 1, b"x"),
            Ending::Torn(LEN - 100),
            "a single large record"
        );
    }

    #[test]
    fn a_whole_record_out_of_a_groups_reach_was_synced() {
        let reach = 100 + GROUP_BYTES;
        assert_eq!(ending_with(reach, &record(2)), Ending::Damaged);
        let across_windows = 100 + 20 * LOOK_BYTES - 3;
        assert_eq!(ending_with(across_windows, &record(9)), Ending::Damaged);
        assert_eq!(ending_with(LEN as usize - 23, &record(9)), Ending::Damaged);
        assert!(
            matches!(ending_with(reach, &record(u64::MAX)), Ending::Torn(_)),
            "no record of this segment"
        );
    }
}
