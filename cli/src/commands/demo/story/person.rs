//! Who shops: with which devices, how often, and under which name.

use serde_json::{Value, json};
use trailmark_protocol::{Timestamp, Uuid, id};

use super::calendar::{Calendar, DAY, HOUR, MINUTE};
use super::chance::Chance;
use super::device::Device;

/// How likely somebody comes again after each visit, and how many are so: most come once or twice, some every day.
const LOYALTY: [(f64, f64); 4] = [(0.40, 0.3), (0.30, 0.75), (0.19, 0.92), (0.11, 0.975)];

/// Mean days between visits on which somebody does not come.
const DAYS_BETWEEN: f64 = 0.6;

/// How likely somebody comes again on the same day.
const SAME_DAY: f64 = 0.18;

/// How many have a second device on which they log in, of those who have signed up.
const SECOND_DEVICE: f64 = 0.14;

const FIRST_NAMES: [&str; 32] = [
    "Ada", "Ben", "Chiara", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Liam", "Maya", "Noah",
    "Olga", "Paul", "Quentin", "Rosa", "Samir", "Tessa", "Uma", "Viktor", "Wanda", "Xenia", "Yuki", "Zoe", "Amir",
    "Bela", "Carla", "Diego", "Emma", "Farid",
];
const LAST_NAMES: [&str; 32] = [
    "Adler", "Becker", "Costa", "Dubois", "Engel", "Fischer", "Garcia", "Hansen", "Ivanova", "Jensen", "Keller",
    "Lopez", "Moreau", "Novak", "Olsen", "Petrov", "Quinn", "Rossi", "Sato", "Tanaka", "Ueda", "Vogel", "Weber", "Xu",
    "Yilmaz", "Zeller", "Andersen", "Brandt", "Conti", "Duarte", "Eriksen", "Fontaine",
];

/// Somebody.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Unlike any other's.
    pub(crate) number: u64,
    chance: Chance,
    born: Timestamp,
    born_on: i64,
    loyalty: f64,
    /// The share of the day's visits at which they usually come.
    habit: f64,
    /// The visit in which they sign up, from 0.
    signs_up_in: u32,
    device: Device,
    second: Option<Device>,
}

/// A visit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    /// From 0.
    pub(crate) number: u32,
    pub(crate) begins: Timestamp,
    /// Whether with the second device.
    pub(crate) second: bool,
    /// Whether it is the first with this device.
    pub(crate) first_of_device: bool,
}

impl Person {
    /// The `nth` of `all` who come for the first time on a day.
    pub(crate) fn new(calendar: &Calendar, day: i64, nth: u64, all: u64) -> Self {
        let number = (day as u64) * 100_000 + nth;
        let mut chance = Chance::of(&[1, number]);
        // One in each part of the day, so that no two days are unlike by chance.
        let share = (nth as f64 + chance.unit()) / all as f64;
        let loyalty = *chance.weighted(&LOYALTY);
        let signs_up_in = chance.exponential(1.2) as u32;
        let device = Device::first(&mut chance, number);
        let second = chance
            .is(SECOND_DEVICE)
            .then(|| Device::second(&device, &mut chance, number));
        Self {
            number,
            born: calendar.moment(day, share),
            born_on: day,
            loyalty,
            habit: chance.unit(),
            signs_up_in,
            device,
            second,
            chance,
        }
    }

    /// Their visits until a moment, in their order.
    pub(crate) fn visits(&self, calendar: &Calendar, until: Timestamp) -> Vec<Visit> {
        let (mut chance, mut visits) = (self.chance.clone(), Vec::new());
        let (mut at, mut day, mut used_second) = (self.born, self.born_on, false);
        for number in 0.. {
            if at >= until {
                break;
            }
            let second = self.second.is_some() && number > self.signs_up_in && chance.is(0.4);
            visits.push(Visit {
                number,
                begins: at,
                second,
                first_of_device: number == 0 || second && !used_second,
            });
            used_second |= second;
            if !chance.is(self.loyalty) {
                break;
            }
            if chance.is(SAME_DAY) {
                at = at.plus_micros((chance.between(1.0, 4.0) * HOUR as f64) as i64);
                day = calendar.day(at);
            } else {
                day += 1 + chance.exponential(DAYS_BETWEEN) as i64;
                let share = if chance.is(0.5) {
                    (self.habit + chance.between(-0.06, 0.06)).rem_euclid(1.0)
                } else {
                    chance.unit()
                };
                // A visit that began late last night is over by then.
                at = calendar.moment(day, share).max(at.plus_micros(45 * MINUTE));
            }
        }
        visits
    }

    /// The device of a visit.
    pub(crate) fn device(&self, visit: &Visit) -> &Device {
        self.second.as_ref().filter(|_| visit.second).unwrap_or(&self.device)
    }

    /// Whether they try to sign up in a visit.
    pub(crate) fn signs_up(&self, visit: &Visit) -> bool {
        visit.number == self.signs_up_in
    }

    /// Whether they had tried to before a visit.
    pub(crate) fn has_tried(&self, visit: &Visit) -> bool {
        visit.number > self.signs_up_in
    }

    /// Whether trying led to something, of whom this share succeeds.
    pub(crate) fn succeeds(&self, share: f64) -> bool {
        Chance::of(&[2, self.number]).is(share)
    }

    /// The id that the shop gives them.
    pub(crate) fn user_id(&self) -> String {
        format!("u_{:06x}", Chance::of(&[3, self.number]).next() >> 40)
    }

    /// What the shop knows of them.
    pub(crate) fn traits(&self) -> Value {
        let mut chance = Chance::of(&[4, self.number]);
        let (first, last) = (chance.one(&FIRST_NAMES), chance.one(&LAST_NAMES));
        let digits = chance.below(90) + 10;
        let email = format!("{first}.{last}{digits}@example.com").to_lowercase();
        let plan = *chance.weighted(&[(0.78, "free"), (0.17, "plus"), (0.05, "pro")]);
        json!({"name": format!("{first} {last}"), "email": email, "plan": plan, "country": self.device.country})
    }

    /// The id of one of their sessions or events.
    pub(crate) fn id(&self, at: Timestamp, words: [u64; 2]) -> Uuid {
        let tail = Chance::of(&[5, self.number, words[0], words[1]]).ten_bytes();
        id::v7(at.millis().max(0).cast_unsigned(), tail)
    }
}

/// The longest that a visit lasts, for whoever asks about a stretch of time.
pub(crate) const VISIT_LASTS: i64 = 2 * HOUR;

const _: () = assert!(VISIT_LASTS < DAY);
