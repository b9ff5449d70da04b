//! `trailmark person`: explained, taken apart, exported and erased from a terminal, beside a running server.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::events::batch;
use crate::support::{Project, Server, until};

fn event(name: &str, more: &Value) -> Value {
    let mut event = json!({"id": Uuid::now_v7(), "event": name});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

struct Terminal<'a>(Project<'a>);

impl Terminal<'_> {
    fn send(&self, events: &[Value]) -> Value {
        let events: Vec<String> = events.iter().map(Value::to_string).collect();
        let receipt = self.0.server.send(&self.0.batch(batch(&events))).json();
        self.0.server.until_drained();
        receipt
    }

    /// The JSON that a command prints.
    fn json(&self, verb: &str, more: &[&str]) -> Value {
        let project = self.0.id.to_string();
        self.0
            .server
            .run(&[&["person", verb, "--project", project.as_str()], more].concat())
    }

    /// What it prints for people; empty if it fails.
    fn text(&self, verb: &str, more: &[&str]) -> String {
        let project = self.0.id.to_string();
        let arguments = [&["person", verb, "--project", project.as_str()], more].concat();
        String::from_utf8(self.0.server.command(&arguments).output().unwrap().stdout).unwrap()
    }

    fn status(&self, id: &str) -> u16 {
        self.0.read(&format!("/v1/persons/{id}")).status
    }
}

#[test]
fn a_person_is_explained_parted_exported_and_erased() {
    let terminal = Terminal(Project::create(Server::shared()));
    let (link, alias) = (
        event(
            "$identify",
            &json!({"anonymous_id": "phone", "user_id": "ann", "set": {"plan": "pro"}}),
        ),
        event("$alias", &json!({"user_id": "ann", "alias": "bob"})),
    );
    let open = event("open", &json!({"anonymous_id": "phone"}));
    terminal.send(&[open.clone(), link.clone(), alias.clone()]);

    let told = terminal.text("explain", &["phone"]);
    let (link, alias) = (link["id"].as_str().unwrap(), alias["id"].as_str().unwrap());
    let parts = [
        "anonymous phone",
        "the id asked for",
        "identified on anonymous phone",
        "is also user ann",
        "became part of",
    ];
    for part in parts.into_iter().chain([link, alias]) {
        assert!(told.contains(part), "{part}:\n{told}");
    }
    assert_eq!(terminal.json("explain", &["ann"])["identity_count"], 3);

    assert!(
        terminal
            .text("unalias", &[alias])
            .contains("ann and bob are two persons now")
    );
    let told = terminal.text("explain", &["ann"]);
    assert!(
        told.contains("ann is also bob"),
        "what does not count is shown too:\n{told}"
    );

    let export = terminal.text("export", &["ann"]);
    let lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["properties"], lines.len()),
        (&json!({"plan": "pro"}), 4),
        "{export}"
    );

    let erased = terminal.json("erase", &["ann"]);
    assert_eq!(
        (&erased["done"], &erased["events"], &erased["identities"]),
        (&json!(true), &json!(3), &json!(2))
    );
    assert_eq!(
        (terminal.status("ann"), terminal.status("phone"), terminal.status("bob")),
        (404, 404, 200)
    );
    assert_eq!(terminal.text("erase", &["ann"]), "", "nobody has this id any more");
    // The command was another process: the server learns of it within seconds, its writer at once.
    let receipt = until("a receipt that says so", || {
        let receipt = terminal.send(std::slice::from_ref(&open));
        (receipt["accepted"] == 0).then_some(receipt)
    });
    assert_eq!(receipt["results"][0]["reason"], "erased");
    assert_eq!(terminal.status("phone"), 404);
}

#[test]
fn who_asks_to_be_erased_is_erased_when_the_operator_says_so() {
    let terminal = Terminal(Project::create(Server::shared()));
    let ask = |device: &str, user: &str| event("$erase", &json!({"anonymous_id": device, "user_id": user}));
    let (honest, forged) = (ask("phone", "ann"), ask("made-up", "bob"));
    let link = event("$identify", &json!({"anonymous_id": "phone", "user_id": "ann"}));
    terminal.send(&[
        link,
        event("open", &json!({"user_id": "bob"})),
        honest.clone(),
        forged.clone(),
    ]);

    let listed = terminal.text("erasures", &[]);
    assert!(listed.contains("ONE PERSON") && listed.contains("made-up"), "{listed}");
    assert_eq!(terminal.status("ann"), 200, "nobody is erased yet");
    let (honest, forged) = (honest["id"].as_str().unwrap(), forged["id"].as_str().unwrap());
    let done = terminal.json("erasures", &["--run", honest, "--dismiss", forged]);
    assert_eq!(
        (&done["requests"], &done["erasures"][0]["identities"]),
        (&json!([]), &json!(2)),
        "{done}"
    );
    assert_eq!((terminal.status("ann"), terminal.status("bob")), (404, 200));
}

#[test]
fn an_id_may_hold_what_separates_paths() {
    let terminal = Terminal(Project::create(Server::shared()));
    terminal.send(&[event("open", &json!({"user_id": "team/a\\b"}))]);
    assert_eq!(terminal.status("team%2Fa%5Cb"), 200);
    assert_eq!(terminal.0.read("/api/v1/persons/team%2Fa%5Cb/timeline").status, 200);
    assert_eq!(terminal.0.read("/v1/persons/team%2Fa%5Cb/../x").status, 400);
    assert_eq!(terminal.0.read("/v1/erasures%2F").status, 400, "no other path may");
}
