//! `trailmark export`: the same file from the database and through a server, and never half a file.

use std::fs;
use std::process::Output;

use crate::support::events::{batch, event, good};
use crate::support::{Project, Server};

fn project() -> Project<'static> {
    let project = Project::create(Server::shared());
    let other = event(uuid::Uuid::now_v7(), "other", "device-2").to_string();
    let sent = project.server.send(&project.batch(batch(&[good(), other, good()])));
    assert_eq!(sent.status, 202);
    project.server.until_drained();
    project
}

fn export(project: &Project<'_>, more: &[&str]) -> Output {
    let command = project.server.command(&[&["export"], more].concat()).output();
    command.unwrap()
}

#[test]
fn the_database_and_a_server_give_the_same_file() {
    let project = project();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (url, id) = (project.server.url(), project.id.to_string());
    let of_database = ["--project", &id];
    let of_server = ["--url", &url, "--key", &project.secret];
    for form in ["parquet", "ndjson"] {
        let files = [(&of_database[..], "database"), (&of_server[..], "server")].map(|(whose, name)| {
            let output = export(
                &project,
                &[whose, &["--format", form, "--event", "good", "--out", &file(name)]].concat(),
            );
            assert!(output.status.success(), "{output:?}");
            let told = String::from_utf8(output.stdout).unwrap();
            let bytes = fs::read(file(name)).unwrap();
            assert_eq!(told, format!("{}  {} bytes\n", file(name), bytes.len()));
            bytes
        });
        assert!(files[0] == files[1], "{form}");
        match form {
            "parquet" => assert!(files[0].starts_with(b"PAR1") && files[0].ends_with(b"PAR1")),
            _ => assert_eq!(files[0].iter().filter(|byte| **byte == b'\n').count(), 2),
        }
    }
    let output = export(
        &project,
        &[&of_server[..], &["--format", "ndjson", "--out", "-"]].concat(),
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
}

#[test]
fn in_a_directory_the_file_is_named_after_the_times() {
    let project = project();
    let folder = tempfile::tempdir().unwrap();
    let (out, id) = (folder.path().to_str().unwrap(), project.id.to_string());
    let times = ["--from", "2026-11-01T00:00:00Z", "--to", "2026-12-01T00:00:00+01:00"];
    let output = export(&project, &[&["--project", &id, "--out", out], &times[..]].concat());
    assert!(output.status.success(), "{output:?}");
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["events-20261101T000000.000Z-20261130T230000.000Z.parquet"]);
}

#[test]
fn what_fails_leaves_no_file() {
    let project = project();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let (out, url) = (file.to_str().unwrap(), project.server.url());
    let long = "x".repeat(201);
    for (arguments, code, said) in [
        (&["--url", &url, "--key", "tm_sk_none"][..], 1, "unknown_key"),
        (
            &["--url", &url, "--key", &project.secret, "--event", &long],
            1,
            "`event` is longer",
        ),
        (&["--project", "2000000000"], 1, "there is no project 2000000000"),
        (&["--project", "1", "--from", "yesterday"], 2, "no RFC 3339 time"),
        (
            &[
                "--project",
                "1",
                "--from",
                "2026-11-02T00:00:00Z",
                "--to",
                "2026-11-01T00:00:00Z",
            ],
            2,
            "--to is before --from",
        ),
        (
            &["--project", "1", "--out", "/nowhere/at/all"],
            2,
            "cannot write /nowhere/at/all",
        ),
    ] {
        let out = if arguments.contains(&"--out") {
            &[][..]
        } else {
            &["--out", out]
        };
        let output = export(&project, &[arguments, out].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
