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
/// The app was started for the first time on this install.
pub const APP_INSTALLED: &str = "$app_installed";
/// The app was started in another version than the last time.
pub const APP_UPDATED: &str = "$app_updated";
/// The app was started, or came to the foreground.
pub const APP_OPENED: &str = "$app_opened";
/// The app went to the background.
pub const APP_BACKGROUNDED: &str = "$app_backgrounded";
/// Asks the server to erase what it knows of the person.
pub const ERASE: &str = "$erase";
