//! REST in, gRPC out, for unary calls: JSON body, query and path parameters become the message of a method that a descriptor
//! set describes, and its answer becomes JSON by [protobuf's JSON mapping][1].
//!
//! tonic is not needed: a unary call is one [frame](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) each way
//! on the HTTP/2 connections that the gateway has anyway, with its own balancing, breakers and deadlines around it.
//!
//! A gRPC error is answered with the HTTP status that [google/rpc/code.proto][2] gives it, as `application/problem+json`
//! with gRPC's name in lower case as `code` and the service's message as `detail`. Only what is wrong on the way is one of
//! the gateway's own refusals.
//!
//! [1]: https://protobuf.dev/programming-guides/json/
//! [2]: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version, header};
use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor, SerializeOptions};
use serde::Deserialize;

use super::{Limits, Scope, whole};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::units::Span;

mod frame;
mod status;
mod message;
mod answer;
#[cfg(test)]
mod tests;

/// `grpc` of a route: the unary method that it calls.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpcConfig {
    /// The upstream that serves the method; its `protocol` is `h2`.
    pub upstream: String,
    /// A file with a `FileDescriptorSet` that holds the method and everything it imports:
    /// `protoc --include_imports --descriptor_set_out=shop.binpb shop.proto`.
    pub descriptors: PathBuf,
    /// The method: `shop.Orders/Get`.
    pub method: String,
    /// How long the service has; it is told in `grpc-timeout`. Then the answer is 504.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// Also write fields that have the default of their type: `"quantity": 0`.
    #[serde(default)]
    pub emit_defaults: bool,
    /// Write fields as the `.proto` names them, `placed_at`, not as JSON usually does, `placedAt`. Both are read.
    #[serde(default)]
    pub proto_names: bool,
}

fn default_timeout() -> Span {
    Span::seconds(30)
}

/// Headers that are about the HTTP message, and nothing to a gRPC call.
const OF_THE_MESSAGE: [&str; 16] = [
    "accept",
    "accept-encoding",
    "host",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
];

/// Whether a header is about the message as it is on its side, and does not pass to the other: `grpc-…` is gRPC's own, and
/// `…-bin` is not text. What a client sends under such a name never reaches the service.
fn is_for_grpc_only(name: &HeaderName) -> bool {
    let name = name.as_str();
    OF_THE_MESSAGE.contains(&name)
        || ["grpc-", "content-", "accept"]
            .iter()
            .any(|family| name.starts_with(family))
        || name.ends_with("-bin")
}

/// A method, ready to be called.
#[derive(Debug, Clone)]
pub struct Transcoder {
    path: PathAndQuery,
    input: MessageDescriptor,
    output: MessageDescriptor,
    options: SerializeOptions,
    timeout: Duration,
}

impl Transcoder {
    /// The method that `config` names, out of `descriptors`, the bytes of its file.
    ///
    /// # Errors
    /// If they are no descriptor set, or have no such method, or one that streams; the text names the key.
    pub fn new(descriptors: &[u8], config: &GrpcConfig) -> Result<Self, String> {
        let unreadable = |error| format!("descriptors: no FileDescriptorSet with all its imports: {error}");
        let pool = DescriptorPool::decode(descriptors).map_err(unreadable)?;
        let method = find(&pool, &config.method).map_err(|problem| format!("method: {problem}"))?;
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let options = SerializeOptions::new()
            .skip_default_fields(!config.emit_defaults)
            .use_proto_field_name(config.proto_names);
        Ok(Self {
            path: PathAndQuery::try_from(path).map_err(|error| format!("method: {error}"))?,
            input: method.input(),
            output: method.output(),
            options,
            timeout: config.timeout.0,
        })
    }

    /// Whether a path parameter of this name is a field of the method's request: each that the route has must be one.
    #[must_use]
    pub fn has_parameter(&self, name: &str) -> bool {
        message::has_field(&self.input, name)
    }

    /// Calls the method: `send` sends it over HTTP/2, to an authority of its choice.
    ///
    /// # Errors
    /// [`Code::InvalidJson`] and [`Code::InvalidParameter`] for a request that is no such message, [`Code::BadGateway`] for
    /// an answer that is no gRPC, [`Code::GatewayTimeout`], and whatever `send` refuses. An error of the service is an
    /// answer.
    pub async fn call<F>(
        &self,
        request: Request<Body>,
        scope: &Scope<'_>,
        limits: &Limits<'_>,
        send: impl FnOnce(Request<Body>) -> F,
    ) -> Result<Response<Body>, Problem>
    where
        F: Future<Output = Result<Response<Body>, Problem>>,
    {
        let call = self.translate(request, scope, limits).await?;
        let exchange = async { answer::read(send(call).await?, limits).await };
        let late = |_| Problem::new(Code::GatewayTimeout, "the service did not answer in time");
        let answer = tokio::time::timeout(self.timeout, exchange).await.map_err(late)??;
        answer.respond(&self.output, &self.options, scope.request_id)
    }

    async fn translate(
        &self,
        request: Request<Body>,
        scope: &Scope<'_>,
        limits: &Limits<'_>,
    ) -> Result<Request<Body>, Problem> {
        let (mut parts, body) = request.into_parts();
        let body = whole::json(&parts.headers, body, limits).await?;
        let query = parts.uri.query().unwrap_or_default();
        let message = message::assemble(&self.input, body.as_slice(), query, scope.path)?;
        let too_large = || Problem::new(Code::BodyTooLarge, "the message is over 4 GiB");
        let frame = frame::encode(&message).ok_or_else(too_large)?;
        parts.method = Method::POST;
        parts.uri = Uri::from(self.path.clone());
        parts.version = Version::HTTP_2;
        parts.headers = self.metadata(&parts.headers);
        Ok(Request::from_parts(parts, Body::from(frame)))
    }

    /// The client's headers as the call's metadata, with those that make it a call.
    fn metadata(&self, headers: &HeaderMap) -> HeaderMap {
        let passed = headers.iter().filter(|(name, _)| !is_for_grpc_only(name));
        let mut metadata: HeaderMap = passed.map(|(name, value)| (name.clone(), value.clone())).collect();
        metadata.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        metadata.insert(header::TE, HeaderValue::from_static("trailers"));
        metadata.insert("grpc-accept-encoding", HeaderValue::from_static("identity"));
        if let Ok(timeout) = HeaderValue::try_from(timeout_text(self.timeout)) {
            metadata.insert("grpc-timeout", timeout);
        }
        metadata
    }
}

/// At most eight digits and a unit, as gRPC over HTTP/2 spells it: milliseconds up to a day, then seconds.
fn timeout_text(timeout: Duration) -> String {
    const LARGEST: u128 = 99_999_999;
    match timeout.as_millis() {
        millis @ 0..=LARGEST => format!("{millis}m"),
        millis => format!("{}S", (millis / 1000).min(LARGEST)),
    }
}

fn find(pool: &DescriptorPool, name: &str) -> Result<MethodDescriptor, String> {
    let split = name
        .split_once('/')
        .ok_or_else(|| format!("\"{name}\" is no method such as \"shop.Orders/Get\""))?;
    let service = pool
        .get_service_by_name(split.0)
        .ok_or_else(|| format!("there is no service `{}`", split.0))?;
    let method = service.methods().find(|method| method.name() == split.1);
    let method = method.ok_or_else(|| format!("`{}` has no method `{}`", split.0, split.1))?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(format!("`{name}` streams; only unary methods can be called"));
    }
    Ok(method)
}
