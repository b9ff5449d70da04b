//! A client's bytes, with TLS or without, and what their coming and going says about the client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;

use super::watch::Watch;

/// How a connection's bytes travel. An enum and not a type parameter: hyper's state machine would be compiled twice, for
/// one branch saved in a call that ends in the kernel.
#[derive(Debug)]
pub enum Transport {
    /// As they are.
    Plain(TcpStream),
    /// Encrypted. Boxed, for its buffers are 1 KiB of state that plain connections need not carry.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection's bytes, watched; it counts as a connection until it is dropped, also after an upgrade.
#[derive(Debug)]
pub struct Watched {
    transport: Transport,
    watch: Arc<Watch>,
    _slot: OwnedSemaphorePermit,
}

impl Watched {
    /// Watches `transport`, which takes up `slot`.
    #[must_use]
    pub fn new(transport: Transport, watch: Arc<Watch>, slot: OwnedSemaphorePermit) -> Self {
        Self {
            transport,
            watch,
            _slot: slot,
        }
    }

    fn socket(&self) -> &TcpStream {
        match &self.transport {
            Transport::Plain(stream) => stream,
            Transport::Tls(stream) => stream.get_ref().0,
        }
    }

    fn sent<T>(&self, polled: Poll<T>) -> Poll<T> {
        self.watch.sent(polled.is_ready());
        polled
    }
}

macro_rules! either {
    ($transport:expr, $stream:ident => $call:expr) => {
        match $transport {
            Transport::Plain($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Transport::Tls($stream) => {
                let $stream = Pin::new(&mut **$stream);
                $call
            }
        }
    };
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = either!(&mut self.transport, stream => stream.poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.watch.received();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = either!(&mut self.transport, stream => stream.poll_write(cx, bytes));
        self.sent(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = either!(&mut self.transport, stream => stream.poll_write_vectored(cx, bytes));
        self.sent(polled)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            // A TCP stream keeps nothing back, so its flush says nothing about the client.
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => {
                let polled = Pin::new(&mut **stream).poll_flush(cx);
                self.sent(polled)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = either!(&mut self.transport, stream => stream.poll_shutdown(cx));
        self.sent(polled)
    }
}

impl Drop for Watched {
    /// After an ordinary close the kernel keeps what was sent, 2.6 MB and more, until the client has taken it. From one that
    /// was given up because it takes nothing, that would be for ever, and no limit of ours would count it.
    fn drop(&mut self) {
        if self.watch.is_deaf() {
            // An error means that there is no connection any more.
            let _ = self.socket().set_zero_linger();
        }
    }
}
