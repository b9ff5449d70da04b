//! What happens when services, files and the gateway itself come and go under load.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::load::{CLIENTS, Load, assert_all_good};
use super::recorder::Recorder;
use super::{asked, setup};
use crate::support::wait::until_true;
use crate::support::{Request, Server};

/// A route `/up` to these services in turn, with `more` settings of their upstream.
fn file(services: &[Recorder], more: &str) -> String {
    let endpoints: Vec<_> = services
        .iter()
        .map(|service| format!("{{ url = \"{}\" }}", service.url()))
        .collect();
    format!(
        "version = 1\n[upstreams.up]\nbalance = \"round_robin\"\nendpoints = [{}]\n{more}\n\
         [[routes]]\nid = \"up\"\nprefix = \"/up\"\nupstream = \"up\"\nauth = []\n",
        endpoints.join(", ")
    )
}

fn one() -> [Recorder; 1] {
    [Recorder::named("up")]
}

/// Three services, of which the second will be killed.
fn three() -> [Recorder; 3] {
    ["a", "b", "c"].map(Recorder::named)
}

/// Waits until the second of three services, and it alone, is left out.
fn until_left_out(server: &Server) {
    let is_out = |endpoint: &Value| endpoint["healthy"] == false || endpoint["ejected_for_ms"] != 0;
    until_true("the killed one to be left out", || {
        let status = asked(server, &Request::get("/gateway")).json();
        let endpoints = status["upstreams"][0]["endpoints"].as_array().unwrap().clone();
        endpoints.iter().map(is_out).eq([false, true, false])
    });
}

/// Failures in a row that eject, as is the default.
const CONSECUTIVE: usize = 5;

/// The budget has what is needed: 0.2 × 200 requests + 3, where [`CONSECUTIVE`] failures eject, and each of the other
/// clients may be waiting for one more.
#[test]
fn one_of_three_services_killed_under_load_costs_nobody_an_answer() {
    let services = three();
    let server = setup(&file(&services, "")).start();
    let load = Load::start(&server, "/up");
    load.until_good(200);
    services[1].kill();
    until_left_out(&server);
    load.until_good(200);
    assert_all_good(load.end());
}

/// Each client may be waiting for an answer at the moment of the kill: what breaks then says nothing of the service. Then
/// come as many as eject, and those that the other clients were sent to at the same time.
#[test]
fn without_retries_the_errors_end_with_the_ejection() {
    let services = three();
    let server = setup(&file(&services, "retry = { attempts = 1 }")).start();
    let load = Load::start(&server, "/up");
    load.until_good(200);
    services[1].kill();
    until_left_out(&server);
    load.until_good(500);
    let (good, troubles) = load.end();
    let most = CLIENTS + CONSECUTIVE + CLIENTS - 1;
    assert!(
        (1..=most).contains(&troubles.len()),
        "{} besides {good}: {troubles:?}",
        troubles.len()
    );
}

/// Counted in the questions that another service was asked: they are asked together.
#[test]
fn a_killed_service_is_left_out_within_its_health_checks_though_nobody_calls() {
    let (services, fall) = (three(), 2);
    let more = format!(
        "health = {{ path = \"/health\", interval = \"1s\", fall = {fall} }}\nretry = {{ attempts = 1 }}\n\
         outlier = {{ consecutive = 0 }}\nbreaker = {{ failures = 0 }}"
    );
    let server = setup(&file(&services, &more)).start();
    let asked = || {
        services[0]
            .received()
            .iter()
            .filter(|asked| asked.target() == "/health")
            .count()
    };
    until_true("a first question", || asked() > 0);
    let before = asked();
    services[1].kill();
    until_left_out(&server);
    // One more may have been asked before the kill, or before the look.
    assert!(asked() - before <= fall + 1, "{} questions", asked() - before);
    for _ in 0..30 {
        assert_eq!(server.send(&Request::get("/up")).status, 200, "nobody is sent there");
    }
}

#[test]
fn a_hundred_reloads_under_load_fail_no_request() {
    let services = one();
    let server = setup(&file(&services, "")).start();
    let load = Load::start(&server, "/up");
    for number in 0..100 {
        let route = format!("[[routes]]\nid = \"r{number}\"\npath = \"/r{number}\"\nupstream = \"up\"\nauth = []\n");
        server.write_gateway(&(file(&services, "") + &route));
        let answer = asked(&server, &Request::post("/gateway/reload", ""));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let new = server.send(&Request::get(format!("/r{number}")));
        assert_eq!(new.status, 200, "requests meet the new file");
    }
    load.until_good(100);
    assert_all_good(load.end());
}

#[test]
fn a_broken_file_changes_nothing_and_is_told() {
    let services = one();
    let server = setup(&file(&services, "")).start();
    server.write_gateway("version = 1\n[[routes]]\nid = \"x\"\npath = \"/up\"\nupstream = \"nowhere\"\n");
    let answer = asked(&server, &Request::post("/gateway/reload", ""));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("auth: is missing"), "{}", answer.text());
    assert_eq!(server.send(&Request::get("/up")).status, 200);
    let problems = || asked(&server, &Request::get("/gateway")).json()["problems"].clone();
    assert!(problems().to_string().contains("auth: is missing"), "{}", problems());
    server.write_gateway(&file(&services, ""));
    server.signal(Signal::HUP);
    until_true("the mended file", || problems() == json!([]));
}

/// As behind a balancer: clients go elsewhere once the server says that it stops, and all that they have sent is answered.
/// They have 5 s for it, where 10 ms are needed: machines may pause.
#[test]
fn a_stop_under_load_resets_no_request() {
    let services = one();
    let server = setup(&file(&services, "")).set("http.drain_wait_ms", 5_000).start();
    let load = Load::start(&server, "/up");
    load.until_good(200);
    server.signal(Signal::TERM);
    until_true("the server to say that it stops", || {
        server.send(&Request::get("/readyz")).status == 503
    });
    load.until_good(50);
    assert_all_good(load.end());
    assert!(server.wait().success());
}
