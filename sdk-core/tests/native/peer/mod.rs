//! A small HTTP server on a real socket that answers as it is told, and then well.

pub(crate) mod tls;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than anything takes; only a hang reaches it.
const DEADLINE: Duration = Duration::from_secs(20);

/// What to answer to one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A well-formed answer: status, extra header lines, body.
    Full(u16, String, String),
    /// Hangs up without a word.
    Reset,
    /// Hangs up in the middle of a receipt.
    ResetInTheBody,
    /// Says nothing until the client hangs up.
    Silence,
    /// A 200 whose body never ends.
    Endless,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::text(status, "")
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::Full(status, String::new(), body.to_owned())
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::Full(307, format!("location: {to}\r\n"), String::new())
    }
}

/// A request as it arrived; the body is decompressed.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
    }

    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["batch"].as_array().unwrap().clone()
    }
}

/// The server. It gives the scripted replies in order, one a request, and then accepts everything.
pub(crate) struct Peer {
    address: SocketAddr,
    received: Receiver<Received>,
    hung_up: Receiver<()>,
}

#[derive(Clone)]
struct Script {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    received: Sender<Received>,
    hung_up: Sender<()>,
}

impl Peer {
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = channel();
        let (hang_up, hung_up) = channel();
        let script = Script {
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            received: sender,
            hung_up: hang_up,
        };
        std::thread::spawn(move || accept(&listener, &script));
        Self {
            address,
            received,
            hung_up,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request; fails if none comes.
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(DEADLINE).expect("no request came")
    }

    /// Waits until a client that was met with silence hangs up.
    pub(crate) fn wait_for_hang_up(&self) {
        self.hung_up.recv_timeout(DEADLINE).expect("the client never hung up");
    }
}

/// Once the peer is gone nobody takes requests any more, and the port is closed.
impl Drop for Peer {
    fn drop(&mut self) {
        let (_, gone) = channel();
        self.received = gone;
        // One connection, so that the thread looks again; it closes the listener when it ends.
        if let Ok(stream) = TcpStream::connect(self.address) {
            let _ = (&stream).write_all(b"STOP\r\n\r\n");
            let _ = (&stream).read(&mut [0]);
        }
    }
}

fn accept(listener: &TcpListener, script: &Script) {
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        let mut first = [0; 4];
        if stream.peek(&mut first).is_ok() && first == *b"STOP" {
            return;
        }
        let script = script.clone();
        std::thread::spawn(move || serve(stream, &script));
    }
}

/// Serves one connection until either side hangs up.
fn serve(stream: TcpStream, script: &Script) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let received = read(&mut reader)?;
        let well = receipt(received.events().len());
        let reply = script.replies.lock().unwrap().pop_front();
        let _ = script.received.send(received);
        match reply.unwrap_or_else(|| Reply::text(202, &well)) {
            Reply::Full(status, headers, body) => write(&mut stream, status, &headers, &body)?,
            Reply::Reset => return None,
            Reply::ResetInTheBody => {
                let (half, _) = well.split_at(well.len() / 2);
                let head = format!("HTTP/1.1 202 x\r\ncontent-length: {}\r\n\r\n{half}", well.len());
                return stream.write_all(head.as_bytes()).ok();
            }
            Reply::Silence => {
                let _ = reader.read(&mut [0]);
                return script.hung_up.send(()).ok();
            }
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
                while stream.write_all(&[b' '; 4096]).is_ok() {}
                return None;
            }
        }
    }
}

fn receipt(accepted: usize) -> String {
    format!(r#"{{"accepted":{accepted},"results":[],"next_send_after_ms":0}}"#)
}

fn write(stream: &mut impl Write, status: u16, headers: &str, body: &str) -> Option<()> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).ok()
}

fn read(reader: &mut impl BufRead) -> Option<Received> {
    let line = read_line(reader)?;
    let mut headers = Vec::new();
    while let Some((name, value)) = read_line(reader)?.split_once(": ") {
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut received = Received {
        line,
        headers,
        body: String::new(),
    };
    let mut body = vec![0; received.header("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    received.body = match received.header("content-encoding") {
        Some("gzip") => {
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).ok()?;
            text
        }
        _ => String::from_utf8(body).ok()?,
    };
    Some(received)
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
}
