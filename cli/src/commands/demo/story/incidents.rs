//! What goes wrong, and since when.

use trailmark_protocol::Timestamp;

use super::calendar::{DAY, HOUR, MINUTE};
use super::chance::Chance;
use super::requests::USUALLY_FAILS;

/// How much of what fails in the checkout fails.
const CHECKOUT_FAILS: f64 = 0.82;

/// For how long it does, each day at the same time. What lasts for most of a day's requests is usual to the detectors, and
/// whoever is refused asks again.
const CHECKOUT_FAILS_FOR: i64 = 5 * HOUR;

/// How many who come to the checkout of web release 2.4.0 meet its error.
pub(crate) const CHECKOUT_THROWS: f64 = 0.4;

/// How many visits of the app's broken releases meet its error.
pub(crate) const ORDERS_THROW: f64 = 0.5;

/// How many who begin to sign up do so, usually and since the page asks for too much.
pub(crate) const SIGN_UP: f64 = 0.72;
/// See [`SIGN_UP`].
pub(crate) const SIGN_UP_BROKEN: f64 = 0.26;

/// The moments of a story that is told first at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incidents {
    /// `POST /api/checkout` fails since then, and again on the days after.
    pub(crate) checkout_fails: Timestamp,
    /// Web release 2.4.0, whose checkout throws, is out since then.
    pub(crate) web_2_4_0: Timestamp,
    /// The app's error of release 3.0.2 is gone with 3.1.0, and back with 3.2.0.
    pub(crate) app_3_1_0: Timestamp,
    /// When somebody said that it was gone.
    pub(crate) orders_resolved: Timestamp,
    /// See [`Self::app_3_1_0`].
    pub(crate) app_3_2_0: Timestamp,
    /// Fewer sign up since then: a day and some hours, for the last day is compared with that of a week ago.
    pub(crate) sign_up_broken: Timestamp,
}

impl Incidents {
    /// Those of a story that is told first at `told_at`.
    pub(crate) fn new(told_at: Timestamp) -> Self {
        let before = |micros: i64| told_at.plus_micros(-micros);
        Self {
            checkout_fails: before(40 * MINUTE),
            web_2_4_0: before(5 * HOUR),
            app_3_1_0: before(17 * DAY),
            orders_resolved: before(14 * DAY),
            app_3_2_0: before(20 * HOUR),
            sign_up_broken: before(26 * HOUR),
        }
    }

    /// Whether a request to the checkout fails that is made at a moment.
    pub(crate) fn checkout_fails_at(&self, at: Timestamp, chance: &mut Chance) -> bool {
        let since = at.micros() - self.checkout_fails.micros();
        let is_down = since >= 0 && since % DAY < CHECKOUT_FAILS_FOR;
        chance.is(if is_down { CHECKOUT_FAILS } else { USUALLY_FAILS })
    }

    /// The release of the web shop that is out at a moment.
    pub(crate) fn web_release(&self, at: Timestamp) -> &'static str {
        let days = |days: i64| self.web_2_4_0.plus_micros(-days * DAY);
        match at {
            at if at >= self.web_2_4_0 => "2.4.0",
            at if at >= days(6) => "2.3.1",
            at if at >= days(13) => "2.3.0",
            at if at >= days(22) => "2.2.0",
            _ => "2.1.0",
        }
    }

    /// The release of the app that somebody has at a moment who updates `lag` microseconds late.
    pub(crate) fn app_release(&self, at: Timestamp, lag: i64) -> &'static str {
        let is_out = |since: Timestamp| at >= since.plus_micros(lag);
        if is_out(self.app_3_2_0) {
            "3.2.0"
        } else if is_out(self.app_3_1_0) {
            "3.1.0"
        } else {
            "3.0.2"
        }
    }

    /// Whether the app's error occurs in a release. With those who are late to update it would never have been gone.
    pub(crate) fn orders_throw(&self, release: &str, at: Timestamp) -> bool {
        release == "3.2.0" || release == "3.0.2" && at < self.app_3_1_0
    }
}
