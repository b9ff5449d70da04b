//! Every rule that must hold, whatever happens; each is named as the sentence that it is.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_core::{FlushReport, Reason, Request, Stats, Uuid};
use trailmark_server::journal::Recovery;

use crate::app::Change;
use crate::device::{Device, Snapshot};
use crate::store::{Key, Row, Store, joined};
use crate::truth::{Ledger, Owner, People};
use crate::violation::{Checked, Violation, hold};

// After each call of an engine.

pub(crate) fn captured_is_delivered_dropped_and_queued(stats: &Stats) -> Checked {
    let sum = stats.delivered + stats.dropped_total() + stats.queued;
    hold("captured = delivered + dropped + queued", stats.captured == sum, || {
        format!("{stats:?}")
    })
}

pub(crate) fn every_call_is_counted_once(before: &Snapshot, after: &Snapshot, counted: u64) -> Checked {
    let counts = before.stats.captured + counted == after.stats.captured;
    hold(
        "every call that captures is counted once, others are not",
        counts,
        || format!("{counted} expected: {:?} -> {:?}", before.stats, after.stats),
    )
}

pub(crate) fn only_a_damaged_storage_loses(before: &Stats, after: &Stats, damaged: bool) -> Checked {
    let lost = |stats: &Stats| stats.dropped.get(Reason::StorageLost.as_str()).copied().unwrap_or(0);
    hold(
        "nothing is counted as storage_lost while the storage is whole",
        damaged || lost(after) <= lost(before),
        || format!("{after:?}"),
    )
}

// When a process ends.

pub(crate) fn a_killed_process_loses_nothing(before: &Snapshot, after: &Snapshot, found: &Snapshot) -> Checked {
    const RULE: &str = "a killed process loses nothing: the next one finds what was before or after its last call";
    let seen = || format!("before {before:?}\n  after  {after:?}\n  found  {found:?}");
    let either = |same: fn(&Snapshot, &Snapshot) -> bool| same(before, found) || same(after, found);
    let same_epoch = either(|was, is| was.identity == is.identity && was.install == is.install);
    let same_words = either(|was, is| was.registered == is.registered && was.stats.opted_out == is.stats.opted_out);
    hold(RULE, same_epoch && same_words, seen)?;
    if before.install == after.install {
        let (was, will, is) = (&before.stats, &after.stats, &found.stats);
        let between = |was: u64, will: u64, is: u64| was <= is && is <= will;
        let dropped = |stats: &Stats, reason: &str| stats.dropped.get(reason).copied().unwrap_or(0);
        let reasons = was.dropped.iter().chain(will.dropped.iter()).chain(is.dropped.iter());
        // What was on its way when the person opted out is not sent again, and so counts as dropped.
        let opted_out = if is.opted_out { was.queued } else { 0 };
        let extra = |reason: &str| {
            if reason == Reason::OptedOut.as_str() {
                opted_out
            } else {
                0
            }
        };
        let counted = between(was.captured, will.captured, is.captured)
            && between(was.delivered, will.delivered, is.delivered)
            && reasons
                .into_iter()
                .all(|(r, _)| between(dropped(was, r), dropped(will, r) + extra(r), dropped(is, r)));
        hold(RULE, counted, seen)?;
    }
    Ok(())
}

// Identity.

pub(crate) fn the_identity_changes_as_the_app_says(
    before: &Snapshot,
    after: &Snapshot,
    change: &Change,
    people: &People,
) -> Checked {
    let (was, is) = (&before.identity, &after.identity);
    let holds = match change {
        Change::Nothing => was == is,
        Change::First(user) => was.anonymous_id() == is.anonymous_id() && is.user_id() == Some(user),
        Change::Fresh(user) => {
            people.is_new(is.anonymous_id()) && is.user_id() == user.as_deref() && is.epoch() == was.epoch() + 1
        }
    };
    hold(
        "who uses the device changes when the app says so, and a new epoch has a new device id",
        holds,
        || format!("{change:?}: {was:?} -> {is:?}"),
    )
}

