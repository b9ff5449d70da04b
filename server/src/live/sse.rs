//! What all streams of server-sent events have in common (<https://html.spec.whatwg.org/multipage/server-sent-events.html>):
//! how they begin, what keeps them alive, and that they end when their listener may not listen any more.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::future::ready;
use futures_util::stream::{once, unfold};
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::notice::{LiveEnd, write};
use crate::app::App;
use crate::gateway::accept::Endless;
use crate::gateway::access::Access;
use crate::gateway::problem::Code;

/// How often a line is sent for the sake of the connection, and the key or session is looked at again: 15 s. Proxies give up
/// on a silent one after 30 s at the earliest.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Sent first: the stream is there, and a browser comes back two seconds after its end.
const OPENING: &str = "retry: 2000\n: listening\n\n";

/// A comment, which listeners pass over.
const STILL_HERE: &str = ": still here\n\n";

/// What a stream tells next.
pub enum Next {
    /// Events, or a comment.
    Lines(String),
    /// Nothing any more, and why.
    End(&'static str),
}

/// Where the lines of a stream come from.
pub trait Source: Send + 'static {
    /// What is told next. Nothing is made before the connection takes what was made last.
    fn next(&mut self) -> impl Future<Output = Next> + Send;
}

/// The answer that is a stream of what `source` tells.
pub fn response(source: impl Source) -> Response {
    let told = unfold(Some(source), |source| async {
        let mut source = source?;
        Some(match source.next().await {
            Next::Lines(lines) => (lines, Some(source)),
            Next::End(reason) => (line("end", &LiveEnd { reason }), None),
        })
    });
    let lines = once(ready(OPENING.to_owned())).chain(told);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would collect the lines until it has a buffer full.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    let body = Body::from_stream(lines.map(Ok::<_, Infallible>));
    (Extension(Endless), headers, body).into_response()
}

/// One event of a stream.
pub fn line(kind: &str, data: &impl serde::Serialize) -> String {
    let mut line = String::new();
    write(&mut line, kind, data);
    line
}

/// Every now and then, whether the listener still may.
pub struct Standing {
    app: Arc<App>,
    parts: Parts,
    turns: Interval,
}

impl Standing {
    /// That of who sent a request.
    pub fn new(app: Arc<App>, parts: Parts) -> Self {
        let mut turns = interval(KEEP_ALIVE);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        turns.reset();
        Self { app, parts, turns }
    }

    /// Waits until it is time to look again.
    pub async fn due(&mut self) {
        self.turns.tick().await;
    }

    /// A line that says that all is well, or why the stream ends: a revoked key and an ended session hear nothing more. While
    /// that cannot be looked up, it goes on.
    pub async fn look(&self) -> Next {
        match Access::of(&self.app, &self.parts)
            .await
            .map_err(|problem| problem.code())
        {
            Err(Code::UnknownKey) => Next::End("key"),
            Err(Code::InvalidSession) => Next::End("session"),
            _ => Next::Lines(STILL_HERE.to_owned()),
        }
    }
}
