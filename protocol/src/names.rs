//! Reserved event names. A `$` in front marks what Trailmark itself gives a meaning to.

/// Says that an `anonymous_id` belongs to a `user_id`; makes a link.
pub const IDENTIFY: &str = "$identify";
/// Says that two user ids are one person; makes an alias. The other id is in the field `alias`.
pub const ALIAS: &str = "$alias";
/// Puts the person into a group and sets the group's traits.
pub const GROUP: &str = "$group";
/// Sets person properties without anything else having happened.
pub const SET: &str = "$set";
/// A screen of a mobile or desktop app was shown.
pub const SCREEN: &str = "$screen";
/// A web page was shown.
pub const PAGEVIEW: &str = "$pageview";
/// An error was captured.
pub const EXCEPTION: &str = "$exception";
/// An HTTP request was made or served; what the latency view is made of.
pub const REQUEST: &str = "$request";
/// Asks the server to erase what it knows of the person.
pub const ERASE: &str = "$erase";
