//! B1: other files that the gateway's file names.

use serde_json::json;

use super::super::asked;
use crate::support::Request;
use crate::support::wait::until_true;

const TAKEN: &str = "the gateway's file was taken";

/// A JWK Set with the key of RFC 8037's appendix A under a name.
fn keys(kid: &str) -> String {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": x }] }).to_string()
}

#[test]
fn b1_a_reload_happens_when_a_named_file_has_changed_and_not_because_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let write = |kid: &str| std::fs::write(&path, keys(kid)).unwrap();
    write("one");
    let jwt = "issuer = \"https://id.example\"\naudience = [\"api\"]\nalgorithms = [\"EdDSA\"]";
    let file = format!("version = 1\n[auth.jwt.main]\n{jwt}\njwks_file = {path:?}\n");
    let server = super::super::setup(&file).start();
    let reload = || asked(&server, &Request::post("/gateway/reload", "")).json();
    assert_eq!(
        [reload(), reload()],
        [json!({ "changed": false }), json!({ "changed": false })]
    );
    write("one");
    assert_eq!(reload(), json!({ "changed": false }), "as it was");
    assert!(!server.log().contains(TAKEN));
    write("two");
    reload();
    until_true("its being taken", || server.log().contains(TAKEN));
    assert_eq!(reload(), json!({ "changed": false }));
    assert_eq!(server.log().matches(TAKEN).count(), 1);
}
