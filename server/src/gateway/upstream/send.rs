//! A request's attempts: the first, and those that the rules and the budget allow.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::{Instant, timeout_at};

use super::Plan;
use super::core::Core;
use super::exchange;
use super::failure::Failure;
use super::outgoing::{Outgoing, body_timeout, fault};
use super::retry::{Attempt, Ending, REPLAYABLE_BYTES, Verdict, decide, pause};
use super::wait::{Blame, Fell, Times};
use crate::gateway::problem::Problem;

/// A request on its way, over all its attempts.
struct Errand<'a> {
    core: &'a Core,
    plan: &'a Plan,
    times: Times,
    may_repeat: bool,
    nth: u32,
    had_free: bool,
    /// Addresses that have failed it.
    tried: Vec<u64>,
}

/// An attempt's result, and what is left to try again with.
struct Tried {
    result: Result<Response<Body>, Fell>,
    spare: Option<Request<Outgoing>>,
    endpoint: u64,
}

impl Tried {
    fn is_unsent(&self) -> bool {
        self.result.as_ref().is_err_and(|fell| fell.unsent.is_some())
    }
}

/// Sends a request until there is an answer, or no more reason to hope for one.
///
/// # Errors
/// Why there is none.
pub(super) async fn send(core: &Core, request: Request<Body>, plan: &Plan) -> Result<Response<Body>, Failure> {
    core.counts_request();
    let now = Instant::now();
    let rules = &core.config.retry;
    let may_repeat =
        plan.may_retry && rules.attempts > 1 && rules.methods.iter().any(|listed| listed.0 == *request.method());
    let mut errand = Errand {
        core,
        plan,
        times: Times::new(&plan.timeouts, &core.config.timeouts, now),
        may_repeat,
        nth: 1,
        had_free: false,
        tried: Vec::new(),
    };
    let mut request = errand.packed(request).await?;
    loop {
        let tried = errand.attempt(request).await?;
        match errand.verdict(&tried) {
            Verdict::Stop => return errand.ended(tried.result),
            Verdict::Free => errand.had_free = true,
            Verdict::Again => Box::pin(errand.goes_on(tried.endpoint, tried.is_unsent())).await,
        }
        match tried.spare {
            Some(spare) => request = spare,
            None => return errand.ended(tried.result),
        }
    }
}

impl Errand<'_> {
    /// The request with its body as it will be sent: held in memory if it may be sent again and is small, else as it comes.
    async fn packed(&self, request: Request<Body>) -> Result<Request<Outgoing>, Failure> {
        let (mut head, body) = request.into_parts();
        head.extensions.clear();
        let is_small = body.size_hint().upper().is_some_and(|upper| upper <= REPLAYABLE_BYTES);
        let outgoing = if body.is_end_stream() {
            Outgoing::Whole(None)
        } else if self.may_repeat && is_small {
            let whole = Box::pin(whole(body, &self.times)).await;
            whole.map_err(|problem| Failure::client(&self.core.name, problem))?
        } else {
            Outgoing::stream(body, Instant::now())
        };
        Ok(Request::from_parts(head, outgoing))
    }

    async fn attempt(&self, request: Request<Outgoing>) -> Result<Tried, Failure> {
        let mut spare = if self.may_repeat { copy(&request) } else { None };
        let lease = self.core.pick(self.plan.hash_key, &self.tried, &self.times).await?;
        let endpoint = lease.endpoint().id;
        let preserve_host = self.core.config.preserve_host;
        let mut result = exchange::run(lease, request, preserve_host, self.times, &self.core.meters).await;
        if let Err(fell) = &mut result
            && let Some(unsent) = &mut fell.unsent
        {
            let empty = Request::new(Outgoing::Whole(None));
            spare = Some(std::mem::replace(unsent.as_mut(), empty));
        }
        Ok(Tried {
            result,
            spare,
            endpoint,
        })
    }

    fn verdict(&self, tried: &Tried) -> Verdict {
        if !self.plan.may_retry {
            return Verdict::Stop;
        }
        let (ending, is_unsent, was_reused) = match &tried.result {
            Ok(response) if response.status().is_server_error() => (Ending::Status(response.status()), false, false),
            Ok(_) => return Verdict::Stop,
            Err(Fell {
                blame: Blame::Upstream(trouble),
                unsent,
                was_reused,
            }) => (Ending::Trouble(*trouble), unsent.is_some(), *was_reused),
            Err(_) => return Verdict::Stop,
        };
        let attempt = Attempt {
            nth: self.nth,
            ending,
            is_unsent,
            was_reused,
            may_repeat: self.may_repeat && tried.spare.is_some(),
            had_free: self.had_free,
        };
        match decide(attempt, &self.core.config.retry) {
            Verdict::Again if !self.core.may_retry() => Verdict::Stop,
            verdict => verdict,
        }
    }

    /// Waits until the next attempt: not at all where another address has not even been asked.
    async fn goes_on(&mut self, from: u64, is_unsent: bool) {
        if self.nth > 1 {
            self.core.meters.failed.increment(1);
        }
        self.tried.push(from);
        if !(is_unsent && self.core.count() > self.tried.len()) {
            let until = Instant::now() + pause(self.nth, &self.core.random);
            tokio::time::sleep_until(self.times.bounded(until)).await;
        }
        self.nth += 1;
    }

    fn ended(&self, result: Result<Response<Body>, Fell>) -> Result<Response<Body>, Failure> {
        if self.nth > 1 {
            let is_good = result
                .as_ref()
                .is_ok_and(|response| !response.status().is_server_error());
            let meters = &self.core.meters;
            if is_good { &meters.succeeded } else { &meters.failed }.increment(1);
        }
        result.map_err(|fell| failure(&self.core.name, fell))
    }
}

/// What the client is told.
pub(super) fn failure(upstream: &Arc<str>, fell: Fell) -> Failure {
    match fell.blame {
        Blame::Upstream(trouble) => Failure::trouble(upstream, trouble),
        Blame::Client(problem) => Failure::client(upstream, problem),
    }
}

fn copy(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let mut copy = Request::new(request.body().again()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Reads a small body into memory.
async fn whole(mut body: Body, times: &Times) -> Result<Outgoing, Problem> {
    let mut bytes = Vec::new();
    loop {
        let deadline = times.bounded(Instant::now() + times.idle_body);
        match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(body_timeout()),
            Ok(None) => return Ok(Outgoing::Whole(Some(bytes.into()))),
            Ok(Some(Err(error))) => return Err(fault(&error)),
            Ok(Some(Ok(frame))) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
        }
    }
}
