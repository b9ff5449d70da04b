//! A deadline that is cheap to move: one timer for many requests.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// A timer that is left where it is when its deadline moves further away, which it does with each request and each frame:
/// when it goes off too early, it is set anew. So a connection costs the timer wheel one entry for each length of a
/// deadline, and not two for each request.
#[derive(Debug)]
pub(super) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    /// One that goes off in `span` for the first time.
    pub(super) fn new(span: Duration) -> Self {
        Self(Box::pin(sleep(span)))
    }

    /// Whether `deadline` has passed; if not, the task is woken then.
    pub(super) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline < self.0.deadline() {
            self.0.as_mut().reset(deadline);
        }
        loop {
            ready!(self.0.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_off_at_its_deadline_wherever_its_timer_stood() {
        let start = Instant::now();
        let mut alarm = Alarm::new(Duration::from_secs(5));
        for seconds in [7, 8, 9, 20, 21] {
            let deadline = start + Duration::from_secs(seconds);
            poll_fn(|cx| alarm.poll(deadline, cx)).await;
            assert_eq!(Instant::now(), deadline, "later than the timer stood");
        }
        let far = start + Duration::from_secs(100);
        assert!(poll_fn(|cx| Poll::Ready(alarm.poll(far, cx).is_pending())).await);
        let near = start + Duration::from_secs(30);
        poll_fn(|cx| alarm.poll(near, cx)).await;
        assert_eq!(Instant::now(), near, "earlier than the timer stood");
    }
}
