//! A made-up history: 90 days, persons of very different zeal, 200 event names, 40 properties. Every event is a function of
//! its number, so that loading can begin anywhere and every run makes the same.

use std::fmt::Write as _;

use trailmark_protocol::{Timestamp, Uuid, id};

/// When it ends, which is when questions are asked: 2026-11-21T12:00:00Z.
pub const END: Timestamp = Timestamp::from_millis(1_795_262_400_000);

const DAYS: u64 = 90;
const DAY_MS: u64 = 86_400_000;

/// Event names, `event_000` the most frequent: the nth has about 1/n of its frequency (Zipf), and it 13 % of all.
pub const NAMES: u64 = 200;

/// Property names; an event has six of them, chosen by its name.
const PROPERTIES: u64 = 40;

/// An average person has 50 events, in visits of five.
const EVENTS_EACH: u64 = 50;
const VISIT: u64 = 5;

/// Between two events of a visit.
const PACE_MS: u64 = 20_000;

/// One event in this many has the very moment of the one before it.
const TIED: u64 = 1_000;

/// A draw from 0 to 1 raised to this is a person from the heaviest to the lightest: the first 1 % make a sixth of all
/// events.
const TAIL: f64 = 2.5;

/// Three in ten persons are there at the beginning, the others come evenly over 80 days.
const THERE_OF_TEN: u64 = 3;
const ARRIVALS_MS: u64 = 80 * DAY_MS;

/// Two in five persons are identified two days after they came, and have a device and a user from then on.
const IDENTIFIED_AFTER_MS: u64 = 2 * DAY_MS;

/// How many events there are, and what follows from that.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// How many.
    pub events: u64,
}

/// One of its events, in the numbers that rows hold.
#[derive(Debug)]
pub struct Made {
    /// Number of the name, from 1.
    pub name: u64,
    /// The person, from 0.
    pub person: u64,
    /// Number of its identity, and of the device beside a user.
    pub identity: u64,
    /// The device, if the identity is a user.
    pub device: Option<u64>,
    /// When.
    pub at: Timestamp,
    /// Its number within the install.
    pub seq: u64,
    /// Its id.
    pub id: Uuid,
    /// The session.
    pub session: Uuid,
}

impl History {
    /// How many persons.
    #[must_use]
    pub fn persons(self) -> u64 {
        self.events / EVENTS_EACH
    }

    /// Number of a person's device, from 1.
    #[must_use]
    pub fn device(self, person: u64) -> u64 {
        person + 1
    }

    /// Number of its user, behind all devices, if it has one: two in five do.
    #[must_use]
    pub fn user(self, person: u64) -> Option<u64> {
        (mixed(person ^ 0xa11a5) % 5 < 2).then_some(self.persons() + person + 1)
    }

    /// The `index`th event.
    #[must_use]
    pub fn event(self, index: u64) -> Made {
        let visit = index / VISIT;
        let began = visit * VISIT * (DAYS * DAY_MS) / self.events;
        let person = self.visitor(visit, began);
        let step = if mixed(index).is_multiple_of(TIED) {
            index % VISIT / 2
        } else {
            index % VISIT
        };
        let since_start = (began + step * PACE_MS).min(DAYS * DAY_MS - 1);
        let millis = END.millis().cast_unsigned() - DAYS * DAY_MS + since_start;
        let user = self
            .user(person)
            .filter(|_| since_start >= came(person) + IDENTIFIED_AFTER_MS);
        Made {
            name: name(mixed(index ^ 0x9a3e)),
            person,
            identity: user.unwrap_or(self.device(person)),
            device: user.map(|_| self.device(person)),
            at: Timestamp::from_millis(millis.cast_signed()),
            seq: self.events_before(person, began) + index % VISIT,
            id: id::v7(millis, tail(index)),
            session: id::v7(millis, tail(visit ^ 0x5e55)),
        }
    }

    /// A draw of persons; somebody who has come by then.
    fn visitor(self, visit: u64, now: u64) -> u64 {
        let draw = |attempt: u64| {
            let person = (self.persons() as f64 * unit(mixed(visit ^ (attempt << 56))).powf(TAIL)) as u64;
            person.min(self.persons() - 1)
        };
        (1..40)
            .map(draw)
            .find(|person| came(*person) <= now)
            .unwrap_or_default()
    }

    /// How many events a person is expected to have made by then, which grows with time as an SDK's counter does: its share
    /// of the draws that hit somebody who has come, over the time since it came.
    fn events_before(self, person: u64, now: u64) -> u64 {
        let drawn = |persons: u64| (persons as f64 / self.persons() as f64).powf(1.0 / TAIL);
        let share = drawn(person + 1) - drawn(person);
        let expected = self.events as f64 * share * (crowded(now) - crowded(came(person))).max(0.0);
        expected as u64
    }
}

/// When a person came, in milliseconds since the beginning.
fn came(person: u64) -> u64 {
    match mixed(person ^ 0xc0de) % 10 {
        0..THERE_OF_TEN => 0,
        _ => mixed(person) % ARRIVALS_MS,
    }
}

