use axum::body::Body;
use http_body_util::BodyExt;
use proptest::prelude::*;

use super::*;

const PATIENCE: Patience = Patience {
    header: Duration::from_secs(10),
    idle: Duration::from_secs(75),
    write: Duration::from_secs(30),
};

/// How many seconds after what `story` ends with the client is given up, and why.
async fn given_up(watch: &Watch, story: impl Future<Output = Instant>) -> (u64, Late) {
    let late = async {
        let late = watch.late(&PATIENCE).await;
        (Instant::now(), late)
    };
    let ((at, late), from) = tokio::join!(late, story);
    (at.duration_since(from).as_secs(), late)
}

async fn hour_passes(watch: &Watch) -> bool {
    let waited = tokio::time::timeout(Duration::from_secs(3600), watch.late(&PATIENCE)).await;
    waited.is_err()
}

async fn seconds(seconds: u64) -> Instant {
    sleep(Duration::from_secs(seconds)).await;
    Instant::now()
}

#[tokio::test(start_paused = true)]
async fn who_never_asks_is_given_up_after_the_header_timeout() {
    let watch = Watch::begin();
    watch.received();
    assert_eq!(given_up(&watch, async { watch.began }).await, (10, Late::Header));
}

#[tokio::test(start_paused = true)]
async fn who_has_been_answered_may_be_idle_for_longer() {
    let watch = Watch::begin();
    let request = watch.request(false);
    let answered = async {
        let answered = seconds(103).await;
        drop(request);
        answered
    };
    assert_eq!(given_up(&watch, answered).await, (75, Late::Idle));
}

#[tokio::test(start_paused = true)]
async fn headers_begun_must_end() {
    let watch = Watch::begin();
    drop(watch.request(false));
    let trickled = async {
        let begun = seconds(67).await;
        watch.received();
        seconds(5).await;
        watch.received();
        begun
    };
    assert_eq!(given_up(&watch, trickled).await, (10, Late::Header));
}

#[tokio::test(start_paused = true)]
async fn pings_of_an_idle_client_do_not_count_as_headers() {
    let watch = Watch::begin();
    drop(watch.request(true));
    let pinged = async {
        seconds(20).await;
        watch.received();
        watch.began
    };
    assert_eq!(given_up(&watch, pinged).await, (75, Late::Idle));
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_not_the_clients_fault() {
    let watch = Watch::begin();
    let _request = watch.request(false);
    assert!(hour_passes(&watch).await);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_given_up_and_every_byte_taken_counts() {
    let watch = Watch::begin();
    let _request = watch.request(false);
    watch.sent(false);
    let took_some = async {
        let took = seconds(29).await;
        watch.sent(true);
        watch.sent(false);
        took
    };
    assert_eq!(given_up(&watch, took_some).await, (30, Late::Write));
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_room_is_given_up_and_one_that_waits_for_its_server_is_not() {
    let watch = Watch::begin();
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("a"), Ok("b")]);
    let body = Body::from_stream(futures_util::StreamExt::chain(chunks, futures_util::stream::pending()));
    let mut served = watch.request(true).answered(body);
    let _ = served.frame().await;
    assert_eq!(given_up(&watch, async { Instant::now() }).await, (30, Late::Write));
    let _ = served.frame().await;
    assert!(futures_util::FutureExt::now_or_never(served.frame()).is_none());
    assert!(hour_passes(&watch).await);
}

proptest! {
    #[test]
    fn whatever_begins_during_a_sleep_falls_due_after_it(
        header in 1u64..100, idle in 1u64..100, write in 1u64..100, slept_at in 0u64..1000, begins in 0u64..100,
        kind in 0..3,
    ) {
        let s = Duration::from_secs;
        let patience = Patience { header: s(header), idle: s(idle), write: s(write) };
        let since = s(slept_at) + s(begins).min(patience.shortest());
        let mut doing = Doing { has_asked: true, ..Doing::default() };
        match kind {
            0 => doing.head_since = Some(since),
            1 => doing.quiet_since = since,
            _ => (doing.requests, doing.blocked_since) = (1, Some(since)),
        }
        let (due, _) = doing.due(&patience).unwrap();
        prop_assert!(due >= s(slept_at) + patience.shortest());
    }
}
