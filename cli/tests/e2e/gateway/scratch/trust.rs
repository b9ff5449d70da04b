//! B12: services behind that prove who they are.

use std::path::Path;
use std::process::{Command, Output};

use super::super::{asked, setup};
use crate::support::{Request, until};

/// An authority, and a certificate of its own for `localhost`.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk-core/tests/native/tls/");

/// Another authority.
const STRANGER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../server/src/gateway/credentials/tests/fixtures/stranger.pem"
);

fn file(url: &str, tls: &str) -> String {
    format!(
        "version = 1\n[upstreams.s]\nendpoints = [{{ url = \"{url}\" }}]\n{tls}\n\
         [[routes]]\nid = \"s\"\npath = \"/s\"\nrewrite = \"/livez\"\nupstream = \"s\"\nauth = []\n"
    )
}

/// As everything else on the machine: an authority that the operator has installed counts.
#[test]
fn b12_a_service_is_believed_if_the_machine_believes_it() {
    let service = setup("version = 1\n")
        .text("tls.cert", &format!("{FIXTURES}localhost.pem"))
        .text("tls.key", &format!("{FIXTURES}localhost.key.pem"))
        .launch();
    until("a ready service", || {
        (asked(&service, &Request::get("/readyz")).status == 200).then_some(())
    });
    let url = format!("https://{}", service.address());
    let routes = file(&url, "tls = { server_name = \"localhost\" }");
    let known = setup(&routes)
        .env("SSL_CERT_FILE", &format!("{FIXTURES}root.pem"))
        .start();
    assert_eq!(known.send(&Request::get("/s")).status, 200);
    let stranger = setup(&routes).env("SSL_CERT_FILE", STRANGER).start();
    assert_eq!(stranger.send(&Request::get("/s")).status, 502);
}

/// Only whoever needs the machine's authorities is told that it has none.
#[test]
fn b12_a_machine_that_trusts_nobody_is_said_to_where_it_matters() {
    let ca = format!("tls = {{ ca = \"{FIXTURES}root.pem\" }}");
    for (url, tls, is_good) in [
        ("https://s.example", "", false),
        ("https://s.example", &*ca, true),
        ("http://s.example", "", true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, file(url, tls)).unwrap();
        let output = checked_without_authorities(&path);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.success(), is_good, "{url}: {said}");
        let why = "upstreams.s: tls.ca: this machine trusts no authority: install ca-certificates";
        assert_eq!(said.contains(why), !is_good, "{said}");
    }
}

fn checked_without_authorities(path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trailmark"))
        .args(["gateway", "check"])
        .arg(path)
        .env("SSL_CERT_FILE", "/nowhere")
        .env("SSL_CERT_DIR", "/nowhere")
        .output()
        .unwrap()
}
