//! Attacks by slowness, as slowhttptest makes them: two hundred connections that trickle headers, trickle bodies or hardly
//! read. Each is closed at its deadline, and others are served meanwhile as if nothing were.
//!
//! `make test-slow` runs these by themselves, one after the other: they measure.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::bad_services::service;
use super::recorder::Recorder;
use super::setup;
use crate::support::processes::Work;
use crate::support::{Request, Server};

/// Connections of an attack, and how many of them are opened in a second. All at once, those that do not read would take the
/// whole machine: 2.6 MB is copied four times for each before it stands still.
const ATTACKERS: u64 = 200;
const RATE: u64 = 50;

/// What the server waits for: 4 s, the time in which they come, so that nearly all are there at once.
const DEADLINE_MS: u64 = 4_000;

/// When the attack gives up, having failed to be thrown out: 4 s in which it begins, the deadline, and most of that again
/// for a busy machine.
const LIMIT: &str = "15";

/// The longest that 99 of 100 requests of a healthy client may take.
const HEALTHY: Duration = Duration::from_millis(50);

/// What others may use of the machine, in percent, for that to be measured.
const BUSY: u64 = 10;

/// What 90 of 100 must keep to on a busier machine. One that the attack stops would wait for its deadline.
const BLOCKED: Duration = Duration::from_millis(DEADLINE_MS / 4);

/// The healthy client's pause between two requests.
const PAUSE: Duration = Duration::from_millis(10);

/// A body beyond what the kernel takes for a client that does not read: on loopback that is 2.6 MB.
const LARGE: usize = 4 << 20;

fn gateway(service: &Recorder) -> Server {
    let file = format!(
        r#"
version = 1
[upstreams.up]
endpoints = [{{ url = "{}" }}]
[upstreams.large]
endpoints = [{{ url = "{}" }}]
[[routes]]
id = "up"
prefix = "/up"
upstream = "up"
auth = []
[[routes]]
id = "large"
path = "/large"
upstream = "large"
auth = []
"#,
        service.url(),
        self::service(large)
    );
    let timeouts = ["header", "body", "idle", "write"];
    let setup = timeouts.iter().fold(setup(&file), |setup, which| {
        setup.set(&format!("http.{which}_timeout_ms"), DEADLINE_MS)
    });
    setup.start()
}

/// Answers with [`LARGE`] bytes, 64 KiB at a time: two hundred copies of the whole would be 800 MB.
fn large(stream: &mut TcpStream) -> std::io::Result<()> {
    let _ = stream.read(&mut [0; 4096])?;
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n")?;
    let part = [b'x'; 1 << 16];
    (0..LARGE / part.len()).try_for_each(|_| stream.write_all(&part))
}

/// slowhttptest at work, and where its report will be.
struct Attack {
    tool: Child,
    directory: tempfile::TempDir,
}

impl Attack {
    fn start(server: &Server, path: &str, how: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (attackers, rate) = (ATTACKERS.to_string(), RATE.to_string());
        let tool = Command::new("slowhttptest")
            .args(["-c", &attackers, "-r", &rate, "-l", LIMIT, "-g", "-o", "report"])
            .args(["-u", &format!("{}{path}", server.url())])
            .args(how)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("slowhttptest is installed: scripts/setup.sh slow");
        Self { tool, directory }
    }

    fn is_over(&mut self) -> bool {
        self.tool.try_wait().unwrap().is_some()
    }

    /// All were there, and all were thrown out.
    fn assert_failed(self) {
        let csv = self.directory.path().join("report.csv");
        let Output { stdout, .. } = self.tool.wait_with_output().unwrap();
        let (said, report) = (String::from_utf8_lossy(&stdout), fs::read_to_string(csv).unwrap());
        assert!(said.contains("No open connections left"), "{said}\n{report}");
        assert!(
            connected(&report) > ATTACKERS / 2,
            "too few were there at once:\n{report}"
        );
    }
}

/// The most that were connected at once. Of each second a line has: seconds, closed, pending, connected, available.
fn connected(report: &str) -> u64 {
    let connected = |line: &str| line.split(',').nth(3)?.parse().ok();
    report.lines().filter_map(connected).max().unwrap_or(0)
}

/// Attacks `path`; meanwhile a healthy client sends requests, each over a connection of its own.
fn withstands(path: &str, how: &[&str]) {
    let service = Recorder::named("up");
    let server = gateway(&service);
    let before = Work::of(&[server.pid()]);
    let mut attack = Attack::start(&server, path, how);
    let mut times = Vec::new();
    while !attack.is_over() {
        let began = Instant::now();
        assert_eq!(server.send(&Request::get("/up/healthy")).status, 200);
        times.push(began.elapsed());
        thread::sleep(PAUSE);
    }
    attack.assert_failed();
    assert_healthy(times, Work::of(&[server.pid()]).others_since(before));
    server.assert_sound();
}

/// `others` is the percentage of the machine that was used by what has nothing to do with this.
fn assert_healthy(mut times: Vec<Duration>, others: u64) {
    times.sort_unstable();
    let (count, worst) = (times.len(), times[times.len() - 1]);
    let [p50, p90, p99] = [50, 90, 99].map(|percent| times[count * percent / 100]);
    let told = format!("{count} healthy requests: p50 {p50:?}, p90 {p90:?}, p99 {p99:?}, worst {worst:?}");
    println!("{told}; others used {others} % of the machine");
    match others < BUSY {
        true => assert!(p99 < HEALTHY, "{told}"),
        false => assert!(p90 < BLOCKED, "{told}, on a busy machine"),
    }
}

#[test]
#[ignore = "make test-slow"]
fn two_hundred_clients_that_trickle_headers() {
    withstands("/up", &["-H", "-i", "1"]);
}

#[test]
#[ignore = "make test-slow"]
fn two_hundred_clients_that_trickle_bodies() {
    withstands("/up", &["-B", "-i", "1", "-s", "8192", "-x", "10"]);
}

/// Windows of 1 to 512 bytes, and 1 KiB read each second. What has come before a reset may be read after it: a few KiB, as
/// the kernel's smallest buffers are. After an ordinary close it would be megabytes, and take an hour.
#[test]
#[ignore = "make test-slow"]
fn two_hundred_clients_that_hardly_read() {
    withstands("/large", &["-X", "-w", "1", "-y", "512", "-n", "1", "-z", "1024"]);
}
