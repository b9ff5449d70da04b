//! `trailmark demo`: a month of a shop, five things that are broken, found by the real detectors; a second start tells nothing
//! twice, and goes on with visitors.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::home::Home;
use crate::support::http::{self, Request};
use crate::support::processes::signal;
use crate::support::wait::{until, until_true};
use crate::support::{Setup, rows::Rows};

/// What is broken, by kind and subject, what is worst first.
const BROKEN: [(&str, &str); 5] = [
    ("failing_endpoint", "POST /api/checkout"),
    ("monitor_down", "Search"),
    ("regressed_issue", "RangeError"),
    ("new_issue", "TypeError"),
    ("funnel_dropped", "Sign-up"),
];

/// A demo's data directory and address.
struct Demo {
    home: Home,
    address: SocketAddr,
}

impl Demo {
    fn start(&self, name: &str, more: &[&str]) -> Child {
        let file = |end: &str| File::create(self.home.path().join(format!("{name}.{end}"))).unwrap();
        Command::new(env!("CARGO_BIN_EXE_trailmark"))
            .args(["demo", "--json", "--data-dir"])
            .arg(self.home.path().join("data"))
            .args(["--listen", &self.address.to_string()])
            .args(more)
            .env_remove("DEMO_LOG")
            .env_remove("DEMO_EXIT")
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap()
    }

    /// What a start has said, once it has.
    fn said(&self, name: &str) -> Option<Value> {
        let text = std::fs::read_to_string(self.home.path().join(format!("{name}.out"))).unwrap();
        serde_json::from_str(&text).ok()
    }

    fn read(&self, key: &str, target: &str) -> Value {
        http::send(self.address, &Request::get(target).bearer(key))
            .unwrap()
            .json()
    }

    /// What the first screen says: kinds, and what of them is broken as people call it.
    fn broken(&self, key: &str) -> Vec<(String, String)> {
        let now = self.read(key, "/api/v1/now");
        let problems = now["problems"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let subject = |problem: &Value| match problem["kind"].as_str().unwrap() {
            "failing_endpoint" => text(&problem["subject"]),
            "funnel_dropped" => {
                let saved = problem["evidence"].as_str().unwrap().trim_end_matches("/answer");
                text(&self.read(key, saved)["name"])
            }
            "monitor_down" => text(&self.read(key, problem["evidence"].as_str().unwrap())["name"]),
            "new_issue" | "regressed_issue" => text(&self.read(key, problem["evidence"].as_str().unwrap())["type"]),
            _ => text(&problem["what"]),
        };
        problems
            .iter()
            .map(|problem| (text(&problem["kind"]), subject(problem)))
            .collect()
    }
}

fn count(answer: &Value, list: &str) -> usize {
    answer[list].as_array().unwrap().len()
}

#[test]
fn a_demo_shows_five_problems_tells_nothing_twice_and_goes_on() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let demo = Demo {
        home: Home::new(),
        address: port,
    };
    assert!(demo.start("first", &["--exit"]).wait().unwrap().success());
    let first = demo.said("first").unwrap();
    let events = first["events"].as_u64().unwrap();
    assert!((180_000..240_000).contains(&events), "{first}");
    assert_eq!(first["sent"], events, "each is stored once: {first}");
    let told: Vec<&str> = first["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|incident| incident["kind"].as_str().unwrap())
        .collect();
    assert_eq!(told, BROKEN.map(|(kind, _)| kind), "{first}");

    let mut child = demo.start("second", &[]);
    let second = until("the second start", || demo.said("second"));
    let key = second["secret_key"].as_str().unwrap();
    assert_eq!(
        demo.broken(key),
        BROKEN.map(|(kind, subject)| (kind.to_owned(), subject.to_owned()))
    );
    // What was missed between the two, of some fifteen events a minute.
    let missed = second["events"].as_u64().unwrap() - events;
    assert!(missed < 2_000 && missed < second["sent"].as_u64().unwrap(), "{second}");
    assert_eq!(second["project"], first["project"]);

    let monitors = demo.read(key, "/api/v1/monitors");
    let history = demo.read(key, "/api/v1/monitors/1/history");
    let incidents = demo.read(key, "/api/v1/incidents");
    assert_eq!(
        (count(&monitors, "monitors"), count(&incidents, "incidents")),
        (4, 8),
        "{incidents}"
    );
    let days = history["days"].as_array().unwrap();
    assert!(
        days.len() == 90 && days.iter().all(|day| day["checks"].as_u64() > Some(0)),
        "{history}"
    );
    assert_eq!(count(&demo.read(key, "/api/v1/saved_queries"), "saved_queries"), 6);
    assert_eq!(count(&demo.read(key, "/api/v1/cohorts"), "cohorts"), 2);

    let stored = || demo.read(key, "/api/analytics/stats")["events"].as_u64().unwrap();
    let before = stored();
    until_true("a visitor", || stored() > before);

    signal(child.id(), Signal::TERM);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_demo_that_was_away_for_a_day_and_a_half_tells_what_was_missed_and_is_no_wall_of_problems() {
    let server = Setup::default().start();
    let project = server.run(&["project", "create", "Shop"])["id"].as_i64().unwrap();
    let mut rows = Rows::of(&server, project);
    rows.execute("UPDATE projects SET created_at = now() - interval '36 hours'");
    drop(rows);
    server.stop();

    let listen = server.address().to_string();
    let said = server.run(&["demo", "--exit", "--listen", &listen]);
    let kinds: Vec<&str> = said["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|incident| incident["kind"].as_str().unwrap())
        .collect();
    // The checkout answers again, and the new error is new no more.
    assert_eq!(kinds, ["monitor_down", "regressed_issue", "funnel_dropped"], "{said}");
}
