//! `GET /api/v1/live`: server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Listener;
use super::filter::Filter;
use super::notice::{LiveEnd, LiveEvent, LiveMissed, LiveRefusal, RefusedRequest, write};
use super::ring::Heard;
use crate::app::App;
use crate::gateway::accept::Endless;
use crate::gateway::auth::{authorise, presented_key};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::LiveRefused;
use crate::store::KeyKind;

/// How often a line is sent for the sake of the connection, and the key is looked at again: 15 s. Proxies give up on a
/// silent one after 30 s at the earliest.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Sent first: the stream is there, and a browser comes back two seconds after its end.
const OPENING: &str = "retry: 2000\n: listening\n\n";

/// A comment, which listeners pass over.
const STILL_HERE: &str = ": still here\n\n";

/// The data of the server-sent events, which no response body names.
#[derive(OpenApi)]
#[openapi(components(schemas(LiveEvent<'static>, LiveRefusal<'static>, RefusedRequest, LiveMissed, LiveEnd)))]
struct Told;

/// The route.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Told::openapi()).routes(routes!(live))
}

/// What this server accepts, as it happens.
///
/// Server-sent events: `event`, `missed`, `end`, and with `refused=true` also `refused_event` and `refused_request`; the
/// data of each is one line of JSON. Only what this process takes in is told: of several servers, ask each. Nothing is
/// kept for who is away, and `Last-Event-ID` is not supported: `GET /api/analytics/events` has what was before.
#[utoipa::path(
    get,
    path = "/api/v1/live",
    tag = "live",
    params(
        ("event" = Option<String>, Query, description = "Only events of this name", min_length = 1, max_length = 200),
        ("person" = Option<String>, Query, description = "Only events that name this user_id or anonymous_id",
            min_length = 1, max_length = 200),
        ("refused" = Option<bool>, Query, description = "Also refused events and requests; those whose name or ids \
            cannot be read pass every filter"),
    ),
    responses(
        (status = 200, description = "Server-sent events, until one side ends it", content_type = "text/event-stream",
            body = String),
        LiveRefused,
    ),
    security(("secret_key" = [])),
)]
async fn live(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let key = presented_key(&headers, &uri);
    let grant = authorise(&app, key.as_deref(), KeyKind::Secret).await?;
    let filter = Filter::read(&query.unwrap_or_default())?;
    let listener = app.live.listen(grant.project_id)?;
    let stream = Stream {
        listener,
        filter,
        turns: turns(),
        key: key.unwrap_or_default(),
        app,
        stage: Stage::Opening,
    };
    let lines = unfold(stream, |mut stream| async move {
        let lines = stream.next().await?;
        Some((Ok::<_, Infallible>(lines), stream))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would collect the lines until it has a buffer full.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    Ok((Extension(Endless), headers, Body::from_stream(lines)).into_response())
}

fn turns() -> Interval {
    let mut turns = interval(KEEP_ALIVE);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    turns.reset();
    turns
}

/// One listener's stream of lines. Nothing is made before the connection takes what was made last.
struct Stream {
    app: Arc<App>,
    key: String,
    listener: Listener,
    filter: Filter,
    turns: Interval,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Open,
    Ended,
}

impl Stream {
    async fn next(&mut self) -> Option<String> {
        match self.stage {
            Stage::Opening => {
                self.stage = Stage::Open;
                Some(OPENING.to_owned())
            }
            Stage::Open => Some(self.lines().await),
            Stage::Ended => None,
        }
    }

    /// The next lines, not empty.
    async fn lines(&mut self) -> String {
        loop {
            tokio::select! {
                biased;
                _ = self.turns.tick() => return self.still_here().await,
                heard = self.listener.next() => {
                    let lines = self.write(&heard);
                    if !lines.is_empty() {
                        return lines;
                    }
                    // Nothing wanted: others get a turn before the next.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn write(&mut self, heard: &Heard) -> String {
        match heard {
            Heard::Notice(notice) => notice.write(&self.filter),
            Heard::Missed(missed) => line("missed", &LiveMissed { missed: *missed }),
            Heard::End => self.end("stopping"),
        }
    }

    /// A revoked key hears nothing more. While that cannot be looked up, it goes on.
    async fn still_here(&mut self) -> String {
        match self.app.keyring.grant(&self.key, &self.app.store).await {
            Err(problem) if problem.code() == Code::UnknownKey => self.end("key"),
            _ => STILL_HERE.to_owned(),
        }
    }

    fn end(&mut self, reason: &'static str) -> String {
        self.stage = Stage::Ended;
        line("end", &LiveEnd { reason })
    }
}

fn line(kind: &str, data: &impl serde::Serialize) -> String {
    let mut line = String::new();
    write(&mut line, kind, data);
    line
}