/// The part of the 90 days up to `now`, each moment divided by the part of all persons who have come by it: among few,
/// everybody is drawn more often. The integral of 1 / (first + (1 - first) × t / arrivals), and of 1 after that.
fn crowded(now: u64) -> f64 {
    let days = |millis: u64| millis as f64 / (DAYS * DAY_MS) as f64;
    let there = THERE_OF_TEN as f64 / 10.0;
    let arriving = days(ARRIVALS_MS) / (1.0 - there);
    let come = there + days(now.min(ARRIVALS_MS)) / arriving;
    arriving * (come / there).ln() + days(now.saturating_sub(ARRIVALS_MS))
}

/// Zipf's law, by the inverse of its continuous form.
fn name(random: u64) -> u64 {
    let name = ((NAMES + 1) as f64).powf(unit(random)) as u64;
    name.clamp(1, NAMES)
}

/// The properties of an event: six of forty; texts of few values, numbers, a truth.
pub fn properties(out: &mut String, made: &Made, index: u64) {
    out.push('{');
    for nth in 0..6 {
        let random = random(index, nth);
        let property = property(made, nth);
        let comma = if nth == 0 { "" } else { "," };
        let _ = match property % 4 {
            0 | 1 => write!(out, r#"{comma}"property_{property:02}":"{}""#, text_value(name(random))),
            2 => write!(out, r#"{comma}"property_{property:02}":{}"#, random % 10_000),
            _ => write!(out, r#"{comma}"property_{property:02}":{}"#, random.is_multiple_of(3)),
        };
    }
    out.push('}');
}

/// The number of what an event says in a property that is a text, if it has it.
#[must_use]
pub fn text_property(made: &Made, index: u64, wanted: u64) -> Option<u64> {
    let nth = (0..6).find(|nth| property(made, *nth) == wanted)?;
    (wanted % 4 < 2).then(|| name(random(index, nth)))
}

/// What the texts of properties are like.
#[must_use]
pub fn text_value(number: u64) -> String {
    format!("value {number}")
}

/// Which property is the nth of an event.
fn property(made: &Made, nth: u64) -> u64 {
    (made.name * 7 + nth * 5) % PROPERTIES
}

fn random(index: u64, nth: u64) -> u64 {
    mixed(index.wrapping_mul(8) + nth)
}

/// The circumstances of a person's events.
pub fn context(out: &mut String, person: u64) {
    let system = ["Android", "iOS", "Windows"][(person % 3) as usize];
    let _ = write!(
        out,
        r#"{{"app":{{"name":"Trail Shop","version":"4.{}.0"}},"os":{{"name":"{system}","version":"15"}},"locale":"de-DE"}}"#,
        person % 12
    );
}

/// The nth name's text.
#[must_use]
pub fn name_text(name: u64) -> String {
    format!("event_{:03}", name - 1)
}

/// `splitmix64` (<https://prng.di.unimi.it/splitmix64.c>).
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 to below 1.
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

fn tail(seed: u64) -> [u8; 10] {
    let mut tail = [0; 10];
    tail[..8].copy_from_slice(&mixed(seed).to_be_bytes());
    tail[8..].copy_from_slice(&mixed(!seed).to_be_bytes()[..2]);
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_has_heavy_persons_frequent_names_and_two_in_five_events_of_identified_persons() {
        let history = History { events: 200_000 };
        let (mut of_first, mut heavy, mut joined) = (0, 0, 0);
        for made in (0..history.events).map(|index| history.event(index)) {
            of_first += u64::from(made.name == 1);
            heavy += u64::from(made.person < history.persons() / 100);
            joined += u64::from(history.user(made.person).is_some());
        }
        assert!((24_000..36_000).contains(&of_first), "{of_first}");
        assert!((20_000..60_000).contains(&heavy), "{heavy}");
        assert!((60_000..100_000).contains(&joined), "{joined}");
    }

    #[test]
    fn a_persons_seq_grows_from_visit_to_visit_differs_within_one_and_comes_near_the_number_of_its_events() {
        let history = History { events: 200_000 };
        let (mut latest, mut made_by) = (vec![0; 4_000], vec![0_u64; 4_000]);
        for visit in 0..history.events / VISIT {
            let events: Vec<Made> = (0..VISIT).map(|step| history.event(visit * VISIT + step)).collect();
            let person = events[0].person as usize;
            assert!(
                events.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq),
                "{events:?}"
            );
            assert!(events[0].seq >= latest[person], "{events:?} after {}", latest[person]);
            latest[person] = events[0].seq;
            made_by[person] += VISIT;
        }
        for person in 0..40 {
            let (latest, made) = (latest[person] as f64, made_by[person] as f64);
            assert!((0.6..1.5).contains(&(latest / made)), "{person}: {latest} of {made}");
        }
    }

    #[test]
    fn properties_and_circumstances_are_json() {
        let made = History { events: 1_000 }.event(77);
        let (mut properties_text, mut context_text) = (String::new(), String::new());
        properties(&mut properties_text, &made, 77);
        context(&mut context_text, made.person);
        let json: serde_json::Value = serde_json::from_str(&properties_text).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 6);
        for number in 0..PROPERTIES {
            let text = text_property(&made, 77, number).map(text_value);
            assert_eq!(
                json[format!("property_{number:02}")].as_str(),
                text.as_deref(),
                "{json}"
            );
        }
        serde_json::from_str::<serde_json::Value>(&context_text).unwrap();
    }
}
