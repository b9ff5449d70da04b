//! `trailmark query`: the same question to the database and to a server, in three forms.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::support::events::{batch, good};
use crate::support::{Project, Server};

const TREND: &str = r#"{"kind":"trends","date_from":"-7d","series":[{"event":"good"}]}"#;

/// A project in which something happened three times, and a question to it on standard input.
struct Asker<'a>(Project<'a>);

impl Asker<'_> {
    fn new() -> Self {
        let project = Project::create(Server::shared());
        let sent = project.server.send(&project.batch(batch(&[good(), good(), good()])));
        assert_eq!(sent.status, 202);
        project.server.until_drained();
        Self(project)
    }

    fn database(&self, question: &str, more: &[&str]) -> Output {
        self.ask(question, &[&["--project", &self.0.id.to_string()], more].concat())
    }

    fn server(&self, question: &str, more: &[&str]) -> Output {
        let url = self.0.server.url();
        self.ask(question, &[&["--url", &url, "--key", &self.0.secret], more].concat())
    }

    fn ask(&self, question: &str, more: &[&str]) -> Output {
        self.ask_with("query", question, more)
    }

    fn ask_with(&self, command: &str, question: &str, more: &[&str]) -> Output {
        let mut command = self.0.server.command(&[&[command, "-f", "-"], more].concat());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_database_and_a_server_give_the_same_numbers_in_every_form() {
    let asker = Asker::new();
    let numbers = |output: &Output| {
        let answer: Value = serde_json::from_str(&text(output)).unwrap();
        (answer["results"].clone(), answer["query"].clone())
    };
    let (results, query) = numbers(&asker.database(TREND, &[]));
    assert_eq!(results[0]["total"].as_f64(), Some(3.0), "{results}");
    assert_eq!((results, query), numbers(&asker.server(TREND, &[])));
    for form in ["--csv", "--ndjson"] {
        let [ours, theirs] = [asker.database(TREND, &[form]), asker.server(TREND, &[form])];
        assert_eq!(text(&ours), text(&theirs));
        assert!(text(&ours).lines().count() >= 7, "{ours:?}");
    }
    assert!(text(&asker.database(TREND, &["--csv"])).starts_with("stretch,series,name,"));
}

#[test]
fn a_mistake_in_the_question_is_named_by_its_path() {
    let asker = Asker::new();
    let question = json!({"kind": "trends", "series": [{"event": "good", "math": "sum"}]}).to_string();
    for output in [asker.database(&question, &[]), asker.server(&question, &[])] {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(stderr.contains("`series[0].math_property` "), "{stderr}");
    }
}

#[test]
fn a_project_that_is_not_there_and_a_file_that_is_not_there_are_told() {
    let asker = Asker::new();
    let nobody = asker.ask(TREND, &["--project", "2000000000"]);
    assert!(
        String::from_utf8_lossy(&nobody.stderr).contains("there is no project 2000000000"),
        "{nobody:?}"
    );
    let arguments = ["query", "--project", "1", "-f", "nowhere.json"];
    let output = asker.0.server.command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("nowhere.json"),
        "{output:?}"
    );
}

#[test]
fn how_a_question_was_answered_is_told_by_the_database_and_by_a_server() {
    let asker = Asker::new();
    let project = asker.0.id.to_string();
    let told = text(&asker.ask_with("explain-query", TREND, &["--project", &project]));
    assert!(told.starts_with("answered from  rows\n"), "{told}");
    assert!(told.contains("because nothing is sealed yet"), "{told}");
    assert!(told.contains("again, with what is in memory now"), "{told}");
    let url = asker.0.server.url();
    let arguments = ["--url", &url, "--key", &asker.0.secret, "--json"];
    let told: Value = serde_json::from_str(&text(&asker.ask_with("explain-query", TREND, &arguments))).unwrap();
    assert_eq!(told[0]["answered_from"], "rows", "{told}");
    assert!(told[0]["took"]["answer_ms"].is_u64(), "{told}");
}
