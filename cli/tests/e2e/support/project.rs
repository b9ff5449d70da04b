//! A project and its keys, made as a user makes them.

use serde_json::Value;

use super::http::{Request, Response};
use super::rows::Rows;
use super::server::Server;

/// A project of a server.
#[derive(Debug)]
pub(crate) struct Project<'a> {
    /// The server it is in.
    pub(crate) server: &'a Server,
    /// Its number.
    pub(crate) id: i64,
    /// Its write key.
    pub(crate) write: String,
    /// Its secret key.
    pub(crate) secret: String,
}

impl<'a> Project<'a> {
    /// Makes it and its two keys through the command line.
    pub(crate) fn create(server: &'a Server) -> Self {
        let id = number(&server.run(&["project", "create", "e2e"]));
        let [write, secret] = ["write", "secret"].map(|kind| create_key(server, id, kind).1);
        Self {
            server,
            id,
            write,
            secret,
        }
    }

    /// Another write key, with its number.
    pub(crate) fn another_key(&self) -> (i64, String) {
        create_key(self.server, self.id, "write")
    }

    /// Revokes a key.
    pub(crate) fn revoke(&self, key: i64) {
        self.server
            .run(&["key", "revoke", "--project", &self.id.to_string(), &key.to_string()]);
    }

    /// `POST /v1/batch` with the write key.
    pub(crate) fn batch(&self, body: impl Into<Vec<u8>>) -> Request {
        Request::post("/v1/batch", body).bearer(&self.write)
    }

    /// A read with the secret key.
    pub(crate) fn read(&self, target: &str) -> Response {
        self.server.send(&Request::get(target).bearer(&self.secret))
    }

    /// What is in the database.
    pub(crate) fn rows(&self) -> Rows {
        Rows::of(self.server, self.id)
    }
}

fn create_key(server: &Server, project: i64, kind: &str) -> (i64, String) {
    let answer = server.run(&["key", "create", "--project", &project.to_string(), "--kind", kind]);
    let key = answer["key"].as_str().unwrap_or_else(|| panic!("no key in {answer}"));
    (number(&answer), key.to_owned())
}

fn number(answer: &Value) -> i64 {
    answer["id"].as_i64().unwrap_or_else(|| panic!("no id in {answer}"))
}
