//! What goes wrong, and when.

use trailmark_server::journal::fake_disk::Operation;

use crate::device_disk::Weather;
use crate::dice::Dice;
use crate::network::Link;
use crate::server::Mood;

/// Something that goes wrong, or gets better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trouble {
    // To a device.
    Link(Link),
    /// The app is killed between two calls.
    Kill,
    /// The app dies in the middle of a change of its storage, after so many.
    DieIn(usize),
    PowerLoss,
    Weather(Weather),
    /// The storage syncs what it has.
    Sync,
    /// Bytes turn, or a file vanishes.
    Damage,
    /// At the next start the files cannot be listed, or read.
    Hide(bool),
    /// Its clock is set, by so many seconds.
    ClockJump(i64),
    // To the server.
    Mood(Mood),
    Crash,
    /// The power goes off in the middle of a change, after so many.
    CrashIn(u64),
    BreakDisk(Operation),
    Store(bool),
}

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const DECADE: i64 = 3_650 * DAY;

/// Draws one.
pub(crate) fn draw(dice: &mut Dice) -> Trouble {
    match dice.below(100) {
        0..25 => Trouble::Link(link(dice)),
        25..31 => Trouble::Kill,
        31..43 => Trouble::DieIn(dice.below(12)),
        43..46 => Trouble::PowerLoss,
        46..51 => Trouble::Weather(dice.pick(&[Weather::Fine, Weather::Fine, Weather::ReadOnly, Weather::Full])),
        51..54 => Trouble::Sync,
        54..56 => Trouble::Damage,
        56..57 => Trouble::Hide(dice.percent(50)),
        57..63 => Trouble::ClockJump(jump(dice)),
        63..82 => Trouble::Mood(mood(dice)),
        82..88 => Trouble::Crash,
        88..93 => Trouble::CrashIn(dice.below(8) as u64),
        93..95 => Trouble::BreakDisk(dice.pick(&[Operation::Sync, Operation::Write])),
        _ => Trouble::Store(dice.percent(50)),
    }
}

fn link(dice: &mut Dice) -> Link {
    dice.pick(&[
        Link::Good,
        Link::Good,
        Link::Flaky,
        Link::Flaky,
        Link::Slow,
        Link::Offline,
        Link::Portal,
    ])
}

fn mood(dice: &mut Dice) -> Mood {
    match dice.below(12) {
        0..6 => Mood::Well,
        6..9 => Mood::Refuses(dice.pick(&[400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 503])),
        9 => Mood::Small(1 + dice.below(6)),
        10 => Mood::Choosy,
        _ => Mood::Pacing,
    }
}

fn jump(dice: &mut Dice) -> i64 {
    let most = dice.pick(&[MINUTE, DAY, DAY, 40 * DAY, DECADE]);
    dice.between(-most, most)
}
