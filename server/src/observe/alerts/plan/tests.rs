use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_176_000_000);
const MINUTE: i64 = 60_000_000;

fn after(minutes: i64) -> Timestamp {
    NOW.plus_micros(minutes * MINUTE)
}

fn listener() -> Listener {
    Listener {
        alert_id: 1,
        on: On::default(),
        recipients: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
        recover: true,
        remind_every: Some(60 * MINUTE),
        silenced: false,
    }
}

fn transition(kind: TransitionKind) -> Transition {
    let found = Found {
        kind: Kind::MonitorDown,
        subject: "3".to_owned(),
        what: "shop is down".to_owned(),
        since: NOW,
        people: None,
        compared_with: None,
        evidence: "/api/v1/monitors/3".to_owned(),
    };
    Transition {
        problem_id: 7,
        found,
        kind,
    }
}

/// Ann was told, Bob was not.
fn history(told: Told) -> History {
    let mut history = History::default();
    history.problems.insert((1, 7, "a@example.com".to_owned()), told);
    history
}

fn told() -> Told {
    Told {
        opening: Some((Uuid::from_u128(9), NOW)),
        last_turn: 0,
        reached: true,
        waiting: false,
    }
}

/// Who is told what, and when.
fn planned(
    listener: &Listener,
    history: &History,
    kind: TransitionKind,
    now: Timestamp,
) -> Vec<(String, i64, Timestamp)> {
    let (listeners, transitions) = ([listener.clone()], [transition(kind)]);
    let planned = plan(&listeners, history, &transitions, now);
    planned
        .iter()
        .map(|one| (one.recipient.to_owned(), one.turn, one.not_before))
        .collect()
}

#[test]
fn every_recipient_is_told_of_an_opening_at_once() {
    let told = planned(&listener(), &History::default(), TransitionKind::Opened, NOW);
    assert_eq!(
        told,
        [
            ("a@example.com".to_owned(), 0, NOW),
            ("b@example.com".to_owned(), 0, NOW)
        ]
    );
    let other = Listener {
        on: serde_json::from_str(r#"{"kinds":["new_issue"]}"#).unwrap(),
        ..listener()
    };
    assert_eq!(planned(&other, &History::default(), TransitionKind::Opened, NOW), []);
}

#[test]
fn the_end_is_told_to_those_who_know_of_the_beginning_even_if_the_alert_names_other_kinds_now() {
    let closed = TransitionKind::Closed { at: NOW };
    let other = Listener {
        on: serde_json::from_str(r#"{"kinds":["new_issue"]}"#).unwrap(),
        ..listener()
    };
    for listener in [listener(), other] {
        assert_eq!(
            planned(&listener, &history(told()), closed, NOW),
            [("a@example.com".to_owned(), 0, NOW)]
        );
    }
    let quiet = Listener {
        recover: false,
        ..listener()
    };
    assert_eq!(planned(&quiet, &history(told()), closed, NOW), []);
    let unreached = Told {
        reached: false,
        ..told()
    };
    assert_eq!(planned(&listener(), &history(unreached), closed, NOW), []);
}

#[test]
fn what_flaps_is_told_again_ten_minutes_after_it_was_told_last() {
    let mut history = History::default();
    let subject = (1, Kind::MonitorDown, "3".to_owned(), "a@example.com".to_owned());
    history.openings.insert(subject, after(-4));
    let told = planned(&listener(), &history, TransitionKind::Opened, NOW);
    assert_eq!(
        told,
        [
            ("a@example.com".to_owned(), 0, after(6)),
            ("b@example.com".to_owned(), 0, NOW)
        ]
    );
    assert_eq!(
        planned(&listener(), &history, TransitionKind::Opened, after(7))[0].2,
        after(7)
    );
}

#[test]
fn reminders_come_each_hour_once_and_missed_ones_are_not_made_up_for() {
    let turn = |minutes, told| {
        let planned = planned(&listener(), &history(told), TransitionKind::Reminder, after(minutes));
        planned.first().map(|(_, turn, _)| *turn)
    };
    assert_eq!(
        (turn(59, told()), turn(60, told()), turn(200, told())),
        (None, Some(1), Some(3))
    );
    assert_eq!(turn(70, Told { last_turn: 1, ..told() }), None);
    assert_eq!(
        turn(
            70,
            Told {
                waiting: true,
                ..told()
            }
        ),
        None
    );
    assert_eq!(
        turn(
            70,
            Told {
                reached: false,
                ..told()
            }
        ),
        None
    );
}

#[test]
fn nobody_is_reminded_who_is_silent_or_does_not_want_it() {
    for listener in [
        Listener {
            silenced: true,
            ..listener()
        },
        Listener {
            remind_every: None,
            ..listener()
        },
    ] {
        assert_eq!(
            planned(&listener, &history(told()), TransitionKind::Reminder, after(90)),
            []
        );
    }
}
