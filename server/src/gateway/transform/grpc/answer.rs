//! A gRPC answer as a REST one.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};

use super::frame::{self, PREFIX_BYTES};
use super::is_for_grpc_only;
use super::status::Status;
use crate::gateway::body::Metered;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::transform::{Limits, whole};

/// What came back.
pub(super) struct Answer {
    headers: HeaderMap,
    frames: Option<Metered>,
    status: Status,
}

/// Reads a whole answer.
///
/// # Errors
/// The refusal of whoever was to send the call, and [`Code::BadGateway`] for what is no gRPC.
pub(super) async fn read(response: Response<Body>, limits: &Limits<'_>) -> Result<Answer, Problem> {
    let (mut parts, body) = response.into_parts();
    if let Some(problem) = parts.extensions.remove::<Problem>() {
        return Err(problem);
    }
    let headers = parts.headers;
    // An answer without a message has its trailers for headers.
    if let Some(status) = early(parts.status, &headers) {
        return Ok(Answer {
            headers,
            frames: None,
            status,
        });
    }
    if !is_grpc(&headers) {
        return Err(Problem::new(Code::BadGateway, "the service did not speak gRPC"));
    }
    let limits = Limits {
        max_body: limits.max_body.saturating_add(PREFIX_BYTES),
        ..*limits
    };
    let (frames, trailers) = whole::read_with_trailers(body, &limits)
        .await
        .map_err(whole::of_upstream)?;
    let status = Status::of(&trailers);
    let status = status.ok_or_else(|| Problem::new(Code::BadGateway, "the answer ended without a grpc-status"))?;
    Ok(Answer {
        headers,
        frames: Some(frames),
        status,
    })
}

fn early(status: StatusCode, headers: &HeaderMap) -> Option<Status> {
    let of_http = || (status != StatusCode::OK).then(|| Status::of_http(status));
    Status::of(headers).or_else(of_http)
}

/// `application/grpc`, also with `+proto` or parameters.
fn is_grpc(headers: &HeaderMap) -> bool {
    let media = whole::media_type(headers).unwrap_or_default();
    media == "application/grpc" || media == "application/grpc+proto"
}

impl Answer {
    /// The REST answer: the message as JSON, or the error as a problem.
    ///
    /// # Errors
    /// [`Code::BadGateway`] for a message that is none.
    pub(super) fn respond(
        self,
        output: &MessageDescriptor,
        options: &SerializeOptions,
        request_id: &str,
    ) -> Result<Response<Body>, Problem> {
        let mut response = if self.status.is_ok() {
            self.message(output, options)?
        } else {
            self.status.respond(request_id)
        };
        let own: Vec<HeaderName> = response.headers().keys().cloned().collect();
        let passed = self
            .headers
            .iter()
            .filter(|(name, _)| !is_for_grpc_only(name) && !own.contains(name));
        for (name, value) in passed {
            response.headers_mut().append(name, value.clone());
        }
        Ok(response)
    }

    fn message(&self, output: &MessageDescriptor, options: &SerializeOptions) -> Result<Response<Body>, Problem> {
        let broken = |why: String| {
            Problem::new(
                Code::BadGateway,
                format!("the answer is no `{}`: {why}", output.full_name()),
            )
        };
        let frames = self.frames.as_ref().map(Metered::as_slice).unwrap_or_default();
        let message = frame::decode(frames).map_err(|why| broken(why.to_owned()))?;
        let message = message.ok_or_else(|| broken("there is no message".to_owned()))?;
        let message = DynamicMessage::decode(output.clone(), message).map_err(|error| broken(error.to_string()))?;
        let mut json = serde_json::Serializer::new(Vec::new());
        message
            .serialize_with_options(&mut json, options)
            .map_err(|error| broken(error.to_string()))?;
        let mut response = Response::new(Body::from(json.into_inner()));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }
}
