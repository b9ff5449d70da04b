//! `kill -9` of the app that captures, at random moments, while its server is killed, too: every event whose `track` has
//! returned is in the table exactly once. The app is a program of its own: this one in Rust, and one in each language of
//! `sdk-ffi`, which says the same words.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use trailmark_core::{Client, Properties};
use uuid::Uuid;

use crate::support::{Project, Server, Setup};

/// Events to be captured and delivered, over all lives of the app.
const EVENTS: u64 = 10_000;
/// Events between two words of the app, after any of which it may be killed.
const STRIDE: u64 = 20;
/// The longest life, in such words. At most 800 events, so there are more than a dozen lives.
const LONGEST_LIFE: u128 = 40;

/// The app: captures until it has captured them all, in this life or an earlier one, and delivers until none is queued.
#[test]
#[ignore = "not a test: the program that the test below starts and kills"]
fn app() {
    let told = |name| std::env::var(name).unwrap();
    let client = Client::builder(&told("DEVICE_URL"), &told("DEVICE_KEY"))
        .directory(told("DEVICE_DIRECTORY"))
        .flush_at(200)
        .backoff(Duration::from_millis(10), Duration::from_millis(100))
        .build()
        .unwrap();
    let mut out = std::io::stdout();
    let mut say = |word: &str| writeln!(out, "{word}").and_then(|()| out.flush()).unwrap();
    // What was captured is what the client remembers: the app has no memory of its own.
    for n in client.stats().captured..EVENTS {
        client.track("tracked", Properties::new().with("n", n));
        if n % STRIDE == 0 {
            say("captured");
        }
    }
    while client.flush_blocking(Duration::from_millis(50)).pending > 0 {
        say("delivering");
    }
    say("finished");
}

enum Word {
    Busy,
    Finished,
}

/// What the app says; test runners and virtual machines say other things on the same line, or on others.
fn word(line: &str) -> Option<Word> {
    let busy = ["captured", "delivering"].iter().any(|word| line.ends_with(word));
    match line.ends_with("finished") {
        true => Some(Word::Finished),
        false => busy.then_some(Word::Busy),
    }
}

struct App {
    process: Child,
    words: std::io::Lines<BufReader<ChildStdout>>,
}

/// The app above.
fn app_in_rust() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["device_kills::app", "--exact", "--ignored", "--nocapture"]);
    command
}

/// The app that `DEVICE_APP` says, a command of the shell.
fn app_in_another_language() -> Command {
    let app = std::env::var("DEVICE_APP").expect("DEVICE_APP: how to start the app");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {app}")]);
    command
}

impl App {
    fn start(mut command: Command, project: &Project<'_>, directory: &Path) -> Self {
        let mut process = command
            .env("DEVICE_URL", project.server.url())
            .env("DEVICE_KEY", &project.write)
            .env("DEVICE_DIRECTORY", directory)
            .env("DEVICE_EVENTS", EVENTS.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let words = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, words }
    }

    /// Lets it live for so many words. Whether it has finished meanwhile.
    fn live(&mut self, words: u128) -> bool {
        for _ in 0..words {
            let spoken = self.words.by_ref().find_map(|line| word(&line.unwrap()));
            match spoken.expect("the app ended by itself") {
                Word::Finished => return true,
                Word::Busy => {}
            }
        }
        false
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn random(bound: u128) -> u128 {
    Uuid::new_v4().as_u128() % bound
}

fn crash_server(server: &Server) {
    server.kill();
    server.start();
}

#[test]
fn an_app_killed_at_random_moments_delivers_each_of_its_events_exactly_once() {
    kill_at_random_moments(app_in_rust);
}

#[test]
#[ignore = "make test-ffi says which app"]
fn an_app_in_another_language_killed_at_random_moments_delivers_each_of_its_events_exactly_once() {
    kill_at_random_moments(app_in_another_language);
}

fn kill_at_random_moments(app: fn() -> Command) {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let directory = tempfile::tempdir().unwrap();
    let mut lives = 0;
    loop {
        let mut app = App::start(app(), &project, directory.path());
        lives += 1;
        let finished = app.live(1 + random(LONGEST_LIFE));
        app.kill();
        if finished {
            break;
        }
        if lives % 5 == 0 {
            crash_server(&server);
        }
    }
    eprintln!("{lives} lives, {EVENTS} events");
    assert!(lives > 12, "{lives} lives are no test");
    server.until_drained();
    let expected: Vec<i64> = (0..EVENTS.cast_signed()).collect();
    assert_eq!(project.rows().numbers(), expected);
    server.assert_sound();
}
