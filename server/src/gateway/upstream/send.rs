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
    /// What it would be sent again with.
    spare: Option<Request<Outgoing>>,
}

/// An attempt's result.
struct Tried {
    result: Result<Response<Body>, Fell>,
    endpoint: u64,
}

impl Tried {
    fn is_unsent(&self) -> bool {
        self.result.as_ref().is_err_and(|fell| fell.is_unsent)
    }
}

/// Sends a request until there is an answer, or no more reason to hope for one.
///
/// # Errors
/// Why there is none.
pub(super) async fn send(core: &Core, request: Request<Body>, plan: &Plan) -> Result<Response<Body>, Failure> {
    core.counts_request();
    plan.attempts.begin();
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
        spare: None,
    };
    let mut request = match errand.has_to_hold(request.body()) {
        true => {
            let held = Box::pin(held(request, &errand.times)).await;
            held.map_err(|problem| Failure::client(&core.name, problem))?
        }
        false => packed(request),
    };
    loop {
        let tried = errand.attempt(&mut request).await?;
        match errand.verdict(&tried) {
            Verdict::Stop => return errand.ended(tried.result),
            Verdict::Free => errand.had_free = true,
            Verdict::Again => Box::pin(errand.goes_on(tried.endpoint, tried.is_unsent())).await,
        }
        match errand.spare.take() {
            _ if tried.is_unsent() => {}
            Some(spare) => request = spare,
            None => return errand.ended(tried.result),
        }
    }
}

impl Errand<'_> {
    /// Whether a body has to be in memory: the request may be sent again, and it is small.
    fn has_to_hold(&self, body: &Body) -> bool {
        let is_small = || body.size_hint().upper().is_some_and(|upper| upper <= REPLAYABLE_BYTES);
        self.may_repeat && !body.is_end_stream() && is_small()
    }

    async fn attempt(&mut self, request: &mut Request<Outgoing>) -> Result<Tried, Failure> {
        self.spare = self.may_repeat.then(|| copy(request)).flatten();
        let lease = self.core.pick(self.plan.hash_key, &self.tried, &self.times).await?;
        self.plan.attempts.add(lease.endpoint().origin.position);
        let endpoint = lease.endpoint().id;
        let preserve_host = self.core.config.preserve_host;
        let result = exchange::run(lease, request, preserve_host, &self.times, &self.core.meters).await;
        Ok(Tried { result, endpoint })
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
                is_unsent,
                was_reused,
            }) => (Ending::Trouble(*trouble), *is_unsent, *was_reused),
            Err(_) => return Verdict::Stop,
        };
        let attempt = Attempt {
            nth: self.nth,
            ending,
            is_unsent,
            was_reused,
            may_repeat: self.spare.is_some(),
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

/// The request with its body as it will be sent: as it comes.
pub(super) fn packed(mut request: Request<Body>) -> Request<Outgoing> {
    request.extensions_mut().clear();
    request.map(|body| match body.is_end_stream() {
        true => Outgoing::Whole(None),
        false => Outgoing::stream(body, Instant::now()),
    })
}

/// The request with its body, which is small, in memory.
async fn held(request: Request<Body>, times: &Times) -> Result<Request<Outgoing>, Problem> {
    let (mut head, mut body) = request.into_parts();
    head.extensions.clear();
    let mut bytes = Vec::new();
    loop {
        let deadline = times.bounded(Instant::now() + times.idle_body);
        match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(body_timeout()),
            Ok(None) => return Ok(Request::from_parts(head, Outgoing::Whole(Some(bytes.into())))),
            Ok(Some(Err(error))) => return Err(fault(&error)),
            Ok(Some(Ok(frame))) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
        }
    }
}
