//! Any text as the gateway's file: either everything that is wrong with it is said, briefly, or it can be built and built
//! again, and each of its routes can be reached.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use http::{Method, Request};
use libfuzzer_sys::fuzz_target;
use trailmark_fuzz::memory::{Watched, peak};
use trailmark_server::clock::{ManualClock, SharedClock};
use trailmark_server::gateway::dispatch::Snapshot;
use trailmark_server::gateway::dispatch::ground::Ground;
use trailmark_server::gateway::file::{BadFile, GatewayFile, RouteConfig, read};
use trailmark_server::gateway::reading::Reading;
use trailmark_server::gateway::routing::Found;

#[global_allocator]
static MEMORY: Watched = Watched;

/// The most that a file may take to be read and built, beyond what follows from its length: 8 MiB.
const MEMORY_BYTES: usize = 8 << 20;

/// The most that is said of one problem: two lines of the file and the names it has, with the words around them.
const PROBLEM_BYTES: usize = 1024;

/// A file that is accepted, or all that is below is never tried.
const EXAMPLE: &str = include_str!("../../examples/gateway/gateway.toml");

fuzz_target!(
    init: assert_eq!(attempt(EXAMPLE), Ok(Tried::Built)),
    |text: &str| {
        let (made, bytes) = peak(|| attempt(text));
        let most = MEMORY_BYTES + 256 * text.len();
        assert!(bytes <= most, "{bytes} bytes for a file of {}", text.len());
        if let Err(BadFile(problems)) = made {
            is_told(&problems, text.len());
            assert_eq!(attempt(text), Err(BadFile(problems)), "said the same twice");
        }
    }
);

fn is_told(problems: &[String], length: usize) {
    assert!(!problems.is_empty(), "refused for a reason");
    for problem in problems {
        let most = PROBLEM_BYTES + 8 * length;
        assert!(
            (1..=most).contains(&problem.len()),
            "{} bytes: {problem}",
            problem.len()
        );
    }
}

/// What becomes of a file with which nothing is wrong.
#[derive(Debug, PartialEq)]
enum Tried {
    Built,
    /// It names other files, which are not looked for: what is found must be a matter of the text.
    Read,
}

fn attempt(text: &str) -> Result<Tried, BadFile> {
    let file = read(text, &variable)?;
    if file.files().next().is_some() {
        return Ok(Tried::Read);
    }
    // What goes on in the background begins only when a runtime is left to itself, which this one never is.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let built = runtime.expect("a runtime").block_on(async { built(&file) });
    built.map(|()| Tried::Built)
}

/// The environment.
fn variable(name: &str) -> Option<String> {
    match name.rsplit_once('_')?.1 {
        "URL" => Some("http://127.0.0.1:4001".to_owned()),
        "SECRET" => Some("b5S2nP8kQ1xV7cJ4mT9wZ3rL6yH0dF+gAeUoIiKsNqE=".to_owned()),
        _ => None,
    }
}

fn built(file: &GatewayFile) -> Result<(), BadFile> {
    let clock: SharedClock = ManualClock::at(Default::default());
    let ground = Ground::bare(Path::new("/nowhere"), Arc::clone(&clock));
    let snapshot = Snapshot::build(file, None, &ground)?;
    let again = Snapshot::build(file, Some(&snapshot), &ground);
    assert!(again.is_ok(), "what was built can be built again");
    assert_eq!(snapshot.table.routes().count(), file.routes.len());
    file.routes.iter().for_each(|route| is_reached(&snapshot, route));
    Ok(())
}

/// A request that a route was made for finds a route: this one, or one that says more.
fn is_reached(snapshot: &Snapshot, route: &RouteConfig) {
    let host = route.host.as_deref().map(|host| host.replace('*', "any"));
    let path = route
        .path
        .as_deref()
        .map(example)
        .or_else(|| route.prefix.clone())
        .unwrap_or_default();
    let method = route
        .methods
        .first()
        .map_or(Method::GET, |name| name.parse().expect("it was checked"));
    let request = Request::builder()
        .method(method.clone())
        .uri(&path)
        .header("host", host.as_deref().unwrap_or("any"));
    let parts = request
        .body(())
        .unwrap_or_else(|error| panic!("no request for {route:?}: {error}"))
        .into_parts()
        .0;
    let reading = Reading::of(&parts).unwrap_or_else(|problem| panic!("{}: {route:?}", problem.detail()));
    assert_eq!(reading.path(), path, "its path is spelled as requests are");
    let found = snapshot.table.find(reading.host(), reading.path(), &method);
    assert!(!matches!(found, Found::Nothing), "nothing leads to {route:?}");
}

/// A path that a template matches: its parameters are `x`.
fn example(template: &str) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        path.push('x');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    path + rest
}
