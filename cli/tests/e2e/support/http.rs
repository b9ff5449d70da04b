//! A small HTTP/1.1 client that can also misbehave: it writes the bytes it is told to.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};

use serde_json::Value;

use super::wait::PATIENCE;

/// A request, headers as given and nothing added but `Host` and `Content-Length`.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// `GET target`.
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// `POST target` with a body.
    pub(crate) fn post(target: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", target).body(body)
    }

    /// Any method, without a body.
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Gives it a body.
    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// `Authorization: Bearer key`.
    pub(crate) fn bearer(self, key: &str) -> Self {
        self.header("authorization", format!("Bearer {key}"))
    }

    /// The request as it travels.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: e2e\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    /// Its status.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All headers, in their order.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The `code` of a problem body; empty if it is none.
    pub(crate) fn code(&self) -> String {
        let json = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        json["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection that is kept open.
#[derive(Debug)]
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        Self::of(TcpStream::connect_timeout(&address, PATIENCE)?)
    }

    /// Connects from an address of this machine: on Linux everything in 127.0.0.0/8 is.
    pub(crate) fn open_from(source: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(source, 0))?;
            socket.connect(address).await?.into_std()
        })?;
        stream.set_nonblocking(false)?;
        Self::of(stream)
    }

    fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Writes `bytes`, whatever they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Sends a request and reads its answer. A server may answer before it has read everything, and close.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<Response> {
        let written = self.write(&request.bytes());
        self.read().or_else(|error| written.and(Err(error)))
    }

    /// Reads one answer.
    pub(crate) fn read(&mut self) -> io::Result<Response> {
        let status_line = self.line()?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(broken)?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        assert_eq!(
            response.header("transfer-encoding"),
            None,
            "this client reads no chunks"
        );
        let length = response
            .header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        response.body = vec![0; length];
        self.0.read_exact(&mut response.body)?;
        Ok(response)
    }

    /// What comes until `text` has come, with what came along with it.
    pub(crate) fn read_until(&mut self, text: &str) -> io::Result<String> {
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains(text) {
            let chunk = self.0.fill_buf()?;
            if chunk.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            heard.extend_from_slice(chunk);
            let length = chunk.len();
            self.0.consume(length);
        }
        Ok(String::from_utf8_lossy(&heard).into_owned())
    }

    /// Exactly so many bytes.
    pub(crate) fn read_exact(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whatever comes until the server closes, which it must.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let end = self.0.read_to_end(&mut rest).map_err(|error| error.kind());
        assert!(
            !matches!(end, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
            "the connection is still open"
        );
        rest
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

fn broken() -> io::Error {
    ErrorKind::InvalidData.into()
}

/// Sends one request on a connection of its own.
pub(crate) fn send(address: SocketAddr, request: &Request) -> io::Result<Response> {
    Connection::open(address)?.send(request)
}
