//! How fast the disk makes bytes durable at this moment: it bounds every journal and every commit.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Long enough for hundreds of syncs.
const TIME: Duration = Duration::from_millis(300);

/// `fdatasync` calls a second in `dir`, each after one overwritten block of 4 KiB.
///
/// # Errors
/// The disk's.
pub fn syncs_per_second(dir: &Path) -> Outcome<f64> {
    let file = tempfile::NamedTempFile::new_in(dir)?;
    let block = [1; 4096];
    prepare(file.as_file(), &block)?;
    let (began, mut syncs) = (Instant::now(), 0.0);
    while began.elapsed() < TIME {
        file.as_file().write_all_at(&block, 0)?;
        file.as_file().sync_data()?;
        syncs += 1.0;
    }
    Ok(syncs / began.elapsed().as_secs_f64())
}

fn prepare(file: &File, block: &[u8]) -> Outcome<()> {
    file.write_all_at(block, 0)?;
    Ok(file.sync_all()?)
}
