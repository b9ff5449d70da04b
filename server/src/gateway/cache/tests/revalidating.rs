//! Conditional requests, the caller's and the cache's.

use super::*;

const TAGGED: Lines<'static> = &[
    ("cache-control", "max-age=60"),
    ("etag", "\"v1\""),
    ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("content-type", "text/plain"),
    ("content-length", "3"),
];

/// Answers `one` at first, and then what `then` says.
fn tagged(rules: &str, then: impl Fn(usize, &Parts) -> Answer + Send + Sync + 'static) -> House {
    House::with(rules, Duration::ZERO, move |call, parts| match call {
        1 => Ok(response(200, TAGGED, "one")),
        _ => then(call, parts),
    })
}

fn not_modified(lines: Lines<'_>) -> Answer {
    Ok(response(304, lines, ""))
}

#[tokio::test]
async fn a_caller_who_has_it_is_told_so_from_the_cache() {
    let house = tagged("", |_, _| panic!("nobody is asked"));
    house.get("/a", &[]).await;
    for line in [
        ("if-none-match", "W/\"v1\""),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ] {
        let known = house.get("/a", &[line]).await;
        assert_eq!(
            (known.status, known.body.as_str(), known.header("etag")),
            (StatusCode::NOT_MODIFIED, "", "\"v1\"")
        );
        assert_eq!((known.header("content-length"), known.header("age")), ("", "0"));
    }
    let other = house.get("/a", &[("if-none-match", "\"v0\"")]).await;
    assert_eq!((other.status, other.body.as_str()), (StatusCode::OK, "one"));
}

#[tokio::test]
async fn a_miss_with_a_condition_fetches_all_of_it_for_all() {
    let house = tagged("", |_, _| panic!("stored by the first"));
    let known = house.get("/a", &[("if-none-match", "\"v1\"")]).await;
    assert_eq!(
        (known.status, known.how()),
        (StatusCode::NOT_MODIFIED, "fwd=miss; stored")
    );
    assert!(!house.last_asked().headers.contains_key("if-none-match"));
    let mut asked = 0;
    while house.cache.weight() == 0 {
        asked += 1;
        assert!(asked < 100, "the rest is read behind the caller's back");
        tokio::task::yield_now().await;
    }
    assert_eq!(house.get("/a", &[]).await.body, "one");
}

#[tokio::test]
async fn the_condition_of_a_caller_with_credentials_goes_its_way() {
    let house = House::new(|_, _| not_modified(&[("etag", "\"v1\"")]));
    let known = house.known().get("/a", &[("if-none-match", "\"v1\"")]).await;
    assert_eq!((known.status, known.how()), (StatusCode::NOT_MODIFIED, "fwd=miss"));
    assert_eq!(house.last_asked().headers["if-none-match"], "\"v1\"");
}

#[tokio::test]
async fn a_stale_answer_is_asked_about_and_lives_on_with_the_headers_of_the_304() {
    let house = tagged("", |_, _| {
        not_modified(&[
            ("etag", "\"v1\""),
            ("cache-control", "max-age=30"),
            ("x-new", "1"),
            ("content-length", "0"),
        ])
    });
    house.get("/a", &[]).await;
    house.pass_seconds(60);
    let renewed = house.get("/a", &[("if-none-match", "\"v0\"")]).await;
    assert_eq!(
        (renewed.body.as_str(), renewed.how()),
        ("one", "fwd=stale; fwd-status=304")
    );
    assert_eq!(
        (
            renewed.header("x-new"),
            renewed.header("content-length"),
            renewed.header("age")
        ),
        ("1", "3", "0")
    );
    let asked = house.last_asked().headers;
    assert_eq!(
        (&asked["if-none-match"], &asked["if-modified-since"]),
        (&TAGGED[1].1.parse().unwrap(), &TAGGED[2].1.parse().unwrap())
    );
    house.pass_seconds(29);
    assert_eq!(
        house.get("/a", &[]).await.how(),
        "hit; ttl=1",
        "for as long as the 304 said"
    );
    assert_eq!(house.asked(), 2);
}

#[tokio::test]
async fn no_cache_on_an_answer_stores_it_and_asks_about_it_each_time() {
    let lines: Lines<'static> = &[("cache-control", "no-cache"), ("etag", "\"v1\"")];
    let house = House::new(move |call, _| match call {
        1 => Ok(response(200, lines, "one")),
        _ => not_modified(lines),
    });
    house.get("/a", &[]).await;
    for asked in [2, 3] {
        assert_eq!(house.get("/a", &[("cache-control", "max-stale")]).await.body, "one");
        assert_eq!(house.asked(), asked);
    }
}

#[tokio::test]
async fn a_new_answer_takes_the_place_of_the_stale_one() {
    let house = tagged("", |call, _| minute(call));
    house.get("/a", &[]).await;
    house.pass_seconds(60);
    assert_eq!(house.get("/a", &[]).await.body, "2");
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn a_304_about_something_else_is_answered_with_a_whole_fetch() {
    let house = tagged("", |call, parts| match parts.headers.contains_key("if-none-match") {
        true => not_modified(&[("etag", "\"v2\"")]),
        false => minute(call),
    });
    house.get("/a", &[]).await;
    house.pass_seconds(60);
    assert_eq!(house.get("/a", &[]).await.body, "3");
}

#[tokio::test]
async fn an_answer_that_becomes_private_is_given_once_more_and_dropped() {
    for news in [("cache-control", "private"), ("set-cookie", "sid=1")] {
        let house = tagged("", move |call, parts| {
            match parts.headers.contains_key("if-none-match") {
                true => not_modified(&[("etag", "\"v1\""), news]),
                false => minute(call),
            }
        });
        house.get("/a", &[]).await;
        house.pass_seconds(60);
        let once = house.get("/a", &[]).await;
        assert_eq!((once.body.as_str(), once.header(news.0)), ("one", news.1));
        assert_eq!(house.get("/a", &[]).await.body, "3", "{news:?}");
    }
}
