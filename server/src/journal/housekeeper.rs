//! Making the next segment ahead, and deleting what was acknowledged: the slow file operations, off the commit path.

use std::io;
use std::sync::Arc;

use tracing::{info, warn};

use super::committer::PanicGuard;
use super::core::Core;
use super::disk::SharedFile;
use super::spares;

/// The housekeeper's thread: until spares are no longer needed.
pub(super) fn run(core: &Arc<Core>) {
    let _guard = PanicGuard(core);
    while core.spares.wait_for_chores() {
        core.keep_house();
    }
}

impl Core {
    /// Frees what may be freed and makes what is missing.
    pub(super) fn keep_house(&self) {
        if self.is_poisoned() {
            return;
        }
        if let Err(error) = self.delete_acked() {
            warn!(%error, "cannot delete acknowledged segments; trying again later");
        }
        if self.spares.is_missing() {
            self.make_spare();
        }
    }

    /// One at a time, each durably gone before the next: after a crash no hole is left.
    fn delete_acked(&self) -> io::Result<()> {
        while let Some(segment) = self.shelf.oldest_acked(self.acked()) {
            match self.disk.remove(&segment.name()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.shelf.drop_oldest(),
            }
            self.disk.sync_dir()?;
        }
        Ok(())
    }

    fn make_spare(&self) {
        let was_blocked = self.spares.blocked().is_some();
        let made = self.allowed_spare();
        match &made {
            Err(reason) if !was_blocked => warn!(%reason, "the journal cannot grow"),
            Ok(_) if was_blocked => info!("the journal can grow again"),
            _ => {}
        }
        self.spares.put(made);
    }

    fn allowed_spare(&self) -> Result<SharedFile, String> {
        let (_, taken) = self.shelf.size();
        if taken.saturating_add(self.segment_bytes) > self.max_bytes {
            return Err(format!("{taken} bytes of {} are taken", self.max_bytes));
        }
        spares::make(&*self.disk, self.segment_bytes).map_err(|error| error.to_string())
    }
}
