//! What is said of files that are wrong.

use std::sync::Arc;

use super::{Ground, check};
use crate::clock::SystemClock;

/// Everything that is said of a file with this text.
fn said_of(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    let ground = Ground::bare(folder.path(), Arc::new(SystemClock));
    check(&path, &ground).map_or_else(|bad| bad.0, |_| Vec::new())
}

/// Also what can only be seen by making something of it; and not what comes of a mistake that is said at its own place: that
/// there is no upstream "users", say.
#[tokio::test]
async fn all_that_is_wrong_is_said_at_once_and_each_once() {
    let said = said_of(
        r#"
version = 1
[log]
sample = 2.0
[auth.jwt.main]
issuer = "t"
audience = ["a"]
algorithms = ["HS256"]
secret = "short"
[auth.login]
users = { upstream = "users", path = "/validate" }
[upstreams.users]
endpoints = []
[hub.chat]
deliver = { upstream = "chats", path = "/messages" }
[[routes]]
id = "a"
path = "/a"
upstream = "users"
[[routes]]
id = "b"
path = "/b"
upstream = "usrs"
auth = ["jwt:main", "api_key"]
[[routes]]
id = "c"
path = "/c"
auth = ["jwt:mian"]
grpc = { upstream = "none", descriptors = "none.binpb", method = "s.S/M" }
"#,
    );
    let beginnings = [
        "log: sample: 2 is not between 0 and 1",
        "route \"a\": auth: is missing",
        "auth.jwt.main: secret: it is shorter than 32 bytes",
        "upstreams.users: endpoints",
        "hub.chat: deliver.upstream: there is no \"chats\"; there are users",
        "route \"b\": upstream: there is no \"usrs\"; there are users",
        "route \"b\": auth: there is no [auth.api_key]",
        "route \"c\": grpc.upstream: there is no \"none\"; there are users",
        "route \"c\": grpc.descriptors: ",
        "route \"c\": auth: jwt: there is no \"mian\"; there are main",
    ];
    for (said, beginning) in said.iter().zip(beginnings) {
        assert!(said.starts_with(beginning), "{said} is not {beginning}");
    }
    assert_eq!(said.len(), beginnings.len(), "{said:#?}");
}
