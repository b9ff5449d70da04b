//! The two laws, under any sequence of calls and answers: nothing is lost in silence, and no byte of an event changes.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;
use trailmark_core::engine::Step;
use trailmark_core::{Capture, Outcome, Properties, Request};

use super::disk::Disk;
use super::harness::{Device, answer, assert_conserved, events, parsed, receipt, retry_after, status};

#[derive(Debug, Clone)]
enum Action {
    Track(u8),
    Refused,
    Identify(u8),
    Alias(u8),
    Reset,
    Register(u8),
    OptOut,
    OptIn,
    /// The process is gone, and another one starts on the same storage.
    Kill,
    Capture(u8),
    Flush,
    Hurry,
    Pass(u32),
    ClockBack(u32),
    /// Polls, and ends what is sent so.
    Exchange(Ending),
    /// Polls, and leaves the request open.
    Send,
    /// Ends the open request.
    End(Ending),
}

#[derive(Debug, Clone)]
enum Ending {
    Accepted,
    /// The nth event of the batch again, the next one dropped.
    Mixed(u8),
    Status(u16),
    RetryAfter(u32),
    Nonsense,
    Unreachable,
    TimedOut,
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Accepted),
        2 => any::<u8>().prop_map(Ending::Mixed),
        3 => prop::sample::select(vec![400, 401, 403, 404, 408, 413, 413, 429, 500, 503, 302]).prop_map(Ending::Status),
        1 => any::<u32>().prop_map(Ending::RetryAfter),
        1 => Just(Ending::Nonsense),
        1 => Just(Ending::Unreachable),
        1 => Just(Ending::TimedOut),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => any::<u8>().prop_map(Action::Track),
        1 => Just(Action::Refused),
        2 => (0..4u8).prop_map(Action::Identify),
        1 => (0..4u8).prop_map(Action::Alias),
        1 => Just(Action::Reset),
        1 => any::<u8>().prop_map(Action::Register),
        1 => Just(Action::OptOut),
        2 => Just(Action::OptIn),
        2 => Just(Action::Kill),
        2 => any::<u8>().prop_map(Action::Capture),
        1 => Just(Action::Flush),
        1 => Just(Action::Hurry),
        3 => (0..4_000_000u32).prop_map(Action::Pass),
        1 => (0..4_000_000u32).prop_map(Action::ClockBack),
        4 => ending().prop_map(Action::Exchange),
        2 => Just(Action::Send),
        2 => ending().prop_map(Action::End),
    ]
}

/// A device under test, and what its server has seen.
struct World {
    disk: Disk,
    device: Device,
    open: Option<Request>,
    /// The bytes that each event had when it was first seen.
    seen: BTreeMap<String, String>,
    /// The body that each request had on its first attempt.
    bodies: BTreeMap<String, String>,
    stored: HashSet<String>,
}

impl World {
    fn new() -> Self {
        let disk = Disk::default();
        Self {
            device: Device::on(&disk, |config| {
                config.flush_at = 3;
                config.max_batch_events = 4;
                config.max_queue_events = 12;
                config.max_queue_bytes = 4_000;
            }),
            disk,
            open: None,
            seen: BTreeMap::new(),
            bodies: BTreeMap::new(),
            stored: HashSet::new(),
        }
    }

    fn act(&mut self, action: &Action) {
        let now = self.device.now;
        let engine = &mut self.device.engine;
        let nothing = Properties::new();
        match action {
            Action::Track(n) => drop(engine.track("t", &Properties::new().with("n", "x".repeat((*n).into())), now)),
            Action::Refused => drop(engine.track("", &nothing, now)),
            Action::Identify(n) => drop(engine.identify(&format!("user-{n}"), &nothing, &nothing, now)),
            Action::Alias(n) => drop(engine.alias(&format!("user-{n}"), now)),
            Action::Reset => engine.reset(now),
            Action::Register(n) => drop(engine.register(&Properties::new().with("r", *n), now)),
            Action::OptOut => engine.opt_out(now),
            Action::OptIn => engine.opt_in(now),
            Action::Kill => {
                self.open = None;
                self.device.start_on(&self.disk);
            }
            Action::Capture(n) => drop(engine.capture(Capture::new("c").anonymous_id(format!("d-{n}")), now)),
            Action::Flush => drop(engine.flush()),
            Action::Hurry => engine.hurry(),
            Action::Pass(millis) => self.device.pass(Duration::from_millis((*millis).into())),
            Action::ClockBack(millis) => self.device.now = now.plus_micros(-1000 * i64::from(*millis)),
            Action::Exchange(ending) => {
                self.send();
                self.end(ending);
            }
            Action::Send => self.send(),
            Action::End(ending) => self.end(ending),
        }
    }

