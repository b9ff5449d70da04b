//! Hooks and notices of the native client.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::peer::{Peer, Reply};
use trailmark_core::{Capture, Client, Notice, Properties};

const LONG: Duration = Duration::from_secs(20);

fn names(peer: &Peer) -> Vec<serde_json::Value> {
    peer.next()
        .events()
        .iter()
        .map(|event| event["event"].clone())
        .collect()
}

#[test]
fn a_hook_sees_and_changes_the_whole_event_or_drops_it() {
    let peer = Peer::start([]);
    let client = Client::builder(&peer.url(), "tm_pk_test")
        .before_send(|mut draft| {
            assert!(draft.name.starts_with('$') || draft.properties.as_json().contains("plan"));
            draft.properties.insert("hooked", true);
            (draft.name != "secret").then_some(draft)
        })
        .before_send(|draft| {
            if draft.name == "bad" {
                panic!("on purpose")
            } else {
                Some(draft)
            }
        })
        .build()
        .unwrap();
    client.register(Properties::new().with("plan", "pro"));
    client.track("secret", Properties::new());
    client.track("bad", Properties::new());
    client.capture(
        Capture::new("backend")
            .anonymous_id("d1")
            .properties(Properties::new().with("plan", 1)),
    );
    client.identify("u_1", Properties::new());
    let report = client.shutdown(LONG);
    assert_eq!(
        (
            report.delivered,
            client.stats().dropped["before_send"],
            client.stats().hook_panics
        ),
        (3, 1, 1)
    );
    let events = peer.next().events();
    assert_eq!(
        events[0]["properties"],
        serde_json::json!({"plan": "pro", "hooked": true})
    );
    assert_eq!(events[1]["properties"], serde_json::json!({"plan": 1, "hooked": true}));
    assert_eq!(events[2]["event"], "$identify");
}

#[test]
fn a_hook_may_use_the_client_it_belongs_to() {
    let peer = Peer::start([]);
    let inner: Arc<Mutex<Option<Client>>> = Arc::default();
    let seen = Arc::clone(&inner);
    let client = Client::builder(&peer.url(), "tm_pk_test")
        .before_send(move |draft| {
            let once = seen.lock().unwrap().take();
            if let Some(client) = once {
                client.track("from the hook", Properties::new());
            }
            Some(draft)
        })
        .build()
        .unwrap();
    *inner.lock().unwrap() = Some(client.clone());
    client.track("outer", Properties::new());
    assert_eq!(client.shutdown(LONG).delivered, 2);
    assert_eq!(names(&peer), ["from the hook", "outer"]);
}

#[test]
fn the_app_is_told_of_drops_and_of_a_refused_key_and_may_panic_over_it() {
    let peer = Peer::start([Reply::status(401)]);
    let told: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let notes = Arc::clone(&told);
    let client = Client::builder(&peer.url(), "tm_pk_test")
        .on_error(move |notice| {
            notes.lock().unwrap().push(notice.clone());
            panic!("on purpose");
        })
        .build()
        .unwrap();
    client.track("", Properties::new());
    client.track("kept", Properties::new());
    let report = client.flush_blocking(LONG);
    assert_eq!(report.pending, 1);
    client.shutdown(LONG);
    let told = told.lock().unwrap();
    assert_eq!(
        *told,
        [
            Notice::Dropped("missing_name".into()),
            Notice::KeyRefused("status 401".into())
        ]
    );
}

#[test]
fn an_event_that_a_hook_captures_is_not_handed_to_it() {
    let peer = Peer::start([]);
    let inside = Arc::new(Mutex::new(None::<Client>));
    let hook_has = Arc::clone(&inside);
    let client = Client::builder(&peer.url(), "tm_pk_test")
        .before_send(move |mut draft| {
            let client = hook_has.lock().unwrap().clone().unwrap();
            client.track("from the hook", Properties::new());
            draft.properties.insert("hooked", true);
            Some(draft)
        })
        .build()
        .unwrap();
    *inside.lock().unwrap() = Some(client.clone());
    client.track("one", Properties::new());
    client.track("two", Properties::new());
    assert_eq!((client.shutdown(LONG).delivered, client.stats().hook_panics), (4, 0));
    assert_eq!(names(&peer), ["from the hook", "one", "from the hook", "two"]);
}

#[test]
fn what_is_refused_as_it_is_stays_refused_behind_a_hook_that_writes_it_anew() {
    let client = Client::builder("http://127.0.0.1:9", "tm_pk_test")
        .before_send(|mut draft| {
            draft.properties = Properties::accept(draft.properties.as_json());
            draft.set = Properties::accept(draft.set.as_json());
            Some(draft)
        })
        .build()
        .unwrap();
    let wide = (0..600).fold(Properties::new(), |wide, n| wide.with(&format!("k{n}"), n));
    client.register(Properties::new().with("plan", "pro"));
    client.track("broken", Properties::accept("{broken"));
    client.track("wide", wide);
    client.identify("u_1", Properties::accept("[1]"));
    client.set(Properties::accept("7"), Properties::new());
    let stats = client.stats();
    assert_eq!(stats.queued, 0);
    assert_eq!(
        (stats.dropped["invalid_event"], stats.dropped["too_many_properties"]),
        (3, 1)
    );
}

#[test]
fn a_hook_of_one_client_that_captures_with_another_one_does_not_pass_by_its_hooks() {
    let scrubbed = Client::builder("http://127.0.0.1:9", "tm_pk_test")
        .before_send(|_| None)
        .build()
        .unwrap();
    let other = scrubbed.clone();
    let client = Client::builder("http://127.0.0.1:9", "tm_pk_test")
        .before_send(move |draft| {
            other.track("secret", Properties::new());
            Some(draft)
        })
        .build()
        .unwrap();
    client.track("one", Properties::new());
    assert_eq!((scrubbed.queued(), scrubbed.stats().dropped["before_send"]), (0, 1));
}
