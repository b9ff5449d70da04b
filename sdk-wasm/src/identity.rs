//! Who a person is, from JSON.

use trailmark_core::identity::Identity;
use trailmark_protocol::json::{as_string, fields};

/// Reads `{"anonymous_id":…,"user_id":…}`. A user_id that the client would have refused is nobody's.
pub(crate) fn read(json: &str) -> Identity {
    let text = |name: &str| {
        let field = fields(json).map_while(Result::ok).find(|(key, _)| key == name);
        field.and_then(|(_, value)| as_string(value)).map(String::from)
    };
    let mut identity = Identity::new(text("anonymous_id").unwrap_or_default());
    if let Some(user_id) = text("user_id") {
        let _ = identity.identify(&user_id, String::new);
    }
    identity
}
