//! Clients that are too slow or too fast.

use std::time::Duration;

use super::super::testing::{Site, close_code, heard, said, say};

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_the_others_go_on() {
    let site = Site::new("queue = 8\nqueue_bytes = \"256KiB\"").await;
    let mut slow = site.open("slow").await;
    let mut quick = site.open("quick").await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    let mut sent = 0;
    while site.hub.state().dropped["too_slow"] == 0 {
        for user in ["slow", "quick"] {
            site.publish(&format!("hub.chat.user.{user}"), large.clone());
        }
        sent += 1;
        assert_eq!(said(&mut quick).await["data"].as_str().unwrap().len(), 100_000);
        // What the kernel keeps for both ends is a few MiB.
        assert!(sent < 1000, "a hundred MB wait somewhere");
    }
    assert_eq!(close_code(&mut slow).await, 1013);
    site.until(|hub| hub.state().open == 1).await;
    site.publish("hub.chat.user.quick", "1");
    assert_eq!(said(&mut quick).await["data"], 1);
}

#[tokio::test]
async fn a_service_cannot_close_a_client_with_a_message_that_no_queue_takes() {
    let site = Site::new("queue_bytes = 1000").await;
    let mut ann = site.open("ann").await;
    site.publish("hub.chat.user.ann", "x".repeat(1001));
    site.publish("hub.chat.user.ann", "1");
    assert_eq!(said(&mut ann).await["data"], 1);
    assert_eq!(site.hub.state().dropped["too_large"], 1);
}

#[tokio::test]
async fn a_client_that_floods_is_read_at_its_pace_and_loses_nothing() {
    let site = Site::new("messages_per_second = 20").await;
    let mut services = site.listen("hub.chat.in");
    let mut ann = site.open("ann").await;
    let started = std::time::Instant::now();
    for n in 0..30 {
        say(&mut ann, &n.to_string()).await;
    }
    for n in 0..30 {
        assert_eq!(heard(&mut services).await["data"], n);
    }
    // Twenty at once, ten more at 50 ms each.
    assert!(
        started.elapsed() >= Duration::from_millis(450),
        "{:?}",
        started.elapsed()
    );
}
