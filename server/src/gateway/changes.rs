//! Files that change, told to whom they concern.
//!
//! Their directories are watched, not the files: editors and certbot rename a new file over the old one, and Kubernetes
//! swaps a symbolic link beside it. Some file systems tell nothing, so there is also a look every minute.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How long after a change the files are left alone: they are often written in several steps, or come in pairs.
const SETTLE: Duration = Duration::from_millis(100);

/// How often there is a look although nothing was told.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watching {
    _watcher: Option<RecommendedWatcher>,
}

/// Calls `look` on a thread `name` after each change in the directories of `files`, and every minute, until it returns
/// false or the watch is dropped. It must find out itself whether anything of its own has changed.
///
/// # Errors
/// No thread could be started.
pub fn follow<'f>(
    name: &'static str,
    files: impl Iterator<Item = &'f Path>,
    look: impl Fn() -> bool + Send + 'static,
) -> io::Result<Watching> {
    let directories: BTreeSet<_> = files.map(directory).collect();
    let (changed, changes) = channel();
    let watcher = watch(name, &directories, changed.clone());
    // Without a watcher the sender must live on, or the thread would end.
    let alive = watcher.is_none().then_some(changed);
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _alive = alive;
        until_nobody_looks(&changes, look);
    })?;
    Ok(Watching { _watcher: watcher })
}

fn until_nobody_looks(changes: &Receiver<()>, look: impl Fn() -> bool) {
    loop {
        match changes.recv_timeout(LOOK_EVERY) {
            Ok(()) => thread::sleep(SETTLE),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while changes.try_recv().is_ok() {}
        if !look() {
            return;
        }
    }
}

fn watch(name: &'static str, directories: &BTreeSet<PathBuf>, changed: Sender<()>) -> Option<RecommendedWatcher> {
    let watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_change(event.kind)) {
            let _ = changed.send(());
        }
    });
    let watching = watching.and_then(|mut watcher| {
        for directory in directories {
            watcher.watch(directory, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    });
    let failed = |error| tracing::warn!(%error, name, "files are not watched, only looked at every minute");
    watching.map_err(failed).ok()
}

/// Reading a file is told, too: heeding that would never end.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

fn directory(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, ModifyKind, RenameMode};

    use super::*;

    #[test]
    fn reading_the_files_is_no_change_of_them() {
        assert!(!is_change(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!is_change(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(is_change(EventKind::Access(AccessKind::Close(AccessMode::Write))));
        assert!(is_change(EventKind::Create(CreateKind::Any)));
        assert!(is_change(EventKind::Modify(ModifyKind::Name(RenameMode::To))));
    }
}
