//! What the platform tells about the app: its screens, errors, requests, and that it comes and goes.

use trailmark_protocol::{Reason, Timestamp, Uuid, names};

use super::Engine;
use crate::exception::Exception;
use crate::http_request::HttpRequest;
use crate::properties::Properties;
use crate::registered::{merged, screen_properties};

/// An event that is still to be tracked.
pub(crate) type Told = (&'static str, Properties);

/// A screen was shown: `$screen`, with its name as `$screen_name`.
pub(crate) fn screen(screen: &str, properties: &Properties) -> Told {
    (names::SCREEN, screen_properties(screen, properties))
}

/// An error: `$exception`. What is known of it wins over the properties of the call.
pub(crate) fn exception(exception: &Exception, properties: &Properties) -> Told {
    (names::EXCEPTION, merged(properties, &exception.properties()))
}

/// A request: `$request`. What is known of it wins over the properties of the call.
pub(crate) fn request(request: &HttpRequest, properties: &Properties) -> Told {
    (names::REQUEST, merged(properties, &request.properties()))
}

/// The app went to the background: `$app_backgrounded`.
pub(crate) fn app_backgrounded() -> Told {
    (names::APP_BACKGROUNDED, Properties::new())
}

impl Engine {
    /// A screen was shown: `$screen`, with its name as `$screen_name`.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn screen(&mut self, name: &str, properties: &Properties, now: Timestamp) -> Result<Uuid, Reason> {
        self.tell(&screen(name, properties), now)
    }

    /// The app met an error: `$exception`.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn capture_exception(
        &mut self,
        met: &Exception,
        properties: &Properties,
        now: Timestamp,
    ) -> Result<Uuid, Reason> {
        self.tell(&exception(met, properties), now)
    }

    /// The app made, or served, an HTTP request: `$request`.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn capture_request(
        &mut self,
        made: &HttpRequest,
        properties: &Properties,
        now: Timestamp,
    ) -> Result<Uuid, Reason> {
        self.tell(&request(made, properties), now)
    }

    /// The app was started in this version, or came back from the background: `$app_opened`, after `$app_installed` or
    /// `$app_updated` where that is so.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn app_opened(&mut self, version: &str, from_background: bool, now: Timestamp) -> Result<Uuid, Reason> {
        let told = self.app_events(version, from_background, now);
        let captured = told.iter().map(|told| self.tell(told, now));
        captured.last().unwrap_or(Err(Reason::MissingName))
    }

    /// The app went to the background: `$app_backgrounded`. What is queued is sent without waiting for company.
    ///
    /// # Errors
    /// See [`Engine::track`].
    pub fn app_backgrounded(&mut self, now: Timestamp) -> Result<Uuid, Reason> {
        let captured = self.tell(&app_backgrounded(), now);
        self.hurry();
        captured
    }

    fn tell(&mut self, (name, properties): &Told, now: Timestamp) -> Result<Uuid, Reason> {
        self.track(name, properties, now)
    }

    /// The events of a start of this version of the app: `$app_installed` for the first one on this install, or
    /// `$app_updated` for another version than the last time, and `$app_opened`. An install that captured events before
    /// it was told a version is not new. An empty version is none, and tells nothing of either.
    pub(crate) fn app_events(&mut self, version: &str, from_background: bool, now: Timestamp) -> Vec<Told> {
        let of_version = || match version {
            "" => Properties::new(),
            version => Properties::new().with("version", version),
        };
        let before = self.state.app_version.as_deref();
        let change = match before {
            _ if version.is_empty() => None,
            None if self.counters.captured == 0 => Some((names::APP_INSTALLED, of_version())),
            Some(before) if before != version => {
                Some((names::APP_UPDATED, of_version().with("previous_version", before)))
            }
            _ => None,
        };
        self.remember_version(version, now);
        let opened = of_version().with("from_background", from_background);
        change.into_iter().chain([(names::APP_OPENED, opened)]).collect()
    }

    fn remember_version(&mut self, version: &str, now: Timestamp) {
        if !self.state.opted_out && !version.is_empty() && self.state.app_version.as_deref() != Some(version) {
            self.state.app_version = Some(version.to_owned());
            self.unsaved.state = true;
            self.save(None, now);
        }
    }
}
