//! `[auth.jwt.NAME]`, as people write it.

use crate::gateway::credentials::JwtConfig;

const WITH_SECRET: &str = "secret = \"f3Zr0q9XnLk2VbT7yWc5HdJ8mPs1QaEu\"\nalgorithms = [\"HS256\"]";

fn read(text: &str) -> JwtConfig {
    toml::from_str(text).unwrap()
}

/// The only problem of `text`.
fn problem(text: &str) -> String {
    let problems = read(text).problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.concat()
}

#[test]
fn the_example_of_the_manual_reads_and_has_no_problem() {
    let config = read(
        r#"issuer = "https://id.example"
        audience = ["api"]
        algorithms = ["RS256", "ES256", "EdDSA"]
        jwks_url = "https://id.example/.well-known/jwks.json"
        jwks = { refresh = "1h", min_refresh = "30s" }
        leeway = "30s"
        claims = { user = "sub", roles = "realm_access.roles", scopes = "scope", email = "email" }"#,
    );
    assert_eq!(config.problems(), Vec::<String>::new());
    assert_eq!(config.claims.roles, "realm_access.roles");
}

#[test]
fn a_secret_needs_neither_issuer_nor_audience() {
    assert_eq!(read(WITH_SECRET).problems(), Vec::<String>::new());
}

#[test]
fn keys_come_from_exactly_one_place() {
    assert!(problem("algorithms = [\"RS256\"]").contains("exactly one"));
    assert!(problem(&format!("{WITH_SECRET}\njwks_file = \"keys.json\"")).contains("exactly one"));
}

#[test]
fn hmac_and_public_keys_are_never_mixed() {
    let published = "issuer = \"i\"\naudience = [\"a\"]\njwks_file = \"keys.json\"";
    assert!(problem(&format!("{published}\nalgorithms = [\"RS256\", \"HS256\"]")).contains("HS256 goes with secret"));
    assert!(problem(&WITH_SECRET.replace("[\"HS256\"]", "[\"HS256\", \"RS256\"]")).contains("the only one"));
    assert!(problem(&WITH_SECRET.replace("[\"HS256\"]", "[]")).contains("at least one"));
}

#[test]
fn published_keys_need_an_issuer_and_an_audience() {
    let problems = read("algorithms = [\"RS256\"]\njwks_file = \"keys.json\"")
        .problems()
        .concat();
    assert!(
        problems.contains("issuer:") && problems.contains("audience:"),
        "{problems}"
    );
}

#[test]
fn an_algorithm_that_is_none_is_refused_by_name() {
    let error = toml::from_str::<JwtConfig>("algorithms = [\"none\"]")
        .unwrap_err()
        .to_string();
    assert!(error.contains("none") && error.contains("EdDSA"), "{error}");
}

#[test]
fn keys_over_http_come_from_this_machine_or_by_explicit_wish() {
    let with = |more: &str| format!("issuer = \"i\"\naudience = [\"a\"]\nalgorithms = [\"RS256\"]\n{more}");
    assert!(problem(&with("jwks_url = \"http://id.example/keys\"")).starts_with("jwks_url: "));
    for fine in [
        "jwks_url = \"http://127.0.0.1:9/keys\"",
        "jwks_url = \"http://id.example/keys\"\njwks.allow_http = true",
    ] {
        assert_eq!(read(&with(fine)).problems(), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn times_out_of_all_proportion_are_named() {
    assert!(problem(&format!("{WITH_SECRET}\nleeway = \"6m\"")).starts_with("leeway: "));
    assert!(problem(&format!("{WITH_SECRET}\njwks.min_refresh = \"10ms\"")).starts_with("jwks.min_refresh: "));
    assert!(problem(&format!("{WITH_SECRET}\njwks.refresh = \"10s\"")).starts_with("jwks.refresh: "));
}

#[test]
fn a_public_key_that_is_no_key_is_named() {
    let text =
        "algorithms = [\"RS256\"]\npublic_key = \"-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\"";
    assert!(problem(text).starts_with("public_key: "));
}

#[test]
fn an_empty_path_is_named() {
    assert!(problem(&format!("{WITH_SECRET}\nclaims.roles = \"\"")).starts_with("claims.roles: "));
}
