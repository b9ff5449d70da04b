//! What to do with a GET or HEAD and what is stored for it: decided without asking anybody.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use trailmark_protocol::Timestamp;

use super::ask::Ask;
use super::entry::{Entry, Variant};
use super::flight::FlightKey;
use super::freshness::Fit;
use super::key::Selector;
use super::served::Why;

/// What to do with what is stored.
pub(super) enum Plan {
    Give(Arc<Variant>),
    /// And renew it behind the caller's back.
    GiveMeanwhile(Arc<Variant>),
    Forward(Need),
    /// The caller wanted no forwarding.
    Refuse,
}

/// What the upstream is asked for.
pub(super) struct Need {
    pub(super) why: Why,
    /// What is stored, and not to be given as it is.
    pub(super) stored: Option<Arc<Variant>>,
    /// Whether it could not be stored last time.
    pub(super) passed: bool,
}

/// Decides it.
pub(super) fn plan(ask: &Ask, entry: &Entry, now: Timestamp) -> Plan {
    let stored = entry.find(ask);
    let fit = stored.as_ref().map(|stored| (stored.fit(ask, now), Arc::clone(stored)));
    match fit {
        Some((Fit::Fresh, stored)) => Plan::Give(stored),
        Some((Fit::Meanwhile, stored)) => Plan::GiveMeanwhile(stored),
        _ if ask.wants.only_if_cached => Plan::Refuse,
        _ => Plan::Forward(Need {
            why: why(ask, stored.as_deref(), now),
            stored,
            passed: entry.is_passed(ask, now),
        }),
    }
}

fn why(ask: &Ask, stored: Option<&Variant>, now: Timestamp) -> Why {
    match stored {
        _ if ask.wants.no_cache => Why::Request,
        Some(stored) if stored.is_fresh(now) => Why::Request,
        Some(_) => Why::Stale,
        None => Why::Miss,
    }
}

impl Need {
    /// Whether another's fetch would do.
    pub(super) fn can_wait(&self) -> bool {
        self.why != Why::Request && !self.passed
    }

    /// For the upstream. The caller's own conditions stay where the answer will hardly be stored, so that a 304 for this
    /// one caller comes through; elsewhere the whole answer is wanted, for all.
    pub(super) fn request(&self, ask: &Ask) -> Request<Body> {
        match &self.stored {
            Some(stored) => ask.about(stored),
            None if ask.credentials || self.passed => ask.as_it_is(),
            None => ask.for_all_of_it(),
        }
    }
}

/// What others who fetch the same have in common with `ask`.
pub(super) fn key(ask: &Ask, entry: &Entry) -> FlightKey {
    FlightKey {
        resource: ask.resource.clone(),
        selector: Selector::new(entry.selecting().chain(&ask.route.vary), ask.headers()),
        credentials: ask.credentials,
    }
}
