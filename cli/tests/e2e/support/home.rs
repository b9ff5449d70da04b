//! The folder of one test's server, and the certainty that nothing of it stays.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends what runs in the folder once our end of the pipe is closed, by `drop` or by our death, and removes the folder.
///
/// A process is ours if the folder is in its command line, its environment or its working directory. Postgres is asked
/// to quit (it then frees its shared memory and takes its children along), everything else is killed; after five
/// seconds everything is. The folder's name comes through the pipe, so that this script does not find itself.
const WATCHDOG: &str = r#"
read -r dir
cat >/dev/null
ours() {
    { grep -lsaF "$dir" /proc/[0-9]*/cmdline /proc/[0-9]*/environ
      find /proc -maxdepth 2 -name cwd -lname "$dir*" 2>/dev/null
    } | cut -d/ -f3 | sort -u
}
try=0
while pids=$(ours); [ -n "$pids" ] && [ $try -lt 60 ]; do
    for pid in $pids; do
        case "$try $(cat /proc/$pid/comm 2>/dev/null)" in
            ?" "postgres|[1-4]?" "postgres) kill -CONT $pid; kill -QUIT $pid;;
            *) kill -KILL $pid;;
        esac
    done 2>/dev/null
    try=$((try + 1))
    sleep 0.1
done
rm -rf "$dir"
"#;

/// A fresh folder that Postgres's account can pass through.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    watchdog: Child,
}

impl Home {
    /// Makes it. Its path is short enough for a Unix socket inside.
    pub(crate) fn new() -> Self {
        let path = tempfile::Builder::new()
            .prefix("trailmark-e2e-")
            .tempdir_in("/tmp")
            .unwrap()
            .keep();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(watchdog.stdin.as_mut().unwrap(), "{}", path.display()).unwrap();
        Self { path, watchdog }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
