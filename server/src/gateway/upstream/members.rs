//! The addresses of an upstream at one moment, and the choice among them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::balance::{Field, RoundRobin, by_key, two_choices};
use super::breaker::Position;
use super::config::Balance;
use super::endpoint::{Endpoint, Lease, Origin};
use super::lock;
use super::random::Random;

/// When to come back if nobody knows better: 1 s.
const SOON: Duration = Duration::from_secs(1);

/// The addresses of an upstream.
#[derive(Default)]
pub(super) struct Members {
    pub(super) list: Vec<Arc<Endpoint>>,
    turns: Mutex<RoundRobin>,
}

/// How to choose.
pub(super) struct Choice<'a> {
    pub(super) balance: &'a Balance,
    pub(super) key: Option<u64>,
    /// Those that have failed this request already.
    pub(super) tried: &'a [u64],
}

impl Members {
    pub(super) fn new(list: Vec<Arc<Endpoint>>) -> Self {
        Self {
            list,
            turns: Mutex::default(),
        }
    }

    /// The member of `origin` at `address`.
    pub(super) fn find(&self, origin: &Origin, address: SocketAddr) -> Option<&Arc<Endpoint>> {
        let is_it = |member: &&Arc<Endpoint>| member.origin.position == origin.position && member.address == address;
        self.list.iter().find(is_it)
    }

    /// How many are out, and how many there are.
    pub(super) fn crowd(&self, now: Instant) -> (usize, usize) {
        let is_out = |member: &&Arc<Endpoint>| member.standing.fitness(now).is_out;
        (self.list.iter().filter(is_out).count(), self.list.len())
    }

    /// A place at one of them: not one that is out, unless more than half are (then what took them out is more likely to
    /// be common to all); never one whose breaker is open; one that was tried before only if there is no other.
    ///
    /// # Errors
    /// When to come back.
    pub(super) fn pick(&self, choice: &Choice<'_>, random: &Random, now: Instant) -> Result<Lease, Duration> {
        // Whoever takes the one probe of a half-open breaker in between makes this one choose again.
        for _ in 0..=self.list.len() {
            let field = Among::new(&self.list, choice.tried, now);
            let Some(at) = self.choose(&field, choice, random) else {
                break;
            };
            if let Some(lease) = self.list[at].enter(now) {
                return Ok(lease);
            }
        }
        Err(self.opens_in(now))
    }

    fn choose(&self, field: &Among<'_>, choice: &Choice<'_>, random: &Random) -> Option<usize> {
        match (choice.balance, choice.key) {
            (Balance::RoundRobin, _) => lock(&self.turns).pick(field),
            (Balance::Hash(_), Some(key)) => by_key(field, key),
            (Balance::TwoChoices | Balance::Hash(_), _) => two_choices(field, random),
        }
    }

    /// How long until the first breaker lets somebody try.
    fn opens_in(&self, now: Instant) -> Duration {
        let until = self
            .list
            .iter()
            .filter_map(|member| match member.standing.view(now).breaker {
                Position::Open(until) => Some(until.duration_since(now)),
                _ => None,
            });
        until.min().unwrap_or(SOON)
    }
}

/// The members as a balancer sees them for one request.
struct Among<'a> {
    list: &'a [Arc<Endpoint>],
    /// Nothing where all are usable, which is nearly always.
    usable: Option<Vec<bool>>,
}

impl<'a> Among<'a> {
    fn new(list: &'a [Arc<Endpoint>], tried: &[u64], now: Instant) -> Self {
        let all_well = tried.is_empty() && list.iter().all(|member| member.standing.is_clear());
        let usable = (!all_well).then(|| usable(list, tried, now));
        Self { list, usable }
    }
}

fn usable(list: &[Arc<Endpoint>], tried: &[u64], now: Instant) -> Vec<bool> {
    let fitness: Vec<_> = list.iter().map(|member| member.standing.fitness(now)).collect();
    let out = fitness.iter().filter(|fitness| fitness.is_out).count();
    let is_panic = out * 2 > list.len();
    let fit: Vec<_> = fitness
        .iter()
        .map(|fitness| fitness.admits && (is_panic || !fitness.is_out))
        .collect();
    let untried: Vec<_> = list
        .iter()
        .zip(&fit)
        .map(|(member, fit)| *fit && !tried.contains(&member.id))
        .collect();
    if untried.contains(&true) { untried } else { fit }
}

impl Field for Among<'_> {
    fn len(&self) -> usize {
        self.list.len()
    }

    fn id(&self, at: usize) -> u64 {
        self.list[at].id
    }

    fn weight(&self, at: usize) -> u32 {
        self.list[at].origin.weight
    }

    fn load(&self, at: usize) -> usize {
        self.list[at].in_flight()
    }

    fn is_usable(&self, at: usize) -> bool {
        self.usable.as_ref().is_none_or(|usable| usable[at])
    }
}
