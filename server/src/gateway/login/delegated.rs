//! Users that another service knows: what it is asked, and what its answer means. The call itself is the proxy's.

use futures_util::future::BoxFuture;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gateway::problem::{Code, Problem};

/// A user whose password was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedUser {
    /// What the service calls the user.
    pub id: String,
    /// The address: the service's, else the one that was typed.
    pub email: String,
    /// The role, if it gave one.
    pub role: Option<String>,
}

/// Asks another service whether a password is right.
pub trait Validate: Send + Sync + 'static {
    /// The user, or `None` if the two do not belong together.
    ///
    /// # Errors
    /// [`Code::BadGateway`], [`Code::UpstreamUnavailable`], [`Code::GatewayTimeout`].
    fn validate<'a>(
        &'a self,
        email: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, Result<Option<ValidatedUser>, Problem>>;
}

/// Longest answer that is read: 64 KiB. It is one user.
pub const ANSWER_BYTES: usize = 64 << 10;

/// The body to post, as `application/json`.
#[must_use]
pub fn question(email: &str, password: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Question<'a> {
        email: &'a str,
        password: &'a str,
    }
    // A struct of two texts, which always serialises.
    serde_json::to_vec(&Question { email, password }).unwrap_or_default()
}

#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "userId", alias = "user_id")]
    id: Value,
    email: Option<String>,
    role: Option<String>,
}

/// What an answer means. `email` is what was typed.
///
/// # Errors
/// [`Code::GatewayTimeout`] for a 504, [`Code::BadGateway`] for anything that is neither a user nor a no.
pub fn verdict(status: StatusCode, body: &[u8], email: &str) -> Result<Option<ValidatedUser>, Problem> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(None),
        StatusCode::GATEWAY_TIMEOUT => Err(Problem::new(
            Code::GatewayTimeout,
            "the service that knows the users did not answer in time",
        )),
        status if status.is_success() => user(body, email).map(Some),
        status => Err(bad(format!("the service that knows the users answered {status}"))),
    }
}

fn user(body: &[u8], email: &str) -> Result<ValidatedUser, Problem> {
    let unread = |_| bad("the service that knows the users answered with something that is no user");
    let answer: Answer = serde_json::from_slice(body).map_err(unread)?;
    let id = match answer.id {
        Value::String(id) if !id.is_empty() => id,
        Value::Number(id) => id.to_string(),
        _ => return Err(bad("the service that knows the users named no id")),
    };
    Ok(ValidatedUser {
        id,
        email: answer.email.unwrap_or_else(|| email.to_owned()),
        role: answer.role,
    })
}

fn bad(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::BadGateway, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> Result<Option<ValidatedUser>, Code> {
        let status = StatusCode::from_u16(status).unwrap();
        verdict(status, body.as_bytes(), "ann@example.com").map_err(|problem| problem.code())
    }

    fn user(id: &str, email: &str, role: Option<&str>) -> Result<Option<ValidatedUser>, Code> {
        Ok(Some(ValidatedUser {
            id: id.to_owned(),
            email: email.to_owned(),
            role: role.map(str::to_owned),
        }))
    }

    #[test]
    fn a_user_is_read_by_whichever_name_its_id_has() {
        let whole = r#"{"userId":"u_7","email":"a@b.c","role":"admin","more":1}"#;
        assert_eq!(told(200, whole), user("u_7", "a@b.c", Some("admin")));
        assert_eq!(told(201, r#"{"id":7}"#), user("7", "ann@example.com", None));
    }

    #[test]
    fn a_no_is_a_no_and_anything_else_is_the_services_fault() {
        for status in [401, 403, 404] {
            assert_eq!(told(status, "?"), Ok(None), "{status}");
        }
        for status in [302, 400, 429, 500, 503] {
            assert_eq!(told(status, ""), Err(Code::BadGateway), "{status}");
        }
        assert_eq!(told(504, ""), Err(Code::GatewayTimeout));
        for body in ["", "{}", "[]", r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":{}}"#] {
            assert_eq!(told(200, body), Err(Code::BadGateway), "{body}");
        }
    }

    #[test]
    fn the_question_is_the_two_texts_whatever_is_in_them() {
        let asked: Value = serde_json::from_slice(&question("a@b", "\"},{\n")).unwrap();
        assert_eq!(asked, serde_json::json!({"email": "a@b", "password": "\"},{\n"}));
    }
}
