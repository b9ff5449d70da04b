//! What docs/gateway.md shows must be right.

use trailmark_server::gateway::file::read;

const MANUAL: &str = include_str!("../../docs/gateway.md");

fn environment(name: &str) -> Option<String> {
    (name == "JWT_SECRET").then(|| "vK2p9sQmX7fLr4TzB1nYc8WdHg5JaEu3".to_owned())
}

#[test]
fn the_files_that_the_manual_shows_have_nothing_wrong() {
    let blocks: Vec<_> = MANUAL
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        if let Err(bad) = read(block, &environment) {
            panic!("{bad}\nin\n{block}");
        }
    }
}

#[test]
fn everything_wrong_is_said_at_once_with_its_place() {
    let file = r#"
version = 1
[limits.ip]
key = "ip"
rate = 0
per = "1s"
[[routes]]
id = "a"
path = "/a"
service = "query"
limits = ["usr"]
[[routes]]
id = "b"
path = "/a"
upstream = "orders"
auth = []
any_role = ["admin"]
"#;
    let bad = read(file, &environment).unwrap_err().0;
    for said in [
        "limits.ip: rate: 0 would refuse everything",
        "route \"a\": auth: is missing",
        "route \"a\": limits: there is no \"usr\"; there are ip",
        "route \"b\": auth: roles and scopes are asked for",
        "route \"b\": wants the same requests as route \"a\"",
    ] {
        assert!(
            bad.iter().any(|problem| problem.starts_with(said)),
            "{said} is not in {bad:#?}"
        );
    }
}

#[test]
fn a_misspelt_key_is_named_with_its_place() {
    let bad = read("version = 1\n[[routes]]\nid = \"a\"\npaht = \"/a\"\n", &environment).unwrap_err();
    assert!(bad.0[0].starts_with("routes[0]") && bad.0[0].contains("paht"), "{bad}");
}
