//! The operating system's files.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate};
use rustix::io::Errno;

use super::disk::{DirLock, Disk, DiskFile, SharedFile};

const LOCK_FILE: &str = "lock";
/// Payloads are people's data: nobody else on the machine reads them.
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Zeros per write where the file system cannot reserve space: 1 MiB.
const ZEROS_BYTES: usize = 1024 * 1024;

/// A directory of the operating system.
#[derive(Debug)]
pub struct OsDisk {
    dir: PathBuf,
}

#[derive(Debug)]
struct OsFile(File);

impl OsDisk {
    /// The directory `dir`, made with mode 0700 if it is not there.
    ///
    /// # Errors
    /// Whatever making and syncing the directory gives.
    pub fn at(dir: &Path) -> io::Result<Self> {
        if !dir.is_dir() {
            DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir)?;
            let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(FILE_MODE);
        options
    }
}

impl Disk for OsDisk {
    fn lock(&self) -> io::Result<DirLock> {
        let file = Self::options()
            .create(true)
            .truncate(false)
            .open(self.dir.join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn create(&self, name: &str) -> io::Result<SharedFile> {
        Ok(Arc::new(OsFile(
            Self::options().create_new(true).open(self.dir.join(name))?,
        )))
    }

    fn open(&self, name: &str) -> io::Result<SharedFile> {
        Ok(Arc::new(OsFile(Self::options().open(self.dir.join(name))?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}

impl DiskFile for OsFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < into.len() {
            match self.0.read_at(&mut into[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let from = self.len()?;
        if from >= len {
            return Ok(());
        }
        match fallocate(&self.0, FallocateFlags::empty(), from, len - from) {
            // NFS before 4.2, ZFS and some FUSE file systems: space is reserved by writing.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => self.write_zeros(from, len),
            outcome => Ok(outcome?),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn drop_cache(&self) -> io::Result<()> {
        Ok(fadvise(&self.0, 0, None, Advice::DontNeed)?)
    }
}

impl OsFile {
    fn write_zeros(&self, from: u64, to: u64) -> io::Result<()> {
        let zeros = vec![0; ZEROS_BYTES];
        let mut at = from;
        while at < to {
            let part = zeros.len().min(usize::try_from(to - at).unwrap_or(usize::MAX));
            self.write_at(&zeros[..part], at)?;
            at += part as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn space_can_be_reserved_by_writing_zeros() {
        let dir = tempfile::tempdir().expect("a directory");
        let disk = OsDisk::at(dir.path()).expect("opens");
        disk.create("a").expect("creates");
        let file = OsFile(OsDisk::options().open(dir.path().join("a")).expect("opens"));
        let len = ZEROS_BYTES as u64 + 10;
        file.write_zeros(3, len).expect("writes");
        assert_eq!(file.len().expect("has a size"), len);
    }

    #[test]
    fn directory_and_files_are_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let inside = dir.path().join("a/b");
        let disk = OsDisk::at(&inside).expect("opens");
        disk.create("file").expect("creates").allocate(4096).expect("allocates");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!(mode(&inside), DIR_MODE);
        assert_eq!(mode(&inside.join("file")), FILE_MODE);
        assert_eq!(fs::metadata(inside.join("file")).expect("is there").len(), 4096);
    }
}
