//! Where access log lines go: one buffer that requests append to, and one thread that writes it out. A request never waits
//! for the disk or for whoever reads the pipe; when the buffer is full, lines are dropped and counted.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use metrics::{Counter, counter};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::metrics::LOG_DROPPED;

/// The most that waits to be written, in bytes: 4 MiB, about 8,000 lines, or 0.4 s at 20,000 requests a second.
pub(super) const QUEUE_BYTES: usize = 4 << 20;

/// How long the first line waits for others: 20 ms. A thread that is woken and a write for each line would cost more than
/// all else that is done for it (about 5 µs each); so there are at most 50 of them in a second.
const LINGER: Duration = Duration::from_millis(20);

/// So many bytes are written at once without waiting for more: 256 KiB.
const ENOUGH: usize = 256 << 10;

/// How long a stopping server waits for the last lines: 1 s. A pipe that nobody reads must not keep it.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A new log is its owner's to write and its group's to read.
const MODE: u32 = 0o640;

/// `target` of `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

type Sink = Box<dyn Write + Send>;

impl Target {
    fn open(&self) -> io::Result<Sink> {
        Ok(match self {
            Self::Stdout => Box::new(io::stdout()),
            Self::Stderr => Box::new(io::stderr()),
            Self::File(path) => Box::new(OpenOptions::new().append(true).create(true).mode(MODE).open(path)?),
        })
    }
}

/// Writes lines. Dropping it writes what waits, for at most a second.
#[derive(Debug)]
pub struct LogWriter {
    shared: Arc<Shared>,
    dropped: Counter,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Told to the thread: there is something to do.
    work: Condvar,
    /// Told by the thread: it has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    lines: u64,
    is_idle: bool,
    reopen: bool,
    is_closing: bool,
    has_ended: bool,
}

impl LogWriter {
    /// Opens `target` and starts the thread.
    ///
    /// # Errors
    /// The file cannot be opened, or no thread started.
    pub fn open(target: Target) -> io::Result<Self> {
        let first = target.open()?;
        Self::start(first, move || target.open())
    }

