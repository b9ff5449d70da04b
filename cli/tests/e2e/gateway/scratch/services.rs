//! B6, B7 and B11: several instances, and answers that are kept.

use serde_json::{Value, json};

use super::super::{asked, send};
use super::{Scratch, bearer, scratch};
use crate::support::wait::until_true;
use crate::support::{Request, until};

#[test]
fn b6_requests_are_spread_by_weight_or_stay_with_a_users_instance() {
    let Scratch { server, .. } = scratch();
    let spread: Vec<Value> = (0..6)
        .map(|_| server.send(&Request::get("/weighted")).json()["service"].clone())
        .collect();
    let of = |name: &str| spread.iter().filter(|service| **service == name).count();
    assert_eq!((of("one"), of("two")), (4, 2), "{spread:?}");
    let instance = |user: &str| {
        let answer = server.send(&Request::get("/sticky").bearer(&bearer(user, &json!({}))));
        answer.json()["service"].as_str().unwrap().to_owned()
    };
    let mut instances: Vec<_> = (0..16).map(|user| instance(&format!("sticky-{user}"))).collect();
    assert_eq!(
        (0..16)
            .map(|user| instance(&format!("sticky-{user}")))
            .collect::<Vec<_>>(),
        instances
    );
    instances.sort();
    instances.dedup();
    assert_eq!(instances, ["one", "two"]);
}

/// RFC 9111, as a cache that many share.
#[test]
fn b7_a_stored_answer_is_checked_kept_apart_by_vary_and_never_somebodys_own() {
    let Scratch { server, one, .. } = scratch();
    let get = |path: &str, language: &str| {
        let (answer, id) = send(server, Request::get(path).header("accept-language", language));
        (answer, one.of(&id))
    };
    let (_, fetched) = get("/cached/tagged", "en");
    let (answer, checked) = get("/cached/tagged", "en");
    assert_eq!((answer.status, answer.json()), (200, json!({ "version": 1 })));
    let tags = [&fetched, &checked].map(|received| received[0].header("if-none-match"));
    assert_eq!(tags, [None, Some("\"v1\"")]);
    let languages = ["en", "de", "en", "de"].map(|language| get("/cached/by-language", language));
    assert_eq!(languages.each_ref().map(|(_, asked)| asked.len()), [1, 1, 0, 0]);
    assert_eq!(
        languages.map(|(answer, _)| answer.json()["language"].clone()),
        ["en", "de", "en", "de"]
    );
    let private = [(); 2].map(|()| get("/cached/private", "en").1.len());
    assert_eq!(private, [1, 1]);
}

#[test]
fn b11_an_instance_that_dies_costs_nobody_an_answer_and_is_left_out() {
    let Scratch { server, doomed, .. } = scratch();
    let ask = || server.send(&Request::get("/doomed"));
    assert_eq!([ask().status, ask().status], [200, 200]);
    assert_eq!(doomed.received().len(), 1);
    let up = || {
        let state = asked(server, &Request::get("/metrics")).text();
        let mut lines = state
            .lines()
            .filter(|line| line.starts_with("gateway_upstream_up{upstream=\"doomed\""));
        lines.any(|line| line.contains(&doomed.address().to_string()) && line.ends_with(" 1"))
    };
    // Told once a second.
    until_true("its being up", up);
    doomed.kill();
    until("its being left out", || {
        assert_eq!(ask().status, 200);
        (!up()).then_some(())
    });
}
