//! Many who ask for the same at once.

use futures_util::future::join_all;
use tokio::time::Instant;

use super::*;

const LATENCY: Duration = Duration::from_millis(100);

async fn hundred(house: &House, lines: impl Fn(usize) -> Vec<(&'static str, &'static str)>) -> Vec<Seen> {
    join_all((0..100).map(|caller| {
        let lines = lines(caller);
        async move { house.get("/a", &lines).await }
    }))
    .await
}

#[tokio::test(start_paused = true)]
async fn a_hundred_misses_at_once_are_one_fetch() {
    let house = House::with("", LATENCY, |call, _| minute(call));
    let seen = hundred(&house, |_| Vec::new()).await;
    assert_eq!(house.asked(), 1);
    assert!(seen.iter().all(|seen| seen.body == "1"));
    let collapsed = seen.iter().filter(|seen| seen.how() == "fwd=miss; collapsed").count();
    assert_eq!(collapsed, 99);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_find_it_stale_are_one_question() {
    let house = House::with("", LATENCY, |call, parts| {
        match parts.headers.contains_key("if-none-match") {
            true => Ok(response(304, &[("etag", "\"v\"")], "")),
            false => Ok(response(
                200,
                &[("cache-control", "max-age=60"), ("etag", "\"v\"")],
                call.to_string(),
            )),
        }
    });
    house.get("/a", &[]).await;
    house.pass_seconds(60);
    assert!(
        hundred(&house, |_| Vec::new())
            .await
            .iter()
            .all(|seen| seen.body == "1")
    );
    assert_eq!(house.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_private_answer_fetches_at_once_with_all_others() {
    let house = House::with("", LATENCY, |call, _| says(call, "private"));
    let began = Instant::now();
    let seen = hundred(&house, |_| Vec::new()).await;
    assert_eq!((house.asked(), began.elapsed()), (100, LATENCY * 2));
    let mut bodies: Vec<_> = seen.into_iter().map(|seen| seen.body).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 100, "each has its own");
    let began = Instant::now();
    hundred(&house, |_| Vec::new()).await;
    assert_eq!(began.elapsed(), LATENCY, "and the next do not even wait");
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_but_stale_at_once_keeps_nobody_waiting() {
    let lines: Lines<'static> = &[("cache-control", "no-cache"), ("etag", "\"v\"")];
    let house = House::with("", LATENCY, move |call, _| Ok(response(200, lines, call.to_string())));
    let began = Instant::now();
    hundred(&house, |_| Vec::new()).await;
    assert_eq!((house.asked(), began.elapsed()), (100, LATENCY * 2));
}

#[tokio::test(start_paused = true)]
async fn callers_with_credentials_and_without_do_not_wait_for_each_other() {
    let house = House::with("", LATENCY, |call, _| minute(call));
    let (known, anybody) = (house.known(), &house);
    let began = Instant::now();
    let (one, other) = tokio::join!(known.get("/a", &[]), anybody.get("/a", &[]));
    assert_eq!(
        (one.how(), other.how(), began.elapsed()),
        ("fwd=miss", "fwd=miss; stored", LATENCY)
    );
}

#[tokio::test(start_paused = true)]
async fn who_turns_out_to_want_another_variant_waits_for_that() {
    let lines: Lines<'static> = &[("cache-control", "max-age=60"), ("vary", "accept-language")];
    let house = House::with("", LATENCY, move |_, parts| {
        let language = parts.headers["accept-language"].to_str().unwrap().to_owned();
        Ok(response(200, lines, language))
    });
    let language = |caller: usize| if caller.is_multiple_of(2) { "de" } else { "en" };
    let seen = hundred(&house, |caller| vec![("accept-language", language(caller))]).await;
    assert!(
        seen.iter()
            .enumerate()
            .all(|(caller, seen)| seen.body == language(caller))
    );
    assert_eq!(house.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_hangs_keeps_the_others_for_as_long_as_their_patience() {
    let house = House::with("", Duration::from_secs(60), |call, _| minute(call));
    let began = Instant::now();
    let seen = hundred(&house, |_| Vec::new()).await;
    assert!(seen.iter().all(|seen| seen.status == StatusCode::OK));
    assert_eq!(began.elapsed(), Duration::from_secs(65));
}

#[tokio::test(start_paused = true)]
async fn a_failing_fetch_sends_those_who_waited_on_their_own_way() {
    let house = House::with("", LATENCY, |call, _| match call {
        1 => Err(Problem::new(crate::gateway::problem::Code::BadGateway, "users")),
        _ => minute(call),
    });
    let all = join_all((0..100).map(|_| house.send(API, request(Method::GET, "/a", &[])))).await;
    assert_eq!(all.iter().filter(|answer| answer.is_err()).count(), 1);
    assert_eq!(house.asked(), 100);
}

#[tokio::test(start_paused = true)]
async fn who_waits_while_the_upstream_fails_is_given_the_stale_answer_too() {
    let house = House::with("stale_if_error = \"5m\"", LATENCY, |call, _| match call {
        1 => minute(call),
        _ => Ok(response(503, &[], "down")),
    });
    house.get("/a", &[]).await;
    house.pass_seconds(61);
    assert!(
        hundred(&house, |_| Vec::new())
            .await
            .iter()
            .all(|seen| seen.body == "1")
    );
    assert_eq!(house.asked(), 2, "a failing upstream is asked once");
}

#[tokio::test(start_paused = true)]
async fn where_the_first_goes_away_the_next_fetches_for_all() {
    let house = Arc::new(House::with("", LATENCY, |call, _| minute(call)));
    let first = Arc::clone(&house);
    let first = tokio::spawn(async move { first.get("/a", &[]).await });
    tokio::task::yield_now().await;
    assert_eq!(house.asked(), 1);
    let others = Arc::clone(&house);
    let others = tokio::spawn(async move { hundred(&others, |_| Vec::new()).await });
    tokio::task::yield_now().await;
    first.abort();
    assert!(others.await.unwrap().iter().all(|seen| seen.body == "2"));
    assert_eq!(house.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_changed_meanwhile_is_fetched_anew_by_those_who_waited() {
    let house = Arc::new(House::with("", LATENCY, |call, _| minute(call)));
    let all = Arc::clone(&house);
    let all = tokio::spawn(async move { hundred(&all, |_| Vec::new()).await });
    tokio::task::yield_now().await;
    house.cache.invalidate("users", API, &"/a".parse().unwrap()).await;
    let old = all.await.unwrap().iter().filter(|seen| seen.body == "1").count();
    assert_eq!(old, 1, "only the one who asked before");
}
