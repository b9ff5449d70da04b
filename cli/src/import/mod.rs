//! A web server's log becomes events: [`source`] → [`lines`] → [`combined`] → [`event`] (with [`occurrences`]) →
//! [`sender`], which is the client SDK. [`summary`] says what came of it. Memory does not grow with the file.

pub mod source;
pub mod lines;
pub mod combined;
pub mod occurrences;
pub mod event;
pub mod devices;
pub mod sender;
pub mod summary;

use std::path::{Path, PathBuf};
use std::time::Instant;

use trailmark_core::Capture;
use trailmark_protocol::{Timestamp, limits, names};

use crate::failure::Failure;
use crate::output::say;
use combined::{Malformed, Request, parse_line};
use devices::Devices;
use lines::{Line, Lines};
use occurrences::Occurrences;
use sender::Sender;
use source::Source;
use summary::Summary;

/// What to import, and where to.
#[derive(Debug, Clone)]
pub struct Job {
    /// The log; `-` is standard input.
    pub file: PathBuf,
    /// The server.
    pub url: String,
    /// The project's write key.
    pub key: String,
}

/// Imports a log. Malformed lines are reported on stderr and counted; they stop nothing.
///
/// # Errors
/// The log cannot be read, or the server does not take events.
pub async fn run(job: &Job, now: Timestamp) -> Result<Summary, Failure> {
    let started = Instant::now();
    let Source { text, progress } = source::open(&job.file).map_err(|error| unreadable(&job.file, &error))?;
    let mut reader = Reader::new(now);
    let mut sender = Sender::connect(&job.url, &job.key)?;
    let mut lines = Lines::new(text);
    while let Some(line) = lines.read().map_err(|error| unreadable(&job.file, &error))? {
        match reader.read(line) {
            Ok(capture) => sender.send(capture).await?,
            Err(why) => progress.suspend(|| say(format_args!("line {}: {why}", reader.summary.lines))),
        }
    }
    progress.finish_and_clear();
    let stats = sender.finish().await?;
    Ok(reader.finish(&stats, started.elapsed()))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", file.display()))
}

/// Turns lines into events and counts them.
struct Reader {
    /// Lines from after this are broken.
    latest: Timestamp,
    occurrences: Occurrences,
    devices: Devices,
    summary: Summary,
}

impl Reader {
    fn new(now: Timestamp) -> Self {
        let latest = now.plus_micros(limits::FUTURE_MS * 1000);
        Self {
            latest,
            occurrences: Occurrences::default(),
            devices: Devices::default(),
            summary: Summary::default(),
        }
    }

    /// The event of the next line; a malformed one is counted.
    fn read(&mut self, line: Line<'_>) -> Result<Capture, Malformed> {
        self.summary.lines += 1;
        let read = self.event(line);
        match &read {
            Ok(_) => self.summary.events += 1,
            Err(why) => self.summary.note_malformed(self.summary.lines, *why),
        }
        read
    }

    fn event(&mut self, line: Line<'_>) -> Result<Capture, Malformed> {
        let Line::Whole(line) = line else {
            return Err(Malformed::TooLong);
        };
        let request = parse_line(line)?;
        if request.at > self.latest {
            return Err(Malformed::InTheFuture);
        }
        let device = event::visitor(&request);
        self.devices.note(device);
        Ok(self.capture(line, &request).anonymous_id(device.to_string()))
    }

    fn capture(&mut self, line: &[u8], request: &Request<'_>) -> Capture {
        let fingerprint = event::fingerprint(line);
        let occurrence = self.occurrences.before(request.at, fingerprint);
        Capture::new(names::REQUEST)
            .id(event::event_id(request.at, fingerprint, occurrence))
            .timestamp(request.at)
            .properties(event::properties(request))
    }

    fn finish(mut self, stats: &trailmark_core::Stats, elapsed: std::time::Duration) -> Summary {
        let dropped = stats.dropped.iter().map(|(reason, count)| (reason.to_owned(), count));
        self.summary.accepted = stats.delivered;
        self.summary.dropped = dropped.collect();
        self.summary.undelivered = stats.queued;
        self.summary.devices = self.devices.count();
        self.summary.devices_is_lower_bound = self.devices.is_lower_bound();
        self.summary.seconds = elapsed.as_secs_f64();
        self.summary.events_per_second = stats.delivered as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
        self.summary
    }
}
