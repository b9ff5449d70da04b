//! The story that the demo tells: a month of a shop with a web page and an app, and what goes wrong in the end.
//!
//! It is a pure function of the time at which it is told first: the same person does the same at the same moment whoever
//! asks for whichever stretch of time. So a month is told day by day, what was missed while no server ran is told later, and
//! the present goes on being told as it comes; what is told twice has the same ids and is stored once.

mod calendar;
mod chance;
mod device;
mod errors;
mod event;
mod goods;
mod incidents;
mod partners;
mod person;
mod requests;
mod scene;
mod shopping;

use trailmark_protocol::Timestamp;

pub(super) use calendar::{DAY, DAYS, HOUR, MINUTE};
pub(super) use chance::Chance;
pub(super) use errors::Thrown;
pub(super) use event::Event;
pub(super) use incidents::Incidents;

use calendar::Calendar;
use incidents::{SIGN_UP, SIGN_UP_BROKEN};
use person::{Person, VISIT_LASTS};
use scene::Scene;

/// People who come for the first time on a day that is as busy as any.
const NEW_PEOPLE: f64 = 112.0;

/// The story.
#[derive(Debug, Clone)]
pub(super) struct Story {
    calendar: Calendar,
    pub(super) incidents: Incidents,
}

impl Story {
    /// The one that is told first at a time.
    pub(super) fn new(told_at: Timestamp) -> Self {
        Self {
            calendar: Calendar::new(told_at),
            incidents: Incidents::new(told_at),
        }
    }

    /// When it begins.
    pub(super) fn begins(&self) -> Timestamp {
        self.calendar.midnight(0)
    }

    /// What happens from one moment to before another, in its order.
    pub(super) fn events(&self, from: Timestamp, to: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        for day in 0..=self.calendar.day(to) {
            let all = (NEW_PEOPLE * self.calendar.busy(day)).round() as u64;
            for nth in 0..all {
                let person = Person::new(&self.calendar, day, nth, all);
                self.tell(&person, from, to, &mut events);
            }
        }
        partners::events(&self.incidents, from, to, &mut events);
        events.sort_by_key(|event| (event.at, event.id));
        events
    }

    /// What one person does in a stretch of time.
    fn tell(&self, person: &Person, from: Timestamp, to: Timestamp, events: &mut Vec<Event>) {
        let visits = person.visits(&self.calendar, to);
        let signed_up = visits.iter().find(|visit| person.signs_up(visit));
        let share = match signed_up {
            Some(visit) if visit.begins >= self.incidents.sign_up_broken => SIGN_UP_BROKEN,
            _ => SIGN_UP,
        };
        let is_known = person.succeeds(share);
        for visit in visits {
            if visit.begins.plus_micros(VISIT_LASTS) < from {
                continue;
            }
            let device = person.device(&visit);
            let release = if device.is_app {
                self.incidents.app_release(visit.begins, device.update_lag)
            } else {
                self.incidents.web_release(visit.begins)
            };
            let mut scene = Scene::new(person, visit, release, is_known && person.has_tried(&visit));
            shopping::shop(&mut scene, &self.incidents, release);
            let told = scene.events().into_iter();
            events.extend(told.filter(|event| from <= event.at && event.at < to));
        }
    }
}

#[cfg(test)]
mod tests;
