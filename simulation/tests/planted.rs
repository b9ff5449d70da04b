//! Each planted bug is found, and its seed tells the same story again; without one the same seeds are fine.

use trailmark_simulation::planted::{Planted, plant};
use trailmark_simulation::{ACTS, run};

/// Seeds within which a planted bug must be found.
const WITHIN: u64 = 400;

fn assert_found(bug: Planted, expected: &str) {
    plant(Some(bug));
    let found = (0..WITHIN).find_map(|seed| Some((seed, run(seed, ACTS, false).err()?)));
    let (seed, violation) = found.unwrap_or_else(|| panic!("{bug:?} was not found within {WITHIN} seeds"));
    println!("{bug:?} is found by seed {seed}: {violation}");
    assert_eq!(run(seed, ACTS, false), Err(violation.clone()), "a seed tells one story");
    assert_eq!(violation.rule, expected);
    plant(None);
    assert!(
        run(seed, ACTS, false).is_ok(),
        "seed {seed} breaks a rule without the bug"
    );
}

#[test]
fn a_segment_that_goes_before_the_record_is_found() {
    assert_found(
        Planted::SegmentGoesFirst,
        "a killed process loses nothing: the next one finds what was before or after its last call",
    );
}

#[test]
fn identity_stamped_at_sending_is_found() {
    assert_found(Planted::IdentityAtSend, "an event's bytes never change");
}

#[test]
fn an_engine_that_believes_any_answer_is_found() {
    assert_found(
        Planted::AnyAnswerIsAReceipt,
        "an engine counts as delivered what a receipt says, and nothing else",
    );
}

#[test]
fn a_journal_that_answers_before_the_disk_is_found() {
    assert_found(
        Planted::AcknowledgedEarly,
        "a 202 is only given for what survives a crash at that instant",
    );
}
