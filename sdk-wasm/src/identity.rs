//! Who a person is, from JSON.

use std::borrow::Cow;

use trailmark_core::identity::Identity;
use trailmark_protocol::json::{as_string, pick};

/// Reads `{"anonymous_id":…,"user_id":…}`.
pub(crate) fn read(json: &str) -> Identity {
    let [anonymous_id, user_id] = pick(json, ["anonymous_id", "user_id"]).unwrap_or_default();
    let text = |raw: Option<&str>| raw.and_then(as_string).map(Cow::into_owned);
    Identity::restored(0, text(anonymous_id).unwrap_or_default(), text(user_id))
}
