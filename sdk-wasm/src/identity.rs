//! Who a person is, from JSON.

use trailmark_core::identity::Identity;
use trailmark_protocol::json::{as_string, pick};

/// Reads `{"anonymous_id":…,"user_id":…}`. A user_id that the client would have refused is nobody's.
pub(crate) fn read(json: &str) -> Identity {
    let [anonymous_id, user_id] = pick(json, ["anonymous_id", "user_id"]).unwrap_or_default();
    let anonymous_id = anonymous_id.and_then(as_string).unwrap_or_default();
    let mut identity = Identity::new(anonymous_id.into_owned());
    if let Some(user_id) = user_id.and_then(as_string) {
        let _ = identity.identify(&user_id, String::new);
    }
    identity
}
