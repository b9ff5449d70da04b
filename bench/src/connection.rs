//! One keep-alive connection, one request at a time, and as much of HTTP/1.1 as its answers need.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::{Failure, Outcome};

/// Longer than any request of a load, so that a write never waits for the server to read: 256 KiB.
const SEND_BUFFER: usize = 256 * 1024;

/// A server that says nothing for this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// A connection and the bytes of its last answer.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER)?;
        Ok(Self {
            stream,
            buffer: vec![0; 4096],
            filled: 0,
        })
    }

    /// The socket, to be watched.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends a whole request.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn send(&mut self, request: &[u8]) -> Outcome<()> {
        self.filled = 0;
        Ok(self.stream.write_all(request)?)
    }

    /// Reads what has arrived (waits if nothing has); the answer once it is whole.
    ///
    /// # Errors
    /// The connection is gone, or what comes is not HTTP.
    pub fn receive(&mut self) -> Outcome<Option<Answer<'_>>> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.filled..])?;
        if read == 0 {
            return Err("the server closed the connection".into());
        }
        self.filled += read;
        parse(&self.buffer[..self.filled])
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// As [`Connection::send`] and [`Connection::receive`].
    pub fn ask(&mut self, request: &[u8]) -> Outcome<(u16, Vec<u8>)> {
        self.send(request)?;
        loop {
            if let Some(Answer { status, body }) = self.receive()? {
                return Ok((status, body.to_vec()));
            }
        }
    }
}

/// The answer in `bytes` if it is whole. Its length must be in `content-length`.
fn parse(bytes: &[u8]) -> Outcome<Option<Answer<'_>>> {
    let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..head])?;
    let status = text.get(9..12).ok_or("no status")?.parse()?;
    let length = text
        .split("\r\n")
        .find_map(length_of)
        .ok_or_else(|| Failure::from(format!("no length: {text}")))?;
    Ok(bytes
        .get(head + 4..head + 4 + length)
        .map(|body| Answer { status, body }))
}

fn length_of(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case("content-length")
        .then(|| value.trim().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let whole = b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nx-request-id: 1\r\n\r\nhello";
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]).unwrap(), None, "{cut}");
        }
        assert_eq!(
            parse(whole).unwrap(),
            Some(Answer {
                status: 202,
                body: b"hello"
            })
        );
    }
}