pub(crate) fn an_event_belongs_to_who_used_the_device(captured: &Owner, written: &Owner, json: &str) -> Checked {
    hold(
        "an event carries the ids of the epoch it was captured in",
        captured == written,
        || format!("captured as {captured:?}, written as {json}"),
    )
}

pub(crate) fn a_device_id_stands_for_one_user(device: &str, users: &BTreeSet<String>, excused: bool) -> Checked {
    hold(
        "a device id stands for one user at most",
        users.len() < 2 || excused,
        || format!("{device}: {users:?}"),
    )
}

// On the wire.

pub(crate) fn an_events_bytes_never_change(first: &str, now: &str) -> Checked {
    hold("an event's bytes never change", first == now, || {
        format!("{first}\n  became {now}")
    })
}

pub(crate) fn a_request_is_the_same_on_every_attempt(first: &Request, now: &Request) -> Checked {
    hold("a request is the same on every attempt", first.body == now.body, || {
        format!("{}\n  became {}", first.body, now.body)
    })
}

pub(crate) fn only_what_was_captured_is_sent(known: bool, id: Uuid) -> Checked {
    hold("only what was captured is sent", known, || id.to_string())
}

pub(crate) fn only_a_receipt_delivers(before: &Stats, after: &Stats, kept: &[Uuid]) -> Checked {
    let delivered = after.delivered - before.delivered;
    hold(
        "an engine counts as delivered what a receipt says, and nothing else",
        [0, kept.len() as u64].contains(&delivered),
        || format!("{delivered} delivered, the server said {}", kept.len()),
    )
}

pub(crate) fn a_flush_accounts_for_what_was_queued(report: &FlushReport, queued: u64) -> Checked {
    let sum = report.delivered + report.dropped_total() + report.pending;
    hold("a flush accounts for everything that was queued", sum == queued, || {
        format!("{queued} were queued: {report:?}")
    })
}

// Consent.

pub(crate) fn opted_out_means_nothing_is_sent(leaks: bool, id: Uuid) -> Checked {
    hold("opted out, nothing is sent", !leaks, || id.to_string())
}

pub(crate) fn opted_out_means_nothing_is_stored(left: &[Uuid]) -> Checked {
    hold("opted out, no event is left on the device", left.is_empty(), || {
        format!("{left:?}")
    })
}

pub(crate) fn an_install_ends_only_when_the_server_has_the_request(
    before: &Snapshot,
    after: &Snapshot,
    kept: &[Uuid],
) -> Checked {
    let holds = before.stats.opted_out && !kept.is_empty() && after.stats.captured == 0 && after.stats.opted_out;
    hold(
        "an install is forgotten when the server has the request to erase it, not before",
        holds,
        || format!("{before:?} -> {after:?}, kept {kept:?}"),
    )
}

// The server.

pub(crate) fn a_torn_tail_is_not_damage(recovery: &Recovery) -> Checked {
    hold(
        "a torn tail is cut, and nothing else",
        recovery.quarantined.is_empty(),
        || format!("{recovery:?}"),
    )
}

pub(crate) fn a_202_is_only_given_for_what_survives_a_crash(
    promised: &BTreeSet<Key>,
    store: &Store,
    durable: &BTreeSet<Key>,
) -> Checked {
    let lost = promised
        .iter()
        .find(|key| !store.rows.contains_key(key) && !durable.contains(key));
    hold(
        "a 202 is only given for what survives a crash at that instant",
        lost.is_none(),
        || format!("{lost:?} is gone"),
    )
}

pub(crate) fn an_event_never_comes_back_as_another(there: &Row, again: &Row) -> Checked {
    // These two are the request's: its time of sending, and an install whose id a damaged storage may have lost.
    let again = Row {
        timestamp: there.timestamp,
        install_id: there.install_id.clone(),
        ..again.clone()
    };
    hold(
        "an event that arrives twice is the same both times",
        *there == again,
        || format!("{there:?}\n  became {again:?}"),
    )
}

