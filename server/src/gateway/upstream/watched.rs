//! One side of a tunnel, watched as bytes go through.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::frames::Frames;

/// When a byte last moved.
pub(super) struct Moved {
    start: Instant,
    at_ms: AtomicU64,
}

impl Moved {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            at_ms: AtomicU64::new(0),
        }
    }

    fn now(&self) {
        let at = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.at_ms.store(at, Ordering::Relaxed);
    }

    /// Resolves when nothing has moved for `idle`.
    pub(super) async fn rests(&self, idle: Duration) {
        loop {
            let deadline = self.start + Duration::from_millis(self.at_ms.load(Ordering::Relaxed)) + idle;
            if Instant::now() >= deadline {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

/// One side of a tunnel, which notes that bytes moved and where frames end in what is written to it.
pub(super) struct Watched {
    io: TokioIo<Upgraded>,
    moved: Arc<Moved>,
    pub(super) written: Frames,
}

impl Watched {
    pub(super) fn new(io: Upgraded, moved: &Arc<Moved>) -> Self {
        Self {
            io: TokioIo::new(io),
            moved: Arc::clone(moved),
            written: Frames::default(),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if polled.is_ready() {
            self.moved.now();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = polled {
            self.moved.now();
            self.written.pass(&buf[..written]);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