    fn start(first: Sink, reopen: impl FnMut() -> io::Result<Sink> + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let dropped = counter!(LOG_DROPPED);
        let thread = Thread {
            shared: Arc::clone(&shared),
            dropped: dropped.clone(),
            sink: first,
            reopen,
            works: true,
        };
        thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || thread.run())?;
        Ok(Self { shared, dropped })
    }

    /// Takes a line, with its end. Waits for nothing but other lines being copied.
    pub fn push(&self, line: &str) {
        let mut queue = self.shared.lock();
        let before = queue.bytes.len();
        if before + line.len() > QUEUE_BYTES {
            drop(queue);
            return self.dropped.increment(1);
        }
        queue.bytes.extend_from_slice(line.as_bytes());
        queue.lines += 1;
        let is_enough = before < ENOUGH && queue.bytes.len() >= ENOUGH;
        let wakes = std::mem::take(&mut queue.is_idle) || is_enough;
        drop(queue);
        if wakes {
            self.shared.work.notify_one();
        }
    }

    /// Opens the file again at each SIGHUP, for as long as the writer is in use.
    ///
    /// # Errors
    /// The signal cannot be listened to.
    pub fn reopen_on_hangup(self: &Arc<Self>) -> io::Result<JoinHandle<()>> {
        let mut hangups = signal(SignalKind::hangup())?;
        let writer = Arc::downgrade(self);
        Ok(tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                let Some(writer) = writer.upgrade() else { return };
                writer.reopen();
            }
        }))
    }

    /// Opens the file again, after it was renamed: lines taken from now on are in the new one.
    pub fn reopen(&self) {
        self.shared.lock().reopen = true;
        self.shared.work.notify_one();
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.is_closing = true;
        self.shared.work.notify_one();
        let running = |queue: &mut Queue| !queue.has_ended;
        drop(self.shared.ended.wait_timeout_while(queue, LAST_LINES, running));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's own.
struct Thread<R> {
    shared: Arc<Shared>,
    dropped: Counter,
    sink: Sink,
    reopen: R,
    works: bool,
}

impl<R: FnMut() -> io::Result<Sink>> Thread<R> {
    fn run(mut self) {
        let mut taken = Queue::default();
        while !taken.is_closing {
            self.take(&mut taken);
            self.write(&taken);
            if taken.reopen {
                self.open();
            }
        }
        self.shared.lock().has_ended = true;
        self.shared.ended.notify_all();
    }

    /// Waits for lines, and a little for more, and swaps them for the empty buffer of `taken`.
    fn take(&self, taken: &mut Queue) {
        let urgent = |queue: &Queue| queue.is_closing || queue.reopen;
        let mut queue = self.shared.lock();
        while queue.bytes.is_empty() && !urgent(&queue) {
            queue.is_idle = true;
            queue = self.shared.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let lingers = |queue: &mut Queue| queue.bytes.len() < ENOUGH && !urgent(queue);
        let waited = self.shared.work.wait_timeout_while(queue, LINGER, lingers);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.is_idle = false;
        taken.bytes.clear();
        std::mem::swap(&mut taken.bytes, &mut queue.bytes);
        taken.lines = std::mem::take(&mut queue.lines);
        taken.reopen = std::mem::take(&mut queue.reopen);
        taken.is_closing = queue.is_closing;
    }

    fn write(&mut self, taken: &Queue) {
        let written = self.sink.write_all(&taken.bytes).and_then(|()| self.sink.flush());
        if let Err(error) = &written {
            self.dropped.increment(taken.lines);
            self.complain(error);
        }
        self.works = written.is_ok();
    }

    fn open(&mut self) {
        match (self.reopen)() {
            Ok(sink) => self.sink = sink,
            Err(error) => self.complain(&error),
        }
    }

    /// Once for each time that it stops working.
    fn complain(&self, error: &io::Error) {
        if self.works {
            tracing::warn!(%error, "the access log cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Instant;

    use super::*;

    /// Passes on what is written, once it is let.
    struct Gate {
        let_through: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.let_through.recv().map_err(|_| io::Error::other("closed"))?;
            self.written.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (LogWriter, Sender<()>, Receiver<Vec<u8>>) {
        let (let_one, let_through) = channel();
        let (written, writes) = channel();
        let gate = Gate { let_through, written };
        let writer = LogWriter::start(Box::new(gate), || Err(io::Error::other("none"))).unwrap();
        (writer, let_one, writes)
    }

    #[test]
    fn a_full_queue_blocks_nobody_and_counts_what_it_drops() {
        let recorder = crate::telemetry::builder().unwrap().build_recorder();
        let (writer, let_one, writes) = metrics::with_local_recorder(&recorder, gated);
        let line = format!("{}\n", "x".repeat(1_023));
        let began = Instant::now();
        // The thread may have taken some already and hang in its write: two buffers, at the most, are full then.
        let lines = 3 * QUEUE_BYTES / line.len();
        (0..lines).for_each(|_| writer.push(&line));
        assert!(began.elapsed() < Duration::from_secs(5), "it waited for the writer");
        let text = recorder.handle().render();
        let dropped = text
            .lines()
            .find_map(|line| line.strip_prefix("gateway_log_dropped_total "));
        let dropped: usize = dropped.unwrap().parse().unwrap();
        assert!(dropped >= lines / 3, "{dropped} of {lines}");
        (0..2).for_each(|_| let_one.send(()).unwrap());
        drop(writer);
        let written: usize = writes.try_iter().map(|bytes| bytes.len()).sum();
        assert_eq!(
            written,
            (lines - dropped) * line.len(),
            "each line is written or counted"
        );
    }

    #[test]
    fn lines_come_whole_and_in_order_and_the_last_ones_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("access.log");
        let writer = LogWriter::open(Target::File(path.clone())).unwrap();
        (0..1_000).for_each(|n| writer.push(&format!("{n}\n")));
        drop(writer);
        let expected: String = (0..1_000).map(|n| format!("{n}\n")).collect();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }

    #[tokio::test]
    async fn after_a_rename_and_a_hangup_lines_go_to_the_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, old) = (
            directory.path().join("access.log"),
            directory.path().join("access.log.1"),
        );
        let writer = Arc::new(LogWriter::open(Target::File(path.clone())).unwrap());
        writer.reopen_on_hangup().unwrap();
        writer.push("before\n");
        std::fs::rename(&path, &old).unwrap();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !path.exists() {
            assert!(Instant::now() < deadline, "it was not opened again");
            tokio::task::yield_now().await;
        }
        writer.push("after\n");
        drop(writer);
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after\n");
    }

    #[test]
    fn a_target_that_fails_costs_its_lines_which_are_counted() {
        let recorder = crate::telemetry::builder().unwrap().build_recorder();
        let (writer, let_one, _) = metrics::with_local_recorder(&recorder, gated);
        drop(let_one);
        (0..7).for_each(|_| writer.push("x\n"));
        drop(writer);
        let text = recorder.handle().render();
        assert!(text.contains("gateway_log_dropped_total 7"), "{text}");
    }

    #[test]
    fn a_pipe_that_nobody_reads_does_not_keep_the_server() {
        let (writer, _let_one, _writes) = gated();
        writer.push("x\n");
        let began = Instant::now();
        drop(writer);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
