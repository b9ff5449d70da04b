//! A service behind the gateway that writes down every byte it gets and answers as the test says.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// One request, as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// The request line.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub(crate) body: Vec<u8>,
    /// What came after the last chunk.
    pub(crate) trailers: String,
    /// On which connection, counted from 0.
    pub(crate) connection: usize,
}

impl Received {
    /// The value of the only header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all: Vec<_> = self.headers(name).collect();
        assert!(all.len() < 2, "{name} came twice: {self:?}");
        all.first().copied()
    }

    /// The values of all headers of this name.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// Everything of the head as one text, to look for what must not be there.
    pub(crate) fn head(&self) -> String {
        let lines = self.headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
        self.line.clone() + &lines.collect::<String>()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// `/path?query`.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// What the service does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// It answers with a status, headers and a body.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// It says nothing until the other side closes.
    Silence,
    /// It changes protocols and sends back whatever comes.
    Echo,
}

impl Reply {
    /// 200 with JSON.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// A status with JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        Self::Answer(status, vec![kind], body.to_string().into_bytes())
    }

    /// The same with a header more.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

type Decide = dyn Fn(&Received) -> Reply + Send + Sync;

/// The service. It stops when it is dropped.
pub(crate) struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    decide: Box<Decide>,
    received: Mutex<Vec<Received>>,
    open: Mutex<Vec<TcpStream>>,
    is_stopped: AtomicBool,
}

impl Recorder {
    /// Starts one that answers as `decide` says.
    pub(crate) fn start(decide: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            decide: Box::new(decide),
            received: Mutex::default(),
            open: Mutex::default(),
            is_stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Self { address, shared }
    }

    /// Starts one that answers everything with 200 and its name.
    pub(crate) fn named(name: &'static str) -> Self {
        Self::start(move |received| Reply::ok(&json!({ "service": name, "target": received.target() })))
    }

    /// `http://host:port`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// What came with this `X-Request-Id`.
    pub(crate) fn of(&self, request_id: &str) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|received| received.headers("x-request-id").any(|id| id == request_id));
        received
    }

    /// The one request that came with this `X-Request-Id`.
    pub(crate) fn only(&self, request_id: &str) -> Received {
        let received = self.of(request_id);
        assert_eq!(received.len(), 1, "{received:?}");
        received.into_iter().next().unwrap()
    }

    /// Ends it as a kill would: nobody listens any more, and every connection is gone.
    pub(crate) fn kill(&self) {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        // The listener goes once it has accepted this.
        let _ = TcpStream::connect(self.address).map(|mut stream| stream.read(&mut [0]));
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for (connection, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            if self.is_stopped.load(Ordering::SeqCst) {
                return;
            }
            lock(&self.open).extend(stream.try_clone());
            let shared = Arc::clone(&self);
            thread::spawn(move || shared.serve(stream, connection));
        }
    }

    /// A connection that ends early is the other side's right.
    fn serve(&self, stream: TcpStream, connection: usize) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut stream = stream;
        loop {
            let received = Received {
                connection,
                ..read(&mut reader).ok()?
            };
            let reply = (self.decide)(&received);
            lock(&self.received).push(received);
            match reply {
                Reply::Answer(status, headers, body) => write(&mut stream, status, &headers, &body).ok()?,
                Reply::Silence => return drop_when_closed(&mut reader),
                Reply::Echo => return echo(&mut reader, &mut stream),
            }
        }
    }
}

fn drop_when_closed(reader: &mut BufReader<TcpStream>) -> Option<()> {
    io::copy(reader, &mut io::sink()).ok().map(drop)
}

/// 101, and from then on a mirror.
fn echo(reader: &mut BufReader<TcpStream>, stream: &mut TcpStream) -> Option<()> {
    let head = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(head).ok()?;
    io::copy(reader, stream).ok().map(drop)
}

fn read(reader: &mut impl BufRead) -> io::Result<Received> {
    let line = text_line(reader)?;
    let mut headers = Vec::new();
    loop {
        let line = text_line(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut received = Received {
        line,
        headers,
        ..Received::default()
    };
    match (received.header("transfer-encoding"), received.header("content-length")) {
        (Some(_), _) => (received.body, received.trailers) = chunks(reader)?,
        (None, Some(length)) => {
            received.body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut received.body)?;
        }
        (None, None) => {}
    }
    Ok(received)
}

fn chunks(reader: &mut impl BufRead) -> io::Result<(Vec<u8>, String)> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&text_line(reader)?, 16).unwrap();
        if size == 0 {
            break;
        }
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..])?;
        text_line(reader)?;
    }
    let mut trailers = String::new();
    loop {
        let line = text_line(reader)?;
        if line.is_empty() {
            return Ok((body, trailers));
        }
        trailers += &line;
    }
}

fn text_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn write(stream: &mut TcpStream, status: u16, headers: &[(String, String)], body: &[u8]) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
