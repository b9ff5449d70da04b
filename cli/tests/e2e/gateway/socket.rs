//! A WebSocket client, frames by hand (RFC 6455 §5).

use std::net::SocketAddr;

use serde_json::Value;

use crate::support::{Connection, Request};

/// An open socket.
#[derive(Debug)]
pub(crate) struct Socket(Connection);

impl Socket {
    /// Opens one with `request`, to which the handshake's headers are added; the answer's status where that is not 101.
    pub(crate) fn open(server: SocketAddr, request: Request) -> Result<Self, u16> {
        let mut connection = Connection::open(server).unwrap();
        let handshake = request
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let answer = connection.send(&handshake).unwrap();
        match answer.status {
            101 => Ok(Self(connection)),
            other => Err(other),
        }
    }

    /// Sends a text of less than 126 bytes, masked with zeros.
    pub(crate) fn send(&mut self, text: &str) {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).unwrap();
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat();
        self.0.write(&frame).unwrap();
    }

    /// Sends a text as servers do, unmasked: for a mirror that sends it back as it came.
    pub(crate) fn send_unmasked(&mut self, text: &str) {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).unwrap();
        self.0.write(&[&[0x81, length], text.as_bytes()].concat()).unwrap();
    }

    /// The next text, which must be JSON; pings are passed over.
    pub(crate) fn next(&mut self) -> Value {
        loop {
            let (kind, payload) = self.frame();
            match kind {
                0x1 => return serde_json::from_slice(&payload).unwrap(),
                0x9 => {}
                other => panic!("frame {other:#x}: {}", String::from_utf8_lossy(&payload)),
            }
        }
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.0.read_exact(2).unwrap();
        let length = match head[1] {
            126 => {
                let length = self.0.read_exact(2).unwrap();
                usize::from(u16::from_be_bytes([length[0], length[1]]))
            }
            127 => panic!("a frame of more than 64 KiB"),
            short => usize::from(short),
        };
        (head[0] & 0x0f, self.0.read_exact(length).unwrap())
    }
}
