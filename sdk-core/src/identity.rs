//! Who an event happened to: the device's `anonymous_id`, the app's `user_id`, and epochs.
//!
//! An epoch is the time in which one anonymous_id stands for at most one user. [`Identity::reset`] and a change of user
//! open a new one with a new anonymous_id, so a shared device never joins two people: an event can only ever resolve
//! within the epoch that it was captured in.

use trailmark_protocol::Reason;
use trailmark_protocol::junk::is_junk_id;
use trailmark_protocol::limits::ID_CHARS;

/// The ids that are written into events from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    epoch: u64,
    anonymous_id: String,
    user_id: Option<String>,
}

/// What an identify changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The user was known already; nothing to say.
    SameUser,
    /// The anonymous device now has a user.
    FirstUser,
    /// Somebody else: a new epoch with a new anonymous_id, which has this user from its start.
    OtherUser,
}

impl Identity {
    /// A device nobody has identified on yet.
    #[must_use]
    pub fn new(anonymous_id: String) -> Self {
        Self {
            epoch: 0,
            anonymous_id,
            user_id: None,
        }
    }

    /// An identity as somebody has remembered it.
    #[must_use]
    pub fn restored(epoch: u64, anonymous_id: String, user_id: Option<String>) -> Self {
        Self {
            epoch,
            anonymous_id,
            user_id,
        }
    }

    /// The number of epochs before this one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The device's id in this epoch.
    #[must_use]
    pub fn anonymous_id(&self) -> &str {
        &self.anonymous_id
    }

    /// The user of this epoch, if identified.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Takes over `user_id`. `fresh` makes an anonymous_id where a new epoch needs one.
    ///
    /// # Errors
    /// The id is junk or too long; then nothing has changed.
    pub fn identify(&mut self, user_id: &str, fresh: impl FnOnce() -> String) -> Result<Change, Reason> {
        check_user_id(user_id)?;
        let change = match self.user_id() {
            Some(current) if current == user_id => return Ok(Change::SameUser),
            Some(_) => {
                self.reset(fresh());
                Change::OtherUser
            }
            None => Change::FirstUser,
        };
        self.user_id = Some(user_id.to_owned());
        Ok(change)
    }

    /// Opens a new epoch: nobody is identified, and the device has a new id.
    pub fn reset(&mut self, anonymous_id: String) {
        *self = Self {
            epoch: self.epoch + 1,
            ..Self::new(anonymous_id)
        };
    }
}

/// Whether the app may use `id` as a user's.
///
/// # Errors
/// [`Reason::JunkUserId`] or [`Reason::IdTooLong`].
pub fn check_user_id(id: &str) -> Result<(), Reason> {
    check_id(id, Reason::JunkUserId)
}

/// Whether `id` can stand for a device.
///
/// # Errors
/// [`Reason::JunkAnonymousId`] or [`Reason::IdTooLong`].
pub fn check_anonymous_id(id: &str) -> Result<(), Reason> {
    check_id(id, Reason::JunkAnonymousId)
}

fn check_id(id: &str, junk: Reason) -> Result<(), Reason> {
    check_length(id)?;
    if is_junk_id(id) { Err(junk) } else { Ok(()) }
}

/// Whether `id` is within [`ID_CHARS`] and can be stored.
///
/// # Errors
/// [`Reason::IdTooLong`], or [`Reason::InvalidEvent`] for one with a NUL.
pub(crate) fn check_length(id: &str) -> Result<(), Reason> {
    within(id, ID_CHARS, Reason::IdTooLong)
}

/// Whether a text has at most so many characters, none of them a NUL: PostgreSQL has no place for it.
///
/// # Errors
/// `too_long`, or [`Reason::InvalidEvent`].
pub(crate) fn within(text: &str, chars: usize, too_long: Reason) -> Result<(), Reason> {
    // A text of at most that many bytes has at most that many characters.
    if text.len() > chars && text.chars().count() > chars {
        Err(too_long)
    } else if text.bytes().any(|byte| byte == 0) {
        Err(Reason::InvalidEvent)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> String {
        "fresh".to_owned()
    }

    #[test]
    fn the_first_user_keeps_the_devices_id() {
        let mut identity = Identity::new("a1".into());
        assert_eq!(identity.identify("u1", fresh), Ok(Change::FirstUser));
        assert_eq!((identity.anonymous_id(), identity.user_id()), ("a1", Some("u1")));
        assert_eq!(identity.epoch(), 0);
    }

    #[test]
    fn the_same_user_again_changes_nothing() {
        let mut identity = Identity::new("a1".into());
        identity.identify("u1", fresh).unwrap();
        let before = identity.clone();
        assert_eq!(identity.identify("u1", fresh), Ok(Change::SameUser));
        assert_eq!(identity, before);
    }

    #[test]
    fn another_user_without_a_reset_opens_an_epoch_with_a_new_device_id() {
        let mut identity = Identity::new("a1".into());
        identity.identify("u1", fresh).unwrap();
        assert_eq!(identity.identify("u2", fresh), Ok(Change::OtherUser));
        assert_eq!((identity.anonymous_id(), identity.user_id()), ("fresh", Some("u2")));
        assert_eq!(identity.epoch(), 1);
    }

    #[test]
    fn a_reset_forgets_the_user_and_the_device() {
        let mut identity = Identity::new("a1".into());
        identity.identify("u1", fresh).unwrap();
        identity.reset("a2".into());
        assert_eq!(
            (identity.anonymous_id(), identity.user_id(), identity.epoch()),
            ("a2", None, 1)
        );
    }

    #[test]
    fn a_junk_or_overlong_id_is_refused_and_changes_nothing() {
        let mut identity = Identity::new("a1".into());
        let before = identity.clone();
        assert_eq!(identity.identify("undefined", fresh), Err(Reason::JunkUserId));
        assert_eq!(
            identity.identify(&"x".repeat(ID_CHARS + 1), fresh),
            Err(Reason::IdTooLong)
        );
        assert_eq!(identity.identify(&"é".repeat(ID_CHARS), fresh), Ok(Change::FirstUser));
        assert_ne!(identity, before);
    }
}
