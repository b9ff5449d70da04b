//! What really happened on the devices, as the app and the disks saw it: the measure of what the engine says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use trailmark_core::Uuid;

use crate::invariants;
use crate::violation::Checked;

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Owner {
    pub(crate) anonymous_id: String,
    pub(crate) user_id: Option<String>,
}

/// One captured event.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Its bytes when they were first seen.
    pub(crate) json: Option<String>,
    /// Who used the device when it was captured; none while only its bytes are known.
    pub(crate) owner: Option<Owner>,
    /// The install that captured it.
    pub(crate) install: String,
    /// Nothing has happened that could lose it without a trace: it must be stored, or counted.
    pub(crate) certain: bool,
    /// It was appended whole.
    pub(crate) saved: bool,
}

/// The events of one device.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) events: BTreeMap<Uuid, Known>,
    /// Installs that ended with an answered request to erase, and how many events they lost under a reason.
    pub(crate) ended: BTreeMap<String, u64>,
}

impl Ledger {
    /// The bytes of an event were seen: on the storage, or in a request.
    pub(crate) fn saw(&mut self, id: Uuid, json: &str, install: &str, people: &mut People) -> Checked {
        let known = self.entry(id, install);
        if let Some(first) = &known.json {
            return invariants::an_events_bytes_never_change(first, json);
        }
        let seen: Owner = serde_json::from_str(json).map_err(|error| invariants::unreadable(json, &error))?;
        if let Some(owner) = &known.owner {
            invariants::an_event_belongs_to_who_used_the_device(owner, &seen, json)?;
        }
        known.json = Some(json.to_owned());
        people.met(&seen)
    }

    /// A call has captured it.
    pub(crate) fn captured(&mut self, id: Uuid, owner: Owner, install: &str, people: &mut People) -> Checked {
        let known = self.entry(id, install);
        known.certain = true;
        if let Some(json) = &known.json {
            let seen: Owner = serde_json::from_str(json).map_err(|error| invariants::unreadable(json, &error))?;
            invariants::an_event_belongs_to_who_used_the_device(&owner, &seen, json)?;
        }
        people.met(&owner)?;
        known.owner = Some(owner);
        Ok(())
    }

    fn entry(&mut self, id: Uuid, install: &str) -> &mut Known {
        self.events.entry(id).or_insert_with(|| Known {
            json: None,
            owner: None,
            install: install.to_owned(),
            certain: false,
            saved: false,
        })
    }

    pub(crate) fn saved(&mut self, id: Uuid) {
        self.events.entry(id).and_modify(|known| known.saved = true);
    }

    /// These may be lost without a trace from now on.
    pub(crate) fn doubt(&mut self, which: impl Fn(&Uuid, &Known) -> bool) {
        let doubted = self.events.iter_mut().filter(|(id, known)| which(id, known));
        doubted.for_each(|(_, known)| known.certain = false);
    }

    pub(crate) fn is_erase(&self, id: Uuid) -> bool {
        let json = self.events.get(&id).and_then(|known| known.json.as_deref());
        json.is_some_and(|json| json.contains(r#""event":"$erase""#))
    }
}

/// The people behind all devices.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// Who was identified under each device id.
    pub(crate) users: BTreeMap<String, BTreeSet<String>>,
    /// Device ids in use now or before.
    used: BTreeSet<String>,
    /// Device ids that a device may have taken up again because its storage forgot.
    pub(crate) excused: BTreeSet<String>,
    /// Users that the app has declared to be one person, by project.
    pub(crate) aliases: Vec<(i32, String, String)>,
}

impl People {
    fn met(&mut self, owner: &Owner) -> Checked {
        let users = self.users.entry(owner.anonymous_id.clone()).or_default();
        users.extend(owner.user_id.clone());
        let excused = self.excused.contains(&owner.anonymous_id);
        invariants::a_device_id_stands_for_one_user(&owner.anonymous_id, users, excused)
    }

    /// Whether no device used this id before.
    pub(crate) fn is_new(&self, anonymous_id: &str) -> bool {
        !self.used.contains(anonymous_id)
    }

    /// A device uses this id now.
    pub(crate) fn uses(&mut self, anonymous_id: &str) {
        self.used.insert(anonymous_id.to_owned());
    }
}
