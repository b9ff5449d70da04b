//! What a route changes on a request's way in and on an answer's way out: header fields and JSON bodies by rules, REST
//! calls into gRPC calls. Rules hold [`template`]s, which are filled from the request's [`Scope`].

use std::net::IpAddr;
use std::time::Duration;

use super::body::Budget;
use super::caller::Caller;

pub mod template;
pub mod headers;
pub mod whole;
pub mod json;
pub mod grpc;

/// What templates may speak of.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Who calls, where the route asks for credentials.
    pub caller: Option<&'a Caller>,
    /// The request's id.
    pub request_id: &'a str,
    /// The client's address, as trusted proxies tell it.
    pub client_ip: IpAddr,
    /// The route's path parameters: names and percent-decoded values.
    pub path: &'a [(&'a str, &'a str)],
    /// The route's id.
    pub route: &'a str,
}

/// What reading a whole body may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// What all bodies in memory share.
    pub budget: &'a Budget,
    /// The longest body, as sent and again as decoded, in bytes.
    pub max_body: usize,
    /// How long a whole body may take to arrive.
    pub deadline: Duration,
}

/// What went well; what did not goes to `problems`, under its key.
fn sift<T>(key: &str, results: impl Iterator<Item = Result<T, String>>, problems: &mut Vec<String>) -> Vec<T> {
    let mut sifted = Vec::new();
    for result in results {
        match result {
            Ok(good) => sifted.push(good),
            Err(problem) => problems.push(format!("{key}: {problem}")),
        }
    }
    sifted
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::caller::Proof;

    /// A caller with `claims`.
    pub(crate) fn caller(claims: Value) -> Caller {
        let Value::Object(claims) = claims else {
            panic!("claims are an object")
        };
        Caller {
            proof: Proof::Token,
            user: Some("u1".to_owned()),
            key: None,
            email: Some("ann@example.com".to_owned()),
            roles: vec!["admin".to_owned(), "user".to_owned()],
            scopes: vec!["orders:read".to_owned()],
            claims,
        }
    }

    /// The caller of most tests.
    pub(crate) fn ann() -> Caller {
        caller(json!({"tenant": "acme", "level": 7, "beta": true, "groups": ["a", "b"], "org": {"id": "o1"}}))
    }

    /// A request by `caller`.
    pub(crate) fn scope(caller: Option<&Caller>) -> Scope<'_> {
        Scope {
            caller,
            request_id: "r-1",
            client_ip: IpAddr::from([192, 0, 2, 7]),
            path: &[("rest", "a/b")],
            route: "users",
        }
    }
}
