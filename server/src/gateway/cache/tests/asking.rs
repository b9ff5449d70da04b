//! What callers may ask for, and what changes the stored.

use super::*;

#[tokio::test]
async fn a_head_is_answered_from_a_stored_get_and_stores_nothing_itself() {
    let house = House::new(|call, _| minute(call));
    assert_eq!(house.ask(Method::HEAD, "/a", &[]).await.how(), "fwd=miss");
    assert_eq!((house.get("/a", &[]).await.body.as_str(), house.asked()), ("2", 2));
    let head = house.ask(Method::HEAD, "/a", &[]).await;
    assert_eq!(
        (head.how(), head.header("content-length"), head.body.as_str()),
        ("hit; ttl=60", "1", "")
    );
    house.pass_seconds(60);
    house.ask(Method::HEAD, "/a", &[]).await;
    assert_eq!(house.last_asked().method, Method::HEAD);
}

#[tokio::test]
async fn no_cache_fetches_anew_and_stores_what_comes() {
    for line in [
        ("cache-control", "No-Cache"),
        ("pragma", "no-cache"),
        ("cache-control", "max-age=0"),
    ] {
        let house = House::new(|call, _| minute(call));
        house.get("/a", &[]).await;
        house.pass_seconds(1);
        assert_eq!(house.get("/a", &[line]).await.how(), "fwd=request; stored", "{line:?}");
        assert_eq!(house.get("/a", &[]).await.body, "2");
    }
}

#[tokio::test]
async fn no_store_leaves_the_cache_alone() {
    let house = House::new(|call, _| minute(call));
    assert_eq!(
        house.get("/a", &[("cache-control", "no-store")]).await.how(),
        "fwd=request"
    );
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn only_if_cached_asks_nobody() {
    let house = House::new(|call, _| minute(call));
    let asked = request(Method::GET, "/a", &[("cache-control", "only-if-cached")]);
    assert_eq!(
        house.send(API, asked).await.unwrap_err().code().status(),
        StatusCode::GATEWAY_TIMEOUT
    );
    assert_eq!(house.asked(), 0);
    house.get("/a", &[]).await;
    assert_eq!(house.get("/a", &[("cache-control", "only-if-cached")]).await.body, "1");
}

#[tokio::test]
async fn max_stale_takes_a_stale_answer_and_min_fresh_refuses_an_old_one() {
    let house = House::new(|call, _| minute(call));
    house.get("/a", &[]).await;
    house.pass_seconds(70);
    let stale = house.get("/a", &[("cache-control", "max-stale=10")]).await;
    assert_eq!((stale.body.as_str(), stale.how()), ("1", "hit; ttl=-10"));
    assert_eq!(house.get("/a", &[("cache-control", "max-stale=9")]).await.body, "2");
    house.pass_seconds(30);
    assert_eq!(house.get("/a", &[("cache-control", "min-fresh=31")]).await.body, "3");
}

#[tokio::test]
async fn ranges_and_preconditions_pass_by() {
    let house = House::new(|call, _| minute(call));
    house.get("/a", &[]).await;
    for line in [("range", "bytes=0-1"), ("if-match", "\"a\""), ("upgrade", "websocket")] {
        assert_eq!(house.get("/a", &[line]).await.how(), "fwd=bypass", "{line:?}");
    }
    assert_eq!(house.get("/a", &[]).await.body, "1");
}

#[tokio::test]
async fn a_change_that_succeeds_makes_the_stored_invalid_and_one_that_fails_does_not() {
    for (method, status, body) in [
        (Method::POST, 201, "3"),
        (Method::PUT, 204, "3"),
        (Method::PATCH, 303, "3"),
        (Method::DELETE, 200, "3"),
        (Method::from_bytes(b"PURGE").unwrap(), 200, "3"),
        (Method::POST, 400, "1"),
        (Method::POST, 503, "1"),
        (Method::OPTIONS, 200, "1"),
    ] {
        let lines: Lines<'static> = &[("cache-control", "max-age=60")];
        let status_of = move |parts: &Parts| if parts.method == Method::GET { 200 } else { status };
        let house = House::new(move |call, parts| Ok(response(status_of(parts), lines, call.to_string())));
        house.get("/a", &[]).await;
        house.ask(method.clone(), "/a", &[]).await;
        assert_eq!(house.get("/a", &[]).await.body, body, "{method} {status}");
    }
}

#[tokio::test]
async fn a_change_takes_along_what_it_names_as_its_place() {
    let lines: Lines<'static> = &[
        ("cache-control", "max-age=60"),
        ("location", "/a/7"),
        ("content-location", "https://evil/b"),
    ];
    let house = House::new(move |call, _| Ok(response(200, lines, call.to_string())));
    house.get("/a/7", &[]).await;
    house.get("/b", &[]).await;
    house.ask(Method::POST, "/a", &[]).await;
    assert_eq!(house.get("/a/7", &[]).await.body, "4");
    assert_eq!(
        house.get("/b", &[]).await.body,
        "2",
        "another origin's address means nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_a_change_is_not_stored_after_it() {
    let house = Arc::new(House::with("", Duration::from_millis(10), |call, _| minute(call)));
    let early = Arc::clone(&house);
    let early = tokio::spawn(async move { early.get("/a", &[]).await });
    tokio::task::yield_now().await;
    assert_eq!(house.asked(), 1, "the fetch is under way");
    house.cache.invalidate("users", API, &"/a".parse().unwrap()).await;
    assert_eq!(early.await.unwrap().body, "1");
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test(start_paused = true)]
async fn a_purge_drops_what_is_stored_and_what_is_on_its_way() {
    let house = Arc::new(House::with("", Duration::from_millis(10), |call, _| minute(call)));
    house.get("/a", &[]).await;
    house.cache.purge_scope("orders").await;
    assert_eq!(house.get("/a", &[]).await.body, "1", "another scope's");
    let early = Arc::clone(&house);
    let early = tokio::spawn(async move { early.get("/b", &[]).await });
    tokio::task::yield_now().await;
    house.cache.purge_scope("users").await;
    early.await.unwrap();
    assert_eq!(
        (
            house.get("/a", &[]).await.body.as_str(),
            house.get("/b", &[]).await.body.as_str()
        ),
        ("3", "4")
    );
    house.cache.purge_all().await;
    assert_eq!(house.cache.weight(), 0);
}
