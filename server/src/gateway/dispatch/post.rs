//! Requests of the gateway's own to services behind: a hub's messages, and logins that another service judges.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Limited};

use super::ground::Upstreams;
use crate::gateway::hub::deliver::{Deliver, Undelivered};
use crate::gateway::login::delegated::{ANSWER_BYTES, Validate, ValidatedUser, question, verdict};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::upstream::{Plan, Upstream};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Posts JSON to a service.
///
/// # Errors
/// Why there is no answer.
async fn post(upstream: &Upstream, path: &str, body: Bytes) -> Result<Response<Body>, Problem> {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, JSON)
        .body(Body::from(body));
    let request = request.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let plan = Plan {
        may_retry: false,
        ..Plan::default()
    };
    Ok(upstream.send(request, &plan).await?)
}

/// Posts what clients say in hubs.
pub(super) struct HubPost(pub(super) Upstreams);

impl Deliver for HubPost {
    fn deliver<'a>(&'a self, upstream: &'a str, path: &'a str, body: Bytes) -> BoxFuture<'a, Result<(), Undelivered>> {
        Box::pin(async move {
            let known = self.0.load().get(upstream).cloned();
            let known = known.ok_or_else(|| Undelivered(format!("there is no upstream {upstream}")))?;
            let answer = post(&known, path, body).await;
            let status = answer
                .map_err(|problem| Undelivered(problem.detail().to_owned()))?
                .status();
            match status.is_success() {
                true => Ok(()),
                false => Err(Undelivered(format!("{upstream} answered {status}"))),
            }
        })
    }
}

/// Asks a service whether a password is right.
pub(super) struct Delegate {
    /// The service.
    pub(super) upstream: Arc<Upstream>,
    /// Where it is asked.
    pub(super) path: String,
}

impl Validate for Delegate {
    fn validate<'a>(
        &'a self,
        email: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, Result<Option<ValidatedUser>, Problem>> {
        Box::pin(async move {
            let answer = post(&self.upstream, &self.path, question(email, password).into()).await?;
            let (status, body) = (answer.status(), whole(answer.into_body()).await?);
            verdict(status, &body, email)
        })
    }
}

async fn whole(body: Body) -> Result<Bytes, Problem> {
    let read = Limited::new(body, ANSWER_BYTES).collect().await;
    let broken = |_| {
        Problem::new(
            Code::BadGateway,
            "the service that knows the users broke off, or said too much",
        )
    };
    read.map(http_body_util::Collected::to_bytes).map_err(broken)
}
