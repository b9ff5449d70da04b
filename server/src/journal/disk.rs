//! The only file operations the journal uses, so that a simulated disk can stand in for the real one.

use std::io;
use std::sync::Arc;

/// An open file, shared by the committer and the reader.
pub type SharedFile = Arc<dyn DiskFile>;

/// The sole right to a directory, given back when dropped.
pub type DirLock = Box<dyn Send + Sync>;

/// One directory of plain files. Every error is the operating system's own.
#[expect(clippy::missing_errors_doc, reason = "the trait's line says it for all")]
pub trait Disk: Send + Sync + 'static {
    /// Takes the sole right to the directory; `WouldBlock` if another has it.
    fn lock(&self) -> io::Result<DirLock>;
    /// The names of the files, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new empty file; an error if there is one of this name.
    fn create(&self, name: &str) -> io::Result<SharedFile>;
    /// A file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<SharedFile>;
    /// Gives a file a new name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Gives a file a second name.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;
    /// Takes a name away, and the file if it was its last.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable: those created, changed and removed.
    fn sync_dir(&self) -> io::Result<()>;
}

/// One open file. Every error is the operating system's own.
#[expect(
    clippy::missing_errors_doc,
    clippy::len_without_is_empty,
    reason = "the trait's line says it; a size, no collection"
)]
pub trait DiskFile: Send + Sync {
    /// Its size in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Reads up to `into.len()` bytes at `offset`; fewer only at the file's end.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts the file to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Reserves space up to `len` bytes; what is new reads as zeros.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// `fdatasync`: makes the contents durable.
    fn sync_data(&self) -> io::Result<()>;
    /// `fsync`: makes the contents and the file's size and allocation durable.
    fn sync_all(&self) -> io::Result<()>;
    /// Forgets cached pages, so that the next read tells what the disk has. After a failed sync the cache may hold
    /// pages that are called clean and never reached the disk.
    fn drop_cache(&self) -> io::Result<()>;
}
