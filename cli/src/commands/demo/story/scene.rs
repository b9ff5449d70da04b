//! A visit as it goes on: what happens is put down at the moment that it has come to.

use std::sync::Arc;

use serde_json::{Value, json};
use trailmark_protocol::{Timestamp, id};

use super::calendar::SECOND;
use super::chance::Chance;
use super::device::Device;
use super::errors::Thrown;
use super::event::Event;
use super::person::{Person, Visit};
use super::requests;

/// A visit that is being told.
pub(crate) struct Scene<'a> {
    pub(crate) person: &'a Person,
    pub(crate) device: &'a Device,
    pub(crate) visit: Visit,
    pub(crate) chance: Chance,
    /// The moment that it has come to.
    pub(crate) at: Timestamp,
    pub(crate) user_id: Option<Arc<str>>,
    /// Whether they signed up in a visit before.
    pub(crate) is_known: bool,
    context: Arc<str>,
    server: Arc<str>,
    session_id: Arc<str>,
    events: Vec<Event>,
}

impl<'a> Scene<'a> {
    /// The beginning of a visit, with this release, of somebody who is known or not.
    pub(crate) fn new(person: &'a Person, visit: Visit, release: &str, is_known: bool) -> Self {
        let device = person.device(&visit);
        // A device that they use for the first time does not know who they are.
        let user_id = (is_known && !visit.first_of_device).then(|| person.user_id().into());
        let session = person.id(visit.begins, [u64::from(visit.number), u64::MAX]);
        Self {
            person,
            device,
            chance: Chance::of(&[8, person.number, u64::from(visit.number)]),
            at: visit.begins,
            user_id,
            is_known,
            context: device.context(release),
            server: requests::SHOP_API.into(),
            session_id: id::text(session).into(),
            events: Vec::new(),
            visit,
        }
    }

    /// What happened.
    pub(crate) fn events(self) -> Vec<Event> {
        self.events
    }

    /// Time goes by, in seconds, mostly less than twice this.
    pub(crate) fn wait(&mut self, median: f64) {
        let seconds = self.chance.long_tailed(median, 0.6).min(240.0);
        self.at = self.at.plus_micros((seconds * SECOND as f64) as i64);
    }

    /// Something happens.
    pub(crate) fn happens(&mut self, name: &'static str, properties: Value) -> &mut Event {
        let context = Arc::clone(&self.context);
        let session = Some(Arc::clone(&self.session_id));
        self.put(name, properties, context, session)
    }

    /// A page or a screen is shown, and looked at for some seconds.
    pub(crate) fn shows(&mut self, path: &str, screen: &str) {
        if self.device.is_app {
            self.happens("$screen", json!({"$screen_name": screen}));
        } else {
            let mut properties = json!({"$current_url": format!("https://shop.example{path}"), "$pathname": path});
            if self.events.is_empty()
                && let (Some(properties), Value::Object(from)) = (
                    properties.as_object_mut(),
                    self.device.came_from(self.visit.first_of_device, &mut self.chance),
                )
            {
                properties.extend(from);
            }
            self.happens("$pageview", properties);
        }
        self.wait(9.0);
    }

    /// An error is thrown.
    pub(crate) fn throws(&mut self, thrown: Thrown) {
        self.happens("$exception", thrown.properties());
        self.wait(2.0);
    }

    /// The shop's server answers a request, mostly within `median` milliseconds.
    pub(crate) fn asks(&mut self, method: &str, path: &str, status: u16, median: f64) {
        let millis = requests::millis(median, &mut self.chance);
        self.answers(method, path, status, millis);
    }

    /// The same after so many milliseconds.
    pub(crate) fn answers(&mut self, method: &str, path: &str, status: u16, millis: f64) {
        self.at = self.at.plus_micros((millis * 1_000.0) as i64);
        let context = Arc::clone(&self.server);
        let properties = requests::properties(method, path, status, millis);
        self.put("$request", properties, context, None);
    }

    /// From here on they are known.
    pub(crate) fn identify(&mut self) {
        let user_id: Arc<str> = self.person.user_id().into();
        self.user_id = Some(Arc::clone(&user_id));
        let (traits, at) = (self.person.traits(), self.at);
        let event = self.happens("$identify", json!({}));
        event.set = Some(traits);
        event.set_once = Some(json!({"signed_up_at": at.to_string()}));
    }

    fn put(
        &mut self,
        name: &'static str,
        properties: Value,
        context: Arc<str>,
        session_id: Option<Arc<str>>,
    ) -> &mut Event {
        let number = self.events.len() as u64;
        let event = Event {
            id: self.person.id(self.at, [u64::from(self.visit.number), number]),
            at: self.at,
            name,
            anonymous_id: Arc::clone(&self.device.anonymous_id),
            user_id: self.user_id.clone(),
            session_id,
            properties,
            context,
            set: None,
            set_once: None,
        };
        // One moment for each: what is put down later is later.
        self.at = self.at.plus_micros(1_000);
        let number = self.events.len();
        self.events.push(event);
        &mut self.events[number]
    }
}
