//! What docs/api.md shows of alerts is so, and its ways to verify a signature work.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use trailmark_server::clock::Clock;

use super::receiver::{Received, Receiver};
use super::routes::Front;
use super::{House, SECRET};

const MANUAL: &str = include_str!("../../../../docs/api.md");

fn block(name: &str, language: &str) -> &'static str {
    let start = format!("<!-- example: {name} -->\n```{language}\n");
    MANUAL.split_once(&start).expect(name).1.split_once("```").unwrap().0
}

fn example(name: &str) -> Value {
    serde_json::from_str(block(name, "json")).expect(name)
}

/// Every path to a value.
fn fields(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => object
            .iter()
            .for_each(|(name, value)| fields(value, &format!("{path}.{name}"), found)),
        Value::Array(values) => values
            .iter()
            .for_each(|value| fields(value, &format!("{path}[]"), found)),
        _ => found.push(path.to_owned()),
    }
}

fn same_fields(shown: &Value, real: &Value) {
    let of = |value| {
        let mut found = Vec::new();
        fields(value, "", &mut found);
        found.sort();
        found.dedup();
        found
    };
    assert_eq!(of(shown), of(real));
}

/// What the manual's function says of a request, asked with one secret at a time.
fn verified(program: &str, arguments: &[&str], source: String, received: &Received, secret: &str, now: i64) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder
        .path()
        .join(if program == "node" { "verify.mjs" } else { "verify.py" });
    std::fs::write(&file, source).unwrap();
    let mut running = Command::new(program)
        .args(arguments)
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect(program);
    let asked = json!({"secret": secret, "headers": received.headers, "body": received.body, "now": now});
    running
        .stdin
        .take()
        .unwrap()
        .write_all(asked.to_string().as_bytes())
        .unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    match String::from_utf8(output.stdout).unwrap().trim() {
        "True" | "true" => true,
        "False" | "false" => false,
        other => panic!("{program}: {other}"),
    }
}

fn python(received: &Received, secret: &str, now: i64) -> bool {
    let asking = "\nimport json, sys\nasked = json.load(sys.stdin)\n\
                  print(verify(asked[\"secret\"], asked[\"headers\"], asked[\"body\"].encode(), asked[\"now\"]))\n";
    verified(
        "python3",
        &["-I"],
        format!("{}{asking}", block("verify-python", "python")),
        received,
        secret,
        now,
    )
}

fn node(received: &Received, secret: &str, now: i64) -> bool {
    let asking = "\nimport { readFileSync } from 'node:fs';\nconst asked = JSON.parse(readFileSync(0, 'utf8'));\n\
                  console.log(verify(asked.secret, asked.headers, Buffer.from(asked.body), asked.now));\n";
    verified(
        "node",
        &[],
        format!("{}{asking}", block("verify-js", "js")),
        received,
        secret,
        now,
    )
}

#[tokio::test]
async fn the_manuals_functions_know_a_true_webhook_from_a_forged_or_an_old_one() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let alert = house.hook(&receiver.url()).await;
    let until = house.clock.now().plus_micros(86_400_000_000);
    let new = "whsec_bmV3IHNlY3JldCBvZiAyNCBieXRlcyEh";
    let rotated = house.store.rotate_alert_secret(house.project, alert, new, until).await;
    assert!(rotated.unwrap());
    house.opened(1).await;
    house.deliver().await;
    let received = receiver.received().remove(0);
    let now = house.clock.now().millis() / 1_000;
    for verify in [python, node] {
        assert!(verify(&received, SECRET, now), "by the old secret");
        assert!(verify(&received, new, now), "by the new one");
        assert!(!verify(&received, "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldCEh", now));
        assert!(!verify(&received, SECRET, now + 301), "somebody sends it again later");
        assert!(!verify(&received, SECRET, now - 301));
        let mut forged = received.clone();
        forged.body = forged.body.replace("12", "13");
        assert_ne!(forged.body, received.body);
        assert!(!verify(&forged, SECRET, now));
        let mut other = received.clone();
        other.headers.insert("webhook-id".to_owned(), "msg_other".to_owned());
        assert!(
            !verify(&other, SECRET, now),
            "the id is signed: a double cannot pass for another"
        );
    }
}

#[tokio::test]
async fn answers_and_webhooks_have_the_fields_that_the_manual_shows() {
    let front = Front::new(&[]).await;
    let receiver = Receiver::answering([]).await;
    let mut new = example("new-alert");
    new["to"]["webhook"]["url"] = json!(receiver.url());
    let (id, made) = front.make(new).await;
    same_fields(&example("made-alert"), &made);
    let (status, tried) = front.send("POST", &format!("/{id}/test"), Value::Null).await;
    assert_eq!(status, 200, "{tried}");
    same_fields(&example("tried-alert"), &tried);
    same_fields(
        &example("alert-deliveries"),
        &front.get(&format!("/{id}/deliveries")).await,
    );
    let (_, rotated) = front.send("POST", &format!("/{id}/rotate-secret"), Value::Null).await;
    same_fields(&example("rotated-secret"), &rotated);
    let (status, silenced) = front.send("POST", &format!("/{id}/silence"), example("silence")).await;
    assert_eq!(status, 200, "{silenced}");
    let house = House::new().await;
    house.hook(&receiver.url()).await;
    house.opened(17).await;
    house.deliver().await;
    let told = receiver.received().pop().unwrap();
    same_fields(&example("webhook"), &told.json());
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert!(
            told.headers.contains_key(name) && MANUAL.contains(&format!("`{name}`")),
            "{name}"
        );
    }
}

#[test]
fn the_manual_names_every_kind() {
    for kind in trailmark_server::observe::Kind::ALL {
        assert!(MANUAL.contains(&format!("`{}`", kind.as_str())), "{kind:?}");
    }
}
