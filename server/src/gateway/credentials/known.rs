//! Tokens that have been found good. A client sends the same one with each request until it expires: its signature is
//! checked and its claims are read once, not each time.

use std::sync::Arc;

use moka::sync::Cache;
use trailmark_protocol::Timestamp;

use super::claims::Validity;
use super::key_set::KeySet;
use crate::gateway::caller::Caller;

/// What is kept at most, per `[auth.jwt.NAME]`: 8 MiB, some 4,000 tokens of 500 bytes.
const MOST_BYTES: u64 = 8 << 20;

/// What a token takes: itself, its claims as a tree, which is about three times as large, and the entry.
fn bytes(token: &str) -> u32 {
    u32::try_from(token.len() * 4 + 256).unwrap_or(u32::MAX)
}

/// A token's bearer, and for how long and with which keys that was found.
#[derive(Clone)]
struct Good {
    caller: Arc<Caller>,
    validity: Validity,
    keys: Arc<KeySet>,
}

/// The whole token is the key, so that nothing but the very same token is taken for it.
pub(super) struct Known(Cache<Box<str>, Good>);

impl Known {
    pub(super) fn new() -> Self {
        let cache = Cache::<Box<str>, Good>::builder().weigher(|token, _| bytes(token));
        Self(cache.max_capacity(MOST_BYTES).build())
    }

    /// Whom `token` stands for, if it was found good with these very keys, and is within its time.
    pub(super) fn get(&self, token: &str, keys: &Arc<KeySet>, now: Timestamp) -> Option<Arc<Caller>> {
        let good = self.0.get(token)?;
        let is_good = Arc::ptr_eq(&good.keys, keys) && good.validity.check(now).is_ok();
        is_good.then_some(good.caller)
    }

    /// `token` was found good.
    pub(super) fn put(&self, token: &str, keys: Arc<KeySet>, validity: Validity, caller: Arc<Caller>) {
        let good = Good { caller, validity, keys };
        self.0.insert(token.into(), good);
    }
}
