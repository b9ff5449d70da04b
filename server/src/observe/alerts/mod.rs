//! Alerts: who is told of what is broken, by webhook or e-mail, and what became of it.
//!
//! In the transaction that opens or closes a problem, [`store::alerts::notify`](crate::store::alerts::notify) writes what is
//! to be told to whom ([`plan`] decides) as messages. [`deliver`] takes them up, sends each through its [`channel`]
//! ([`webhook`], [`mail`]) in [`words`] for machines and people, and writes down how it went ([`outcome`]); what failed is tried again
//! ([`backoff`]). A message is sent at least once: with every attempt it has the same id, so a receiver can drop doubles.

pub mod on;
pub mod channel;
pub mod plan;
pub mod backoff;
pub mod signature;
pub mod words;
pub mod outcome;
pub mod webhook;
pub mod mail;
pub mod deliver;
pub mod asked;
pub mod shown;
pub mod http;

pub use channel::Channel;
pub use deliver::{Delivered, deliver_due};
pub use mail::Mailer;
pub use on::{On, Threshold};
pub use webhook::Senders;

/// Most alerts of a project: 100. Whenever something opens, all are looked at.
pub const ALERTS_MAX: i64 = 100;

/// Longest name of an alert, in characters.
pub const ALERT_NAME_CHARS: usize = 200;

/// Least and most minutes between reminders: half an hour and 30 days. More often nobody reads them.
pub const REMINDER_MINUTES: std::ops::RangeInclusive<i32> = 30..=43_200;

/// Longest silence, in minutes: 90 days. For longer there is `enabled`.
pub const SILENCE_MINUTES_MAX: i64 = 90 * 24 * 60;

/// How long the secret before a rotation signs beside the new one: 24 hours, in microseconds.
pub const OLD_SECRET_MICROS: i64 = 24 * 3_600_000_000;