    fn send(&mut self) {
        let Step::Send(request) = self.device.poll() else {
            return;
        };
        assert!(self.open.is_none(), "one request at a time");
        let body = self
            .bodies
            .entry(request.id.to_string())
            .or_insert_with(|| request.body.to_string());
        assert_eq!(**body, *request.body, "a request is the same on every attempt");
        for (event, text) in parsed(&request).into_iter().zip(events(&request)) {
            let id = event["id"].as_str().unwrap().to_owned();
            let first = self.seen.entry(id).or_insert_with(|| text.clone());
            assert_eq!(*first, text, "an event's bytes never change");
        }
        self.open = Some(request);
    }

    fn end(&mut self, ending: &Ending) {
        let Some(request) = self.open.take() else { return };
        let outcome = self.outcome(&request, ending);
        self.device.end(&request, &outcome);
    }

    fn outcome(&mut self, request: &Request, ending: &Ending) -> Outcome {
        let ids: Vec<String> = parsed(request).iter().map(|event| event["id"].to_string()).collect();
        match ending {
            Ending::Accepted => {
                self.stored.extend(ids.iter().cloned());
                receipt(ids.len(), "", 0)
            }
            Ending::Mixed(n) => self.mixed(&ids, usize::from(*n) % ids.len()),
            Ending::Status(code) => status(*code),
            Ending::RetryAfter(seconds) => retry_after(503, &seconds.to_string()),
            Ending::Nonsense => answer(202, "<html>"),
            Ending::Unreachable => Outcome::Unreachable("gone".into()),
            Ending::TimedOut => Outcome::TimedOut,
        }
    }

    fn mixed(&mut self, ids: &[String], again: usize) -> Outcome {
        let dropped = (again + 1) % ids.len();
        let mut results = format!(r#"{{"index":{again},"result":"retry"}}"#);
        if dropped != again {
            results += &format!(r#",{{"id":{},"result":"drop","reason":"too_deep"}}"#, ids[dropped]);
        }
        let rest = ids.iter().enumerate().filter(|(at, _)| ![again, dropped].contains(at));
        let rest: Vec<String> = rest.map(|(_, id)| id.clone()).collect();
        let accepted = rest.len();
        self.stored.extend(rest);
        receipt(accepted, &results, 0)
    }

    fn check(&self) {
        let stats = self.device.engine.stats();
        assert_conserved(&stats);
        assert_eq!(
            stats.delivered,
            self.stored.len() as u64,
            "delivered is what the server stored, no more and no less"
        );
        assert!(stats.queued <= 12 && stats.queued_bytes <= 4_000);
        if stats.queued == 0 {
            assert_eq!(stats.queued_bytes, 0);
        }
    }

    /// The server is well again: everything still queued arrives.
    fn recover(&mut self) {
        self.end(&Ending::Accepted);
        for _ in 0..100 {
            self.send();
            if self.open.is_none() && self.device.stats().queued == 0 {
                return;
            }
            self.end(&Ending::Accepted);
            self.device.pass(super::harness::HOUR);
        }
        panic!("never drained: {:?}", self.device.stats());
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_in_silence_and_no_byte_changes(actions in prop::collection::vec(action(), 1..120)) {
        let mut world = World::new();
        for action in &actions {
            world.act(action);
            world.check();
        }
        world.recover();
        world.check();
    }

    #[test]
    fn an_event_belongs_to_one_epoch(actions in prop::collection::vec(action(), 1..120)) {
        let mut world = World::new();
        actions.iter().for_each(|action| world.act(action));
        world.recover();
        let mut users: BTreeMap<String, String> = BTreeMap::new();
        for text in world.seen.values() {
            let event: serde_json::Value = serde_json::from_str(text).unwrap();
            if let (Some(device), Some(user)) = (event["anonymous_id"].as_str(), event["user_id"].as_str()) {
                let first = users.entry(device.to_owned()).or_insert_with(|| user.to_owned());
                assert_eq!(first, user, "a device id stands for one user");
            }
        }
    }
}
