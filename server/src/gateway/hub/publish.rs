//! `POST …/publish`: a service that has no bus writes to clients.

use axum::body::{Body, to_bytes};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::LengthLimitError;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Hub;
use super::names::To;
use crate::bus::Message;
use crate::gateway::problem::{Code, Problem};

/// Room for `to` and the braces around a message: 4 KiB, four times the longest name.
const AROUND: usize = 4 << 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted<'a> {
    to: To,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Hub {
    /// Answers `{"to": {"user" | "connection" | "topic": …}, "data": …}` with 202. That means that the message is on its
    /// way: to every instance, or, with the broker away, to the sockets of this one (`"reach": "this_instance"`). Whether
    /// anybody listens is not known.
    ///
    /// Who may ask is for the route to decide.
    ///
    /// # Errors
    /// [`Problem`]: 400 for what is no such message, 413 for one that is larger than a client's queue.
    pub async fn publish(&self, request: Request<Body>) -> Result<Response<Body>, Problem> {
        let body = read(request.into_body(), self.config.queue_bytes.0 + AROUND).await?;
        let posted: Posted<'_> =
            serde_json::from_slice(&body).map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))?;
        let message = Message {
            topic: self.address(&posted.to)?,
            payload: Bytes::copy_from_slice(posted.data.get().as_bytes()),
        };
        let reach = match self.bus.publish(message) {
            Ok(()) => r#"{"reach":"all_instances"}"#,
            Err(_) => r#"{"reach":"this_instance"}"#,
        };
        Ok((
            StatusCode::ACCEPTED,
            [(header::CONTENT_TYPE, "application/json")],
            reach,
        )
            .into_response())
    }

    fn address(&self, to: &To) -> Result<crate::bus::Topic, Problem> {
        let unnamed = |bad| Problem::new(Code::InvalidParameter, format!("`to`: {bad}"));
        self.names.of(to).map_err(unnamed)
    }
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    to_bytes(body, limit).await.map_err(|error| {
        if error.into_inner().downcast_ref::<LengthLimitError>().is_some() {
            return Problem::new(Code::BodyTooLarge, format!("a message is {limit} bytes at the most"));
        }
        Problem::new(Code::InvalidBody, "the body broke off")
    })
}
