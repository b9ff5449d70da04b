//! Asking the upstream on behalf of the store, and of all who wait.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode, header};
use trailmark_protocol::Timestamp;

use super::ask::Ask;
use super::conditional;
use super::entry::{Storable, Variant};
use super::fill;
use super::flight::{Flight, Landing};
use super::lifetime::Times;
use super::plan::Need;
use super::served::{Served, Why};
use super::store::Ticket;
use super::{Cache, Reply};
use crate::gateway::problem::Problem;

/// A fetch for the store.
struct Fetching {
    ask: Arc<Ask>,
    why: Why,
    /// Whether the store need not be told that the answer may not be stored.
    told: bool,
    flight: Option<Flight>,
    ticket: Ticket,
    asked_at: Timestamp,
}

impl Cache {
    /// Asks the upstream, and stores what may be stored.
    pub(super) async fn fetch<F, Fut>(
        self: &Arc<Self>,
        ask: &Arc<Ask>,
        need: Need,
        flight: Option<Flight>,
        fetch: F,
    ) -> Result<Reply, Problem>
    where
        F: Fn(Request<Body>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<Response, Problem>> + Send,
    {
        let mut fetching = self.fetching(ask, &need, flight);
        let mut answer = fetch(need.request(ask)).await;
        if let Some(reply) = self.despite_error(ask, need.stored.as_deref(), &answer) {
            fetching.land(Landing::Failed);
            return Ok(reply);
        }
        if let (Some(stored), Ok(not_modified)) = (&need.stored, &answer)
            && not_modified.status() == StatusCode::NOT_MODIFIED
        {
            if conditional::is_about(stored.headers(), not_modified.headers()) {
                let headers = conditional::refreshed(stored.headers(), not_modified.headers());
                return Ok(self.renewed(fetching, stored, &headers).await);
            }
            fetching.asked_at = self.clock.now();
            answer = fetch(ask.for_all_of_it()).await;
        }
        match answer {
            Ok(response) => Ok(self.take(fetching, response).await),
            Err(problem) => {
                fetching.land(Landing::Failed);
                Err(problem)
            }
        }
    }

    fn fetching(&self, ask: &Arc<Ask>, need: &Need, flight: Option<Flight>) -> Fetching {
        Fetching {
            ask: Arc::clone(ask),
            why: need.why,
            told: need.passed && need.stored.is_none(),
            flight,
            ticket: self.store.ticket(&ask.resource),
            asked_at: self.clock.now(),
        }
    }

    /// What is stored, in place of a failure, if that is permitted (RFC 5861 §4).
    pub(super) fn despite_error(
        &self,
        ask: &Ask,
        stored: Option<&Variant>,
        answer: &Result<Response, Problem>,
    ) -> Option<Reply> {
        let status = match answer {
            Ok(response) if is_failure(response.status()) => Some(response.status()),
            Err(problem) if problem.code().status().is_server_error() => None,
            _ => return None,
        };
        let stored = stored.filter(|stored| stored.may_replace_error(ask, self.clock.now()))?;
        Some(self.give(ask, stored, Served::DespiteError { status }))
    }

    /// After a 304: what is stored, with its new headers (RFC 9111 §4.3.4).
    async fn renewed(&self, mut fetching: Fetching, stored: &Variant, headers: &HeaderMap) -> Reply {
        let (ask, times) = (Arc::clone(&fetching.ask), self.times(&fetching));
        let renewed = match Storable::judge(&ask, stored.status(), headers, times) {
            Some(storable) => {
                let renewed = Arc::new(storable.with(stored.body()));
                let landing = self.put(&ask, &renewed, fetching.ticket).await;
                fetching.land(landing);
                renewed
            }
            None => {
                self.store.pass(&ask, times.received_at).await;
                fetching.land(Landing::Alone);
                Arc::new(Variant::for_one(stored, headers, times))
            }
        };
        self.give(&ask, &renewed, Served::Revalidated)
    }

    /// A whole answer.
    async fn take(self: &Arc<Self>, mut fetching: Fetching, response: Response) -> Reply {
        let (ask, times) = (Arc::clone(&fetching.ask), self.times(&fetching));
        let judged = Storable::judge(&ask, response.status(), response.headers(), times);
        let served = |stored| Served::Forwarded {
            why: fetching.why,
            stored,
        };
        match judged.filter(|_| self.is_small(response.headers())) {
            Some(storable) => {
                let served = served(true);
                let response = self.store_while_streaming(fetching, storable, response);
                Reply {
                    response: for_caller(&ask, response),
                    served,
                }
            }
            None => {
                let served = served(false);
                self.not_stored(&mut fetching, response.status()).await;
                Reply {
                    response: for_caller(&ask, response),
                    served,
                }
            }
        }
    }

    /// What an answer that may not be stored says about those to come: after a failure or a 304 of one caller, nothing.
    async fn not_stored(&self, fetching: &mut Fetching, status: StatusCode) {
        let told = fetching.told || fetching.is_personal();
        fetching.land(if is_failure(status) {
            Landing::Failed
        } else {
            Landing::Alone
        });
        if !told && !is_failure(status) && status != StatusCode::NOT_MODIFIED {
            self.store.pass(&fetching.ask, self.clock.now()).await;
        }
    }

    fn store_while_streaming(
        self: &Arc<Self>,
        mut fetching: Fetching,
        storable: Storable,
        response: Response,
    ) -> Response {
        // Nobody can be given what is stale at once, so nobody waits for it.
        if !storable.is_fresh(self.clock.now()) {
            fetching.land(Landing::Alone);
        }
        let (parts, body) = response.into_parts();
        let (body, filling) = fill::split(body, length(&parts.headers), self.max_object, self.room.share());
        let cache = Arc::clone(self);
        tokio::spawn(async move {
            let mut filled = filling.run().await;
            let landing = match filled.body.take() {
                Some(body) => {
                    cache
                        .put(&fetching.ask, &Arc::new(storable.with(body)), fetching.ticket)
                        .await
                }
                None => Landing::Alone,
            };
            fetching.land(landing);
        });
        Response::from_parts(parts, body)
    }

    /// Stores it. What changed meanwhile is no answer for those who wait either: they may have asked after the change.
    async fn put(&self, ask: &Ask, variant: &Arc<Variant>, ticket: Ticket) -> Landing {
        let stored = self.store.put(ask, variant, ticket).await;
        if stored {
            Landing::Stored(Arc::clone(variant))
        } else {
            Landing::Alone
        }
    }

    fn is_small(&self, headers: &HeaderMap) -> bool {
        length(headers).is_none_or(|length| length <= self.max_object as u64)
    }

    fn times(&self, fetching: &Fetching) -> Times {
        Times {
            asked_at: fetching.asked_at,
            received_at: self.clock.now(),
        }
    }
}

impl Fetching {
    /// One's own page, for which nobody else waits: most of what is behind a login. Not worth remembering.
    fn is_personal(&self) -> bool {
        let awaited = self.flight.as_ref().is_some_and(Flight::is_awaited);
        self.ask.credentials && self.why == Why::Miss && !awaited
    }

    fn land(&mut self, landing: Landing) {
        if let Some(flight) = self.flight.take() {
            flight.land(landing);
        }
    }
}

/// The answers that `stale-if-error` is about (RFC 5861 §4).
fn is_failure(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The upstream's answer for a caller whose own conditions it may not have seen.
fn for_caller(ask: &Ask, mut response: Response) -> Response {
    if conditional::is_known(ask.headers(), response.status(), response.headers()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        conditional::without_body(response.headers_mut());
    }
    response
}
