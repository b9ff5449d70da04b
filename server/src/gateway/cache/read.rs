//! Answering a GET or HEAD: from the store, from another's fetch, or from the upstream.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::Request;

use super::ask::Ask;
use super::entry::{Entry, Variant};
use super::flight::{Boarding, Landing, Wait};
use super::freshness::Fit;
use super::plan::{Need, Plan, key, plan};
use super::served::{Served, Why};
use super::{Cache, Reply};
use crate::gateway::problem::{Code, Problem};

/// How often one waits for another's fetch before fetching whatever happens: a second time, because only the first answer
/// tells by which headers the callers are to be told apart.
const ROUNDS: usize = 2;

/// What came of waiting for another's fetch.
enum Followed {
    Answered(Reply),
    /// It was for others, or nobody got an answer: look again.
    Again,
    /// Its answer is of no use to others, or none will come: all fetch at once.
    Alone,
}

impl Cache {
    pub(super) async fn read<F, Fut>(self: &Arc<Self>, ask: Ask, fetch: F) -> Result<Reply, Problem>
    where
        F: Fn(Request<Body>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let ask = Arc::new(ask);
        let mut rounds = ROUNDS;
        loop {
            let now = self.clock.now();
            let entry = self.store.entry(&ask.resource).await;
            let need = match plan(&ask, &entry, now) {
                Plan::Give(stored) => return Ok(self.give(&ask, &stored, stored.hit(now))),
                Plan::GiveMeanwhile(stored) => {
                    self.renew_behind(&ask, &entry, &stored, fetch);
                    return Ok(self.give(&ask, &stored, stored.hit(now)));
                }
                Plan::Refuse => return Err(refused(&ask)),
                Plan::Forward(need) if ask.is_head() => return self.head(&ask, need, fetch).await,
                Plan::Forward(need) if rounds == 0 || !need.can_wait() => {
                    return self.fetch(&ask, need, None, fetch).await;
                }
                Plan::Forward(need) => need,
            };
            rounds -= 1;
            match self.flights.board(key(&ask, &entry)) {
                Boarding::Lead(flight) => return self.fetch(&ask, need, Some(flight), fetch).await,
                Boarding::Follow(wait) => match self.follow(&ask, &need, wait).await {
                    Followed::Answered(reply) => return Ok(reply),
                    Followed::Again => {}
                    Followed::Alone => return self.fetch(&ask, need, None, fetch).await,
                },
            }
        }
    }

    /// Waits for another's fetch.
    async fn follow(&self, ask: &Ask, need: &Need, wait: Wait) -> Followed {
        match (wait.landed().await, &need.stored) {
            (Landing::Stored(stored), _) if self.would_do(&stored, ask) => {
                Followed::Answered(self.give(ask, &stored, Served::Collapsed { why: need.why }))
            }
            (Landing::Stored(_) | Landing::Gone | Landing::Flying, _) => Followed::Again,
            (Landing::Failed, Some(stored)) if stored.may_replace_error(ask, self.clock.now()) => {
                Followed::Answered(self.give(ask, stored, Served::DespiteError { status: None }))
            }
            (Landing::Failed | Landing::Alone, _) => Followed::Alone,
        }
    }

    fn would_do(&self, stored: &Variant, ask: &Ask) -> bool {
        stored.answers(ask) && stored.fit(ask, self.clock.now()) == Fit::Fresh
    }

    pub(super) fn give(&self, ask: &Ask, stored: &Variant, served: Served) -> Reply {
        Reply {
            response: stored.respond(ask, self.clock.now()),
            served,
        }
    }

    /// A HEAD goes to the upstream as it is, and its answer is not stored.
    async fn head<F, Fut>(&self, ask: &Ask, need: Need, fetch: F) -> Result<Reply, Problem>
    where
        F: Fn(Request<Body>) -> Fut,
        Fut: Future<Output = Result<Response, Problem>>,
    {
        let answer = fetch(ask.as_it_is()).await;
        if let Some(reply) = self.despite_error(ask, need.stored.as_deref(), &answer) {
            return Ok(reply);
        }
        Ok(Reply::forwarded(answer?, need.why))
    }

    /// Renews a stale answer in a task of its own, unless somebody does already.
    fn renew_behind<F, Fut>(self: &Arc<Self>, ask: &Arc<Ask>, entry: &Entry, stored: &Arc<Variant>, fetch: F)
    where
        F: Fn(Request<Body>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        if let Boarding::Lead(flight) = self.flights.board(key(ask, entry)) {
            let (cache, ask, stored) = (Arc::clone(self), Arc::clone(ask), Some(Arc::clone(stored)));
            let need = Need {
                why: Why::Stale,
                stored,
                passed: false,
            };
            tokio::spawn(async move { cache.fetch(&ask, need, Some(flight), fetch).await.is_ok() });
        }
    }
}

/// RFC 9111 §5.2.1.7.
fn refused(ask: &Ask) -> Problem {
    ask.route.meters.count(Served::Unstored.status());
    Problem::new(
        Code::GatewayTimeout,
        "only-if-cached, and nothing stored that may be given",
    )
}
