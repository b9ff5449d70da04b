//! Who a person is, from JSON.

use std::borrow::Cow;

use trailmark_core::identity::Identity;
use trailmark_protocol::json::{as_string, pick};

/// Reads `{"anonymous_id":…,"user_id":…}`.
pub(crate) fn read(json: &str) -> Identity {
    let picked = pick(json, ["anonymous_id", "user_id"]).unwrap_or_default();
    let [anonymous_id, user_id] = picked.map(|raw| raw.and_then(as_string).map(Cow::into_owned));
    Identity::restored(0, anonymous_id.unwrap_or_default(), user_id)
}
