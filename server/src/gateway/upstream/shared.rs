//! The one HTTP/2 connection of an address, which all its requests share.

use std::io;
use std::sync::Mutex;

use hyper::client::conn::http2;

use super::lock;
use super::outgoing::Outgoing;

/// What requests are sent with; hyper holds those back that the upstream's limit of streams has no room for.
pub(super) type Sender = http2::SendRequest<Outgoing>;

/// The connection, once there is one.
#[derive(Default)]
pub(super) struct Shared {
    current: Mutex<Option<Sender>>,
    /// Held while one is made, so that a burst of requests makes one and not many.
    connecting: tokio::sync::Mutex<()>,
}

impl Shared {
    /// The connection, if it is open.
    pub(super) fn open(&self) -> Option<Sender> {
        lock(&self.current).clone().filter(|sender| !sender.is_closed())
    }

    /// The connection, made by `connect` if it is not open. Says whether it was.
    ///
    /// # Errors
    /// Those of `connect`.
    pub(super) async fn opened(&self, connect: impl Future<Output = io::Result<Sender>>) -> io::Result<(Sender, bool)> {
        let _one = self.connecting.lock().await;
        if let Some(sender) = self.open() {
            return Ok((sender, true));
        }
        let sender = connect.await?;
        *lock(&self.current) = Some(sender.clone());
        Ok((sender, false))
    }
}
