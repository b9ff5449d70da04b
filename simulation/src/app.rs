//! What apps and the people in front of them do.

use std::time::Duration;

use trailmark_core::{Config, Engine, Properties, Reason, Timestamp, Uuid};

use crate::device::Snapshot;
use crate::dice::Dice;

/// One thing that the app does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Track(&'static str, usize),
    Screen,
    Identify(String, bool),
    Alias(String),
    Group,
    Register(u64),
    Unregister,
    Reset,
    OptOut,
    OptIn,
    DeleteMyData,
    Hurry,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    /// The event it captured.
    pub(crate) event: Option<Uuid>,
    /// How many events it adds to those captured.
    pub(crate) counted: u64,
    /// The engine refused it.
    pub(crate) refused: bool,
}

/// How it changes who uses the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// The device's id stays, and now has a user.
    First(String),
    /// A new epoch.
    Fresh(Option<String>),
}

/// Names that the device takes and, the last two, the server does not.
const NAMES: [&str; 6] = [
    "checkout",
    "open",
    "tap",
    "long \u{1f600} \"quoted\" \\ name",
    " ",
    "nul\0byte",
];

/// Settings that make the bounds felt within a few hundred steps.
pub(crate) fn settings(key: &str, dice: &mut Dice) -> Config {
    #[expect(clippy::expect_used, reason = "the key is one of ours")]
    let mut config = Config::new(key).expect("a write key");
    config.flush_at = dice.pick(&[1, 3, 20]);
    config.max_batch_events = dice.pick(&[1, 4, 20, 500]);
    config.max_batch_bytes = dice.pick(&[600, 4_000, 60_000]);
    config.max_queue_events = dice.pick(&[5, 30, 100_000]);
    config.max_queue_bytes = dice.pick(&[4_000, 64 * 1024 * 1024]);
    config.max_age = Duration::from_secs(3600 * dice.pick(&[24, 30 * 24]));
    config.segment_bytes = dice.pick(&[1, 1_000, 5_000, 1024 * 1024]);
    config.window_events = dice.pick(&[1, 8, 2_000]);
    config
}

/// What somebody does next.
pub(crate) fn next(dice: &mut Dice) -> Act {
    match dice.below(100) {
        0..62 => Act::Track(dice.pick(&NAMES), dice.below(200)),
        62..66 => Act::Track("", 0),
        66..69 => Act::Screen,
        69..79 => Act::Identify(user(dice), dice.percent(30)),
        79..81 => Act::Identify(dice.pick(&["null", "undefined", "0"]).to_owned(), false),
        81..83 => Act::Alias(user(dice)),
        83..85 => Act::Group,
        85..88 => Act::Register(dice.roll() % 100),
        88..89 => Act::Unregister,
        89..93 => Act::Reset,
        93..94 => Act::OptOut,
        94..97 => Act::OptIn,
        97..98 => Act::DeleteMyData,
        _ => Act::Hurry,
    }
}

fn user(dice: &mut Dice) -> String {
    format!("user-{}", dice.below(5))
}

pub(crate) fn perform(engine: &mut Engine, act: &Act, now: Timestamp) -> Done {
    let nothing = Properties::new();
    match act {
        Act::Track(name, bytes) => one(engine.track(name, &Properties::new().with("pad", "x".repeat(*bytes)), now)),
        Act::Screen => one(engine.screen("Home", &nothing, now)),
        Act::Alias(other) => one(engine.alias(other, now)),
        Act::Group => one(engine.group("company", "acme", &nothing, now)),
        Act::Identify(user, with_plan) => {
            let plan = Properties::new().with("plan", "pro");
            let set = if *with_plan { &plan } else { &nothing };
            let identified = engine.identify(user, set, &nothing, now);
            identified.transpose().map_or_else(Done::default, one)
        }
        _ => {
            say(engine, act, now);
            Done {
                counted: u64::from(*act == Act::DeleteMyData),
                ..Done::default()
            }
        }
    }
}

/// What returns no event.
fn say(engine: &mut Engine, act: &Act, now: Timestamp) {
    match act {
        // Refused for an opted-out person, and otherwise within every limit.
        Act::Register(theme) => {
            let _ = engine.register(&Properties::new().with("theme", *theme), now);
        }
        Act::Unregister => engine.unregister("theme", now),
        Act::Reset => engine.reset(now),
        Act::OptOut => engine.opt_out(now),
        Act::OptIn => engine.opt_in(now),
        Act::DeleteMyData => engine.delete_my_data(now),
        Act::Hurry => engine.hurry(),
        _ => {}
    }
}

fn one(captured: Result<Uuid, Reason>) -> Done {
    Done {
        event: captured.ok(),
        counted: u64::from(captured != Err(Reason::OptedOut)),
        refused: captured.is_err(),
    }
}

/// How `act`, which came to `done`, must have changed the identity.
pub(crate) fn change(act: &Act, done: &Done, before: &Snapshot) -> Change {
    match act {
        Act::Reset | Act::DeleteMyData => Change::Fresh(None),
        Act::Identify(user, _) if !done.refused => match before.identity.user_id() {
            Some(same) if same == user => Change::Nothing,
            Some(_) => Change::Fresh(Some(user.clone())),
            None => Change::First(user.clone()),
        },
        _ => Change::Nothing,
    }
}

/// Whether the app's platform wakes the driver for it, whatever the engine says.
pub(crate) fn wakes(act: &Act) -> bool {
    *act == Act::Hurry
}
