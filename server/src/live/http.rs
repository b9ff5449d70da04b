//! `GET /api/v1/live`: server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::request::Parts;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Listener;
use super::filter::Filter;
use super::notice::{LiveEnd, LiveEvent, LiveMissed, LiveRefusal, RefusedRequest};
use super::ring::Heard;
use super::sse::{Next, Source, Standing, line, response};
use crate::app::App;
use crate::gateway::access::Access;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::LiveRefused;

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
    security(("secret_key" = []), ("session" = [])),
)]
async fn live(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Response, Problem> {
    let filter = Filter::read(&query.unwrap_or_default())?;
    Ok(response(Stream {
        listener: app.live.listen(access.project_id())?,
        filter,
        standing: Standing::new(app, parts),
    }))
}

/// One listener's stream of lines.
struct Stream {
    listener: Listener,
    filter: Filter,
    standing: Standing,
}

impl Source for Stream {
    async fn next(&mut self) -> Next {
        loop {
            let heard = tokio::select! {
                biased;
                () = self.standing.due() => return self.standing.look().await,
                heard = self.listener.next() => heard,
            };
            let lines = match &heard {
                Heard::Notice(notice) => notice.write(&self.filter),
                Heard::Missed(missed) => line("missed", &LiveMissed { missed: *missed }),
                Heard::End => return Next::End("stopping"),
            };
            if !lines.is_empty() {
                return Next::Lines(lines);
            }
            // Nothing wanted: others get a turn before the next.
            tokio::task::yield_now().await;
        }
    }
}
