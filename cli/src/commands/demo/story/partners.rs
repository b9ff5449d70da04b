//! Shops that order for their own customers, by programs that never sleep: one order a minute, all of them together.

use std::sync::Arc;

use serde_json::json;
use trailmark_protocol::{Timestamp, id};

use super::calendar::{DAY, MINUTE, SECOND};
use super::chance::Chance;
use super::event::Event;
use super::incidents::Incidents;
use super::requests;

/// Since how long ago they do, as of the incidents.
const ORDER_FOR: i64 = 10 * DAY;

/// How often an order is tried.
const ATTEMPTS: u64 = 3;

/// The longest that an order goes on.
const LASTS: i64 = 5 * MINUTE;

const PARTNERS: [(&str, &str); 12] = [
    ("alpenladen", "Alpenladen"),
    ("bergfreund", "Bergfreund"),
    ("cairn", "Cairn & Co"),
    ("dolomiti", "Dolomiti Sport"),
    ("fjellet", "Fjellet"),
    ("gipfel24", "Gipfel 24"),
    ("highland", "Highland Outfitters"),
    ("montana", "Montana Goods"),
    ("outdoorhuis", "Outdoorhuis"),
    ("sentier", "Sentier"),
    ("trailhead", "Trailhead"),
    ("yamato", "Yamato Outdoor"),
];

/// What they order from one moment to before another.
pub(super) fn events(incidents: &Incidents, from: Timestamp, to: Timestamp, events: &mut Vec<Event>) {
    let since = incidents.checkout_fails.plus_micros(-ORDER_FOR);
    let first = from.plus_micros(-LASTS).max(since);
    for minute in first.micros().div_euclid(MINUTE)..=to.micros().div_euclid(MINUTE) {
        order(incidents, minute, &mut |event| {
            if from <= event.at && event.at < to {
                events.push(event);
            }
        });
    }
}

/// The order of a minute, with every attempt.
fn order(incidents: &Incidents, minute: i64, tell: &mut impl FnMut(Event)) {
    let mut chance = Chance::of(&[11, minute.cast_unsigned()]);
    let (name, shown) = *chance.one(&PARTNERS);
    let mut at = Timestamp::from_micros(minute * MINUTE + chance.between(0.0, MINUTE as f64) as i64);
    for _ in 0..ATTEMPTS {
        let failed = incidents.checkout_fails_at(at, &mut chance);
        let (status, millis) = requests::checkout(failed, &mut chance);
        tell(Event {
            id: id::v7(at.millis().max(0).cast_unsigned(), chance.ten_bytes()),
            at,
            name: "$request",
            anonymous_id: format!("partner-{name}").into(),
            user_id: Some(Arc::from(format!("partner_{name}"))),
            session_id: None,
            properties: requests::properties("POST", "/api/checkout", status, millis),
            context: requests::SHOP_API.into(),
            set: Some(json!({"name": shown, "plan": "partner"})),
            set_once: None,
        });
        if !failed {
            return;
        }
        at = at.plus_micros(chance.between(15.0, 60.0) as i64 * SECOND);
    }
}
