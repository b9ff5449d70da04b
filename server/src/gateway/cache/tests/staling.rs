//! Stale answers, given on purpose (RFC 5861).

use super::*;

const SOON: Duration = Duration::from_millis(10);

/// Until what goes on behind the caller's back is done: time passes only while nobody has anything to do.
async fn settled() {
    tokio::time::sleep(SOON * 100).await;
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_given_at_once_while_one_new_one_is_fetched_behind() {
    let house = House::with("stale_while_revalidate = \"30s\"", SOON, |call, _| minute(call));
    house.get("/a", &[]).await;
    house.pass_seconds(90);
    for _ in 0..5 {
        let stale = house.get("/a", &[]).await;
        assert_eq!((stale.body.as_str(), stale.how()), ("1", "hit; ttl=-30"));
    }
    settled().await;
    assert_eq!(house.asked(), 2);
    assert_eq!(house.get("/a", &[]).await.body, "2");
    house.pass_seconds(91);
    assert_eq!(house.get("/a", &[]).await.body, "3", "31 seconds stale is too much");
}

#[tokio::test(start_paused = true)]
async fn a_head_has_the_whole_answer_renewed_behind() {
    let house = House::with("stale_while_revalidate = \"30s\"", SOON, |call, _| minute(call));
    house.get("/a", &[]).await;
    house.pass_seconds(61);
    house.ask(Method::HEAD, "/a", &[]).await;
    settled().await;
    assert_eq!(
        (house.get("/a", &[]).await.body.as_str(), house.last_asked().method),
        ("2", Method::GET)
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_leaves_the_stale_answer_for_the_time_it_has() {
    let house = House::with("stale_while_revalidate = \"30s\"", SOON, |call, _| match call {
        1 => minute(call),
        _ => Ok(response(503, &[], "down")),
    });
    house.get("/a", &[]).await;
    house.pass_seconds(70);
    for asked in [2, 3] {
        assert_eq!(house.get("/a", &[]).await.body, "1");
        settled().await;
        assert_eq!(house.asked(), asked);
    }
    house.pass_seconds(30);
    assert_eq!(house.get("/a", &[]).await.body, "down");
}

fn fails(call: usize) -> Answer {
    match call {
        1 => minute(call),
        2 => Ok(response(500, &[], "broken")),
        3 => Err(Problem::new(crate::gateway::problem::Code::GatewayTimeout, "users")),
        _ => Ok(response(404, &[], "gone")),
    }
}

#[tokio::test]
async fn a_stale_answer_stands_in_for_a_failing_upstream() {
    let house = House::with("stale_if_error = \"5m\"", Duration::ZERO, |call, _| fails(call));
    house.get("/a", &[]).await;
    house.pass_seconds(360);
    let stale = house.get("/a", &[]).await;
    assert_eq!((stale.body.as_str(), stale.header("age")), ("1", "360"));
    assert_eq!(stale.how(), "fwd=stale; fwd-status=500; detail=stale-if-error");
    assert_eq!(house.get("/a", &[]).await.how(), "fwd=stale; detail=stale-if-error");
    assert_eq!(
        house.get("/a", &[]).await.body,
        "gone",
        "an answer of the upstream is no failure"
    );
}

#[tokio::test]
async fn without_permission_a_failure_is_a_failure() {
    let house = House::with("stale_if_error = \"5m\"", Duration::ZERO, |call, _| fails(call));
    house.get("/a", &[]).await;
    house.pass_seconds(361);
    assert_eq!(house.get("/a", &[]).await.body, "broken");
    assert!(house.send(API, request(Method::GET, "/a", &[])).await.is_err());
}