// At the end, when everything works again.

pub(crate) fn everything_is_sent_in_the_end(device: usize, now: &Snapshot) -> Checked {
    hold(
        "once everything works, every queue drains by itself",
        now.stats.queued == 0,
        || format!("device {device}: {:?}", now.stats),
    )
}

pub(crate) fn every_promise_is_kept(promised: &BTreeSet<Key>, store: &Store) -> Checked {
    let missing = promised.iter().find(|key| !store.rows.contains_key(key));
    hold("what a 202 was given for is stored", missing.is_none(), || {
        format!("{missing:?}")
    })
}

pub(crate) fn every_event_is_stored_or_counted(
    ledger: &Ledger,
    project: i32,
    now: &Snapshot,
    store: &Store,
) -> Checked {
    let mut missing = BTreeMap::<&str, Vec<Uuid>>::new();
    for (id, known) in ledger.events.iter().filter(|(_, known)| known.certain) {
        if !store.rows.contains_key(&(project, *id)) {
            missing.entry(&known.install).or_default().push(*id);
        }
    }
    for (install, events) in missing {
        let ended = ledger.ended.get(install).copied();
        let current = (install == now.install).then(|| now.stats.dropped_total());
        // An install that a broken storage has hidden for good has nobody to ask.
        let Some(lost) = ended.or(current) else { continue };
        hold(
            "every captured event is stored, or counted under a reason",
            events.len() as u64 <= lost,
            || {
                format!(
                    "{} are not stored, {lost} counted: {events:?}; {:?}",
                    events.len(),
                    now.stats
                )
            },
        )?;
    }
    Ok(())
}

pub(crate) fn what_is_delivered_is_stored(device: &Device, now: &Snapshot, store: &Store) -> Checked {
    let events = device.ledger.events.iter();
    // A damaged storage may have lost the install's id, but not its events.
    let mine = events.filter(|(_, known)| device.damaged || known.install == now.install);
    let stored = mine
        .filter(|(id, _)| store.rows.contains_key(&(device.project, **id)))
        .count();
    hold(
        "what counts as delivered is stored",
        now.stats.delivered <= stored as u64,
        || format!("{stored} stored: {:?}", now.stats),
    )
}

pub(crate) fn what_is_stored_was_captured(id: Uuid, row: &Row, bytes: Option<&str>) -> Checked {
    hold("what is stored was captured and sent", bytes.is_some(), || {
        format!("{id}: {row:?}")
    })?;
    let json = bytes.unwrap_or_default();
    let written: Owner = serde_json::from_str(json).map_err(|error| unreadable(json, &error))?;
    let stored = (row.anonymous_id.as_ref(), &row.user_id);
    hold(
        "an event is stored as it was captured",
        stored == (Some(&written.anonymous_id), &written.user_id),
        || format!("{row:?}\n  was captured as {written:?}"),
    )
}

pub(crate) fn no_two_people_become_one(project: i32, store: &Store, people: &People) -> Checked {
    for (device, owner) in store.owners(project) {
        let users = people.users.get(device);
        hold(
            "a device belongs to who identified on it",
            users.is_some_and(|users| users.contains(owner)),
            || format!("{device} belongs to {owner}, not to one of {users:?}"),
        )?;
    }
    let said = people.aliases.iter().filter(|(of, ..)| *of == project);
    let said = joined(said.map(|(_, one, other)| (&**one, &**other)));
    for person in store.persons(project) {
        hold(
            "two users are one person only if the app said so",
            said.iter().any(|said| person.is_subset(said)),
            || format!("{person:?}, where the app said {said:?}"),
        )?;
    }
    Ok(())
}

pub(crate) fn unreadable(json: &str, error: &dyn std::fmt::Display) -> Violation {
    Violation {
        rule: "an event is JSON",
        seen: format!("{error}: {json}"),
    }
}
