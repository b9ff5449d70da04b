//! Segments of a real server: made by its job, compared with the rows by a command.

use serde_json::{Value, json};

use crate::support::events::{batch, good};
use crate::support::wait::until_true;
use crate::support::{Project, Server, Setup};

#[test]
fn properties_are_promoted_listed_and_taken_back_by_a_command() {
    let project = Project::create(Server::shared());
    let id = project.id.to_string();
    let promoted = |arguments: &[&str]| {
        let mut command = project.server.command(&["promoted", arguments[0], "--project", &id]);
        let output = command.args(&arguments[1..]).arg("--json").output().unwrap();
        (serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), output)
    };
    assert!(promoted(&["add", "plan"]).1.status.success());
    let (list, _) = promoted(&["list"]);
    assert_eq!(
        (&list["promoted"][0]["property"], &list["promoted"][0]["promoted_by"]),
        (&json!("plan"), &json!("command line"))
    );
    assert_eq!(
        list,
        json!({"promoted": project.read("/api/v1/promoted").json()["promoted"]})
    );
    assert!(promoted(&["remove", "plan"]).1.status.success());
    assert_eq!(promoted(&["list"]).0, json!({"promoted": []}));
    for (wrong, said) in [(["remove", "plan"], "is not promoted"), (["add", ""], "is empty")] {
        let (_, output) = promoted(&wrong);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(said), "{stderr}");
    }
}

/// What `trailmark verify` prints, and whether it found nothing.
fn verify(server: &Server, arguments: &[&str]) -> (Value, bool) {
    let output = server
        .command(&["verify"])
        .args(arguments)
        .arg("--json")
        .output()
        .unwrap();
    let told = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"));
    (told, output.status.code() == Some(0))
}

#[test]
fn what_is_old_is_sealed_and_a_wrong_segment_is_found_and_made_anew() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let events: Vec<String> = (0..50).map(|_| good()).collect();
    assert_eq!(server.send(&project.batch(batch(&events))).status, 202);
    server.until_drained();
    project
        .rows()
        .execute("UPDATE events SET timestamp = date_trunc('week', timestamp, 'UTC') - interval '60 hours'");
    until_true("its first run", || {
        let job = project.read("/api/v1/jobs/seal");
        job.status == 200 && job.json()["runs"] != 0
    });
    server.run(&["jobs", "run", "seal"]);
    until_true("a segment", || verify(&server, &[]).0["projects"][0]["segments"] == 1);
    let (told, right) = verify(&server, &["--project", &project.id.to_string()]);
    assert_eq!((&told["projects"][0]["events"], right), (&json!(50), true), "{told}");
    assert_eq!(told["projects"][0]["wrong"], json!([]));
    let questions = &told["projects"][0]["questions"];
    assert_eq!(
        (&questions["same"], &questions["different"]),
        (&json!(6), &json!([])),
        "{told}"
    );

    project
        .rows()
        .execute("DELETE FROM events WHERE id = (SELECT id FROM events ORDER BY id LIMIT 1)");
    let (told, right) = verify(&server, &[]);
    let wrong = &told["projects"][0]["wrong"];
    assert_eq!(
        (&wrong[0]["event"], &wrong[0]["what"], right),
        (&json!("good"), &json!("50 events, but 49 rows"), false)
    );
    let (told, right) = verify(&server, &["--rebuild"]);
    assert_eq!((&told["projects"][0]["rebuilt"], right), (&json!(true), false));
    let (told, right) = verify(&server, &[]);
    assert_eq!((&told["projects"][0]["events"], right), (&json!(49), true));
    server.assert_sound();
}
