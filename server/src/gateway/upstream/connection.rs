//! One HTTP/1.1 connection, polled by whoever uses it: no task of its own, no channel wake-ups between two tasks.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::alarm::Alarm;
use super::connect::Io;
use super::outgoing::Outgoing;
use super::wait::{Fell, Wait};

/// Where a connection's alarm stands before its first deadline: any time, as deadlines move it.
const FIRST_ALARM: Duration = Duration::from_secs(5);

/// A connection, and the half of it that moves bytes.
pub(super) struct Http1 {
    sender: http1::SendRequest<Outgoing>,
    driver: Pin<Box<http1::Connection<TokioIo<Io>, Outgoing>>>,
    is_over: bool,
    pub(super) alarm: Alarm,
}

impl Http1 {
    /// # Errors
    /// hyper's; none is known, as nothing is sent yet.
    pub(super) async fn new(io: Io) -> hyper::Result<Self> {
        let (sender, driver) = http1::Builder::new().handshake(TokioIo::new(io)).await?;
        Ok(Self {
            sender,
            driver: Box::pin(driver),
            is_over: false,
            alarm: Alarm::new(FIRST_ALARM),
        })
    }

    /// Moves what can be moved.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.is_over {
            self.is_over = self.driver.as_mut().poll(cx).is_ready();
        }
    }

    /// Whether it can carry a request, after a look at whether it was closed. What happens to it from then on wakes nobody,
    /// and is seen at the next look.
    pub(super) fn is_usable(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.is_over && self.sender.is_ready()
    }

    /// Sends a request and waits for the head of its answer. One that has not left is put back where it was.
    ///
    /// The two halves of hyper's connection would wake each other's task, which is the same one: the answer's half is
    /// looked at after each turn of the half that moves bytes, and needs nobody to wake it. That halves the turns of a
    /// request.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn reply(
        &mut self,
        request: &mut Request<Outgoing>,
        wait: &Wait<'_>,
    ) -> Result<Response<Incoming>, Fell> {
        let mut reply = pin!(self.sender.try_send_request(std::mem::take(request)));
        poll_fn(|cx| {
            if !self.is_over {
                self.is_over = self.driver.as_mut().poll(cx).is_ready();
            }
            match reply.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
                Poll::Ready(Err(error)) => Poll::Ready(Err(wait.fell(error, request))),
                Poll::Pending if self.is_over => Poll::Ready(Err(wait.broke())),
                Poll::Pending => self.alarm.poll(wait.deadline(), cx).map(|()| Err(wait.late())),
            }
        })
        .await
    }
}
