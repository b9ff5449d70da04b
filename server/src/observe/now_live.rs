//! `GET /api/v1/now/live`: the first screen again and again, whenever it has changed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::request::Parts;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::now;
use crate::app::App;
use crate::gateway::access::Access;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::LiveRefused;
use crate::live::sse::{Next, Source, Standing, line, response};
use crate::query::params::Params;

/// How often it is looked at: 5 s. Detectors look once a minute, and the strips move once a minute; looking takes some
/// milliseconds of the database.
const EVERY: Duration = Duration::from_secs(5);

/// The route.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(now_live))
}

/// What is broken now, whenever it changes.
///
/// Server-sent events: `now`, whose data is what `GET /api/v1/now` answers, and `end`. The first comes at once.
#[utoipa::path(get, path = "/api/v1/now/live", operation_id = "now_live", tag = "health",
    security(("secret_key" = []), ("session" = [])),
    responses((status = 200, description = "Server-sent events, until one side ends it", content_type = "text/event-stream",
        body = String), LiveRefused),
)]
async fn now_live(
    access: Access,
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Response, Problem> {
    Params::parse(&query.unwrap_or_default(), &[])?;
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(response(Stream {
        project_id: access.project_id(),
        stop: app.gateway.stop(),
        standing: Standing::new(Arc::clone(&app), parts),
        turns,
        app,
        told: String::new(),
    }))
}

struct Stream {
    app: Arc<App>,
    project_id: i32,
    standing: Standing,
    turns: Interval,
    stop: CancellationToken,
    /// What was told last, without its time.
    told: String,
}

impl Source for Stream {
    async fn next(&mut self) -> Next {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Next::End("stopping"),
                () = self.standing.due() => return self.standing.look().await,
                _ = self.turns.tick() => {}
            }
            if let Some(line) = self.changed().await {
                return Next::Lines(line);
            }
        }
    }
}

impl Stream {
    /// What is so now, if it is not what was told last. While the database is away, nothing is.
    async fn changed(&mut self) -> Option<String> {
        let now = now::read(&self.app.store, self.project_id, self.app.clock.now());
        let now = now.await.ok()?;
        let content = serde_json::to_string(&(&now.verdict, &now.problems, &now.strips)).ok()?;
        if content == self.told {
            return None;
        }
        self.told = content;
        Some(line("now", &now))
    }
}
