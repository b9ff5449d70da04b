//! Where everything of the private Postgres lies.
//!
//! ```text
//! <dir>/owner.lock       locked by the process that owns the running Postgres
//! <dir>/password         0600, of the superuser `trailmark`
//! <dir>/trailmark.conf   our settings, written at every start
//! <dir>/postgres.log     and postgres.log.1: bounded
//! <dir>/socket/          0700, unless the path is too long: see `socket_dir`
//! <dir>/data/            0700, the data directory; data.init while initdb works on it
//! ```
//! `<dir>` stays ours and only `data` and `socket` belong to Postgres's account, so root never writes a path in a folder
//! that another user could have filled with symbolic links.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::account::Account;
use super::error::StartError;

/// Names the socket file only, as nothing listens on TCP.
pub(super) const PORT: u16 = 5432;

/// `sockaddr_un.sun_path` has 108 bytes on Linux, the last is NUL.
const SOCKET_PATH_MAX: usize = 107;

/// The paths of one private Postgres; all absolute, without symbolic links.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) dir: PathBuf,
    pub(super) data: PathBuf,
    pub(super) data_init: PathBuf,
    pub(super) socket_dir: PathBuf,
    pub(super) password: PathBuf,
    pub(super) config: PathBuf,
    pub(super) log: PathBuf,
    pub(super) lock: PathBuf,
}

impl Layout {
    /// Makes the folder when it is missing, and finds the paths in it.
    pub(super) fn prepare(dir: &Path) -> Result<Self, StartError> {
        make_dir(dir)?;
        let dir = dir.canonicalize().map_err(StartError::io("find", dir))?;
        let short_root = if rustix::process::geteuid().is_root() {
            "/run"
        } else {
            "/tmp"
        };
        Ok(Self {
            data: dir.join("data"),
            data_init: dir.join("data.init"),
            socket_dir: socket_dir(&dir, Path::new(short_root)),
            password: dir.join("password"),
            config: dir.join("trailmark.conf"),
            log: dir.join("postgres.log"),
            lock: dir.join("owner.lock"),
            dir,
        })
    }

    /// Makes the folder of the socket, or makes sure that the one that is there is private: in `/tmp` anybody could have
    /// made it.
    pub(super) fn prepare_socket_dir(&self, account: &Account) -> Result<(), StartError> {
        let at = &self.socket_dir;
        match DirBuilder::new().mode(0o700).create(at) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => {
                made.map_err(StartError::io("make", at))?;
                account.give(at)?;
            }
        }
        let found = fs::symlink_metadata(at).map_err(StartError::io("look at", at))?;
        if found.is_dir() && found.uid() == account.uid && found.mode() & 0o077 == 0 {
            return Ok(());
        }
        let problem = format!("must be a folder of user `{}` with mode 0700: remove it", account.name);
        Err(StartError::WrongOwner {
            path: at.clone(),
            problem,
        })
    }

    /// Removes the lock files of a postmaster that is known to be gone. Postgres would trust them if another process
    /// had its process id by now, which in containers, where ids are small, happens.
    pub(super) fn remove_stale_locks(&self) {
        let socket = format!(".s.PGSQL.{PORT}");
        for stale in [
            self.data.join("postmaster.pid"),
            self.socket_dir.join(format!("{socket}.lock")),
        ] {
            let _ = fs::remove_file(stale);
        }
    }
}

/// The folder itself: root's is passable, so that Postgres's account reaches its data, ours is private. Folders above it
/// are made as the umask says.
fn make_dir(dir: &Path) -> Result<(), StartError> {
    let mode = if rustix::process::geteuid().is_root() {
        0o711
    } else {
        0o700
    };
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(StartError::io("make", parent))?;
    }
    match DirBuilder::new().mode(mode).create(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(StartError::io("make", dir)),
    }
}

/// `<dir>/socket`, or, when the socket's path would be too long, a folder in `short_root` with a name made from `dir`:
/// every process that works on `dir` must come to the same one.
fn socket_dir(dir: &Path, short_root: &Path) -> PathBuf {
    let inside = dir.join("socket");
    if socket_fits(&inside) {
        inside
    } else {
        short_root.join(format!("trailmark-{}", short_hash(dir.as_os_str())))
    }
}

/// Whether Postgres can make its socket there. The path is also quoted in a setting, so it has to be UTF-8.
fn socket_fits(socket_dir: &Path) -> bool {
    let file = socket_dir.join(format!(".s.PGSQL.{PORT}"));
    file.as_os_str().len() <= SOCKET_PATH_MAX && file.to_str().is_some()
}

/// 64 bits: two folders of one machine do not meet by chance.
fn short_hash(text: &OsStr) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir_of_length(length: usize) -> PathBuf {
        PathBuf::from(format!("/{}", "d".repeat(length - 1)))
    }

    /// `/socket/.s.PGSQL.5432` after the folder.
    const TAIL: usize = 7 + 14;

    #[test]
    fn a_socket_path_of_107_bytes_stays_in_the_folder() {
        let dir = dir_of_length(SOCKET_PATH_MAX - TAIL);
        assert_eq!(socket_dir(&dir, Path::new("/run")), dir.join("socket"));
    }

    #[test]
    fn a_socket_path_of_108_bytes_moves_to_a_short_folder() {
        let dir = dir_of_length(SOCKET_PATH_MAX - TAIL + 1);
        let moved = socket_dir(&dir, Path::new("/run"));
        assert!(moved.starts_with("/run") && socket_fits(&moved), "{moved:?}");
    }

    #[test]
    fn the_short_folder_depends_on_the_folder_only() {
        let (one, other) = (dir_of_length(200), dir_of_length(201));
        assert_eq!(socket_dir(&one, Path::new("/run")), socket_dir(&one, Path::new("/run")));
        assert_ne!(
            socket_dir(&one, Path::new("/run")),
            socket_dir(&other, Path::new("/run"))
        );
    }

    #[test]
    fn a_path_that_is_not_utf8_moves_too() {
        let dir = Path::new(OsStr::from_bytes(b"/caf\xe9"));
        assert!(socket_dir(dir, Path::new("/tmp")).starts_with("/tmp"));
    }
}
