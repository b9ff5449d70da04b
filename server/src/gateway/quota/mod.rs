//! How often a route may be called, by one address, one user, one key, or by all together.
//!
//! A policy counts with GCRA through `governor`: a full burst at once, then one request each `per / rate`. Or in fixed
//! windows, as many older gateways do; those let up to twice the rate through around a window's end.

use std::time::Duration;

use serde::Deserialize;

use super::units::Span;

pub mod counted;
pub mod gcra;
pub mod window;
pub mod fields;
pub mod policy;

pub use counted::Counted;
pub use fields::Fields;
pub use policy::{Policy, Standing};

/// `[limits.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitConfig {
    /// What is counted together: `ip`, `user`, `api_key` or `route`.
    pub key: Counted,
    /// Requests.
    pub rate: u32,
    /// In this time.
    pub per: Span,
    /// How many may come at once; by default as many as `rate`. Not for fixed windows.
    pub burst: Option<u32>,
    /// Bits of an IPv6 address that are one client: 64, because that is what one customer gets.
    #[serde(default = "ipv6_prefix")]
    pub ipv6_prefix: u8,
    /// How it is counted.
    #[serde(default)]
    pub algorithm: Algorithm,
}

/// How requests are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Smoothly: the generic cell rate algorithm.
    #[default]
    Gcra,
    /// In windows of `per`, each begun by a caller's first request.
    FixedWindow,
}

const fn ipv6_prefix() -> u8 {
    64
}

impl LimitConfig {
    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let checks = [
            (
                self.rate == 0,
                "rate: 0 would refuse everything; leave the limit out of `limits` instead",
            ),
            (self.per.0 < Duration::from_millis(1), "per: is no time"),
            (self.burst == Some(0), "burst: 0 would refuse everything"),
            (
                self.ipv6_prefix == 0 || self.ipv6_prefix > 128,
                "ipv6_prefix: is not between 1 and 128",
            ),
            (
                self.algorithm == Algorithm::FixedWindow && self.burst.is_some_and(|burst| burst != self.rate),
                "burst: a fixed window has none",
            ),
        ];
        let wrong = checks.into_iter().filter(|(is_wrong, _)| *is_wrong);
        wrong.map(|(_, text)| text.to_owned()).collect()
    }

    /// How many may come at once.
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.burst.unwrap_or(self.rate)
    }
}
