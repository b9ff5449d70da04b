//! Who uses the device, to what they belong, and what is written into all their events.

use trailmark_protocol::limits::EVENT_BYTES;
use trailmark_protocol::{Reason, Timestamp, Uuid, names};

use super::capturing::Fresh;
use super::{Engine, new_id};
use crate::identity::{Change, Identity, check_user_id};
use crate::properties::Properties;
use crate::registered::Registered;

impl Engine {
    /// Says who uses the device, and what is known about them. The user who is known already costs nothing: `None`, or
    /// a `$set` if there are properties. Another user opens a new epoch.
    ///
    /// # Errors
    /// See [`Engine::track`]; a refused identify changes nothing.
    pub fn identify(
        &mut self,
        user_id: &str,
        set: &Properties,
        set_once: &Properties,
        now: Timestamp,
    ) -> Result<Option<Uuid>, Reason> {
        if self.state.opted_out {
            return self.drop_at_capture(Reason::OptedOut, now).map(Some);
        }
        let mut identity = self.state.identity.clone();
        let fresh = || new_id(&mut *self.entropy, now);
        let change = match identity.identify(user_id, fresh) {
            Ok(Change::SameUser) if set.is_empty() && set_once.is_empty() => return Ok(None),
            Ok(Change::SameUser) => return self.set(set, set_once, now).map(Some),
            Ok(change) => change,
            Err(reason) => return self.drop_at_capture(reason, now).map(Some),
        };
        // Without its event the link would be missing for ever: then the app may try again with less.
        self.undo = Some(self.state.clone());
        match change {
            Change::OtherUser => self.begin_epoch(identity),
            _ => self.state.identity = identity,
        }
        self.unsaved.state = true;
        self.admit(
            &Fresh {
                set,
                set_once,
                ..Fresh::new(names::IDENTIFY)
            },
            now,
        )
        .map(Some)
    }

    /// Sets person properties without anything else having happened.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn set(&mut self, set: &Properties, set_once: &Properties, now: Timestamp) -> Result<Uuid, Reason> {
        self.admit(
            &Fresh {
                set,
                set_once,
                ..Fresh::new(names::SET)
            },
            now,
        )
    }

    /// Says that the current user and `other_user_id` are one person.
    ///
    /// # Errors
    /// See [`Engine::track`]; [`Reason::IncompleteIdentity`] if nobody is identified or the ids are the same.
    pub fn alias(&mut self, other_user_id: &str, now: Timestamp) -> Result<Uuid, Reason> {
        self.admit(
            &Fresh {
                alias: Some(other_user_id),
                ..Fresh::new(names::ALIAS)
            },
            now,
        )
    }

    /// Puts the current user into a group (`"company"`, `"acme"`), with what is known about the group. Events of the
    /// epoch carry it from now on, as `$groups`; one group of each type.
    ///
    /// # Errors
    /// See [`Engine::track`]; the id is junk or too long, or the type is missing or too long.
    pub fn group(
        &mut self,
        group_type: &str,
        group_id: &str,
        traits: &Properties,
        now: Timestamp,
    ) -> Result<Uuid, Reason> {
        let checked = match group_type {
            "" => Err(Reason::MissingName),
            _ => check_user_id(group_id).and_then(|()| check_user_id(group_type)),
        };
        let checked = checked.and_then(|()| traits.check());
        if let Err(reason) = checked {
            return self.drop_at_capture(reason, now);
        }
        self.undo = Some(self.state.clone());
        self.state.groups = self.state.groups.with(&Properties::new().with(group_type, group_id));
        self.unsaved.state = true;
        let properties = Properties::new()
            .with("$group_type", group_type)
            .with("$group_id", group_id)
            .with("$group_set", traits.clone());
        self.track(names::GROUP, &properties, now)
    }

    /// Writes these properties into every event of the epoch from now on. Those of a call win.
    ///
    /// # Errors
    /// Together they are beyond a limit; then nothing has changed.
    pub fn register(&mut self, properties: &Properties, now: Timestamp) -> Result<(), Reason> {
        self.registered(self.state.registered.with(properties), now)
    }

    /// [`register`](Engine::register), for those of them that are not registered yet.
    ///
    /// # Errors
    /// See [`register`](Engine::register).
    pub fn register_once(&mut self, properties: &Properties, now: Timestamp) -> Result<(), Reason> {
        self.registered(self.state.registered.with_new(properties), now)
    }

    /// Takes a registered property out.
    pub fn unregister(&mut self, key: &str, now: Timestamp) {
        let _ = self.registered(self.state.registered.without(key), now);
    }

    fn registered(&mut self, registered: Registered, now: Timestamp) -> Result<(), Reason> {
        if self.state.opted_out {
            return Err(Reason::OptedOut);
        }
        registered.properties().check()?;
        if registered.properties().as_json().len() > EVENT_BYTES / 2 {
            return Err(Reason::TooLarge);
        }
        self.state.registered = registered;
        self.unsaved.state = true;
        self.save(None, now);
        Ok(())
    }

    /// Opens a new epoch: nobody is identified, the device has a new id, and no session, group or registered property
    /// is left. Queued events keep theirs and are still delivered.
    pub fn reset(&mut self, now: Timestamp) {
        let mut identity = self.state.identity.clone();
        identity.reset(new_id(&mut *self.entropy, now));
        self.begin_epoch(identity);
        self.save(None, now);
    }

    pub(super) fn begin_epoch(&mut self, identity: Identity) {
        self.state.begin_epoch(identity);
        self.unsaved.state = true;
        self.context = None;
    }
}
