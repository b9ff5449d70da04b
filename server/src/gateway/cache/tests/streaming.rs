//! Bodies: stored while they stream, and never at the caller's cost.

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;

use super::*;

type Chunk = Result<Bytes, std::io::Error>;

/// An upstream whose first answer's body is written by the test, and the later ones are call numbers.
fn written(lines: Lines<'static>) -> (House, mpsc::UnboundedSender<Chunk>) {
    let (sender, receiver) = mpsc::unbounded_channel::<Chunk>();
    let receiver = Mutex::new(Some(receiver));
    let house = House::new(move |call, _| match receiver.lock().unwrap().take() {
        Some(chunks) => Ok(response(200, lines, Body::from_stream(chunks_of(chunks)))),
        None => minute(call),
    });
    (house, sender)
}

fn chunks_of(chunks: mpsc::UnboundedReceiver<Chunk>) -> impl stream::Stream<Item = Chunk> + Send {
    stream::unfold(chunks, |mut chunks| async move { Some((chunks.recv().await?, chunks)) })
}

const FRESH: Lines<'static> = &[("cache-control", "max-age=60")];

async fn chunk(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    Some(body.frame().await?.map(|frame| frame.into_data().unwrap()))
}

async fn begun(house: &House) -> Body {
    house
        .send(API, request(Method::GET, "/a", &[]))
        .await
        .unwrap()
        .into_body()
}

/// Lets tasks run until `done`.
async fn until(done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to that");
}

#[tokio::test]
async fn the_first_byte_does_not_wait_for_the_last() {
    let (house, upstream) = written(FRESH);
    let mut body = begun(&house).await;
    upstream.send(Ok(Bytes::from("on"))).unwrap();
    assert_eq!(chunk(&mut body).await.unwrap().unwrap(), "on");
    upstream.send(Ok(Bytes::from("e"))).unwrap();
    drop(upstream);
    assert_eq!(chunk(&mut body).await.unwrap().unwrap(), "e");
    assert!(chunk(&mut body).await.is_none());
    assert_eq!(house.get("/a", &[]).await.body, "one");
}

#[tokio::test]
async fn a_body_whose_caller_goes_away_is_stored_all_the_same() {
    let (house, upstream) = written(FRESH);
    let mut body = begun(&house).await;
    upstream.send(Ok(Bytes::from("on"))).unwrap();
    chunk(&mut body).await;
    drop(body);
    upstream.send(Ok(Bytes::from("e"))).unwrap();
    drop(upstream);
    until(|| house.cache.weight() > 0).await;
    assert_eq!(house.get("/a", &[]).await.body, "one");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_reads_slowly_holds_up_nobody() {
    let (house, upstream) = written(FRESH);
    let unread = begun(&house).await;
    upstream.send(Ok(Bytes::from("one"))).unwrap();
    drop(upstream);
    assert_eq!(house.get("/a", &[]).await.body, "one");
    assert_eq!(unread.collect().await.unwrap().to_bytes(), "one");
}

#[tokio::test]
async fn a_body_that_breaks_off_breaks_off_for_the_caller_and_is_not_stored() {
    let (house, upstream) = written(FRESH);
    let mut body = begun(&house).await;
    upstream.send(Ok(Bytes::from("on"))).unwrap();
    upstream.send(Err(std::io::Error::other("reset"))).unwrap();
    assert_eq!(chunk(&mut body).await.unwrap().unwrap(), "on");
    assert!(chunk(&mut body).await.unwrap().is_err());
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn a_body_shorter_than_it_was_said_to_be_is_not_stored() {
    let (house, upstream) = written(&[("cache-control", "max-age=60"), ("content-length", "4")]);
    let body = begun(&house).await;
    upstream.send(Ok(Bytes::from("one"))).unwrap();
    drop(upstream);
    body.collect().await.unwrap();
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn an_endless_body_streams_on_past_the_bound_at_its_callers_pace() {
    let (house, upstream) = written(FRESH);
    let mut body = begun(&house).await;
    for _ in 0..100 {
        upstream.send(Ok(Bytes::from(vec![b'x'; 1 << 10]))).unwrap();
        assert_eq!(chunk(&mut body).await.unwrap().unwrap().len(), 1 << 10);
    }
    drop(body);
    until(|| upstream.is_closed()).await;
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn a_body_said_to_be_too_large_is_not_even_begun() {
    let (house, upstream) = written(&[("cache-control", "max-age=60"), ("content-length", "8193")]);
    let response = house.send(API, request(Method::GET, "/a", &[])).await.unwrap();
    assert_eq!(response.headers()["cache-status"], "trailmark; fwd=miss");
    drop(response);
    assert!(upstream.is_closed(), "whoever goes away takes it along");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_takes_too_long_is_left_to_its_caller() {
    let (house, upstream) = written(FRESH);
    let mut body = begun(&house).await;
    upstream.send(Ok(Bytes::from("on"))).unwrap();
    chunk(&mut body).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    upstream.send(Ok(Bytes::from("e"))).unwrap();
    drop(upstream);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "e");
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn bodies_on_their_way_have_a_bound_together() {
    let house = House::new(|_, _| {
        let endless = stream::once(async { Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 8 << 10])) });
        Ok(response(
            200,
            FRESH,
            Body::from_stream(stream::StreamExt::chain(endless, stream::pending())),
        ))
    });
    let mut unread = Vec::new();
    for page in 0..9 {
        let asked = request(Method::GET, &format!("/{page}"), &[]);
        unread.push(house.send(API, asked).await.unwrap().into_body());
    }
    for body in &mut unread {
        assert_eq!(
            chunk(body).await.unwrap().unwrap().len(),
            8 << 10,
            "nobody waits for room"
        );
    }
    assert_eq!(house.cache.room.taken(), 64 << 10, "the ninth was given up");
    drop(house);
}

#[tokio::test]
async fn a_broken_off_task_is_no_end_of_a_body() {
    let room = Room::new(1 << 10);
    let (mut body, filling) = super::super::fill::split(Body::from("one"), None, 10, room.share());
    drop(filling);
    assert!(chunk(&mut body).await.unwrap().is_err());
}
